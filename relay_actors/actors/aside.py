"""Coroutines of listeners and callbacks, driven beside everything else in an actor's turns. Layer: hall."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relay_actors.runtime.flow import Flow

__all__ = ["run_aside"]

_log = logging.getLogger("relay_actors.asides")


def run_aside(
    cell: Any,
    coroutine: Coroutine[Any, Any, Any],
    what: str,
    whose: str,
    *,
    expected: type[BaseException] | tuple[type[BaseException], ...] = (),
    on_over: Callable[[], None] = lambda: None,
) -> Flow:
    """Run a coroutine up to its first await now, and go on in later turns of ``cell``; what it raises is logged.

    Args:
        cell: of the actor; only in its turn.
        coroutine: what to run; it awaits what a flow may await.
        what: what it is, for the log.
        whose: a key and a value, for the log: ``call_id=…``.
        expected: errors that are no news, because the coroutine ends with its owner.
        on_over: called in the turn in which it returned or raised, but not when it is cancelled.
    """
    from relay_actors.runtime.flow import Flow  # here, because it brings asyncio

    async def guarded() -> None:
        try:
            await coroutine
        except GeneratorExit:
            raise
        except expected as ended:
            _log.debug("%s ended early %s: %s", what, whose, ended)
        except BaseException:  # also a SystemExit: what is due to the others comes before it
            _log.exception("%s raised %s", what, whose)

    flow = Flow(cell, guarded(), lambda _result: on_over())
    flow.begin()
    return flow
