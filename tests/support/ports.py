"""Ports of the loopback on which nobody listens, for as long as a test needs that."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["reserved_port"]


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port that refuses connections, and that a server can be told to listen on, also one after another.

    A port that was free a moment ago may be another test's by now: the system gives it to whoever asks for any. This
    one is bound all the time, but does not listen, so whoever asks for any gets others, and only who names it gets it.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
