"""Makes sure that a journal file has one living writer, and says who that is. Layer: pillar."""

from __future__ import annotations

import contextlib
import fcntl
import os
import weakref
from pathlib import Path
from typing import Final

from relay_actors.errors import JournalError
from relay_actors.late_dataclasses import dataclass

__all__ = ["Holder", "NextInLine", "WriterLock", "find_holder", "is_awaited"]

_LONGEST: Final = 40
_HANDS_OVER: Final = "hands over"
_LEAVES: Final = "leaves it"
_LOCKS: Final = Path("/proc/locks")
"""Where Linux says which process holds which lock."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who writes to a journal.

    Attributes:
        pid: its process; 0 if it cannot be told: it may be in another container, or on another machine.
        hands_over: whether it hands the journal over when it is asked to.
        leaves: whether it is just doing that, and does not go back any more.
    """

    pid: int
    hands_over: bool
    leaves: bool = False


class _FileLock:
    """Holds a lock for as long as its descriptor is open. A process that is forked off does not keep it."""

    _fd: int

    def release(self) -> None:
        """Let another one have it. Idempotent."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):  # closing is what releases it, and it is closed even when this fails
                os.close(self._fd)
            self._fd = -1


_held: Final[weakref.WeakSet[_FileLock]] = weakref.WeakSet()


def _let_go_in_child() -> None:
    """Close what a fork has copied. The lock stays the parent's: it goes with the last descriptor of it."""
    for lock in tuple(_held):
        lock.release()


os.register_at_fork(after_in_child=_let_go_in_child)


class WriterLock(_FileLock):
    """Holds ``<path>.lock`` until it is released, or until the process ends in whatever way: the kernel sees to that.

    It is a file of its own because closing any descriptor of the database file would silently drop the locks that
    SQLite holds on it in this process. The file stays when the lock is released: removing it would let two writers
    lock two files of one name. A process that is forked off does not keep it: it may live longer than this one.

    Args:
        path: the journal file, resolved.
        hands_over: whether this process hands the journal over when another one asks for it; for `find_holder`.

    Raises:
        JournalError: somebody else holds it, or it cannot be made.
    """

    def __init__(self, path: str, *, hands_over: bool = False) -> None:
        self._path = path
        self._fd = _open(f"{path}.lock")
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read(self._fd).partition("\n")[0] or "unknown"
            os.close(self._fd)
            raise JournalError(
                f"the journal {path} is in use by another writer (process {holder}). "
                "Stop that one first, or give this application a journal of its own"
            ) from None
        except OSError as error:
            os.close(self._fd)
            raise JournalError(f"cannot lock {path}.lock, which guards the journal: {error.strerror}") from error
        _held.add(self)
        try:
            _say(self._fd, _HANDS_OVER if hands_over else "")
        except OSError as error:  # the disk is full
            self.release()
            raise JournalError(
                f"cannot write to {path}.lock, which guards the journal: {error.strerror}. "
                "Free some space on its disk, then start again: nothing that was committed is lost"
            ) from error

    def leaves_to_next(self) -> bool:
        """Return whether a process is next in line; then it is sure that this one lets go of the journal.

        The lock says so, because who waits may give up in this very moment, and nobody would have the journal: it is
        said before it is looked who waits, and who gives up looks at it after having left the line.

        Raises:
            JournalError: it cannot be told.
        """
        if self._fd < 0:
            return False
        is_sure = False
        try:
            _say(self._fd, _LEAVES)
            try:
                is_sure = is_awaited(self._path)
            finally:
                if not is_sure:
                    _say(self._fd, _HANDS_OVER)
        except OSError as error:
            raise JournalError(
                f"cannot write to {self._path}.lock, which guards the journal: {error.strerror}"
            ) from error
        return is_sure


class NextInLine(_FileLock):
    """Holds ``<path>.next`` while its ``with`` statement lasts: who waits for the journal, so that it is asked for.

    One process can wait at a time. Whoever hands the journal over looks whether somebody is there to take it: a stray
    signal, or one of a process that has given up meanwhile, must not end an application with its calls up.

    Args:
        path: the journal file, resolved.

    Raises:
        JournalError: another process waits already, or the file cannot be made.
    """

    def __init__(self, path: str) -> None:
        self._fd = _open(f"{path}.next")
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            if not isinstance(error, BlockingIOError):
                raise JournalError(f"cannot lock {path}.next: {error.strerror}") from error
            raise JournalError(
                f"another process waits for the journal {path} already: let that one take over, or stop it"
            ) from None
        _held.add(self)

    def __enter__(self) -> None:
        """It is held already."""

    def __exit__(self, *_how: object) -> None:
        self.release()


def is_awaited(path: str) -> bool:
    """Return whether a process is next in line for a journal file."""
    return _is_held(f"{path}.next") is not None


def find_holder(path: str) -> Holder | None:
    """Return who writes to a journal file at this moment; None if nobody does.

    Args:
        path: the journal file, resolved.

    Raises:
        JournalError: its lock cannot be looked at.
    """
    said = _is_held(f"{path}.lock")
    if said is None:
        return None
    first, _newline, second = said.partition("\n")
    pid = int(first) if first.isascii() and first.isdigit() else 0
    # What stands there may be of a former writer, as long as the present one is just about to write; and a process of
    # another container may have the number of one of ours. Nobody is to be signalled by mistake.
    if pid == os.getpid() or not _holds(pid, f"{path}.lock"):
        pid = 0
    return Holder(pid, second.strip() in (_HANDS_OVER, _LEAVES), second.strip() == _LEAVES)


def _is_held(name: str) -> str | None:
    """Return what stands in a lock file that somebody holds; None if nobody does."""
    try:
        fd = os.open(name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalError(f"cannot open {name}, which guards the journal: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(fd)
    else:
        return None
    finally:
        os.close(fd)


def _holds(pid: int, name: str) -> bool:
    """Return whether a process holds a lock on a file, as far as the system tells; else whether it is there at all."""
    try:
        locks = _LOCKS.read_text("ascii", "replace")
    except OSError:
        return pid > 0 and _is_there(pid)
    inode = os.stat(name).st_ino
    # 2: FLOCK  ADVISORY  WRITE 21596 fe:00:2146691 0 EOF. The device is not compared: there are file systems of which
    # the kernel says another one here than to `stat`.
    return any(
        len(words) > 5 and words[1] == "FLOCK" and words[4] == str(pid) and words[5].rpartition(":")[2] == str(inode)
        for words in map(str.split, locks.splitlines())
    )


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _open(name: str) -> int:
    try:
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise JournalError(
            f"cannot open {name}, which guards the journal: {error.strerror}. "
            "The directory must exist, and this process must be allowed to write there"
        ) from error


def _say(fd: int, what: str) -> None:
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n{what}".encode(), 0)


def _read(fd: int) -> str:
    return os.pread(fd, _LONGEST, 0).decode("ascii", "replace").strip()
