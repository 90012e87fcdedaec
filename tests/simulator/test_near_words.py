"""Words of tests that are misspelt."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.simulator.stage import Stage


@pytest.mark.parametrize(
    ("who", "word", "meant"),
    [
        ("phone", "dial", "dials"),
        ("phone", "hear", "hears"),
        ("line", "press", "presses"),
        ("line", "is_hungup", "is_hung_up"),
        ("crowd", "hear", "hears"),
        ("sim", "socket_dwn", "socket_down"),
        ("sim", "reject", "reject_next"),
    ],
)
def test_a_misspelt_word_tells_which_one_was_meant(stage: Stage, who: str, word: str, meant: str):
    """Test runners show the message of the error, and not what the interpreter would add to it."""
    stage.sim.assign_number("+15550100100", "office")
    one: Any = {
        "phone": lambda: stage.sim.phone("+15550001111"),
        "line": lambda: stage.sim.phone("+15550001111").dials(context="office"),
        "crowd": lambda: stage.sim.many(2),
        "sim": lambda: stage.sim,
    }[who]()
    with pytest.raises(AttributeError, match=f"has no attribute '{word}'; it probably means '{meant}'$"):
        getattr(one, word)


def test_a_word_that_is_like_none_is_only_not_there(stage: Stage):
    """And neither is what the language looks for."""
    phone = stage.sim.phone("+15550001111")
    with pytest.raises(AttributeError, match=r"'Phone' object has no attribute 'xylophone'$"):
        _ = phone.xylophone  # type: ignore[attr-defined]
    assert not hasattr(phone, "__len__")
    assert copy.copy(phone).number == phone.number
