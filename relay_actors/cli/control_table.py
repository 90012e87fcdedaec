"""What the control API of a simulator can do: one table, from which it is served, listed and described. Layer: door.

No socket is here: a method, a path and a body go in, a status and a JSON object come out.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, get_type_hints
from urllib.parse import unquote

from relay_actors._version import __version__
from relay_actors.cli.control_faults import inject, list_faults
from relay_actors.cli.control_operations import Answer, Operation, body_of, query_of
from relay_actors.cli.control_shapes import Json, shape_of
from relay_actors.cli.control_views import frame_view, line_view, phone_view, plain, what_is_said
from relay_actors.cli.control_words import Argument, Word, WrongArgumentsError, word_of, words_of
from relay_actors.errors import RelayActorsError
from relay_actors.journal.redact import Redactor
from relay_actors.protocol import frames
from relay_actors.protocol.near_miss import near_miss
from relay_actors.protocol.readers import read_object, read_text
from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.moderators import Moderator
from relay_actors.simulator.names import known_event_type, known_method
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.wire_log import LoggedFrame

__all__ = ["STORY", "ControlTable"]

MOMENTS_BOUND: Final = 1000
"""How many moments of people the timeline remembers: as many as the simulator remembers frames."""

_PEOPLE: Final = words_of(Line, Phone)
STORY: Final = {
    name: _PEOPLE[name]
    for name in (*words_of(Phone), *(name for name in _PEOPLE if not hasattr(Phone, name)))
    # A word of a story gives back who goes on, or what came. What tells a phone of something gives nothing back.
    if _PEOPLE[name].returns is not None
}
"""What a person can do or wait for: by name, the methods of `Phone`, and of `Line` for the phone's latest one."""

_LINE_WORDS: Final = {
    # A phone's arguments are the stricter ones, where both have them.
    name: dataclasses.replace(word, arguments=STORY[name].arguments)
    for name, word in words_of(Line).items()
    if name in STORY
}
_LOOKS: Final = (
    "contexts", "sessions", "conferences", "queues", "rooms", "webhooks", "conversations", "user_events", "files",
    "violations", "unacknowledged", "failures",
)  # fmt: skip
"""Properties of `Simulator` that are shown as they are, under their own names."""
_SCRIPTS: Final = ("next_message", "next_payment", "next_agent", "teach_translation", "has_document")
"""What is said ahead, of what comes of the application's commands."""


class _NobodyError(Exception):
    """A path names something that there is not."""


