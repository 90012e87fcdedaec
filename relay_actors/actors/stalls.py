"""A command that the server does not answer for long, and what its call does about it. Layer: hall.

Source: SEMANTICS X15. It is one call's problem: the connection is not touched, and no other call notices.
"""

from __future__ import annotations

import logging
from typing import ClassVar, TypeAlias

from relay_actors.actors.give_up import HangUp, TransferTo
from relay_actors.actors.leg_life import count, say
from relay_actors.actors.notices import CallStalled
from relay_actors.actors.reconcile import Reconciling, Sent
from relay_actors.actors.under_way import UnderWay
from relay_actors.protocol.commands import Hangup, Transfer

__all__ = ["OnStall", "Stalling"]

OnStall: TypeAlias = HangUp | TransferTo | None
"""What becomes of a call one of whose commands has stalled; None: it is told, and goes on waiting."""


class Stalling(Reconciling):
    """Watches how long the commands of a call take."""

    on_stall: ClassVar[OnStall] = None

    def note_sent(self, order: Sent) -> None:
        """Note that a command is on its way, and see that it does not take too long."""
        leg = self.leg
        if not leg.under_way:  # as nearly always
            leg.under_way = {order: UnderWay(self.office.clock.now())}
        else:
            self._noted(order)
        if leg.stall_watch is None:
            # One timer for all, which is not taken back when the answer comes: nearly every answer comes soon.
            self._watch()

    def go_on_watching(self) -> None:
        """What is outstanding counts from now: there was no connection."""
        leg, now = self.leg, self.office.clock.now()
        for known in leg.under_way.values():
            known.since = now
        if leg.under_way and leg.stall_watch is None:
            self._watch()

    def on_stall_watch(self) -> None:
        """Look who has waited too long, and when the next one will have."""
        leg, now, after_s = self.leg, self.office.clock.now(), self.office.timing.stall_after_s
        leg.end_stall_watch()
        if not leg.is_ours or not leg.under_way:
            return
        if self.office.is_cut_off:
            self.go_on_watching()  # what waits for a connection is not slow
            return
        waiting = [(order, known) for order, known in leg.under_way.items() if not known.is_stalled]
        overdue = [(order, known) for order, known in waiting if known.since + after_s <= now]
        due_in_s = min(
            (known.since + after_s - now for _order, known in waiting if known.since + after_s > now), default=0
        )
        if due_in_s > 0:
            self._watch_for(due_in_s)
        for order, known in overdue:
            for_s = now - known.since
            self.keep_note("stalled", {"number": known.number, "for_s": for_s})
            self.tell_stalled(order, for_s)
        self.hand_out()

    def tell_stalled(self, order: Sent, for_s: float) -> None:
        """Tell the call that a command takes long, and do what its class says."""
        self.leg.under_way[order].is_stalled = True
        self._on_stalled(order, for_s)

    def _on_stalled(self, order: Sent, for_s: float) -> None:
        leg, command = self.leg, order.command
        say(self, logging.WARNING, "stalled call_id=%s method=%s for_s=%.3g", leg.name, command.method, for_s)
        count(self, "calls.stalled")
        leg.backlog.append(CallStalled(command, for_s))
        if isinstance(command, Hangup) or leg.is_being_hung_up:
            return
        if leg.left_because and leg.hand_on is not None:  # somebody is asked to take it; if not, it is hung up
            return
        match self.on_stall:
            case HangUp(reason=reason):
                self.leave(reason)
            case TransferTo(dest=dest) if not isinstance(command, Transfer):
                self.transfer(dest)
                self.leave("error")  # as soon as that is refused
            case TransferTo():
                self.leave("error")
            case None:
                pass

    def _watch(self) -> None:
        leg, stalls = self.leg, self.office.stalls
        if leg.course.replay is None:
            leg.stall_watch = stalls.add(self._cell)
        else:  # what happens has happened before
            self._watch_for(stalls.after_s)

    def _watch_for(self, delay_s: float) -> None:
        self.leg.stall_watch = self.call_in("stall", delay_s, _look)


def _look(actor: Stalling) -> None:
    actor.on_stall_watch()
