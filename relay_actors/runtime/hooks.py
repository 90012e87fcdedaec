"""Observers of a system: counters, and the guard that keeps an observer from doing harm. Layer: pillar."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.runtime.base import Hooks

__all__ = ["Counters", "GuardedHooks"]

_NOTED_AT_MOST: Final = 500

_log = logging.getLogger("relay_actors.runtime")


class Counters:
    """The default hooks: counters to look at."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._noted: list[str] = []  # what is to be counted once; to append to it is atomic, and costs next to nothing
        # Guards the counts: an increment is not atomic. Re-entrant, because a finaliser may count in the middle.
        self._lock = threading.RLock()

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter. Any thread."""
        if amount == 1:
            self._noted.append(name)
            if len(self._noted) > _NOTED_AT_MOST:
                self._sum_up()
            return
        with self._lock:
            self._counts[name] += amount

    def snapshot(self) -> dict[str, int]:
        """Return all counters. Any thread."""
        with self._lock:
            self._sum_up()
            return dict(self._counts)

    def _sum_up(self) -> None:
        with self._lock:
            number = len(self._noted)  # more may come meanwhile, behind these
            noted = self._noted[:number]
            del self._noted[:number]
            self._counts.update(noted)


class GuardedHooks:
    """Hooks that are detached, and reported, the first time they raise: they can never fail a turn (SEMANTICS O1).

    Args:
        hooks: the observer.
    """

    def __init__(self, hooks: Hooks) -> None:
        self._hooks: Hooks | None = hooks

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter, while the observer is attached. Any thread.

        Raises:
            ConfigError: a name that is no text, or an amount that is no number: of who counts, and not the observer's
                fault.
        """
        if not (isinstance(name, str) and isinstance(amount, int | float)):
            raise ConfigError(f"count({name!r}, {amount!r}): give the name of a counter, and a number")
        hooks = self._hooks
        if hooks is None:
            return
        try:
            hooks.count(name, amount)
        except Exception:
            self._hooks = None
            _log.exception("hooks raised and are detached hooks=%r", hooks)

    def snapshot(self) -> dict[str, int]:
        """Return all counters, if the observer can tell them (`Counters` can) and is attached. Any thread."""
        snapshot = getattr(self._hooks, "snapshot", None)
        return dict(snapshot()) if callable(snapshot) else {}
