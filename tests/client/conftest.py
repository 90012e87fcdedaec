"""A client against the simulator, over a real socket on loopback, and the loop that its stories run on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from relay_actors.client import Call, Message, RelayClient
from relay_actors.errors import ConnectionLostError
from relay_actors.testing import Line, Phone, Simulator, SimulatorServer
from relay_actors.testing.app_runner import shortened

OURS, CALLER, DESK = "+15559990000", "+15550001111", "+15550002222"
DEADLINE_S = 10.0
VARIABLES = ("SIGNALWIRE_PROJECT_ID", "SIGNALWIRE_API_TOKEN", "SIGNALWIRE_JWT_TOKEN", "SIGNALWIRE_SPACE")


@dataclass
class Stage:
    """What a story needs.

    Attributes:
        calls: those that came in, unless the story has a handler of its own.
        texts: likewise.
    """

    sim: Simulator
    host: str
    client: RelayClient
    calls: asyncio.Queue[Call] = field(default_factory=asyncio.Queue)
    texts: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)

    def another_client(self, **arguments: Any) -> RelayClient:
        client = RelayClient(**{"project": "p", "token": "t", "host": self.host, "contexts": ["office"], **arguments})
        client.app.timing = shortened(client.app.timing)
        return client

    def phone(self, number: str) -> Phone:
        return self.sim.phone(number)

    def plays(self, story: Callable[[], Awaitable[Any]], *, connected: bool = True) -> Any:
        """Run a story on a loop of its own, and return what it returns."""

        async def with_client() -> Any:
            if not connected:
                return await story()
            async with self.client:
                return await story()

        return asyncio.run(asyncio.wait_for(with_client(), DEADLINE_S))

    async def inbound(self) -> tuple[Call, Line]:
        """Let somebody call."""
        line = self.phone(CALLER).dials(context="office")
        return await self.calls.get(), line

    async def answered(self) -> tuple[Call, Line]:
        """Let somebody call, and answer."""
        call, line = await self.inbound()
        await call.answer()
        await call.wait_for_answered(DEADLINE_S)
        return call, line

    def sent(self, method: str) -> list[dict[str, object]]:
        """The params of what the client has sent."""
        return [frame.params for frame in self.sim.frames.received(method)]


async def person(does: Callable[..., Any], *args: Any) -> Any:
    """Have somebody do something; people wait by blocking."""
    return await asyncio.to_thread(does, *args)


async def until(is_so: Callable[[], object]) -> None:
    """Wait for what nobody can be told of."""
    while not is_so():
        await asyncio.sleep(0.002)


@pytest.fixture
def relay_pace() -> float:
    return 0.01


@pytest.fixture
def stage(relay_sim: Simulator, relay_server: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SIGNALWIRE_RELAY_SCHEME", "ws")
    host = f"{relay_server.host}:{relay_server.port}"
    made = Stage(relay_sim, host, RelayClient("project-17", "token-17", host=host, contexts=["office"]))
    made.client.app.timing = shortened(made.client.app.timing)
    made.client.on_call(made.calls.put)
    made.client.on_message(made.texts.put)
    yield made
    if made.client.app.is_running:
        made.client.app.leave(ConnectionLostError("the test is over"))
        raise AssertionError("the story has left its client connected")
