"""``relay-actors``: the command line. Layer: door."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Final

from relay_actors._version import __version__
from relay_actors.cli.logs import complain
from relay_actors.errors import ConfigError

__all__ = ["main"]

COMMANDS: Final = ("demo", "run", "sim", "chaos", "record", "replay", "top", "journal", "migrate", "doctor")
"""Each in a module of its name."""

INTERRUPTED: Final = 130
"""What shells report of a program that Ctrl-C has ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, and return the exit status: 2 for what the user has to mend first."""
    parser = argparse.ArgumentParser(
        prog="relay-actors", description="Phone calls as supervised actors, and a RELAY simulator to call them."
    )
    parser.add_argument("--version", action="version", version=f"relay-actors {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="command", required=True)
    words = sys.argv[1:] if argv is None else argv
    asked = next((word for word in words if not word.startswith("-")), "")
    for name in (asked,) if asked in COMMANDS else COMMANDS:  # to import all of them takes longer than most do
        importlib.import_module(f"relay_actors.cli.{name}").add_command(commands)
    options = parser.parse_args(words)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except ConfigError as error:
        complain(str(error))
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
