"""Finds commits in a SQLite WAL that SQLite passes over because something before them is damaged. Layer: pillar.

SQLite reads a WAL up to the first frame whose checksum does not fit, and takes what follows for a commit that was never
finished: after a crash that is what it is. When a whole commit stands behind that place, it was finished, and is lost;
SQLite would say nothing, and write over it.

Source: https://www.sqlite.org/fileformat2.html#walformat, https://www.sqlite.org/walformat.html.
"""

from __future__ import annotations

import contextlib
import struct
import sys
from collections import Counter
from typing import Final, Literal

from relay_actors.journal.sqlite_file import PAGE

__all__ = ["lost_commits"]

_WAL_HEADER: Final = struct.Struct(">IIIIIIII")
_FRAME_HEADER: Final = struct.Struct(">IIIIII")
_MAGICS: Final = (0x377F0682, 0x377F0683)
_NEWEST_FRAME_AT: Final = 16
"""Where the ``-shm`` says how many frames count; in the byte order of this machine."""


def lost_commits(path: str) -> int:
    """Return how many whole commits of the WAL of the database at ``path`` are not read by SQLite.

    Somebody must have it open, so that SQLite has gone through the WAL; nobody may be writing.
    """
    with contextlib.suppress(FileNotFoundError), open(f"{path}-wal", "rb") as wal, open(f"{path}-shm", "rb") as shm:
        header = wal.read(_WAL_HEADER.size)
        index = shm.read(_NEWEST_FRAME_AT + 4)
        if len(header) < _WAL_HEADER.size or len(index) < _NEWEST_FRAME_AT + 4:
            return 0
        magic, _, page, _, salt_1, salt_2, *sums = _WAL_HEADER.unpack(header)
        page = page if _is_page_size(page) else PAGE
        is_sound = magic in _MAGICS and sums == _checksum(header[:24], "big" if magic & 1 else "little")
        counting = int.from_bytes(index[_NEWEST_FRAME_AT:], sys.byteorder)
        commits: Counter[tuple[int, int]] = Counter()
        number = 0
        while len(frame := wal.read(_FRAME_HEADER.size + page)) == _FRAME_HEADER.size + page:
            number += 1
            _, commit, *own, _, _ = _FRAME_HEADER.unpack_from(frame)
            if number > counting and commit:
                commits[own[0], own[1]] += 1
        # A damaged header does not say which frames are of now and which an older WAL has left: take the many.
        return commits[salt_1, salt_2] if is_sound else max(commits.values(), default=0)
    return 0


def _is_page_size(number: int) -> bool:
    return 512 <= number <= 65536 and number & (number - 1) == 0


def _checksum(data: bytes, order: Literal["little", "big"]) -> list[int]:
    first = second = 0
    for at in range(0, len(data), 8):
        first = (first + int.from_bytes(data[at : at + 4], order) + second) & 0xFFFFFFFF
        second = (second + int.from_bytes(data[at + 4 : at + 8], order) + first) & 0xFFFFFFFF
    return [first, second]
