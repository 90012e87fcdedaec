"""How many applications of this process may be connected at once. Layer: stair. Source: PROTOCOL 6.8."""

from __future__ import annotations

import threading
from collections.abc import Callable

from relay_actors.errors import ConnectionLimitError

__all__ = ["take_slot"]

_lock = threading.Lock()  # guards the set of taken slots
_taken: set[object] = set()


def take_slot(most: int) -> Callable[[], None]:
    """Take one of ``most`` slots; return how to give it back, which is idempotent. Any thread.

    Raises:
        ConnectionLimitError: all are taken.
    """
    slot = object()
    with _lock:
        if len(_taken) >= most:
            raise ConnectionLimitError(
                f"this process has {len(_taken)} RELAY connections already, and may have {most}. "
                "Stop the other application first, or set RELAY_MAX_CONNECTIONS"
            )
        _taken.add(slot)

    def give_back() -> None:
        with _lock:
            _taken.discard(slot)

    return give_back
