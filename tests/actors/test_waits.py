"""The futures of telephony: who is interested, who waits for himself, and when a wait is over."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from relay_actors.actors.waits import CallFuture, OwnWait, Reply, Wait, follow, give_up_after
from relay_actors.errors import ArgumentError, WouldDeadlock
from relay_actors.protocol.commands import Answer
from relay_actors.runtime.clock import Random
from relay_actors.runtime.context import here
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.future import Future


@pytest.fixture
def dispatcher() -> DeterministicDispatcher:
    return DeterministicDispatcher(Random(1))


def new_reply() -> Reply:
    return Reply(Answer())


@pytest.mark.parametrize(
    "look",
    [
        lambda reply: reply.get(timeout=0),
        lambda reply: reply.add_done_callback(print),
        lambda reply: reply.__await__(),
    ],
)
def test_who_looks_at_a_reply_wants_it(look: Any):
    """Its failure is then his, and is not told to anybody else."""
    reply = new_reply()
    assert not reply.is_wanted
    reply.try_set({})
    look(reply)
    assert reply.is_wanted


def test_who_only_follows_does_not_want_it():
    """The framework's own interest is no wish of the user's."""
    reply, other = new_reply(), new_reply()
    follow(other, reply)
    assert not reply.is_wanted
    assert not other.is_wanted


def test_a_follower_is_settled_alike():
    for settle, expected in (({"code": "200"}, {"code": "200"}), (ValueError("no"), None)):
        source: Future[Any] = Future()
        before: Wait[Any] = Wait()
        follow(before, source)
        if isinstance(settle, ValueError):
            source.try_fail(settle)
        else:
            source.try_set(settle)
        after: Wait[Any] = Wait()
        follow(after, source)
        for wait in (before, after):
            if expected is None:
                with pytest.raises(ValueError, match="no"):
                    wait.get(timeout=0)
            else:
                assert wait.get(timeout=0) == expected


def test_a_follower_that_was_settled_otherwise_is_forgotten():
    """A time-out of one wait leaves nothing behind in what many wait for."""
    source: Future[int] = Future()
    wait: Wait[int] = Wait()
    follow(wait, source)
    wait.try_fail(TimeoutError())
    assert not source._callbacks
    source.try_set(1)
    assert isinstance(wait.error, TimeoutError)


def test_a_wait_gives_up_after_its_time(dispatcher: DeterministicDispatcher):
    wait: Wait[None] = give_up_after(Wait(dispatcher), 1.5, dispatcher, "the end of the world")
    dispatcher.advance(1.4)
    assert not wait.is_settled
    with pytest.raises(TimeoutError, match=r"the end of the world did not happen within 1\.5 s"):
        wait.get()
    assert dispatcher.pending_timers == 0


def test_a_wait_that_is_over_takes_its_timer_along(dispatcher: DeterministicDispatcher):
    wait: Wait[int] = give_up_after(Wait(dispatcher), 60, dispatcher, "it")
    wait.try_set(1)
    assert dispatcher.pending_timers == 0
    assert give_up_after(wait, 60, dispatcher, "it") is wait
    assert dispatcher.pending_timers == 0


@pytest.mark.parametrize("timeout", ["5", float("nan"), True, [5]])
def test_a_time_that_is_none_is_refused_where_it_is_given(dispatcher: DeterministicDispatcher, timeout: Any):
    """And nothing is left of the wait."""
    with pytest.raises(ArgumentError, match="timeout must be a number of seconds, or None"):
        give_up_after(Wait(dispatcher), timeout, dispatcher, "it")
    assert dispatcher.pending_timers == 0


@pytest.mark.parametrize("timeout", [None, float("inf")])
def test_without_a_time_it_waits_for_ever(dispatcher: DeterministicDispatcher, timeout: float | None):
    assert not give_up_after(Wait(dispatcher), timeout, dispatcher, "it").is_settled
    assert dispatcher.pending_timers == 0


@pytest.mark.parametrize("timeout", [0, -1, -0.5])
def test_a_time_that_is_over_already_is_a_time_out_at_once(dispatcher: DeterministicDispatcher, timeout: float):
    """What is left of a deadline may be below 0; but not before whoever settles it has had a turn."""
    wait: Wait[int] = give_up_after(Wait(dispatcher), timeout, dispatcher, "it")
    settled: Wait[int] = give_up_after(Wait(dispatcher), timeout, dispatcher, "it")
    settled.try_set(1)
    dispatcher.settle()
    dispatcher.advance(0)
    assert isinstance(wait.error, TimeoutError)
    assert settled.get(timeout=0) == 1


class Cell:
    """Stands for an actor that has its turn."""

    late = False
    dispatcher: Any = None

    def __repr__(self) -> str:
        return "Support#7"

    def run_batch(self, grant: list[None]) -> None:
        """Never run."""


@pytest.fixture
def in_its_turn() -> Any:
    cell = Cell()
    here.turn = cell
    yield cell
    here.turn = None


def test_an_actor_cannot_wait_for_itself(in_its_turn: Cell):
    """Asking oneself synchronously is refused at once (SEMANTICS A8)."""
    future: CallFuture[int] = CallFuture(None, in_its_turn)
    with pytest.raises(WouldDeadlock, match="Support#7 would wait for itself"):
        future.get()
    with pytest.raises(WouldDeadlock):
        future.get(timeout=5)


def test_an_actor_can_look_at_what_is_there(in_its_turn: Cell):
    future: CallFuture[int] = CallFuture(None, in_its_turn)
    future.try_set(7)
    assert future.get() == 7


def test_an_actor_can_wait_for_another(in_its_turn: Cell, dispatcher: DeterministicDispatcher):
    """It holds up nobody: the dispatcher gives their turns to another thread."""
    future: CallFuture[int] = CallFuture(dispatcher, Cell())
    dispatcher.call_at(1.0, lambda: _settle(future))
    assert future.get(timeout=5) == 7


def _settle(future: CallFuture[int]) -> None:
    future.try_set(7)


@pytest.mark.parametrize("wait_for", [OwnWait.__await__, OwnWait.__iter__])
def test_a_wait_of_ones_own_is_over_when_nobody_waits_for_it(wait_for: Any, monkeypatch: pytest.MonkeyPatch):
    """By ``await`` or by ``yield from``; others go on."""
    monkeypatch.setattr(here, "turn", SimpleNamespace(in_flow=True))
    sleep: OwnWait[int] = OwnWait()
    steps = wait_for(sleep)
    assert next(steps) is sleep
    steps.close()
    assert isinstance(sleep.error, asyncio.CancelledError)

    shared: Wait[int] = Wait()
    steps = iter(shared)
    assert next(steps) is shared  # type: ignore[call-overload]
    steps.close()  # type: ignore[attr-defined]
    assert not shared.is_settled


# -- in asyncio ------------------------------------------------------------------------------------------------------


def test_what_verbs_give_is_taken_by_asyncio_as_a_coroutine():
    """By tasks, as many as like, each with its own time-out; the wait is unharmed, and can be awaited again."""

    async def story() -> list[Any]:
        wait: Wait[int] = Wait()
        tasks = [asyncio.create_task(wait) for _ in range(3)]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wait, 0.001)
        tasks[1].cancel()
        settling = threading.Thread(target=wait.try_set, args=(5,))
        settling.start()
        first, second, third = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5.0)
        settling.join(5.0)
        assert isinstance(second, asyncio.CancelledError)
        return [first, third, await wait, await asyncio.create_task(wait)]

    assert asyncio.run(story()) == [5, 5, 5, 5]


def test_an_error_is_raised_in_each_task_that_waits():
    """Also when it was there before."""

    async def story() -> list[BaseException | Any]:
        reply = new_reply()
        before = asyncio.create_task(reply)
        await asyncio.sleep(0)
        reply.try_fail(ValueError("no"))
        return await asyncio.gather(before, asyncio.create_task(reply), return_exceptions=True)

    assert [str(error) for error in asyncio.run(story())] == ["no", "no"]


def test_a_task_that_is_not_begun_takes_nothing_back():
    """A command takes effect when it is called."""
    wait: Wait[int] = Wait()
    wait.close()
    wait.try_set(5)
    assert asyncio.run(wait) == 5


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: Wait[Any](), r"If this waits for an event, await it first: `event = await …` in a flow"),
        (lambda: Reply(Answer()), r"This is the reply to a command.*a dictionary.*next\(\) and wait_for\(\)"),
    ],
)
def test_a_forgotten_await_is_told(make: Any, hint: str):
    """What events have, waits do not; the plain message would not say what to do."""
    with pytest.raises(AttributeError, match=r"no attribute 'digits': the event has it.*" + hint):
        _ = make().digits
    with pytest.raises(AttributeError, match=r"no attribute 'nobody_has_this'$"):
        _ = make().nobody_has_this
    assert not hasattr(make(), "speech")
    assert "speech" not in dir(make())


def test_what_is_waited_for_can_be_seen():
    wait: Wait[int] = Wait()
    assert (repr(wait), repr(Reply(Answer()))) == ("<Wait pending>", "<Reply calling.answer pending>")
    wait.try_set(1)
    assert repr(wait) == "<Wait settled>"


def test_who_follows_may_be_told_an_error_instead():
    wait: Wait[int] = Wait()
    source: Wait[int] = Wait()
    follow(wait, source, instead=lambda: ValueError("not for you"))
    source.try_set(1)
    with pytest.raises(ValueError, match="not for you"):
        wait.get(timeout=0)
