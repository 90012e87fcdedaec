"""Says what is wrong with a run of `tests.mutants.application`, from what callers have seen, and what it has noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from relay_actors.simulator.lines import Line
from relay_actors.testing.chaos.plan import Plan
from relay_actors.testing.chaos.run import Run, play
from relay_actors.testing.lab import Lab
from tests.mutants.application import CENTRE, NOTES, app
from tests.mutants.models import MODELS, follow
from tests.mutants.plans import LATE_S, ends_session

__all__ = ["judged"]

LONGEST_SILENCE_S = 45.0
"""Longer than any fault, and all that is done to recover from it."""

LONGEST_AFTER_THE_END_S = 20.0
"""The same, for a flow that has to be told that its call has ended; without that it is stopped after half a minute."""

STATES = ("created", "ringing", "answered", "ending", "ended")

TEXT_STATES = ("queued", "initiated", "sent", "delivered")

TOLD_OF_THE_END = frozenset(MODELS) - {"begins-anew", "crashing", "loop", "timer", "typing"}
"""Whose actors note the states of their calls, and have them to the end."""

SMALL = ("duplicate", "missing_field", "wrong_field", "unknown_event", "unknown_method", "answer_twice", "reorder")
"""Faults by which no command is late or lost."""


def judged(plan: Plan) -> Run:
    """Run a plan, and judge it."""
    NOTES.clear()
    return play(plan, app, judge=lambda lab: _Trial(lab, plan).complaints())


class _Trial:
    def __init__(self, lab: Lab, plan: Plan) -> None:
        self._lab = lab
        self._plan = plan
        self._deaths = lab.deaths
        self._calls = {caller.who: caller for caller in plan.callers}
        self._lines = [line for phone in lab.sim.phones for line in phone.lines]
        self._is_calm = all(mishap.what.startswith(SMALL) for mishap in plan.mishaps)
        self._since = LATE_S if ends_session(plan) else 0.0

    def complaints(self) -> Iterator[str]:
        """Give a sentence for each thing that is wrong."""
        yield from NOTES["wrong"]
        for line in self._lines:
            caller = self._calls.get(line.number)
            if caller is not None and caller.at >= self._since:
                yield from (f"{line.number} ({caller.context}): {what}" for what in self._of_caller(line))
        for about, notes in list(NOTES.items()):
            yield from (f"{about}: {what}, namely {notes}" for what in self._of_notes(about, notes))
        if not self._since:
            yield from self._of_texts()

    def _of_caller(self, line: Line) -> Iterator[str]:
        context = self._calls[line.number].context
        moments = [moment.what for moment in line.timeline]
        wrong, is_complete = follow(MODELS[context](self._deaths), moments)
        stayed = "hung up" not in moments
        if wrong:
            yield wrong
            return
        if stayed and not is_complete:
            yield f"did not hear all; at last {', '.join(moments[-3:])}"
        if not line.is_over:
            yield "the call is still up"
        for one, other in zip(line.timeline, line.timeline[1:], strict=False):
            if other.what != "hung up" and other.at_s - one.at_s > LONGEST_SILENCE_S:
                yield f"waited {other.at_s - one.at_s:g} s after {one.what!r}"
        if sum(what.startswith("heard 'digits") for what in moments) > 1:
            yield "heard the same keys twice"
        if stayed and not self._plan.mishaps and self._lab.sim.count(line, "calling.end") > 1:
            yield "was hung up more than once"
        yield from self._of_context(context, line, moments, is_complete=is_complete)
        is_followed = stayed and not self._deaths and context in TOLD_OF_THE_END and line.transferred_to is None
        if is_followed and NOTES[f"states {line.call_id}"][-1:] != ["ended"]:
            yield "its actor was not told of the end"
        if context in TOLD_OF_THE_END - {"handler"} and "answered" in moments and not self._deaths:
            yield from self._of_flow(line)

    def _of_flow(self, line: Line) -> Iterator[str]:
        """A flow ends with its call, which it may learn of late."""
        ended = self._calls[line.number].at + line.timeline[-1].at_s
        left = NOTES[f"left {line.call_ids[0]}"]
        if not left or left[0] > ended + LONGEST_AFTER_THE_END_S:
            yield "its flow did not end with the call"

    def _of_context(self, context: str, line: Line, moments: Sequence[str], *, is_complete: bool) -> Iterator[str]:
        heard = {what.removeprefix("heard ")[1:-1] for what in moments if what.startswith("heard ")}
        call_id = line.call_ids[0]
        match context:
            case "bridge":
                yield from self._of_bridge(self._called_by(line), heard)
            case "dial":
                yield from self._of_dial(self._called_by(line), heard)
            case "levels" if self._lab.sim.count(line, "calling.send_digits") > 1:
                yield "had its keys pressed again, which may have been pressed"
            case "recording" if self._is_calm and self._lab.sim.count(line, "calling.record.stop") > 1:
                yield "had a recording stopped that was over"
            case "durable":
                yield from self._of_effects(line)
            case "timer" if is_complete and not NOTES[f"woken {call_id}"]:
                yield "was not woken"
            case "texting" if is_complete:
                arrived = sum(text.body == f"For {call_id}" for text in self._lab.phone(line.number).inbox)
                if arrived > 1 or (not arrived and self._is_calm):
                    yield f"got the text {arrived} times"
                if self._is_calm and "It was delivered." not in heard:
                    yield "was not told that the text was delivered"
                if not self._deaths and not NOTES[f"receipt {call_id}"]:
                    yield "the receipt of its text was not told of"

    def _called_by(self, line: Line) -> list[Line]:
        by = f"called by {line.number}"
        return [other for other in self._lines if other.timeline and other.timeline[0].what == by]

    @staticmethod
    def _of_bridge(called: Sequence[Line], heard: set[str]) -> Iterator[str]:
        has_met = any(_has_picked_up(other) for other in called)
        if "Nobody is there." in heard and has_met:
            yield "heard that nobody is there, and somebody was"
        if "They have gone." in heard and not has_met:
            yield "heard that they have gone who were never there"
        if len(called) > 1:
            yield f"had {len(called)} phones rung"

    def _of_dial(self, called: Sequence[Line], heard: set[str]) -> Iterator[str]:
        alarmed = [
            other.number for other in called if any(moment.what == "heard 'Alarm.'" for moment in other.timeline)
        ]
        if len(alarmed) > 1:
            yield f"{' and '.join(alarmed)} have heard the alarm"
        if self._is_calm and "Nobody has heard." in heard and any(map(_has_picked_up, called)):
            yield "heard that nobody has heard, and somebody has picked up"
        for words in heard - {"Nobody has heard."}:
            if words.endswith(" has heard.") and words.split()[0] not in alarmed:
                yield f"heard that {words.split()[0]} has heard, who has not"
        for number, times in Counter(other.number for other in called).items():
            if times > 1:
                yield f"had {number} rung {times} times"
        for other in called:
            if _has_picked_up(other) and other.number not in alarmed:
                picked_up = next(moment.at_s for moment in other.timeline if moment.what == "picked up")
                if other.timeline[-1].at_s - picked_up > LONGEST_SILENCE_S:
                    yield f"{other.number} has picked up, and was left in silence"

    def _of_effects(self, line: Line) -> Iterator[str]:
        """An effect may be done again only if the process died before it could be known that it was done."""
        began = self._calls[line.number].at
        heard_at = [began + moment.at_s for moment in line.timeline if moment.what.startswith("heard 'Ticket")]
        first = [
            at for ticket, at in NOTES[f"effect {line.call_id}"][1:] if ticket == NOTES[f"effect {line.call_id}"][0][0]
        ]
        if heard_at and any(at > heard_at[0] for at in first):
            yield "an effect was done again"

    def _of_texts(self) -> Iterator[str]:
        for texter in self._plan.texters:
            answers = [text.body for text in self._lab.phone(texter.who).inbox if text.from_number != CENTRE]
            if answers != [f"You wrote {texter.text}."] and (self._is_calm or answers):
                yield f"{texter.who} has written {texter.text!r}, and was answered {answers}"

    def _of_notes(self, about: str, notes: Sequence[object]) -> Iterator[str]:
        what, _space, _whom = about.partition(" ")
        if self._deaths:
            return
        if what in ("completed", "played", "woken", "receipt", "left", "came") and len(notes) > 1:
            yield "more than once"
        if what == "states":
            places = [STATES.index(str(state)) for state in notes]
            if places != sorted(set(places)):
                yield "in a wrong order, or twice"
        if what == "text" and tuple(notes) not in (TEXT_STATES[: len(notes)], ("failed",)):
            yield "not all, or in a wrong order"


def _has_picked_up(line: Line) -> bool:
    return any(moment.what == "picked up" for moment in line.timeline)
