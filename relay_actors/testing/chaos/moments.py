"""What crosses the wire in a run, taken apart; and moments in words, for which mishaps of a plan wait. Layer: door.

A moment is what happens, to what, and perhaps in which state; ``*`` stands for any letters::

    sending calling.call.state answered     such an event has come to be, and nothing has befallen it yet
    sent calling.call.play finished         it crosses the wire
    received calling.play                   the server is given such a request, and has not done it yet
    answered calling.play                   its answer crosses
    acknowledged calling.call.receive       the client's acknowledgement of such an event arrives
    kept calling.play                       the journal has such an event, or the intent of such a command, for good
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, TypeAlias, get_args

from relay_actors.errors import ConfigError
from relay_actors.protocol.readers import read_object, read_text
from relay_actors.simulator.crossings import states_of
from relay_actors.simulator.wire_log import LoggedFrame

__all__ = ["Crossed", "Kind", "Moment", "WireReader", "call_of", "parse_moment"]

Kind: TypeAlias = Literal["sending", "sent", "received", "answered", "acknowledged", "kept", "noted"]

_NOT_OF_MOMENTS: Final = ("noted",)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment that a mishap waits for: see the module."""

    kind: str
    name: str
    state: str = ""

    def is_now(self, kind: Kind, name: str, states: frozenset[str]) -> bool:
        """Whether this is such a moment."""
        return kind == self.kind and fnmatchcase(name, self.name) and (not self.state or self.state in states)


@dataclass(frozen=True, slots=True)
class Crossed:
    """Something that crossed the wire, or (``noted``) that a run has noted.

    Attributes:
        at: monotonic seconds of the virtual clock.
        kind: ``sent`` and ``acknowledged`` are events, ``received`` and ``answered`` requests of the client.
        name: the event type or method; of a note its words.
        frame_id: of the event or request.
        states: what the fields say that are called ``state``, or end so.
        params: of the event (its own ones) or the request, also where it is answered or acknowledged.
        code: of an answer.
        age: seconds since the event came to be, if that is said.
    """

    at: float
    kind: Kind
    name: str
    frame_id: object = None
    states: frozenset[str] = frozenset()
    params: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    age: float = 0.0

    @property
    def call_id(self) -> str:
        """Of the call that it is about; of a dial's outcome, of its winner."""
        return call_of(self.params)

    def text(self, name: str) -> str:
        """Return a param that is a text; empty if it is none."""
        return read_text(self.params.get(name)) or ""


class WireReader:
    """Takes the frames of one run apart, one after the other: what an answer is for is learned on the way."""

    def __init__(self) -> None:
        self._asked: dict[object, Crossed] = {}
        self._told: dict[object, Crossed] = {}

    def read(self, logged: LoggedFrame) -> Crossed | None:
        """Return what a frame is; None if nobody knows. The server's own requests are ``sent``, too."""
        frame = logged.frame
        frame_id, method, params = frame.get("id"), frame.get("method"), logged.params
        if not isinstance(frame_id, str | int):
            return None
        if logged.direction == "received" and isinstance(method, str):
            asked = Crossed(logged.at, "received", method, frame_id, params=params)
            self._asked[frame_id] = asked
            return asked
        if logged.direction == "received":
            return self._about(self._told.get(frame_id), "acknowledged", logged)
        if logged.event_type:
            inner = read_object(params.get("params")) or {}
            since = params.get("timestamp")
            told = Crossed(
                logged.at,
                "sent",
                logged.event_type,
                frame_id,
                states_of(inner),
                inner,
                "",
                round(logged.wall - since, 6) if isinstance(since, float) else 0.0,
            )
            self._told[frame_id] = told
            return told
        if isinstance(method, str):
            return Crossed(logged.at, "sent", method, frame_id, params=params)
        return self._about(self._asked.get(frame_id), "answered", logged)

    def _about(self, what: Crossed | None, kind: Kind, logged: LoggedFrame) -> Crossed | None:
        if what is None:
            return None
        body = read_object(logged.frame.get("error")) or read_object(logged.frame.get("result")) or {}
        code = str(body.get("code", "200"))
        return Crossed(logged.at, kind, what.name, what.frame_id, what.states, what.params, code)


def parse_moment(text: str) -> Moment:
    """Read a moment from its words: see the module.

    Raises:
        ConfigError: it is none.
    """
    kinds = [kind for kind in get_args(Kind) if kind not in _NOT_OF_MOMENTS]
    words = text.split()
    if len(words) not in (2, 3) or words[0] not in kinds:
        raise ConfigError(
            f"{text!r} is no moment of a run: write {', '.join(kinds[:-1])} or {kinds[-1]}, and of which event or "
            "method, and perhaps the event's state, as in 'sent calling.call.play finished'"
        )
    return Moment(*words)


def call_of(params: Mapping[str, object]) -> str:
    """Return the id of the call that params are about; of a dial's outcome, of its winner; empty if there is none."""
    winner = read_object(params.get("call")) or {}
    return read_text(params.get("call_id")) or read_text(winner.get("call_id")) or ""
