"""The harness against the control API itself: here nobody takes the calls, and what the application says is given."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from subprocess import PIPE, Popen

import pytest

from relay_actors.cli.sim_control import SimulatorControl
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.simulator import Simulator
from tests.parity.mishaps.bench import Bench, OtherwiseError
from tests.parity.mishaps.numbers import CALLER, OFFICE


class Said:
    """An application of which only what it has said is known."""

    def __init__(self, output: str) -> None:
        self.output = output


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr("tests.parity.mishaps.bench.NOBODY_SERVES_S", 0.2)
    simulator = Simulator(clock=SystemClock(), random=Random(7), pace=0.01)
    with SimulatorControl(simulator) as control:
        yield Bench(control.url, lambda: Said("@ begun +1\n@ over +1\n"))


def test_a_story_that_goes_otherwise_is_told_in_a_line(bench):
    bench.dials(CALLER, OFFICE)

    with pytest.raises(OtherwiseError, match=r"^the caller does not hear “press 1”$"):
        bench.hears(CALLER, "press 1", 20.0)
    with pytest.raises(OtherwiseError, match=r"^the caller is not hung up$"):
        bench.is_hung_up(CALLER, 20.0)
    with pytest.raises(OtherwiseError, match=r"^the caller was not answered within 0 s$"):
        bench.person(CALLER, "is_connected", within=0)


def test_a_call_that_has_ended_is_told_as_such(bench):
    bench.dials(CALLER, OFFICE)
    bench.person(CALLER, "hangs_up")

    bench.is_hung_up(CALLER)
    with pytest.raises(OtherwiseError, match="is hung up, and has not heard"):
        bench.hears(CALLER, "press 1")


def test_a_mistake_of_the_harness_is_no_finding(bench):
    with pytest.raises(RuntimeError, match="400"):
        bench.fault("no such fault")
    with pytest.raises(RuntimeError, match="404"):
        bench.person(CALLER, "flies")


def test_what_is_heard_and_which_call_it_is_can_be_asked_for(bench):
    bench.dials(CALLER, OFFICE)

    assert bench.heard(CALLER) == []
    assert [call["call_id"] for call in bench.ask("GET", "/calls")["calls"]] == [bench.call_id(CALLER)]


def test_what_every_process_of_the_application_says_is_read(bench, monkeypatch):
    monkeypatch.setattr(Bench, "ask", lambda *_given, **_more: {})  # nobody logs in here
    bench.application = Said("@ begun +1\na line\n")
    bench.starts_another()

    assert bench.output == "@ begun +1\na line\n@ begun +1\n@ over +1\n"
    assert bench.log() == ["a line"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not say what a process has open")
def test_sockets_of_the_application_are_counted(bench):
    code = "import socket; one, other = socket.socketpair(); print('open', flush=True); input()"
    with Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdout.readline() == "open\n"
        bench.application = process
        assert bench.sockets() == 2
        process.communicate("\n", timeout=10)

    assert bench.sockets() is None


def test_what_is_left_over_is_found(bench):
    bench.dials(CALLER, OFFICE)
    bench.application = Said("@ begun +15550001111\n@ failed +15550001111 KeyError: 'a bug'\n@ begun +15550009999\n")

    found = bench.findings("", "otherwise", patience_s=0.1, may_repeat=False, has_next=False, lost=())
    assert (found.up, found.open, found.failures) == (1, [CALLER, "+15550009999"], ["KeyError: 'a bug'"])
    assert (found.otherwise, found.twice, found.is_next_served, found.unacknowledged) == ("otherwise", [], None, 0)


def test_neither_a_call_that_the_server_has_lost_nor_a_process_that_was_to_end_is_blamed(bench):
    bench.dials(CALLER, OFFICE)
    bench.application = Said("@ begun +15550001111\n")
    bench.is_gone = True

    found = bench.findings("", "", patience_s=0.1, may_repeat=True, has_next=False, lost=(CALLER,))
    assert (found.up, found.open) == (0, ())
