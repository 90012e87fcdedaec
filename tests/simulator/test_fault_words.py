"""Faults as text, as JSON, and as what random schedules draw."""

from __future__ import annotations

import contextlib
import json
import pickle
from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ConfigError
from relay_actors.protocol.events import EVENT_TYPES
from relay_actors.protocol.schema_table import SCHEMA_TABLE
from relay_actors.simulator.fault_table import FAULT_WORDS, Argument
from relay_actors.simulator.fault_words import Fault, parse_fault, random_fault

METHODS = ("calling.play", "calling.answer", "messaging.send")
EVENTS = ("calling.call.play", "calling.call.state")


def values(argument: Argument) -> st.SearchStrategy[object]:
    """Everything that an argument may be."""
    kinds: dict[str, st.SearchStrategy[object]] = {
        "method": st.sampled_from(["*", *SCHEMA_TABLE]),
        "event type": st.sampled_from(["*", *EVENT_TYPES]),
        "text": st.text(min_size=argument.is_required),
        "seconds": st.floats(0, 1e9) | st.integers(0, 10**9),
        "whole number": st.integers(0, 2**62),
        "flag": st.booleans(),
        "code": st.integers(-(10**6), 999) | st.text(min_size=1),
        "choice": st.sampled_from(argument.choices) if argument.choices else st.nothing(),
    }
    return kinds[argument.kind] | st.none() if argument.default is None else kinds[argument.kind]


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    word = draw(st.sampled_from(list(FAULT_WORDS.values())))
    args = {
        argument.name: draw(values(argument))
        for argument in word.arguments
        if argument.is_required or draw(st.booleans())
    }
    if args.get("method", "*") != "*":
        args.pop("event_type", None)
    return Fault(word.name, args)


@given(faults())
def test_a_fault_is_read_back_from_its_text_and_from_its_json(fault: Fault):
    for other in (
        parse_fault(str(fault)),
        Fault.from_json(json.loads(json.dumps(fault.to_json()))),
        Fault.from_json(str(fault)),
        pickle.loads(pickle.dumps(fault)),
        fault.having(),
    ):
        assert other == fault
        assert hash(other) == hash(fault)
        assert str(other) == str(fault)


@given(st.text())
def test_any_text_is_a_fault_or_told_what_is_wrong(text: str):
    with contextlib.suppress(ConfigError):
        assert parse_fault(text).name in FAULT_WORDS


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop", Fault("drop")),
        ("reject method=calling.play code=500 times=2", Fault("reject", {"method": "calling.play", "times": 2})),
        ("reject code=-32602", Fault("reject", {"code": -32602})),
        ("reject message='not now'", Fault("reject", {"message": "not now"})),
        ("half_open seconds=none ends=breaks", Fault("half_open", {"ends": "breaks"})),
        ("time_out times=none", Fault("time_out", {"times": None})),
        ("cut after=YES clean=false", Fault("cut", {"after": True})),
    ],
)
def test_a_text_may_say_what_goes_without_saying(text: str, fault: Fault):
    assert parse_fault(text) == fault


def test_a_fault_keeps_only_what_does_not_go_without_saying():
    fault = Fault("reject", {"method": "calling.play", "code": 500, "times": 1})

    assert str(fault) == "reject method=calling.play"
    assert fault.to_json() == {"fault": "reject", "method": "calling.play"}
    assert fault.all_args() == {"method": "calling.play", "code": "500", "message": "Internal error", "times": 1}


def test_an_argument_may_be_added_to_a_text_or_a_fault():
    assert parse_fault("reject times=2", method="calling.play") == parse_fault("reject method=calling.play times=2")
    assert parse_fault("reject times=2").having(times=3, code="409") == parse_fault("reject times=3 code=409")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no fault ''; it has cut, drop, socket_down"),
        ("rejct", "has no fault 'rejct'; it probably means 'reject'"),
        ("half", "has no fault 'half'; it probably means 'half_open'"),
        ("reject tims=2", "the fault reject has no argument 'tims'; it probably means 'times'"),
        ("reject wrong=2", "has no argument 'wrong'; it has method, code, message, times"),
        ("unknown_event x", "write name=value, as in 'unknown_event name=…'"),
        ("slow", "the fault slow needs seconds: how much longer each takes"),
        ("slow seconds=soon", "slow: seconds must be a number of seconds, 0 or more, not 'soon'"),
        ("slow seconds=-1", "slow: seconds must be a number of seconds"),
        ("slow seconds=inf", "slow: seconds must be a number of seconds"),
        ("slow seconds=1 what=frame", "what must be one of frames, answers .probably frames., not 'frame'"),
        ("reject times=1.5", "times must be a whole number"),
        ("reject code=", "code must be text that is not empty"),
        ("missing_field field=", "field must be text that is not empty"),
        ("cut after=maybe", "after must be True or False"),
        ("cut method=calling.ply", "no method 'calling.ply'; it probably means 'calling.play'"),
        ("duplicate event_type=calling.call.plya", "no event type 'calling.call.plya'"),
        ("cut method=calling.play event_type=calling.call.play", "a method or an event_type, not both"),
        ("reject times=1 times=2", "has times twice"),
        ("reject message='open", "cannot be read: No closing quotation"),
    ],
)
def test_what_is_wrong_with_a_text_is_told(text: str, problem: str):
    with pytest.raises(ConfigError, match=problem):
        parse_fault(text)


@pytest.mark.parametrize("value", [None, 7, [], {}, {"fault": 7}, {"name": "reject"}])
def test_json_that_is_no_fault_is_told(value: Any):
    with pytest.raises(ConfigError, match="a fault is an object such as"):
        Fault.from_json(value)


def test_json_has_numbers_and_flags_of_its_own():
    with pytest.raises(ConfigError, match="times must be a whole number, 0 or more, not '2'"):
        Fault.from_json({"fault": "reject", "times": "2"})


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("restart", False),
        ("restart keeps_sessions=no", True),
        ("refuse_resume", True),
        ("expire_authorization", True),
        ("cut", False),
    ],
)
def test_a_fault_says_whether_sessions_end_by_it(text: str, ends: bool):
    assert parse_fault(text).ends_session is ends


def test_the_same_seed_draws_the_same_faults():
    """Proves SEMANTICS V3: these are what a run of this seed has met, on every version of Python."""

    def drawn(seed: int) -> list[str]:
        random = Random(seed)
        return [str(random_fault(random, METHODS, EVENTS)) for _ in range(4)]

    assert drawn(1) == [
        "stall seconds=1.73",
        "socket_down seconds=0.8",
        "wrong_field event_type=calling.call.state field=call_id copy=yes",
        "binary event_type=calling.call.play",
    ]


def test_every_fault_is_drawn_and_no_session_ends_where_none_may():
    random = Random(3)
    drawn = Counter(random_fault(random, METHODS, EVENTS).name for _ in range(1000))
    assert set(drawn) == {word.name for word in FAULT_WORDS.values() if word.is_survivable}
    gentle = [random_fault(random, METHODS, EVENTS, ends_sessions=False) for _ in range(1000)]
    assert not any(fault.ends_session for fault in gentle)
    assert {"restart", "cut"} <= {fault.name for fault in gentle}


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(METHODS)), st.lists(st.sampled_from(EVENTS)))
def test_what_is_drawn_names_only_what_may_go_wrong(random: Random, methods: list[str], events: list[str]):
    fault = random_fault(random, methods, events)

    assert fault.args.get("method") in (None, *methods)
    assert fault.args.get("event_type") in (None, *events)
    assert parse_fault(str(fault)) == fault
