"""What a journal's SQLite file looks like inside, for those who write it, read it and mend it. Layer: pillar."""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, Final, TypeVar

from relay_actors.errors import DamagedJournalError, JournalError
from relay_actors.journal.codec import decode, decode_all, decode_session
from relay_actors.journal.entries import Entry, Session
from relay_actors.journal.ledger import Record
from relay_actors.journal.rounds import Forgotten, entries_in, in_force, number_of, records_in

__all__ = [
    "APPLICATION_ID",
    "FORMAT",
    "HEADER",
    "MOST_WRITERS",
    "PAGE",
    "SCHEMA",
    "beginning_of",
    "bring_up_to_date",
    "check_format",
    "column_of",
    "damaged",
    "entries_of",
    "explained",
    "first_page",
    "has_rounds",
    "is_fresh",
    "is_ours",
    "make_tables",
    "no_journal",
    "own_entries_of",
    "records_of",
    "rounds_of",
    "session_of",
    "subject_in",
    "subjects_of",
    "with_its_log",
]

T = TypeVar("T")

APPLICATION_ID: Final = 0x52414A4C
"""``RAJL``: how a journal is told from somebody else's database."""

FORMAT: Final = 2
"""The layout of the tables, kept in ``user_version``. What is inside a record has a version of its own.

Format 1 had no table of rounds: each entry stood in a row of its own.
"""

SCHEMA: Final = (
    "CREATE TABLE writer (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), epoch INTEGER NOT NULL)",
    "CREATE TABLE session (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), body BLOB NOT NULL)",
    "CREATE TABLE entries (position INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL,"
    " sequence INTEGER NOT NULL, epoch INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (subject, sequence))",
    "CREATE TABLE rounds (place INTEGER PRIMARY KEY, number INTEGER NOT NULL, body BLOB NOT NULL)",
)
"""The tables, as SQLite keeps them in the file word by word."""

_ENTRIES, _ROUNDS = SCHEMA[2:]

MOST_WRITERS: Final = 2**48
"""No journal has as many, nor as many rounds: a higher number is a damaged one."""
_MOST_FORMATS: Final = 1000

PAGE: Final = 4096
"""Bytes of one page."""

HEADER: Final = 100
"""Bytes of SQLite's own header."""
_MAGIC: Final = b"SQLite format 3\0"
_SIGNS: Final = (b"CREATE TABLE entries (position", b"\xa7subject", b"\xa8sequence", b"\xb3authorization_state")
"""What a journal has in it, and few other files: its largest table, and the keys of its records."""
_LONGEST_SIGN: Final = max(map(len, _SIGNS))
_PIECE: Final = 1 << 20

_BATCH: Final = 500
"""Rows read at a time, so that a long journal is never all in memory."""
_COLUMNS: Final = "subject, sequence, epoch, body"
_LOAD_ALL: Final = f"SELECT position, {_COLUMNS} FROM entries WHERE position > ? ORDER BY position LIMIT ?"
_LOAD_ROUNDS: Final = "SELECT number, place, body FROM rounds"
"""Not in order: SQLite would write all of them into a temporary file to bring them into it."""
_LOAD_ONE: Final = (
    f"SELECT sequence, {_COLUMNS} FROM entries WHERE subject = ? AND sequence > ? ORDER BY sequence LIMIT ?"
)
_SUBJECTS: Final = "SELECT subject FROM entries GROUP BY subject ORDER BY MIN(position)"

_ADVICE: Final[Mapping[str, str]] = {
    "SQLITE_BUSY": "Another program holds a lock on it for seconds: let that one end, or work on a copy",
    "SQLITE_CONSTRAINT": "An entry of that number is there already: two writers wrote to it at a time",
    "SQLITE_CANTOPEN": "Its directory must exist, and this process must be allowed to write there",
    "SQLITE_FULL": "Free some space on its disk, then start again: nothing that was committed is lost",
    "SQLITE_IOERR": "The disk does not do what it is told; look at the system's log before starting again",
    "SQLITE_READONLY": "This process must be allowed to write to it and to its directory",
}


def with_its_log(path: str) -> tuple[str, ...]:
    """Return the names of all files that SQLite may keep for one database, the database itself last."""
    return (f"{path}-journal", f"{path}-wal", f"{path}-shm", path)


def column_of(subject: str) -> str | bytes:
    """Return what stands for a subject in a row. A JSON text may hold half a surrogate pair, and a TEXT may not."""
    try:
        subject.encode()
    except UnicodeEncodeError:
        return subject.encode("utf-8", "surrogatepass")
    return subject


