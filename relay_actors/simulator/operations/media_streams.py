"""Operations that carry the audio of a leg elsewhere: stream, tap. Layer: simulator. Source: PROTOCOL 11.7, 11.8.

Audio goes out in frames of 20 simulated milliseconds, as G.711 mu-law (``PCMU``, also in place of codecs that are not
simulated; the listener is told) or A-law (``PCMA``). Only loopback hosts
are ever connected to, and only while a front with sockets runs; everywhere else somebody is taken to listen. What is
sent, or would be, is seen in `Simulator.streams`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import urlsplit

from relay_actors.protocol.readers import read_object, read_text, read_whole_number
from relay_actors.simulator.audio import FRAME_S
from relay_actors.simulator.feeds import Feed
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.outlets import Outlet, Outside
from relay_actors.simulator.packings import Codec, FrameMessages, Packing, RtpPackets, StreamMessages, codec_named
from relay_actors.simulator.tapes import BOTH, HEARD, SAID, Track

__all__ = ["Carrier", "Stream", "Tap"]

BATCH_S: Final = 0.01
"""How often a front is given frames at most, in seconds of the clock: a fast simulator gives several at once."""

UNREACHABLE: Final = "400"
"""The code of the error that tells that nobody listens. No source has one for this."""

SOURCE: Final = ("198.51.100.7", 31002)
"""Where RTP would come from if it were sent. Source: PROTOCOL 11.7."""


class Carrier(Operation):
    """What stream and tap share: a feed, the way out that it takes, and the end of either."""

    begun_state: ClassVar[str]
    _outlet: Outlet | None = None
    _feed: Feed
    _what: dict[str, object]

    def stop(self) -> None:
        """Stop sending, and report ``finished``."""
        if self.is_done:
            return
        self._feed.end()
        if self._outlet is not None:
            self._outlet.close()
        self.finish(state="finished", **self._what)

    def digit_pressed(self, digit: str) -> bool:
        """Let the listener know; that does not make the key a command."""
        self._feed.key(digit)
        return False

    # What a WebSocket tells (`outlets.OutletOwner`).

    def outlet_opened(self) -> None:
        """Send from now on."""
        if not self.is_done:
            self._begin()

    def outlet_failed(self, reason: str) -> None:
        """Report the error, and then the end."""
        if not self.is_done:
            self._outlet = None
            self.call.emit("calling.error", {"code": UNREACHABLE, "message": reason})
            self.tell_by_http(state="error", **self._what, message=reason)
            self.stop()

    def outlet_closed(self) -> None:
        """Come to an end: nobody listens any more."""
        self._outlet = None
        self.stop()

    def _carry(self, kind: str, url: str, packing: Packing, headers: Mapping[str, str]) -> None:
        world, call = self.call.world, self.call
        self._feed = Feed(
            world.look, kind=kind, call_id=call.call_id, url=url, headers=headers, tape=call.tape, packing=packing
        )
        world.feeds.add(self._feed)

    def _open_websocket(self) -> None:
        outside = self._outside(_host(self._feed.url))
        if outside is None:
            self._begin()
        else:
            self._outlet = outside.open_websocket(self._feed.url, self._feed.headers, self)

    def _outside(self, host: str) -> Outside | None:
        """Return a front that would really connect to a host."""
        return next((front for front in reversed(self.call.world.outside) if front.reaches(host)), None)

    def _begin(self) -> None:
        self._feed.begin(self._outlet)
        self.report(state=self.begun_state, **self._what)
        if self._outlet is not None:
            self._send_later()

    def _send_later(self) -> None:
        def send() -> None:
            self._feed.catch_up()
            self._send_later()

        self.after(max(FRAME_S, BATCH_S / self.call.world.pace), send)


class Stream(Carrier):
    """``calling.stream``: streaming, then finished, when it is stopped, the call ends or the listener closes.

    The listener gets JSON texts (`packings.StreamMessages`); what it sends back is not played. The real service takes
    ``wss://`` only; this one takes ``ws://`` as well. If a loopback URL cannot be reached there is a ``calling.error``,
    and then ``finished``. What ``status_url`` would be told is in `Simulator.webhooks`.
    """

    event_type = "calling.call.stream"
    started_message = "Streaming"
    begun_state = "streaming"

    def start(self) -> dict[str, object]:
        """Connect."""
        params, call = self.params, self.call
        url = read_text(params.get("url")) or ""
        self._what = {"url": url, "name": params.get("name", "")}
        tracks: dict[str, tuple[Track, ...]] = {"outbound_track": (HEARD,), "both_tracks": BOTH}
        messages = StreamMessages(
            stream_id=call.world.new_id(),
            call_id=call.call_id,
            project=call.session.project if call.session is not None else "",
            tracks=tracks.get(read_text(params.get("track")) or "", (SAID,)),
            custom=read_object(params.get("custom_parameters")) or {},
            codec=codec_named(params.get("codec")),
        )
        token = read_text(params.get("authorization_bearer_token"))
        self._carry("stream", url, messages, {"Authorization": f"Bearer {token}"} if token else {})
        self._open_websocket()
        return {}


class Tap(Carrier):
    """``calling.tap``: tapping, then finished. A ``ws`` device gets bare frames, an ``rtp`` device RTP packets.

    The answer for an ``rtp`` device tells where the packets come from. Whether anybody takes them is not known, as
    always with RTP; a ``ws`` device that cannot be reached, or closes, ends a tap as it ends a stream.
    """

    event_type = "calling.call.tap"
    started_message = "Tapping"
    begun_state = "tapping"

    def start(self) -> dict[str, object]:
        """Begin to send."""
        device = read_object(self.params.get("device")) or {}
        settings = read_object(device.get("params")) or {}
        tap = read_object(self.params.get("tap")) or {}
        direction = read_text((read_object(tap.get("params")) or {}).get("direction")) or "speak"
        # Numbers of the device come back as text, as they do from the real server.
        told = {"type": device.get("type"), "params": {key: str(value) for key, value in settings.items()}}
        self._what = {"tap": self.params.get("tap"), "device": told}
        codec = codec_named(settings.get("codec"))
        if device.get("type") != "rtp":
            self._carry("tap", read_text(settings.get("uri")) or "", FrameMessages(direction, codec=codec), {})
            self._open_websocket()
            return {}
        return self._send_packets(read_text(settings.get("addr")) or "", settings.get("port"), direction, codec)

    def _send_packets(self, host: str, port: object, direction: str, codec: Codec) -> dict[str, object]:
        chance = self.call.world.random
        packets = RtpPackets(
            direction,
            source_id=chance.getrandbits(32),
            sequence=chance.getrandbits(16),
            timestamp=chance.getrandbits(32),
            codec=codec,
        )
        self._carry("tap", f"rtp://{host}:{port}", packets, {})
        source, outside = SOURCE, self._outside(host)
        if outside is not None:
            try:
                self._outlet = outlet = outside.open_packets(host, read_whole_number(port) or 0)
            except OSError as exc:
                self.outlet_failed(f"Cannot send to {host}:{port}: {exc}")
                return {}
            source = outlet.source
        self._begin()
        params = {"addr": source[0], "port": source[1], "codec": codec.name, "ptime": 20, "rate": 8000}
        return {"source_device": {"type": "rtp", "params": params}}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # half an IPv6 address, for example: nobody is there
        return ""
