"""What the journal says: the kinds of entry, as values. Layer: pillar.

Every entry belongs to one *subject*: the call, message or dial that it is about (a call id, message id or tag). The
writer of an entry leaves ``epoch`` and ``sequence`` alone; the store gives them when the entry is appended. Adding a
kind or a field is a new schema version: see `relay_actors.journal.codec`.

Times are wall-clock seconds since the epoch, given by whoever appends: nothing here reads a clock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from relay_actors.late_dataclasses import dataclass

__all__ = [
    "CallStarted",
    "CommandIntended",
    "CommandSettled",
    "Entry",
    "EventReceived",
    "FrameId",
    "Noted",
    "Outcome",
    "Session",
    "Snapshot",
    "SubjectEnded",
]

FrameId: TypeAlias = str | int | float | None
"""The ``id`` of a server's frame: opaque, and of any JSON scalar type. Source: PROTOCOL 2.1."""


class Outcome(StrEnum):
    """How a command ended. Source: SEMANTICS K6."""

    OK = "ok"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    """It left this process and no answer came: the server may have done it."""
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What all entries have.

    Attributes:
        subject: the call id, message id or tag that this is about; never empty.
        at: when, in wall-clock seconds.
        epoch: which writer wrote it; 1 for the first, one more for each that opened the journal since. 0: not stored
            yet.
        sequence: its number within the subject, from 1 without a gap. 0: not stored yet.

    Source of epoch and sequence: SEMANTICS J7.
    """

    subject: str
    at: float
    epoch: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(Entry):
    """An actor was given a call, or begins to dial one.

    Attributes:
        actor: its class, as ``module:qualified name``.
        direction: ``inbound`` or ``outbound``.
        data: what its ``data`` began with.
        settings: what else has to be known to start it again: the seed of its random numbers, and of a dial its
            ``tag`` and ``timeout_s``.
    """

    actor: str
    direction: str
    data: Mapping[str, object] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Entry):
    """Something that the actor of a call has learnt, and not by the wire; or how far it has come.

    Attributes:
        what: of which kind; see `relay_actors.actors.history`.
        values: what it was.
        after: how many things its actor had been told by the wire at that time.
    """

    what: str
    values: Mapping[str, object] = dataclasses.field(default_factory=dict)
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReceived(Entry):
    """The server told something. Durable before it is acknowledged and delivered (SEMANTICS J1).

    Attributes:
        frame_id: the ``id`` that is acknowledged, and by which a redelivery is recognised (SEMANTICS K3).
        payload: the ``params`` of the ``signalwire.event`` frame: ``event_type``, ``timestamp``, ``params``, …
            PROTOCOL 7.1.
    """

    frame_id: FrameId = None
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandIntended(Entry):
    """A command is about to leave. Durable before its first byte does (SEMANTICS J2).

    Attributes:
        request_id: the ``id`` of the request.
        method: the wire method, for example ``calling.play``.
        params: the request's ``params``.
        number: which command of its call this is, from 1; 0 for one that no call's actor has given, such as the last
            word of a supervisor.
        after: how many things the call's actor had been told by the wire when it gave the command; -1: not known.
        by: who wanted it: ``call`` for the code of the call's class, a name of that for the code of another call, and
            ``other`` for everybody else.
    """

    request_id: str
    method: str
    params: Mapping[str, object]
    number: int = 0
    after: int = -1
    by: str = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSettled(Entry):
    """A command got its outcome. An intent that has none counts as unknown (SEMANTICS J5).

    Attributes:
        request_id: that of the `CommandIntended`.
        outcome: see `Outcome`.
        code: the server's code, or the code of the error made here; 0 when there is none.
        result: the server's result object, or ``{"message": …}``.
    """

    request_id: str
    outcome: Outcome
    code: int = 0
    result: Mapping[str, object] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectEnded(Entry):
    """The subject is over: what follows is only late. After it, `Store.forget` may be called.

    Attributes:
        reason: the end reason of the wire, or ``lost``.
    """

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Entry):
    """Stands for every entry of its subject before it; those are gone. Made by `Store.snapshot` only.

    Attributes:
        state: what its owner gave, as plain values.
        pending: the commands whose effect was unknown at that moment, oldest first; the store adds them by itself, so
            that compaction can lose no intent.
    """

    state: Mapping[str, object]
    pending: tuple[CommandIntended, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a resume needs. Kept beside the entries, never among them: it is one value, replaced, and it is secret.

    Attributes:
        protocol: the session's name on the server. Empty: none, connect afresh.
        authorization_state: the server's newest; a secret (PROTOCOL 3.6), therefore not in ``repr``.

    Source: PROTOCOL 3.5, 3.6.
    """

    protocol: str = ""
    authorization_state: str = dataclasses.field(default="", repr=False)
