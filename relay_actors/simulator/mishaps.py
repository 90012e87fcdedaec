"""What can go wrong on purpose: a part of `Simulator`. Layer: simulator.

Source: PROTOCOL 19.3, fault injection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from relay_actors.protocol import checks, json_codec
from relay_actors.simulator.exchange import Exchange
from relay_actors.simulator.faults import ALL_METHODS, Faults, Rejection
from relay_actors.simulator.names import known_event_type, known_method
from relay_actors.simulator.reception import Reception
from relay_actors.simulator.sessions import Connection, Sessions
from relay_actors.simulator.world import World

__all__ = ["Mishaps"]


class Mishaps:
    """Breaks connections, refuses, delays, repeats and forgets, when a test says so. Any thread."""

    _world: World
    _faults: Faults
    _reception: Reception
    _sessions: Sessions
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
        with self._world.turn():
            self._faults.refuses_sockets = True
            self.drop_sockets(clean=clean)
            if seconds is not None:
                self._world.after_real(seconds, self._accept_again)
        try:
            yield
        finally:
            if seconds is not None:
                self._world.wait_until(lambda: not self._faults.refuses_sockets, seconds)
            with self._world.turn():
                self._accept_again()

    def stop_answering(self, method: str = ALL_METHODS, *, but_do_it: bool = False) -> None:
        """Leave requests of ``method`` unanswered until `resume_answering`.

        Args:
            method: the wire method; all if left out, pings and log-ins included.
            but_do_it: carry the requests out all the same: only their answers are lost.
        """
        with self._world.turn():
            self._faults.stop_answering(known_method(method), but_do_it=but_do_it)

    def resume_answering(self, method: str = ALL_METHODS) -> None:
        """Answer requests of ``method`` again; all if left out."""
        with self._world.turn():
            self._faults.resume_answering(known_method(method))

    def reject_next(
        self, method: str, *, code: str | int = "500", message: str = "Internal error", times: int = 1
    ) -> None:
        """Refuse the next requests of ``method``: a text is a result code, a number a JSON-RPC error code.

        A log-in can only be refused by an error, so there a text is taken for its number (or for -32002).
        """
        checks.required(checks.whole_number, times=times)
        with self._world.turn():
            self._faults.reject(known_method(method), Rejection(code, message), times)

    def answer_late(self, method: str, *, seconds: float, times: int = 1) -> None:
        """Hold back the next answers to ``method`` for so many seconds of the clock."""
        checks.required(checks.seconds, seconds=seconds)
        with self._world.turn():
            self._faults.answer_late(known_method(method), seconds, times)

    def answer_twice(self, method: str) -> None:
        """Send the next answer to ``method`` twice."""
        with self._world.turn():
            self._faults.answer_twice(known_method(method))

    def duplicate_next(self, event_type: str) -> None:
        """Send the next event of this type twice, under one frame id."""
        with self._world.turn():
            self._faults.duplicate(known_event_type(event_type))

    def delay_next(self, event_type: str, seconds: float) -> None:
        """Hold back the next event of this type for so many seconds of the clock; later events overtake it."""
        checks.required(checks.seconds, seconds=seconds)
        with self._world.turn():
            self._faults.delay(known_event_type(event_type), seconds)

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
                    connection.protocol.send_raw(text)
                    connection.flush()

    def announce_disconnect(self, *, restart: bool = False, close_after: float | None = 0.05) -> None:
        """Tell every client that its connection is about to be closed, and close it.

        Args:
            restart: the clients are to forget their sessions, and so does this side.
            close_after: seconds of the clock until the close; None leaves it to the test (`drop_sockets`).
        """
        with self._world.turn():
            connections = self._reception.connections
            for connection in connections:
                connection.protocol.announce_disconnect(restart=restart)
                connection.flush()
                if restart and connection.session is not None:
                    self._sessions.close(connection.session)
            if close_after is not None:
                self._world.after_real(close_after, lambda: self._drop(connections))

    def forget_sessions(self) -> None:
        """Know no session any more: the next resume is refused. Calls stay up, but nobody owns them."""
        with self._world.turn():
            for call in self._exchange.up():
                call.session = None
            self._sessions.forget()

    def _drop(self, connections: list[Connection]) -> None:
        for connection in connections:
            self._reception.drop(connection, clean=True)

    def _accept_again(self) -> None:
        self._faults.refuses_sockets = False
