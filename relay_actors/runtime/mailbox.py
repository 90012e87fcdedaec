"""An actor's mailbox: three lanes, a bound, and one atomic decision between enqueue and close. Layer: pillar."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, Literal, TypeVar

from relay_actors.errors import MailboxFull
from relay_actors.runtime.signals import Signal

__all__ = ["Envelope", "Mailbox", "Overflow"]

T = TypeVar("T")

Overflow = Literal["fail", "drop_new", "drop_old", "block"]
"""What a full mailbox does with a message. Source: SEMANTICS M4."""


class Envelope:
    """A message and, for an ask, the future of its reply. Has the shape of pykka's own envelope."""

    __slots__ = ("message", "reply_to")

    def __init__(self, message: object, reply_to: Any = None) -> None:
        self.message = message
        self.reply_to = reply_to

    def __repr__(self) -> str:
        return f"Envelope({self.message!r}, reply_to={self.reply_to!r})"


class Mailbox:
    """Where an actor's messages wait.

    Lanes: *system* (stop, restart, watch, …) before *control* (timers, flows, what children report) before *user*.
    Each lane keeps the order in which one sender sent (M1).

    Any thread may put; only the thread that has the actor's turn takes. There is no lock on that way: appending to
    and popping from a `collections.deque` are atomic. Enqueue and close are one decision (M5) by order of two steps:
    a sender appends and then looks whether the mailbox is closed; the closer closes and then drains. Whichever comes
    second sees the other, and an envelope can be popped only once, so each is handled, refused or drained.

    Args:
        capacity: bound of the user lane; None is unbounded. The other lanes are never bounded.
        overflow: what happens beyond the bound.
        block_s: how long ``block`` waits for room before it fails, in seconds.
    """

    __slots__ = ("_block_s", "_capacity", "_closed", "_control", "_overflow", "_room", "_system", "_user")

    def __init__(self, capacity: int | None = None, overflow: Overflow = "fail", block_s: float = 1.0) -> None:
        self._system: deque[Signal] = deque()
        self._control: deque[Envelope] = deque()
        self._user: deque[Envelope] = deque()
        self._closed = False
        self._capacity = capacity
        self._overflow = overflow
        self._block_s = block_s
        # Guards nothing but the sleep of senders that wait for room; only a blocking mailbox has one.
        self._room = threading.Condition() if capacity is not None and overflow == "block" else None

    @property
    def closed(self) -> bool:
        """Whether nothing is taken any more."""
        return self._is_closed()

    def put_system(self, signal: Signal) -> bool:
        """Put a signal of the runtime; False if closed, and then it was not and will not be handled."""
        if self._closed:
            return False
        self._system.append(signal)
        return not self._is_closed() or not _withdraw(self._system, signal)

    def put_control(self, envelope: Envelope) -> bool:
        """Put ahead of user messages; False if closed, and then it was not and will not be handled."""
        if self._closed:
            return False
        self._control.append(envelope)
        return not self._is_closed() or not _withdraw(self._control, envelope)

    def put_user(self, envelope: Envelope) -> tuple[bool, Envelope | None]:
        """Put a user's message.

        Returns:
            Whether it was taken, and the envelope that was dropped by the bound, if any: this one or the oldest.

        Raises:
            MailboxFull: the bound is reached and the policy is ``fail``, or ``block`` has waited long enough.
        """
        if self._closed:
            return False, None
        dropped = None
        if self._capacity is not None and len(self._user) >= self._capacity:
            if self._overflow == "drop_new":
                return True, envelope
            if self._overflow == "drop_old":
                dropped = _pop(self._user)
            elif not self._wait_for_room():
                raise MailboxFull(f"{self._capacity} messages wait; {type(envelope.message).__name__} was refused")
        self._user.append(envelope)
        if self._is_closed() and _withdraw(self._user, envelope):
            return False, dropped
        return True, dropped

    def put(self, envelope: Any) -> None:
        """Put an envelope of pykka's, or of ours, in the user lane (pykka's inbox contract)."""
        self.put_user(envelope)

    def take_system(self) -> Signal | None:
        """Return and remove the next signal, or None."""
        return _pop(self._system)

    def take_control(self) -> Envelope | None:
        """Return and remove the next control message, or None."""
        return _pop(self._control)

    def take_user(self) -> Envelope | None:
        """Return and remove the next user message, or None."""
        envelope = _pop(self._user)
        if envelope is not None and self._room is not None:
            with self._room:
                self._room.notify()
        return envelope

    def close(self) -> tuple[list[Signal], list[Envelope]]:
        """Take nothing more, and return what was waiting: signals, and messages of the other lanes in order."""
        self._closed = True
        signals = list(_drain(self._system))
        envelopes = [*_drain(self._control), *_drain(self._user)]
        if self._room is not None:
            with self._room:
                self._room.notify_all()
        return signals, envelopes

    def has_signals(self) -> bool:
        """Return whether the system lane has something."""
        return bool(self._system)

    def has_messages(self) -> bool:
        """Return whether the control or the user lane has something."""
        return bool(self._control or self._user)

    def empty(self) -> bool:
        """Return whether nothing waits (pykka's inbox contract)."""
        return not (self._system or self._control or self._user)

    def lengths(self) -> tuple[int, int, int]:
        """Return how many wait per lane: system, control, user."""
        return len(self._system), len(self._control), len(self._user)

    def _is_closed(self) -> bool:
        # A call, because a type checker takes for granted that an attribute stays what it was two lines above.
        return self._closed

    def _wait_for_room(self) -> bool:
        if self._room is None or self._capacity is None:
            return False
        capacity = self._capacity
        with self._room:
            return self._room.wait_for(lambda: self._closed or len(self._user) < capacity, self._block_s)


def _pop(lane: deque[T]) -> T | None:
    try:
        return lane.popleft()
    except IndexError:
        return None


def _drain(lane: deque[T]) -> Iterator[T]:
    while (item := _pop(lane)) is not None:
        yield item


def _withdraw(lane: deque[Any], item: object) -> bool:
    """Take ``item`` out again; False if somebody, the closer, has already taken it and sees to it."""
    try:
        lane.remove(item)
    except ValueError:
        return False
    return True
