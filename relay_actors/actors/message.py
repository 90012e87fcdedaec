"""Text messages: one actor each. Layer: hall. Source: PROTOCOL 14; SEMANTICS X17."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, cast

from relay_actors.actors.office import App, Office
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.routing import Claim
from relay_actors.actors.waits import Wait, give_up_after
from relay_actors.errors import RelayActorsError
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import SendMessage
from relay_actors.protocol.events import MessageReceiveEvent, MessageStateEvent, RelayEvent
from relay_actors.protocol.states import MESSAGE_MOVES, MessageState, advance, is_final
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.future import Future
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.signals import Internal

__all__ = ["KeptMessage", "MessageActor", "MessageHandle", "OutboundMessageActor", "TextMessage"]

_log = logging.getLogger("relay_actors.messages")


@dataclass(slots=True)
class TextMessage:
    """What is known of one text; names as in the seed's ``Message``."""

    direction: str
    message_id: str = ""
    context: str = ""
    from_number: str = ""
    to_number: str = ""
    body: str = ""
    media: list[str] = field(default_factory=list)
    segments: int = 0
    state: str = ""
    reason: str = ""
    tags: list[str] = field(default_factory=list)

    @classmethod
    def received(cls, event: MessageReceiveEvent) -> Self:
        """Return the text that an event brings."""
        return cls(
            direction="inbound",
            message_id=event.message_id,
            context=event.context,
            from_number=event.from_number,
            to_number=event.to_number,
            body=event.body,
            media=list(event.media),
            segments=event.segments,
            state=MessageState.RECEIVED,
            tags=list(event.tags),
        )

    def moved(self, event: MessageStateEvent) -> bool:
        """Take a new state; False for a stale one."""
        new = advance(self.state, event.message_state, MESSAGE_MOVES)
        if new == self.state:
            return False
        self.state = new
        self.reason = event.reason or self.reason
        self.segments = event.segments or self.segments
        return True


class KeptMessage:
    """What a message's actor keeps over restarts."""

    __slots__ = ("done", "listeners", "message", "office", "on_completed", "sent")

    def __init__(self, message: TextMessage, office: Office, on_completed: Callable[[Any], Any] | None = None) -> None:
        self.message = message
        self.office = office
        self.on_completed = on_completed
        self.sent: Future[TextMessage] = Future(office.dispatcher)
        self.done: Future[RelayEvent] = Future(office.dispatcher)
        self.listeners: list[Callable[[MessageStateEvent], Any]] = []


class MessageActor(Actor):
    """One inbound text. Subclass it, and handle `on_receive`: it is given the `MessageReceiveEvent`.

    The actor stops after that; what it has started with `App.send_message` or `App.dial` goes on.
    """

    max_restarts: ClassVar[int] = 3
    within_s: ClassVar[float] = 60.0

    @property
    def message(self) -> TextMessage:
        """What is known of the text."""
        return cast("KeptMessage", self._cell.keep).message

    @property
    def app(self) -> App:
        """The application."""
        return cast("KeptMessage", self._cell.keep).office.app

    def reply(self, body: str, **kwargs: Any) -> Any:
        """Send a text back to who sent this one; arguments as for `RelayApp.send_message`."""
        text = self.message
        return self.app.send_message(
            to_number=text.from_number, from_number=text.to_number, context=text.context, body=body, **kwargs
        )

    @classmethod
    def child_spec(cls, office: Office) -> ChildSpec:
        """How its supervisor treats a message of this class."""
        return ChildSpec(
            restart=Restart.TRANSIENT,
            max_restarts=cls.max_restarts,
            within_s=cls.within_s,
            shutdown_s=office.timing.stop_timeout_s,
        )

    def receive(self, message: object) -> Any:
        """Hand the text to the user, and stop after it."""
        given = super().receive(message)
        if isinstance(message, MessageReceiveEvent):
            self.stop()
        return given


