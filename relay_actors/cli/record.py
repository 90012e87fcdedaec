"""``relay-actors record calls.db calls/17.jsonl --call ID``: takes a call out of a journal, for a test. Layer: door."""

from __future__ import annotations

import argparse
import json
import os
import re
from pathlib import Path
from typing import Any, Final

from relay_actors.cli.screen import Screen
from relay_actors.errors import ConfigError
from relay_actors.testing.recording import Recording
from relay_actors.testing.said import COMMAND, EVENT

__all__ = ["add_command"]

_SQLITE: Final = b"SQLite format 3\0"
_RECORDING: Final = b'{"recording"'
_LONGEST_HEAD: Final = 64


def add_command(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "record",
        help="make a test of a real call",
        description="Takes a call out of a journal, or out of what `relay-actors run --record` has written, and writes "
        "what the server and the application said to each other: redacted, with stand-ins for numbers and for what was "
        "said and texted. `relay-actors replay` and relay_actors.testing.replays() compare an application with it. "
        "The exit status is 2 when something has to be mended first.",
    )
    parser.add_argument("source", help="a journal, or a file of `relay-actors run --record`")
    parser.add_argument("file", help="where to write the recording, for example tests/calls/17.jsonl")
    parser.add_argument(
        "--call", metavar="ID", help="of which call: its id or tag, or the beginning of its id (default: of all)"
    )
    parser.add_argument(
        "--keep-words",
        action="store_true",
        help="with a journal: keep what was said and texted; for applications that decide by it",
    )
    parser.set_defaults(command=_run_command)


def _run_command(options: argparse.Namespace) -> int:
    if _is_same(options.source, options.file):
        raise ConfigError(f"{options.file} is what the call is taken out of: name another file to write")
    if not _may_be_written(options.file):
        raise ConfigError(f"{options.file} is there, and is no recording: name another file to write")
    if _is_journal(options.source):
        recording = Recording.from_journal(options.source, options.call, keeps_words=options.keep_words)
    elif options.keep_words:
        raise ConfigError(
            f"{options.source} is no journal: say --keep-words when it is recorded, to `relay-actors run`"
        )
    else:
        recording = Recording.read(options.source, options.call)
    recording.write(options.file)
    screen = Screen()
    screen.say((options.file, "bold"), f": {_about(recording)}. The test:")
    screen.say("")
    for line in _test_of(options.file):
        screen.say(line)
    if left_out := len(recording.left_out):
        screen.say("")
        about = "1 call is" if left_out == 1 else f"{left_out} calls are"
        screen.say(
            (f"{about} left out, with those that they were brought together with: ", "yellow"),
            ("up already when the recording began, so without a beginning to replay", "yellow"),
        )
    return 0


def _is_same(source: str, file: str) -> bool:
    try:
        return os.path.samefile(source, file)
    except OSError:
        return False  # one of them is not there, or cannot be seen


def _may_be_written(file: str) -> bool:
    """Return whether nothing is lost by it but a recording of before: of two paths the wrong one may come first."""
    head = (_head_of(file) or b"").lstrip()  # most often it is not there
    return not head or head.startswith(_RECORDING)


def _is_journal(path: str) -> bool:
    head = _head_of(path)
    return head is not None and (not head or head.startswith(_SQLITE))


def _head_of(path: str) -> bytes | None:
    """Return how a file begins; None if it cannot be read: whoever reads or writes it next says what is wrong."""
    try:
        with Path(path).open("rb") as file:
            return file.read(_LONGEST_HEAD)
    except OSError:
        return None


def _about(recording: Recording) -> str:
    events = sum(one.kind == EVENT for one in recording.said)
    commands = sum(one.kind == COMMAND for one in recording.said)
    calls = len(recording.calls)
    words = "with what was said" if recording.keeps_words else "with stand-ins for what was said"
    counts = ((calls, "call"), (events, "event"), (commands, "command"))
    return ", ".join(f"{count} {name}{'s' * (count != 1)}" for count, name in counts) + f", {words}"


def _test_of(file: str) -> list[str]:
    name = re.sub(r"\W", "_", Path(file).stem)
    return [
        "from your_module import app  # where the RelayApp is",
        "",
        "from relay_actors.testing import replays",
        "",
        "",
        f"def test_call_{name}() -> None:",
        f"    replays({json.dumps(file, ensure_ascii=False)}, app)",
    ]
