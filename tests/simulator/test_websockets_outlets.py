"""Streams and taps over real sockets on loopback, with listeners that know nothing of this package."""

from __future__ import annotations

import asyncio
import base64
import json
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator import websockets_outlets
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.tls import TlsFiles, make_tls_files
from relay_actors.simulator.websockets_outlets import SocketOutside, UdpOutlet
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.simulator.test_websockets_server import Guest, read_to_the_end

WITHIN_S = 5.0
STREAM = "calling.call.stream"


class Listener:
    """A WebSocket server of whoever wants to hear: it keeps what comes."""

    def __init__(self, tls: TlsFiles | None = None, *, closes_after: int | None = None) -> None:
        self.messages: queue.Queue[str | bytes] = queue.Queue()
        self.headers: list[dict[str, str]] = []
        self.gone = threading.Event()
        self._closes_after = closes_after
        context = None
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate_file, tls.key_file)
        self._server = serve(self._listen, "127.0.0.1", 0, ssl=context)
        port = self._server.socket.getsockname()[1]
        self.url = f"{'ws' if tls is None else 'wss'}://127.0.0.1:{port}/ear"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(WITHIN_S)

    def next(self) -> Any:
        message = self.messages.get(timeout=WITHIN_S)
        return json.loads(message) if isinstance(message, str) else message

    def until(self, event: str) -> list[Any]:
        """Return every message up to one of this kind."""
        got = [self.next()]
        while got[-1]["event"] != event:
            got.append(self.next())
        return got

    def _listen(self, guest: ServerConnection) -> None:
        assert guest.request is not None
        self.headers.append(dict(guest.request.headers.raw_items()))
        for count, message in enumerate(guest, start=1):
            self.messages.put(message)
            if count == self._closes_after:
                break
        self.gone.set()


class Caller:
    """A call over a real socket, from both ends."""

    def __init__(self, server: SimulatorServer, guest: Guest) -> None:
        self.server = server
        self.guest = guest
        guest.log_in("support")
        self.line = server.simulator.phone("+15550001111").dials(context="support")
        offer = guest.event("calling.call.receive")
        self.ids = {"call_id": offer["call_id"], "node_id": offer["node_id"]}
        self.do("calling.answer")

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        return self.guest.do(method, **self.ids, **params)

    def send(self, method: str, **params: Any) -> None:
        """Send a command whose answer is left among the frames that `Guest.event` passes over."""
        self.guest.send(method, **self.ids, **params)

    def state(self, event_type: str, state: str) -> dict[str, Any]:
        return self.guest.event(event_type, state=state)


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(Simulator(clock=SystemClock(), random=Random(7), pace=0.05)) as server:
        yield server
    assert not [thread for thread in threading.enumerate() if thread.name == "relay-simulator"]


@pytest.fixture
def caller(server: SimulatorServer) -> Iterator[Caller]:
    with connect(server.url, max_queue=None) as socket:
        yield Caller(server, Guest(socket))


def test_a_stream_opens_a_websocket_and_sends_mu_law_frames(caller: Caller):
    with Listener() as listener:
        caller.send(
            "calling.stream",
            control_id="c1",
            url=listener.url,
            track="both_tracks",
            authorization_bearer_token="secret",
            custom_parameters={"ticket": "42"},
        )
        caller.state(STREAM, "streaming")
        caller.line.says("hello").presses("7")
        before = listener.until("dtmf")
        caller.send("calling.stream.stop", control_id="c1")
        caller.state(STREAM, "finished")
        after = listener.until("stop")
        assert listener.gone.wait(WITHIN_S)

    assert listener.headers[0]["Authorization"] == "Bearer secret"
    assert [message["event"] for message in before[:2]] == ["connected", "start"]
    assert before[1]["start"]["customParameters"] == {"ticket": "42"}
    assert before[1]["start"]["callSid"] == caller.ids["call_id"]
    assert before[-1]["dtmf"]["digit"] == "7"
    media = [message["media"] for message in before + after if message["event"] == "media"]
    assert {len(base64.b64decode(body["payload"])) for body in media} <= {160}
    numbers = [int(message["sequenceNumber"]) for message in (before + after)[1:]]
    assert numbers == list(range(1, len(numbers) + 1))


def test_frames_come_at_the_pace_of_the_simulator(caller: Caller):
    """A simulated second is fifty frames; here it takes 50 ms."""
    with Listener() as listener:
        caller.send("calling.stream", control_id="c1", url=listener.url)
        caller.state(STREAM, "streaming")
        caller.line.says("x" * 15)
        caller.send("calling.play", control_id="p", play=[{"type": "silence", "params": {"duration": 2.0}}])
        caller.guest.event("calling.call.play", state="finished")
        caller.send("calling.stream.stop", control_id="c1")
        media = [message for message in listener.until("stop") if message["event"] == "media"]

    loud = [message for message in media if set(base64.b64decode(message["media"]["payload"])) != {0xFF}]
    assert len(media) >= 100
    assert 35 <= len(loud) <= 50, "a second of syllables"


