"""For tests of commands: a simulator on a real socket, many times faster than life."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from random import Random

import pytest

from relay_actors import RelayApp, Timing
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer

PACE = 0.02


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    """A running server; its simulator is ``server.simulator``."""
    with SimulatorServer(Simulator(clock=SystemClock(), random=Random(1), pace=PACE)) as server:
        yield server


@pytest.fixture
def simulator(server: SimulatorServer) -> Simulator:
    return server.simulator


@pytest.fixture
def app(server: SimulatorServer) -> Iterator[RelayApp]:
    """An application that will find the server when it is started, and is stopped at the end."""
    app = RelayApp("project", "token", host=f"127.0.0.1:{server.port}", scheme="ws", timing=Timing(linger_s=0.05))
    with contextlib.ExitStack() as stack:
        stack.callback(app.stop)
        yield app
