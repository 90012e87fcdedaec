"""Verbs of what is heard and understood: their signatures, their frames, and what is refused before it is sent."""

from __future__ import annotations

import pytest

from relay_actors.actors.actions import (
    Action,
    CollectAction,
    DetectAction,
    PlayAction,
    RecordAction,
    StandaloneCollectAction,
)
from relay_actors.actors.verbs.media import MediaVerbs
from relay_actors.errors import ArgumentError
from tests.actors.verbs.on_the_wire import Case, case, defined_in, sent_by, without_ids
from tests.actors.world import Witness, World

HELLO = {"type": "tts", "params": {"text": "Hello"}}
SONG = {"type": "audio", "params": {"url": "https://example.com/a.mp3"}}
FOUR_DIGITS = {"digits": {"max": 4, "terminators": "#"}}

CASES = [
    case("play", "calling.play", {"play": [HELLO]}, [{"type": "tts", "text": "Hello"}]),
    case(
        "play",
        "calling.play",
        {"play": [HELLO, SONG], "volume": -2.5, "direction": "both", "loop": 0, "status_url": "https://example.com/s"},
        [HELLO, SONG],
        volume=-2.5,
        direction="both",
        loop=0,
        status_url="https://example.com/s",
    ),
    case("play_tts", "calling.play", {"play": [HELLO]}, "Hello"),
    case(
        "play_tts",
        "calling.play",
        {
            "play": [
                {
                    "type": "tts",
                    "params": {"text": "Hallo", "language": "de-DE", "gender": "male", "voice": "gcloud.de-DE-A"},
                }
            ],
            "volume": 3,
        },
        "Hallo",
        language="de-DE",
        gender="male",
        voice="gcloud.de-DE-A",
        volume=3,
    ),
    case("play_audio", "calling.play", {"play": [SONG]}, "https://example.com/a.mp3"),
    case("play_audio", "calling.play", {"play": [SONG], "volume": 1.5}, "https://example.com/a.mp3", volume=1.5),
    case("play_silence", "calling.play", {"play": [{"type": "silence", "params": {"duration": 1.5}}]}, 1.5),
    case("play_ringtone", "calling.play", {"play": [{"type": "ringtone", "params": {"name": "us"}}]}, "us"),
    case(
        "play_ringtone",
        "calling.play",
        {"play": [{"type": "ringtone", "params": {"name": "de", "duration": 8}}], "volume": -10},
        "de",
        duration=8,
        volume=-10,
    ),
    case("prompt_tts", "calling.play_and_collect", {"play": [HELLO], "collect": FOUR_DIGITS}, "Hello", FOUR_DIGITS),
    case(
        "prompt_tts",
        "calling.play_and_collect",
        {
            "play": [{"type": "tts", "params": {"text": "Hi", "language": "en-GB", "gender": "female", "voice": "v"}}],
            "collect": FOUR_DIGITS,
            "volume": 0.5,
        },
        "Hi",
        FOUR_DIGITS,
        language="en-GB",
        gender="female",
        voice="v",
        volume=0.5,
    ),
    case(
        "prompt_audio",
        "calling.play_and_collect",
        {"play": [SONG], "collect": FOUR_DIGITS},
        "https://example.com/a.mp3",
        FOUR_DIGITS,
    ),
    case(
        "prompt_audio",
        "calling.play_and_collect",
        {"play": [SONG], "collect": FOUR_DIGITS, "volume": 4},
        "https://example.com/a.mp3",
        FOUR_DIGITS,
        volume=4,
    ),
    case(
        "play_and_collect", "calling.play_and_collect", {"play": [HELLO], "collect": FOUR_DIGITS}, [HELLO], FOUR_DIGITS
    ),
    case(
        "play_and_collect",
        "calling.play_and_collect",
        {"play": [SONG], "collect": {"speech": {}, "partial_results": True}, "volume": -40, "x": 1},
        [SONG],
        {"speech": {}, "partial_results": True},
        volume=-40,
        x=1,
    ),
    case("collect", "calling.collect", {"digits": {"max": 1}}, digits={"max": 1}),
    case(
        "collect",
        "calling.collect",
        {
            "digits": {"max": 3},
            "speech": {"language": "en-US"},
            "initial_timeout": 5.0,
            "partial_results": True,
            "continuous": False,
            "send_start_of_input": True,
            "start_input_timers": False,
            "x": "y",
        },
        digits={"max": 3},
        speech={"language": "en-US"},
        initial_timeout=5.0,
        partial_results=True,
        continuous=False,
        send_start_of_input=True,
        start_input_timers=False,
        x="y",
    ),
    case("record", "calling.record", {"record": {"audio": {}}}),
    case(
        "record",
        "calling.record",
        {"record": {"audio": {"beep": True, "format": "wav"}}, "x": 1},
        {"beep": True, "format": "wav"},
        x=1,
    ),
    case("detect", "calling.detect", {"detect": {"type": "machine", "params": {}}}, {"type": "machine"}),
    case(
        "detect",
        "calling.detect",
        {"detect": {"type": "fax", "params": {"tone": "CNG"}}, "timeout": 12.5, "x": 1},
        {"type": "fax", "params": {"tone": "CNG"}},
        timeout=12.5,
        x=1,
    ),
    case("detect_answering_machine", "calling.detect", {"detect": {"type": "machine", "params": {}}}),
    case(
        "detect_answering_machine",
        "calling.detect",
        {
            "detect": {
                "type": "machine",
                "params": {
                    "initial_timeout": 4.5,
                    "end_silence_timeout": 1.0,
                    "machine_voice_threshold": 1.25,
                    "machine_words_threshold": 6,
                    "detect_interruptions": False,
                    "detect_message_end": True,
                },
            },
            "timeout": 30,
        },
        initial_timeout=4.5,
        end_silence_timeout=1.0,
        machine_voice_threshold=1.25,
        machine_words_threshold=6,
        detect_interruptions=False,
        detect_message_end=True,
        timeout=30,
    ),
    case("detect_digit", "calling.detect", {"detect": {"type": "digit", "params": {}}}),
    case(
        "detect_digit",
        "calling.detect",
        {"detect": {"type": "digit", "params": {"digits": "12"}}, "timeout": 3},
        digits="12",
        timeout=3,
    ),
    case("detect_fax", "calling.detect", {"detect": {"type": "fax", "params": {}}}),
    case(
        "detect_fax",
        "calling.detect",
        {"detect": {"type": "fax", "params": {"tone": "CED"}}, "timeout": 3},
        tone="CED",
        timeout=3,
    ),
]


