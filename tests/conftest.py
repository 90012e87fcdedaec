"""What all tests share."""

from __future__ import annotations

import gc
import signal

from hypothesis import settings

from tests.support.thorough import IS_THOROUGH

# A machine that is busy is no failure, so no example has a deadline.
settings.register_profile("thorough", deadline=None)
settings.register_profile("suite", deadline=None, max_examples=25)
settings.load_profile("thorough" if IS_THOROUGH else "suite")

pytest_plugins = ["pytester"]

# A shell has what runs in its background ignore Ctrl-C, and so would the commands that are started and interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Spare the collector the thousands of tests that stay until the end: it would look at them again and again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_logstart(location: tuple[str, int | None, str]) -> None:
    """Set them aside again after each file: an application that has run in it gives back what was set aside.

    Without asking whether one has: that takes as long as to count all that is set aside.
    """
    is_next_file = location[0] != _file[0]
    _file[0] = location[0]
    if is_next_file:
        gc.collect()
        gc.freeze()


_file = [""]
"""Whose tests are being run."""
