"""What an actor can do with time; how timers behave is in test_actor_timers."""

import pytest

from relay_actors.errors import ConfigError
from tests.runtime.worlds import Recorder, World


@pytest.mark.parametrize(("delay_s", "interval_s"), [(-1.0, None), (0.0, 0.0), (0.0, -1.0)])
def test_a_time_that_cannot_be_is_refused(world: World, delay_s: float, interval_s: float | None):
    """An interval of nothing would never end."""
    ref = world.start(Recorder)
    with pytest.raises(ConfigError, match="timer 'a'"):
        ref.ask(lambda actor: actor.start_timer("a", "tick", delay_s, interval_s=interval_s), timeout=0)
    assert world.dispatcher.pending_timers == 0
