"""Cuts journals at every byte: of the file and of its WAL, with and without a checkpoint.

What opens has to be a past of each call, and of a WAL that was cut the whole of it after one of its commits: never an
exception, never a state that never was. Run by ``make torn`` and by ``make stress``; takes minutes.
"""

import logging
import multiprocessing
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.journal.torn_journals import TornJournal, fast_directory, make_journal, opened, whole_file

__all__ = ["main"]

MADE = ({}, {"checkpointed": 5}, {"checkpointed": 8, "restarts": False})
PIECE = 2000
"""How many cuts one process tries before it takes others."""


def main() -> int:
    """Return 1 when a cut has given something else than a past."""
    with fast_directory() as directory:
        pieces = list(_pieces(directory))
        with multiprocessing.get_context("spawn").Pool(min(len(os.sched_getaffinity(0)), 8)) as pool:
            done = bad = 0
            for tried, told in pool.imap_unordered(_try, pieces):
                done += tried
                bad += len(told)
                for line in told[:10]:
                    print(line, flush=True)
    print(f"{done} cuts, {bad} of them gave what never was")
    return int(bad > 0)


def _pieces(directory: Path) -> Iterator[tuple[str, TornJournal, str, int, Path]]:
    for number, how in enumerate(MADE):
        path = directory / f"{number}.db"
        journal = make_journal(path, calls=1, **how)
        for kind, one, part in (
            ("WAL", journal, "wal"),
            ("file beside its WAL", journal, "database"),
            ("file", whole_file(journal, path), "database"),
        ):
            for start in range(0, len(getattr(one, part)) + 1, PIECE):
                yield f"{kind} {how}", one, part, start, directory


def _try(piece: tuple[str, TornJournal, str, int, Path]) -> tuple[int, list[str]]:
    logging.getLogger("relay_actors").setLevel(logging.CRITICAL + 1)  # nearly all of them are damaged
    name, journal, part, start, directory = piece
    path = directory / f"torn-{os.getpid()}.db"
    data = getattr(journal, part)
    told = []
    cuts = range(start, min(start + PIECE, len(data) + 1))
    for cut in cuts:
        try:
            with opened(journal.put(path, **{part: data[:cut]})) as store:
                past = journal.judge(store)
            if part == "wal":
                assert past in journal.commits, "half a commit"
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for
            told.append(f"{name} cut at {cut}: {type(error).__name__}: {error}")
    return len(cuts), told


if __name__ == "__main__":
    sys.exit(main())
