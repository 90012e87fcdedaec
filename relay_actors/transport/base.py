"""The seam of `transport/`: how whole texts move. Another socket library implements this. Layer: pillar."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

__all__ = ["Connector", "Transport"]


class Transport(Protocol):
    """One open connection that carries whole texts (UTF-8 bytes), in order.

    No method blocks. A transport is only ever touched by one thread at a time: whoever drives it sees to that.
    Whoever was given a transport calls `close` or `abort` in the end, also after a `TransportError`. From then on
    `receive`, `send` and `flush` raise `TransportError`, `wants_write` is False and `fileno` is -1.
    """

    def fileno(self) -> int:
        """Return the descriptor to poll, or -1 when the operating system cannot poll it (then see `set_waker`).

        The descriptor is readable as long as `receive` has something to give or a loss to raise, so it is enough to
        poll it (level-triggered) and to call `receive` once each time.
        """

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        """Have ``wake`` called, from any thread, when there is something to receive or the peer is gone.

        Called at once, in this thread, when that is so already and no poll would tell. After that only transports with
        ``fileno() == -1`` call it; also `receive` itself does, when it leaves a loss to be raised by the next one. It
        must not call back into the transport: it schedules.
        """

    def wants_write(self) -> bool:
        """Return whether bytes wait for a slow socket, so that `flush` is due once it is writable.

        Ask again after every other method: also `receive` may leave bytes to write (an answer to a ping).
        """

    def receive(self) -> list[bytes]:
        """Return every whole text that is there, possibly none.

        Raises:
            TransportError: the peer is gone or broke the protocol. Texts that came before were returned first.
        """

    def send(self, texts: Iterable[bytes]) -> None:
        """Write these texts, all in one go; what the socket does not take waits for `flush`.

        Raises:
            TransportError: the connection is lost, or more bytes wait than the bound allows. Texts that have come
                in before can still be received.
        """

    def flush(self) -> None:
        """Write what waits, as far as the socket takes it.

        Raises:
            TransportError: the connection is lost.
        """

    def close(self) -> None:
        """Say goodbye (WebSocket 1000) as far as that is possible without waiting, and free everything. Idempotent."""

    def abort(self) -> None:
        """Free everything at once, with no goodbye: the peer sees a broken connection. Idempotent."""


class Connector(Protocol):
    """Opens connections."""

    def connect(self) -> Transport:
        """Return an open transport. Blocks, within deadlines; never called on a thread that runs actors.

        Raises:
            ConnectFailedError: says which of TCP, TLS and upgrade failed, and why.
        """

    def cancel(self) -> None:
        """Make every `connect` that is under way in another thread fail soon. Any thread; idempotent.

        One that begins later is not affected, and one that was about to succeed may still do so: whoever cancels
        frees a transport that comes all the same.
        """
