"""What an actor can do with children; how they are treated is in test_children."""

from typing import Any

from relay_actors.errors import ActorError
from relay_actors.runtime.actor import Actor
from tests.runtime.worlds import Echo, Parent, World


def test_spawning_and_waiting_for_the_start_tells_what_went_wrong(world: World):
    """L2: the parent knows before the next line."""

    class Broken(Actor):
        def on_start(self) -> None:
            raise OSError("not today")

    def try_both(actor: Any) -> Any:
        good = actor.spawn_started(Echo)
        try:
            actor.spawn_started(Broken)
        except ActorError as error:
            return good, error
        return None

    good, error = world.start(Parent).ask(try_both, timeout=0)
    assert good.is_alive()
    assert "not today" in str(error)
    assert isinstance(error.__cause__, OSError)
