"""What a system shows of itself; each part has its own tests: inspection, tracing, metrics, otel."""

from relay_actors.runtime.metrics import TurnMeter
from relay_actors.runtime.tracing import Trace
from tests.runtime.worlds import Echo, World


def test_the_system_itself_stands_above_everybody(world: World):
    """O3: an application may have actors that nobody supervises."""
    world.start(Echo)
    world.start(Echo)
    root = world.system.inspect()
    assert (root.name, root.actor_class) == ("seed-0", "System")
    assert [child.name for child in root.children] == ["Echo#1", "Echo#2"]


def test_traces_and_measurements_do_not_end_each_other(world: World):
    """O4: each is asked for by itself."""
    ref = world.start(Echo)
    world.system.measure()
    world.system.trace(ref)
    world.system.measure(False)
    assert len(world.system.observation.of_kind(Trace)) == 1
    world.system.measure()
    world.system.trace(ref, on=False)
    assert len(world.system.observation.of_kind(TurnMeter)) == 1


def test_two_actors_can_be_traced_at_once(world: World):
    """O4: each with its own records."""
    one, two = world.start(Echo), world.start(Echo)
    traces = [world.system.trace(one), world.system.trace(two)]
    one.tell("x")
    world.settle()
    assert [len(trace.records) for trace in traces] == [2, 0]
