"""Stream and tap. Source: PROTOCOL 11.7, 11.8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from relay_actors.simulator.feeds import Feed
from relay_actors.simulator.outlets import OutletOwner
from relay_actors.simulator.webhooks import Webhook
from tests.simulator.stage import Inbound, Peer, Stage, tts

STREAM = "calling.call.stream"
TAP = "calling.call.tap"
SILENT = b"\xff" * 160


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


class Wire:
    """An outlet of `Town`."""

    source = ("127.0.0.1", 4242)

    def __init__(self, url: str, headers: Mapping[str, str], owner: OutletOwner | None) -> None:
        self.url = url
        self.headers = headers
        self.owner = owner
        self.got: list[str | bytes] = []
        self.is_closed = False

    def send(self, data: str | bytes) -> None:
        assert not self.is_closed
        self.got.append(data)

    def close(self) -> None:
        self.is_closed = True


class Town:
    """An outside in stopped time: what is opened there is opened, or fails, when the test says so."""

    base_url = "http://127.0.0.1:9"

    def __init__(self) -> None:
        self.wires: list[Wire] = []

    def reaches(self, host: str) -> bool:
        return host == "127.0.0.1"

    def open_websocket(self, url: str, headers: Mapping[str, str], owner: OutletOwner) -> Wire:
        self.wires.append(Wire(url, headers, owner))
        return self.wires[-1]

    def open_packets(self, host: str, port: int) -> Wire:
        if not port:
            raise OSError("no port")
        self.wires.append(Wire(f"{host}:{port}", {}, None))
        return self.wires[-1]


@pytest.fixture
def town(stage: Stage) -> Town:
    town = Town()
    stage.sim.show_outside(town)
    return town


def owner_of(wire: Wire) -> OutletOwner:
    assert wire.owner is not None
    return wire.owner


def the_feed(stage: Stage) -> Feed:
    (feed,) = stage.sim.streams
    return feed


def told_of(hook: Webhook) -> Any:
    assert hook.body["event_type"] == STREAM
    return hook.body["params"]


def media(feed: Feed, track: str) -> list[Any]:
    bodies = [message["media"] for message in feed.messages if message["event"] == "media"]
    return [body for body in bodies if body["track"] == track]  # type: ignore[index, call-overload]  # JSON


# Streams.


def test_a_stream_tells_its_url_and_name(call: Inbound):
    call.do("calling.stream", control_id="c1", url="wss://a", name="ear")
    call.do("calling.stream.stop", control_id="c1")

    told = [(event["state"], event["url"], event["name"]) for event in call.peer.events(STREAM)]
    assert told == [("streaming", "wss://a", "ear"), ("finished", "wss://a", "ear")]


def test_what_a_stream_would_send_is_seen(stage: Stage, call: Inbound):
    """Nobody has sockets here; somebody is taken to listen."""
    call.do(
        "calling.stream",
        control_id="c1",
        url="wss://media.example.com/audio",
        custom_parameters={"ticket": "42"},
        authorization_bearer_token="secret",
    )
    stage.run(0.1)
    call.line.presses("5")
    stage.run(0.1)
    call.do("calling.stream.stop", control_id="c1")
    stage.run(5)

    feed = the_feed(stage)
    assert (feed.kind, feed.url, feed.call_id) == ("stream", "wss://media.example.com/audio", call.call_id)
    assert feed.headers == {"Authorization": "Bearer secret"}
    start: Any = feed.messages[1]["start"]
    assert (start["callSid"], start["accountSid"], start["tracks"]) == (call.call_id, "project-1", ["inbound"])
    assert start["customParameters"] == {"ticket": "42"}
    events = [message["event"] for message in feed.messages]
    assert events == ["connected", "start", *["media"] * 5, "dtmf", *["media"] * 5, "stop"]
    assert feed.is_over


@pytest.mark.parametrize(
    ("track", "inbound", "outbound"),
    [(None, 50, 0), ("inbound_track", 50, 0), ("outbound_track", 0, 50), ("both_tracks", 50, 50)],
)
def test_a_stream_has_the_tracks_that_were_asked_for(
    stage: Stage, call: Inbound, track: str | None, inbound: int, outbound: int
):
    call.do("calling.stream", control_id="c1", url="wss://a", **({"track": track} if track else {}))
    stage.run(1.0)

    assert len(media(the_feed(stage), "inbound")) == inbound
    assert len(media(the_feed(stage), "outbound")) == outbound


def test_a_stream_carries_what_is_said_and_what_is_heard(stage: Stage, call: Inbound):
    call.do("calling.stream", control_id="c1", url="wss://a", track="both_tracks")
    stage.run(1.0)
    call.line.says("good day")
    call.do("calling.play", control_id="p", play=[tts("x" * 30)])
    stage.run(4.0)
    silent = "/" * 213 + "w=="

    def is_loud(track: str) -> list[bool]:
        frames = media(the_feed(stage), track)
        return [
            any(frame["payload"] != silent for frame in frames[start : start + 50])
            for start in range(0, len(frames), 50)
        ]

    assert is_loud("inbound") == [False, True, False, False, False]
    assert is_loud("outbound") == [False, True, True, False, False]


def test_a_stream_at_a_listener_begins_when_it_is_open(stage: Stage, call: Inbound, town: Town):
    call.do("calling.stream", control_id="c1", url="ws://127.0.0.1:1/x", authorization_bearer_token="t")
    (wire,) = town.wires
    stage.run(1.0)
    assert call.peer.states(STREAM) == []
    assert (wire.url, wire.headers, wire.got) == ("ws://127.0.0.1:1/x", {"Authorization": "Bearer t"}, [])
    with stage.sim.turn():
        owner_of(wire).outlet_opened()
    assert call.peer.states(STREAM) == ["streaming"]
    stage.run(1.01)
    assert len(wire.got) == 2 + 50
    call.do("calling.stream.stop", control_id="c1")

    assert tuple(wire.got) == the_feed(stage).sent
    assert wire.is_closed
    assert call.peer.states(STREAM) == ["streaming", "finished"]


def test_a_fast_stream_gives_its_frames_in_batches(town: Town):
    """At this pace every frame by itself would be two and a half thousand turns a second."""
    stage = Stage(pace=0.02)
    stage.sim.show_outside(town)
    call = stage.inbound(stage.client("support"))
    call.do("calling.stream", control_id="c1", url="ws://127.0.0.1:1/x")
    with stage.sim.turn():
        owner_of(town.wires[0]).outlet_opened()
    turns = 0
    until = stage.clock.now() + 1.0001
    while (due := stage.sim.next_deadline()) is not None and due <= until:
        stage.step()
        turns += 1

    assert turns <= 101
    assert len(town.wires[0].got) == 2 + 2500


def test_a_stream_that_reaches_nobody_is_an_error_and_finished(stage: Stage, call: Inbound, town: Town):
    call.do("calling.stream", control_id="c1", url="ws://127.0.0.1:1/x", status_url="https://hooks/s")
    with stage.sim.turn():
        owner_of(town.wires[0]).outlet_failed("Cannot connect to ws://127.0.0.1:1/x: refused")

    (error,) = call.peer.events("calling.error")
    assert (error["code"], error["call_id"]) == ("400", call.call_id)
    assert error["message"] == "Cannot connect to ws://127.0.0.1:1/x: refused"
    assert call.peer.story()[-2:] == ["error", "call.stream finished"]
    assert [told_of(hook)["state"] for hook in stage.sim.webhooks] == ["error", "finished"]
    assert the_feed(stage).sent == ()


def test_a_listener_that_closes_ends_the_stream(stage: Stage, call: Inbound, town: Town):
    call.do("calling.stream", control_id="c1", url="ws://127.0.0.1:1/x")
    with stage.sim.turn():
        owner_of(town.wires[0]).outlet_opened()
        owner_of(town.wires[0]).outlet_closed()

    assert call.peer.states(STREAM) == ["streaming", "finished"]
    assert call.peer.events("calling.error") == []
    assert call.code("calling.stream.stop", control_id="c1") == "404"


def test_a_stream_that_is_stopped_before_it_is_open_stays_closed(stage: Stage, call: Inbound, town: Town):
    call.do("calling.stream", control_id="c1", url="ws://127.0.0.1:1/x")
    call.line.hangs_up()
    with stage.sim.turn():
        owner_of(town.wires[0]).outlet_opened()
        owner_of(town.wires[0]).outlet_closed()
        owner_of(town.wires[0]).outlet_failed("too late")

    assert town.wires[0].is_closed
    assert call.peer.states(STREAM) == ["finished"]
    assert call.peer.events("calling.error") == []


@pytest.mark.parametrize("url", ["wss://media.example.com/audio", "ws://[half", "nonsense"])
def test_no_other_host_is_ever_connected_to(stage: Stage, call: Inbound, town: Town, url: str):
    call.do("calling.stream", control_id="c1", url=url)

    assert town.wires == []
    assert call.peer.states(STREAM) == ["streaming"]


def test_the_status_url_hears_of_a_stream(stage: Stage, call: Inbound):
    call.do("calling.stream", control_id="c1", url="wss://a", status_url="https://hooks/s", status_url_method="GET")
    call.line.hangs_up()

    told = [(hook.url, hook.method, told_of(hook)["state"]) for hook in stage.sim.webhooks]
    assert told == [("https://hooks/s", "GET", "streaming"), ("https://hooks/s", "GET", "finished")]


# Taps.


def tap(call: Inbound, device: dict[str, Any], direction: str = "both") -> dict[str, Any]:
    what = {"type": "audio", "params": {"direction": direction}}
    return call.do("calling.tap", control_id="c1", tap=what, device=device)


def rtp(**params: Any) -> dict[str, Any]:
    return {"type": "rtp", "params": params}


def test_a_tap_names_its_source_and_tells_its_device_as_text(call: Inbound):
    answer = tap(call, rtp(addr="203.0.113.10", port=5004))
    assert answer["source_device"]["type"] == "rtp"
    call.do("calling.tap.stop", control_id="c1")

    assert call.peer.states(TAP) == ["tapping", "finished"]
    told = call.peer.events(TAP)[-1]
    assert told["device"] == {"type": "rtp", "params": {"addr": "203.0.113.10", "port": "5004"}}


def test_a_tap_to_a_websocket_has_no_source(call: Inbound):
    assert "source_device" not in tap(call, {"type": "ws", "params": {"uri": "wss://a"}})


@pytest.mark.parametrize(("direction", "loud"), [("speak", [0, 1]), ("listen", [1, 0]), ("both", [1, 1])])
def test_a_tap_hears_the_side_that_was_asked_for(stage: Stage, call: Inbound, direction: str, loud: list[int]):
    tap(call, {"type": "ws", "params": {"uri": "wss://a"}}, direction)
    call.do("calling.play", control_id="p", play=[tts("hello")])
    stage.run(0.6)
    call.line.says("hello")
    stage.run(0.6)
    frames = the_feed(stage).sent

    assert [any(frame != SILENT for frame in part) for part in (frames[:30], frames[30:])] == [bool(it) for it in loud]


def test_a_tap_to_a_websocket_sends_bare_frames(stage: Stage, call: Inbound, town: Town):
    tap(call, {"type": "ws", "params": {"uri": "ws://127.0.0.1:1/tap"}})
    assert call.peer.states(TAP) == []
    with stage.sim.turn():
        owner_of(town.wires[0]).outlet_opened()
    stage.run(0.1)

    assert town.wires[0].got == [SILENT] * 5
    assert call.peer.states(TAP) == ["tapping"]


def test_a_tap_by_rtp_says_where_its_packets_come_from(stage: Stage, call: Inbound, town: Town):
    answer = tap(call, rtp(addr="127.0.0.1", port=5004))
    params = {"addr": "127.0.0.1", "port": 4242, "codec": "PCMU", "ptime": 20, "rate": 8000}
    assert answer["source_device"] == {"type": "rtp", "params": params}
    stage.run(0.1)
    call.line.hangs_up()

    (wire,) = town.wires
    assert wire.url == "127.0.0.1:5004"
    assert [len(packet) for packet in wire.got] == [172] * 5
    assert wire.is_closed
    assert call.peer.states(TAP) == ["tapping", "finished"]
    assert the_feed(stage).url == "rtp://127.0.0.1:5004"


def test_a_tap_speaks_the_codec_that_was_asked_for(stage: Stage, call: Inbound):
    assert tap(call, rtp(addr="203.0.113.10", port=5004, codec="PCMA"))["source_device"]["params"]["codec"] == "PCMA"
    call.do("calling.stream", control_id="c2", url="wss://a", codec="PCMA")
    stage.run(0.1)
    packets, messages = stage.sim.streams

    assert packets.sent[0][12:] == b"\xd5" * 160
    assert messages.messages[1]["start"]["mediaFormat"]["encoding"] == "audio/x-alaw"  # type: ignore[index]  # JSON


def test_a_tap_that_cannot_send_is_an_error_and_finished(call: Inbound, town: Town):
    tap(call, rtp(addr="127.0.0.1", port=0))

    assert "no port" in call.peer.events("calling.error")[0]["message"]
    assert call.peer.states(TAP) == ["finished"]
