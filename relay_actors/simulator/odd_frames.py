"""Frames that no client expects, and by which none may be harmed. Layer: simulator, pure.

Source: PROTOCOL 19.3, 19.4.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from relay_actors.protocol import frames

__all__ = ["NO_FRAMES", "Oddity", "odd_frame", "oversize_frame"]

Oddity: TypeAlias = Literal["cut_short", "no_object", "no_utf8", "unknown_event", "unknown_method"]

NO_FRAMES: Final[Mapping[str, bytes]] = {
    "cut_short": b'{"jsonrpc":"2.0","id":"odd","method":"signalwire.ev',
    "no_object": b'["jsonrpc","2.0"]',
    "no_utf8": b'{"jsonrpc":"2.0","method":"\xff\xfe","params":{}}',
}
"""Texts that are no frames at all."""

UNKNOWN_EVENT: Final = "calling.call.brand_new"
UNKNOWN_METHOD: Final = "signalwire.brand_new"


def odd_frame(what: Oddity, *, frame_id: str, name: str, ids: Mapping[str, object]) -> bytes:
    """Return such a text.

    Args:
        what: of these kinds.
        frame_id: of a frame that is one.
        name: of the unknown event or method; empty: one that is made up.
        ids: of the call that the unknown event is about.
    """
    if what == "unknown_event":
        inner = {**ids, "state": "brand_new"}
        return frames.request(frame_id, frames.EVENT, {"event_type": name or UNKNOWN_EVENT, "params": inner})
    if what == "unknown_method":
        return frames.request(frame_id, name or UNKNOWN_METHOD, {})
    return NO_FRAMES[what]


@functools.lru_cache(maxsize=1)
def oversize_frame(size: int) -> bytes:
    """Return a frame of about so many bytes; the same object again and again, since logs keep it."""
    # Not by `frames.request`, which makes none that is over the limit.
    head, tail = b'{"jsonrpc":"2.0","method":"signalwire.brand_new","params":{"filler":"', b'"}}'
    return head + b"x" * max(0, size - len(head) - len(tail)) + tail
