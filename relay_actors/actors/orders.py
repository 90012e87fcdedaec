"""What a call's actor is asked to do by its own verbs, from within its turn or from outside. Layer: hall.

Each order is settled exactly once: it is done, or refused, or found to be too late. None is changed once it is made;
those that every command needs are not frozen, because that takes three times as long to make.
"""

from __future__ import annotations

from collections.abc import Callable

from relay_actors.actors.actions import Action
from relay_actors.actors.leg import Leg, Listener, StateWait
from relay_actors.actors.waits import Reply, follow
from relay_actors.errors import ConnectionLostError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.commands import ActionCommand, Hangup, RelayCommand, SubCommand
from relay_actors.protocol.events import RelayEvent
from relay_actors.protocol.states import ActionState
from relay_actors.runtime.future import Future

__all__ = ["Again", "Begin", "Control", "Follow", "HangUpAfter", "LetGo", "Listen", "Order", "Perform", "WaitFor"]


@dataclass(slots=True, eq=False)
class Perform:
    """Send a command.

    Attributes:
        name: what the code of another call has it known by, which asks it of this one, whenever that is run again.
    """

    command: RelayCommand
    reply: Reply
    name: str = ""

    @property
    def is_wanted(self) -> bool:
        """Whether somebody asks what becomes of it."""
        return self.reply.is_wanted

    def refuse(self, error: BaseException) -> bool:
        """It cannot be done; return whether that was news."""
        return self.reply.try_fail(error)

    def too_late(self, leg: Leg) -> None:
        """The call is over: that is what a hang-up wants, and what all others fail with (SEMANTICS X4)."""
        if isinstance(self.command, Hangup):
            self.reply.try_set({})
        else:
            self.refuse(leg.ended_error())


@dataclass(slots=True, eq=False)
class Begin:
    """Start an operation."""

    action: Action

    @property
    def name(self) -> str:
        """By which it is known."""
        return self.action.control_id

    @property
    def command(self) -> ActionCommand:
        """What is to be sent."""
        return self.action.command

    @property
    def is_wanted(self) -> bool:
        """Whether somebody asks what becomes of it."""
        return self.action.is_wanted

    def refuse(self, error: BaseException) -> bool:
        """It cannot be done; return whether that was news."""
        return self.action.refuse(error)

    def too_late(self, leg: Leg) -> None:
        """The call is over: nothing is sent, and the operation counts as completed (PROTOCOL 10.4)."""
        self.action.complete(ActionState.CALL_ENDED, RelayEvent("", {}))
        self.action.call_back()
        self.action.release()


@dataclass(slots=True, eq=False)
class Follow(Begin):
    """Follow an operation that somebody else has started: nothing is sent."""


@dataclass(slots=True, eq=False)
class Control:
    """Send a command on a running operation. See `Perform`.

    Attributes:
        is_others: whether it is not the call's own code that wants it, which asks again when it is run again.
    """

    action: Action
    command: SubCommand
    reply: Reply
    name: str = ""
    is_others: bool = False

    @property
    def is_wanted(self) -> bool:
        """Whether somebody asks what becomes of it."""
        return self.reply.is_wanted

    def refuse(self, error: BaseException) -> bool:
        """It cannot be done; return whether that was news."""
        return self.reply.try_fail(error)

    def too_late(self, leg: Leg) -> None:
        """The call is over, and with it the operation: there is nothing to do (SEMANTICS X5)."""
        self.reply.try_set({})


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """Another call had asked for something, and its code is run again: follow what became of it.

    Attributes:
        order: what it asks for now.
        may_be_lost: whether the process has ended since. Then what is not on record was never done, and is done now.
    """

    order: Perform | Begin | Control
    may_be_lost: bool

    def follow(self, known: Perform | Begin | Control, call_back: Callable[[Action], None] | None = None) -> None:
        """Be over when the order is of then."""
        match self.order, known:
            case Begin(action=action), Begin(action=first):
                action.follow(first, call_back)
            case Perform(reply=reply) | Control(reply=reply), Perform(reply=first) | Control(reply=first):
                follow(reply, first)
            case _:
                self.refuse(ConnectionLostError("what became of it is not known: something else had its name"))

    def refuse(self, error: BaseException) -> bool:
        """It cannot be done; return whether that was news."""
        return self.order.refuse(error)

    def too_late(self, leg: Leg) -> None:
        """The call is over; what became of it before that may be known."""
        known = None if leg.course.others is None else leg.course.others.get(self.order.name)
        if known is None:
            self.order.too_late(leg)
        else:
            self.follow(known)


@dataclass(frozen=True, slots=True, eq=False)
class HangUpAfter:
    """Know that the call will be hung up when something is over. Whoever gives this has the hang-up given then.

    Attributes:
        hang_up: what is given then.
        action: after which operation; None: after something else, which the next process does not know.
    """

    hang_up: Perform
    action: Action | None

    @property
    def command(self) -> RelayCommand:
        """What is to be sent."""
        return self.hang_up.command

    def refuse(self, error: BaseException) -> bool:
        """It cannot be done; return whether that was news."""
        return self.hang_up.refuse(error)

    def too_late(self, leg: Leg) -> None:
        """The call is over, and that is what was wanted."""
        self.hang_up.too_late(leg)


@dataclass(frozen=True, slots=True, eq=False)
class WaitFor:
    """Wait for an event of a type, or for a state (which may have been reached already).

    Attributes:
        waiting: who waits.
        state: which one has to be reached, or "".
        event_type: of the event, or "".
        accepts_state: says of the event of a state whether it is the one that is waited for; None for other events. A
            state is a level: the event of the present one will not come again.
    """

    waiting: StateWait
    state: str = ""
    event_type: str = ""
    accepts_state: Callable[[RelayEvent], bool] | None = None

    def is_reached(self, leg: Leg) -> bool:
        """Return whether the call is where it is to be. In the turn."""
        if self.accepts_state is None or not leg.state:
            return leg.has_reached(self.state)
        try:
            return bool(self.accepts_state(leg.present_event()))
        except Exception:  # noqa: BLE001  # the user's predicate, which may look for what only the server tells
            return False

    def reached_event(self, leg: Leg) -> RelayEvent:
        """Return the event of the present state."""
        return leg.state_event() if self.accepts_state is None else leg.present_event()

    def refuse(self, error: BaseException) -> bool:
        """It cannot be waited for; return whether that was news."""
        return self.waiting.try_fail(error)

    def too_late(self, leg: Leg) -> None:
        """The call is over: it is past every state that it has reached, and no event comes any more."""
        dial_failed = leg.dialling is not None and leg.dialling.error is not None
        if self.is_reached(leg) and not dial_failed:
            self.waiting.try_set(self.reached_event(leg))
        else:
            self.waiting.try_fail(leg.ended_error())


@dataclass(frozen=True, slots=True, eq=False)
class Listen:
    """Call a function with every event of a type."""

    event_type: str
    listener: Listener

    def refuse(self, _error: BaseException) -> bool:
        """Nobody listens, and nobody waits to hear that."""
        return False

    def too_late(self, leg: Leg) -> None:
        """The call is over: there will be no more events, which is no error."""


@dataclass(frozen=True, slots=True, eq=False)
class LetGo:
    """Leave the call to the server, and end everything that waits for it here with ``error``.

    Attributes:
        done: settled when that is so.
    """

    error: BaseException
    done: Future[None]

    def too_late(self, leg: Leg) -> None:
        """The call is over, and nothing waits for it."""
        self.done.try_set(None)


Order = Perform | Begin | Control | Again | HangUpAfter | WaitFor | Listen | LetGo
