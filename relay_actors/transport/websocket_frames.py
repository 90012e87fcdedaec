"""The WebSocket frames that matter for speed: whole texts in, masked texts out. Layer: pillar; no socket, no clock.

A busy connection is all whole, short text frames. Taking them out of a read of many kilobytes here is about twenty
times as fast as the library's ``recv``, which asks the socket for header, length and payload of each frame one by one.
Everything unusual (fragments, control frames, reserved bits) is cut out of the stream whole and given to the library's
parser, so that this module knows the length of a frame and little else about it.

Source: RFC 6455 sections 5.2 to 5.5; PROTOCOL 1.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final

from relay_actors.errors import TransportError
from relay_actors.late_dataclasses import dataclass

__all__ = [
    "CLOSE",
    "CONTINUATION",
    "MASK_KEY_BYTES",
    "PING",
    "PONG",
    "TEXT",
    "Frame",
    "MessageReader",
    "compose",
    "compose_texts",
]

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
MASK_KEY_BYTES: Final = 4

_FIN: Final = 0x80
_MASKED: Final = 0x80
_WHOLE_MESSAGE: Final = frozenset({0x81, 0x82})
"""The first byte of a final text and of a final binary frame, with no reserved bit."""
_FIRST_CONTROL: Final = 0x8
_LONGEST_CONTROL: Final = 125
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_HEADER_16: Final = struct.Struct("!BBH")
_HEADER_64: Final = struct.Struct("!BBQ")
_TEXT_HEADERS: Final = tuple(bytes((_FIN | TEXT, _MASKED | length)) for length in range(_LENGTH_16))
"""The headers of short texts, by length."""
_ROOM, _ROOM_16, _ROOM_64 = (bytes(size + MASK_KEY_BYTES) for size in (2, 4, 10))
"""Room for a header of each size, and the key."""


def compose(opcode: int, payload: bytes, mask_key: bytes) -> bytes:
    """Return one whole client frame.

    Args:
        opcode: `TEXT`, `PONG`, `CLOSE`, …
        payload: what it carries.
        mask_key: `MASK_KEY_BYTES` unpredictable bytes, fresh for each frame (RFC 6455 5.3).
    """
    return bytes((_FIN | opcode,)) + compose_texts([payload], mask_key)[1:]


def compose_texts(texts: Sequence[bytes], mask_keys: bytes) -> bytes:
    """Return the frames of these texts, one after the other, ready for a single write.

    Args:
        texts: UTF-8.
        mask_keys: `MASK_KEY_BYTES` unpredictable bytes for each text.
    """
    plain: list[bytes] = []
    veil: list[bytes] = []
    at = 0
    for text in texts:
        length = len(text)
        key = mask_keys[at : at + MASK_KEY_BYTES]
        at += MASK_KEY_BYTES
        # One exclusive-or of two long integers masks all frames, Python's only way to mask without looking at each
        # byte: it lays header and key over zeros, and the repeated key over the text.
        # The lists grow by `+=`, and not by a call: this is done for everything that is sent.
        if length < _LENGTH_16:
            header, room = _TEXT_HEADERS[length], _ROOM
        elif length < 1 << 16:
            header, room = _HEADER_16.pack(_FIN | TEXT, _MASKED | _LENGTH_16, length), _ROOM_16
        else:
            header, room = _HEADER_64.pack(_FIN | TEXT, _MASKED | _LENGTH_64, length), _ROOM_64
        plain += (room, text)
        veil += (header, (key * (length // MASK_KEY_BYTES + 2))[: length + MASK_KEY_BYTES])
    if at != len(mask_keys):
        raise ValueError(f"{len(mask_keys)} bytes of keys are not those for {len(texts)} texts")
    data = b"".join(plain)
    masked = int.from_bytes(data, "little") ^ int.from_bytes(b"".join(veil), "little")
    return masked.to_bytes(len(data), "little")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, taken apart."""

    opcode: int
    is_final: bool
    payload: bytes


class MessageReader:
    """Cuts what a server sends, in whatever pieces it arrives, into whole messages.

    Args:
        max_bytes: the longest message; a longer one is refused by its announced length, before it is buffered.
        parse: takes one whole unusual frame apart and raises `TransportError` when it breaks RFC 6455.
        on_control: is given each ping, pong and close; may raise `TransportError` to end the reading.
    """

    __slots__ = ("_held", "_max_bytes", "_needed", "_on_control", "_parse", "_parts", "_room")

    def __init__(self, max_bytes: int, *, parse: Callable[[bytes], Frame], on_control: Callable[[Frame], None]) -> None:
        self._max_bytes = max_bytes
        self._parse = parse
        self._on_control = on_control
        # A bytearray, and joined only when the frame is whole: a message of megabytes that arrives in small pieces
        # is then neither copied once per piece nor kept as millions of little objects.
        self._held = bytearray()
        self._needed = 0
        self._parts: bytearray | None = None
        self._room = max_bytes

    def feed(self, chunk: bytes, texts: list[bytes]) -> None:
        """Append to ``texts`` every message that ``chunk`` completes, text and binary alike (PROTOCOL 1).

        Raises:
            TransportError: the server broke RFC 6455, a message is too long, or ``on_control`` ended the reading.
                The messages before that are in ``texts``; the reader is of no further use.
        """
        data = chunk
        if self._held:
            self._held += chunk
            if len(self._held) < self._needed:
                return
            data = bytes(self._held)
            self._held.clear()
        at, size, needed, room, is_whole = 0, len(data), 2, self._room, self._parts is None
        while size - at >= 2:
            first, length, start = data[at], data[at + 1], at + 2
            if length >= _LENGTH_16:
                if length & _MASKED:
                    raise TransportError("the server masked a frame, which only a client may do (RFC 6455 5.1)")
                start += 2 if length == _LENGTH_16 else 8
                if start > size:
                    needed = start - at
                    break
                if length == _LENGTH_16:  # most events
                    length = data[at + 2] << 8 | data[at + 3]
                else:
                    length = int.from_bytes(data[at + 2 : start], "big")
            if length > room and not (first & _FIRST_CONTROL and length <= _LONGEST_CONTROL):
                raise TransportError(
                    f"a message from the server is over the limit of {self._max_bytes} bytes (frame_bytes)"
                )
            end = start + length
            if end > size:
                needed = end - at
                break
            if is_whole and first in _WHOLE_MESSAGE:
                texts.append(data[start:end])
            else:
                self._take_unusual(self._parse(data[at:end]), texts)
                room, is_whole = self._room, self._parts is None
            at = end
        if at < size:
            self._held += data[at:]
            self._needed = needed

    def _take_unusual(self, frame: Frame, texts: list[bytes]) -> None:
        if frame.opcode >= _FIRST_CONTROL:
            if not frame.is_final or len(frame.payload) > _LONGEST_CONTROL:
                raise TransportError("the server sent a fragmented or overlong control frame (RFC 6455 5.5)")
            self._on_control(frame)
            return
        if frame.opcode != CONTINUATION:
            if self._parts is not None:
                raise TransportError("the server began a message inside a fragmented one (RFC 6455 5.4)")
            self._parts = bytearray()  # as above: fragments may be little, and of megabytes there are millions
        elif self._parts is None:
            raise TransportError("the server continued a message that it never began (RFC 6455 5.4)")
        self._parts += frame.payload
        self._room -= len(frame.payload)
        if frame.is_final:
            texts.append(bytes(self._parts))
            self._parts = None
            self._room = self._max_bytes
