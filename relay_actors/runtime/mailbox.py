"""An actor's mailbox: three lanes, a bound, and one atomic decision between enqueue and close. Layer: pillar."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

from relay_actors.errors import MailboxFull
from relay_actors.runtime.context import here
from relay_actors.runtime.signals import Signal

__all__ = ["STOP", "Envelope", "Mailbox", "Overflow", "WaitUntil"]

T = TypeVar("T")

Overflow = Literal["fail", "drop_new", "drop_old", "block"]
"""What a full mailbox does with a message. Source: SEMANTICS M4."""

WaitUntil = Callable[[Callable[[], bool], Callable[[float | None], bool], float | None], bool]
"""How a sender waits for room: `Dispatcher.wait_until`."""

# Guards the making of a lane that an actor has not needed before, of all mailboxes: most never need it, and an empty
# deque is as large as all the rest of an idle actor. Re-entrant, as every lock here that allocates while it is held:
# the garbage collector may then run somebody's finaliser, and that may send.
_opening = threading.RLock()


class _StopMessage:
    """The user lane's own stop: behind everything that was sent before (SEMANTICS M3), and never dropped (M4)."""

    def __repr__(self) -> str:
        return "stop"


STOP: Final = _StopMessage()


class Envelope:
    """A message and, for an ask, the future of its reply. Has the shape of pykka's own envelope.

    Attributes:
        sender: in whose turn it was made; None outside of all turns.
        carried: what the sender's turn belongs to, where turns are traced.
        seen_at: when it was put, where somebody observes the system; else when an inspection first came upon it.
    """

    # Two of the slots are left empty, which costs nothing, unless somebody looks: see `inspection` and `observed`.
    __slots__ = ("carried", "message", "reply_to", "seen_at", "sender")

    carried: Any
    seen_at: float

    def __init__(self, message: object, reply_to: Any = None) -> None:
        self.message = message
        self.reply_to = reply_to
        self.sender = here.turn

    def __repr__(self) -> str:
        return f"Envelope({self.message!r}, reply_to={self.reply_to!r})"


