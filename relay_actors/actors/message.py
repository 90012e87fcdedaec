"""Text messages: one actor each. Layer: hall. Source: PROTOCOL 14; SEMANTICS X17."""

from __future__ import annotations

import abc
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, cast

from relay_actors.actors.aside import run_aside
from relay_actors.actors.notices import ConnectionRestored
from relay_actors.actors.office import App, Office
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.routing import Claim
from relay_actors.actors.waits import Wait, follow, give_up_after
from relay_actors.errors import RelayActorsError
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import SendMessage
from relay_actors.protocol.events import MessageReceiveEvent, MessageStateEvent, RelayEvent
from relay_actors.protocol.states import MESSAGE_MOVES, MessageState, advance, is_final
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.future import Future
from relay_actors.runtime.reasons import ChildFailed, ExitReason
from relay_actors.runtime.signals import Internal
from relay_actors.runtime.supervisor import DynamicSupervisor

__all__ = [
    "KeptMessage",
    "MessageActor",
    "MessageHandle",
    "MessageRef",
    "MessagesSupervisor",
    "OutboundMessageActor",
    "TextMessage",
    "TextView",
]

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
        """Take a state; False for one that is stale, or unknown. The present one said again is no news, but true."""
        new = advance(self.state, event.message_state, MESSAGE_MOVES)
        if new != event.message_state:
            return False
        self.state = new
        self.reason = event.reason or self.reason
        self.segments = event.segments or self.segments
        return True


class KeptMessage:
    """What is known of a text, and who waits for it."""

    __slots__ = ("done", "is_wanted", "listeners", "message", "office", "on_completed", "sent")

    def __init__(self, message: TextMessage, office: Office, on_completed: Callable[[Any], Any] | None = None) -> None:
        self.message = message
        self.office = office
        self.on_completed = on_completed
        self.is_wanted = on_completed is not None
        self.sent: Future[TextMessage] = Future(office.dispatcher)
        self.done: Future[RelayEvent] = Future(office.dispatcher)
        self.listeners: list[Callable[[MessageStateEvent], Any]] = []

    def let_nobody_wait(self, why: str) -> None:
        """Nothing more will be heard of the text."""
        name = self.message.message_id or "(not accepted)"
        self.let_go(RelayActorsError(f"nothing more is heard of message {name}: its actor has ended ({why})"))

    def let_go(self, error: BaseException) -> None:
        """End everything that waits for news of the text with ``error``. Any thread."""
        self.sent.try_fail(error)
        self.done.try_fail(error)


class MessageRef(ActorRef[Any]):
    """A reference to a text's actor."""

    @property
    def kept(self) -> KeptMessage:
        """What is known of the text."""
        return cast("KeptMessage", self._cell.keep)


class MessagesSupervisor(DynamicSupervisor):
    """The supervisor of all texts: whatever becomes of a text's actor, nobody goes on waiting for it."""

    def on_receive(self, message: object) -> Any:
        """Take the report of a text's actor that has failed; it is in the log already, without the text itself."""
        if not isinstance(message, ChildFailed):
            super().on_receive(message)

    def on_child_ended(self, ref: Any, reason: ExitReason) -> None:
        """End what still waits for news of a text."""
        if isinstance(ref, MessageRef):
            ref.kept.let_nobody_wait(str(reason))


class _TextActor(Actor):
    """One text. Temporary: a text whose handling or sending has failed half-way is not handled or sent twice (M6)."""

    stands_alone: ClassVar[bool] = False

    @classmethod
    def make_ref(cls, cell: Any) -> Any:
        """Make the ref of a text. For the cell."""
        return MessageRef(cell)

    @classmethod
    def child_spec(cls, office: Office) -> ChildSpec:
        """How its supervisor treats a text of this class."""
        return ChildSpec(shutdown_s=office.timing.stop_timeout_s)

    def label(self) -> str:
        """Return its message id, once it has one."""
        return self._kept.message.message_id

    def log_fields(self) -> dict[str, object]:
        """Return whose line it is."""
        return super().log_fields() | {"message_id": self._kept.message.message_id}

    @property
    def _kept(self) -> KeptMessage:
        return cast("KeptMessage", self._cell.keep)


