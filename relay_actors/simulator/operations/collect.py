"""Collecting keys and words, with and without a prompt before it. Layer: simulator.

Source: PROTOCOL 11.3, 11.4, 13.4.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from relay_actors.protocol.readers import read_flag, read_object, read_text, read_whole_number
from relay_actors.simulator.calls import Params
from relay_actors.simulator.operations.base import Operation, read_seconds
from relay_actors.simulator.operations.play import Player
from relay_actors.simulator.replies import Reply, refused
from relay_actors.simulator.sounds import UnplayableError, sounds_of
from relay_actors.simulator.timers import Timer

__all__ = ["Collect", "Collector", "PlayAndCollect"]

INITIAL_TIMEOUT_S = 4.0
DIGIT_TIMEOUT_S = 5.0
END_SILENCE_S = 1.0
ENOUGH_DIGITS = 1000
"""Stands for a missing ``max``, which the schema demands."""


class Collector(Operation):
    """What both collects share: from the first key or word to a result.

    ``initial_timeout`` runs from the start (or the end of the prompt) unless the command says
    ``start_input_timers: false``; then it waits for ``calling.collect.start_input_timers``.
    """

    event_type = "calling.call.collect"
    is_listening = True

    def begin(self) -> Reply:
        """Refuse what asks for neither keys nor words; otherwise as every operation."""
        if not any(isinstance(self.settings.get(kind), dict) for kind in ("digits", "speech")):
            return refused("400", "Invalid parameters: there must be digits, or speech, to collect")
        return super().begin()

    @property
    @abstractmethod
    def settings(self) -> Params:
        """What is to be collected, as the command says it."""

    def listen(self, settings: Params) -> None:
        """Read the settings and be ready for input; no timer runs yet."""
        digits = read_object(settings.get("digits"))
        speech = read_object(settings.get("speech"))
        self._takes_digits = digits is not None
        self._takes_speech = speech is not None
        digits, speech = digits or {}, speech or {}
        self._max = read_whole_number(digits.get("max")) or ENOUGH_DIGITS
        self._min = read_whole_number(digits.get("min")) or 0
        self._terminators = read_text(digits.get("terminators")) or ""
        self._digit_timeout_s = read_seconds(digits, "digit_timeout", DIGIT_TIMEOUT_S)
        self._end_silence_s = read_seconds(speech, "end_silence_timeout", END_SILENCE_S)
        self._initial_timeout_s = read_seconds(settings, "initial_timeout", INITIAL_TIMEOUT_S)
        self._waits_for_timers = read_flag(settings.get("start_input_timers")) is False
        self._sends_partials = read_flag(settings.get("partial_results")) or False
        self._is_continuous = read_flag(settings.get("continuous")) or False
        self._sends_start = read_flag(settings.get("send_start_of_input")) or False
        self._pressed = ""
        self._said = ""
        self._timer: Timer | None = None

    def start_timers(self) -> None:
        """Let ``initial_timeout`` run, if nothing has come yet. Idempotent."""
        self._waits_for_timers = False
        if not self.has_input and self._timer is None and self._initial_timeout_s > 0:
            self._timer = self.after(self._initial_timeout_s, lambda: self._conclude({"type": "no_input"}))

    def start_timers_unless_told_to_wait(self) -> None:
        """Do `start_timers`, unless the command said ``start_input_timers: false``."""
        if not self._waits_for_timers:
            self.start_timers()

    @property
    def has_input(self) -> bool:
        """Whether a key was pressed or something was said since the last result."""
        return bool(self._pressed or self._said)

    def input_begins(self) -> None:
        """Learn that the person begins to press or to speak."""

    def digit_pressed(self, digit: str) -> bool:
        """Add a key; it may complete the result."""
        if not self._takes_digits:
            return False
        self._note_input()
        if digit in self._terminators:
            self._digits_are_in(terminator=digit)
            return True
        self._pressed += digit
        if len(self._pressed) >= self._max:
            self._digits_are_in(terminator="")
            return True
        self._report_partial(_digits(self._pressed, ""))
        self._restart(self._digit_timeout_s, lambda: self._digits_are_in(terminator=""))
        return True

    def words_said(self, words: str, confidence: float) -> bool:
        """Add words; silence after them completes the result."""
        if not self._takes_speech:
            return False
        self._note_input()
        self._said = f"{self._said} {words}".strip()
        self._report_partial(_speech(self._said, confidence))
        said = self._said
        self._restart(self._end_silence_s, lambda: self._conclude(_speech(said, confidence)))
        return True

    def stop(self) -> None:
        """End without a result: a continuous collect is finished, any other one has nothing to show.

        No source says what a stopped collect reports; ``no_input`` ends it in every client.
        """
        if self._is_continuous:
            self.finish(state="finished", result={"type": "finished"})
        else:
            self._conclude({"type": "no_input"})

    def call_ends(self) -> None:
        """End because nobody can press anything any more."""
        if self._is_continuous:
            self.stop()
        else:
            self._conclude({"type": "error"})

    def _note_input(self) -> None:
        if not self.has_input and self._sends_start:
            self.report(result={"type": "start_of_input"})
        self.input_begins()

    def _digits_are_in(self, *, terminator: str) -> None:
        is_enough = len(self._pressed) >= self._min
        self._conclude(_digits(self._pressed, terminator) if is_enough else {"type": "no_match"})

    def _report_partial(self, result: dict[str, object]) -> None:
        if self._sends_partials:
            self.report(result=result, final=False)

    def _conclude(self, result: dict[str, object]) -> None:
        fields: dict[str, object] = {"result": result}
        if self._sends_partials:
            fields["final"] = True
        if not self._is_continuous:
            self.finish(**fields)
            return
        self._pressed = self._said = ""
        self._restart(0, None)
        self.report(state="collecting", **fields)

    def _restart(self, simulated_s: float, call: Callable[[], None] | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if call is None else self.after(simulated_s, call)


class Collect(Collector):
    """``calling.collect``."""

    started_message = "Collecting"

    @property
    def settings(self) -> Params:
        """All params of the command."""
        return self.params

    def start(self) -> dict[str, object]:
        """Listen, and count the silence."""
        self.listen(self.settings)
        self.start_timers_unless_told_to_wait()
        return {}


class PlayAndCollect(Collector):
    """``calling.play_and_collect``: one control id, play events first, and any input stops the prompt (barge-in)."""

    started_message = "Playing and collecting"

    _player: Player | None = None

    @property
    def settings(self) -> Params:
        """Those under ``collect``."""
        return read_object(self.params.get("collect")) or {}

    def start(self) -> dict[str, object]:
        """Play the prompt and listen at once; silence counts from the end of the prompt."""
        self.listen(self.settings)
        try:
            sounds = sounds_of(self.params.get("play"))
        except UnplayableError:
            self._report_play("error")
            self.finish(result={"type": "error"})
            return {}
        self._player = Player(self.call, sounds, at_end=self._prompt_is_over)
        self._report_play("playing")
        self._player.start()
        return {}

    def input_begins(self) -> None:
        """Stop the prompt."""
        self._stop_prompt()

    def start_timers(self) -> None:
        """Count the silence, but never over the prompt."""
        if self._player is not None and self._player.is_playing:
            self._waits_for_timers = False
            return
        super().start_timers()

    def close(self) -> bool:
        """Stop the prompt before the last event goes out."""
        if not self.is_done:
            self._stop_prompt()
        return super().close()

    def _prompt_is_over(self) -> None:
        self._report_play("finished")
        self.start_timers_unless_told_to_wait()

    def _stop_prompt(self) -> None:
        if self._player is not None and self._player.is_playing:
            self._player.stop()
            self._report_play("finished")

    def _report_play(self, state: str) -> None:
        self.call.emit("calling.call.play", {"control_id": self.control_id, "state": state})


def _digits(digits: str, terminator: str) -> dict[str, object]:
    return {"type": "digit", "params": {"digits": digits, "terminator": terminator}}


def _speech(words: str, confidence: float) -> dict[str, object]:
    return {"type": "speech", "params": {"text": words, "confidence": confidence}}
