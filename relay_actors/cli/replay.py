"""``relay-actors replay FILE module[:app]``: compares an application with a recording. Layer: door."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from relay_actors.cli.run import load_app, where
from relay_actors.cli.screen import Screen
from relay_actors.errors import ConfigError
from relay_actors.testing.recording import Recording
from relay_actors.testing.replaying import Replayed, replay

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "replay",
        help="run an application against what the server said in a recording",
        description="Runs an application in virtual time against what the server said in a recording, and compares its "
        "commands with those of then. The first difference is shown as a sequence chart; the exit status is 1 then, "
        "and 2 when something has to be mended first.",
    )
    parser.add_argument("file", help="a recording, of `relay-actors record`")
    parser.add_argument("app", metavar="module[:app]", help="where the RelayApp is; the current directory is searched")
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="in how many orders of what happens at one moment (default: 1)",
    )
    parser.add_argument(
        "--outside",
        metavar="module:function",
        help="does the dials and texts that nobody in the application asks for: is given the application and the "
        "recorded command",
    )
    parser.add_argument(
        "--number",
        action="append",
        default=[],
        metavar="+NUMBER",
        help="a number that the application knows: it is told it in place of its stand-in (may be repeated)",
    )
    parser.add_argument("--whole", action="store_true", help="show the whole sequence chart, also without a difference")
    parser.set_defaults(command=_run_command)


def _run_command(options: argparse.Namespace) -> int:
    if options.seeds < 1:
        raise ConfigError(f"--seeds {options.seeds}: must be 1 or more")
    recording = Recording.read(options.file)
    sys.path.insert(0, os.getcwd())
    app = load_app(options.app)
    outside = None if options.outside is None else _load_function(options.outside)
    screen = Screen()
    replayed: Replayed | None = None
    for seed in range(options.seeds):
        replayed = replay(recording, app, seed=seed, outside=outside, numbers=options.number, name=options.file)
        if replayed.differences:
            break
    assert replayed is not None  # there is one seed at least
    told = [*replayed.told().splitlines(), *(["", *replayed.chart(is_whole=True).splitlines()] * options.whole)]
    for line in told:
        screen.say((line, "bold red" if line.startswith(">") else ""))
    return int(bool(replayed.differences))


def _load_function(target: str) -> Callable[..., object]:
    module, _colon, name = target.partition(":")
    try:
        is_whole = bool(module and name) and not module.startswith(".")
        function = getattr(importlib.import_module(module), name) if is_whole else None
    except (ModuleNotFoundError, AttributeError) as error:
        raise ConfigError(f"--outside {target}: {error}") from error
    except Exception as error:  # whatever the module does while it is imported
        raise ConfigError(f"--outside {target}: {module} cannot be imported:\n{where(error)}") from error
    if not callable(function):
        raise ConfigError(
            f"--outside {target!r}: write module:function, of a function of the application and a command"
        )
    outside: Callable[..., object] = function  # what the user has named

    def do(*given: object) -> object:
        try:
            return outside(*given)
        except Exception as error:  # whatever is wrong with it: that is no difference of the application
            raise ConfigError(f"--outside {target} has failed:\n{where(error)}") from error

    return do
