"""Each event is given once, and acknowledged once it is durable."""

from __future__ import annotations

import pytest

from relay_actors.protocol.event_ledger import EventLedger


def test_an_event_is_acknowledged_once():
    """PROTOCOL 7.2: each exactly once, however often the driver says so."""
    ledger = EventLedger(10)
    assert ledger.arrived("e1") == (True, 0)
    assert ledger.settle(["e1"]) == ["e1"]
    assert ledger.settle(["e1"]) == []
    assert ledger.settle(["never came"]) == []


def test_a_durable_event_that_comes_again_is_acknowledged_again_and_not_given_again():
    """SEMANTICS K3: the server has missed the first acknowledgement."""
    ledger = EventLedger(10)
    ledger.arrived("e1")
    ledger.settle(["e1"])
    assert ledger.arrived("e1") == (False, 1)


def test_a_copy_of_an_event_that_is_not_durable_yet_waits_with_it():
    """SEMANTICS J1, V5: no acknowledgement of what is not in the journal."""
    ledger = EventLedger(10)
    ledger.arrived("e1")
    assert ledger.arrived("e1") == (False, 0)
    assert ledger.settle(["e1"]) == ["e1", "e1"]


def test_an_acknowledgement_does_not_cross_over_to_the_next_connection():
    ledger = EventLedger(10)
    ledger.arrived("e1")
    ledger.connection_lost()
    assert ledger.settle(["e1"]) == []


def test_an_event_that_comes_again_on_the_next_connection_is_acknowledged_there():
    ledger = EventLedger(10)
    ledger.arrived("e1")
    ledger.connection_lost()
    assert ledger.arrived("e1") == (False, 0)
    assert ledger.settle(["e1"]) == ["e1"]


def test_an_event_without_an_id_is_new_every_time_and_never_acknowledged():
    ledger = EventLedger(10)
    assert ledger.arrived(None) == ledger.arrived(None) == (True, 0)
    assert ledger.settle([None]) == []


def test_what_a_former_process_has_made_durable_is_acknowledged_and_not_given_again():
    """SEMANTICS K3: whatever it says, for that is not known any more; and only so many of them are remembered."""
    ledger = EventLedger(3)
    ledger.remember(["e1", None, 2])
    assert ledger.arrived("e1", "calling.call.state") == ledger.arrived(2) == (False, 1)

    ledger.remember(["e1", "e3", "e4"])
    assert ledger.arrived("e1") == ledger.arrived("e3") == ledger.arrived("e4") == (False, 1)
    assert ledger.arrived(2) == (True, 0)


def test_only_so_many_events_are_remembered():
    """PROTOCOL 16.4: bound everything."""
    ledger = EventLedger(2)
    for frame_id in ("e1", "e2", "e3"):
        ledger.arrived(frame_id)
        ledger.settle([frame_id])
    assert ledger.arrived("e3") == (False, 1)
    assert ledger.arrived("e2") == (False, 1)
    assert ledger.arrived("e1") == (True, 0)


@pytest.mark.parametrize("others", [("1", 1, True, 1.0, [1], ["1"], {"a": 1}, {}, [], "", 0, False)])
def test_ids_of_any_type_are_told_apart(others):
    """Server ids are opaque: 1, "1" and true are three, and a list is one too."""
    ledger = EventLedger(100)
    for frame_id in others:
        assert ledger.arrived(frame_id) == (True, 0)
        assert ledger.settle([frame_id]) == [frame_id]
    for frame_id in others:
        assert ledger.arrived(frame_id) == (False, 1)


def test_an_id_that_was_used_for_something_else_counts_as_new_when_the_oldest_are_forgotten():
    """PROTOCOL 16.4: it stands once among those that are remembered, where it came last."""
    ledger = EventLedger(2)
    for frame_id, said in (("e1", "one"), ("e2", "two"), ("e1", "another"), ("e3", "three")):
        ledger.arrived(frame_id, said)
        ledger.settle([frame_id])
    assert ledger.arrived("e1", "another") == (False, 1)
    assert ledger.arrived("e3", "three") == (False, 1)
    assert ledger.arrived("e2", "two") == (True, 0)
    ledger.remember(["e3"])
    assert ledger.arrived("e1", "another") == (False, 1)


def test_a_new_session_may_use_old_ids():
    ledger = EventLedger(10)
    ledger.arrived(1)
    ledger.settle([1])
    ledger.new_session()
    assert ledger.arrived(1) == (True, 0)


def test_another_event_under_an_id_that_was_used_before_is_new():
    """Ids are opaque: a server may begin anew with them on each connection, and nothing may be lost by that (K3)."""
    ledger = EventLedger(limit=8)
    assert ledger.arrived("1", params={"n": 10}) == (True, 0)
    assert ledger.arrived("1", params={"n": 11}) == (True, 0)
    assert ledger.arrived("1", params={"n": 10}) == (False, 0)

    assert ledger.settle(["1"]) == ["1", "1"]
    assert ledger.settle(["1"]) == ["1"]
    assert ledger.settle(["1"]) == []
    assert ledger.arrived("1", params={"n": 11}) == (False, 1)
    assert ledger.arrived("1", params={"n": 12}) == (True, 0)


def test_events_of_one_id_are_told_apart_by_what_they_say():
    """Also one that is nested deeper than can be written: then the id and the type have to do."""
    deep: list[object] = []
    for _ in range(2000):
        deep = [deep]
    ledger = EventLedger(limit=8)
    assert ledger.arrived("1", "a", {"x": 1}) == (True, 0)
    assert ledger.arrived("1", "a", {"x": 1}) == (False, 0)
    assert ledger.arrived("1", "a", {"x": 2}) == (True, 0)
    assert ledger.arrived("1", "b", {"x": 1}) == (True, 0)
    assert ledger.arrived("2", "a", deep) == (True, 0)
    assert ledger.arrived("2", "a", [deep]) == (False, 0)
