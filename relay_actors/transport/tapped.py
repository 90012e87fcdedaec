"""Lets somebody see every text of a connection. Layer: pillar.

Where nobody looks there is none of this: the connection is then its connector's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from relay_actors.transport.base import Connector, Transport

__all__ = ["TappedConnector", "TappedTransport", "Tell"]

Tell: TypeAlias = Callable[[bool, bytes], None]
"""Is given whether a text was sent by this side, and the text. Quick, and without errors of its own."""


class TappedConnector:
    """A `Connector` whose connections are looked at.

    Args:
        connector: opens them.
        tell: is called with each text, on the thread that drives the connection, in the order in which they cross.
    """

    def __init__(self, connector: Connector, tell: Tell) -> None:
        self._connector = connector
        self._tell = tell

    def connect(self) -> Transport:
        """Return an open transport; see `Connector`.

        Raises:
            ConnectFailedError: as the connector's own.
        """
        return TappedTransport(self._connector.connect(), self._tell)

    def cancel(self) -> None:
        """Make every `connect` that is under way fail soon."""
        self._connector.cancel()


class TappedTransport:
    """A `Transport` that tells what it carries: what was sent when it was handed over, what came when it was taken."""

    def __init__(self, transport: Transport, tell: Tell) -> None:
        self._transport = transport
        self._tell = tell

    def fileno(self) -> int:
        """Return the descriptor to poll, or -1."""
        return self._transport.fileno()

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        """Have ``wake`` called when there is something to receive."""
        self._transport.set_waker(wake)

    def wants_write(self) -> bool:
        """Return whether bytes wait for a slow socket."""
        return self._transport.wants_write()

    def receive(self) -> list[bytes]:
        """Return every whole text that is there."""
        texts = self._transport.receive()
        for text in texts:
            self._tell(False, text)
        return texts

    def send(self, texts: Iterable[bytes]) -> None:
        """Write these texts."""
        held = list(texts)
        # Before they leave: the answer to one must not be told first, and a peer in this process answers at once.
        for text in held:
            self._tell(True, text)
        self._transport.send(held)

    def flush(self) -> None:
        """Write what waits."""
        self._transport.flush()

    def close(self) -> None:
        """Say goodbye, and free everything."""
        self._transport.close()

    def abort(self) -> None:
        """Free everything at once."""
        self._transport.abort()
