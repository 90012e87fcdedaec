"""What a stream or a tap sends to whoever listens, frame by frame. Layer: simulator, no I/O.

A feed knows what is to be sent and when. With an outlet it is sent as time passes; without one it is made only when
somebody looks, so that a stream that nobody watches costs nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Final

from relay_actors.protocol import json_codec
from relay_actors.protocol.readers import read_object
from relay_actors.simulator.audio import FRAME_S, FRAME_SAMPLES
from relay_actors.simulator.outlets import Outlet
from relay_actors.simulator.packings import Packing
from relay_actors.simulator.tapes import Tape, render

__all__ = ["Feed", "Feeds"]

SENT_BOUND: Final = 1000
"""How many messages of a feed are remembered."""

FEEDS_BOUND: Final = 100
"""How many feeds are remembered."""


class Feed:
    """One stream or tap, from its start to its end.

    Args:
        look: takes the lock of the simulator.
        kind: ``stream`` or ``tap``.
        call_id: the leg.
        url: where it goes; for RTP ``rtp://address:port``.
        headers: what the WebSocket is asked for with.
        tape: the sounds of the leg.
        packing: how they are packed.
    """

    def __init__(
        self,
        look: Callable[[], AbstractContextManager[object]],
        *,
        kind: str,
        call_id: str,
        url: str,
        headers: Mapping[str, str],
        tape: Tape,
        packing: Packing,
    ) -> None:
        self.kind = kind
        self.call_id = call_id
        self.url = url
        self.headers = dict(headers)
        self._look = look
        self._tape = tape
        self._packing = packing
        self._outlet: Outlet | None = None
        self._start_s: float | None = None
        self._frames = 0
        # When a key was pressed, and which; an empty one is the end.
        self._marks: deque[tuple[float, str]] = deque()
        self._is_over = False
        self._sent: deque[str | bytes] = deque(maxlen=SENT_BOUND)

    @property
    def is_over(self) -> bool:
        """Whether it has ended; what ends before it has begun never sends anything."""
        with self._look():
            return self._is_over

    @property
    def sent(self) -> tuple[str | bytes, ...]:
        """Everything that was sent, or would have been: the last 1000 texts (of a stream) or packets (of a tap)."""
        with self._look():
            self.catch_up()
            return tuple(self._sent)

    @property
    def messages(self) -> tuple[Mapping[str, object], ...]:
        """The texts of `sent`, decoded."""
        return tuple(read_object(json_codec.loads(text)) or {} for text in self.sent if isinstance(text, str))

    def begin(self, outlet: Outlet | None) -> None:
        """Send from now on. Only in a turn, as all that follows."""
        self._outlet = outlet
        self._start_s = self._tape.now()
        self._send(self._packing.begin())

    def key(self, digit: str) -> None:
        """Tell of a key that the person pressed."""
        self._mark(digit)

    def end(self) -> None:
        """End now. Idempotent."""
        if not self._is_over:
            self._is_over = True
            self._mark("")
            self._outlet = None

    def catch_up(self) -> None:
        """Send what is due by now."""
        if self._start_s is None:
            return
        now = self._tape.now()
        while self._marks and self._marks[0][0] <= now:
            at_s, digit = self._marks.popleft()
            self._send_frames(self._start_s, at_s)
            self._send(self._packing.key(digit) if digit else self._packing.end())
        if not self._is_over:
            self._send_frames(self._start_s, now)

    def _mark(self, digit: str) -> None:
        if self._start_s is not None:
            self._marks.append((self._tape.now(), digit))
        if self._outlet is not None:
            self.catch_up()

    def _send_frames(self, start_s: float, until_s: float) -> None:
        # A frame is sent when it is complete. The tolerance is for times that are sums of many small ones.
        last = int((until_s - start_s) / FRAME_S + 1e-6)
        channels, encode = self._packing.channels, self._packing.codec.encode
        if self._outlet is None and (surplus := last - self._frames - SENT_BOUND) > 0:
            self._packing.skip(surplus)
            self._frames += surplus
        for number in range(self._frames, last):
            from_s = start_s + number * FRAME_S
            notes = self._tape.between(from_s, from_s + FRAME_S)
            self._send(
                [
                    self._packing.frame(number, channel, encode(render(notes, tracks, from_s, FRAME_SAMPLES)))
                    for channel, tracks in enumerate(channels)
                ]
            )
        self._frames = max(self._frames, last)

    def _send(self, messages: list[str | bytes]) -> None:
        self._sent.extend(messages)
        if self._outlet is not None:
            for message in messages:
                self._outlet.send(message)


class Feeds:
    """The last 100 feeds of one simulator, whose lock guards them."""

    def __init__(self) -> None:
        self._feeds: deque[Feed] = deque(maxlen=FEEDS_BOUND)

    def add(self, feed: Feed) -> None:
        """Remember a feed."""
        self._feeds.append(feed)

    def all(self) -> tuple[Feed, ...]:
        """Return every feed that is remembered, oldest first."""
        return tuple(self._feeds)

    def clear(self) -> None:
        """Forget all of them."""
        self._feeds.clear()
