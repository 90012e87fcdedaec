"""A system: who lives, what is shared, and that nothing is left of it."""

import threading
from typing import Any
from uuid import UUID, uuid5

import pykka
import pytest

from relay_actors.errors import ActorDead, ActorError, ConfigError, NameTaken
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.hooks import Counters
from relay_actors.runtime.supervisor import Child as StaticChild
from relay_actors.runtime.supervisor import DynamicSupervisor, Supervisor
from relay_actors.runtime.system import System, default_system
from tests.runtime.worlds import DEADLINE_S, Blocker, Echo, Parent, Recorder, World, block, crash, spawn


def test_two_systems_share_nothing():
    """L10: neither names nor dead letters, timers, counters or records of restarts."""
    one, two = World(seed=1), World(seed=2)
    ref = one.start(Recorder)
    ref.ask(lambda actor: (actor.register("name"), actor.start_timer("tick", "tick", 1.0)), timeout=0)
    ref.ask(lambda actor: actor._cell.system.hooks.count("mine"), timeout=0)
    ref.stop(timeout=0)
    ref._cell.tell_control("lost")

    assert one.dead() == [("lost", "dead")]
    assert two.dead() == []
    assert two.system.find("name") is None
    counted = {"mine": 1, "actors.ended.normal": 1, "dead_letters.dead": 1}
    assert (one.counters.snapshot(), two.counters.snapshot()) == (counted, {})
    assert two.dispatcher.pending_timers == 0
    one.end()
    two.end()


def test_refs_of_two_systems_are_different_actors():
    """L10: numbers are per system, and must not be taken for identities."""
    one, two = World(seed=1), World(seed=1)
    a, b = one.start(Recorder), two.start(Recorder)

    assert a._cell.serial == b._cell.serial
    assert a != b
    assert a == a._cell.ref
    assert len({a, b, a._cell.ref}) == 2


def test_stop_leaves_no_thread_and_no_actor():
    """H9: also with pinned actors, with families, and with blocking calls under way."""
    threads_before = set(threading.enumerate())

    class Pinned(Echo):
        dispatcher = "pinned"

    system = System(name="leak")
    parent = system.start(Parent)
    for _ in range(5):
        spawn(parent, Recorder).ask("a", timeout=DEADLINE_S)
        system.start(Pinned).ask("a", timeout=DEADLINE_S)
    started, let_go = threading.Event(), threading.Event()
    system.dispatcher.run_blocking(lambda: (started.set(), let_go.wait(DEADLINE_S)), "test")
    assert started.wait(DEADLINE_S)
    let_go.set()

    assert system.stop() is True
    assert system.stop() is True
    assert system.actor_count == 0
    assert set(threading.enumerate()) <= threads_before


def test_a_handler_that_does_not_come_back_does_not_keep_stop_waiting():
    """H3: it is killed, its thread is reported, and what it was asked is answered."""
    system = System(name="stuck")
    ref = system.start(Blocker)
    asked, let_go = block(ref)
    before = system.clock.now()
    assert system.stop(timeout_s=0.05) is False

    assert system.clock.now() - before < DEADLINE_S
    with pytest.raises(ActorDead):
        asked.get(timeout=DEADLINE_S)
    let_go.set()


def test_stop_begins_at_the_top(world: World):
    """H1: children are stopped by their parents, in the order that those keep."""
    log: list[Any] = []

    class Child(Recorder):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def on_stop(self) -> None:
            log.append(self.name)

    children = [StaticChild(id=name, actor_class=Child, args=(name,)) for name in "abcdef"]
    world.start(Supervisor, children)
    assert world.system.stop(1.0) is True
    assert log == list("fedcba")


def test_a_stopped_system_starts_nobody():
    """L9: nothing can appear that nobody would stop."""
    world = World(seed=0)
    world.end()

    with pytest.raises(ActorError, match="has been stopped"):
        world.system.start(Recorder)
    assert world.system.actor_count == 0


