"""What an actor can do with time; how timers behave is in test_actor_timers."""

import pytest

from relay_actors.errors import ConfigError
from tests.runtime.worlds import Recorder, World


def test_every_actor_knows_the_time_of_its_system(world: World):
    """Seconds since the epoch; virtual time passes for it, too."""
    ref = world.start(Recorder)
    before = ref.ask(lambda actor: actor.now(), timeout=0)
    assert before == world.dispatcher.clock.wall() > 1_700_000_000.0
    world.advance(90)
    assert ref.ask(lambda actor: actor.now(), timeout=0) == before + 90


def test_a_class_may_mean_something_else_by_now(world: World):
    """Nothing of the framework asks an actor for the time."""

    class Eager(Recorder):
        now = "now or never"  # type: ignore[assignment]

    ref = world.start(Eager)
    ref.ask(lambda actor: actor.start_timer("a", "tick", 1.0), timeout=0)
    world.advance(2)
    assert "tick" in ref.ask(lambda actor: actor.log_of, timeout=0)
    assert ref.proxy().now.get(timeout=0) == "now or never"


@pytest.mark.parametrize(("delay_s", "interval_s"), [(-1.0, None), (0.0, 0.0), (0.0, -1.0)])
def test_a_time_that_cannot_be_is_refused(world: World, delay_s: float, interval_s: float | None):
    """An interval of nothing would never end."""
    ref = world.start(Recorder)
    with pytest.raises(ConfigError, match="timer 'a'"):
        ref.ask(lambda actor: actor.start_timer("a", "tick", delay_s, interval_s=interval_s), timeout=0)
    assert world.dispatcher.pending_timers == 0
