"""Developers are told of what is misspelt, once, and everything is sent all the same."""

from __future__ import annotations

import logging

import pytest

from relay_actors.actors.doubts import MOST, Doubts
from relay_actors.commands import Play
from tests.actors.world import Witness, World, device

HELLO = {"type": "tts", "params": {"text": "Hello"}}


def told(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level and "unknown" in record.msg]


def test_a_misspelt_param_is_sent_and_warned_of_once_for_all_calls(world: World, caplog: pytest.LogCaptureFixture):
    """A guest who joins with ``mute=True`` is heard by all: somebody has to say so."""
    _line, handle = world.answered(Witness)
    _other, second = world.answered()
    for call in (handle, second, handle):
        call.join_conference("c", mute=True)
        call.prompt_tts("Press 1.", {"digits": {"max": 1}, "initial_timout": 5})
        world.settle()
    assert [params["mute"] for params in world.sent("calling.join_conference")] == [True] * 3
    assert world.sent("calling.play_and_collect")[0]["collect"] == {"digits": {"max": 1}, "initial_timout": 5}
    conference, collect = told(caplog)
    assert "method=calling.join_conference param=mute: sent as it is, but probably meant: muted" in conference
    assert f"call_id={handle.call_id}" in conference
    assert "param=collect.initial_timout" in collect
    assert collect.endswith("probably meant: collect.initial_timeout")


def test_a_param_that_is_like_none_is_told_for_debugging_only(world: World, caplog: pytest.LogCaptureFixture):
    """It may be brand-new, and then nobody wants to be warned of it."""
    caplog.set_level(logging.DEBUG, "relay_actors.calls")
    _line, handle = world.answered(Witness)
    handle.play([HELLO], colour="red")
    assert world.sent("calling.play")[0]["colour"] == "red"
    assert told(caplog) == []
    assert ["colour" in text for text in told(caplog, logging.DEBUG)] == [True]


def test_what_is_all_right_is_not_spoken_of(world: World, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG, "relay_actors.calls")
    _line, handle = world.answered(Witness)
    handle.play([HELLO], volume=2, loop=1)
    handle.record({"beep": True})
    handle.user_event(event="order", events=1)
    handle.on("calling.call.play", lambda event: None)
    handle.wait_for("calling.call.brand_new")
    world.settle()
    assert told(caplog) == told(caplog, logging.DEBUG) == []


def test_an_event_type_that_is_nearly_a_known_one_is_warned_of_once(world: World, caplog: pytest.LogCaptureFixture):
    """The handler would never be called, and the wait would last as long as the call."""
    _line, handle = world.answered(Witness)
    handle.on("calling.call.plya", lambda event: None)
    handle.wait_for("calling.call.plya")
    handle.wait_for("calling.call.recrod")
    world.settle()
    first, second = told(caplog)
    assert "event_type=calling.call.plya" in first
    assert first.endswith("probably meant: calling.call.play")
    assert second.endswith("probably meant: calling.call.record")


def test_a_handler_of_the_call_s_own_is_looked_at_too(world: World, caplog: pytest.LogCaptureFixture):
    class Call(Witness):
        def on_start(self) -> None:
            self.on("calling.call.ply", print)

    world.inbound(Call)
    world.settle()
    assert [text.endswith("calling.call.play") for text in told(caplog)] == [True]


def test_a_misspelt_argument_of_a_dial_is_warned_of_once(world: World, caplog: pytest.LogCaptureFixture):
    """A dial with ``timeout=5`` rings for two minutes; what is data is nobody's business."""
    world.start()
    for number in ("+15551110001", "+15551110002"):
        handle = world.app.dial(Witness, [[device(number)]], timeout=5, max_duraton=3, name="Ada", time=9, tags=[])
        assert handle.data == {"timeout": 5, "max_duraton": 3, "name": "Ada", "time": 9, "tags": []}
    world.app.dial(Witness, [[device("+15551110003")]], dial_timeout=5, dial_timeout_s=5, duration_s=60)
    assert [text.partition("app.dial")[2] for text in told(caplog)] == [
        "(timeout=…): it is in self.data of the call, but probably meant: dial_timeout",
        "(max_duraton=…): it is in self.data of the call, but probably meant: max_duration",
        "(dial_timeout_s=…): it is in self.data of the call, but probably meant: dial_timeout",
        "(duration_s=…): it is in self.data of the call, but probably meant: max_duration",
    ]


def test_who_makes_up_names_without_end_is_not_remembered_without_end(caplog: pytest.LogCaptureFixture):
    doubts = Doubts()
    for number in range(MOST + 10):
        doubts.look_at_params(Play(media=[HELLO], extra={f"volume_{number}": 1}), {}, "call-1")
    assert len(told(caplog)) == MOST
