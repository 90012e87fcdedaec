"""What telephony actors are told beside the events of the wire. Layer: hall."""

from __future__ import annotations

from relay_actors.actors.actions import Action
from relay_actors.errors import RelayActorsError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.base import Command
from relay_actors.protocol.events import RelayEvent

__all__ = ["ActionCompleted", "CallStalled", "CommandFailed", "ConnectionLost", "ConnectionRestored", "DialFailed"]


@dataclass(frozen=True, slots=True)
class ActionCompleted:
    """A running operation of this call is over.

    Attributes:
        action: its handle.
        event: the event that completed it: its own last one, or the end of the call. An empty `RelayEvent` when the
            call was gone before it began.
    """

    action: Action
    event: RelayEvent


@dataclass(frozen=True, slots=True)
class CallStalled:
    """A command of this call is outstanding for longer than ``timing.stall_after_s``; it may still be answered.

    Told once for a command. Then the call does what its class says in ``on_stall``: by default nothing more.

    Attributes:
        command: what was asked.
        for_s: for how many seconds the server has owed its answer; without those in which there was no connection.

    Source: SEMANTICS X15.
    """

    command: Command
    for_s: float


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """A command failed, and nobody had asked for its reply: nothing fails in silence.

    Attributes:
        command: what was asked.
        error: a `RelayError`: the server refused it, its answer was lost, or it was not sent. That a call has ended
            is told by its end, and not once more for each command that was under way.
    """

    command: Command
    error: RelayActorsError


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The socket is gone. Calls go on without us for a while; commands given now are queued. Source: SEMANTICS K1."""


@dataclass(frozen=True, slots=True)
class ConnectionRestored:
    """The socket is back.

    Attributes:
        resumed: the session goes on, and with it the calls. Otherwise it is a new one, which hears nothing of them.
        gap_s: how many seconds there was no connection.

    Source: SEMANTICS K1, K8.
    """

    resumed: bool
    gap_s: float


@dataclass(frozen=True, slots=True)
class DialFailed:
    """Nobody answered: the last thing that the actor of an outbound call hears.

    Attributes:
        tag: of the dial.
        error: why.
    """

    tag: str
    error: RelayActorsError
