"""Links: two actors that fail together, whoever of them ends first, and on whichever thread."""

import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay_actors.errors import ActorError, LinkedActorFailed
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.links import bonds
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn, until
from tests.support.thorough import less

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


@pytest.mark.parametrize("what_the_new_one_does", ["nothing", "unlinks", "links again"])
def test_who_is_being_restarted_fails_by_the_link_as_soon_as_it_is_back(world: World, what_the_new_one_does: str):
    """W7: a restart leaves the link, so an end in the middle of one is not missed; and it is told once."""
    log: list[Any] = []

    class Second(Recorder):
        def on_start(self) -> None:
            super().on_start()
            if self.actor_ref.incarnation == 1 and what_the_new_one_does == "unlinks":
                self.unlink(other)
            elif self.actor_ref.incarnation == 1 and what_the_new_one_does == "links again":
                self.link(other)

    spec = ChildSpec(restart=Restart.TRANSIENT, backoff=Backoff(min_s=10.0, max_s=10.0, jitter=0.0))
    other = world.start(Recorder)
    ref = spawn(world.start(Parent), Second, log, spec=spec)
    link(ref, other)
    ref.tell(crash())
    world.settle()
    other.tell(crash())
    ref.tell("next")
    world.advance(30.0)

    told = [entry[1] for entry in log if entry[0] == "failure"]
    broken = f"{other._cell}, to which {ref._cell} is linked, has ended (error ValueError: crash)"
    assert told == (["crash"] if what_the_new_one_does == "unlinks" else ["crash", broken])
    assert log[-2:] == ["start", "next"]
    assert number_of_links(ref) == 0


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


def test_unlinking_overtakes_an_end_that_is_over(system: System):
    """W7, W3: also when nothing is left of the other but what is on its way."""
    one, other = system.start(Recorder), system.start(Recorder)
    link(one, other)

    def unlink_when_it_is_over(actor: Any) -> None:
        other.tell(crash())
        until(lambda: other._cell._watching is None)
        actor.unlink(other)

    one.ask(unlink_when_it_is_over, timeout=DEADLINE_S)
    assert one.ask("alive", timeout=DEADLINE_S) == "alive"
    assert number_of_links(one) == 0


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


def between_instructions(call: Callable[[], object], moment: int, meanwhile: Callable[[], object]) -> bool:
    """Make ``call``, and before instruction ``moment`` of it, have ``meanwhile`` done on another thread.

    Moments at which the lock is held do not count: the other thread would wait. False if there are fewer.
    """
    count = 0

    def trace(frame: Any, event: str, _arg: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.endswith("runtime/links.py"):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and not bonds._is_owned():  # type: ignore[attr-defined]
            count += 1
            if count == moment:
                other_thread = threading.Thread(target=meanwhile)
                other_thread.start()
                other_thread.join(DEADLINE_S)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count >= moment


@pytest.mark.parametrize("who", ["linked", "linker"])
def test_an_end_at_any_moment_of_linking_is_not_missed(who: str):
    """W7: before each instruction of `link` one of the two is killed: nothing is left, and the other one fails.

    Unless it was the linker, and before the link was made: what a killed actor still does has no effect.
    """
    moment, survivors = 0, []
    is_reached = True
    while is_reached:
        moment += 1
        world = World(seed=moment)
        one, other = world.start(Recorder), world.start(Recorder)
        killed, rest = (other, one) if who == "linked" else (one, other)
        is_reached = between_instructions(
            partial(one._cell.watching.link, other._cell.watching), moment, partial(killed._cell.kill, "by the test")
        )
        killed._cell.kill("by the test")
        world.settle()
        assert (number_of_links(one), number_of_links(other)) == (0, 0)
        survivors.append(rest.is_alive())
        world.end()

    assert moment > 2
    assert survivors == sorted(survivors, reverse=True)
    assert True not in survivors or who == "linker"
    assert survivors[-1] is False


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


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["link", "link", "unlink", "crash", "kill", "stop"]), st.integers(0, 4), st.integers(0, 4)
    ),
    max_size=25,
)


@settings(max_examples=less(30, 60), deadline=None)
@given(STEPS, st.integers(0, 1000))
def test_who_lives_is_what_a_graph_of_links_says(steps: list[tuple[str, int, int]], seed: int):
    """W7: against a model of sets: a failure takes all that hang together, an end in order only itself."""
    world = World(seed)
    refs = [world.start(Recorder) for _ in range(5)]
    links: set[frozenset[int]] = set()
    living = set(range(5))

    def fails(who: int) -> None:
        living.discard(who)
        for pair in [pair for pair in links if who in pair]:
            links.discard(pair)
            for other in pair & living:
                fails(other)

    for what, one, other in steps:
        if one == other or one not in living or (other not in living and what == "link"):
            continue
        if what == "link":
            link(refs[one], refs[other])
            links.add(frozenset({one, other}))
        elif what == "unlink":
            unlink(refs[one], refs[other])
            links.discard(frozenset({one, other}))
        elif what == "stop":
            refs[one].stop(timeout=0)
            living.discard(one)
            links = {pair for pair in links if one not in pair}
        else:
            if what == "crash":
                refs[one].tell(crash())
            else:
                refs[one]._cell.kill("by the test")
            fails(one)
        world.settle()
        assert {number for number, ref in enumerate(refs) if ref.is_alive()} == living
        assert sum(number_of_links(ref) for ref in refs) == 2 * len(links)
    world.end()
