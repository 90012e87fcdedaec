"""Logging of the commands, and what they say when they fail: to standard error, one line each. Layer: door."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import Any, Final

from relay_actors.config import Credentials, Settings

__all__ = ["add_log_level", "complain", "configure_logging"]

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def add_log_level(parser: Any) -> None:
    """Add ``--log-level`` to a command's parser."""
    parser.add_argument(
        "--log-level", type=str.upper, choices=LEVELS, help="default: SIGNALWIRE_LOG_LEVEL, else INFO", metavar="LEVEL"
    )


def configure_logging(level: str | None) -> None:
    """Log to standard error from ``level`` on; from ``SIGNALWIRE_LOG_LEVEL`` on when that is None, else from INFO on.

    Raises:
        ConfigError: the variable does not name a level.
    """
    chosen = level or os.environ.get("SIGNALWIRE_LOG_LEVEL", "").upper() or "INFO"
    # The settings know which levels there are, and what to say of others.
    Settings(credentials=Credentials(project="-", token="-"), log_level=chosen)
    logging.basicConfig(level=chosen, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")


def complain(what: str) -> None:
    """Say on standard error what is wrong; nothing if that is closed. The exit status tells it in any case."""
    with contextlib.suppress(OSError, ValueError):  # a full disk, or nobody reads it any more
        if sys.stderr is not None:
            sys.stderr.write(f"relay-actors: {what}\n")
