"""Which handle belongs to which operation. Layer: hall."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from relay_actors.actors.actions import (
    Action,
    CollectAction,
    DetectAction,
    PlayAction,
    RecordAction,
    StandaloneCollectAction,
)

__all__ = ["ACTION_HANDLES"]

ACTION_HANDLES: Final[Mapping[str, type[Action]]] = MappingProxyType(
    {
        "calling.play": PlayAction,
        "calling.play_and_collect": CollectAction,
        "calling.collect": StandaloneCollectAction,
        "calling.record": RecordAction,
        "calling.detect": DetectAction,
    }
)
"""From the method that starts an operation to the class of its handle."""
