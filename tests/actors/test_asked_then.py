"""What the code of a call asked for then, and what of it comes next."""

from __future__ import annotations

from relay_actors.actors.asked_then import Past
from relay_actors.actors.history import Asked, Learnt, Told
from relay_actors.protocol.events import RelayEvent


def asked(number: int, method: str, *, is_own: bool = True) -> Asked:
    return Asked(number, method, {}, is_own, 0.0)


def noted(what: str, **values: object) -> Learnt:
    return Learnt(what, values, 0.0)


TOLD = Told(RelayEvent("calling.call.play", {}), 0.0)


def test_what_comes_next_is_what_the_code_asked_for_before_anything_was_told() -> None:
    past = Past([asked(1, "calling.answer"), TOLD, asked(2, "calling.play")])
    assert past.next_output() == 0
    past.taken.add(0)
    assert past.next_output() is None
    past.at = 2
    assert past.next_output() == 2


def test_orders_of_others_and_notes_that_nothing_waits_for_are_passed() -> None:
    past = Past(
        [asked(1, "calling.play", is_own=False), noted("data"), noted("sent", number=1), asked(2, "calling.end")]
    )
    assert (past.next_output(), past.next_asked(), past.next_number()) == (3, 3, 1)


def test_what_was_awaited_is_passed_once_the_code_has_gone_on_after_it() -> None:
    past = Past([noted("awaited", number=4), asked(1, "calling.answer")])
    assert past.next_output() is None
    past.awaited.add(4)
    assert past.next_output() == 1


def test_a_command_is_found_by_its_method_behind_others() -> None:
    """A handler's turn that is handled again may ask for less, or in another order."""
    past = Past([asked(1, "calling.play"), asked(2, "calling.record"), TOLD, asked(3, "calling.end")])
    assert past.next_asked("calling.record") == 1
    assert past.next_asked("calling.end") is None
    past.taken.add(1)
    assert past.next_asked("calling.record") is None


def test_the_time_that_was_asked_for_is_no_command() -> None:
    past = Past([noted("now", value=1.0), asked(1, "calling.play")])
    assert (past.next_output(), past.next_asked()) == (0, None)


def test_there_is_more_as_long_as_the_code_asks_for_anything_later() -> None:
    past = Past([TOLD, asked(1, "calling.play"), asked(2, "calling.end", is_own=False)])
    assert past.has_more()
    past.taken.add(1)
    assert not past.has_more()


def test_notes_of_a_kind_are_found_from_a_place_on() -> None:
    past = Past([noted("sent", number=1), TOLD, noted("sent", number=2), noted("data")])
    assert [values["number"] for values in past.noted("sent")] == [1, 2]
    assert [values["number"] for values in past.noted("sent", since=1)] == [2]
