"""What to write instead, for the commonest slips in a flow: Python's own words say only what is wrong. Layer: hall."""

from __future__ import annotations

import re
from typing import Final

from relay_actors.actors.waits import Reply
from relay_actors.runtime.reasons import note_on, words_of

__all__ = ["add_hint"]

# As Python 3.11 to 3.13 say it, and as 3.14 does.
_NOT_AWAITABLE: Final = re.compile(r"object (\w+) can't be used in 'await' expression|'(\w+)' object can't be awaited")


def add_hint(error: BaseException) -> None:
    """Add a note to what a flow has raised, if there is something to say."""
    if hint := _hint(error):
        note_on(error, hint)


def _hint(error: BaseException) -> str:
    if isinstance(error, RuntimeError) and words_of(error) == "no running event loop":
        return "asyncio does not run in a flow: use self.sleep(…), self.aio(…), or the timeout=… of what is awaited"
    if isinstance(error, AttributeError) and error.name == "create_future" and error.obj is None:
        # What asyncio's queues, events and locks say without a loop, when they would have to wait.
        return "asyncio does not run in a flow: tell this call what it is to wait for, and await self.next(…)"
    if isinstance(error, AttributeError) and error.name == "wait" and isinstance(error.obj, Reply):
        return "this is a reply, and no action: await the reply itself, without wait(); in a plain def, .get(timeout=…)"
    if not isinstance(error, TypeError) or (found := _NOT_AWAITABLE.fullmatch(words_of(error))) is None:
        return ""
    if "MessageHandle" in found.groups():
        return (
            "a text that was sent is no answer yet: await its .sent until the server has it, or its .wait() to the end"
        )
    return "this is a value already: ask(…) gives the answer itself, and ask(…, block=False) what can be awaited"