def test_an_actor_whose_constructor_outlasts_the_stop_is_not_started():
    """H9, L9: its start had been allowed, and must not bring back the threads of a system that has been stopped."""
    inside, let_go = threading.Event(), threading.Event()
    refused: list[BaseException] = []

    class Slow(Recorder):
        def __init__(self) -> None:
            super().__init__()
            inside.set()
            assert let_go.wait(DEADLINE_S)

    def start() -> None:
        try:
            system.start(Slow)
        except ActorError as error:
            refused.append(error)

    system = System(name="slow")
    starting = threading.Thread(target=start)
    starting.start()
    assert inside.wait(DEADLINE_S)
    assert system.stop(timeout_s=0.01) is False
    let_go.set()
    starting.join(DEADLINE_S)

    assert ["has been stopped" in str(error) for error in refused] == [True]
    assert thread_count(system) == 0
    assert system.actor_count == 0
    assert system.stop() is True


def test_an_actor_that_stop_did_not_find_is_not_even_made(monkeypatch: pytest.MonkeyPatch):
    """H9, L9: the whole of a stop falls between the first look and its being counted among the living."""
    system = System(name="missed")
    new_cell = system.new_cell
    made: list[str] = []

    class Made(Recorder):
        dispatcher = "blocking"

        def __init__(self) -> None:
            super().__init__()
            made.append("made")

    def stop_first(*args: Any, **kwargs: Any) -> Any:
        assert system.stop() is True
        return new_cell(*args, **kwargs)

    monkeypatch.setattr(system, "new_cell", stop_first)
    with pytest.raises(ActorError, match="has been stopped"):
        system.start(Made)

    assert made == []
    assert thread_count(system) == 0
    assert system.actor_count == 0


def test_a_stop_that_comes_while_the_first_actor_is_started_ends_it(monkeypatch: pytest.MonkeyPatch):
    """H9: it waits until the threads are there, so that it can stop them."""
    system = System(name="first")
    stopping = threading.Thread(target=system.stop, args=(0.01,))
    start = system.dispatcher.start

    def start_late() -> None:
        stopping.start()
        stopping.join(0.2)  # it would be over by then, if it did not wait
        start()

    monkeypatch.setattr(system.dispatcher, "start", start_late)
    system.start(Recorder)
    stopping.join(DEADLINE_S)

    assert not stopping.is_alive()
    assert thread_count(system) == 0
    assert system.actor_count == 0


def thread_count(system: System) -> int:
    """How many threads of its own a system on threads has."""
    assert isinstance(system.dispatcher, BatonDispatcher)
    return system.dispatcher.thread_count


def test_an_actor_cannot_wait_for_the_end_of_its_own_system(world: World):
    """It would wait for itself; the text says what to do."""
    ref = world.start(Recorder)
    with pytest.raises(ActorError, match="stop it from outside"):
        ref.ask(lambda actor: actor.system.stop(), timeout=0)
    assert ref.is_alive()


def test_an_exception_in_a_constructor_reaches_the_caller(system: System):
    """L1: on threads as well."""

    class Broken(Actor):
        def __init__(self, why: str) -> None:
            raise OSError(why)

    with pytest.raises(OSError, match="because"):
        system.start(Broken, "because")
    assert system.actor_count == 0


def test_an_unknown_dispatcher_is_refused_by_name(world: World):
    """A spelling mistake must not silently run an actor somewhere else."""

    class Misspelt(Actor):
        dispatcher = "pined"  # type: ignore[assignment]

    with pytest.raises(ConfigError, match="pined"):
        world.system.start(Misspelt)
    assert world.system.actor_count == 0


def test_a_child_with_a_key_that_is_taken_is_not_started(world: World):
    """R1: one of two wins; the other is told, with the winner's ref, and leaves nothing."""
    supervisor = world.start(DynamicSupervisor)
    winner = world.system.start_child(supervisor, Recorder, spec=ChildSpec(), keys=("call",))
    with pytest.raises(NameTaken) as caught:
        world.system.start_child(supervisor, Recorder, spec=ChildSpec(), keys=("own", "call"))
    world.settle()

    assert caught.value.owner == winner
    assert world.system.find("own") is None
    assert world.system.find("call") == winner
    assert world.system.actor_count == 2


