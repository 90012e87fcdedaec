"""RELAY's WebSocket, on websocket-client's low-level `WebSocket`. Layer: pillar; the one importer of ``websocket``.

The library shakes hands (the upgrade) and takes every unusual frame apart; never its `WebSocketApp`, which wants a
thread and a loop of its own. Around it stand `stages` (TCP, proxy and TLS, each under a deadline) and
`websocket_frames` (the usual frames, in bulk). Once it is open, the socket is never waited for: whoever polls it reads
all that is there in one go and writes all there is to write in one go. Source: PROTOCOL 1, 16.2.
"""

from __future__ import annotations

import contextlib
import http.cookies
import io
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from typing import Final

import websocket

from relay_actors.config import Limits, Settings, Timing, split_host
from relay_actors.errors import ConnectFailedError, TransportError
from relay_actors.transport.stages import Attempt, open_tcp, open_tunnel, proxy_for, wrap_tls
from relay_actors.transport.tls_records import TlsRecords
from relay_actors.transport.websocket_frames import (
    CLOSE,
    MASK_KEY_BYTES,
    PING,
    PONG,
    Frame,
    MessageReader,
    compose,
    compose_texts,
)

__all__ = ["WebsocketConnector", "WebsocketTransport"]

_DEFAULT_PORTS: Final = {"wss": 443, "ws": 80}
_LONGEST_UPGRADE_ANSWER: Final = 64 * 1024
_COOKIES: Final = b"\r\nCookie: "
_END_OF_HEAD: Final = b"\r\n\r\n"
_READ_BYTES: Final = 64 * 1024
_ROUND_BYTES: Final = 1024 * 1024
"""How much one `receive` reads before it lets others have their turn; the poll comes back for the rest."""
_DRAIN_READS: Final = 16
_NORMAL_CLOSURE: Final = struct.pack("!H", 1000)
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class WebsocketConnector:
    """Opens connections to the server that the settings name.

    TLS always, with the certificate checked against the name; plain ``ws://`` to loopback only, which `Settings`
    enforces. Redirects are refused: they would carry the credentials to whomever the answer names.

    Args:
        settings: host, scheme and trusted authorities.
        timing: ``tcp_connect_s`` (with name resolution and proxy), ``tls_handshake_s`` and ``upgrade_s``.
        limits: of the transports that it opens.
    """

    def __init__(self, settings: Settings, timing: Timing, limits: Limits) -> None:
        self._settings = settings
        self._timing = timing
        self._limits = limits
        self._host, port = split_host(settings.host)
        self._port = port or _DEFAULT_PORTS[settings.scheme]
        self._lock = threading.Lock()
        self._attempts: set[Attempt] = set()

    def connect(self) -> WebsocketTransport:
        """Return an open transport. Blocks, each stage within its own deadline; any thread but those of actors.

        Raises:
            ConnectFailedError: says which of TCP, TLS and upgrade failed, why, and what to mend.
        """
        target = f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"
        attempt = Attempt(target)
        with self._lock:
            self._attempts.add(attempt)
        try:
            return self._open(attempt, target)
        finally:
            with self._lock:
                self._attempts.discard(attempt)
            attempt.free()

    def cancel(self) -> None:
        """Make every `connect` that is under way in another thread fail soon. Any thread; idempotent."""
        with self._lock:
            for attempt in self._attempts:
                attempt.cancel()

    def _open(self, attempt: Attempt, target: str) -> WebsocketTransport:
        attempt.begin("tcp", self._timing.tcp_connect_s)
        proxy = proxy_for(attempt, self._host)
        if proxy is None:
            sock = open_tcp(attempt, self._host, self._port)
        else:
            sock = open_tunnel(attempt, proxy, self._host, self._port)
        tls = None
        if self._settings.scheme == "wss":
            attempt.begin("tls", self._timing.tls_handshake_s)
            tls = wrap_tls(attempt, sock, self._host, self._settings.ca_file)
        attempt.begin("upgrade", self._timing.upgrade_s)
        early = _upgrade(attempt, sock, tls, self._settings.url)
        return WebsocketTransport(sock, target=target, limits=self._limits, tls=tls, early=early)


