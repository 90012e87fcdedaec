"""The supervisor of all calls: whatever becomes of a call's actor, the call is not left up. Layer: hall."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from relay_actors.actors.call_ref import CallRef
from relay_actors.actors.dialling import counted_as
from relay_actors.actors.holding import Release
from relay_actors.actors.outgoing import last_word
from relay_actors.runtime.base import Hooks
from relay_actors.runtime.reasons import ChildFailed, ExitReason
from relay_actors.runtime.supervisor import DynamicSupervisor

__all__ = ["CallsSupervisor", "clean_up"]

_log = logging.getLogger("relay_actors.calls")


class CallsSupervisor(DynamicSupervisor):
    """Hangs up what an actor has left up when it ended, and ends what still waits for it (SEMANTICS X2, X7, L7).

    An actor that was killed, or whose successor failed too, could not do this itself.
    """

    throughput: ClassVar[int] = 64
    """It takes up calls by the dozen, and a turn for each few of them would be a commit of the journal for each few."""

    def on_receive(self, message: object) -> Any:
        """Take the report of a call's actor that was given up; it is in the log already, without anybody's number."""
        if not isinstance(message, ChildFailed):
            super().on_receive(message)

    def on_child_ended(self, ref: Any, reason: ExitReason) -> None:
        """Clean up after a call's actor."""
        if isinstance(ref, CallRef):
            clean_up(ref, reason, self.system.hooks)


def clean_up(ref: CallRef, reason: object, hooks: Hooks) -> None:
    """Hang up what a call's actor has left up, and end what still waits for it. Any thread.

    Args:
        ref: of an actor that has ended.
        reason: why, for the log.
        hooks: who counts.
    """
    leg, office = ref.kept.leg, ref.kept.office
    if office.left is not None:
        office.close(leg)
        return
    legs = [leg.ids] if leg.needs_hang_up else []
    dialling = leg.dialling
    if dialling is not None:
        if not dialling.is_over:
            legs += dialling.give_up()
            hooks.count(counted_as("abandoned"))
            office.tell_connection(Release(leg.subject, is_over=True))  # it may wait for a connection to be sent
        # From now on nobody is there to see a leg that comes late.
        office.tell_connection(dialling.to_over())
    for ids in legs:
        hooks.count("calls.abandoned")
        _log.error("actor ended before its call, hanging up call_id=%s reason=%s", ids["call_id"], reason)
        office.send(last_word(ids, "error"))
    leg.close()