class MessageActor(_TextActor):
    """One inbound text. Subclass it, and handle `on_receive`: it is given the `MessageReceiveEvent`, once.

    The actor stops after that; what it has started with `app.send_message` or `app.dial` goes on. What its handler
    raises is logged, and ends it: a text is not handled twice.
    """

    @property
    def message(self) -> TextMessage:
        """What is known of the text."""
        return self._kept.message

    @property
    def app(self) -> App:
        """The application."""
        return self._kept.office.app

    def reply(self, body: str, **kwargs: Any) -> Any:
        """Send a text back to who sent this one; arguments and return as for `RelayApp.send_message`."""
        text = self.message
        return self.app.send_message(
            to_number=text.from_number, from_number=text.to_number, context=text.context, body=body, **kwargs
        )

    def on_receive(self, message: object) -> Any:
        """Handle one message. Override it."""
        # Not pykka's warning: it would write down the whole text.
        self.log.warning("not handled: %s message_id=%s", type(message).__name__, self.message.message_id)
        self._cell.on_ignored(message)

    def receive(self, message: object) -> Any:
        """Hand the text to the user, and stop after it."""
        given = super().receive(message)
        if isinstance(message, MessageReceiveEvent):
            self.stop()
        return given


class OutboundMessageActor(_TextActor):
    """One text that this side sends, until its last state is known and all who listened for it are through.

    Coroutines of listeners run in its turns, side by side. Those that still run ``timing.wrap_up_s`` seconds after the
    last state are closed where they are, and so are all when the application stops.
    """

    def __init__(self, command: SendMessage) -> None:
        super().__init__()
        self._command = command
        self._asides: list[Flow] = []
        self._is_over = False

    def on_start(self) -> None:
        """Send it."""
        cell, office = self._cell, self._kept.office
        params = self._command.to_params()
        # Always on the wire, also when nobody chose one (PROTOCOL 14.1).
        params.setdefault("context", office.relay_protocol or "default")
        # It has no id before it is accepted, and the journal needs a name for it.
        name = f"text:{office.system.new_id()}"
        office.tell_connection(Claim(name, cell.ref, is_call=False))

        def on_answer(result: JsonObject | None, error: RelayActorsError | None) -> None:
            cell.tell_control(_SendAnswered(cell, result, error))

        office.send(Outgoing(self._command.method, params, on_answer, name))

    def on_answered(self, result: JsonObject | None, error: RelayActorsError | None) -> None:
        """The server has taken the text, or not."""
        kept = self._kept
        if error is not None:
            kept.message.state = MessageState.FAILED
            kept.message.reason = str(error)
            kept.sent.try_fail(error)
            kept.done.try_fail(error)
            if not kept.is_wanted:
                # Nobody would ever know of it. Not the text nor its numbers: those are nobody's business.
                _log.warning("a text was not sent: %s", error)
            refusal = _refusal(kept.message)
            self._tell(refusal)
            self._complete(refusal)
            return
        message_id = (result or {}).get("message_id")
        kept.message.message_id = message_id if isinstance(message_id, str) else ""
        kept.sent.try_set(kept.message)
        if not kept.message.message_id:
            _log.warning("a text was accepted without an id: nothing will be heard of it")
            self.stop()
            return
        self._cell.register(("message", kept.message.message_id))
        # A state may have come before the answer that names the text (PROTOCOL 14.2).
        kept.office.tell_connection(Claim(kept.message.message_id, self._cell.ref, is_call=False))

    def receive(self, message: object) -> Any:
        """Follow the states of the text."""
        match message:
            case MessageStateEvent():
                self._on_state(message)
                return None
            case ConnectionRestored(resumed=False):
                self._on_session_gone()
                return None
            case _WrapUp():
                _log.warning("stopping what still runs message_id=%s", self._kept.message.message_id)
                self.stop()
                return None
            case _:
                return super().receive(message)

    def on_stop(self) -> None:
        """Let nobody wait, also when everything stops and the supervisor looks after nobody any more."""
        self._kept.let_nobody_wait("it was stopped")
        for flow in self._asides:
            flow.close()

    def _on_state(self, event: MessageStateEvent) -> None:
        kept = self._kept
        if not kept.message.moved(event):
            return
        self._tell(event)
        if is_final(kept.message.state, MESSAGE_MOVES):
            kept.done.try_set(event)
            self._complete(event)

    def _on_session_gone(self) -> None:
        """Nothing more will be heard of a text that was accepted; one that waits to be sent goes out now (K8)."""
        message = self._kept.message
        if not message.message_id or self._is_over:
            return
        _log.warning(
            "nothing more is heard, its session is gone message_id=%s state=%s", message.message_id, message.state
        )
        self.system.hooks.count("messages.lost")
        message.reason = message.reason or "lost"
        self._kept.let_nobody_wait("its session is gone")
        self._is_over = True
        self._stop_if_over()

    def _tell(self, event: MessageStateEvent) -> None:
        for listener in tuple(self._kept.listeners):
            self._call(listener, event, "listener")

    def _complete(self, event: MessageStateEvent) -> None:
        if self._kept.on_completed is not None:
            self._call(self._kept.on_completed, event, "on_completed")
        self._is_over = True
        self._stop_if_over()
        if self._asides:
            self.start_timer(_WrapUp, _WrapUp(), self._kept.office.timing.wrap_up_s)

    def _call(self, function: Callable[[Any], Any], event: MessageStateEvent, what: str) -> None:
        """Call one who listens; what it raises is logged, and harms nothing (SEMANTICS X13)."""
        whose = f"message_id={event.message_id}"
        try:
            given = function(event)
        except BaseException:  # also a SystemExit: what is due to the others comes before it
            _log.exception("%s raised %s", what, whose)
            return
        if inspect.iscoroutine(given):
            flow = run_aside(self._cell, given, what, whose, on_over=self._stop_if_over)
            if not flow.is_over:
                self._asides.append(flow)

    def _stop_if_over(self) -> None:
        self._asides = [flow for flow in self._asides if not flow.is_over]
        if self._is_over and not self._asides:
            self.stop()


