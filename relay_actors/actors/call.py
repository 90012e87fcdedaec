"""`CallActor`: what a phone application is written with. Layer: hall. Source: DESIGN section 4."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from relay_actors.actors.notices import ActionCompleted, CommandFailed, ConnectionLost, ConnectionRestored, DialFailed
from relay_actors.actors.office import App, Office
from relay_actors.actors.outbound_leg import OutboundLegActor
from relay_actors.actors.waits import Wait, give_up_after
from relay_actors.errors import CallEnded
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import ActionCommand, Hangup, RelayCommand
from relay_actors.protocol.events import RelayEvent
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.signals import Internal

__all__ = ["CallActor", "GivenUpCall"]

T = TypeVar("T")

_log = logging.getLogger("relay_actors.calls")


class GivenUpCall(OutboundLegActor):
    """Takes over a call whose actor has crashed too often: hangs it up, once, and waits for its end (SEMANTICS X7)."""

    def begin(self) -> None:
        """Hang up; what the crashed one has not been told, nobody is told."""
        self.leg.backlog.clear()
        self.system.hooks.count("calls.abandoned")
        _log.error("call given up call_id=%s", self.leg.call_id or self.leg.tag)
        if self.leg.is_ended:
            self.linger()
        else:
            self.perform(Hangup(reason="error"))

    def hand_to_user(self, message: object) -> None:
        """Nobody is there to be told."""


class CallActor(OutboundLegActor):
    """One phone call. Subclass it, and either handle `on_receive`, or write the call top to bottom in `run`.

    ``on_receive(message)`` is given everything that happens to this call, one thing at a time: its typed events,
    `ActionCompleted`, `CommandFailed`, `ConnectionLost` and `ConnectionRestored`, timers, and whatever other actors
    tell. ``async def run(self)`` is the same call as a flow: its awaits suspend the flow, not the actor.

    When the handler or the flow crashes, the actor is restarted in place: the call stays up, running operations go on,
    `data` is kept, and a flow begins anew. When it crashes more than ``max_restarts`` times within ``within_s``
    seconds, the call is given up: hung up, once.
    """

    max_restarts: ClassVar[int] = 3
    within_s: ClassVar[float] = 60.0
    given_up_to: ClassVar[type[OutboundLegActor]] = GivenUpCall
    """Who takes over when the restarts are used up."""

    run: ClassVar[Any] = None
    """Define ``async def run(self)`` to write the call as a flow."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.run is not None and not inspect.iscoroutinefunction(cls.run):
            raise TypeError(f"{cls.__name__}.run must be `async def`")

    # -- what it knows -----------------------------------------------------------------------------------------------

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
        return self.leg.state

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
        """The application's own data of this call; kept when the actor is restarted."""
        return self.leg.data

    @property
    def app(self) -> App:
        """The application: ``self.app.dial(…)``, ``self.app.send_message(…)``, ``self.app.lookup(name)``."""
        return self.office.app

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose lines begin with the call."""
        return _CallLog(logging.getLogger(f"relay_actors.{type(self).__name__}"), {"call_id": self.call_id or self.tag})

    # -- what happens ------------------------------------------------------------------------------------------------

    def on_receive(self, message: object) -> Any:
        """Handle one message. Override it; for what you do not know, call ``super().on_receive(message)``."""
        match message:
            case CommandFailed(command=command, error=error):
                self.log.warning("command failed method=%s: %s", command.method, error)
            case DialFailed(error=error):
                self.log.info("dial failed: %s", error)
            case RelayEvent() | ActionCompleted() | ConnectionLost() | ConnectionRestored():
                self.log.debug("not handled: %s", message)
            case _:
                super().on_receive(message)

    # -- what a flow can await ---------------------------------------------------------------------------------------

    def sleep(self, seconds: float) -> Wait[None]:
        """Wait ``seconds``; other messages are handled meanwhile."""
        wait: Wait[None] = Wait(self.runs_on)
        timer = self._cell.call_later(seconds, lambda: _settle(wait))
        wait.add_done_callback(lambda _wait: timer.cancel())
        return wait

    def next(
        self, message_type: type[T], *, where: Callable[[T], bool] | None = None, timeout: float | None = None
    ) -> Wait[T]:
        """Wait for a message of a type, for which ``where`` is true: the oldest that this flow has not taken yet.

        What comes while the flow waits for it goes to the flow, and not to `on_receive`. A class without an
        `on_receive` of its own keeps what nobody has taken, up to 64 messages, so that an event which comes before
        the flow asks for it is not missed: ``await self.connect(…)`` and then ``await self.next(ConnectEvent, …)``.

        Raises:
            TimeoutError: in the wait, after ``timeout`` seconds.
        """
        wait: Wait[T] = Wait(self.runs_on)
        untaken = self.leg.untaken
        for message in untaken:
            if isinstance(message, message_type) and (where is None or where(message)):
                untaken.remove(message)
                wait.try_set(message)
                return wait
        self._nexts.append((message_type, where, wait))
        return give_up_after(wait, timeout, self.runs_on, f"message {message_type.__name__}")

    def blocking(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Wait[T]:
        """Run blocking code on the blocking pool, where it holds up no call; gives what it returns."""
        wait: Wait[T] = Wait(self.runs_on)

        def call() -> None:
            try:
                wait.try_set(function(*args, **kwargs))
            except Exception as error:
                wait.try_fail(error)

        self.runs_on.run_blocking(call, getattr(function, "__qualname__", repr(function)))
        return wait

    # -- machinery ---------------------------------------------------------------------------------------------------

    @classmethod
    def child_spec(cls, office: Office) -> ChildSpec:
        """How its supervisor treats a call of this class."""
        return ChildSpec(
            restart=Restart.TRANSIENT,
            max_restarts=cls.max_restarts,
            within_s=cls.within_s,
            successor=cls.given_up_to,
            keep_children=True,
            shutdown_s=office.timing.stop_timeout_s,
        )

    def begin(self) -> None:
        """Start an incarnation: the first one, or one after a crash."""
        self._nexts: list[tuple[type[Any], Callable[[Any], bool] | None, Wait[Any]]] = []
        self.on_start()
        if self.leg.backlog:
            self._cell.tell_control(_InTurn(self.hand_out))
        if self.leg.is_ended:
            self.linger()
            return
        self.begin_dial()
        self.start_flow()

    def start_flow(self) -> None:
        """Start ``run()``, if there is one and it is its time: an inbound call is offered, an outbound one answered."""
        leg = self.leg
        if self.run is not None and self._cell.flow is None and leg.call_id and not leg.flow_is_over:
            self._cell.tell_control(_InTurn(self._run_flow))

    def _run_flow(self) -> None:
        if self._cell.flow is not None or self.leg.is_ended:
            return
        flow = Flow(self._cell, self._run(), self._on_flow_done)
        self._cell.flow = flow
        flow.begin()

    async def _run(self) -> None:
        try:
            await self.run()
        except CallEnded:
            if not self.leg.is_ended:  # of another call: that is an error of this one
                raise
            self.log.debug("flow ended with its call")

    def _on_flow_done(self, _result: object) -> None:
        leg = self.leg
        leg.flow_is_over = True
        if leg.is_ended or leg.is_handed_on:
            self.stop_if_over()
        else:
            self.hangup()

    @property
    def is_flow_running(self) -> bool:
        """Whether ``run()`` has begun and not returned."""
        flow = self._cell.flow
        return flow is not None and not flow.is_over

    def on_won(self) -> None:
        """The dial was answered: the flow begins."""
        self.start_flow()

    def on_leg_ended(self) -> None:
        """The call has ended: whatever the flow waits for will not come."""
        if self._cell.flow is not None:
            self._cell.flow.end_with(self.ended_error())
        super().on_leg_ended()

    def receive(self, message: object) -> Any:
        """Do what commands from other actors say, and hand everything else on."""
        match message:
            case RelayEvent():  # first, because it is nearly always one
                return super().receive(message)
            case ActionCommand():
                self.start_action(message)
                return None
            case RelayCommand() if message.needs_call:
                self.perform(message)
                return None
            case ConnectionLost() | ConnectionRestored(resumed=True):
                self.leg.backlog.append(message)
                self.hand_out()
                return None
            case ConnectionRestored():
                self.leg.backlog.append(message)
                self.end_lost()
                self.hand_out()
                return None
            case _:
                return super().receive(message)

    def hand_to_user(self, message: object) -> None:
        """Hand a message to the flow, if it waits for one like it, or else to the handler."""
        for expected in self._nexts:
            message_type, where, wait = expected
            if wait.is_settled:
                continue
            if isinstance(message, message_type) and (where is None or where(message)):
                self._nexts.remove(expected)
                wait.try_set(message)
                return
        self._nexts = [expected for expected in self._nexts if not expected[2].is_settled]
        if self.run is not None and type(self).on_receive is CallActor.on_receive:
            self.leg.untaken.append(message)
        self.on_receive(message)

    def _handle_receive(self, message: Any) -> Any:
        # What other actors tell goes the same way as events, so that a flow can wait for it.
        if self._nexts and any(isinstance(message, kind) for kind, _where, _wait in self._nexts):
            self.hand_to_user(message)
            return None
        if self.run is not None and type(self).on_receive is CallActor.on_receive and not self.is_for_pykka(message):
            self.leg.untaken.append(message)
            return None
        return super()._handle_receive(message)


class _InTurn(Internal):
    """Something that an incarnation wants to do in a turn of its own."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call

    def deliver(self) -> None:
        """Do it."""
        self._call()


class _CallLog(logging.LoggerAdapter[logging.Logger]):
    """Begins each line with the call."""

    def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
        """Put the call in front."""
        return f"[{(self.extra or {}).get('call_id', '')}] {msg}", kwargs


def _settle(wait: Wait[None]) -> None:
    wait.try_set(None)
