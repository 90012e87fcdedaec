"""Text messages: one actor each. Layer: hall. Source: PROTOCOL 14; SEMANTICS X17."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from relay_actors.actors.aside import run_aside
from relay_actors.actors.holding import TakeBack
from relay_actors.actors.in_turn import tell_in_turn
from relay_actors.actors.notices import ConnectionRestored
from relay_actors.actors.office import tell_over
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.routing import Claim, TextInDoubt
from relay_actors.errors import (
    CommandRejectedError,
    ConnectionLostError,
    NotSentError,
    RelayActorsError,
    RequestTimeoutError,
)
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import SendMessage
from relay_actors.protocol.events import MessageReceiveEvent, MessageStateEvent
from relay_actors.protocol.states import MESSAGE_MOVES, MessageState, is_final
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import ChildFailed
from relay_actors.runtime.signals import Internal
from relay_actors.runtime.supervisor import DynamicSupervisor

if TYPE_CHECKING:
    from relay_actors.actors.message_handle import KeptMessage, TextMessage
    from relay_actors.actors.office import App, Office
    from relay_actors.actors.sent_texts import SentText
    from relay_actors.runtime.flow import Flow

__all__ = [
    "MessageActor",
    "MessageRef",
    "MessagesSupervisor",
    "OutboundMessageActor",
]

_log = logging.getLogger("relay_actors.messages")


class MessageRef(ActorRef[Any]):
    """A reference to a text's actor."""

    @property
    def kept(self) -> KeptMessage:
        """What is known of the text."""
        return cast("KeptMessage", self._cell.keep)

    def begin_sending(self, command: SendMessage) -> None:
        """Have it sent: told to the connection in this turn, ahead of what else this turn tells it. Any thread."""
        cell, kept = self._cell, self.kept
        office, name = kept.office, kept.name
        params = command.to_params()
        # Always on the wire, also when nobody chose one (PROTOCOL 14.1).
        params.setdefault("context", office.relay_protocol or "default")
        # It has no id before it is accepted, and the journal needs a name for it.
        office.tell_connection(Claim(name, self, is_call=False))

        def on_answer(result: JsonObject | None, error: RelayActorsError | None) -> None:
            kept.is_in_doubt = _may_be_sent(error)
            cell.tell_control(_SendAnswered(cell, result, error))
            if kept.is_in_doubt:
                office.tell_connection(TextInDoubt(self))

        def on_late(result: JsonObject | None, error: RelayActorsError | None) -> None:
            if kept.is_in_doubt:  # otherwise an event has told it, or everybody was told that it is unknown
                kept.is_in_doubt = False
                cell.tell_control(_SendAnswered(cell, result, error))

        office.send(Outgoing(command.method, params, on_answer, name, number=1, after=0, on_late=on_late))

    def take_back(self) -> None:
        """Have it not sent, if it has not left yet; it then counts as failed. Any thread."""
        name = self.kept.name
        self.kept.office.tell_connection(TakeBack(lambda outgoing: outgoing.subject == name))

    def attach(self, on_completed: Callable[[Any], Any] | None) -> None:
        """Have a function called with the last state of a text that a former process has sent; also if it is known."""
        self.kept.is_wanted = True
        if on_completed is not None:
            tell_in_turn(self._cell, lambda actor: actor.attach(on_completed))

    def is_taken(self, message_id: str) -> None:
        """An event shows that the server has taken a text in doubt. In the turn of the connection."""
        self.kept.is_in_doubt = False
        self.kept.message.message_id = message_id  # at once: the next event is looked at before the actor has its turn
        tell_in_turn(self._cell, lambda actor: actor.on_answered({"message_id": message_id}, None))

    def let_end(self) -> None:
        """Nobody will ask for the text any more: its actor may end when all is known."""
        tell_in_turn(self._cell, lambda actor: actor.let_end())


class MessagesSupervisor(DynamicSupervisor):
    """The supervisor of all texts."""

    def on_receive(self, message: object) -> Any:
        """Take the report of a text's actor that has failed; it is in the log already, without the text itself."""
        if not isinstance(message, ChildFailed):
            super().on_receive(message)


def _is_over(cell: Any) -> None:
    """Let nobody wait for news of a text: also if it was killed, or everything has stopped before it began."""
    cell.keep.let_nobody_wait(str(cell.exit_reason))
    tell_over(cell)


