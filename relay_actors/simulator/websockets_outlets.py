"""Real sockets for streams and taps, to loopback hosts only. Layer: simulator, with I/O.

The WebSockets live on the loop of a `SimulatorServer`; RTP needs none: a packet leaves at once, or is lost.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import ssl
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from relay_actors.simulator.outlets import OutletOwner

__all__ = ["SocketOutside", "UdpOutlet", "WebSocketOutlet"]

OPEN_WITHIN_S: Final = 5.0
CLOSE_WITHIN_S: Final = 1.0

FLUSH_WITHIN_S: Final = 5.0
"""How long a listener may take to read what was sent before the end."""

WAITING_BOUND: Final = 10_000
"""How many messages may wait for a listener that does not read; it loses its connection then."""

_log = logging.getLogger(__name__)


class WebSocketOutlet:
    """One WebSocket to a listener. What is sent before it is open waits.

    Args:
        url: whose host is a loopback one.
        headers: sent with the upgrade.
        owner: learns how it goes.
        turn: takes the simulator's lock.
        loop: where `run` runs.
        tls: trust for ``wss``; None: the certificate authorities of the system.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        owner: OutletOwner,
        *,
        turn: Callable[[], AbstractContextManager[None]],
        loop: asyncio.AbstractEventLoop,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._url = url
        self._headers = headers
        self._owner: OutletOwner | None = owner
        self._turn = turn
        self._loop = loop
        self._tls = tls
        self._waiting: deque[str | bytes] = deque()
        self._is_closing = False
        self._wakes = asyncio.Event()
        self._connection: ClientConnection | None = None

    def send(self, data: str | bytes) -> None:
        """Hand over a message. Any thread, under the simulator's lock."""
        self._waiting.append(data)
        self._on_loop(self._wakes.set if len(self._waiting) < WAITING_BOUND else self._break)

    def close(self) -> None:
        """Close after what was handed over. Any thread, as above."""
        self._owner = None
        self._is_closing = True
        self._on_loop(self._wakes.set)
        # A listener that does not read would never let it end.
        self._on_loop(lambda: self._loop.call_later(FLUSH_WITHIN_S, self._break))

    async def run(self) -> None:
        """Connect, write, and read without interest, until either side closes."""
        try:
            self._connection = connection = await self._connect()
        except (OSError, WebSocketException, ValueError) as exc:
            self.fail(f"Cannot connect to {self._url}: {exc}")
            return
        reader = asyncio.create_task(_read(connection))
        writer = asyncio.create_task(self._write(connection))
        try:
            self._tell(lambda owner: owner.outlet_opened(), is_last=False)
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            writer.cancel()
            self._tell(lambda owner: owner.outlet_closed())
            await connection.close()
            await asyncio.gather(reader, writer, return_exceptions=True)

    def fail(self, reason: str) -> None:
        """Tell the owner, if it was told of no end yet, that nobody can be reached. Only on the loop."""
        self._tell(lambda owner: owner.outlet_failed(reason))

    def _tell(self, tell: Callable[[OutletOwner], None], *, is_last: bool = True) -> None:
        with self._turn():
            owner = self._owner
            if is_last:
                self._owner = None
            if owner is not None:
                tell(owner)

    def _break(self) -> None:
        if self._connection is not None:
            self._connection.transport.abort()

    async def _connect(self) -> ClientConnection:
        parts = urlsplit(self._url)
        is_secure = parts.scheme == "wss"
        return await connect(
            self._url,
            # With the host spelled out the library follows no redirect to another one; a proxy would be one, too.
            host=parts.hostname,
            port=parts.port or (443 if is_secure else 80),
            proxy=None,
            ssl=(self._tls or True) if is_secure else None,
            additional_headers=self._headers,
            compression=None,
            open_timeout=OPEN_WITHIN_S,
            close_timeout=CLOSE_WITHIN_S,
            ping_interval=None,
        )

    async def _write(self, connection: ClientConnection) -> None:
        try:
            while not self._is_closing or self._waiting:
                await self._wakes.wait()
                self._wakes.clear()
                while self._waiting:
                    await connection.send(self._waiting.popleft())
        except ConnectionClosed:
            _log.debug("a listener has gone while it was written to")

    def _on_loop(self, call: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            _log.debug("nothing is sent: the server has stopped")


class UdpOutlet:
    """A way out for packets over UDP.

    Raises:
        OSError: there is no such address.
    """

    def __init__(self, host: str, port: int) -> None:
        if not 0 < port < 65536:
            raise OSError(f"{port} is no port")
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(family, kind, protocol)
        try:
            self._socket.setblocking(False)
            self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise
        name = self._socket.getsockname()
        self._source = (str(name[0]), int(name[1]))

    @property
    def source(self) -> tuple[str, int]:
        """The address and port that the packets come from."""
        return self._source

    def send(self, data: str | bytes) -> None:
        """Send a packet, or lose it."""
        try:
            self._socket.send(data.encode() if isinstance(data, str) else data)
        except OSError as exc:
            _log.debug("a packet is lost: %s", exc)

    def close(self) -> None:
        """Close. Idempotent."""
        self._socket.close()


class SocketOutside:
    """The sockets of one server (`outlets.Outside`).

    Args:
        base_url: where the server serves files.
        turn: takes the simulator's lock.
        tls: trust for ``wss`` listeners; None: the certificate authorities of the system.

    It belongs to the running loop.
    """

    def __init__(
        self,
        base_url: str,
        *,
        turn: Callable[[], AbstractContextManager[None]],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._base_url = base_url
        self._turn = turn
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._running: dict[asyncio.Task[None], WebSocketOutlet] = {}
        self._packet_outlets: weakref.WeakSet[UdpOutlet] = weakref.WeakSet()

    @property
    def base_url(self) -> str:
        """Where this server serves files."""
        return self._base_url

    def reaches(self, host: str) -> bool:
        """Whether a host is this machine's loopback: ``localhost``, 127.0.0.0/8 or ``::1``."""
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def open_websocket(self, url: str, headers: Mapping[str, str], owner: OutletOwner) -> WebSocketOutlet:
        """Begin to connect. Any thread, under the simulator's lock."""
        outlet = WebSocketOutlet(url, headers, owner, turn=self._turn, loop=self._loop, tls=self._tls)
        self._loop.call_soon_threadsafe(self._start, outlet)
        return outlet

    def open_packets(self, host: str, port: int) -> UdpOutlet:
        """Return a way out for packets. Any thread, as above.

        Raises:
            OSError: there is no such address.
        """
        outlet = UdpOutlet(host, port)
        self._packet_outlets.add(outlet)
        return outlet

    async def close(self) -> None:
        """Close everything, and return when it is closed. Only when nothing can be opened any more."""
        # Outlets that were opened a moment ago have their start waiting in the loop, before this.
        await asyncio.sleep(0)
        running = dict(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for outlet in running.values():
            outlet.fail("The server has stopped")
        with self._turn():
            for packet_outlet in self._packet_outlets:
                packet_outlet.close()

    def _start(self, outlet: WebSocketOutlet) -> None:
        task = self._loop.create_task(outlet.run())
        self._running[task] = outlet
        task.add_done_callback(self._running.pop)


async def _read(connection: ClientConnection) -> None:
    try:
        async for _message in connection:
            continue
    except ConnectionClosed:
        _log.debug("a listener broke its connection")
