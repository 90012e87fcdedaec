"""Each order is settled exactly once, also when the call is over. Source: SEMANTICS X4, X5; PROTOCOL 10.4."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from relay_actors.actors.actions import PlayAction
from relay_actors.actors.dialling import Dialling
from relay_actors.actors.leg import Leg, StateWait
from relay_actors.actors.orders import Begin, Control, HangUpAfter, LetGo, Listen, Perform, WaitFor
from relay_actors.actors.waits import Reply
from relay_actors.errors import CallEnded, DialFailedError
from relay_actors.protocol.commands import Answer, Dial, Hangup, Play, Stop
from relay_actors.protocol.events import RelayEvent
from relay_actors.protocol.states import ActionState
from relay_actors.runtime.future import Future
from tests.actors.world import device


@pytest.fixture
def leg() -> Leg:
    leg = Leg(direction="inbound")
    leg.call_id, leg.state, leg.end_reason = "c", "ended", "hangup"
    return leg


def new_action() -> PlayAction:
    call: Any = SimpleNamespace(runs_on=None, runs_as=None)
    return PlayAction.begun(call, Play(media=[{"type": "silence", "duration": 1}]), None)


def test_a_command_that_comes_too_late_fails(leg: Leg):
    order = Perform(Answer(), Reply(Answer()))
    order.too_late(leg)
    assert isinstance(order.reply.error, CallEnded)


def test_a_hang_up_that_comes_too_late_has_what_it_wants(leg: Leg):
    order = Perform(Hangup(), Reply(Hangup()))
    order.too_late(leg)
    assert order.reply.get(timeout=0) == {}


def test_a_hang_up_after_something_that_comes_too_late_has_what_it_wants(leg: Leg):
    order = HangUpAfter(Perform(Hangup(), Reply(Hangup())), None)
    order.too_late(leg)
    assert order.hang_up.reply.get(timeout=0) == {}
    assert order.command is order.hang_up.command
    assert not order.refuse(DialFailedError("t", "too late"))


def test_an_operation_that_comes_too_late_is_completed(leg: Leg):
    order = Begin(new_action())
    order.too_late(leg)
    assert order.command is order.action.command
    assert (order.action.completed, order.action.state) == (True, ActionState.CALL_ENDED)
    assert order.action.result == RelayEvent("", {})


def test_a_command_on_an_operation_that_comes_too_late_is_nothing(leg: Leg):
    stop = Stop(action_method="calling.play", control_id="x")
    order = Control(new_action(), stop, Reply(stop))
    order.too_late(leg)
    assert order.reply.get(timeout=0) == {}


@pytest.mark.parametrize("reached", ["created", "answered", "ended"])
@pytest.mark.parametrize("asked", ["", "ringing", "answered", "ended"])
def test_a_wait_that_comes_too_late_gets_what_has_been_reached(leg: Leg, reached: str, asked: str):
    """The actor may be gone before its call has ended: then there is no more to come (a call that was handed on)."""
    leg.state = reached
    wait = StateWait(lambda _event: True)
    WaitFor(wait, asked).too_late(leg)
    order = ["created", "ringing", "answered", "ending", "ended"]
    if asked and order.index(reached) >= order.index(asked):
        assert wait.get(timeout=0).params["call_state"] == reached
    else:
        assert isinstance(wait.error, CallEnded)


@pytest.mark.parametrize("asked", ["", "answered", "ended"])
def test_a_wait_on_a_dial_that_has_failed_fails_with_it(leg: Leg, asked: str):
    """Who asks after the failure must not take an event for an answer."""
    leg.dialling = Dialling(Dial(devices=[[device("+1")]], tag="t"), 1)
    leg.dialling.error = DialFailedError("t", "Dial failed")
    wait = StateWait(lambda _event: True)
    WaitFor(wait, asked).too_late(leg)
    assert wait.error is leg.dialling.error


def test_a_listener_that_comes_too_late_hears_nothing(leg: Leg):
    Listen("x", print).too_late(leg)
    assert leg.listeners("x", 0) == []


def test_a_refusal_reaches_who_gave_the_order_once(leg: Leg):
    stop = Stop(action_method="calling.play", control_id="x")
    for order in (Perform(Answer(), Reply(Answer())), Begin(new_action()), Control(new_action(), stop, Reply(stop))):
        assert not order.is_wanted
        assert order.refuse(ValueError("first")) is True
        assert order.refuse(ValueError("second")) is False
    assert isinstance(order.reply.error, ValueError)  # type: ignore[union-attr]  # the last one has a reply
    assert str(order.reply.error) == "first"  # type: ignore[union-attr]


def test_a_call_that_is_over_is_let_go_already(leg: Leg):
    """Who waits until it is, waits for nothing."""
    order = LetGo(ValueError("left"), Future())
    order.too_late(leg)
    assert order.done.is_settled
