"""Drives a `ClientProtocol` with numbers for time, and reads what it writes. Used by the tests of ``client.py``."""

from __future__ import annotations

import itertools
import json
from typing import Any

from relay_actors.config import Credentials, Limits, Timing
from relay_actors.protocol.client import ClientProtocol
from relay_actors.protocol.happenings import Happening, LoggedIn, OpenSocket

__all__ = ["PROJECT", "TOKEN", "DrivenClient"]

PROJECT = "0b6d7c1a-3f55-4f0e-9c1d-6a7f2b90e4d1"
TOKEN = "PTexample0000000000000000000000000000000000000000"


class DrivenClient:
    """A client at a moment ``now``; every method is one thing that happens to it."""

    def __init__(self, contexts: tuple[str, ...] = (), *, limits: Limits | None = None, draw: float = 0.0) -> None:
        numbers = itertools.count(1)
        self.now = 1000.0
        self.protocol = ClientProtocol(
            Credentials(project=PROJECT, token=TOKEN),
            contexts=contexts,
            timing=Timing(),
            limits=limits or Limits(),
            new_id=lambda: f"id-{next(numbers)}",
            jitter=lambda: draw,
        )

    @classmethod
    def ready(cls, contexts: tuple[str, ...] = (), *, limits: Limits | None = None) -> DrivenClient:
        """Return one that has logged in."""
        client = cls(contexts, limits=limits)
        assert client.start() == [OpenSocket()]
        client.log_in()
        return client

    def start(self) -> list[Happening]:
        return self.protocol.start(self.now)

    def open(self) -> dict[str, Any]:
        """Open the socket; return the log in, which must be all that is sent."""
        assert self.protocol.opened(self.now) == []
        (connect,) = self.sent()
        assert connect["method"] == "signalwire.connect"
        return connect

    def log_in(self, protocol: str = "signalwire_sig_1_x", **result: object) -> list[Happening]:
        connect = self.open()
        happenings = self.reply(connect, {"protocol": protocol, "identity": "me@us-east", **result})
        assert isinstance(happenings[0], LoggedIn)
        return happenings

    def advance(self, seconds: float) -> list[Happening]:
        """Let time pass, waking at every deadline as a driver does."""
        until = self.now + seconds
        happenings: list[Happening] = []
        while (due := self.protocol.next_deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            before = due
            happenings += self.protocol.tick(self.now)
            assert self.protocol.next_deadline() != before, "a deadline that is dealt with must go away"
        self.now = until
        return happenings

    def receive(self, frame: object) -> list[Happening]:
        return self.protocol.receive([json.dumps(frame)], self.now)

    def reply(self, request: dict[str, Any], result: object) -> list[Happening]:
        return self.receive({"jsonrpc": "2.0", "id": request["id"], "result": result})

    def refuse(self, request: dict[str, Any], code: int = -32002, message: str = "no") -> list[Happening]:
        return self.receive({"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": message}})

    def ask(self, method: str, frame_id: object = "s-1", **params: object) -> list[Happening]:
        """The server makes a request."""
        return self.receive({"jsonrpc": "2.0", "id": frame_id, "method": method, "params": params})

    def event(
        self, event_type: object = "calling.call.play", frame_id: object = "e-1", **inner: object
    ) -> list[Happening]:
        return self.ask("signalwire.event", frame_id, event_type=event_type, params=inner)

    def request(self, method: str = "calling.play", **params: object) -> str:
        return self.protocol.request(method, params, self.now)

    def closed(self, why: str = "reset by peer") -> list[Happening]:
        return self.protocol.closed(self.now, why)

    def sent(self) -> list[dict[str, Any]]:
        """Take what is to be written to the socket."""
        return [json.loads(text) for text in self.protocol.texts_to_send()]

    def sent_methods(self) -> list[str]:
        return [frame["method"] for frame in self.sent()]
