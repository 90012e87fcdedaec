"""A journal outlives the process that wrote it. Needs no account and no telephone."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from relay_actors.journal.entries import CommandIntended, CommandSettled, EventReceived, Outcome
from relay_actors.journal.replay import replay
from relay_actors.journal.sqlite import SqliteStore

CALL = "9a3e5c70-1d2b-4f86-a7c4-58b0e6d1f293"


# [write]
def write_and_die(path: str) -> None:
    """Do what the connection does during a call, and be killed before it is over."""
    store = SqliteStore(path)
    rang = {"event_type": "calling.call.receive", "params": {"call_id": CALL, "call_state": "created"}}
    store.append(
        [
            EventReceived(subject=CALL, at=1.0, frame_id="f-1", payload=rang),
            CommandIntended(subject=CALL, at=1.1, request_id="r-1", method="calling.answer", params={"call_id": CALL}),
        ]
    )
    store.commit()  # from here on the event may be acknowledged, and the command may leave

    store.append([CommandSettled(subject=CALL, at=1.2, request_id="r-1", outcome=Outcome.OK, code=200)])
    prompt = {"call_id": CALL, "play": [{"type": "tts", "params": {"text": "Welcome."}}]}
    store.append([CommandIntended(subject=CALL, at=1.3, request_id="r-2", method="calling.play", params=prompt)])
    store.commit()

    heard = {"event_type": "calling.call.play", "params": {"call_id": CALL, "state": "playing"}}
    store.append([EventReceived(subject=CALL, at=1.4, frame_id="f-2", payload=heard)])
    os.kill(os.getpid(), signal.SIGKILL)  # before the commit: so this event was never acknowledged
    # [/write]


# [read]
def look(path: str) -> None:
    """Do what the next process does: open the journal, and tell what was."""
    store = SqliteStore(path)
    print(f"this is writer {store.epoch}")
    for subject in store.subjects():
        history = replay(store.load(subject=subject))
        print(f"{subject}: {len(history.entries)} entries")
        for command in history.pending:
            print(f"  nobody knows what became of {command.method} ({command.request_id})")
    store.close()
    # [/read]


def main() -> None:
    """Let another process write and die; then look."""
    if len(sys.argv) == 2:
        write_and_die(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "calls.db")
        writer = subprocess.run([sys.executable, __file__, path], check=False)
        print(f"the writer ended with {writer.returncode}")
        look(path)


if __name__ == "__main__":
    main()
