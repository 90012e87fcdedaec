"""What there is of a system, by names that two looks share."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.residue import residue_of
from relay_actors.runtime.signals import EndForGood
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Recorder, World, until


class Later(Actor):
    """Answers questions when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[Any] = []

    def on_receive(self, message: Any) -> Any:
        if message == "question":
            self.tokens.append(self.reply_later())
        else:
            self.reply_to(self.tokens.pop())


def test_nothing_is_there_before_anybody_has_begun_and_after_all_have_ended():
    """SEMANTICS H9: with whatever there was in between."""
    world = World(1)
    assert residue_of(world.system) == {}

    ref = world.start(Recorder)
    ref.tell(lambda actor: actor.start_timer("key", "message", 60.0))
    ref.tell(lambda actor: actor.register("name"))
    world.settle()
    assert residue_of(world.system).keys() == {("actor", 1), ("timer", 0)}

    world.end()
    assert residue_of(world.system) == {}


def test_an_actor_keeps_its_name_whatever_it_does(world: World):
    """So that one that was there before is not taken for a new one."""
    ref = world.start(Recorder)
    before = residue_of(world.system)
    ref.tell("waits")
    busy = residue_of(world.system)

    assert before.keys() == busy.keys()
    assert list(before.values()) == ["actor Recorder#1 running"]
    assert list(busy.values()) == ["actor Recorder#1 running with 1 messages waiting"]


def test_a_question_is_there_until_it_is_answered(world: World):
    """One for each token that was taken."""
    ref = world.start(Later)
    asked = [ref.ask("question", block=False) for _ in range(2)]
    world.settle()
    questions = [text for key, text in residue_of(world.system).items() if key[0] == "question"]  # type: ignore[index]
    assert questions == ["a question that Later#1 has not answered"] * 2

    ref.tell("answer")
    ref.tell("answer")
    for answer in asked:
        answer.get(timeout=DEADLINE_S)
    assert not any(key[0] == "question" for key in residue_of(world.system))  # type: ignore[index]


def test_a_key_whose_owner_is_gone_is_told(world: World):
    """It would block the name for ever."""
    cell = world.system.new_cell(Recorder, (), {})
    cell.register("name")
    world.system._cells.pop(cell.serial)

    assert residue_of(world.system) == {("key", 0): "a key whose owner has ended"}

    world.system.on_cell_ended(cell)
    assert residue_of(world.system) == {}


def test_nobody_is_held_up_by_a_look(system: System):
    """Also of one that is in the middle of a handler; and it says for how long."""
    go, is_in = threading.Event(), threading.Event()
    ref = system.start(Recorder)
    ref.tell(lambda _actor: (is_in.set(), go.wait(DEADLINE_S)))
    assert is_in.wait(DEADLINE_S)

    [told] = [text for text in residue_of(system).values() if text.startswith("actor")]
    go.set()

    assert "in function for" in told
    assert ref.ask(lambda _actor: 1) == 1
    ref.stop()
    until(lambda: ("actor", 1) not in residue_of(system))


@pytest.mark.parametrize("how", ["stop", "fail", "now"])
def test_an_actor_that_has_ended_leaves_no_circle_behind(world: World, how: str):
    """X18: its memory is free at once, not only when the collector comes; with children, timers and watches."""

    class Busy(Actor):
        def on_start(self) -> None:
            self.spawn(Recorder)
            self.start_timer("timer", "tick", 100.0)
            self.watch(self.spawn(Recorder))

        async def on_receive(self, message: Any) -> Any:
            await self.sleep(1.0)
            return message

    ref = world.start(Busy)
    answer = ref.ask("a", block=False, timeout=5.0)
    world.advance(2.0)
    assert answer.get(timeout=0) == "a"
    cells = [weakref.ref(cell) for cell in world.system.living]
    assert len(cells) == 3
    gc.disable()
    try:
        if how == "fail":
            ref._cell.signal(EndForGood(ExitReason("error", cause=ValueError("a"))))
        else:
            ref.stop(block=False, now=how == "now")
        world.settle()
        del ref, answer
        assert [cell() for cell in cells] == [None] * 3
    finally:
        gc.enable()
