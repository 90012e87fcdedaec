"""Media items and detectors take the form of the wire."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ArgumentError
from relay_actors.protocol import media
from tests.protocol.wire_tables import json_values

items = st.dictionaries(st.sampled_from(["type", "params", "text", "url", "duration"]), json_values, max_size=4)


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (media.tts("Hi"), {"type": "tts", "params": {"text": "Hi"}}),
        (
            media.tts("Hi", language="de-DE", gender="male", voice="v"),
            {"type": "tts", "params": {"text": "Hi", "language": "de-DE", "gender": "male", "voice": "v"}},
        ),
        (media.audio("https://x/a.wav"), {"type": "audio", "params": {"url": "https://x/a.wav"}}),
        (media.silence(1.5), {"type": "silence", "params": {"duration": 1.5}}),
        (media.silence(0), {"type": "silence", "params": {"duration": 0}}),
        (media.ringtone("us"), {"type": "ringtone", "params": {"name": "us"}}),
        (media.ringtone("us", duration=4), {"type": "ringtone", "params": {"name": "us", "duration": 4}}),
        (media.recording(), {}),
        (
            media.recording(
                beep=False,
                format="wav",
                stereo=True,
                direction="both",
                initial_timeout=0,
                end_silence_timeout=1.5,
                terminators="",
                input_sensitivity=30,
                max_length=60,
            ),
            {
                "beep": False,
                "format": "wav",
                "stereo": True,
                "direction": "both",
                "initial_timeout": 0,
                "end_silence_timeout": 1.5,
                "terminators": "",
                "input_sensitivity": 30,
                "max_length": 60,
            },
        ),
        (media.typed("fax"), {"type": "fax", "params": {}}),
        (media.typed("digit", digits="12", tone=None), {"type": "digit", "params": {"digits": "12"}}),
    ],
)
def test_a_builder_writes_what_was_given_and_leaves_out_the_rest(built: object, expected: object) -> None:
    """Defaults are the server's: a client that fills them in would freeze them (PROTOCOL D23)."""
    assert built == expected


@pytest.mark.parametrize(
    "build",
    [
        lambda: media.tts(""),
        lambda: media.tts(None),  # type: ignore[arg-type]
        lambda: media.audio(""),
        lambda: media.silence(-1),
        lambda: media.silence(True),
        lambda: media.silence(float("nan")),
        lambda: media.silence("1"),  # type: ignore[arg-type]
        lambda: media.ringtone(""),
        lambda: media.ringtone("us", duration=-0.1),
        lambda: media.recording(max_length=-1),
        lambda: media.recording(beep="yes"),  # type: ignore[arg-type]
        lambda: media.recording(terminators=5),  # type: ignore[arg-type]
        lambda: media.tts("Hi", language=5),  # type: ignore[arg-type]
        lambda: media.recording(initial_timeout="5"),  # type: ignore[arg-type]
    ],
)
def test_a_builder_refuses_what_could_never_be_heard(build: Callable[[], object]) -> None:
    """The mistake is told at the line that makes it."""
    with pytest.raises(ArgumentError, match="must be"):
        build()


def test_a_flat_item_is_nested_and_a_nested_one_left_alone() -> None:
    """PROTOCOL D1: the seed documents show the flat form, the wire schema rejects it."""
    flat = {"type": "tts", "text": "Hello", "voice": None}
    whole = {"type": "tts", "params": {"text": "Hello"}, "note": "kept"}
    assert media.normalise([flat, whole]) == [{"type": "tts", "params": {"text": "Hello"}}, whole]


def test_params_that_are_no_object_do_not_count_as_nested() -> None:
    """The item is flat, whatever stands under ``params``."""
    assert media.nested({"type": "tts", "params": None, "text": "x"}) == {"type": "tts", "params": {"text": "x"}}


@given(item=items)
def test_nesting_twice_changes_nothing_more(item: dict[str, object]) -> None:
    """Verbs, actors and commands may each normalise."""
    once = media.nested(item)
    assert media.nested(once) == once


@given(item=items)
def test_nesting_never_changes_what_it_was_given(item: dict[str, object]) -> None:
    """Applications keep their prompts as module constants."""
    before = dict(item)
    media.nested(item)
    assert item == before


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"text": "x"}, "item 1 has none"),
        ({"type": "", "text": "x"}, "item 1 has none"),
        ({"type": "tts", "text": ""}, "the text of item 1 (tts) is empty"),
        ({"type": "audio", "params": {"url": ""}}, "the url of item 1 (audio) is empty"),
    ],
)
def test_a_problem_names_the_item(bad: dict[str, object], says: str) -> None:
    """In a list of ten prompts the position is what helps."""
    problem = media.problem([media.silence(1), bad])
    assert problem is not None
    assert says in problem


@pytest.mark.parametrize("item", [{"type": "tts"}, {"type": "hologram", "params": {}}, {"type": "silence"}])
def test_what_only_the_server_can_judge_is_no_problem(item: dict[str, object]) -> None:
    """Never stricter than the protocol: the server may know more types and keys."""
    assert media.problem([item]) is None
    assert media.problem([]) is None
