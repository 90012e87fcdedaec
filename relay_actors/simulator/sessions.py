"""What outlives a socket: a client's session, its contexts, and the events that it has not had yet. Layer: simulator.

Source: PROTOCOL 3.5, 7.2, 19.1.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from relay_actors.protocol import frames
from relay_actors.protocol.server import SentEvent, ServerProtocol
from relay_actors.simulator.acks import Acks
from relay_actors.simulator.faults import Direction
from relay_actors.simulator.links import Link

__all__ = ["Connection", "Lane", "Session", "Sessions"]

QUEUE_BOUND: Final = 10_000
"""How many events wait for a client that is away; the oldest are lost first."""

ASKED_BOUND: Final = 1000
"""Of how many requests of a connection it is remembered what they asked for."""


class Lane:
    """What waits to cross one connection in one direction, in order.

    Attributes:
        waiting: texts, each with the time from which on it may cross (monotonic seconds); None: the client is gone.
        holds: how many faults let nothing cross at all.
    """

    def __init__(self) -> None:
        self.waiting: deque[tuple[float, bytes | None]] = deque()
        self.holds = 0

    @property
    def is_free(self) -> bool:
        """Whether nothing waits, and nothing is held."""
        return not self.waiting and not self.holds


class Connection:
    """One socket of one client, before and after it has logged in.

    Args:
        link: carries the texts.
        protocol: makes and reads them.
        flush: asked, inside a turn, to write what the protocol has to say when the turn ends.
        acks: what the client has to acknowledge.
        now: monotonic seconds.

    Attributes:
        lanes: what does not cross yet.
        undisturbed_since: since when nothing has waited to cross (monotonic seconds).
    """

    def __init__(
        self,
        link: Link,
        protocol: ServerProtocol,
        flush: Callable[[Connection], None],
        *,
        acks: Acks,
        now: Callable[[], float],
    ) -> None:
        self.link = link
        self.protocol = protocol
        self.session: Session | None = None
        self.is_open = True
        self.acks = acks
        self.lanes: dict[Direction, Lane] = {"in": Lane(), "out": Lane()}
        self.undisturbed_since = now()
        self._asked: OrderedDict[str, str] = OrderedDict()
        self._flush = flush
        self._now = now

    def asks(self, request_id: object, method: str) -> None:
        """Note what a request asks for, so that its answer can be told from others."""
        if isinstance(request_id, str):
            self._asked[request_id] = method
            if len(self._asked) > ASKED_BOUND:
                self._asked.popitem(last=False)

    def asked_by(self, request_id: object) -> str:
        """Return the method of a request; empty if nobody remembers it."""
        return self._asked.get(request_id, "") if isinstance(request_id, str) else ""

    def ping(self, timestamp: float) -> None:
        """Ask whether the client is there."""
        frame_id = self.protocol.ping(timestamp=timestamp)
        self.acks.expect(frame_id, frames.PING, now=self._now(), is_event=False)
        self._flush(self)

    def announce_disconnect(self, *, restart: bool) -> None:
        """Tell the client that the connection is about to be closed."""
        frame_id = self.protocol.announce_disconnect(restart=restart)
        self.acks.expect(frame_id, frames.DISCONNECT, now=self._now(), is_event=False)
        self._flush(self)

    def send_raw(self, text: bytes) -> None:
        """Send any text at all."""
        # What is too large to be read is not looked at: nobody answers it.
        match frames.classify(text if len(text) <= frames.LARGEST_BYTES else b""):
            case frames.Request(id, method, params) if id is not None:
                is_event = method == frames.EVENT
                name = str(params.get("event_type")) if is_event else method
                self.acks.expect(id, name, now=self._now(), is_event=is_event)
        self.protocol.send_raw(text)
        self._flush(self)

    def deliver(self, event: SentEvent) -> None:
        """Send an event."""
        self.acks.expect(event.frame_id, event.event_type, now=self._now())
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
        is_expired: its authorization is no longer taken, until the client logs in anew; ``closes_expired``: whoever
            asks for something is told so, and the connection closed.
    """

    def __init__(self, name: str, *, project: str, session_id: str, identity: str) -> None:
        self.name = name
        self.project = project
        self.session_id = session_id
        self.identity = identity
        self.contexts: dict[str, None] = {}
        self.connection: Connection | None = None
        self.is_expired = False
        self.closes_expired = False
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