class Mailbox:
    """Where an actor's messages wait.

    Lanes: *system* (stop, restart, what children report) before *control* (timers, flows, downs) before *user*.
    Each lane keeps the order in which one sender sent (M1).

    Any thread may put; only the thread that has the actor's turn takes. Without a bound there is no lock on that way:
    appending to and popping from a `collections.deque` are atomic. Enqueue and close are one decision (M5) by the
    order of two steps: a sender appends and then looks whether the mailbox is closed; the closer closes and then
    drains. Whichever comes second sees the other, and an envelope can be taken out only once, so each is handled,
    refused or drained. What a late sender appends behind the closer's back is left for him to take out again: so to
    everybody the control and user lanes are ones that are used by one thread at a time (V8).

    Args:
        capacity: bound of the user lane, exact; None is unbounded. The other lanes are never bounded.
        overflow: what happens beyond the bound.
        block_s: how long ``block`` waits for room before it fails, in seconds.
    """

    __slots__ = ("_block_s", "_capacity", "_closed", "_control", "_overflow", "_room", "_system", "_user")

    def __init__(self, capacity: int | None = None, overflow: Overflow = "fail", block_s: float = 1.0) -> None:
        self._system: deque[Signal] | None = None
        self._control: deque[Envelope] | None = None
        self._user: deque[Envelope] = deque()
        self._closed = False
        self._capacity = capacity
        self._overflow = overflow
        self._block_s = block_s
        # Guards the user lane of a bounded mailbox, so that the bound is exact; senders wait on it for room.
        self._room = threading.Condition() if capacity is not None else None

    @property
    def closed(self) -> bool:
        """Whether nothing is taken any more."""
        return self._is_closed()

    @property
    def user_length(self) -> int:
        """How many messages of the user wait."""
        return len(self._user)

    def put_system(self, signal: Signal) -> bool:
        """Put a signal of the runtime; False if closed, and then it was not and will not be handled."""
        if self._closed:
            return False
        lane = self._system
        if lane is None:
            lane = self._open_system()
        lane.append(signal)
        return not self._is_closed() or not _withdraw(lane, signal)

    def put_control(self, envelope: Envelope) -> bool:
        """Put ahead of user messages; False if closed, and then it was not and will not be handled."""
        if self._closed:
            return False
        lane = self._control
        if lane is None:
            lane = self._open_control()
        lane.append(envelope)
        return not self._is_closed() or not _withdraw(lane, envelope)

    def put_user(self, envelope: Envelope, wait_until: WaitUntil) -> tuple[bool, Envelope | None]:
        """Put a user's message; `STOP` is exempt from the bound.

        Args:
            envelope: what to put.
            wait_until: how to wait for room, where the policy is ``block``.

        Returns:
            Whether it was taken, and the envelope that was dropped by the bound, if any: this one or the oldest.

        Raises:
            MailboxFull: the bound is reached and the policy is ``fail``, or ``block`` has waited long enough.
        """
        if self._room is not None:
            return self._put_within_bound(envelope, self._room, wait_until)
        if self._closed:
            return False, None
        self._user.append(envelope)
        return not self._is_closed() or not _withdraw(self._user, envelope), None

    def offer(self, envelope: Envelope) -> bool | None:
        """Put a user's message if there is room; True if taken, False if closed, None if there is none.

        It neither waits nor drops another one, whatever the policy says.
        """
        if self._room is not None:
            with self._room:
                return self.put_if_room(envelope)
        self._user.append(envelope)
        return not self._closed or not _withdraw(self._user, envelope)

    def take_system(self) -> Signal | None:
        """Return and remove the next signal, or None."""
        lane = self._system
        return _pop(lane) if lane else None  # also when closed: who takes it then refuses it

    def take_control(self) -> Envelope | None:
        """Return and remove the next control message, or None."""
        lane = self._control
        return _pop(lane) if lane and not self._closed else None

    def take_user(self) -> Envelope | None:
        """Return and remove the next user message, or None."""
        lane = self._user
        if not lane or self._closed:
            return None
        if self._room is None:
            return _pop(lane)
        with self._room:
            envelope = _pop(lane)
            self._room.notify()
        return envelope

    def look_for(
        self, lane: Literal[0, 1], start: int, wanted: Callable[[Envelope], bool]
    ) -> tuple[Envelope | None, int]:
        """Return the first wanted envelope of the control (0) or user (1) lane, and where it lies; it stays there.

        Only the thread that has the turn. What lies before ``start`` was looked at before, and is not again: so a long
        lane is looked through once. A lane that drops its oldest moves meanwhile, and is looked through every time.

        Returns:
            The envelope, or None; and how much of the lane need not be looked at again.
        """
        envelopes: deque[Envelope] | None = self._user if lane else self._control
        at = 0 if lane and self._overflow == "drop_old" else start
        while envelopes:
            try:
                envelope = envelopes[at]
            except IndexError:
                break
            if wanted(envelope):
                return envelope, at
            at += 1
        return None, at

    def newest(self) -> tuple[Envelope | None, Envelope | None]:
        """Return what came last in the control and in the user lane, if it is still there. Any thread."""
        return _last(self._control), _last(self._user)

    def withdraw(self, envelope: Envelope) -> bool:
        """Take out an envelope that `look_for` has found; False if it is gone: dropped, or drained by the closer."""
        if self._control is not None and _withdraw(self._control, envelope):
            return True
        if self._room is None:
            return _withdraw(self._user, envelope)
        with self._room:
            self._room.notify()
            return _withdraw(self._user, envelope)

    def close(self) -> tuple[list[Signal], list[Envelope]]:
        """Take nothing more, and return what was waiting: signals, and messages of the other lanes in order."""
        if self._room is None:
            self._closed = True
            return _drain(self._system), [*_drain(self._control), *_drain(self._user)]
        with self._room:
            self._closed = True
            self._room.notify_all()
            return _drain(self._system), [*_drain(self._control), *_drain(self._user)]

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
        return len(self._system or ()), len(self._control or ()), len(self._user)

    def oldest(self) -> list[Envelope]:
        """Return the first message of each lane that has one, the system's apart. Any thread."""
        found: list[Envelope] = []
        for lane in (self._control, self._user):
            try:
                if lane:
                    found.append(lane[0])
            except IndexError:  # taken in this moment
                continue
        return found

    def _is_closed(self) -> bool:
        # A call, because a type checker takes for granted that an attribute stays what it was two lines above.
        return self._closed

    def _open_system(self) -> deque[Signal]:
        fresh: deque[Signal] = deque()
        with _opening:
            if self._system is None:
                self._system = fresh
            return self._system

    def _open_control(self) -> deque[Envelope]:
        fresh: deque[Envelope] = deque()
        with _opening:
            if self._control is None:
                self._control = fresh
            return self._control

    def _put_within_bound(
        self, envelope: Envelope, room: threading.Condition, wait_until: WaitUntil
    ) -> tuple[bool, Envelope | None]:
        with room:
            if self._closed:
                return False, None
            if envelope.message is STOP or self._has_room():
                self._user.append(envelope)
                return True, None
            if self._overflow == "drop_new":
                return True, envelope
            if self._overflow == "drop_old":
                oldest = next((waiting for waiting in self._user if waiting.message is not STOP), None)
                if oldest is None:  # nothing but stops wait: the message would come after them anyway
                    return True, envelope
                self._user.remove(oldest)
                self._user.append(envelope)
                return True, oldest
        if self._overflow == "block":
            attempt = _Attempt(self, envelope, room)
            if wait_until(attempt.look, attempt.block, self._block_s):
                return not attempt.is_refused, None
        raise MailboxFull(
            f"{self._capacity} messages wait, which is the bound; {type(envelope.message).__name__} was refused. "
            "Send less, or raise mailbox_capacity"
        )

    def put_if_room(self, envelope: Envelope) -> bool | None:
        """Put, with the bound's lock held: True if taken, False if closed, None if there is no room. For `_Attempt`."""
        if self._closed:
            return False
        if not self._has_room():
            return None
        self._user.append(envelope)
        return True

    def _has_room(self) -> bool:
        return self._capacity is None or len(self._user) < self._capacity


