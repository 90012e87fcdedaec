"""What is measured."""

from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.exposition import exposition
from relay_actors.runtime.metrics import BUCKETS_S, RUNTIME_METRICS, metrics_of
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import Echo, Parent, Recorder, World, crash, spawn


class Slow(Recorder):
    """Takes as many seconds as it is told."""

    def on_receive(self, message: Any) -> Any:
        clock: Any = self.system.clock
        clock.advance(message)


def test_counters_and_gauges_are_told_together(world: World):
    """O1: each number of the runtime has its place in the table."""
    parent = world.start(Parent)
    child = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.TRANSIENT))
    child.tell(crash())
    gone = world.start(Echo)
    gone.stop(block=False)
    world.settle()
    gone.tell_ahead("too late")
    parent.tell("waits")
    world.system.hooks.count("mine")

    numbers = world.system.metrics()

    assert numbers["actors.living"] == 2
    assert numbers["actors.restarted"] == 1
    assert numbers["actors.failed"] == 1
    assert numbers["dead_letters"] == {"dead": 1}
    assert numbers["messages.waiting"] == 1
    assert numbers["mine"] == 1
    assert list(numbers) == sorted(numbers)
    assert numbers.keys() - {"mine"} <= RUNTIME_METRICS.keys()


def test_every_counter_and_gauge_is_there_from_the_beginning(world: World):
    """O1: who reads one need not know whether it has counted anything yet."""
    numbers = world.system.metrics()
    assert numbers.keys() == {name for name, metric in RUNTIME_METRICS.items() if metric.kind != "histogram"}
    assert numbers["actors.ended"] == {}


def test_durations_are_measured_by_class_only_while_that_is_wanted(world: World):
    """O1: what costs a clock per message is off unless asked for."""
    ref = world.start(Slow)
    ref.tell(0.3)
    world.settle()
    assert "turn.seconds" not in world.system.metrics()

    world.system.measure()
    world.system.measure()
    for seconds in (0.3, 0.002, 99.0):
        ref.tell(seconds)
    world.settle()

    turns = world.system.metrics()["turn.seconds"]["Slow"]
    assert (turns["count"], turns["sum"]) == (3, pytest.approx(99.302))
    assert (turns["buckets"][0.001], turns["buckets"][0.0025], turns["buckets"][0.5]) == (0, 1, 2)
    assert (turns["buckets"][10.0], tuple(turns["buckets"])) == (2, BUCKETS_S)
    waits = world.system.metrics()["mailbox.wait.seconds"]["Slow"]
    assert (waits["count"], waits["sum"]) == (3, pytest.approx(0.3 + 0.302))

    world.system.measure(False)
    assert "turn.seconds" not in world.system.metrics()
    assert world.system.observation.observers == ()


def test_the_age_of_the_oldest_message_is_exact_while_turns_are_measured(world: World):
    """M8: also if nobody has looked before."""
    world.system.measure()
    ref = world.start(Recorder)
    ref.tell("x")
    world.dispatcher.clock.advance(2.0)
    assert ref.stats().oldest_s == 2.0
    assert world.system.metrics()["messages.oldest.seconds"] == 2.0


def test_an_observer_of_ones_own_that_cannot_tell_its_counts_costs_only_those(world: World):
    """O1: gauges are read all the same."""

    class Mute:
        def count(self, name: str, amount: int = 1) -> None:
            """Tell nobody."""

    system = System(dispatcher=world.dispatcher, hooks=Mute(), name="mute")
    system.hooks.count("mine")
    assert "mine" not in metrics_of(system)
    assert metrics_of(system)["actors.living"] == 0


def test_threads_are_counted_where_there_are_some(system: System):
    system.start(Echo)
    assert system.metrics()["threads"] >= 2


def test_who_is_not_there_cannot_be_traced(world: World):
    with pytest.raises(ConfigError, match="there is no actor 'Nobody'"):
        world.system.trace("Nobody")


@pytest.mark.parametrize("name", [name for name, metric in RUNTIME_METRICS.items() if metric.label])
def test_what_an_application_counts_by_a_name_that_has_labels_is_told_beside_it(world: World, name: str):
    """Otherwise no number could be read any more, and none by Prometheus."""
    world.system.hooks.count(name, 3)
    world.start(Echo).stop()
    world.settle()
    numbers = world.system.metrics()
    assert numbers[f"own.{name}"] == 3
    assert numbers["actors.ended"] == {"normal": 1}
    assert f"relay_actors_own_{name.replace('.', '_')}_total 3\n" in exposition(numbers, RUNTIME_METRICS)
