"""How many applications of this process may be connected at once, and when none. Layer: stair.

Source: PROTOCOL 6.8.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from relay_actors.errors import ConfigError, ConnectionLimitError

__all__ = ["check_may_start", "none_may_start", "take_slot"]

_lock = threading.Lock()  # guards the set of taken slots
_taken: set[object] = set()
_reasons: list[str] = []
"""Why no application may be started now; the last one is told."""


@contextlib.contextmanager
def none_may_start(why: str) -> Iterator[None]:
    """Have every start of an application refused: for who imports one, to start it afterwards.

    Args:
        why: what the `ConfigError` says.
    """
    _reasons.append(why)
    try:
        yield
    finally:
        _reasons.pop()


def check_may_start() -> None:
    """Check that an application may be started now. Any thread.

    Raises:
        ConfigError: it may not, see `none_may_start`.
    """
    if reasons := _reasons[-1:]:
        raise ConfigError(reasons[0])


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
