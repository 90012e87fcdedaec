"""What applications under test find in place of a developer's environment. Layer: door."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest import mock

__all__ = ["bare_environment"]

_VARIABLES: Final = ("SIGNALWIRE_JWT_TOKEN", "SIGNALWIRE_RELAY_CA_FILE", "SIGNALWIRE_LOG_LEVEL")
"""What of a developer's environment would get in the way; the other variables are overridden by arguments."""


@contextmanager
def bare_environment() -> Iterator[None]:
    """Let any number of applications start in this block, with what they are given and nothing else."""
    with mock.patch.dict(os.environ, {"RELAY_MAX_CONNECTIONS": "1000000"}):
        for variable in _VARIABLES:
            os.environ.pop(variable, None)
        yield
