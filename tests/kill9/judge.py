"""What became of each call: told from the simulator's journal alone, and from nothing that the application says. Pure.

The records are those of `recorder`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.kill9.cast import Person
from tests.kill9.scripts import label_of, split

__all__ = [
    "CUT_SHORT",
    "DIGITS_LOST",
    "HEARD_TWICE",
    "LEFT_UP",
    "NOT_COMPLETED",
    "OFF_SCRIPT",
    "RECORDED_TWICE",
    "RUNG_TWICE",
    "WORDS_LOST",
    "Fault",
    "Figure",
    "Verdict",
    "judge",
]

Record = Mapping[str, Any]

NOT_COMPLETED: Final = "calls whose script was not completed"
HEARD_TWICE: Final = "prompts heard twice"
DIGITS_LOST: Final = "digits lost"
LEFT_UP: Final = "calls left up"
WORDS_LOST: Final = "words lost"
CUT_SHORT: Final = "prompts cut short"
RECORDED_TWICE: Final = "recordings begun twice"
RUNG_TWICE: Final = "telephones rung twice"
OFF_SCRIPT: Final = "prompts of no script"
FAULTS: Final = (
    NOT_COMPLETED,
    HEARD_TWICE,
    DIGITS_LOST,
    LEFT_UP,
    WORDS_LOST,
    CUT_SHORT,
    RECORDED_TWICE,
    RUNG_TWICE,
    OFF_SCRIPT,
)

TOLERANCE_S: Final = 0.1
"""By how much a prompt that was heard to its end may seem shorter: timers of a busy machine are not exact."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One promise that was not kept to one person.

    Attributes:
        label: of whom, as prompts name them.
        what: one of `FAULTS`.
        why: in a few words.
        times: how much of it: how many digits, for example.
    """

    label: str
    what: str
    why: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; what was counted is as it has to be, unless nothing has to be (None)."""

    name: str
    counted: int
    expected: int | None = None

    @property
    def is_right(self) -> bool:
        """Whether it is as it has to be."""
        return self.expected in (None, self.counted)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a journal shows."""

    faults: tuple[Fault, ...]
    figures: tuple[Figure, ...]
    kills: tuple[Mapping[str, int], ...]
    """What the legs were doing when the application was killed, each time."""

    @property
    def is_good(self) -> bool:
        """Whether every promise was kept."""
        return all(figure.is_right for figure in self.figures)

    def labels(self) -> list[str]:
        """Return to whom a promise was not kept, in order."""
        return list(dict.fromkeys(fault.label for fault in self.faults))


def judge(records: Iterable[Record]) -> Verdict:
    """Return what became of all the calls."""
    case = _Case()
    for record in records:
        case.take(record)
    faults = [fault for person in case.people for fault in _faults_of(person, case.seen[person.number], case)]
    return Verdict(tuple(faults), tuple(_figures(case, faults)), tuple(case.kills))


@dataclass(slots=True)
class _Seen:
    """What happened on one telephone."""

    calls: int = 0
    prompts: list[tuple[str, str]] = field(default_factory=list)
    """Each with what it tells."""
    strange: list[str] = field(default_factory=list)
    pressed: dict[str, str] = field(default_factory=dict)
    """What somebody has listened to, by the prompt that was heard last."""
    said: dict[str, list[str]] = field(default_factory=dict)
    unheard_keys: int = 0
    unheard_words: int = 0
    voices: list[str] = field(default_factory=list)
    beeps: int = 0
    cut: list[tuple[str, float, float]] = field(default_factory=list)
    ended: list[tuple[str, str]] = field(default_factory=list)

    @property
    def at(self) -> str:
        return self.prompts[-1][0] if self.prompts else ""


class _Case:
    """The records, sorted by whom they are about."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self.seen: defaultdict[str, _Seen] = defaultdict(_Seen)
        self.kills: list[Mapping[str, int]] = []
        self.up: list[str] | None = None
        self.legs_up = 0
        self.counts: Counter[str] = Counter()
        self.control_ids: Counter[tuple[str, str]] = Counter()
        self.acked: set[str] = set()
        self.sent: set[str] = set()

    def take(self, record: Record) -> None:
        """Add one record."""
        what = record["what"]
        self.counts[what] += 1
        match what:
            case "planned":
                self.people.append(Person.from_record(record["person"]))
            case "killed":
                self.kills.append(record["states"])
            case "over":
                self.up, self.legs_up = list(record["up"]), record["legs"]
                self.counts["failures"], self.counts["violations"] = len(record["failures"]), record["violations"]
            case "received":
                self._take_command(record)
            case "sent":
                self.sent.add(record["id"])
            case "acked":
                self.acked.add(record["id"])
            case "heard" | "pressed" | "said" | "changed" | "ended":
                self._take_moment(what, record)

    def _take_command(self, record: Record) -> None:
        if record["method"] == "signalwire.connect":
            self.counts["log-ins"] += 1
        control_id = record["params"].get("control_id")
        if control_id and "." not in record["method"].removeprefix("calling."):  # no play.stop: those may come again
            self.control_ids[record["method"], control_id] += 1

    def _take_moment(self, what: str, record: Record) -> None:
        seen = self.seen[record["number"]]
        seen.calls = max(seen.calls, record["line"] + 1)
        match what:
            case "heard" if record["kind"] == "tts":
                step, label, told = split(record["text"])
                if label == label_of(record["number"]):
                    seen.prompts.append((step, told))
                else:
                    seen.strange.append(record["text"])
            case "heard" if record["kind"] == "voice":
                seen.voices.append(record["text"])
            case "heard" if record["kind"] == "beep":
                seen.beeps += 1
            case "pressed":
                if record["taken"]:
                    seen.pressed[seen.at] = seen.pressed.get(seen.at, "") + record["digit"]
                seen.unheard_keys += not record["taken"]
            case "said":
                if record["taken"]:
                    seen.said.setdefault(seen.at, []).append(record["words"])
                seen.unheard_words += not record["taken"]
            case "ended":
                seen.ended.append((record["by"], record["reason"]))
                for text, heard_s, length_s in record["heard"]:
                    if heard_s < length_s - TOLERANCE_S:
                        seen.cut.append((split(text)[0], heard_s, length_s))


