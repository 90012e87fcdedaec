"""All conferences: joining and leaving them by command. Layer: simulator. Source: PROTOCOL 12, 13.7."""

from __future__ import annotations

from typing import Final

from relay_actors.protocol.readers import read_text, read_whole_number
from relay_actors.simulator.calls import Call, Params
from relay_actors.simulator.conference import Conference, ConferenceSnapshot
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.replies import Reply, accepted, refused
from relay_actors.simulator.world import World

__all__ = ["Conferences"]

MOST: Final = 250
"""How many may be in one conference. Source: PROTOCOL 13.7."""

WORDS: Final = {
    "beep": ("true", "false", "onEnter", "onExit"),
    "record": ("do-not-record", "record-from-start"),
    "trim": ("trim-silence", "do-not-trim"),
}
"""The params that have to be one of a few words."""


class Conferences:
    """All conferences that somebody is in, by name."""

    def __init__(self, world: World, manners: Manners) -> None:
        self._world = world
        self._manners = manners
        self._by_name: dict[str, Conference] = {}

    def join(self, call: Call, params: Params) -> Reply:
        """Do ``calling.join_conference``.

        Whoever makes a conference says how many may be in it; a later member may ask for fewer when it joins itself.
        """
        name = read_text(params.get("name"))
        most = read_whole_number(params.get("max_participants"))
        if (problem := _problem(params, name, most)) is not None:
            return refused("400", problem)
        conference = self._by_name.get(name or "")
        if conference is None:
            conference = self._make(name or "", most or MOST)
        if call in conference.members:
            return refused("409", "The call is already in this conference")
        if len(conference.members) >= min(conference.max_participants, most or MOST):
            return refused("409", "The conference is full")
        conference.join(call, params)
        return accepted("Joining conference", call_id=call.call_id, conference_id=conference.conference_id)

    def leave(self, call: Call, params: Params) -> Reply:
        """Do ``calling.leave_conference``."""
        conference_id = read_text(params.get("conference_id"))
        for conference in self._by_name.values():
            if conference.conference_id == conference_id and call in conference.members:
                conference.leave(conference.members[call])
                return accepted("Leaving conference", call_id=call.call_id)
        return refused("409", "The call is not in this conference")

    def find(self, name: str) -> Conference | None:
        """Return the conference of that name, if anybody is in it."""
        return self._by_name.get(name)

    def snapshots(self) -> tuple[ConferenceSnapshot, ...]:
        """Return every conference that somebody is in, the oldest first."""
        return tuple(conference.snapshot() for conference in self._by_name.values())

    def clear(self) -> None:
        """Forget all of them."""
        self._by_name.clear()

    def _make(self, name: str, most: int) -> Conference:
        made = self._by_name[name] = Conference(
            self._world,
            self._manners,
            name=name,
            conference_id=self._world.new_id(),
            max_participants=most,
            on_over=self._forget,
        )
        return made

    def _forget(self, conference: Conference) -> None:
        if self._by_name.get(conference.name) is conference:
            del self._by_name[conference.name]


def _problem(params: Params, name: str | None, most: int | None) -> str | None:
    """Return what is wrong with the params of a join, if anything is."""
    if not name:
        return "A conference needs a name"
    if most is not None and not 1 <= most <= MOST:
        return f"max_participants is 1 to {MOST}, not {most}"
    for key, words in WORDS.items():
        if (given := params.get(key)) is not None and given not in words:
            return f"{key} is one of {', '.join(words)}, not {given!r}"
    return None
