"""The phases of a shutdown, and what of the user's belongs to one of them. Layer: hall; pure. Source: SEMANTICS H8."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol import checks

__all__ = ["PHASES", "ShutdownTask"]

PHASES: Final = (
    "stop_intake",
    "finish_accepted",
    "drain_calls",
    "stop_actions",
    "close_connections",
    "stop_system",
)


@dataclass(frozen=True, slots=True)
class ShutdownTask:
    """Something of the user's that belongs to a phase.

    Attributes:
        phase: its name.
        function: takes no arguments; a function runs on the blocking pool, a coroutine function like a flow.
        timeout_s: how long it may take, or None.

    Raises:
        ConfigError: one of them cannot be used.
    """

    phase: str
    function: Callable[[], Any]
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        where = f"on_shutdown({self.phase!r}, {self.function!r})"
        if self.phase not in PHASES:
            raise ConfigError(f"{where}: the phase must be one of {', '.join(PHASES)}")
        if not callable(self.function):
            raise ConfigError(f"{where}: give a function, not what it returns")
        if self.timeout_s is not None and (checks.seconds(self.timeout_s) is not None or not self.timeout_s):
            raise ConfigError(f"{where}: timeout_s={self.timeout_s!r} must be a positive number of seconds")

    @property
    def name(self) -> str:
        """What the log calls it."""
        inner = getattr(self.function, "func", self.function)
        return str(getattr(inner, "__qualname__", type(self.function).__name__))
