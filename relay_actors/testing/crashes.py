"""What has failed in the applications of a test, told in the stories of those who were on the phone. Layer: door."""

from __future__ import annotations

import logging
import os
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from relay_actors.actors.call_ref import CallRef
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.reasons import ExitReason, words_of
from relay_actors.simulator.simulator import Simulator
from relay_actors.testing.frame_words import without_addresses

__all__ = ["crashes_in_stories"]

LONGEST: Final = 400
"""How much of one error a story shows, in characters."""

_NOT_THEIRS: Final = str(Path(__file__).parents[1]) + os.sep
_LIBRARIES: Final = tuple(
    {sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)

_log = logging.getLogger("relay_actors.runtime")


@contextmanager
def crashes_in_stories(sim: Simulator) -> Iterator[None]:
    """Have the stories of people on the phone tell why the actors of their calls have failed; each reason once.

    It reads the log, which costs nothing until something fails, also on threads. A filter does that, and no handler:
    one more handler would silence what Python prints where nobody has configured logging.

    Args:
        sim: where they call.
    """
    crashes = _Crashes()
    sim.tell_in_stories(crashes.of)
    _log.addFilter(crashes.note)
    try:
        yield
    finally:
        _log.removeFilter(crashes.note)


class _Crashes:
    """What has failed in calls. Any thread: each step is one operation on a dictionary."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], str] = {}

    def of(self, call_ids: Iterable[str]) -> list[str]:
        """Return what has failed in these calls, in its order."""
        wanted = set(call_ids)
        return [told for (call_id, _what), told in list(self._told.items()) if call_id in wanted]

    def note(self, record: logging.LogRecord) -> bool:
        """Take a note of a record about a failure, and let all pass."""
        args = record.args if isinstance(record.args, tuple) else ()
        cell = next((arg for arg in args if isinstance(arg, Cell)), None)
        reason = next((arg for arg in args if isinstance(arg, ExitReason)), None)
        if cell is not None and reason is not None and reason.cause is not None and isinstance(cell.ref, CallRef):
            error, place = reason.cause, _place(reason.cause)
            what = f"{cell.actor_class.__name__} has failed: {type(error).__name__}: {words_of(error)}"
            told = ". ".join([what, *getattr(error, "__notes__", ())])  # in which incarnation, perhaps
            self._told.setdefault(
                (cell.ref.kept.leg.call_id, f"{without_addresses(what)}{place}"), f"{_in_one_line(told)}{place}"
            )
        return True


def _in_one_line(text: str) -> str:
    line = without_addresses(" ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _place(error: BaseException) -> str:
    """Return where in the user's own code an error comes from: not where in a library, nor in this one."""
    lines = [line for line in traceback.extract_tb(error.__traceback__) if not line.filename.startswith(_NOT_THEIRS)]
    own = [line for line in lines if not line.filename.startswith((*_LIBRARIES, "<"))] or lines
    if not own:
        return ""
    path = Path(own[-1].filename)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f" ({shown}:{own[-1].lineno} in {own[-1].name})"
