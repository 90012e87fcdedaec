"""Verbs on the sound of a call as a whole."""

from __future__ import annotations

import pytest

from relay_actors.actors.actions import StreamAction, TapAction, TranscribeAction
from relay_actors.actors.verbs.sound import SoundVerbs
from relay_actors.errors import CommandRejectedError
from relay_actors.events import DenoiseEvent, EchoEvent, StreamEvent, TapEvent, TranscribeEvent
from tests.actors.verbs.on_the_wire import Case, case, defined_in, is_refused, sent_by, without_ids
from tests.actors.world import Witness, World

BOTH = {"type": "audio", "params": {"direction": "both"}}
RTP = {"type": "rtp", "params": {"addr": "203.0.113.7", "port": 4000}}

CASES = [
    case("tap", "calling.tap", {"tap": BOTH, "device": RTP}, BOTH, RTP),
    case(
        "tap",
        "calling.tap",
        {"tap": BOTH, "device": {"type": "ws", "params": {"uri": "wss://example.com/tap"}}, "x": 1},
        {"type": "audio", "direction": "both"},
        {"type": "ws", "uri": "wss://example.com/tap"},
        x=1,
    ),
    case("stream", "calling.stream", {"url": "wss://example.com/media"}, "wss://example.com/media"),
    case(
        "stream",
        "calling.stream",
        {
            "url": "wss://example.com/media",
            "name": "left",
            "codec": "PCMU",
            "track": "both_tracks",
            "status_url": "https://example.com/s",
            "status_url_method": "GET",
            "authorization_bearer_token": "secret",
            "custom_parameters": {"order": "12345"},
        },
        "wss://example.com/media",
        name="left",
        codec="PCMU",
        track="both_tracks",
        status_url="https://example.com/s",
        status_url_method="GET",
        authorization_bearer_token="secret",
        custom_parameters={"order": "12345"},
    ),
    case("transcribe", "calling.transcribe", {}),
    case(
        "transcribe", "calling.transcribe", {"status_url": "https://example.com/s"}, status_url="https://example.com/s"
    ),
    case(
        "live_transcribe", "calling.live_transcribe", {"action": {"start": {"lang": "en"}}}, {"start": {"lang": "en"}}
    ),
    case("live_transcribe", "calling.live_transcribe", {"action": "stop", "x": 1}, "stop", x=1),
    case("live_translate", "calling.live_translate", {"action": {"stop": {}}}, {"stop": {}}),
    case(
        "live_translate",
        "calling.live_translate",
        {"action": {"inject": {"message": "Hi"}}, "status_url": "https://example.com/s"},
        {"inject": {"message": "Hi"}},
        status_url="https://example.com/s",
    ),
    case("denoise", "calling.denoise", {}),
    case("denoise_stop", "calling.denoise.stop", {}),
    case("echo", "calling.echo", {}),
    case("echo", "calling.echo", {"timeout": 5, "status_url": "u", "x": 1}, timeout=5, status_url="u", x=1),
]
OPERATIONS = {"tap": TapAction, "stream": StreamAction, "transcribe": TranscribeAction}


def test_these_are_all_of_them():
    """A verb that nobody calls below would not be proved."""
    assert {one.values[0].verb for one in CASES} == set(defined_in(SoundVerbs))


@pytest.mark.parametrize("one", CASES)
def test_a_verb_sends_what_was_given_and_nothing_else(world: World, one: Case):
    """What is written flat goes out with ``params`` (PROTOCOL 11.7)."""
    handle, params = sent_by(world, one)
    assert without_ids(handle, params, control_id=one.verb in OPERATIONS) == one.params


@pytest.mark.parametrize(
    ("verb", "args", "kwargs", "names"),
    [
        ("tap", ({}, RTP), {}, "tap"),
        ("tap", (BOTH, "rtp"), {}, "device"),
        ("stream", ("",), {}, "url"),
        ("stream", ("wss://example.com",), {"custom_parameters": []}, "custom_parameters"),
        ("transcribe", (), {"status_url": 5}, "status_url"),
        ("live_translate", ({"stop": {}},), {"status_url": 5}, "status_url"),
        ("echo", (), {"timeout": -1}, "timeout"),
        ("echo", (), {"timeout": "long"}, "timeout"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_sent(
    world: World, verb: str, args: tuple[object, ...], kwargs: dict[str, object], names: str
):
    """What a script gets wrong must be said at its line, and not by the server seconds later."""
    is_refused(world, names, verb, args, kwargs)


@pytest.mark.parametrize(
    ("verb", "args", "kind", "event"),
    [
        ("tap", (BOTH, RTP), TapAction, TapEvent),
        ("stream", ("wss://example.com/media",), StreamAction, StreamEvent),
        ("transcribe", (), TranscribeAction, TranscribeEvent),
    ],
)
def test_an_operation_runs_until_it_is_stopped(
    world: World, verb: str, args: tuple[object, ...], kind: type, event: type
):
    """Its handle is there at once, and its last event completes it (PROTOCOL 10)."""
    _line, handle = world.answered(Witness)
    completed: list[object] = []
    action = getattr(handle, verb)(*args, on_completed=completed.append)
    assert type(action) is kind
    assert action.get(timeout=5) is action
    world.run(1)
    assert not action.is_done
    assert action.stop().get(timeout=5)["code"] == "200"
    last = action.wait(timeout=5).get()
    assert type(last) is event
    assert last.state == "finished"
    assert completed == [last]
    assert action.stop().get(timeout=5) == {}  # it is over: nothing is sent (PROTOCOL 10.6)


def test_a_second_transcription_is_refused_and_the_first_goes_on(world: World):
    """One at a time on a call (PROTOCOL 11.9)."""
    _line, handle = world.answered(Witness)
    first = handle.transcribe().get(timeout=5)
    with pytest.raises(CommandRejectedError, match="409"):
        handle.transcribe().get(timeout=5)
    assert not first.is_done


def test_noise_reduction_is_told_by_events(world: World):
    _line, handle = world.answered(Witness)
    handle.denoise().get(timeout=5)
    handle.denoise_stop().get(timeout=5)
    assert [event.denoised for event in world.seen(handle, DenoiseEvent)] == [True, False]


def test_an_echo_is_over_after_its_time(world: World):
    _line, handle = world.answered(Witness)
    handle.echo(timeout=2).get(timeout=5)
    world.run(3)
    assert [event.state for event in world.seen(handle, EchoEvent)] == ["echoing", "finished"]


def test_a_bearer_token_is_not_shown(world: World):
    """It is a secret: a log line with the handle or its command must not give it away (PROTOCOL 16.1)."""
    _line, handle = world.answered(Witness)
    action = handle.stream("wss://example.com/media", authorization_bearer_token="secret-token")
    assert "secret-token" not in f"{action!r} {action.command!r}"
