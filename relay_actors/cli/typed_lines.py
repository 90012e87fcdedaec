"""Lines from standard input, on the main thread, which waits for signals at the same time. Layer: door."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self, TextIO

__all__ = ["TypedLines"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_BACKGROUND_S: Final = 1.0
"""How often to look whether the terminal has become ours again."""

_READ_BYTES: Final = 65536


class TypedLines:
    """The lines that come from standard input, until a signal or ``stopping`` ends them; the end of input does not.

    Everything happens on the main thread, which waits for input and signals at once: neither is lost, and nothing is
    interrupted half-way. At a terminal a Ctrl-C while a line is being done asks to be done with that line only; the
    next Ctrl-C ends everything, as does every other signal.

    Args:
        stopping: set from outside to end; set here by a signal.
        stream: where lines come from; None when there is no standard input.
        interrupted: set here by a Ctrl-C that is for one line only, and cleared before the next line.
    """

    def __init__(
        self, stopping: threading.Event, stream: TextIO | None, interrupted: threading.Event | None = None
    ) -> None:
        self._stopping = stopping
        self._interrupted = interrupted
        self._is_doing = False
        self._fd = _descriptor(stream)
        self.is_terminal = self._fd is not None and os.isatty(self._fd)
        self._waiting = b""

    def __enter__(self) -> Self:
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._selector.close()
        self._woken.close()
        self._waker.close()

    def __iter__(self) -> Iterator[str]:
        while not self._stopping.is_set():
            line, newline, rest = self._waiting.partition(b"\n")
            if newline:
                self._waiting = rest
                if self._interrupted is not None:
                    self._interrupted.clear()
                self._is_doing = True
                yield line.decode(errors="replace")
                self._is_doing = False
            else:
                self._read()

    def _read(self) -> None:
        is_ours = self._fd is not None and (not self.is_terminal or _is_in_front(self._fd))
        if is_ours and not self._is_watched():
            self._watch()
            if self._waiting:
                return
        elif not is_ours and self._is_watched():
            # In the background a read would stop the whole process: wait until the terminal is ours again.
            self._selector.unregister(self._input())
        timeout_s = _BACKGROUND_S if self.is_terminal and not is_ours else None
        for key, _events in self._selector.select(timeout_s):
            if key.fd == self._fd:
                self._take()

    def _take(self) -> None:
        data = os.read(self._input(), _READ_BYTES)
        if data:
            self._waiting += data
            return
        if self._waiting:
            self._waiting += b"\n"  # a last line that nobody ended
        self._selector.unregister(self._input())
        self._fd = None

    def _watch(self) -> None:
        try:
            self._selector.register(self._input(), selectors.EVENT_READ)
        except PermissionError:  # a plain file cannot be polled; it is all there
            while self._fd is not None:
                data = os.read(self._fd, _READ_BYTES)
                self._waiting += data
                if not data:
                    self._fd = None
            self._waiting += b"\n"

    def _is_watched(self) -> bool:
        return self._fd is not None and self._fd in self._selector.get_map()

    def _input(self) -> int:
        assert self._fd is not None
        return self._fd

    def _on_signal(self, number: int, _frame: object) -> None:
        line = self._interrupted if number == signal.SIGINT and self.is_terminal and self._is_doing else None
        if line is not None and not line.is_set():
            line.set()
            return
        self._stopping.set()
        with contextlib.suppress(BlockingIOError):  # enough wake-ups wait
            self._waker.send(b"!")


def _is_in_front(terminal: int) -> bool:
    """Return whether this process may read from a terminal without being stopped for it."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # not the terminal that controls this process: there is no background
        return True


def _descriptor(stream: TextIO | None) -> int | None:
    """Return the descriptor to read from, or None when there is nothing to read."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):  # replaced by something without one, or closed
        return None
