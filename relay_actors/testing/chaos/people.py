"""The people of a plan, and what goes wrong in it: they do their part by themselves while a lab runs. Layer: door."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Final

from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.wire_log import LoggedFrame
from relay_actors.testing.chaos.plan import KILL, Caller, Desk, Doing, Mishap, Plan, Texter
from relay_actors.testing.lab import Lab

__all__ = ["DOWN_S", "Stage"]

_log = logging.getLogger(__name__)

DOWN_S: Final = 0.25
"""From the death of a process to the start of the next one, in virtual seconds."""


class Stage:
    """Lets everything of a plan happen that the application itself does not do.

    Args:
        lab: where it happens.
        plan: what.
        note: is told of each mishap when it strikes.
        start_again: starts the application after its process has died.

    Attributes:
        places: how many places there were so far at which the process could have died: see `place`.
    """

    def __init__(self, lab: Lab, plan: Plan, note: Callable[[str], None], start_again: Callable[[], None]) -> None:
        self._lab = lab
        self._note = note
        self._start_again = start_again
        self._does: dict[str, Iterator[Doing]] = {}
        self._desks: Iterator[Desk] = iter(plan.desks)
        self._by_frame = _by_frame(mishap for mishap in plan.mishaps if mishap.what != KILL)
        self._kills = {mishap.at_frame for mishap in plan.mishaps if mishap.what == KILL}
        self._frames = 0
        self._is_dead = False
        self.places = 0
        lab.sim.observe_lines(self._on_moment)
        lab.sim.frames.observe(self._on_frame)
        for caller in plan.callers:
            self._after(caller.at, self._calling(caller))
        for texter in plan.texters:
            self._after(texter.at, self._texting(texter))
        for mishap in plan.mishaps:
            if mishap.at is not None:
                self._after(mishap.at, self._striking(mishap))

    def place(self) -> None:
        """Pass a place at which the process may die: before and after each commit, and each write."""
        if self.places in self._kills:
            self._die()
        self.places += 1

    def _die(self) -> None:
        if self._is_dead:
            return
        self._is_dead = True
        self._note("the process dies")
        self._lab.kill()
        self._after(DOWN_S, self._live_again)

    def _live_again(self) -> None:
        self._is_dead = False
        self._note("the process is started again")
        self._start_again()

    def _calling(self, caller: Caller) -> Callable[[], None]:
        def calls() -> None:
            self._does[caller.who] = iter(caller.does)
            try:
                line = self._lab.phone(caller.who).dials(context=caller.context)
            except StoryError as error:
                self._note(f"{caller.who} reaches nobody: {str(error).splitlines()[0]}")
            else:
                self._after(caller.stays, line.hangs_up)

        return calls

    def _texting(self, texter: Texter) -> Callable[[], None]:
        def texts() -> None:
            try:
                self._lab.phone(texter.who).texts(texter.text, context=texter.context)
            except StoryError as error:
                self._note(f"{texter.who} reaches nobody: {str(error).splitlines()[0]}")

        return texts

    def _striking(self, mishap: Mishap) -> Callable[[], None]:
        def strikes() -> None:
            if mishap.what == KILL:
                self._die()
            else:
                self._note(mishap.what)
                self._lab.sim.inject(mishap.what)

        return strikes

    def _on_frame(self, frame: LoggedFrame) -> None:
        for mishap in self._by_frame.get(self._frames, ()):
            self._after(0.0, self._striking(mishap))
        self._frames += 1

    def _on_moment(self, line: Line, place: int) -> None:
        what = line.timeline[place].what
        if what.startswith("called by "):
            self._let_desk_react(line)
        elif what.startswith("heard "):
            doing = next(self._does.get(line.number, iter(())), None)
            if doing is not None:
                self._after(doing.after, lambda: _do(line, doing))

    def _let_desk_react(self, line: Line) -> None:
        desk = next(self._desks, Desk(answer="never"))
        self._does[line.number] = iter(desk.does)

        def reacts() -> None:
            if not line.is_ringing:
                return
            if desk.answer == "answers":
                line.answers()
                self._after(desk.stays, line.hangs_up)
            else:
                line.rejects()

        match desk.answer:
            case "answers" | "rejects":
                self._after(desk.after, reacts)
            case "busy":
                self._lab.phone(line.number).is_busy()
            case "never":
                pass

    def _after(self, seconds: float, call: Callable[[], object]) -> None:
        self._lab.at(self._lab.clock.now() + seconds, lambda: _ignore(call()))


def _do(line: Line, doing: Doing) -> None:
    if line.is_over:
        return
    if doing.press:
        line.presses(doing.press)
    if doing.say and not line.is_over:
        line.says(doing.say)
    if doing.hang_up:
        line.hangs_up()


def _by_frame(mishaps: Iterator[Mishap]) -> dict[int, list[Mishap]]:
    found: dict[int, list[Mishap]] = {}
    for mishap in mishaps:
        if mishap.at_frame is not None:
            found.setdefault(mishap.at_frame, []).append(mishap)
    return found


def _ignore(_result: object) -> None:
    """Take what a person's verb returns."""
