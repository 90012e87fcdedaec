"""What a call's actor is asked to do by its own verbs, from within its turn or from outside. Layer: hall."""

from __future__ import annotations

from dataclasses import dataclass

from relay_actors.actors.actions import Action
from relay_actors.actors.leg import Listener, StateWait
from relay_actors.actors.waits import Reply
from relay_actors.protocol.commands import RelayCommand, SubCommand

__all__ = ["Begin", "Control", "Listen", "Order", "Perform", "WaitFor"]


@dataclass(frozen=True, slots=True, eq=False)
class Perform:
    """Send a command."""

    command: RelayCommand
    reply: Reply

    def refuse(self, error: BaseException) -> None:
        """It cannot be done."""
        self.reply.try_fail(error)


@dataclass(frozen=True, slots=True, eq=False)
class Begin:
    """Start an operation."""

    action: Action

    def refuse(self, error: BaseException) -> None:
        """It cannot be done."""
        self.action.refuse(error)


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """Send a command on a running operation."""

    action: Action
    command: SubCommand
    reply: Reply

    def refuse(self, error: BaseException) -> None:
        """It cannot be done."""
        self.reply.try_fail(error)


@dataclass(frozen=True, slots=True, eq=False)
class WaitFor:
    """Wait for an event, or for a state (which may have been reached already)."""

    waiting: StateWait
    state: str = ""

    def refuse(self, error: BaseException) -> None:
        """It will not come any more."""
        self.waiting.wait.try_fail(error)


@dataclass(frozen=True, slots=True, eq=False)
class Listen:
    """Call a function with every event of a type."""

    event_type: str
    listener: Listener

    def refuse(self, error: BaseException) -> None:
        """The call is over: there will be no more events, which is no error."""


Order = Perform | Begin | Control | WaitFor | Listen
