"""Two ends of a connection in one process: no socket, no thread, no waiting. Layer: pillar.

With it a whole application and its simulator run on one thread, the same every time (DESIGN section 2). It keeps
every promise of `transport/base.py`; the contract suite that holds the WebSocket to them holds this too.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from relay_actors.config import Limits
from relay_actors.errors import ConnectFailedError, TransportError

__all__ = ["MemoryConnector", "MemoryTransport", "memory_pair"]

_DEFAULT_LIMITS: Final = Limits()


def memory_pair(limits: Limits = _DEFAULT_LIMITS) -> tuple[MemoryTransport, MemoryTransport]:
    """Return the two ends of one connection, equal in everything.

    Args:
        limits: ``frame_bytes`` bounds one text and ``outbound_bytes`` what waits to be received, for each direction.
    """
    there, back = _Lane(limits), _Lane(limits)
    return MemoryTransport(inbound=back, outbound=there), MemoryTransport(inbound=there, outbound=back)


class MemoryTransport:
    """One end of a `memory_pair`; a `Transport` that is woken and not polled. The two ends may live in two threads."""

    def __init__(self, *, inbound: _Lane, outbound: _Lane) -> None:
        self._inbound = inbound
        self._outbound = outbound
        self._is_freed = False

    def fileno(self) -> int:
        """Return -1: there is nothing to poll, see `set_waker`."""
        return -1

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        """Have ``wake`` called when there is something to receive or the peer is gone; at once, if that is so now."""
        self._inbound.set_waker(None if self._is_freed else wake)

    def wants_write(self) -> bool:
        """Return False: what is sent is at the other end at once."""
        return False

    def receive(self) -> list[bytes]:
        """Return every text that is there, possibly none.

        Raises:
            TransportError: the peer is gone; texts that came before were returned first.
        """
        self._check_open()
        return self._inbound.take()

    def send(self, texts: Iterable[bytes]) -> None:
        """Put these texts where the other end receives them.

        Raises:
            TransportError: the peer is gone, or has left more unread than ``outbound_bytes``.
        """
        self._check_open()
        if (ending := self._inbound.ending) is not None:
            raise TransportError(ending)
        self._outbound.put(texts)

    def flush(self) -> None:
        """Do nothing: nothing ever waits.

        Raises:
            TransportError: this end was closed.
        """
        self._check_open()

    def close(self) -> None:
        """Say goodbye and free everything. Idempotent."""
        self._free("the peer closed the connection with 1000")

    def abort(self) -> None:
        """Free everything with no goodbye: the peer sees a broken connection. Idempotent."""
        self._free("the connection is broken: the peer vanished without a goodbye")

    def _free(self, ending: str) -> None:
        if not self._is_freed:
            self._is_freed = True
            self._inbound.drop()
            self._outbound.end(ending)

    def _check_open(self) -> None:
        if self._is_freed:
            raise TransportError("this end of the connection was closed here")


class MemoryConnector:
    """A `Connector` whose connections end in this process.

    Args:
        accept: is given the far end of each new connection, before `connect` returns the near one.
        limits: the bounds of each connection.
    """

    def __init__(self, accept: Callable[[MemoryTransport], None], *, limits: Limits = _DEFAULT_LIMITS) -> None:
        self._accept = accept
        self._limits = limits
        self._refusal: str | None = None

    def connect(self) -> MemoryTransport:
        """Return the near end of a new connection.

        Raises:
            ConnectFailedError: `refuse` is in force.
        """
        if self._refusal is not None:
            raise ConnectFailedError("tcp", "memory", self._refusal)
        near, far = memory_pair(self._limits)
        self._accept(far)
        return near

    def cancel(self) -> None:
        """Do nothing: `connect` never waits, so none is ever under way."""

    def refuse(self, why: str = "connection refused") -> None:
        """Let every `connect` fail, with this reason, until `admit`. Connections that are open stay open."""
        self._refusal = why

    def admit(self) -> None:
        """Let `connect` succeed again."""
        self._refusal = None


class _Lane:
    """One direction: the texts on their way to one end, and why no more will come."""

    def __init__(self, limits: Limits) -> None:
        self._lock = threading.Lock()
        self._limits = limits
        self._texts: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._wake: Callable[[], None] | None = None
        self.ending: str | None = None

    def put(self, texts: Iterable[bytes]) -> None:
        with self._lock:
            for text in texts:
                if self.ending is not None:
                    break
                if len(text) > self._limits.frame_bytes:
                    self.ending = f"a message of {len(text)} bytes is over the limit of {self._limits.frame_bytes}"
                    break
                self._texts.append(bytes(text))
                self._waiting_bytes += len(text)
            overfull, wake = self._waiting_bytes > self._limits.outbound_bytes, self._wake_if_due()
        # Outside the lock: whoever is woken may well receive at once, in this very thread.
        wake()
        if overfull:
            raise TransportError(
                f"the peer does not read: more than {self._limits.outbound_bytes} bytes wait for it (outbound_bytes)"
            )

    def take(self) -> list[bytes]:
        with self._lock:
            texts = list(self._texts)
            self._texts.clear()
            self._waiting_bytes = 0
            ending, wake = self.ending, self._wake_if_due()
        if not texts and ending is not None:
            raise TransportError(ending)
        wake()
        return texts

    def end(self, ending: str) -> None:
        with self._lock:
            self.ending = self.ending or ending
            wake = self._wake_if_due()
        wake()

    def drop(self) -> None:
        """Forget everything: the receiving end is gone."""
        with self._lock:
            self._texts.clear()
            self._waiting_bytes = 0
            self._wake = None

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        with self._lock:
            self._wake = wake
            due = self._wake_if_due()
        due()

    def _wake_if_due(self) -> Callable[[], None]:
        if self._wake is not None and (self._texts or self.ending is not None):
            return self._wake
        return _nothing


def _nothing() -> None:
    """Stand in for a waker that is not there or not due."""
