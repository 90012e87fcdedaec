"""`relay-actors doctor`: all findings, in order, and a status that a script can use."""

from pathlib import Path

from relay_actors.cli.doctor import examine
from relay_actors.config import Timing
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.tls import make_tls_files
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.cli.processes import Command


def test_all_is_well_with_a_server_that_accepts(tmp_path: Path, simulator: Simulator):
    """From the environment alone, over TLS."""
    files = make_tls_files(tmp_path, clock=SystemClock())
    with (
        SimulatorServer(simulator, tls=files) as server,
        Command(
            "doctor",
            SIGNALWIRE_SPACE=f"localhost:{server.port}",
            SIGNALWIRE_PROJECT_ID="my-project",
            SIGNALWIRE_API_TOKEN="my-secret",
            SIGNALWIRE_RELAY_CA_FILE=str(files.ca_file),
        ) as doctor,
    ):
        assert doctor.ends() == 0
        output = doctor.output

    for line in ("✓ Python", "✓ pykka", "✓ settings", "✓ TLS", "✓ log-in", "All is well."):
        assert line in output
    assert "my-" not in output
    assert "✗" not in output


def test_what_is_to_be_mended_is_marked_and_makes_the_status_1(simulator: Simulator):
    simulator.reject_next("signalwire.connect", code=-32401, message="AUTH_REQUIRED")
    with (
        SimulatorServer(simulator) as server,
        Command(
            "doctor",
            SIGNALWIRE_SPACE=f"127.0.0.1:{server.port}",
            SIGNALWIRE_PROJECT_ID="my-project",
            SIGNALWIRE_API_TOKEN="my-secret",
            SIGNALWIRE_RELAY_SCHEME="ws",
        ) as doctor,
    ):
        doctor.says("✗ log-in")
        doctor.says("check SIGNALWIRE_PROJECT_ID and SIGNALWIRE_API_TOKEN")
        doctor.says("1 to mend.")
        assert doctor.ends() == 1
        assert "my-" not in doctor.output


def test_nothing_is_tried_with_settings_that_cannot_be_used():
    """One thing after the other."""
    found = list(examine({}, Timing()))

    assert (found[-1].what, found[-1].is_right) == ("connection", None)
    assert [finding.what for finding in found if finding.is_right is False] == ["settings"]


def test_a_time_that_is_none_is_refused():
    with Command("doctor", "--timeout", "0") as doctor:
        doctor.says("must be a positive number of seconds")
        assert doctor.ends() == 2
