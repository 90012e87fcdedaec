"""What of the user's belongs to a phase of a shutdown. When it is called is in `test_shutdown`."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors import RelayApp
from relay_actors.actors.shutdown_tasks import ShutdownTask
from relay_actors.errors import ConfigError


@pytest.mark.parametrize(
    ("phase", "function", "options", "says"),
    [
        ("drain", print, {}, "the phase must be one of stop_intake, finish_accepted, drain_calls"),
        ("drain_calls", "print", {}, "give a function, not what it returns"),
        ("drain_calls", None, {}, "give a function, not what it returns"),
        ("drain_calls", print, {"timeout_s": 0}, "must be a positive number of seconds"),
        ("drain_calls", print, {"timeout_s": "5"}, "must be a positive number of seconds"),
    ],
)
def test_a_task_that_cannot_be_run_is_refused(phase: str, function: Any, options: dict[str, Any], says: str):
    """H5: now, and not at the shutdown."""
    app = RelayApp("project", "token")
    with pytest.raises(ConfigError, match=says):
        app.on_shutdown(phase, function, **options)
    assert ShutdownTask("drain_calls", print).name == "print"
