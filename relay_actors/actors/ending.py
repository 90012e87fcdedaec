"""How a running application is told to end: by signals, or because there is nothing left to run. Layer: hall."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from relay_actors.errors import ConfigError, JournalError, RelayActorsError

if TYPE_CHECKING:
    from relay_actors.actors.shutdown import Shutdown

__all__ = ["HAND_OVER", "Ending", "heeding_signals", "next_word", "own_signals"]

_log = logging.getLogger("relay_actors.app")

HAND_OVER: Final = signal.SIGUSR1
"""The signal by which the next process asks for the calls. It is none of the ladder: it makes nothing more urgent."""

_HEEDED: Final = (signal.SIGINT, signal.SIGTERM)

_LAST = 4
"""Which signal is not told any more, but ends the process."""


class Ending:
    """What each word means that has to do with the end. Source: SEMANTICS H7, S8.

    The first signal drains, the second turns away what is new, the third hangs up who is left. (The fourth is not
    heard here: it ends the process.) An application that has failed is shut down like one that is told to end.

    Args:
        run: what ends the application.
        drain_s: for how long calls that are up may go on after the first signal.
        tell: is given a word when the application has failed or was stopped, and when all phases of its end are over.
            Called in any thread; the words are for `hear`.
        may_hand_over: says whether somebody waits for the calls. Without, they are handed over to nobody.

    Attributes:
        hands_over: whether it is time to stop because the next process has asked for the calls.
    """

    def __init__(
        self,
        run: Shutdown,
        drain_s: float,
        tell: Callable[[str], None],
        may_hand_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._tree = tree = run.tree
        self._shutdown = run
        self._drain_s = drain_s
        self._tell = tell
        self._may_hand_over = may_hand_over
        self._signals = 0
        self.hands_over = False
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
        calls_up = self._tree.calls_up
        if word == HAND_OVER.name:
            try:
                self.hands_over = self._may_hand_over()
            except JournalError as error:  # it cannot be told, and nobody is to be cut off for that
                _log.error("%s: whether a process waits cannot be told, and this one goes on: %s", word, error)
                return False
            if self.hands_over:
                _log.info("%s: handing over to the next process calls_up=%d", word, calls_up)
            else:
                _log.warning("%s: no process waits for the journal of this one, which goes on", word)
            return self.hands_over
        self._signals += 1
        match self._signals:
            case 1:
                # Who has pressed Ctrl-C waits for the end, and should see why it is not there.
                level = logging.WARNING if calls_up and word == signal.SIGINT.name else logging.INFO
                _log.log(level, "%s: draining calls_up=%d for_s=%g", word, calls_up, self._drain_s)
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
    hands_over: bool = False,
    spares: Collection[signal.Signals] = (),
    leave: Callable[[int], object] = os._exit,
) -> Iterator[None]:
    """Have ``tell`` given the name of each SIGINT and SIGTERM; the fourth ends the process at once.

    Args:
        tell: called in the main thread, wherever that is; it must be short.
        calls_up: how many calls are up, for the log.
        hands_over: whether to tell of `HAND_OVER`, too. Otherwise that signal is the program's own.
        spares: signals that stay the program's own, see `own_signals`.
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
        for stream in (sys.stdout, sys.stderr):  # None: it was closed when the process began
            # It may be closed, or be written to at this very moment.
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                if stream is not None:
                    stream.flush()
        leave(1)

    def pass_on(number: int, _frame: object) -> None:
        tell(signal.Signals(number).name)

    before = {number: signal.signal(number, note) for number in _HEEDED if number not in spares}
    if hands_over:
        before[HAND_OVER] = signal.signal(HAND_OVER, pass_on)
    _heeded.append(before)
    try:
        yield
    finally:
        _heeded.remove(before)
        _give_back(before)


_heeded: Final[list[Mapping[signal.Signals, Any]]] = []
"""What the signals that are heeded at present were to the program."""


def _give_back(handlers: Mapping[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _give_back_in_child() -> None:
    """Leave a process that was forked off no signals to heed: there they would end nothing.

    Whoever wants it to end would wait for ever, as `multiprocessing` does for its workers when the program ends.
    """
    for handlers in reversed(_heeded):
        _give_back(handlers)


os.register_at_fork(after_in_child=_give_back_in_child)


def own_signals() -> list[signal.Signals]:
    """Return for which of the signals that end an application the program has a handler of its own."""
    handlers = [(number, signal.getsignal(number)) for number in _HEEDED]
    return [number for number, handler in handlers if callable(handler) and handler is not signal.default_int_handler]


def next_word(news: queue.SimpleQueue[str]) -> str:
    """Return the next word that is told, in the main thread."""
    # Not a wait without end: a signal that arrives after Python's last look at its flags, and before the thread sleeps,
    # interrupts no sleep, and its handler would run only when something else has woken the main thread.
    while True:
        with contextlib.suppress(queue.Empty):
            return news.get(timeout=0.1)
