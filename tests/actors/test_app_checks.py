"""What can be wrong with what an application is given."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import pytest

from relay_actors import Actor, CallActor, HandTo, LeaveUp, MessageActor, RelayApp, StateMachine
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


class NeedsSlots(Actor):
    """Is made of something."""

    def __init__(self, slots: int, *, at: str = "") -> None:
        super().__init__()


def test_a_service_without_what_its_constructor_needs_is_refused_at_once():
    """It would be restarted for ever, and callers would find nobody."""
    app = RelayApp()

    with pytest.raises(ConfigError, match=r"NeedsSlots could never be made: missing a required argument: 'slots'\..*"):
        app.service(NeedsSlots, name="diary")
    with pytest.raises(ConfigError, match="got an unexpected keyword argument 'att'"):
        app.service(NeedsSlots, 3, att="noon", name="diary")
    app.service(NeedsSlots, 3, at="noon", name="diary")


def test_a_class_of_calls_or_texts_that_could_never_be_made_is_refused_at_once():
    """Nobody gives it anything, so every caller would be declined."""

    class Call(CallActor):
        def __init__(self, desk: str) -> None:
            super().__init__()

        async def run(self) -> None:
            """Is never begun."""

    class Text(MessageActor):
        def __init__(self, desk: str) -> None:
            super().__init__()

    app = RelayApp()

    with pytest.raises(ConfigError, match=r"app.calls\('x'\): Call could never be made: missing .* for each call"):
        app.calls("x")(Call)
    with pytest.raises(ConfigError, match=r"app.messages\(None\): Text could never be made: missing .* for each text"):
        app.messages()(Text)
    assert app.handlers == ({}, {})


def test_a_class_that_could_never_be_made_is_neither_dialled_for_nor_handed_a_call():
    """Nobody would be called, and it would only be said that the dial was cancelled; or nobody would apologise."""

    class Reminder(CallActor):
        def __init__(self, appointment: int) -> None:
            super().__init__()

    with pytest.raises(
        ConfigError, match=r"app.dial\(Reminder, …\): Reminder could never be made: .* in its self.data"
    ):
        check_dial(Reminder, None)
    with pytest.raises(TypeError, match=r"must be HandTo\(a class whose __init__ needs nothing; .*'appointment'\)"):
        type("Fails", (CallActor,), {"on_give_up": HandTo(Reminder)})


def test_a_constructor_that_does_not_tell_what_it_takes_is_believed():
    """Whatever gives it the rest: a decorator, a descriptor, a metaclass, an attribute of dataclasses."""

    def gives_the_desk(init: Any) -> Any:
        @functools.wraps(init)
        def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
            init(self, "desk", *args, **kwargs)

        return wrapper

    def init(self: Any, desk: str) -> None:
        self.desk = desk

    class Wrapped(Actor):
        __init__ = gives_the_desk(init)

    class Partial(Actor):
        __init__ = functools.partialmethod(init, "desk")  # type: ignore[assignment]  # as a user may

    class Meta(type(Actor)):  # type: ignore[misc]  # it is one
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            return super().__call__("desk", *args, **kwargs)

    class Made(Actor, metaclass=Meta):
        __init__ = init

    @dataclass(eq=False)
    class Data(Actor):
        desk: str = "desk"

    app = RelayApp()
    for actor_class in (Actor, Wrapped, Partial, Made, Data):
        app.service(actor_class, name=actor_class.__name__)
