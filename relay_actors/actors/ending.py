"""How a running application is told to end: by signals, or because there is nothing left to run. Layer: hall."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterator

from relay_actors.actors.tree import Tree
from relay_actors.errors import ConfigError, RelayActorsError

__all__ = ["Ending", "heeding_signals"]

_log = logging.getLogger("relay_actors.app")

_OVER = ("ended", "drained")


class Ending:
    """What each word means that has to do with the end: the first signal drains, the second hangs up who is left.

    Args:
        tree: of the running application.
        drain_s: for how long calls that are up may go on after the first signal.
        tell: is given a word when the connection has ended for good, and when nobody is up any more. Called in any
            thread; the words are for `hear`.
    """

    def __init__(self, tree: Tree, drain_s: float, tell: Callable[[str], None]) -> None:
        self._tree = tree
        self._drain_s = drain_s
        self._tell = tell
        self._drains = False
        tree.wire.ended.add_done_callback(lambda _ended: tell("ended"))

    def hear(self, word: str) -> bool:
        """Do what a word means: one of its own, or the name of a signal. True: it is time to stop."""
        if word in _OVER:
            return True
        if self._drains:
            _log.warning("%s again: hanging up calls_up=%d", word, self._tree.calls_up)
            self._tree.hurry()
        else:
            self._drains = True
            _log.info("%s: draining calls_up=%d", word, self._tree.calls_up)
            # Not here: this thread must hear the next signal.
            self._tree.system.dispatcher.run_blocking(self._drain, "drain")
        return False

    @property
    def error(self) -> RelayActorsError | None:
        """What has ended it, or None: it was stopped, or told to end."""
        ended = self._tree.wire.ended
        return ended.get(timeout=0) if ended.is_settled else None

    def _drain(self) -> None:
        self._tree.drain(self._drain_s)
        self._tell("drained")


@contextlib.contextmanager
def heeding_signals(tell: Callable[[str], None]) -> Iterator[None]:
    """Have ``tell`` given the name of each SIGINT and SIGTERM; the third ends the process at once, with exit status 1.

    Raises:
        ConfigError: this is not the main thread, which alone hears signals.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ConfigError("app.run() handles signals, so it is for the main thread: elsewhere use app.start()")
    heard: list[str] = []

    def note(number: int, _frame: object) -> None:
        heard.append(signal.Signals(number).name)
        if len(heard) >= 3:
            # Raised wherever the main thread is, and be it waiting for the end: this is the way out.
            _log.error("%s for the third time: ending now", heard[-1])
            raise SystemExit(1)
        tell(heard[-1])

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
