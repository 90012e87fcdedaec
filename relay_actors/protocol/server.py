"""The server's side of one connection, with no socket and no clock: text in, happenings and text out.

Layer: ``protocol``, pure. It is the mirror of `ClientProtocol`: it knows the frames, the order of a log-in and what
has been acknowledged, and nothing of calls. The simulator is built around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from relay_actors.errors import ProtocolError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol import frames

__all__ = [
    "AUTH_REQUIRED",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "METHOD_NOT_FOUND",
    "Acknowledged",
    "CommandArrived",
    "Happening",
    "LogInAsked",
    "NonsenseArrived",
    "PingArrived",
    "SentEvent",
    "ServerProtocol",
    "make_event",
]

AUTH_REQUIRED: Final = -32401
"""The client is not logged in, or its credentials or its stored session are not known. Source: PROTOCOL 2.5, 19.1."""

INVALID_PARAMS: Final = -32602
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601

_EXECUTE: Final = "signalwire.execute"


@dataclass(frozen=True, slots=True)
class LogInAsked:
    """The client sent ``signalwire.connect``: answer with `accept_log_in` or `refuse_log_in`."""

    id: object
    params: dict[str, object]


@dataclass(frozen=True, slots=True)
class CommandArrived:
    """A logged-in client asks for something: answer with `respond` or `respond_error`."""

    id: object
    method: str
    params: dict[str, object]


@dataclass(frozen=True, slots=True)
class PingArrived:
    """The client asks whether anybody is there: answer with `respond`."""

    id: object
    params: dict[str, object]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The client has what this side has sent, be it an event, which is not sent again, a ping, or a last word."""

    frame_id: str


@dataclass(frozen=True, slots=True)
class NonsenseArrived:
    """A text that cannot be acted upon.

    Attributes:
        why: holds nothing of its content.
        is_response: it is a response to nothing that waits for one on this connection.
        id: of such a response.
    """

    why: str
    is_response: bool = False
    id: object = None


