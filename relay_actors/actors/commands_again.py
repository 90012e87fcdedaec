"""Commands made from what the journal has kept of them. Layer: hall; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import ActionCommand, Dial, RelayCommand

__all__ = ["ActionCommandAgain", "CommandAgain", "DialAgain", "dial_of"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CommandAgain(RelayCommand):
    """A command as it went out once; its params were checked then."""

    takes_anything: ClassVar[bool] = True

    name: str = ""
    params: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check nothing: that was done then."""

    @classmethod
    def wire_names(cls) -> dict[str, str]:
        """Return nothing: its arguments are not known any more."""
        return {}

    @property
    def method(self) -> str:
        """The wire method."""
        return self.name

    def to_params(self) -> JsonObject:
        """Return the params, as they were."""
        return dict(self.params)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ActionCommandAgain(ActionCommand):
    """A command that has started an operation once."""

    takes_anything: ClassVar[bool] = True

    name: str = ""
    params: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check nothing: that was done then."""

    @classmethod
    def wire_names(cls) -> dict[str, str]:
        """Return nothing: its arguments are not known any more."""
        return {}

    @property
    def method(self) -> str:
        """The wire method."""
        return self.name

    def to_params(self) -> JsonObject:
        """Return the params, as they were."""
        return dict(self.params)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DialAgain(CommandAgain):
    """A dial that went out once."""

    needs_call: ClassVar[bool] = False

    tag: str = ""


def dial_of(params: Mapping[str, Any]) -> DialAgain:
    """Return the dial for the params of one in the journal."""
    return DialAgain(name=Dial.method, params=params, tag=str(params.get("tag", "")))
