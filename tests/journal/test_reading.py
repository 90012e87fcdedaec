"""Looking into a journal: changes nothing, waits for nobody, and finds what is wrong."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay_actors.errors import DamagedJournalError, JournalError
from relay_actors.journal.entries import EventReceived, Session
from relay_actors.journal.reading import SqliteReader
from relay_actors.journal.sqlite import SqliteStore
from relay_actors.journal.sqlite_file import FORMAT
from tests.journal.torn_journals import make_journal, whole_file


def event(n: int, subject: str = "c-1") -> EventReceived:
    return EventReceived(subject=subject, at=float(n), payload={"n": n})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "calls.db"
    with contextlib.closing(SqliteStore(path)) as store:
        store.append(event(n, f"c-{n % 2}") for n in range(1200))
        store.put_session(Session(protocol="p", authorization_state="the newest state"))
        store.commit()
    return path


@contextlib.contextmanager
def changed(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        yield db


def test_it_sees_what_a_living_writer_has_committed_and_disturbs_it_not(path: Path):
    """Also what only the WAL has; and of one moment, whatever is committed meanwhile."""
    with contextlib.closing(SqliteStore(path)) as store:
        store.append([event(1, "new")])
        store.commit()
        store.append([event(2, "new")])
        with SqliteReader(path) as reader:
            assert (reader.writers, reader.has_session) == (2, True)
            store.commit()
            store.append([event(3, "other")])
            store.commit()
            assert reader.subjects() == ["c-0", "c-1", "new"]
            assert [entry.payload["n"] for entry in reader.load(subject="new")] == [1]
            assert len(list(reader.load())) == 1201
            assert reader.check() == []
        with SqliteReader(path) as reader:
            assert reader.subjects() == ["c-0", "c-1", "new", "other"]


def test_what_a_killed_process_has_left_is_read_and_left_as_it_is(path: Path):
    """The next start of the application must find the same."""
    journal = make_journal(path)
    journal.put(path)

    with SqliteReader(path) as reader:
        assert set(reader.subjects()) == journal.commits[-1].keys()
        assert reader.size >= len(journal.database) + len(journal.wal)

    assert path.read_bytes() == journal.database
    assert Path(f"{path}-wal").read_bytes() == journal.wal


def test_a_file_with_nothing_in_it_is_an_empty_journal(path: Path):
    """As it is between its making and its first entry."""
    path.write_bytes(b"")

    with SqliteReader(path) as reader:
        assert (reader.writers, reader.has_session, reader.subjects(), reader.check()) == (0, False, [], [])
        assert list(reader.load()) == []


def test_a_file_in_a_place_where_nothing_may_be_written_is_read(path: Path):
    """A backup, for example. Who is root may write everywhere, so there the rights prove nothing."""
    path.parent.chmod(0o500)
    try:
        with SqliteReader(path) as reader:
            assert reader.subjects() == ["c-0", "c-1"]
    finally:
        path.parent.chmod(0o700)


def test_what_is_no_journal_of_this_release_is_refused(path: Path, tmp_path: Path):
    """In words that say what to do, and it is not made where there is none."""
    with changed(path) as db:
        db.execute(f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(JournalError, match=r"newer relay_actors\. Upgrade"):
        SqliteReader(path)

    with changed(tmp_path / "other.db") as db:
        db.execute("CREATE TABLE customers (name TEXT)")
    with pytest.raises(JournalError, match="database of another application"):
        SqliteReader(tmp_path / "other.db")

    with pytest.raises(JournalError, match="could not be read: No such file"):
        SqliteReader(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()

    with pytest.raises(JournalError, match="not a regular file"):
        SqliteReader(tmp_path)

    path.write_bytes(b"dear diary, " * 400)
    with pytest.raises(JournalError, match="is no journal") as caught:
        SqliteReader(path)
    assert not isinstance(caught.value, DamagedJournalError)  # nobody would bring that back


ENTRY_350 = "WHERE subject = 'c-1' AND sequence = 350"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            "UPDATE entries SET body = x'0011' WHERE subject = 'c-1' AND sequence = 350",
            "entry 350 of c-1: a journal record is damaged",
        ),
        (
            "UPDATE entries SET epoch = 2 WHERE subject = 'c-1' AND sequence = 350",
            "entry 350 of c-1 is not what its row says",
        ),
        ("DELETE FROM entries WHERE subject = 'c-1' AND sequence = 5", "gap: entry 4 is followed by 6"),
        ("UPDATE writer SET epoch = 0", "entry 1 of c-0 is of writer 1, and the newest is 0"),
        ("UPDATE writer SET epoch = 'two'", "does not say who its writer is"),
        ("UPDATE session SET body = x'00112233445566'", "its session: a journal record"),
        ("UPDATE sqlite_sequence SET seq = 9223372036854775807", "the number of its newest entry is none"),
        ("DROP TABLE session", "there is no longer: CREATE TABLE session"),
        ("DROP TABLE writer", "there is no longer: CREATE TABLE writer"),
    ],
)
def test_a_check_says_what_is_wrong(path: Path, damage: str, told: str):
    """A sound SQLite file is not yet a sound journal (SEMANTICS J7)."""
    with SqliteReader(path) as reader:
        assert reader.check() == []
    with changed(path) as db:
        db.execute(damage)

    with SqliteReader(path) as reader:
        faults = reader.check()

    assert any(told in fault for fault in faults), faults


def test_a_check_looks_at_the_index_too(path: Path):
    """A call is looked up by it: with a flipped bit there, an entry is in the file, and is not found (SEMANTICS J7)."""
    data = bytearray(path.read_bytes())
    leaf = next(at for at in range(0, len(data), 4096) if data[at] == 0x0A)  # of an index
    place = data.index(b"c-0", leaf)
    assert place < leaf + 4096
    data[place : place + 3] = b"b-9"
    path.write_bytes(data)

    with SqliteReader(path) as reader:
        assert any("index" in fault for fault in reader.check())


def test_a_page_that_is_damaged_is_told(path: Path):
    """With whatever SQLite says of it, and no exception."""
    data = bytearray(path.read_bytes())
    data[4096 * 20 : 4096 * 21] = os.urandom(8) * 512
    path.write_bytes(data)

    with SqliteReader(path) as reader:
        faults = reader.check()

    assert faults
    assert not any("open_sqlite" in fault for fault in faults)  # what is wrong, without the advice


def test_a_journal_made_by_many_writers_is_sound(path: Path):
    """Snapshots, ends and take-overs are in order."""
    journal = whole_file(make_journal(path), path)

    with SqliteReader(journal.put(path)) as reader:
        assert reader.check() == []
        assert reader.writers == 2
