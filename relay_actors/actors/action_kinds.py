"""Which handle belongs to which operation. Layer: hall."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from relay_actors.actors.actions import (
    Action,
    AIAction,
    CollectAction,
    DetectAction,
    FaxAction,
    PayAction,
    PlayAction,
    RecordAction,
    StandaloneCollectAction,
    StreamAction,
    TapAction,
    TranscribeAction,
)

__all__ = ["ACTION_HANDLES"]

ACTION_HANDLES: Final[Mapping[str, type[Action]]] = MappingProxyType(
    {
        "calling.ai": AIAction,
        "calling.collect": StandaloneCollectAction,
        "calling.detect": DetectAction,
        "calling.pay": PayAction,
        "calling.play": PlayAction,
        "calling.play_and_collect": CollectAction,
        "calling.receive_fax": FaxAction,
        "calling.record": RecordAction,
        "calling.send_fax": FaxAction,
        "calling.stream": StreamAction,
        "calling.tap": TapAction,
        "calling.transcribe": TranscribeAction,
    }
)
"""From the method that starts an operation to the class of its handle."""
