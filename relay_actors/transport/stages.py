"""How a connection is opened, stage by stage: name, TCP, proxy, TLS. Layer: pillar.

Each stage has one deadline for all that happens in it, however the other side spreads its bytes: a server that drips
one byte a second cannot stretch it. No call in here blocks the thread for good: sockets are non-blocking from the
start, and every wait is one poll over the socket, the time that is left, and a wake-up by which another thread ends
the attempt.

websocket-client could open TCP, proxy and TLS itself, but gives each single system call the whole time-out, cannot be
interrupted and keeps the socket to itself until it is done; all it is asked for is the upgrade (`websocket_client`).

This is the one module of `transport/` that reads a clock. Source: PROTOCOL 1, 16.2.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import select
import socket
import ssl
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any, Final

from relay_actors.config import is_loopback
from relay_actors.errors import ConnectFailedError
from relay_actors.late_dataclasses import dataclass
from relay_actors.transport.tls_records import TlsRecords

__all__ = ["READABLE", "WRITABLE", "Attempt", "Proxy", "open_tcp", "open_tunnel", "proxy_for", "wrap_tls"]

READABLE: Final = select.POLLIN
WRITABLE: Final = select.POLLOUT

_DEFAULT_PROXY_PORT: Final = 80
_END_OF_HEAD: Final = b"\r\n\r\n"
_LONGEST_HEAD: Final = 16 * 1024
_RECORDS_BYTES: Final = 16 * 1024
_LONGEST_POLL_S: Final = 1e6
"""A poll takes no more than 24 days: who sets a longer time wants none."""
_WRONG_NAME_CODES: Final = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH: the certificate is sound, but another's."""

_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class Attempt:
    """One connect that is under way: its stage, its deadline, and the way another thread ends it.

    Used by one thread, except for `cancel`.

    Args:
        target: ``host:port``, for the texts of errors.

    Raises:
        ConnectFailedError: the process has no more descriptors.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._stage = "tcp"
        self._seconds = 0.0
        self._deadline = 0.0
        self._is_cancelled = False
        self._woken, self._waker = self.pair()

    def begin(self, stage: str, seconds: float) -> None:
        """Enter ``stage`` (``tcp``, ``tls`` or ``upgrade``), which must be over in ``seconds``."""
        self._stage = stage
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def failed(self, why: str) -> ConnectFailedError:
        """Return the error that ends this attempt, to be raised."""
        return ConnectFailedError(self._stage, self._target, why)

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """Return two sockets that are joined.

        Raises:
            ConnectFailedError: the process has no more descriptors.
        """
        try:
            return socket.socketpair()
        except OSError as error:
            raise self.failed(str(error)) from error

    def ready(self, sock: socket.socket, event: int, *, share: int = 1) -> bool:
        """Wait until ``sock`` is `READABLE` or `WRITABLE`; return False when the time is over first.

        Args:
            sock: what to wait for.
            event: `READABLE` or `WRITABLE`.
            share: into how many parts to cut the time that is left; the wait takes one of them.

        Raises:
            ConnectFailedError: `cancel` was called.
        """
        poll = select.poll()
        poll.register(sock, event)
        poll.register(self._woken, READABLE)
        left_s = max(0.0, self._deadline - time.monotonic()) / share
        ready = poll.poll(min(left_s, _LONGEST_POLL_S) * 1000.0)
        if self._is_cancelled:
            raise self.failed("it was cancelled")
        return bool(ready)

    def wait(self, sock: socket.socket, event: int) -> None:
        """Wait until ``sock`` is `READABLE` or `WRITABLE`.

        Raises:
            ConnectFailedError: the stage's time is over, or `cancel` was called.
        """
        if not self.ready(sock, event):
            raise self.failed(f"it was not done within {self._seconds:g} s")

    def receive(self, sock: socket.socket, size: int) -> bytes:
        """Return up to ``size`` bytes, waiting for the first; none when the other side has closed.

        Raises:
            ConnectFailedError: see `wait`.
            OSError: the connection is lost.
        """
        while True:
            try:
                return sock.recv(size)
            except BlockingIOError:
                self.wait(sock, READABLE)

    def send_all(self, sock: socket.socket, data: bytes) -> None:
        """Write all of ``data``.

        Raises:
            ConnectFailedError: see `wait`.
            OSError: the connection is lost.
        """
        while data:
            try:
                data = data[sock.send(data) :]
            except BlockingIOError:
                self.wait(sock, WRITABLE)

    def cancel(self) -> None:
        """Make the attempt fail soon. Any thread, but not after `free`; idempotent."""
        self._is_cancelled = True
        # A hang-up, and not a byte: it cannot fill up, and stays readable for every later wait.
        with contextlib.suppress(OSError):  # the second cancel finds it hung up
            self._waker.shutdown(socket.SHUT_RDWR)

    def free(self) -> None:
        """Give the attempt's own descriptors back. Idempotent."""
        self._woken.close()
        self._waker.close()