class TextView(abc.ABC):
    """What can be read of a text, whoever holds it. Any thread."""

    @property
    @abc.abstractmethod
    def text(self) -> TextMessage:
        """What is known of it."""

    @property
    def message_id(self) -> str:
        """The server's name for it; "" until it is accepted."""
        return self.text.message_id

    @property
    def context(self) -> str:
        """The routing label by which it came in, or that was chosen for it, or ""."""
        return self.text.context

    @property
    def direction(self) -> str:
        """``inbound`` or ``outbound``."""
        return self.text.direction

    @property
    def from_number(self) -> str:
        """Who sends it."""
        return self.text.from_number

    @property
    def to_number(self) -> str:
        """Who is to have it."""
        return self.text.to_number

    @property
    def body(self) -> str:
        """The text."""
        return self.text.body

    @property
    def media(self) -> list[str]:
        """URLs."""
        return list(self.text.media)

    @property
    def segments(self) -> int:
        """Into how many parts the network has cut it; 0 until that is known."""
        return self.text.segments

    @property
    def state(self) -> str:
        """``received``; or ``queued``, ``initiated``, ``sent``, then ``delivered``, ``undelivered`` or ``failed``."""
        return str(self.text.state)

    @property
    def reason(self) -> str:
        """Why it could not be delivered, or ""."""
        return self.text.reason

    @property
    def tags(self) -> list[str]:
        """Labels."""
        return list(self.text.tags)


class MessageHandle(TextView):
    """A text that was sent, as others hold it. Any thread."""

    def __init__(self, kept: KeptMessage, ref: Any) -> None:
        self._kept = kept
        self.ref = ref

    def __repr__(self) -> str:
        return f"<MessageHandle {self.message_id or '(not accepted yet)'} {self.state}>"

    @property
    def text(self) -> TextMessage:
        """What is known of it."""
        return self._kept.message

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
        self._kept.is_wanted = True
        return self._kept.sent

    def on(self, handler: Callable[[MessageStateEvent], Any]) -> None:
        """Have ``handler(event)`` called with every state; what it raises is logged.

        A text that the server refuses is told as ``failed``, although no server sends such an event.

        Args:
            handler: a function or a coroutine function; it runs in the text's turns, so the former must not block. A
                coroutine awaits what a flow may await: replies and waits of calls and texts, but not asyncio.

        Raises:
            TypeError: it cannot be called.
        """
        if not callable(handler):
            raise TypeError(f"on(…): the handler must be a function of the event, not {handler!r}")
        self._kept.is_wanted = True
        self._kept.listeners.append(handler)

    def wait(self, timeout: float | None = None) -> Wait[Any]:
        """Wait for its last state: ``delivered``, ``undelivered`` or ``failed``; gives the event.

        Raises:
            TimeoutError: in the wait, after ``timeout`` seconds; the text is unharmed.
            RelayError: in the wait, when the server has refused it.
        """
        self._kept.is_wanted = True
        wait: Wait[Any] = Wait(self._dispatcher)
        give_up_after(wait, timeout, self._dispatcher, f"the last state of message {self.message_id}")
        follow(wait, self._kept.done)
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


def _refusal(text: TextMessage) -> MessageStateEvent:
    """Return what tells, in place of an event that no server sends, that a text was never taken."""
    params: JsonObject = {
        "context": text.context,
        "direction": text.direction,
        "from_number": text.from_number,
        "to_number": text.to_number,
        "body": text.body,
        "media": list(text.media),
        "message_state": text.state,
        "reason": text.reason,
        "tags": list(text.tags),
    }
    return MessageStateEvent.from_payload({"event_type": "messaging.state", "params": params})


class _WrapUp:
    """Whoever has listened for a text's last state has had the time for it."""
