"""Removes what a journal has of one call. Needs no account and no telephone."""

import contextlib
import tempfile
from pathlib import Path

from relay_actors.journal.entries import EventReceived
from relay_actors.journal.sqlite import SqliteStore


def main() -> None:
    """Write what two calls would, forget one, and look whether it is gone from the file."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "calls.db"
        with contextlib.closing(SqliteStore(path)) as store:
            for call_id, number in (("call-1", "+15550100101"), ("call-2", "+15550100102")):
                payload = {"event_type": "calling.call.receive", "params": {"from_number": number}}
                store.append([EventReceived(subject=call_id, at=1767225600.0, payload=payload)])
            store.commit()
        # [docs]
        with contextlib.closing(SqliteStore(path)) as store:
            store.forget("call-1")
            store.commit()
            print("left:", ", ".join(store.subjects()))
        # [/docs]
        if b"+15550100101" in path.read_bytes():
            raise SystemExit("it is still in the file")


if __name__ == "__main__":
    main()
