"""How texts cross between links and the reception, and what befalls them on the way. Layer: simulator, no I/O.

Without a fault all cross at once. Else they wait in the lane of their connection and direction, and keep their order:
over TCP nothing that came later overtakes, and nothing is lost unless the connection is.

Source: SEMANTICS V4.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from relay_actors.protocol import frames
from relay_actors.simulator.faults import Crossing, Cut, Direction, Faults
from relay_actors.simulator.sessions import Connection
from relay_actors.simulator.wire_log import LoggedFrame, WireLog
from relay_actors.simulator.world import World

__all__ = ["Crossings", "Hold", "states_of"]


@dataclass(eq=False, slots=True)
class Hold:
    """A time in which nothing crosses some connections, in one direction or both.

    Attributes:
        new_too: nor those that are opened meanwhile.
    """

    connections: list[Connection]
    directions: tuple[Direction, ...]
    new_too: bool


class Crossings:
    """Lets texts cross. The simulator's lock guards it.

    Args:
        world: time.
        faults: asked before each text.
        log: where what has crossed is written.
        take: is given each text of a client, or None when the client is gone.
        cut: breaks a connection at once, so that nothing crosses any more.
    """

    def __init__(
        self,
        *,
        world: World,
        faults: Faults,
        log: WireLog,
        take: Callable[[Connection, bytes | None], None],
        cut: Callable[[Connection, bool], None],
    ) -> None:
        self._world = world
        self._faults = faults
        self._log = log
        self._take = take
        self._cut = cut
        self._holds: list[Hold] = []
        self.count = 0
        """How many frames have crossed, or have come to cross and were lost by a cut."""

    def arrive(self, connection: Connection, text: bytes | None) -> None:
        """Let a text of a client cross, or the news that it is gone (None)."""
        if connection.lanes["in"].is_free and not self._faults.slow:
            self._cross_in(connection, text)
        else:
            self._let_cross("in", connection, [text])

    def depart(self, connection: Connection, texts: Sequence[bytes]) -> None:
        """Let texts cross to a client."""
        self._let_cross("out", connection, texts)

    def hold(self, connections: Iterable[Connection], directions: Iterable[Direction], *, new_too: bool) -> Hold:
        """Let nothing cross these connections until `end`; it waits, and crosses then.

        Args:
            connections: that are open now.
            directions: in which nothing crosses.
            new_too: nor those that are opened meanwhile.
        """
        hold = Hold(list(connections), tuple(directions), new_too)
        self._holds.append(hold)
        for connection in hold.connections:
            _take_hold(hold, connection)
        return hold

    def welcome(self, connection: Connection) -> None:
        """Hold a new connection, too, where that was said."""
        for hold in self._holds:
            if hold.new_too:
                hold.connections.append(connection)
                _take_hold(hold, connection)

    def is_on(self, hold: Hold) -> bool:
        """Whether it has not been ended: `recover` ends it before its time."""
        return hold in self._holds

    def end(self, hold: Hold) -> None:
        """Let what has waited cross, unless something else holds it. Idempotent."""
        if not self.is_on(hold):
            return
        self._holds.remove(hold)
        for connection in hold.connections:
            for direction in hold.directions:
                connection.lanes[direction].holds -= 1
                connection.undisturbed_since = self._world.now()
                self._cross_waiting(direction, connection)

    def hurry(self, connections: Iterable[Connection]) -> None:
        """End every hold, and let what waits on these connections cross now."""
        for hold in list(self._holds):
            self.end(hold)
        now = self._world.now()
        for connection in connections:
            for direction, lane in connection.lanes.items():
                lane.waiting = deque((now, text) for _due, text in lane.waiting)
                self._cross_waiting(direction, connection)

    def clear(self) -> None:
        """Forget all of it, and count from 0."""
        self._holds.clear()
        self.count = 0

    def is_disturbed(self, connection: Connection) -> bool:
        """Whether anything waits to cross, or would have to."""
        return not all(lane.is_free for lane in connection.lanes.values())

    def _let_cross(self, direction: Direction, connection: Connection, texts: Sequence[bytes | None]) -> None:
        lane = connection.lanes[direction]
        slow_s = self._faults.slowness("frames", direction)
        if lane.is_free and not slow_s:
            self._cross(direction, connection, texts)
            return
        due = self._world.now() + slow_s
        lane.waiting.extend((due, text) for text in texts)
        if slow_s:
            self._world.after_real(slow_s, lambda: self._cross_waiting(direction, connection))

    def _cross_waiting(self, direction: Direction, connection: Connection) -> None:
        lane, now = connection.lanes[direction], self._world.now()
        if not lane.waiting:
            return
        connection.undisturbed_since = now
        while connection.is_open and not lane.holds and lane.waiting and lane.waiting[0][0] <= now:
            self._cross(direction, connection, [lane.waiting.popleft()[1]])

    def _cross(self, direction: Direction, connection: Connection, texts: Sequence[bytes | None]) -> None:
        if direction == "out":
            self._cross_out(connection, [text for text in texts if text is not None])
        else:
            for text in texts:
                self._cross_in(connection, text)

    def _cross_in(self, connection: Connection, text: bytes | None) -> None:
        cut = self._cut_at("in", connection, text) if text is not None else None
        if cut is not None and not cut.after:
            self._cut(connection, cut.clean)
            return
        if text is not None:
            self._note("received", connection, text)
        self._take(connection, text)
        if cut is not None and connection.is_open:
            self._cut(connection, cut.clean)

    def _cross_out(self, connection: Connection, texts: Iterable[bytes]) -> None:
        crossing: list[bytes] = []
        cut: Cut | None = None
        for text in texts:
            cut = self._cut_at("out", connection, text)
            if cut is None or cut.after:
                crossing.append(text)
            if cut is not None:
                break
        for text in crossing:
            self._note("sent", connection, text)
        if crossing:
            connection.link.send_texts(crossing)
        if cut is not None and connection.is_open:
            self._cut(connection, cut.clean)

    def _cut_at(self, direction: Direction, connection: Connection, text: bytes) -> Cut | None:
        number = self.count
        self.count += 1
        if not self._faults.cuts:
            return None
        return self._faults.take_cut(_crossing(number, direction, connection, text))

    def _note(self, direction: Literal["received", "sent"], connection: Connection, text: bytes) -> None:
        name = connection.session.name if connection.session is not None else ""
        # Plain bytes: the codec reads no others.
        self._log.add(LoggedFrame(self._world.now(), self._world.clock.wall(), direction, name, bytes(text)))


def states_of(params: Mapping[str, object]) -> frozenset[str]:
    """Return what the fields of an event say that are called ``state``, or end so."""
    return frozenset(
        value
        for name, value in params.items()
        if isinstance(value, str) and (name == "state" or name.endswith("_state"))
    )


def _take_hold(hold: Hold, connection: Connection) -> None:
    for direction in hold.directions:
        connection.lanes[direction].holds += 1


def _crossing(number: int, direction: Direction, connection: Connection, text: bytes) -> Crossing:
    match frames.classify(bytes(text)):
        case frames.Request(_, frames.EVENT, params):
            inner = params.get("params")
            fields = inner if isinstance(inner, dict) else {}
            return Crossing(number, direction, str(params.get("event_type") or ""), states=states_of(fields))
        case frames.Request(_, method, _):
            return Crossing(number, direction, method)
        case frames.ResultResponse(id) | frames.ErrorResponse(id):
            name = connection.asked_by(id) if direction == "out" else connection.acks.name_of(id)
            return Crossing(number, direction, name, is_answer=True)
        case frames.Unreadable():
            return Crossing(number, direction)
