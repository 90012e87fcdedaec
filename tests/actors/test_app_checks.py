"""What can be wrong with what an application is given."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors import CallActor, HandTo, LeaveUp, RelayApp, StateMachine
from relay_actors.actors.app_checks import check_context, check_dial, check_given, does_nothing
from relay_actors.errors import ConfigError

GIVEN = {
    "project": None,
    "token": None,
    "jwt_token": None,
    "host": None,
    "scheme": None,
    "ca_file": None,
    "max_active_calls": None,
}


def test_what_is_missing_may_still_come_from_the_environment():
    check_given(GIVEN)
    check_given({**GIVEN, "ca_file": "not-there-yet.pem"})


@pytest.mark.parametrize(
    ("name", "value"), [("host", "https://example.com"), ("scheme", "http"), ("max_active_calls", 0)]
)
def test_what_can_never_be_used_is_refused_by_name(name: str, value: Any):
    with pytest.raises(ConfigError, match=name):
        check_given({**GIVEN, name: value})


def test_a_decorator_without_parentheses_says_so():
    check_context("calls", "support")
    check_context("calls", None)
    with pytest.raises(ConfigError, match=r'@app.messages needs parentheses: write @app.messages\("support"\)'):
        check_context("messages", CallActor)


def test_a_class_that_does_nothing_is_told_what_was_probably_meant():
    class Silent(CallActor):
        def on_recieve(self, message: object) -> None:
            """Never called."""

    assert does_nothing(Silent).endswith("; on_recieve probably means on_receive")


def test_a_machine_behind_its_call_is_told_where_it_belongs():
    """The order of base classes decides who hears of an event first."""

    class Behind(CallActor, StateMachine):
        """Its rules would never be asked."""

    assert does_nothing(Behind).endswith("; StateMachine stands in front: class Behind(StateMachine, CallActor)")


@pytest.mark.parametrize("what", ["leave", "hang_up", HandTo(CallActor), None])
def test_what_cannot_be_done_at_the_deadline_is_refused(what: Any):
    """H7: by the constructor."""
    with pytest.raises(ConfigError, match="at_drain_deadline="):
        RelayApp("project", "token", at_drain_deadline=what)
    assert RelayApp("project", "token", at_drain_deadline=LeaveUp())._at_deadline == LeaveUp()


@pytest.mark.parametrize("dial_timeout", [0, -1.0, "5", True, float("nan")])
def test_a_dial_that_could_never_be_answered_is_refused(dial_timeout: Any):
    check_dial(CallActor, None)
    with pytest.raises(ConfigError, match="must be a positive number of seconds"):
        check_dial(CallActor, dial_timeout)
    with pytest.raises(ConfigError, match="give a subclass of CallActor"):
        check_dial(object, None)
