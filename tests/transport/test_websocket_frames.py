"""The codec is held against websocket-client's own parser, and against the sentences of RFC 6455."""

from __future__ import annotations

import io
import itertools
import tracemalloc
from collections.abc import Iterator

import pytest
import websocket
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import TransportError
from relay_actors.transport.websocket_client import _parse
from relay_actors.transport.websocket_frames import (
    MASK_KEY_BYTES,
    PING,
    TEXT,
    Frame,
    MessageReader,
    compose,
    compose_texts,
)
from tests.support.raw_server import server_frame

MAX_BYTES = 200_000
CONTROL_OPCODES = (websocket.ABNF.OPCODE_PING, websocket.ABNF.OPCODE_PONG)

short_payloads = st.binary(max_size=140)
payloads = short_payloads | st.sampled_from([125, 126, 127, 65_535, 65_536]).map(lambda size: b"x" * size)


@st.composite
def messages(draw: st.DrawFn) -> list[bytes]:
    """The frames of one message, in any number of fragments with control frames between them, or a control frame."""
    kind = draw(st.sampled_from(["whole", "whole", "fragmented", "control"]))
    if kind == "whole":
        return [_library_frame(draw(payloads), draw(st.sampled_from([0x1, 0x2])))]
    if kind == "control":
        return [draw(control_frames)]
    parts = draw(st.lists(short_payloads, min_size=1, max_size=4))
    frames = []
    for number, part in enumerate(parts):
        opcode = draw(st.sampled_from([0x1, 0x2])) if number == 0 else 0x0
        frames.append(_library_frame(part, opcode, fin=int(number == len(parts) - 1)))
        if number < len(parts) - 1:
            frames += draw(st.lists(control_frames, max_size=2))
    return frames


def _library_frame(payload: bytes, opcode: int, *, fin: int = 1) -> bytes:
    return bytes(websocket.ABNF(fin, 0, 0, 0, opcode, 0, payload).format())


control_frames = st.builds(_library_frame, st.binary(max_size=125), st.sampled_from(CONTROL_OPCODES))
streams = st.lists(messages(), max_size=8).map(lambda some: b"".join(frame for frames in some for frame in frames))


@st.composite
def cuts(draw: st.DrawFn, stream: bytes) -> list[bytes]:
    """The stream in pieces: one by one, or wherever."""
    if draw(st.booleans()) and len(stream) < 1000:
        return [stream[at : at + 1] for at in range(len(stream))]
    marks = sorted(draw(st.sets(st.integers(0, len(stream)), max_size=12)) | {0, len(stream)})
    return [stream[a:b] for a, b in itertools.pairwise(marks)]


def read(pieces: list[bytes]) -> tuple[list[bytes], list[Frame], bool]:
    """What our reader makes of these pieces: messages, control frames, and whether it refused them."""
    texts: list[bytes] = []
    controls: list[Frame] = []
    reader = MessageReader(MAX_BYTES, parse=_parse, on_control=controls.append)
    try:
        for piece in pieces:
            reader.feed(piece, texts)
    except TransportError:
        return texts, controls, True
    return texts, controls, False


class _ReadBack:
    """A socket for the library's client that holds a finished stream."""

    def __init__(self, stream: bytes) -> None:
        self._stream = io.BytesIO(stream)

    def gettimeout(self) -> float:
        return 0.0

    def recv(self, size: int) -> bytes:
        return self._stream.read(size)

    def send(self, data: bytes) -> int:
        return len(data)

    def close(self) -> None: ...


