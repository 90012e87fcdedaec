"""What waits behind a command that may have been lost."""

from __future__ import annotations

from relay_actors.actors.holding import Holding
from relay_actors.actors.outgoing import Outgoing, last_word
from relay_actors.errors import RelayActorsError
from relay_actors.protocol.base import JsonObject


def nobody(_result: JsonObject | None, _error: RelayActorsError | None) -> None:
    """Nobody wants to know."""


def order(subject: str, *, is_repeat: bool = False) -> Outgoing:
    return Outgoing("calling.x", {}, nobody, subject, on_late=nobody, is_repeat=is_repeat)


def test_only_the_orders_of_a_call_that_is_in_doubt_are_concerned():
    """What is sent again goes ahead, and so does the last word on a call that nobody follows any more."""
    holding = Holding(10.0, 500)
    assert not holding.concerns(order("a"))
    holding.hold("a")
    assert holding.concerns(order("a"))
    assert not holding.concerns(order("b"))
    assert not holding.concerns(order("a", is_repeat=True))
    assert not holding.concerns(last_word({"node_id": "n", "call_id": "a"}, "error"))


def test_what_has_waited_goes_on_in_order_when_nothing_is_in_doubt_any_more():
    holding = Holding(10.0, 500)
    holding.hold("a")
    holding.hold("a")
    for number in range(3):
        holding.take(f"a{number}", "a", now=0.0)
    holding.take("b9", "b", now=0.0)
    assert holding.subjects == {"a", "b"}
    assert holding.release("a") == []
    assert holding.subjects == {"a", "b"}
    assert holding.release("a") == ["a0", "a1", "a2"]
    assert holding.subjects == {"b"}
    assert not holding.concerns(order("a"))
    assert len(holding) == 1


def test_a_release_of_what_was_not_in_doubt_is_harmless():
    holding = Holding(10.0, 500)
    assert holding.release("a") == []
    holding.hold("a")
    assert holding.concerns(order("a"))


def test_what_waits_too_long_is_given_back():
    holding = Holding(10.0, 500)
    holding.hold("a")
    assert holding.next_deadline() is None
    holding.take("a1", "a", now=0.0)
    holding.take("a2", "a", now=5.0)
    assert holding.next_deadline() == 10.0
    assert holding.expire(12.0) == ["a1"]
    assert holding.next_deadline() == 15.0


def test_no_more_wait_than_may():
    holding = Holding(10.0, 2)
    holding.hold("a")
    holding.take("a", "a", now=0.0)
    assert not holding.is_full
    holding.take("a", "a", now=0.0)
    assert holding.is_full


def test_what_is_over_is_forgotten_with_all_its_doubts():
    holding = Holding(10.0, 500)
    holding.hold("a")
    holding.hold("a")
    holding.take("a1", "a", now=0.0)
    assert holding.forget("a") == ["a1"]
    assert not holding.concerns(order("a"))
    holding.hold("b")
    holding.take("b2", "b", now=0.0)
    assert holding.clear() == ["b2"]
    assert not holding.concerns(order("b"))
