"""The store in a file: crashes, damage, other writers and other eyes. The contract is in test_base.py."""

import contextlib
import dataclasses
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay_actors.errors import DamagedJournalError, JournalError
from relay_actors.journal import sqlite
from relay_actors.journal.entries import Entry, EventReceived, Session
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.journal.reading import SqliteReader
from relay_actors.journal.rounds import Forgotten, parts_of
from relay_actors.journal.salvage import salvage
from relay_actors.journal.sqlite import LARGEST_WAL, SqliteStore
from relay_actors.journal.sqlite_file import APPLICATION_ID, FORMAT, with_its_log
from tests.journal.strategies import anywhere
from tests.support.thorough import less


def event(n: int, subject: str = "c-1", **payload: object) -> EventReceived:
    return EventReceived(subject=subject, at=float(n), payload={"n": n, **payload})


def numbers(store: SqliteStore) -> list[object]:
    return [entry.payload["n"] for entry in store.load()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@contextlib.contextmanager
def opened(path: Path, **options: object) -> Iterator[SqliteStore]:
    with contextlib.closing(SqliteStore(path, **options)) as store:
        yield store


@contextlib.contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as any other program sees it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        yield db


WRITE_UNTIL_KILLED = """
import sys
from relay_actors.journal.entries import EventReceived
from relay_actors.journal.sqlite import LARGEST_WAL, SqliteStore
from tests.journal.strategies import anywhere
store = SqliteStore(sys.argv[1])
n = 0
while True:
    for _ in range(3):
        n += 1
        store.append([EventReceived(subject=f"c-{n % 4}", at=1.0, payload={"n": n, "filler": "x" * 500})])
    store.commit()
    print(n, flush=True)
"""


def test_nothing_committed_is_lost_when_the_process_is_killed(path: Path):
    """An acknowledged event survives ``kill -9`` at any moment: also in the middle of a commit (SEMANTICS J1)."""
    for round_number in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", WRITE_UNTIL_KILLED, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            try:
                for _ in range(50 + 17 * round_number):
                    promised = int(writer.stdout.readline())
            finally:
                writer.send_signal(signal.SIGKILL)
            # What the pipe still holds was promised as well.
            promised = max([promised, *map(int, writer.stdout.read().split())])
            writer.wait(10.0)
        with opened(path) as store:
            found = numbers(store)
            assert len(found) >= promised
            assert found == list(range(1, len(found) + 1))
            for subject in store.subjects():
                store.forget(subject)
            store.commit()


def test_a_wal_cut_at_any_byte_opens_with_a_prefix_of_the_commits(path: Path, tmp_path: Path):
    """After a power cut the file may end anywhere: what opens is a past of the journal, never half a commit (J1)."""
    with opened(path) as store:
        for n in range(1, 9):
            store.append([event(2 * n - 1), event(2 * n, filler="x" * n * 100)])
            store.commit()
        database, wal = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    seen = set()
    for cut in [*range(0, len(wal), 997), len(wal) - 1, len(wal)]:
        torn = tmp_path / "torn.db"
        torn.write_bytes(database)
        Path(f"{torn}-wal").write_bytes(wal[:cut])
        Path(f"{torn}-shm").unlink(missing_ok=True)
        with opened(torn) as store:
            found = numbers(store)
        assert found == list(range(1, len(found) + 1))
        assert len(found) % 2 == 0
        seen.add(len(found))
    assert seen == {0, 2, 4, 6, 8, 10, 12, 14, 16}


@settings(max_examples=less(30, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_raises_journal_errors_and_nothing_else(tmp_path: Path, data: st.DataObject):
    """Whatever bytes a disk makes of it, whoever opens it handles one class of error."""
    whole = tmp_path / "whole.db"
    if not whole.exists():
        with opened(whole) as store:
            store.append(event(n, f"c-{n % 5}", filler="x" * 300) for n in range(60))
            store.put_session(Session(protocol="p", authorization_state="a"))
            store.commit()
    bytes_of_it = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(anywhere(len(bytes_of_it)))
        noise = data.draw(st.binary(min_size=1, max_size=40))
        bytes_of_it[at : at + len(noise)] = noise
    del bytes_of_it[data.draw(st.integers(1, len(bytes_of_it)) | st.just(len(bytes_of_it))) :]
    torn = tmp_path / "torn.db"
    torn.write_bytes(bytes_of_it)

    with contextlib.suppress(JournalError), opened(torn) as store:
        for read in (
            store.subjects,
            store.get_session,
            lambda: list(store.load()),
            lambda: list(store.load(subject="c-1")),
        ):
            with contextlib.suppress(JournalError):
                read()
        store.append([event(1), event(2, "new")])
        store.snapshot("c-2", {}, at=1.0)
        store.forget("c-3")
        store.commit()


def test_damage_that_sqlite_cannot_even_put_into_words_is_damage(path: Path):
    """It quotes the broken schema in its message, and then fails to read its own message."""
    with opened(path):
        pass
    data = path.read_bytes()
    for old, new in (
        (b"tableentriesentries", b"table\x80ntriesentries"),
        (b"CREATE TABLE entries", b"CREATE TUBLE entries"),
    ):
        assert data.count(old) == 1
        data = data.replace(old, new)
    path.write_bytes(data)

    with pytest.raises(JournalError, match=r"is damaged \(it holds a text that is no UTF-8\)"):
        SqliteStore(path)
    found = salvage(path, into=MemoryStore())

    assert found.entries == 0
    assert len(found.faults) == 1


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path):
    """A wrong path in a setting must not cost somebody their file."""
    path.write_bytes(b"dear diary, " * 400)

    with pytest.raises(JournalError, match=r"is no journal .* move that file away"):
        SqliteStore(path)

    assert path.read_bytes() == b"dear diary, " * 400


def test_another_applications_database_is_refused_and_left_alone(path: Path):
    """It must neither be written to nor be taken for a damaged journal."""
    with raw(path) as db:
        db.execute("CREATE TABLE customers (name TEXT)")
    before = path.read_bytes()

    with pytest.raises(JournalError, match="database of another application: give the journal a path of its own"):
        SqliteStore(path)

    assert path.read_bytes() == before


def test_a_file_of_a_newer_release_is_refused_and_left_alone(path: Path):
    """After a downgrade the newer journal must still be there for the release that can read it (SEMANTICS J9)."""
    with opened(path):
        pass
    with raw(path) as db:
        db.execute(f"PRAGMA user_version = {FORMAT + 1}")
    before = path.read_bytes()

    with pytest.raises(
        JournalError, match=rf"has format {FORMAT + 1}, and this release reads format {FORMAT}.*Upgrade"
    ):
        SqliteStore(path)

    assert path.read_bytes() == before


def test_a_damaged_record_is_refused_after_those_before_it(path: Path):
    """SQLite does not notice a flipped bit in a value; the record's own checksum does (SEMANTICS J7)."""
    with opened(path) as store:
        store.append([event(1), event(2), event(3)])
        store.commit()
    with raw(path) as db:
        db.execute("UPDATE entries SET body = substr(body, 1, 20) WHERE sequence = 2")

    with opened(path) as store:
        loading = store.load()
        assert next(loading).payload == {"n": 1}
        with pytest.raises(JournalError, match=r"damaged \(entry 2 of c-1.*checksum"):
            next(loading)


def test_a_record_that_stands_in_the_wrong_row_is_refused(path: Path):
    """The columns are only an index: when they tell another story than the record, something is broken."""
    with opened(path) as store:
        store.append([event(1)])
        store.commit()
    with raw(path) as db:
        db.execute("UPDATE entries SET subject = 'c-2'")

    with opened(path) as store, pytest.raises(JournalError, match="entry 1 of c-2 is not what its row says"):
        list(store.load())


@pytest.mark.parametrize(
    "damage",
    ["DROP TABLE writer", "DELETE FROM writer", "UPDATE writer SET epoch = 'two'", "UPDATE entries SET sequence = 'x'"],
)
def test_tables_that_are_not_as_they_should_be_are_damage(path: Path, damage: str):
    """A sound SQLite file is not yet a sound journal."""
    with opened(path) as store:
        store.append([event(1)])
        store.commit()
    with raw(path) as db:
        db.execute(damage)

    with pytest.raises(JournalError, match="is damaged"):
        SqliteStore(path)


def test_an_empty_file_becomes_a_journal(path: Path):
    """Also what is left when the process dies between making the file and filling it."""
    path.touch(mode=0o600)

    with opened(path) as store:
        store.append([event(1)])
        store.commit()

    with opened(path) as store:
        assert numbers(store) == [1]
    with raw(path) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


@pytest.mark.parametrize(("durability", "synchronous"), [("process", 1), ("power", 2)])
def test_durability_chooses_what_sqlite_waits_for(path: Path, durability: str, synchronous: int):
    """1 is NORMAL, 2 is FULL. A power cut cannot be tried here; that SQLite is told so can."""
    with opened(path, durability=durability) as store:
        assert store._db.execute("PRAGMA synchronous").fetchone() == (synchronous,)
        assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_unknown_durability_is_refused(path: Path):
    """A misspelt setting must not turn into less safety than was asked for."""
    with pytest.raises(JournalError, match="'disk': must be 'process' or 'power'"):
        SqliteStore(path, durability="disk")
    assert not path.exists()


def mode(path: object) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_nobody_else_can_read_the_files(path: Path):
    """They hold telephone numbers, keyed digits and the authorization state (SEMANTICS J10)."""
    old = os.umask(0)
    try:
        with opened(path) as store:
            store.append([event(1)])
            store.commit()
            for suffix in ("", "-wal", "-shm", ".lock"):
                assert mode(f"{path}{suffix}") == 0o600, suffix
    finally:
        os.umask(old)


def test_a_file_that_was_open_to_others_is_closed_to_them(path: Path, caplog: pytest.LogCaptureFixture):
    """Restored from a backup, or made by hand: it is mended, and said."""
    with opened(path):
        pass
    path.chmod(0o644)

    with opened(path):
        assert mode(path) == 0o600

    assert "journal file was open to others" in caplog.text


def test_what_is_forgotten_is_not_in_the_file(path: Path):
    """A caller who asks to be forgotten is not left in the unused pages of a database (SEMANTICS J10)."""
    with opened(path) as store:
        store.append([event(n, filler="+15550100101 said yes") for n in range(50)])
        store.put_session(Session(authorization_state="first state"))
        store.commit()
    assert b"said yes" in path.read_bytes()
    with opened(path) as store:
        store.forget("c-1")
        store.put_session(Session(authorization_state="second state"))
        store.commit()

    assert sorted(p.name for p in path.parent.iterdir()) == ["journal.db", "journal.db.lock"]
    assert b"said yes" not in path.read_bytes()
    assert b"first state" not in path.read_bytes()


def test_a_second_living_writer_is_refused(path: Path, tmp_path: Path):
    """Also when it comes by another name of the same file; and the first one is not disturbed (SEMANTICS J7)."""
    alias = tmp_path / "alias.db"
    with opened(path) as store:
        alias.symlink_to(path)
        for name in (path, alias):
            with pytest.raises(JournalError, match=rf"in use by another writer \(process {os.getpid()}\)"):
                SqliteStore(name)
        store.append([event(1)])
        store.commit()

    with opened(path) as store:
        assert numbers(store) == [1]


def test_a_writer_that_the_lock_did_not_keep_out_is_fenced(path: Path):
    """File locks fail on some network file systems; the epoch inside the transaction does not (SEMANTICS J7, C1)."""
    with opened(path) as old:
        old.append([event(1)])
        old.commit()
        path.with_name("journal.db.lock").unlink()  # so that the next one makes, and locks, a file of its own
        with opened(path) as new:
            old.append([event(2)])
            with pytest.raises(JournalError, match=r"writer 2 has taken over the journal .* from writer 1"):
                old.commit()
            with pytest.raises(JournalError, match="taken over"):
                old.append([event(3)])
            new.append([event(4)])
            new.commit()
            assert numbers(new) == [1, 4]


def test_a_full_disk_fails_the_store_for_good_and_loses_nothing(path: Path):
    """The failed round was promised to nobody; what was committed before it stays (SEMANTICS J6)."""
    with opened(path) as store:
        store.append([event(1)])
        store.commit()
        store._db.execute("PRAGMA max_page_count = 10")
        store.append(event(n, filler="x" * 2000) for n in range(2, 100))
        with pytest.raises(JournalError, match=r"could not be written.*full.*Free some space"):
            store.commit()
        store._db.execute("PRAGMA max_page_count = 100000")
        with pytest.raises(JournalError, match="full"):
            store.append([event(3)])

    with opened(path) as store:
        assert numbers(store) == [1]


class Failing:
    """A connection that raises this as soon as it is to execute something that begins like that."""

    def __init__(self, db: sqlite3.Connection, begins: str, error: BaseException) -> None:
        self._db, self._begins, self._error = db, begins, error

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        if statement.startswith(self._begins):
            self._begins = "(nothing any more)"
            raise self._error
        return self._db.execute(statement, *values)

    def __getattr__(self, name: str) -> object:
        return getattr(self._db, name)


@pytest.mark.parametrize("error", [MemoryError(), UnicodeEncodeError("utf-8", "", 0, 1, "no"), KeyboardInterrupt()])
@pytest.mark.parametrize("begins", ["INSERT OR REPLACE INTO rounds", "BEGIN", "COMMIT", "VACUUM"])
def test_whatever_a_write_fails_with_the_store_is_done_for(path: Path, begins: str, error: BaseException):
    """SQLite raises more than its own errors. What was to be written is lost, and must not count as kept (J1, J6)."""
    with opened(path) as store:
        store.append([event(1)])
        store.commit()
        store.append([event(2)])
        store._db = Failing(store._db, begins, error)
        with pytest.raises(JournalError if isinstance(error, Exception) else type(error)):  # noqa: PT012
            if begins != "INSERT OR REPLACE INTO rounds":
                store.compact()
            store.commit()
        for again in (store.commit, store.subjects, lambda: store.append([event(3)])):
            with pytest.raises(JournalError, match="could not be"):
                again()

    with opened(path) as store:
        assert numbers(store)[0] == 1
        assert [entry.sequence for entry in store.load()] == list(range(1, len(numbers(store)) + 1))


def test_another_programs_open_transaction_is_told_apart_from_damage(path: Path):
    """Somebody looked at the journal with a tool and left it in a transaction: the advice must fit."""
    with opened(path) as store, raw(path) as db:
        store._db.execute("PRAGMA busy_timeout = 0")
        db.execute("BEGIN IMMEDIATE")
        store.append([event(1)])
        with pytest.raises(JournalError, match=r"could not be written: database is locked\. Another program"):
            store.commit()


def test_another_program_may_read_meanwhile(path: Path):
    """It is a SQLite file, so it can be looked into while the application runs."""
    with opened(path) as store:
        store.append([event(1)])
        store.commit()
        with raw(path) as db:
            db.execute("BEGIN")
            assert db.execute("SELECT count(*) FROM rounds").fetchone() == (1,)
            store.append([event(2)])
            store.commit()
            assert db.execute("SELECT count(*) FROM rounds").fetchone() == (1,)
            db.execute("COMMIT")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda p: p / "no" / "such" / "directory" / "j.db", "The directory must exist"),
        (lambda p: p, "not a regular file"),
        (lambda _: ":memory:", "MemoryStore"),
    ],
)
def test_a_path_that_cannot_be_used_is_refused_with_advice(tmp_path: Path, make: object, what: str):
    """Before anything is promised, and without leaving anything open."""
    with pytest.raises(JournalError, match=what):
        SqliteStore(make(tmp_path))


