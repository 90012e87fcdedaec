"""What listeners of streams and taps get. Source: PROTOCOL 11.7, 11.8; RFC 3550."""

from __future__ import annotations

import base64
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator.packings import PCMA, PCMU, Codec, FrameMessages, RtpPackets, StreamMessages, codec_named
from relay_actors.simulator.tapes import BOTH, HEARD, SAID

FRAME = bytes(range(160))


@pytest.fixture
def messages() -> StreamMessages:
    return StreamMessages(stream_id="s1", call_id="c1", project="p1", tracks=BOTH, custom={"ticket": "42"})


def test_a_stream_begins_with_what_it_is(messages: StreamMessages):
    connected, start = map(json.loads, messages.begin())

    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start == {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": "s1",
        "start": {
            "streamSid": "s1",
            "accountSid": "p1",
            "callSid": "c1",
            "tracks": ["inbound", "outbound"],
            "customParameters": {"ticket": "42"},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        },
    }


def test_each_frame_tells_its_track_its_place_and_its_time(messages: StreamMessages):
    messages.begin()
    assert messages.channels == ((SAID,), (HEARD,))
    first = json.loads(messages.frame(0, 0, FRAME))
    later = json.loads(messages.frame(50, 1, FRAME))

    assert (first["sequenceNumber"], later["sequenceNumber"]) == ("2", "3")
    assert first["media"] == {
        "track": "inbound",
        "chunk": "1",
        "timestamp": "0",
        "payload": base64.b64encode(FRAME).decode(),
    }
    assert (later["media"]["track"], later["media"]["chunk"], later["media"]["timestamp"]) == ("outbound", "51", "1000")


def test_frames_that_are_left_out_are_counted(messages: StreamMessages):
    messages.begin()
    messages.skip(10)

    assert json.loads(messages.frame(10, 0, FRAME))["sequenceNumber"] == "22"


def test_keys_and_the_end_are_told(messages: StreamMessages):
    messages.begin()
    (key,), (stop,) = messages.key("5"), messages.end()

    assert json.loads(key)["dtmf"] == {"track": "inbound_track", "digit": "5"}
    assert json.loads(stop) == {
        "event": "stop",
        "sequenceNumber": "3",
        "streamSid": "s1",
        "stop": {"accountSid": "p1", "callSid": "c1"},
    }


@pytest.mark.parametrize(
    ("direction", "tracks"), [("speak", (SAID,)), ("listen", (HEARD,)), ("both", (SAID, HEARD)), ("sideways", (SAID,))]
)
def test_a_tap_is_one_channel_of_bare_frames(direction: str, tracks: tuple[str, ...]):
    frames = FrameMessages(direction)

    assert frames.channels == (tracks,)
    assert frames.begin() == frames.key("1") == frames.end() == []
    assert frames.frame(7, 0, FRAME) == FRAME


@pytest.mark.parametrize(
    ("name", "codec"),
    [("PCMU", PCMU), ("PCMA", PCMA), ("pcma@8000h", PCMA), ("OPUS@48000h", PCMU), (None, PCMU), ("", PCMU), (8, PCMU)],
)
def test_codecs_are_known_by_name_and_others_are_replaced(name: object, codec: Codec):
    assert codec_named(name) is codec


def test_a_listener_is_told_which_codec_it_is():
    messages = StreamMessages(stream_id="s", call_id="c", project="p", tracks=(SAID,), custom={}, codec=PCMA)
    assert json.loads(messages.begin()[1])["start"]["mediaFormat"]["encoding"] == "audio/x-alaw"

    packets = RtpPackets("both", source_id=1, sequence=2, timestamp=3, codec=PCMA)
    assert [packets.frame(number, 0, FRAME)[1] for number in (0, 1)] == [0x88, 0x08]


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**24))
def test_an_rtp_packet_counts_on_from_its_start_and_wraps_around(source: int, sequence: int, time: int, number: int):
    """Source: RFC 3550 section 5.1."""
    packets = RtpPackets("both", source_id=source, sequence=sequence, timestamp=time)
    packet = packets.frame(number, 0, FRAME)
    flags, kind, found_sequence, found_time, found_source = struct.unpack("!BBHII", packet[:12])

    assert (flags, kind & 0x7F, found_source) == (0x80, 0, source)
    assert (kind & 0x80 != 0) is (number == 0)
    assert (found_sequence - sequence - number) % 2**16 == 0
    assert (found_time - time - 160 * number) % 2**32 == 0
    assert packet[12:] == FRAME
