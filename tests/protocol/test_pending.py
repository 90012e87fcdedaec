"""Requests are found by id, and overdue ones at once."""

from __future__ import annotations

import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from relay_actors.errors import NotSentError
from relay_actors.protocol.pending import Pending, PendingRequests, Standing
from tests.support.thorough import less


def _requests(*, limit: int = 500) -> PendingRequests:
    return PendingRequests(timeout_s=10.0, queue_limit=limit)


def _made(request_id: str, at: float) -> Pending:
    return Pending(request_id, "calling.play", request_id.encode(), at)


def _ids(requests: list[Pending]) -> list[str]:
    return [request.id for request in requests]


def test_the_queue_refuses_one_request_too_many():
    requests = _requests(limit=2)
    requests.enqueue(_made("a", 0.0))
    requests.enqueue(_made("b", 0.0))
    with pytest.raises(NotSentError, match="Execute queue full") as caught:
        requests.enqueue(_made("c", 0.0))
    assert caught.value.message.startswith("Execute queue full")
    assert _ids(requests.take_queue(1.0)) == ["a", "b"]


def test_the_queue_comes_out_in_order_and_once():
    requests = _requests()
    for request_id in "abc":
        requests.enqueue(_made(request_id, 0.0))
    assert (requests.queued, requests.outstanding) == (3, 0)
    assert _ids(requests.take_queue(1.0)) == ["a", "b", "c"]
    assert (requests.queued, requests.outstanding) == (0, 3)
    assert requests.take_queue(1.0) == []


def test_a_caller_waits_from_the_making_and_the_server_owes_from_the_sending():
    """A request that aged in the queue says nothing yet about the fresh connection it went out on."""
    requests = _requests()
    requests.enqueue(_made("a", 0.0))
    requests.take_queue(9.0)
    assert requests.next_deadline() == 10.0
    assert requests.probe_at() == 14.0
    assert _ids(requests.expired(10.0)) == ["a"]
    assert requests.next_deadline() is None
    assert requests.probe_at() == 14.0


def test_what_expires_in_the_queue_was_never_sent_and_what_was_sent_may_still_be_answered():
    requests = _requests()
    requests.sent(_made("a", 0.0), 0.0)
    requests.enqueue(_made("b", 0.0))
    assert [(request.id, request.sent_at) for request in requests.expired(10.0)] == [("a", 0.0), ("b", None)]
    assert requests.answered("b") is None
    answered = requests.answered("a")
    assert answered is not None
    assert answered[1] is Standing.LATE
    assert requests.answered("a") is None


def test_a_late_answer_owes_nothing_any_more():
    requests = _requests()
    requests.sent(_made("a", 0.0), 0.0)
    requests.expired(10.0)
    requests.answered("a")
    assert requests.probe_at() is None


def test_as_many_late_answers_are_awaited_as_there_is_room_in_the_queue():
    """A server that answers nothing must not fill the memory."""
    requests = _requests(limit=2)
    for request_id in "abc":
        requests.sent(_made(request_id, 0.0), 0.0)
    requests.expired(10.0)
    assert [requests.answered(request_id) is not None for request_id in "abc"] == [False, True, True]


def test_a_ping_vouches_for_what_was_sent_before_it():
    requests = _requests()
    requests.sent(_made("a", 0.0), 0.0)
    requests.probed()
    assert requests.probe_at() is None
    requests.sent(_made("b", 3.0), 3.0)
    assert requests.probe_at() == 8.0
    requests.answered("b")
    assert requests.probe_at() is None


def test_an_answer_is_taken_once():
    requests = _requests()
    requests.sent(_made("a", 0.0), 0.0)
    answered = requests.answered("a")
    assert answered is not None
    assert answered[1] is Standing.AWAITED
    assert requests.answered("a") is None


def test_a_queued_request_cannot_be_answered():
    """A server that guesses an id must not settle what it was never asked."""
    requests = _requests()
    requests.enqueue(_made("a", 0.0))
    assert requests.answered("a") is None
    assert requests.queued == 1


def test_forgetting_drops_a_queued_request_and_only_tells_of_a_sent_one():
    requests = _requests()
    requests.sent(_made("a", 0.0), 0.0)
    requests.enqueue(_made("b", 0.0))
    assert requests.forget("b") is True
    assert requests.forget("a") is False
    assert requests.forget("unknown") is False
    assert (requests.queued, requests.outstanding) == (0, 0)
    assert requests.take_queue(0.0) == []
    answered = requests.answered("a")
    assert answered is not None
    assert answered[1] is Standing.FORGOTTEN


def test_what_never_left_goes_back_to_the_front_in_order():
    requests = _requests(limit=1)
    requests.sent(_made("gone", 0.0), 0.0)
    for request_id in "abc":
        requests.sent(_made(request_id, 1.0), 1.0)
    requests.enqueue(_made("z", 2.0))
    requests.forget("b")
    requests.put_back(["a", "b", "c"])
    assert _ids(requests.lose()) == ["gone"]
    assert _ids(requests.take_queue(3.0)) == ["a", "c", "z"]


