"""Routes, the roster, parking, and what is remembered for a while."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.actors.routing import Parking, Recent, Roster, Routes
from relay_actors.errors import ConfigError
from relay_actors.events import RelayEvent


class Sales:
    pass


class Support:
    pass


def event(number: int) -> RelayEvent:
    return RelayEvent("x", {"number": number})


# -- routes ----------------------------------------------------------------------------------------------------------


def test_a_context_goes_to_its_class_and_the_rest_to_the_class_of_all_others() -> None:
    """``app.calls("sales")`` and ``app.calls()``."""
    routes: Routes[object] = Routes("calls")
    routes.add("sales", Sales)
    assert routes.find("support") is None
    routes.add(None, Support)
    assert (routes.find("sales"), routes.find("support"), routes.find("")) == (Sales, Support, Support)
    assert routes.contexts == ["sales"]


def test_a_context_has_one_class() -> None:
    """A second one would never be asked, and nobody would notice."""
    routes: Routes[object] = Routes("calls")
    for context in ("sales", None):
        routes.add(context, Sales)
        routes.add(context, Sales)  # a module that is imported twice
        with pytest.raises(ConfigError, match=r"handled by Sales already"):
            routes.add(context, Support)


@pytest.mark.parametrize("context", ["", 5, Sales])
def test_a_context_is_a_name(context: object) -> None:
    """``@app.calls`` without parentheses hands over the class as context."""
    with pytest.raises(ConfigError, match="a context is a non-empty string"):
        Routes[object]("calls").add(context, Support)  # type: ignore[arg-type]


# -- the roster ------------------------------------------------------------------------------------------------------


def test_an_actor_is_new_once_and_owns_what_it_has_claimed() -> None:
    """A dial's actor claims its tag, and then the call id of the winner."""
    roster = Roster()
    assert roster.add("tag", "ref", is_call=True) is True
    assert roster.add("call", "ref", is_call=True) is False
    assert roster.add("call", "ref", is_call=True) is False
    assert roster.add("text", "other", is_call=False) is True
    assert roster.calls == ["ref"]
    assert len(roster) == 2
    assert all(map(roster.owns, ("tag", "call", "text")))
    assert roster.remove("ref") == ["tag", "call"]
    assert not roster.owns("call")
    assert roster.remove("ref") is None
    assert roster.remove("other") == ["text"]
    assert len(roster) == 0


def test_an_actor_that_ends_takes_nothing_from_its_successor() -> None:
    """A tag may be used again while the actor that had it is still on its way out."""
    roster = Roster()
    roster.add("tag", "old", is_call=True)
    roster.add("tag", "new", is_call=True)
    roster.remove("old")
    assert roster.owns("tag")


# -- parking ---------------------------------------------------------------------------------------------------------


def test_what_is_parked_is_taken_in_order_and_once() -> None:
    """SEMANTICS K4."""
    parking = Parking(5.0, 64, 10)
    for number in range(3):
        assert parking.park("call", event(number), now=0.0) == []
    assert "call" in parking
    assert [one.params["number"] for one in parking.take("call")] == [0, 1, 2]
    assert parking.take("call") == []
    assert "call" not in parking
    assert parking.next_deadline() is None


def test_beyond_the_bound_of_one_id_the_newest_is_given_up() -> None:
    """The oldest tell how it began."""
    parking = Parking(5.0, 2, 10)
    given_up = [parking.park("call", event(number), now=0.0) for number in range(4)]
    assert [[one.params["number"] for one in some] for some in given_up] == [[], [], [2], [3]]
    assert len(parking.take("call")) == 2


def test_beyond_the_number_of_ids_the_oldest_is_given_up() -> None:
    """A hostile server must not fill the memory. PROTOCOL 16.4."""
    parking = Parking(5.0, 64, 2)
    parking.park("a", event(1), now=0.0)
    parking.park("a", event(2), now=0.0)
    parking.park("b", event(3), now=0.0)
    assert [one.params["number"] for one in parking.park("c", event(4), now=0.0)] == [1, 2]
    assert len(parking) == 2


def test_the_time_counts_from_the_first_event_of_an_id() -> None:
    """Or a stream of events for nobody would stay for ever."""
    parking = Parking(5.0, 64, 10)
    parking.park("a", event(1), now=0.0)
    parking.park("b", event(2), now=1.0)
    parking.park("a", event(3), now=4.0)
    assert parking.keys == ["a", "b"]
    assert parking.next_deadline() == 5.0
    assert parking.expire(4.9) == []
    assert [one.params["number"] for one in parking.expire(5.0)] == [1, 3]
    assert parking.next_deadline() == 6.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=60))
def test_no_event_is_parked_for_nothing(steps: list[tuple[str, int, bool]]) -> None:
    """Each is taken, given up, or still there; exactly one of these."""
    parking = Parking(4.0, 3, 2)
    now, parked, out = 0.0, 0, 0
    for key, pause, takes in steps:
        now += pause
        out += len(parking.expire(now))
        if takes:
            out += len(parking.take(key))
        else:
            out += len(parking.park(key, event(parked), now))
            parked += 1
    while (due := parking.next_deadline()) is not None:
        out += len(parking.expire(due))
    assert out == parked


# -- what is remembered ----------------------------------------------------------------------------------------------


def test_the_last_few_are_remembered() -> None:
    """Bounded, whatever comes. PROTOCOL 16.4."""
    recent = Recent(2)
    for key in ("a", "b", "a", "c"):
        recent.add(key)
    assert [key in recent for key in ("a", "b", "c")] == [True, False, True]
    recent.discard("a")
    recent.discard("a")
    assert "a" not in recent


def test_texts_are_told_apart_from_calls() -> None:
    """Who is told of a session that is gone."""
    roster = Roster()
    roster.add("c-1", "call", is_call=True)
    roster.add("m-1", "text", is_call=False)
    assert (roster.calls, roster.texts) == (["call"], ["text"])