class OutboundMessageActor(Actor):
    """One text that this side sends, until its last state is known."""

    @property
    def kept(self) -> KeptMessage:
        """What it keeps."""
        return cast("KeptMessage", self._cell.keep)

    def __init__(self, command: SendMessage) -> None:
        super().__init__()
        self._command = command

    @classmethod
    def child_spec(cls, office: Office) -> ChildSpec:
        """Temporary: a text whose sending has failed in an unknown way is not sent twice."""
        return ChildSpec(shutdown_s=office.timing.stop_timeout_s)

    def on_start(self) -> None:
        """Send it."""
        cell = self._cell
        params = self._command.to_params()
        # Always on the wire, also when nobody chose one (PROTOCOL 14.1).
        params.setdefault("context", self.kept.office.relay_protocol or "default")

        def on_answer(result: JsonObject | None, error: RelayActorsError | None) -> None:
            cell.tell_control(_SendAnswered(cell, result, error))

        self.kept.office.send(Outgoing(self._command.method, params, on_answer, ""))

    def on_answered(self, result: JsonObject | None, error: RelayActorsError | None) -> None:
        """The server has taken the text, or not."""
        kept = self.kept
        if error is not None:
            kept.message.state = MessageState.FAILED
            kept.message.reason = str(error)
            kept.sent.try_fail(error)
            kept.done.try_fail(error)
            self.stop()
            return
        message_id = (result or {}).get("message_id")
        kept.message.message_id = message_id if isinstance(message_id, str) else ""
        kept.message.state = MessageState.QUEUED
        kept.sent.try_set(kept.message)
        if kept.message.message_id:
            self._cell.register(("message", kept.message.message_id))
            # A state may have come before the answer that names the message (PROTOCOL 14.2).
            kept.office.tell_connection(Claim(kept.message.message_id, self._cell.ref, is_call=False))

    def receive(self, message: object) -> Any:
        """Follow the states of the text."""
        match message:
            case MessageStateEvent():
                self._on_state(message)
                return None
            case _:
                return super().receive(message)

    def on_stop(self) -> None:
        """Let nobody wait for what will not be heard any more."""
        gone = RelayActorsError(f"nothing more is heard of message {self.kept.message.message_id or '(not sent)'}")
        self.kept.sent.try_fail(gone)
        self.kept.done.try_fail(gone)

    def _on_state(self, event: MessageStateEvent) -> None:
        kept = self.kept
        if not kept.message.moved(event):
            return
        for listener in tuple(kept.listeners):
            _call(listener, event)
        if is_final(kept.message.state, MESSAGE_MOVES):
            kept.done.try_set(event)
            if kept.on_completed is not None:
                _call(kept.on_completed, event)
            self.stop()


class MessageHandle:
    """A text that was sent, as others hold it. Any thread."""

    def __init__(self, kept: KeptMessage, ref: Any) -> None:
        self._kept = kept
        self.ref = ref

    def __repr__(self) -> str:
        return f"<MessageHandle {self.message_id or '(not accepted yet)'} {self.state}>"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept.message, name)

    @property
    def _dispatcher(self) -> Dispatcher:
        return self._kept.office.dispatcher

    @property
    def is_done(self) -> bool:
        """Whether its last state is known."""
        return self._kept.done.is_settled

    @property
    def result(self) -> RelayEvent | None:
        """The event with its last state, or None."""
        done = self._kept.done
        return done.get(timeout=0) if done.is_settled and done.error is None else None

    @property
    def sent(self) -> Future[TextMessage]:
        """Settled when the server has taken the text, or refused it."""
        return self._kept.sent

    def on(self, handler: Callable[[MessageStateEvent], Any]) -> None:
        """Have ``handler(event)`` called with every state; what it raises is logged. Not a coroutine function."""
        if not callable(handler) or inspect.iscoroutinefunction(handler):
            raise TypeError(f"on(…): the handler must be a plain function of the event, not {handler!r}")
        self._kept.listeners.append(handler)

    def wait(self, timeout: float | None = None) -> Wait[Any]:
        """Wait for its last state: ``delivered``, ``undelivered`` or ``failed``; gives the event.

        Raises:
            TimeoutError: in the wait, after ``timeout`` seconds; the text is unharmed.
            RelayError: in the wait, when the server has refused it.
        """
        wait: Wait[Any] = Wait(self._dispatcher)
        give_up_after(wait, timeout, self._dispatcher, f"the last state of message {self.message_id}")

        def copy(done: Future[RelayEvent]) -> None:
            if done.error is not None:
                wait.try_fail(done.error)
            else:
                wait.try_set(done.get(timeout=0))

        self._kept.done.add_done_callback(copy)
        return wait


class _SendAnswered(Internal):
    """The answer to ``messaging.send``."""

    __slots__ = ("_cell", "_error", "_result")

    def __init__(self, cell: Any, result: JsonObject | None, error: RelayActorsError | None) -> None:
        self._cell = cell
        self._result = result
        self._error = error

    def deliver(self) -> None:
        """Hand it to the actor."""
        self._cell.actor.on_answered(self._result, self._error)


def _call(function: Callable[[Any], Any], event: RelayEvent) -> None:
    try:
        function(event)
    except Exception:
        _log.exception("listener raised event=%s", event.event_type)
