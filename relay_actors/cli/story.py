"""Tells what happens on a simulator, as it happens: who hears, presses and says what, and what the application does.

Everything that is told was observed: on the simulator's lines, on its wire, and in the log. Layer: door.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from relay_actors.actors.call_ref import CallRef
from relay_actors.cli.screen import Screen, Styled
from relay_actors.protocol.readers import read_object, read_text
from relay_actors.runtime.base import Clock
from relay_actors.simulator.lines import Line
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.wire_log import LoggedFrame

__all__ = ["Teller", "call_of", "masked"]

_TOGETHER_S: Final = 0.05
"""How long a command waits for what the caller notices of it, to be told on one line."""

_COLOURS: Final = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")
_LEVELS: Final = {logging.INFO: "dim", logging.WARNING: "bold yellow"}
_NUMBER: Final = re.compile(r"\+\d{6,}")
_CALL_ID: Final = re.compile(r"call_id=(\S+)")
_TAIL: Final = re.compile(r" within_s=.*")
_PRESSED: Final = re.compile(r"pressed (\S+)")
_UNTOLD_MOMENTS: Final = ("called by", "picked up", "disconnected")
"""What the next thing on the line tells anyhow."""
_UNTOLD_RECORDS: Final = ("failed actor=", "logged in", "server ")
"""What supervisors and the wire tell anyhow, and that a server begins and ends."""

_TIME, _WHO, _APPLICATION = 7, 16, 21
"""How wide the columns are; the phone's gets what is left."""


def masked(text: str) -> str:
    """Return ``text`` with every phone number masked: ``+15550100200`` becomes ``+15550***200``."""
    return _NUMBER.sub(lambda found: f"{found[0][:-6]}***{found[0][-3:]}", text)


