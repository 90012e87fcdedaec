"""One person on one call: what was heard, what was pressed, and what the person does next. Layer: simulator.

Everything here is for tests and demonstrations, and reads like the story of a call::

    caller.hears("press 1").presses("1")
    caller.is_hung_up()

A story that does not go as told raises `StoryError`, which shows what happened in its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.protocol import checks
from relay_actors.protocol.states import CallState
from relay_actors.simulator.calls import Call
from relay_actors.simulator.company import InCompany
from relay_actors.simulator.faxes import Fax
from relay_actors.simulator.machines import AnsweringMachine
from relay_actors.simulator.personas import HUMAN, Persona
from relay_actors.simulator.sounds import Sound, voice
from relay_actors.simulator.tapes import HEARD
from relay_actors.simulator.world import World

__all__ = ["Line", "Moment", "Reflex", "StoryError", "check_keys"]


TOLD: Final = 200
"""How many moments a story tells, and how many sounds: the first ones and the last."""

_KEYS: Final = frozenset("0123456789*#ABCD")


class StoryError(AssertionError):
    """The story of a call did not go as a test told it.

    It is an `AssertionError` and not one of the framework's errors, so that test runners show a failure.
    """


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened on a line.

    Attributes:
        at_s: seconds of the clock since the line began.
        what: in a few words.
    """

    at_s: float
    what: str


@dataclass(frozen=True, slots=True)
class Reflex:
    """What a person does at once on hearing or noticing something: for people that no test accompanies.

    Attributes:
        hears: what to react to, as in `Line.hears`; or part of a change on the line, as its timeline tells it.
        act: what to do.
        after_s: simulated seconds in between.
        is_to_change: whether it is a change on the line that is reacted to, and not a sound.
    """

    hears: str
    act: Callable[[Line], None]
    after_s: float = 0.3
    is_to_change: bool = False