def _faults_of(person: Person, seen: _Seen, case: _Case) -> Iterable[Fault]:
    def fault(what: str, why: str, times: int = 1) -> Fault:
        return Fault(person.label, what, why, times)

    if why := _unfinished(person, seen):
        yield fault(NOT_COMPLETED, why)
    begun = Counter(step for step, _told in seen.prompts)
    for step, times in begun.items():
        if times > 1:
            yield fault(HEARD_TWICE, f"{step} was begun {times} times", times - 1)
        if step not in person.steps:
            yield fault(OFF_SCRIPT, f"{step} is none of {', '.join(person.steps)}", times)
    for text in seen.strange:
        yield fault(OFF_SCRIPT, f"{text!r}")
    yield from _lost(person, seen)
    for step, heard_s, length_s in seen.cut:
        if step not in person.keys and step not in person.words:  # those end with the answer
            yield fault(CUT_SHORT, f"{step} was heard for {heard_s:g} s of {length_s:g} s")
    if seen.beeps > person.recordings:
        yield fault(RECORDED_TWICE, f"{seen.beeps} beeps, not {person.recordings}", seen.beeps - person.recordings)
    if person.arrives_at_s is None and seen.calls > 1:
        yield fault(RUNG_TWICE, f"{seen.calls} calls came in", seen.calls - 1)
    if case.up is not None and (times := case.up.count(person.number)):
        yield fault(LEFT_UP, f"after {seen.at or 'no prompt at all'}", times)


