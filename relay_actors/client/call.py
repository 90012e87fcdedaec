"""`Call`: one call, for asyncio. Layer: door. Source: PROTOCOL 8, 10, 20."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
import math
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self, TypeVar, cast

from relay_actors.actors.actions import Action
from relay_actors.actors.call import CallActor
from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.call_ref import CallRef
from relay_actors.actors.give_up import DEFAULTS
from relay_actors.actors.in_turn import tell_in_turn
from relay_actors.actors.leg import Leg, Listener
from relay_actors.actors.orders import Begin, Control, HangUpAfter, Order, Perform
from relay_actors.actors.verbs import AllVerbs
from relay_actors.actors.verbs.base import OnCompleted
from relay_actors.actors.waits import Reply, Wait
from relay_actors.client.base import Client, client_of
from relay_actors.errors import CallEnded, EndedWhileWaiting, NotSentError, RelayActorsError
from relay_actors.protocol.base import Command, JsonObject
from relay_actors.protocol.commands import ActionCommand, Hangup
from relay_actors.protocol.events import CallReceiveEvent, CallStateEvent, RelayEvent
from relay_actors.runtime.base import Runnable
from relay_actors.runtime.loop_calls import pause, required

__all__ = ["Call", "ClientCall"]

_log = logging.getLogger("relay_actors.client")

A = TypeVar("A", bound=Action)
T = TypeVar("T")


class Call(CallHandle):
    """A call. ``await`` what its methods give: a result, a running action, an event.

    The client makes one for each inbound call and each dial. Make one yourself to follow a call of this session whose
    ids you know, for example from ``execute("calling.begin", …)``: arguments are those of the official client, and
    what is known of the call. A call that is followed already stays as it is.

    Raises:
        NotSentError: the client is not connected (a RelayError).
    """

    client: Client
    _told_state = 0, ""

    def __init__(
        self,
        client: Client,
        call_id: str,
        node_id: str,
        project_id: str,
        context: str,
        *,
        tag: str = "",
        direction: str = "",
        device: JsonObject | None = None,
        state: str = "",
        segment_id: str = "",
    ) -> None:
        if not client.app.is_running:
            raise NotSentError(f"call {call_id} cannot be followed: the client is not connected")
        leg = Leg(direction="inbound")
        leg.direction = direction
        leg.call_id, leg.node_id, leg.project_id, leg.context = call_id, node_id, project_id, context
        leg.tag, leg.device, leg.state, leg.segment_id = tag, dict(device or {}), state, segment_id
        super().__init__(client.app.attach(ClientCall, leg).ref)
        self.client = client

    @classmethod
    def of(cls, client: Client, ref: CallRef) -> Self:
        """Return the call of an actor that runs."""
        call = cls.__new__(cls)
        CallHandle.__init__(call, ref)
        call.client = client
        return call

    def __repr__(self) -> str:
        return f"<Call id={self.call_id!r} state={self.state!r} direction={self.direction!r}>"

    @property
    def context(self) -> str:
        """The routing label by which the call came in; of a dialled call, the name of the session."""
        return self.leg.context

    @property
    def project_id(self) -> str:
        """The project that the call belongs to."""
        return self.leg.project_id or self.client.project

    @property
    def segment_id(self) -> str:
        """Groups legs that follow each other in one logical call."""
        return self.leg.segment_id

    @property
    def state(self) -> str:
        """The last known state; while a plain listener runs, the one that it is told."""
        thread, told = self._told_state
        return told if thread == threading.get_ident() else super().state

    def on(self, event_type: str, handler: Listener) -> None:
        """Have ``handler(event)`` called on the loop on which this is called, with every event of a type.

        A coroutine becomes a task. What it raises is logged, and harms neither the others nor the call. Whoever waits
        for the same event goes on when listeners have been called.

        Raises:
            TypeError: ``handler`` cannot be called.
        """

        @functools.wraps(required(handler))
        def told(event: RelayEvent) -> Any:
            # The call's actor may be ahead of this loop.
            if isinstance(event, CallStateEvent):
                self._told_state = threading.get_ident(), event.call_state
            try:
                return handler(event)
            finally:
                self._told_state = 0, ""

        super().on(event_type, self.client.loops.on_loop(told))

    async def wait_for(  # type: ignore[override]  # a coroutine function, as all verbs are here
        self,
        event_type: str,
        predicate: Callable[[RelayEvent], bool] | None = None,
        timeout: float | None = None,
    ) -> RelayEvent:
        """Wait for an event, as `CallHandle.wait_for`; what ``predicate`` raises is logged, and means no.

        Raises:
            TimeoutError: it has not come within ``timeout`` seconds.
            CallEnded: the call has ended, and it will not come; with a ``timeout`` this is a TimeoutError, too.
        """
        wait = super().wait_for(event_type, _tolerant(predicate) if predicate is not None else None, timeout)
        has_ended = self.leg.is_ended
        try:
            return await _alone(wait, self)
        except CallEnded as error:
            if timeout is None or timeout == math.inf:
                raise
            if has_ended:  # not at once: who tries again and again would never let anybody else have the loop
                await pause(timeout)
            raise EndedWhileWaiting(error.call_id, error.reason) from error

    def _begin(self, kind: type[A], command: ActionCommand, on_completed: OnCompleted) -> A:
        wrapped = self.client.loops.on_loop(on_completed) if on_completed is not None else None
        return super()._begin(kind, command, wrapped)

    def _reply(self, command: Command) -> Reply:
        return _CallReply(command, self)

    def _post(self, order: Order) -> None:
        if self.leg.is_let_go and isinstance(order, Begin | Perform | Control | HangUpAfter):
            order.refuse(NotSentError(f"{order.command.method} was not sent: the client was disconnected meanwhile"))
            return
        super()._post(order)


class _CallReply(Reply):
    """A reply that is ``{}`` when the call is over, as if the server had said so (PROTOCOL 8.5, 8.7)."""

    def __init__(self, command: Command, call: Call) -> None:
        super().__init__(command, call.runs_on, call.runs_as)
        self._leg = call.leg

    def try_fail(self, error: BaseException) -> bool:
        """Settle with an error, unless settled already."""
        if isinstance(error, CallEnded) and (self._leg.is_ended or self._leg.is_handed_on):
            return self.try_set({})
        return super().try_fail(error)


async def _alone(given: Awaitable[T], call: Call) -> T:
    """Await what nobody else can await: once it is given up, nothing is kept for it, and what can be is not sent.

    A hang-up is all the same: whoever gives that up wants nothing more of the call.
    """
    try:
        return await given
    except asyncio.CancelledError:
        if isinstance(given, Wait):
            given.try_fail(asyncio.CancelledError())
        elif isinstance(given, Reply | Action) and not isinstance(given.command, Hangup):
            call.ref.take_back(given)
        raise


def _awaited(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Return a verb as a coroutine function, as those of the official client are: done, or refused, when awaited."""

    @functools.wraps(verb)
    async def do(self: Call, *arguments: Any, **named: Any) -> Any:
        return await _alone(verb(self, *arguments, **named), self)

    return do