class Line(InCompany):
    """One phone's part in one call, from ringing or dialling to the end.

    All methods may be called from any thread that is not inside the simulator. Those that wait do it in seconds of the
    clock, not scaled by the pace, and for the simulator's `patience_s` unless told otherwise.

    Args:
        world: time, and the way to wait.
        number: whose line it is.
        call: the leg at whose end the person is.
        persona: who it is.
        reflexes: what the person does unasked.
    """

    def __init__(
        self,
        world: World,
        number: str,
        call: Call,
        *,
        persona: Persona = HUMAN,
        reflexes: tuple[Reflex, ...] = (),
    ) -> None:
        self._world = world
        self._number = number
        self._call = call
        self._calls = [call]
        self._persona = persona
        self._reflexes = reflexes
        self._since = world.now()
        self._moments: list[Moment] = []
        self._heard: list[Sound] = []
        self._listened = 0
        self._faxes: list[Fax] = []
        self._read_faxes = 0
        self._machine = (
            AnsweringMachine(world, persona, leg=lambda: self._call, note=self.note)
            if persona.kind == "machine"
            else None
        )
        self._elsewhere = False
        self.transferred_to: str | None = None
        """Where the call was handed on to, the last time."""
        call.ear = self

    # What can be seen of it.

    @property
    def line(self) -> Line:
        """This line: so a story reads the same whether its person is a phone or a line."""
        return self

    @property
    def number(self) -> str:
        """The phone's number."""
        return self._number

    @property
    def call_id(self) -> str:
        """The leg that the person is on now; a transfer changes it."""
        return self._call.call_id

    @property
    def call_ids(self) -> list[str]:
        """Every leg that this line was on, the present one last."""
        return [call.call_id for call in self._calls]

    @property
    def state(self) -> str:
        """``created``, ``ringing``, ``answered``, ``ended``, or ``transferred`` to something that is not simulated."""
        return "transferred" if self._elsewhere else str(self._call.state)

    @property
    def end_reason(self) -> str:
        """Why the call ended; empty before."""
        return self._call.end_reason

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return not self._elsewhere and self._call.is_over

    @property
    def is_ringing(self) -> bool:
        """Whether the phone rings and nobody has answered."""
        return self._call.direction == "outbound" and self._call.state == CallState.RINGING

    @property
    def timeline(self) -> tuple[Moment, ...]:
        """Everything that happened, oldest first."""
        with self._world.look():
            return tuple(self._moments)

    @property
    def heard(self) -> tuple[Sound, ...]:
        """Everything that was heard, oldest first."""
        with self._world.look():
            return tuple(self._heard)

    @property
    def heard_for(self) -> tuple[tuple[Sound, float], ...]:
        """Every sound with the simulated seconds for which it was heard, oldest first; one that was paused is in parts.

        What sounds now counts as far as it has come.
        """
        with self._world.look():
            return tuple(heard for call in self._calls for heard in call.tape.heard())

    @property
    def received_faxes(self) -> tuple[Fax, ...]:
        """Every fax that came in on this line, oldest first; for lines of a `Phone.is_fax_machine`."""
        with self._world.look():
            return tuple(self._faxes)

    @property
    def message(self) -> str:
        """What an answering machine has recorded: the words and the URLs of what it heard after its beep, by now.

        Empty for people, and before anything was recorded. Of a prompt that had begun before the beep, only the rest
        of the words is there.
        """
        with self._world.look():
            return self._machine.recorded(self._calls) if self._machine is not None else ""

    # What the person waits for.

    def hears(self, what: str, within: float | None = None) -> Line:
        """Wait until something is heard whose words, URL or name contain ``what``; return this line.

        Listening goes on after what was matched last, so that a story tells things in their order. Case does not
        matter. Sounds count from their beginning, so a prompt can be interrupted.

        Args:
            what: part of a prompt's text or an audio URL, or ``ringtone us``, ``silence`` (one that is played),
                ``beep``, ``digits 12``, ``music``, ``voice hello`` (what the other person says).
            within: seconds of the clock; the simulator's `patience_s` if None.

        Raises:
            StoryError: it was not heard in time, or the call ended before.
            ConfigError: ``what`` is no text.
        """
        checks.required(checks.any_text, what=what)
        with self._world.look():
            before = self._listened
        place = before  # of what is yet to be compared: so much may be heard while a test waits

        def is_heard() -> bool:
            nonlocal place
            while place < len(self._heard):
                place += 1
                if _matches(self._heard[place - 1], what):
                    self._listened = place
                    return True
            return False

        self._wait(lambda: is_heard() or self.is_over, within)
        if self._listened == before:
            heard = ", ".join(_middle_left_out([repr(str(sound)) for sound in self._heard[before:]])) or "nothing"
            missed = [str(sound) for sound in self._heard[:before] if _matches(sound, what)]
            if missed:
                heard += f"; {missed[-1]!r} was heard before that: hears() goes on after what was matched last"
            raise self._story(f"did not hear {what!r} {self._until(within)}; heard in its place: {heard}")
        return self

    def hears_nothing(self, for_s: float) -> Line:
        """Wait, and make sure that nothing is heard for so many simulated seconds; return this line.

        What sounds already may come to its end, and the time counts from there. Silence that is played is nothing.

        Args:
            for_s: simulated seconds.

        Raises:
            ArgumentError: it is no number of seconds.
            StoryError: something was heard, or the call ended before.
        """
        checks.required(checks.seconds, for_s=for_s)
        with self._world.look():
            before, since_s = len(self._heard), self._world.simulated_now()

        def noises() -> list[Sound]:
            return [sound for sound in self._heard[before:] if sound.kind != "silence"]

        def is_broken_off() -> bool:
            return bool(noises()) or self.is_over

        quiet_s = self._quiet_from_s(since_s)
        while not is_broken_off() and (left_s := quiet_s + for_s - self._world.simulated_now()) > 1e-6:
            # What sounds may be stopped before its end, or be resumed: then the time counts from another moment.
            self._wait(
                lambda was_s=quiet_s: is_broken_off() or self._quiet_from_s(since_s) != was_s,  # type: ignore[misc]
                left_s * self._world.pace,
            )
            quiet_s = self._quiet_from_s(since_s)
        with self._world.look():
            if heard := ", ".join(repr(str(sound)) for sound in noises()):
                raise self._story(f"was to hear nothing for {for_s:g} s, and heard: {heard}")
            if self.is_over:
                raise self._story(f"was to hear nothing for {for_s:g} s; the call has ended")
        return self

    def receives_fax(self, document: str = "", within: float | None = None) -> Fax:
        """Wait for a fax whose document's URL contains ``document`` and return it; for a `Phone.is_fax_machine`.

        Each fax is returned once; earlier ones are skipped. One that broke off is not complete, see `Fax.is_complete`.

        Raises:
            StoryError: it did not come in time, or the call ended before.
        """
        found: list[Fax] = []

        def has_come() -> bool:
            for place in range(self._read_faxes, len(self._faxes)):
                if document.casefold() in self._faxes[place].document.casefold():
                    self._read_faxes = place + 1
                    found.append(self._faxes[place])
                    return True
            return False

        self._wait(lambda: bool(found) or has_come() or self.is_over, within)
        if not found:
            raise self._story(f"received no fax {document!r} {self._until(within)}")
        return found[0]

    def is_connected(self, within: float | None = None) -> Line:
        """Wait until the call is answered.

        Raises:
            StoryError: it was not, in time or at all, or it has ended since.
        """
        self._wait(lambda: self._call.is_answered or self.is_over, within)
        with self._world.look():
            if self.is_over and any(moment.what in ("answered", "picked up") for moment in self._moments):
                raise self._story("is not connected any more: the call was answered, and has ended")
            if not self._call.is_answered:
                raise self._story(f"was not answered {self._until(within)}")
        return self

    def is_asked(self, within: float | None = None) -> Line:
        """Wait until something listens to keys or words: a collect, a recording, a detector.

        Raises:
            StoryError: nothing did in time.
        """
        self._expect(lambda: self._call.has_listener, "was not asked for anything", within)
        return self

    def is_hung_up(self, within: float | None = None) -> Line:
        """Wait until the call has ended, whoever ended it.

        Raises:
            StoryError: it still goes on.
        """
        if not self._wait(lambda: self.is_over, within):
            raise self._story(f"was not hung up {self._until(within)}")
        return self

    def is_transferred(self, to: str, within: float | None = None) -> Line:
        """Wait until the call is handed on to ``to`` (a context, or any destination).

        Raises:
            StoryError: it was not in time.
        """
        self._expect(lambda: self.transferred_to == to, f"was not transferred to {to}", within)
        return self

    # What the person does.

    def answers(self) -> Line:
        """Pick up the ringing phone.

        Raises:
            StoryError: it does not ring.
        """
        with self._world.turn():
            if not self.is_ringing:
                raise self._story("cannot answer: the phone does not ring")
            self.note("picked up")
            self._call.pick_up()
        return self

    def rejects(self) -> Line:
        """Decline the ringing call.

        Raises:
            StoryError: it does not ring.
        """
        with self._world.turn():
            if not self.is_ringing:
                raise self._story("cannot reject: the phone does not ring")
            self.note("rejected")
            self._call.cancel("decline")
        return self

    def presses(self, digits: str) -> Line:
        """Press keys, one after the other, at once.

        A key that nobody listens to is lost, as on a real line, and the timeline says so; `is_asked` waits for a
        listener.

        Raises:
            ConfigError: there is a key that no phone has.
            StoryError: the call has ended.
        """
        check_keys(digits)
        with self._world.turn():
            self._must_be_on("press keys")
            for digit in digits:
                place = len(self._moments)
                self.note(f"pressed {digit}")
                if not self._call.press(digit):
                    self._moments[place] = Moment(self._moments[place].at_s, f"pressed {digit} (nobody listened)")
        return self

    def says(self, words: str, *, confidence: float = 95.0) -> Line:
        """Say something; speech recognition understands it with this confidence (0 to 100).

        Raises:
            StoryError: the call has ended.
        """
        with self._world.turn():
            self._must_be_on("speak")
            place = len(self._moments)
            self.note(f"said {words!r}")
            if not self._call.say(words, confidence, voice(words)):
                self._moments[place] = Moment(self._moments[place].at_s, f"said {words!r} (nobody listened)")
        return self

    def hangs_up(self) -> Line:
        """Hang up; an unanswered caller abandons the call, and a ringing phone declines it. Idempotent."""
        with self._world.turn():
            if self.is_over:
                return self
            self.note("hung up")
            self._elsewhere = False
            is_unanswered_caller = self._call.direction == "inbound" and not self._call.is_answered
            if self.is_ringing:
                self._call.cancel("decline")
            else:
                self._call.end("abandoned" if is_unanswered_caller else "hangup")
        return self

    # What the call tells it (`calls.Ear`).

    @property
    def persona(self) -> Persona:
        """Who it is."""
        return self._persona

    @property
    def ready_in_s(self) -> float:
        """Simulated seconds until an answering machine records; 0 for people."""
        return self._machine.ready_in_s if self._machine is not None else 0.0

    def on_sound(self, sound: Sound) -> None:
        """Hear something, and react to it."""
        self._heard.append(sound)
        self.note(f"heard {str(sound)!r}")
        self._let_react(str(sound), is_change=False)

    def on_fax(self, fax: Fax) -> None:
        """Get a fax."""
        self._faxes.append(fax)
        self.note(f"received {fax}")

    def on_change(self, what: str) -> None:
        """Notice a change on the line, and react to it."""
        self.note(what)
        self._let_react(what, is_change=True)
        if self._machine is not None and self._call.is_answered:
            self._machine.picks_up()
        elif self._machine is not None and self._call.is_over:
            self._machine.hangs_up(self._calls)

    def on_handed_on(self, dest: str, call: Call | None) -> None:
        """Be on another leg now, or with something that is not simulated."""
        self.transferred_to = dest
        self.note(f"transferred to {dest}")
        if call is None:
            self._elsewhere = True
        else:
            self._call = call
            self._calls.append(call)

    def note(self, what: str) -> None:
        """Add to the timeline. Only inside a turn."""
        self._moments.append(Moment(self._world.now() - self._since, what))
        for observe in self._world.moment_observers:
            observe(self, len(self._moments) - 1)

    def story(self) -> str:
        """Return the timeline as people read it, a long one without its middle, and what else there is to tell."""
        head = f"{self._number} on call {self.call_id} ({self.state}{', ' * bool(self.end_reason)}{self.end_reason}):"
        moments = _middle_left_out([f"  {moment.at_s:9.3f}  {moment.what}" for moment in self.timeline])
        more = [f"  {told}" for tell in self._world.story_tellers for told in tell(self.call_ids)]
        return "\n".join([head, *moments, *more])

    def _let_react(self, what: str, *, is_change: bool) -> None:
        for reflex in self._reflexes:
            if reflex.is_to_change == is_change and reflex.hears.casefold() in what.casefold():
                self._world.after(reflex.after_s, lambda act=reflex.act: self._react(act))  # type: ignore[misc]  # bound early

    def _react(self, act: Callable[[Line], None]) -> None:
        if not self.is_over:
            act(self)

    def _quiet_from_s(self, since_s: float) -> float:
        """Return when the last sound that was to be heard since then is over, or that time (simulated)."""
        with self._world.look():
            sounding = self._call.tape.between(since_s, math.inf)
            ends = [note.end_s for note in sounding if note.track == HEARD and note.sound.kind != "silence"]
            return max([since_s, *ends])

    def _must_be_on(self, what_for: str) -> None:
        if self.is_over:
            raise self._story(f"cannot {what_for}: the call has ended")

    def _expect(self, is_so: Callable[[], bool], complaint: str, within: float | None) -> None:
        self._wait(lambda: is_so() or self.is_over, within)
        with self._world.look():
            if not is_so():
                raise self._story(f"{complaint} {self._until(within)}")

    def _until(self, within: float | None) -> str:
        return "before the call ended" if self.is_over else f"within {self._world.patience(within):g} s"

    def _wait(self, is_so: Callable[[], bool], within: float | None) -> bool:
        return self._world.wait_until(is_so, within)

    def _story(self, complaint: str) -> StoryError:
        return StoryError(f"{self._number} {complaint}\n{self.story()}")


def _matches(sound: Sound, what: str) -> bool:
    return what.casefold() in str(sound).casefold()


def _middle_left_out(told: list[str]) -> list[str]:
    """Return what is told, of very much only the beginning and the end."""
    half = TOLD // 2
    return told if len(told) <= TOLD else [*told[:half], f"  … {len(told) - TOLD} more", *told[-half:]]


def check_keys(digits: object) -> None:
    """Check that a phone has these keys.

    Raises:
        ConfigError: it does not.
    """
    if not isinstance(digits, str) or not set(digits) <= _KEYS:
        raise ConfigError(f'presses({digits!r}): give the keys as text, "0" to "9", "*", "#" and "A" to "D"')
