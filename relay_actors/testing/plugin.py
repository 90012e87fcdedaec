"""Test applications by the people who call them: fixtures, a marker and options for pytest. Layer: door.

::

    def test_sales_is_reached(relay_app, phone, relay_sim, relay_clock):
        relay_app(app)
        caller = phone("+15550001111").dials(context="support")
        caller.hears("press 1")
        with relay_sim.socket_down(seconds=4):
            caller.presses("1")
        assert caller.line.transferred_to == "sales"

A test runs in a `Lab`: the application and its server on one thread, from one seed, in virtual time, so that a call of
ten minutes takes milliseconds and the same seed gives the same run. ``--relay-seeds=N`` runs each test under N seeds.
In real time, on threads and over a WebSocket, runs a test that asks for ``relay_server``, that is marked
``relay(real=True)``, and every one with ``--relay-real``. No credentials, environment or asyncio plugin is needed.

When a test fails, its report tells what everybody heard and did, frames, and what actors handled, in one timeline; when
something of an application is left over at the end, the test fails.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Generator, Iterator
from typing import Any, Final

import pytest

from relay_actors.errors import ConfigError
from relay_actors.simulator import company, crowds, lines, on_the_line, phones, simulator
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from relay_actors.testing.app_runner import AppRunner
from relay_actors.testing.bench import Bench, RelayClock, set_up
from relay_actors.testing.phone_maker import PhoneMaker
from relay_actors.testing.reports import Passes, timeline_of

__all__ = [
    "phone",
    "pytest_addoption",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_runtest_makereport",
    "relay_app",
    "relay_clock",
    "relay_pace",
    "relay_server",
    "relay_sim",
]

LAST: Final = 200
"""How many entries of the timeline a report shows."""

MARKER: Final = (
    "relay(seed=…, faults=[…], real=…): how the test of a phone application runs: from which seed (0), with what going "
    "wrong (as relay_sim.inject takes it), and whether in real time over a WebSocket (False)."
)

_BENCH: Final = pytest.StashKey[Bench]()
_PASSES: Final = pytest.StashKey[Passes]()
_SEED_IN_ID: Final = re.compile(r"\bseed\d+\b")


def _is_story(failure: pytest.ExceptionInfo[BaseException]) -> bool:
    return failure.errisinstance(StoryError)


for _module in (company, crowds, lines, on_the_line, phones, simulator):
    # A report then ends at the line of the test: where in the simulator somebody waited in vain says nothing.
    vars(_module)["__tracebackhide__"] = _is_story


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("relay", "phone applications (relay_actors)")
    group.addoption(
        "--relay-seeds", type=_count, metavar="N", help="run each test in virtual time under N seeds, from 0"
    )
    group.addoption("--relay-seed", type=int, metavar="K", help="run each test in virtual time under this seed only")
    group.addoption("--relay-real", action="store_true", help="run all tests in real time, over a WebSocket")
    group.addoption(
        "--relay-timeline",
        type=_length,
        default=LAST,
        metavar="N",
        help=f"how many entries of the timeline a failing test shows, or 'full'; default: {LAST}",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)
    config.stash[_PASSES] = Passes()


@pytest.hookimpl(trylast=True)  # the seed stands last in the name
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test in virtual time under the seeds that the options say, unless its marker says one."""
    if "_relay_seed" not in metafunc.fixturenames:
        return
    only, count = metafunc.config.getoption("--relay-seed"), metafunc.config.getoption("--relay-seeds")
    seeds = [only] if only is not None else range(count or 0)
    is_free = _marked(metafunc.definition).get("seed") is None
    if seeds and is_free and not _why_real(metafunc.definition, metafunc.fixturenames):
        metafunc.parametrize("_relay_seed", seeds, indirect=True, ids=[f"seed{seed}" for seed in seeds])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show in the report of a failed test what has happened, and how it is repeated."""
    report = yield
    bench = item.stash.get(_BENCH, None)
    if bench is None:
        return report
    if report.failed:
        report.sections += _sections(item, bench, call)
    elif report.when == "call" and report.passed and _is_one_of_many(item):
        item.config.stash[_PASSES].add(_SEED_IN_ID.sub("seed*", item.nodeid), bench.seed, bench.timeline.entries)
    return report


@pytest.fixture
def relay_pace(request: pytest.FixtureRequest) -> float:
    """How long a simulated second is: 1.0 in virtual time, 0.05 in real time.

    Define a fixture of this name in your ``conftest.py`` for another pace.
    """
    return 0.05 if _why_real(request.node, request.fixturenames) else 1.0


@pytest.fixture
def _relay_seed(request: pytest.FixtureRequest) -> int:
    given = getattr(request, "param", None)
    seed = given if given is not None else _marked(request.node).get("seed")
    return seed if isinstance(seed, int) else 0


@pytest.fixture
def _relay_bench(request: pytest.FixtureRequest, relay_pace: float, _relay_seed: int) -> Iterator[Bench]:
    why_real = _why_real(request.node, request.fixturenames)
    faults = _marked(request.node).get("faults", ())
    with set_up(_relay_seed, relay_pace, why_real=why_real, faults=faults) as bench:
        request.node.stash[_BENCH] = bench
        yield bench


@pytest.fixture
def relay_sim(_relay_bench: Bench) -> Simulator:
    """The RELAY server of this test: look at its calls and frames, let things go wrong.

    What a person was to do by itself and could not fails the test, also when nobody waited for it.
    """
    return _relay_bench.sim


@pytest.fixture
def relay_clock(_relay_bench: Bench) -> RelayClock:
    """The time of this test: ``relay_clock.now`` in seconds since it began, ``relay_clock.advance(seconds)``.

    Virtual time goes on by itself when nothing can happen and somebody waits.
    """
    return _relay_bench.clock


@pytest.fixture
def relay_server(_relay_bench: Bench) -> Iterator[SimulatorServer]:
    """The WebSocket that ``relay_sim`` is reached by, in real time: for clients that no other fixture starts.

    A test that asks for it, or for a fixture that does, runs in real time.
    """
    if _relay_bench.lab is not None:
        raise ConfigError(
            "relay_server is asked for in the middle of a test in virtual time, where there is no socket: name it "
            "among the arguments of the test or of its fixtures, or mark the test with @pytest.mark.relay(real=True)"
        )
    with SimulatorServer(_relay_bench.sim) as server:
        yield server


@pytest.fixture
def phone(relay_sim: Simulator) -> PhoneMaker:
    """``phone("+15550001111")`` is the phone of that number: it dials, rings, hears, presses and texts.

    ``phone.many(200)`` are two hundred who do the same.
    """
    return PhoneMaker(relay_sim)


@pytest.fixture
def relay_app(_relay_bench: Bench, request: pytest.FixtureRequest) -> Iterator[AppRunner]:
    """``relay_app(app)`` starts an application against ``relay_sim``, and stops it when the test is over.

    Several may run beside each other. The test fails when something of them is left over then: actors, threads, timers,
    calls, or events that nobody has acknowledged; and when a service of one that runs has never been up.
    """
    lab = _relay_bench.lab
    runner = AppRunner(lab if lab is not None else request.getfixturevalue("relay_server"), _relay_bench.timeline)
    try:
        yield runner
    finally:
        never_up = runner.never_up()
        left = runner.stop()
    told = ["these services have never been up:", *never_up] if never_up else []
    told += ["the application has left something behind:", *left] if left else []
    if told:
        pytest.fail("\n".join(told), pytrace=False)


def _marked(node: pytest.Item | Any) -> dict[str, Any]:
    """Return what the markers of a test say, the nearest one's word for each."""
    said: dict[str, Any] = {}
    for mark in node.iter_markers("relay"):
        unknown = mark.kwargs.keys() - {"seed", "faults", "real"}
        if mark.args or unknown:
            what = ", ".join([*map(repr, mark.args), *sorted(unknown)])
            raise ConfigError(
                f"@pytest.mark.relay of {node.nodeid}: {what}? It takes seed=…, faults=[…] and real=… only"
            )
        said = {**mark.kwargs, **said}
    where, seed, real, faults = f"@pytest.mark.relay of {node.nodeid}", *map(said.get, ("seed", "real", "faults"))
    if isinstance(faults, str):
        raise ConfigError(f"{where}: give faults as a list, faults=[{faults!r}]")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise ConfigError(f"{where}: seed={seed!r} is no whole number")
    if real is not None and not isinstance(real, bool):
        raise ConfigError(f"{where}: real={real!r} is neither True nor False")
    return said