def read_by_library(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """What websocket-client makes of the whole stream: each message and each control frame in turn."""
    client = websocket.WebSocket(enable_multithread=False, skip_utf8_validation=True)
    client.sock = _ReadBack(stream)
    try:
        while True:
            opcode, frame = client.recv_data_frame(control_frame=True)
            yield opcode, frame.data
    except websocket.WebSocketConnectionClosedException:
        return


@given(st.data())
def test_any_stream_in_any_pieces_gives_what_the_library_makes_of_it(data: st.DataObject) -> None:
    """The law of this module: the short cut may not change what arrives, wherever the network cuts."""
    stream = data.draw(streams)
    texts, controls, is_refused = read(data.draw(cuts(stream)))
    expected = list(read_by_library(stream))
    assert not is_refused
    assert texts == [payload for opcode, payload in expected if opcode not in CONTROL_OPCODES]
    assert [(f.opcode, f.payload) for f in controls] == [item for item in expected if item[0] in CONTROL_OPCODES]


@given(st.data())
def test_the_pieces_of_a_broken_stream_do_not_change_what_is_made_of_it(data: st.DataObject) -> None:
    """Junk is refused with `TransportError` and nothing else, after the same messages, however it is cut."""
    stream = data.draw(streams) + data.draw(st.binary(max_size=40)) + data.draw(streams)
    assert read(data.draw(cuts(stream))) == read([stream])


@given(st.lists(payloads), st.data())
def test_the_library_reads_back_what_is_composed(texts: list[bytes], data: st.DataObject) -> None:
    """Another's parser judges our frames: whole, text, masked, in order, whatever the keys."""
    keys = data.draw(st.binary(min_size=MASK_KEY_BYTES * len(texts), max_size=MASK_KEY_BYTES * len(texts)))
    wire = compose_texts(texts, keys)
    buffer = websocket.frame_buffer(io.BytesIO(wire).read, skip_utf8_validation=True)
    frames = [buffer.recv_frame() for _ in texts]
    assert [frame.data for frame in frames] == texts
    assert all((frame.opcode, frame.fin, frame.mask_value) == (TEXT, 1, 1) for frame in frames)
    assert len(wire) == sum(len(websocket.ABNF.create_frame(text, TEXT).format()) for text in texts)


def test_each_text_is_masked_with_a_key_of_its_own() -> None:
    """RFC 6455 5.3: a fresh key for each frame."""
    assert compose_texts([b"same", b"same"], b"\0\0\0\0\1\1\1\1") == b"\x81\x84\0\0\0\0same\x81\x84\1\1\1\1r`ld"


def test_composing_fails_when_there_are_fewer_keys_than_texts() -> None:
    """A text without a key must not go out, nor be left out in silence."""
    with pytest.raises(ValueError, match="bytes of keys"):
        compose_texts([b"one", b"two"], b"\0\0\0\0")


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"\x81\x80\0\0\0\0", id="masked by the server (5.1)"),
        pytest.param(b"\x81\xfe", id="masked, before the length is even there (5.1)"),
        pytest.param(server_frame(b"{}", reserved=4), id="a reserved bit (5.2)"),
        pytest.param(server_frame(b"{}", 0x3), id="an unknown data opcode (5.2)"),
        pytest.param(server_frame(b"", 0xB), id="an unknown control opcode (5.2)"),
        pytest.param(server_frame(b"", 0x0), id="a continuation of nothing (5.4)"),
        pytest.param(server_frame(b"a", is_final=False) + server_frame(b"b"), id="a text inside a text (5.4)"),
        pytest.param(server_frame(b"", PING, is_final=False), id="a fragmented ping (5.5)"),
        pytest.param(server_frame(b"", 0xA, is_final=False), id="a fragmented pong (5.5)"),
        pytest.param(server_frame(b"\x03\xe8", 0x8, is_final=False), id="a fragmented close (5.5)"),
        pytest.param(server_frame(b"x" * 126, PING), id="an overlong ping (5.5)"),
        pytest.param(server_frame(b"x" * 126, 0xA), id="an overlong pong (5.5)"),
        pytest.param(server_frame(b"\x03", 0x8), id="half a close code (5.5.1)"),
        pytest.param(server_frame(b"\x03\xed", 0x8), id="a close code that may not be sent (7.4.1)"),
        pytest.param(b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", id="a length of 2**64 - 1"),
    ],
)
def test_what_the_rfc_forbids_is_refused_after_the_texts_before_it(stream: bytes) -> None:
    """A peer that breaks the framing cannot be trusted to be in step: nothing after that counts."""
    assert read([server_frame(b"before") + stream + server_frame(b"after")]) == ([b"before"], [], True)


