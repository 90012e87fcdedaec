"""What there is of an application, from the offer of a call to the last word on it."""

from __future__ import annotations

from relay_actors.actors.call import CallActor
from relay_actors.actors.residue import residue_of_tree
from tests.actors.world import PATIENCE_S, World


class Asks(CallActor):
    """Asks the server for something that it does not answer."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("Hello")


def kinds(world: World) -> set[object]:
    return {key[0] for key in residue_of_tree(world.tree)}  # type: ignore[index]


def test_of_a_call_that_is_over_nothing_is_left(world: World):
    """SEMANTICS X18: neither at the connection nor anywhere else."""
    world.takes_calls(Asks)
    world.run(1.0)
    before = residue_of_tree(world.tree).keys()

    world.sim.stop_answering("calling.play")
    line, handle = world.inbound()
    world.until(lambda: world.sent("calling.play"))
    new = {key: text for key, text in world.app.residue().items() if key not in before}
    assert ("known", handle.ref) in new
    assert any("Asks#" in text and "whose flow waits at" in text for text in new.values())
    assert any(text.startswith("request calling.play (") for text in new.values())

    world.sim.resume_answering()
    line.hangs_up()
    world.run(PATIENCE_S)
    assert residue_of_tree(world.tree).keys() - before == set()


def test_what_waits_at_the_connection_is_told(world: World):
    """Events for nobody, requests of the application's own, and commands in doubt."""
    world.start()
    world.sim.stop_answering("calling.answer")
    world.app.execute("calling.answer", {"call_id": "nobody"})
    world.tells("calling.call.play", {"call_id": "stranger", "control_id": "x", "state": "playing"})
    world.tree.wire.holding.hold("doubtful")
    world.settle()

    assert {"request", "asked", "parked", "held"} <= kinds(world)

    world.tree.wire.holding.forget("doubtful")
    world.sim.resume_answering()
    world.run(PATIENCE_S)
    assert not {"request", "asked", "parked", "held"} & kinds(world)
