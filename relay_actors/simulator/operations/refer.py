"""Asking a SIP phone to call elsewhere. Layer: simulator. Source: PROTOCOL 12."""

from __future__ import annotations

from relay_actors.protocol.readers import read_object, read_text
from relay_actors.simulator.operations.base import Operation

__all__ = ["Refer"]


class Refer(Operation):
    """``calling.refer``: inProgress, then success; for a leg that is not SIP: error. No control id on the wire."""

    event_type = "calling.call.refer"
    started_message = "Starting SIP REFER"
    is_named_on_the_wire = False

    def start(self) -> dict[str, object]:
        """Ask the phone to call elsewhere."""
        device = read_object(self.params.get("device")) or {}
        self._to = read_text((read_object(device.get("params")) or {}).get("to")) or ""
        if self.call.device.get("type") != "sip":
            self.finish(state="error", sip_refer_to=self._to, sip_refer_response_code="501")
            return {}
        self.report(state="inProgress", sip_refer_to=self._to, sip_refer_response_code="202")
        self.after(1.0, self._succeed)
        return {}

    def stop(self) -> None:
        """Report ``cancel``: the call ended under it."""
        self.finish(state="cancel", sip_refer_to=self._to, sip_refer_response_code="202")

    def _succeed(self) -> None:
        codes = {"sip_refer_response_code": "202", "sip_notify_response_code": "200"}
        self.finish(state="success", sip_refer_to=self._to, **codes)