def test_these_are_all_of_them():
    """A verb that nobody calls below would not be proved."""
    assert {one.values[0].verb for one in CASES} == set(defined_in(MediaVerbs))


@pytest.mark.parametrize("one", CASES)
def test_a_verb_sends_what_was_given_and_nothing_else(world: World, one: Case):
    """Arguments that were not given are left out, never null, and media always have ``params`` (PROTOCOL 2.1, D1, D3).

    Each operation gets an id of its own, chosen before it is sent (SEMANTICS K5).
    """
    handle, params = sent_by(world, one)
    assert without_ids(handle, params, control_id=True) == one.params
    assert one.method in {frame.method for frame in world.sim.frames.received()}
    assert world.sim.violations == ()


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("play", ([HELLO],)),
        ("play_and_collect", ([HELLO], FOUR_DIGITS)),
        ("record", ()),
        ("detect", ({"type": "fax"},)),
    ],
)
def test_an_id_can_be_chosen(world: World, verb: str, args: tuple[object, ...]):
    """The frame and the handle have the same one (PROTOCOL 10.2)."""
    _line, handle = world.answered(Witness)
    action = getattr(handle, verb)(*args, control_id="mine")
    assert action.control_id == "mine"
    assert world.sent(action.command.method)[0]["control_id"] == "mine"


