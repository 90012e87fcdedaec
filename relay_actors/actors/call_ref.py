"""How a call's actor is reached from outside, and what of it outlives its crashes. Layer: hall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relay_actors.actors.give_up import DEFAULTS, GiveUp
from relay_actors.actors.in_turn import InTurn, tell_in_turn
from relay_actors.actors.leg import Leg
from relay_actors.actors.orders import Order
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.base import Runnable
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import Envelope

if TYPE_CHECKING:
    from relay_actors.actors.office import Office

__all__ = ["CallRef", "Kept"]


class Kept:
    """What a call's actor keeps over its restarts: its leg, and where everything else is.

    Attributes:
        leg: what is known of the call.
        office: where everything else is.
        on_give_up: what becomes of the call when its class has failed for good, by phase.
        since: when its actor was made, on the monotonic clock.
        was_handed: whether another class has taken it over once for that reason.
    """

    __slots__ = ("leg", "office", "on_give_up", "since", "was_handed")

    def __init__(self, leg: Leg, office: Office) -> None:
        self.leg = leg
        self.office = office
        self.on_give_up: Mapping[str, GiveUp] = DEFAULTS
        self.since = office.clock.now()
        self.was_handed = False


class CallRef(ActorRef[Any]):
    """A reference to a call's actor, by which verbs reach it from outside."""

    @property
    def kept(self) -> Kept:
        """What the actor keeps."""
        kept: Kept = self._cell.keep
        return kept

    @property
    def runs_as(self) -> Runnable:
        """The actor's cell."""
        return self._cell

    @property
    def is_flow_running(self) -> bool:
        """Whether a flow of the call runs, be it that the call has ended. Any thread."""
        flow = self._cell.flow
        return flow is not None and not flow.is_over

    @property
    def is_done_with_tag(self) -> bool:
        """Whether another dial may have the tag of this one (PROTOCOL 9.3.8); in a journal it is the call's name."""
        leg = self.kept.leg
        return leg.dialling is not None and leg.dialling.is_over_there and not leg.course.is_kept

    @property
    def is_giving_up(self) -> bool:
        """Whether its dial is over here, but has its tag for a moment yet, until the server has said the same."""
        leg = self.kept.leg
        dialling = leg.dialling
        return dialling is not None and dialling.error is not None and not (self.is_done_with_tag or leg.course.is_kept)

    @property
    def rings_on(self) -> bool:
        """Whether its dial was given up here, and the server, which was asked for it, has not said that it is over."""
        dialling = self.kept.leg.dialling
        return dialling is not None and self.kept.leg.begun and dialling.is_given_up and not dialling.is_over_there

    def post(self, order: Order) -> None:
        """Have the actor do something, ahead of what others tell it. Any thread.

        Whenever the actor ends, before this, meanwhile or after, the order is settled: nobody waits for ever.
        """
        outward = getattr(here.turn, "outward", None)
        if outward is not None and here.turn is not self._cell and outward.withholds_order(self, order):
            return
        cell = self._cell
        lost: Future[None] = Future(cell.dispatcher)
        lost.add_done_callback(lambda _lost: self._too_late(order))
        turn = InTurn(cell, lambda actor: self._take(actor, order))
        if cell.mailbox.put_control(Envelope(turn, lost)):  # an envelope that is not handled fails its reply
            cell.wake()
        else:
            self._too_late(order)

    def take_back(self, asked: Future[Any]) -> None:
        """Have a command not sent, if it has not left yet; it then fails. Any thread.

        Args:
            asked: its reply, or the handle of what it begins.
        """
        tell_in_turn(self._cell, lambda actor: actor.take_back(asked))

    def _take(self, actor: Any, order: Order) -> None:
        if actor.leg.course.replay is None:
            actor.take_others_order(order)
        else:  # what it can do is what it can do now, and not where its past has come to
            self.post(order)

    def _too_late(self, order: Order) -> None:
        order.too_late(self.kept.leg)
        self.kept.office.desk.drive_callback(order)