def test_a_text_of_exactly_the_limit_is_taken_and_one_byte_more_is_refused() -> None:
    """PROTOCOL 1: the limit is on the message, and it is inclusive."""
    assert read([server_frame(b"x" * MAX_BYTES)])[0] == [b"x" * MAX_BYTES]
    assert read([server_frame(b"x" * (MAX_BYTES + 1))]) == ([], [], True)


def test_a_message_over_the_limit_is_refused_by_its_announced_length() -> None:
    """A hostile length must cost ten bytes of memory, not ten megabytes."""
    header_alone = server_frame(b"x" * (MAX_BYTES + 1))[:10]
    assert read([header_alone]) == ([], [], True)


def test_fragments_count_together_against_the_limit() -> None:
    """Otherwise a message without end would be the way around it."""
    half = b"x" * (MAX_BYTES // 2)
    begun = server_frame(half, is_final=False) + server_frame(half, 0x0, is_final=False)
    assert read([begun, server_frame(b"", 0x0)]) == ([half + half], [], False)
    assert read([begun, server_frame(b"x", 0x0)]) == ([], [], True)


def test_a_ping_within_a_message_does_not_count_against_the_messages_limit() -> None:
    """It is no part of it, and may come when there is no room left for more of the message. RFC 6455 5.4."""
    begun = server_frame(b"x" * MAX_BYTES, is_final=False)
    ping = server_frame(b"y" * 125, PING)
    texts, controls, is_broken = read([begun + ping, server_frame(b"", 0x0)])
    assert (texts, len(controls), is_broken) == ([b"x" * MAX_BYTES], 1, False)
    assert read([begun + ping, server_frame(b"x", 0x0)])[0::2] == ([], True)


def test_the_limit_starts_afresh_with_each_message() -> None:
    """The room that one fragmented message used is given back to the next."""
    whole = b"x" * MAX_BYTES
    fragmented = server_frame(whole[:10], is_final=False) + server_frame(whole[10:], 0x0)
    assert read([fragmented, fragmented, server_frame(whole)]) == ([whole, whole, whole], [], False)


def test_endless_empty_fragments_are_not_collected() -> None:
    """They add no bytes, so the limit on bytes would never stop them."""
    texts: list[bytes] = []
    reader = MessageReader(MAX_BYTES, parse=_parse, on_control=pytest.fail)
    reader.feed(server_frame(b"a", is_final=False) + server_frame(b"", 0x0, is_final=False) * 1000, texts)
    assert reader._parts == b"a"
    reader.feed(server_frame(b"z", 0x0), texts)
    assert texts == [b"az"]


def test_a_message_in_little_fragments_is_kept_in_about_its_own_size() -> None:
    """Kept one by one, those of the longest message would take twenty times the memory that the limit allows."""
    texts: list[bytes] = []
    reader = MessageReader(1 << 20, parse=_parse, on_control=pytest.fail)
    reader.feed(server_frame(b"xy", is_final=False), texts)
    fragments = server_frame(b"xy", 0x0, is_final=False) * 5_000
    tracemalloc.start()
    try:
        reader.feed(fragments, texts)
        kept, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 3 * len(fragments)
    reader.feed(server_frame(b"z", 0x0), texts)
    assert texts == [b"xy" * 5_001 + b"z"]


def test_an_error_of_on_control_ends_the_reading_after_the_texts_before_it() -> None:
    """That is how a goodbye ends a connection without losing what came first."""

    def refuse(frame: Frame) -> None:
        raise TransportError(frame.payload.decode())

    texts: list[bytes] = []
    reader = MessageReader(MAX_BYTES, parse=_parse, on_control=refuse)
    with pytest.raises(TransportError, match="enough"):
        reader.feed(server_frame(b"1") + server_frame(b"enough", PING) + server_frame(b"2"), texts)
    assert texts == [b"1"]


def test_composing_a_control_frame_keeps_its_opcode() -> None:
    """A pong that went out as text would reach the server's JSON parser."""
    frame = websocket.frame_buffer(io.BytesIO(compose(0xA, b"hi", b"abcd")).read, True).recv_frame()
    assert (frame.opcode, frame.fin, frame.data) == (0xA, 1, b"hi")
