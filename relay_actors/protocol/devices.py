"""Devices, built and brought into the form of the wire: whom to ring, and whither to send media. Layer: protocol, pure.

The wire wants ``{"type": "phone", "params": {"to_number": …}}``, in a list of lists; people also write a device flat,
or one alone. What a device holds is not checked: servers know more kinds than we do. Source: PROTOCOL 11.7, 13.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from relay_actors.errors import ArgumentError
from relay_actors.protocol import checks
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.media import nested, typed

__all__ = ["Devices", "device_lists", "phone", "rtp", "sip", "tap_audio", "websocket"]

Devices: TypeAlias = Sequence[Sequence[Mapping[str, object]]] | Mapping[str, object]
"""Whom to ring: lists that are tried one after the other, of devices that ring together; or one device alone."""


def phone(
    to: str, *, from_: str | None = None, timeout: float | None = None, max_duration: float | None = None
) -> JsonObject:
    """Return a phone to ring: ``phone(to="+15550100101", from_="+15550100100")``.

    Args:
        to: E.164.
        from_: the number that is shown there; E.164.
        timeout: seconds to ring, 1 to 600; 30 by default, 60 when bridging.
        max_duration: seconds that the call may last.

    Raises:
        ArgumentError: a number is empty or no text, or a time is negative.
    """
    checks.required(checks.text, to=to)
    checks.given(checks.text, from_=from_)
    times = checks.given(checks.seconds, timeout=timeout, max_duration=max_duration)
    return typed("phone", to_number=to, from_number=from_, **times)


def sip(
    to: str,
    *,
    from_: str | None = None,
    from_name: str | None = None,
    headers: Sequence[Mapping[str, object]] | None = None,
    codecs: Sequence[str] | None = None,
    webrtc_media: bool | None = None,
    timeout: float | None = None,
) -> JsonObject:
    """Return a SIP phone to ring, or to refer to: ``sip(to="sip:bob@example.com")``.

    Args:
        to: its address.
        from_: the address that is shown there.
        from_name: the name that is shown there.
        headers: ``[{"name": "X-Order", "value": "12345"}]``.
        codecs: which may be used.
        webrtc_media: whether it speaks WebRTC's media.
        timeout: seconds to ring, 1 to 600.

    Raises:
        ArgumentError: one of them is not what it must be.
    """
    checks.given(checks.text, from_=from_)
    params = {
        **checks.required(checks.text, to=to),
        **checks.given(checks.text, from_name=from_name),
        **checks.given(checks.mappings, headers=headers),
        **checks.given(checks.texts, codecs=codecs),
        **checks.given(checks.flag, webrtc_media=webrtc_media),
        **checks.given(checks.seconds, timeout=timeout),
    }
    return typed("sip", **params, **{"from": from_})


def rtp(addr: str, port: int, *, codec: str | None = None, ptime: int | None = None) -> JsonObject:
    """Return a device that takes RTP, for `tap`.

    Args:
        addr: its IP address; the real service refuses private ones.
        port: 1 to 65535.
        codec: ``PCMU``, for example.
        ptime: milliseconds of sound in a packet.

    Raises:
        ArgumentError: one of them is not what it must be.
    """
    checks.required(checks.text, addr=addr)
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise ArgumentError(f"port must be a whole number from 1 to 65535, not {port!r}")
    more = {**checks.given(checks.text, codec=codec), **checks.given(checks.whole_number, ptime=ptime)}
    return typed("rtp", addr=addr, port=port, **more)


def websocket(uri: str, *, codec: str | None = None, rate: int | None = None) -> JsonObject:
    """Return a device that takes media on a WebSocket, for `tap`.

    Args:
        uri: ``wss://…``.
        codec: ``PCMU``, for example.
        rate: samples in a second.

    Raises:
        ArgumentError: one of them is not what it must be.
    """
    more = {**checks.given(checks.text, codec=codec), **checks.given(checks.whole_number, rate=rate)}
    return typed("ws", **checks.required(checks.text, uri=uri), **more)


def tap_audio(direction: str | None = None) -> JsonObject:
    """Return what to tap: what the call says (``speak``), hears (``listen``), or ``both``.

    Raises:
        ArgumentError: the direction is no text.
    """
    return typed("audio", **checks.given(checks.text, direction=direction))


def device_lists(devices: object) -> list[list[JsonObject]] | None:
    """Return devices as the wire wants them, or None when they cannot be brought into that form.

    Args:
        devices: a list of lists, none of them empty, or one device, which is then rung alone. A flat list is refused:
            it does not say whether its devices are to ring together.
    """
    rings = [[devices]] if isinstance(devices, Mapping) else devices
    if not checks.is_list(rings) or not rings:
        return None
    lists = []
    for ring in cast(Sequence[Sequence[object]], rings):
        if not checks.is_list(ring) or not ring or checks.mappings(ring) is not None:
            return None
        lists.append([_nested(one) for one in cast(Sequence[Mapping[str, object]], ring)])
    return lists


def _nested(given: Mapping[str, object]) -> JsonObject:
    # What is no device at all goes out as it is: what is wrong with it is for the server to say.
    return nested(given) if "params" not in given and isinstance(given.get("type"), str) else dict(given)
