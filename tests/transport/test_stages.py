"""Name, TCP, proxy and TLS on loopback, with every way in which they fail."""

from __future__ import annotations

import errno
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relay_actors.errors import ConnectFailedError
from relay_actors.transport import stages
from relay_actors.transport.stages import Attempt, Proxy, open_tcp, open_tunnel, proxy_for, wrap_tls
from relay_actors.transport.tls_records import TlsRecords
from tests.support.ports import reserved_port
from tests.support.raw_server import DEADLINE_S, RawServer
from tests.support.tls import ThrowawayAuthority
from tests.transport.conftest import Background

SOON_S = 0.05
"""A deadline that is meant to be over."""


@pytest.fixture(autouse=True)
def every_descriptor_is_freed(no_descriptor_leaks: None) -> None:
    """Whatever becomes of a stage, nothing of it stays open."""


@pytest.fixture
def attempt() -> Iterator[Attempt]:
    under_way = Attempt("relay.test:443")
    under_way.begin("tcp", DEADLINE_S)
    yield under_way
    under_way.free()


def address(port: int, host: str = "127.0.0.1") -> tuple[Any, ...]:
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))


def resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[Any, ...]) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: list(addresses))


@pytest.fixture
def closed_port() -> Iterator[int]:
    with reserved_port() as port:
        yield port


# --- TCP ---------------------------------------------------------------------------------------------------------


def test_tcp_opens_a_socket_that_never_blocks_and_sends_at_once(attempt: Attempt, server: RawServer) -> None:
    """The dispatcher's thread touches it, and a round's texts are one write: nothing to collect."""
    with open_tcp(attempt, "127.0.0.1", server.port) as sock, server.accept():
        assert sock.gettimeout() == 0.0
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_refused_connection_names_the_variable_to_mend(attempt: Attempt, closed_port: int) -> None:
    """The text is all that an operator has."""
    with pytest.raises(ConnectFailedError, match=r"relay.test:443: tcp failed.*refused.*SIGNALWIRE_SPACE") as caught:
        open_tcp(attempt, "127.0.0.1", closed_port)
    assert caught.value.stage == "tcp"


@pytest.mark.parametrize("host", ["no-such-name.invalid", "label..empty", "x" * 64 + ".test"])
def test_a_name_that_cannot_be_resolved_names_the_variable_to_mend(attempt: Attempt, host: str) -> None:
    """Also names that are not even well-formed, which Python reports in another way."""
    with pytest.raises(ConnectFailedError, match=r"could not be resolved.*SIGNALWIRE_SPACE"):
        open_tcp(attempt, host, 443)