def _unfinished(person: Person, seen: _Seen) -> str:
    """Return why a script is not completed, or an empty text."""
    heard = list(dict.fromkeys(step for step, _told in seen.prompts))
    if not seen.calls:
        return "there was no call at all"
    if missing := [step for step in person.steps if step not in heard]:
        ends = [f"the call ended by the {by} ({reason})" for by, reason in seen.ended] or ["the call is up"]
        return f"did not hear {', '.join(missing)} after {seen.at or 'no prompt at all'}; {', '.join(ends)}"
    if (order := [step for step in heard if step in person.steps]) != list(person.steps):
        return f"heard its prompts in the order {', '.join(order)}"
    if missing := [words for words in person.hears if words not in seen.voices]:
        return f"did not hear {', '.join(map(repr, missing))} from the other person"
    if seen.beeps < person.recordings:
        return "was not recorded"
    if not seen.ended:
        return "the call has not ended"
    by, reason = seen.ended[-1]
    if (by == "person") != person.hangs_up or reason != "hangup":
        return f"the call ended by the {by} ({reason})"
    return ""


def _lost(person: Person, seen: _Seen) -> Iterable[Fault]:
    told: dict[str, str] = {}
    for step, what in seen.prompts:
        told.setdefault(step, what.strip("-"))
    for place, step in enumerate(person.steps):
        tells = person.steps[place + 1] if place + 1 < len(person.steps) else ""
        if step in person.keys:
            pressed, came = seen.pressed.get(step, ""), told.get(tells, "")
            if lost := _missing(pressed, came):
                yield Fault(person.label, DIGITS_LOST, f"pressed {pressed} at {step}, told {came or 'nothing'}", lost)
        if step in person.words:
            said, came = " ".join(seen.said.get(step, [])), told.get(tells, "")
            if said != came:
                yield Fault(person.label, WORDS_LOST, f"said {said!r} at {step}, told {came or 'nothing'}")
    if seen.unheard_keys:
        yield Fault(person.label, DIGITS_LOST, f"{seen.unheard_keys} keys to which nobody listened", seen.unheard_keys)
    if seen.unheard_words:
        why = f"{seen.unheard_words} times nobody listened to what was said"
        yield Fault(person.label, WORDS_LOST, why, seen.unheard_words)


def _missing(pressed: str, told: str) -> int:
    """Return how many digits did not come, at least one if others came than were pressed."""
    if pressed == told:
        return 0
    return max(1, (Counter(pressed) - Counter(told)).total())


def _figures(case: _Case, faults: list[Fault]) -> Iterable[Figure]:
    broken = {fault.label for fault in faults if fault.what == NOT_COMPLETED}
    yield Figure("callers", sum(person.arrives_at_s is not None for person in case.people))
    yield Figure("others, who are called because of them", sum(person.arrives_at_s is None for person in case.people))
    yield Figure("calls that completed their script", len(case.people) - len(broken), len(case.people))
    counted: Counter[str] = Counter()
    for fault in faults:
        counted[fault.what] += fault.times
    counted[LEFT_UP] = max(counted[LEFT_UP], case.legs_up)
    for what in FAULTS:
        if what != NOT_COMPLETED:
            yield Figure(what, counted[what], 0)
    yield Figure("events never acknowledged", len(case.sent - case.acked), 0)
    yield Figure("commands that break the schema", case.counts["violations"], 0)
    yield Figure("failures of the simulator itself", case.counts["failures"] + int(case.up is None), 0)
    yield Figure("prompts heard", sum(len(seen.prompts) for seen in case.seen.values()))
    yield Figure("keys pressed", case.counts["pressed"])
    yield Figure("events sent", len(case.sent))
    yield Figure("commands received", case.counts["received"])
    again = sum(times - 1 for times in case.control_ids.values())
    yield Figure("commands sent again, with the same control id", again)
    yield Figure("times the application was killed", len(case.kills))
    yield Figure("log-ins", case.counts["log-ins"])
