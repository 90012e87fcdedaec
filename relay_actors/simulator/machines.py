"""Answering machines: they greet, beep, and record what they hear from then on. Layer: simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from relay_actors.simulator.calls import Call
from relay_actors.simulator.personas import Persona
from relay_actors.simulator.sounds import BEEP, SHORTEST_S, voice
from relay_actors.simulator.tapes import HEARD, Note
from relay_actors.simulator.world import World

__all__ = ["AnsweringMachine"]

GREETS_AFTER_S: Final = 0.3
"""From picking up to the first word, simulated: whoever is connected at once hears all of the greeting."""

CONFIDENCE: Final = 95.0


class AnsweringMachine:
    """What a machine does on one call, from picking up to its end. The simulator's lock guards it.

    Args:
        world: when things are due.
        persona: what it says, and whether it beeps.
        leg: returns the leg that it is on now.
        note: writes into the timeline of the line.
    """

    def __init__(self, world: World, persona: Persona, *, leg: Callable[[], Call], note: Callable[[str], None]) -> None:
        self._world = world
        self._persona = persona
        self._leg = leg
        self._note = note
        self._records_from_s: float | None = None
        self._recorded: str | None = None

    @property
    def ready_in_s(self) -> float:
        """Simulated seconds until it records: until its greeting, and the beep, are over. 0 if they are."""
        if self._records_from_s is None:
            return 0.0
        return max(0.0, self._records_from_s - self._world.simulated_now())

    def picks_up(self) -> None:
        """Begin. Idempotent; only inside a turn."""
        if self._records_from_s is not None:
            return
        greeted_s = GREETS_AFTER_S + self._persona.greeting_s
        self._records_from_s = self._world.simulated_now() + greeted_s
        if self._persona.greeting:
            self._world.after(GREETS_AFTER_S, self._greet)
        if self._persona.has_beep:
            self._records_from_s += BEEP.length_s
            self._world.after(greeted_s, self._beep)

    def hangs_up(self, legs: Iterable[Call]) -> None:
        """Keep what was recorded: the call is over. Idempotent; only inside a turn."""
        if self._recorded is not None:
            return
        self._recorded = self.recorded(legs)
        if self._recorded:
            self._note(f"recorded {self._recorded!r}")

    def recorded(self, legs: Iterable[Call]) -> str:
        """Return the words and the URLs of what was heard on these legs after the beep, as far as it has come.

        Of what had begun before the beep, only the rest of the words is there.
        """
        if self._recorded is not None:
            return self._recorded
        start_s, now_s = self._records_from_s, self._world.simulated_now()
        if start_s is None or start_s >= now_s:
            return ""
        notes = (note for leg in legs for note in leg.tape.between(start_s, now_s) if note.track == HEARD)
        return " ".join(filter(None, (_told(note, start_s, now_s) for note in notes)))

    def _greet(self) -> None:
        if not self._leg().is_over:
            words = self._persona.greeting
            self._note(f"said {words!r}")
            sound = voice(words)
            # In a shorter time it speaks faster; in a longer one it is silent before the beep.
            length_s = max(SHORTEST_S, min(sound.length_s, self._persona.greeting_s))
            self._leg().say(words, CONFIDENCE, replace(sound, length_s=length_s))

    def _beep(self) -> None:
        if not self._leg().is_over:
            self._note("beeped")
            self._leg().sound(BEEP)


def _told(note: Note, start_s: float, end_s: float) -> str:
    """Return what a note says in this time."""
    if note.sound.kind == "audio":
        return note.sound.text
    begin_s = max(note.start_s, start_s)
    skipped_s = note.skipped_s + begin_s - note.start_s
    return replace(note, start_s=begin_s, end_s=min(note.end_s, end_s), skipped_s=skipped_s).words()
