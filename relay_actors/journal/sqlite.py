"""A journal in one SQLite file (WAL). Layer: pillar.

What survives what:

* *The process is killed* (also by ``kill -9``, or by running out of memory): everything committed. A commit hands its
  bytes to the operating system, which keeps them whatever becomes of the process.
* *The machine loses power, or its kernel dies*: with ``durability="power"`` everything committed, as far as the disk
  tells the truth about what it has written; each commit then waits for the disk. With ``durability="process"``, the
  default, the last commits may be missing, but never one from the middle, and the file stays sound: SQLite syncs the
  WAL before it moves pages into the file. Switching syncs off altogether would be hardly faster and would give that
  up.

The file, and SQLite's ``-wal`` and ``-shm`` beside it, are readable for their owner only: they hold telephone numbers
and what callers keyed in, and one secret, the authorization state that a resume needs. Without the credentials, which
are never stored, that one opens no session; it stands in a table of its own, is overwritten when replaced, and appears
in no entry.

What is committed together stands in one row, a round (`relay_actors.journal.rounds`). When all have grown to
`FRESH_ROUNDS` bytes and three times of what still counts in them, or to `MOST_IN_ROUNDS`, the next one takes the place
of the oldest; or, when anything of that still counts, the oldest ones are removed, and what counts of them gets rows of
its own. A call stays known for a moment after its end: there is room for what a busy application says meanwhile.

So what is forgotten is never given again from the commit on; in the file it is overwritten when its round goes: soon in
a busy journal, at once when nothing else counts, at the latest when the store is closed or opened. A copy may stay in
the ``-wal`` until SQLite has written over it, at the latest when the store is closed; and beside rows that are still
there, until a store of no more than `MOST_WRITTEN_ANEW` bytes is closed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, compress
from operator import itemgetter
from typing import Any, Final, Literal, NoReturn, TypeAlias

from relay_actors.errors import JournalError
from relay_actors.journal.codec import decode, decode_all, encode_session, labels
from relay_actors.journal.entries import CommandIntended, Entry, Session, Snapshot
from relay_actors.journal.ledger import Ledger, Record
from relay_actors.journal.redact import Redactor
from relay_actors.journal.replay import pending_of
from relay_actors.journal.rounds import Forgotten, ReadRound, SeenRounds, pack_round, records_in, size_of_round
from relay_actors.journal.sqlite_file import (
    MOST_WRITERS,
    PAGE,
    bring_up_to_date,
    check_format,
    column_of,
    damaged,
    entries_of,
    explained,
    is_fresh,
    make_tables,
    records_of,
    rounds_of,
    session_of,
    subject_in,
    subjects_of,
)
from relay_actors.journal.writer_lock import WriterLock

__all__ = ["FRESH_ROUNDS", "LARGEST_WAL", "MOST_IN_ROUNDS", "MOST_WRITTEN_ANEW", "Durability", "SqliteStore"]

log = logging.getLogger(__name__)

Durability: TypeAlias = Literal["process", "power"]
_Rounds: TypeAlias = list[tuple[int, int, list[Record]]]

LARGEST_WAL: Final = 8 * 1024 * 1024
"""Bytes. SQLite begins its WAL anew after a thousand pages; what one large commit made of it is cut down to this."""

FRESH_ROUNDS: Final = 64 * 1024
"""Bytes that the rounds may have in any case; beyond it, three times what counts of them."""
MOST_IN_ROUNDS: Final = 16 * 1024 * 1024
"""Bytes that the rounds never have more of; as much is in memory, as far as it counts."""
MOST_WRITTEN_ANEW: Final = 16 * 1024 * 1024
"""Bytes that are written anew when a journal is closed; with more, whoever takes it over would wait for that."""
_AT_A_TIME: Final = 16 * 1024
"""Bytes of rounds that are removed together: each removal touches pages that a commit alone does not."""

_SYNCHRONOUS: Final[Mapping[Durability, str]] = {"process": "NORMAL", "power": "FULL"}
_INSERT: Final = "INSERT INTO entries (subject, sequence, epoch, body) VALUES (?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM entries WHERE subject = ?"
_PUT_ROUND: Final = "INSERT OR REPLACE INTO rounds SELECT ?, ?, ? FROM writer WHERE epoch = ?"
"""Writes nothing if there is another writer by now: in one statement, which is a transaction of its own."""
_DELETE_ROUND: Final = "DELETE FROM rounds WHERE place = ?"
_DELETE_ALL_ROUNDS: Final = "DELETE FROM rounds"


class _Counting(list[bytes]):
    """The records of one subject in rounds, as far as they count, and how many bytes they have.

    Just their bodies, of which the garbage collector takes no notice: thousands of calls may have some, and nobody ever
    asks for most of them. Who does reads there what else has to be known. A list itself, and so is a `_Round`: one
    object for the collector, and not two.

    Args:
        born: how many rounds there had been before the first of them.
    """

    __slots__ = ("born", "size")

    def __init__(self, born: int) -> None:
        self.born = born
        self.size = 0


_NOBODY: Final = _Counting(0)


class _Round(list[_Counting]):
    """A round: whose each part of it is, in order; of what is no record, `_NOBODY`.

    Attributes:
        place: where it stands in the file, once it does.
        size: how many bytes it has there.
    """

    __slots__ = ("place", "size")

    place: int
    size: int


class SqliteStore:
    """A `Store` in a file. Any thread may call it, one at a time: the connection actor's turns move between threads.

    Args:
        path: the file; made, readable for its owner only, when it is not there. Its directory must exist.
        durability: ``"process"`` or ``"power"``, see above.
        secrets: values to keep out of the entries.
        epoch_above: the number of a writer that this one must follow, for a journal that takes another one's place.
        hands_over: whether this process hands the file over when another one asks for it; its lock says so.
        rounds: those that were looked at just now.

    Raises:
        DamagedJournalError: it is damaged. It is left as it is; see `relay_actors.journal.opening`.
        JournalError: it cannot be opened: it is of a newer release, somebody else's file, or has a living writer.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Durability = "process",
        secrets: Iterable[str] = (),
        epoch_above: int = 0,
        hands_over: bool = False,
        rounds: SeenRounds | None = None,
    ) -> None:
        if durability not in _SYNCHRONOUS:
            raise JournalError(f"durability is {durability!r}: must be 'process' or 'power'")
        if os.fspath(path) == ":memory:":
            raise JournalError("for a journal in memory use relay_actors.journal.memory.MemoryStore()")
        # Resolved, so that a file reached by two names has one lock.
        self._path = os.path.realpath(path)
        self._error: JournalError | None = None
        self._parts: list[bytes] = []
        """What the next round will hold."""
        self._owners = _Round()
        """Whose that is."""
        self._rounds: deque[_Round] = deque()
        """Those in the file, oldest first."""
        self._bytes = 0
        """How many bytes they have."""
        self._counting: dict[str, _Counting] = {}
        """What counts of the rounds, the next one included, by subject; no subject has none."""
        self._bytes_counting = 0
        self._number = 0
        """Of the newest round."""
        self._last_place = 0
        self._doomed: set[str] = set()
        """Whose own rows are to be removed."""
        with contextlib.ExitStack() as undo:
            self.lock = WriterLock(self._path, hands_over=hands_over)
            undo.callback(self.lock.release)
            with explained(self._path, "opened"):
                _make_private(self._path)
                wal = f"{self._path}-wal"
                self._has_traces = os.path.exists(wal) and os.path.getsize(wal) > 0
                """Whether copies may be there of rows that were removed, here or by a process that was killed."""
                self._db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
                undo.callback(self._db.close)
                _check_and_prepare(self._db, self._path, durability)
                read = records_in if rounds is None else rounds.records_in
                epoch, sequences, held = _take_over(self._db, self._path, epoch_above, read)
            self._own_rows = set(sequences)
            """Who has rows of his own."""
            for number, place, records in held:
                self._take_in(number, place, records)
                sequences.update([record[:2] for record in records])
            self._ledger = Ledger(epoch=epoch, sequences=sequences, redactor=Redactor(secrets))
            self._ledger.redactor.learn(self.get_session().authorization_state, is_passing=True)
            self._free = undo.pop_all()

    @property
    def epoch(self) -> int:
        """Return the number of this writer. See `Store.epoch`."""
        return self._ledger.epoch

    def append(self, entries: Iterable[Entry]) -> None:
        """Take entries in. See `Store.append`."""
        if self._error is not None:
            raise self._error
        for subject, *_, body in self._ledger.records(entries):
            self._take(subject, body)

    def keep(self, kind: type[Entry], fields: dict[str, Any]) -> None:
        """Take one entry in. See `Store.keep`."""
        if self._error is not None:
            raise self._error
        body = self._ledger.body(kind, fields)
        self._take(fields["subject"], body)

    def _take(self, subject: str, body: bytes) -> None:
        self._parts.append(body)
        self._owners.append(self._count(subject, body))

    def _count(self, subject: str, body: bytes) -> _Counting:
        """Note that a record of the next round counts; return what does of its subject."""
        counting = self._counting.get(subject)
        if counting is None:
            self._counting[subject] = counting = _Counting(self._number)
        counting.append(body)
        size = len(body)
        counting.size += size
        self._bytes_counting += size
        return counting

    def _take_in(self, number: int, place: int, records: list[Record]) -> None:
        """Note a round that is in the file already."""
        self._number = number - 1
        owners = _Round([self._count(record[0], record[3]) for record in records])
        self._note_round(owners, place, size_of_round(records))

    def _note_round(self, owners: _Round, place: int, size: int) -> None:
        owners.place, owners.size = place, size
        self._number += 1
        self._last_place = max(self._last_place, place)
        self._rounds.append(owners)
        self._bytes += size

    def snapshot(
        self, subject: str, state: Mapping[str, object], *, at: float, pending: Iterable[CommandIntended] | None = None
    ) -> None:
        """Sum a subject up. See `Store.snapshot`."""
        self._check_usable()
        known = tuple(pending_of(self.load(subject=subject)) if pending is None else pending)
        [(*_, body)] = self._ledger.records([Snapshot(subject=subject, at=at, state=state, pending=known)])
        self._drop(subject)
        self._take(subject, body)

    def forget(self, subject: str) -> None:
        """Remove a subject. See `Store.forget`."""
        self._check_usable()
        self._drop(subject)
        self._ledger.forget(subject)

    def put_session(self, session: Session) -> None:
        """Replace what a resume needs. See `Store.put_session`."""
        self._check_usable()
        self._ledger.redactor.learn(session.authorization_state, is_passing=True)
        self._write("INSERT OR REPLACE INTO session VALUES (1, ?)", (encode_session(session),))

    def commit(self) -> None:
        """Write what has changed, in one transaction. See `Store.commit`."""
        if self._error is not None:
            raise self._error
        if self._doomed or self._db.in_transaction:
            self._write("COMMIT")
        elif self._parts:
            place = self._free_place() if self._counting else 0
            if place:  # as nearly always
                self._write_round_alone(place)
            else:
                self._write("COMMIT")

    def load(self, *, subject: str | None = None) -> Iterator[Entry]:
        """Give entries, reading them in batches. See `Store.load`."""
        self._check_usable()
        if subject is None:
            self._flush()
            return self._entries(entries_of(self._db, self._path))
        # What is in rounds is at hand; nobody has to look through all of them for it.
        counting = self._counting.get(subject)
        in_rounds: Iterable[Entry] = ()
        if counting is not None:
            try:
                in_rounds = decode_all(counting, are_whole=True)
            except JournalError:
                in_rounds = map(decode, tuple(counting))  # those before the one that makes none
        if not self._has_own_rows(subject):
            return iter(in_rounds)
        return self._entries(chain(entries_of(self._db, self._path, subject), in_rounds))

    def subjects(self) -> list[str]:
        """Return who has entries. See `Store.subjects`."""
        self._check_usable()
        self._flush()
        return list(dict.fromkeys([*subjects_of(self._db, self._path), *self._counting]))

    def get_session(self) -> Session:
        """Return what a resume needs. See `Store.get_session`."""
        self._check_usable()
        return session_of(self._db, self._path)

    def compact(self) -> None:
        """Give back to the disk what is no longer used in the file, and empty its WAL. What was appended is committed.

        Takes as long as copying the file does, and as much memory as there is in it.

        Raises:
            JournalError: as for `commit`.
        """
        self.commit()
        try:
            self._begin()
            self._remove_rounds(0)
            self._db.execute("COMMIT")
            self._write_anew()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except BaseException as error:  # noqa: BLE001  # see `_write`
            self._fail(error, "compacted")

    def close(self) -> None:
        """Roll back what was not committed, and free file and lock. See `Store.close`."""
        failed, self._error = self._error, JournalError(f"the journal {self._path} is closed")
        with explained(self._path, "closed"), self._free:
            if failed is None:
                # Nothing that was committed depends on it: who opens the file next can do it as well.
                with contextlib.suppress(JournalError, sqlite3.Error):
                    self._tidy_up()

    def _tidy_up(self) -> None:
        """Leave no rounds: in a closed file nothing is left of what was forgotten, and every entry has its row."""
        is_undone = self._db.in_transaction
        if is_undone:
            self._db.rollback()
        # What was undone may have removed them, as far as is known here.
        if self._rounds or is_undone or self._has_traces:
            self._begin()
            _settle_rounds(self._db, self._path)
            self._db.execute("COMMIT")
        if self._has_traces and _size_of_content(self._db) <= MOST_WRITTEN_ANEW:
            self._write_anew()

    def _write_anew(self) -> None:
        """Write the whole file anew: where SQLite has moved rows, copies stay of those that are removed later."""
        self._db.execute("PRAGMA temp_store = MEMORY")  # no copy of it anywhere else on the disk
        self._db.execute("VACUUM")

    def _has_own_rows(self, subject: str) -> bool:
        return subject in self._own_rows and subject not in self._doomed

    def _entries(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        each = iter(entries)
        while True:
            self._check_usable()
            if (entry := next(each, None)) is None:
                return
            yield entry

    def _drop(self, subject: str) -> None:
        """Let nothing count of a subject."""
        counting = self._counting.pop(subject, None)
        if counting is not None:
            self._bytes_counting -= counting.size
            if counting.born == self._number:
                # It has come and gone since the last commit, and was promised to nobody.
                stays = [owner is not counting for owner in self._owners]
                self._parts, self._owners = list(compress(self._parts, stays)), _Round(compress(self._owners, stays))
            else:
                self._parts.append(Forgotten(subject).body)
                self._owners.append(_NOBODY)
            counting.clear()
        if self._has_own_rows(subject):
            self._doomed.add(subject)

    # -- writing -----------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Bring what was appended into the transaction, where reading sees it."""
        if self._parts or self._doomed:
            self._write()

    def _write(self, statement: str = "", values: tuple[object, ...] = ()) -> None:
        """Write all that was appended, then do ``statement``; when anything fails, nothing of it is kept, for good."""
        db = self._db
        try:
            if not db.in_transaction:
                self._begin()
            if self._doomed:
                db.executemany(_DELETE, [(column_of(subject),) for subject in self._doomed])
                self._has_traces = True
                self._own_rows.difference_update(self._doomed)
                self._doomed.clear()
            if self._parts:
                self._write_round()
            if statement:
                db.execute(statement, values)
        except BaseException as error:  # noqa: BLE001  # what was to be written may be nowhere by now
            self._fail(error, "written")

    def _fail(self, error: BaseException, what: str) -> NoReturn:
        """Be done for, whatever it is: SQLite also raises a `MemoryError`, and somebody may interrupt the program."""
        try:
            with explained(self._path, what):
                raise error
        except JournalError as known:
            self._error = known
        except BaseException:  # noqa: BLE001  # raised below, if it is more than the journal's
            self._error = JournalError(f"the journal {self._path} could not be {what}: {error!r}")
            self._error.__cause__ = error
        with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back by itself
            self._db.rollback()
        raise self._error if isinstance(error, Exception) else error

    def _begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        [newest] = self._db.execute("SELECT epoch FROM writer").fetchone()
        if newest != self.epoch:
            raise JournalError(
                f"writer {newest} has taken over the journal {self._path} from writer {self.epoch}, which "
                "may not write to it any more. Stop this one: the other goes on with its calls"
            )

    def _free_place(self) -> int:
        """Return where the next round may stand: at the end, or in place of the oldest, if nothing counts of that.

        0: more than one must go, or what counts of the oldest needs rows first.
        """
        room = self._room()
        if self._bytes <= room:
            return self._last_place + 1
        oldest = self._rounds[0]
        if self._bytes - oldest.size > room or any(oldest):
            return 0
        self._rounds.popleft()
        self._bytes -= oldest.size
        return oldest.place

    def _write_round_alone(self, place: int) -> None:
        """Write what was appended, in a transaction that does nothing else."""
        try:
            body = self._next_round(place)
            if self._db.execute(_PUT_ROUND, (place, self._number, body, self._ledger.epoch)).rowcount != 1:
                self._begin()  # which says who the writer is
        except BaseException as error:  # noqa: BLE001  # see `_write`
            self._fail(error, "written")

    def _write_round(self) -> None:
        """Write what was appended, and remove the oldest rounds: their pages are used again at once."""
        if not self._counting:
            self._parts.clear()
            self._owners.clear()
            self._remove_rounds(0)
            return
        place = self._last_place + 1
        body = self._next_round(place)
        room = self._room()
        if self._bytes > room:
            self._remove_rounds(room - min(room // 4, _AT_A_TIME))
        if not self._counting:  # what did has moved to rows
            self._remove_rounds(0)
        if self._rounds:
            self._db.execute(_PUT_ROUND, (place, self._number, body, self.epoch))

    def _next_round(self, place: int) -> bytes:
        """Return what was appended as the body of a round, and note it as one that is in the file."""
        body = pack_round(self._number + 1, self._parts)
        self._note_round(self._owners, place, len(body))
        self._parts, self._owners = [], _Round()
        return body

    def _room(self) -> int:
        """Return how many bytes the rounds may have before the oldest are removed."""
        return min(MOST_IN_ROUNDS, FRESH_ROUNDS + 3 * self._bytes_counting)

    def _remove_rounds(self, most: int) -> None:
        """Remove the oldest rounds until they have no more than ``most`` bytes; what counts of them gets its row."""
        places: list[tuple[int]] = []
        moved: list[Record] = []
        while self._rounds and self._bytes > most:
            oldest = self._rounds.popleft()
            places.append((oldest.place,))
            self._bytes -= oldest.size
            for counting in oldest:
                # What counts of a subject stands there in the order of the rounds; of one that is forgotten, nothing.
                if counting:
                    body = counting.pop(0)
                    record = (*labels(body), body)
                    moved.append(record)
                    counting.size -= len(record[3])
                    if not counting:
                        del self._counting[record[0]]
        if places:
            self._db.executemany(_DELETE_ROUND, places)
        if moved:
            _insert(self._db, moved)
            self._own_rows.update(record[0] for record in moved)
            self._bytes_counting -= sum(len(record[3]) for record in moved)

    def _check_usable(self) -> None:
        if self._error is not None:
            raise self._error


def _make_private(path: str) -> None:
    """Make the file, or close an older one to others. SQLite gives ``-wal`` and ``-shm`` the file's mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise JournalError(
                f"the journal {path} is not a regular file: give the path of one, or of none yet"
            ) from None
        for name in (path, f"{path}-wal", f"{path}-shm"):
            with contextlib.suppress(FileNotFoundError):
                if os.stat(name).st_mode & 0o077:
                    log.warning("journal file was open to others, closing it path=%s", name)
                    os.chmod(name, 0o600)


def _check_and_prepare(db: sqlite3.Connection, path: str, durability: Durability) -> None:
    """Refuse what is not a sound journal of this release, leaving it as it was; else make the connection ready."""
    db.execute(f"PRAGMA page_size = {PAGE}")  # of a fresh one; others keep what they have
    fresh = is_fresh(db)
    if not fresh:
        check_format(db, path)
    faults = [text for (text,) in db.execute("PRAGMA quick_check(3)") if text != "ok"]
    if faults:
        raise damaged(path, "; ".join(faults))
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
    db.execute("PRAGMA fullfsync = ON")  # for macOS, whose fsync does not reach the disk by itself
    db.execute("PRAGMA secure_delete = ON")
    db.execute(f"PRAGMA journal_size_limit = {LARGEST_WAL}")
    if fresh:
        make_tables(db)


def _size_of_content(db: sqlite3.Connection) -> int:
    [(pages,)], [(unused,)] = db.execute("PRAGMA page_count"), db.execute("PRAGMA freelist_count")
    return int(pages - unused) * PAGE


def _settle_rounds(db: sqlite3.Connection, path: str) -> None:
    """Give each entry that counts in a round a row of its own, and remove all rounds. In a transaction."""
    records = records_of(db, path)
    db.execute(_DELETE_ALL_ROUNDS)
    _insert(db, records)


def _insert(db: sqlite3.Connection, records: Iterable[Record]) -> None:
    db.executemany(_INSERT, [(column_of(subject), *numbers_and_body) for subject, *numbers_and_body in records])


def _clean_rounds(db: sqlite3.Connection, path: str, read: ReadRound) -> _Rounds:
    """Leave rounds in which all counts, and return number and place of each with what is in it. In a transaction.

    Not as rows of their own: an application that takes up many calls is not to wait until each entry has one.
    """
    rounds: _Rounds = []
    for number, place, length, records in rounds_of(db, path, read, itemgetter(0)):
        if records:
            rounds.append((number, place, records))
            if size_of_round(records) != length:
                body = pack_round(number, [record[3] for record in records])
                db.execute("UPDATE rounds SET body = ? WHERE place = ?", (body, place))
        else:
            db.execute(_DELETE_ROUND, (place,))
    return rounds


def _take_over(db: sqlite3.Connection, path: str, above: int, read: ReadRound) -> tuple[int, dict[str, int], _Rounds]:
    """Become the newest writer; return its number, the newest own row of each subject, and what is in rounds."""
    db.execute("BEGIN IMMEDIATE")
    bring_up_to_date(db)
    epochs = db.execute("SELECT epoch FROM writer").fetchall()
    columns = db.execute("SELECT subject, MAX(sequence) FROM entries GROUP BY subject").fetchall()
    newest = [(subject_in(column), number) for column, number in columns]
    # SQLite keeps whatever it is given: a flipped bit makes a text of a number.
    numbers = [number for (number,) in epochs] + [number for _, number in newest]
    if len(epochs) != 1 or not all(isinstance(number, int) and number < MOST_WRITERS for number in numbers):
        raise damaged(path, "its numbers are not numbers")
    epoch = max(epochs[0][0], above) + 1
    db.execute("UPDATE writer SET epoch = ?", (epoch,))
    rounds = _clean_rounds(db, path, read)
    db.execute("COMMIT")
    return epoch, dict(newest), rounds
