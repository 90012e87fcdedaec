"""Links: two actors that fail together, whoever of them ends first, and on whichever thread."""

import threading
from typing import Any

import pytest

from relay_actors.errors import ActorError, LinkedActorFailed
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn

TRANSIENT = ChildSpec(restart=Restart.TRANSIENT, max_restarts=1)


def link(one: ActorRef[Any], other: ActorRef[Any]) -> None:
    one.ask(lambda actor: actor.link(other), timeout=DEADLINE_S)


def unlink(one: ActorRef[Any], other: ActorRef[Any]) -> None:
    one.ask(lambda actor: actor.unlink(other), timeout=DEADLINE_S)


def reason_of(ref: ActorRef[Any]) -> Any:
    assert not ref.is_alive()
    return ref._cell.exit_reason


def number_of_links(ref: ActorRef[Any]) -> int:
    return len(ref._cell.watching._links or ())


@pytest.mark.parametrize("who_fails", [0, 1])
def test_when_one_of_two_fails_the_other_does(world: World, who_fails: int):
    """W7: whichever of the two made the link; the reason says who it was, and why."""
    pair = [world.start(Recorder), world.start(Recorder)]
    link(*pair)
    link(*reversed(pair))  # there is one link of a pair
    assert [number_of_links(ref) for ref in pair] == [1, 1]
    failing, other = pair[who_fails], pair[1 - who_fails]
    failing.tell(crash())
    world.settle()

    reason = reason_of(other)
    assert reason.kind == "error"
    assert isinstance(reason.cause, LinkedActorFailed)
    assert reason.cause.ref == failing
    assert isinstance(reason.cause.__cause__, ValueError)
    assert "has ended (error ValueError: crash)" in str(reason.cause)


@pytest.mark.parametrize("end", ["kill", "crash"])
def test_failure_goes_through_a_chain_once(world: World, end: str):
    """W7: along all links, also in a ring, and each actor fails once."""
    log: list[Any] = []
    ring = [world.start(Recorder, log) for _ in range(4)]
    for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
        link(one, other)
    if end == "kill":
        ring[0]._cell.kill("by the test")
    else:
        ring[0].tell(crash())
    world.settle()

    assert not any(ref.is_alive() for ref in ring)
    assert sum(isinstance(entry, tuple) for entry in log) == (3 if end == "kill" else 4)


def test_an_end_in_order_dissolves_the_link(world: World):
    """W7: a normal end and a shutdown are no failures; nothing is left of the link."""
    one, other, parent = world.start(Recorder), world.start(Recorder), world.start(Parent)
    child = spawn(parent, Recorder)
    link(one, other)
    link(one, child)
    other.stop(timeout=0)
    parent.stop(timeout=0)
    world.settle()

    assert child._cell.exit_reason.kind == "shutdown"
    assert one.is_alive()
    assert number_of_links(one) == 0


def test_a_restart_is_no_end(world: World):
    """W7: the link outlives it; only when one has ended for good, the other fails, and is restarted if it may be."""
    parent = world.start(Parent)
    one, other = spawn(parent, Recorder, spec=TRANSIENT), spawn(parent, Recorder, spec=TRANSIENT)
    link(one, other)
    other.tell(crash())
    world.settle()
    assert (other.incarnation, one.incarnation, number_of_links(one)) == (1, 0, 1)
    other.tell(crash())
    world.settle()

    assert not other.is_alive()
    assert (one.is_alive(), one.incarnation, number_of_links(one)) == (True, 1, 0)


@pytest.mark.parametrize("who_unlinks", [0, 1])
def test_either_side_may_dissolve_it(world: World, who_unlinks: int):
    """W7: and then they have nothing to do with each other; to dissolve none is no harm."""
    pair = [world.start(Recorder), world.start(Recorder)]
    link(*pair)
    unlink(pair[who_unlinks], pair[1 - who_unlinks])
    unlink(pair[who_unlinks], pair[1 - who_unlinks])
    pair[0].tell(crash())
    world.settle()

    assert pair[1].is_alive()
    assert [number_of_links(ref) for ref in pair] == [0, 0]


def test_unlinking_overtakes_an_end_that_is_on_its_way(world: World):
    """W7, W3: after it returned, no end of the other has an effect."""
    one, other = world.start(Recorder), world.start(Recorder)
    link(one, other)

    def kill_and_unlink(actor: Any) -> None:
        other._cell.kill("by the test")  # its signal waits from here on
        actor.unlink(other)

    one.ask(kill_and_unlink, timeout=0)
    world.settle()
    assert one.is_alive()


@pytest.mark.parametrize(("end", "survives"), [("crash", False), ("stop", True)])
def test_linking_to_the_dead_is_as_if_it_died_now(world: World, end: str, survives: bool):
    """W7: so it does not matter which of the two came first."""
    one, other = world.start(Recorder), world.start(Recorder)
    if end == "crash":
        other.tell(crash())
    else:
        other.stop(timeout=0)
    world.settle()
    one.tell(lambda actor: actor.link(other))
    world.settle()

    assert one.is_alive() is survives
    assert number_of_links(one) == 0


def test_what_cannot_be_linked_is_refused(world: World):
    """W7."""
    ref = world.start(Recorder)
    with pytest.raises(ActorError, match="linked to itself"):
        link(ref, ref)
    with pytest.raises(ActorError):
        link(ref, "somebody")  # type: ignore[arg-type]


@pytest.mark.usefixtures("eager_switches")
def test_no_schedule_leaves_one_of_a_pair_alive(system: System):
    """W7: links are made on the actors' threads while others kill one of each pair; what was killed links nobody."""

    class Partner(Actor):
        dispatcher = "pinned"

        def on_receive(self, message: Any) -> None:
            self.link(message)

    ended = threading.Semaphore(0)

    class Witness(Actor):
        def on_receive(self, message: Any) -> None:
            if isinstance(message, ActorRef):
                self.watch(message)
            else:
                ended.release()

    rounds = 25
    witness = system.start(Witness)
    for number in range(rounds):
        one, other = system.start(Partner), system.start(Partner)
        witness.tell(other)
        witness.tell(one)
        one.tell(other)
        if number % 2:
            one.tell(other)
        other._cell.kill("by the test")

    for _ in range(2 * rounds):
        assert ended.acquire(timeout=DEADLINE_S)
