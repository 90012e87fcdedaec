"""The WebSocket against a server whose every byte the test decides: the upgrade, and what no contract covers."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay_actors.config import Limits, Settings, Timing
from relay_actors.errors import ConnectFailedError, TransportError
from relay_actors.transport.tls_records import TlsRecords
from relay_actors.transport.websocket_client import WebsocketConnector, WebsocketTransport
from tests.support.links import Poller, WebsocketLinks, client_settings
from tests.support.raw_server import DEADLINE_S, RawPeer, RawServer, server_frame
from tests.support.thorough import less
from tests.support.tls import ThrowawayAuthority
from tests.transport.conftest import Background

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
LIMITS = Limits(frame_bytes=1_000_000, outbound_bytes=4_000_000)
ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.fixture(autouse=True)
def every_descriptor_is_freed(no_descriptor_leaks: None) -> None:
    """Whatever becomes of a connection, nothing of it stays open."""


def connector_to(server: RawServer, *, timing: Timing | None = None) -> WebsocketConnector:
    return WebsocketConnector(client_settings(server.port), timing or Timing(), LIMITS)


# --- the upgrade -------------------------------------------------------------------------------------------------


def test_the_upgrade_asks_for_no_path_and_bears_no_special_header(server: RawServer, background: Background) -> None:
    """PROTOCOL 1: authentication is in the first frame, and an Origin is for browsers."""
    connecting = background(connector_to(server).connect)
    with server.accept() as peer:
        head = peer.upgrade().lower().splitlines()
        connecting.result(DEADLINE_S).close()
    names = {line.partition(":")[0] for line in head[1:] if line}
    assert head[0] == "get / http/1.1"
    assert f"host: 127.0.0.1:{server.port}" in head
    assert names == {"host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version"}


@pytest.mark.parametrize("cookie", [b"a=b", rb'a="\015\012X-Evil: 1"'])
def test_no_cookie_is_sent_back(server: RawServer, background: Background, cookie: bytes) -> None:
    """PROTOCOL 1: no special headers. Those of every attempt would add up, until a server refuses so long a head."""
    for _ in range(2):
        connecting = background(connector_to(server).connect)
        with server.accept() as peer:
            head = peer.read_head().lower()
            peer.send_and_hang_up(b"HTTP/1.1 302 Found\r\nSet-Cookie: " + cookie + b"; Domain=127.0.0.1\r\n\r\n")
            assert isinstance(connecting.exception(DEADLINE_S), ConnectFailedError)
    assert "cookie" not in head
    assert "x-evil" not in head
    assert head.endswith("\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", r"'HTTP/1.1 401 Unauthorized'.*SIGNALWIRE_SPACE"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\ngo away\r\n", "401 Unauthorized"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: many\r\n\r\n", "401 Unauthorized"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000, "503 Busy"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhang", "200 OK"),
        (b"HTTP/1.1 302 Found\r\nLocation: wss://evil.test\r\n\r\n", r"302 Found' \(to 'wss://evil.test'; redirects"),
        (b"HTTP/1.1 308 Permanent Redirect\r\n\r\n", "308 Permanent Redirect"),
        (b"HTTP/1.1 307 Elsewhere\r\nSet-Cookie: a/b=c\r\n\r\n", "307 Elsewhere"),
        (ACCEPTED + b"Sec-WebSocket-Accept: d3Jvbmc=\r\n\r\n", "Invalid WebSocket Header"),
        (ACCEPTED + b"\r\n", "Invalid WebSocket Header"),
        (b"HTTP/1.1 101 Switching Protocols\r\nnonsense\r\n\r\n", "Invalid header"),
        (b"HTTP/1.1 101 Switching Protocols\r\nA: \xff\r\n\r\n", "not valid UTF-8"),
        (b"HTTP/1.1 101 Switching Protocols\r\n" + b"A: b\r\n" * 20_000, "over 65536 bytes"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH-2.0-OpenSSH_9.6"),
        (b"\r\n\r\n", "upgrade failed"),
        (b"", "upgrade failed"),
    ],
)
def test_a_refused_upgrade_says_what_the_server_answered(
    server: RawServer, background: Background, answer: bytes, why: str
) -> None:
    """Also when the answer is cut short, endless, or not HTTP at all; redirects are never followed."""
    connecting = background(connector_to(server).connect)
    with server.accept() as peer:
        peer.read_head()
        peer.send_and_hang_up(answer)
        with pytest.raises(ConnectFailedError, match=why) as caught:
            connecting.result(DEADLINE_S)
    assert caught.value.stage == "upgrade"
    assert str(caught.value).startswith(f"could not connect to 127.0.0.1:{server.port}: upgrade failed: ")


def test_a_redirect_is_not_followed(server: RawServer, background: Background) -> None:
    """The token would go to whomever the answer names; not even a connection may."""
    connecting = background(connector_to(server).connect)
    with RawServer() as elsewhere, server.accept() as peer:
        peer.read_head()
        peer.send_and_hang_up(b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:%d/\r\n\r\n" % elsewhere.port)
        assert isinstance(connecting.exception(DEADLINE_S), ConnectFailedError)
        assert not elsewhere.has_visitor()


@given(
    st.binary(max_size=60)
    | st.builds(
        lambda name, value: ACCEPTED + name + b":" + value + b"\r\n\r\n",
        st.sampled_from([b"Set-Cookie", b"Sec-WebSocket-Accept", b"Content-Length", b"Location", b"Upgrade"]),
        st.binary(max_size=40),
    )
)
@settings(max_examples=less(30, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_server_answers_the_upgrade_fails_in_one_way(
    server: RawServer, background: Background, answer: bytes
) -> None:
    """The back-off retries on `ConnectFailedError`; anything else would end the connection's actor."""
    connecting = background(connector_to(server).connect)
    with server.accept() as peer:
        peer.read_head()
        peer.send_and_hang_up(answer)
        with pytest.raises(ConnectFailedError):
            connecting.result(DEADLINE_S)