def subject_in(column: Any) -> Any:
    """Return the subject of a row, which `column_of` has put there; whatever else it holds, as it is.

    Raises:
        UnicodeDecodeError: the bytes are nobody's subject.
    """
    return column.decode("utf-8", "surrogatepass") if isinstance(column, bytes) else column


def is_fresh(db: sqlite3.Connection) -> bool:
    """Return whether there is nothing in it yet, of nobody."""
    [(application_id,)] = db.execute("PRAGMA application_id")
    [(version,)] = db.execute("PRAGMA user_version")
    [(tables,)] = db.execute("SELECT count(*) FROM sqlite_master")
    return (application_id, version, tables) == (0, 0, 0)


def check_format(db: sqlite3.Connection, path: str) -> None:
    """Refuse somebody else's database, and a journal that this release cannot read.

    Raises:
        JournalError: it is one of them.
        DamagedJournalError: it is a journal, and says of itself what cannot be.
    """
    [(application_id,)] = db.execute("PRAGMA application_id")
    [(version,)] = db.execute("PRAGMA user_version")
    if application_id != APPLICATION_ID:
        if (_ENTRIES,) in db.execute("SELECT sql FROM sqlite_master").fetchall():
            raise damaged(path, "its tables are a journal's, and it does not say that it is one")
        raise JournalError(f"{path} is a database of another application: give the journal a path of its own")
    if not 0 < version < _MOST_FORMATS:
        raise damaged(path, f"it says to be of format {version}")
    if version > FORMAT:
        raise JournalError(
            f"the journal {path} has format {version}, and this release reads format {FORMAT}: it was written by a "
            "newer relay_actors. Upgrade, or give this release a journal of its own"
        )


def make_tables(db: sqlite3.Connection) -> None:
    """Make a journal of a fresh database, in one transaction."""
    db.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA:
        db.execute(statement)
    db.execute("INSERT INTO writer VALUES (1, 0)")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {FORMAT}")
    db.execute("COMMIT")


def bring_up_to_date(db: sqlite3.Connection) -> None:
    """Have a journal of an older format be one of this release. In a transaction."""
    if not has_rounds(db):
        db.execute(_ROUNDS)
    db.execute(f"PRAGMA user_version = {FORMAT}")


def has_rounds(db: sqlite3.Connection) -> bool:
    """Return whether it is of a format that has a table of rounds; one that is damaged may have it."""
    [(version,)] = db.execute("PRAGMA user_version")
    return bool(version != 1)


