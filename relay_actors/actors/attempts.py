"""How a call's handler is given a message: once, and once more if it raises and its class says so. Layer: hall.

Source: SEMANTICS M6. Around the handler alone, and not around all that a message brings about: what the engine makes of
it, and what the journal is told of it, is done once. And whoever runs the past of a call again gives its handler a
message by the same way: so there are as many attempts again, each of which asks for what it asked for then.
"""

from __future__ import annotations

import inspect
from collections.abc import Coroutine
from typing import Any

from relay_actors.actors.leg_life import count
from relay_actors.errors import CallEnded

__all__ = ["attempt"]


def attempt(call: Any, message: object) -> Any:
    """Have the handler of a call handle a message, and once more if it raises; return what it gives. In the turn.

    Of an ``async def`` handler that is a coroutine, in which both attempts are made.

    Raises:
        Exception: what the second attempt has raised; or the first, if the actor ends by now.
    """
    try:
        given = call.on_receive(message)
    except Exception as error:
        if not _may_try_again(call, message, error):
            raise
        return call.on_receive(message)
    return _awaited(call, message, given) if inspect.iscoroutine(given) else given


async def _awaited(call: Any, message: object, first: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await first
    except Exception as error:
        has_ended = isinstance(error, CallEnded) and error.call_id == call.leg.call_id
        is_asked = call._cell.answering is not None  # noqa: SLF001  # the framework's own: the actor is one of a call
        if (has_ended and not is_asked) or not _may_try_again(call, message, error):  # it is no failure then
            raise
    second = call.on_receive(message)
    return await second if inspect.iscoroutine(second) else second


def _may_try_again(call: Any, message: object, error: Exception) -> bool:
    cell = call._cell  # noqa: SLF001  # the framework's own: the actor is one of a call
    if not cell.takes_messages or cell.has_ended:
        return False
    count(call, "messages.retried")
    call.log.warning("handling %s once more", type(message).__name__, exc_info=error)
    if cell.answering is not None:
        cell.answering.is_deferred = False  # a token that the first attempt has taken is good for nothing
    if call.stash_capacity is not None:
        cell.extras.take_back(message)
    return True