def _why_real(node: Any, fixturenames: list[str]) -> str:
    """Say why a test runs in real time; "" if it does not."""
    if "relay_server" in fixturenames:
        return "because it asks for relay_server"
    if _marked(node).get("real"):
        return "because its marker says real=True"
    return "because of --relay-real" if node.config.getoption("--relay-real") else ""


def _is_one_of_many(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)  # not by its id: a test may have a parameter of that name itself
    return callspec is not None and "_relay_seed" in callspec.params


def _sections(item: pytest.Item, bench: Bench, call: pytest.CallInfo[None]) -> list[tuple[str, str]]:
    stories = [line.story() for someone in bench.sim.phones for line in someone.lines]
    sections = [("people on the phone", "\n".join(stories))] if stories else []
    entries = bench.timeline.entries
    is_story = call.excinfo is not None and call.excinfo.errisinstance(StoryError)
    is_test = call.when == "call"
    test = _SEED_IN_ID.sub("seed*", item.nodeid)
    if entries:
        told = timeline_of(
            entries,
            last=item.config.getoption("--relay-timeline"),
            divergence=item.config.stash[_PASSES].first_divergence(test, entries) if is_test else None,
            waits_from=bench.timeline.waits_from if is_story and is_test else None,
        )
        sections.append(("timeline", told))
    if bench.lab is not None:
        sections.append(("to repeat it", _command(item, bench.seed)))
    return sections


def _command(item: pytest.Item, seed: int) -> str:
    """Return the line that repeats the test: without an option the seed is its marker's, or 0."""
    _path, _, name = item.nodeid.partition("::")
    words = ["pytest", f"{os.path.relpath(item.path, item.config.invocation_params.dir)}::{name}"]
    return shlex.join([*words, f"--relay-seed={seed}"] if _is_one_of_many(item) else words)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"invalid number {text!r}: give a whole one, 1 or more")
    return int(text)


def _length(text: str) -> int:
    return 0 if text == "full" else _count(text)
