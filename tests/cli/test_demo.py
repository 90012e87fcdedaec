"""The demo: it counts, and says so when a figure is wrong."""

import importlib.util
import io
import re
import threading
from pathlib import Path

import pytest

from relay_actors import RelayApp, Timing
from relay_actors.cli.demo import FAST, NORMAL, Speed, run_demo
from relay_actors.cli.examples import load_example
from relay_actors.cli.screen import Screen
from tests.cli.processes import Command
from tests.support.house import REPOSITORY


@pytest.mark.parametrize("seed", [2])
def test_the_demo_tells_its_story_and_ends_well_with_nothing_left(seed: int):
    """As people run it; their own account in the environment does not matter."""
    with Command(
        "demo", "--fast", "--seed", str(seed), SIGNALWIRE_JWT_TOKEN="mine", SIGNALWIRE_RELAY_CA_FILE="/no/such/file"
    ) as demo:
        demo.says(r"on the phone\s+the application")
        demo.says("THE SOCKET IS CUT")
        demo.says("connection down: .*retry_in_s=")
        demo.says("logs in again")
        demo.says("All figures are right")
        assert demo.ends() == 0
        output = demo.output

    assert re.search(r"Welcome#\d+ .* ValueError: .*'anonymous' attempt=1 of=3", output)
    assert "restarts used up, GivenUpCall takes over" in output
    assert re.search(r"ended \(error\)\s+end error", output)
    assert "\x1b" not in output
    assert not re.search(r"\+\d{9,}", output), "a phone number is not masked"
    for name, counted in {"calls": 24, "completed": 23, "crashed": 3, "lost": 0, "left up": 0}.items():
        assert figure(output, name) == counted
    for name in ("actors left", "threads left", "events not acknowledged", "lost of those"):
        assert figure(output, name) == 0
    assert figure(output, "up at the cut") >= 3


def figure(output: str, name: str) -> int:
    found = re.search(rf"^\s*{name}\s+(\d+)\s", output, re.MULTILINE)
    assert found is not None, output
    return int(found[1])


def front_desk_with(tmp_path: Path, before: str, after: str) -> RelayApp:
    """The example with one change."""
    source = (REPOSITORY / "examples" / "front_desk.py").read_text("utf-8")
    assert source.count(before) == 1
    file = tmp_path / "front_desk_with_a_mistake.py"
    file.write_text(source.replace(before, after), "utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app = module.app
    assert isinstance(app, RelayApp)
    return app


def test_an_application_that_leaves_callers_in_silence_is_found_out(tmp_path: Path):
    """The figures are counted: a handler that forgets to hang up makes the demo fail, and its callers are named."""
    app = front_desk_with(tmp_path, "self.hangup()", "pass")
    stream = io.StringIO()
    before = set(threading.enumerate())

    status = run_demo(1, Speed(pace=0.04, cut_s=0.2, patience_s=2.0), Screen(stream, {}), app)

    assert status == 1
    output = stream.getvalue()
    assert re.search(r"wrong: lost is [1-9]\d*, expected 0", output)
    assert re.search(r"wrong: left up is [1-9]\d*, expected 0", output)
    assert re.search(r"\(breakfast\): \+\d+\*\*\*\d+ was not hung up within 2 s", output)
    assert figure(output, "actors left") == 0
    assert set(threading.enumerate()) == before, "even a demo that goes wrong leaves nothing running"


def test_an_application_that_does_not_come_back_is_found_out():
    """Its calls are not counted as anything better than lost."""
    app = load_example("front_desk")
    app.timing = Timing(reconnect_min_s=600.0, reconnect_max_s=600.0)
    stream = io.StringIO()

    status = run_demo(1, Speed(pace=0.04, cut_s=0.1, patience_s=1.0), Screen(stream, {}), app)

    assert status == 1
    output = stream.getvalue()
    assert "the application has not come back" in output
    assert "wrong: came back is 0, expected 1" in output
    assert re.search(r"wrong: lost is [1-9]\d*, expected 0", output)
    assert figure(output, "threads left") == 0


def test_people_can_follow_the_normal_demo():
    """CI's is many times faster."""
    assert NORMAL.pace >= 5 * FAST.pace
