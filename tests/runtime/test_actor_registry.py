"""pykka's registry: who runs in this process without a system of their own."""

from collections.abc import Iterator
from typing import Any

import pykka
import pytest

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.actor_registry import ActorRegistry
from tests.runtime.worlds import DEADLINE_S, Echo, World


class Loud(Echo):
    """Another class of actors."""


class Stock(pykka.ThreadingActor):
    """An actor of pykka's own."""

    use_daemon_thread = True

    def on_receive(self, message: Any) -> Any:
        return message


@pytest.fixture
def echo() -> Iterator[ActorRef[Echo]]:
    ref = Echo.start()
    yield ref
    ActorRegistry.stop_all(timeout=DEADLINE_S)
    assert ActorRegistry.get_all() == []


def test_those_who_run_are_in_it_and_those_who_ended_are_not(echo: ActorRef[Echo]):
    """R3: no list has to be kept for it."""
    loud = Loud.start()
    assert ActorRegistry.get_all() == [echo, loud]
    loud.stop(timeout=DEADLINE_S)
    assert ActorRegistry.get_all() == [echo]


def test_they_are_found_by_class_by_its_name_and_by_their_own(echo: ActorRef[Echo]):
    """As pykka's registry finds them."""
    loud = Loud.start()
    assert ActorRegistry.get_by_class(Echo) == [echo, loud]
    assert ActorRegistry.get_by_class(Loud) == [loud]
    assert ActorRegistry.get_by_class_name("Loud") == [loud]
    assert ActorRegistry.get_by_urn(loud.actor_urn) == loud
    assert ActorRegistry.get_by_urn("urn:foo:bar") is None


def test_stock_actors_of_pykka_are_in_it_as_well(echo: ActorRef[Echo]):
    """A process may have both."""
    stock = Stock.start()
    assert ActorRegistry.get_all() == [echo, stock]
    assert ActorRegistry.get_by_urn(stock.actor_urn) == stock
    ActorRegistry.unregister(stock)
    assert ActorRegistry.get_all() == [echo]
    ActorRegistry.register(stock)
    assert ActorRegistry.get_by_class(pykka.Actor) == [echo, stock]


def test_an_actor_that_was_taken_out_runs_on(echo: ActorRef[Echo]):
    """pykka: it may be put back, and taken out twice."""
    ActorRegistry.unregister(echo)
    ActorRegistry.unregister(echo)
    assert ActorRegistry.get_all() == []
    assert ActorRegistry.get_by_urn(echo.actor_urn) is None
    assert echo.ask("still here", timeout=DEADLINE_S) == "still here"
    ActorRegistry.register(echo)
    assert ActorRegistry.get_all() == [echo]


def test_a_broadcast_reaches_those_of_a_class(echo: ActorRef[Echo]):
    """The others hear nothing."""

    class Listener(Actor):
        def __init__(self) -> None:
            super().__init__()
            self.heard: list[Any] = []

        def on_receive(self, message: Any) -> None:
            self.heard.append(message)

    listeners = [Listener.start() for _ in range(3)]
    ActorRegistry.broadcast("hear", target_class=Listener)
    assert [ref.proxy().heard.get(timeout=DEADLINE_S) for ref in listeners] == [["hear"]] * 3


def test_the_actors_of_a_system_are_its_own(world: World, echo: ActorRef[Echo]):
    """L10: also for those who look."""
    other = world.start(Echo)
    assert ActorRegistry.get_all() == [echo]
    assert ActorRegistry.get_by_urn(other.actor_urn) is None
