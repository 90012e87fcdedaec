"""Requests between their making and their answer. Layer: ``protocol``, pure.

A caller's patience counts from the making of a request, whether or not there was a connection; how long the server
has owed its answer counts from the sending. Neither condemns a connection: a server may be slow with one command and
quite well. But an answer that is owed for half of the time-out is a reason to ask, by a ping, whether anybody is there.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Iterable

from relay_actors.errors import NotSentError, RelayError, RequestTimeoutError
from relay_actors.late_dataclasses import dataclass

__all__ = ["Pending", "PendingRequests", "Standing"]


@dataclass(slots=True)
class Pending:
    """One request.

    Attributes:
        id: under which the answer will come.
        method: of the wire.
        text: of the whole frame.
        made_at: when its caller has begun to wait.
        sent_at: None while it is queued.
        is_overdue: whether it was sent, and its caller told that no answer came in time.
    """

    id: str
    method: str
    text: bytes
    made_at: float
    sent_at: float | None = None
    is_overdue: bool = False


class Standing(enum.Enum):
    """What an answer finds when it comes."""

    AWAITED = "somebody waits for it"
    LATE = "its caller has been told that it did not come in time"
    FORGOTTEN = "nobody wants to know"


_AWAITED, _LATE, _FORGOTTEN = Standing  # looked up once: a member of an enum costs as much as two calls


class PendingRequests:
    """Finds requests by id, and the ones that are overdue, each in constant time.

    All requests have the same time-out, so the order of making and of sending is also the order of their deadlines, and
    the oldest stands first: no heap is needed, and nothing has to be cancelled.

    Args:
        timeout_s: how long a caller waits.
        queue_limit: how many requests may wait for a connection; and how many that have timed out are remembered, so
            that their answers can still be told.
    """

    def __init__(self, *, timeout_s: float, queue_limit: int) -> None:
        self._timeout_s = timeout_s
        self._queue_limit = queue_limit
        self._more = 0
        # OrderedDict, not dict: its first item is found at once, also after thousands of removals from the front.
        self._awaited: OrderedDict[str, Pending] = OrderedDict()
        self._queue: OrderedDict[str, Pending] = OrderedDict()
        self._late: OrderedDict[str, Pending] = OrderedDict()
        # Of what was sent each is in one of these two, so that sending and answering touch few tables.
        self._vouched: dict[str, Pending] = {}
        """Sent before the last ping."""
        self._doubtful: OrderedDict[str, Pending] = OrderedDict()
        """Sent after the last ping, overdue or not: nothing vouches for the connection since."""

    @property
    def queued(self) -> int:
        """How many requests wait for a connection."""
        return len(self._queue)

    @property
    def outstanding(self) -> int:
        """How many requests were sent and have somebody who waits for the answer."""
        return len(self._awaited) - len(self._queue)

    def is_queued(self, request_id: str) -> bool:
        """Return whether a request waits for a connection."""
        return request_id in self._queue

    def expect_more(self, requests: int) -> None:
        """Take so many more than the bound says, until the queue has been emptied once."""
        self._more = requests

    def enqueue(self, request: Pending) -> None:
        """Keep ``request`` until there is a connection.

        Raises:
            NotSentError: the queue is full.

        Source: PROTOCOL 6.4.
        """
        if len(self._queue) >= self._queue_limit + self._more:
            raise NotSentError(
                f"Execute queue full: {self._queue_limit} requests wait for a connection, so {request.method} was not "
                "sent. Try again once connected."
            )
        self._awaited[request.id] = self._queue[request.id] = request

    def sent(self, request: Pending, now: float) -> None:
        """Note that ``request`` goes out now."""
        request.sent_at = now
        self._awaited[request.id] = self._doubtful[request.id] = request

    def take_queue(self, now: float) -> list[Pending]:
        """Return what was queued, in order; it counts as sent."""
        requests = list(self._queue.values())
        self._queue.clear()
        self._more = 0
        for request in requests:
            self.sent(request, now)
        return requests

    def put_back(self, ids: Iterable[str]) -> None:
        """Return requests that never left this process to the front of the queue, in the order given.

        They may exceed the queue's bound, which is there to refuse new ones. Those that nobody waits for are dropped.
        """
        for request_id in reversed(list(ids)):
            request = self._doubtful.pop(request_id, None) or self._vouched.pop(request_id, None)
            if request is not None and request_id in self._awaited:
                request.sent_at = None
                self._queue[request_id] = request
                self._queue.move_to_end(request_id, last=False)

    def answered(self, request_id: str) -> tuple[Pending, Standing] | None:
        """Return the request that an answer belongs to and who wants it, and forget it; None if unknown."""
        # An ordered dictionary deletes in half the time that it takes to pop.
        request = self._doubtful.get(request_id)
        if request is None:
            request = self._vouched.pop(request_id, None)
        else:
            del self._doubtful[request_id]
        if request is None or request.is_overdue:
            late = self._late.pop(request_id, None)
            return None if late is None else (late, _LATE)
        if request_id not in self._awaited:
            return request, _FORGOTTEN
        del self._awaited[request_id]
        return request, _AWAITED

    def forget(self, request_id: str) -> bool:
        """Nobody waits any more: a queued request is dropped; of one that is sent, the server still owes an answer.

        Returns:
            Whether the request was queued, so that now it will never be sent.
        """
        self._awaited.pop(request_id, None)
        return self._queue.pop(request_id, None) is not None

    def expired(self, now: float) -> list[Pending]:
        """Return the requests whose callers have waited long enough.

        Those that are queued (their ``sent_at`` is None) will not be sent. Of those that were sent an answer may still
        come, late.
        """
        overdue: list[Pending] = []
        while (first := _first(self._awaited)) is not None and first.made_at + self._timeout_s <= now:
            self.forget(first.id)
            if first.sent_at is not None:
                first.is_overdue = True
                self._vouched.pop(first.id, None)
                self._late[first.id] = first
                if len(self._late) > self._queue_limit:
                    self._late.popitem(last=False)
            overdue.append(first)
        return overdue

    def time_out(self, request: Pending) -> RelayError:
        """Return what its caller is told: what never left this process was certainly not done (SEMANTICS K6, K7)."""
        if request.sent_at is not None:
            return RequestTimeoutError(request.method)
        waited = f"there was no connection for {self._timeout_s:g} s"
        return NotSentError(f"Request timeout for {request.method}: it was not sent, {waited}")

    def probe_at(self) -> float | None:
        """Return when it is time to ask whether anybody is there: an answer will be owed for half of the time-out.

        None when nothing is owed, or what is owed is older than the last ping, which has asked that.
        """
        for first in self._doubtful.values():
            return _sent_at(first) + self._timeout_s / 2
        return None

    def probed(self) -> None:
        """A ping goes out: its answer vouches for all that was sent before."""
        self._vouched.update((request.id, request) for request in self._doubtful.values() if not request.is_overdue)
        self._doubtful.clear()

    def lose(self) -> list[Pending]:
        """Return, and forget, the requests that were sent and waited for; queued ones stay. Source: PROTOCOL 6.3."""
        sent = (*self._vouched.values(), *self._doubtful.values())
        lost = [request for request in sent if self._awaited.pop(request.id, None) is not None]
        for requests_by_id in (self._vouched, self._doubtful, self._late):
            requests_by_id.clear()
        return lost

    def clear(self) -> list[Pending]:
        """Return, and forget, every request that somebody waits for, oldest first."""
        requests = list(self._awaited.values())
        for requests_by_id in (self._awaited, self._queue, self._vouched, self._doubtful, self._late):
            requests_by_id.clear()
        return requests

    def next_deadline(self) -> float | None:
        """Return when `expired` will next have something to say."""
        for first in self._awaited.values():  # a loop that ends at once costs less than a call that finds the first
            return first.made_at + self._timeout_s
        return None


def _first(requests: OrderedDict[str, Pending]) -> Pending | None:
    return next(iter(requests.values()), None)


def _sent_at(request: Pending) -> float:
    return request.made_at if request.sent_at is None else request.sent_at