def test_a_listener_that_closes_ends_the_stream(caller: Caller):
    with Listener(closes_after=3) as listener:
        caller.send("calling.stream", control_id="c1", url=listener.url)
        assert caller.state(STREAM, "finished")["url"] == listener.url


def test_a_url_where_nobody_listens_is_an_error_and_the_end(caller: Caller):
    url = f"ws://127.0.0.1:{closed_port()}/ear"
    caller.send("calling.stream", control_id="c1", url=url)
    error = caller.guest.event("calling.error")
    assert error["code"] == "400"
    assert error["message"].startswith(f"Cannot connect to {url}: ")
    caller.state(STREAM, "finished")


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ws://127.0.0.1:99999/", "ws:///"])
def test_a_url_that_makes_no_sense_is_an_error_or_reaches_nobody(caller: Caller, url: str):
    caller.send("calling.stream", control_id="c1", url=url)
    if url == "ws:///":
        caller.state(STREAM, "streaming")
    else:
        assert caller.guest.event("calling.error")["message"].startswith(f"Cannot connect to {url}: ")
        caller.state(STREAM, "finished")


def test_a_listener_that_refuses_is_an_error(caller: Caller):
    """A simulator is one: it refuses while its sockets are down."""
    with SimulatorServer(Simulator(clock=SystemClock(), random=Random(7))) as other, other.simulator.socket_down():
        caller.send("calling.stream", control_id="c1", url=other.url)
        assert "Cannot connect" in caller.guest.event("calling.error")["message"]


def test_no_redirect_leads_away_from_loopback(caller: Caller):
    with answering(b"HTTP/1.1 302 Found\r\nLocation: ws://192.0.2.1/\r\nContent-Length: 0\r\n\r\n") as port:
        caller.send("calling.stream", control_id="c1", url=f"ws://127.0.0.1:{port}/")
        assert "cross-origin redirect" in caller.guest.event("calling.error")["message"]


