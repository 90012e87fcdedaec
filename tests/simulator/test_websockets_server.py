"""The simulator on real sockets, with the synchronous client of ``websockets`` as an independent peer."""

from __future__ import annotations

import io
import json
import select
import socket
import ssl
import threading
import wave
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.tls import TlsFiles, make_tls_files
from relay_actors.simulator.websockets_server import MAX_SIZE, SimulatorServer
from tests.simulator.stage import tts

ROWS = [json.loads(line) for line in (Path(__file__).parent.parent / "data" / "frames.jsonl").read_text().splitlines()]

WITHIN_S = 5.0


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(Simulator(clock=SystemClock(), random=Random(7), pace=0.02)) as server:
        yield server


class Guest:
    """A client with its own socket: it answers every event with an acknowledgement."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._requests = 0

    def send(self, method: str, **params: Any) -> str:
        self._requests += 1
        request_id = f"r{self._requests}"
        self.socket.send(json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))
        return request_id

    def receive(self) -> dict[str, Any]:
        frame = json.loads(self.socket.recv(timeout=WITHIN_S))
        if frame.get("method") == "signalwire.event":
            self.socket.send(json.dumps({"jsonrpc": "2.0", "id": frame["id"], "result": {}}))
        return frame

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        request_id = self.send(method, **params)
        while (frame := self.receive()).get("id") != request_id:
            pass
        return frame["result"]

    def event(self, event_type: str, **like: object) -> dict[str, Any]:
        """Wait for an event of a type with these inner params."""
        while True:
            params = self.receive().get("params", {})
            inner = params.get("params", {})
            if params.get("event_type") == event_type and like.items() <= inner.items():
                return inner

    def log_in(self, *contexts: str, **more: Any) -> dict[str, Any]:
        version = {"major": 2, "minor": 0, "revision": 0}
        params = {"version": version, "event_acks": True, "authentication": {"project": "p", "token": "t"}}
        return self.do("signalwire.connect", **params, contexts=list(contexts), **more)


def read_to_the_end(socket: ClientConnection) -> None:
    """Read what is still to come, until the connection ends with an exception."""
    while True:
        socket.recv(timeout=WITHIN_S)


def test_a_whole_call_goes_over_a_real_socket(server: SimulatorServer):
    def answer_and_ask(guest: Guest) -> None:
        offer = guest.event("calling.call.receive")
        ids = {"call_id": offer["call_id"], "node_id": offer["node_id"]}
        guest.send("calling.answer", **ids)
        guest.event("calling.call.state", call_state="answered")
        digits = {"digits": {"max": 1}}
        guest.send("calling.play_and_collect", **ids, control_id="c", play=[tts("Press 1 for sales")], collect=digits)
        result = guest.event("calling.call.collect")["result"]
        guest.send("calling.play", **ids, control_id="d", play=[tts(f"You pressed {result['params']['digits']}")])
        guest.event("calling.call.play", control_id="d", state="finished")
        guest.send("calling.end", **ids, reason="hangup")
        guest.event("calling.call.state", call_state="ended")

    with connect(server.url) as socket:
        guest = Guest(socket)
        guest.log_in("support")
        application = threading.Thread(target=answer_and_ask, args=(guest,))
        application.start()
        caller = server.simulator.phone("+15550001111").dials(context="support")
        caller.hears("press 1").presses("1").hears("you pressed 1").is_hung_up()
        application.join(WITHIN_S)

    assert not application.is_alive()
    assert server.simulator.violations == ()


@pytest.mark.parametrize("path", ["", "/", "/api/relay/ws"])
def test_any_path_will_do(server: SimulatorServer, path: str):
    """Source: PROTOCOL 1, D25."""
    with connect(server.url + path) as socket:
        assert Guest(socket).log_in()["protocol"]


def test_a_binary_message_is_read_like_text(server: SimulatorServer):
    """Source: PROTOCOL 1."""
    with connect(server.url) as socket:
        socket.send(b'{"jsonrpc":"2.0","id":"b","method":"signalwire.ping"}')
        assert json.loads(socket.recv(timeout=WITHIN_S))["error"]["code"] == -32401


def test_every_frame_of_the_captures_leaves_the_connection_usable(server: SimulatorServer):
    frames = [row["frame"] for row in ROWS if row["direction"] == "client->server"]
    assert len(frames) > 100
    # No bound on what waits unread: a client that has stopped reading would not see the goodbye either.
    with connect(server.url, max_queue=None) as socket:
        guest = Guest(socket)
        guest.log_in()
        for frame in frames:
            socket.send(json.dumps(frame))
        assert guest.do("signalwire.ping")["timestamp"] > 0


def test_a_dropped_socket_breaks_and_a_clean_one_says_goodbye(server: SimulatorServer):
    with connect(server.url) as socket:
        Guest(socket).log_in()
        server.simulator.drop_sockets(clean=False)
        with pytest.raises((ConnectionClosed, ConnectionError)) as broken:
            read_to_the_end(socket)
        assert getattr(broken.value, "rcvd", None) is None, "no close frame came"
    with connect(server.url) as socket:
        Guest(socket).log_in()
        server.simulator.drop_sockets(clean=True)
        with pytest.raises(ConnectionClosed) as closed:
            read_to_the_end(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000


def test_a_reset_reaches_the_client_as_a_reset(server: SimulatorServer):
    """RST, not FIN: the client must not be told politely."""
    raw = socket.create_connection((server.host, server.port), WITHIN_S)
    with raw:
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        raw.sendall(
            f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b"101" in raw.recv(4096)
        raw.settimeout(WITHIN_S)
        assert server.simulator.wait_until(lambda: bool(server.simulator._reception.connections), WITHIN_S)
        server.simulator.drop_sockets(clean=False)
        with pytest.raises(ConnectionResetError):
            raw.recv(4096)


def test_the_connection_of_a_client_that_does_not_read_breaks_too(server: SimulatorServer):
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    ask = f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
    with socket.create_connection((server.host, server.port), WITHIN_S) as client:
        client.sendall(f"{ask}Sec-WebSocket-Version: 13\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.1 101"
        assert server.simulator.wait_until(lambda: bool(server.simulator._reception.connections), WITHIN_S)
        server.simulator.push_oversize(20_000_000)
        server.simulator.drop_sockets()
        breaks = select.poll()
        breaks.register(client, 0)  # nothing but the break itself

        assert breaks.poll(1000 * WITHIN_S)


def test_a_session_is_resumed_over_a_new_socket(server: SimulatorServer):
    with connect(server.url) as socket:
        guest = Guest(socket)
        welcome = guest.log_in("support")
        line = server.simulator.phone("+15550001111").dials(context="support")
        offer = guest.event("calling.call.receive")
        server.simulator.drop_sockets()
    line.hangs_up()
    with connect(server.url) as socket:
        guest = Guest(socket)
        assert guest.log_in("support", protocol=welcome["protocol"])["session_restored"] is True
        assert guest.event("calling.call.state", call_state="ended")["call_id"] == offer["call_id"]


def test_no_socket_is_taken_while_they_are_down(server: SimulatorServer):
    with server.simulator.socket_down(), pytest.raises((InvalidHandshake, ConnectionError, EOFError)):
        connect(server.url, open_timeout=WITHIN_S).__enter__()
    with connect(server.url) as socket:
        assert Guest(socket).log_in()["protocol"]


def test_a_server_can_be_stopped_and_started_again_on_its_port(server: SimulatorServer):
    port = server.port
    with connect(server.url) as socket:
        name = Guest(socket).log_in()["protocol"]
        server.stop()
        server.stop()
        with pytest.raises((ConnectionClosed, ConnectionError)):
            read_to_the_end(socket)
    with pytest.raises(OSError, match="refused"):
        connect(server.url, open_timeout=WITHIN_S).__enter__()
    server.start().start()

    assert server.port == port
    with connect(server.url) as socket:
        assert Guest(socket).log_in(protocol=name)["session_restored"] is True


def test_a_port_in_use_is_told(server: SimulatorServer):
    with pytest.raises(ConfigError, match=f"cannot serve on 127.0.0.1:{server.port}"):
        SimulatorServer(server.simulator, port=server.port).start()


@pytest.mark.parametrize(("host", "port"), [("..", 0), ("a" * 64, 0), ("127.0.0.1", 65536)])
def test_an_address_that_cannot_be_one_is_told(host: str, port: int):
    """Nothing of that is an OSError, and whoever starts the server must not wait for ever."""
    told: list[str] = []

    def start() -> None:
        with pytest.raises(ConfigError) as refused:
            SimulatorServer(Simulator(clock=SystemClock(), random=Random(1)), host, port).start()
        told.append(str(refused.value))

    starting = threading.Thread(target=start, daemon=True)
    starting.start()
    starting.join(WITHIN_S)
    assert [text.startswith(f"cannot serve on {host}:{port}: ") for text in told] == [True]


def test_two_servers_can_serve_one_simulator(server: SimulatorServer):
    with SimulatorServer(server.simulator) as second, connect(server.url) as one, connect(second.url) as other:
        Guest(one).log_in("support")
        Guest(other).log_in("support")
        for _ in range(2):
            server.simulator.phone("+15550001111").dials(context="support")
        for socket in (one, other):
            assert Guest(socket).event("calling.call.receive")


def trusting(files: TlsFiles) -> ssl.SSLContext:
    """How a guest connects who trusts the authority of these files.

    By TLS 1.2: the library's client reads and writes in two threads, and before 3.13 CPython lets both into OpenSSL at
    once. What TLS 1.3 has to read after its handshake got in the way of what was written, once in five hundred times.
    """
    trust = ssl.create_default_context(cafile=str(files.ca_file))
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    return trust


def test_tls_is_spoken_with_a_certificate_made_on_the_spot(tmp_path: Path):
    files = make_tls_files(tmp_path, clock=SystemClock())
    trust = trusting(files)
    simulator = Simulator(clock=SystemClock(), random=Random(7))
    with SimulatorServer(simulator, tls=files) as server, connect(server.url, ssl=trust) as socket:
        assert server.url.startswith("wss://127.0.0.1:")
        assert Guest(socket).log_in()["protocol"]


def test_files_that_are_no_certificate_are_told(tmp_path: Path):
    files = make_tls_files(tmp_path, clock=SystemClock())
    files.certificate_file.write_text("not a certificate")
    with pytest.raises(ConfigError, match="cannot serve"):
        SimulatorServer(Simulator(clock=SystemClock(), random=Random(7)), tls=files).start()


def test_a_text_beyond_ten_mebibytes_closes_the_connection(server: SimulatorServer):
    """Source: PROTOCOL 1."""
    with connect(server.url) as socket:
        socket.send("x" * (MAX_SIZE + 1))
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=WITHIN_S)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_stopped_server_leaves_no_thread(server: SimulatorServer):
    server.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "relay-simulator"]


def test_events_are_sent_while_the_client_is_silent(server: SimulatorServer):
    """The front ticks by itself: nobody waits for a phone here."""
    with connect(server.url) as socket:
        guest = Guest(socket)
        guest.log_in("support")
        server.simulator.phone("+15550001111").dials(context="support")
        offer = guest.event("calling.call.receive")
        ids = {"call_id": offer["call_id"], "node_id": offer["node_id"]}
        guest.send("calling.play", **ids, control_id="c", play=[tts("x" * 300)])

        assert guest.event("calling.call.play", state="finished")


def get(url: str, *, method: str = "GET") -> tuple[int, str, bytes]:
    """Return status, content type and body, as any HTTP client sees them."""
    try:
        with build_opener(ProxyHandler({})).open(Request(url, method=method), timeout=WITHIN_S) as response:
            return response.status, response.headers["Content-Type"], response.read()
    except HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


def record(server: SimulatorServer, guest: Guest) -> dict[str, Any]:
    """Let somebody call and be recorded, and return the last event of the recording."""
    line = server.simulator.phone("+15550001111").dials(context="support")
    offer = guest.event("calling.call.receive")
    ids = {"call_id": offer["call_id"], "node_id": offer["node_id"]}
    guest.do("calling.answer", **ids)
    guest.do("calling.record", **ids, control_id="c", record={"audio": {"initial_timeout": 0}})
    line.says("good day")
    return guest.event("calling.call.record", state="finished")


def test_a_recording_can_be_fetched_and_is_a_wav_file_of_the_right_length(server: SimulatorServer):
    with connect(server.url) as socket:
        guest = Guest(socket)
        guest.log_in("support")
        told = record(server, guest)
        status, content_type, body = get(told["url"])
        assert guest.do("signalwire.ping")["timestamp"] > 0, "clients are served all the while"

    assert told["url"].startswith(f"http://{server.host}:{server.port}/rec/")
    assert (status, content_type) == (200, "audio/wav")
    assert len(body) == told["size"]
    assert body == server.simulator.fetch(told["url"])
    with wave.open(io.BytesIO(body)) as file:
        assert file.getnframes() / file.getframerate() == told["duration"] > 1.0


def test_a_file_outlives_its_server(server: SimulatorServer):
    with connect(server.url) as socket:
        guest = Guest(socket)
        guest.log_in("support")
        url = record(server, guest)["url"]
    server.stop()
    assert server.simulator.fetch(url)[:4] == b"RIFF"
    server.start()
    assert get(url)[0] == 200


def test_files_are_served_over_tls_too(tmp_path: Path):
    files = make_tls_files(tmp_path, clock=SystemClock())
    trust = trusting(files)
    simulator = Simulator(clock=SystemClock(), random=Random(7), pace=0.02)
    with SimulatorServer(simulator, tls=files) as server, connect(server.url, ssl=trust) as socket:
        guest = Guest(socket)
        guest.log_in("support")
        url = record(server, guest)["url"]
        assert url.startswith(f"https://127.0.0.1:{server.port}/")
        with build_opener(ProxyHandler({}), HTTPSHandler(context=trust)).open(url, timeout=WITHIN_S) as response:
            assert response.read() == simulator.fetch(url)


@pytest.mark.parametrize("path", ["/", "/rec/unknown.wav", "/api/relay/ws"])
def test_what_is_not_there_is_not_found(server: SimulatorServer, path: str):
    status, _type, body = get(f"http://{server.host}:{server.port}{path}")

    assert status == 404
    assert b"no such file" in body


def test_nothing_but_get_is_taken(server: SimulatorServer):
    """A library that is older than 16 lets nothing else through by itself; then the connection breaks."""
    try:
        status, _type, _body = get(f"http://{server.host}:{server.port}/", method="DELETE")
    except OSError:
        status = 400
    assert 400 <= status < 500


def test_files_can_be_fetched_while_sockets_are_down(server: SimulatorServer):
    """The storage of a service is not its RELAY."""
    with connect(server.url) as socket:
        guest = Guest(socket)
        guest.log_in("support")
        url = record(server, guest)["url"]
    with server.simulator.socket_down():
        assert get(url)[0] == 200


def test_without_a_server_files_lie_nowhere(server: SimulatorServer):
    """The latest server that runs says where they are."""
    with SimulatorServer(server.simulator) as second:
        assert server.simulator._world.files.url("/a") == f"http://127.0.0.1:{second.port}/a"
    assert server.simulator._world.files.url("/a") == f"http://127.0.0.1:{server.port}/a"
    server.stop()
    assert server.simulator._world.files.url("/a") == "https://files.example.com/a"


def test_authorities_that_cannot_be_read_are_told(tmp_path: Path):
    simulator = Simulator(clock=SystemClock(), random=Random(7))
    with pytest.raises(ConfigError, match="cannot serve"):
        SimulatorServer(simulator, listeners_ca_file=tmp_path / "missing.pem").start()


def test_what_fails_when_it_is_due_does_not_stop_the_time(server: SimulatorServer, caplog: pytest.LogCaptureFixture):
    """All other calls go on, and it is told."""

    def fail() -> None:
        raise ValueError("not well thought out")

    with connect(server.url) as socket:
        guest = Guest(socket)
        guest.log_in("support")
        server.simulator.phone("+15550001111").dials(context="support")
        offer = guest.event("calling.call.receive")
        with server.simulator.turn():
            server.simulator._world.after(0.0, fail)
        ids = {"call_id": offer["call_id"], "node_id": offer["node_id"]}
        guest.send("calling.play", **ids, control_id="c", play=[tts("Hello.")])

        assert guest.event("calling.call.play", state="finished")
    assert "not well thought out" in caplog.text
    assert [str(error) for error in server.simulator.failures] == ["not well thought out"]


def test_a_target_that_is_no_url_is_not_found(server: SimulatorServer):
    with socket.create_connection((server.host, server.port), timeout=WITHIN_S) as raw:
        raw.sendall(b"GET //[ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 404 ")
