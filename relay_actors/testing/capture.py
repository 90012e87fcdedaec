"""Finds in frames, or in a journal, what a recording is made of. Layer: door; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from relay_actors.errors import ConfigError
from relay_actors.journal.entries import CommandIntended, CommandSettled, Entry, EventReceived, Outcome, Snapshot
from relay_actors.protocol import frames
from relay_actors.testing.said import ANSWER, COMMAND, EVENT, REFUSAL, Said

__all__ = ["Capture", "begun_before", "of_call", "parts_of_journal"]

_WALL_AT_0: Final = 1_767_225_600.0
"""What events tell of the moment at which ``at`` is 0: the wall clock of a replay begins at it, too."""
_LEFT_OUT: Final = ("event_channel", "event_type", "params", "project_id", "space_id", "timestamp")
_MOST_NAMED: Final = 5
_REMEMBERED: Final = 10_000
"""How many frames that may be sent again, or are not answered, are remembered."""
_SUBJECTS: Final = frozenset({"call_id", "message_id", "tag"})


class Capture:
    """Takes frames one by one, of one application.

    Attributes:
        said: what a recording is made of; ids, numbers and words are as they were.
        secrets: credentials and what else must not be written anywhere.
    """

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.secrets: list[str] = []
        self._began: float | None = None
        self._seen: dict[object, None] = {}
        self._commands = _Commands()

    def take(self, at: float, wall: float, is_from_client: bool, text: bytes) -> Said | None:
        """Take one frame, and return what it says; None if it is not part of a recording.

        Args:
            at: seconds of any clock.
            wall: seconds since the epoch.
            is_from_client: whether the application has sent it.
            text: as it crossed the wire.
        """
        frame = frames.classify(text)
        one = self._from_client(at, frame) if is_from_client else self._from_server(at, frame)
        if one is not None:
            self._began = self._began if self._began is not None else wall - at
            one = one.with_times_moved(_WALL_AT_0 - self._began)
            self.said.append(one)
        return one

    def forget(self) -> None:
        """Keep nothing of what was taken so far but what is needed to understand what comes."""
        self.said.clear()
        self.secrets.clear()

    def _from_client(self, at: float, frame: frames.Frame) -> Said | None:
        match frame:
            case frames.Request(method=frames.CONNECT, params=params):
                self._learn(params.get("authentication"))
                self._learn([params.get("authorization_state"), params.get("protocol")])
            case frames.Request(id=id, method=method, params=params) if not method.startswith("signalwire."):
                return self._commands.said(at, id, method, params)
        return None

    def _from_server(self, at: float, frame: frames.Frame) -> Said | None:
        match frame:
            case frames.Request(id=id, method=frames.EVENT, params=payload):
                kind = payload.get("event_type")
                self._learn([payload.get("event_channel"), payload.get("project_id")])
                if isinstance(kind, str) and kind.startswith("signalwire."):
                    self._learn(payload.get("params"))
                elif _is_new(self._seen, id):
                    return _event_said(at, payload)
            case frames.ResultResponse(id=id, result=result):
                if isinstance(result, dict):
                    authorization = result.get("authorization")
                    granted = authorization if isinstance(authorization, dict) else {}
                    self._learn([result.get("protocol"), result.get("sessionid"), granted.get("signature")])
                    return self._commands.answered(at, id, result)
            case frames.ErrorResponse(id=id, code=code, message=message):
                return self._commands.answered(at, id, {"code": code, "message": message}, is_refused=True)
        return None

    def _learn(self, value: object) -> None:
        match value:
            case str():
                self.secrets.append(value)
            case Mapping():
                for item in value.values():
                    self._learn(item)
            case list():
                for item in value:
                    self._learn(item)


def parts_of_journal(entries: Iterable[Entry]) -> list[Said]:
    """Return what a recording is made of.

    Raises:
        ConfigError: the past of a call was summed up.
    """
    commands = _Commands()
    seen: dict[object, None] = {}
    said: list[Said | None] = []
    for entry in entries:
        match entry:
            case EventReceived(payload=payload, frame_id=frame_id):
                if frame_id is None or _is_new(seen, frame_id):
                    said.append(_event_said(entry.at, payload))
            case CommandIntended(request_id=request_id, method=method, params=params):
                said.append(commands.said(entry.at, request_id, method, params))
            case CommandSettled(request_id=request_id, result=result, code=code, outcome=outcome):
                if outcome is Outcome.OK:
                    said.append(commands.answered(entry.at, request_id, result))
                elif outcome is Outcome.REJECTED:
                    told = {"code": code, "message": result.get("message", "")}
                    said.append(commands.answered(entry.at, request_id, told, is_refused=True))
            case Snapshot():
                raise ConfigError(
                    f"the past of {entry.subject} was summed up in the journal, because the call lasted long: what is "
                    "left of it is no recording. Record the running application: relay-actors run --record FILE"
                )
    return [one.with_times_moved(_WALL_AT_0) for one in said if one is not None]


def _event_said(at: float, payload: Mapping[str, Any]) -> Said:
    """Return an event, of what its frame holds."""
    params = payload.get("params")
    outer = {key: value for key, value in payload.items() if key not in _LEFT_OUT}
    return Said(at, EVENT, str(payload.get("event_type")), params if isinstance(params, dict) else {}, outer=outer)


def of_call(said: Sequence[Said], call_id: str) -> list[Said]:
    """Return what is about one call, or one text or dial, and about those that it was brought together with.

    Args:
        said: everything.
        call_id: its id or tag, or the beginning of its id.

    Raises:
        ConfigError: there is none, or more than one.
    """
    about = [(one, set(_subjects(one.body))) for one in said]
    known = set[str]().union(*(subjects for _one, subjects in about))
    found_ids = {call_id} & known or {one for one in known if call_id and one.startswith(call_id)}
    if len(found_ids) != 1:
        some = ", ".join(sorted(found_ids or known)[:_MOST_NAMED])
        why = f"fits {len(found_ids)}: {some}; give more of the id" if found_ids else f"is not there; there are: {some}"
        raise ConfigError(f"call {call_id!r} {why if known else 'is not there, and no other'}")
    wanted = set(found_ids)
    asked = {one.number: subjects for one, subjects in about if one.kind == COMMAND}
    groups = [subjects | asked.get(one.number, set()) for one, subjects in about]
    while any(group & wanted and not group <= wanted for group in groups):
        for group in groups:
            if group & wanted:
                wanted |= group
    found = [bool(group & wanted) for group in groups]
    # A text that was sent has no id before its answer has come.
    numbers = {one.number for one, is_wanted in zip(said, found, strict=True) if is_wanted and one.number}
    return [one for one, is_wanted in zip(said, found, strict=True) if is_wanted or one.number in numbers]


def begun_before(said: Sequence[Said]) -> list[str]:
    """Return the ids of the calls that were up when it began: what came before is missing, so none can be replayed."""
    dialled, peers, offered = set[str](), set[str](), set[str]()
    tags: dict[str, set[str]] = {}
    for one in said:
        tag, peer = one.body.get("tag"), one.body.get("peer")
        if isinstance(peer, Mapping):
            peers.add(str(peer.get("call_id")))
        if one.kind == COMMAND and one.name == "calling.dial":
            dialled.add(str(tag))
        if not one.call_id:
            continue
        tagged = tags.setdefault(one.call_id, set())
        if isinstance(tag, str) and tag:
            tagged.add(tag)
        is_first = one.name == "calling.call.state" and one.body.get("call_state") in ("created", "ringing")
        if one.kind == EVENT and (one.name == "calling.call.receive" or (is_first and not tagged)):
            offered.add(one.call_id)
    return [id for id, tagged in tags.items() if id not in offered | peers and not tagged & dialled]


class _Commands:
    """Numbers commands, and finds to which one an answer belongs."""

    def __init__(self) -> None:
        self._open: dict[object, tuple[int, str, Mapping[str, Any]]] = {}
        self._count = 0

    def said(self, at: float, id: object, method: str, params: Mapping[str, Any]) -> Said | None:
        """Return a command; None if it was sent once more, because its answer was lost."""
        if not isinstance(id, str | int) or id in self._open:
            return None
        for known, (number, *what) in self._open.items():
            if what == [method, params] and method != "messaging.send":
                del self._open[known]
                self._open[id] = (number, method, params)
                return None
        self._count += 1
        if len(self._open) > _REMEMBERED:
            del self._open[next(iter(self._open))]
        self._open[id] = (self._count, method, params)
        return Said(at, COMMAND, method, params, self._count)

    def answered(self, at: float, id: object, body: Mapping[str, Any], *, is_refused: bool = False) -> Said | None:
        """Return an answer; None if nobody waits for it."""
        asked = self._open.pop(id, None) if isinstance(id, str | int) else None
        if asked is None:
            return None
        return Said(at, REFUSAL if is_refused else ANSWER, "", body, asked[0])


def _is_new(seen: dict[object, None], id: object) -> bool:
    """Return whether an event has not come before: the server sends again what was not acknowledged."""
    if not isinstance(id, str | int | float):
        return True
    is_new = id not in seen
    seen[id] = None
    if len(seen) > _REMEMBERED:
        del seen[next(iter(seen))]
    return is_new


def _subjects(value: object) -> Iterator[str]:
    match value:
        case Mapping():
            for key, item in value.items():
                if key in _SUBJECTS and isinstance(item, str) and item:
                    yield item
                yield from _subjects(item)
        case list():
            for item in value:
                yield from _subjects(item)
