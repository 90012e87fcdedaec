"""What the connection keeps while its actor is restarted, and what others tell that actor. Layer: hall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from relay_actors.actors.office import Office
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.routing import Parking, Recent, Routes
from relay_actors.errors import RelayActorsError
from relay_actors.journal.base import Store
from relay_actors.protocol.client import ClientProtocol
from relay_actors.runtime.future import Future
from relay_actors.transport.base import Connector

__all__ = ["ChangeContexts", "Disconnect", "Drain", "Wire"]


class Wire:
    """The state of the connection that outlives its actor's crashes.

    Attributes:
        office: everything else.
        protocol: the conversation with the server.
        connector: opens sockets.
        store: the journal, or None.
        calls: who handles inbound calls.
        messages: who handles inbound texts.
        max_active_calls: beyond it, inbound calls are passed on.
        pending: requests that wait for an answer, by request id.
        live: actors of calls that are up, by call id.
        parking: events whose owner is not known yet.
        stale_tags: of dials that have failed.
        ready: settled at the first log in, or with what made it fail.
        ended: settled when nothing is tried any more: with the server's refusal, or None after a shut-down.
        drains: whether inbound calls are declined because the application is about to stop.
        lost_at: since when there has been no connection, on the monotonic clock; None while there is one.
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
        self.store = store
        self.calls = calls
        self.messages = messages
        self.max_active_calls = max_active_calls
        self.pending: dict[str, Outgoing] = {}
        self.live: dict[str, Any] = {}
        self.parking = Parking(office.timing.park_s, office.limits.parked_per_id, office.limits.parked_ids)
        self.stale_tags = Recent(office.limits.parked_ids)
        self.ready: Future[None] = Future(office.dispatcher)
        self.ended: Future[RelayActorsError | None] = Future(office.dispatcher)
        self.is_started = False
        self.drains = False
        self.lost_at: float | None = None
        self.attempts = 0
        self.saved_session = ("", "")


@dataclass(frozen=True, slots=True, eq=False)
class ChangeContexts:
    """Listen to more contexts, or to fewer."""

    contexts: tuple[str, ...]
    adds: bool
    on_answer: Callable[[Any, RelayActorsError | None], None]


@dataclass(frozen=True, slots=True, eq=False)
class Drain:
    """Take no more calls: give all contexts back, and decline what still comes."""


@dataclass(frozen=True, slots=True, eq=False)
class Disconnect:
    """Say goodbye, and try nothing more."""

    done: Future[bool]