class ControlTable:
    """Answers what is asked of a simulator. Any thread; a wait blocks the thread that asks.

    Args:
        simulator: whose people, faults and frames they are.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._redactor = Redactor()
        self._moments: deque[tuple[float, Line, int]] = deque(maxlen=MOMENTS_BOUND)
        self.operations: tuple[Operation, ...] = tuple(self._table())
        simulator.observe_lines(self._note_moment)
        simulator.frames.observe(self._learn_credentials)
        with simulator.turn():
            for logged in simulator.frames:
                self._learn_credentials(logged)

    def answer(self, method: str, path: str, query: str = "", body: bytes = b"") -> Answer:
        """Do what is asked, and wait for it if it is a wait.

        Args:
            method: of HTTP.
            path: percent-encoded.
            query: the same; a plus is a plus there, as numbers begin with one.
            body: a JSON object, or nothing.
        """
        segments = [unquote(segment) for segment in path.strip("/").split("/")]
        fitting = [(one, names) for one in self.operations if (names := one.match(segments)) is not None]
        found = next(((one, names) for one, names in fitting if one.method == method), None)
        if found is None:
            allowed = ", ".join(one.method for one, _names in fitting)
            if fitting:
                return Answer(405, {"error": f"{method} is not for {path}: use {allowed}"}, allowed)
            return self._nothing_at(path, segments)
        operation, names = found
        try:
            given = query_of(operation, query) if method == "GET" else body_of(body)
            return Answer(200, self._done(operation, names, given))
        except WrongArgumentsError as error:
            return Answer(400, {"error": str(error), "takes": error.takes})
        except _NobodyError as error:
            return Answer(404, {"error": str(error)})
        except StoryError as error:
            what, _newline, story = str(error).partition("\n")
            return Answer(409, {"error": what, "story": story})
        except RelayActorsError as error:
            return Answer(400, {"error": str(error)})

    def _done(self, operation: Operation, names: Mapping[str, str], given: Json) -> Json:
        if operation.owner is None:
            result = operation.word.call(self, {**given, **names}, self._simulator)
        else:
            result = operation.word.call(operation.owner(names), given, self._simulator)
        if operation.result:
            return {operation.result: self._redactor.value(plain(result))}
        if result is None:
            return {"ok": True}
        told = plain(result)
        return told if isinstance(told, dict) else {"result": told}

    def _nothing_at(self, path: str, segments: list[str]) -> Answer:
        beside = [
            one.path.rpartition("/")[2]
            for one in self.operations
            if "/" in one.path[1:] and one.match([*segments[:-1], one.path.rpartition("/")[2]]) is not None
        ]
        tops = [one.path[1:] for one in self.operations if "/" not in one.path[1:]]
        known = [*dict.fromkeys(name for name in beside or tops if name and not name.startswith("{"))]
        meant = near_miss(segments[-1], known)
        hint = f"; it probably means {meant!r}" if meant else ""
        return Answer(404, {"error": f"there is nothing at {path}{hint}", "there is": known})

    # -- the table -----------------------------------------------------------------------------------------------------

    def _table(self) -> Iterator[Operation]:
        simulator = self._simulator

        def own(method: str, path: str, function: Callable[..., object]) -> Operation:
            return Operation(method, path, dataclasses.replace(_word(function), name=f"{method} {path}"))

        def of_simulator(method: str, path: str, function: Callable[..., object], result: str = "") -> Operation:
            return Operation(method, path, _word(function), lambda _names: simulator, result)

        yield own("GET", "/", ControlTable.index)
        yield own("GET", "/health", ControlTable.health)
        yield of_simulator("POST", "/wait", Simulator.wait_for_clients)
        yield own("POST", "/reset", ControlTable.reset)
        yield own("GET", "/phones", ControlTable.phones)
        yield own("GET", "/phones/{number}", ControlTable.phone)
        for name, word in STORY.items():
            yield Operation("POST", f"/phones/{{number}}/{name}", word, self._who_can(name))
        yield own("GET", "/lines/{call_id}", ControlTable.line)
        for name, word in _LINE_WORDS.items():
            yield Operation("POST", f"/lines/{{call_id}}/{name}", word, self._line_of)
        yield of_simulator("POST", "/numbers", Simulator.assign_number)
        yield own("GET", "/calls", ControlTable.calls)
        yield of_simulator("POST", "/expect", Simulator.expect)
        yield own("GET", "/frames", ControlTable.frames)
        yield own("GET", "/timeline", ControlTable.timeline)
        for name in _LOOKS:
            look: property = getattr(Simulator, name)
            assert look.fget is not None
            yield of_simulator("GET", f"/{name}", look.fget, name)
        for name, word in words_of(Moderator).items():
            yield Operation(
                "POST", f"/conferences/{{name}}/{name}", word, lambda names: simulator.conference(names["name"])
            )
        for name in _SCRIPTS:
            yield of_simulator("POST", f"/scripts/{name}", getattr(Simulator, name))
        yield own("GET", "/faults", ControlTable.faults)
        yield own("POST", "/faults", ControlTable.let_go_wrong)
        yield of_simulator("POST", "/push", Simulator.push)
        yield of_simulator("POST", "/recover", Simulator.recover)
        yield own("GET", "/manners", ControlTable.manners)
        yield Operation("PATCH", "/manners", _manners_word(), lambda _names: self)

    def _who_can(self, name: str) -> Callable[[Mapping[str, str]], object]:
        if hasattr(Phone, name):
            return lambda names: self._simulator.phone(names["number"])
        return lambda names: self._simulator.phone(names["number"]).line

    def _line_of(self, names: Mapping[str, str]) -> Line:
        call_id = names["call_id"]
        for phone in self._simulator.phones:
            for line in reversed(phone.lines):
                if call_id in line.call_ids:
                    return line
        raise _NobodyError(f"no phone has had a call {call_id!r}: GET /phones tells of the calls that there were")

    # -- what it does by itself; the docstrings are read by whoever asks for the list ----------------------------------

    def index(self) -> Json:
        """List what there is."""
        return {
            "what": "a RELAY simulator: what people on its phones do, what goes wrong, and what was said on the wire",
            "described": "/openapi.json",
            "operations": [
                {
                    "do": f"{one.method} {one.path}",
                    "takes": {argument.name: str(argument) for argument in one.arguments},
                    "what": one.word.summary,
                }
                for one in self.operations
            ],
        }

    def health(self) -> Json:
        """Tell that it runs, and what applications take calls of."""
        simulator = self._simulator
        return {
            "status": "ok",
            "version": __version__,
            "now": simulator.clock.now(),
            "contexts": plain(simulator.contexts),
            "calls_up": len(simulator.calls_up()),
        }

    def reset(self) -> Json:
        """Begin anew: no connection, session, call, phone, fault or frame is left. Manners and pings stay."""
        self._simulator.reset()
        self._moments.clear()
        return {"ok": True}

    def phones(self) -> Json:
        """List every phone that anybody has named or dialled, with what happened to it."""
        return {"phones": [phone_view(phone) for phone in self._simulator.phones]}

    def phone(self, number: str) -> Json:
        """Show a phone: its calls, the latest 1000, and the texts that it got, the oldest first."""
        return phone_view(self._simulator.phone(number))

    def line(self, call_id: str) -> Json:
        """Show one person's part in one call."""
        return line_view(self._line_of({"call_id": call_id}))

    def calls(self, up: bool = False) -> Json:
        """List every leg of a call that is remembered, ended ones first.

        Args:
            up: only those that have not ended.
        """
        return {"calls": plain(self._simulator.calls_up() if up else self._simulator.calls)}

    def frames(
        self,
        method: str = "",
        event: str = "",
        direction: Literal["", "received", "sent"] = "",
        since: float = 0.0,
    ) -> Json:
        """List the last 1000 frames in both directions, the oldest first; credentials and card data are masked.

        Args:
            method: only requests of this method.
            event: only events of this type.
            direction: only what was `received` from clients, or `sent` to them.
            since: only what came later: the `now` of an earlier answer.
        """
        wanted_method = known_method(method) if method else ""
        wanted_event = known_event_type(event) if event else ""
        with self._simulator.turn():
            now, logged = self._simulator.clock.now(), list(self._simulator.frames)
        found = [
            frame_view(one)
            for one in logged
            if one.at > since
            and direction in ("", one.direction)
            and wanted_method in ("", one.method)
            and wanted_event in ("", one.event_type)
        ]
        return {"now": now, "frames": self._redactor.value(found)}

    def timeline(self, number: str = "", since: float = 0.0) -> Json:
        """Tell what people did and heard, and what was said on the wire, in one list, the oldest first.

        Args:
            number: only of this phone, and of the calls that it was part of.
            since: only what came later: the `now` of an earlier answer.
        """
        with self._simulator.turn():
            now = self._simulator.clock.now()
            logged, moments = list(self._simulator.frames), list(self._moments)
        written = {line: line.timeline for _at, line, _place in moments}
        told: list[Json] = [
            {
                "at": at,
                "who": line.number,
                "call_id": line.call_id,
                "what": written[line][place].what,
            }
            for at, line, place in moments
            if number in ("", line.number)
        ]
        its_phones = [phone for phone in self._simulator.phones if phone.number == number]
        its_calls = {call_id for phone in its_phones for line in phone.lines for call_id in line.call_ids}
        told += [
            {"at": one.at, "who": one.direction, "call_id": call_id, "what": what_is_said(one)}
            for one in logged
            if (call_id := _call_of(one)) in its_calls or not number
        ]
        told = [one for one in sorted(told, key=lambda one: one["at"]) if one["at"] > since]
        return {"now": now, "timeline": self._redactor.value(told)}

    def faults(self) -> Json:
        """List what can go wrong on purpose, and what is said of it."""
        return {"faults": list_faults()}

    def let_go_wrong(self, fault: str, /, **arguments: object) -> Json:
        """Let something go wrong: `fault` is one of `GET /faults`, and what that takes stands beside it.

        Args:
            fault: its name.
            arguments: what it takes.
        """
        inject(self._simulator, fault, arguments)
        return {"ok": True}

    def manners(self) -> Json:
        """Show how the server behaves where RELAY leaves it open."""
        return {"manners": plain(self._simulator.manners)}

    def change_manners(self, **changes: Any) -> Json:
        """Change how the server behaves where RELAY leaves it open; also while calls are up."""
        with self._simulator.turn():
            for name, value in changes.items():
                setattr(self._simulator.manners, name, value)
        return self.manners()

    # -- under the simulator's lock: quick -----------------------------------------------------------------------------

    def _note_moment(self, line: Line, place: int) -> None:
        self._moments.append((self._simulator.clock.now(), line, place))

    def _learn_credentials(self, logged: LoggedFrame) -> None:
        if frames.CONNECT.encode() not in logged.text or logged.method != frames.CONNECT:
            return
        given = read_object(logged.params.get("authentication")) or {}
        for secret in (given.get("token"), given.get("jwt_token"), logged.params.get("authorization_state")):
            self._redactor.learn(read_text(secret) or "")


def _word(function: Callable[..., object]) -> Word:
    word = word_of(function)
    assert word is not None, f"{function.__name__} cannot be asked for in JSON"
    return word


def _manners_word() -> Word:
    """Return the word that changes manners, with their fields as arguments."""
    hints = get_type_hints(Manners)
    arguments = [
        Argument(field.name, shape, inspect.Parameter.KEYWORD_ONLY, None)
        for field in dataclasses.fields(Manners)
        if (shape := shape_of(hints[field.name])) is not None
    ]
    word = _word(ControlTable.change_manners)
    return dataclasses.replace(word, name="PATCH /manners", arguments=tuple(arguments), takes_more=False)


def _call_of(logged: LoggedFrame) -> str:
    params = logged.params
    inner = read_object(params.get("params")) or {}
    return read_text(params.get("call_id")) or read_text(inner.get("call_id")) or ""