def test_a_server_that_resets_during_the_upgrade_fails_it(server: RawServer, background: Background) -> None:
    """A load balancer without a backend does this."""
    connecting = background(connector_to(server).connect)
    with server.accept() as peer:
        peer.read_head()
        peer.reset()
    with pytest.raises(ConnectFailedError, match=r"upgrade failed: .*reset"):
        connecting.result(DEADLINE_S)


def test_a_dripping_server_cannot_stretch_the_upgrades_deadline(server: RawServer, background: Background) -> None:
    """The deadline is for the stage: a byte now and then buys no time."""
    connecting = background(connector_to(server, timing=Timing(upgrade_s=0.3)).connect)
    drips = 0
    with server.accept() as peer:
        peer.read_head()
        pause = threading.Event()
        while not connecting.done():
            assert drips < 1000, "the upgrade outlived its deadline by far"
            drips += 1
            try:
                peer.send(b"H")
            except OSError:
                break
            pause.wait(0.02)
        with pytest.raises(ConnectFailedError, match=r"upgrade failed: it was not done within 0.3 s"):
            connecting.result(DEADLINE_S)
    assert drips > 2


def test_a_refusal_that_stalls_after_its_status_is_still_told(server: RawServer, background: Background) -> None:
    """The status says more than the deadline that ended the wait for the rest."""
    connecting = background(connector_to(server, timing=Timing(upgrade_s=0.1)).connect)
    with server.accept() as peer:
        peer.read_head()
        peer.send(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 10\r\n\r\n")
        with pytest.raises(ConnectFailedError, match="429 Too Many Requests"):
            connecting.result(DEADLINE_S)


def test_cancel_ends_an_upgrade(server: RawServer, background: Background) -> None:
    """From another thread, at once, though the deadline is far away; twice does no harm."""
    connector = connector_to(server)
    connecting = background(connector.connect)
    with server.accept() as peer:
        peer.read_head()
        connector.cancel()
        connector.cancel()
        with pytest.raises(ConnectFailedError, match="upgrade failed: it was cancelled"):
            connecting.result(DEADLINE_S)


def test_a_real_host_is_reached_over_tls_through_the_proxy_that_is_named(
    server: RawServer, background: Background, authority: ThrowawayAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is checked against the certificate, not against the proxy's, and not resolved here."""
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.port}")
    there = client_settings(443, scheme="wss", host="relay.test", ca_file=str(authority.ca_file))
    connecting = background(WebsocketConnector(there, Timing(), LIMITS).connect)
    with server.accept() as proxy:
        assert proxy.read_head().startswith("CONNECT relay.test:443 HTTP/1.1\r\n")
        proxy.send(b"HTTP/1.1 200 OK\r\n\r\n")
        with RawPeer(authority.server_context("relay.test").wrap_socket(proxy.sock, server_side=True)) as peer:
            assert "Host: relay.test\r\n" in peer.upgrade()
            transport = connecting.result(DEADLINE_S)
            transport.send([b"hello"])
            assert peer.read_frame() == (TEXT, b"hello")
            transport.close()


@pytest.mark.parametrize(("host", "scheme", "port"), [("relay.test", "wss", 443), ("localhost", "ws", 80)])
def test_a_host_without_a_port_gets_the_schemes_own(
    monkeypatch: pytest.MonkeyPatch, host: str, scheme: str, port: int
) -> None:
    """PROTOCOL 1: 443. Nobody is asked: the resolver tells what it would have been asked."""
    asked = []

    def note(*where: object, **_options: object) -> list[object]:
        asked.append(where)
        raise socket.gaierror("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", note)
    there = Settings(credentials=client_settings(1).credentials, host=host, scheme=scheme)
    with pytest.raises(ConnectFailedError, match=f"could not connect to {host}:{port}: tcp failed"):
        WebsocketConnector(there, Timing(), LIMITS).connect()
    assert asked == [(host, port)]


# --- an open connection ------------------------------------------------------------------------------------------

Opened = tuple[WebsocketTransport, RawPeer]


@pytest.fixture(params=["ws", "wss"])
def opened(
    request: pytest.FixtureRequest, server: RawServer, background: Background, authority: ThrowawayAuthority
) -> Iterator[Opened]:
    """An upgraded connection, plain and over TLS."""
    tls = authority.server_context("127.0.0.1") if request.param == "wss" else None
    there = client_settings(server.port, scheme=request.param, ca_file=str(authority.ca_file))
    connecting = background(WebsocketConnector(there, Timing(), LIMITS).connect)
    with server.accept_upgraded(tls) as peer:
        transport = connecting.result(DEADLINE_S)
        yield transport, peer
        transport.abort()


@pytest.fixture
def pair() -> Iterator[Opened]:
    """A transport right on a socket, for what depends on the socket's own behaviour."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(DEADLINE_S)
    transport = WebsocketTransport(ours, target="pair", limits=LIMITS)
    with RawPeer(theirs) as peer:
        yield transport, peer
        transport.abort()


def test_the_first_frame_may_come_with_the_upgrades_answer(server: RawServer, background: Background) -> None:
    """A server may speak at once: what follows the answer's empty line is not the library's to read."""
    connecting = background(connector_to(server).connect)
    with server.accept() as peer:
        answer, peer_send = [], peer.send
        peer.send = answer.append  # type: ignore[method-assign]  # to put answer and frame into one packet
        peer.upgrade()
        peer_send(b"".join(answer) + server_frame(b"at once"))
        transport = connecting.result(DEADLINE_S)
        assert Poller(transport).receive(1) == [b"at once"]
        transport.close()


def test_what_comes_with_the_upgrades_answer_over_tls_is_not_slept_through(
    server: RawServer, background: Background, authority: ThrowawayAuthority
) -> None:
    """It is out of the socket then, where no poll can see it."""
    settings = client_settings(server.port, scheme="wss", ca_file=str(authority.ca_file))
    connecting = background(WebsocketConnector(settings, Timing(), LIMITS).connect)
    with server.accept(authority.server_context("127.0.0.1")) as peer:
        answer, peer_send = [], peer.send
        peer.send = answer.append  # type: ignore[method-assign]  # to put answer and frame into one record
        peer.upgrade()
        peer_send(answer[0] + server_frame(b"at once"))
        transport = connecting.result(DEADLINE_S)
        woken: list[bool] = []
        transport.set_waker(lambda: woken.append(True))
        assert woken == [True]
        assert transport.receive() == [b"at once"]
        transport.set_waker(lambda: woken.append(True))
        assert woken == [True]
        transport.close()


def test_binary_is_received_like_text(opened: Opened) -> None:
    """PROTOCOL 1: decode it as UTF-8 and treat it the same way."""
    transport, peer = opened
    peer.send(server_frame(b"text") + server_frame(b"binary", BINARY))
    assert Poller(transport).receive(2) == [b"text", b"binary"]


def test_fragments_are_joined_and_pings_between_them_answered(opened: Opened) -> None:
    """The server never fragments today; the day it does, nothing may be lost."""
    transport, peer = opened
    peer.send(
        server_frame(b"frag", is_final=False)
        + server_frame(b"are you there?", PING)
        + server_frame(b"men", 0x0, is_final=False)
        + server_frame(b"", PONG)
        + server_frame(b"ted", 0x0)
        + server_frame(b"whole")
    )
    assert Poller(transport).receive(2) == [b"fragmented", b"whole"]
    assert peer.read_frame() == (PONG, b"are you there?")


def test_what_arrives_byte_by_byte_is_received_when_it_is_whole(opened: Opened) -> None:
    """A frame that is not whole yet is nothing to tell of."""
    transport, peer = opened
    poller = Poller(transport)
    *bytes_before, last = [bytes([byte]) for byte in server_frame(b"x" * 200)]
    for byte in bytes_before:
        peer.send(byte)
        assert poller.is_ready()
        assert transport.receive() == []
    peer.send(last)
    assert poller.receive(1) == [b"x" * 200]


@pytest.mark.parametrize(
    ("payload", "answer", "says"),
    [
        (b"\x03\xe8bye", b"\x03\xe8", "1000 'bye'"),
        (b"\x03\xe9", b"\x03\xe9", "1001"),
        (b"", b"", "no code"),
        (b"\x0f\xa0\xff", b"\x0f\xa0", "4000 '\ufffd'"),
    ],
)
def test_a_goodbye_is_answered_once_and_told_after_the_texts_before_it(
    opened: Opened, payload: bytes, answer: bytes, says: str
) -> None:
    """RFC 6455 5.5.1: the same code comes back; what follows a close does not count."""
    transport, peer = opened
    peer.send(server_frame(b"last") + server_frame(payload, CLOSE) + server_frame(b"too late"))
    texts, loss = Poller(transport).receive_until_lost()
    assert texts == [b"last"]
    assert f"closed the connection ({says})" in loss
    assert peer.read_frame() == (CLOSE, answer)
    transport.close()
    assert peer.read_to_end() == b""


@pytest.mark.parametrize("broken", [server_frame(b"{}", 0x3), server_frame(b"{}", reserved=1), b"\x81\x80abcd"])
def test_a_broken_frame_ends_the_connection_though_the_peer_stays(opened: Opened, broken: bytes) -> None:
    """The peer says nothing more, so only the transport itself can make the loss come up."""
    transport, peer = opened
    peer.send(server_frame(b"fine") + broken)
    texts, loss = Poller(transport).receive_until_lost()
    assert texts == [b"fine"]
    assert "server" in loss


def test_a_peer_that_hangs_up_without_a_goodbye_is_told_apart(opened: Opened) -> None:
    """So that a log says which side broke the rules."""
    transport, peer = opened
    peer.send(server_frame(b"last"))
    socket.socket.shutdown(peer.sock, socket.SHUT_WR)
    texts, loss = Poller(transport).receive_until_lost()
    assert texts == [b"last"]
    assert "without a goodbye" in loss


def test_what_a_slow_peer_does_not_take_waits_for_flush_and_arrives_unharmed(opened: Opened) -> None:
    """More than any socket buffer, in several sends while it is full; TLS has its own rules for trying again."""
    transport, peer = opened
    texts = [bytes([65 + number]) * 100_001 for number in range(26)]
    sent = 0
    while not transport.wants_write() or sent < 3:
        transport.send([texts[sent % 26]])
        sent += 1
        assert sent < 1000, "the socket takes everything"
    for _ in range(5):
        transport.send([texts[sent % 26]])
        sent += 1
    received: list[tuple[int, bytes]] = []
    reading = threading.Thread(target=lambda: received.extend(peer.read_frame() for _ in range(sent)))
    reading.start()
    Poller(transport).flush()
    reading.join(DEADLINE_S)
    assert received == [(TEXT, texts[number % 26]) for number in range(sent)]


def test_more_than_one_round_takes_is_received_in_several(opened: Opened) -> None:
    """A flood must not hold up everybody else, nor may TLS keep the end of it where no poll can see it."""
    transport, peer = opened
    texts = [b"%d" % number + b"x" * 900 for number in range(4000)]
    writing = threading.Thread(target=lambda: peer.send(b"".join(map(server_frame, texts))))
    writing.start()
    poller = Poller(transport)
    received = []
    while len(received) < len(texts):
        assert poller.is_ready()
        now = transport.receive()
        assert sum(map(len, now)) < 1_300_000
        received += now
    writing.join(DEADLINE_S)
    assert received == texts


def test_pings_that_nobody_reads_the_answers_to_end_the_connection(opened: Opened) -> None:
    """Otherwise a flood of pings would fill our memory with pongs."""
    transport, peer = opened
    pings = server_frame(b"x" * 125, PING) * 4000
    stop = threading.Event()

    def flood() -> None:
        while not stop.is_set():
            try:
                peer.send(pings)
            except OSError:
                return

    flooding = threading.Thread(target=flood)
    flooding.start()
    texts, loss = Poller(transport).receive_until_lost()
    stop.set()
    transport.abort()
    flooding.join(DEADLINE_S)
    assert texts == []
    assert "does not read" in loss


def test_one_receive_takes_all_that_is_there(opened: Opened) -> None:
    """A round that took one record, or one frame, at a time would be a round per frame."""
    transport, peer = opened
    texts = [b"x" * 400] * 150  # less than one read, and several TLS records
    peer.send(server_frame(texts[0]))
    Poller(transport).receive(1)
    for text in texts:
        peer.send(server_frame(text))
    peer.wait_until_delivered()
    assert transport.receive() == texts


def test_the_bound_is_on_what_the_socket_does_not_take(pair: Opened) -> None:
    """A peer that has caught up meanwhile is not slow, even if nobody has flushed yet."""
    transport, peer = pair
    peer.sock.setblocking(False)
    while not transport.wants_write():
        transport.send([b"x" * 1000])
    transport.send([b"x" * (LIMITS.outbound_bytes - len(transport._waiting) - 100)])
    with pytest.raises(BlockingIOError):
        peer.read_to_end()
    transport.send([b"x" * 200])
    assert len(transport._waiting) < LIMITS.outbound_bytes


def test_close_leaves_no_reset_behind_when_texts_are_unread(opened: Opened) -> None:
    """A reset may overtake the goodbye, or reach a log as a broken connection."""
    transport, peer = opened
    peer.send(server_frame(b"x" * 1000) * 100)
    assert Poller(transport).is_ready()
    peer.wait_until_delivered()
    transport.close()
    assert peer.read_frame() == (CLOSE, b"\x03\xe8")
    assert peer.read_to_end() == b""
    assert peer.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_a_goodbye_counts_also_when_its_answer_cannot_be_written(pair: Opened) -> None:
    """The peer has closed both directions behind its goodbye."""
    transport, peer = pair
    peer.send(server_frame(b"\x03\xe8", CLOSE))
    peer.close()
    assert "(1000)" in Poller(transport).receive_until_lost()[1]


def test_a_lost_send_is_raised_again_and_leaves_nothing_to_write(pair: Opened) -> None:
    """Else a dispatcher would poll a dead socket for writing for ever."""
    transport, peer = pair
    peer.close()
    with pytest.raises(TransportError, match="the connection to pair is lost: Broken pipe"):
        transport.send([b"text"])
    with pytest.raises(TransportError, match="Broken pipe"):
        transport.flush()
    with pytest.raises(TransportError, match="Broken pipe"):
        transport.send([b"text"])
    assert not transport.wants_write()


def test_what_has_come_in_is_received_after_a_lost_send_also_behind_a_ping(pair: Opened) -> None:
    """The pong cannot leave; the texts behind the ping are there all the same."""
    transport, peer = pair
    peer.send(server_frame(b"one") + server_frame(b"", PING) + server_frame(b"two"))
    with pytest.raises(TransportError, match="does not read"):
        transport.send([b"x" * 1_000_000] * 6)
    assert transport.receive() == [b"one", b"two"]
    with pytest.raises(TransportError, match="does not read"):
        transport.receive()


def test_what_has_come_in_behind_a_ping_is_received_when_its_pong_is_the_first_to_fail(pair: Opened) -> None:
    """The peer has hung up behind its last words; that they are the last ones is told after them."""
    transport, peer = pair
    peer.send(server_frame(b"one") + server_frame(b"", PING) + server_frame(b"two"))
    peer.close()
    texts, loss = Poller(transport).receive_until_lost()
    assert texts == [b"one", b"two"]
    assert "Broken pipe" in loss


def test_all_texts_of_a_round_are_one_write() -> None:
    """Each system call costs more than the frames it carries."""
    writes: list[int] = []

    class Counting(socket.socket):
        def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]  # a memoryview is fine too
            writes.append(len(data))
            return super().send(data, flags)

    ours, theirs = socket.socketpair()
    with theirs:
        transport = WebsocketTransport(Counting(fileno=ours.detach()), target="pair", limits=LIMITS)
        transport.send([b"x" * 100] * 50)
        assert writes == [50 * 106]
        transport.abort()


class OwesAnAnswer(TlsRecords):
    """Says what comes as it is, and owes an answer to each of it; as TLS 1.3 does when a new key is asked for."""

    def decrypt(self, records: bytes) -> Iterator[bytes]:
        yield records

    def encrypt(self, data: bytes) -> bytes:
        return data

    def to_send(self) -> bytes:
        return b"answer"


def test_what_tls_owes_for_what_it_has_read_is_written_at_once() -> None:
    """The server may wait for it; no poll would tell that it is due."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(DEADLINE_S)
    tls = OwesAnAnswer(ssl.create_default_context(), "relay.test")
    transport = WebsocketTransport(ours, target="pair", limits=LIMITS, tls=tls)
    with theirs:
        theirs.sendall(server_frame(b"text"))
        assert transport.receive() == [b"text"]
        assert theirs.recv(100) == b"answer"
        transport.abort()


# --- another's server --------------------------------------------------------------------------------------------


@pytest.fixture(params=["ws", "wss"])
def links(request: pytest.FixtureRequest, authority: ThrowawayAuthority) -> Iterator[WebsocketLinks]:
    limits = Limits()
    if request.param == "ws":
        made = WebsocketLinks(limits)
    else:
        made = WebsocketLinks(limits, tls=authority.server_context("127.0.0.1"), ca_file=str(authority.ca_file))
    yield made
    made.close()


def test_the_largest_message_passes_in_both_directions(links: WebsocketLinks, background: Background) -> None:
    """PROTOCOL 1: 10 MiB, whole, through an independent implementation."""
    transport = links.connector.connect()
    far = links.accept()
    largest = b"m" * 10 * 1024 * 1024
    sending = background(lambda: far.send(largest))
    assert Poller(transport).receive(1) == [largest]
    sending.result(DEADLINE_S)
    reading = background(far.receive)
    transport.send([largest])
    Poller(transport).flush()
    assert reading.result(DEADLINE_S) == largest
    transport.close()


def test_another_servers_fragments_and_pings_are_understood(links: WebsocketLinks) -> None:
    """Its idea of RFC 6455, not ours."""
    transport = links.connector.connect()
    connection = links.accept().connection
    connection.send(["in ", "three ", "parts"])
    connection.send([b"binary ", b"too"])
    ponged = connection.ping("are you there?")
    connection.send("after")
    assert Poller(transport).receive(3) == [b"in three parts", b"binary too", b"after"]
    assert ponged.wait(DEADLINE_S)
    transport.close()


def test_a_transport_is_freed_also_when_its_socket_can_be_set_no_more() -> None:
    """macOS refuses every option of a socket whose connection was reset, and just then it is to be freed."""

    class Reset(socket.socket):
        def setsockopt(self, *_option: object) -> None:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    ours, theirs = socket.socketpair()
    with theirs:
        transport = WebsocketTransport(Reset(fileno=ours.detach()), target="pair", limits=LIMITS)
        transport.abort()
        assert transport.fileno() == -1
        assert theirs.recv(1) == b""


Ending = Callable[[WebsocketTransport], None]


@pytest.mark.parametrize("end", [WebsocketTransport.close, WebsocketTransport.abort])
def test_a_transport_with_bytes_still_waiting_is_freed_at_once(opened: Opened, end: Ending) -> None:
    """Stopping an application must not wait for a slow server."""
    transport, _peer = opened
    while not transport.wants_write():
        transport.send([b"x" * 100_000])
    end(transport)
    assert transport.fileno() == -1
    assert not transport.wants_write()
