"""What a person types to be the caller: dial, press, say, hang up. Layer: door.

One command a line. The same commands work from a file or a pipe, where `hear` lets them wait for each other.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relay_actors.cli import sights
from relay_actors.cli.callers import Part, Stage
from relay_actors.cli.cast import CAST, HOTEL, make_cast, open_desk
from relay_actors.cli.story import masked
from relay_actors.errors import ConfigError
from relay_actors.simulator.agents import AGENT_ENDS, AgentEnd
from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator

__all__ = ["Keyboard"]

NUMBER: Final = "+15550001111"
"""The phone at which whoever types sits at first."""

PATIENCE_S: Final = 30.0
_GLANCE_S: Final = 0.2
"""How often a wait looks whether it, or everything, is to end."""

_ENDS: Final[Mapping[str, AgentEnd]] = {end: end for end in AGENT_ENDS if end != "finished"}
"""How a conversation of an agent may end instead of being finished."""


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
        interrupted: set when only the wait is to end.
        pace: the simulator's: how long a simulated second is.

    Attributes:
        failures: how many commands could not be done.
    """

    def __init__(
        self,
        simulator: Simulator,
        say: Callable[..., None],
        stopping: threading.Event,
        interrupted: threading.Event | None = None,
        *,
        pace: float = 1.0,
    ) -> None:
        self._simulator = simulator
        self._pace = pace
        self._say_line = say
        self._stopping = stopping
        self._interrupted = interrupted if interrupted is not None else threading.Event()
        self._phone: Phone = simulator.phone(NUMBER)
        self.failures = 0
        self._commands = {command.usage.partition(" ")[0]: command for command in self._table()}

    def type(self, text: str) -> None:
        """Do one line; an empty one, and one that begins with ``#``, does nothing.

        ``says hello`` does the same as ``say hello``: whoever writes tests has it in their fingers.
        """
        word, _space, rest = text.strip().partition(" ")
        if not word or word.startswith("#"):
            return
        names = [word.lower().removesuffix(ending) for ending in ("", "s", "es")]
        command = next((self._commands[name] for name in names if name in self._commands), None)
        try:
            if command is None:
                raise StoryError(f"there is no command {word!r}: type help")
            command.act(rest.strip())
        except (StoryError, ConfigError) as error:
            self.failures += 1
            self._say_line((f"? {masked(str(error).splitlines()[0])}", "red"))

    def waits_until(self, is_so: Callable[[], bool], within_s: float) -> bool:
        """Wait until ``is_so()``; False when the time is over, or everything is to end.

        Raises:
            StoryError: the wait was interrupted.
        """
        return any(self._simulator.wait_until(is_so, glance_s) for glance_s in self._glances(within_s))

    def _glances(self, within_s: float) -> Iterator[float]:
        """Give the seconds of one wait after the other, none at last; less when everything is to end."""
        until = self._simulator.clock.now() + within_s
        left_s = within_s
        while not self._stopping.is_set():
            if self._interrupted.is_set():
                raise StoryError("stopped waiting")
            yield max(0.0, min(_GLANCE_S, left_s))
            if left_s <= 0:
                return
            left_s = until - self._simulator.clock.now()

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
            _Command("fax [PAGES]", "be a fax machine: one that takes faxes, or that sends so many pages", self._fax),
            _Command(
                "agent WORDS | …",
                f"let the next AI agent say this, part by part; a last part may be: {', '.join(_ENDS)}",
                self._agent,
            ),
            _Command(
                "payment [RESULT]", "let the next payment end so; without a result, it is declined", self._payment
            ),
            _Command("calls", "list the calls that are up", self._lister(sights.calls)),
            _Command(
                "meetings", "list conferences, rooms and queues, and who is in them", self._lister(sights.meetings)
            ),
            _Command("talk", "list what AI agents and callers have said", self._lister(sights.conversations)),
            _Command("webhooks", "list what would have been sent by HTTP", self._lister(sights.webhooks)),
            _Command("files", "list recordings, transcripts and received faxes, by URL", self._lister(sights.files)),
            _Command("fetch [URL]", "save such a file here; without a URL, the latest", self._fetch),
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
        for glance_s in self._glances(PATIENCE_S):
            try:
                line.hears(wanted, within=glance_s)
            except StoryError:
                if line.is_over:
                    raise
                _must_be_here(line)
            else:
                return
        last = f"; the last was {str(line.heard[-1])!r}" if line.heard else ""
        raise StoryError(f"{line.number} did not hear {wanted!r} within {PATIENCE_S:g} s{last}")

    def _await_end(self, _rest: str) -> None:
        line = self._phone.line
        if not self.waits_until(lambda: line.is_over or line.state == "transferred", PATIENCE_S):
            raise StoryError(f"{line.number} was not hung up within {PATIENCE_S:g} s")
        _must_be_here(line)

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

    def _fax(self, pages: str) -> None:
        if pages:
            self._phone.is_fax_machine(tone="CNG", sends=_whole(pages, "fax 2"))
        else:
            self._phone.is_fax_machine()

    def _agent(self, words: str) -> None:
        turns = [turn.strip() for turn in _needed(words, "agent Hello! | Goodbye. | hangs up").split("|")]
        ends: AgentEnd = "finished"
        if turns[-1] in _ENDS:
            ends = _ENDS[turns.pop()]
        self._simulator.next_agent(*turns, ends=ends)

    def _payment(self, result: str) -> None:
        self._simulator.next_payment(ends="payment-connector-error" if result in ("", "declines") else result)

    def _lister(self, look: Callable[[Simulator], Iterator[str]]) -> Callable[[str], None]:
        def write(_rest: str) -> None:
            for line in look(self._simulator):
                self._say_line(masked(f"  {line}"))

        return write

    def _fetch(self, url: str) -> None:
        path = sights.save(self._simulator, url, Path.cwd())
        self._say_line(f"  saved {path.name}, {path.stat().st_size} bytes")

    def _guests(self, seed: str) -> None:
        if HOTEL not in self._simulator.contexts:
            raise StoryError(f"guests call the context {HOTEL}, and no application takes its calls: run the front desk")
        stage = Stage(self._simulator, pace=self._pace, patience_s=PATIENCE_S)
        stage.is_cut.set()  # nobody waits for the demo's cut: here it is whoever types that cuts
        stage.is_back.set()
        open_desk(self._simulator)
        parts = [Part(caller, stage, CAST[caller.part].story) for caller in make_cast(_whole(seed or "1", "guests 7"))]
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
            self._say_line((f"  {command.usage:18} ", "bold"), command.meaning)

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


def _must_be_here(line: Line) -> None:
    if line.state == "transferred":
        raise StoryError(f"{line.number} was transferred to {line.transferred_to}, and nobody is there: type hangup")


def _needed(text: str, example: str) -> str:
    if not text:
        raise StoryError(f"something is missing: for example {example!r}")
    return text


def _whole(text: str, example: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise StoryError(f"{text!r} is no whole number: for example {example!r}") from None


def _seconds(text: str, example: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise StoryError(f"{text!r} is no number of seconds: for example {example!r}")
    return seconds
