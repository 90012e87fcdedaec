"""How a running application is told to end: by signals, or because there is nothing left to run. Layer: hall."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from relay_actors.actors.shutdown import Shutdown
from relay_actors.actors.tree import Tree
from relay_actors.errors import ConfigError, RelayActorsError

__all__ = ["Ending", "heeding_signals", "next_word"]

_log = logging.getLogger("relay_actors.app")

_LAST = 4
"""Which signal is not told any more, but ends the process."""


class Ending:
    """What each word means that has to do with the end. Source: SEMANTICS H7, S8.

    The first signal drains, the second turns away what is new, the third hangs up who is left. (The fourth is not
    heard here: it ends the process.) An application that has failed is shut down like one that is told to end.

    Args:
        tree: of the running application.
        shutdown: of the same.
        drain_s: for how long calls that are up may go on after the first signal.
        tell: is given a word when the application has failed or was stopped, and when all phases of its end are over.
            Called in any thread; the words are for `hear`.
    """

    def __init__(self, tree: Tree, shutdown: Shutdown, drain_s: float, tell: Callable[[str], None]) -> None:
        self._tree = tree
        self._shutdown = shutdown
        self._drain_s = drain_s
        self._tell = tell
        self._signals = 0
        tree.wire.ended.add_done_callback(lambda _ended: tell("ended"))
        tree.failed.add_done_callback(lambda _failed: tell("ended"))

    def hear(self, word: str) -> bool:
        """Do what a word means: one of its own, or the name of a signal. True: it is time to stop. Does not wait."""
        if word == "drained":
            return True
        if word == "ended":
            error = self.error
            if error is None:  # it was stopped by somebody else
                return True
            _log.error("failed, shutting down calls_up=%d: %s", self._tree.calls_up, error)
            # Without a connection nothing more is heard of calls, and they need not be waited for.
            self._begin(self._drain_s if self._tree.is_connected else 0.0)
            return False
        self._signals += 1
        calls_up = self._tree.calls_up
        match self._signals:
            case 1:
                _log.info("%s: draining calls_up=%d for_s=%g", word, calls_up, self._drain_s)
                self._begin(self._drain_s)
            case 2:
                declined = self._shutdown.reject()
                _log.warning("%s again: nothing new begins calls_up=%d declined=%d", word, calls_up, declined)
            case _:
                _log.warning("%s for the third time: hanging up calls_up=%d", word, calls_up)
                self._shutdown.hang_up()
        return False

    @property
    def error(self) -> RelayActorsError | None:
        """What has ended it, or None: it was stopped, or told to end."""
        ended, failed = self._tree.wire.ended, self._tree.failed
        error = ended.get(timeout=0) if ended.is_settled else None
        return error if error is not None or not failed.is_settled else failed.get(timeout=0)

    def _begin(self, drain_s: float) -> None:
        self._shutdown.begin(drain_s).add_done_callback(lambda _over: self._tell("drained"))


@contextlib.contextmanager
def heeding_signals(
    tell: Callable[[str], None],
    calls_up: Callable[[], int] = lambda: 0,
    *,
    leave: Callable[[int], object] = os._exit,
) -> Iterator[None]:
    """Have ``tell`` given the name of each SIGINT and SIGTERM; the fourth ends the process at once.

    Args:
        tell: called in the main thread, wherever that is; it must be short.
        calls_up: how many calls are up, for the log.
        leave: ends the process with an exit status, which is 1. Not by an exception: what the main thread is doing
            may catch it, or wait for something that will not come.

    Raises:
        ConfigError: this is not the main thread, which alone hears signals.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ConfigError("app.run() handles signals, so it is for the main thread: elsewhere use app.start()")
    heard: list[str] = []

    def note(number: int, _frame: object) -> None:
        heard.append(signal.Signals(number).name)
        if len(heard) < _LAST:
            tell(heard[-1])
            return
        _log.error("%s for the fourth time: ending now calls_up=%d", heard[-1], calls_up())
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(
                OSError, RuntimeError, ValueError
            ):  # it may be closed, or be written to at this very moment
                stream.flush()
        leave(1)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def next_word(news: queue.SimpleQueue[str]) -> str:
    """Return the next word that is told, in the main thread."""
    # Not a wait without end: a signal that arrives after Python's last look at its flags, and before the thread sleeps,
    # interrupts no sleep, and its handler would run only when something else has woken the main thread.
    while True:
        with contextlib.suppress(queue.Empty):
            return news.get(timeout=0.1)
