"""The simulator on a real WebSocket, and its files on HTTP beside it. Layer: simulator, with I/O.

It has a thread of its own with an asyncio loop, which reads, writes and ticks; the simulator itself stays without I/O.
"""

from __future__ import annotations

import asyncio
import http
import logging
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from relay_actors.errors import ConfigError
from relay_actors.simulator.links import BinaryText
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.tls import TlsFiles
from relay_actors.simulator.websockets_outlets import SocketOutside

__all__ = ["SimulatorServer", "SocketLink"]

MAX_SIZE: Final = 10 * 1024 * 1024
"""The largest text that is taken. Source: PROTOCOL 1."""

STOP_WITHIN_S: Final = 5.0

BREAK_WITHIN_S: Final = 0.5
"""How long a client whose connection is to break may take to read what was said before."""

_log = logging.getLogger(__name__)
_library_log = logging.getLogger(f"{__name__}.library")
# Clients that are turned away, or that break off while they connect, are what this server is for: the library would
# log each one as an error with its traceback. Failures of the handler are still told.
_library_log.addFilter(lambda record: not str(record.msg).startswith("opening handshake failed"))


class SocketLink:
    """One WebSocket, as the simulator sees it. Its texts are written by a task of the server's loop."""

    def __init__(self, socket: ServerConnection, loop: asyncio.AbstractEventLoop) -> None:
        self._socket = socket
        self._loop = loop
        self._texts: list[bytes] = []
        self._wakes: asyncio.Event = asyncio.Event()
        self._closes_clean: bool | None = None

    def send_texts(self, texts: list[bytes]) -> None:
        """Hand over texts. Any thread, under the simulator's lock."""
        self._texts.extend(texts)
        self._wake()

    def close(self, *, clean: bool) -> None:
        """Close after the texts that were handed over, or (not clean) break the connection. Any thread, as above."""
        self._closes_clean = clean
        self._wake()
        if not clean:
            # A client that does not read would never let the writer come to the end.
            self._on_loop(lambda: self._loop.call_later(BREAK_WITHIN_S, self.break_now))

    async def write(self) -> None:
        """Write what is handed over, until the connection is closed from either side."""
        try:
            while True:
                await self._wakes.wait()
                self._wakes.clear()
                texts, self._texts = self._texts, []
                for text in texts:
                    await self._socket.send(text, text=not isinstance(text, BinaryText))
                if self._closes_clean is not None and not self._texts:
                    await self._end(clean=self._closes_clean)
                    return
        except ConnectionClosed:
            return

    def break_now(self) -> None:
        """Reset the connection: the client gets no goodbye. Only on the loop."""
        transport = self._socket.transport
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.fileno() != -1:
            # Lingering for no time makes the kernel send RST where it would have sent FIN.
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    async def _end(self, *, clean: bool) -> None:
        if clean:
            await self._socket.close()
        else:
            self.break_now()

    def _wake(self) -> None:
        self._on_loop(self._wakes.set)

    def _on_loop(self, call: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            _log.debug("nothing is written: the server has stopped")


class SimulatorServer:
    """Serves a simulator over WebSocket, on any path.

    Its files (recordings, transcripts, faxes) can be fetched by HTTP from the same port, at the URLs that events name.
    Streams and taps to loopback hosts are really sent while it runs, and end with it.

    Args:
        simulator: what is served; several servers may serve one.
        host: the address to listen on.
        port: 0 picks a free one, which later starts use again.
        tls: certificate and key; None: plain ``ws://``.
        listeners_ca_file: whom to trust when a stream or tap goes to ``wss://`` on a loopback host; None: the
            certificate authorities of the system. Certificates are always checked.

    `start` and `stop` may be called again and again; in a ``with`` statement they are called for you.
    """

    def __init__(
        self,
        simulator: Simulator,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls: TlsFiles | None = None,
        listeners_ca_file: Path | None = None,
    ) -> None:
        self.simulator = simulator
        self._host = host
        self._port = port
        self._tls = tls
        self._listeners_ca_file = listeners_ca_file
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ticker: asyncio.TimerHandle | None = None

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return self._host

    @property
    def port(self) -> int:
        """The port that it listens on; 0 before the first start if none was given."""
        return self._port

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"{'wss' if self._tls else 'ws'}://{self._host}:{self._port}"

    def start(self) -> SimulatorServer:
        """Listen, and return when clients can connect. Idempotent.

        Raises:
            ConfigError: the address or port cannot be used.
        """
        if self._thread is not None:
            return self
        outcome: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        thread = threading.Thread(target=self._run, args=(outcome,), name="relay-simulator", daemon=True)
        thread.start()
        failure = outcome.get()
        if failure is not None:
            thread.join()
            raise ConfigError(f"cannot serve on {self._host}:{self._port}: {failure}") from failure
        self._thread = thread
        return self

    def stop(self) -> None:
        """Close all connections and the port, and return when the thread has ended. Idempotent."""
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join(STOP_WITHIN_S)

    def __enter__(self) -> SimulatorServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, outcome: queue.SimpleQueue[Exception | None]) -> None:
        asyncio.run(self._serve(outcome))

    async def _serve(self, outcome: queue.SimpleQueue[Exception | None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        try:
            trust = self._trust_in_listeners()
            server = await self._listen()
        except Exception as exc:  # an address in use or out of range, no certificate: whoever starts it waits for that
            outcome.put(exc)
            return
        self._port = next(iter(server.sockets)).getsockname()[1]
        base_url = f"http{self.url.removeprefix('ws')}"
        outside = SocketOutside(base_url, turn=self.simulator.turn, tls=trust)
        self.simulator.show_outside(outside)
        self.simulator.add_waker(self._wake_ticker)
        self._rearm_ticker()
        outcome.put(None)
        try:
            await self._stopping.wait()
        finally:
            self.simulator.hide_outside(outside)
            await outside.close()
            self.simulator.remove_waker(self._wake_ticker)
            if self._ticker is not None:
                self._ticker.cancel()
            server.close()
            await server.wait_closed()

    def _trust_in_listeners(self) -> ssl.SSLContext | None:
        if self._listeners_ca_file is None:
            return None
        return ssl.create_default_context(cafile=self._listeners_ca_file)

    async def _listen(self) -> Server:
        context: ssl.SSLContext | None = None
        if self._tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._tls.certificate_file, self._tls.key_file)
        return await serve(
            self._talk,
            self._host,
            self._port,
            ssl=context,
            process_request=self._receive_guest,
            max_size=MAX_SIZE,
            compression=None,
            ping_interval=None,
            close_timeout=1.0,
            logger=_library_log,
        )

    async def _receive_guest(self, guest: ServerConnection, request: Request) -> Response | None:
        """Hand out files, and turn clients away while sockets are down: their connection breaks before the upgrade."""
        if "websocket" not in request.headers.get("Upgrade", "").lower():
            return await self._hand_out(guest, request)
        if self.simulator.is_accepting:
            return None
        SocketLink(guest, guest.loop).break_now()
        return guest.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "The simulator takes no connections now.\n")

    async def _hand_out(self, guest: ServerConnection, request: Request) -> Response:
        # Older versions of the library let only GET through, and have no word for it.
        if getattr(request, "method", "GET") != "GET":
            return guest.respond(http.HTTPStatus.METHOD_NOT_ALLOWED, "Files can only be fetched with GET.\n")
        file = self.simulator.file_at(request.path)
        if file is None:
            return guest.respond(http.HTTPStatus.NOT_FOUND, "There is no such file; RELAY clients open a WebSocket.\n")
        body = await asyncio.to_thread(file.make)  # hours of sound take seconds, for which no call may wait
        headers = Headers()
        headers["Content-Type"] = file.content_type
        headers["Content-Length"] = str(len(body))
        headers["Connection"] = "close"
        return Response(http.HTTPStatus.OK, http.HTTPStatus.OK.phrase, headers, body)

    async def _talk(self, guest: ServerConnection) -> None:
        link = SocketLink(guest, guest.loop)
        try:
            self.simulator.attach(link)
        except ConnectionRefusedError:
            link.break_now()
            return
        writer = asyncio.create_task(link.write())
        try:
            async for message in guest:
                self.simulator.receive(link, message)
        except ConnectionClosed:
            _log.debug("a client broke its connection")
        finally:
            self.simulator.detach(link)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    def _wake_ticker(self) -> None:
        """Look at the deadlines again. Any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._rearm_ticker)

    def _rearm_ticker(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        due = self.simulator.next_deadline()
        if due is not None and self._loop is not None:
            wait_s = max(0.0, due - self.simulator.clock.now())
            self._ticker = self._loop.call_later(wait_s, self._tick)

    def _tick(self) -> None:
        try:
            self.simulator.tick(self.simulator.clock.now())
        except Exception as error:
            # What one person or operation gets wrong must not stop the time of all others.
            _log.exception("something that was due has failed")
            self.simulator.note_failure(error)
        finally:
            self._rearm_ticker()
