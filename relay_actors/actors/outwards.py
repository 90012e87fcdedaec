"""What the code of a call sends to other actors, and awaits of them: noted, so that it is done once. Layer: hall.

Source: SEMANTICS J3, J4.
"""

from __future__ import annotations

from typing import Any

from relay_actors.actors.watched import is_own, outcome_of
from relay_actors.actors.withheld import Withheld, WithheldOrder
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import STOP

__all__ = ["Outwards"]


class Outwards:
    """Has the journal know it, and withholds it while the call's past is run again. In the call's turns.

    An answer for which the call's turn itself waits, by an ``ask`` that blocks, is not known to the journal: it is
    asked again.

    Args:
        call: one incarnation of the call's actor.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        office = call.office
        self._ours = [ref._cell for ref in (office.connection, office.calls, office.messages)]  # noqa: SLF001

    def awaits(self, future: Future[Any]) -> int | None:
        """Return the number of a future that others settle, and that the flow awaits; None for the call's own."""
        course = self._call.leg.course
        if not course.is_recorded or is_own(future, self._call.runs_as):
            return None
        number: int = course.next("awaits")
        if course.replay is not None:
            course.replay.awaits(number, future)
        return number

    def has_awaited(self, number: int, future: Future[Any]) -> None:
        """Have the journal know what came of a future that others settle."""
        replay = self._call.leg.course.replay
        if replay is not None:
            replay.has_awaited(self._call, number, future)
        elif future.is_settled:
            self._call.keep_note("awaited", {"number": number, **outcome_of(future)})

    def withholds(self, receiver: Any, message: object, reply: Any) -> bool:
        """Have the journal know that the call's code has sent something to an actor."""
        if receiver in self._ours or message is STOP or getattr(reply, "is_waited_for", False):
            return False
        return self._call.leg.course.is_recorded and self._withholds(Withheld(receiver, message, reply))

    def withholds_order(self, ref: Any, order: Any) -> bool:
        """Have the journal know that the call's code has asked something of another call."""
        return self._call.leg.course.is_recorded and self._withholds(WithheldOrder(ref, order))

    def _withholds(self, sent: Withheld | WithheldOrder) -> bool:
        course = self._call.leg.course
        number = course.next("sent")
        if course.replay is None:
            self._call.keep_note("sent", {"number": number})
            return False
        course.replay.withhold(number, sent)
        return True
