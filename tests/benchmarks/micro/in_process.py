"""An application in this process, with a server that is a list of texts: no socket, and nothing to wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from relay_actors import CallActor, RelayApp
from relay_actors.transport.base import Transport

__all__ = ["Server", "offers", "started", "wait_until"]

_DEADLINE_S = 100.0
_AT_ONCE = 200
"""How many texts are received at once: as many as a read of 64 KiB from a socket has."""


class Server:
    """A `Connector` and its only `Transport`. It lets the client log in, and answers nothing else.

    Attributes:
        commands: how many requests for calls have come.
    """

    def __init__(self) -> None:
        self.commands = 0
        self._texts: list[bytes] = []
        self._wake: Callable[[], None] | None = None
        self._changed = threading.Condition()

    def say(self, texts: Sequence[bytes]) -> None:
        """Let the client receive these texts, all at once."""
        self._texts.extend(texts)
        if self._wake is not None:
            self._wake()

    def wait_for_commands(self, number: int) -> None:
        """Wait until so many requests for calls have come since the start."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.commands >= number, _DEADLINE_S):
                raise TimeoutError(f"{self.commands} of {number} commands within {_DEADLINE_S:g} s")

    # -- of the connector --------------------------------------------------------------------------------------------

    def connect(self) -> Transport:
        return self

    def cancel(self) -> None:
        """Nothing is under way."""

    # -- of the transport --------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        return -1

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        self._wake = wake
        if wake is not None and self._texts:
            wake()

    def wants_write(self) -> bool:
        return False

    def receive(self) -> list[bytes]:
        texts, self._texts = self._texts[:_AT_ONCE], self._texts[_AT_ONCE:]
        if self._texts and self._wake is not None:
            self._wake()
        return texts

    def send(self, texts: Iterable[bytes]) -> None:
        commands = 0
        for text in texts:
            if b'"method":"calling.' in text:
                commands += 1
            elif b'"method":"signalwire.connect"' in text:
                result = {"protocol": "signalwire_bench", "identity": "bench@x"}
                self.say([orjson.dumps({"jsonrpc": "2.0", "id": orjson.loads(text)["id"], "result": result})])
        if commands:
            with self._changed:
                self.commands += commands
                self._changed.notify_all()

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def abort(self) -> None:
        """Nothing is open."""


def started(actor_class: type[CallActor]) -> tuple[RelayApp, Server]:
    """Return an application that is logged in, whose calls are of that class, and its server."""
    server = Server()
    app = RelayApp("project", "token", host="relay.example.com", max_active_calls=100_000)
    app.calls("bench")(actor_class)
    app.start(connector=server)
    return app, server


def wait_until(done: Callable[[], bool]) -> None:
    """Wait until something is so, looking a hundred times a second."""
    deadline, pause = time.monotonic() + _DEADLINE_S, threading.Event()
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so within {_DEADLINE_S:g} s")
        pause.wait(0.01)


def offers(number: int, *, first: int = 0) -> list[bytes]:
    """Return the texts that offer so many inbound calls, numbered from ``first``."""
    return [_offer(place) for place in range(first, first + number)]


def _offer(number: int) -> bytes:
    device = {"type": "phone", "params": {"from_number": "+15550000001", "to_number": "+15550000002"}}
    params: dict[str, Any] = {
        "node_id": "node@x", "call_id": f"call-{number:08d}", "call_state": "created", "direction": "inbound",
        "context": "bench", "device": device,
    }  # fmt: skip
    event = {"event_type": "calling.call.receive", "timestamp": 1767225604.25, "params": params}
    return orjson.dumps({"jsonrpc": "2.0", "id": f"e-{number:08d}", "method": "signalwire.event", "params": event})
