"""What all tests share."""

from __future__ import annotations

import gc

pytest_plugins = ["pytester"]


def pytest_collection_finish() -> None:
    """Spare the collector the thousands of tests that stay until the end: it would look at them again and again."""
    gc.collect()
    gc.freeze()
