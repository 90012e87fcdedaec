"""``relay-actors run --handover``: takes the calls over from the process that runs, and says how long that took.

Layer: door. Source: SEMANTICS C4.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from relay_actors.actors.ending import HAND_OVER
from relay_actors.app import RelayApp
from relay_actors.errors import ConfigError, JournalError, RelayActorsError
from relay_actors.journal.reading import SqliteReader
from relay_actors.journal.writer_lock import Holder, NextInLine, find_holder
from relay_actors.runtime.clock import SystemClock, fresh_random, uuid4_ids

__all__ = ["PATIENCE_S", "Settling", "Taken", "take_over"]

_log = logging.getLogger("relay_actors.handover")

PATIENCE_S: Final = 30.0
"""How long a log in is waited for, and for what the former process leaves at its end; and for its journal, once it
has begun to leave."""

_GOES_ON: Final = "Nothing has changed: the other process goes on"
_INSTEAD: Final = (
    "Nothing has changed. To replace it all the same, stop it with SIGTERM, and start this one after it has ended "
    "(at_drain_deadline=LeaveForNext() leaves it the calls)"
)
_LOOKS_AGAIN_S: Final = 0.01
_OPENS_AGAIN_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Taken:
    """That a journal was taken over.

    Attributes:
        pid: of the process that has let go of it.
        waited_s: how long after it was asked it had. It went on until it heard that.
        at: when it had, on the monotonic clock.
    """

    pid: int
    waited_s: float
    at: float


def take_over(app: RelayApp, timeout_s: float) -> Taken | None:
    """Ask the process that holds the application's journal to hand it over, and wait until it has.

    Args:
        app: not started yet.
        timeout_s: how long to wait, unless it has begun to leave by then.

    Returns:
        From whom; None if nobody holds it.

    Raises:
        ConfigError: there is no journal, another process waits for it already, this one could not log in, or the holder
            cannot be asked or does not let go; it goes on then.
    """
    path = app.journal_path
    if path is None:
        raise ConfigError(
            '--handover: calls are taken over from the journal, so give its path: RelayApp(journal="calls.db")'
        )
    with contextlib.ExitStack() as stack:
        try:
            line = NextInLine(path)
            stack.callback(line.release)
            holder = find_holder(path)
        except JournalError as error:
            raise ConfigError(f"--handover: {error}") from None
        if holder is None:
            _log.info("nobody runs with the journal %s: starting as usual", path)
            return None
        _check_readable(path)
        _check_may_be_asked(holder, path)
        _check_log_in(app)
        holder = find_holder(path)  # anew: all of that took its time, and its number may be somebody else's by now
        if holder is None:
            _log.info("who ran with the journal %s has ended meanwhile: starting as usual", path)
            return None
        _check_may_be_asked(holder, path)
        _log.info("asking process %d for its calls journal=%s", holder.pid, path)
        asked = time.monotonic()
        try:
            with contextlib.suppress(ProcessLookupError):  # it has just ended, and with it its lock
                os.kill(holder.pid, HAND_OVER)
        except PermissionError:
            raise ConfigError(
                f"--handover: process {holder.pid} belongs to another user: run this one as that. {_INSTEAD}"
            ) from None
        if not _until(lambda: find_holder(path) is None, timeout_s):
            line.release()  # who has not begun to leave does not any more
            late = find_holder(path)
            if late is not None and not late.leaves:
                raise ConfigError(
                    f"--handover: process {holder.pid} did not let go of the journal {path} within {timeout_s:g} s; "
                    f"its log may say why. {_INSTEAD}; --handover-timeout waits longer"
                )
            if not _until(lambda: find_holder(path) is None, PATIENCE_S):  # else nobody would have its calls
                raise ConfigError(
                    f"--handover: process {holder.pid} leaves its calls, and has not let go of the journal {path} yet: "
                    "see its log, end it, and start this one again at once"
                )
        now = time.monotonic()
        return Taken(holder.pid, now - asked, now)


def _check_may_be_asked(holder: Holder, path: str) -> None:
    if not holder.pid:
        raise ConfigError(
            f"--handover: the journal {path} is held by a process that cannot be seen from here, in another container "
            f"perhaps. {_INSTEAD}"
        )
    if not holder.hands_over:
        raise ConfigError(
            f"--handover: process {holder.pid}, which holds the journal {path}, hands nothing over: it is run by "
            f"neither `relay-actors run` nor app.run(). {_INSTEAD}"
        )
    if holder.pid == 1:
        raise ConfigError(
            f"--handover: process 1, which holds the journal {path}, is the first one of this container: with it all "
            "others in here end, and so would this one. Nothing has changed. Stop the container instead, and start "
            "that of the new version as soon as it has ended (at_drain_deadline=LeaveForNext() leaves it the calls)"
        )


def _check_log_in(app: RelayApp) -> None:
    """Log in once, beside the other process and with no contexts, as `relay-actors doctor` does."""
    from relay_actors.cli.diagnosis import check_connection  # here, because it brings much that no other run needs

    settings, ids = app.check_settings(), uuid4_ids(fresh_random())
    for found in check_connection(settings, app.timing, app.limits, clock=SystemClock(), ids=ids):
        if found.is_right is False:
            raise ConfigError(f"--handover: {found.what}: {found.hint}. {_GOES_ON}")


def _check_readable(path: str) -> None:
    if not os.path.exists(path):
        return
    try:
        with SqliteReader(path) as journal:
            for _entry in journal.load():
                continue  # what cannot be read is told by an error
    except JournalError as error:
        raise ConfigError(f"--handover: {error}. {_GOES_ON}") from None


class Settling(threading.Thread):
    """Does what is to be done beside the main thread once the journal was taken over, as a context manager.

    It says when calls are heard again, and opens what the former process may have kept open until its end.

    Args:
        app: the application.
        taken: from whom, and when.
        opens: opens something, to be closed by what it is given; a `ConfigError` says that it is not free.
    """

    def __init__(self, app: RelayApp, taken: Taken, opens: Callable[[contextlib.ExitStack], None]) -> None:
        super().__init__(name="relay-actors-handover", daemon=True)
        self._app = app
        self._taken = taken
        self._opens = opens
        self._over = threading.Event()
        self._opened = contextlib.ExitStack()

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_how: object) -> None:
        self._over.set()
        self.join(5.0)
        self._opened.close()

    def run(self) -> None:
        """Do it. On its thread."""
        while not self._app.is_running:
            if self._over.wait(_LOOKS_AGAIN_S):
                return
        taken = self._taken
        try:
            self._app.wait_for_log_in(PATIENCE_S)
        except (TimeoutError, RelayActorsError) as error:  # it is tried further, or the end says what was wrong
            _log.warning("the journal was taken over, and there is no log in from_process=%d: %s", taken.pid, error)
        else:
            gap_s = time.monotonic() - taken.at
            _log.info("took over from_process=%d waited_s=%.2f gap_s=%.2f", taken.pid, taken.waited_s, gap_s)
        due = time.monotonic() + PATIENCE_S
        while not self._over.is_set():
            try:
                with contextlib.ExitStack() as fresh:
                    self._opens(fresh)
                    self._opened.push(fresh.pop_all())
                return
            except ConfigError as error:
                if time.monotonic() > due:
                    _log.error("%s", error)
                    return
            self._over.wait(_OPENS_AGAIN_S)


def _until(is_so: Callable[[], bool], within_s: float) -> bool:
    due = time.monotonic() + within_s
    waiting = threading.Event()
    while not is_so():
        if time.monotonic() > due:
            return False
        waiting.wait(_LOOKS_AGAIN_S)
    return True
