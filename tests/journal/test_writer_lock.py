"""The lock: one living writer, and no trace of a dead one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from relay_actors.errors import JournalError
from relay_actors.journal.writer_lock import WriterLock

HOLD = """
import signal, sys
from relay_actors.journal.writer_lock import WriterLock
lock = WriterLock(sys.argv[1])
print("held", flush=True)
signal.pause()
"""


def test_it_is_held_by_one_and_names_the_holder(tmp_path: Path):
    """Whoever is refused must know which process to stop (SEMANTICS J7)."""
    path = str(tmp_path / "j.db")
    lock = WriterLock(path)
    try:
        with pytest.raises(JournalError, match=rf"in use by another writer \(process {os.getpid()}\)\. Stop that one"):
            WriterLock(path)
    finally:
        lock.release()
    lock.release()

    WriterLock(path).release()


def test_a_killed_process_holds_it_no_longer(tmp_path: Path):
    """After ``kill -9`` nobody is left to remove a lock file; the kernel releases this one."""
    path = str(tmp_path / "j.db")
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(JournalError, match=rf"process {holder.pid}\)"):
                WriterLock(path)
        finally:
            holder.send_signal(signal.SIGKILL)
        holder.wait(10.0)

    lock = WriterLock(path)
    assert Path(f"{path}.lock").read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_planted_link_is_not_followed(tmp_path: Path):
    """In a directory that others can write to, a link must not make us write into a file of their choice."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "j.db.lock").symlink_to(victim)

    with pytest.raises(JournalError, match="cannot open"):
        WriterLock(str(tmp_path / "j.db"))

    assert victim.read_text() == "untouched"