def test_no_proxy_is_asked(caller: Caller, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:1")
    monkeypatch.setenv("no_proxy", "")
    with Listener() as listener:
        caller.send("calling.stream", control_id="c1", url=listener.url)
        caller.state(STREAM, "streaming")


def test_a_secure_listener_is_heard_if_its_certificate_is_trusted(tmp_path: Path):
    files = make_tls_files(tmp_path, clock=SystemClock())
    simulator = Simulator(clock=SystemClock(), random=Random(7), pace=0.05)
    with Listener(files) as listener:
        with SimulatorServer(simulator, listeners_ca_file=files.ca_file) as server, connect(server.url) as socket:
            caller = Caller(server, Guest(socket))
            caller.send("calling.stream", control_id="c1", url=listener.url)
            caller.state(STREAM, "streaming")
            assert listener.next()["event"] == "connected"
        with SimulatorServer(simulator) as server, connect(server.url) as socket:
            caller = Caller(server, Guest(socket))
            caller.send("calling.stream", control_id="c1", url=listener.url)
            assert "certificate" in caller.guest.event("calling.error")["message"].lower()


def test_a_server_that_stops_takes_its_streams_along(server: SimulatorServer):
    """One that is open, and one that still waits for its listener's answer."""
    with Listener() as listener, silent_port() as port, connect(server.url) as socket:
        caller = Caller(server, Guest(socket))
        caller.send("calling.stream", control_id="c1", url=listener.url)
        caller.state(STREAM, "streaming")
        caller.do("calling.stream", control_id="c2", url=f"ws://127.0.0.1:{port}/")
        caller.do("calling.tap", control_id="c3", tap={"type": "audio", "params": {}}, device=rtp_device(port))
        server.stop()
        with pytest.raises((ConnectionClosed, ConnectionError)):
            read_to_the_end(socket)
        assert listener.gone.wait(WITHIN_S)

    open_one, waiting_one, tapping_one = server.simulator.streams
    assert open_one.is_over
    assert waiting_one.is_over
    assert not tapping_one.is_over, "nobody knows whether packets are taken"


def test_a_tap_sends_bare_frames_to_a_websocket(caller: Caller):
    with Listener() as listener:
        device = {"type": "ws", "params": {"uri": listener.url}}
        caller.send("calling.tap", control_id="c1", tap={"type": "audio", "params": {}}, device=device)
        caller.state("calling.call.tap", "tapping")
        assert listener.next() == b"\xff" * 160
        caller.send("calling.tap.stop", control_id="c1")
        caller.state("calling.call.tap", "finished")
        assert listener.gone.wait(WITHIN_S)


def test_a_tap_sends_rtp_packets_from_where_it_says(caller: Caller):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(WITHIN_S)
        what = {"type": "audio", "params": {"direction": "both"}}
        answer = caller.do("calling.tap", control_id="c1", tap=what, device=rtp_device(ear.getsockname()[1]))
        packets = [ear.recvfrom(2048) for _ in range(3)]
        caller.do("calling.tap.stop", control_id="c1")

    source = answer["source_device"]["params"]
    heads = [struct.unpack("!BBHII", packet[:12]) for packet, _address in packets]
    assert {address for _packet, address in packets} == {(source["addr"], source["port"])}
    assert [kind & 0x7F for _flags, kind, *_rest in heads] == [0, 0, 0]
    assert [(head[2] - heads[0][2]) % 2**16 for head in heads] == [0, 1, 2]
    assert [(head[3] - heads[0][3]) % 2**32 for head in heads] == [0, 160, 320]
    assert len({head[4] for head in heads}) == 1
    assert {len(packet) for packet, _address in packets} == {172}


def test_packets_that_nobody_takes_harm_nobody(caller: Caller):
    caller.do("calling.tap", control_id="c1", tap={"type": "audio", "params": {}}, device=rtp_device(closed_port()))
    caller.send("calling.play", control_id="p", play=[{"type": "silence", "params": {"duration": 1.0}}])
    caller.guest.event("calling.call.play", state="finished")
    caller.send("calling.tap.stop", control_id="c1")
    caller.state("calling.call.tap", "finished")


class Owner:
    """Whoever asked for a WebSocket: notes what it is told."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.over = threading.Event()

    def outlet_opened(self) -> None:
        self.opened.set()

    def outlet_closed(self) -> None:
        self.over.set()

    def outlet_failed(self, reason: str) -> None:
        raise AssertionError(reason)


@contextmanager
def deaf_listener() -> Iterator[str]:
    """A listener that takes connections and reads nothing as long as the block lasts."""
    awake = threading.Event()

    def listen(guest: ServerConnection) -> None:
        awake.wait(WITHIN_S)
        guest.close()

    with serve(listen, "127.0.0.1", 0, max_queue=1, close_timeout=0.1) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{listener.socket.getsockname()[1]}/"
        awake.set()
        listener.shutdown()
        thread.join(WITHIN_S)


def test_a_listener_that_does_not_read_loses_its_connection(server: SimulatorServer, monkeypatch: pytest.MonkeyPatch):
    """Else all that it does not read would be kept for ever."""
    monkeypatch.setattr(websockets_outlets, "WAITING_BOUND", 100)
    owner = Owner()
    with deaf_listener() as url:
        with server.simulator.turn():
            outlet = server.simulator._world.outside[0].open_websocket(url, {}, owner)
        assert owner.opened.wait(WITHIN_S)
        with server.simulator.turn():
            for _ in range(200):
                outlet.send(bytes(500_000))
        assert owner.over.wait(WITHIN_S)


def test_a_listener_that_does_not_read_cannot_hold_up_the_end(server: SimulatorServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(websockets_outlets, "FLUSH_WITHIN_S", 0.05)
    owner = Owner()
    (outside,) = server.simulator._world.outside
    assert isinstance(outside, SocketOutside)
    with deaf_listener() as url:
        with server.simulator.turn():
            outlet = outside.open_websocket(url, {}, owner)
        assert owner.opened.wait(WITHIN_S)
        (running,) = outside._running
        with server.simulator.turn():
            for _ in range(50):
                outlet.send(bytes(500_000))
            outlet.close()
        asyncio.run_coroutine_threadsafe(asyncio.wait({running}), outside._loop).result(WITHIN_S)
        assert running.done()
    assert not owner.over.is_set(), "who closes is told nothing"


@pytest.mark.parametrize("port", [0, 65536, -1])
def test_what_is_no_port_is_told(port: int):
    with pytest.raises(OSError, match=f"{port} is no port"):
        UdpOutlet("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "is_reached"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("192.0.2.1", False),
        ("0.0.0.0", False),
        ("media.example.com", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_only_loopback_is_reached(server: SimulatorServer, host: str, is_reached: bool):
    (outside,) = server.simulator._world.outside
    assert isinstance(outside, SocketOutside)
    assert outside.reaches(host) is is_reached


def rtp_device(port: int) -> dict[str, Any]:
    return {"type": "rtp", "params": {"addr": "127.0.0.1", "port": port}}


def closed_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A port that answers one request with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WITHIN_S)

        def serve_one() -> None:
            guest, _address = server.accept()
            with guest:
                guest.settimeout(WITHIN_S)
                guest.recv(4096)
                guest.sendall(answer)

        thread = threading.Thread(target=serve_one)
        thread.start()
        yield server.getsockname()[1]
        thread.join(WITHIN_S)
