"""A call as others hold it: every verb, from any thread. Layer: hall."""

from __future__ import annotations

from relay_actors.actors.call_ref import CallRef
from relay_actors.actors.leg import Leg
from relay_actors.actors.orders import Order
from relay_actors.actors.verbs import AllVerbs
from relay_actors.runtime.base import Dispatcher, Runnable

__all__ = ["CallHandle"]


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
        """What is known of the call."""
        return self.ref.kept.leg

    @property
    def runs_on(self) -> Dispatcher:
        """Who runs the call's actor."""
        return self.ref.kept.office.dispatcher

    @property
    def runs_as(self) -> Runnable:
        """The cell of the call's actor."""
        return self.ref.runs_as

    def _new_id(self) -> str:
        return self.ref.kept.office.system.new_id()

    def _post(self, order: Order) -> None:
        self.ref.post(order)
