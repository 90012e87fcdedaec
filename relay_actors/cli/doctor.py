"""``relay-actors doctor``: says what keeps an application from connecting, and what to mend. Layer: door."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any

from relay_actors.cli.diagnosis import (
    Finding,
    check_connection,
    check_dependencies,
    check_environment,
    check_python,
)
from relay_actors.cli.screen import Screen
from relay_actors.config import Limits, Settings, Timing
from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import SystemClock, fresh_random, uuid4_ids

__all__ = ["add_command", "examine"]


def add_command(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor",
        help="check everything that an application needs to connect",
        description="Checks Python, libraries and environment variables, then connects and logs in as an application "
        "would. Takes no calls, and writes no secrets. The exit status is 1 if something is to be mended.",
    )
    parser.add_argument(
        "--timeout", type=float, default=10.0, metavar="SECONDS", help="for each step of the connection (default: 10)"
    )
    parser.set_defaults(command=_run_command)


def examine(environ: Mapping[str, str], timing: Timing) -> Iterator[Finding]:
    """Look at everything, in the order in which it is needed; the connection only if the settings are usable."""
    yield check_python()
    yield from check_dependencies()
    yield from check_environment(environ)
    try:
        settings = Settings.from_env(environ)
    except ConfigError:
        yield Finding("connection", None, "not tried: the settings come first")
        return
    yield from check_connection(settings, timing, Limits(), clock=SystemClock(), ids=uuid4_ids(fresh_random()))


def _run_command(options: argparse.Namespace) -> int:
    seconds = options.timeout
    timing = Timing(request_timeout_s=seconds, tcp_connect_s=seconds, tls_handshake_s=seconds, upgrade_s=seconds)
    logging.getLogger("relay_actors").addHandler(logging.NullHandler())  # what is wrong is said here, once
    screen = Screen()
    to_mend = 0
    for finding in examine(os.environ, timing):
        screen.say(screen.mark(finding.is_right), f" {finding.what:25} ", (finding.detail, "dim"))
        if finding.hint:
            screen.say((f"     {finding.hint}", "yellow"))
        to_mend += finding.is_right is False
    if to_mend:
        screen.say((f"{to_mend} to mend.", "bold red"))
        return 1
    screen.say(("All is well.", "bold green"))
    return 0
