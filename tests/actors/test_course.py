"""How far one call has come: its numbers and its timers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.actors.call import CallActor
from relay_actors.actors.course import Course
from relay_actors.actors.history import Answered, Learnt
from relay_actors.events import CallReceiveEvent
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import World


class Quiet(CallActor):
    """Does nothing."""

    def on_receive(self, message: object) -> None:
        pass


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.fixture
def actor(world: World) -> Any:
    _line, handle = world.inbound(Quiet)
    world.settle()
    return world.actor(handle)


def test_things_of_an_incarnation_are_counted_from_one(actor: Any) -> None:
    course = Course()
    assert [course.next("timers"), course.next("timers"), course.next("sent")] == [1, 2, 1]
    course.begin_anew()
    assert course.next("timers") == 1
    assert course.beginnings == 1


def test_a_new_incarnation_has_a_past_of_its_own_and_goes_on_counting() -> None:
    course = Course()
    course.entries, course.past_is_lost = 7, True
    course.begin_anew()
    assert (course.entries, course.began_at, course.past_is_lost) == (7, 7, False)


def test_it_counts_on_from_where_a_past_was_summed_up() -> None:
    course = Course()
    course.told, course.commands = 3, 9
    course.go_on_from(100, 8)
    assert (course.told, course.commands) == (100, 9)


def test_a_timer_comes_once_in_a_turn_and_is_forgotten(world: World, actor: Any) -> None:
    came: list[float] = []
    actor.leg.course.set_timer(actor, "x", 2.0, lambda present: came.append(world.clock.now()))
    began = world.clock.now()
    world.run(5.0)
    assert came == [began + 2.0]
    assert "x" not in actor.leg.course.timers


@pytest.mark.parametrize("key", ["x", 7])
def test_a_timer_of_the_same_key_replaces_the_one_before(world: World, actor: Any, key: str | int) -> None:
    """Of the framework's own, which have names, where it is recorded; elsewhere who sets one again takes it back."""
    came: list[str] = []
    actor.leg.course.record = []
    for text, delay_s in (("first", 1.0), ("second", 2.0)):
        actor.leg.course.set_timer(actor, key, delay_s, lambda _actor, text=text: came.append(text))
    world.run(5.0)
    assert came == ["second"]


def test_a_cancelled_timer_does_not_come_and_cancels_no_other_of_its_key(world: World, actor: Any) -> None:
    came: list[str] = []
    course = actor.leg.course
    old = course.set_timer(actor, "x", 1.0, lambda _actor: came.append("old"))
    course.set_timer(actor, "x", 1.0, lambda _actor: came.append("new"))
    old.cancel()
    old.cancel()
    world.run(2.0)
    assert came == ["new"]


def test_a_new_incarnation_has_the_engines_timers_and_none_of_the_codes(world: World, actor: Any) -> None:
    came: list[str] = []
    course = actor.leg.course
    course.set_timer(actor, 7, 1.0, lambda _actor: came.append("of the code"))
    course.set_timer(actor, "end", 1.0, lambda _actor: came.append("of the engine"))
    course.begin_anew()
    world.run(2.0)
    assert came == ["of the engine"]


def test_while_the_past_is_run_again_timers_count_from_then_and_do_not_run(world: World, actor: Any) -> None:
    """J3: a replay starts no timer."""
    came: list[str] = []
    course = actor.leg.course
    wall = world.clock.wall()
    course.replay = SimpleNamespace(now=wall - 10.0)
    course.set_timer(actor, "overdue", 3.0, lambda _actor: came.append("overdue"))
    course.set_timer(actor, "due", 12.0, lambda _actor: came.append("due"))
    assert course.timers["overdue"].due == wall - 7.0
    world.run(1.0)
    assert came == []
    course.replay = None
    course.arm_all(actor)
    world.settle()
    assert came == ["overdue"]
    world.run(1.5)
    assert came == ["overdue", "due"]


def test_what_fires_in_the_past_is_done_there_and_not_again(world: World, actor: Any) -> None:
    came: list[str] = []
    course = actor.leg.course
    course.record = []
    course.set_timer(actor, "x", 1.0, lambda _actor: came.append("x"))
    assert course.fire(actor, "x")
    assert not course.fire(actor, "x")
    world.run(2.0)
    assert came == ["x"]


@given(st.integers(0, 5), st.integers(0, 8))
def test_a_record_that_becomes_too_long_is_given_up(most: int, count: int) -> None:
    course = Course()
    course.record = []
    for number in range(count):
        course.write(Learnt("told", {"value": number}, 1.0), most)
    assert (course.record is None) == (count > most)
    if course.record is not None:
        assert len(course.record) == count


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def test_a_record_that_cannot_hold_what_has_come_is_given_up() -> None:
    """What is nested more deeply than Python can copy is not kept, and raises nothing."""
    course = Course()
    course.record = []
    course.write(Answered(1, nested(10), None, 1.0), 100)
    assert course.record == [Answered(1, nested(10), None, 1.0)]
    course.write(Answered(2, nested(sys.getrecursionlimit()), None, 1.0), 100)
    assert course.record is None


def test_anybody_is_to_know_the_order_if_there_is_a_journal_or_a_record() -> None:
    course = Course()
    assert not course.is_recorded
    course.record = []
    assert course.is_recorded
    course.record, course.is_kept = None, True
    assert course.is_recorded


class Pauses(CallActor):
    """Says goodbye after a pause."""

    async def run(self) -> None:
        await self.answer()
        await self.sleep(20.0)
        await self.play_tts("Goodbye").wait()


class Ticks(CallActor):
    """Says something every now and then, and in the end goodbye."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
                self.start_timer("each", "tick", 4.0, interval_s=4.0, durable=True)
                self.start_timer("once", "over", 20.0, durable=True)
            case "tick":
                self.play_tts("One moment")
            case "over":
                self.hangup(after=self.play_tts("Goodbye"))


@pytest.mark.parametrize("actor_class", [Pauses, Ticks])
def test_a_clock_that_was_put_back_holds_up_nobody(actor_class: type[CallActor]) -> None:
    """T3, T7: only the wall clock says how long nobody was there, and after a reboot it may be a day behind.

    What was set waits its own time once more at the most.
    """
    with MortalWorld() as world:
        line, _handle = world.inbound(actor_class)
        world.run(6.0)
        for _ in range(2):
            world.dies()
            world.clock._wall_offset -= 86_400.0  # it can be moved forward only
            world.lives_again()
            world.run(5.0)
            assert not line.is_over
        if actor_class is Ticks:
            line.hears("one moment")
            assert world.sim.count(line, "calling.play") >= 3
        world.run(20.0)
        line.hears("goodbye")
        world.run(1.0)
        assert line.is_over


def test_what_belongs_before_something_that_was_told_is_recorded_there() -> None:
    """X8: the journal says after how many things it was asked for, and so does the record."""
    course = Course()
    course.record = []
    for number in (1, 2, 3):
        course.told += 1
        course.write(Answered(number, {}, None, 0.0), 100)
        course.write(Learnt("sent", {"number": number}, 0.0), 100)
    for after in (3, 1, 0, 1, 2):
        course.write(Learnt("now", {"value": after}, 0.0), 100, after)
    found = [item.number if isinstance(item, Answered) else item.values for item in course.record]
    assert found == [
        *({"value": 0}, 1, {"number": 1}, {"value": 1}, {"value": 1}),
        *(2, {"number": 2}, {"value": 2}, 3, {"number": 3}, {"value": 3}),
    ]
