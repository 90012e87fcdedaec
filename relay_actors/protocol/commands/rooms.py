"""Commands on where calls meet: conferences, rooms and queues. Layer: protocol, pure. Source: PROTOCOL 12, 13.7."""

from __future__ import annotations

from typing import Annotated, ClassVar

from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.commands.arguments import AnyText, As, Flag, Object, Scalar, Text, WholeNumber
from relay_actors.protocol.commands.command import ControlCommand, RelayCommand

__all__ = ["JoinConference", "JoinRoom", "LeaveConference", "LeaveRoom", "QueueEnter", "QueueLeave"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class JoinConference(RelayCommand):
    """Join the conference ``name``; what is not given is left to the server."""

    method: ClassVar[str] = "calling.join_conference"

    name: Text
    muted: Flag | None = None
    beep: Scalar | None = None
    start_on_enter: Flag | None = None
    end_on_exit: Flag | None = None
    wait_url: AnyText | None = None
    max_participants: WholeNumber | None = None
    record: AnyText | None = None
    region: AnyText | None = None
    trim: AnyText | None = None
    coach: AnyText | None = None
    status_callback: AnyText | None = None
    status_callback_event: AnyText | None = None
    status_callback_event_type: AnyText | None = None
    status_callback_method: AnyText | None = None
    recording_status_callback: AnyText | None = None
    recording_status_callback_event: AnyText | None = None
    recording_status_callback_event_type: AnyText | None = None
    recording_status_callback_method: AnyText | None = None
    stream_obj: Annotated[Object | None, As("stream")] = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LeaveConference(RelayCommand):
    """Leave a conference."""

    method: ClassVar[str] = "calling.leave_conference"

    conference_id: Text


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class JoinRoom(RelayCommand):
    """Join the room ``name``."""

    method: ClassVar[str] = "calling.join_room"

    name: Text
    status_url: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LeaveRoom(RelayCommand):
    """Leave the room."""

    method: ClassVar[str] = "calling.leave_room"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class QueueEnter(ControlCommand):
    """Wait in the queue ``queue_name``."""

    method: ClassVar[str] = "calling.queue.enter"

    queue_name: Text
    status_url: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class QueueLeave(ControlCommand):
    """Leave the queue ``queue_name``."""

    method: ClassVar[str] = "calling.queue.leave"

    queue_name: Text
    queue_id: AnyText | None = None
    status_url: AnyText | None = None
