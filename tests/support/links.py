"""The transports under one contract: each opens links whose far end a test can play.

A new back-end is one more class here and one more param of the contract suite.
"""

from __future__ import annotations

import collections
import contextlib
import queue
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import Protocol

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from relay_actors.config import Credentials, Limits, Settings, Timing
from relay_actors.errors import TransportError
from relay_actors.transport.base import Connector, Transport
from relay_actors.transport.memory import MemoryConnector, MemoryTransport
from relay_actors.transport.websocket_client import WebsocketConnector
from tests.support.raw_server import DEADLINE_S

__all__ = ["FarEnd", "Links", "LinksMaker", "MemoryLinks", "Poller", "WebsocketLinks", "client_settings"]


def client_settings(port: int, *, scheme: str = "ws", host: str = "127.0.0.1", ca_file: str = "") -> Settings:
    """Settings for a server on loopback."""
    credentials = Credentials(project="project", token="token")
    return Settings(credentials=credentials, host=f"{host}:{port}", scheme=scheme, ca_file=ca_file)


class FarEnd(Protocol):
    """The peer of the transport under test. Its waits have a deadline."""

    def send(self, text: bytes) -> None: ...

    def receive(self) -> bytes:
        """Wait for the next text."""

    def how_it_ended(self) -> str:
        """Wait for the end, and return ``goodbye`` (1000) or ``broken``."""

    def close(self) -> None:
        """Say goodbye, without waiting for an answer."""

    def vanish(self) -> None:
        """Break the connection."""


class Links(Protocol):
    """Where links of one kind come from."""

    connector: Connector

    def accept(self) -> FarEnd:
        """Return the far end of the connection that was opened last."""

    def refuse(self) -> None:
        """From now on nobody answers."""

    def close(self) -> None: ...


class Poller:
    """Waits on a transport the way a dispatcher does: by its descriptor, or by its waker."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._woken = threading.Event()
        transport.set_waker(self._woken.set)

    def is_ready(self, timeout_s: float = DEADLINE_S) -> bool:
        """Wait until there is something to receive or a loss to raise."""
        if self._transport.fileno() < 0:
            is_ready = self._woken.wait(timeout_s)
            self._woken.clear()
            return is_ready
        poll = select.poll()
        poll.register(self._transport.fileno(), select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))

    def receive(self, count: int) -> list[bytes]:
        """Wait for ``count`` texts, receiving once each time the transport is ready, as a dispatcher does."""
        texts: list[bytes] = []
        while len(texts) < count:
            assert self.is_ready(), f"only {len(texts)} of {count} texts came"
            texts += self._transport.receive()
        return texts

    def receive_until_lost(self) -> tuple[list[bytes], str]:
        """Collect texts until the loss is raised; return them and what it says."""
        texts: list[bytes] = []
        while True:
            assert self.is_ready(), f"the loss was never raised; these came: {texts}"
            try:
                texts += self._transport.receive()
            except TransportError as loss:
                return texts, str(loss)

    def flush(self) -> None:
        """Wait until all is written."""
        deadline = time.monotonic() + DEADLINE_S
        while self._transport.wants_write():
            poll = select.poll()
            poll.register(self._transport.fileno(), select.POLLOUT)
            assert poll.poll((deadline - time.monotonic()) * 1000), "the peer reads nothing"
            self._transport.flush()


class MemoryLinks:
    """Links on the memory transport; the far end is a `MemoryTransport` like the near one."""

    def __init__(self, limits: Limits) -> None:
        self._accepted: collections.deque[MemoryTransport] = collections.deque()
        self.connector = MemoryConnector(self._accepted.append, limits=limits)

    def accept(self) -> FarEnd:
        return _MemoryFarEnd(self._accepted.pop())

    def refuse(self) -> None:
        self.connector.refuse()

    def close(self) -> None:
        """Nothing is open: no socket, no thread."""


class _MemoryFarEnd:
    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport
        self._poller = Poller(transport)
        self._texts: collections.deque[bytes] = collections.deque()

    def send(self, text: bytes) -> None:
        self._transport.send([text])

    def receive(self) -> bytes:
        if not self._texts:
            self._texts.extend(self._poller.receive(1))
        return self._texts.popleft()

    def how_it_ended(self) -> str:
        return "goodbye" if "1000" in self._poller.receive_until_lost()[1] else "broken"

    def close(self) -> None:
        self._transport.close()

    def vanish(self) -> None:
        self._transport.abort()


class WebsocketLinks:
    """Links to a server of the ``websockets`` package on loopback, which knows nothing of our codec."""

    def __init__(self, limits: Limits, *, tls: ssl.SSLContext | None = None, ca_file: str = "") -> None:
        self._accepted: queue.Queue[ServerConnection] = queue.Queue()
        self._is_over = threading.Event()
        self._server = serve(
            self._handle, "127.0.0.1", 0, ssl=tls, compression=None, max_size=None, ping_interval=None, close_timeout=1
        )
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        port: int = self._server.socket.getsockname()[1]
        settings = client_settings(port, scheme="ws" if tls is None else "wss", ca_file=ca_file)
        self.connector = WebsocketConnector(settings, Timing(), limits)
        self._handlers: list[threading.Thread] = []
        self._ends: list[_WebsocketFarEnd] = []

    def accept(self) -> _WebsocketFarEnd:
        end = _WebsocketFarEnd(self._accepted.get(timeout=DEADLINE_S))
        self._ends.append(end)
        return end

    def refuse(self) -> None:
        self._server.shutdown()

    def close(self) -> None:
        self._is_over.set()
        for end in self._ends:
            end.vanish()
        for handler in self._handlers:  # first, because the server would wait for them by polling
            handler.join(DEADLINE_S)
        self._server.shutdown()
        self._thread.join(DEADLINE_S)

    def _handle(self, connection: ServerConnection) -> None:
        # The server closes a connection whose handler returns.
        self._handlers.append(threading.current_thread())
        self._accepted.put(connection)
        self._is_over.wait()


class _WebsocketFarEnd:
    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    def send(self, text: bytes) -> None:
        self.connection.send(text.decode())

    def receive(self) -> bytes:
        text = self.connection.recv(timeout=DEADLINE_S)
        assert isinstance(text, str), "a client of RELAY sends text, never binary"
        return text.encode()

    def how_it_ended(self) -> str:
        try:
            while True:
                self.connection.recv(timeout=DEADLINE_S)
        except ConnectionClosed as closed:
            return "goodbye" if closed.rcvd is not None and closed.rcvd.code == 1000 else "broken"

    def close(self) -> None:
        # Closing waits for the answer, which the transport under test gives only when the test lets it read.
        threading.Thread(target=self.connection.close, daemon=True).start()

    def vanish(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.socket.shutdown(self.connection.socket, socket.SHUT_RDWR)


LinksMaker = Callable[[Limits], Links]
