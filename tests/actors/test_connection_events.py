"""The connection actor and what a server tells: acknowledged once, in order, and whatever it is, harmless."""

from __future__ import annotations

import contextlib
import json
import select
import threading

import pytest
from websockets.exceptions import ConnectionClosed

from relay_actors import CallActor
from relay_actors.errors import TransportError
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent, RecordEvent, RelayEvent
from relay_actors.transport.websocket_client import WebsocketTransport
from tests.support.plain_app import Recorder, answering, logged_in
from tests.support.plain_server import CALL, FRAMES, NODE, PlainPeer, PlainServer

OTHER_CALL = "other-call"


def assert_still_works(peer: PlainPeer, recorder: Recorder) -> None:
    """See that the connection is up, and a call on it is told its events."""
    peer.settle()
    peer.event("calling.call.play", {"call_id": OTHER_CALL, "node_id": NODE, "control_id": "c", "state": "playing"})
    assert recorder.next(PlayEvent, OTHER_CALL).state == "playing"


# -- acknowledgements ------------------------------------------------------------------------------------------------


def test_an_event_is_acknowledged_before_anybody_handles_it(server: PlainServer) -> None:
    """What a handler sends comes behind the acknowledgement, always. PROTOCOL 7.2."""

    def on_message(call: CallActor, message: object) -> None:
        if isinstance(message, RelayEvent):
            call.send_digits("1")

    recorder = Recorder(on_message)
    with logged_in(server, recorder) as (_app, peer):
        sent = [peer.call(), *(peer.state(state) for state in ("ringing", "answered", "ending"))]
        requests = [peer.expect("calling.send_digits") for _ in sent]
        for frame_id, request in zip(sent, requests, strict=True):
            [ack] = peer.acks_of(frame_id)
            assert ack == {"jsonrpc": "2.0", "id": frame_id, "result": {}}
            assert peer.frames.index(ack) < peer.frames.index(request)
        peer.state("ended")


def test_every_event_with_an_id_is_acknowledged_exactly_once(server: PlainServer) -> None:
    """Also those that are dropped: unknown types, unknown calls, none at all. PROTOCOL 7.2."""
    with logged_in(server, Recorder()) as (_app, peer):
        sent = [
            peer.event("calling.call.brand_new", {"call_id": CALL}),
            peer.event("calling.call.play", {"call_id": "nobody", "state": "playing"}),
            peer.event("", {"call_id": CALL}),
            peer.event("calling.call.state", {}),
            peer.event("calling.call.receive", {"context": "support"}),
            peer.event("calling.call.dial", {"tag": "nobody", "dial_state": "failed"}),
            peer.event("messaging.state", {"message_id": "nobody", "message_state": "sent"}),
            peer.event("messaging.receive", {}),
            peer.event("signalwire.authorization.state", {"authorization_state": "x:y"}),
            peer.event("queuing.relay.tasks", {}, message={"a": 1}),
            peer.event("calling.conference", {"conference_id": "x"}),
            peer.event("x", {}, id=17),
            peer.event("x", {}, id=17.5),
            peer.event("x", {}, id=["a", {"b": None}]),
            peer.event("x", {}, id=""),
            peer.event("x", {}, id=True),
        ]
        for params in ({}, {"event_type": None}, {"event_type": 5, "params": {}}, {"event_type": "x", "params": [1]}):
            sent.append(peer.send_request("signalwire.event", params))
        for params in ([], "text", 5):  # not even an object
            sent.append(peer.send_request("signalwire.event", params))
        peer.settle()
        for frame_id in sent:
            assert [frame["result"] for frame in peer.acks_of(frame_id)] == [{}], frame_id


def test_an_event_without_an_id_is_delivered_and_nothing_is_sent(server: PlainServer) -> None:
    """PROTOCOL 7.2; the example ``odd.event.without_id``."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        call_id = peer.call(OTHER_CALL)
        peer.event("calling.call.play", {"call_id": OTHER_CALL, "state": "playing"}, id=None)
        assert recorder.next(PlayEvent).state == "playing"
        peer.settle()
        answered = [frame["id"] for frame in peer.frames if "method" not in frame]
        assert [frame_id for frame_id in answered if not str(frame_id).startswith("request-")] == [call_id]
        peer.state("ended", OTHER_CALL)


def test_an_event_that_comes_twice_is_told_once_and_acknowledged_twice(server: PlainServer) -> None:
    """The server has missed the first acknowledgement. SEMANTICS K3; PROTOCOL 7.2."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        for _ in range(2):
            peer.event("calling.call.receive", receive_params(OTHER_CALL), id="same-1")
        for _ in range(2):
            peer.event("calling.call.play", {"call_id": OTHER_CALL, "state": "playing"}, id="same-2")
        peer.state("ended", OTHER_CALL)
        recorder_saw = [type(recorder.next()).__name__ for _ in range(3)]
        assert recorder_saw == ["CallReceiveEvent", "PlayEvent", "CallStateEvent"]
        peer.settle()
        assert len(peer.acks_of("same-1")) == len(peer.acks_of("same-2")) == 2


