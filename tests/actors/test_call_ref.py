"""What others ask of a call's actor is settled, whenever that actor ends."""

from __future__ import annotations

from typing import Any

from relay_actors import CallEnded
from relay_actors.protocol.commands import Hold
from tests.actors.world import Witness, World, over_seeds


@over_seeds(50)
def test_an_order_that_races_the_end_of_the_actor_is_settled(world: World):
    """Whoever asks from outside gets an answer, whenever the actor ends (SEMANTICS A6, M5)."""
    line, handle = world.answered(Witness)
    line.hangs_up()
    handle.wait_for_ended().get(timeout=5)
    world.run(0.999)
    futures: list[Any] = []
    for _ in range(12):
        futures += [handle.answer(), handle.play_silence(1), handle.wait_for("x"), handle.wait_for_ended()]
        futures += [handle.hangup(), futures[-3].stop()]
        handle.on("x", lambda event: None)
        world.run(0.0005)
        world.dispatcher.step()
    world.settle()
    assert world.call_actors() == []
    assert [future for future in futures if not future.is_settled] == []


@over_seeds(10)
def test_an_order_that_waits_when_its_actor_is_killed_is_settled(world: World):
    _line, handle = world.answered(Witness)
    futures: list[Any] = [handle.perform(Hold()), handle.play_silence(1), handle.wait_for("x"), handle.wait_for_ended()]
    handle.ref._cell.kill("test")
    world.settle()
    assert [type(future.error) for future in futures[:4:2]] == [CallEnded, CallEnded]
    assert all(future.is_settled for future in futures)
