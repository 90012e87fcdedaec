"""What a journal's file looks like: what salvage relies on, and what errors say."""

import contextlib
import sqlite3
import zlib
from operator import itemgetter
from pathlib import Path

import msgpack
import pytest

from relay_actors.errors import DamagedJournalError, JournalError
from relay_actors.journal.codec import SCHEMA_VERSION, encode
from relay_actors.journal.entries import EventReceived
from relay_actors.journal.opening import open_sqlite
from relay_actors.journal.reading import SqliteReader
from relay_actors.journal.rounds import SeenRounds, pack_round, records_in
from relay_actors.journal.sqlite import SqliteStore
from relay_actors.journal.sqlite_file import (
    PAGE,
    SCHEMA,
    check_format,
    damaged,
    explained,
    first_page,
    make_tables,
    rounds_of,
    with_its_log,
)


def roots(path: Path) -> list[tuple[str, int]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT name, rootpage FROM sqlite_master").fetchall()


def test_tables_begin_on_the_same_pages_in_each_journal(tmp_path: Path):
    """So that another first page can stand for a damaged one: also after the file was compacted."""
    path = tmp_path / "calls.db"
    with contextlib.closing(SqliteStore(path)) as store:
        store.append(EventReceived(subject=f"c-{n}", at=1.0, payload={"f": "x" * 500}) for n in range(300))
        store.commit()
        for n in range(0, 300, 2):
            store.forget(f"c-{n}")
        store.compact()
    template = tmp_path / "template.db"
    template.write_bytes(first_page())

    assert len(first_page()) == PAGE
    with contextlib.closing(SqliteStore(tmp_path / "fresh.db")):
        pass
    assert roots(path) == roots(tmp_path / "fresh.db")
    page = bytearray(path.read_bytes()[:PAGE])
    assert page[100:] == first_page()[100:]


def test_rounds_are_given_in_the_order_of_their_numbers(tmp_path: Path):
    """Wherever they stand; and SQLite need not bring them into it, for which it would copy all of them to a file."""
    said: list[str] = []
    with contextlib.closing(sqlite3.connect(tmp_path / "calls.db", isolation_level=None)) as db:
        make_tables(db)
        for place, number in [(1, 7), (2, 5), (3, 6)]:
            body = encode(EventReceived(subject=f"c-{number}", at=1.0, epoch=1, sequence=1, payload={}))
            db.execute("INSERT INTO rounds VALUES (?, ?, ?)", (place, number, pack_round(number, [body])))
        db.set_trace_callback(said.append)
        found = rounds_of(db, "calls.db", records_in, itemgetter(0))
        db.set_trace_callback(None)
        assert [(number, place, held[0][0]) for number, place, _, held in found] == [
            (5, 2, "c-5"), (6, 3, "c-6"), (7, 1, "c-7"),
        ]  # fmt: skip
        [asked] = [text for text in said if "body" in text]
        assert not [row for row in db.execute(f"EXPLAIN QUERY PLAN {asked}") if "TEMP" in str(row)]

        db.execute("UPDATE rounds SET number = 'six' WHERE number = 6")
        with pytest.raises(DamagedJournalError, match="the numbers of its rounds are none"):
            rounds_of(db, "calls.db", records_in, itemgetter(0))


def test_a_record_that_makes_no_entry_is_told_when_it_is_read(tmp_path: Path):
    """Its checksum fits, so nobody has damaged it; only who reads its call learns of it. A thorough check says so."""
    path = tmp_path / "calls.db"
    fields = {"subject": "c", "at": 1.0, "epoch": 1, "sequence": 2, "frame_id": "f", "payload": "no table"}
    body = msgpack.packb([SCHEMA_VERSION, "event", fields])
    sound = [encode(EventReceived(subject=whose, at=1.0, epoch=1, sequence=1, payload={})) for whose in "cd"]
    bodies = [*sound, zlib.crc32(body).to_bytes(4, "big") + body]
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        make_tables(db)
        db.execute("UPDATE writer SET epoch = 1")
        db.execute("INSERT INTO rounds VALUES (?, ?, ?)", (1, 1, pack_round(1, bodies)))

    with SqliteReader(path) as reader:
        assert reader.check(SeenRounds()) == []
        assert "payload of 'event' is a str" in str(reader.check())
    with contextlib.closing(open_sqlite(path)) as store:
        assert len(list(store.load(subject="d"))) == 1
        entries = store.load(subject="c")
        assert next(entries).sequence == 1
        with pytest.raises(DamagedJournalError, match="payload of 'event' is a str"):
            next(entries)


def test_the_schema_stands_in_the_file_word_by_word(tmp_path: Path):
    """A check compares it."""
    with contextlib.closing(SqliteStore(tmp_path / "calls.db")):
        pass
    with contextlib.closing(sqlite3.connect(tmp_path / "calls.db")) as db:
        kept = {sql for (sql,) in db.execute("SELECT sql FROM sqlite_master")}
    assert set(SCHEMA) <= kept


def test_a_journal_that_denies_to_be_one_is_damaged(tmp_path: Path):
    """And one of a format that no release will ever have; both are not somebody else's."""
    path = tmp_path / "calls.db"
    with contextlib.closing(SqliteStore(path)):
        pass
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for damage in ("PRAGMA user_version = -5", "PRAGMA user_version = 70000", "PRAGMA application_id = 7"):
            db.execute(damage)
            with pytest.raises(DamagedJournalError):
                check_format(db, str(path))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device"), "could not be read: No space left on device"),
        (sqlite3.DatabaseError("malformed"), r"is damaged \(malformed\)"),
        (UnicodeDecodeError("utf-8", b"\x80", 0, 1, "x"), r"is damaged \(it holds a text that is no UTF-8\)"),
    ],
)
def test_errors_of_others_become_errors_of_the_journal(error: Exception, told: str):
    with pytest.raises(JournalError, match=f"the journal calls.db {told}"), explained("calls.db", "read"):
        raise error


def test_damage_is_told_with_and_without_its_advice():
    """A check tells what is wrong; an error says what to do, too."""
    error = damaged("/var/calls.db", "page 7 is gone")

    assert error.why == "page 7 is gone"
    assert "the journal /var/calls.db is damaged (page 7 is gone)" in str(error)
    assert "open_sqlite('calls.db')" in str(error)


def test_the_file_itself_comes_last():
    """Who moves them one by one, and is killed, leaves no file without its WAL."""
    assert with_its_log("a")[-1] == "a"