def test_an_event_that_comes_again_after_a_resume_is_told_once(server: PlainServer) -> None:
    """It was acknowledged into a socket that broke. SEMANTICS K3."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        peer.call(OTHER_CALL)
        peer.event("calling.call.play", {"call_id": OTHER_CALL, "state": "playing"}, id="again")
        recorder.next(PlayEvent)
        peer.vanish()
        peer = server.accept_login()
        peer.event("calling.call.play", {"call_id": OTHER_CALL, "state": "playing"}, id="again")
        peer.expect_ack("again")
        peer.state("ended", OTHER_CALL)
        recorder.next(CallStateEvent)
        assert not [message for _call, message in recorder.so_far() if isinstance(message, PlayEvent)]


# -- order -----------------------------------------------------------------------------------------------------------


def test_what_has_come_in_is_told_also_when_what_waits_cannot_be_written(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has gone behind its last words, and bytes still wait for it: those words count. K1."""
    recorder = Recorder(answering)

    def wants_write(transport: WebsocketTransport) -> bool:
        return bool(select.select([transport], [], [], 0)[0])

    def fails(_transport: WebsocketTransport) -> None:
        raise TransportError("Connection reset by peer")

    with logged_in(server, recorder) as (_app, peer):
        peer.call()
        peer.ok(peer.expect("calling.answer"))
        peer.state("answered")
        assert recorder.next(CallStateEvent).call_state == "answered"
        peer.settle()
        with monkeypatch.context() as patch:
            patch.setattr(WebsocketTransport, "wants_write", wants_write)
            patch.setattr(WebsocketTransport, "flush", fails)
            peer.event("calling.call.play", {"call_id": CALL, "state": "playing"})
            peer.expect_end()
        server.accept_login()
        assert recorder.next(PlayEvent).state == "playing"


def test_two_calls_interleaved_stay_each_in_order(server: PlainServer) -> None:
    """PROTOCOL 2.7: events of one call in arrival order."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        calls = ("call-a", "call-b")
        for call_id in calls:
            peer.call(call_id)
        for number in range(200):
            for call_id in calls:
                peer.event("calling.call.play", {"call_id": call_id, "control_id": str(number), "state": "playing"})
        for call_id in calls:
            peer.state("ended", call_id)
        told: dict[str, list[str]] = {call_id: [] for call_id in calls}
        ended = 0
        while ended < len(calls):
            message = recorder.next()
            if isinstance(message, PlayEvent):
                told[message.call_id].append(message.control_id)
            ended += isinstance(message, CallStateEvent)
        assert told == {call_id: [str(number) for number in range(200)] for call_id in calls}


def test_a_handler_that_blocks_delays_no_other_call(server: PlainServer) -> None:
    """SEMANTICS K11, D5: the socket is read, pings are answered, and other calls go on."""
    go_on = threading.Event()

    def on_message(call: CallActor, message: object) -> None:
        if isinstance(message, CallReceiveEvent) and call.call_id == CALL:
            assert go_on.wait(5.0)

    recorder = Recorder(on_message)
    with logged_in(server, recorder) as (_app, peer):
        peer.call(CALL)
        recorder.next(CallReceiveEvent, CALL)
        peer.call(OTHER_CALL)
        recorder.next(CallReceiveEvent, OTHER_CALL)
        assert_still_works(peer, recorder)
        go_on.set()
        for call_id in (CALL, OTHER_CALL):
            peer.state("ended", call_id)


# -- whatever comes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FRAMES if name.startswith(("odd.", "error.", "calling.error"))])
def test_no_example_of_an_odd_frame_breaks_the_connection(server: PlainServer, name: str) -> None:
    """PROTOCOL 19.4, with the call they speak of being up."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        peer.call()
        peer.call(OTHER_CALL)
        peer.send(FRAMES[name]["frame"])
        assert_still_works(peer, recorder)
        for call_id in (CALL, OTHER_CALL):
            peer.state("ended", call_id)


ODD_TEXTS = [
    "",
    "null",
    "[]",
    "5",
    '"text"',
    "{",
    "{}",
    '{"id":null}',
    '{"jsonrpc":"2.0"}',
    '{"jsonrpc":"2.0","method":""}',
    '{"jsonrpc":"2.0","method":5,"params":{}}',
    '{"jsonrpc":"2.0","id":"x","result":{}}',
    '{"jsonrpc":"2.0","id":"x","error":null}',
    '{"jsonrpc":"2.0","id":"x","error":{"code":{},"message":[]}}',
    '{"jsonrpc":"2.0","id":{"a":1},"method":"signalwire.ping","params":{}}',
    "[" * 2000 + "]" * 2000,
    '{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":' + '{"a":' * 900 + "1" + "}" * 900 + "}",
    '{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":{"event_type":"x","params":'
    + '{"a":' * 900
    + "1"
    + "}" * 900
    + "}}",
    '{"jsonrpc":"2.0","id":"😀","method":"signalwire.nothing"}',
    '{"jsonrpc":"2.0","id":"\\ud83d","method":"signalwire.event","params":{}}',
    '{"a":1e999}',
    '{"a":' + "9" * 5000 + "}",
    "\x00",
]


