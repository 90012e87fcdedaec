"""Commands on a running operation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relay_actors.errors import ArgumentError
from relay_actors.protocol.commands import Pause, Resume, SetVolume, StartInputTimers, Stop
from relay_actors.protocol.commands.sub_commands import SUB_COMMANDS, SubCommand
from tests.protocol.wire_tables import METHODS


def test_every_operation_can_do_exactly_what_the_table_says() -> None:
    """Sub-commands are generic, so the table of what exists must be right."""
    assert {action: dict(subs) for action, subs in SUB_COMMANDS.items()} == {
        row["method"]: {sub["name"]: sub["method"] for sub in row["sub_commands"]}
        for row in METHODS
        if row["kind"] == "action"
    }


@pytest.mark.parametrize(
    ("command", "method", "params"),
    [
        (Stop(action_method="calling.play", control_id="c"), "calling.play.stop", {}),
        (Stop(action_method="calling.send_fax", control_id="c"), "calling.send_fax.stop", {}),
        (Stop(action_method="calling.receive_fax", control_id="c"), "calling.receive_fax.stop", {}),
        (Pause(action_method="calling.play", control_id="c"), "calling.play.pause", {}),
        (
            Pause(action_method="calling.record", control_id="c", behavior="silence"),
            "calling.record.pause",
            {"behavior": "silence"},
        ),
        (Resume(action_method="calling.record", control_id="c"), "calling.record.resume", {}),
        (
            SetVolume(action_method="calling.play_and_collect", control_id="c", volume=5),
            "calling.play_and_collect.volume",
            {"volume": 5},
        ),
        (
            StartInputTimers(action_method="calling.play_and_collect", control_id="c"),
            "calling.collect.start_input_timers",
            {},
        ),
    ],
)
def test_a_sub_command_names_its_operation(command: SubCommand, method: str, params: dict[str, object]) -> None:
    """PROTOCOL 10.6: the operation's own method with a word behind it, and its control id."""
    assert command.method == method
    assert command.to_params() == {"control_id": "c", **params}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Pause(action_method="calling.detect", control_id="c"),
        lambda: SetVolume(action_method="calling.record", control_id="c", volume=1),
        lambda: StartInputTimers(action_method="calling.play", control_id="c"),
        lambda: Stop(action_method="calling.answer", control_id="c"),
        lambda: Stop(action_method=None, control_id="c"),  # type: ignore[arg-type]
    ],
)
def test_what_an_operation_cannot_do_is_refused(make: Callable[[], object]) -> None:
    """The server would only say "method not found"."""
    with pytest.raises(ArgumentError, match=r"has no '\w+': only calling\."):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Stop(action_method="calling.play", control_id=""),
        lambda: SetVolume(action_method="calling.play", control_id="c", volume=41),
        lambda: Pause(action_method="calling.record", control_id="c", behavior=5),  # type: ignore[arg-type]
    ],
)
def test_what_could_never_work_is_refused(make: Callable[[], object]) -> None:
    """The text bears the full method."""
    with pytest.raises(ArgumentError, match=r"^calling\.\w+\.\w+: \w+ must be"):
        make()
