"""The people of a plan, and what goes wrong in it: they do their part by themselves while a lab runs. Layer: door."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from relay_actors.simulator.crossings import states_of
from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.wire_log import LoggedFrame
from relay_actors.testing.chaos.deeds import do, parse_deed
from relay_actors.testing.chaos.moments import Kind, Moment, WireReader, call_of, parse_moment
from relay_actors.testing.chaos.plan import KILL, Caller, Desk, Doing, Mishap, Plan, Texter
from relay_actors.testing.lab import Lab

__all__ = ["DIES", "DOWN_S", "Stage"]

DIES: Final = "the process dies"
"""How the note of a `KILL` begins."""

DOWN_S: Final = 0.25
"""From the death of a process to the start of the next one, in virtual seconds."""


_NOT_IN_A_TURN: Final = frozenset(
    {"drop", "socket_down", "restart", "malformed", "oversize", "unknown_event", "unknown_method"}
)
"""Faults that close connections or write to them: they strike when the frame at hand has crossed."""


@dataclass(slots=True)
class _Awaited:
    """A mishap that waits for a moment, and for how many more of them."""

    moment: Moment
    mishap: Mishap
    left: int


class Stage:
    """Lets everything of a plan happen that the application itself does not do.

    Args:
        lab: where it happens.
        plan: what.
        note: is told of each mishap when it strikes.
        start_again: starts the application after its process has died.

    Attributes:
        places: how many places there were so far at which the process could have died: see `place`.
        is_dead: whether the process has died, and is not started again yet.
    """

    def __init__(self, lab: Lab, plan: Plan, note: Callable[[str], None], start_again: Callable[[], None]) -> None:
        self._lab = lab
        self._note = note
        self._start_again = start_again
        self._does: dict[str, Iterator[Doing]] = {}
        self._desks: Iterator[Desk] = iter(plan.desks)
        self._by_frame = _by_frame(mishap for mishap in plan.mishaps if mishap.what != KILL)
        self._kills = {mishap.at_frame for mishap in plan.mishaps if mishap.what == KILL and not mishap.on}
        self._awaited = [_Awaited(parse_moment(mishap.on), mishap, mishap.nth) for mishap in plan.mishaps if mishap.on]
        self._reader = WireReader()
        self._frames = 0
        self.is_dead = False
        self.places = 0
        lab.sim.observe_lines(self._on_moment)
        lab.sim.frames.observe(self._on_frame)
        if self._awaited:
            lab.sim.observe_events(lambda name, params: self._come("sending", name, states_of(params), call_of(params)))
        for caller in plan.callers:
            self._after(caller.at, self._calling(caller))
        for texter in plan.texters:
            self._after(texter.at, self._texting(texter))
        for mishap in plan.mishaps:
            if mishap.at is not None and not mishap.on:
                self._after(mishap.at, self._striking(mishap))

    def place(self) -> None:
        """Pass a place at which the process may die: before and after each commit, and each write."""
        if self.places in self._kills:
            self._die()
        self.places += 1

    def kept(self, name: str, states: frozenset[str], call_id: str) -> None:
        """Learn that the journal has an event, or the intent of a command, for good."""
        self._come("kept", name, states, call_id)

    def _come(self, kind: Kind, name: str, states: frozenset[str], call_id: str) -> None:
        """Let what waits for this moment strike."""
        for awaited in self._awaited:
            if awaited.moment.is_now(kind, name, states):
                awaited.left -= 1
                if awaited.left == 0:
                    self._strike_at(kind, awaited.mishap, call_id)

    def _strike_at(self, kind: Kind, mishap: Mishap, call_id: str) -> None:
        strike = self._striking(mishap, call_id)
        if mishap.after:
            self._after(mishap.after, strike)
        elif parse_deed(mishap.what) is not None:
            # As one more that has a turn at this moment: whether before or after others is drawn by lot.
            self._after(0.0, lambda: self._lab.dispatcher.run_blocking(strike, "deed"))
        elif mishap.what.split()[0] in _NOT_IN_A_TURN or (mishap.what == KILL and kind != "kept"):
            self._after(0.0, strike)
        else:
            strike()

    def _die(self, when: str = "") -> None:
        if self.is_dead:
            return
        self.is_dead = True
        self._note(f"{DIES} {when}".rstrip())
        self._lab.kill()
        self._after(DOWN_S, self._live_again)

    def _live_again(self) -> None:
        self.is_dead = False
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

    def _striking(self, mishap: Mishap, call_id: str = "") -> Callable[[], None]:
        deed = parse_deed(mishap.what)

        def strikes() -> None:
            if mishap.what == KILL:
                self._die(mishap.on and mishap.when.rstrip(":"))
            elif deed is not None:
                self._note(mishap.what)
                do(deed, self._lab, call_id)
            else:
                self._note(mishap.what)
                self._lab.sim.inject(mishap.what)

        return strikes

    def _on_frame(self, frame: LoggedFrame) -> None:
        for mishap in self._by_frame.get(self._frames, ()):
            self._after(0.0, self._striking(mishap))
        self._frames += 1
        if self._awaited and (crossed := self._reader.read(frame)) is not None:
            self._come(crossed.kind, crossed.name, crossed.states, crossed.call_id)

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
