"""A call as others hold it: every verb, from any thread. Layer: hall."""

from __future__ import annotations

from typing import Any

from relay_actors.actors.call_ref import CallRef
from relay_actors.actors.leg import Leg
from relay_actors.actors.orders import Order
from relay_actors.actors.verbs import AllVerbs
from relay_actors.protocol.base import JsonObject
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
        leg = self.leg
        return f"<CallHandle id={leg.call_id!r} state={leg.state!r} direction={leg.direction!r}>"

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

    @property
    def call_id(self) -> str:
        """The leg's id; "" until an outbound call is answered."""
        return self.leg.call_id

    @property
    def tag(self) -> str:
        """The tag of the dial, or ""."""
        return self.leg.tag

    @property
    def state(self) -> str:
        """The last known state; "" while dialling."""
        return self.leg.state

    @property
    def end_reason(self) -> str:
        """Why the call ended, or ""."""
        return self.leg.end_reason

    @property
    def direction(self) -> str:
        """``inbound`` or ``outbound``."""
        return self.leg.direction

    @property
    def device(self) -> JsonObject:
        """``{type, params}`` of the other party."""
        return self.leg.device

    @property
    def data(self) -> dict[str, Any]:
        """The application's own data of the call. It belongs to the actor: read it here, change it there."""
        return self.leg.data

    def _new_id(self) -> str:
        return self.ref.kept.office.system.new_id()

    def _post(self, order: Order) -> None:
        self.ref.post(order)
