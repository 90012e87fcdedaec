"""Rooms: who is in, and who hears whom. Layer: simulator. Source: PROTOCOL 12.

No event of this wire tells of rooms. Whoever names a ``status_url`` hears of ``joining``, ``join``, ``leaving`` and
``leave`` there, the room states of the constants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from relay_actors.protocol.readers import read_text
from relay_actors.simulator.calls import Call, Params, Running
from relay_actors.simulator.replies import Reply, accepted, refused

__all__ = ["Room", "RoomSnapshot", "Rooms", "Stay"]

KEY = ("in a room",)


@dataclass(frozen=True, slots=True)
class RoomSnapshot:
    """A room as it was at one moment: its name, and the numbers of those in it in the order in which they came."""

    name: str
    room_id: str
    members: tuple[str, ...]


class Room:
    """One room: everybody in it hears everybody else."""

    def __init__(self, name: str, room_id: str) -> None:
        self.name = name
        self.room_id = room_id
        self.members: list[Call] = []

    def hearers(self, leg: Call) -> Iterable[Call]:
        """Return all the others."""
        return [member for member in self.members if member is not leg]

    def snapshot(self) -> RoomSnapshot:
        """Return the room as it is now."""
        return RoomSnapshot(self.name, self.room_id, tuple(member.own_number for member in self.members))


class Stay(Running):
    """One leg's stay in a room; it ends with the call."""

    def __init__(self, room: Room, call: Call, status_url: object, on_left: Callable[[Room], None]) -> None:
        self.room = room
        self._call = call
        self._status_url = status_url
        self._on_left = on_left

    def begin(self) -> None:
        """Go in."""
        self._report("joining")
        self._call.running[KEY] = self
        self.room.members.append(self._call)
        self._call.circles.append(self.room)
        self._report("join")
        self._note(f"joined room {self.room.name}")

    def call_ends(self) -> None:
        """Go out."""
        self._report("leaving")
        self._call.running.pop(KEY, None)
        self.room.members.remove(self._call)
        self._call.circles.remove(self.room)
        self._report("leave")
        self._note(f"left room {self.room.name}")
        self._on_left(self.room)

    def _report(self, state: str) -> None:
        params = {
            "room_id": self.room.room_id,
            "name": self.room.name,
            "state": state,
            "size": len(self.room.members),
            "call_id": self._call.call_id,
            "node_id": self._call.node_id,
        }
        self._call.world.webhooks.report(self._status_url, "calling.room", params)

    def _note(self, what: str) -> None:
        if self._call.ear is not None:
            self._call.ear.on_change(what)


class Rooms:
    """All rooms that somebody is in, by name. A call is in one room at most: ``leave_room`` names none."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._by_name: dict[str, Room] = {}

    def join(self, call: Call, params: Params) -> Reply:
        """Do ``calling.join_room``."""
        if isinstance(stay := call.running.get(KEY), Stay):
            return refused("409", f"The call is in room {stay.room.name}: it has to leave that first")
        name = read_text(params.get("name"))
        if not name:
            return refused("400", "A room needs a name")
        room = self._by_name.get(name)
        if room is None:
            room = self._by_name[name] = Room(name, self._new_id())
        Stay(room, call, params.get("status_url"), self._left).begin()
        return accepted("Joining room", call_id=call.call_id)

    def leave(self, call: Call, _params: Params) -> Reply:
        """Do ``calling.leave_room``."""
        stay = call.running.get(KEY)
        if not isinstance(stay, Stay):
            return refused("409", "The call is in no room")
        stay.call_ends()
        return accepted("Leaving room", call_id=call.call_id)

    def snapshots(self) -> tuple[RoomSnapshot, ...]:
        """Return every room that somebody is in, the oldest first."""
        return tuple(room.snapshot() for room in self._by_name.values())

    def clear(self) -> None:
        """Forget all of them."""
        self._by_name.clear()

    def _left(self, room: Room) -> None:
        if not room.members and self._by_name.get(room.name) is room:
            del self._by_name[room.name]
