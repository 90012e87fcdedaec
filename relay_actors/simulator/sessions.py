"""What outlives a socket: a client's session, its contexts, and the events that it has not had yet. Layer: simulator.

Source: PROTOCOL 3.5, 7.2, 19.1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from relay_actors.protocol.server import SentEvent, ServerProtocol
from relay_actors.simulator.links import Link

__all__ = ["Connection", "Session", "Sessions"]

QUEUE_BOUND: Final = 10_000
"""How many events wait for a client that is away; the oldest are lost first."""


class Connection:
    """One socket of one client, before and after it has logged in.

    Args:
        link: carries the texts.
        protocol: makes and reads them.
        flush: asked, inside a turn, to write what the protocol has to say when the turn ends.
    """

    def __init__(self, link: Link, protocol: ServerProtocol, flush: Callable[[Connection], None]) -> None:
        self.link = link
        self.protocol = protocol
        self.session: Session | None = None
        self.is_open = True
        self._flush = flush

    def deliver(self, event: SentEvent) -> None:
        """Send an event."""
        self.protocol.deliver(event)
        self._flush(self)

    def respond(self, request_id: object, result: Mapping[str, object]) -> None:
        """Answer a request."""
        self.protocol.respond(request_id, result)
        self._flush(self)

    def respond_error(self, request_id: object, code: int, message: str, data: object = None) -> None:
        """Answer a request with a JSON-RPC error."""
        self.protocol.respond_error(request_id, code, message, data)
        self._flush(self)

    def flush(self) -> None:
        """Have what the protocol has to say written when the turn ends."""
        self._flush(self)


class Session:
    """One client, over however many sockets: what a resume takes over.

    Attributes:
        name: the protocol string, which the client sends back to resume.
        project: whose session it is.
        contexts: the subscriptions, in the order in which they came.
        connection: the socket, or None while the client is away.
    """

    def __init__(self, name: str, *, project: str, session_id: str, identity: str) -> None:
        self.name = name
        self.project = project
        self.session_id = session_id
        self.identity = identity
        self.contexts: dict[str, None] = {}
        self.connection: Connection | None = None
        self.log_ins = 0
        self._waiting: deque[SentEvent] = deque(maxlen=QUEUE_BOUND)

    @property
    def is_attached(self) -> bool:
        """Whether a socket is there."""
        return self.connection is not None

    @property
    def unacknowledged(self) -> list[str]:
        """The frame ids of events that were sent, or wait to be sent, and were not acknowledged, oldest first."""
        on_the_wire = self.connection.protocol.unacknowledged if self.connection else ()
        return [event.frame_id for event in (*on_the_wire, *self._waiting)]

    def subscribe(self, contexts: Iterable[str]) -> None:
        """Add contexts whose calls and messages this client gets."""
        self.contexts.update(dict.fromkeys(contexts))

    def unsubscribe(self, contexts: Iterable[str]) -> None:
        """Take contexts away; calls that run are not touched. Source: PROTOCOL 4."""
        for context in contexts:
            self.contexts.pop(context, None)

    def deliver(self, event: SentEvent) -> None:
        """Send an event, or keep it for the next socket."""
        if self.connection is None:
            self._waiting.append(event)
        else:
            self.connection.deliver(event)

    def attach(self, connection: Connection) -> None:
        """Go on over a new socket: what was never acknowledged, and what came meanwhile, is sent again."""
        self.connection = connection
        connection.session = self
        self.log_ins += 1

    def deliver_waiting(self) -> None:
        """Send what waited for this socket."""
        waiting, self._waiting = list(self._waiting), deque(maxlen=QUEUE_BOUND)
        for event in waiting:
            self.deliver(event)

    def detach(self) -> None:
        """Learn that the socket is gone; what it had not acknowledged waits for the next one."""
        if self.connection is None:
            return
        self._waiting.extendleft(reversed(self.connection.protocol.unacknowledged))
        self.connection = None


class Sessions:
    """Every session that has not been forgotten, by its protocol string."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._by_name: dict[str, Session] = {}

    def open(self, project: str) -> Session:
        """Make a session with a protocol string of its own."""
        name = f"signalwire_{self._new_id().replace('-', '')[:16]}_{self._new_id()}_{self._new_id()[:8]}"
        session = Session(name, project=project, session_id=self._new_id(), identity=f"{self._new_id()}@us-east")
        self._by_name[name] = session
        return session

    def close(self, session: Session) -> None:
        """Forget one session."""
        self._by_name.pop(session.name, None)

    def find(self, name: str) -> Session | None:
        """Return the session of a protocol string, or None when nobody knows it."""
        return self._by_name.get(name)

    def all(self) -> list[Session]:
        """Return all sessions, oldest first."""
        return list(self._by_name.values())

    def forget(self) -> None:
        """Know no session any more: a resume will be refused."""
        self._by_name.clear()
