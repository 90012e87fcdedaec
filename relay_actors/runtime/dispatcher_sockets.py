"""Which sockets a dispatcher polls, and how a sleeping poll is woken. Layer: pillar."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Callable

from relay_actors.runtime.base import Pollable

__all__ = ["SocketPoll"]

_log = logging.getLogger("relay_actors.runtime")


class _Watched:
    """A pollable and what the selector has been told of it."""

    __slots__ = ("armed", "events", "on_ready", "pollable", "registered_fd")

    def __init__(self, pollable: Pollable, on_ready: Callable[[], None]) -> None:
        self.pollable = pollable
        self.on_ready = on_ready
        self.armed = True
        self.events = 0
        self.registered_fd = -1


class SocketPoll:
    """A selector that any thread may change while one thread polls it.

    A pollable that is ready is told once, and again after `rearm`. While it is not rearmed it stays registered, so
    that the usual case, polled, read and rearmed in one round, needs no system call; only if it is ready again before
    that, it is taken out.
    """

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        # Guards what is watched and what the selector has been told of it: held for a system call, never in a poll.
        # Re-entrant, because a finaliser may run in the middle, and close a socket.
        self._lock = threading.RLock()
        self._selector: selectors.BaseSelector | None = None
        self._wake_reader: socket.socket | None = None
        self._wake_writer: socket.socket | None = None

    # -- from any thread ---------------------------------------------------------------------------------------------

    def watch(self, pollable: Pollable, on_ready: Callable[[], None]) -> None:
        """Have ``on_ready`` called once when ``pollable`` is ready."""
        watched = _Watched(pollable, on_ready)
        with self._lock:
            self._watched[id(pollable)] = watched
            is_polled = self._tell_selector(watched)
        self._after_telling(watched, is_polled)

    def rearm(self, pollable: Pollable) -> None:
        """Have it called once more."""
        with self._lock:
            watched = self._watched.get(id(pollable))
            if watched is None:
                return
            watched.armed = True
            if watched.events == _interest(pollable):
                return
            is_polled = self._tell_selector(watched)
        self._after_telling(watched, is_polled)

    def unwatch(self, pollable: Pollable) -> None:
        """Forget ``pollable``; idempotent.

        It is done when this returns: the descriptor may be closed, and its number given to another, right after.
        """
        with self._lock:
            watched = self._watched.pop(id(pollable), None)
            if watched is not None:
                self._forget(watched)

    def wake(self) -> None:
        """Have a poll return at once: the present one, or the next."""
        writer = self._wake_writer
        if writer is None:
            return
        try:
            writer.send(b"\0")
        except BlockingIOError:
            return  # the pipe is full of wake-ups: one more would say nothing new
        except OSError:
            _log.debug("wake-up after the end")

    # -- for the dispatcher ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make the selector, with all that is watched already."""
        with self._lock:
            self._selector = selectors.DefaultSelector()
            self._wake_reader, self._wake_writer = socket.socketpair()
            self._wake_reader.setblocking(False)
            self._wake_writer.setblocking(False)
            self._selector.register(self._wake_reader, selectors.EVENT_READ, None)
            told = [(watched, self._tell_selector(watched)) for watched in self._watched.values()]
        for watched, is_polled in told:
            self._after_telling(watched, is_polled)

    def close(self) -> None:
        """Close the selector; what is watched is remembered for the next `open`. Idempotent."""
        with self._lock:
            for watched in self._watched.values():
                watched.registered_fd = -1
                watched.events = 0
            for closable in (self._selector, self._wake_reader, self._wake_writer):
                if closable is not None:
                    closable.close()
            self._selector = self._wake_reader = self._wake_writer = None

    def poll(self, timeout_s: float) -> list[Callable[[], None]]:
        """Wait until something is ready, somebody wakes, or the time is over; return whom to tell. One thread."""
        selector = self._selector
        if selector is None:
            return []
        ready: list[Callable[[], None]] = []
        for key, _mask in selector.select(timeout_s):
            watched: _Watched | None = key.data
            if watched is None:
                self._drain_wakes()
            elif self._is_to_be_told(watched):
                ready.append(watched.on_ready)
        return ready

    # -- inside ------------------------------------------------------------------------------------------------------

    def _is_to_be_told(self, watched: _Watched) -> bool:
        with self._lock:
            if self._watched.get(id(watched.pollable)) is not watched:
                return False
            if watched.armed:
                watched.armed = False
                return True
            # Told already, and not dealt with yet, by an actor in a long turn: do not spin on it. `rearm` comes back.
            self._forget(watched)
            return False

    def _tell_selector(self, watched: _Watched) -> bool:
        """Have the selector poll for what the pollable wants now; False if that cannot be done. Under the lock."""
        selector = self._selector
        if selector is None:
            return True  # `open` will
        events = _interest(watched.pollable)
        try:
            if watched.registered_fd < 0:
                descriptor = watched.pollable.fileno()
                selector.register(descriptor, events, watched)
                watched.registered_fd = descriptor
            else:
                selector.modify(watched.registered_fd, events, watched)
        except (KeyError, ValueError, OSError) as problem:
            _log.debug("cannot poll: %s", problem)
            return False
        watched.events = events
        return True

    def _after_telling(self, watched: _Watched, is_polled: bool) -> None:
        if is_polled:
            self.wake()  # not every kind of selector takes up a change in the middle of a poll
        else:
            watched.on_ready()  # the descriptor went meanwhile: its owner finds out when it reads, so tell it to

    def _forget(self, watched: _Watched) -> None:
        """Have the selector poll it no more. Under the lock."""
        if watched.registered_fd >= 0 and self._selector is not None:
            try:
                self._selector.unregister(watched.registered_fd)
            except (KeyError, ValueError, OSError):
                _log.debug("descriptor was already forgotten fd=%s", watched.registered_fd)
        watched.registered_fd = -1
        watched.events = 0

    def _drain_wakes(self) -> None:
        reader = self._wake_reader
        try:
            while reader is not None and len(reader.recv(4096)) == 4096:
                continue
        except BlockingIOError:
            return


def _interest(pollable: Pollable) -> int:
    return selectors.EVENT_READ | (selectors.EVENT_WRITE if pollable.wants_write() else 0)
