"""Makes sure that a journal file has one living writer. Layer: pillar."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import Final

from relay_actors.errors import JournalError

__all__ = ["WriterLock"]

_LONGEST_PID: Final = 20


class WriterLock:
    """Holds ``<path>.lock`` until it is released, or until the process ends in whatever way: the kernel sees to that.

    It is a file of its own because closing any descriptor of the database file would silently drop the locks that
    SQLite holds on it in this process. The file stays when the lock is released: removing it would let two writers
    lock two files of one name.

    Args:
        path: the journal file, resolved.

    Raises:
        JournalError: somebody else holds it, or it cannot be made.
    """

    def __init__(self, path: str) -> None:
        name = f"{path}.lock"
        try:
            self._fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise JournalError(
                f"cannot open {name}, which guards the journal: {error.strerror}. "
                "The directory must exist, and this process must be allowed to write there"
            ) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, _LONGEST_PID, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise JournalError(
                f"the journal {path} is in use by another writer (process {holder}). "
                "Stop that one first, or give this application a journal of its own"
            ) from None
        except OSError as error:
            os.close(self._fd)
            raise JournalError(f"cannot lock {name}, which guards the journal: {error.strerror}") from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        """Let another writer in. Idempotent."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):  # closing is what releases it, and it is closed even when this fails
                os.close(self._fd)
            self._fd = -1
