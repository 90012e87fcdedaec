"""Choosing one of several actors for each message. Layer: pillar.

The choice is made on the sender's thread, so that a message takes no detour by a routing actor.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable
from typing import Any, Literal, get_args

import pykka

from relay_actors.errors import ActorError, ConfigError, MailboxFull
from relay_actors.runtime.actor_ref import ActorRef, cell_of
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.context import here, name_of_sender
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.reasons import DeadLetter

__all__ = ["HashKey", "Router", "Routing", "bucket_of", "check_routing"]

Routing = Literal["round_robin", "least_busy", "consistent_hash", "broadcast"]
"""Who gets a message: the next in turn; who has least to do; always the same for the same key; or everybody."""

HashKey = str | bytes | int | None | tuple["HashKey", ...]
"""What a message can be assigned by: values that are the same in every process, as ``hash()`` of a text is not."""

_MULTIPLIER = 2862933555777941757
_64_BITS = (1 << 64) - 1


class Router:
    """Sends each message to one of several actors. Any thread.

    Those that are just being restarted are passed over while another one is there, and those that have ended always.
    Only ``consistent_hash`` waits for a restart: whoever has a key keeps it, and the order of its messages with it.
    When one has ended, only its keys go to others; of one more in the list, only the keys that it gets move.

    Args:
        refs: the actors, in an order that matters for ``consistent_hash`` only.
        routing: ``round_robin``; ``least_busy``: the shortest queue, the running turn included; ``consistent_hash``; or
            ``broadcast``, which can be told and not asked.
        key: for ``consistent_hash``: what a message is assigned by, such as ``lambda message: message.account``. Text,
            bytes, a number, None, or a tuple of these. Called on the sender's thread.

    Raises:
        ConfigError: no actors, an unknown routing, or a key that is missing or makes no sense.
        ActorError: one of ``refs`` is no actor of this framework.
    """

    def __init__(
        self,
        refs: Iterable[pykka.ActorRef[Any]],
        routing: Routing = "round_robin",
        *,
        key: Callable[[Any], HashKey] | None = None,
    ) -> None:
        self._cells = tuple(cell_of(ref) for ref in refs)
        if not self._cells:
            raise ConfigError("a router needs at least one actor to send to")
        check_routing(routing, key)
        self._routing = routing
        self._key = key
        self._turns = itertools.count()  # drawn from by `next`, which is atomic
        self._choose: Callable[[object], Cell | None] = {
            "round_robin": self._next_in_turn,
            "least_busy": self._least_busy,
            "consistent_hash": self._owner_of_key,
            "broadcast": self._next_in_turn,
        }[routing]

    def __repr__(self) -> str:
        return f"{self._routing} of {', '.join(map(repr, self._cells))}"

    @property
    def refs(self) -> tuple[ActorRef[Any], ...]:
        """Those that have not ended."""
        return tuple(cell.ref for cell in self._cells if not cell.stopped)

    def is_alive(self) -> bool:
        """Return whether there is anybody to send to."""
        return any(not cell.stopped for cell in self._cells)

    def tell(self, message: object) -> None:
        """Send a message to one of them, or to all by ``broadcast``.

        Raises:
            ActorDead: all of them have ended.
            MailboxFull: the mailbox of the chosen one is bounded and full; or, of a broadcast, that of any: all others
                have got it then.
            ConfigError: the key function gave something that is no key.
        """
        if not self.send(message):
            raise self._nobody(message)

    def ask(self, message: Any, *, block: bool = True, **options: Any) -> Any:
        """Ask one of them; all as with `ActorRef.ask`, whose ``options`` these are.

        Raises:
            ActorError: it is a broadcast, which has no one answer.
            ActorDead: all of them have ended.
            ConfigError: the key function gave something that is no key.
        """
        self._check_asked()
        cell = self._choose(message)
        if cell is not None:
            return cell.ref.ask(message, block=block, **options)
        reply: Future[Any] = Future(self._cells[0].system.dispatcher)
        reply.try_fail(self._nobody(message))
        return reply.get() if block else reply

    def send(self, message: object, reply: Future[Any] | None = None) -> bool:
        """Put a message into a mailbox, or all of them; False if all have ended. For frameworks on top."""
        if reply is not None:
            self._check_asked()
        elif self._routing == "broadcast":
            return self._send_to_all(message)
        while (cell := self._choose(message)) is not None:
            if cell.ref.send(message, reply):  # or else it has ended in this moment, and is not chosen again
                return True
            if not cell.stopped:  # a pool without a worker, which would be chosen again and again
                return any(other.ref.send(message, reply) for other in self._cells if other is not cell)
        return False

    def offer(self, envelope: Envelope) -> bool | None:
        """As `ActorRef.offer`, to whom it chooses, or to all of them. For the runtime."""
        if envelope.reply_to is not None:
            self._check_asked()
        elif self._routing == "broadcast":
            taken = [cell.ref.offer(Envelope(envelope.message)) for cell in self._cells]
            return any(taken) or (None if None in taken else False)
        while (cell := self._choose(envelope.message)) is not None:
            is_taken: bool | None = cell.ref.offer(envelope)
            if is_taken is not False:  # or else it has ended in this moment, as in `send`
                return is_taken
        return False

    def _send_to_all(self, message: object) -> bool:
        is_taken, problem = False, None
        for cell in self._cells:
            try:
                is_taken = cell.ref.send(message) or is_taken
            except MailboxFull as error:  # the others get it all the same, and then the sender is told
                problem = problem or error
        if problem is not None:
            raise problem
        return is_taken

    def _check_asked(self) -> None:
        if self._routing == "broadcast":
            raise ActorError("a broadcast cannot be asked, since it has no one answer: ask each of its `refs`")

    def _nobody(self, message: object) -> ActorIsDead:
        letter = DeadLetter(message, repr(self), "dead", name_of_sender(here.turn))
        self._cells[0].system.dead_letters.publish(letter)
        return ActorIsDead(f"nobody is left to send to: all of [{self}] have ended")

    # -- the ways of choosing ----------------------------------------------------------------------------------------

    def _next_in_turn(self, _message: object) -> Cell | None:
        cells, first = self._cells, next(self._turns)
        number = len(cells)
        second_best = None
        for offset in range(number):
            cell = cells[(first + offset) % number]
            if cell.stopped:
                continue
            if not cell.is_between:
                return cell
            second_best = second_best or cell
        return second_best

    def _least_busy(self, _message: object) -> Cell | None:
        cells, first = self._cells, next(self._turns)
        number = len(cells)
        best, least = None, (True, 0)
        for offset in range(number):  # from another one each time, so that those who do nothing take turns
            cell = cells[(first + offset) % number]
            if cell.stopped:
                continue
            load = (cell.is_between, cell.mailbox.user_length + cell.is_running)
            if best is None or load < least:
                best, least = cell, load
                if load == (False, 0):
                    break
        return best

    def _owner_of_key(self, message: object) -> Cell | None:
        assert self._key is not None
        key = _bytes_of(self._key(message))
        cell = self._cells[bucket_of(key, len(self._cells))]
        if not cell.stopped:
            return cell
        living = [other for other in self._cells if not other.stopped]
        return living[bucket_of(b"again " + key, len(living))] if living else None


def check_routing(routing: str, key: object) -> None:
    """Raise `ConfigError` for a routing that there is not, or a key that does not belong to it."""
    if routing not in get_args(Routing):
        raise ConfigError(f"routing={routing!r}: one of {', '.join(get_args(Routing))}")
    if (routing == "consistent_hash") != (key is not None):
        raise ConfigError(
            "routing='consistent_hash' needs a key, such as key=lambda message: message.account; the others have none"
        )


def bucket_of(key: bytes, buckets: int) -> int:
    """Return the bucket of a key, from 0, the same in every process; of one bucket more, only those in it move there.

    Source: Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014.
    """
    state = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big")
    bucket, following = 0, 0
    while following < buckets:
        bucket = following
        state = (state * _MULTIPLIER + 1) & _64_BITS
        following = int((bucket + 1) * ((1 << 31) / ((state >> 33) + 1)))
    return bucket


def _bytes_of(key: object) -> bytes:
    match key:
        case str():
            return b"s" + key.encode("utf-8", "surrogatepass")
        case bytes():
            return b"b" + key
        case int():
            return b"i%d" % key
        case None:
            return b"n"
        case tuple():
            parts = [_bytes_of(part) for part in key]
            return b"t" + b"".join(b"%d:%b" % (len(part), part) for part in parts)
    raise ConfigError(f"a key of consistent_hash is text, bytes, a number, None or a tuple of these, not {key!r}")