class _TextActor(Actor):
    """One text. Temporary: a text whose handling or sending has failed half-way is not handled or sent twice (M6)."""

    stands_alone: ClassVar[bool] = False
    when_over: ClassVar[Callable[[Any], object] | None] = staticmethod(_is_over)

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

    With a journal, a handler that was not over when the process has ended is run again by the next one, from its
    beginning. What it had sent or dialled in its turns is not begun again: the n-th time it gets a handle of what it
    had begun the n-th time.
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
        """Send a text back to who sent this one; arguments and return as for `RelayApp.send_message`.

        Args:
            body: the text.
            kwargs: what else it is to have. Unless given, ``from_number`` is the number that was written to, and
                ``context`` that of the text.
        """
        text = self.message
        numbers = {"to_number": text.from_number, "from_number": text.to_number, "context": text.context}
        return self.app.send_message(**{**numbers, "body": body, **kwargs})

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

    Args:
        sent: what became of it, if a former process had it sent.
    """

    def __init__(self, sent: SentText | None = None) -> None:
        super().__init__()
        self._sent = sent
        self._doubt: RelayActorsError | None = None if sent is None else sent.error
        self._asides: list[Flow] = []
        self._is_over = False

    def on_start(self) -> None:
        """Take what is known of it, if a former process has sent it."""
        sent = self._sent
        if sent is not None:
            if not self._kept.is_in_doubt:
                self.on_answered(sent.result, sent.error)
            for event in sent.events:
                self.receive(event)

    def on_answered(self, result: JsonObject | None, error: RelayActorsError | None) -> None:
        """The server has taken the text, or not; or its answer was lost, and an event may still show what it was."""
        kept = self._kept
        if _may_be_sent(error):
            self._doubt = error
            if isinstance(error, RequestTimeoutError):  # otherwise the return of the connection begins the time
                self._wait_in_doubt(kept.office.timing.reconcile_s)
            return
        if error is not None:
            self._end_untaken(error)
            return
        message_id = (result or {}).get("message_id")
        kept.message.message_id = message_id if isinstance(message_id, str) else ""
        kept.sent.try_set(kept.message)
        if not kept.message.message_id:
            _log.warning("a text was accepted without an id: nothing will be heard of it")
            self._is_over = True
            self._stop_if_over()
            return
        self._cell.register(("message", kept.message.message_id))
        # A state may have come before the answer that names the text (PROTOCOL 14.2).
        kept.office.tell_connection(Claim(kept.message.message_id, self._cell.ref, is_call=False))

    def attach(self, on_completed: Callable[[Any], Any]) -> None:
        """Call somebody with the last state, be it known already."""
        self._kept.on_completed = on_completed
        if self._kept.last is not None:
            self._complete(self._kept.last)

    def let_end(self) -> None:
        """End when all is known."""
        self._kept.is_held = False
        self._stop_if_over()

    def receive(self, message: object) -> Any:
        """Follow the states of the text."""
        match message:
            case MessageStateEvent():
                self._on_state(message)
                return None
            case ConnectionRestored(resumed=resumed):
                if not resumed:
                    self._on_session_gone()
                if self._kept.is_in_doubt:  # what the server has to tell of it comes now, if there is anything
                    self._wait_in_doubt(self._kept.office.timing.reconcile_s if resumed else 0.0)
                return None
            case _DoubtOver():
                self._give_up_doubt()
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
        if is_final(kept.message.state, MESSAGE_MOVES) and kept.last is None:  # it may be said again
            self._complete(event)

    def _wait_in_doubt(self, wait_s: float) -> None:
        self.start_timer(_DoubtOver, _DoubtOver(), wait_s)

    def _give_up_doubt(self) -> None:
        """Nothing was heard of a text that was sent, perhaps: it is not sent again (SEMANTICS K6)."""
        kept = self._kept
        # While there is no connection silence says nothing: its return begins the time anew.
        if kept.is_in_doubt and self._doubt is not None and not kept.office.is_cut_off:
            kept.is_in_doubt = False
            self._end_untaken(self._doubt)

    def _end_untaken(self, error: RelayActorsError) -> None:
        """The server has not taken the text, or nobody knows whether it has."""
        kept = self._kept
        is_certain = isinstance(error, CommandRejectedError | NotSentError)
        kept.message.state = MessageState.FAILED if is_certain else MessageState.UNKNOWN
        kept.message.reason = str(error)
        is_news = kept.sent.try_fail(error)  # otherwise everybody was told already that the application has stopped
        kept.done.try_fail(error)
        # Not the text nor its numbers: those are nobody's business.
        if not is_certain:
            self.system.hooks.count("messages.unknown")
            if is_news:
                _log.warning("nobody knows whether a text was sent, it is not sent again name=%s", kept.name)
        elif not kept.is_wanted:  # nobody would ever know of it
            _log.warning("a text was not sent: %s", error)
        end = _untold_end(kept.message)
        self._tell(end)
        self._complete(end)

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
        end = _untold_end(message)
        self._tell(end)
        self._complete(end, "its session is gone")

    def _tell(self, event: MessageStateEvent) -> None:
        for listener in tuple(self._kept.listeners):
            self._call(listener, event, "listener")

    def _complete(self, event: MessageStateEvent, why_unknown: str = "") -> None:
        """Tell the last that is heard of it; with ``why_unknown``, whoever waits for its last state waits in vain."""
        self._kept.last = event
        if self._kept.on_completed is not None:
            self._call(self._kept.on_completed, event, "on_completed")
        if why_unknown:  # last: who goes on after a wait finds that the others have been told
            self._kept.let_nobody_wait(why_unknown)
        self._kept.done.try_set(event)
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
        if self._is_over and not self._asides and not self._kept.is_held:
            self.stop()


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


def _may_be_sent(error: RelayActorsError | None) -> bool:
    """Return whether an error leaves open what has become of a text, and it may still be heard of."""
    return isinstance(error, RequestTimeoutError) or (isinstance(error, ConnectionLostError) and not error.is_final)


def _untold_end(text: TextMessage) -> MessageStateEvent:
    """Return what tells, in place of an event that no server sends, that a text was never taken, or is unknown.

    Or that nothing more is heard of it: with its last state that was.
    """
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
        **({"message_id": text.message_id} if text.message_id else {}),
    }
    return MessageStateEvent.from_payload({"event_type": "messaging.state", "params": params})


class _WrapUp:
    """Whoever has listened for a text's last state has had the time for it."""


class _DoubtOver:
    """What the server could tell of a text of unknown outcome, it has told by now."""
