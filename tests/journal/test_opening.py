"""A damaged journal is moved aside, and what can still be read of it is gone on with; cut or overwritten anywhere."""

import contextlib
import dataclasses
import itertools
import logging
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relay_actors.errors import DamagedJournalError, JournalError
from relay_actors.journal import codec, opening, rounds
from relay_actors.journal.entries import EventReceived, Session
from relay_actors.journal.opening import open_sqlite
from relay_actors.journal.reading import SqliteReader
from relay_actors.journal.salvage import Found, Salvaged
from relay_actors.journal.sqlite import SqliteStore
from relay_actors.journal.sqlite_file import FORMAT, PAGE
from relay_actors.journal.writer_lock import Holder, find_holder
from tests.journal.strategies import anywhere
from tests.journal.torn_journals import TornJournal, fast_directory, histories, make_journal, opened, whole_file
from tests.support.thorough import less

FRAME = PAGE + 24
"""Bytes of a page in the WAL, with its header."""

MADE = {
    "all in the WAL": {},
    "moved into the file in the middle": {"checkpointed": 9},
    "in both": {"checkpointed": 12, "restarts": False},
}
"""Ways in which a journal may lie in its two files, as arguments of `make_journal`."""


def event(n: int, subject: str, **payload: object) -> EventReceived:
    return EventReceived(subject=subject, at=float(n), payload={"n": n, **payload})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


@pytest.fixture
def fast_path() -> Iterator[Path]:
    """As ``path``, for those who open a thousand of them."""
    with fast_directory() as directory:
        yield directory / "calls.db"


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def write(path: Path) -> None:
    """60 events of five calls on a few dozen pages."""
    with contextlib.closing(SqliteStore(path)) as store:
        store.append(event(n, f"c-{n % 5}", filler=f"<{n}>" + "x" * 300) for n in range(60))
        store.put_session(Session(protocol="p", authorization_state="the newest state"))
        store.commit()


def destroy_the_page_with(path: Path, text: bytes) -> bytes:
    """Overwrite the page where this stands; return the whole file as it is then."""
    data = bytearray(path.read_bytes())
    at = data.index(text) // PAGE * PAGE
    data[at : at + PAGE] = b"\xff" * PAGE
    path.write_bytes(data)
    return bytes(data)


def test_a_sound_journal_is_opened_as_it_is(path: Path, caplog: pytest.LogCaptureFixture):
    """A new one is made, and one that is there goes on: nothing is moved and nothing said."""
    for _ in range(2):
        with opened(path) as store:
            store.append([event(1, "c-1")])
            store.commit()

    with opened(path) as store:
        assert (store.epoch, len(list(store.load()))) == (3, 2)
    assert names(path) == ["calls.db", "calls.db.lock"]
    assert caplog.text == ""


def test_the_records_of_a_sound_journal_are_read_once(path: Path, monkeypatch: pytest.MonkeyPatch):
    """When it is looked at: who takes it over knows them then. What a killed process has left is all in rounds."""
    left = path.with_name("left.db")
    events = [event(n, f"c-{n % 3}") for n in range(9)]
    with contextlib.closing(SqliteStore(path)) as store:
        store.append(events)
        store.commit()
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{left}{end}")
    looked_at: list[bytes] = []
    read = rounds.labels_of_all
    monkeypatch.setattr(rounds, "labels_of_all", lambda records: looked_at.extend(records) or read(records))

    with opened(left) as store:
        assert len(looked_at) == len(set(looked_at)) == len(events)
        loaded = list(store.load(subject="c-1"))
        assert [entry.payload["n"] for entry in loaded if isinstance(entry, EventReceived)] == [1, 4, 7]
        assert store.subjects() == ["c-0", "c-1", "c-2"]


