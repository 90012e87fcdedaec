"""A running application is recorded into a file, of which calls are taken out."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import ManualClock
from relay_actors.testing import Recording, replays
from relay_actors.testing.lab import Lab
from relay_actors.testing.recorder import Recorder
from tests.testing.recorded import CALLER, OTHER, Ivr, an_app


def test_what_was_recorded_as_it_ran_replays_call_by_call(tmp_path: Path):
    """SEMANTICS V7: each call by its id, as the log of the application tells it."""
    app, path = an_app(Ivr), tmp_path / "run.jsonl"
    with Lab() as lab, Recorder(app, path, lab.clock):
        lab.start(app)
        lines = []
        for number in (CALLER, OTHER):
            lab.phone(number).reacts("press two keys", presses="12")
            lines.append(lab.phone(number).dials(context="support"))
            lab.advance(1.0)
        for line in lines:
            line.is_hung_up(within=60.0)
        lab.settle()
        frames = list(lab.sim.frames)
    text = path.read_text("utf-8")
    assert '"ids": "as they were"' in text.splitlines()[0]
    for kept_back in (CALLER, OTHER, "Welcome", "test-token", "test-project", "signalwire_"):
        assert kept_back not in text
    assert len(Recording.read(path).calls) == 2
    for line in lines:
        recording = Recording.read(path, line.call_id[:8])
        assert recording.calls == ["call-1"]
        assert list(recording.said) == list(Recording.from_frames(frames, line.call_id).said)
        replays(recording, app)
    replays(Recording.read(path), app, seeds=3)


def test_nothing_is_between_an_application_and_its_socket_that_nobody_records(tmp_path: Path):
    """Who does not ask for it does not pay for it; and what is over is over."""
    app, path = an_app(Ivr), tmp_path / "run.jsonl"
    with Recorder(app, path, ManualClock()):
        assert app.tell_frames is not None
    assert app.tell_frames is None
    assert len(path.read_text("utf-8").splitlines()) == 1
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path):
    """It may be the only record of a bad night."""
    path = tmp_path / "run.jsonl"
    path.touch()
    with pytest.raises(ConfigError, match="is there already"), Recorder(an_app(), path, ManualClock()):
        pass
    with pytest.raises(ConfigError, match="cannot be written"), Recorder(an_app(), tmp_path / "x" / "y", ManualClock()):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_ends_the_recording_and_not_the_application(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Calls are more than what is written of them."""
    app = an_app(Ivr)
    full = Path("/dev/full").open("w", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed by the recorder
    with Lab() as lab, Recorder(app, tmp_path / "run.jsonl", lab.clock) as recorder:
        assert recorder._file is not None
        recorder._file.close()
        recorder._file = full
        lab.start(app)
        lab.phone(CALLER).reacts("press two keys", presses="12")
        lab.phone(CALLER).dials(context="support").is_hung_up(within=60.0)
    assert "cannot be written any more: No space left on device" in caplog.text


def test_the_end_of_a_recording_breaks_no_connection_that_goes_on(tmp_path: Path):
    """A frame may cross on the connection's thread at the very moment at which the block ends on another."""
    with Lab() as lab, Recorder(an_app(Ivr), tmp_path / "run.jsonl", lab.clock) as recorder:
        assert recorder._file is not None
        recorder._file.close()
        recorder._write({"at": 0.0})
