"""How texts come to the simulator and leave it, whatever carries them. Layer: simulator.

A WebSocket front implements `Link` itself; for one end of an in-process transport there is `LinkDriver`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from relay_actors.errors import TransportError

__all__ = ["BinaryText", "Host", "Link", "LinkDriver", "TransportEnd"]


class BinaryText(bytes):
    """A text that goes out as a binary message, where whatever carries it knows the difference. Source: PROTOCOL 1."""

    __slots__ = ()


class Link(Protocol):
    """One open connection to one client, as the simulator sees it.

    Both methods are called with the simulator's lock held, from whichever thread caused them: they must hand over and
    return, and must not call the simulator.
    """

    def send_texts(self, texts: list[bytes]) -> None:
        """Write these texts, in this order."""

    def close(self, *, clean: bool) -> None:
        """Close the connection: with a goodbye, or so that the client sees it break."""


class Host(Protocol):
    """The simulator, as far as a link has to know it."""

    def attach(self, link: Link) -> None:
        """Take a new connection; `ConnectionRefusedError` while sockets are down."""

    def receive(self, link: Link, text: bytes | str) -> None:
        """Take one text."""

    def detach(self, link: Link) -> None:
        """Learn that the connection is gone. Idempotent."""

    def turn(self) -> AbstractContextManager[None]:
        """Hold the simulator's lock."""


class TransportEnd(Protocol):
    """One end of an in-process transport, as `LinkDriver` uses it. It calls its waker without holding its own locks."""

    def receive(self) -> list[bytes]:
        """Return every text that is there; raise `TransportError` when the peer is gone."""

    def send(self, texts: Iterable[bytes]) -> None:
        """Hand over texts; raise `TransportError` when the peer is gone."""

    def close(self) -> None:
        """Close with a goodbye. Idempotent."""

    def abort(self) -> None:
        """Break the connection. Idempotent."""

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        """Have ``wake`` called when there is something to receive or the peer is gone."""


class LinkDriver:
    """Plugs one end of an in-process transport into the simulator.

    Args:
        host: the simulator.
        end: this side's end; from now on it belongs to the driver.
        schedule: how `pump` gets its turn when the waker fires; by default it runs at once, in the waking thread.

    Raises:
        ConnectionRefusedError: the simulator takes no connections now (`Simulator.socket_down`).
    """

    def __init__(
        self, host: Host, end: TransportEnd, *, schedule: Callable[[Callable[[], None]], None] | None = None
    ) -> None:
        self._host = host
        self._end = end
        self._is_open = True
        host.attach(self)
        end.set_waker(self.pump if schedule is None else lambda: schedule(self.pump))
        self.pump()

    def pump(self) -> None:
        """Hand everything that has come to the simulator. Any thread; harmless when there is nothing."""
        # The end is touched only under the simulator's lock, as `send_texts` is: it is made for one thread at a time.
        with self._host.turn():
            if not self._is_open:
                return
            try:
                texts = self._end.receive()
                while texts and self._is_open:
                    for text in texts:
                        self._host.receive(self, text)
                    texts = self._end.receive() if self._is_open else []
            except TransportError:
                self._is_open = False
                self._end.set_waker(None)
                self._end.close()
                self._host.detach(self)

    def send_texts(self, texts: list[bytes]) -> None:
        """Write these texts, in this order; a peer that is gone is noticed at the next `pump`."""
        if not self._is_open:
            return
        try:
            self._end.send(texts)
        except TransportError:
            # Detaching here would change the simulator in the middle of its turn; the waker's pump does it.
            return

    def close(self, *, clean: bool) -> None:
        """Close this end: with a goodbye, or so that the client sees it break."""
        if not self._is_open:
            return
        self._is_open = False
        self._end.set_waker(None)
        if clean:
            self._end.close()
        else:
            self._end.abort()
