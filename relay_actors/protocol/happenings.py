"""What `ClientProtocol` tells the one who drives it. Layer: ``protocol``, pure.

The driver does them in the order given. `OpenSocket` and `CloseSocket` are orders; the others are news for those who
wait.
"""

from __future__ import annotations

from relay_actors.errors import RelayError
from relay_actors.late_dataclasses import dataclass

__all__ = [
    "AnsweredLate",
    "CloseSocket",
    "ConnectionDown",
    "EventArrived",
    "Happening",
    "Ignored",
    "LogInRefused",
    "LoggedIn",
    "OpenSocket",
    "RequestCancelled",
    "RequestFailed",
    "RequestSucceeded",
]


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """Open a socket; then call `opened` or `open_failed`."""


@dataclass(frozen=True, slots=True)
class CloseSocket:
    """Close the socket now, without waiting for the peer, or give up opening one; with none there, do nothing.

    The protocol has let go of this socket already: it needs no `closed` for it, and ignores one, and texts that still
    come from it.

    Attributes:
        why: for the log.
        normal: say goodbye (WebSocket 1000); if false the peer counts as dead, and the socket is aborted.
    """

    why: str
    normal: bool


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The server accepted the log in; queued requests are on their way.

    Attributes:
        resumed: the session goes on, with its calls; otherwise it is a new one, and events of earlier calls are lost.
        relay_protocol: the name of the session.
    """

    resumed: bool
    relay_protocol: str


@dataclass(frozen=True, slots=True)
class LogInRefused:
    """The server answered the log in, and said no. A local time-out is not this, but `ConnectionDown`.

    Attributes:
        error: the server's code and text, scrubbed.
        final: refused too often without ever having succeeded: nothing is tried any more. Source: PROTOCOL 6.6.
    """

    error: RelayError
    final: bool


@dataclass(frozen=True, slots=True)
class ConnectionDown:
    """There is no connection: it was lost, given up, or could not be opened.

    Attributes:
        why: for the log.
        retry_at: when the next `OpenSocket` is due, on the clock that is passed in; None when none will come.
        was_logged_in: the connection had been in use, so that others have to be told of its loss.
    """

    why: str
    retry_at: float | None
    was_logged_in: bool = False


@dataclass(frozen=True, slots=True)
class EventArrived:
    """The server tells of something. Make it durable, then `acknowledge` it (SEMANTICS J1).

    Attributes:
        frame_id: what to acknowledge; None when the server wants nothing.
        payload: ``params`` of the frame, as it came: ``event_type`` is a non-empty text and the inner ``params``, if
            there are any, an object. Everything else in it is to be mistrusted.
    """

    frame_id: object
    payload: dict[str, object]


@dataclass(frozen=True, slots=True)
class RequestSucceeded:
    """The server accepted a request; ``result`` is the whole result object."""

    request_id: str
    result: dict[str, object]


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """A request came to nothing, or its outcome is unknown; the class of the error tells which (SEMANTICS K6)."""

    request_id: str
    error: RelayError


@dataclass(frozen=True, slots=True)
class AnsweredLate:
    """The answer to a request that had failed with `RequestTimeoutError`: its outcome is known after all.

    Attributes:
        result: what the server gave, or None.
        error: what it said no with, or None.
    """

    request_id: str
    result: dict[str, object] | None
    error: RelayError | None


@dataclass(frozen=True, slots=True)
class RequestCancelled:
    """A request was dropped because the user shut the connection down. Source: PROTOCOL 6.2."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something odd came and was ignored; ``why`` is scrubbed and fit for the log."""

    why: str


Happening = (
    OpenSocket
    | CloseSocket
    | LoggedIn
    | LogInRefused
    | ConnectionDown
    | EventArrived
    | RequestSucceeded
    | RequestFailed
    | AnsweredLate
    | RequestCancelled
    | Ignored
)