Happening = LogInAsked | CommandArrived | PingArrived | Acknowledged | NonsenseArrived


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event as it went out, kept until it is acknowledged so that it can be sent again after a resume."""

    frame_id: str
    event_type: str
    text: bytes


class ServerProtocol:
    """One connection of one client, from the server's side.

    Args:
        new_id: makes the ids of this side's requests.

    It does no locking: one thread at a time. Source: PROTOCOL 2, 3, 5, 6.1, 7, 19.1.
    """

    def __init__(self, *, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._outgoing: list[bytes] = []
        self._is_logged_in = False
        self._expects_acks = True
        self._log_in_id: object = None
        self._is_asked_to_log_in = False
        self._wrapped: set[object] = set()
        self._unacknowledged: dict[str, SentEvent] = {}
        self._asked: set[str] = set()

    @property
    def is_logged_in(self) -> bool:
        """Whether a log-in was accepted on this connection."""
        return self._is_logged_in

    @property
    def unacknowledged(self) -> tuple[SentEvent, ...]:
        """The events that the client has not acknowledged, oldest first; empty if it never promised to."""
        return tuple(self._unacknowledged.values())

    def receive_text(self, text: bytes | str) -> list[Happening]:
        """Take one text from the client and return what it means; answers of form go out by `texts_to_send`.

        Never raises, whatever the text is.
        """
        match frames.classify(text):
            case frames.Request(id, method, params):
                return self._request(id, method, params)
            case frames.ResultResponse(id) | frames.ErrorResponse(id):
                return self._response(id)
            case frames.Unreadable(why, id, _):
                if id is not None:
                    self.respond_error(id, INVALID_REQUEST, "Invalid request")
                return [NonsenseArrived(why)]

    def texts_to_send(self) -> list[bytes]:
        """Return, and forget, what is to be written now, in this order."""
        texts, self._outgoing = self._outgoing, []
        return texts

    def accept_log_in(self, result: Mapping[str, object], *, expects_acks: bool = True) -> None:
        """Answer the log-in that was asked for.

        Args:
            result: what PROTOCOL 3.2 lists.
            expects_acks: the client promised to acknowledge events (``event_acks``); if not, none is kept.

        Raises:
            ProtocolError: no log-in has been asked for.
        """
        self.respond(self._take_log_in(), result)
        self._is_logged_in = True
        self._expects_acks = expects_acks

    def refuse_log_in(self, code: int, message: str, data: object = None) -> None:
        """Answer the log-in that was asked for with an error; the client may try again on this connection.

        Raises:
            ProtocolError: no log-in has been asked for.
        """
        self.respond_error(self._take_log_in(), code, message, data)

    def respond(self, request_id: object, result: Mapping[str, object]) -> None:
        """Answer a request. One that wanted no answer (id None) gets none."""
        if request_id is None:
            return
        if _is_key(request_id) and request_id in self._wrapped:
            self._wrapped.discard(request_id)
            result = {"requester_nodeid": "", "responder_nodeid": "", "result": result}
        self._outgoing.append(frames.result(request_id, result))

    def respond_error(self, request_id: object, code: int, message: str, data: object = None) -> None:
        """Answer a request with a JSON-RPC error. One that wanted no answer (id None) gets none."""
        if request_id is None:
            return
        if _is_key(request_id):
            self._wrapped.discard(request_id)
        self._outgoing.append(frames.error(request_id, code, message, data))

    def send_event(
        self, event_type: str, params: Mapping[str, object], outer: Mapping[str, object] | None = None
    ) -> str:
        """Send an event and return its frame id; it is kept until it is acknowledged.

        Args:
            event_type: for example ``calling.call.play``.
            params: the inner params, the event's own data.
            outer: further members of the envelope: ``timestamp``, ``event_channel``, ``project_id``, ``context``, …

        Source: PROTOCOL 7.1.
        """
        event = make_event(self._new_id(), event_type, params, outer)
        self.deliver(event)
        return event.frame_id

    def deliver(self, event: SentEvent) -> None:
        """Send an event that is already made: for the first time, or once more after a resume."""
        if self._expects_acks:
            self._unacknowledged[event.frame_id] = event
        self._outgoing.append(event.text)

    def ping(self, *, timestamp: float) -> str:
        """Ask whether the client is there and return the frame id; ``timestamp`` is in seconds since the epoch."""
        frame_id = self._new_id()
        self._asked.add(frame_id)
        self._outgoing.append(frames.request(frame_id, frames.PING, {"timestamp": timestamp}))
        return frame_id

    def announce_disconnect(self, *, restart: bool) -> str:
        """Tell the client that the connection is about to be closed and return the frame id.

        Args:
            restart: the client is to forget its session. Source: PROTOCOL 6.1.
        """
        frame_id = self._new_id()
        self._asked.add(frame_id)
        self._outgoing.append(frames.request(frame_id, frames.DISCONNECT, {"restart": restart}))
        return frame_id

    def send_raw(self, text: bytes) -> None:
        """Send any text at all, also one that is no frame."""
        self._outgoing.append(text)

    def _request(self, id: object, method: str, params: dict[str, object]) -> list[Happening]:
        if method == frames.CONNECT:
            if self._is_logged_in or self._is_asked_to_log_in:
                self.respond_error(id, INVALID_REQUEST, "Already connected")
                return [NonsenseArrived("a second signalwire.connect on one connection")]
            self._is_asked_to_log_in = True
            self._log_in_id = id
            return [LogInAsked(id, params)]
        if not self._is_logged_in:
            self.respond_error(id, AUTH_REQUIRED, "Authentication required", {"signalwire_error_code": "AUTH_REQUIRED"})
            return [NonsenseArrived(f"{method} before signalwire.connect was accepted")]
        if method == frames.PING:
            return [PingArrived(id, params)]
        if method == _EXECUTE:
            return self._unwrap(id, params)
        return [CommandArrived(id, method, params)]

    def _unwrap(self, id: object, params: dict[str, object]) -> list[Happening]:
        """Take a command out of the older wrapper; its answer will be nested likewise. Source: PROTOCOL 2.1."""
        method, inner = params.get("method"), params.get("params", {})
        if not isinstance(method, str) or not isinstance(inner, dict) or method == _EXECUTE:
            self.respond_error(id, INVALID_PARAMS, "Invalid params", {"signalwire_error_code": "INVALID_PARAMS"})
            return [NonsenseArrived("signalwire.execute without a method and an object of params")]
        if _is_key(id):
            self._wrapped.add(id)
        return [CommandArrived(id, method, inner)]

    def _response(self, id: object) -> list[Happening]:
        if isinstance(id, str) and (id in self._asked or id in self._unacknowledged):
            self._asked.discard(id)
            self._unacknowledged.pop(id, None)
            return [Acknowledged(id)]
        return [NonsenseArrived("a response to nothing that waits for one", is_response=True, id=id)]

    def _take_log_in(self) -> object:
        if not self._is_asked_to_log_in:
            raise ProtocolError("there is no log-in to answer: wait for LogInAsked")
        self._is_asked_to_log_in = False
        return self._log_in_id


def make_event(
    frame_id: str, event_type: str, params: Mapping[str, object], outer: Mapping[str, object] | None = None
) -> SentEvent:
    """Return an event frame with this id, ready to be delivered."""
    envelope: dict[str, object] = {"event_type": event_type, **(outer or {}), "params": params}
    return SentEvent(frame_id, event_type, frames.request(frame_id, frames.EVENT, envelope))


def _is_key(id: object) -> bool:
    """Whether an id can be remembered: any JSON type may come, but only these are hashable and equal to themselves."""
    return isinstance(id, str | int)
