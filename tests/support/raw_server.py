"""A server on loopback whose every byte a test decides."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import re
import select
import socket
import ssl
import struct
import termios
import threading
from types import TracebackType
from typing import Self

import websocket

__all__ = ["DEADLINE_S", "RawPeer", "RawServer", "server_frame"]

DEADLINE_S = 10.0
"""After this a wait in a test has failed."""

_ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class RawServer:
    """A listening socket; the test takes each connection by hand."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(DEADLINE_S)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def accept(self, tls: ssl.SSLContext | None = None) -> RawPeer:
        """Take the next connection, with a TLS handshake when there is a context."""
        sock, _ = self._listener.accept()
        sock.settimeout(DEADLINE_S)
        if tls is None:
            return RawPeer(sock)
        try:
            return RawPeer(tls.wrap_socket(sock, server_side=True))
        except OSError:
            sock.close()
            raise

    def accept_upgraded(self, tls: ssl.SSLContext | None = None) -> RawPeer:
        """Take the next connection and shake hands as a WebSocket server."""
        peer = self.accept(tls)
        peer.upgrade()
        return peer

    def has_visitor(self) -> bool:
        """Whether somebody has connected who was not accepted yet."""
        return bool(select.select([self._listener], [], [], 0)[0])

    def close(self) -> None:
        self._listener.close()


class RawPeer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def read_head(self) -> str:
        """Read an HTTP head, up to and with its empty line."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.sock.recv(1)
            assert byte, f"the client hung up after {head!r}"
            head += byte
        return head.decode("ascii")

    def upgrade(self) -> str:
        """Answer the upgrade rightly and return the request's head."""
        head = self.read_head()
        found = re.search(r"^Sec-WebSocket-Key: (\S+)\r$", head, re.MULTILINE | re.IGNORECASE)
        assert found is not None, head
        accept = base64.b64encode(hashlib.sha1((found[1] + _ACCEPT_GUID).encode()).digest()).decode()
        self.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        return head

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read(self, size: int) -> bytes:
        """Read exactly ``size`` bytes."""
        data = bytearray()
        while len(data) < size:
            more = self.sock.recv(size - len(data))
            assert more, f"the client hung up after {len(data)} of {size} bytes"
            data += more
        return bytes(data)

    def send_and_hang_up(self, data: bytes) -> None:
        """Write ``data`` and its end, as far as the client still listens."""
        with contextlib.suppress(OSError):
            self.send(data)
            self.sock.shutdown(socket.SHUT_WR)

    def read_frame(self) -> tuple[int, bytes]:
        """Read one client frame and return its opcode and unmasked payload."""
        first, second = self.read(2)
        assert second & 0x80, "a client must mask"
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.read(8))
        key = self.read(4)
        assert first & 0x80, "the client fragments nothing"
        return first & 0x0F, websocket.ABNF.mask(key, self.read(length))

    def read_to_end(self) -> bytes:
        """Read until the client hangs up; a reset raises `ConnectionResetError`."""
        data = b""
        while more := self.sock.recv(65536):
            data += more
        return data

    def wait_until_delivered(self) -> None:
        """Wait until the client's system has all that was sent (TCP has acknowledged it)."""
        pause = threading.Event()
        for _ in range(int(DEADLINE_S / 0.001)):
            (unacknowledged,) = struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, b"\0" * 4))
            if not unacknowledged:
                return
            pause.wait(0.001)
        raise AssertionError("the client's system does not take what was sent")

    def reset(self) -> None:
        """Break the connection."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def server_frame(payload: bytes, opcode: int = 0x1, *, is_final: bool = True, reserved: int = 0) -> bytes:
    """Return an unmasked frame, composed by hand so that it agrees with nobody's codec but the RFC's."""
    first = (0x80 if is_final else 0) | reserved << 4 | opcode
    if len(payload) < 126:
        return struct.pack("!BB", first, len(payload)) + payload
    if len(payload) < 1 << 16:
        return struct.pack("!BBH", first, 126, len(payload)) + payload
    return struct.pack("!BBQ", first, 127, len(payload)) + payload
