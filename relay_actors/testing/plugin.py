"""The fixtures ``relay_app``, ``phone`` and ``relay_sim``, for pytest. Layer: door.

::

    def test_sales_is_reached(relay_app, phone, relay_sim):
        relay_app(app)
        caller = phone("+15550001111").dials(context="support")
        caller.hears("press 1")
        with relay_sim.socket_down(seconds=0.5):
            caller.presses("1")
        caller.is_transferred(to="sales")

The application runs as it would run against the real server: on its threads, over a WebSocket. It needs no credentials
and no environment. When a test fails, its report shows what everybody on the phone has heard and done; when something
of an application is left over at the end, the test fails.

It is small on purpose. A lab with virtual time, seeds and a marker for faults is to come; until then, time passes in
these tests, only faster (``relay_pace``), and ``self.sleep(…)`` of an application takes as long as it says.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.simulator import company, crowds, lines, on_the_line, phones, simulator
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from relay_actors.testing.app_runner import AppRunner
from relay_actors.testing.phone_maker import PhoneMaker

__all__ = [
    "phone",
    "pytest_runtest_makereport",
    "relay_app",
    "relay_pace",
    "relay_server",
    "relay_sim",
]


def _is_story(failure: pytest.ExceptionInfo[BaseException]) -> bool:
    return failure.errisinstance(StoryError)


for _module in (company, crowds, lines, on_the_line, phones, simulator):
    # A report then ends at the line of the test: where in the simulator somebody waited in vain says nothing.
    vars(_module)["__tracebackhide__"] = _is_story


@pytest.fixture
def relay_pace() -> float:
    """How long a simulated second is. Define a fixture of this name in your ``conftest.py`` for another pace."""
    return 0.05


@pytest.fixture
def relay_sim(relay_pace: float) -> Iterator[Simulator]:
    """The RELAY server of this test: look at its calls and frames, let things go wrong.

    What a person was to do by itself and could not fails the test, also when nobody waited for it.
    """
    simulator = Simulator(clock=SystemClock(), random=Random(0), pace=relay_pace)
    yield simulator
    for failure in simulator.failures[:1]:
        raise failure


@pytest.fixture
def relay_server(relay_sim: Simulator) -> Iterator[SimulatorServer]:
    """The WebSocket that ``relay_sim`` is reached by: for clients that no other fixture starts."""
    with SimulatorServer(relay_sim) as server:
        yield server


@pytest.fixture
def phone(relay_sim: Simulator) -> PhoneMaker:
    """``phone("+15550001111")`` is the phone of that number: it dials, rings, hears, presses and texts.

    ``phone.many(200)`` are two hundred who do the same.
    """
    return PhoneMaker(relay_sim)


@pytest.fixture
def relay_app(relay_server: SimulatorServer) -> Iterator[AppRunner]:
    """``relay_app(app)`` starts an application against ``relay_sim``, and stops it when the test is over.

    The test fails when actors, threads or calls of the application are left over then.
    """
    runner = AppRunner(relay_server)
    try:
        yield runner
    finally:
        left = runner.stop()
    if left:
        pytest.fail("\n".join(["the application has left something behind:", *left]), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show in the report of a failed test what people on the phone have heard and done."""
    report = yield
    server = getattr(item, "funcargs", {}).get("relay_sim")
    if report.failed and isinstance(server, Simulator):
        stories = [line.story() for someone in server.phones for line in someone.lines]
        if stories:
            report.sections.append(("people on the phone", "\n".join(stories)))
    return report
