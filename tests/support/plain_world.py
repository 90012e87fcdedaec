"""An application and a hand-written server in one thread and in virtual time: for laws, exact times and exact order."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from types import TracebackType
from typing import Any, Self

from relay_actors import RelayApp
from relay_actors.errors import ConnectFailedError
from relay_actors.runtime.clock import ManualClock
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.hooks import Counters
from relay_actors.runtime.system import System
from relay_actors.transport.memory import MemoryConnector, MemoryTransport
from tests.support.plain_server import PROTOCOL

__all__ = ["PlainWorld"]

Frame = dict[str, Any]


class PlainWorld:
    """The application `app`, and a server that lets it in, accepts every request, and says what it is told to say.

    Attributes:
        received: every frame of the application, oldest first.
        connected_at: when each attempt to connect was made.
        answer: gives the result of a request; None gives none.
        is_down: whether nobody is there to connect to.
    """

    def __init__(self, seed: int = 1, **settings: Any) -> None:
        self.clock = ManualClock()
        self.dispatcher = DeterministicDispatcher(Random(seed), self.clock)
        self._counters = Counters()
        self.system = System(dispatcher=self.dispatcher, random=Random(seed + 1), hooks=self._counters)
        self.app = RelayApp("project", "token", host="relay.example.com", **settings)
        self.received: list[Frame] = []
        self.connected_at: list[float] = []
        self.answer: Callable[[Frame], object] = lambda _frame: {"code": "200", "message": "OK"}
        self.login: Callable[[Frame], object] = lambda _frame: {"result": {"protocol": PROTOCOL}}
        self.is_down = False
        self._far: MemoryTransport | None = None
        self._connector = MemoryConnector(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.app.stop()

    def start(self, wait_s: float | None = 60.0) -> None:
        """Start the application."""
        self.app.start(wait_s=wait_s, system=self.system, connector=self._connector)

    def settle(self) -> None:
        """Let everything happen that can happen at this moment."""
        self.dispatcher.settle()

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        self.dispatcher.advance(seconds)

    def say(self, frame: object) -> None:
        """Send a frame to the application; it has not been read when this returns."""
        self.say_text(json.dumps(frame))

    def say_text(self, text: str) -> None:
        assert self._far is not None
        self._far.send([text.encode()])

    def event(self, event_type: object, params: object, frame_id: object = None, **outer: object) -> None:
        """Send an event."""
        self.say(
            {
                "jsonrpc": "2.0",
                "id": frame_id,
                "method": "signalwire.event",
                "params": {"event_type": event_type, "params": params, **outer},
            }
        )

    def vanish(self) -> None:
        """Break the connection."""
        assert self._far is not None
        self._far.abort()

    def requests(self, method: str) -> list[Frame]:
        """Return the params of the requests of a method so far."""
        return [frame["params"] for frame in self.received if frame.get("method") == method]

    def count(self, name: str) -> int:
        """Return a counter of the application."""
        return self._counters.snapshot().get(name, 0)

    def _accept(self, far: MemoryTransport) -> None:
        self.connected_at.append(self.clock.now())
        if self.is_down:
            raise ConnectFailedError("tcp", "memory", "nobody is there")
        self._far = far

        def readable() -> None:
            self.dispatcher.run_blocking(lambda: self._read(far), "server")

        far.set_waker(readable)

    def _read(self, far: MemoryTransport) -> None:
        if far is not self._far or far._inbound.ending is not None:
            return
        for text in far.receive():
            frame = json.loads(text)
            self.received.append(frame)
            if frame.get("method") == "signalwire.connect":
                self.say({"jsonrpc": "2.0", "id": frame["id"], **self.login(frame)})  # type: ignore[dict-item]  # of objects
            elif "method" in frame and (result := self.answer(frame)) is not None:
                self.say({"jsonrpc": "2.0", "id": frame["id"], "result": result})
