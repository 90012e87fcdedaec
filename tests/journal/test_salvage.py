"""Salvage: what a damaged journal still tells, and what it does not."""

import contextlib
import resource
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay_actors.errors import JournalError
from relay_actors.journal.entries import EventReceived, Session, Snapshot
from relay_actors.journal.memory import MemoryStore
from relay_actors.journal.replay import replay
from relay_actors.journal.salvage import Salvaged, look_through, salvage
from relay_actors.journal.sqlite import SqliteStore
from tests.journal.strategies import anywhere

SUBJECTS = [f"c-{n}" for n in range(5)]


def event(n: int, subject: str) -> EventReceived:
    return EventReceived(subject=subject, at=float(n), payload={"n": n, "filler": f"<{n}>" + "x" * 300})


def write_journal(path: Path) -> None:
    """60 events of five subjects on a few dozen pages, in the file and not in its WAL."""
    with contextlib.closing(SqliteStore(path)) as store:
        store.append(event(n, SUBJECTS[n % 5]) for n in range(60))
        store.put_session(Session(protocol="p", authorization_state="a"))
        store.commit()


def numbers(store: MemoryStore, subject: str) -> list[object]:
    return [entry.payload["n"] for entry in replay(store.load(subject=subject)).entries]


def test_a_sound_journal_is_brought_over_whole(tmp_path: Path):
    """The session with it, so that the calls can be resumed."""
    path = tmp_path / "j.db"
    write_journal(path)
    into = MemoryStore()

    done = salvage(path, into=into)

    assert done == Salvaged(entries=60, subjects=tuple(SUBJECTS), incomplete={}, faults=())
    assert numbers(into, "c-3") == list(range(3, 60, 5))
    assert into.get_session() == Session(protocol="p", authorization_state="a")


def test_what_only_the_wal_has_is_brought_over_too(tmp_path: Path):
    """After a crash the newest commits are nowhere else."""
    path = tmp_path / "j.db"
    with contextlib.closing(SqliteStore(path)) as store:
        store.append([event(1, "c-1")])
        store.snapshot("c-1", {"step": 1}, at=2.0)
        store.append([event(2, "c-1")])
        store.commit()
        crashed = tmp_path / "crashed.db"
        crashed.write_bytes(path.read_bytes())
        Path(f"{crashed}-wal").write_bytes(Path(f"{path}-wal").read_bytes())
    into = MemoryStore()

    assert salvage(crashed, into=into).entries == 2
    assert replay(into.load(subject="c-1")).state == {"step": 1}


