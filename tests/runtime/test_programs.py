"""Random programs of actors: what must be true in each of them (SEMANTICS V5)."""

import logging

import pytest

from tests.runtime.programs import Program, ThreadedProgram

SEEDS = 300


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """They fail on purpose, many times."""
    caplog.set_level(logging.CRITICAL, logger="relay_actors")  # the fixture takes it back


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_message_ask_watch_and_actor_is_accounted_for(seed: int):
    """M1, M5, D1, A5, A6, L4, L6, L9, W1-W4, S10, S11, T1, T2, DL1: see `Program.check` and `Program._wind_up`."""
    Program(seed).run()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.usefixtures("eager_switches")
def test_the_same_is_true_on_threads(seed: int):
    """As above, as far as it can be said at the end; here nothing repeats itself, and the seed is only a number."""
    ThreadedProgram(seed).run()


@pytest.mark.parametrize("seed", range(10))
def test_the_same_seed_gives_the_same_events(seed: int):
    """V3: what is random comes from the seed, and from nothing else."""
    logs = []
    for _ in range(2):
        program = Program(seed)
        program.run()
        logs.append(program.log)
    assert logs[0] == logs[1]
    assert len(logs[0]) > 50
