"""What to collect takes the form of the wire."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ArgumentError
from relay_actors.protocol.inputs import collect_settings, digits, digits_problem, input_problem, part_of, speech
from relay_actors.protocol.schema import params_of
from tests.protocol.wire_tables import json_values

KEYS = ["digits", "speech", "max", "min", "terminators", "language", "hints", "initial_timeout", "brand_new"]
settings_of_any_kind = st.dictionaries(st.sampled_from(KEYS), json_values, max_size=5)


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (digits(max=4), {"digits": {"max": 4}}),
        (digits(4), {"digits": {"max": 4}}),
        (
            digits(max=4, min=2, digit_timeout=0, terminators="#"),
            {"digits": {"max": 4, "min": 2, "digit_timeout": 0, "terminators": "#"}},
        ),
        (speech(), {"speech": {}}),
        (
            speech(end_silence_timeout=1.5, speech_timeout=9, language="de-DE", hints=("a", "b"), model="m"),
            {
                "speech": {
                    "end_silence_timeout": 1.5,
                    "speech_timeout": 9,
                    "language": "de-DE",
                    "hints": ["a", "b"],
                    "model": "m",
                }
            },
        ),
        (
            digits(max=1) | speech() | {"initial_timeout": 5.0},
            {"digits": {"max": 1}, "speech": {}, "initial_timeout": 5.0},
        ),
    ],
)
def test_a_builder_writes_what_was_given_and_leaves_out_the_rest(built: object, expected: object) -> None:
    """Defaults are the server's: a client that fills them in would freeze them (PROTOCOL D23)."""
    assert built == expected


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (lambda: digits(max=0), "max must be the number of keys"),
        (lambda: digits(max=-1), "max must be the number of keys"),
        (lambda: digits(max=True), "max must be the number of keys"),
        (lambda: digits(max="4"), "max must be the number of keys"),  # type: ignore[arg-type]
        (lambda: digits(max=1, digit_timeout=-1), "digit_timeout"),
        (lambda: digits(max=2, min="x"), "min must be"),  # type: ignore[arg-type]
        (lambda: digits(max=2, min=5), "min=5 must not be above max=2"),
        (lambda: digits(max=1, terminators=5), "terminators"),  # type: ignore[arg-type]
        (lambda: speech(language=5), "language"),  # type: ignore[arg-type]
        (lambda: speech(hints="sales"), "hints must be a list"),
        (lambda: speech(end_silence_timeout=-1), "end_silence_timeout"),
        (lambda: speech(speech_timeout=float("inf")), "speech_timeout"),
    ],
)
def test_a_builder_refuses_what_could_never_come(build: Callable[[], object], names: str) -> None:
    """The mistake is told at the line that makes it, and by the name of the argument."""
    with pytest.raises(ArgumentError, match=names):
        build()


@pytest.mark.parametrize(
    ("flat", "nested"),
    [
        ({}, {}),
        ({"max": 4, "terminators": "#"}, {"digits": {"max": 4, "terminators": "#"}}),
        ({"digits": {"max": 4}, "max": 9, "min": 1}, {"digits": {"max": 4, "min": 1}}),
        ({"digits": None, "max": 4}, {"digits": {"max": 4}}),
        ({"digits": "four", "max": 4}, {"digits": "four"}),
        ({"speech_timeout": 9, "brand_new": 1}, {"speech": {"speech_timeout": 9}, "brand_new": 1}),
    ],
)
def test_settings_find_their_part_and_what_stands_there_wins(flat: dict[str, object], nested: object) -> None:
    """Nothing that was given is lost, but for what was given twice."""
    assert collect_settings(flat) == nested


@given(settings=settings_of_any_kind)
def test_settings_in_form_stay_as_they_are(settings: dict[str, object]) -> None:
    """Whatever a script hands over, and without changing it."""
    before = dict(settings)
    once = collect_settings(settings)
    assert collect_settings(once) == once
    assert settings == before


@given(settings=settings_of_any_kind)
def test_whether_they_wait_for_something_can_be_asked_of_anything(settings: dict[str, object]) -> None:
    """A check meets whatever a script without types hands over."""
    problem = input_problem(settings)
    assert problem is None or problem.startswith("a dictionary")


def test_the_keys_of_the_parts_are_those_of_the_wire() -> None:
    """A key that is new there would be left at the top, and be lost."""
    known = params_of("calling.collect")
    assert known is not None
    for part in ("digits", "speech"):
        for key in known[part].fields:
            assert set(collect_settings({key: 1})) == {part}, key


@pytest.mark.parametrize(
    ("given_settings", "part"),
    [({"max": 4}, {"max": 4}), ({"digits": {"max": 4}}, {"max": 4}), ({"digits": 4}, {"digits": 4}), ({}, {})],
)
def test_a_part_is_taken_out_of_what_wraps_it(given_settings: dict[str, object], part: object) -> None:
    assert part_of(given_settings, "digits") == part


@pytest.mark.parametrize("settings", [None, 4, [], {}, {"max": None}, {"max": 1.5}, {"max": False}])
def test_keys_need_a_number(settings: object) -> None:
    """The wire requires it (PROTOCOL 13.4)."""
    assert digits_problem(settings)
    assert digits_problem({"max": 1}) is None
