"""Conferences: who is in, and the events of coming and going. Layer: simulator. Source: PROTOCOL 12, 13.7."""

from __future__ import annotations

from collections.abc import Callable

from relay_actors.protocol.readers import read_flag, read_text
from relay_actors.simulator.calls import Call, Params
from relay_actors.simulator.replies import Reply, accepted, refused

__all__ = ["Conference", "Conferences", "Participation"]


class Participation:
    """One leg's part in one conference; it ends with the call."""

    is_listening = False

    def __init__(self, conference: Conference, call: Call, params: Params) -> None:
        self._conference = conference
        self._call = call
        self.is_muted = read_flag(params.get("muted")) or False
        self.starts_on_enter = read_flag(params.get("start_on_enter")) is not False
        self.ends_on_exit = read_flag(params.get("end_on_exit")) or False

    def call_ends(self) -> None:
        """Leave."""
        self._conference.leave(self._call)

    def digit_pressed(self, digit: str) -> bool:
        """Let keys pass."""
        return False

    def words_said(self, words: str, confidence: float) -> bool:
        """Let words pass."""
        return False


class Conference:
    """One conference: it starts with its first participant and ends with its last."""

    def __init__(self, name: str, conference_id: str, on_empty: Callable[[Conference], None]) -> None:
        self.name = name
        self.conference_id = conference_id
        self._on_empty = on_empty
        self._members: dict[Call, Participation] = {}

    def join(self, call: Call, params: Params) -> None:
        """Let a leg in."""
        part = Participation(self, call, params)
        is_first = not self._members
        self._members[call] = part
        call.running[self.conference_id] = part
        if is_first:
            self._report(call, "conference-start")
        self._report(
            call,
            "participant-join",
            size=len(self._members),
            muted=part.is_muted,
            hold=False,
            start_on_join=part.starts_on_enter,
            end_on_leave=part.ends_on_exit,
            coaching=False,
        )

    def leave(self, call: Call) -> None:
        """Let a leg out; the conference ends with its last one, or with one that asked for that."""
        part = self._members.pop(call, None)
        if part is None:
            return
        call.running.pop(self.conference_id, None)
        self._report(call, "participant-leave", size=len(self._members))
        others = list(self._members)
        if part.ends_on_exit and others:
            for other in others:
                self.leave(other)
            return  # the last of them has reported the end
        if not others:
            self._report(call, "conference-end", reason_ended="last-participant-left", call_id_ending_conf=call.call_id)
            self._on_empty(self)

    def has(self, call: Call) -> bool:
        """Whether a leg is in."""
        return call in self._members

    def _report(self, call: Call, status: str, **fields: object) -> None:
        ids = {"conference_id": self.conference_id, "name": self.name}
        call.emit("calling.conference", {**ids, "status": status, **fields})


class Conferences:
    """All conferences that somebody is in, by name."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._by_name: dict[str, Conference] = {}

    def join(self, call: Call, params: Params) -> Reply:
        """Do ``calling.join_conference``."""
        name = read_text(params.get("name")) or ""
        conference = self._by_name.get(name)
        if conference is None:
            conference = self._by_name[name] = Conference(name, self._new_id(), self._forget)
        if conference.has(call):
            return refused("409", "The call is already in this conference")
        conference.join(call, params)
        return accepted("Joining conference", call_id=call.call_id, conference_id=conference.conference_id)

    def leave(self, call: Call, params: Params) -> Reply:
        """Do ``calling.leave_conference``."""
        conference_id = read_text(params.get("conference_id"))
        for conference in self._by_name.values():
            if conference.conference_id == conference_id and conference.has(call):
                conference.leave(call)
                return accepted("Leaving conference", call_id=call.call_id)
        return refused("404", "The call is not in this conference")

    def clear(self) -> None:
        """Forget all of them."""
        self._by_name.clear()

    def _forget(self, conference: Conference) -> None:
        self._by_name.pop(conference.name, None)
