"""What a server and an application have said to each other, as a file that can be a test. Layer: door.

A recording is JSON, one line for each thing that was said, after a line that tells what it is::

    {"recording": 1, "source": "frames", "words": "replaced", "salt": 0}
    {"at": 0.0, "event": "calling.call.receive", "params": {…}, "outer": {"context": "support"}}
    {"at": 0.012, "command": "calling.answer", "number": 1, "params": {…}}
    {"at": 0.057, "answer": 1, "result": {"code": "200", "message": "Answered"}}

It is redacted: see `relay_actors.testing.redaction`. Ids have short names in the order of their appearance, and times
begin at 0, so that two recordings of the same story differ in nothing but what was different. Log-ins, pings,
acknowledgements and what was sent twice are not in it.

Source: SEMANTICS V7.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Self, cast

from relay_actors.errors import ConfigError, JournalError
from relay_actors.journal.entries import Entry
from relay_actors.journal.reading import SqliteReader
from relay_actors.simulator.wire_log import LoggedFrame
from relay_actors.testing.capture import Capture, begun_before, of_call, parts_of_journal
from relay_actors.testing.naming import named
from relay_actors.testing.redaction import Redaction, choose_salt
from relay_actors.testing.said import ANSWER, COMMAND, EVENT, REFUSAL, Kind, Said

__all__ = ["VERSION", "Recording", "as_line", "line_of", "redacted"]

VERSION: Final = 1
"""Of the file format. A release reads its own version and those before it."""

Source = Literal["frames", "journal", "run"]

_BODIES: Final[Mapping[Kind, str]] = {EVENT: "params", COMMAND: "params", ANSWER: "result", REFUSAL: "error"}


@dataclass(frozen=True, slots=True)
class Recording:
    """One call or several, with the texts and dials among them: what was said, in order.

    Attributes:
        said: everything, oldest first.
        source: what it was made of: ``frames``, ``journal``, or ``run`` for a running application.
        keeps_words: whether what was said and texted is in it, and not only stand-ins.
        salt: of the stand-ins, see `Redaction`.
        is_named: whether ids have short names; not so in the file of a running application.
        left_out: the ids of calls that were up already when an application began to be recorded, or when the first
            frame crossed that a simulator has kept. Without their beginning they cannot be replayed, nor can those that
            they were brought together with: none is in it.
    """

    said: Sequence[Said]
    source: Source = "frames"
    keeps_words: bool = False
    salt: int = 0
    is_named: bool = True
    left_out: Sequence[str] = field(default=(), compare=False)
    _ended: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ended = {
            str(one.body.get("call_id"))
            for one in self.said
            if one.kind == EVENT and one.name == "calling.call.state" and one.body.get("call_state") == "ended"
        }
        object.__setattr__(self, "_ended", frozenset(ended))

    @classmethod
    def from_frames(
        cls, frames: Iterable[LoggedFrame], call_id: str | None = None, *, keeps_words: bool = False
    ) -> Self:
        """Make a recording of frames: ``Recording.from_frames(sim.frames)``. Those of one application.

        Args:
            frames: oldest first. A simulator keeps the last 1000; calls that have begun before those are left out.
            call_id: of which call, together with those that it was bridged with and the dial that it came of; of all
                by default.
            keeps_words: keep what was said and texted. An application that decides by it, by what a caller has said or
                texted, can only be replayed with it.

        Raises:
            ConfigError: there is nothing of that call, or not its beginning.
        """
        capture = Capture()
        for frame in frames:
            capture.take(frame.at, frame.wall, frame.direction == "received", frame.text)
        said, left_out = _with_beginning(
            capture.said, call_id, "these frames have", "came before them; a simulator keeps the last 1000"
        )
        redaction = Redaction(keeps_words=keeps_words, secrets=capture.secrets)
        return dataclasses.replace(cls._of(said, None, "frames", redaction), left_out=left_out)

    @classmethod
    def from_entries(cls, entries: Iterable[Entry], call_id: str | None = None, *, keeps_words: bool = False) -> Self:
        """Make a recording of the entries of a journal, in the order in which they were appended.

        Arguments and errors are those of `from_journal`.
        """
        return cls._of(parts_of_journal(entries), call_id, "journal", Redaction(keeps_words=keeps_words))

    @classmethod
    def from_journal(
        cls, path: str | os.PathLike[str], call_id: str | None = None, *, keeps_words: bool = False
    ) -> Self:
        """Make a recording of a journal's file, also while an application writes to it.

        A journal holds what is not over: a call that is up, or was when the process died.

        Args:
            path: the file.
            call_id: as for `from_frames`.
            keeps_words: as for `from_frames`.

        Raises:
            ConfigError: the journal cannot be read, there is nothing of that call, or its past was summed up.
        """
        try:
            with SqliteReader(path) as reader:
                return cls.from_entries(reader.load(), call_id, keeps_words=keeps_words)
        except JournalError as error:
            raise ConfigError(str(error)) from error

    @classmethod
    def read(cls, path: str | os.PathLike[str], call_id: str | None = None) -> Self:
        """Read a file that `write` has written, or a running application (``relay-actors run --record``).

        Args:
            path: the file.
            call_id: of which call; of all that are in it by default.

        Raises:
            ConfigError: it cannot be read, is no recording or one of a newer release, or has nothing of that call, or
                not its beginning.
        """
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the recording {os.fspath(path)} cannot be read: {error}") from error
        return cls.parse(text, call_id, where=os.fspath(path))

    @classmethod
    def parse(cls, text: str, call_id: str | None = None, *, where: str = "the recording") -> Self:
        """Return the recording of a text; see `read`. ``where`` is told in errors."""
        # Not `splitlines`: JSON may hold the other characters that end a line.
        numbered = enumerate(text.split("\n"), start=1)
        lines = [(f"{where}, line {number}", line) for number, line in numbered if line.strip()]
        head = _object(lines[0][1], lines[0][0]) if lines else {}
        _check_version(head.get("recording"), where)
        said = [_said(_object(line, place), place) for place, line in lines[1:]]
        try:
            recording = cls(
                said=said,
                source=cast("Source", head["source"]),
                keeps_words=head["words"] == "kept",
                salt=int(head["salt"]),
                is_named=head.get("ids", "named") == "named",
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ConfigError(f"{where}: its first line lacks {error}, or it is not what it should be") from error
        if recording.is_named:
            return recording if call_id is None else cls._of(said, call_id, recording.source, None, like=recording)
        whole, left_out = _with_beginning(
            said,
            call_id,
            f"{where} has",
            "was up already when the recording began. While it is up, it can be taken out of the application's journal",
        )
        return dataclasses.replace(cls._of(whole, None, recording.source, None, like=recording), left_out=left_out)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, in place of what is there. The directory is made if there is none.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(self.text(), "utf-8")
        except OSError as error:
            raise ConfigError(f"the recording {os.fspath(path)} cannot be written: {error}") from error

    def text(self) -> str:
        """Return what `write` writes."""
        return "\n".join([line_of(self.head()), *(line_of(as_line(one)) for one in self.said), ""])

    def head(self) -> dict[str, object]:
        """Return its first line."""
        words = "kept" if self.keeps_words else "replaced"
        head: dict[str, object] = {"recording": VERSION, "source": self.source, "words": words, "salt": self.salt}
        return head if self.is_named else {**head, "ids": "as they were"}

    @property
    def calls(self) -> list[str]:
        """The calls that are in it, by their names, in the order of their appearance."""
        return list(dict.fromkeys(one.call_id for one in self.said if one.call_id))

    def has_ended(self, call_id: str) -> bool:
        """Return whether the end of a call is in it."""
        return call_id in self._ended

    @classmethod
    def _of(
        cls,
        said: Sequence[Said],
        call_id: str | None,
        source: Source,
        redaction: Redaction | None,
        like: Recording | None = None,
    ) -> Self:
        if call_id is not None:
            said = of_call(said, call_id)
        if not said:
            raise ConfigError("there is nothing to record: no call, no text, no dial")
        said, begin = named(said), said[0].at
        if redaction is not None:
            redaction.salt = choose_salt(one.body for one in said)
            said = [redacted(one, redaction) for one in said]
        elif like is not None:
            redaction = Redaction(salt=like.salt, keeps_words=like.keeps_words)
        assert redaction is not None
        said = _numbered([one.moved(-begin) for one in said])
        return cls(said=said, source=source, keeps_words=redaction.keeps_words, salt=redaction.salt)


def _with_beginning(
    said: Sequence[Said], call_id: str | None, who_has: str, why: str
) -> tuple[Sequence[Said], Sequence[str]]:
    """Return what is about one call, or all, without the calls whose beginning is missing, and the ids of those.

    Raises:
        ConfigError: it is the beginning of that call that is missing, or of all.
    """
    left_out = begun_before(said)
    lost = {id(one) for half in left_out for one in of_call(said, half)}
    if call_id is not None:
        said = of_call(said, call_id)
    whole = [one for one in said if id(one) not in lost]
    if len(whole) < len(said) and (call_id is not None or not whole):
        raise ConfigError(
            f"{who_has} not the beginning of {call_id or 'its calls'}, so it cannot be replayed: that {why}"
        )
    return whole, left_out


def _numbered(said: Sequence[Said]) -> list[Said]:
    """Return it with its commands numbered from 1 on."""
    numbers = {one.number: place for place, one in enumerate((one for one in said if one.kind == COMMAND), start=1)}
    # What answers a command that was sent before all this is not of use.
    return [
        dataclasses.replace(one, number=numbers.get(one.number, 0))
        for one in said
        if one.kind == EVENT or one.number in numbers
    ]


def line_of(value: Mapping[str, object]) -> str:
    """Return one line of a file."""
    line = json.dumps(value, ensure_ascii=False)
    # JSON may hold half a surrogate pair, and a file may not.
    return line if line.isascii() or _is_encodable(line) else json.dumps(value)


def as_line(one: Said) -> dict[str, object]:
    """Return what stands in the line of one thing that was said."""
    line: dict[str, object] = {"at": round(one.at, 6)}
    if one.kind in (EVENT, COMMAND):
        line[one.kind] = one.name
        if one.kind == COMMAND:
            line["number"] = one.number
    else:
        line[one.kind] = one.number
    line[_BODIES[one.kind]] = one.body
    return {**line, "outer": one.outer} if one.outer else line


def redacted(one: Said, redaction: Redaction) -> Said:
    """Return one thing that was said without what must not be told."""
    match one.kind:
        case "event":
            clean = redaction.event({"event_type": one.name, **one.outer, "params": dict(one.body)})
            body: Any = clean.pop("params")
            del clean["event_type"]
            return one.with_body(body, clean)
        case "command":
            return one.with_body(redaction.command(one.name, one.body), one.outer)
        case _:
            return one.with_body(redaction.answer(one.body), one.outer)


def _is_encodable(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_version(version: object, where: str) -> None:
    if not isinstance(version, int) or isinstance(version, bool):
        raise ConfigError(f'{where} is no recording: its first line does not say {{"recording": {VERSION}, …}}')
    if version > VERSION:
        raise ConfigError(
            f"{where} is of version {version}, and this release reads up to {VERSION}: it was made by a newer "
            "relay_actors; upgrade, or record again"
        )
    if version < 1:
        raise ConfigError(f"{where} is of version {version}, which no release has written: record again")


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"{where}: it is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: it is no JSON object")
    return value


def _said(line: Mapping[str, Any], where: str) -> Said:
    for kind, body in _BODIES.items():
        if kind not in line:
            continue
        is_named = kind in (EVENT, COMMAND)
        name, number = (line[kind], line.get("number", 0)) if is_named else ("", line[kind])
        match line.get("at"), name, number, line.get(body), line.get("outer", {}):
            case (int() | float()) as at, str(), int(), dict() as content, dict() as outer if math.isfinite(at):
                return Said(at=float(at), kind=kind, name=name, number=number, body=content, outer=outer)
        raise ConfigError(f"{where}: its {kind} is not what it should be")
    raise ConfigError(f"{where}: it is none of {', '.join(_BODIES)}")
