"""Commands on the sound of a call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relay_actors.errors import ArgumentError
from relay_actors.protocol import media
from relay_actors.protocol.commands import Collect, Detect, Pay, Play, PlayAndCollect, Record, Stream, Tap

HELLO = [media.tts("Hello")]


def test_media_go_out_as_play_in_the_nested_form() -> None:
    """PROTOCOL 20, D1."""
    flat = [{"type": "tts", "text": "Hello"}]
    assert Play(media=flat).to_params() == {"play": HELLO}
    assert PlayAndCollect(media=flat, collect={"digits": {"max": 1}}).to_params() == {
        "play": HELLO,
        "collect": {"digits": {"max": 1}},
    }


def test_loop_zero_is_for_ever_and_therefore_sent() -> None:
    """0 means something here (PROTOCOL 11.1)."""
    assert Play(media=HELLO, loop=0).to_params()["loop"] == 0


def test_a_recording_always_sends_its_settings() -> None:
    """PROTOCOL 11.2: ``record`` is required, and nothing means ``{"audio": {}}``."""
    assert Record().to_params() == {"record": {"audio": {}}}
    assert Record(audio=None).to_params() == {"record": {"audio": {}}}
    assert Record(audio={"beep": True}).to_params() == {"record": {"audio": {"beep": True}}}


def test_a_detector_without_params_gets_empty_ones() -> None:
    """PROTOCOL D3: the wire schema requires them."""
    assert Detect(detect={"type": "machine"}).to_params() == {"detect": {"type": "machine", "params": {}}}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Collect(),
        lambda: Collect(initial_timeout=5),
        lambda: PlayAndCollect(media=HELLO, collect={}),
        lambda: PlayAndCollect(media=HELLO, collect={"digits": None}),
        lambda: PlayAndCollect(media=HELLO, collect={"digits": {"max": 1}}, extra={"collect": {"speech": None}}),
    ],
)
def test_a_collect_that_waits_for_nothing_is_refused(make: Callable[[], object]) -> None:
    """It could only ever time out (PROTOCOL 11.3)."""
    with pytest.raises(ArgumentError, match='"digits", "speech" or both'):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Collect(digits={}),
        lambda: Collect(digits={"digits": {"min": 1}}),
        lambda: Collect(digits={"max": "4"}),
        lambda: PlayAndCollect(media=HELLO, collect={"digits": {"terminators": "#"}}),
        lambda: PlayAndCollect(media=HELLO, collect={"terminators": "#"}),
        lambda: PlayAndCollect(media=HELLO, collect={"digits": 4}),
    ],
)
def test_keys_without_their_number_are_refused(make: Callable[[], object]) -> None:
    """The wire requires it (PROTOCOL 13.4), and so the server would say no, only later."""
    with pytest.raises(ArgumentError, match='"max", the number of keys'):
        make()


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"digits": {"max": 4}}, {"digits": {"max": 4}}),
        ({"max": 4, "terminators": "#"}, {"digits": {"max": 4, "terminators": "#"}}),
        ({"max": 4, "initial_timeout": 5}, {"digits": {"max": 4}, "initial_timeout": 5}),
        ({"language": "de-DE"}, {"speech": {"language": "de-DE"}}),
        ({"digits": {"max": 4}, "hints": ["a"]}, {"digits": {"max": 4}, "speech": {"hints": ["a"]}}),
    ],
)
def test_what_to_collect_may_be_flat(given: dict[str, object], sent: dict[str, object]) -> None:
    """It goes out as the schema wants it (PROTOCOL 13.4)."""
    assert PlayAndCollect(media=HELLO, collect=given).to_params()["collect"] == sent


def test_a_part_may_be_wrapped_as_the_builders_give_it() -> None:
    """``collect(digits=digits(max=4))`` reads as it should."""
    wrapped = Collect(digits={"digits": {"max": 4}}, speech={"speech": {"language": "de-DE"}})
    assert wrapped.to_params() == {"digits": {"max": 4}, "speech": {"language": "de-DE"}}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Collect(speech={}),
        lambda: Collect(extra={"digits": {"max": 1}}),
        lambda: PlayAndCollect(media=HELLO, collect={"speech": {}, "brand_new": 1}),
    ],
)
def test_what_a_collect_holds_besides_is_the_servers_business(make: Callable[[], object]) -> None:
    """Never stricter than the protocol."""
    assert make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Play(media="Hello"),  # type: ignore[arg-type]
        lambda: Play(media={"text": "Hello"}),
        lambda: Play(media=["Hello"]),  # type: ignore[list-item]
        lambda: Play(media=[{"type": "tts", "text": ""}]),
        lambda: Play(media=HELLO, volume=40.5),
        lambda: Play(media=HELLO, volume=-41),
        lambda: Play(media=HELLO, loop=-1),
        lambda: PlayAndCollect(media=HELLO, collect="digits"),  # type: ignore[arg-type]
        lambda: Collect(digits="1"),  # type: ignore[arg-type]
        lambda: Collect(digits={}, initial_timeout=-1),
        lambda: Collect(digits={}, continuous="yes"),  # type: ignore[arg-type]
        lambda: Record(audio="wav"),  # type: ignore[arg-type]
        lambda: Detect(detect="machine"),  # type: ignore[arg-type]
        lambda: Detect(detect={"type": "fax"}, timeout=-5),
        lambda: Tap(tap={}, device=None),  # type: ignore[arg-type]
        lambda: Stream(url=""),
    ],
)
def test_what_could_never_work_is_refused(make: Callable[[], object]) -> None:
    """Before anything is sent, at the line that is wrong."""
    with pytest.raises(ArgumentError, match=r"^calling\.\w+: \w+ must be"):
        make()


def test_a_payment_sends_all_values_as_text() -> None:
    """PROTOCOL 11.10: numbers and booleans included; ``input_method`` goes out as ``input``."""
    pay = Pay(
        payment_connector_url="https://pay", input_method="dtmf", timeout=5, security_code=True, charge_amount=25.99
    )
    assert pay.to_params() == {
        "payment_connector_url": "https://pay",
        "input": "dtmf",
        "timeout": "5",
        "security_code": "true",
        "charge_amount": "25.99",
    }


def test_a_bearer_token_is_not_shown() -> None:
    """Commands appear in logs and error reports (PROTOCOL 16.1)."""
    stream = Stream(url="wss://x", authorization_bearer_token="sesame")
    assert "sesame" not in repr(stream)
    assert stream.to_params()["authorization_bearer_token"] == "sesame"
