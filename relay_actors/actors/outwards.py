"""What the code of a call sends to other actors, and awaits of them: noted, so that it is done once. Layer: hall.

Source: SEMANTICS J3, J4.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

from relay_actors.actors.call_ref import Kept
from relay_actors.actors.course import Course
from relay_actors.actors.for_others import OwnCallback
from relay_actors.actors.leg import Leg
from relay_actors.actors.looks import leg_of, seen_of
from relay_actors.actors.orders import Begin, Control, Perform
from relay_actors.actors.waits import Wait
from relay_actors.actors.watched import is_own, outcome_of
from relay_actors.actors.withheld import Withheld, WithheldBeginning, WithheldOrder
from relay_actors.errors import NameTaken, NotSentError
from relay_actors.runtime.future import Future, Noting
from relay_actors.runtime.mailbox import STOP
from relay_actors.runtime.signals import Unwrapped

__all__ = ["Outwards", "Silenced"]

T = TypeVar("T")


class Outwards:
    """Has the journal know it, and withholds it while the call's past is run again. In the call's turns.

    An answer for which the call's turn itself waits, by an ``ask`` that blocks, is not known to the journal: it is
    asked again.

    Args:
        call: one incarnation of the call's actor.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._ours = call.office.cells

    @property
    def course(self) -> Course:
        """How far the call has come."""
        course: Course = self._call.leg.course
        return course

    @property
    def subject(self) -> str:
        """Under which name the call stands in the journal."""
        return str(self._call.leg.subject)

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
        course = self._call.leg.course
        if course.replay is not None:
            course.replay.has_awaited(self._call, number, future)
        elif future.is_settled:
            if course.questions:
                course.questions = {at: asked for at, asked in course.questions.items() if asked.reply is not future}
            kept = getattr(future.settled_by, "keep", None)
            if isinstance(kept, Kept):  # who goes on will look, and what it sees must not be on record any later
                self._note_look(kept.leg.tag or kept.leg.call_id, kept.leg, self.course.counts["looks"] + 1)
            values = outcome_of(future)
            self._call.office.doubts.look_at_lost(type(self._call).__name__, values)
            self._call.keep_note("awaited", {"number": number, **values})

    def withholds(self, receiver: Any, message: object, reply: Any) -> bool:
        """Have the journal know that the call's code has sent something to an actor."""
        if receiver in self._ours or message is STOP or getattr(reply, "is_waited_for", False):
            return False
        office = self._call.office
        if office.begins_nothing:  # orders of other calls go on: what those ask for is held back
            office.unasked.append(reply)
            return True
        return self._call.leg.course.is_recorded and self._withholds(Withheld(receiver, message, reply))

    def withholds_order(self, ref: Any, order: Any) -> bool:
        """Have the journal know that the call's code has asked something of another call."""
        if isinstance(order, Perform | Control):
            order.name = self.next_name() or ""
        elif isinstance(order, Begin) and order.action.on_completed is not None:
            order.action.on_completed = self.calls_back(order.action.on_completed)
        return self._call.leg.course.is_recorded and self._withholds(WithheldOrder(ref, order))

    def next_name(self) -> str | None:
        """Return a name for what the code begins next, the same whenever it is run again; None: any name will do."""
        leg = self._call.leg
        if not leg.course.is_recorded:
            return None
        return f"{leg.subject}/{leg.course.beginnings}.{leg.course.counts['sent'] + 1}"

    def begins(
        self, begin: Callable[[], T], again: Callable[[], T], was_begun: Callable[[], object] | None = None
    ) -> T:
        """Begin something that goes on by itself, such as a dial; once, however often the code is run again.

        Args:
            begin: begins it.
            again: finds it, if it was begun before, or will be when the call is live.
            was_begun: called when the call is live, if it was begun before.
        """
        course = self._call.leg.course
        if not course.is_recorded:
            return begin()
        if course.replay is None:
            # It may be on record while this note is not: then its name is taken when it is to be begun again.
            begun = begin()
            self.keep_sent()
            return begun
        number = course.next("sent")
        if course.replay.comes_first(number):
            # Now, although the call is not live yet: what the code does next may need it, and not only the name of it.
            with contextlib.suppress(NameTaken):  # it is on record, and that it was begun is not
                begun = begin()
                course.replay.has_begun(self._call, number)
                return begun
        course.replay.withhold(number, WithheldBeginning(begin, was_begun))
        return again()

    def looks_at(self, name: str, leg: Leg | None) -> Leg | None:
        """Return what the call's code sees of another call: what it saw then, while its past is run again.

        Args:
            name: of the other call, the same whenever the code is run again.
            leg: what is known of it now; None: nothing any more.
        """
        course = self._call.leg.course
        if not course.is_recorded:
            return leg
        number = course.next("looks")
        seen = None if course.replay is None else course.replay.seen(name, number)
        if seen is not None:
            return leg_of(seen)
        if leg is None:
            return leg_of(course.over[name]) if name in course.over else None
        if course.replay is None:
            self._note_look(name, leg, number)
        return leg

    def _note_look(self, name: str, leg: Leg, number: int) -> None:
        course, now = self.course, seen_of(leg)
        if course.is_recorded and course.seen.get(name) != now:
            course.seen = {**course.seen, name: now}
            self._call.keep_note("looked", {"name": name, "number": number, "seen": now})

    def calls_back(self, callback: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Have a callback of the call's code called once, although it is brought again when that is run again."""
        if isinstance(callback, Noting | Unwrapped) or not self.course.is_recorded:  # it is the framework's, or a flow
            return callback
        return OwnCallback(self._call.runs_as, callback)

    def keep_sent(self) -> None:
        """Have the journal know that the call's code has sent or begun something."""
        self._call.keep_note("sent", {"number": self._call.leg.course.next("sent")})

    def _withholds(self, sent: Withheld | WithheldOrder) -> bool:
        course = self._call.leg.course
        if course.replay is None:
            self.keep_sent()
            if isinstance(sent, Withheld):
                course.has_asked(course.counts["sent"], sent)
            return False
        course.replay.withhold(course.next("sent"), sent)
        return True


class Silenced(Outwards):
    """In place of the above while code is closed that is run again: what it still sends or begins is not done.

    Args:
        call: as above.
    """

    def awaits(self, future: Future[Any]) -> int | None:
        """It may not wait any more."""
        return None

    def withholds(self, receiver: Any, message: object, reply: Any) -> bool:
        """Send nothing of it."""
        if receiver in self._ours or getattr(reply, "is_waited_for", False):
            return False
        if reply is not None:
            reply.try_fail(self.refusal())
        return True

    def withholds_order(self, ref: Any, order: Any) -> bool:
        """Ask nothing of another call."""
        order.refuse(self.refusal())
        return True

    def next_name(self) -> str | None:
        """Count nothing of it."""
        return None

    def begins(
        self, begin: Callable[[], T], again: Callable[[], T], was_begun: Callable[[], object] | None = None
    ) -> T:
        """Begin nothing; give a handle of something that is not there."""
        return again()

    def looks_at(self, name: str, leg: Leg | None) -> Leg | None:
        """Let it look."""
        return leg

    def calls_back(self, callback: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Call nothing of it when something is over."""
        return callback if isinstance(callback, Noting | Unwrapped) else _nothing

    def finds_nothing(self, drop: Callable[[], object] | None) -> Wait[Any]:
        """Find nothing out elsewhere; ``drop`` is called in place of what begins it, if given."""
        wait: Wait[Any] = Wait()
        wait.try_fail(self.refusal())
        if drop is not None:
            drop()
        return wait

    @staticmethod
    def refusal() -> NotSentError:
        """Return what it is told that asks for something."""
        return NotSentError("nothing is sent: the code goes on where it was, in a new incarnation")


def _nothing(_settled: object) -> None:
    """Do nothing."""
