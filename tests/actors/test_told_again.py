"""What others tell a call, and answer it, is told to it again where it was, and harms nothing (SEMANTICS J3, J4)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from relay_actors import CallActor, Limits
from relay_actors.events import CallReceiveEvent, CallStateEvent
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT


@pytest.fixture
def world() -> Iterator[MortalWorld]:
    with MortalWorld() as world:
        yield world


class Waiting(CallActor):
    """Waits by a durable timer; what it is told meanwhile changes nothing of that."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.start_timer("later", "go on", 10.0, durable=True)
            case "hello":
                self.data["greeted"] = True
            case "go on":
                self.play_tts("in time")


@pytest.mark.parametrize("entries", [1, 500])
@pytest.mark.parametrize("deaths_s", [(), (4.0,), (2.0, 4.0)], ids=str)
def test_a_durable_timer_outlives_what_its_call_was_told_after_it_was_started(
    deaths_s: tuple[float, ...], entries: int
) -> None:
    """Also when that was the last thing before the process ended, and when the past was summed up. T7, J4."""
    with MortalWorld(limits=Limits(journal_entries_per_call=entries)) as world:
        world.takes_calls(Waiting)
        line = world.sim.phone(CALLER).dials(context=CONTEXT)
        world.run(1.0)
        handle = world.app.call(line.call_id)
        assert handle is not None
        handle.ref.tell("hello")
        world.dies_after(*deaths_s, then_s=20.0)
        assert [str(sound) for sound in line.heard] == ["in time"]
