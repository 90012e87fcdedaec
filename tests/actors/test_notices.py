"""What actors are told beside events: values that can be taken apart by `match`, and not be changed."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from relay_actors.actors import notices
from relay_actors.actors.notices import CommandFailed, ConnectionLost, ConnectionRestored, DialFailed
from relay_actors.errors import DialFailedError, NotSentError
from relay_actors.protocol.commands import Answer, Hangup


def test_they_are_taken_apart_by_match():
    """That is how handlers read (STYLE)."""

    def told(message: object) -> str:
        match message:
            case CommandFailed(command=Answer()):
                return "answer failed"
            case CommandFailed(error=error):
                return str(error.code)  # type: ignore[attr-defined]  # a RelayError here
            case ConnectionRestored(resumed=True, gap_s=gap_s):
                return f"back after {gap_s:g} s"
            case DialFailed(tag=tag):
                return tag
            case _:
                return type(message).__name__

    error = NotSentError("no")
    assert told(CommandFailed(Answer(), error)) == "answer failed"
    assert told(CommandFailed(Hangup(), error)) == "-1"
    assert told(ConnectionRestored(True, 2.5)) == "back after 2.5 s"
    assert told(DialFailed("t", DialFailedError("t", "no"))) == "t"
    assert told(ConnectionLost()) == "ConnectionLost"


@pytest.mark.parametrize("name", notices.__all__)
def test_they_are_values(name: str):
    """Frozen and slotted: what one actor is told cannot be changed by another (STYLE)."""
    kind: Any = getattr(notices, name)
    assert dataclasses.is_dataclass(kind)
    notice = kind(*[None] * len(dataclasses.fields(kind)))
    assert notice == kind(*[None] * len(dataclasses.fields(kind)))
    assert not hasattr(notice, "__dict__")
    for field in dataclasses.fields(kind):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(notice, field.name, 1)
