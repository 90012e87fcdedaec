"""Requests between their making and their answer. Layer: ``protocol``, pure.

Two clocks run for each: the caller's patience counts from the making, whether or not there was a connection; the
connection's good name counts from the sending. A request that waited nine seconds in the queue and gets no answer
within one second more has failed for its caller, but says nothing yet about the socket.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from relay_actors.errors import NotSentError

__all__ = ["Pending", "PendingRequests"]


@dataclass(slots=True)
class Pending:
    """One request; ``sent_at`` is None while it is queued."""

    id: str
    method: str
    text: bytes
    made_at: float
    sent_at: float | None = None


class PendingRequests:
    """Finds requests by id, and the ones that are overdue, each in constant time.

    All requests have the same time-out, so the order of making and of sending is also the order of their deadlines, and
    the oldest stands first: no heap is needed, and nothing has to be cancelled.

    Args:
        timeout_s: how long a caller waits, and how long a socket may owe an answer.
        queue_limit: how many requests may wait for a connection.
    """

    def __init__(self, *, timeout_s: float, queue_limit: int) -> None:
        self._timeout_s = timeout_s
        self._queue_limit = queue_limit
        # OrderedDict, not dict: its first item is found at once, also after thousands of removals from the front.
        self._awaited: OrderedDict[str, Pending] = OrderedDict()
        self._queue: OrderedDict[str, Pending] = OrderedDict()
        self._sent: OrderedDict[str, Pending] = OrderedDict()

    @property
    def queued(self) -> int:
        """How many requests wait for a connection."""
        return len(self._queue)

    @property
    def outstanding(self) -> int:
        """How many requests were sent and have somebody who waits for the answer."""
        return len(self._awaited) - len(self._queue)

    def enqueue(self, request: Pending) -> None:
        """Keep ``request`` until there is a connection.

        Raises:
            NotSentError: the queue is full.

        Source: PROTOCOL 6.4.
        """
        if len(self._queue) >= self._queue_limit:
            raise NotSentError(
                f"Execute queue full: {self._queue_limit} requests wait for a connection, so {request.method} was not "
                "sent. Try again once connected."
            )
        self._awaited[request.id] = self._queue[request.id] = request

    def sent(self, request: Pending, now: float, *, awaited: bool = True) -> None:
        """Note that ``request`` goes out now; if not ``awaited`` it is watched for the socket's sake only."""
        request.sent_at = now
        self._sent[request.id] = request
        if awaited:
            self._awaited[request.id] = request

    def take_queue(self, now: float) -> list[Pending]:
        """Return what was queued, in order; it counts as sent."""
        requests = list(self._queue.values())
        self._queue.clear()
        for request in requests:
            self.sent(request, now)
        return requests

    def put_back(self, ids: Iterable[str]) -> None:
        """Return requests that never left this process to the front of the queue, in the order given.

        They may exceed the queue's bound, which is there to refuse new ones. Those that nobody waits for are dropped.
        """
        for request_id in reversed(list(ids)):
            request = self._sent.pop(request_id, None)
            if request is not None and request_id in self._awaited:
                request.sent_at = None
                self._queue[request_id] = request
                self._queue.move_to_end(request_id, last=False)

    def answered(self, request_id: str) -> tuple[Pending, bool] | None:
        """Return the request that an answer belongs to and whether somebody waits, and forget it; None if unknown."""
        request = self._sent.pop(request_id, None)
        if request is None:
            return None
        return request, self._awaited.pop(request_id, None) is not None

    def forget(self, request_id: str) -> bool:
        """Nobody waits any more: a queued request is dropped; of one that is sent, the socket still owes an answer.

        Returns:
            Whether the request was queued, so that now it will never be sent.
        """
        self._awaited.pop(request_id, None)
        return self._queue.pop(request_id, None) is not None

    def expired(self, now: float) -> list[Pending]:
        """Return, and forget, the requests whose callers have waited long enough; queued ones will not be sent."""
        overdue: list[Pending] = []
        while (first := _first(self._awaited)) is not None and first.made_at + self._timeout_s <= now:
            self.forget(first.id)
            overdue.append(first)
        return overdue

    def unanswered(self, now: float) -> Pending | None:
        """Return a request whose answer the socket has owed for the whole time-out: it is probably half-open.

        Source: PROTOCOL 2.6.
        """
        first = _first(self._sent)
        return first if first is not None and _sent_at(first) + self._timeout_s <= now else None

    def lose(self) -> list[Pending]:
        """Return, and forget, the requests that were sent and waited for; queued ones stay. Source: PROTOCOL 6.3."""
        lost = [request for request in self._sent.values() if self._awaited.pop(request.id, None) is not None]
        self._sent.clear()
        return lost

    def clear(self) -> list[Pending]:
        """Return, and forget, every request that somebody waits for, oldest first."""
        requests = list(self._awaited.values())
        for requests_by_id in (self._awaited, self._queue, self._sent):
            requests_by_id.clear()
        return requests

    def next_deadline(self) -> float | None:
        """Return when `expired` or `unanswered` will next have something to say."""
        awaited, sent = _first(self._awaited), _first(self._sent)
        if sent is None:
            return None if awaited is None else awaited.made_at + self._timeout_s
        if awaited is None:
            return _sent_at(sent) + self._timeout_s
        return min(awaited.made_at, _sent_at(sent)) + self._timeout_s


def _first(requests: OrderedDict[str, Pending]) -> Pending | None:
    return next(iter(requests.values()), None)


def _sent_at(request: Pending) -> float:
    return request.made_at if request.sent_at is None else request.sent_at
