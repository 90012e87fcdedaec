"""The store in memory: what the contract does not say."""

import pytest

from relay_actors.errors import JournalError
from relay_actors.journal.entries import EventReceived
from relay_actors.journal.memory import MemoryMedium, MemoryStore


def event(n: int) -> EventReceived:
    return EventReceived(subject="c-1", at=1.0, payload={"n": n})


def test_a_second_store_on_a_medium_deposes_the_first():
    """Two writers at a time must not both be believed (SEMANTICS J7)."""
    medium = MemoryMedium()
    old = MemoryStore(medium)
    old.append([event(1)])
    old.commit()
    new = MemoryStore(medium)

    old.append([event(2)])
    with pytest.raises(JournalError, match="writer 2 has taken over this journal from writer 1"):
        old.commit()
    with pytest.raises(JournalError, match="taken over"):
        old.append([event(3)])

    new.append([event(4)])
    new.commit()
    assert [entry.payload["n"] for entry in MemoryStore(medium).load()] == [1, 4]


def test_a_full_medium_fails_the_store_for_good():
    """A writer that went on after a failed commit would promise what it cannot keep (SEMANTICS J6)."""
    medium = MemoryMedium()
    store = MemoryStore(medium)
    store.append([event(1)])
    medium.full = True

    with pytest.raises(JournalError, match="full"):
        store.commit()
    medium.full = False
    with pytest.raises(JournalError, match="full"):
        store.commit()

    assert MemoryStore(medium).subjects() == []


def test_stores_without_a_medium_share_nothing():
    """Two applications in one process are strangers (SEMANTICS L10)."""
    one, other = MemoryStore(), MemoryStore()
    one.append([event(1)])
    one.commit()

    assert other.subjects() == []


def test_a_medium_keeps_bytes_and_not_objects():
    """So that a test in memory sees what a test on disk would: encoded and redacted entries."""
    medium = MemoryMedium()
    payload: dict[str, object] = {"token": "secret"}
    store = MemoryStore(medium)
    store.append([EventReceived(subject="c-1", at=1.0, payload=payload)])
    store.commit()
    payload["token"] = "changed later"

    [loaded] = store.load()
    assert loaded.payload == {"token": "***"}
    assert b"secret" not in medium.entries["c-1"][0].body
