"""A fault or a count of a misspelt method is a mistake of the test, and is told as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.protocol.events import EVENT_TYPES
from relay_actors.protocol.schema_table import SCHEMA_TABLE
from relay_actors.simulator.faults import ALL_METHODS
from relay_actors.simulator.names import known_event_type, known_method
from tests.simulator.stage import Peer, Stage


def test_every_name_of_the_wire_may_be_used_and_any_that_is_like_none():
    """There are servers that take methods which no table names."""
    for method in (*SCHEMA_TABLE, ALL_METHODS, "calling.brand_new", "video.start"):
        assert known_method(method) == method
    for event_type in (*EVENT_TYPES, "calling.call.brand_new"):
        assert known_event_type(event_type) == event_type


@pytest.mark.parametrize(
    "use",
    [
        lambda sim: sim.reject_next("calling.ply"),
        lambda sim: sim.stop_answering("calling.ply"),
        lambda sim: sim.resume_answering("calling.ply"),
        lambda sim: sim.answer_late("calling.ply", seconds=1),
        lambda sim: sim.answer_twice("calling.ply"),
        lambda sim: sim.count("call-1", "calling.ply"),
        lambda sim: sim.expect("call-1", "calling.ply"),
        lambda sim: sim.frames.received("calling.ply"),
    ],
)
def test_a_misspelt_method_is_refused_wherever_one_is_named(stage: Stage, use: Callable[[Any], object]):
    """The fault would never happen, and the test would pass without it."""
    with pytest.raises(ConfigError, match=r"no method 'calling\.ply'; it probably means 'calling\.play'$"):
        use(stage.sim)


@pytest.mark.parametrize(
    "use",
    [
        lambda sim: sim.duplicate_next("calling.call.plya"),
        lambda sim: sim.delay_next("calling.call.plya", 1),
        lambda sim: sim.frames.sent("calling.call.plya"),
    ],
)
def test_a_misspelt_event_type_is_refused(stage: Stage, use: Callable[[Any], object]):
    with pytest.raises(ConfigError, match=r"no event type 'calling\.call\.plya'; it probably means"):
        use(stage.sim)


def test_a_method_and_an_event_type_are_not_taken_for_each_other(stage: Stage):
    """There would be none for ever: `count(…) == 0` would be so whatever the application does."""
    with pytest.raises(
        ConfigError, match=r"'calling\.call\.play' is no method, but one of the event types: give a name"
    ):
        stage.sim.frames.received("calling.call.play")
    with pytest.raises(
        ConfigError, match=r"'calling\.play' is no event type, but one of the methods: give a name such"
    ):
        stage.sim.duplicate_next("calling.play")
    with pytest.raises(
        ConfigError, match=r"the wire has no method 'calling\.hangup'; it probably means 'calling\.end'$"
    ):
        stage.sim.count("call-1", "calling.hangup")


def test_a_name_is_text(stage: Stage):
    for wrong in ("", None, Peer):
        with pytest.raises(ConfigError, match=r'is no method: write it as text, for example "calling\.play"'):
            stage.sim.reject_next(wrong)  # type: ignore[arg-type]  # that is the mistake


def test_a_method_that_only_a_willing_server_has_can_be_made_to_fail(stage: Stage, peer: Peer):
    stage.sim.manners.accepts_unknown_methods = True
    stage.sim.reject_next("calling.brand_new", code="503", message="not now")
    call = stage.inbound(peer)
    assert [call.code("calling.brand_new") for _ in range(2)] == ["503", "200"]