@pytest.mark.parametrize("text", ODD_TEXTS, ids=[f"{number}-{text[:24]!r}" for number, text in enumerate(ODD_TEXTS)])
def test_no_odd_text_breaks_the_connection(server: PlainServer, text: str) -> None:
    """PROTOCOL 2.2, 16.4."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        peer.call(OTHER_CALL)
        peer.send_text(text)
        assert_still_works(peer, recorder)
        peer.state("ended", OTHER_CALL)


def test_binary_messages_and_fragments_are_read_like_text(server: PlainServer) -> None:
    """PROTOCOL 1. A binary message that is no UTF-8 is ignored."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        peer.call(OTHER_CALL)
        frame = event_text("calling.call.play", {"call_id": OTHER_CALL, "state": "playing"}, "binary")
        peer.send_text(frame.encode())
        recorder.next(PlayEvent)
        peer.expect_ack("binary")
        frame = event_text("calling.call.play", {"call_id": OTHER_CALL, "state": "pausedé"}, "fragments")
        peer.send_text([frame[:10], frame[10:60], "", frame[60:]])
        assert recorder.next(PlayEvent).state == "pausedé"
        peer.send_text(b"\xff\xfe\x00")
        assert_still_works(peer, recorder)
        peer.state("ended", OTHER_CALL)


def test_a_message_of_ten_mebibytes_is_accepted(server: PlainServer) -> None:
    """PROTOCOL 1: the largest there may be."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        peer.call(OTHER_CALL)
        text = event_text("calling.call.play", {"call_id": OTHER_CALL, "state": "playing", "padding": ""}, "large")
        padding = "x" * (10 * 1024 * 1024 - len(text))
        peer.send_text(text.replace('"padding": ""', f'"padding": "{padding}"'))
        assert len(recorder.next(PlayEvent).params["padding"]) == len(padding)
        assert_still_works(peer, recorder)
        peer.state("ended", OTHER_CALL)


def test_a_message_beyond_ten_mebibytes_costs_the_connection_and_no_call(server: PlainServer) -> None:
    """It cannot be skipped; but the session is resumed. PROTOCOL 1, 16.4."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        peer.call(OTHER_CALL)
        recorder.next(CallReceiveEvent)
        with contextlib.suppress(ConnectionClosed):  # it hangs up as soon as it sees how long the message will be
            peer.send_text('"' + "x" * (10 * 1024 * 1024) + '"')
        peer = server.accept_login()
        assert_still_works(peer, recorder)
        peer.state("ended", OTHER_CALL)


# -- both shapes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["record.event.finished", "record.event.finished.nested"])
def test_a_recording_is_found_where_either_source_puts_it(server: PlainServer, name: str) -> None:
    """PROTOCOL D7: nested first, then at the top."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        peer.call()
        peer.send(FRAMES[name]["frame"])
        event = recorder.next(RecordEvent)
        assert event.url.startswith("https://")
        assert event.duration > 0
        assert event.size > 0
        peer.state("ended")


@pytest.mark.parametrize(
    ("result", "digits"),
    [
        ({"type": "digit", "params": {"digits": "12", "terminator": "#"}}, "12"),
        ({"type": "digit", "digits": "12"}, "12"),
    ],
)
def test_digits_are_found_where_either_source_puts_them(
    server: PlainServer, result: dict[str, object], digits: str
) -> None:
    """PROTOCOL D2."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        peer.call()
        peer.event("calling.call.collect", {"call_id": CALL, "control_id": "c", "result": result})
        assert recorder.next(CollectEvent).digits == digits
        peer.state("ended")


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [({}, 1767225604.25, 1767225604.25), ({"timestamp": 5.5}, 1767225604.25, 5.5), ({}, "7.5", 7.5), ({}, None, 0.0)],
)
def test_the_time_of_an_event_is_found_inside_and_outside(
    server: PlainServer, inner: dict[str, object], outer: object, expected: float
) -> None:
    """PROTOCOL D14."""
    recorder = Recorder()
    with logged_in(server, recorder) as (_app, peer):
        peer.call()
        peer.event("calling.call.play", {"call_id": CALL, "state": "playing", **inner}, timestamp=outer)
        assert recorder.next(PlayEvent).timestamp == expected
        peer.state("ended")


def receive_params(call_id: str) -> dict[str, object]:
    return {"call_id": call_id, "node_id": NODE, "call_state": "created", "direction": "inbound", "context": "support"}


def event_text(event_type: str, params: dict[str, object], frame_id: str) -> str:
    return json.dumps(
        {
            "jsonrpc": "2.0",
            "id": frame_id,
            "method": "signalwire.event",
            "params": {"event_type": event_type, "params": params},
        },
        ensure_ascii=False,
    )