@dataclass(frozen=True, slots=True)
class _Moment:
    line: Line
    place: int


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the story.

    Attributes:
        at: monotonic seconds.
        number: whose it is; "" if nobody's.
        phone: what the person does or notices.
        application: what the application does.
        style: of both.
    """

    at: float
    number: str
    phone: str = ""
    application: str = ""
    style: str = ""
    call_id: str = ""


_HEADING: Final = _Row(0.0, "", phone="on the phone", application="the application", style="bold")


class Teller(logging.Handler):
    """Follows a simulator and a logger, and writes one line for each thing that happens, from a thread of its own.

    Use it in a ``with`` statement: leaving the block tells what is still to be told, and ends the thread.

    Args:
        simulator: what is followed.
        screen: where it is written.
        clock: the simulator's.
        names: what to call people, by number.
        logger: whose records are told, those of its children included.
    """

    def __init__(
        self,
        simulator: Simulator,
        screen: Screen,
        *,
        clock: Clock,
        names: Mapping[str, str] | None = None,
        logger: logging.Logger,
    ) -> None:
        super().__init__()
        self._screen = screen
        self._clock = clock
        self._names = dict(names or {})
        self._logger = logger
        self._logger_was = (logger.level, logger.propagate)
        self._since = clock.now()
        self._news: queue.SimpleQueue[_Moment | LoggedFrame | _Row | tuple[Styled, ...] | None] = queue.SimpleQueue()
        self._numbers: dict[str, str] = {}
        self._colours: dict[str, str] = {}
        self._held: _Row | None = None
        self._has_heading = False
        self._thread = threading.Thread(target=self._tell_all, name="story", daemon=True)
        simulator.observe_lines(lambda line, place: self._news.put(_Moment(line, place)))
        simulator.frames.observe(self._on_frame)

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._logger_was[0])
        self._logger.propagate = self._logger_was[1]
        self._news.put(None)
        self._thread.join()
        self.close()

    def say(self, *parts: Styled) -> None:
        """Write a line as `Screen.say` does, but after what has happened so far. Any thread."""
        self._news.put(parts)

    def note(self, text: str, style: str = "bold") -> None:
        """Add a line that is about nobody in particular. Any thread."""
        self._news.put(_Row(self._clock.now(), "", application=text, style=style))

    def emit(self, record: logging.LogRecord) -> None:
        """Tell a log record; the call that it is about is found by its id. Any thread."""
        if record.getMessage().startswith(_UNTOLD_RECORDS):
            return
        style = _LEVELS.get(record.levelno, "bold red" if record.levelno >= logging.ERROR else "dim")
        row = _Row(self._clock.now(), "", application=_in_one_line(record), style=style, call_id=call_of(record))
        self._news.put(row)

    # -- on threads of the simulator: quick ----------------------------------------------------------------------------

    def _on_frame(self, logged: LoggedFrame) -> None:
        is_news = b'"calling.' in logged.text or b'"messaging.' in logged.text or b'"signalwire.connect"' in logged.text
        if is_news:
            self._news.put(logged)

    # -- on the thread of the story ------------------------------------------------------------------------------------

    def _tell_all(self) -> None:
        while True:
            try:
                news = self._news.get(timeout=_TOGETHER_S if self._held else None)
            except queue.Empty:
                self._let_go()
                continue
            if news is None:
                self._let_go()
                return
            match news:
                case _Moment():
                    self._on_moment(news)
                case LoggedFrame(direction="received"):
                    self._on_command(news)
                case LoggedFrame():
                    self._on_event(news)
                case _Row():
                    self._let_go()
                    self._write(news)
                case tuple():
                    self._let_go()
                    self._screen.say(*news)

    def _on_moment(self, moment: _Moment) -> None:
        line = moment.line
        for call_id in line.call_ids:
            self._numbers[call_id] = line.number
        what = line.timeline[moment.place].what
        if what.startswith(_UNTOLD_MOMENTS):
            return
        held = self._held
        if held is not None and held.number == line.number and not held.phone:
            self._held = None
            self._write(_Row(held.at, held.number, what, held.application))
        elif held is not None and held.number == line.number and _PRESSED.fullmatch(what):
            self._held = _Row(held.at, held.number, held.phone + what.removeprefix("pressed "))
        else:
            self._let_go()
            row = _Row(self._clock.now(), line.number, what)
            if _PRESSED.fullmatch(what):
                self._held = row  # more keys may follow
            else:
                self._write(row)

    def _on_command(self, logged: LoggedFrame) -> None:
        method, params = logged.method, logged.params
        if not method:
            return
        self._let_go()
        if method == "signalwire.connect":
            contexts = params.get("contexts")
            listed = ", ".join(map(str, contexts)) if isinstance(contexts, list) else "none"
            again = " again" if params.get("protocol") else ""
            self._write(_Row(logged.at, "", application=f"logs in{again}, contexts: {listed}", style="bold"))
        elif method == "messaging.send":
            text = f"texts {read_text(params.get('body')) or ''!r}"
            self._held = _Row(logged.at, read_text(params.get("to_number")) or "", application=text)
        elif method.startswith("calling."):
            number = self._numbers.get(read_text(params.get("call_id")) or "", "")
            self._held = _Row(logged.at, number, application=_command(method, params))

    def _on_event(self, logged: LoggedFrame) -> None:
        params = read_object(logged.params.get("params")) or {}
        body = read_text(params.get("body")) or ""
        if logged.event_type == "messaging.receive":
            row = _Row(logged.at, read_text(params.get("from_number")) or "", phone=f"texted {body!r}")
        elif logged.event_type == "messaging.state" and params.get("message_state") == "delivered":
            row = _Row(logged.at, read_text(params.get("to_number")) or "", phone=f"received {body!r}")
        else:
            return
        self._let_go()
        self._write(row)

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._write(held)

    def _write(self, row: _Row) -> None:
        if not self._has_heading:
            self._has_heading = True
            self._write(_HEADING)
        number = row.number or self._numbers.get(row.call_id, "")
        colour = self._colour(number)
        when = "time" if row is _HEADING else f"{row.at - self._since:.2f}"
        phone, application = masked(row.phone), masked(row.application)
        room = max(24, min(64, self._screen.width - _TIME - _WHO - _APPLICATION - 3))
        cells: list[tuple[Styled, int]] = [
            ((when.rjust(_TIME), "dim"), _TIME),
            (("who" if row is _HEADING else self._who(number), colour), _WHO),
        ]
        if phone or len(application) <= _APPLICATION:  # a long report begins further left, where there is room
            cells.append(((phone, row.style or colour), room))
        cells.append(((application, row.style or "dim"), 0))
        self._screen.columns(*cells)

    def _who(self, number: str) -> str:
        name = self._names.get(number)
        if name is None:
            return masked(number)
        return f"{name} ***{number[-3:]}" if number.startswith("+") else f"{name} {number}"

    def _colour(self, number: str) -> str:
        if not number:
            return "bold"
        return self._colours.setdefault(number, _COLOURS[len(self._colours) % len(_COLOURS)])


def call_of(record: logging.LogRecord) -> str:
    """Return the id of the call that a log record is about, or ""; its text names it, or the actor among its args."""
    if found := _CALL_ID.search(record.getMessage()):
        return found[1]
    args = record.args if isinstance(record.args, tuple) else ()
    refs = [getattr(arg, "ref", None) for arg in args]
    return next((ref.kept.leg.call_id for ref in refs if isinstance(ref, CallRef)), "")


def _in_one_line(record: logging.LogRecord) -> str:
    return " ".join(_TAIL.sub("", _CALL_ID.sub("", record.getMessage())).split())


def _command(method: str, params: Mapping[str, object]) -> str:
    what = [method.removeprefix("calling.")]
    what += [text.removeprefix("context:") for name in ("reason", "dest") if (text := read_text(params.get(name)))]
    devices = params.get("devices")
    what += _NUMBER.findall(str([_to_number(device) for device in _flat(devices)]))
    return " ".join(what)


def _to_number(device: object) -> object:
    return (read_object((read_object(device) or {}).get("params")) or {}).get("to_number")


def _flat(devices: object) -> list[object]:
    groups = devices if isinstance(devices, list) else []
    return [device for group in groups for device in (group if isinstance(group, list) else [group])]
