"""What a call's code sends to others while its past is run again: it was sent then. Layer: hall."""

from __future__ import annotations

import abc
import logging
from collections.abc import Callable
from typing import Any

from relay_actors.actors.orders import Again, Begin, Control, HangUpAfter, Listen, Order, Perform, WaitFor
from relay_actors.errors import NameTaken
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.mailbox import FOR_PYKKA

__all__ = ["Withheld", "WithheldBeginning", "WithheldOrder"]

_log = logging.getLogger("relay_actors.recovery")


class _Sent(abc.ABC):
    __slots__ = ()

    @abc.abstractmethod
    def send(self) -> None:
        """Send it now."""

    @abc.abstractmethod
    def was_sent(self, *, may_be_lost: bool) -> None:
        """It was sent then.

        Args:
            may_be_lost: whether the process has ended since, so that it may never have come to anybody.
        """

    def send_and_note(self, call: Any, number: int) -> None:
        """Send it now, for the first time; have the journal of ``call`` know that before."""
        call.keep_note("sent", {"number": number})
        self.send()


@dataclass(frozen=True, slots=True)
class Withheld(_Sent):
    """A message to an actor.

    Attributes:
        receiver: its cell.
        message: what was sent.
        reply: the future of its answer, if it was asked.
    """

    receiver: Any
    message: object
    reply: Any

    def send(self) -> None:
        """Send it now."""
        if not self.receiver.tell_user(self.message, self.reply):
            self.receiver.dead_letter(self.message, "dead")
            if self.reply is not None:
                self.reply.try_fail(ActorIsDead(f"{self.receiver.ref} not found"))

    def asks_the_same(self, then: Withheld) -> bool:
        """Whether it may be the question that was asked then; code that was left by an error may have asked others."""
        return _asked(self.message) == _asked(then.message)

    def was_sent(self, *, may_be_lost: bool) -> None:
        """It was sent then. Who still waits for the answer asks again: whoever was asked has ended with the process."""
        if self.reply is not None and not self.reply.is_settled:
            self.send()


def _asked(message: object) -> object:
    """Return what is asked: a text, the name of what is called by a proxy, or else what kind of message it is."""
    if type(message) in FOR_PYKKA:
        return type(message), tuple(getattr(message, "attr_path", ()))
    return message if isinstance(message, str | int) else type(message)


@dataclass(frozen=True, slots=True)
class WithheldOrder(_Sent):
    """What is asked of another call.

    Attributes:
        ref: which call.
        order: what.
    """

    ref: Any
    order: Order

    def send(self) -> None:
        """Send it now."""
        self.ref.post(self.order)

    def was_sent(self, *, may_be_lost: bool) -> None:
        """It was sent then, and is not done twice: who is asked knows. To wait and to listen can be begun again."""
        if isinstance(self.order, Perform | Begin | Control):
            self.ref.post(Again(self.order, may_be_lost))
        elif isinstance(self.order, WaitFor | Listen | HangUpAfter):
            self.ref.post(self.order)


@dataclass(frozen=True, slots=True)
class WithheldBeginning(_Sent):
    """Something that goes on by itself, such as a dial.

    Attributes:
        begin: begins it.
        begun: called if it was begun then, or None.
    """

    begin: Callable[[], object]
    begun: Callable[[], object] | None = None

    def send(self) -> None:
        """Begin it now; unless it was begun, and the process has ended before that was written down."""
        try:
            self.begin()
        except NameTaken:
            _log.info("begun before the end of the process, and not begun twice")

    def send_and_note(self, call: Any, number: int) -> None:
        """Begin it now; it is on record by itself, before the journal of ``call`` knows that it was begun."""
        self.send()
        call.keep_note("sent", {"number": number})

    def was_sent(self, *, may_be_lost: bool) -> None:
        """It was begun then."""
        if self.begun is not None:
            self.begun()
