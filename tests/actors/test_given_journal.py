"""The journal as an application was given it."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay_actors.actors.given_journal import GivenJournal
from relay_actors.errors import ConfigError, JournalError
from relay_actors.journal.memory import MemoryStore
from relay_actors.journal.sqlite import SqliteStore
from relay_actors.journal.writer_lock import NextInLine, find_holder


def test_a_file_is_opened_for_each_run_and_closed_after_it(tmp_path: Path):
    """So that another process can have it then."""
    path = tmp_path / "calls.db"
    journal = GivenJournal(path)
    assert journal.path == str(path)
    assert journal.is_there
    for hands_over in (True, False):
        store = journal.open((), hands_over=hands_over)
        assert store is journal.store
        with pytest.raises(JournalError, match="in use by another writer"):
            SqliteStore(path)
        holder = find_holder(str(path))
        assert holder is not None
        assert holder.hands_over is hands_over
        journal.close()
        journal.close()
        assert journal.store is None
        assert find_holder(str(path)) is None


def test_a_store_of_the_users_stays_open():
    """It is theirs to close; and no other process waits for it."""
    store = MemoryStore()
    journal = GivenJournal(store)
    assert journal.open((), hands_over=True) is store
    journal.close()
    assert store.subjects() == []
    assert journal.path is None
    assert journal.is_there
    assert not journal.leaves_to_next()


def test_there_may_be_none():
    """And nothing is made then."""
    journal = GivenJournal(None)
    assert journal.open((), hands_over=True) is None
    journal.close()
    assert not journal.is_there
    assert not journal.leaves_to_next()


def test_it_knows_that_somebody_waits(tmp_path: Path):
    """C4: only then it is handed over."""
    journal = GivenJournal(str(tmp_path / "calls.db"))
    assert journal.path is not None
    with NextInLine(journal.path):
        assert not journal.leaves_to_next()  # it has nothing to leave
    journal.open((), hands_over=True)
    assert not journal.leaves_to_next()
    with NextInLine(journal.path):
        assert journal.leaves_to_next()
        journal.close()
        assert not journal.leaves_to_next()


@pytest.mark.parametrize(("durability", "synchronous"), [("process", 1), ("power", 2)])
def test_a_file_is_as_durable_as_is_asked_for(tmp_path: Path, durability: str, synchronous: int):
    """``power`` has SQLite sync its log with each commit, ``process`` leaves that to the operating system. J1."""
    journal = GivenJournal(tmp_path / "calls.db", durability)  # type: ignore[arg-type]
    store = journal.open((), hands_over=False)
    assert isinstance(store, SqliteStore)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (synchronous,)
    journal.close()


def test_how_durable_is_said_of_a_path_only_and_in_words_that_there_are(tmp_path: Path):
    """A store of the user's has its own; a misspelt word must not mean the weaker one."""
    with pytest.raises(ConfigError, match="must be 'process' or 'power'"):
        GivenJournal(tmp_path / "calls.db", "fsync")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="given by its path"):
        GivenJournal(MemoryStore(), "power")
    with pytest.raises(ConfigError, match="given by its path"):
        GivenJournal(None, "power")
