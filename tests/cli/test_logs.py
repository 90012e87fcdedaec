"""Which log lines a command writes: to standard error, from the level on that was asked for."""

import argparse
import subprocess
import sys

import pytest

from relay_actors.cli.logs import add_log_level, configure_logging
from relay_actors.errors import ConfigError
from tests.cli.processes import DEADLINE_S, plain_environment

SCRIPT = """
import logging, sys
from relay_actors.cli.logs import configure_logging
configure_logging(sys.argv[1] if len(sys.argv) > 1 else None)
for level in ("debug", "info", "warning"):
    getattr(logging.getLogger("relay_actors.test"), level)("said at %s", level)
"""


@pytest.mark.parametrize(
    ("argument", "variable", "said"),
    [
        (None, "", ["info", "warning"]),
        (None, "warning", ["warning"]),
        (None, "DEBUG", ["debug", "info", "warning"]),
        ("WARNING", "DEBUG", ["warning"]),
    ],
)
def test_the_argument_wins_over_the_variable(argument: str | None, variable: str, said: list[str]):
    """As everywhere (PROTOCOL 15)."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *([argument] if argument else [])],
        env=plain_environment(SIGNALWIRE_LOG_LEVEL=variable),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )

    assert [line.rpartition(" ")[2] for line in done.stderr.splitlines()] == said
    assert done.stdout == ""


def test_a_level_that_there_is_not_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SIGNALWIRE_LOG_LEVEL", "loud")

    with pytest.raises(ConfigError, match="SIGNALWIRE_LOG_LEVEL is 'LOUD': must be one of DEBUG"):
        configure_logging(None)


def test_the_option_takes_levels_in_any_case():
    parser = argparse.ArgumentParser()
    add_log_level(parser)

    assert parser.parse_args(["--log-level", "debug"]).log_level == "DEBUG"
    assert parser.parse_args([]).log_level is None


def test_the_exit_status_is_the_same_where_standard_error_is_closed():
    """As of a daemon: a process manager starts 1 again, and not 2."""
    command = [sys.executable, "-m", "relay_actors", "run", "no_such_module"]
    # The shell closes it: `subprocess` cannot.
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *command], env=plain_environment(), timeout=DEADLINE_S, check=False
    )
    assert done.returncode == 2