def test_calls_that_come_and_go_do_not_let_the_file_grow(path: Path):
    """6,000 short calls, of which fifty are up at a time: what was forgotten is written over."""
    largest = 0
    with opened(path) as store:
        for n in range(6_000):
            store.append([event(1, f"c-{n}", filler="x" * 300), event(2, f"c-{n}")])
            if n % 10 == 5:
                store.snapshot(f"c-{n}", {"step": "menu"}, at=3.0)
            if n >= 50:
                store.forget(f"c-{n - 50}")
            store.commit()
            if n % 500 == 0:
                largest = max(largest, path.stat().st_size)
                assert Path(f"{path}-wal").stat().st_size <= LARGEST_WAL
        assert len(store.subjects()) == 50

    assert largest < 200_000
    assert path.stat().st_size < 200_000


Step = tuple[str, str]

_ALL = "SELECT body FROM entries UNION ALL SELECT body FROM rounds"


class Killed:
    """A store, a model of it, and what both would have if the process were killed at any commit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "j.db"
        self.store = SqliteStore(self.path)
        self.medium = MemoryMedium()
        self.model = MemoryStore(self.medium)
        self._n = 0

    def step(self, what: str, subject: str) -> None:
        self._n += 1
        for store in (self.store, self.model):
            match what:
                case "append":
                    store.append([event(self._n, subject), event(self._n, subject, filler="x" * (self._n % 40))])
                case "snapshot":
                    store.snapshot(subject, {"n": self._n}, at=1.0)
                case "forget":
                    store.forget(subject)
                case "commit":
                    store.commit()
                case "session":
                    store.put_session(Session(protocol=str(self._n)))
        if what == "commit":
            self.look()
        for one in "abc":
            assert list(self.store.load(subject=one)) == list(self.model.load(subject=one))

    def look(self) -> None:
        assert list(self.store.load()) == list(self.model.load())
        assert self.store.subjects() == self.model.subjects()
        with SqliteReader(self.path) as reader:
            assert reader.check() == []
            assert list(reader.load()) == list(self.model.load())
            assert reader.subjects() == self.model.subjects()
            assert list(reader.load(subject="a")) == list(self.model.load(subject="a"))
        copy = self._folder / "copy.db"
        for of_copy in with_its_log(str(copy)):
            Path(of_copy).unlink(missing_ok=True)
        killed(self.path, copy)
        Path(f"{copy}.lock").unlink(missing_ok=True)
        salvaged = MemoryStore()
        salvage(copy, into=salvaged)
        assert bare(salvaged.load()) == bare(self.model.load())
        with opened(copy) as again:
            assert list(again.load()) == list(self.model.load())
            assert again.subjects() == self.model.subjects()


def bare(entries: Iterable[Entry]) -> dict[str, list[object]]:
    """Of each subject its entries, without the numbers that a new store gives them."""
    found: dict[str, list[object]] = {}
    for entry in entries:
        found.setdefault(entry.subject, []).append(dataclasses.replace(entry, epoch=0, sequence=0))
    return found


@pytest.mark.parametrize("fresh", [0, 150, 400, 10_000])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["append", "append", "commit", "commit", "forget", "snapshot", "session"]),
                  st.sampled_from("abc")), max_size=30,
    )
)  # fmt: skip
@settings(max_examples=less(12, 200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_a_kill_at_any_commit_leaves_is_what_was_committed(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, fresh: int, steps: list[Step]
):
    """Whether entries stand in a round or have a row of their own, and whatever was forgotten in between (J1)."""
    monkeypatch.setattr(sqlite, "FRESH_ROUNDS", fresh)
    killed = Killed(tmp_path_factory.mktemp("killed"))
    try:
        for step in [*steps, ("commit", "a")]:
            killed.step(*step)
    finally:
        killed.store.close()


def test_a_call_that_comes_and_goes_between_two_commits_is_not_written(path: Path):
    """Nobody was promised anything about it."""
    with opened(path) as store, raw(path) as db:
        store.append([event(1, "c-1"), event(1, "c-2")])
        store.commit()
        store.append([event(1, "c-3")])
        store.forget("c-3")
        store.append([event(2, "c-3")])
        store.forget("c-3")
        store.forget("c-1")
        store.append([event(2, "c-1")])
        store.forget("c-1")
        store.commit()
        assert [entry.subject for entry in store.load()] == ["c-2"]
        [body] = [body for (body,) in db.execute("SELECT body FROM rounds ORDER BY number DESC LIMIT 1")]
        assert [part.subject for part in parts_of(body) if isinstance(part, Forgotten)] == ["c-1"]
        assert b"c-3" not in body


def test_what_is_forgotten_leaves_the_file(path: Path):
    """When nothing else counts, at once; else as soon as a little more was written, and when the store is closed."""

    def is_there() -> bool:
        with contextlib.closing(sqlite3.connect(path)) as db:
            return any(b"+15550001111" in body for (body,) in db.execute(_ALL))

    def call(store: SqliteStore) -> None:
        store.append([event(1, "forgotten", number="+15550001111")])
        store.commit()
        assert is_there()
        store.forget("forgotten")
        store.commit()

    with opened(path) as store:
        call(store)
        assert not is_there()
        store.append([event(1, "stays")])
        call(store)
        for n in range(100):
            store.append([event(n, f"c-{n}", filler="x" * 1000)])
            store.commit()
            store.forget(f"c-{n}")
            store.commit()
        assert not is_there()
        call(store)
    assert not is_there()
    assert b"+15550001111" not in path.read_bytes()
    with opened(path) as store:
        assert store.subjects() == ["stays"]


@pytest.mark.parametrize("is_killed", [False, True])
def test_what_is_forgotten_is_not_left_beside_rows_of_others(path: Path, tmp_path: Path, is_killed: bool):
    """SQLite overwrites a row that is removed, and not the copies that it has left where it has moved the row (J10)."""
    for seed in range(12):
        chance = Random(seed)
        with opened(path) as store:
            for n in range(5):
                store.append(
                    event(n, f"c-{seed}-{caller}", number=f"<{seed}, {caller}>", filler="x" * chance.randint(1, 900))
                    for caller in range(80)
                )
                store.commit()
        with opened(path) as store:
            goes = store.subjects()
            chance.shuffle(goes)
            for subject in goes[:-3]:
                store.forget(subject)
                store.commit()
            left = killed(path, tmp_path / "left.db") if is_killed else path
        with opened(left) as store:
            kept = {entry.payload["number"] for entry in store.load() if isinstance(entry, EventReceived)}
        assert len(kept) == 3
        data = left.read_bytes()
        assert [n for n in range(80) if (name := f"<{seed}, {n}>") not in kept and name.encode() in data] == []
        path.unlink()


def test_what_is_forgotten_leaves_the_file_when_what_was_done_last_is_rolled_back(path: Path):
    """Somebody looked at what a commit was to be, which removes the rounds, and then came the end."""
    with opened(path) as store:
        store.append([event(1, "forgotten", number="+15550001111"), event(1, "stays")])
        store.commit()
        store.forget("forgotten")
        store.commit()
        store.forget("stays")
        assert store.subjects() == []
    assert b"+15550001111" not in path.read_bytes()
    with opened(path) as store:
        assert store.subjects() == ["stays"]


def test_what_is_forgotten_leaves_the_file_when_all_that_counts_has_moved_to_rows(path: Path):
    """Then the rounds hold nothing but what is forgotten, and nothing more may come that takes their place."""
    with opened(path) as store, raw(path) as db:
        store.append([event(1, "stays", filler="x" * 60_000)])
        store.commit()
        store.append([event(1, "goes", filler="x" * 2_000, number="+15550001111")])
        store.commit()
        store.append([event(2, "goes", filler="x" * 200_000)])
        store.commit()
        store.forget("goes")
        store.commit()
        assert store.subjects() == ["stays"]
        assert not any(b"+15550001111" in body for (body,) in db.execute(_ALL))


def killed(path: Path, to: Path) -> Path:
    """What a process that is killed now leaves, beside the one that goes on."""
    for name, of_copy in zip(with_its_log(str(path)), with_its_log(str(to)), strict=True):
        if Path(name).exists() and not name.endswith("-shm"):
            Path(of_copy).write_bytes(Path(name).read_bytes())
    return to


def test_what_is_forgotten_is_not_in_a_file_that_was_opened_again(path: Path, tmp_path: Path):
    """After a kill, too: rounds of which all counts stay as they are, others are written without it, or removed."""
    with opened(path) as store:
        for subjects in (["stays", "goes"], ["goes"], ["stays"]):
            store.append(
                event(n, subject, number="+15550001111" if subject == "goes" else "")
                for n, subject in enumerate(subjects)
            )
            store.commit()
        store.forget("goes")
        store.append([event(3, "stays")])
        store.commit()
        left = killed(path, tmp_path / "left.db")
    with opened(left) as store, raw(left) as db:
        bodies = [body for (body,) in db.execute(_ALL)]
        assert len(bodies) == 3
        assert not any(b"+15550001111" in body or b"goes" in body for body in bodies)
        assert store.subjects() == ["stays"]
        assert numbers(store) == [0, 0, 3]
        store.append([event(4, "stays")])
        store.commit()
        again = killed(left, tmp_path / "again.db")
    with opened(again) as store:
        assert numbers(store) == [0, 0, 3, 4]
        assert [entry.sequence for entry in store.load()] == [1, 2, 3, 4]


def test_to_forget_thirty_thousand_subjects_costs_no_more_each_than_ten(path: Path):
    """An application that stops keeps only what is left, of all that a former process had closed in rows.

    The bound is fifty times what it takes; with a search for each it takes a quarter of a minute.
    """
    with opened(path) as store:
        store.append(event(1, f"c-{n}") for n in range(30_000))
        store.commit()
    with opened(path) as store:
        subjects = store.subjects()
        begun = time.perf_counter()
        for subject in subjects:
            store.forget(subject)
        assert time.perf_counter() - begun < 5.0
        store.commit()
        assert store.subjects() == []


def test_calls_that_linger_after_their_end_are_written_once(path: Path):
    """A thousand calls a second, each of which stays known for a second: none of their entries moves to a row."""
    with opened(path) as store, raw(path) as db:
        for n in range(1_500):
            store.append(event(k, f"c-{n}", filler="x" * 300) for k in range(10))
            store.commit()
            if n >= 500:
                store.forget(f"c-{n - 500}")
            assert n % 500 or db.execute("SELECT count(*) FROM entries").fetchone() == (0,)
    assert path.stat().st_size < 12_000_000


@pytest.mark.parametrize("subject", ["\ud83d", "c-\udca9-1", "\0", "c\0d", "\ud83d\udca9", "\U0001f4a9"])
def test_a_subject_of_any_text_is_kept_and_forgotten(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subject: str
):
    """An id is what the server says it is: JSON has texts that UTF-8, and so SQLite, has not (SEMANTICS J1)."""
    monkeypatch.setattr(sqlite, "FRESH_ROUNDS", 0)
    with opened(path) as store:
        store.append([event(1, subject), event(1, "c-1")])
        store.commit()
    with opened(path) as store, raw(path) as db:
        assert db.execute("SELECT count(*) FROM entries").fetchone() == (2,)
        assert store.subjects() == [subject, "c-1"]
        store.append([event(2, subject)])
        store.commit()
        assert [entry.sequence for entry in store.load(subject=subject)] == [1, 2]
        assert [entry.subject for entry in store.load()] == [subject, "c-1", subject]
        salvaged = MemoryStore()
        copy = killed(path, tmp_path / "copy.db")
        salvage(copy, into=salvaged)
        assert bare(salvaged.load()) == bare(store.load())
        store.forget(subject)
        store.commit()
        assert store.subjects() == ["c-1"]
    with SqliteReader(path) as reader:
        assert reader.check() == []
        assert reader.subjects() == ["c-1"]


def test_a_journal_of_the_former_layout_is_gone_on_with(path: Path):
    """It has a row for each entry, and no rounds."""
    with opened(path) as store:
        store.append([event(1), event(2)])
        store.commit()
    with raw(path) as db:
        db.execute("DROP TABLE rounds")
        db.execute("PRAGMA user_version = 1")
    with SqliteReader(path) as reader:
        assert reader.check() == []
        assert len(list(reader.load())) == 2
    with opened(path) as store:
        assert numbers(store) == [1, 2]
    with raw(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (FORMAT,)


def test_a_wal_that_a_reader_has_let_grow_is_cut_down_again(path: Path):
    """As long as somebody looks into it, SQLite cannot begin it anew; after that it must not stay as large."""
    with opened(path) as store, raw(path) as db:
        store.append([event(0)])
        store.commit()
        db.execute("BEGIN")
        assert db.execute("SELECT count(*) FROM rounds").fetchone() == (1,)
        for n in range(1, 13):
            store.append([event(n, filler="x" * 1_000_000)])
            store.commit()
        assert Path(f"{path}-wal").stat().st_size > LARGEST_WAL
        db.execute("COMMIT")
        for n in range(13, 16):
            store.append([event(n)])
            store.commit()
        assert Path(f"{path}-wal").stat().st_size <= LARGEST_WAL


def test_compacting_gives_back_what_is_no_longer_used(path: Path):
    """After a busy day; what was appended before it is kept, and the writer goes on."""
    with opened(path) as store:
        store.append(event(n, f"c-{n}", filler="x" * 2000) for n in range(2000))
        store.commit()
        for n in range(1990):
            store.forget(f"c-{n}")
        store.append([event(1, "new")])
        store.compact()
        assert path.stat().st_size < 100_000
        assert Path(f"{path}-wal").stat().st_size == 0
        store.append([event(2, "new")])
        store.commit()

    with opened(path) as store:
        assert len(numbers(store)) == 12
        assert store.subjects()[-1] == "new"


def test_a_compaction_that_fails_loses_nothing_and_is_the_end_of_the_store(path: Path):
    """A disk without room for the copy, or that must not be written: the file is as it was (SEMANTICS J6)."""
    with opened(path) as store:
        store.append(event(n, filler="x" * 2000) for n in range(100))
        store.commit()
        store._db.execute("PRAGMA query_only = ON")
        with pytest.raises(JournalError, match="could not be compacted"):
            store.compact()
        with pytest.raises(JournalError, match="could not be compacted"):
            store.append([event(1)])

    with opened(path) as store:
        assert len(numbers(store)) == 100


def test_a_writer_follows_the_one_that_it_is_told_of(path: Path):
    """For a journal that takes the place of another one, whose entries say which writers there were (SEMANTICS J7)."""
    with opened(path, epoch_above=41) as store:
        assert store.epoch == 42
    with opened(path, epoch_above=3) as store:
        assert store.epoch == 43


@pytest.mark.parametrize("damage", ["UPDATE writer SET epoch = 9223372036854775807", "UPDATE session SET body = x'00'"])
def test_numbers_and_sessions_that_cannot_be_are_damage(path: Path, damage: str):
    """With the path, and with what to do."""
    with opened(path) as store:
        store.put_session(Session(protocol="p"))
        store.commit()
    with raw(path) as db:
        db.execute(damage)

    with pytest.raises(DamagedJournalError, match=r"journal.db is damaged \("):
        SqliteStore(path)
