"""Waiting for all of several things, or for the first: in a flow, in asyncio, in a thread."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.system import System
from relay_actors.runtime.thread_flow import ThreadFlow
from relay_actors.runtime.waiting import LetsGo, Raced, gather, race
from tests.runtime.worlds import DEADLINE_S, Echo, Recorder, World


def futures(count: int, world: World | None = None) -> list[Future[Any]]:
    return [Future(world.dispatcher if world is not None else None) for _ in range(count)]


@given(st.permutations(range(4)))
def test_gathering_gives_all_values_in_the_order_asked_for(order: list[int]):
    """A10: whichever is there first."""
    sources = futures(4)
    together = gather(*sources)
    for place in order:
        assert not together.is_settled
        sources[place].set(place)
    assert together.get(timeout=0) == [0, 1, 2, 3]


def test_gathering_nothing_is_over_at_once():
    assert gather().get(timeout=0) == []


@given(st.permutations(range(3)))
def test_a_race_is_won_by_the_first(order: list[int]):
    """Those that come later change nothing."""
    sources = futures(3)
    first = race(*sources)
    for place in order:
        sources[place].set(f"value {place}")
    assert first.get(timeout=0) == Raced(order[0], f"value {order[0]}")


def test_what_is_settled_already_wins_in_the_order_named():
    sources = futures(3)
    sources[2].set("third")
    sources[1].set("second")
    assert race(*sources).get(timeout=0) == Raced(1, "second")


def test_the_first_error_is_raised():
    """By both, and without waiting for anything else."""
    sources = futures(3)
    together, first = gather(*sources), race(*sources)
    sources[1].try_fail(OSError("down"))
    for one in (together, first):
        with pytest.raises(OSError, match="down"):
            one.get(timeout=0)
    sources[0].set("too late")


def test_a_derived_future_may_be_raced_and_gathered():
    """A11: what computing it raises is an error like any other."""
    [source] = futures(1)
    together, first = gather(source.map(lambda value: value + 1)), race(source.map(lambda value: value / 0))
    source.set(1)
    assert together.get(timeout=0) == [2]
    with pytest.raises(ZeroDivisionError):
        first.get(timeout=0)


def test_a_gathering_may_be_raced():
    sources = futures(3)
    first = race(gather(*sources[:2]), sources[2])
    for number, source in enumerate(sources):
        source.set(number)
    assert first.get(timeout=0) == Raced(0, [0, 1])


def test_one_deadline_is_for_all(world: World):
    """A10: however many there are; and a wait that is over leaves no timer."""
    pending = futures(20, world)
    before = world.now
    for one in (gather(*pending, timeout=2), race(*pending, timeout=2)):
        with pytest.raises(WaitTimeout):
            one.get()
    assert world.now - before == 2
    over = race(*pending, timeout=100)
    pending[3].set("in time")
    assert over.get() == Raced(3, "in time")
    assert world.dispatcher.pending_timers == 0


class Waiter(Actor):
    """Does what it is sent, awaiting it."""

    def __init__(self, log: list[Any]) -> None:
        super().__init__()
        self.log_of = log

    async def on_receive(self, message: Any) -> Any:
        return await message(self)


@pytest.fixture
def log() -> list[Any]:
    return []


def test_what_only_the_loser_is_for_is_let_go(world: World, log: list[Any]):
    """A sleep that has lost needs no timer any more; a question goes on, and is answered."""
    echo = world.start(Echo)

    async def run(actor: Any) -> Any:
        long, question = actor.sleep(3600), echo.ask("answer", block=False)
        log.append(await actor.race(long, actor.sleep(1)))
        log.append((long.is_settled, await question))

    world.start(Waiter, log).ask(run, timeout=5)
    assert log == [Raced(1, None), (True, "answer")]
    assert world.dispatcher.pending_timers == 0


@pytest.mark.parametrize("wins", ["at once", "later", "never"])
def test_what_goes_on_keeps_nothing_of_a_race_that_is_over(world: World, wins: str):
    """It may be raced again and again, as long as a call lasts."""
    goes_on: Future[int] = Future(world.dispatcher)
    for _ in range(10):
        other: Future[int] = Future(world.dispatcher)
        if wins == "at once":
            other.set(1)
        raced = race(goes_on, other, goes_on, timeout=1.0)
        if wins == "later":
            other.set(1)
        world.advance(2.0)
        assert raced.is_settled
    assert goes_on._callbacks == []


@pytest.mark.parametrize("together", [gather, race])
def test_a_time_that_is_over_before_anything_is_waited_for_lets_go_too(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, together: Any
):
    """A10: made outside of all turns, its timer may be due on another thread while it is being made."""
    [goes_on] = futures(1, world)
    only_for_this: LetsGo[None] = LetsGo(world.dispatcher)
    call_at = world.dispatcher.call_at

    def be_slow(due: float, call: Any) -> Any:
        timer = call_at(due, call)
        world.advance(1.0)
        return timer

    monkeypatch.setattr(world.dispatcher, "call_at", be_slow)
    one = together(goes_on, only_for_this, timeout=0.5)
    with pytest.raises(WaitTimeout):
        one.get(timeout=0)
    assert only_for_this.is_settled
    assert goes_on._callbacks == []
    assert caplog.records == []


def test_a_time_out_and_an_error_let_go_too(world: World, log: list[Any]):
    """Nobody is there any more who waits."""

    async def run(actor: Any) -> Any:
        for one in (actor.gather(actor.sleep(3600), timeout=1), actor.race(actor.sleep(3600), timeout=1)):
            with pytest.raises(TimeoutError):
                await one
        failed: Future[Any] = Future(world.dispatcher)
        failed.try_fail(OSError("down"))
        with pytest.raises(OSError, match="down"):
            await actor.gather(actor.sleep(3600), failed)

    world.start(Waiter, log).ask(run, timeout=5)
    assert world.dispatcher.pending_timers == 0


def test_cancelling_who_waits_lets_go(world: World, log: list[Any]):
    """A15: of an actor that has stopped no timer is left."""
    ref = world.start(Waiter, log)
    ref.tell(lambda actor: actor.gather(actor.sleep(3600), actor.race(actor.sleep(7200))))
    world.settle()
    assert world.dispatcher.pending_timers == 2
    ref.stop(now=True, timeout=5)
    assert world.dispatcher.pending_timers == 0


TOGETHER = [
    race,
    gather,
    lambda *sources: race(*sources, timeout=3600),
    lambda *sources: race(gather(*sources, timeout=3600), race(*sources)),
]
"""Each way to wait for several, one of them within another, and as long as one likes."""


@pytest.mark.parametrize("together", TOGETHER)
def test_what_goes_on_keeps_nothing_of_what_was_given_up(world: World, log: list[Any], together: Any):
    """A10: nobody may ever settle it, and every call may wait for it."""
    goes_on = futures(2, world)
    refs = [world.start(Waiter, log) for _ in range(3)]
    for ref in refs:
        ref.tell(lambda _actor: together(*goes_on))
    world.settle()
    assert all(source._callbacks for source in goes_on)
    for ref in refs:
        ref.stop(now=True, timeout=5)
    assert [source._callbacks for source in goes_on] == [[], []]
    world.advance(3600)


@pytest.mark.parametrize("together", TOGETHER)
def test_a_flow_on_its_own_thread_leaves_what_goes_on_too(world: World, together: Any):
    """A10, A15: it is cancelled where it stands."""
    goes_on = futures(2, world)

    def begin(actor: Any) -> None:
        actor._cell.flow = ThreadFlow(actor._cell, lambda: together(*goes_on).get(), lambda _result: None)
        actor._cell.flow.begin()

    ref = world.start(Recorder)
    ref.tell(begin)
    world.settle()
    assert all(source._callbacks for source in goes_on)
    ref.stop(timeout=5)
    assert [source._callbacks for source in goes_on] == [[], []]
    world.advance(3600)


def test_what_lost_a_race_may_be_raced_again(world: World, log: list[Any]):
    """A10: two answers are waited for as long as it takes, and every second something else is done."""
    first, second = futures(2, world)
    both = gather(first, second)

    async def run(actor: Any) -> None:
        log.append(await actor.race(both, actor.sleep(1)))
        log.append([source._callbacks for source in (first, second)])
        first.set(1)
        log.append(await actor.race(both, actor.sleep(1)))
        actor.call_in_turn_later(0.5, lambda: second.set(2))
        log.append(await actor.race(both, actor.sleep(1)))

    world.start(Waiter, log).tell(run)
    world.advance(5)
    assert log == [Raced(1, None), [[], []], Raced(1, None), Raced(0, [1, 2])]


@pytest.mark.parametrize("together", [race, gather])
def test_the_time_of_what_has_lost_a_race_goes_on(world: World, log: list[Any], together: Any):
    """A10: it is over when it would have been, whoever waits then."""
    [goes_on] = futures(1, world)
    limited = together(goes_on, timeout=2.5)

    async def run(actor: Any) -> None:
        log.append(await actor.race(limited, actor.sleep(1)))
        log.append(list(goes_on._callbacks))
        with pytest.raises(WaitTimeout):
            await actor.race(limited, actor.sleep(2))
        log.append(world.now)

    began = world.now
    world.start(Waiter, log).tell(run)
    world.advance(5)
    assert log == [Raced(1, None), [], began + 2.5]
    assert goes_on._callbacks == []


@pytest.mark.parametrize("how", ["by a callback", "in a thread"])
def test_what_nobody_waited_for_any_more_can_be_waited_for_again(how: str):
    """A10, A11: also if it was settled meanwhile."""
    sources = futures(2)
    both = gather(*sources)
    both.let_go()
    sources[0].set(0)
    sources[1].set(1)
    assert not both.is_settled
    if how == "by a callback":
        told: list[Any] = []
        both.add_done_callback(told.append)
        assert told == [both]
    assert both.get(timeout=DEADLINE_S) == [0, 1]


def test_what_somebody_else_waits_for_is_not_left():
    """A10: one of two gives up."""
    sources = futures(2)
    first = race(*sources)
    told: list[Any] = []
    first.add_done_callback(told.append)
    first.let_go()
    sources[1].set("value")
    assert told == [first]
    assert sources[0]._callbacks == []


def test_both_can_be_awaited_in_asyncio_and_in_a_thread(system: System):
    """A11: the same from everywhere."""
    echoes = [system.start(Echo) for _ in range(3)]

    async def main() -> Any:
        asked = [echo.ask(number, block=False) for number, echo in enumerate(echoes)]
        return await gather(*asked, timeout=DEADLINE_S), await race(*asked)

    assert asyncio.run(main()) == ([0, 1, 2], Raced(0, 0))
    assert gather(*(echo.ask("x", block=False) for echo in echoes)).get(timeout=DEADLINE_S) == ["x"] * 3


def test_what_cannot_be_waited_for_is_refused():
    """And the text says what can."""
    hooked: Future[Any] = Future()
    hooked.set_get_hook(lambda _timeout: 1)

    async def coroutine() -> None:
        """Not run."""

    for wrong, what in (
        (hooked, "futures of this framework; this is a Future"),
        ("text", "this is a str"),
        (coroutine(), r"aio\(…\)"),
        ([], r"race\(\*waits\)"),
    ):
        with pytest.raises(TypeError, match=what):
            race(wrong)
    with pytest.raises(TypeError, match=r"gather\(\*waits\)"):
        gather([])
    with pytest.raises(ValueError, match="what is to be raced"):
        race()
    [source] = futures(1)
    with pytest.raises(Exception, match=r"\.get\(timeout=…\)"):
        gather(source, timeout=1)
    with pytest.raises(TypeError, match="number of seconds"):
        gather(*futures(1, World(1)), timeout="1")
