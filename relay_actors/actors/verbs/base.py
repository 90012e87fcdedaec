"""What every verb stands on: a command is made and checked, and handed to the call's actor. Layer: hall."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable
from typing import Any, Final, Never, TypeVar

from relay_actors.actors.actions import Action
from relay_actors.actors.leg import EndWait, Leg, StateWait
from relay_actors.actors.orders import Begin, Control, Follow, Order, Perform, WaitFor
from relay_actors.actors.waits import Reply, Wait, check_timeout, give_up_after
from relay_actors.errors import CallEnded
from relay_actors.protocol.base import Command, JsonObject
from relay_actors.protocol.commands import ActionCommand, ControlCommand, RelayCommand, SubCommand
from relay_actors.protocol.events import RelayEvent
from relay_actors.protocol.states import CallState
from relay_actors.runtime.base import Dispatcher, Runnable
from relay_actors.runtime.context import here

__all__ = ["CallVerbs", "OnCompleted"]

A = TypeVar("A", bound=Action)
T = TypeVar("T")

OnCompleted = Callable[[Any], Any] | None
"""Called once with the event that completes an operation, in the call's turn; may be a coroutine function."""

_NOT_SIMPLE: Final = (ActionCommand, SubCommand)


class CallVerbs(abc.ABC):
    """A call that one can act on: its actor in its own turn, or a handle from anywhere.

    Verbs take effect when called, awaited or not. What is known of the call may be read from any thread.
    """

    @property
    @abc.abstractmethod
    def leg(self) -> Leg:
        """What is known of the call."""

    @property
    @abc.abstractmethod
    def runs_on(self) -> Dispatcher:
        """Who runs the call's actor."""

    @property
    @abc.abstractmethod
    def runs_as(self) -> Runnable:
        """The cell of the call's actor."""

    @abc.abstractmethod
    def _new_id(self) -> str:
        """Return a fresh UUID4 string."""

    @abc.abstractmethod
    def _post(self, order: Order) -> None:
        """Have the call's actor do it: at once in its own turn, by its mailbox from elsewhere."""

    @property
    def call_id(self) -> str:
        """The leg's id; "" for an outbound call that is not answered yet."""
        return self.leg.call_id

    @property
    def node_id(self) -> str:
        """The server's node."""
        return self.leg.node_id

    @property
    def tag(self) -> str:
        """The tag of the dial, or ""."""
        return self.leg.tag

    @property
    def state(self) -> str:
        """``created``, ``ringing``, ``answered``, ``ending`` or ``ended``; "" while dialling."""
        return str(self.leg.state)

    @property
    def end_reason(self) -> str:
        """Why the call ended, or ""."""
        return self.leg.end_reason

    @property
    def direction(self) -> str:
        """``inbound`` or ``outbound``."""
        return self.leg.direction

    @property
    def call_context(self) -> str:
        """The routing label by which the call came in."""
        return self.leg.context

    @property
    def device(self) -> JsonObject:
        """``{type, params}`` of the other party."""
        return self.leg.device

    @property
    def from_number(self) -> str:
        """Who calls, or ""."""
        return self.leg.number("from")

    @property
    def to_number(self) -> str:
        """Who is called, or ""."""
        return self.leg.number("to")

    @property
    def data(self) -> dict[str, Any]:
        """The application's own data of this call; kept when the actor is restarted. From outside, read it only.

        It is filled, and cannot be replaced: an `AttributeError` says so.
        """
        return self.leg.data

    @data.setter
    def data(self, _value: Never) -> None:
        # Others hold on to it: a dial's caller by its handle, and the next incarnation after a crash.
        raise AttributeError("data is kept for the whole call and cannot be replaced: use self.data.update({…})")

    def perform(self, command: RelayCommand) -> Reply:
        """Send any simple command, checked when it was made; the verbs are this with names.

        Raises:
            TypeError: it starts an operation, or acts on one: use the verb, which gives a handle.
        """
        if isinstance(command, _NOT_SIMPLE) or not command.needs_call:
            raise TypeError(f"{command.method} is no simple command on a call: use the verb of that name")
        if isinstance(command, ControlCommand):
            command = command.with_control_id(self._new_id())
        reply = self._reply(command)
        self._post(Perform(command, reply))
        return reply

    def control_action(self, action: Action, command: SubCommand) -> Reply:
        """Send a command on a running operation; the methods of its handle are this with names."""
        reply = self._reply(command)
        self._post(Control(action, command, reply))
        return reply

    def follow_action(self, action: Action) -> None:
        """Follow an operation that somebody else has started; the constructors of handles are this."""
        self._post(Follow(action))

    def give_up_after(self, wait: Wait[T], timeout_s: float | None, what: str) -> Wait[T]:
        """Let a wait of this call fail after a while; see `relay_actors.actors.waits.give_up_after`."""
        return give_up_after(wait, timeout_s, self.runs_on, what)

    def _reply(self, command: Command) -> Reply:
        return Reply(command, self.runs_on, self.runs_as)

    def _begin(self, kind: type[A], command: ActionCommand, on_completed: OnCompleted) -> A:
        """Start an operation. The command is the verb's own, whom nobody else has seen."""
        # The id is there before anything is sent, so that an event that overtakes the answer finds its action (K5).
        command.take_control_id(self._new_id())
        action = kind.begun(self, command, on_completed)
        self._post(Begin(action))
        return action

    def _wait(
        self,
        accepts: Callable[[RelayEvent], bool] | str,
        timeout_s: float | None,
        what: str,
        *,
        state: str = "",
        event_type: str = "",
        accepts_state: Callable[[RelayEvent], bool] | None = None,
    ) -> Wait[RelayEvent]:
        check_timeout(timeout_s)
        wait = (EndWait if state == CallState.ENDED else StateWait)(accepts, self.runs_on, self.runs_as)
        order = WaitFor(wait, state, event_type, accepts_state)
        self._post(order)
        if timeout_s is None:
            return wait
        if timeout_s <= 0 and state and not wait.is_settled:
            self._look_now(order)
        return self.give_up_after(wait, timeout_s, what)

    def _look_now(self, order: WaitFor) -> None:
        """Settle a wait for a state that is there: its time is over before the call's actor has looked."""
        if getattr(here.turn, "outward", None) is not None:
            return  # what a flow finds that is run again has to be in the journal
        with contextlib.suppress(CallEnded):  # of a call that has just gone; then it is settled
            leg = self.leg
            if order.is_reached(leg):
                order.too_late(leg)
