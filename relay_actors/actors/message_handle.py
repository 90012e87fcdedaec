"""What is known of a text, and how others look at it. Layer: hall. Source: PROTOCOL 14; SEMANTICS X17."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Self

from relay_actors.actors.waits import Wait, follow, give_up_after
from relay_actors.errors import RelayActorsError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.events import MessageReceiveEvent, MessageStateEvent, RelayEvent
from relay_actors.protocol.states import MESSAGE_MOVES, MessageState, advance
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.future import Future

if TYPE_CHECKING:
    from relay_actors.actors.office import Office
    from relay_actors.actors.text_turns import TextTurn

__all__ = ["KeptMessage", "MessageHandle", "TextMessage", "TextView"]


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

    @classmethod
    def to_send(cls, params: Mapping[str, Any]) -> Self:
        """Return the text that a request with these params sends, as it is before the server has it."""
        return cls(
            direction="outbound",
            context=_plain(params, "context"),
            from_number=_plain(params, "from_number"),
            to_number=_plain(params, "to_number"),
            body=_plain(params, "body"),
            media=list(params.get("media", ())),
            state=MessageState.QUEUED,
            tags=list(params.get("tags", ())),
        )

    def is_told_of_by(self, event: MessageStateEvent) -> bool:
        """Return whether an event is about a text that says the same, from and to the same, with the same labels."""
        said = (event.from_number, event.to_number, event.body, list(event.media), list(event.tags))
        return said == (self.from_number, self.to_number, self.body, self.media, self.tags)

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
    """What is known of a text, and who waits for it.

    Attributes:
        name: under which the journal knows one that this side sends, until it has a message id and beyond.
        cause: the id of the inbound text whose handler sends it, or "".
        last: what told of the last state, or None; there before anybody is told.
        is_in_doubt: whether it was sent, perhaps, and it is not known yet what became of it; of the connection, but for
            the end of the doubt.
        is_orphaned: whether a former process has been told that the session of this text is gone.
        is_held: whether its actor stays after the end, for a handler that may ask for it.
        turn: of an inbound text, what belongs to its handling.
    """

    __slots__ = (
        "cause",
        "done",
        "is_held",
        "is_in_doubt",
        "is_orphaned",
        "is_wanted",
        "last",
        "listeners",
        "message",
        "name",
        "office",
        "on_completed",
        "sent",
        "turn",
    )

    def __init__(
        self,
        message: TextMessage,
        office: Office,
        on_completed: Callable[[Any], Any] | None = None,
        *,
        name: str = "",
        cause: str = "",
        turn: TextTurn | None = None,
    ) -> None:
        self.message = message
        self.office = office
        self.name = name
        self.cause = cause
        self.is_held = self.is_in_doubt = self.is_orphaned = False
        self.turn = turn
        self.on_completed = on_completed
        self.is_wanted = on_completed is not None
        self.sent: Future[TextMessage] = Future(office.dispatcher)
        self.done: Future[RelayEvent] = Future(office.dispatcher)
        self.last: MessageStateEvent | None = None
        self.listeners: list[Callable[[MessageStateEvent], Any]] = []

    def let_nobody_wait(self, why: str) -> None:
        """Nothing more will be heard of the text."""
        name = self.message.message_id or "(not accepted)"
        self.let_go(RelayActorsError(f"nothing more is heard of message {name}: its actor has ended ({why})"))

    def let_go(self, error: BaseException) -> None:
        """End everything that waits for news of the text with ``error``. Any thread."""
        self.sent.try_fail(error)
        self.done.try_fail(error)


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
        """``received``; or ``queued``, ``initiated``, ``sent``, then ``delivered``, ``undelivered`` or ``failed``.

        Or ``unknown``: nobody knows whether it was sent.
        """
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
        return self._kept.last is not None or self._kept.done.is_settled

    @property
    def result(self) -> RelayEvent | None:
        """The event with its last state, or None."""
        return self._kept.last if self._kept.done.error is None else None

    @property
    def sent(self) -> Future[TextMessage]:
        """Settled when the server has taken the text, or refused it, or when nobody will know any more."""
        self._kept.is_wanted = True
        return self._kept.sent

    def on(self, handler: Callable[[MessageStateEvent], Any]) -> None:
        """Have ``handler(event)`` called with every state; what it raises is logged.

        A text that the server refuses is told as ``failed``, and one of which nobody knows whether it was sent as
        ``unknown``, although no server sends such events. If nothing more will be heard of it, because its session is
        gone, its last state is told once more, with ``lost`` as the reason.

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
            RelayError: in the wait, when the server has refused it; `ConnectionLostError` or `RequestTimeoutError` when
                nobody knows whether it was sent.
            RelayActorsError: in the wait, when nothing more will be heard of it, because its session is gone.
        """
        self._kept.is_wanted = True
        wait: Wait[Any] = Wait(self._dispatcher)
        give_up_after(wait, timeout, self._dispatcher, f"the last state of message {self.message_id}")
        follow(wait, self._kept.done)
        return wait


def _plain(params: Mapping[str, Any], name: str) -> str:
    """Return a text of a request as the wire has it; "" if there is none."""
    # ``str()`` of a member of an enum of texts may be its name, and events tell of what the server was sent.
    return str.__str__(params.get(name, ""))