def test_a_name_without_an_address_fails(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty answer must not read as a success."""
    resolves_to(monkeypatch)
    with pytest.raises(ConnectFailedError, match="no address"):
        open_tcp(attempt, "relay.test", 443)


def test_the_next_address_is_tried_when_one_refuses(
    attempt: Attempt, server: RawServer, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A space has several addresses so that one may be down."""
    resolves_to(monkeypatch, address(closed_port), address(server.port))
    with open_tcp(attempt, "relay.test", server.port) as sock, server.accept():
        assert sock.getpeername()[1] == server.port


def test_an_address_of_an_unknown_family_does_not_hide_the_next(
    attempt: Attempt, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver may offer IPv6 to a kernel without it."""
    odd = (socket.AF_UNIX, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", "/nowhere")
    resolves_to(monkeypatch, odd, address(server.port))
    with open_tcp(attempt, "relay.test", server.port) as sock, server.accept():
        assert sock.getpeername()[1] == server.port


def test_a_process_without_descriptors_or_threads_fails_as_a_connect_that_is_tried_again(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come back; a client that has stopped trying would not. PROTOCOL 6.6."""

    def no_more(*_given: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    def no_thread(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with pytest.raises(ConnectFailedError, match="can't start new thread"):
        open_tcp(attempt, "127.0.0.1", 443)
    monkeypatch.setattr(socket, "socketpair", no_more)
    with pytest.raises(ConnectFailedError, match="Too many open files"):
        open_tcp(attempt, "127.0.0.1", 443)
    with pytest.raises(ConnectFailedError, match="Too many open files"):
        Attempt("relay.test:443")


@pytest.fixture
def silent_address() -> Iterator[tuple[Any, ...]]:
    """An address on loopback that swallows connects: its listener's queue is full and nobody accepts."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        where = listener.getsockname()
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(where)
            fillers.append(filler)
        yield address(where[1])
        for filler in fillers:
            filler.close()


def test_an_address_that_swallows_packets_leaves_time_for_the_next(
    server: RawServer, monkeypatch: pytest.MonkeyPatch, silent_address: tuple[Any, ...]
) -> None:
    """One dead address among several must not use up the stage's whole deadline."""
    attempt = Attempt("relay.test:443")
    attempt.begin("tcp", 0.6)
    resolves_to(monkeypatch, silent_address, address(server.port))
    with open_tcp(attempt, "relay.test", server.port) as sock, server.accept():
        assert sock.getpeername()[1] == server.port
        assert time.monotonic() < attempt._deadline
    attempt.free()


def test_tcp_fails_when_the_deadline_of_the_stage_is_over(
    monkeypatch: pytest.MonkeyPatch, silent_address: tuple[Any, ...], attempt: Attempt
) -> None:
    """All addresses together have one deadline."""
    attempt.begin("tcp", SOON_S)
    resolves_to(monkeypatch, silent_address, silent_address)
    with pytest.raises(ConnectFailedError, match="timed out"):
        open_tcp(attempt, "relay.test", 443)


@pytest.fixture
def stuck_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], bool]]:
    """A resolver that gives no answer until the test is over; returns how to wait until it has been asked."""
    asked, released = threading.Event(), threading.Event()

    def never(*_args: object, **_options: object) -> list[object]:
        asked.set()
        released.wait(DEADLINE_S)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    yield lambda: asked.wait(DEADLINE_S)
    released.set()
    for thread in threading.enumerate():
        if thread.name.startswith("resolve "):
            thread.join(DEADLINE_S)


@pytest.mark.usefixtures("stuck_resolver")
def test_a_resolver_that_hangs_does_not_stretch_the_deadline(attempt: Attempt) -> None:
    """The system's resolver knows no deadline, and may take half a minute to give up."""
    attempt.begin("tcp", SOON_S)
    with pytest.raises(ConnectFailedError, match=r"tcp failed: it was not done within 0.05 s"):
        open_tcp(attempt, "relay.test", 443)


def test_cancel_ends_a_wait_for_the_resolver(
    attempt: Attempt, stuck_resolver: Callable[[], bool], background: Background
) -> None:
    """Stopping an application must not wait for DNS."""
    connecting = background(lambda: open_tcp(attempt, "relay.test", 443))
    assert stuck_resolver()
    attempt.cancel()
    attempt.cancel()
    with pytest.raises(ConnectFailedError, match="cancelled"):
        connecting.result(DEADLINE_S)


def test_cancel_ends_a_tcp_connect(
    attempt: Attempt, silent_address: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch, background: Background
) -> None:
    """A SYN that nobody answers is waited for by nobody once the attempt is cancelled."""
    resolves_to(monkeypatch, silent_address)
    connecting = background(lambda: open_tcp(attempt, "relay.test", 443))
    attempt.cancel()
    with pytest.raises(ConnectFailedError, match="cancelled"):
        connecting.result(DEADLINE_S)


def test_a_socket_that_connected_to_itself_counts_as_refused(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that retries a dead local port gets that port as its own in the end, and would then hear itself."""
    monkeypatch.setattr(socket.socket, "getpeername", lambda self: self.getsockname())
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(ConnectFailedError, match="refused"),
    ):
        open_tcp(attempt, "127.0.0.1", listener.getsockname()[1])


def test_what_is_sent_and_received_in_a_stage_is_under_its_deadline(attempt: Attempt) -> None:
    """A peer that drips its bytes gets no more time than one that is silent."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        attempt.begin("upgrade", 0.2)
        theirs.sendall(b"a")
        assert attempt.receive(ours, 1) == b"a"
        began = time.monotonic()
        with pytest.raises(ConnectFailedError, match=r"upgrade failed: it was not done within 0.2 s"):
            attempt.receive(ours, 1)
        with pytest.raises(ConnectFailedError, match=r"upgrade failed: it was not done within 0.2 s"):
            attempt.send_all(ours, b"x" * 10_000_000)
        assert time.monotonic() - began < DEADLINE_S / 2


def test_a_stage_may_have_more_time_than_one_poll_can_wait(attempt: Attempt, server: RawServer) -> None:
    """Whoever wants no limit, as beside a debugger, sets one of years."""
    attempt.begin("tcp", 1e9)
    with open_tcp(attempt, "127.0.0.1", server.port) as sock, server.accept():
        assert attempt.ready(sock, stages.WRITABLE)


# --- proxy -------------------------------------------------------------------------------------------------------


def test_there_is_no_proxy_unless_the_environment_names_one(attempt: Attempt) -> None:
    """The usual case."""
    assert proxy_for(attempt, "relay.test") is None


def test_https_proxy_names_the_proxy(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its password, decoded, ready for the header."""
    monkeypatch.setenv("https_proxy", "http://user:p%40ss@proxy.test:3128")
    assert proxy_for(attempt, "relay.test") == Proxy("proxy.test", 3128, "Basic dXNlcjpwQHNz")
    monkeypatch.setenv("https_proxy", "proxy.test")
    assert proxy_for(attempt, "relay.test") == Proxy("proxy.test", 80, "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "inside.test"])
def test_loopback_and_no_proxy_hosts_are_reached_directly(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """A proxy's loopback is another machine's."""
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("no_proxy", "inside.test")
    assert proxy_for(attempt, host) is None


@pytest.mark.parametrize("value", ["https://user:secret@proxy.test", "socks5://u:secret@p", "http://u:secret@p:port"])
def test_a_proxy_that_cannot_be_used_is_refused_without_telling_its_password(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """Going there directly instead would bypass what the operator set up."""
    monkeypatch.setenv("https_proxy", value)
    with pytest.raises(ConnectFailedError, match="https_proxy must be") as caught:
        proxy_for(attempt, "relay.test")
    assert "secret" not in str(caught.value)


def test_a_tunnel_asks_the_proxy_and_leaves_what_follows_to_the_server(
    attempt: Attempt, server: RawServer, background: Background
) -> None:
    """The first byte after the proxy's answer already belongs to the server."""
    proxy = Proxy("127.0.0.1", server.port, "Basic dTpw")
    opening = background(lambda: open_tunnel(attempt, proxy, "relay.test", 443))
    with server.accept() as peer:
        assert peer.read_head() == (
            "CONNECT relay.test:443 HTTP/1.1\r\nHost: relay.test:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
        )
        peer.send(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\nS")
        sock = opening.result(DEADLINE_S)
        assert isinstance(sock, socket.socket)
        with sock:
            assert attempt.receive(sock, 10) == b"S"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        b"HTTP/1.1 200 but hangs up",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"Endless: header\r\n" * 2000,
    ],
)
def test_a_proxy_that_refuses_is_named(
    attempt: Attempt, server: RawServer, background: Background, answer: bytes
) -> None:
    """So that nobody looks for the fault at RELAY."""
    opening = background(lambda: open_tunnel(attempt, Proxy("127.0.0.1", server.port, ""), "::1", 443))
    with server.accept() as peer:
        assert peer.read_head().startswith("CONNECT [::1]:443 HTTP/1.1\r\n")
        peer.send_and_hang_up(answer)
        with pytest.raises(ConnectFailedError, match=rf"127.0.0.1:{server.port} \(https_proxy\) answered"):
            opening.result(DEADLINE_S)


def test_a_proxy_that_is_not_there_is_named(attempt: Attempt, closed_port: int) -> None:
    """SIGNALWIRE_SPACE is not what is wrong then."""
    with pytest.raises(ConnectFailedError, match="refused; check that https_proxy"):
        open_tunnel(attempt, Proxy("127.0.0.1", closed_port, ""), "relay.test", 443)


def test_a_proxy_that_breaks_off_is_named(attempt: Attempt, server: RawServer, background: Background) -> None:
    """A reset is an answer too."""
    opening = background(lambda: open_tunnel(attempt, Proxy("127.0.0.1", server.port, ""), "relay.test", 443))
    with server.accept() as peer:
        peer.read_head()
        peer.reset()
    with pytest.raises(ConnectFailedError, match=r"\(https_proxy\): .*reset"):
        opening.result(DEADLINE_S)


# --- TLS ---------------------------------------------------------------------------------------------------------


def tls_through(
    attempt: Attempt, server: RawServer, background: Background, context: ssl.SSLContext, host: str, ca_file: str
) -> object:
    """Shake hands with a server that uses ``context`` and return the result; failures on either side are raised."""

    def connect() -> object:
        attempt.begin("tls", DEADLINE_S)
        sock = open_tcp(attempt, "127.0.0.1", server.port)
        tls = wrap_tls(attempt, sock, host, ca_file)
        sock.close()
        return tls

    connecting = background(connect)
    try:
        server.accept(context).close()
    except OSError:  # the client's refusal arrives as an alert; what counts is what the client raises
        assert connecting.exception(DEADLINE_S) is not None
    return connecting.result(DEADLINE_S)


@pytest.mark.parametrize("host", ["relay.test", "127.0.0.1"])
def test_tls_trusts_the_bundle_that_is_named(
    attempt: Attempt, server: RawServer, background: Background, authority: ThrowawayAuthority, host: str
) -> None:
    """SIGNALWIRE_RELAY_CA_FILE takes the place of the system's store; names and addresses alike."""
    tls = tls_through(attempt, server, background, authority.server_context(host), host, str(authority.ca_file))
    assert isinstance(tls, TlsRecords)
    assert tls._tls.version() == "TLSv1.3"


def test_a_server_of_an_unknown_authority_is_refused_and_the_bundle_named(
    attempt: Attempt, server: RawServer, background: Background, authority: ThrowawayAuthority
) -> None:
    """Without the bundle the system's store decides, and it does not know the test's authority."""
    with pytest.raises(ConnectFailedError, match=r"tls failed: .*refused.*SIGNALWIRE_RELAY_CA_FILE"):
        tls_through(attempt, server, background, authority.server_context("relay.test"), "relay.test", "")


@pytest.mark.parametrize(("host", "certified"), [("relay.test", "other.test"), ("127.0.0.1", "127.0.0.2")])
def test_a_server_with_another_name_is_refused_and_the_host_named(
    attempt: Attempt,
    server: RawServer,
    background: Background,
    authority: ThrowawayAuthority,
    host: str,
    certified: str,
) -> None:
    """A valid certificate of somebody else is what an attacker has."""
    context = authority.server_context(certified)
    with pytest.raises(ConnectFailedError, match=r"mismatch.*SIGNALWIRE_SPACE is the name"):
        tls_through(attempt, server, background, context, host, str(authority.ca_file))


def test_a_server_that_does_not_speak_tls_is_named(attempt: Attempt, server: RawServer, background: Background) -> None:
    """A wrong port is the usual reason."""
    attempt.begin("tls", DEADLINE_S)
    connecting = background(lambda: wrap_tls(attempt, open_tcp(attempt, "127.0.0.1", server.port), "relay.test", ""))
    with server.accept() as peer:
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(ConnectFailedError, match=r"tls failed: .*speaks TLS"):
            connecting.result(DEADLINE_S)


def test_a_name_that_no_certificate_can_bear_fails_in_tls(attempt: Attempt, server: RawServer) -> None:
    """Python reports it as a `ValueError`; it must not escape as one."""
    attempt.begin("tls", DEADLINE_S)
    sock = open_tcp(attempt, "127.0.0.1", server.port)
    with server.accept(), pytest.raises(ConnectFailedError, match="tls failed"):
        wrap_tls(attempt, sock, ".relay.test", "")


def test_a_tls_handshake_that_stalls_fails_at_its_deadline(attempt: Attempt, server: RawServer) -> None:
    """A server that accepts and then sleeps."""
    sock = open_tcp(attempt, "127.0.0.1", server.port)
    attempt.begin("tls", SOON_S)
    with server.accept(), pytest.raises(ConnectFailedError, match=r"tls failed: it was not done within 0.05 s"):
        wrap_tls(attempt, sock, "relay.test", "")


def test_cancel_ends_a_tls_handshake(attempt: Attempt, server: RawServer, background: Background) -> None:
    """From another thread, at once."""
    sock = open_tcp(attempt, "127.0.0.1", server.port)
    attempt.begin("tls", DEADLINE_S)
    with server.accept() as peer:
        connecting = background(lambda: wrap_tls(attempt, sock, "relay.test", ""))
        assert peer.read(1) == b"\x16"  # the client's hello is out: it waits for ours
        attempt.cancel()
        with pytest.raises(ConnectFailedError, match="cancelled"):
            connecting.result(DEADLINE_S)


@pytest.mark.parametrize("content", [None, b"this is not a certificate"])
def test_a_bundle_that_cannot_be_used_is_named(
    attempt: Attempt, server: RawServer, tmp_path: Path, content: bytes | None
) -> None:
    """Missing, or full of something else."""
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    attempt.begin("tls", DEADLINE_S)
    sock = open_tcp(attempt, "127.0.0.1", server.port)
    with server.accept(), pytest.raises(ConnectFailedError, match=r"SIGNALWIRE_RELAY_CA_FILE.*bundle.pem"):
        wrap_tls(attempt, sock, "relay.test", str(bundle))


def test_tls_is_strict(attempt: Attempt, authority: ThrowawayAuthority) -> None:
    """Renegotiation would let a write wait for a read, which a transport that is only polled cannot do.

    The oldest version is ours to say: some systems' own Python allows every one that OpenSSL has. The rest is Python's
    default; this keeps it.
    """
    context = stages._tls_context(attempt, str(authority.ca_file))
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
