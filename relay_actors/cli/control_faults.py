"""What can go wrong on purpose, as the control API lists it and lets it happen. Layer: door.

This module alone knows how a fault is found by its name.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final

from relay_actors.cli.control_shapes import Json
from relay_actors.cli.control_words import WrongArgumentsError, words_of
from relay_actors.protocol.near_miss import near_miss
from relay_actors.simulator.mishaps import Mishaps
from relay_actors.simulator.simulator import Simulator

__all__ = ["inject", "list_faults"]

_WORDS: Final = {name: word for name, word in words_of(Mishaps).items() if name != "push"}
"""A frame that is pushed need not be wrong: ``POST /push``."""


def list_faults() -> list[Json]:
    """Return each fault with what it takes, in words, and what happens."""
    return [
        {
            "fault": name,
            "takes": {argument.name: str(argument) for argument in word.arguments},
            "what": " ".join(filter(None, (word.summary, word.text))),
        }
        for name, word in _WORDS.items()
    ]


def inject(simulator: Simulator, fault: str, arguments: Mapping[str, object]) -> None:
    """Let a fault happen, or order it for later. What lasts goes on by itself: this returns at once.

    Raises:
        WrongArgumentsError: there is no such fault, or it takes other arguments.
        ConfigError: an argument names what there is not.
    """
    word = _WORDS.get(fault)
    if word is None:
        meant = near_miss(fault, _WORDS)
        hint = f"it probably means {meant!r}" if meant else "GET /faults lists what there is"
        raise WrongArgumentsError(f"there is no fault {fault!r}; {hint}", {"fault": f"one of {', '.join(_WORDS)}"})
    done = word.call(simulator, arguments, simulator)
    if isinstance(done, AbstractContextManager):
        lasting = contextlib.ExitStack()
        lasting.enter_context(done)
        # Leaving it waits until its time is over, and whoever asks wants to go on with the story meanwhile.
        threading.Thread(target=lasting.close, name="relay-actors-fault", daemon=True).start()