class _Attempt:
    """A sender that waits for room. Waiting is over when the message is in, or the mailbox is closed."""

    def __init__(self, mailbox: Mailbox, envelope: Envelope, room: threading.Condition) -> None:
        self._mailbox = mailbox
        self._envelope = envelope
        self._room = room
        self._outcome: bool | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the mailbox was closed first."""
        return self._outcome is False

    def look(self) -> bool:
        """Put if that is possible now; return whether waiting is over."""
        with self._room:
            return self._try()

    def block(self, timeout_s: float | None) -> bool:
        """Sleep until waiting is over, or ``timeout_s`` seconds are."""
        with self._room:
            return self._room.wait_for(self._try, timeout_s)

    def _try(self) -> bool:
        if self._outcome is None:
            self._outcome = self._mailbox.put_if_room(self._envelope)
        return self._outcome is not None


def _pop(lane: deque[T]) -> T | None:
    try:
        return lane.popleft()
    except IndexError:
        return None


def _last(lane: deque[T] | None) -> T | None:
    try:
        return lane[-1] if lane else None
    except IndexError:
        return None


def _drain(lane: deque[T] | None) -> list[T]:
    taken: list[T] = []
    while lane and (item := _pop(lane)) is not None:
        taken.append(item)
    return taken


def _withdraw(lane: deque[Any], item: object) -> bool:
    """Take ``item`` out again; False if somebody, the closer, has already taken it and sees to it."""
    try:
        lane.remove(item)
    except ValueError:
        return False
    return True