class WebsocketTransport:
    """One open WebSocket; a `Transport` that is polled.

    Args:
        sock: upgraded and non-blocking; belongs to the transport from now on.
        target: ``host:port``, for the texts of errors.
        limits: ``frame_bytes`` bounds one message from the server, ``outbound_bytes`` what waits for a slow socket.
        tls: what the bytes of ``sock`` go through; None for plain ones.
        early: what the server has said already, behind its answer to the upgrade, and is not in ``sock`` any more.
    """

    def __init__(
        self, sock: socket.socket, *, target: str, limits: Limits, tls: TlsRecords | None = None, early: bytes = b""
    ) -> None:
        self._sock: socket.socket | None = sock
        self._tls = tls
        self._early = early
        self._target = target
        self._outbound_bytes = limits.outbound_bytes
        self._reader = MessageReader(limits.frame_bytes, parse=_parse, on_control=self._take_control)
        self._waiting = bytearray()
        self._goodbye_is_said = False
        # The two directions are lost one by one: what came in before a failed write can still be received.
        self._read_loss: TransportError | None = None
        self._write_loss: TransportError | None = None

    def fileno(self) -> int:
        """Return the descriptor to poll, or -1 once this end was closed."""
        return -1 if self._sock is None else self._sock.fileno()

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        """Wake at once, if no poll can see what is there; otherwise this transport is polled."""
        if wake is not None and self._early:
            wake()

    def wants_write(self) -> bool:
        """Return whether to poll for writing too, and to call `flush` when that is possible."""
        return bool(self._waiting)

    def receive(self) -> list[bytes]:
        """Return every whole text that is there, possibly none.

        Raises:
            TransportError: the server is gone, said goodbye, or broke the protocol; texts before that came first.
        """
        sock = self._open_socket()
        if self._read_loss is not None:
            raise self._read_loss
        texts: list[bytes] = []
        try:
            self._read(sock, texts)
        except TransportError as loss:
            self._read_loss = loss
        if self._read_loss is not None:
            if not texts:
                raise self._read_loss
            # The loss is for the next call, so the descriptor must stay readable.
            with contextlib.suppress(OSError):  # a connection that is reset is readable anyway
                sock.shutdown(socket.SHUT_RD)
        return texts

    def send(self, texts: Iterable[bytes]) -> None:
        """Write these texts in one go; what the socket does not take waits for `flush`.

        Raises:
            TransportError: the connection is lost, or more than ``outbound_bytes`` wait.
        """
        batch = texts if isinstance(texts, list) else list(texts)
        self._write(compose_texts(batch, os.urandom(MASK_KEY_BYTES * len(batch))))

    def flush(self) -> None:
        """Write what waits, as far as the socket takes it.

        Raises:
            TransportError: the connection is lost.
        """
        sock = self._open_socket()
        if self._write_loss is not None:
            raise self._write_loss
        if self._waiting:
            del self._waiting[: self._offer(sock, self._waiting)]

    def close(self) -> None:
        """Say goodbye with 1000, as far as that is possible without waiting, and free the descriptor. Idempotent."""
        sock = self._sock
        if sock is None:
            return
        with contextlib.suppress(TransportError):  # nobody is there to take the goodbye
            if not self._goodbye_is_said:
                self._say_goodbye(_NORMAL_CLOSURE)
            self.flush()
            if self._tls is not None:  # it has a goodbye of its own, without which the server sees a truncated stream
                self._put(sock, self._tls.goodbye())
        with contextlib.suppress(OSError):  # nothing left to read, or the connection is gone
            sock.shutdown(socket.SHUT_WR)
            # Bytes left unread would turn the close into a reset, which may overtake the goodbye.
            for _ in range(_DRAIN_READS):
                if not sock.recv(_READ_BYTES):
                    break
        self._free(sock)

    def abort(self) -> None:
        """Free the descriptor with no goodbye: the server sees the connection reset. Idempotent."""
        if self._sock is not None:
            with contextlib.suppress(OSError):  # macOS allows it no more once the server has reset the connection
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._free(self._sock)

    def _open_socket(self) -> socket.socket:
        if self._sock is None:
            raise TransportError(f"the connection to {self._target} was closed here")
        return self._sock

    def _free(self, sock: socket.socket) -> None:
        self._sock = None
        self._waiting.clear()
        sock.close()

    def _read(self, sock: socket.socket, texts: list[bytes]) -> None:
        if self._early:
            early, self._early = self._early, b""
            self._reader.feed(early, texts)
        budget = _ROUND_BYTES
        while budget > 0:
            try:
                chunk = sock.recv(_READ_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                raise self._lost(error) from error
            if not chunk:
                raise self._cut_off()
            if self._tls is None:
                self._reader.feed(chunk, texts)
            else:
                self._read_records(self._tls, chunk, texts)
            if len(chunk) < _READ_BYTES:
                return
            budget -= len(chunk)

    def _read_records(self, tls: TlsRecords, records: bytes, texts: list[bytes]) -> None:
        try:
            for said in tls.decrypt(records):
                self._reader.feed(said, texts)
        except OSError as error:
            raise self._lost(error) from error
        answer = tls.to_send()
        if answer:  # to a new key, which TLS 1.3 may ask for at any time
            self._put(self._open_socket(), answer)
        if tls.is_over:
            raise self._cut_off()

    def _write(self, data: bytes) -> None:
        sock = self._open_socket()
        if self._write_loss is not None:
            raise self._write_loss
        if self._tls is not None and data:
            try:
                data = self._tls.encrypt(data)
            except OSError as error:
                self._write_loss = self._lost(error)
                raise self._write_loss from error
        self._put(sock, data)

    def _put(self, sock: socket.socket, data: bytes) -> None:
        """Write ``data``, or as much as the socket takes; what it does not take waits."""
        if self._waiting:
            self._waiting += data
            if len(self._waiting) > self._outbound_bytes:
                self.flush()
        else:
            taken = self._offer(sock, data)
            if taken == len(data):
                return
            self._waiting += data[taken:]
        if len(self._waiting) > self._outbound_bytes:
            self._waiting.clear()
            self._write_loss = TransportError(
                f"{self._target} does not read: more than {self._outbound_bytes} bytes wait for it (outbound_bytes)"
            )
            raise self._write_loss

    def _offer(self, sock: socket.socket, data: bytes | bytearray) -> int:
        """Write as much of ``data`` as the socket takes, and return how many bytes that was."""
        if not data:
            return 0
        try:
            return sock.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._write_loss = self._lost(error)
            raise self._write_loss from error

    def _take_control(self, frame: Frame) -> None:
        if frame.opcode == PING:
            try:
                self._write(compose(PONG, frame.payload, os.urandom(MASK_KEY_BYTES)))
            except TransportError as loss:  # it ends the reading behind what has come in with the ping
                self._read_loss = loss
        elif frame.opcode == CLOSE:
            with contextlib.suppress(TransportError):  # the goodbye counts, whether or not its answer gets through
                self._say_goodbye(frame.payload[:2])
            raise TransportError(f"{self._target} closed the connection ({_what_a_close_says(frame.payload)})")

    def _say_goodbye(self, code: bytes) -> None:
        self._goodbye_is_said = True
        self._write(compose(CLOSE, code, os.urandom(MASK_KEY_BYTES)))

    def _cut_off(self) -> TransportError:
        return TransportError(f"{self._target} closed the connection without a goodbye")

    def _lost(self, error: OSError) -> TransportError:
        return TransportError(f"the connection to {self._target} is lost: {error.strerror or error}")


class _UpgradeSocket:
    """The socket as websocket-client sees it during the upgrade: under one deadline for all of it, and bounded.

    Attributes:
        said: what the server has said and the library has not asked for.
    """

    def __init__(self, attempt: Attempt, sock: socket.socket, tls: TlsRecords | None) -> None:
        self._attempt = attempt
        self._sock = sock
        self._tls = tls
        self._answer = bytearray()
        self.said = bytearray()

    @property
    def status_line(self) -> str:
        """What the server answered first, or nothing if that line never ended."""
        line, end, _rest = self._answer.partition(b"\n")
        return line.decode("latin-1").strip() if end else ""

    def gettimeout(self) -> float:
        """Return 0: the library then does no waiting of its own."""
        return 0.0

    def recv(self, size: int) -> bytes:
        if len(self._answer) >= _LONGEST_UPGRADE_ANSWER:
            raise self._attempt.failed(f"the server's answer is over {_LONGEST_UPGRADE_ANSWER} bytes")
        if self._tls is None:
            data = self._attempt.receive(self._sock, size)
        else:
            self._read_records(self._tls)
            data = bytes(self.said[:size])
            del self.said[:size]
        self._answer += data
        return data

    def _read_records(self, tls: TlsRecords) -> None:
        """See that something is in ``said``, unless nothing more will come."""
        while not self.said and not tls.is_over:
            records = self._attempt.receive(self._sock, _READ_BYTES)
            for said in tls.decrypt(records):
                self.said += said
            if not records:
                return

    def send(self, data: bytes) -> int:
        # The library keeps the cookies of all servers for as long as the process lives; they would be the last header.
        head, has_cookies, _cookies = data.partition(_COOKIES)
        said = head + _END_OF_HEAD if has_cookies else data
        self._attempt.send_all(self._sock, said if self._tls is None else self._tls.encrypt(said))
        return len(data)

    def close(self) -> None:
        self._sock.close()


def _upgrade(attempt: Attempt, sock: socket.socket, tls: TlsRecords | None, url: str) -> bytes:
    """Turn ``sock`` into a WebSocket, and return what the server has said since; it is closed when that fails."""
    upgrading = _UpgradeSocket(attempt, sock, tls)
    client = websocket.WebSocket(enable_multithread=False, skip_utf8_validation=True)
    try:
        # No special headers (PROTOCOL 1), so no Origin either: that is for browsers.
        client.connect(url, socket=upgrading, redirect_limit=0, suppress_origin=True)  # type: ignore[no-untyped-call]  # the library's
    except (websocket.WebSocketException, http.cookies.CookieError, OSError, ConnectFailedError) as error:
        sock.close()
        status = upgrading.status_line
        if status and status.split()[1:2] != ["101"]:
            location = (client.getheaders() or {}).get("location")
            moved = f" (to {location[:200]!r}; redirects are not followed)" if location else ""
            why = f"the server answered {status[:200]!r}{moved}; check that SIGNALWIRE_SPACE names a RELAY host"
            raise attempt.failed(why) from error
        if isinstance(error, ConnectFailedError):
            raise
        raise attempt.failed(str(error)) from error
    except BaseException:
        sock.close()
        raise
    return bytes(upgrading.said)


def _parse(raw: bytes) -> Frame:
    """Take one whole frame apart, the library's way.

    Raises:
        TransportError: reserved bits, an unknown opcode, a close code that does not exist, …
    """
    try:
        frame = websocket.frame_buffer(io.BytesIO(raw).read, skip_utf8_validation=True).recv_frame()
    except websocket.WebSocketException as error:
        raise TransportError(f"the server broke the WebSocket protocol: {error}") from error
    payload = frame.data if isinstance(frame.data, bytes) else frame.data.encode()
    return Frame(frame.opcode, bool(frame.fin), payload)


def _what_a_close_says(payload: bytes) -> str:
    if len(payload) < len(_NORMAL_CLOSURE):
        return "no code"
    code = int.from_bytes(payload[:2], "big")
    reason = payload[2:].decode("utf-8", "replace")
    return f"{code} {reason!r}" if reason else f"{code}"
