"""Orders made from what the journal has kept of a command."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.actors.commands_again import CommandAgain
from relay_actors.actors.orders import Begin, Control, Perform
from relay_actors.actors.orders_again import order_of
from relay_actors.actors.reconcile import is_repeatable, shows
from relay_actors.events import parse_event
from relay_actors.protocol.commands import (
    Answer,
    Hangup,
    Pass,
    Pause,
    Resume,
    SetVolume,
    StartInputTimers,
    Stop,
    Transfer,
)
from relay_actors.runtime.future import Future


class _Call:
    """What an order wants to know of its call."""

    runs_on: Any = None
    runs_as: Any = None
    call_id = "c"
    end_reason = ""

    def __init__(self, *actions: Any) -> None:
        self.leg = SimpleNamespace(actions={action.control_id: action for action in actions})


IDS = {"call_id": "c", "node_id": "n"}


@pytest.mark.parametrize("method", sorted(ACTION_HANDLES))
def test_an_operation_has_a_handle_of_its_kind_and_its_name_of_then(method: str) -> None:
    order = order_of(_Call(), method, {**IDS, "control_id": "x-1", "play": []})
    assert isinstance(order, Begin)
    assert type(order.action) is ACTION_HANDLES[method]
    assert order.action.control_id == "x-1"
    assert order.command.method == method
    assert order.command.to_params() == {"control_id": "x-1", "play": []}


@pytest.mark.parametrize(
    ("command", "kind"),
    [(Answer(), Answer), (Hangup(reason="busy"), Hangup), (Pass(), Pass), (Transfer(dest="https://x"), Transfer)],
)
def test_what_the_engine_has_to_know_is_what_it_was(command: Any, kind: type) -> None:
    order = order_of(_Call(), command.method, {**IDS, **command.to_params()})
    assert isinstance(order, Perform)
    assert type(order.command) is kind
    assert order.command.to_params() == command.to_params()
    assert isinstance(order.reply, Future)


def test_any_other_command_is_what_its_params_say() -> None:
    order = order_of(_Call(), "calling.user_event", {**IDS, "event": {"a": 1}})
    assert isinstance(order, Perform)
    assert order.command.method == "calling.user_event"
    assert order.command.to_params() == {"event": {"a": 1}}


def test_nobody_asks_what_becomes_of_it() -> None:
    for method in ("calling.play", "calling.user_event"):
        assert not order_of(_Call(), method, IDS).is_wanted


@pytest.mark.parametrize(
    ("started", "method", "more", "kind"),
    [
        ("calling.play", "calling.play.stop", {}, Stop),
        ("calling.play", "calling.play.pause", {}, Pause),
        ("calling.record", "calling.record.pause", {"behavior": "skip"}, Pause),
        ("calling.play", "calling.play.volume", {"volume": -3.0}, SetVolume),
        ("calling.play_and_collect", "calling.collect.start_input_timers", {}, StartInputTimers),
        ("calling.record", "calling.record.resume", {}, Resume),
    ],
)
def test_what_is_done_to_a_running_operation_is_done_to_it(
    started: str, method: str, more: dict[str, Any], kind: type
) -> None:
    begin = order_of(_Call(), started, {**IDS, "control_id": "x-1"})
    assert isinstance(begin, Begin)
    order = order_of(_Call(begin.action), method, {**IDS, "control_id": "x-1", **more})
    assert isinstance(order, Control)
    assert order.action is begin.action
    assert type(order.command) is kind
    assert order.command.method == method
    assert order.command.to_params() == {"control_id": "x-1", **more}


def test_what_was_done_to_an_operation_that_is_over_is_a_command_like_others() -> None:
    order = order_of(_Call(), "calling.play.stop", {**IDS, "control_id": "x-1"})
    assert isinstance(order, Perform)


@pytest.mark.parametrize("method", ["calling.connect", "calling.hold", "calling.join_room", "calling.user_event"])
def test_what_may_be_repeated_is_known_of_a_command_whatever_made_it(method: str) -> None:
    """J5, K6: the rules of `reconcile` go by the method."""
    order = order_of(_Call(), method, IDS)
    assert isinstance(order.command, CommandAgain)
    assert isinstance(order, Perform)
    assert is_repeatable(order) == (method != "calling.user_event")


def test_an_event_shows_that_a_command_of_the_journal_was_carried_out() -> None:
    """J5, K6."""
    for method, event in (
        ("calling.hold", {"event_type": "calling.call.hold", "params": {"call_id": "c", "state": "hold"}}),
        (
            "calling.send_digits",
            {
                "event_type": "calling.call.send_digits",
                "params": {"call_id": "c", "control_id": "x", "state": "finished"},
            },
        ),
    ):
        order = order_of(_Call(), method, {**IDS, "control_id": "x"})
        assert shows(order, parse_event(event))
