"""Verbs on where calls meet: conferences, rooms, queues. Layer: hall. Source: PROTOCOL 12, 13.7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay_actors.actors.verbs.base import CallVerbs
from relay_actors.actors.waits import Reply
from relay_actors.protocol.commands import (
    JoinConference,
    JoinRoom,
    LeaveConference,
    LeaveRoom,
    QueueEnter,
    QueueLeave,
)

__all__ = ["RoomVerbs"]


class RoomVerbs(CallVerbs):
    """Each sends one command and gives its `Reply`; what happens there later is told by events."""

    def join_conference(
        self,
        name: str,
        *,
        muted: bool | None = None,
        beep: str | bool | None = None,
        start_on_enter: bool | None = None,
        end_on_exit: bool | None = None,
        wait_url: str | None = None,
        max_participants: int | None = None,
        record: str | None = None,
        region: str | None = None,
        trim: str | None = None,
        coach: str | None = None,
        status_callback: str | None = None,
        status_callback_event: str | None = None,
        status_callback_event_type: str | None = None,
        status_callback_method: str | None = None,
        recording_status_callback: str | None = None,
        recording_status_callback_event: str | None = None,
        recording_status_callback_event_type: str | None = None,
        recording_status_callback_method: str | None = None,
        stream_obj: Mapping[str, object] | None = None,
        **kwargs: Any,
    ) -> Reply:
        """Join the conference ``name``, which is made by its first participant.

        The reply says that it was accepted, and may have the ``conference_id``; `ConferenceEvent` tells who comes and
        goes, with the ``conference_id`` that `leave_conference` needs.

        Args:
            name: of the conference.
            muted: nobody hears this call; False by default.
            beep: who comes or goes is heard: ``true``, ``false``, ``onEnter`` or ``onExit``; ``true`` by default.
            start_on_enter: the conference starts when this call comes in; True by default.
            end_on_exit: the conference ends when this call leaves; False by default.
            wait_url: what those hear who wait for the start.
            max_participants: 1 to 250; 250 by default.
            record: ``do-not-record``, the default, or ``record-from-start``.
            region: ``global``, ``us`` or ``eu``.
            trim: ``trim-silence`` or ``do-not-trim``, of the recording.
            coach: the call id of the one participant who hears this call.
            status_callback: where the server reports to.
            status_callback_event: of what it reports.
            status_callback_event_type: in which form.
            status_callback_method: how.
            recording_status_callback: the same of the recording.
            recording_status_callback_event: the same of the recording.
            recording_status_callback_event_type: the same of the recording.
            recording_status_callback_method: the same of the recording.
            stream_obj: a stream of the conference; ``stream`` on the wire.
            kwargs: further params.
        """
        return self.perform(
            JoinConference(
                name=name,
                muted=muted,
                beep=beep,
                start_on_enter=start_on_enter,
                end_on_exit=end_on_exit,
                wait_url=wait_url,
                max_participants=max_participants,
                record=record,
                region=region,
                trim=trim,
                coach=coach,
                status_callback=status_callback,
                status_callback_event=status_callback_event,
                status_callback_event_type=status_callback_event_type,
                status_callback_method=status_callback_method,
                recording_status_callback=recording_status_callback,
                recording_status_callback_event=recording_status_callback_event,
                recording_status_callback_event_type=recording_status_callback_event_type,
                recording_status_callback_method=recording_status_callback_method,
                stream_obj=stream_obj,
                extra=kwargs,
            )
        )

    def leave_conference(self, conference_id: str, **kwargs: Any) -> Reply:
        """Leave a conference; `ConferenceEvent` tells ``participant-leave`` when it is done.

        Args:
            conference_id: as `ConferenceEvent` has told it.
            kwargs: further params.
        """
        return self.perform(LeaveConference(conference_id=conference_id, extra=kwargs))

    def join_room(self, name: str, *, status_url: str | None = None, **kwargs: Any) -> Reply:
        """Join the room ``name``. No event tells of it: the server reports to ``status_url``.

        Args:
            name: of the room, which is made by the first who joins it.
            status_url: where the server reports to.
            kwargs: further params.
        """
        return self.perform(JoinRoom(name=name, status_url=status_url, extra=kwargs))

    def leave_room(self, **kwargs: Any) -> Reply:
        """Leave the room."""
        return self.perform(LeaveRoom(extra=kwargs))

    def queue_enter(
        self, queue_name: str, *, control_id: str | None = None, status_url: str | None = None, **kwargs: Any
    ) -> Reply:
        """Wait in the queue ``queue_name``; `QueueEvent` tells the place in it, and when somebody takes the call out.

        Args:
            queue_name: made by the first who enters it.
            control_id: goes with the events; chosen for you.
            status_url: where the server reports to.
            kwargs: further params.
        """
        command = QueueEnter(queue_name=queue_name, control_id=control_id, status_url=status_url, extra=kwargs)
        return self.perform(command)

    def queue_leave(
        self,
        queue_name: str,
        *,
        control_id: str | None = None,
        queue_id: str | None = None,
        status_url: str | None = None,
        **kwargs: Any,
    ) -> Reply:
        """Leave the queue ``queue_name``; `QueueEvent` tells ``leave``.

        Args:
            queue_name: as for `queue_enter`.
            control_id: chosen for you.
            queue_id: if several have its name; `QueueEvent` tells it.
            status_url: where the server reports to.
            kwargs: further params.
        """
        command = QueueLeave(
            queue_name=queue_name,
            control_id=control_id,
            queue_id=queue_id,
            status_url=status_url,
            extra=kwargs,
        )
        return self.perform(command)
