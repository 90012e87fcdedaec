"""What a thread knows of itself."""

import threading
from typing import Any

from relay_actors.runtime.context import here
from tests.runtime.worlds import DEADLINE_S, Recorder, World


def test_each_thread_has_an_entry_of_its_own(world: World):
    """A turn on one thread is none on another."""
    seen: list[Any] = []

    def look(actor: Any) -> None:
        thread = threading.Thread(target=lambda: seen.append((here.turn, here.wait_by)))
        thread.start()
        thread.join(DEADLINE_S)
        seen.append((here.turn, here.wait_by))

    ref = world.start(Recorder)
    ref.ask(look, timeout=0)

    assert seen == [(None, None), (ref._cell, None)]
    assert (here.turn, here.wait_by) == (None, None)
