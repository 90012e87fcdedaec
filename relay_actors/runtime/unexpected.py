"""Messages for which an actor has no handler: logged once per kind, counted always. Layer: pillar.

Source: SEMANTICS M9.
"""

from __future__ import annotations

import logging
import threading
from weakref import WeakKeyDictionary

import pykka

from relay_actors.runtime.base import Hooks

__all__ = ["UnexpectedMessages"]

_log = logging.getLogger("relay_actors.runtime")


class UnexpectedMessages:
    """What one system has said of unexpected messages.

    Args:
        hooks: told of each, as ``messages.unexpected``.
    """

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        # By the class itself, weakly: classes that are made while the program runs do not pile up here.
        self._reported: WeakKeyDictionary[type, set[str]] = WeakKeyDictionary()
        # Guards what has been reported. Re-entrant, because a finaliser may run in the middle, and send.
        self._lock = threading.RLock()

    def report(self, actor: pykka.Actor, message: object) -> None:
        """Count ``message``, and log its class (never its content) the first time. Any thread."""
        self._hooks.count("messages.unexpected")
        kind = f"{type(message).__module__}.{type(message).__qualname__}"
        with self._lock:
            reported = self._reported.setdefault(type(actor), set())
            is_new = kind not in reported
            reported.add(kind)
        if is_new:
            _log.warning(
                "Unexpected message received by %s: a %s, which its on_receive does not know. Further ones for this "
                "class are only counted",
                actor.actor_ref,
                type(message).__name__,
            )
