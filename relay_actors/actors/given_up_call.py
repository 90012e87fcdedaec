"""`GivenUpCall`: who takes over a call whose code has failed for good. Layer: hall. Source: SEMANTICS X7."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Self

from relay_actors.actors.actions import (
    Action,
    AIAction,
    CollectAction,
    PayAction,
    PlayAction,
    StandaloneCollectAction,
)
from relay_actors.actors.call_ref import Kept
from relay_actors.actors.give_up import (
    BEFORE_ANSWER,
    Apologise,
    GiveUp,
    HandTo,
    HangUp,
    LeaveUp,
    TransferTo,
    phase_of,
)
from relay_actors.actors.leg_life import count, say
from relay_actors.actors.notices import ActionCompleted, CommandFailed
from relay_actors.actors.outbound_leg import OutboundLegActor
from relay_actors.protocol.commands import Answer
from relay_actors.protocol.events import CallStateEvent, ConnectEvent
from relay_actors.protocol.states import CallState
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.restart_policy import Restart

if TYPE_CHECKING:
    from relay_actors.actors.office import Office

__all__ = ["GivenUpCall"]

_log = logging.getLogger("relay_actors.calls")

_HEARD: Final = (AIAction, CollectAction, PayAction, PlayAction, StandaloneCollectAction)
"""Operations that talk to the caller, and would talk into an apology."""

_TOO_LONG: Final = object()
_PARTED: Final = object()


class GivenUpCall(OutboundLegActor):
    """Takes over a call whose actor has crashed too often, and does what the class says in ``on_give_up``.

    Whatever that is, and whatever becomes of it, the call is hung up once, handed on, or stays bridged until that ends
    by itself: it is never left in silence.
    """

    _said: Action | None = None
    _policy: GiveUp | None = None

    @classmethod
    def child_spec(cls, office: Office) -> ChildSpec:
        """How its supervisor treats a call that a new process gives up: when this fails, too, it is hung up."""
        return ChildSpec(restart=Restart.TEMPORARY, keep_children=True, shutdown_s=office.timing.stop_timeout_s)

    @classmethod
    def construct(cls, cell: Any) -> Self:
        """Make the object that takes over: this, or one of the class that the call is handed to. For the cell."""
        kept: Kept = cell.keep
        policy = _policy_of(kept)
        if not isinstance(policy, HandTo) or kept.leg.course.replay is not None:
            return super().construct(cell)
        kept.was_handed = True
        then = f"HandTo({policy.actor_class.__name__})"
        _log.error("call given up call_id=%s phase=%s then=%s", kept.leg.name, phase_of(kept.leg), then)
        cell.actor_class = policy.actor_class
        cell.hears_of_batches = policy.actor_class.hears_of_batches  # unlike this class it tells the journal of them
        taken_over: Self = policy.actor_class.construct(cell)
        return taken_over

    def begin_work(self) -> None:
        """Do what is to become of the call."""
        leg = self.leg
        self._policy = policy = _policy_of(self._cell.keep)
        count(self, "calls.abandoned")
        then = type(policy).__name__
        say(self, logging.ERROR, "call given up call_id=%s phase=%s then=%s", leg.name, phase_of(leg), then)
        if leg.is_ended or leg.is_being_hung_up or leg.hand_on is not None:
            self.leave("error")
            return
        match policy:
            case Apologise():
                self._apologise(policy)
            case TransferTo(dest=dest):
                self.transfer(dest)
                self.leave("error")  # as soon as that is refused
            case LeaveUp():
                say(self, logging.INFO, "left up while it is bridged call_id=%s", leg.name)
            case HangUp(reason=reason):
                self.leave(reason)

    def hand_to_user(self, message: object) -> None:
        """Go on with what was begun; all else is nobody's business any more."""
        match message:
            case ActionCompleted(action=action) if action is self._said:
                self.leave("error")
            case CommandFailed(command=command) if self._said is not None and command is self._said.command:
                self.leave("error")
            case CommandFailed(command=Answer()):
                self.leave("error")
            case CallStateEvent(call_state=CallState.ANSWERED) if isinstance(self._policy, Apologise):
                self._say(self._policy)
            case ConnectEvent() if isinstance(self._policy, LeaveUp) and not self.leg.is_bridged:
                # Not at once: most often it parts because the caller has gone, whose own end is the next thing told.
                self.start_timer(_PARTED, _PARTED, self.office.timing.linger_s)

    def on_receive(self, message: object) -> Any:
        """Hang up when it is time. What others still tell it is not handled."""
        if message is _TOO_LONG:
            self.leave("error")
        elif message is _PARTED:
            if not self.leg.is_bridged:
                self.leave("hangup")
        else:
            _log.debug("not handled, the call was given up call_id=%s: %s", self.leg.name, type(message).__name__)

    def _apologise(self, policy: Apologise) -> None:
        leg = self.leg
        if leg.direction == "outbound" and phase_of(leg) == BEFORE_ANSWER:
            self.leave("error")
            return
        self.start_timer(_TOO_LONG, _TOO_LONG, policy.within_s)
        if phase_of(leg) == BEFORE_ANSWER:
            self.answer()
        else:
            self._say(policy)

    def _say(self, policy: Apologise) -> None:
        if self._said is not None:
            return
        for action in list(self.leg.actions.values()):
            if isinstance(action, _HEARD):
                action.stop()
        self._said = self.play_tts(policy.text, language=policy.language, gender=policy.gender, voice=policy.voice)


def _policy_of(kept: Kept) -> GiveUp:
    policy = kept.on_give_up[phase_of(kept.leg)]
    # Handed on once: two classes that fail must not hand a call to and fro for ever.
    return HangUp() if isinstance(policy, HandTo) and kept.was_handed else policy
