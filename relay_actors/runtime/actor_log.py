"""The logger of one actor: each line says who speaks. Layer: pillar. Source: SEMANTICS O6."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

__all__ = ["ActorLog", "logger_of"]


@functools.cache
def logger_of(name: str) -> logging.Logger:
    """Return the logger of an actor's class, ``relay_actors.<name>``."""
    return logging.getLogger(f"relay_actors.{name}")


class ActorLog(logging.LoggerAdapter[logging.Logger]):
    """Begins each line with who speaks, and gives each record what is known of the actor as attributes.

    A formatter may use them, ``%(call_id)s`` for example; those that an actor does not have are missing.

    Args:
        name: of the actor's class; the logger is ``relay_actors.<name>``.
        who: begins the lines.
        fields: the attributes.
    """

    def __init__(self, name: str, who: str, fields: Mapping[str, object]) -> None:
        super().__init__(logger_of(name), fields)
        self._who = who.replace("%", "_")  # it becomes a part of the line's format

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Put who speaks in front; what the caller gives as ``extra`` wins."""
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return f"[{self._who}] {msg}", kwargs
