"""What an actor can do with children; how they are treated is in test_children."""

from typing import Any

import pytest

from relay_actors.errors import ActorError, StartFailed
from relay_actors.runtime.actor import Actor
from tests.runtime.worlds import DEADLINE_S, Echo, Parent, World


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


def test_a_child_that_is_killed_before_anybody_waits_for_it_is_not_waited_for(world: World):
    """L2: first the wait is noted, then it is looked whether an end was quicker. Found on threads."""

    class Doomed(Actor):
        def __init__(self) -> None:
            super().__init__()
            self.actor_ref.kill("in its constructor")

    def spawn(actor: Any) -> None:
        with pytest.raises(StartFailed, match="killed"):
            actor.spawn_started(Doomed)

    world.start(Parent).ask(spawn, timeout=0)
    with pytest.raises(StartFailed, match="killed"):
        Doomed.start(wait=DEADLINE_S)
