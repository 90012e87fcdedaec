"""Devices take the form of the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ArgumentError
from relay_actors.protocol import devices
from tests.protocol.wire_tables import json_values

A: dict[str, Any] = {"type": "phone", "params": {"to_number": "+15550100101"}}
B: dict[str, Any] = {"type": "sip", "params": {"to": "sip:bob@example.com"}}


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (devices.phone("+15550100101"), A),
        (
            devices.phone(to="+15550100101", from_="+15550100100", timeout=20, max_duration=600),
            {
                "type": "phone",
                "params": {
                    "to_number": "+15550100101",
                    "from_number": "+15550100100",
                    "timeout": 20,
                    "max_duration": 600,
                },
            },
        ),
        (devices.sip("sip:bob@example.com"), B),
        (
            devices.sip(
                "sip:bob@example.com",
                from_="sip:us@example.com",
                from_name="Us",
                headers=[{"name": "X-Order", "value": "5"}],
                codecs=["PCMU"],
                webrtc_media=False,
                timeout=9,
            ),
            {
                "type": "sip",
                "params": {
                    "to": "sip:bob@example.com",
                    "from": "sip:us@example.com",
                    "from_name": "Us",
                    "headers": [{"name": "X-Order", "value": "5"}],
                    "codecs": ["PCMU"],
                    "webrtc_media": False,
                    "timeout": 9,
                },
            },
        ),
        (devices.rtp("203.0.113.7", 4000), {"type": "rtp", "params": {"addr": "203.0.113.7", "port": 4000}}),
        (
            devices.rtp("203.0.113.7", 4000, codec="PCMU", ptime=20),
            {"type": "rtp", "params": {"addr": "203.0.113.7", "port": 4000, "codec": "PCMU", "ptime": 20}},
        ),
        (
            devices.websocket("wss://example.com", codec="PCMU", rate=8000),
            {"type": "ws", "params": {"uri": "wss://example.com", "codec": "PCMU", "rate": 8000}},
        ),
        (devices.tap_audio(), {"type": "audio", "params": {}}),
        (devices.tap_audio("both"), {"type": "audio", "params": {"direction": "both"}}),
    ],
)
def test_a_builder_writes_what_was_given_and_leaves_out_the_rest(built: object, expected: object) -> None:
    """Defaults are the server's: a client that fills them in would freeze them (PROTOCOL D23)."""
    assert built == expected


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (lambda: devices.phone(""), "to must be"),
        (lambda: devices.phone(15550100101), "to must be"),  # type: ignore[arg-type]
        (lambda: devices.phone("+15550100101", timeout=-1), "timeout must be"),
        (lambda: devices.phone("+15550100101", from_=5), "from_ must be"),  # type: ignore[arg-type]
        (lambda: devices.sip("sip:a", headers="x"), "headers must be"),  # type: ignore[arg-type]
        (lambda: devices.sip("sip:a", codecs="PCMU"), "codecs must be"),
        (lambda: devices.sip("sip:a", from_=""), "from_ must be"),
        (lambda: devices.sip("sip:a", webrtc_media="yes"), "webrtc_media must be"),  # type: ignore[arg-type]
        (lambda: devices.rtp("203.0.113.7", 4000, ptime=-1), "ptime must be"),
        (lambda: devices.websocket("wss://a", rate="y"), "rate must be"),  # type: ignore[arg-type]
        (lambda: devices.tap_audio(5), "direction must be"),  # type: ignore[arg-type]
        (lambda: devices.phone("+15550100101", max_duration=True), "max_duration must be"),
        (lambda: devices.sip(""), "to must be"),
        (lambda: devices.sip("sip:a", timeout=float("nan")), "timeout must be"),
        (lambda: devices.rtp("", 4000), "addr must be"),
        (lambda: devices.rtp("203.0.113.7", 0), "port must be"),
        (lambda: devices.rtp("203.0.113.7", 65536), "port must be"),
        (lambda: devices.rtp("203.0.113.7", True), "port must be"),
        (lambda: devices.rtp("203.0.113.7", "4000"), "port must be"),  # type: ignore[arg-type]
        (lambda: devices.websocket(""), "uri must be"),
    ],
)
def test_a_builder_refuses_what_could_never_be_reached(build: Callable[[], object], names: str) -> None:
    """The mistake is told at the line that makes it, and by the name of the argument."""
    with pytest.raises(ArgumentError, match=names):
        build()


@pytest.mark.parametrize(
    ("given_devices", "expected"),
    [
        ([[A], [B]], [[A], [B]]),
        ([[A, B]], [[A, B]]),
        (A, [[A]]),
        ({"type": "sip", "to": "sip:bob@example.com"}, [[B]]),
        (([{"type": "phone", "to_number": "+15550100101"}],), [[A]]),
        ([[{"type": "carrier-pigeon", "params": None}, {}]], [[{"type": "carrier-pigeon", "params": None}, {}]]),
    ],
)
def test_devices_become_lists_of_lists_with_params(given_devices: object, expected: object) -> None:
    """What is no device goes out as it is: the client does not validate them (PROTOCOL 13.2)."""
    assert devices.device_lists(given_devices) == expected


@pytest.mark.parametrize(
    "given_devices", [None, "+15550100101", 5, [], [[]], [[A], []], [A, B], [A], [["+15550100101"]], [[[A]]], [None]]
)
def test_what_does_not_say_who_rings_together_is_not_guessed(given_devices: object) -> None:
    """One after the other or at once: that is money and manners."""
    assert devices.device_lists(given_devices) is None


@given(value=json_values)
def test_whatever_comes_is_brought_into_form_once_or_not_at_all(value: object) -> None:
    """Never an error, and what is in form stays as it is."""
    lists = devices.device_lists(value)
    assert lists is None or devices.device_lists(lists) == lists


@given(items=st.lists(st.lists(st.sampled_from([A, B]), min_size=1, max_size=3), min_size=1, max_size=3))
def test_what_is_given_is_not_changed(items: list[list[dict[str, Any]]]) -> None:
    """Applications keep their devices as constants."""
    lists = devices.device_lists(items)
    assert lists == items
    assert all(
        mine is not theirs
        for ring, given_ring in zip(lists or [], items, strict=True)
        for mine, theirs in zip(ring, given_ring, strict=True)
    )
