"""Collecting keys and words. Source: PROTOCOL 11.3, 11.4, 13.4."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.stage import Inbound, Peer, Stage, tts

COLLECT = "calling.call.collect"


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def collect(call: Inbound, **settings: Any) -> None:
    call.do("calling.collect", control_id="c1", **settings)


def prompt(call: Inbound, *, text: str = "x" * 30, **settings: Any) -> None:
    call.do("calling.play_and_collect", control_id="c1", play=[tts(text)], collect=settings)


def results(call: Inbound) -> list[Any]:
    return call.peer.states(COLLECT, "result", control_id="c1")


def digits(text: str, terminator: str = "") -> dict[str, Any]:
    return {"type": "digit", "params": {"digits": text, "terminator": terminator}}


def speech(text: str, confidence: float = 95.0) -> dict[str, Any]:
    return {"type": "speech", "params": {"text": text, "confidence": confidence}}


def test_the_longest_input_completes_at_once(call: Inbound):
    collect(call, digits={"max": 3})
    call.line.presses("123")

    assert results(call) == [digits("123")]
    assert call.peer.events(COLLECT)[0].keys() == {"control_id", "result", "call_id", "node_id"}


def test_what_collects_neither_keys_nor_words_is_refused(call: Inbound):
    """Source: PROTOCOL 11.3: at least one of the two."""
    assert call.code("calling.collect", control_id="c1", initial_timeout=2.0) == "400"
    assert call.code("calling.play_and_collect", control_id="c1", play=[tts("hello")], collect={}) == "400"
    assert call.peer.events("calling.call.play") == []

    collect(call, speech={})
    assert call.line.is_asked()


def test_a_terminator_completes_and_is_told_apart(call: Inbound):
    collect(call, digits={"max": 9, "terminators": "#*"})
    call.line.presses("12*")

    assert results(call) == [digits("12", "*")]


def test_a_pause_after_a_key_completes(stage: Stage, call: Inbound):
    collect(call, digits={"max": 9, "digit_timeout": 2.0})
    call.line.presses("1")
    stage.run(1.9)
    call.line.presses("2")
    stage.run(1.9)
    assert results(call) == []

    stage.run(0.2)
    assert results(call) == [digits("12")]


@pytest.mark.parametrize("ending", ["terminator", "pause"])
def test_too_few_digits_are_no_match(stage: Stage, call: Inbound, ending: str):
    collect(call, digits={"max": 9, "min": 3, "terminators": "#"})
    call.line.presses("12#" if ending == "terminator" else "12")
    stage.run(60)

    assert results(call) == [{"type": "no_match"}]


def test_silence_is_no_input(stage: Stage, call: Inbound):
    collect(call, digits={"max": 1}, initial_timeout=6.0)
    stage.run(5.9)
    assert results(call) == []
    stage.run(0.2)

    assert results(call) == [{"type": "no_input"}]


def test_silence_counts_four_seconds_unless_the_command_says_otherwise(stage: Stage, call: Inbound):
    collect(call, digits={"max": 1})
    stage.run(4.1)

    assert results(call) == [{"type": "no_input"}]


def test_input_timers_that_are_held_back_run_from_their_command(stage: Stage, call: Inbound):
    collect(call, digits={"max": 1}, start_input_timers=False)
    stage.run(60)
    assert results(call) == []

    call.do("calling.collect.start_input_timers", control_id="c1")
    stage.run(4.1)
    assert results(call) == [{"type": "no_input"}]


def test_starting_the_input_timers_late_does_not_undo_input(stage: Stage, call: Inbound):
    collect(call, digits={"max": 2, "digit_timeout": 30.0}, start_input_timers=False)
    call.line.presses("1")
    call.do("calling.collect.start_input_timers", control_id="c1")
    stage.run(5)
    call.line.presses("2")

    assert results(call) == [digits("12")]


def test_words_complete_after_silence(stage: Stage, call: Inbound):
    collect(call, speech={"end_silence_timeout": 1.5})
    call.line.says("I would like", confidence=71.5)
    stage.run(1.4)
    call.line.says("support", confidence=93.2)
    assert results(call) == []
    stage.run(1.6)

    assert results(call) == [speech("I would like support", 93.2)]


def test_interim_results_are_not_final_and_the_last_one_is(stage: Stage, call: Inbound):
    collect(call, speech={}, digits={"max": 2}, partial_results=True)
    call.line.says("one")
    stage.run(2)
    assert [(e["result"], e["final"]) for e in call.peer.events(COLLECT)] == [
        (speech("one"), False),
        (speech("one"), True),
    ]


def test_an_interim_digit_is_reported_too(call: Inbound):
    collect(call, digits={"max": 2}, partial_results=True)
    call.line.presses("12")

    assert [(e["result"], e["final"]) for e in call.peer.events(COLLECT)] == [
        (digits("1"), False),
        (digits("12"), True),
    ]


def test_the_start_of_input_is_told_once_when_asked_for(call: Inbound):
    collect(call, digits={"max": 2}, send_start_of_input=True)
    call.line.presses("12")

    assert results(call) == [{"type": "start_of_input"}, digits("12")]


def test_a_continuous_collect_goes_on_until_it_is_stopped(stage: Stage, call: Inbound):
    collect(call, digits={"max": 1}, continuous=True)
    call.line.presses("78")
    call.do("calling.collect.stop", control_id="c1")
    call.line.presses("9")

    told = [(event.get("state"), event["result"]) for event in call.peer.events(COLLECT)]
    assert told == [("collecting", digits("7")), ("collecting", digits("8")), ("finished", {"type": "finished"})]


@pytest.mark.parametrize("settings", [{"digits": {"max": 1}}, {"speech": {}}])
def test_only_what_is_asked_for_is_taken(stage: Stage, call: Inbound, settings: dict[str, Any]):
    collect(call, **settings)
    if "digits" in settings:
        call.line.says("hello")
    else:
        call.line.presses("1")
    stage.run(0.5)

    assert results(call) == []
    assert call.line.timeline[-1].what.endswith("(nobody listened)")


def test_a_stopped_collect_has_nothing_to_show(call: Inbound):
    collect(call, digits={"max": 2})
    call.line.presses("1")
    call.do("calling.collect.stop", control_id="c1")

    assert results(call) == [{"type": "no_input"}]


@pytest.mark.parametrize(("continuous", "result"), [(False, {"type": "error"}), (True, {"type": "finished"})])
def test_a_collect_ends_with_its_call(call: Inbound, continuous: bool, result: dict[str, Any]):
    """Source: PROTOCOL 19.2: terminal events for running actions first."""
    collect(call, digits={"max": 2}, continuous=continuous)
    call.line.hangs_up()

    assert results(call) == [result]
    assert call.peer.story()[-2:] == ["call.state ending", "call.state ended"]


def test_a_prompt_is_played_to_its_end_and_then_silence_counts(stage: Stage, call: Inbound):
    prompt(call, digits={"max": 1}, initial_timeout=3.0)
    stage.run(2.1)
    assert call.peer.states("calling.call.play", control_id="c1") == ["playing", "finished"]
    stage.run(2.8)
    assert results(call) == []
    stage.run(0.2)

    assert results(call) == [{"type": "no_input"}]


def test_a_key_stops_the_prompt_before_the_result_comes(call: Inbound):
    """Barge-in. Source: PROTOCOL 11.4."""
    prompt(call, digits={"max": 1})
    call.line.hears("xx").presses("1")

    assert call.peer.story()[-3:] == ["call.play playing", "call.play finished", "call.collect"]
    assert results(call) == [digits("1")]


def test_words_stop_the_prompt_at_once_though_their_result_waits_for_silence(stage: Stage, call: Inbound):
    prompt(call, speech={})
    call.line.says("sales")
    assert call.peer.states("calling.call.play") == ["playing", "finished"]
    assert results(call) == []

    stage.run(1.1)
    assert results(call) == [speech("sales")]


def test_what_is_not_asked_for_does_not_stop_the_prompt(call: Inbound):
    prompt(call, speech={})
    call.line.presses("1")

    assert call.peer.states("calling.call.play") == ["playing"]


def test_stopping_a_prompt_finishes_both_of_its_parts(stage: Stage, call: Inbound):
    prompt(call, digits={"max": 1})
    call.do("calling.play_and_collect.volume", control_id="c1", volume=2.0)
    call.do("calling.play_and_collect.stop", control_id="c1")
    stage.run(60)

    assert call.peer.states("calling.call.play") == ["playing", "finished"]
    assert results(call) == [{"type": "no_input"}]


def test_input_timers_of_a_prompt_wait_for_its_end(stage: Stage, call: Inbound):
    prompt(call, digits={"max": 1}, start_input_timers=False)
    call.do("calling.collect.start_input_timers", control_id="c1")
    stage.run(2.1 + 3.8)
    assert results(call) == []
    stage.run(0.3)

    assert results(call) == [{"type": "no_input"}]


def test_a_prompt_that_cannot_be_played_ends_the_collect_in_error(call: Inbound):
    """Source: PROTOCOL 11.4, inferred: a play error alone never completes the action."""
    call.do("calling.play_and_collect", control_id="c1", play=[], collect={"digits": {"max": 1}})

    assert call.peer.states("calling.call.play") == ["error"]
    assert results(call) == [{"type": "error"}]


def test_a_prompt_cannot_be_paused(call: Inbound):
    """Source: PROTOCOL 11.4: pause and resume are not in the wire schema of this command."""
    prompt(call, digits={"max": 1})
    assert call.code("calling.play_and_collect.pause", control_id="c1") == "-32601"


@given(
    keys=st.text("0123456789#", max_size=12),
    longest=st.integers(1, 6),
    shortest=st.integers(0, 3),
    waits=st.lists(st.floats(0.0, 8.0), min_size=12, max_size=12),
)
def test_whatever_is_pressed_and_whenever_there_is_exactly_one_result(
    keys: str, longest: int, shortest: int, waits: list[float]
):
    """Every waiter of the client hangs on this law."""
    stage = Stage()
    call = stage.inbound(stage.client("support"))
    collect(call, digits={"max": longest, "min": shortest, "terminators": "#"})
    for key, wait in zip(keys, waits, strict=False):
        call.line.presses(key)
        stage.run(wait)
    stage.run(60)

    (result,) = results(call)
    if result["type"] == "digit":
        assert shortest <= len(result["params"]["digits"]) <= longest
        assert keys.startswith(result["params"]["digits"] + result["params"]["terminator"])