@functools.cache
def first_page() -> bytes:
    """Return the first page of a fresh journal: who it is, and on which pages its tables begin."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {PAGE}")
        make_tables(db)
        page = bytearray(db.serialize()[:PAGE])
    page[18:20] = b"\x02\x02"  # a memory database has no WAL, and a journal has one
    return bytes(page)


def entries_of(db: sqlite3.Connection, path: str, subject: str | None = None) -> Iterator[Entry]:
    """Give the entries of one subject, or of all, in the order in which they were appended, reading in batches.

    Of one subject those that have a row of their own: see `rounds_of` for the others, which are newer.

    Raises:
        JournalError: an entry cannot be read; those before it were given.
    """
    yield from (entry for entry, _ in own_entries_of(db, path, subject))
    if subject is None:
        for *_, entries in rounds_of(db, path, entries_in, attrgetter("subject")):
            yield from entries


def own_entries_of(db: sqlite3.Connection, path: str, subject: str | None = None) -> Iterator[tuple[Entry, bytes]]:
    """Give the entries that have a row of their own, of one subject or of all, and their records, as `entries_of` does.

    Raises:
        JournalError: an entry cannot be read; those before it were given.
    """
    last = 0
    while True:
        with explained(path, "read"):
            if subject is None:
                rows = db.execute(_LOAD_ALL, (last, _BATCH)).fetchall()
            else:
                rows = db.execute(_LOAD_ONE, (column_of(subject), last, _BATCH)).fetchall()
        try:
            entries = decode_all([body for *_, body in rows])
        except JournalError:
            entries = []  # those before the one that cannot be read are given, and then it is said which that is
        for place, (_, owner, sequence, epoch, body) in enumerate(rows):
            try:
                entry = entries[place] if entries else decode(body)
            except DamagedJournalError as error:
                raise damaged(path, f"entry {sequence} of {owner}: {error}") from error
            if entry.sequence != sequence or column_of(entry.subject) != owner or entry.epoch != epoch:
                raise damaged(path, f"entry {sequence} of {owner} is not what its row says")
            yield entry, body
        if len(rows) < _BATCH:
            return
        last = rows[-1][0]


def rounds_of(
    db: sqlite3.Connection,
    path: str,
    read: Callable[[object], Sequence[T | Forgotten]],
    subject_of: Callable[[T], str],
) -> list[tuple[int, int, int, list[T]]]:
    """Return number, place and bytes of each round, and what counts of it.

    See `relay_actors.journal.rounds.in_force`.

    Raises:
        JournalError: a record cannot be read.
    """
    with explained(path, "read"):
        rows = db.execute(_LOAD_ROUNDS).fetchall() if has_rounds(db) else []
    rows.sort(key=lambda row: row[0] if isinstance(row[0], int) else MOST_WRITERS)
    try:
        found = in_force((body for *_, body in rows), read, subject_of)
    except DamagedJournalError as error:
        raise damaged(path, str(error)) from error
    if not all(isinstance(number, int) and number < MOST_WRITERS for number, *_ in rows):
        raise damaged(path, "the numbers of its rounds are none")
    for number, _place, body in rows:
        if number_of(body) not in (number, None):
            raise damaged(path, f"round {number} is not the one that its row says")
    return [(number, place, len(body), held) for (number, place, body), held in zip(rows, found, strict=True)]


def records_of(db: sqlite3.Connection, path: str) -> list[Record]:
    """Return the records that count in rounds, in the order in which they were appended.

    Raises:
        JournalError: one cannot be read.
    """
    return [record for *_, records in rounds_of(db, path, records_in, itemgetter(0)) for record in records]


def subjects_of(db: sqlite3.Connection, path: str) -> list[str]:
    """Return who has entries in rows of their own, the one with the oldest entry first."""
    with explained(path, "read"):
        return [subject_in(column) for (column,) in db.execute(_SUBJECTS).fetchall()]


def session_of(db: sqlite3.Connection, path: str) -> Session:
    """Return what a resume needs, or an empty `Session`."""
    with explained(path, "read"):
        row = db.execute("SELECT body FROM session").fetchone()
    try:
        return decode_session(row[0]) if row else Session()
    except DamagedJournalError as error:
        raise damaged(path, f"its session: {error}") from error


@contextlib.contextmanager
def explained(path: str, what: str) -> Iterator[None]:
    """Turn what SQLite and the operating system say into a `JournalError` that says what to do."""
    try:
        yield
    except UnicodeDecodeError as error:
        # SQLite quotes the damaged text in its message, and the message cannot be read either.
        raise damaged(path, "it holds a text that is no UTF-8") from error
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        advice = next((text for start, text in _ADVICE.items() if name.startswith(start)), None)
        if name == "SQLITE_NOTADB" and not is_ours(path):
            raise no_journal(path, str(error)) from error
        if advice is None:
            # Corrupt pages, a table that is missing, a column that is no UTF-8: all damage, under many names.
            raise damaged(path, str(error)) from error
        raise JournalError(f"the journal {path} could not be {what}: {error}. {advice}") from error
    except OSError as error:
        raise JournalError(f"the journal {path} could not be {what}: {error.strerror}") from error


def damaged(path: str, why: str) -> DamagedJournalError:
    """Return the error that says so, and what can be done."""
    error = DamagedJournalError(
        f"the journal {path} is damaged ({why}). An application that is given this path moves the file aside and goes "
        f"on with what can still be read of it, as relay_actors.journal.opening.open_sqlite({os.path.basename(path)!r})"
        " does"
    )
    error.why = why
    return error


def no_journal(path: str, why: str) -> JournalError:
    """Return the error that says that a file is somebody else's, and is left as it is."""
    return JournalError(f"{path} is no journal ({why}): give the journal a path of its own, or move that file away")


def is_ours(path: str) -> bool:
    """Return whether there is any sign that it has been a journal: somebody else's file is not moved about.

    Raises:
        JournalError: it cannot be read.
    """
    header = beginning_of(path)
    if not header or (len(header) < HEADER and _MAGIC.startswith(header[: len(_MAGIC)])):
        return True  # nothing of anybody is lost
    if header[68:72] == APPLICATION_ID.to_bytes(4, "big"):
        return True
    return any(_holds_a_sign(name) for name in (path, f"{path}-wal"))


def beginning_of(path: str) -> bytes:
    """Return SQLite's own header, or what is there of it.

    Raises:
        JournalError: it cannot be read.
    """
    with explained(path, "read"), contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        return file.read(HEADER)
    return b""


def _holds_a_sign(path: str) -> bool:
    with explained(path, "read"), contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        before = b""
        while piece := file.read(_PIECE):
            if any(sign in before + piece for sign in _SIGNS):
                return True
            before = piece[-_LONGEST_SIGN:]
    return False