def test_a_child_is_told_first_what_it_is_begun_with_and_is_given_no_turn_before(world: World):
    """Thousands of calls begin with their offers: a turn of who has not been started yet would be one in vain."""
    supervisor = world.start(DynamicSupervisor)
    cell = world.system.begin_child(supervisor, Recorder, spec=ChildSpec(), first="offer")
    assert cell.is_resting
    cell.tell_control("event")
    cell.tell_user("message")
    world.settle()

    assert cell.actor.log_of == ["start", "offer", "event", "message"]


def test_a_childs_constructor_may_have_any_parameter(world: World):
    """What starting children needs besides must not take a name away from a user's class."""

    class First(Recorder):
        def __init__(self, *, first: str) -> None:
            super().__init__()
            self.first = first

    supervisor = world.start(DynamicSupervisor)
    ref = world.system.start_child(supervisor, First, spec=ChildSpec(), first="mine")
    world.settle()

    assert ref._cell.actor.first == "mine"
    assert ref._cell.actor.log_of == ["start"]


def test_what_a_child_is_begun_with_is_a_dead_letter_if_its_parent_has_ended(world: World):
    """M7: nothing is lost in silence."""
    supervisor = world.start(DynamicSupervisor)
    supervisor.stop(timeout=0)
    cell = world.system.begin_child(supervisor, Recorder, spec=ChildSpec(), first="offer")
    world.settle()

    assert cell.has_ended
    assert ("offer", "dead") in world.dead()


def test_a_child_of_a_stranger_is_refused(world: World):
    """Actors of stock pykka have no children."""

    class Stock(pykka.ThreadingActor):
        pass

    stranger = Stock.start()
    try:
        child = world.system.start_child(stranger, Recorder, spec=ChildSpec())
        assert not child.is_alive()
        assert "not an actor of this framework" in str(child._cell.exit_reason)
    finally:
        stranger.stop()


def test_an_actor_is_found_by_its_urn(world: World):
    """R2, R3: as long as it lives, over restarts; other texts are just keys."""
    ref = world.start(Recorder)
    urn = ref.actor_urn
    assert world.system.find(urn) == ref
    assert UUID(urn).version == 4
    assert world.system.find(urn + "x") is None
    assert world.system.find(uuid5(UUID(urn), "another").urn) is None
    assert World(seed=1).system.find(urn) is None
    ref.stop(timeout=0)
    assert world.system.find(urn) is None


def test_counting_the_living(world: World):
    """In the order in which they were made."""
    refs = [world.start(Recorder) for _ in range(3)]
    refs[1].stop(timeout=0)

    assert [cell.ref for cell in world.system.living] == [refs[0], refs[2]]
    assert world.system.actor_count == 2


def test_an_observer_that_raises_harms_nobody():
    """O1: it is detached, and everything goes on."""

    class Broken(Counters):
        def count(self, name: str, amount: int = 1) -> None:
            raise OSError("no")

    system = System(name="observed", hooks=Broken())
    ref = system.start(Recorder)
    ref._cell.kill("by the test")

    assert not ref.is_alive()
    assert system.stop() is True


def test_ids_come_from_the_given_randomness():
    """V3: the same seed, the same ids."""
    assert World(seed=3).system.new_id() == World(seed=3).system.new_id() != World(seed=4).system.new_id()


def test_actors_without_a_system_run_in_the_processs_own():
    """pykka's ``MyActor.start()``; inside an actor, in that actor's system."""

    class Starts(Actor):
        def on_receive(self, message: Any) -> Any:
            return Echo.start()

    ref = Echo.start()
    assert ref._cell.system is default_system()
    assert ref.ask("a", timeout=DEADLINE_S) == "a"
    assert default_system().stop() is True
    assert not ref.is_alive()
    assert Echo.start()._cell.system is default_system() is not ref._cell.system
    assert default_system().stop() is True

    world = World(seed=0)
    inner = world.start(Starts).ask("start", timeout=0)
    assert inner._cell.system is world.system
    world.end()


def test_stopping_is_idempotent_while_something_fails(world: World):
    """H8: and an actor that fails while the system stops is no obstacle."""
    parent = world.start(Parent)
    child = spawn(parent, Recorder)
    child.tell(crash())
    assert world.system.stop(1.0) is True
    assert world.system.stop(1.0) is True
