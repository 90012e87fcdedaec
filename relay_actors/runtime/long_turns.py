"""Turns that take long: which there are, what they are doing, and when that is reported. Layer: pillar.

Only turns that have lost the baton, or that a thread of their own has been in for long, come here: so a turn that is
quick pays nothing. What a turn is doing is read off its thread's stack when it is reported.

Source: SEMANTICS A16, O5.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pykka

from relay_actors.errors import ConfigError
from relay_actors.runtime.frames import frame_of
from relay_actors.runtime.hang_reports import (
    ReportLimit,
    TurnFacts,
    text_of_blocking,
    text_of_hang,
    text_of_return,
)
from relay_actors.runtime.loop_flow import MAKES_A_STEP
from relay_actors.runtime.thread_flow import RUNS_A_FLOW
from relay_actors.runtime.turns import HANDLES_ONE, RUNS_A_TURN
from relay_actors.runtime.turns_beside import LongTurn, Seat
from relay_actors.runtime.wait_graph import describe

__all__ = ["LongTurn", "LongTurns", "Seat", "see_turn"]

_log = logging.getLogger("relay_actors.runtime")

_FRAMEWORK: Final = tuple(str(Path(file).parent) for file in (str(Path(__file__).parent), str(pykka.__file__)))
_RUNS: Final = (*RUNS_A_TURN, RUNS_A_FLOW, MAKES_A_STEP)
_LOOKS_PER_REPORT: Final = 4


def _at_once(call: Callable[[], object]) -> None:
    call()


class LongTurns:
    """Watches the long turns of one dispatcher, and reports them.

    A handler that holds its thread for `blocking_report_s` is a warning, once per turn and once a minute per class and
    line; waiting in the framework's own ways does not count. A turn older than `hang_report_s` is an error, whatever
    it does. Counted as ``turns.blocking`` and ``turns.hanging``, the ones that were left out too.

    Args:
        blocking_report_s: seconds; None reports no handler that blocks.
        hang_report_s: seconds; None reports no turn that hangs.
        run: makes the call that logs a report, on a thread that may be held up: the log may be what the handler
            blocks on.

    Raises:
        ConfigError: one of the times is not above 0.
    """

    def __init__(
        self,
        *,
        blocking_report_s: float | None = 0.1,
        hang_report_s: float | None = 10.0,
        run: Callable[[Callable[[], object]], object] = _at_once,
    ) -> None:
        self._run = run
        for name, value in (("blocking_report_s", blocking_report_s), ("hang_report_s", hang_report_s)):
            if value is not None and not value > 0:
                raise ConfigError(f"{name} is {value!r}: give seconds above 0, or None for no such reports")
        self.blocking_report_s = blocking_report_s
        self.hang_report_s = hang_report_s
        never = float("inf")
        self._blocking_s = never if blocking_report_s is None else blocking_report_s
        self._hang_s = never if hang_report_s is None else hang_report_s
        self._turns: list[LongTurn] = []
        self._look_at = float("-inf")
        # Guards the list of turns and the limits; never held while foreign code runs or a line is logged. Re-entrant,
        # because a finaliser may run in the middle, and wait for something.
        self._lock = threading.RLock()
        self._blocking_limit = ReportLimit()
        self._hang_limit = ReportLimit()
        self._told: dict[Seat, tuple[LongTurn, TurnFacts]] = {}  # who pops tells of the return

    def __bool__(self) -> bool:
        return bool(self._turns)

    def add(self, turn: LongTurn) -> None:
        """Watch a turn from now on. Any thread."""
        with self._lock:
            self._turns.append(turn)
            self._look_at = float("-inf")

    def look(self, now: float) -> None:
        """Report what is due. Only on one thread at a time, and cheap however often it is called."""
        if now < self._look_at:
            return
        with self._lock:
            self._turns = turns = [turn for turn in self._turns if not turn.is_over]
            self._look_at = now + min(self._blocking_s, self._hang_s) / _LOOKS_PER_REPORT
        for turn in turns:
            if not turn.blocking_is_told and now - turn.busy_since >= self._blocking_s:
                self.report_blocking(turn, now)
            if not turn.hang_is_told and now - turn.began >= self._hang_s:
                self.report_hang(turn, now)

    def next_look_in(self, now: float) -> float | None:
        """Return in how many seconds something may be due; None when never, as far as is known now.

        A turn that waits has to be looked at again when its wait ends: whoever ends it says so.
        """
        with self._lock:
            due = min((self._due(turn) for turn in self._turns if not turn.is_over), default=float("inf"))
        return None if due == float("inf") else max(0.0, due - now)

    def _due(self, turn: LongTurn) -> float:
        blocking = float("inf") if turn.blocking_is_told else turn.busy_since + self._blocking_s
        hang = float("inf") if turn.hang_is_told else turn.began + self._hang_s
        return min(blocking, hang)

    def report_hang(self, turn: LongTurn, now: float) -> None:
        """Report that a turn does not end, unless it just has. Any thread."""
        turn.hang_is_told = True
        seen = see_turn(turn)
        if seen is None:
            return
        cell, facts = seen
        cell.system.hooks.count("turns.hanging")
        with self._lock:
            left_out = self._hang_limit.admit(facts.line, now=now)
        if left_out is not None:
            text = text_of_hang(facts, seconds=now - turn.began, left_out=left_out)
            self._run(partial(self._tell, logging.ERROR, text, turn, facts, now))

    def report_blocking(self, turn: LongTurn, now: float, *, is_loop: bool = False) -> None:
        """Report that a handler holds its thread, or the asyncio loop, unless it just has let go. Any thread."""
        turn.blocking_is_told = True
        seen = see_turn(turn)
        if seen is None:
            return
        cell, facts = seen
        cell.system.hooks.count("turns.blocking")
        with self._lock:
            left_out = self._blocking_limit.admit(facts.line, now=now)
        if left_out is not None:
            text = text_of_blocking(facts, seconds=now - turn.busy_since, left_out=left_out, is_loop=is_loop)
            self._run(partial(self._tell, logging.WARNING, text, turn, facts, now))

    def _tell(self, level: int, text: str, turn: LongTurn, facts: TurnFacts, now: float) -> None:
        _log.log(level, "%s", text)
        # First note that it was told, then look whether it is over: `on_return` does it the other way round.
        self._told[turn.seat] = turn, facts
        if turn.is_over:
            self.on_return(turn.seat, now)

    def on_return(self, seat: Seat, now: float) -> None:
        """Tell that a turn which was reported has come back. Called after ``seat.returns`` has been raised."""
        told = self._told.pop(seat, None) if self._told else None
        if told is not None:
            turn, facts = told
            _log.info("%s", text_of_return(facts, seconds=now - turn.began))


def see_turn(turn: LongTurn) -> tuple[Any, TurnFacts] | None:
    """Look at the stack of a turn: the cell whose turn is innermost there, and what it is doing; None if it is over."""
    frame = frame_of(turn.seat.thread)
    stack: list[tuple[FrameType, int]] = []  # innermost first
    message: object = None
    while frame is not None and frame.f_code not in _RUNS:
        if message is None and frame.f_code in HANDLES_ONE:
            message = frame.f_locals.get("message")
        stack.append((frame, frame.f_lineno))
        frame = frame.f_back
    if frame is None or turn.is_over:  # first read, then look: what was read until now was read inside the turn
        return None
    runs = frame.f_locals["self"]
    cell = getattr(runs, "_cell", runs)  # of a flow, as far as that runs outside of the turns that its actor is given
    if message is None and (envelope := getattr(runs, "envelope", None)) is not None:
        message = envelope.message
    return cell, TurnFacts(
        actor=repr(cell),
        actor_class=cell.actor_class.__name__,
        label=_label_of(cell),
        message="" if message is None else type(message).__name__.lstrip("_"),
        frames=_from_the_handler_on(traceback.StackSummary.extract(reversed(stack))),
        waits=describe(cell),
        was_killed=cell.has_ended,
        is_own=cell.actor_class.__module__.startswith("relay_actors."),
    )


def _from_the_handler_on(frames: traceback.StackSummary) -> list[traceback.FrameSummary]:
    """Leave out the framework's own frames around the handler."""
    for number, frame in enumerate(frames):
        if not frame.filename.startswith(_FRAMEWORK):
            return frames[number:]
    return list(frames)


def _label_of(cell: Any) -> str:
    try:
        return str(cell.actor.label())
    except Exception:  # a label is the user's code, on a strange thread, and its actor may just be ending
        return ""
