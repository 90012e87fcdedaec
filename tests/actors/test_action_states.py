"""One operation as its call drives it: states, deferred stops, and the first end that wins. Source: SEMANTICS X5."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.actors.actions import Action, OnAction, PlayAction
from relay_actors.actors.orders import Control
from relay_actors.actors.waits import Reply
from relay_actors.errors import CallEnded, CommandRejectedError, NotSentError
from relay_actors.protocol.commands import Pause, Play, Resume, Stop
from relay_actors.protocol.events import RelayEvent, parse_event
from relay_actors.protocol.states import ACTION_MOVES, ActionState, is_final
from relay_actors.runtime.clock import Random
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher


class Bench:
    """One operation, and what its call would tell it and send for it."""

    def __init__(self) -> None:
        self.dispatcher = DeterministicDispatcher(Random(1))
        self.runs_on: Any = self.dispatcher
        self.runs_as: Any = None
        self.sent: list[OnAction] = []
        self.action = PlayAction.begun(self, Play(media=[{"type": "silence", "duration": 1}], control_id="c"), None)
        self.action.begin()

    def control_action(self, action: Action, command: Any) -> Reply:
        reply = Reply(command)
        self._send(action.on_order(Control(action, command, reply)))
        return reply

    def answers(self, error: BaseException | None = None) -> None:
        self._send(self.action.on_begin_answered(error))

    def event(self, state: str) -> RelayEvent:
        params = {"call_id": "call", "control_id": "c", "state": state}
        return parse_event({"event_type": "calling.call.play", "params": params})

    def tells(self, state: str) -> RelayEvent:
        event = self.event(state)
        self._send(self.action.on_event(event))
        return event

    def call_ends(self) -> None:
        self.action.complete(ActionState.CALL_ENDED, self.event("ended"))

    def _send(self, order: OnAction | None) -> None:
        if order is not None:
            self.sent.append(order)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_goes_from_requested_to_its_end(bench: Bench):
    assert bench.action.state is ActionState.REQUESTED
    bench.answers()
    assert bench.action.is_settled
    for said, state in (("playing", "executing"), ("paused", "paused"), ("playing", "executing")):
        bench.tells(said)
        assert bench.action.state == state
    last = bench.tells("finished")
    assert (bench.action.state, bench.action.result) == (ActionState.FINISHED, last)


happenings = st.lists(
    st.sampled_from(["playing", "paused", "finished", "error", "nonsense", "ok", "no", "gone", "unknown", "ended"]),
    max_size=12,
)


@given(happenings)
def test_however_things_come_there_is_one_end_and_the_first_wins(story: list[str]):
    """Proves SEMANTICS X5 for every order."""
    bench = Bench()
    ends = 0
    bench.action.on_done(lambda: None)
    for what in story:
        before = (bench.action.state, bench.action.result, bench.action.is_done)
        match what:
            case "ok":
                bench.answers()
            case "no":
                bench.answers(CommandRejectedError("calling.play", 500, "no"))
            case "gone":
                bench.answers(CommandRejectedError("calling.play", 404, "gone"))
            case "unknown":
                bench.answers(NotSentError("nobody knows"))
            case "ended":
                bench.call_ends()
            case _:
                bench.tells(what)
        if before[2]:
            assert (bench.action.state, bench.action.result, bench.action.is_done) == before
        ends += bench.action.is_done and not before[2]
        assert bench.action.is_done == is_final(bench.action.state, ACTION_MOVES)
        assert bench.action.completed == (bench.action.result is not None)
    assert ends <= 1


def test_a_stop_before_the_acceptance_is_sent_after_it(bench: Bench):
    reply = bench.action.stop()
    assert bench.sent == []
    bench.answers()
    assert [order.command for order in bench.sent] == [Stop(action_method="calling.play", control_id="c")]
    assert bench.sent[0].reply is reply


def test_a_stop_of_what_runs_already_does_not_wait_for_the_acceptance(bench: Bench):
    """Its event may have come before the response (PROTOCOL 2.7)."""
    bench.tells("playing")
    bench.action.stop()
    assert [type(order.command) for order in bench.sent] == [Stop]


@pytest.mark.parametrize("end", ["refused", "gone", "ended", "finished"])
def test_a_stop_that_was_waiting_when_the_end_came_is_nothing(bench: Bench, end: str):
    reply = bench.action.stop()
    match end:
        case "refused":
            bench.answers(CommandRejectedError("calling.play", 500, "no"))
        case "gone":
            bench.answers(CommandRejectedError("calling.play", 410, "gone"))
        case "ended":
            bench.call_ends()
        case "finished":
            bench.tells("finished")
    assert reply.get(timeout=0) == {}
    assert bench.sent == []


def test_other_commands_do_not_wait(bench: Bench):
    """Whether a pause makes sense now is for the server to say."""
    for kind in (Pause, Resume):
        bench.control_action(bench.action, kind(action_method="calling.play", control_id="c"))
    assert [type(order.command) for order in bench.sent] == [Pause, Resume]


def test_a_call_that_is_gone_completes_it_with_an_empty_event(bench: Bench):
    """Source: PROTOCOL 10.2, 10.4."""
    bench.answers(CommandRejectedError("calling.play", 404, "gone"))
    assert (bench.action.result, bench.action.state) == (RelayEvent("", {}), ActionState.CALL_ENDED)
    assert bench.action.is_done
    assert not bench.action.is_settled  # who waits goes on when the call says so
    bench.action.release()
    assert bench.action.get(timeout=0) is bench.action


def test_a_refusal_fails_it(bench: Bench):
    error = CommandRejectedError("calling.play", 500, "no")
    bench.answers(error)
    assert (bench.action.error, bench.action.state, bench.action.result) == (error, ActionState.REJECTED, None)


def test_an_end_that_the_call_brings_about_is_not_called_a_refusal(bench: Bench):
    bench.action.refuse(CallEnded("call", "handed on"))
    assert bench.action.state is ActionState.CALL_ENDED


def test_who_waits_is_told_whether_he_comes_before_the_end_or_after(bench: Bench):
    """What waits is made for the first who does; all others share it, also when there was nobody before the end."""
    early = bench.action.wait()
    assert bench.action.wait() is early
    last = bench.tells("finished")
    bench.action.release()
    assert early.get(timeout=0) is last
    assert bench.action.wait().get(timeout=0) is last

    alone = Bench()
    alone.tells("finished")
    alone.action.release()
    assert alone.action.wait().get(timeout=0) is alone.action.result


def test_who_begins_to_wait_in_the_moment_of_the_end_is_told(bench: Bench):
    """The end is told while somebody is about to make what he waits for: whichever is first, the other sees it."""

    class Slow(Bench):
        """Its operation ends while ``runs_on`` is looked up, for what is to be waited for."""

        @property
        def runs_on(self) -> Any:
            if getattr(self, "action", None) is not None and not self.action.is_over:
                self.tells("finished")
                self.action.release()
            return self.dispatcher

        @runs_on.setter
        def runs_on(self, dispatcher: Any) -> None:
            self.dispatcher = dispatcher

    slow = Slow()
    assert slow.action.wait().get(timeout=0) is slow.action.result


def test_a_refusal_is_told_to_who_waits_and_to_who_comes_later(bench: Bench):
    early = bench.action.wait()
    bench.answers(NotSentError("nobody knows"))
    for wait in (early, bench.action.wait()):
        with pytest.raises(NotSentError, match="nobody knows"):
            wait.get(timeout=0)