def test_a_damaged_journal_is_moved_aside_and_gone_on_with(path: Path, caplog: pytest.LogCaptureFixture):
    """Byte for byte; and the log says as an error what is lost, call by call (SEMANTICS J7)."""
    write(path)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE entries SET body = x'00' WHERE subject = 'c-2' AND sequence = 5")
        db.execute("DELETE FROM entries WHERE subject = 'c-4' AND sequence = 1")
    db.close()
    damaged = path.read_bytes()
    with pytest.raises(DamagedJournalError), contextlib.closing(SqliteStore(path)) as store:
        list(store.load())

    with opened(path) as store:
        lengths = {subject: len(list(store.load(subject=subject))) for subject in store.subjects()}
        assert lengths == {"c-0": 12, "c-1": 12, "c-2": 4, "c-3": 12}
        assert store.get_session() == Session(protocol="p", authorization_state="the newest state")
        store.append([event(99, "c-2")])
        store.commit()

    assert names(path) == ["calls.db", "calls.db.damaged-1", "calls.db.lock"]
    # The strict attempt above has counted itself as a writer.
    assert sum(map(int.__ne__, Path(f"{path}.damaged-1").read_bytes(), damaged)) < 20
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 3
    assert "went on with what could be read of it" in told[0]
    assert f"moved_to={path}.damaged-1 entries=40 subjects=4 incomplete=2 session=kept" in told[0]
    assert "subject='c-4' what=all of it is lost why=the journal of c-4 begins with entry 2" in told[1]
    assert "subject='c-2' what=its later entries are lost why=a journal record is damaged" in told[2]
    assert "the newest state" not in caplog.text


def test_a_round_whose_row_says_a_wrong_number_is_damage_and_what_is_forgotten_stays_so(path: Path):
    """The later round would count as the first, and a caller would be back (SEMANTICS J7)."""
    store = SqliteStore(path)
    store.append([event(1, "c-1"), event(1, "c-2")])
    store.commit()
    store.forget("c-1")
    store.commit()
    store._db.close()  # the process is killed
    store._free.close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        [(newest,)] = db.execute("SELECT MAX(number) FROM rounds")
        assert newest > 1
        db.execute("UPDATE rounds SET number = 0 WHERE number = ?", (newest,))

    with SqliteReader(path) as reader:
        assert any("round 0 is not the one that its row says" in fault for fault in reader.check())
    with contextlib.closing(open_sqlite(path)) as again:
        assert again.subjects() == ["c-2"]


def test_the_damaged_file_is_never_changed(path: Path):
    """Not even by SQLite, which would tidy up its WAL; nor is one that is aside already."""
    write(path)
    first = destroy_the_page_with(path, b"<30>")
    with opened(path) as store:
        store.append(event(n, "c-0", filler=f"<{n}>") for n in range(100, 120))
        store.commit()
        wal = bytearray(Path(f"{path}-wal").read_bytes())
        database = path.read_bytes()
    wal[40:80] = bytes(40)
    path.write_bytes(database)
    Path(f"{path}-wal").write_bytes(wal)

    with opened(path):
        pass

    assert Path(f"{path}.damaged-1").read_bytes() == first
    assert Path(f"{path}.damaged-2").read_bytes() == database
    assert Path(f"{path}.damaged-2-wal").read_bytes() == bytes(wal)


def test_the_writer_that_comes_after_has_a_higher_number_than_any_before(path: Path):
    """Also when the file no longer says how many there were, but an entry does (SEMANTICS J7)."""
    for n in range(7):
        with opened(path) as store:
            store.append([event(n, "c-1")])
            store.commit()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE writer SET epoch = 2")
    db.close()

    with opened(path) as store:
        assert store.epoch == 9  # the one that brought it back was the eighth
        assert [entry.payload["n"] for entry in store.load()] == list(range(7))


def test_what_is_brought_back_is_as_private_and_as_free_of_secrets(path: Path):
    """A secret that is known only now is taken out of what is brought over (SEMANTICS J10)."""
    old = os.umask(0)
    try:
        with contextlib.closing(SqliteStore(path)) as store:
            store.append([event(1, "c-1", said="sesame-sesame"), event(2, "c-2")])
            store.commit()
        with sqlite3.connect(path) as db:
            db.execute("UPDATE entries SET sequence = 7 WHERE subject = 'c-2'")
        db.close()
        path.chmod(0o644)

        with contextlib.closing(open_sqlite(path, secrets=iter(["sesame-sesame"]))) as store:
            assert [entry.payload.get("said") for entry in store.load()] == ["***", None]
    finally:
        os.umask(old)

    assert b"sesame" not in path.read_bytes()
    for name in (path, Path(f"{path}.damaged-1")):
        assert stat.S_IMODE(name.stat().st_mode) == 0o600


