"""Refs by name: the owner of a key is looked up at each send. Layer: pillar. Source: SEMANTICS R4, K4; OTP ``via``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Literal, TypeVar

from relay_actors.errors import ConfigError
from relay_actors.runtime.actor_ref import ActorRef, cell_of
from relay_actors.runtime.anatomy import AnyCell, AnySystem
from relay_actors.runtime.asking import ask_through
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.context import here, name_of_sender
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.reasons import DeadLetter

__all__ = ["Unrouted", "ViaRef", "WaitingMessages", "unless_withheld"]

T = TypeVar("T")

Unrouted = Literal["dead_letter", "raise", "buffer"]
"""What becomes of a message for a key that nobody owns."""

_CAPACITY = 64
_WAIT_S = 5.0


class ViaRef:
    """A ref by key: whoever owns the key at the moment of sending gets the message. Any thread.

    Use it for somebody who may be replaced by another actor. For somebody who is only restarted an `ActorRef` is good
    enough, and quicker. Two of the same key and system are equal.

    Args:
        system: in which the key is looked up.
        key: under which the recipient is registered.
        unrouted: what becomes of a message when nobody is. It is a dead letter, ``unrouted``; with ``raise`` the sender
            of a `tell` gets `ActorDead` as well, as who asks always does. With ``buffer`` it waits for an owner for up
            to 5 seconds, 64 of a key, and is a dead letter only then; who registers the key gets what waits before
            anything else that is sent to the key.

    Raises:
        ConfigError: ``unrouted`` is none of the three.
    """

    __slots__ = ("_system", "_unrouted", "key")

    def __init__(self, system: AnySystem, key: Hashable, unrouted: Unrouted = "dead_letter") -> None:
        if unrouted not in ("dead_letter", "raise", "buffer"):
            raise ConfigError(f"via({key!r}, unrouted={unrouted!r}): 'dead_letter', 'raise' or 'buffer'")
        self._system = system
        self._unrouted = unrouted
        self.key = key

    def __repr__(self) -> str:
        return f"via {self.key!r}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ViaRef) and other._system is self._system and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def resolve(self) -> Any:
        """Return the ref of who owns the key now, or None. It may have ended a moment later (SEMANTICS R2)."""
        return self._system.find(self.key)

    def is_alive(self) -> bool:
        """Return whether somebody owns the key now."""
        return self.resolve() is not None

    def tell(self, message: object) -> None:
        """Send a message to who owns the key now.

        Raises:
            ActorDead: nobody does, and ``unrouted`` is ``raise``.
            MailboxFull: the owner's mailbox is bounded and full.
        """
        envelope = self._send(message, None)
        if envelope is not None:
            _give_up(self._system, self.key, envelope)
            if self._unrouted == "raise":
                raise _nobody(self.key)

    def ask(self, message: Any, *, block: bool = True, **options: Any) -> Any:
        """Ask who owns the key now; all as with `ActorRef.ask`, whose ``options`` these are.

        Raises:
            ActorDead: nobody does, or nobody did in time.
        """
        owner = self.resolve()
        if owner is not None:
            return owner.ask(message, block=block, **options)

        def send(reply: Future[Any]) -> None:
            envelope = self._send(message, reply)
            if envelope is not None:
                _give_up(self._system, self.key, envelope)

        return ask_through(self._system, f"{self!r}", message, send, block=block, timeout=options.get("timeout"))

    def _send(self, message: object, reply: Future[Any] | None) -> Envelope | None:
        """Send to the owner, or let it wait for one; return what is left over if neither is possible."""
        owner = self.resolve()
        if isinstance(owner, ActorRef) and cell_of(owner) is here.turn:  # what it tells itself is looked at as such
            return self._put(message, reply)
        # Whether there is an owner or not: that may be another thing when the same is sent again.
        return unless_withheld(_Whoever(self), message, reply, lambda: self._put(message, reply), None)

    def put_or_give_up(self, message: object, reply: Future[Any] | None) -> None:
        """Send it, or have it be a dead letter. For what was withheld until now."""
        envelope = self._put(message, reply)
        if envelope is not None:
            _give_up(self._system, self.key, envelope)

    def _put(self, message: object, reply: Future[Any] | None) -> Envelope | None:
        while True:
            owner = self.resolve()
            if owner is None:
                envelope = Envelope(message, reply)
                if self._unrouted != "buffer":
                    return envelope
                if self._system.waiting_messages.add(self.key, envelope):
                    return None
            elif owner.send(message, reply):  # or else it has ended in this moment, and is not found again
                return None
            elif owner.is_alive():  # a pool without a worker, which would be found again and again
                return Envelope(message, reply)


def unless_withheld(
    recipient: Any, message: object, reply: Future[Any] | None, send: Callable[[], T], withheld: T
) -> T:
    """Send by a ref that chooses its actor; or give ``withheld``, if who looks at what is sent in this turn has it.

    It is looked at once, as what it is, and not again as what some actor gets.

    Args:
        recipient: as if it were a cell: has ``tell_user`` and ``dead_letter``, by which it is sent later, and ``ref``.
        message: what is sent.
        reply: the future of its answer, if it is asked.
        send: sends it.
        withheld: returned if it was not sent.
    """
    turn: Any = here.turn
    outward = None if turn is None else turn.outward
    if outward is None:
        return send()
    if outward.withholds(recipient, message, reply):
        return withheld
    turn.outward = None
    try:
        return send()
    finally:
        turn.outward = outward


class _Whoever:
    """The recipient, as far as `Outward` has to know it: as if it were a cell.

    Args:
        ref: by which it is found.
    """

    __slots__ = ("ref",)

    def __init__(self, ref: ViaRef) -> None:
        self.ref = ref

    def tell_user(self, message: object, reply: Future[Any] | None = None) -> bool:
        """Send what was withheld. It has been seen to, also if nobody is there."""
        self.ref.put_or_give_up(message, reply)
        return True


class WaitingMessages:
    """Messages that wait for somebody to register a key. All of it is guarded by the registry's lock.

    Args:
        system: whose registry it is.
    """

    def __init__(self, system: AnySystem) -> None:
        self._system = system
        self._lanes: dict[Hashable, deque[tuple[float, Envelope]]] = {}
        self._timers: dict[Hashable, TimerHandle] = {}
        self._refused: deque[tuple[AnyCell, Envelope, Exception | None]] = deque()

    def __len__(self) -> int:
        """Return how many wait."""
        return sum(map(len, self._lanes.values()))

    def add(self, key: Hashable, envelope: Envelope) -> bool:
        """Let a message wait; False if the key has an owner by now, who is to get it. One too many is given up."""
        with self._system.registry.lock:
            if self._system.registry.find(key) is not None:
                return False
            due = self._system.clock.now() + _WAIT_S
            lane = self._lanes.setdefault(key, deque())
            is_full = len(lane) >= _CAPACITY
            if not is_full:
                lane.append((due, envelope))
            if key not in self._timers:
                self._arm(key, due)
        if is_full:
            _give_up(self._system, key, envelope)
        return True

    def hand_over(self, key: Hashable, cell: Any) -> None:
        """Put what waits for ``key`` into the mailbox of its new owner. With the registry's lock held."""
        if key not in self._lanes:  # as nearly always: with the lock held, and so it stays
            return
        for _due, envelope in self._take(key):
            try:
                if not cell.ref.offer(envelope):
                    self._refused.append((cell, envelope, None))
            except Exception as error:  # noqa: BLE001  # of a pool's key function: whoever sent this is told
                self._refused.append((cell, envelope, error))

    def settle(self) -> None:
        """See to what could not be handed over. Without the lock, since others are told."""
        while self._refused:
            try:
                cell, envelope, error = self._refused.popleft()
            except IndexError:  # another thread was quicker
                return
            refused: Any = cell
            if error is None:
                refused.refuse(envelope, "dead" if cell.has_ended else "overflow")
                continue
            if envelope.reply_to is not None:
                envelope.reply_to.try_fail(error)
            refused.refuse(envelope, "unrouted")

    def close(self) -> None:
        """Give up everything: the system stops."""
        for key in list(self._lanes):
            with self._system.registry.lock:
                lane = self._take(key)
            for _due, envelope in lane:
                _give_up(self._system, key, envelope)

    def _take(self, key: Hashable) -> deque[tuple[float, Envelope]]:
        lane = self._lanes.pop(key, None)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        return lane if lane is not None else deque()

    def _arm(self, key: Hashable, due: float) -> None:
        self._timers[key] = self._system.dispatcher.call_at(due, lambda: self._expire(key))

    def _expire(self, key: Hashable) -> None:
        expired = []
        with self._system.registry.lock:
            now = self._system.clock.now()
            lane = self._lanes.get(key)
            while lane and lane[0][0] <= now:
                expired.append(lane.popleft()[1])
            self._timers.pop(key, None)
            if lane:
                self._arm(key, lane[0][0])
            else:
                self._lanes.pop(key, None)
        for envelope in expired:
            _give_up(self._system, key, envelope)


def _nobody(key: Hashable) -> ActorIsDead:
    return ActorIsDead(f"nobody is registered as {key!r}")


def _give_up(system: AnySystem, key: Hashable, envelope: Envelope) -> None:
    if envelope.reply_to is not None:
        envelope.reply_to.try_fail(_nobody(key))
    letter = DeadLetter(envelope.message, f"via {key!r}", "unrouted", name_of_sender(envelope.sender))
    system.dead_letters.publish(letter)
