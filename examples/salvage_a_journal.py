"""Damages a journal on purpose, and brings back what is left of it. Needs no account and no telephone."""

import contextlib
import tempfile
from pathlib import Path

from relay_actors.errors import JournalError
from relay_actors.journal.entries import EventReceived
from relay_actors.journal.salvage import salvage
from relay_actors.journal.sqlite import SqliteStore


def write_a_journal(path: Path) -> None:
    """Write what twenty calls of three events each would."""
    with contextlib.closing(SqliteStore(path)) as store:
        for number in range(60):
            payload = {"event_type": "calling.call.play", "params": {"state": "playing", "n": number, "pad": "." * 300}}
            store.append([EventReceived(subject=f"call-{number // 3}", at=float(number), payload=payload)])
        store.commit()


def damage(path: Path) -> None:
    """Overwrite one page in the middle of the file, as a failing disk might."""
    data = bytearray(path.read_bytes())
    begin = len(data) // 2 // 4096 * 4096
    data[begin : begin + 4096] = bytes(4096)
    path.write_bytes(data)


def main() -> None:
    """Write, damage, fail to open, salvage."""
    with tempfile.TemporaryDirectory() as directory:
        damaged, fresh = Path(directory) / "damaged.db", Path(directory) / "calls.db"
        write_a_journal(damaged)
        damage(damaged)
        try:
            SqliteStore(damaged)
        except JournalError as error:
            print(error)
        # [docs]
        with contextlib.closing(SqliteStore(fresh)) as store:
            report = salvage(damaged, into=store)

        print(f"{report.entries} entries of {len(report.subjects)} calls")
        for subject, reason in report.incomplete.items():
            print(f"{subject} ends early: {reason}")
        for fault in report.faults:
            print(f"not readable: {fault}")
        # [/docs]


if __name__ == "__main__":
    main()