def test_a_damaged_record_ends_its_own_subject_only(tmp_path: Path):
    """What follows a hole cannot be trusted; other calls have nothing to do with it."""
    path = tmp_path / "j.db"
    write_journal(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE entries SET body = x'00' WHERE subject = 'c-2' AND sequence = 5")
        db.execute("DELETE FROM entries WHERE subject = 'c-3' AND sequence = 7")
        db.execute("DELETE FROM entries WHERE subject = 'c-4' AND sequence = 1")
        db.execute("UPDATE entries SET subject = 'c-9' WHERE subject = 'c-1' AND sequence = 12")
    into = MemoryStore()

    done = salvage(path, into=into)

    assert numbers(into, "c-0") == list(range(0, 60, 5))
    assert numbers(into, "c-1") == list(range(1, 56, 5))
    assert numbers(into, "c-2") == list(range(2, 22, 5))
    assert numbers(into, "c-3") == list(range(3, 33, 5))
    assert done.subjects == ("c-0", "c-1", "c-2", "c-3")
    assert {subject: reason.partition(":")[0][:40] for subject, reason in done.incomplete.items()} == {
        "c-2": "a journal record is damaged",
        "c-3": "the journal of c-3 has a gap",
        "c-4": "the journal of c-4 begins with entry 2",
        "c-9": "a record of c-1 stands where one of c-9 ",
    }


def test_a_destroyed_page_costs_what_stood_on_it(tmp_path: Path):
    """The rest is read from both ends, every call ends up as a past of itself, and the report tells of a loss."""
    path = tmp_path / "j.db"
    write_journal(path)
    data = bytearray(path.read_bytes())
    lost = data.index(b"<30>") // 4096 * 4096
    data[lost : lost + 4096] = b"\xff" * 4096
    path.write_bytes(data)
    before = path.read_bytes()
    with pytest.raises(JournalError, match="damaged"):
        SqliteStore(path)
    into = MemoryStore()

    done = salvage(path, into=into)

    assert done.faults
    assert 20 < done.entries < 60
    for subject in done.subjects:
        whole = list(range(SUBJECTS.index(subject), 60, 5))
        assert numbers(into, subject) == whole[: len(numbers(into, subject))]
    assert path.read_bytes() == before


def overwrite_the_page_at(path: Path, at: int, *, by: bytes = b"\xff") -> None:
    data = bytearray(path.read_bytes())
    at = at // 4096 * 4096
    data[at : at + 4096] = by * 4096
    path.write_bytes(data)


def test_what_stands_between_two_destroyed_pages_is_read_too(tmp_path: Path):
    """The entries are tried one by one: a call that began there is whole."""
    path = tmp_path / "j.db"
    with contextlib.closing(SqliteStore(path)) as store:
        store.append(event(n, f"c-{n // 10}") for n in range(300))
        store.commit()
    data = path.read_bytes()
    for number in (b"<55>", b"<205>"):
        overwrite_the_page_at(path, data.index(number))
    into = MemoryStore()

    done = salvage(path, into=into)

    assert len(done.faults) == 2
    for number in (0, 1, 8, 12, 17, 24, 29):
        assert numbers(into, f"c-{number}") == list(range(number * 10, number * 10 + 10))


def test_a_destroyed_first_page_costs_nothing_else(tmp_path: Path):
    """It says where the tables begin, and that is the same in every journal."""
    path = tmp_path / "j.db"
    write_journal(path)
    overwrite_the_page_at(path, 0)
    into = MemoryStore()

    done = salvage(path, into=into)

    assert (done.entries, done.incomplete) == (60, {})
    assert len(done.faults) == 1
    assert into.get_session() == Session(protocol="p", authorization_state="a")


def test_a_file_whose_end_is_missing_is_read_as_far_as_it_goes(tmp_path: Path):
    """SQLite alone reads nothing of a file that is shorter than it says."""
    path = tmp_path / "j.db"
    write_journal(path)
    data = path.read_bytes()
    for cut in range(1, len(data), 997):
        path.write_bytes(data[:cut])
        done = salvage(path, into=MemoryStore())
        assert done.entries < 60
        assert done.faults or done.incomplete
        assert "None" not in done.incomplete, "a page that was cut off is no row"

    path.write_bytes(data[: len(data) * 3 // 4])
    assert salvage(path, into=MemoryStore()).entries >= 10


def test_the_number_of_the_newest_writer_is_found(tmp_path: Path):
    """From the entries, when the file does not say it any more (SEMANTICS J7)."""
    path = tmp_path / "j.db"
    for _ in range(4):
        with contextlib.closing(SqliteStore(path)) as store:
            store.append([event(1, "c-1")])
            store.commit()
    assert look_through(str(path)).epoch == 4
    for damage in ("UPDATE writer SET epoch = 'many'", "UPDATE writer SET epoch = 1 << 60", "DELETE FROM writer"):
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute(damage)
        found = look_through(str(path))
        assert found.epoch == 4
        assert found.faults[0].startswith("writer: ")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_the_damage_each_subject_is_a_past_of_itself(tmp_path: Path, data: st.DataObject):
    """Never another story, never another error (SEMANTICS J7)."""
    whole = tmp_path / "whole.db"
    if not whole.exists():
        write_journal(whole)
    torn_bytes = bytearray(whole.read_bytes())
    at = data.draw(anywhere(len(torn_bytes)))
    noise = data.draw(st.binary(min_size=1, max_size=60))
    torn_bytes[at : at + len(noise)] = noise
    torn = tmp_path / "torn.db"
    torn.write_bytes(torn_bytes)
    into = MemoryStore()

    done = salvage(torn, into=into)

    assert done.entries == len(list(into.load()))
    for subject in done.subjects:
        assert numbers(into, subject) == list(range(SUBJECTS.index(subject), 60, 5))[: len(numbers(into, subject))]


def test_it_goes_only_into_a_store_without_entries(tmp_path: Path):
    """Two journals mixed into one would be neither."""
    into = MemoryStore()
    into.snapshot("c-1", {}, at=1.0)
    assert isinstance(next(into.load()), Snapshot)

    with pytest.raises(JournalError, match="open a new one"):
        salvage(tmp_path / "j.db", into=into)


def test_a_journal_in_use_or_not_there_is_refused(tmp_path: Path):
    """What is being written cannot be copied consistently."""
    path = tmp_path / "j.db"
    with contextlib.closing(SqliteStore(path)), pytest.raises(JournalError, match="in use by another writer"):
        salvage(path, into=MemoryStore())

    with pytest.raises(JournalError, match="could not be copied: No such file"):
        salvage(tmp_path / "other.db", into=MemoryStore())


def test_without_room_for_a_copy_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Also when there is no directory for it, or SQLite is the first to notice: a bare error would say nothing."""
    path = tmp_path / "j.db"
    with contextlib.closing(SqliteStore(path)) as store:
        store.append([event(1, "c-1")])
        store.commit()
    # Enough for the copy, and not for what SQLite puts beside it.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
    try:
        with pytest.raises(JournalError, match="could not be copied: disk I/O error"):
            look_through(str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(JournalError, match="could not be copied: No such file"):
        look_through(str(path))
