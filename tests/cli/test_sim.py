"""`relay-actors sim`: serves, lets whoever types call, ends cleanly, and may be killed while calls are up."""

import argparse
import json
import logging
import re
import signal
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay_actors import CallActor, RelayApp, Timing
from relay_actors.actors.call_ref import CallRef
from relay_actors.cli.examples import load_example
from relay_actors.cli.main import main
from relay_actors.cli.sim import introduction
from relay_actors.config import Settings
from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.tls import TlsFiles
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.cli.processes import DEADLINE_S, Command
from tests.support.house import REPOSITORY
from tests.support.ports import reserved_port

PACE = "0.02"
UNHURRIED = "0.1"
"""For stories in which somebody has five seconds to say something: on a busy machine, 0.1 s may pass between turns."""


class Log(logging.Handler):
    """Records that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._changed:
            self.lines.append(record.getMessage())
            self._changed.notify_all()

    def has(self, pattern: str, times: int = 1) -> list[str]:
        """Wait for so many lines in which ``pattern`` is found, and return what its group matched."""

        def found() -> list[str]:
            return [match[match.lastindex or 0] for line in self.lines if (match := re.search(pattern, line))]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= times, DEADLINE_S), self.lines
            return found()


def listening_port(sim: Command) -> int:
    return int(sim.says(r"listening on wss?://127\.0\.0\.1:(\d+);")[1])


def started(app: RelayApp, port: int) -> RelayApp:
    app.start(host=f"127.0.0.1:{port}", project="any", token="any", scheme="ws")
    return app


def test_what_it_prints_is_what_an_application_needs(tmp_path: Path):
    """The lines are pasted as they are; the story of a call, typed from a pipe, is told meanwhile."""
    with Command("sim", "--port", "0", "--pace", PACE) as sim:
        listening_port(sim)
        sim.says("SIGNALWIRE_RELAY_SCHEME")
        variables = dict(re.findall(r"^export (\w+)=(\S+)$", sim.output, re.MULTILINE))
        with Command("run", "examples.front_desk:app", **variables) as run:
            sim.says("logs in, contexts: hotel, desk, voicemail, bill")
            sim.type("dial", "hear press 1", "press 1", "hear from 7 to 10", "ended", "calls", "quit")
            sim.says(r"heard 'Welcome to the Harbour Hotel.*play_and_collect")
            sim.says("pressed 1")
            sim.says(r"ended \(hangup\)\s+end hangup")
            sim.says("0 up, 1 ended")
            assert sim.ends() == 0
            run.says("connection down")
            run.signal(signal.SIGTERM)
            assert run.ends() == 0


def test_tls_comes_with_a_throw_away_authority():
    """Its file is there while the simulator runs, and gone after it."""
    with Command("sim", "--port", "0", "--tls", "--project", "mine", "--token", "secret") as sim:
        listening_port(sim)
        sim.says("SIGNALWIRE_RELAY_CA_FILE")
        variables = dict(re.findall(r"^export (\w+)=(\S+)$", sim.output, re.MULTILINE))
        assert variables["SIGNALWIRE_RELAY_SCHEME"] == "wss"
        assert variables["SIGNALWIRE_PROJECT_ID"] == "mine"
        with Command("doctor", **variables) as doctor:
            assert doctor.ends() == 0, doctor.output
        with Command("doctor", **{**variables, "SIGNALWIRE_API_TOKEN": "wrong"}) as doctor:
            assert doctor.ends() == 1
        sim.type("quit")
        assert sim.ends() == 0

    assert not Path(variables["SIGNALWIRE_RELAY_CA_FILE"]).exists()


@pytest.mark.parametrize(
    ("options", "space", "said"),
    [
        (["--host", "0.0.0.0"], "127.0.0.1:1", "plain ws:// is for loopback only"),
        (["--host", "::"], "[::1]:1", "plain ws:// is for loopback only"),
        (["--host", "0.0.0.0", "--tls"], "127.0.0.1:1", "a copy of the CA file (the certificate is for loopback only)"),
    ],
)
def test_what_it_prints_when_it_listens_everywhere_works_on_this_machine(options: list[str], space: str, said: str):
    """An application refuses plain ws to any host but loopback, so from elsewhere it takes a tunnel, which is said."""
    server = SimulatorServer(Simulator(clock=SystemClock(), random=Random(1)), options[1], 1)
    tls = TlsFiles(Path("a"), Path("b"), Path("ca.pem")) if "--tls" in options else None
    lines = list(introduction(server, argparse.Namespace(project="", token=""), tls, None))

    exported = dict(line.removeprefix("export ").split("=") for line in lines if line.startswith("export "))
    assert exported["SIGNALWIRE_SPACE"] == space
    Settings.from_env(exported | {"SIGNALWIRE_RELAY_CA_FILE": ""})
    [told] = [line for line in lines if line.startswith("from another machine: ")]
    assert f"ssh -L 1:{space} THIS_MACHINE" in told
    assert said in told


def test_of_a_host_that_applications_refuse_it_warns():
    server = SimulatorServer(Simulator(clock=SystemClock(), random=Random(1)), "192.0.2.7", 1)
    lines = list(introduction(server, argparse.Namespace(project="", token=""), None, None))
    assert "warning: applications refuse this host, for plain ws:// is for loopback only: leave --host out" in lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: signal.Signals):
    """Without input it serves until then; the port is free afterwards."""
    with Command("sim", "--port", "0") as sim:
        sim.end_input()
        port = listening_port(sim)
        socket.create_connection(("127.0.0.1", port), DEADLINE_S).close()

        sim.signal(number)

        assert sim.ends() == 0
        assert "Traceback" not in sim.output
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), DEADLINE_S)


def test_tests_in_any_language_can_be_the_caller():
    """By HTTP, at the address that it prints; nothing is typed, and a signal ends it while a request waits."""
    with Command("sim", "--port", "0", "--pace", PACE, "--control", "0", "--control-token", "secret") as sim:
        sim.end_input()
        port = listening_port(sim)
        url = sim.says(r"control API at (http://127\.0\.0\.1:\d+);")[1]

        def asked(path: str, body: str = "{}") -> dict[str, Any]:
            request = urllib.request.Request(url + path, body.encode(), {"Authorization": "Bearer secret"})
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                told: dict[str, Any] = json.load(answer)
                return told

        with pytest.raises(urllib.error.HTTPError, match="401"), urllib.request.urlopen(url, timeout=DEADLINE_S):
            pass
        app = load_example("first_call")
        app.timing = Timing(linger_s=0.05)
        try:
            started(app, port)
            asked("/wait")
            asked("/phones/+15550001111/dials", '{"context": "office"}')
            assert asked("/phones/+15550001111/hears", '{"what": "press 1"}')["state"] == "answered"
        finally:
            app.stop()
        sim.says("heard 'Press 1 for sales")
        page = (REPOSITORY / "docs" / "how-to" / "test-an-application-in-any-language.md").read_text("utf-8")
        [shown] = re.findall(r"\$ relay-actors sim --control 8444\n(.*?)```", page, re.DOTALL)
        for line in shown.splitlines():
            assert re.search(re.sub("844[34]", r"\\d+", f"^{re.escape(line)}"), sim.output, re.MULTILINE), line
        waiting = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), DEADLINE_S)
        with waiting:
            waiting.sendall(b"POST /phones/+15550009999/rings HTTP/1.0\r\nAuthorization: Bearer secret\r\n\r\n")
            sim.signal(signal.SIGTERM)
            assert sim.ends() == 0
        assert "Traceback" not in sim.output
        assert "warning" not in sim.output


def test_who_lets_others_control_it_is_warned():
    """There is no password unless one is given."""
    with Command("sim", "--port", "0", "--control", "0.0.0.0:0") as sim:
        sim.says(r"control API at http://0\.0\.0\.0:\d+")
        sim.says("warning: whoever reaches this machine can use it")
        sim.type("quit")
        assert sim.ends() == 0


def test_a_signal_ends_a_wait_too():
    with Command("sim", "--port", "0") as sim:
        listening_port(sim)
        sim.type("calls", "wait 3600")
        sim.says("0 up, 0 ended")
        sim.signal(signal.SIGTERM)

        assert sim.ends() == 0


def test_a_script_that_fails_makes_the_status_1():
    """So that it can be part of a larger one."""
    with Command("sim", "--port", "0") as sim:
        sim.type("dial", "quit")
        sim.says(r"\? no application is logged in that takes calls")

        assert sim.ends() == 1


def test_a_port_that_is_taken_is_said_in_one_line(capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Command("sim", "--port", str(port)) as sim:
            assert sim.ends() == 2
            assert f"cannot serve on 127.0.0.1:{port}" in sim.output
            assert "Traceback" not in sim.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "70000"], "--port 70000: must be a number from 0"),
        (["--pace", "0"], "pace must be above 0"),
        (["--control", "here"], "--control here: write host:port, for example 127.0.0.1:8444"),
        (["--control-token", "x"], "--control-token is of no use without --control"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert main(["sim", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.fixture
def kept_port() -> Iterator[int]:
    """While no server is there, nobody else is given it, where the application would then try to log in."""
    with reserved_port() as port:
        yield port


def test_an_application_survives_the_death_of_the_server_with_calls_up(kept_port: int):
    """It comes back by itself, with the back-off; what was up is lost and says so; what comes then is served."""
    app = load_example("front_desk")
    app.timing = Timing(reconnect_min_s=0.1, reconnect_max_s=0.8, linger_s=0.05)
    log = Log()
    logger = logging.getLogger("relay_actors")
    before = logger.level
    logger.addHandler(log)
    logger.setLevel(logging.INFO)
    try:
        with Command("sim", "--port", str(kept_port), "--pace", PACE) as first:
            started(app, listening_port(first))
            first.type("app", "guests", "dial", "hear press 1")
            first.says(r"transferred to voicemail")

            first.signal(signal.SIGKILL)
            assert first.ends() == -signal.SIGKILL

        delays_s = [float(delay) for delay in log.has(r"connection down: .*retry_in_s=([\d.]+)", times=4)]
        # A busy machine has slept through the first milliseconds of a pause when the log tells of it.
        first_s, second_s, third_s, fourth_s = delays_s[:4]
        assert first_s <= 0.1
        assert 0.05 < second_s <= 0.2
        assert 0.15 < third_s <= 0.4
        assert 0.35 < fourth_s <= 0.8

        with Command("sim", "--port", str(kept_port), "--pace", UNHURRIED) as second:
            second.says("logs in")
            log.has(r"logged in resumed=False", times=2)
            log.has(r"ending without an end event .* reason=lost", times=2)
            second.type("guests 2")
            second.says("the guests have gone: 26 of 26 stories went as told")
            second.type("calls")
            second.says("  0 up, ")

            system = app.system
            assert app.stop()
            assert system.actor_count == 0
            second.type("quit")
            assert second.ends() == 0
    finally:
        app.stop()
        logger.removeHandler(log)
        logger.setLevel(before)


def test_a_call_that_is_up_survives_a_cut_of_the_socket():
    """The server lives on, and with it the session: the same actor goes on with the same call."""
    app = load_example("front_desk")
    app.timing = Timing(reconnect_min_s=0.05, reconnect_max_s=0.2, linger_s=0.05)
    try:
        with Command("sim", "--port", "0", "--pace", PACE) as sim:
            started(app, listening_port(sim))
            sim.type("app", "dial", "hear press 1", "press 4", "hear room number", "calls")
            sim.says("1 up")
            serials = [cell.serial for cell in app.system.living if isinstance(cell.ref, CallRef)]

            sim.type("cut 0.1", "app", "press 101#", "hear 240 dollars")
            sim.says(r"heard 'You owe 240 dollars for room 101")
            assert {cell.serial for cell in app.system.living if isinstance(cell.ref, CallRef)} <= {*serials}

            sim.type("ended", "quit")
            assert sim.ends() == 0
    finally:
        app.stop()


class Reminder(CallActor):
    async def run(self) -> None:
        await self.play_tts("Your car is ready.").wait()


def test_a_phone_that_rings_can_be_answered():
    """For applications that call out."""
    app = RelayApp(timing=Timing(linger_s=0.05))
    try:
        with Command("sim", "--port", "0", "--pace", PACE) as sim:
            started(app, listening_port(sim))
            number = "+15550003333"
            device = {"type": "phone", "params": {"from_number": "+15550004444", "to_number": number}}
            call = app.dial(Reminder, [[device]])
            sim.says(r"\*\*\*333.*ringing")
            sim.type("answer", "hear car is ready", "ended", "quit")
            assert call.wait_for_ended().get(timeout=DEADLINE_S).end_reason == "hangup"
            assert sim.ends() == 0
    finally:
        app.stop()
