"""The lock: one living writer, and no trace of a dead one."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from relay_actors.errors import JournalError
from relay_actors.journal import writer_lock
from relay_actors.journal.writer_lock import Holder, NextInLine, WriterLock, find_holder, is_awaited

HOLD = """
import signal, sys
from relay_actors.journal.writer_lock import WriterLock
lock = WriterLock(sys.argv[1], hands_over=len(sys.argv) > 2)
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


FORK = """
import os, signal, sys
from relay_actors.journal.writer_lock import WriterLock
lock = WriterLock(sys.argv[1])
if os.fork() == 0:
    print(os.getpid(), flush=True)
signal.pause()
"""


def test_a_process_that_was_forked_off_does_not_keep_it_when_its_parent_is_killed(tmp_path: Path):
    """The workers of a `multiprocessing` pool outlive a killed application: its next start must not be refused.

    As long as that one lives, what its child has closed lets nobody in (SEMANTICS J7).
    """
    path = str(tmp_path / "j.db")
    with subprocess.Popen([sys.executable, "-c", FORK, path], stdout=subprocess.PIPE, text=True) as holder:
        child = int(holder.stdout.readline())
        try:
            with pytest.raises(JournalError, match=rf"process {holder.pid}\)"):
                WriterLock(path)
            holder.send_signal(signal.SIGKILL)
            holder.wait(10.0)
            WriterLock(path).release()
        finally:
            holder.kill()
            os.kill(child, signal.SIGKILL)


def test_a_disk_without_room_for_it_is_told_and_leaves_it_free(tmp_path: Path):
    """Every error of a journal says what to do, as a `JournalError`; and the next try must not meet a lock of ours."""
    path = str(tmp_path / "j.db")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # Python ignores the signal, and the write fails
    try:
        with pytest.raises(JournalError, match=r"cannot write to .*j\.db\.lock.*Free some space"):
            WriterLock(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    WriterLock(path).release()


FORK_IN_LINE = """
import os, signal, sys
from relay_actors.journal.writer_lock import NextInLine
is_there, says_so = os.pipe()
with NextInLine(sys.argv[1]):
    if (child := os.fork()) == 0:
        os.write(says_so, b".")
        signal.pause()
    os.read(is_there, 1)
print(child, flush=True)
signal.pause()
"""


def test_a_process_that_was_forked_off_does_not_wait_in_line(tmp_path: Path):
    """Otherwise the application would be ended by a stray signal, for a successor that is not there (J7)."""
    path = str(tmp_path / "j.db")
    with subprocess.Popen([sys.executable, "-c", FORK_IN_LINE, path], stdout=subprocess.PIPE, text=True) as waiter:
        child = int(waiter.stdout.readline())
        try:
            assert not is_awaited(path)
            with NextInLine(path):
                assert is_awaited(path)
        finally:
            waiter.kill()
            os.kill(child, signal.SIGKILL)


LEAVES = """
import sys
from relay_actors.journal.writer_lock import WriterLock
lock = WriterLock(sys.argv[1], hands_over=True)
for _line in sys.stdin:
    print(lock.leaves_to_next(), flush=True)
"""


def test_who_lets_go_of_it_for_somebody_says_so_first(tmp_path: Path):
    """C4: so who has waited long enough knows whether to wait on. With nobody in line nothing is said."""
    path = str(tmp_path / "j.db")
    with subprocess.Popen(
        [sys.executable, "-c", LEAVES, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as holder:
        try:
            holder.stdin.write("\n")
            assert holder.stdout.readline() == "False\n"
            assert find_holder(path) == Holder(holder.pid, hands_over=True, leaves=False)
            with NextInLine(path):
                holder.stdin.write("\n")
                assert holder.stdout.readline() == "True\n"
            assert find_holder(path) == Holder(holder.pid, hands_over=True, leaves=True)
        finally:
            holder.kill()


def test_a_planted_link_is_not_followed(tmp_path: Path):
    """In a directory that others can write to, a link must not make us write into a file of their choice."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "j.db.lock").symlink_to(victim)

    with pytest.raises(JournalError, match="cannot open"):
        WriterLock(str(tmp_path / "j.db"))

    assert victim.read_text() == "untouched"


@pytest.mark.parametrize("hands_over", [True, False])
def test_who_holds_it_is_found_and_whether_it_hands_over(tmp_path: Path, hands_over: bool):
    """C4: whoever is asked must be the one, and must understand."""
    path = str(tmp_path / "j.db")
    assert find_holder(path) is None
    arguments = [path, "hands over"] if hands_over else [path]
    with subprocess.Popen([sys.executable, "-c", HOLD, *arguments], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            assert find_holder(path) == Holder(holder.pid, hands_over)
        finally:
            holder.kill()
        holder.wait(10.0)
    assert find_holder(path) is None  # the number still stands in the file, and is nobody's
    WriterLock(path).release()


def test_nobody_is_taken_for_the_holder_by_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """C4: a signal to a stranger could end it: a stale number, one of another container, or this process itself."""
    path = str(tmp_path / "j.db")
    lock = WriterLock(path)
    try:
        assert find_holder(path) == Holder(0, False)
        Path(f"{path}.lock").write_text(f"{os.getppid()}\nhands over")
        if writer_lock._LOCKS.exists():
            assert find_holder(path) == Holder(0, True)
        monkeypatch.setattr(writer_lock, "_LOCKS", tmp_path / "no such file")  # as on macOS
        assert find_holder(path) == Holder(os.getppid(), True)
        for said in ("nonsense", "", "-1", "99999999"):
            Path(f"{path}.lock").write_text(said)
            assert find_holder(path) == Holder(0, False)
    finally:
        lock.release()


def test_one_process_can_be_next_in_line(tmp_path: Path):
    """C4: two that asked for the same calls would end one application, and start it half."""
    path = str(tmp_path / "j.db")
    assert not is_awaited(path)
    with NextInLine(path):
        assert is_awaited(path)
        with pytest.raises(JournalError, match="another process waits for the journal"):
            NextInLine(path)
        WriterLock(path).release()  # the place in the line is not the journal
    assert not is_awaited(path)


def test_what_cannot_be_looked_at_is_told(tmp_path: Path):
    """Nobody may take a journal for free only because its lock cannot be seen."""
    (tmp_path / "j.db.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(JournalError, match=r"cannot open .*j\.db\.lock"):
        find_holder(str(tmp_path / "j.db"))
    with pytest.raises(JournalError, match=r"cannot open .*missing"):
        NextInLine(str(tmp_path / "missing" / "j.db"))
