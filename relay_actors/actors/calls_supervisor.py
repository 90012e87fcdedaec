"""The supervisor of all calls: whatever becomes of a call's actor, the call is not left up. Layer: hall."""

from __future__ import annotations

import logging
from typing import Any

from relay_actors.actors.leg_actor import CallRef
from relay_actors.actors.outgoing import Outgoing
from relay_actors.errors import CallEnded, RelayActorsError
from relay_actors.protocol.base import JsonObject
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.supervisor import DynamicSupervisor

__all__ = ["CallsSupervisor"]

_log = logging.getLogger("relay_actors.calls")


class CallsSupervisor(DynamicSupervisor):
    """Hangs up what an actor has left up when it ended, and ends what still waits for it (SEMANTICS X2, X7, L7).

    An actor that was killed, or whose successor failed too, could not do this itself.
    """

    def on_child_ended(self, ref: Any, reason: ExitReason) -> None:
        """Clean up after a call's actor."""
        if not isinstance(ref, CallRef):
            return
        leg, office = ref.kept.leg, ref.kept.office
        legs = [leg.ids] if leg.needs_hang_up else []
        if leg.dialling is not None and not leg.dialling.is_over:
            legs += leg.dialling.give_up()
        for ids in legs:
            self.system.hooks.count("calls.abandoned")
            _log.error("actor ended before its call, hanging up call_id=%s reason=%s", ids["call_id"], reason)
            params: JsonObject = {**ids, "reason": "error"}
            office.send(Outgoing("calling.end", params, _log_failure, str(ids["call_id"])))
        for timer in (leg.end_watch, *leg.end_timers):
            if timer is not None:
                timer.cancel()
        gone = CallEnded(leg.call_id or leg.tag, leg.end_reason or str(reason))
        leg.fail_waits(gone)
        for action in list(leg.actions.values()):
            action.refuse(gone)
        leg.actions.clear()


def _log_failure(_result: JsonObject | None, error: RelayActorsError | None) -> None:
    if error is not None:
        _log.warning("a call that was left up could not be hung up: %s", error)
