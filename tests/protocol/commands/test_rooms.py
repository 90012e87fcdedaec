"""Commands on where calls meet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relay_actors.errors import ArgumentError
from relay_actors.protocol.commands import JoinConference, JoinRoom, LeaveConference, QueueEnter, QueueLeave


def test_a_conference_sends_only_what_was_given() -> None:
    """Nineteen settings, all with defaults on the server; False is not the same as not given."""
    joined = JoinConference(name="weekly", muted=False, beep=True, stream_obj={"url": "wss://x"})
    assert joined.to_params() == {"name": "weekly", "muted": False, "beep": "true", "stream": {"url": "wss://x"}}
    assert JoinConference(name="weekly", beep="onEnter").to_params() == {"name": "weekly", "beep": "onEnter"}


def test_a_queue_is_entered_and_left_under_a_control_id() -> None:
    """Required on the wire, and made up by the client (PROTOCOL 12)."""
    assert QueueEnter(queue_name="support").with_control_id("c").to_params() == {
        "queue_name": "support",
        "control_id": "c",
    }
    assert QueueLeave(queue_name="support", queue_id="q", control_id="c").to_params()["queue_id"] == "q"


@pytest.mark.parametrize(
    "make",
    [
        lambda: JoinConference(name=""),
        lambda: JoinConference(name="x", max_participants=-1),
        lambda: JoinConference(name="x", muted="no"),  # type: ignore[arg-type]
        lambda: LeaveConference(conference_id=""),
        lambda: JoinRoom(name=None),  # type: ignore[arg-type]
        lambda: QueueEnter(queue_name=""),
    ],
)
def test_what_could_never_work_is_refused(make: Callable[[], object]) -> None:
    """Before anything is sent, at the line that is wrong."""
    with pytest.raises(ArgumentError, match=r"^calling\.[\w.]+: \w+ must be"):
        make()