@pytest.mark.parametrize(
    ("verb", "args", "kwargs", "names"),
    [
        ("play", ("Hello",), {}, "media"),
        ("play", ([],), {"volume": 41}, "media|volume"),
        ("play", ([HELLO],), {"volume": 41}, "volume"),
        ("play", ([HELLO],), {"loop": -1}, "loop"),
        ("play", ([HELLO],), {"control_id": 5}, "control_id"),
        ("play_tts", ("",), {}, "text"),
        ("play_audio", ("",), {}, "url"),
        ("play_silence", (-1,), {}, "duration"),
        ("play_ringtone", ("",), {}, "name"),
        ("prompt_tts", ("Hello", {"initial_timeout": 5}), {}, "digits"),
        ("prompt_audio", ("https://example.com/a.mp3", {"digits": {"max": 1}}), {"volume": "loud"}, "volume"),
        ("play_and_collect", ([HELLO], {}), {}, "digits"),
        ("collect", (), {}, "digits"),
        ("collect", (), {"digits": {"max": 1}, "initial_timeout": -1}, "initial_timeout"),
        ("collect", (), {"digits": {"max": 1}, "continuous": "yes"}, "continuous"),
        ("record", ("loud",), {}, "audio"),
        ("detect", ({"params": {}},), {}, "detect"),
        ("detect", ({"type": "machine"},), {"timeout": "soon"}, "timeout"),
        ("detect_digit", (), {"timeout": -1}, "timeout"),
        ("detect_fax", (), {"timeout": -1}, "timeout"),
        ("detect_answering_machine", (), {"timeout": -1}, "timeout"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_sent(
    world: World, verb: str, args: tuple[object, ...], kwargs: dict[str, object], names: str
):
    """What a script gets wrong must be said at its line, and not by the server seconds later."""
    _line, handle = world.answered(Witness)
    with pytest.raises(ArgumentError, match=names):
        getattr(handle, verb)(*args, **kwargs)
    assert world.methods() == ["calling.answer"]


def test_a_callback_that_cannot_be_called_is_refused_before_anything_is_sent(world: World):
    _line, handle = world.answered(Witness)
    with pytest.raises(TypeError, match="on_completed"):
        handle.play_tts("Hello", on_completed="later")  # type: ignore[arg-type]  # that is what is wrong
    assert world.methods() == ["calling.answer"]


@pytest.mark.parametrize(
    ("verb", "args", "kind"),
    [
        ("play_tts", ("Hello",), PlayAction),
        ("play_audio", ("https://example.com/a.mp3",), PlayAction),
        ("play_silence", (1,), PlayAction),
        ("play_ringtone", ("us",), PlayAction),
        ("prompt_tts", ("Hello", FOUR_DIGITS), CollectAction),
        ("prompt_audio", ("https://example.com/a.mp3", FOUR_DIGITS), CollectAction),
        ("record", (), RecordAction),
        ("detect_digit", (), DetectAction),
        ("detect_fax", (), DetectAction),
        ("detect_answering_machine", (), DetectAction),
    ],
)
def test_a_verb_gives_the_handle_of_its_operation(world: World, verb: str, args: tuple[object, ...], kind: type):
    """Source: methods.json, ``returns``."""
    _line, handle = world.answered(Witness)
    action = getattr(handle, verb)(*args)
    assert type(action) is kind
    assert isinstance(action, Action)
    assert action.get(timeout=5) is action


def test_a_collection_alone_has_a_handle_of_its_own(world: World):
    """It has no prompt whose volume could be changed."""
    _line, handle = world.answered(Witness)
    assert type(handle.collect(digits={"max": 1})) is StandaloneCollectAction


def test_two_operations_never_share_an_id(world: World):
    """The events of one would be taken for those of the other."""
    _line, handle = world.answered(Witness)
    ids = {handle.play_silence(1).control_id for _ in range(100)}
    assert len(ids) == 100
