"""Asking a SIP phone to call elsewhere. Layer: simulator. Source: PROTOCOL 12; RFC 3515 and RFC 3261 for the codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from relay_actors.protocol.readers import read_object, read_text
from relay_actors.simulator.calls import Call, Params
from relay_actors.simulator.dialling import Device, Hunt
from relay_actors.simulator.exchange import Exchange
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.replies import Reply, refused

__all__ = ["Refer", "Talk"]

ACCEPTED: Final = "202"
NOT_SIP: Final = "501"
_OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    "busy": ("busy", "486"),
    "noAnswer": ("noAnswer", "480"),
    "decline": ("error", "603"),
    "not_found": ("error", "404"),
}
"""Why the other phone was not reached, and what the event says: its state and the code of the last NOTIFY."""


class Talk:
    """Two legs that nobody owns, and that talk to each other until one of them ends (`calls.Joint`)."""

    def __init__(self, one: Call, other: Call) -> None:
        self._legs = (one, other)
        one.joint = other.joint = self

    def is_joined(self) -> bool:
        """Whether both can hear each other now."""
        return self._legs[0].joint is self

    def other(self, leg: Call) -> Call:
        """Return the leg at the other end."""
        return self._legs[1] if leg is self._legs[0] else self._legs[0]

    def part(self) -> None:
        """Separate the legs."""
        for leg in self._legs:
            leg.joint = None

    def leg_is_ending(self, leg: Call) -> None:
        """Wait for the end itself."""

    def leg_ended(self, leg: Call) -> None:
        """End the other one too."""
        self.part()
        self.other(leg).end("hangup")


class Refer(Operation):
    """``calling.refer``: in progress while the phone calls elsewhere, then how that came out; it has no control id.

    The phone at the address decides, as if it were dialled. When it answers, the person talks to it from then on, and
    the old leg is hung up; otherwise the person is still here.
    """

    event_type = "calling.call.refer"
    started_message = "Starting SIP REFER"
    is_named_on_the_wire = False

    def __init__(self, call: Call, control_id: str, params: Params, *, exchange: Exchange, manners: Manners) -> None:
        super().__init__(call, control_id, params)
        self._exchange = exchange
        self._manners = manners
        device = read_object(params.get("device")) or {}
        self._to = read_text((read_object(device.get("params")) or {}).get("to")) or ""
        self._hunt: Hunt | None = None

    def begin(self) -> Reply:
        """Start, unless it is not said where to, or another refer is under way."""
        if not self._to:
            return refused("400", "device.params.to is missing")
        if any(isinstance(running, Refer) for running in self.call.running.values()):
            return refused("409", "A refer is under way on this call")
        return super().begin()

    def start(self) -> dict[str, object]:
        """Ask the phone to call elsewhere."""
        if self.call.device.get("type") != "sip":
            self._end("error", NOT_SIP)
            return {}
        self._tell("inProgress", sip_refer_response_code=ACCEPTED)
        device: Device = {"type": "sip", "params": {"from": self._person, "to": self._to}}
        self._hunt = Hunt(
            self.call.world,
            self._exchange,
            [[device]],
            ring_s=self._manners.ring_s,
            make_leg=self._make_leg,
            on_group=_nothing,
            on_answered=self._answered,
            on_failed=self._failed,
        )
        self._hunt.start()
        return {}

    def stop(self) -> None:
        """Report ``cancel``: the call ended under it."""
        if self._hunt is not None:
            self._hunt.cancel()
        self._end("cancel", ACCEPTED)

    @property
    def _person(self) -> str:
        """The address of the person on the leg, who is asked to call."""
        return self.call.number("from_number" if self.call.direction == "inbound" else "to_number")

    def _make_leg(self, device: Device) -> Call:
        return self._exchange.new_call(
            session=None,
            direction="outbound",
            device=device,
            created_by="connect",
            segment_id=self.call.segment_id,
        )

    def _answered(self, leg: Call, cancel_others: Callable[[], None]) -> None:
        leg.answer()
        self._end("success", ACCEPTED, sip_notify_response_code="200")
        onward = self._exchange.new_call(
            session=None,
            direction="inbound",
            device=leg.device,
            created_by="receive",
            segment_id=self.call.segment_id,
        )
        ear, self.call.ear = self.call.ear, None
        onward.ear = ear
        onward.answer()
        Talk(onward, leg)
        if ear is not None:
            ear.on_handed_on(self._to, onward)
        self.call.end("hangup")

    def _failed(self, reason: str) -> None:
        state, code = _OUTCOMES.get(reason, ("error", "500"))
        self._end(state, ACCEPTED, sip_notify_response_code=code)

    def _end(self, state: str, response_code: str, **fields: object) -> None:
        if self.close():
            self._tell(state, sip_refer_response_code=response_code, **fields)

    def _tell(self, state: str, **fields: object) -> None:
        self.report(state=state, sip_refer_to=self._to, **fields)


def _nothing() -> None:
    """Do nothing."""
