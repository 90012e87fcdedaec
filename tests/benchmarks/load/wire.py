"""The load server's end of a WebSocket over TLS: reads and writes in bulk, and sleeps between frames or never does."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import select
import socket
import ssl
import time

__all__ = ["Gate", "GoneError", "Wire", "cut", "frame"]

_CHUNK = 262144
_LONGEST_ACK = 64
"""A frame of a client that is no longer is an acknowledgement: every request is longer, with its id and its method."""


class GoneError(Exception):
    """The client has closed the connection, or has died."""


def cut(data: bytes, texts: list[bytes]) -> bytes:
    """Append to ``texts`` every whole request in what the client has sent, unmasked; return what is left over.

    Acknowledgements are counted by nobody, so they are skipped without being unmasked.
    """
    at, size = 0, len(data)
    while size - at >= 6:
        length, start = data[at + 1] & 0x7F, at + 6
        if length == 126:
            if size - at < 8:
                break
            length, start = data[at + 2] << 8 | data[at + 3], at + 8
        elif length == 127:
            raise ValueError("a frame of more than 64 KiB is too long for this server")
        end = start + length
        if end > size:
            break
        if length > _LONGEST_ACK and data[at] == 0x81:
            key = (data[start - 4 : start] * (length // 4 + 1))[:length]
            masked = int.from_bytes(data[start:end], "little") ^ int.from_bytes(key, "little")
            texts.append(masked.to_bytes(length, "little"))
        at = end
    return data[at:]


def frame(text: bytes) -> bytes:
    """Return the frame of a text, as a server sends it: whole and not masked."""
    length = len(text)
    return (b"\x81%c" % length if length < 126 else b"\x81\x7e" + length.to_bytes(2, "big")) + text


class Gate:
    """Where clients come in, one after the other; it stays open, so that who comes back finds it at once."""

    def __init__(self, cert: str, key: str, *, spin: bool) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(cert, key)
        self._spin = spin
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port: int = self._listener.getsockname()[1]

    def accept(self, within_s: float) -> Wire:
        """Return the next client's connection, upgraded.

        Raises:
            TimeoutError: nobody came.
        """
        deadline = time.perf_counter() + within_s
        while True:
            self._listener.settimeout(max(0.001, deadline - time.perf_counter()))
            raw, _address = self._listener.accept()
            raw.settimeout(10.0)
            with contextlib.suppress(OSError):  # who has died in the middle of it comes back, or another one does
                client = self._context.wrap_socket(raw, server_side=True)
                _upgrade(client)
                return Wire(client, spin=self._spin)


class Wire:
    """One connection. `receive` and `send` never wait for the client; `wait` does, unless it spins."""

    def __init__(self, client: ssl.SSLSocket, *, spin: bool) -> None:
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self._spin = spin
        self._rest = b""
        self._out = b""

    @property
    def is_full(self) -> bool:
        """Whether the client does not take what is sent as fast as it comes."""
        return bool(self._out)

    def wait(self, until: float | None) -> None:
        """Sleep until there is something to read, room to write, or it is ``until``. Spinning, return at once."""
        if self._spin or self._client.pending():
            return
        timeout_s = 0.5 if until is None else max(0.0, min(0.5, until - time.perf_counter()))
        select.select([self._client], [self._client] if self._out else [], [], timeout_s)

    def receive(self) -> list[bytes]:
        """Return the requests that are there.

        Raises:
            GoneError: the client is.
        """
        try:
            chunk = self._client.recv(_CHUNK)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return []
        except OSError:
            raise GoneError from None
        if not chunk:
            raise GoneError
        texts: list[bytes] = []
        self._rest = cut(self._rest + chunk if self._rest else chunk, texts)
        return texts

    def send(self, frames: list[bytes]) -> None:
        """Write these frames, after what is still waiting; what the socket does not take waits for the next time.

        Raises:
            GoneError: the client is.
        """
        out = self._out + b"".join(frames)
        at = 0
        try:
            while at < len(out):
                at += self._client.send(out[at : at + _CHUNK])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            raise GoneError from None
        self._out = out[at:]

    def drop(self) -> None:
        """Break the connection without a word."""
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not an end
        self._client.close()
        self._out = b""


def _upgrade(client: ssl.SSLSocket) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        chunk = client.recv(4096)
        if not chunk:
            raise ConnectionError("gone before the upgrade")
        request += chunk
    key = re.search(rb"(?i)sec-websocket-key: (\S+)", request)
    if key is None:
        raise ConnectionError("no WebSocket")
    accept = base64.b64encode(hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    client.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
