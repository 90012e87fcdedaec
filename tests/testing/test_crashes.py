"""A story that goes otherwise tells why."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging

import pytest

from relay_actors import CallActor, RelayApp
from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from relay_actors.testing.app_runner import AppRunner
from relay_actors.testing.crashes import crashes_in_stories
from relay_actors.testing.lab import Lab


class Sleepy(CallActor):
    """Uses what does not run in a flow."""

    async def run(self) -> None:
        await self.answer()
        await asyncio.sleep(1)


class Fickle(CallActor):
    """Fails in two ways."""

    async def run(self) -> None:
        await self.answer()
        if self.data.setdefault("times", 0) == 0:
            self.data["times"] = 1
            raise KeyError("none")
        json.loads("nothing")


class WordlessError(Exception):
    """Raises when it is asked what it says."""

    def __str__(self) -> str:
        raise LookupError("no words")


class Wordless(CallActor):
    """Fails by an error without words."""

    async def run(self) -> None:
        await self.answer()
        raise WordlessError


def app_of(actor_class: type[CallActor]) -> RelayApp:
    app = RelayApp()
    app.calls("office")(actor_class)
    return app


def place_in(actor_class: type[CallActor], source: str) -> str:
    lines, first = inspect.getsourcelines(actor_class)
    number = next(number for number, line in enumerate(lines) if source in line)
    return f"test_crashes.py:{first + number} in run)"


def told_in(story: str) -> list[str]:
    return [line.strip() for line in story.splitlines() if "has failed" in line]


def test_a_call_that_crashes_says_so_in_the_story_once_with_the_users_own_line():
    """Else whoever reads it finds that nothing was heard, and has to look for the reason in the log."""
    with Lab() as lab, crashes_in_stories(lab.sim):
        lab.start(app_of(Sleepy))
        caller = lab.phone("+15550001111").dials(context="office")
        with pytest.raises(StoryError) as failure:
            caller.hears("hello")
        [told] = told_in(str(failure.value))

    assert told.startswith(
        "Sleepy has failed: RuntimeError: no running event loop. asyncio does not run in a flow: use"
    )
    assert told.endswith(place_in(Sleepy, "asyncio.sleep"))


def test_each_different_crash_is_told_in_its_order_and_only_where_it_happened():
    """What others on the phone have suffered is in their stories."""
    with Lab() as lab, crashes_in_stories(lab.sim):
        lab.start(app_of(Fickle))
        caller = lab.phone("+15550001111").dials(context="office").is_hung_up()
        told = told_in(caller.story())
        abandons = lab.phone("+15550002222").dials(context="nowhere").hangs_up()
        assert told_in(abandons.story()) == []

    assert [line.split(": ")[1] for line in told] == ["KeyError", "JSONDecodeError"]
    assert told[0].endswith(place_in(Fickle, "raise"))
    assert told[1].endswith(place_in(Fickle, "json.loads"))


def test_crashes_are_told_on_threads_too():
    """Of a test in real time there is no timeline of actors that would tell it."""
    sim = Simulator(clock=SystemClock(), random=Random(1), pace=0.01)
    with crashes_in_stories(sim), SimulatorServer(sim) as server:
        runner = AppRunner(server)
        runner(app_of(Sleepy))
        caller = sim.phone("+15550001111").dials(context="office").is_hung_up()
        assert len(told_in(caller.story())) == 1
        assert runner.stop() == []


def test_nothing_is_left_in_the_log_when_a_test_is_over():
    """Thousands of tests follow."""
    with Lab() as lab, crashes_in_stories(lab.sim):
        assert logging.getLogger("relay_actors.runtime").filters
    assert not logging.getLogger("relay_actors.runtime").filters


def test_an_error_that_cannot_say_what_it_is_is_told_all_the_same():
    """Who reads the log must not fail by it: that is done where the actor's failure is dealt with."""
    with Lab() as lab, crashes_in_stories(lab.sim):
        lab.start(app_of(Wordless))
        caller = lab.phone("+15550001111").dials(context="office").is_hung_up()
        [told] = told_in(caller.story())

    assert told.startswith("Wordless has failed: WordlessError: (its __str__ raises)")
    assert told.endswith(place_in(Wordless, "raise"))
