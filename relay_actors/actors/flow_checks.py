"""What can be wrong with a class that is written as a flow; told where it is written. Layer: hall."""

from __future__ import annotations

import inspect
from typing import Any

from relay_actors.runtime.signatures import names_of, takes

__all__ = ["check_restart_flow", "check_run"]


def check_run(cls: Any) -> None:
    """Check that the ``run`` of a class can be run; a class may have none.

    Raises:
        TypeError: it is no method, or it yields, or wants to be given something.
    """
    if cls.run is not None and (not inspect.isfunction(cls.run) or inspect.isgeneratorfunction(cls.run)):
        raise TypeError(f"{cls.__name__}.run must be a method, `async def run(self)` or `def run(self)`")
    if inspect.isasyncgenfunction(cls.run):
        raise TypeError(f"{cls.__name__}.run must not yield: await what it waits for")
    own = vars(cls).get("run")
    if inspect.isfunction(own) and not takes(own, 1):  # inherited, it was looked at there
        raise TypeError(
            f"{cls.__name__}.run({names_of(own)}) is given nothing but self, which is the call: write "
            "`async def run(self)`, and self.answer() where the official client has call.answer()"
        )


def check_restart_flow(cls: Any) -> None:
    """Check how a flow is restarted.

    Raises:
        TypeError: it is none of what can be said, or the class's flow cannot do that.
    """
    if cls.restart_flow not in ("from_the_beginning", "where_it_was"):
        raise TypeError(
            f"{cls.__name__}.restart_flow must be 'from_the_beginning' or 'where_it_was', not {cls.restart_flow!r}"
        )
    if cls.restart_flow == "from_the_beginning" or cls.run is None:
        return
    if cls.dispatcher == "loop" or not inspect.iscoroutinefunction(cls.run):
        raise TypeError(
            f"{cls.__name__}.restart_flow = 'where_it_was' needs `async def run(self)`, and not on the asyncio loop"
        )
