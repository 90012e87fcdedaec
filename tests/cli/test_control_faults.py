"""Faults by their names."""

from random import Random

import pytest

from relay_actors.cli.control_faults import inject, list_faults
from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.fault_words import FAULT_WORDS
from relay_actors.simulator.simulator import Simulator


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(clock=SystemClock(), random=Random(1))


def test_every_fault_is_listed_with_what_it_takes():
    faults = {one["fault"]: one for one in list_faults()}
    assert faults.keys() == FAULT_WORDS.keys()
    assert faults["answer_late"]["takes"]["seconds"] == "seconds: how late"
    assert all(one["what"] for one in faults.values())


def test_what_lasts_does_not_hold_up_whoever_asks(simulator: Simulator):
    """The story goes on meanwhile; a reset ends it."""
    inject(simulator, "socket_down", {"seconds": 60})
    assert not simulator.is_accepting
    simulator.reset()
    assert simulator.is_accepting


@pytest.mark.parametrize(
    ("fault", "arguments", "said"),
    [
        ("sockets_down", {}, "it probably means 'socket_down'"),
        ("earthquake", {}, "has no fault 'earthquake'; it has cut, drop"),
        ("answer_late", {}, "answer_late needs seconds"),
        ("reject", {"method": "calling.ply"}, "it probably means 'calling.play'"),
    ],
)
def test_what_is_no_fault_is_told(simulator: Simulator, fault: str, arguments: dict[str, object], said: str):
    with pytest.raises(ConfigError, match=said):
        inject(simulator, fault, arguments)
