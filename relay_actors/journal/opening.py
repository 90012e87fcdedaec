"""Opens a journal, and when it is damaged brings back first what can still be read. Layer: pillar.

The damaged file is never changed and never removed: it is moved aside, with its ``-wal``, to ``<path>.damaged-1`` (or
the next number), and a fresh one takes its place, which has the entries of each subject up to the last good one. Power
may fail in the middle of that: when the fresh file is complete it is named ``<path>.mended-1``, and whoever finds a
file of that name finishes the exchange.

Refused as before, and left alone: a file that is no journal, that a newer release has written, or that has a writer.
"""

from __future__ import annotations

import contextlib
import glob
import logging
import os
import re
import stat
from collections.abc import Iterable
from typing import Final

from relay_actors.errors import DamagedJournalError, JournalError
from relay_actors.journal.reading import SqliteReader
from relay_actors.journal.rounds import SeenRounds
from relay_actors.journal.salvage import Found, Salvaged, bring_over, look_through
from relay_actors.journal.sqlite import Durability, SqliteStore
from relay_actors.journal.sqlite_file import HEADER, beginning_of, explained, is_ours, no_journal, with_its_log
from relay_actors.journal.torn import lost_commits
from relay_actors.journal.writer_lock import WriterLock

__all__ = ["open_sqlite"]

log = logging.getLogger(__name__)

_WRITE_VERSION_AT: Final = 18
_WRITE_VERSIONS: Final = (1, 2)
"""Without a WAL and with one: https://www.sqlite.org/fileformat2.html#file_format_version_numbers"""


def open_sqlite(
    path: str | os.PathLike[str],
    *,
    durability: Durability = "process",
    secrets: Iterable[str] = (),
    hands_over: bool = False,
) -> SqliteStore:
    """Return a store on the journal at ``path``, which is made when it is not there, and mended when it is damaged.

    All of it is read first: every checksum, and whether each subject has its entries without a gap. What is lost is
    logged as errors: one record for the file, and one for each subject that ends early.

    Args:
        path: see `SqliteStore`.
        durability: see `SqliteStore`.
        secrets: see `SqliteStore`; also taken out of what is brought over.
        hands_over: see `SqliteStore`.

    Raises:
        JournalError: see `SqliteStore`; but not because it is damaged.
    """
    secrets = tuple(secrets)
    rounds = SeenRounds()
    real = os.path.realpath(path)
    if os.fspath(path) != ":memory:" and _is_file_or_nothing(real):
        lock = WriterLock(real, hands_over=hands_over)  # who asks for it meanwhile is heard when it is open
        try:
            _finish(real)
            if why := _damage(real, rounds):
                _bring_back(real, why, secrets)
        finally:
            lock.release()
    return SqliteStore(path, durability=durability, secrets=secrets, hands_over=hands_over, rounds=rounds)


def _is_file_or_nothing(path: str) -> bool:
    with contextlib.suppress(OSError):  # what keeps it from being read also keeps it from being opened, which says so
        return stat.S_ISREG(os.stat(path).st_mode)
    return True


def _damage(path: str, rounds: SeenRounds) -> str:
    """Say what is wrong with it; an empty text: nothing. Changes nothing, so SQLite is asked only when that is safe."""
    has_wal = _size(f"{path}-wal") > 0
    header = beginning_of(path)
    if not header:
        # SQLite would take it for a new database, and would remove a WAL that it finds beside it.
        return "the file is empty, and its WAL is not" if has_wal else ""
    if len(header) < HEADER:
        return f"of the file only {len(header)} bytes are left"
    if header[_WRITE_VERSION_AT] not in _WRITE_VERSIONS:
        # SQLite would only read it, and would say that we may not write to it.
        return f"its header says to be of write version {header[_WRITE_VERSION_AT]}, which there is not"
    try:
        with SqliteReader(path) as reader:
            faults = reader.check(rounds)
            if not faults and (lost := lost_commits(path)):
                faults = [f"its WAL cannot be read to the end: {lost} commits are lost"]
    except DamagedJournalError as error:
        return error.why or str(error)
    return "; ".join(faults)


def _bring_back(path: str, why: str, secrets: Iterable[str]) -> None:
    if not is_ours(path):
        raise no_journal(path, why)
    found = look_through(path)
    number = _free_number(path)
    fresh = f"{path}.mending"
    _remove(fresh)
    with contextlib.closing(SqliteStore(fresh, durability="power", secrets=secrets, epoch_above=found.epoch)) as store:
        done = bring_over(found, store)
    if _size(f"{fresh}-wal"):  # SQLite does not say that it could not move it into the file, which would go without it
        raise JournalError(
            f"the journal {path} is damaged ({why}), and what can be read of it could not be written to {fresh}. "
            "Free some space on its disk, then start again: nothing has changed"
        )
    with explained(path, "mended"):
        os.replace(fresh, f"{path}.mended-{number}")
        _sync_directory(path)
        _exchange(path, number)
        _remove(fresh)
    _tell(path, f"{path}.damaged-{number}", why, found, done)


def _finish(path: str) -> None:
    """Go on where a process was stopped that had brought the journal back, and had yet to put it in its place."""
    for name in glob.glob(f"{glob.escape(path)}.mended-*"):
        number = name.rpartition("-")[2]
        if not re.fullmatch(r"[1-9]\d*", number):
            continue
        if os.path.exists(path) and os.path.exists(f"{path}.damaged-{number}"):
            raise JournalError(
                f"the journal {path} is there, and so is {name}, which was to take its place: move one of them away"
            )
        with explained(path, "mended"):
            _exchange(path, int(number))
            _remove(f"{path}.mending")
        log.error("journal was being brought back when the process ended, finished it path=%s", path)


def _exchange(path: str, number: int) -> None:
    aside = f"{path}.damaged-{number}"
    if _size(f"{path}-wal") == 0:  # who only looked has made it, and what belongs to it
        _remove_all(f"{path}-wal", f"{path}-shm")
    for source, target in zip(with_its_log(path), with_its_log(aside), strict=True):
        with contextlib.suppress(FileNotFoundError):
            os.chmod(source, 0o600)
            os.rename(source, target)
    os.replace(f"{path}.mended-{number}", path)
    _sync_directory(path)


def _tell(path: str, aside: str, why: str, found: Found, done: Salvaged) -> None:
    log.error(
        "journal was damaged, went on with what could be read of it path=%s why=%s moved_to=%s entries=%d subjects=%d "
        "incomplete=%d session=%s faults=%s",
        path, why, aside, done.entries, len(done.subjects), len(done.incomplete),
        "kept" if found.session.protocol else "none", "; ".join(done.faults) or "none",
    )  # fmt: skip
    kept = set(done.subjects)
    for subject, reason in done.incomplete.items():
        what = "its later entries are lost" if subject in kept else "all of it is lost"
        log.error("journal has lost entries subject=%r what=%s why=%s", subject, what, reason)


def _size(path: str) -> int:
    with contextlib.suppress(FileNotFoundError):
        return os.path.getsize(path)
    return 0


def _free_number(path: str) -> int:
    number = 1
    while any(os.path.exists(name) for name in with_its_log(f"{path}.damaged-{number}")):
        number += 1
    return number


def _remove(path: str) -> None:
    """Remove what is ours alone: a journal that was not finished."""
    _remove_all(*with_its_log(path), f"{path}.lock")


def _remove_all(*names: str) -> None:
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _sync_directory(path: str) -> None:
    directory = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
