"""What befalls the connections, and what crosses them. Source: PROTOCOL 19.3; proves SEMANTICS V4."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK
from websockets.sync.client import connect

from relay_actors import CallActor, RelayApp
from relay_actors.errors import ArgumentError, ConfigError
from relay_actors.protocol import frames
from relay_actors.protocol.frames import LARGEST_BYTES
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.links import BinaryText
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from relay_actors.testing import AppRunner, PhoneMaker
from tests.simulator.stage import Inbound, Peer, Stage, tts
from tests.simulator.test_websockets_server import WITHIN_S, Guest


class RawPeer(Peer):
    """Keeps the texts themselves, too, whatever they are."""

    def __init__(self, sim: Simulator) -> None:
        self.texts: list[bytes] = []
        super().__init__(sim)

    def send_texts(self, texts: list[bytes]) -> None:
        self.texts += texts
        super().send_texts(
            [bytes(text) for text in texts if not isinstance(frames.classify(bytes(text)), frames.Unreadable)]
        )


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    call = stage.inbound(peer)
    peer.acknowledge()
    return call


def play(call: Inbound, control_id: str = "c1") -> dict[str, Any] | None:
    return call.ask("calling.play", control_id=control_id, play=[tts("Hello")])


def back(stage: Stage) -> Peer:
    """Return the client that comes again to its session."""
    peer = Peer(stage.sim)
    peer.log_in(protocol=stage.sim.sessions[0])
    return peer


# Cuts.


@pytest.mark.parametrize(
    ("cut", "is_done", "is_answered", "told"),
    [
        ({"method": "calling.play"}, False, False, []),
        ({"method": "calling.play", "after": True}, True, False, []),
        ({"method": "calling.play", "answer": True}, True, False, []),
        ({"method": "calling.play", "answer": True, "after": True}, True, True, []),
        ({"event_type": "calling.call.play"}, True, True, []),
        ({"event_type": "calling.call.play", "after": True}, True, True, ["playing"]),
        ({"event_type": "calling.call.play", "state": "finished"}, True, True, ["playing"]),
        ({"event_type": "calling.call.play", "skip": 1, "after": True}, True, True, ["playing", "finished"]),
        ({}, False, False, []),
        ({"direction": "out", "skip": 1}, True, True, []),
    ],
)
def test_a_connection_is_cut_at_the_frame_that_is_named(
    stage: Stage, peer: Peer, call: Inbound, cut: dict[str, Any], is_done: bool, is_answered: bool, told: list[str]
):
    """Proves SEMANTICS V4: before or after a request, its answer or an event."""
    stage.sim.cut_at(**cut)
    answer = play(call)
    stage.run(30)

    assert peer.closed == "broken"
    assert ("c1" in str([frame.params for frame in stage.sim.frames.received("calling.play")])) is is_done
    assert (answer is not None) is is_answered
    assert peer.states("calling.call.play") == told
    assert back(stage).states("calling.call.play") == (["playing", "finished"] if is_done else [])


def test_the_acknowledgement_of_an_event_can_be_lost(stage: Stage, peer: Peer, call: Inbound):
    stage.sim.cut_at(event_type="calling.call.play", answer=True)
    play(call)
    peer.acknowledge()

    assert peer.closed == "broken"
    assert back(stage).states("calling.call.play") == ["playing"], "it is sent again"


def test_a_cut_says_goodbye_when_it_is_to(stage: Stage, peer: Peer, call: Inbound):
    stage.sim.cut_at(method="calling.play", clean=True)
    play(call)
    assert peer.closed == "clean"


def test_only_the_connection_that_the_frame_is_on_is_cut(stage: Stage, peer: Peer, call: Inbound):
    other = stage.client()
    stage.sim.cut_at(method="calling.play")
    play(call)

    assert (peer.closed, other.closed) == ("broken", None)


def test_each_cut_is_made_once(stage: Stage, peer: Peer, call: Inbound):
    stage.sim.cut_at(method="calling.play")
    stage.sim.cut_at(method="calling.play")
    closed = []
    for _ in range(3):
        call.peer = back(stage)
        play(call)
        closed.append(call.peer.closed)
    assert closed == ["broken", "broken", None]


@pytest.mark.parametrize(
    ("cut", "error", "match"),
    [
        ({"method": "calling.play", "event_type": "calling.call.play"}, ConfigError, "name one of them"),
        ({"number": 0}, ConfigError, "frame 0 has crossed already: the next one is number 2"),
        ({"method": "calling.ply"}, ConfigError, "probably means"),
        ({"skip": -1}, ArgumentError, "skip must be"),
    ],
)
def test_a_cut_that_could_never_be_made_is_refused(
    stage: Stage, peer: Peer, cut: dict[str, Any], error: type[Exception], match: str
):
    with pytest.raises(error, match=match):
        stage.sim.cut_at(**cut)


# Half-open, stalled, slow.


@pytest.mark.parametrize(
    ("direction", "is_done", "is_answered"), [("in", False, False), ("out", True, False), ("both", False, False)]
)
def test_nothing_crosses_a_half_open_connection_until_it_heals(
    stage: Stage, peer: Peer, call: Inbound, direction: Any, is_done: bool, is_answered: bool
):
    stage.sim.half_open(5.0, direction=direction)
    play(call)
    stage.run(4.9)
    assert peer.closed is None
    assert (len(stage.sim.frames.received("calling.play")) == 1) is is_done
    assert (peer.response("r3") is not None) is is_answered
    fresh = stage.client()
    assert fresh.ask("signalwire.ping") is not None, "new connections are not touched"
    stage.run(0.2)

    assert peer.response("r3") is not None
    assert peer.states("calling.call.play")[0] == "playing"


def test_a_half_open_connection_may_break_in_the_end_and_what_waited_is_lost(stage: Stage, peer: Peer, call: Inbound):
    stage.sim.half_open(5.0, ends="breaks")
    play(call)
    stage.run(5.1)

    assert peer.closed == "broken"
    assert stage.sim.frames.received("calling.play") == []


def test_a_half_open_connection_stays_so_until_told_otherwise(stage: Stage, peer: Peer):
    stage.sim.half_open()
    peer.ask("signalwire.ping")
    stage.run(1000)
    assert peer.response("r2") is None
    stage.sim.recover()
    assert peer.response("r2") is not None


def test_a_stalled_server_reads_nothing_and_still_tells(stage: Stage, peer: Peer, call: Inbound):
    stage.sim.stall(5.0)
    play(call)
    call.line.hangs_up()
    fresh = Peer(stage.sim)
    assert fresh.ask("signalwire.connect", authentication={"project": "project-1", "token": "token-1"}) is None
    assert call.states[-1] == "ended"
    stage.run(5.1)

    answer = peer.response("r3")
    assert answer is not None
    assert answer["result"]["code"] == "404", "the call has ended meanwhile"
    assert fresh.response("r1") is not None


def test_every_frame_is_slow(stage: Stage, peer: Peer, call: Inbound):
    stage.sim.slow_down(1.0, lasts=60.0)
    play(call)
    stage.run(0.9)
    assert stage.sim.frames.received("calling.play") == []
    stage.run(0.2)
    assert len(stage.sim.frames.received("calling.play")) == 1
    assert peer.response("r3") is None
    stage.run(1.0)
    assert peer.response("r3") is not None


def test_every_answer_is_slow_and_events_overtake_it(stage: Stage, peer: Peer, call: Inbound):
    stage.sim.slow_down(1.0, what="answers", lasts=1.5)
    play(call)
    assert peer.story()[-1] == "call.play playing"
    stage.run(1.6)
    assert peer.response("r3") is not None
    assert play(call, "c2") is not None


# Sockets.


def test_two_times_without_sockets_end_with_the_later_one(stage: Stage, peer: Peer):
    stage.sim.refuse_sockets(5.0)
    stage.sim.refuse_sockets(2.0)
    stage.run(3.0)
    assert not stage.sim.is_accepting
    stage.run(2.1)
    assert stage.sim.is_accepting


def test_without_a_time_sockets_are_down_until_recovery(stage: Stage, peer: Peer):
    stage.sim.refuse_sockets(clean=True)
    stage.run(1000)
    assert peer.closed == "clean"
    assert not stage.sim.is_accepting
    stage.sim.recover()
    assert stage.sim.is_accepting


# What nobody expects.


def test_odd_texts_go_to_every_client(stage: Stage):
    peer, other = RawPeer(stage.sim), RawPeer(stage.sim)
    peer.log_in("support")
    for what in ("cut_short", "no_object", "no_utf8", "unknown_method"):
        stage.sim.push_odd(what)
    call = stage.inbound(peer)
    stage.sim.push_odd("unknown_event")

    assert [len(one.texts) for one in (peer, other)] == [9, 5]
    assert peer.events("calling.call.brand_new") == [
        {"call_id": call.call_id, "node_id": call.node_id, "state": "brand_new"}
    ]
    assert other.events("calling.call.brand_new") == [{"state": "brand_new"}]
    assert call.code("calling.end") == "200"


def test_an_oversize_frame_is_one_byte_more_than_is_allowed(stage: Stage):
    peer = RawPeer(stage.sim)
    peer.log_in()
    stage.sim.push_oversize()
    assert len(peer.texts[-1]) == LARGEST_BYTES + 1


def test_a_binary_event_is_marked_for_whoever_knows_the_difference(stage: Stage):
    peer = RawPeer(stage.sim)
    peer.log_in("support")
    stage.sim.binary_next("calling.call.receive")
    stage.inbound(peer)

    kinds = [isinstance(text, BinaryText) for text in peer.texts]
    assert kinds == [False, True, False, False]
    assert len(stage.sim.frames.sent("calling.call.receive")) == 1


# On a real socket.


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    quiet = Manners(sends_authorization_state=False)
    with SimulatorServer(Simulator(clock=SystemClock(), random=Random(7), pace=0.02, manners=quiet)) as server:
        yield server


@pytest.mark.parametrize(("clean", "error"), [(False, ConnectionClosedError), (True, ConnectionClosedOK)])
@pytest.mark.parametrize("after", [False, True])
def test_a_cut_resets_a_real_socket_or_says_goodbye(
    server: SimulatorServer, clean: bool, error: type[ConnectionClosed], after: bool
):
    """Proves SEMANTICS V4, where bytes move."""
    with connect(server.url) as socket:
        guest = Guest(socket)
        guest.log_in()
        server.simulator.inject("cut", method="signalwire.ping", answer=True, after=after, clean=clean)
        guest.send("signalwire.ping")
        if after:
            assert "timestamp" in json.loads(socket.recv(timeout=WITHIN_S))["result"]
        with pytest.raises(error) as caught:
            socket.recv(timeout=WITHIN_S)

    assert (caught.value.rcvd is not None) is clean
    if not clean:
        assert isinstance(caught.value.__cause__, ConnectionResetError), "a reset, not an end of the stream"


def test_a_real_socket_is_half_open_for_a_while(server: SimulatorServer):
    with connect(server.url) as socket:
        guest = Guest(socket)
        guest.log_in()
        server.simulator.inject("half_open")
        guest.send("signalwire.ping")
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.1)
        server.simulator.recover()
        assert "timestamp" in json.loads(socket.recv(timeout=WITHIN_S))["result"]


def test_a_binary_event_is_a_binary_message_on_a_real_socket(server: SimulatorServer):
    with connect(server.url) as socket:
        guest = Guest(socket)
        guest.log_in("support")
        server.simulator.inject("binary event_type=calling.call.receive")
        server.simulator.phone("+15550001111").dials(context="support")
        message = socket.recv(timeout=WITHIN_S)

    assert isinstance(message, bytes)
    assert json.loads(message)["params"]["event_type"] == "calling.call.receive"


def test_an_oversize_frame_ends_the_connection_of_a_client_that_keeps_to_the_limit(server: SimulatorServer):
    with connect(server.url, max_size=LARGEST_BYTES) as socket:
        Guest(socket).log_in()
        server.simulator.inject("oversize")
        with pytest.raises(ConnectionClosedError, match="1009"):
            socket.recv(timeout=WITHIN_S)


class Echo(CallActor):
    """Answers, says something, and hangs up."""

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("Still here.")).wait()
        await self.hangup()


@pytest.mark.parametrize(
    ("faults", "log_ins"),
    [
        (("malformed what=cut_short", "malformed what=no_utf8", "unknown_event", "unknown_method", "binary"), 1),
        (("oversize",), 2),
        (("cut method=calling.answer after=yes", "cut event_type=calling.call.play after=yes clean=yes"), 1),
        (("restart keeps_sessions=no",), 2),
        (("drop", "expire_authorization"), 3),
    ],
)
def test_our_own_application_recovers_on_a_real_socket(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator, faults: tuple[str, ...], log_ins: int
):
    app = RelayApp()
    app.calls("support")(Echo)
    relay_app(app)
    for fault in faults:
        relay_sim.inject(fault)
    assert relay_sim.wait_until(lambda: len(relay_sim.frames.received("signalwire.connect")) >= log_ins, WITHIN_S)
    relay_sim.wait_for_clients()
    phone("+15550001111").dials(context="support").hears("still here").is_hung_up()
    assert relay_sim.wrong_acks == ()