for _part in AllVerbs.__bases__:
    for _name, _verb in vars(_part).items():
        if inspect.isfunction(_verb) and not _name.startswith("_") and _name not in vars(Call):
            setattr(Call, _name, _awaited(_verb))


def _tolerant(predicate: Callable[[RelayEvent], bool]) -> Callable[[RelayEvent], bool]:
    def accepts(event: RelayEvent) -> bool:
        try:
            return bool(predicate(event))
        except Exception:
            _log.exception("predicate of wait_for raised event=%s call_id=%s", event.event_type, event.call_id)
            return False

    return accepts


class ClientCall(CallActor):
    """Behind each call of a client: keeps it, and has the handler of inbound calls started.

    None of the user's code runs in it: it fails because the handler has failed, with which nobody can go on.
    """

    max_restarts = 0
    _is_attended = False

    @classmethod
    def construct(cls, cell: Any) -> Self:
        """Make the object of one incarnation. For the cell."""
        made = super().construct(cell)
        cell.keep.on_give_up = client_of(made).gives_up or DEFAULTS
        return made

    def on_receive(self, message: object) -> None:
        """Take what happens; all that is not for the handler is for those who wait and listen."""
        if isinstance(message, CallReceiveEvent):
            self._have_it_attended()
        else:
            super().on_receive(message)

    def on_recovered(self, pending: Sequence[Command]) -> None:
        """Begin with the handler anew: where it was, nobody knows. Those who talk are left to do so (X7)."""
        if self.direction == "inbound" and not self.leg.is_bridged:
            self._have_it_attended()
        else:
            _give_up(self.runs_as, RelayActorsError("nobody attends to this call since the last process has ended"))

    def _have_it_attended(self) -> None:
        client = client_of(self)
        handler, loops = client.call_handler, client.loops
        if self._is_attended:
            return
        self._is_attended = True
        if handler is None:
            # It stays, and rings on: a client may have been made to be asked for its calls (PROTOCOL 8.3).
            self.log.warning("no on_call handler: the call is not handled context=%r", self.call_context)
            return
        call = Call.of(client, cast("CallRef", self.actor_ref))
        if client.isolates_calls:
            loops.run_apart(_attend_to_the_end, call, handler, patience_s=client.app.timing.wrap_up_s)
        elif not loops.run(_attend, call, handler):
            self.leave("error")


async def _attend(call: Call, handler: Callable[[Call], Any]) -> None:
    """Run the handler of an inbound call. One that crashes leaves its caller to nobody: the call is given up (X7)."""
    try:
        given = handler(call)
        if inspect.isawaitable(given):
            await given
    except BaseException as error:  # also a cancelled task's: whatever it was, nobody attends to the caller any more
        has_ended = isinstance(error, CallEnded) and error.call_id == call.call_id
        if has_ended or (call.leg.is_let_go and isinstance(error, Exception)):
            _log.debug("on_call handler ended with its call: %s", error)
            return
        if not call.leg.needs_hang_up:
            if isinstance(error, Exception):  # a disconnect cancels handlers, which is no news
                _log.exception("on_call handler raised, its call is over call_id=%s", call.call_id)
        elif call.client.gives_up is None:
            _log.exception("on_call handler raised, and the call stays up call_id=%s", call.call_id)
        else:
            _log.error("on_call handler raised, giving up call_id=%s: %r", call.call_id, error)
            _give_up(call.runs_as, error)
        if not isinstance(error, Exception):
            raise


async def _attend_to_the_end(call: Call, handler: Callable[[Call], Any]) -> None:
    """The same on a loop that is the call's own, and stays for those who listen to the call."""
    await _attend(call, handler)
    with contextlib.suppress(RelayActorsError):  # also when it was handed on
        await call.wait_for_ended()


def _give_up(cell: Runnable, error: BaseException) -> None:
    def fail(_actor: CallActor) -> None:
        raise error

    tell_in_turn(cell, fail)
