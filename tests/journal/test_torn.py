"""Commits that SQLite passes over are noticed; what was never finished is not taken for one."""

from pathlib import Path

import pytest

from relay_actors.journal.reading import SqliteReader
from relay_actors.journal.torn import lost_commits
from tests.journal.torn_journals import TornJournal, make_journal

FRAME = 24 + 4096
HEADER = 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


@pytest.fixture
def journal(path: Path) -> TornJournal:
    return make_journal(path)


def lost(journal: TornJournal, path: Path, wal: bytes) -> int:
    with SqliteReader(journal.put(path, wal=wal)):
        return lost_commits(str(path))


def commits(wal: bytes) -> list[int]:
    """Which frames end a commit."""
    return [
        number
        for number, at in enumerate(range(HEADER, len(wal), FRAME))
        if int.from_bytes(wal[at + 4 : at + 8], "big")
    ]


def test_a_sound_wal_has_lost_none(journal: TornJournal, path: Path):
    assert lost(journal, path, journal.wal) == 0


@pytest.mark.parametrize("left", [1, 2, 5])
def test_whole_commits_behind_a_damaged_one_are_counted(journal: TornJournal, path: Path, left: int):
    """The damaged one among them: it was finished."""
    wal = bytearray(journal.wal)
    frame = commits(wal)[-left]
    wal[HEADER + frame * FRAME + 1000] ^= 4

    assert lost(journal, path, bytes(wal)) == left


@pytest.mark.parametrize("at", [0, 2, 9, 17, 25, 31])
def test_a_damaged_header_loses_all(journal: TornJournal, path: Path, at: int):
    """SQLite then reads nothing of the WAL: magic, page size, salt or checksum."""
    wal = bytearray(journal.wal)
    wal[at] ^= 4

    assert lost(journal, path, bytes(wal)) == len(commits(wal))


def test_a_damaged_header_and_first_frame_lose_all_the_same(journal: TornJournal, path: Path):
    """Neither says any more which frames belong together."""
    wal = bytes(41) + journal.wal[41:]

    assert lost(journal, path, wal) == len([number for number in commits(wal) if number])


def test_a_commit_that_was_not_finished_is_no_loss(journal: TornJournal, path: Path):
    """A process that is killed leaves such a one (SEMANTICS J1): nobody was promised anything."""
    last = commits(journal.wal)[-2]
    end = HEADER + (last + 1) * FRAME

    for more in (0, 10, 24, 2000, FRAME):
        assert lost(journal, path, journal.wal[: end + more]) == 0


def test_what_is_left_of_an_older_wal_is_no_loss(path: Path):
    """SQLite begins at its start again, and leaves behind what it has not yet written over."""
    journal = make_journal(path)
    newer = make_journal(path, checkpointed=9)
    assert len(newer.wal) < len(journal.wal)

    assert lost(newer, path, newer.wal + journal.wal[len(newer.wal) :]) == 0


def test_without_a_wal_there_is_nothing_to_lose(journal: TornJournal, path: Path):
    """And a stub of a header is no WAL."""
    assert lost_commits(str(path)) == 0
    assert lost(journal, path, b"\x37\x7f\x06\x82") == 0
