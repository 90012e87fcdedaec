"""Applications against a `PlainServer`: how tests start them, and what they are made of."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from relay_actors import CallActor, CallHandle, RelayApp, Timing
from relay_actors.events import CallReceiveEvent
from tests.support.plain_server import DEADLINE_S, PlainPeer, PlainServer

__all__ = [
    "PATIENT",
    "Recorder",
    "answering",
    "app_for",
    "handle_of",
    "in_background",
    "logged_in",
    "started",
    "started_app",
    "wait_until",
]

PATIENT = Timing(
    reconnect_min_s=0.02,
    reconnect_max_s=0.1,
    linger_s=0.02,
    park_s=0.2,
    wrap_up_s=1.0,
    stop_timeout_s=2.0,
    request_timeout_s=5.0,
    reconcile_s=0.2,
    tcp_connect_s=2.0,
    upgrade_s=2.0,
)
"""Reconnects at once, and otherwise waits longer than a test does."""


class Recorder:
    """A context's call class that writes down what its calls are told, and lets tests wait for it.

    Attributes:
        actor_class: to be given to an application.
    """

    def __init__(self, on_message: Callable[[CallActor, object], None] | None = None) -> None:
        self._told: queue.SimpleQueue[tuple[str, object]] = queue.SimpleQueue()
        recorder = self

        class Recorded(CallActor):
            def on_receive(self, message: object) -> None:
                recorder._told.put((self.call_id, message))
                if on_message is not None:
                    on_message(self, message)

        self.actor_class = Recorded

    def next(self, kind: type[Any] | None = None, call_id: str | None = None, within_s: float = DEADLINE_S) -> Any:
        """Wait for the next message, of that kind and call if they are given; the others before it are dropped."""
        seen: list[tuple[str, object]] = []
        while True:
            try:
                owner, message = self._told.get(timeout=within_s)
            except queue.Empty:
                raise AssertionError(f"no {kind} of {call_id} within {within_s} s, but: {seen}") from None
            if (kind is None or isinstance(message, kind)) and call_id in (None, owner):
                return message
            seen.append((owner, message))

    def so_far(self) -> list[tuple[str, object]]:
        """Return what was told and not asked for yet, each with its call id."""
        seen = []
        while True:
            try:
                seen.append(self._told.get_nowait())
            except queue.Empty:
                return seen


def answering(call: CallActor, message: object) -> None:
    """For a `Recorder` whose calls are answered."""
    if isinstance(message, CallReceiveEvent):
        call.answer()


def app_for(server: PlainServer, kind: type[RelayApp] = RelayApp, **settings: Any) -> RelayApp:
    """Return an application that will connect to ``server``; not started."""
    given: dict[str, Any] = {
        "project": "project",
        "token": "a-secret-token",
        "host": server.host,
        "scheme": "ws",
        "timing": PATIENT,
        **settings,
    }
    return kind(**given)


def started(app: RelayApp, server: PlainServer, result: dict[str, Any] | None = None) -> PlainPeer:
    """Start an application and let it log in; return the server's end. The caller stops it."""
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(app.start, wait_s=DEADLINE_S)
        peer = server.accept_login(result)
        starting.result(DEADLINE_S)
    return peer


@contextmanager
def started_app(app: RelayApp, server: PlainServer) -> Iterator[PlainPeer]:
    """Start an application and let it log in; give the server's end. It is stopped in the end."""
    try:
        yield started(app, server)
    finally:
        app.stop()


@contextmanager
def logged_in(
    server: PlainServer, recorder: Recorder | None = None, *, journal: Any = None, **settings: Any
) -> Iterator[tuple[RelayApp, PlainPeer]]:
    """Give an application that has logged in, and the server's end of its connection; it is stopped in the end.

    Its calls of context ``support`` are handled by ``recorder``.
    """
    app = app_for(server, journal=journal, **settings)
    if recorder is not None:
        app.calls("support")(recorder.actor_class)
    try:
        yield app, started(app, server)
    finally:
        app.stop()


@contextmanager
def in_background(script: Callable[[], None]) -> Iterator[None]:
    """Play the server's part on another thread; what goes wrong there is raised here."""
    with ThreadPoolExecutor(1) as pool:
        playing = pool.submit(script)
        yield
        playing.result(2 * DEADLINE_S)


def wait_until(is_so: Callable[[], object], what: str = "it") -> None:
    """Wait until something has happened that nobody can wait for otherwise."""
    pause = threading.Event()
    for _ in range(int(DEADLINE_S / 0.002)):
        if is_so():
            return
        pause.wait(0.002)
    raise AssertionError(f"{what} has not happened within {DEADLINE_S} s")


def handle_of(app: RelayApp, call_id: str) -> CallHandle:
    """Return the handle of a call, as soon as there is one."""
    wait_until(lambda: app.call(call_id), f"call {call_id}")
    handle = app.call(call_id)
    assert handle is not None
    return handle
