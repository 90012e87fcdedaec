"""What can befall the connections on purpose, and what crosses them: a part of `Simulator`. Layer: simulator.

Source: PROTOCOL 19.3, fault injection; SEMANTICS V4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias, get_args

from relay_actors.errors import ConfigError
from relay_actors.protocol import checks, json_codec
from relay_actors.protocol.frames import LARGEST_BYTES
from relay_actors.simulator.exchange import Exchange
from relay_actors.simulator.faults import ANYTHING, Cut, Direction, Faults, Slowness, WhichWay
from relay_actors.simulator.names import known_event_type, known_method, one_of
from relay_actors.simulator.odd_frames import Oddity, odd_frame, oversize_frame
from relay_actors.simulator.reception import Reception
from relay_actors.simulator.sessions import Connection
from relay_actors.simulator.world import World

__all__ = ["WireMishaps"]

Ends: TypeAlias = Literal["heals", "breaks"]
What: TypeAlias = Literal["frames", "answers"]

_WAY: Final = one_of(get_args(WhichWay))


class WireMishaps:
    """Breaks, cuts, holds up and slows down connections, and sends what nobody expects. Any thread."""

    _world: World
    _faults: Faults
    _reception: Reception
    _exchange: Exchange

    def drop_sockets(self, *, clean: bool = False) -> None:
        """Close every connection: so that clients see it break, or with a goodbye. New ones are taken at once."""
        with self._world.turn():
            for connection in self._reception.connections:
                self._reception.drop(connection, clean=clean)

    @contextmanager
    def socket_down(self, seconds: float | None = None, *, clean: bool = False) -> Iterator[None]:
        """Drop all connections and take none until so many seconds of the clock are over, or the block is.

        With ``seconds``, leaving the block waits until they are over.
        """
        down = self._take_down(seconds, clean=clean)
        try:
            yield
        finally:
            if seconds is not None:
                self._world.wait_until(lambda: down not in self._faults.downs, seconds)
            with self._world.turn():
                self._faults.end_down(down)

    def refuse_sockets(self, seconds: float | None = None, *, clean: bool = False) -> None:
        """Do what `socket_down` does, and return at once; without ``seconds`` it lasts until `recover`."""
        self._take_down(seconds, clean=clean)

    def cut_at(
        self,
        *,
        method: str = ANYTHING,
        event_type: str = ANYTHING,
        state: str = "",
        number: int | None = None,
        skip: int = 0,
        answer: bool = False,
        direction: WhichWay = "both",
        after: bool = False,
        clean: bool = False,
    ) -> None:
        """Cut the connection on which a frame is about to cross, once: the next frame that is as all of this says.

        What comes behind it on this connection is lost; events are sent again to whoever resumes the session.

        Args:
            method: what it asks for; or what it answers, with ``answer``.
            event_type: of the event; or which event it acknowledges, with ``answer``.
            state: of the event, for example ``answered``.
            number: of the frame, as `frame_count` counts them.
            skip: how many such frames still cross.
            answer: the answer is meant, not the request or the event itself.
            direction: ``in`` from a client, ``out`` to one.
            after: the frame still crosses: a request is carried out, and only what comes of it is lost.
            clean: with a goodbye, not by a reset.

        Raises:
            ConfigError: a method and an event type, or a number that has crossed already.
        """
        checks.given(checks.whole_number, number=number, skip=skip)
        checks.required(_WAY, direction=direction)
        if ANYTHING not in (method, event_type):
            raise ConfigError("a frame is of a method or of an event type: name one of them")
        name = known_method(method) if event_type == ANYTHING else known_event_type(event_type)
        with self._world.turn():
            count = self._reception.crossings.count
            if number is not None and number < count:
                raise ConfigError(f"frame {number} has crossed already: the next one is number {count}")
            cut = Cut(
                name="" if name == ANYTHING else name,
                state=state,
                number=number,
                skip=skip,
                answer=answer,
                direction=direction,
                after=after,
                clean=clean,
            )
            self._faults.cuts.append(cut)

    @property
    def frame_count(self) -> int:
        """How many frames have crossed, or were lost by a cut: all connections, both directions, from the start on."""
        with self._world.look():
            return self._reception.crossings.count

    def half_open(
        self,
        seconds: float | None = None,
        *,
        direction: WhichWay = "both",
        ends: Ends = "heals",
    ) -> None:
        """Let nothing cross the connections that are open now; they stay open, and new ones are not touched.

        Also that a client has closed its end is not learned. On a WebSocket, its own pings are still answered.

        Args:
            seconds: of the clock; None: until `recover`.
            direction: ``in`` from the clients, ``out`` to them.
            ends: ``heals``: what has waited crosses then, in order; ``breaks``: it is lost, and the connections break.
        """
        checks.given(checks.seconds, seconds=seconds)
        checks.required(_WAY, direction=direction)
        checks.required(one_of(get_args(Ends)), ends=ends)
        with self._world.turn():
            connections = self._reception.connections
            hold = self._reception.crossings.hold(connections, _directions(direction), new_too=False)

            def end() -> None:
                if ends == "breaks" and self._reception.crossings.is_on(hold):
                    self._drop(connections, clean=False)
                self._reception.crossings.end(hold)

            if seconds is not None:
                self._world.after_real(seconds, end)

    def stall(self, seconds: float | None = None) -> None:
        """Read nothing, from new connections neither, for so many seconds of the clock; then go on in order.

        None: until `recover`. What happens on the lines meanwhile is still told.
        """
        checks.given(checks.seconds, seconds=seconds)
        with self._world.turn():
            crossings = self._reception.crossings
            hold = crossings.hold(self._reception.connections, ("in",), new_too=True)
            if seconds is not None:
                self._world.after_real(seconds, lambda: crossings.end(hold))

    def slow_down(
        self,
        seconds: float,
        *,
        what: What = "frames",
        direction: WhichWay = "both",
        lasts: float | None = None,
    ) -> None:
        """Let everything take longer.

        Args:
            seconds: of the clock, how much longer each takes; they keep their order.
            what: ``frames``, all that crosses; or ``answers`` to requests, which events then overtake.
            direction: of the frames.
            lasts: for how many seconds; None: until `recover`.
        """
        checks.required(checks.seconds, seconds=seconds)
        checks.given(checks.seconds, lasts=lasts)
        checks.required(_WAY, direction=direction)
        checks.required(one_of(get_args(What)), what=what)
        slow = Slowness(what, direction, seconds)
        with self._world.turn():
            self._faults.slow.append(slow)
            if lasts is not None:
                self._world.after_real(lasts, lambda: self._faults.end_slowness(slow))

    def push(self, frame: Mapping[str, object] | str | bytes, *, session: str | None = None) -> None:
        """Send any frame, or any text at all, to one session's client, or to every client.

        Raises:
            ConfigError: there is no such session.
        """
        text = json_codec.dumps(frame) if isinstance(frame, Mapping) else frame
        text = text.encode() if isinstance(text, str) else text
        with self._world.turn():
            wanted = None if session is None else self._reception.session_named(session)
            for connection in self._reception.connections:
                if wanted is None or connection.session is wanted:
                    connection.send_raw(text)

    def push_odd(self, what: Oddity, *, name: str = "") -> None:
        """Send every client a text that no client expects, and by which none may be harmed (PROTOCOL 19.4).

        Args:
            what: ``cut_short``, ``no_object`` or ``no_utf8``, which are no frames at all; ``unknown_event``, about the
                latest call of the client if there is one; or ``unknown_method``.
            name: of the unknown event or method; empty: one that is made up.
        """
        checks.required(one_of(get_args(Oddity)), what=what)
        with self._world.turn():
            for connection in self._reception.connections:
                calls = [call for call in self._exchange.up() if call.session is connection.session]
                ids = {"call_id": calls[-1].call_id, "node_id": calls[-1].node_id} if calls else {}
                connection.send_raw(odd_frame(what, frame_id=self._world.new_id(), name=name, ids=ids))

    def push_oversize(self, size: int = LARGEST_BYTES + 1) -> None:
        """Send every client a frame of so many bytes; by default one more than RELAY allows, so that it breaks off."""
        checks.required(checks.whole_number, size=size)
        with self._world.turn():
            for connection in self._reception.connections:
                connection.send_raw(oversize_frame(size))

    def _take_down(self, seconds: float | None, *, clean: bool = False) -> object:
        checks.given(checks.seconds, seconds=seconds)
        with self._world.turn():
            self.drop_sockets(clean=clean)
            return self._refuse(seconds)

    def _refuse(self, seconds: float | None) -> object:
        down = object()
        self._faults.downs.append(down)
        if seconds is not None:
            self._world.after_real(seconds, lambda: self._faults.end_down(down))
        return down

    def _drop(self, connections: list[Connection], *, clean: bool) -> None:
        for connection in connections:
            self._reception.drop(connection, clean=clean)


def _directions(direction: WhichWay) -> tuple[Direction, ...]:
    return ("in", "out") if direction == "both" else (direction,)