@pytest.mark.parametrize("is_there", [True, False])
def test_a_wal_whose_file_is_gone_is_not_thrown_away(path: Path, is_there: bool):
    """SQLite would take the empty file for a new database, and remove the WAL with all that was committed."""
    journal = make_journal(path)
    journal.put(path, database=b"")
    if not is_there:
        path.unlink()

    with opened(path) as store:
        assert histories(store) == journal.commits[-1]

    assert Path(f"{path}.damaged-1-wal").read_bytes() == journal.wal


def test_commits_behind_a_damaged_place_of_the_wal_are_told(path: Path, caplog: pytest.LogCaptureFixture):
    """SQLite takes them for commits that were never finished, says nothing, and writes over them."""
    journal = make_journal(path)
    wal = bytearray(journal.wal)
    wal[len(wal) // 2] ^= 1
    journal.put(path, wal=bytes(wal))

    with opened(path) as store:
        past = journal.judge(store)

    assert past in journal.commits[2:-1]
    assert "its WAL cannot be read to the end" in caplog.text
    assert Path(f"{path}.damaged-1-wal").read_bytes() == bytes(wal)


def test_files_that_are_no_damaged_journals_are_refused_and_left_alone(path: Path):
    """A wrong path in a setting must not cost somebody their file, nor a downgrade the newer journal (SEMANTICS J9)."""

    def refused(match: str) -> None:
        before = path.read_bytes()
        with pytest.raises(JournalError, match=match):
            open_sqlite(path)
        assert path.read_bytes() == before
        assert not list(path.parent.glob("*.damaged*"))

    path.write_bytes(b"dear diary, " * 400)
    refused("is no journal .*give the journal a path of its own")

    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE customers (name TEXT)")
    db.close()
    refused("database of another application")

    path.unlink()
    write(path)
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {FORMAT + 1}")
    db.close()
    refused(f"has format {FORMAT + 1}")


def test_a_record_of_a_newer_release_is_refused_and_is_not_damage(path: Path, monkeypatch: pytest.MonkeyPatch):
    """After a downgrade; also when the file has a damaged record besides (SEMANTICS J9)."""
    monkeypatch.setattr(codec, "SCHEMA_VERSION", codec.SCHEMA_VERSION + 1)
    write(path)
    monkeypatch.undo()

    with pytest.raises(JournalError, match=r"newer relay_actors; upgrade") as told:
        open_sqlite(path)
    assert not isinstance(told.value, DamagedJournalError)

    with sqlite3.connect(path) as db:
        db.execute("UPDATE entries SET body = x'00' WHERE position = 3")
    db.close()
    with pytest.raises(JournalError, match=r"newer relay_actors; upgrade"):
        open_sqlite(path)
    assert not list(path.parent.glob("*.damaged*"))


def test_a_journal_in_use_is_refused(path: Path):
    """Whatever it looks like: somebody may be in the middle of writing it (SEMANTICS J7)."""
    with opened(path), pytest.raises(JournalError, match="in use by another writer"):
        open_sqlite(path)

    with pytest.raises(JournalError, match="The directory must exist"):
        open_sqlite(path / "calls.db")
    with pytest.raises(JournalError, match="not a regular file"):
        open_sqlite(path.parent)
    with pytest.raises(JournalError, match="MemoryStore"):
        open_sqlite(":memory:")


class PowerCut(BaseException):
    """Nothing runs after it."""


@pytest.mark.parametrize("at", range(4))
def test_an_exchange_that_was_broken_off_is_finished(path: Path, monkeypatch: pytest.MonkeyPatch, at: int):
    """The process may be killed between any two of the steps by which the fresh file takes the damaged one's place."""
    journal = make_journal(path)
    wal = bytearray(journal.wal)
    wal[len(wal) // 2] ^= 1
    journal.put(path, wal=bytes(wal))
    counted, rename, replace = itertools.count(), os.rename, os.replace

    def maybe(step: object) -> object:
        def take_it(source: str, target: str) -> None:
            if os.path.exists(source) and next(counted) == at:
                raise PowerCut
            step(source, target)  # type: ignore[operator]

        return take_it

    monkeypatch.setattr(os, "rename", maybe(rename))
    monkeypatch.setattr(os, "replace", maybe(replace))
    with pytest.raises(PowerCut):
        open_sqlite(path)
    monkeypatch.undo()

    with opened(path) as store:
        assert journal.judge(store) in journal.commits[2:]

    assert Path(f"{path}.damaged-1").read_bytes() == journal.database
    assert Path(f"{path}.damaged-1-wal").read_bytes() == bytes(wal)
    assert {name.partition("damaged-1")[0] for name in names(path)} == {"calls.db", "calls.db.", "calls.db.lock"}


def test_what_was_brought_back_and_is_not_all_in_its_file_takes_no_place(path: Path, monkeypatch: pytest.MonkeyPatch):
    """On a full disk SQLite leaves it in the WAL when it closes, and says nothing; the file alone is worth nothing."""
    journal = make_journal(path)
    wal = bytearray(journal.wal)
    wal[len(wal) // 2] ^= 1
    journal.put(path, wal=bytes(wal))
    bring_over = opening.bring_over
    with contextlib.ExitStack() as undo:

        def bring_over_and_read(found: Found, into: SqliteStore) -> Salvaged:
            done = bring_over(found, into)
            # As on a full disk, the WAL cannot be moved into the file at the end: somebody reads.
            reader = undo.enter_context(contextlib.closing(sqlite3.connect(f"{path}.mending")))
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM entries").fetchone()
            return done

        monkeypatch.setattr(opening, "bring_over", bring_over_and_read)
        with pytest.raises(JournalError, match=r"could not be written to .*Free some space"):
            open_sqlite(path)
        monkeypatch.undo()
    assert path.read_bytes() == journal.database
    assert Path(f"{path}-wal").read_bytes() == bytes(wal)

    with opened(path) as store:
        assert journal.judge(store) in journal.commits[2:]


def test_a_file_that_came_between_is_not_exchanged(path: Path):
    """Somebody has put a backup there meanwhile: a person has to say which of the two it is."""
    write(path)
    for name in (f"{path}.mended-1", f"{path}.damaged-1", f"{path}.mended-x"):
        Path(name).write_bytes(path.read_bytes())

    with pytest.raises(JournalError, match=r"calls.db.mended-1, which was to take its place: move one of them away"):
        open_sqlite(path)


def cuts(data: bytes, unit: int, offset: int) -> Iterable[int]:
    """Where to cut: all around the borders of what SQLite reads as one, and here and there within."""
    borders = range(offset, len(data) + 1, unit)
    near = {border + by for border in borders for by in (-1, 0, 24)}
    return sorted({*near, *range(0, 104, 5), *range(0, len(data), 2999), len(data)} & set(range(len(data) + 1)))


@pytest.mark.parametrize("how", MADE)
def test_a_journal_whose_wal_is_cut_anywhere_is_what_it_was_after_one_of_its_commits(fast_path: Path, how: str):
    """A prefix, never an exception, never a wrong state (SEMANTICS J1, J4). `make torn` tries every byte."""
    path = fast_path
    journal = make_journal(path, **MADE[how])
    seen = set()
    for cut in cuts(journal.wal, FRAME, 32):
        with opened(journal.put(path, wal=journal.wal[:cut])) as store:
            seen.add(journal.commits.index(journal.judge(store)))

    assert not list(path.parent.glob("*.damaged*"))  # as after a power cut: nothing was there that is lost
    assert max(seen) == len(journal.commits) - 1
    assert len(seen) > 3


@pytest.mark.parametrize("how", MADE)
@pytest.mark.parametrize("is_closed", [True, False])
def test_a_journal_whose_file_is_cut_anywhere_has_pasts_of_its_calls(fast_path: Path, how: str, is_closed: bool):
    """With its WAL beside it, and without one: no call is as it never was (SEMANTICS J4, J7)."""
    path = fast_path
    journal = make_journal(path, **MADE[how])
    if is_closed:
        journal = whole_file(journal, path)
    found = []
    for cut in cuts(journal.database, PAGE, 0):
        with opened(journal.put(path, database=journal.database[:cut])) as store:
            past = journal.judge(store)
        found.append(sum(len(history.entries) for history in past.values()))

    assert past == journal.commits[-1]
    assert len(set(found)) > 2 or not is_closed  # there is always the more left, the more there is


@pytest.fixture(scope="module")
def journal_number(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], TornJournal]:
    """Give one of some journals; not the list of them, which Hypothesis would print: it is megabytes."""
    path = tmp_path_factory.mktemp("journals") / "calls.db"
    made = [make_journal(path, **how) for how in MADE.values()]
    journals = [*made, *(whole_file(journal, path) for journal in made)]
    return lambda number: journals[number]


overwritten = st.tuples(
    st.sampled_from(["database", "wal"]),
    anywhere(2**20) | st.integers(0, 99),
    st.binary(min_size=1, max_size=40) | st.integers(1, PAGE).map(bytes) | st.sampled_from(range(8)),
)
"""Which part, where, and with what: with these bytes, or one bit of one byte is the other."""


@example(which=3, changes=[("database", 18, 0)])
@example(which=0, changes=[("database", 25, bytes(7) + b"\1"), ("wal", 0, bytes(41))])
@settings(max_examples=less(25, 150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 2 * len(MADE) - 1), changes=st.lists(overwritten, min_size=1, max_size=3))
def test_a_journal_that_is_overwritten_anywhere_has_pasts_of_its_calls(
    fast_path: Path,
    journal_number: Callable[[int], TornJournal],
    which: int,
    changes: list[tuple[str, int, bytes | int]],
):
    """Never an exception, unless it says to be of another application or release; and it can be written on (J6, J7)."""
    journal = journal_number(which)
    parts = {"database": bytearray(journal.database), "wal": bytearray(journal.wal)}
    for name, place, noise in changes:
        part = parts[name] or parts["database"]
        at = place % len(part)
        new = bytes([part[at] ^ 1 << noise]) if isinstance(noise, int) else noise[: len(part) - at]
        part[at : at + len(new)] = new
    path = journal.put(fast_path, **{name: bytes(content) for name, content in parts.items()})

    refused: JournalError | None = None
    store: SqliteStore | None = None
    try:
        store = open_sqlite(path)
    except JournalError as error:
        refused = error
    if store is None:
        assert parts["database"][56:72] != journal.database[56:72], refused
        assert "another application" in str(refused) or "has format" in str(refused)
        assert path.read_bytes() == bytes(parts["database"])
        return
    with contextlib.closing(store):
        journal.judge(store)
        store.append([event(1, "new"), *(event(2, subject) for subject in store.subjects())])
        store.commit()
        histories(store)
    for suffix, part in (("", "database"), ("-wal", "wal")):
        if (aside := Path(f"{path}.damaged-1{suffix}")).exists():
            assert aside.read_bytes() == bytes(parts[part])


def test_the_journals_that_are_damaged_here_are_worth_it(path: Path):
    """Several calls, with intents, outcomes, notes, snapshots and sessions; a judge that passes everything is none."""
    journal = make_journal(path)
    assert len(journal.commits) > 12
    assert {"call-1", "call-2", "call-3"} <= journal.steps.keys()
    last = journal.commits[-1]
    assert last["call-1"].state == {"step": "menu"}
    assert [intent.request_id for intent in last["call-1"].pending] == ["open"]
    assert last["call-3"].ended

    wrong = dataclasses.replace(journal, steps={**journal.steps, "call-2": journal.steps["call-2"][:-1]})
    with opened(journal.put(path)) as store, pytest.raises(AssertionError, match="call-2 never was like this"):
        wrong.judge(store)


class AsksWhoHoldsIt(logging.Handler):
    """Notes who holds a journal whenever something is logged."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.found: list[Holder | None] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Look."""
        self.found.append(find_holder(os.path.realpath(self.path)))


def test_who_is_about_to_open_it_says_that_it_will_hand_it_over(path: Path):
    """C4: all of it is looked at first, which takes seconds of a large one. Who asks meanwhile is not refused."""
    write(path)
    path.write_bytes(path.read_bytes()[:-100])
    asks = AsksWhoHoldsIt(path)
    opening.log.addHandler(asks)
    try:
        open_sqlite(path, hands_over=True).close()
    finally:
        opening.log.removeHandler(asks)
    assert asks.found
    assert all(holder is not None and holder.hands_over for holder in asks.found)
