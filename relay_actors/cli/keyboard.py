"""What a person types to be the caller: dial, press, say, hang up. Layer: door.

One command a line. The same commands work from a file or a pipe, where `hear` lets them wait for each other.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from relay_actors.cli.callers import Part, Stage
from relay_actors.cli.cast import CAST, HOTEL, make_cast, open_desk
from relay_actors.cli.story import masked
from relay_actors.errors import ConfigError
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator

__all__ = ["Keyboard"]

NUMBER: Final = "+15550001111"
"""The phone at which whoever types sits at first."""

PATIENCE_S: Final = 30.0
_GLANCE_S: Final = 0.2
"""How often a wait looks whether everything is to end."""


@dataclass(frozen=True, slots=True)
class _Command:
    """One command: how it is written, what it does, and who does it."""

    usage: str
    meaning: str
    act: Callable[[str], None]


class Keyboard:
    """Does what is typed, at one telephone at a time.

    Args:
        simulator: whose phones are used.
        say: writes an answer, as `Screen.say` does.
        stopping: set when everything is to end; waits end early then.
        pace: the simulator's: how long a simulated second is.

    Attributes:
        failures: how many commands could not be done.
    """

    def __init__(
        self, simulator: Simulator, say: Callable[..., None], stopping: threading.Event, *, pace: float = 1.0
    ) -> None:
        self._simulator = simulator
        self._pace = pace
        self._say_line = say
        self._stopping = stopping
        self._phone: Phone = simulator.phone(NUMBER)
        self.failures = 0
        self._commands = {command.usage.partition(" ")[0]: command for command in self._table()}

    def type(self, text: str) -> None:
        """Do one line; an empty one, and one that begins with ``#``, does nothing."""
        word, _space, rest = text.strip().partition(" ")
        if not word or word.startswith("#"):
            return
        command = self._commands.get(word.lower())
        try:
            if command is None:
                raise StoryError(f"there is no command {word!r}: type help")
            command.act(rest.strip())
        except (StoryError, ConfigError) as error:
            self.failures += 1
            self._say_line((f"? {masked(str(error).splitlines()[0])}", "red"))

    def waits_until(self, is_so: Callable[[], bool], within_s: float) -> bool:
        """Wait until ``is_so()``; False when the time is over, or everything is to end."""
        until = self._simulator.clock.now() + within_s
        while not self._stopping.is_set():
            left_s = until - self._simulator.clock.now()
            if self._simulator.wait_until(is_so, max(0.0, min(_GLANCE_S, left_s))):
                return True
            if left_s <= 0:
                return False
        return False

    # -- the commands --------------------------------------------------------------------------------------------------

    def _table(self) -> list[_Command]:
        return [
            _Command("dial [CONTEXT]", "call the application; without a context, its first one", self._dial),
            _Command("press KEYS", "press keys", self._press),
            _Command("say WORDS", "say something", self._say),
            _Command("hangup", "hang up", self._hang_up),
            _Command("text WORDS", "send a text to the application", self._text),
            _Command("answer", "pick up the phone that rings, and sit at it", self._answer),
            _Command("reject", "decline the call that rings", self._reject),
            _Command("phone NUMBER", "sit at another phone", self._sit_at),
            _Command("hear WORDS", "wait until something is heard", self._hear),
            _Command("ended", "wait until the call has ended", self._await_end),
            _Command("app", "wait until an application has logged in", self._await_application),
            _Command("wait SECONDS", "wait", self._wait),
            _Command("cut [SECONDS]", "cut all sockets, and take no new ones for so long", self._cut),
            _Command("calls", "list the calls that are up", self._calls),
            _Command("guests [SEED]", "let the demo's guests call examples.front_desk", self._guests),
            _Command("help", "list the commands", self._help),
            _Command("quit", "end the simulator", self._quit),
        ]

    def _dial(self, context: str) -> None:
        self._phone.dials(context=context or self._first_context())

    def _press(self, keys: str) -> None:
        self._phone.presses(_needed(keys, "press 1"))

    def _say(self, words: str) -> None:
        self._phone.says(_needed(words, "say good morning"))

    def _hang_up(self, _rest: str) -> None:
        self._phone.hangs_up()

    def _answer(self, _rest: str) -> None:
        self._rings()
        self._phone.answers()

    def _reject(self, _rest: str) -> None:
        self._rings()
        self._phone.rejects()

    def _text(self, words: str) -> None:
        self._phone.texts(_needed(words, "text when is breakfast?"), context=self._first_context())

    def _sit_at(self, number: str) -> None:
        self._phone = self._simulator.phone(_needed(number, "phone +15550002222"))

    def _hear(self, what: str) -> None:
        wanted = _needed(what, "hear press 1")
        line = self._phone.line
        until = self._simulator.clock.now() + PATIENCE_S
        while not self._stopping.is_set():
            left_s = until - self._simulator.clock.now()
            try:
                line.hears(wanted, within=max(0.0, min(_GLANCE_S, left_s)))
            except StoryError:
                if line.is_over or left_s <= 0:
                    raise
            else:
                return

    def _await_end(self, _rest: str) -> None:
        line = self._phone.line
        self.waits_until(lambda: line.is_over, PATIENCE_S)
        line.is_hung_up(within=0.0)

    def _await_application(self, _rest: str) -> None:
        if not self.waits_until(lambda: bool(self._simulator.contexts), PATIENCE_S):
            raise StoryError(f"no application has logged in within {PATIENCE_S:g} s")

    def _wait(self, seconds: str) -> None:
        self.waits_until(lambda: False, _seconds(seconds, "wait 2"))

    def _cut(self, seconds: str) -> None:
        cut = contextlib.ExitStack()
        cut.enter_context(self._simulator.socket_down(_seconds(seconds or "2", "cut 2")))
        # Leaving it waits until the time is over, and meanwhile whoever types may want to press keys.
        threading.Thread(target=cut.close, name="cut", daemon=True).start()

    def _calls(self, _rest: str) -> None:
        up = self._simulator.calls_up()
        for leg in up:
            who = f"{leg.from_number} → {leg.to_number}"
            self._say_line(masked(f"  {leg.direction:8} {leg.state:9} {who}  {leg.context}"))
        self._say_line(f"  {len(up)} up, {len(self._simulator.calls) - len(up)} ended")

    def _guests(self, seed: str) -> None:
        if HOTEL not in self._simulator.contexts:
            raise StoryError(f"guests call the context {HOTEL}, and no application takes its calls: run the front desk")
        stage = Stage(self._simulator, pace=self._pace, patience_s=PATIENCE_S)
        stage.is_cut.set()  # nobody waits for the demo's cut: here it is whoever types that cuts
        stage.is_back.set()
        open_desk(self._simulator)
        parts = [Part(caller, stage, CAST[caller.part].story) for caller in make_cast(_seed(seed))]
        for part in parts:
            part.start()

        def see_them_off() -> None:
            for part in parts:
                part.join()
            told = sum(part.is_told for part in parts)
            self._say_line(f"the guests have gone: {told} of {len(parts)} stories went as told")

        threading.Thread(target=see_them_off, name="guests", daemon=True).start()

    def _quit(self, _rest: str) -> None:
        self._stopping.set()

    def _help(self, _rest: str) -> None:
        for command in self._commands.values():
            self._say_line((f"  {command.usage:18}", "bold"), command.meaning)

    # -- small things --------------------------------------------------------------------------------------------------

    def _rings(self) -> None:
        """Be at the phone that rings, if it is not this one."""
        if not self._phone.lines or not self._phone.line.is_ringing:
            ringing = [phone for phone in self._simulator.phones if phone.lines and phone.line.is_ringing]
            if not ringing:
                raise StoryError("no phone rings")
            self._phone = ringing[-1]

    def _first_context(self) -> str:
        contexts = self._simulator.contexts
        if not contexts:
            raise StoryError("no application is logged in that takes calls")
        return contexts[0]


def _needed(text: str, example: str) -> str:
    if not text:
        raise StoryError(f"something is missing: for example {example!r}")
    return text


def _seed(text: str) -> int:
    try:
        return int(text or "1")
    except ValueError:
        raise StoryError(f"{text!r} is no whole number: for example 'guests 7'") from None


def _seconds(text: str, example: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise StoryError(f"{text!r} is no number of seconds: for example {example!r}")
    return seconds
