"""Faults by their names."""

import threading
from random import Random

import pytest

from relay_actors.cli.control_faults import inject, list_faults
from relay_actors.cli.control_words import WrongArgumentsError
from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.simulator import Simulator


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(clock=SystemClock(), random=Random(1))


def test_every_fault_is_listed_with_what_it_takes():
    faults = {one["fault"]: one for one in list_faults()}
    assert {"drop_sockets", "socket_down", "reject_next", "answer_late", "duplicate_next"} <= faults.keys()
    assert faults["answer_late"]["takes"]["seconds"] == "a number, 0 or more"
    assert all(one["what"] for one in faults.values())


def test_what_lasts_does_not_hold_up_whoever_asks(simulator: Simulator):
    """The story goes on meanwhile; a reset ends it, and the thread that waits for it."""
    inject(simulator, "socket_down", {"seconds": 60})
    assert not simulator.is_accepting
    simulator.reset()
    assert simulator.is_accepting
    for thread in threading.enumerate():
        if thread.name == "relay-actors-fault":
            thread.join(5.0)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("fault", "arguments", "said"),
    [
        ("drop_socket", {}, "it probably means 'drop_sockets'"),
        ("earthquake", {}, "GET /faults lists what there is"),
        ("reject_next", {}, "reject_next needs method"),
        ("reject_next", {"method": 5}, "method of reject_next must be text"),
        ("reject_next", {"method": "calling.ply"}, "it probably means 'calling.play'"),
        ("push", {"frame": {}}, "there is no fault 'push'"),
    ],
)
def test_what_is_no_fault_is_told(simulator: Simulator, fault: str, arguments: dict[str, object], said: str):
    with pytest.raises(ConfigError, match=said):
        inject(simulator, fault, arguments)


def test_the_names_that_there_are_come_with_the_error(simulator: Simulator):
    with pytest.raises(WrongArgumentsError) as wrong:
        inject(simulator, "earthquake", {})
    assert "drop_sockets" in wrong.value.takes["fault"]