def open_tcp(attempt: Attempt, host: str, port: int, *, named_by: str = "SIGNALWIRE_SPACE") -> socket.socket:
    """Return a connected, non-blocking TCP socket: the first of the host's addresses that answers.

    The addresses are tried in the system's order. Each gets its share of the time that is left, so that one that
    swallows packets does not use up the time of the next.

    Args:
        attempt: whose deadline counts.
        host: name or address.
        port: 1 to 65535.
        named_by: the variable to mend when the host is wrong.

    Raises:
        ConnectFailedError: no such name, nobody answers, or the attempt is over.
    """
    addresses = _resolve(attempt, host, port, named_by)
    reason = "the name has no address"
    for share, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        try:
            return _connect_one(attempt, address, share)
        except OSError as error:
            reason = error.strerror or str(error)
    raise attempt.failed(f"{host}:{port}: {reason}; check that {named_by} is right and a server listens there")


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that tunnels."""

    host: str
    port: int
    authorization: str
    """The value of the ``Proxy-Authorization`` header, or nothing."""


def proxy_for(attempt: Attempt, host: str) -> Proxy | None:
    """Return the proxy that ``https_proxy`` and ``no_proxy`` name for ``host``, if any.

    A loopback host never goes through a proxy: it would be the proxy's own loopback. So ``http_proxy``, the one for
    plain ``ws://``, never applies.

    Raises:
        ConnectFailedError: the variable names something that is not an ``http://`` proxy.
    """
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    text = urllib.request.getproxies().get("https", "")
    if not text:
        return None
    try:
        url = urllib.parse.urlsplit(text if "://" in text else f"http://{text}")
        name, port = url.hostname, url.port or _DEFAULT_PROXY_PORT
    except ValueError:  # a port that is no number, brackets that do not match
        name = None
    if not name or url.scheme != "http":
        # The variable's value stays out of the text: it may hold a password.
        raise attempt.failed("https_proxy must be of the form http://[user:password@]host[:port]")
    authorization = ""
    if url.username:
        pair = f"{urllib.parse.unquote(url.username)}:{urllib.parse.unquote(url.password or '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    return Proxy(name, port, authorization)


def open_tunnel(attempt: Attempt, proxy: Proxy, host: str, port: int) -> socket.socket:
    """Return a non-blocking socket that a proxy has joined to ``host:port``.

    Raises:
        ConnectFailedError: the proxy cannot be reached or refuses, or the attempt is over.

    Source: RFC 9110 section 9.3.6.
    """
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    request = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
    if proxy.authorization:
        request += f"Proxy-Authorization: {proxy.authorization}\r\n"
    with contextlib.ExitStack() as on_failure:
        sock = on_failure.enter_context(open_tcp(attempt, proxy.host, proxy.port, named_by="https_proxy"))
        try:
            attempt.send_all(sock, f"{request}\r\n".encode())
            answer = _read_head(attempt, sock)
        except OSError as error:
            raise attempt.failed(f"the proxy {proxy.host}:{proxy.port} (https_proxy): {error}") from error
        status_line = answer.partition(b"\r\n")[0].decode("ascii", "replace")
        if not answer.endswith(_END_OF_HEAD) or status_line.split()[1:2] != ["200"]:
            raise attempt.failed(f"the proxy {proxy.host}:{proxy.port} (https_proxy) answered {status_line[:200]!r}")
        on_failure.pop_all()
        return sock


def wrap_tls(attempt: Attempt, sock: socket.socket, host: str, ca_file: str) -> TlsRecords:
    """Return the TLS of ``sock`` after a handshake in which the server proved to be ``host``.

    Args:
        attempt: whose deadline counts.
        sock: connected and non-blocking; closed when this fails.
        host: the name or address that the certificate must bear.
        ca_file: a bundle to trust in place of the system's store, or nothing.

    Raises:
        ConnectFailedError: the bundle is unusable, the certificate is refused, the server does not speak TLS, or the
            attempt is over.
    """
    with contextlib.ExitStack() as on_failure:
        on_failure.enter_context(sock)
        context = _tls_context(attempt, ca_file)
        try:
            tls = TlsRecords(context, host.encode("idna").decode("ascii"))
            _shake_hands(attempt, sock, tls)
        except ssl.SSLCertVerificationError as error:
            raise attempt.failed(_why_not_trusted(error)) from error
        except (OSError, ValueError) as error:  # ValueError: a name that no certificate can bear
            raise attempt.failed(f"{error}; check that SIGNALWIRE_SPACE names a server that speaks TLS") from error
        on_failure.pop_all()
        return tls


def _resolve(attempt: Attempt, host: str, port: int, named_by: str) -> Sequence[_Address]:
    # The system's resolver can neither be given a deadline nor be interrupted, so it runs in a thread of its own,
    # which is left behind if need be. Closing its end of the pair is how it says that it has finished.
    found: list[Sequence[_Address] | OSError | UnicodeError] = []
    ours, theirs = attempt.pair()

    def look_up() -> None:
        with theirs:
            try:
                found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:  # UnicodeError: a label too long, or empty
                found.append(error)

    with ours:
        try:
            threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
        except RuntimeError as error:  # the machine has no more threads
            theirs.close()
            raise attempt.failed(str(error)) from error
        attempt.wait(ours, READABLE)
    answer = found[0]
    if isinstance(answer, OSError | UnicodeError):
        raise attempt.failed(f"the name {host!r} could not be resolved ({answer}); check {named_by}") from answer
    return answer


def _connect_one(attempt: Attempt, address: _Address, share: int) -> socket.socket:
    family, kind, proto, _name, where = address
    sock = socket.socket(family, kind, proto)
    try:
        sock.setblocking(False)
        # All texts of a round go out in one write, so there is nothing for Nagle's algorithm to collect.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(where)
        if code in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            is_done = attempt.ready(sock, WRITABLE, share=share)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if is_done else errno.ETIMEDOUT
        if code == 0 and sock.getsockname() == sock.getpeername():
            # TCP lets a socket connect to itself when its own port happens to be the one that nobody listens on,
            # which a client that keeps trying a dead local server does hit in the end.
            code = errno.ECONNREFUSED
        if code != 0:
            raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


def _read_head(attempt: Attempt, sock: socket.socket) -> bytes:
    # Byte by byte: what follows the head is the server's, and must stay in the socket for TLS.
    head = b""
    while not head.endswith(_END_OF_HEAD) and len(head) < _LONGEST_HEAD:
        byte = attempt.receive(sock, 1)
        if not byte:
            break
        head += byte
    return head


def _tls_context(attempt: Attempt, ca_file: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:  # also every ssl.SSLError
        raise attempt.failed(
            f"SIGNALWIRE_RELAY_CA_FILE (ca_file) names {ca_file!r}, which cannot be used as a bundle ({error})"
        ) from error
    # Python's default, but not that of every system's own Python.
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    # A renegotiation would let a write wait for a read; nobody needs it, and TLS 1.3 has dropped it.
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def _shake_hands(attempt: Attempt, sock: socket.socket, tls: TlsRecords) -> None:
    while True:
        try:
            is_done = tls.shake_hands()
        except OSError:
            with contextlib.suppress(OSError):
                sock.send(tls.to_send())  # tells the server why
            raise
        attempt.send_all(sock, tls.to_send())
        if is_done:
            return
        tls.take(attempt.receive(sock, _RECORDS_BYTES))


def _why_not_trusted(error: ssl.SSLCertVerificationError) -> str:
    why = f"the server's certificate is refused ({error.verify_message})"
    if error.verify_code in _WRONG_NAME_CODES:
        return f"{why}; check that SIGNALWIRE_SPACE is the name in the certificate"
    return f"{why}; if a private authority signed it, let SIGNALWIRE_RELAY_CA_FILE name its bundle"
