"""What is told to an actor to be done in a turn of its own reaches whichever incarnation is there."""

from __future__ import annotations

from typing import Any

from relay_actors.actors.in_turn import InTurn, tell_in_turn
from relay_actors.runtime.context import here
from tests.actors.world import Witness, World


def test_it_is_done_in_the_actors_own_turn_and_never_shown_to_the_user(world: World):
    _line, handle = world.inbound(Witness)
    world.settle()
    seen: list[Any] = []
    assert tell_in_turn(handle.ref._cell, lambda actor: seen.append((actor, here.turn)))
    before = world.seen(handle)
    assert seen == [(world.actor(handle), handle.ref._cell)]
    assert not [message for message in before if isinstance(message, InTurn)]


def test_it_is_done_by_the_incarnation_that_is_there_when_its_turn_comes(world: World):
    """What was begun before a crash goes on after it."""
    _line, handle = world.inbound(Witness)
    world.settle()
    seen: list[int] = []

    def crash(_actor: object) -> None:
        raise RuntimeError("crash")

    tell_in_turn(handle.ref._cell, crash)
    tell_in_turn(handle.ref._cell, lambda actor: seen.append(actor._cell.incarnation))
    world.settle()
    assert seen == [1]


def test_an_actor_that_has_ended_is_told_nothing(world: World):
    """It is nobody's loss, and no dead letter: the framework's own messages are for the framework (SEMANTICS M7)."""
    line, handle = world.inbound(Witness)
    line.hangs_up()
    world.run(60)
    assert not tell_in_turn(handle.ref._cell, lambda actor: actor.no_such_thing())
    assert world.system.dead_letters.counts == {}
