"""What can go wrong on purpose, as the control API lists it and lets it happen. Layer: door."""

from __future__ import annotations

from collections.abc import Mapping

from relay_actors.cli.control_shapes import Json
from relay_actors.simulator.fault_words import FAULT_WORDS
from relay_actors.simulator.simulator import Simulator

__all__ = ["inject", "list_faults"]


def list_faults() -> list[Json]:
    """Return each fault with what it takes, in words, and what happens."""
    return [
        {
            "fault": word.name,
            "takes": {one.name: f"{one.kind}: {one.meaning}" for one in word.arguments},
            "what": word.meaning,
        }
        for word in FAULT_WORDS.values()
    ]


def inject(simulator: Simulator, fault: str, arguments: Mapping[str, object]) -> None:
    """Let a fault happen, or order it for later. What lasts goes on by itself: this returns at once.

    Raises:
        ConfigError: there is no such fault, or it takes other arguments.
    """
    simulator.inject(fault, **arguments)
