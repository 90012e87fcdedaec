"""The actor of one running operation. Layer: hall. Source: PROTOCOL 10; SEMANTICS X5, X6.

It is a child of its call, and runs inside the call's turns: when the call has fed it an event, what follows from that
is known. It survives a restart of the call's handler, because it did not fail: the operation goes on at the server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relay_actors.actors.actions import Action
from relay_actors.actors.orders import Control
from relay_actors.errors import CommandRejectedError, RelayActorsError
from relay_actors.protocol.commands import Stop
from relay_actors.protocol.completion import is_continuous
from relay_actors.protocol.events import RelayEvent
from relay_actors.protocol.states import ACTION_MOVES, ActionState, advance, is_final
from relay_actors.runtime.actor import Actor

__all__ = ["ActionActor", "BeginAnswered", "CallGone"]


@dataclass(frozen=True, slots=True)
class BeginAnswered:
    """The server answered the command that starts the operation; ``error`` None: it was accepted."""

    error: RelayActorsError | None


@dataclass(frozen=True, slots=True)
class CallGone:
    """The call is over, and with it everything on it; ``event`` is its last, or an empty one (PROTOCOL 10.4, 10.5)."""

    event: RelayEvent


class ActionActor(Actor):
    """One operation: ``new → requested → executing ⇄ paused →`` one end, of which the first wins.

    Args:
        action: the handle that others hold.
        send: sends a command on the operation.
    """

    def __init__(self, action: Action, send: Callable[[Control], None]) -> None:
        super().__init__()
        self._action = action
        self._send = send
        self._deferred_stop: Control | None = None
        self._continuous = is_continuous(action.command.method, action.command.to_params())

    def label(self) -> str:
        """Return what it does, and which one it is."""
        return f"{self._action.command.method.rpartition('.')[2]} {self._action.control_id}"

    def log_fields(self) -> dict[str, object]:
        """Return whose line it is: the operation, and its call."""
        return super().log_fields() | {"call_id": self._action.call.call_id, "control_id": self._action.control_id}

    def on_start(self) -> None:
        """The command is on its way."""
        self._action.state = ActionState.REQUESTED

    def on_receive(self, message: object) -> None:
        """Take what the call feeds."""
        match message:
            case RelayEvent():
                self._on_event(message)
            case BeginAnswered(error=error):
                self._on_begin_answered(error)
            case Control():
                self._on_control(message)
            case CallGone(event=event):
                self._end(ActionState.CALL_ENDED, event)
            case _:
                super().on_receive(message)

    def on_stop(self) -> None:
        """Let nobody wait for a stop of what is over."""
        self._settle_deferred()

    def _on_event(self, event: RelayEvent) -> None:
        state = self._action.judge(event, continuous=self._continuous)
        if state is None:
            return
        if is_final(state, ACTION_MOVES):
            self._end(state, event)
            return
        self._action.state = ActionState(advance(self._action.state, state, ACTION_MOVES))
        self._send_deferred()

    def _on_begin_answered(self, error: RelayActorsError | None) -> None:
        match error:
            case None:
                self._action.try_set(self._action)
                self._send_deferred()
            case CommandRejectedError(call_is_gone=True):
                self._end(ActionState.CALL_ENDED, RelayEvent("", {}))
            case _:
                self._action.refuse(error)
                self.stop()

    def _on_control(self, order: Control) -> None:
        if isinstance(order.command, Stop) and self._action.state is ActionState.REQUESTED and not self._accepted:
            self._settle_deferred()
            self._deferred_stop = order  # before it runs there is nothing the server could stop
        else:
            self._send(order)

    @property
    def _accepted(self) -> bool:
        return self._action.is_settled

    def _send_deferred(self) -> None:
        order, self._deferred_stop = self._deferred_stop, None
        if order is not None:
            self._send(order)

    def _settle_deferred(self) -> None:
        order, self._deferred_stop = self._deferred_stop, None
        if order is not None:
            order.reply.try_set({})

    def _end(self, state: ActionState, event: RelayEvent) -> None:
        self._action.complete(state, event)
        self.stop()
