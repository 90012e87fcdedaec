"""Commands made from what the journal has kept of them. Layer: hall; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, ClassVar

from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import ActionCommand, Dial, RelayCommand

__all__ = ["ActionCommandAgain", "CommandAgain", "DialAgain", "dial_of"]


class _Again:
    """What went out once: its params were checked then, and its arguments are not known any more."""

    __slots__ = ()

    takes_anything: ClassVar[bool] = True

    name: str
    params: Mapping[str, object]

    def __post_init__(self) -> None:
        """Check nothing."""

    @classmethod
    def wire_names(cls) -> dict[str, str]:
        """Return nothing."""
        return {}

    @property
    def method(self) -> str:
        """The wire method."""
        return self.name

    def to_params(self) -> JsonObject:
        """Return the params, as they were."""
        return dict(self.params)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CommandAgain(_Again, RelayCommand):
    """A command as it went out once."""

    name: str = ""
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ActionCommandAgain(_Again, ActionCommand):
    """A command that has started an operation once."""

    name: str = ""
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DialAgain(CommandAgain):
    """A dial that went out once."""

    needs_call: ClassVar[bool] = False

    tag: str = ""


def dial_of(params: Mapping[str, Any]) -> DialAgain:
    """Return the dial for the params of one in the journal."""
    return DialAgain(name=Dial.method, params=params, tag=str(params.get("tag", "")))
