"""One story of a run: what people heard and did, frames, and what actors handled, in their order. Layer: door.

It may accompany thousands of runs of which nobody reads one: while a run goes on only raw notes are taken, and they
are put into words when somebody asks. The same seed gives the same text, byte for byte: ids are numbered as they appear
(`FrameWords`), times count from the beginning, and no address of an object is in it.

Source: SEMANTICS V3, O4.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from relay_actors.app import RelayApp
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.inspection import name_of_message
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.restart_record import RestartRecord
from relay_actors.runtime.signals import Internal
from relay_actors.runtime.system import System
from relay_actors.simulator.lines import Line
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.wire_log import LoggedFrame
from relay_actors.testing.frame_words import FrameWords, short, without_addresses

__all__ = ["Kind", "Timeline", "TimelineEntry", "first_difference", "rendered"]

Kind = Literal["person", "frame", "actor", "note"]

BOUND: Final = 100_000
"""How many entries are kept, the latest: of a run that never ends the beginning is lost."""

AROUND: Final = 10
"""How many entries before and after a mark are shown in any case."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened.

    Attributes:
        at: seconds of the clock since the timeline began.
        kind: ``person`` (heard or did something), ``frame`` (crossed the wire), ``actor`` (handled something, failed,
            was restarted or ended), ``note`` (what a test or a tool has noted, such as a fault).
        who: the person's number, ``app`` or ``server`` (who sent the frame), the actor's name, or nobody.
        what: in words.
    """

    at: float
    kind: Kind
    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.at:10.3f}  {self.kind:6}  {self.who:24}  {self.what}".rstrip()


class Timeline:
    """The story of one simulator and of the applications that are followed. Any thread; exact in a `Lab`.

    Args:
        sim: whose people and frames; from now on.
    """

    def __init__(self, sim: Simulator) -> None:
        self._now = sim.clock.now
        self._began = self._now()
        self._raw: deque[tuple[float, Kind, Any, Any]] = deque(maxlen=BOUND)
        self._missing = 0
        self._waits_from: int | None = None
        sim.observe_lines(lambda line, place: self._add("person", line, place))
        sim.frames.observe(lambda frame: self._add("frame", frame, None))
        sim.observe_waits(self._note_wait)

    def follow(self, app: RelayApp) -> None:
        """Tell from now on also what the actors of a running application handle.

        Raises:
            ConfigError: it does not run.
        """
        self.follow_system(app.system)

    def follow_system(self, system: System) -> None:
        """Do it for actors whose application has not come up yet. Idempotent."""
        if not system.observation.of_kind(_Follower):
            system.observation.add(_Follower(self._add))
            system.restarts.subscribe(self._note_restart)

    def note(self, what: str) -> None:
        """Add something that is neither seen by people nor sent, for example a fault that was injected."""
        self._add("note", "", what)

    @property
    def entries(self) -> Sequence[TimelineEntry]:
        """Everything in its order; of more than 100,000 entries the latest, with a note that the beginning is missing.

        What people did is told as it stands now: a moment may be amended in the same turn, and a frame is numbered by
        those before it.
        """
        frames, lines = FrameWords(), dict[int, Sequence[Any]]()
        entries = [self._entry(raw, frames, lines) for raw in list(self._raw)]
        if self._missing:
            missing = TimelineEntry(entries[0].at, "note", "", f"the beginning is missing: {self._missing} entries")
            entries.insert(0, missing)
        return tuple(entries)

    @property
    def raw(self) -> Sequence[LoggedFrame | tuple[float, str]]:
        """Every frame, and every note with its moment, in their order: for whoever reads them and not their words."""
        return tuple(
            who if isinstance(who, LoggedFrame) else (at, str(what))
            for at, kind, who, what in list(self._raw)
            if kind in ("frame", "note")
        )

    @property
    def waits_from(self) -> int | None:
        """The place in `entries` of what came after the latest wait had begun; None when there was none."""
        if self._waits_from is None:
            return None
        return max(0, self._waits_from - self._missing) + bool(self._missing)

    def text(self) -> str:
        """Return all of it as people read it, one line an entry."""
        return rendered(self.entries)

    def _add(self, kind: Kind, who: Any, what: Any) -> None:
        if len(self._raw) == BOUND:
            self._missing += 1
        self._raw.append((self._now(), kind, who, what))

    def _note_wait(self) -> None:
        self._waits_from = len(self._raw) + self._missing

    def _note_restart(self, record: RestartRecord) -> None:
        others = f", and {record.others} beside it" if record.others else ""
        delay = f" after {record.delay_s:g} s" if record.delay_s else ""
        self._add("actor", record.child, f"is restarted{delay}{others}: {short(record.reason)}")

    def _entry(
        self, raw: tuple[float, Kind, Any, Any], frames: FrameWords, lines: dict[int, Sequence[Any]]
    ) -> TimelineEntry:
        now, kind, who, what = raw
        match who:
            case Line() as line:
                if id(line) not in lines:
                    lines[id(line)] = line.timeline
                who, what = line.number, lines[id(line)][what].what
            case LoggedFrame() as frame:
                who, what = "app" if frame.direction == "received" else "server", frames.of(frame)
        return TimelineEntry(round(now - self._began, 3), kind, who, without_addresses(what))


def first_difference(
    this: Sequence[TimelineEntry], other: Sequence[TimelineEntry], *, but: Collection[Kind] = ()
) -> int | None:
    """Return the place in ``this`` from which it is not as ``other``; None: they are the same.

    Args:
        this: one timeline's entries.
        other: another's.
        but: kinds that are not compared, for example ``{"actor"}``: the order of turns differs with every seed.
    """
    mine = [place for place, entry in enumerate(this) if entry.kind not in but]
    theirs = [entry for entry in other if entry.kind not in but]
    for place, entry in zip(mine, theirs, strict=False):
        if this[place] != entry:
            return place
    if len(mine) == len(theirs):
        return None
    return mine[len(theirs)] if len(mine) > len(theirs) else len(this)


def rendered(entries: Iterable[TimelineEntry], marks: Iterable[tuple[int, str]] = (), *, last: int = 0) -> str:
    """Return entries as people read them, with words before some of them.

    Args:
        entries: of a timeline.
        marks: places, and the words that stand before what is there: ``(17, "first divergence")``.
        last: how many of the latest are shown, and a mark that lies before them with its surroundings; 0: all.
    """
    told = list(entries)
    words: dict[int, list[str]] = {}
    for place, mark in marks:
        words.setdefault(place, []).append(mark)
    first = max(0, len(told) - last) if last else 0
    shown = {*range(first, len(told) + 1)}
    for place in words:
        shown.update(range(max(0, place - AROUND), min(len(told), place + AROUND) + 1))
    lines: list[str] = []
    left_out = 0
    for place in range(len(told) + 1):
        if place not in shown:
            left_out += 1
            continue
        if left_out:
            lines.append(f"            … {left_out} more")
            left_out = 0
        lines += [f">>>>>>>>>>  {mark}" for mark in words.get(place, [])]
        if place < len(told):
            lines.append(str(told[place]))
    return "\n".join(lines)


class _Follower:
    """Takes notes of what the actors of one system handle."""

    def __init__(self, add: Callable[[Kind, Any, Any], None]) -> None:
        self._add = add

    def on_sent(self, cell: Cell, message: object) -> None:
        """What is handled says from whom it came."""

    def capture(self) -> object:
        return None

    def on_handling(self, cell: Cell, envelope: Envelope) -> None:
        message = envelope.message
        if not isinstance(message, Internal):
            sender = "" if envelope.sender is None else f" from {envelope.sender!r}"
            self._add("actor", repr(cell), f"handles {name_of_message(message)}{sender}")

    def on_handled(
        self, cell: Cell, envelope: Envelope, begun: object, took_s: float, error: BaseException | None
    ) -> None:
        if error is not None:
            message = name_of_message(envelope.message)
            self._add("actor", repr(cell), f"fails in {message}: {short(f'{type(error).__name__}: {error}')}")

    def on_ended(self, cell: Cell, reason: ExitReason) -> None:
        self._add("actor", repr(cell), f"has ended: {short(reason)}")