def test_loss_takes_the_sent_requests_and_leaves_the_queue():
    requests = _requests()
    requests.sent(_made("a", 0.0), 0.0)
    requests.sent(_made("forgotten", 0.0), 0.0)
    requests.forget("forgotten")
    requests.enqueue(_made("b", 0.0))
    assert _ids(requests.lose()) == ["a"]
    assert requests.lose() == []
    assert (requests.queued, requests.outstanding) == (1, 0)


def test_clearing_gives_everything_that_is_waited_for_oldest_first():
    requests = _requests()
    requests.sent(_made("a", 0.0), 0.0)
    requests.sent(_made("forgotten", 0.0), 0.0)
    requests.forget("forgotten")
    requests.enqueue(_made("b", 1.0))
    assert _ids(requests.clear()) == ["a", "b"]
    assert requests.next_deadline() is None


def test_a_hundred_thousand_requests_cost_no_more_each_than_ten():
    """Deadlines are looked at after every frame; a search or a sparse table would make a busy client crawl.

    The bound is a hundred times what it takes: a quadratic structure would need minutes.
    """
    requests = _requests()
    begun = time.perf_counter()
    for number in range(100_000):
        requests.sent(_made(str(number), 0.0), 0.0)
    for number in range(100_000):
        requests.answered(str(number))
        requests.next_deadline()
        requests.probe_at()
    assert time.perf_counter() - begun < 30.0


class PendingModel(RuleBasedStateMachine):
    """Against a list that is searched: the same answers, whatever the order of things."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = _requests()
        self.now = 0.0
        self.next_id = 0
        self.model: list[Pending] = []
        self.awaited: set[str] = set()
        self.late: set[str] = set()
        self.vouched: set[str] = set()

    def _new(self) -> Pending:
        self.next_id += 1
        request = _made(str(self.next_id), self.now)
        self.model.append(request)
        self.awaited.add(request.id)
        return request

    @rule(seconds=st.sampled_from([0.0, 0.5, 4.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: not any(request.sent_at is None for request in self.model))
    @rule()
    def send(self) -> None:
        self.requests.sent(self._new(), self.now)

    @rule()
    def enqueue(self) -> None:
        self.requests.enqueue(self._new())

    @rule()
    def flush(self) -> None:
        expected = [request.id for request in self.model if request.sent_at is None]
        assert _ids(self.requests.take_queue(self.now)) == expected

    @rule(data=st.data())
    @precondition(lambda self: self.model)
    def answer(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(self.model))
        if request.sent_at is None:
            assert self.requests.answered(request.id) is None
            return
        standing = Standing.AWAITED if request.id in self.awaited else Standing.FORGOTTEN
        if request.id in self.late:
            standing = Standing.LATE
        assert self.requests.answered(request.id) == (request, standing)
        self._drop([request])

    @rule()
    def ping(self) -> None:
        self.requests.probed()
        self.vouched = {request.id for request in self.model if request.sent_at is not None}

    @rule(data=st.data())
    @precondition(lambda self: self.model)
    def forget(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(self.model))
        assert self.requests.forget(request.id) is (request.sent_at is None)
        self.awaited.discard(request.id)
        if request.sent_at is None:
            self._drop([request])

    @rule()
    def expire(self) -> None:
        late = [r for r in self.model if r.id in self.awaited and r.made_at + 10.0 <= self.now]
        assert self.requests.expired(self.now) == late
        self._drop([request for request in late if request.sent_at is None])
        self.awaited.difference_update(request.id for request in late)
        self.late.update(request.id for request in late if request.sent_at is not None)

    @rule()
    def lose(self) -> None:
        sent = [request for request in self.model if request.sent_at is not None]
        assert self.requests.lose() == [request for request in sent if request.id in self.awaited]
        self._drop(sent)

    def _drop(self, gone: list[Pending]) -> None:
        self.model = [request for request in self.model if request not in gone]
        self.awaited.difference_update(request.id for request in gone)

    @invariant()
    def counts_and_deadline_agree(self) -> None:
        queued = [request for request in self.model if request.sent_at is None]
        assert self.requests.queued == len(queued)
        assert self.requests.outstanding == len(self.awaited) - len(queued)
        deadlines = [r.made_at + 10.0 for r in self.model if r.id in self.awaited]
        assert self.requests.next_deadline() == min(deadlines, default=None)
        probes = [r.sent_at + 5.0 for r in self.model if r.sent_at is not None and r.id not in self.vouched]
        assert self.requests.probe_at() == min(probes, default=None)


TestPendingModel = PendingModel.TestCase
TestPendingModel.settings = settings(max_examples=less(30, 60), stateful_step_count=30, deadline=None)
