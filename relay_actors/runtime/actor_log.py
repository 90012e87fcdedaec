"""The logger of one actor: each line says who speaks. Layer: pillar. Source: SEMANTICS O6."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

__all__ = ["ActorLog", "logger_of"]

# Whoever gives one of these, logging raises for, in the middle of a call.
_TAKEN: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})


@functools.cache
def logger_of(name: str) -> logging.Logger:
    """Return the logger of an actor's class, ``relay_actors.<name>``."""
    return logging.getLogger(f"relay_actors.{name}")


class ActorLog(logging.LoggerAdapter[logging.Logger]):
    """Begins each line with who speaks, and gives each record what is known of the actor as attributes.

    A formatter may use them, ``%(call_id)s`` for example; those that an actor does not have are missing. One that is
    called as an attribute that each record has anyhow, ``name`` for example, gets a ``_`` behind it.

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
        fields = {f"{name}_" if name in _TAKEN else name: field for name, field in (self.extra or {}).items()}
        kwargs["extra"] = {**fields, **(kwargs.get("extra") or {})}
        return f"[{self._who}] {msg}", kwargs
