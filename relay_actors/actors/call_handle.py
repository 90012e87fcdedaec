"""A call as others hold it: every verb, from any thread. Layer: hall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay_actors.actors.call_ref import CallRef
from relay_actors.actors.course import Course
from relay_actors.actors.kept_watches import ended_call
from relay_actors.actors.leg import Leg
from relay_actors.actors.looks import leg_of
from relay_actors.actors.orders import Order
from relay_actors.actors.verbs import AllVerbs
from relay_actors.protocol.states import CallState
from relay_actors.runtime.base import Dispatcher, Runnable
from relay_actors.runtime.context import here

if TYPE_CHECKING:
    from relay_actors.actors.office import Office

__all__ = ["CallHandle", "HandleByTag"]


class CallHandle(AllVerbs):
    """A running call, from outside of its actor. What verbs give back can be waited for with ``.get(timeout=…)``.

    Args:
        ref: the call's actor.
    """

    def __init__(self, ref: CallRef) -> None:
        self.ref = ref

    def __repr__(self) -> str:
        return f"<CallHandle id={self.call_id!r} state={self.state!r} direction={self.direction!r}>"

    @property
    def leg(self) -> Leg:
        """What is known of the call; to a flow that is run again, what was known then."""
        leg = self.ref.kept.leg
        outward = getattr(here.turn, "outward", None)
        if outward is None or here.turn is self.runs_as:
            return leg
        seen: Leg = outward.looks_at(leg.tag or leg.call_id, leg)
        return seen

    @property
    def runs_on(self) -> Dispatcher:
        """Who runs the call's actor."""
        return self.ref.kept.office.dispatcher

    @property
    def runs_as(self) -> Runnable:
        """The cell of the call's actor."""
        return self.ref.runs_as

    def _new_id(self) -> str:
        return _id_of_code(self.runs_as) or self.ref.kept.office.system.new_id()

    def _post(self, order: Order) -> None:
        self.ref.post(order)


class HandleByTag(CallHandle):
    """A call that has been dialled, found by its tag whenever something is asked of it.

    A flow is given it that is run again after the end of the process: the call is there again, or will be in a moment,
    or is over. Then `ref` is one of an actor that has ended, and what needs the call itself raises `CallEnded`.

    Args:
        office: where calls are found.
        tag: of the dial.
        course: of the call whose code has dialled it.
    """

    def __init__(self, office: Office, tag: str, course: Course) -> None:
        self._office = office
        self._tag = tag
        self._course = course
        self._ended: CallRef | None = None

    def __repr__(self) -> str:
        return f"<CallHandle tag={self._tag!r}>"

    @property
    def ref(self) -> CallRef:  # type: ignore[override]  # found each time
        """The call's actor."""
        found = self._found()
        if found is None:
            if self._ended is None:
                self._ended = ended_call(self._office, self._tag)
            return self._ended
        return found

    @property
    def leg(self) -> Leg:
        """What is known of the call; to a flow that is run again, what was known then."""
        found = self._found()
        leg = None if found is None else found.kept.leg
        outward = getattr(here.turn, "outward", None)
        if outward is not None:
            leg = outward.looks_at(self._tag, leg)
        return leg or self._former_leg()

    @property
    def tag(self) -> str:
        """The tag of the dial."""
        return self._tag

    @property
    def runs_on(self) -> Dispatcher:
        """Who runs the call's actor."""
        return self._office.dispatcher

    @property
    def runs_as(self) -> Runnable:
        """The cell of the call's actor; the connection's when it is not there."""
        return (self._found() or self._office.connection)._cell  # noqa: SLF001  # whose turns

    def _new_id(self) -> str:
        return _id_of_code(self.runs_as) or self._office.system.new_id()

    def _post(self, order: Order) -> None:
        outward = getattr(here.turn, "outward", None)
        if outward is None or not outward.withholds_order(self, order):
            self.post(order)

    def post(self, order: Order) -> None:
        """Have the call's actor do something; if the call is over, that is what it is told."""
        found = self._found()
        if found is not None:
            found.post(order)
            return
        order.too_late(self._former_leg())
        self._office.desk.drive_callback(order)

    def _former_leg(self) -> Leg:
        """Return what was known of the call when it was over."""
        over = self._course.over.get(self._tag)
        if over is not None:
            return leg_of(over)
        leg = Leg(direction="outbound")
        leg.tag, leg.state = self._tag, CallState.ENDED
        return leg

    def _found(self) -> CallRef | None:
        """Return the call's actor, if it is there now."""
        found = self._office.find(("tag", self._tag))
        return found if isinstance(found, CallRef) else None


def _id_of_code(asked: Runnable) -> str | None:
    """Return an id for what the code of a call asks of another: the same one whenever it is run again.

    Args:
        asked: the cell of the other one. A call that asks itself withholds nothing, and counts nothing.
    """
    outward = getattr(here.turn, "outward", None)
    return None if outward is None or here.turn is asked else outward.next_name()
