"""What the connection keeps while its actor is restarted, and what others tell that actor. Layer: hall."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from relay_actors.actors.holding import Holding
from relay_actors.actors.journaling import Journaling
from relay_actors.actors.leaving import Leave, Leaving
from relay_actors.actors.office import Office
from relay_actors.actors.outgoing import LastWord, Outgoing
from relay_actors.actors.routing import Parking, Recent, Roster, Routes
from relay_actors.actors.text_turns import TextTurn
from relay_actors.errors import NotSentError, RelayActorsError
from relay_actors.journal.base import Store
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol import happenings as h
from relay_actors.protocol.client import ClientProtocol
from relay_actors.protocol.events import RelayEvent
from relay_actors.runtime.future import Future
from relay_actors.transport.base import Connector, Transport

__all__ = [
    "ChangeContexts",
    "Connect",
    "Consult",
    "Disconnect",
    "Drain",
    "Route",
    "Safe",
    "Step",
    "Wire",
    "settle_refused",
]


class Wire:
    """The state of the connection that outlives its actor's crashes.

    Attributes:
        office: everything else.
        protocol: the conversation with the server.
        connector: opens sockets.
        journal: what must survive this process.
        calls: who handles inbound calls.
        messages: who handles inbound texts.
        max_active_calls: beyond it, inbound calls are passed on.
        pending: requests that wait for an answer, or to be sent, by request id.
        late: requests that have timed out on the connection there is, and whose answer is still of use, by request id.
        last_words: those that were not taken, and are said again after the next log in, by call id.
        holding: commands that must not overtake one that may have been lost.
        live: the actors of calls and texts that are up.
        parking: events whose owner is not known yet.
        tags: of dials, by the call ids of legs that have not won.
        stale_tags: of dials that are over.
        given_up_tags: of those among them that the server may still believe in.
        gone: ids of calls and texts that were turned away or whose actor has ended: late news of them is no news.
        ended_calls: those among them that have ended for good, and cannot be offered again.
        text_turns: inbound texts of which the journal is to know as long as they are not handled, by message id.
        texts_in_doubt: the actors of texts that were sent, perhaps.
        told: what the protocol has told and nobody has looked at yet.
        kept: how many of those are in the journal already, after a crash of who looks at them.
        todo: what remains to be done of what was looked at; its events are durable.
        opened: sockets that were opened and not taken over yet.
        attempts: how often a socket was asked for; only the last attempt counts.
        ready: settled at the first log in, or with what made it fail.
        ended: settled when nothing is tried any more: with the error that ended it, or None after a shut-down.
        drains: whether inbound calls are declined because the application is about to stop.
        lost_at: since when there has been no connection, on the monotonic clock; None while there is one.
        last_problem: why there was no connection the last time.
        broken: what has made it impossible to go on; None as long as there is hope.
        leaving: set when the calls are being left, or have been left, to the next process.
    """

    def __init__(
        self,
        office: Office,
        protocol: ClientProtocol,
        connector: Connector,
        *,
        store: Store | None,
        calls: Routes[Any],
        messages: Routes[Any],
        max_active_calls: int,
    ) -> None:
        self.office = office
        self.protocol = protocol
        self.connector = connector
        self.journal = Journaling(store, office.system.clock)
        self.calls = calls
        self.messages = messages
        self.max_active_calls = max_active_calls
        self.pending: dict[str, Outgoing] = {}
        self.late: OrderedDict[str, Outgoing] = OrderedDict()
        self.last_words: dict[str, LastWord] = {}
        self.holding = Holding(office.timing.request_timeout_s, office.limits.queued_requests)
        self.live = Roster()
        self.parking = Parking(office.timing.park_s, office.limits.parked_per_id, office.limits.parked_ids)
        self.tags: OrderedDict[str, str] = OrderedDict()
        self.stale_tags = Recent(office.limits.parked_ids)
        self.given_up_tags = Recent(office.limits.parked_ids)
        self.gone = Recent(office.limits.parked_ids)
        self.ended_calls = Recent(office.limits.parked_ids)
        self.text_turns: dict[str, TextTurn] = {}
        self.texts_in_doubt: list[Any] = []
        self.told: deque[h.Happening] = deque()
        self.kept = 0
        self.todo: deque[Step] = deque()
        self.opened: deque[Transport] = deque()
        self.attempts = 0
        self.ready: Future[None] = Future(office.dispatcher)
        self.ended: Future[RelayActorsError | None] = Future(office.dispatcher)
        self.is_started = False
        self.drains = False
        self.lost_at: float | None = None
        self.last_problem = ""
        self.broken: RelayActorsError | None = None
        self.leaving: Leaving | None = None

    def note_leg(self, call_id: str, tag: str) -> None:
        """Know of which dial a leg is, whatever it tells next; of as many as may be parked, the oldest is forgotten."""
        self.tags[call_id] = tag
        if len(self.tags) > self.office.limits.parked_ids:
            self.tags.popitem(last=False)

    def await_late(self, request_id: str, outgoing: Outgoing) -> None:
        """Remember a request that has timed out; of as many as may be queued, the oldest is forgotten first."""
        if outgoing.on_late is not None:
            self.late[request_id] = outgoing
            if len(self.late) > self.office.limits.queued_requests:
                self.late.popitem(last=False)

    def forget_late(self, subject: str) -> None:
        """Nobody wants late answers about that any more."""
        if self.late:
            for request_id in [known for known, outgoing in self.late.items() if outgoing.subject == subject]:
                del self.late[request_id]

    def forget(self, subject: str, cause: str = "") -> None:
        """Keep nothing more in the journal of what is over.

        Args:
            subject: what.
            cause: the id of the inbound text whose handler has begun it, or "". As long as that handler may be run
                again, it has to be known that it was begun.
        """
        if subject in self.last_words or subject in self.text_turns:  # the next process has to know of that
            return
        turn = self.text_turns.get(cause)
        if turn is None:
            self.journal.forget(subject)
        else:
            turn.subjects.append(subject)

    def release(self, error: RelayActorsError) -> None:
        """Nothing is tried any more: let nobody wait. Idempotent."""
        pending, self.pending = self.pending, {}
        self.late.clear()
        self.holding.clear()
        last_words, self.last_words = self.last_words, {}
        for outgoing in (*pending.values(), *last_words.values()):
            outgoing.on_answer(None, error)
        self.drop_opened()
        self.ready.try_fail(error)

    def drop_opened(self) -> None:
        """Nobody will take over the sockets that were opened. Any thread."""
        while True:
            try:
                transport = self.opened.popleft()
            except IndexError:
                return
            transport.abort()


@dataclass(frozen=True, slots=True)
class Safe:
    """The events with these frame ids are durable, so that they can be acknowledged."""

    frame_ids: Sequence[object]


Step: TypeAlias = (
    Safe
    | RelayEvent
    | h.OpenSocket
    | h.CloseSocket
    | h.LoggedIn
    | h.LogInRefused
    | h.ConnectionDown
    | h.RequestSucceeded
    | h.RequestFailed
    | h.AnsweredLate
    | h.RequestCancelled
    | h.Ignored
)
"""What the connection does one after the other: what the protocol tells, with events made safe and parsed."""


@dataclass(frozen=True, slots=True, eq=False)
class Connect:
    """Open the connection, and keep it open."""


@dataclass(frozen=True, slots=True, eq=False)
class Consult:
    """Let something be looked up in the journal, which only the connection may touch.

    Attributes:
        look: is given what the connection keeps; in its turn.
        done: settled with what ``look`` returns, or raises.
    """

    look: Callable[[Wire], Any]
    done: Future[Any]

    def answer(self, wire: Wire) -> None:
        """Look it up. In the connection's turn."""
        try:
            self.done.try_set(self.look(wire))
        except Exception as error:  # noqa: BLE001  # who looks is told; what cannot be read may still be written
            self.done.try_fail(error)


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """Bring events to their owners that the journal has kept, and that nobody had been told."""

    events: tuple[RelayEvent, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ChangeContexts:
    """Listen to more contexts, or to fewer."""

    contexts: tuple[str, ...]
    adds: bool
    on_answer: Callable[[Any, RelayActorsError | None], None]


@dataclass(frozen=True, slots=True, eq=False)
class Drain:
    """Take no more calls: give all contexts back, and decline what still comes.

    Attributes:
        done: settled when that is in force.
    """

    done: Future[bool]


@dataclass(frozen=True, slots=True, eq=False)
class Disconnect:
    """Say goodbye, and try nothing more."""

    done: Future[bool]


def settle_refused(message: object) -> None:
    """Tell who waits that the connection has ended, or had too much to do, before it came to what it was told."""
    match message:
        case Outgoing() | ChangeContexts():
            what = message.method if isinstance(message, Outgoing) else "a change of contexts"
            message.on_answer(None, NotSentError(f"{what} was not sent: the connection has ended, or is overloaded"))
        case Drain(done=done) | Disconnect(done=done) | Leave(done=done):
            done.try_set(False)
        case Consult(done=done):
            done.try_fail(NotSentError("the journal cannot be looked at: the connection has ended"))
