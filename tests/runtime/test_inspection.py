"""What can be seen of actors while they run."""

import asyncio
import itertools
import json
import logging
import threading
from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import cell_of
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.inspection import ActorNode
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Blocker, Echo, Parent, Recorder, World, block, crash, spawn, until

PERMANENT = ChildSpec(restart=Restart.PERMANENT)
PATIENT = ChildSpec(restart=Restart.TRANSIENT, backoff=Backoff(min_s=10.0, max_s=10.0, jitter=0.0))


class Labelled(Recorder):
    def label(self) -> str:
        return f"of {len(self.log_of)}"


class Pinned(Blocker):
    dispatcher = "pinned"


def test_what_waits_is_told_per_lane_with_the_age_of_the_oldest(world: World):
    """M8: nobody reads a clock when a message is sent, so the age counts from the first look at it."""
    ref = world.start(Recorder)
    ref.tell("one")
    ref.tell("two")
    ref.tell_ahead("first")
    seen = ref.stats()
    assert (seen.system, seen.control, seen.user, seen.waiting) == (0, 1, 2, 3)
    assert seen.oldest_s == 0.0

    world.dispatcher._clock.advance(1.5)
    assert ref.stats().oldest_s == 1.5

    world.settle()
    seen = ref.stats()
    assert (seen.waiting, seen.oldest_s, seen.message, seen.turn_s) == (0, None, "", None)


def test_the_message_whose_handler_awaits_is_told(world: World):
    """M8: what waits behind it would look as if nobody did anything."""

    class Awaits(Actor):
        async def on_receive(self, message: Any) -> None:
            await self.sleep(message)

    ref = world.start(Awaits)
    ref.tell(10.0)
    ref.tell(0.0)
    world.advance(1)
    seen = ref.stats()
    assert (seen.waiting, seen.message, seen.turn_s) == (1, "float", None)
    assert "[awaits in float]" in str(world.system.inspect(ref))
    world.advance(10)
    assert (ref.stats().waiting, ref.stats().message) == (0, "")


class Computes(Recorder):
    """Has awaited something on the loop, and then holds that up."""

    dispatcher = "loop"

    async def on_receive(self, message: Any) -> None:
        blocked, let_go = message
        await asyncio.sleep(0)
        blocked.set()
        assert let_go.wait(DEADLINE_S)


def test_a_handler_on_the_loop_that_goes_on_after_an_await_is_not_told_to_await(system: System):
    """M8: it holds up the loop, and who looks for whoever does that would be sent elsewhere."""
    ref = system.start(Computes)
    blocked, let_go = threading.Event(), threading.Event()
    answer = ref.ask((blocked, let_go), block=False)
    assert blocked.wait(DEADLINE_S)
    try:
        assert " [in tuple for " in str(system.inspect(ref))
    finally:
        let_go.set()
    answer.get(timeout=DEADLINE_S)
    until(lambda: ref.stats().turn_s is None)


def test_a_turn_that_begins_during_the_look_is_not_told_to_await(system: System):
    """M8: of each of many actors that are busy, the turn may begin between two looks."""

    class BeginsMeanwhile(Recorder):
        def label(self) -> str:  # the first of the two to be looked at
            asked.append(block(ref))
            return ""

    asked: list[Any] = []
    system.start(BeginsMeanwhile)
    ref = system.start(Blocker)
    tree = system.inspect()
    for answer, let_go in asked:
        let_go.set()
        answer.get(timeout=DEADLINE_S)
    assert "[in str for 0 s]" in str(tree)


def test_the_age_is_never_that_of_a_message_which_is_gone(world: World):
    """M8: a look marks the message itself, not the place in which it stood."""
    ref = world.start(Recorder)
    ref.tell("one")
    assert ref.stats().oldest_s == 0.0
    world.dispatcher._clock.advance(9.0)
    world.settle()
    ref.tell("two")
    assert ref.stats().oldest_s == 0.0


def test_the_present_message_and_the_age_of_the_turn_are_told(world: World):
    """M8: here the turn waits, and virtual time goes on meanwhile."""
    other = world.start(Echo)
    seen: list[Any] = []

    class Waiter(Actor):
        def on_receive(self, message: Any) -> Any:
            world.dispatcher.call_at(world.now + 2.0, lambda: seen.append(self.actor_ref.stats()))
            world.dispatcher.wait_until(lambda: bool(seen), lambda _timeout_s: True, 5.0)
            return other.ask(message, timeout=5.0)

    world.start(Waiter).tell(3.5)
    world.settle()

    assert (seen[0].message, seen[0].turn_s, seen[0].state) == ("float", 2.0, "running")


@pytest.mark.parametrize("actor_class", [Blocker, Pinned])
def test_a_turn_that_blocks_is_seen_from_another_thread(system: System, actor_class: type[Blocker]):
    """M8, X14: on threads, of a turn that has lost the baton and of one on a thread of its own."""
    ref = system.start(actor_class)
    _future, let_go = block(ref)
    ref.tell("later")
    began = system.clock.now()

    until(lambda: (ref.stats().turn_s or 0.0) > 0.03)
    stats = ref.stats()

    assert stats.message == "str"
    assert stats.user == 1
    assert stats.turn_s is not None
    assert stats.turn_s <= system.clock.now() - began + DEADLINE_S
    let_go.set()
    until(lambda: ref.stats().turn_s is None)


def test_a_child_inside_its_parents_turn_shares_its_age(world: World):
    """M8: one whose start its parent waits for, of which the dispatcher does not know."""
    seen: list[Any] = []

    class Inline(Actor):
        def on_start(self) -> None:
            world.dispatcher.clock.advance(0.5)
            seen.append(self.actor_ref.stats())

    parent = world.start(Recorder)
    parent.tell(lambda actor: actor.spawn_started(Inline))
    world.settle()

    assert seen[0].turn_s == 0.5


def test_the_stats_of_the_dead_say_so(world: World):
    """M8: looking never fails."""
    ref = world.start(Recorder)
    ref.stop(block=False)
    world.settle()
    assert ref.stats().state == "dead"


def test_the_tree_shows_everybody_with_state_label_and_children(world: World):
    """O3: what `print` shows is the same tree."""
    parent = world.start(Parent)
    child = spawn(parent, Labelled)
    spawn(child, Echo)
    world.settle()
    child.tell("x")

    tree = world.system.inspect(parent)

    assert [node.name for node in tree.walk()] == ["Parent#1", "Labelled#2", "Echo#3"]
    assert [node.stats.state for node in tree.walk()] == ["running"] * 3
    assert tree.children[0].label == "of 1"
    assert str(tree) == (
        "Parent#1 running\n└─ Labelled#2 of 1 running [1 waiting, the oldest for 0 s]\n   └─ Echo#3 running"
    )


def test_who_has_no_label_is_called_by_its_key(world: World):
    """O3: a service is known by its name."""
    ref = world.start(Recorder)
    ref.ask(lambda actor: actor.register(("service", "queue")), timeout=1.0)
    assert world.system.inspect(ref).label == "queue"


def test_restarts_are_told_with_their_reasons(world: World):
    """O3, S18: how often, why, when, which attempt, and after what delay; while it waits, the actor is restarting."""
    parent = world.start(Parent)
    child = spawn(parent, Recorder, spec=PATIENT)
    child.tell(crash("no such table"))
    world.settle()

    node = world.system.inspect(child)
    assert (node.stats.state, node.stats.incarnation) == ("restarting", 0)
    [note] = node.restarts
    assert (note.reason, note.attempt, note.delay_s) == ("error ValueError: no such table", 1, 10.0)
    assert note.at == world.dispatcher.clock.wall()

    world.advance(10.0)
    node = world.system.inspect(child)
    assert (node.stats.state, node.stats.incarnation, node.stats.restarts) == ("running", 1, 1)
    assert str(node) == "Recorder#2 running [restarted 1x, last: error ValueError: no such table]"


def test_only_the_latest_restarts_are_remembered(world: World):
    """O3: an actor that crashes for ever must not remember for ever."""
    parent = world.start(Parent)
    child = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.TRANSIENT, max_restarts=99, within_s=1.0))
    for number in range(60):
        child.tell(crash(str(number)))
        world.settle()

    node = world.system.inspect(child)
    assert node.stats.restarts == 60
    assert [note.reason for note in node.restarts] == [f"error ValueError: {number}" for number in range(10, 60)]


def test_actors_are_found_by_name_label_and_path(world: World):
    """O3: ``inspect(path)``; steps may be left out."""
    parent = world.start(Parent)
    child = spawn(parent, Labelled)
    spawn(parent, Echo)
    spawn(child, Echo)
    world.settle()

    for path in ("Labelled#2", "of 1", "Labelled", "Parent/Labelled", "Parent#1/of 1"):
        assert world.system.inspect(path).name == "Labelled#2"
    assert world.system.inspect("Parent/of 1/Echo").name == "Echo#4"
    with pytest.raises(ConfigError, match=r"there is no actor 'Nobody#9'"):
        world.system.inspect("Nobody#9")
    with pytest.raises(ConfigError, match=r"'Echo' may be any of Echo#3, Echo#4: give one of these"):
        world.system.inspect("Echo")
    with pytest.raises(ConfigError, match="there is no actor"):
        world.system.inspect("Labelled/Parent#1")


def test_everybody_is_under_the_system(world: World):
    """O3: those whom no parent has taken yet are not shown as if they had none."""
    parent = world.start(Parent)
    world.start(Echo)
    world.system.start_child(parent, Echo, spec=ChildSpec())

    assert [node.name for node in world.system.inspect().children] == ["Parent#1", "Echo#2"]
    world.settle()
    assert [node.name for node in world.system.inspect(parent).children] == ["Echo#3"]


def test_a_label_that_raises_hides_nobody(world: World, caplog: pytest.LogCaptureFixture):
    """O3: it is the user's method, on somebody else's thread."""

    class Broken(Recorder):
        def label(self) -> str:
            raise OSError("no label today")

    ref = world.start(Broken)
    assert world.system.inspect(ref).label == ""
    assert "label() raised" in caplog.text


class _Textless:
    """Can be a key, and has no text."""

    def __str__(self) -> str:
        raise AttributeError("name")


def test_what_is_no_label_hides_nobody_and_fails_no_parent(world: World):
    """O3, L8: a failure is told of with the label, which is the user's code once more."""

    class Odd(Recorder):
        def label(self) -> Any:
            return _Textless()

    parent = world.start(Parent)
    odd = spawn(parent, Odd, spec=PERMANENT)
    named = spawn(parent, Recorder, spec=PERMANENT)
    named.tell(lambda actor: actor.register(_Textless()))
    for ref in (odd, named):
        ref.tell(crash())
    world.settle()

    assert [ref.incarnation for ref in (parent, odd, named)] == [0, 1, 1]
    assert [node.label for node in world.system.inspect(parent).children] == ["", ""]


def test_parts_of_another_form_hide_nobody(world: World, caplog: pytest.LogCaptureFixture):
    """O3: they are the user's code as well."""

    class Broken(Recorder):
        def parts(self) -> Any:
            return ["not a pair"]

    parent = world.start(Parent)
    spawn(parent, Broken)
    spawn(parent, Recorder)
    world.settle()

    assert len(world.system.inspect(parent).children) == 2
    assert "parts() raised" in caplog.text


def test_the_tree_can_be_written_as_json(world: World):
    """O3: for other programs."""
    parent = world.start(Parent)
    child = spawn(parent, Recorder, spec=PATIENT)
    child.tell(crash())
    world.settle()

    [told] = json.loads(json.dumps(world.system.inspect(parent).as_dict()))["children"]

    assert (told["name"], told["class"], told["state"], told["incarnation"]) == (
        "Recorder#2", "Recorder", "restarting", 0,
    )  # fmt: skip
    assert told["restarts"][0]["delay_s"] == 10.0


@pytest.mark.usefixtures("eager_switches")
def test_what_is_told_of_one_actor_belongs_together(system: System):
    """O3: an actor that restarts all the time is never seen with the state of another incarnation than it tells.

    Each incarnation says in its label which one it is; after it has run, it has failed, never the other way round.
    """
    parent = system.start(Parent)
    spec = ChildSpec(restart=Restart.TRANSIENT, max_restarts=100_000, within_s=1.0)
    child = spawn(parent, Recorder, spec=spec)
    seen: list[tuple[int, int]] = []
    order = {"starting": 0, "running": 1, "restarting": 2, "stopping": 3, "dead": 3}
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            stats = child.stats()
            seen.append((stats.incarnation, order[stats.state]))

    logging.disable(logging.CRITICAL)
    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(200):
            child.tell(crash())
        until(lambda: child.incarnation == 200)
    finally:
        stop.set()
        looker.join(DEADLINE_S)
        logging.disable(logging.NOTSET)

    # The incarnation is counted a moment before the new one is said to start: only there it may seem to go back.
    assert all(one <= two or (one[0] == two[0] and one[1] == 2) for one, two in itertools.pairwise(seen))
    assert len({incarnation for incarnation, _state in seen}) > 1


def test_looking_does_not_wait_for_anybody(system: System):
    """X14: of a thousand actors, while they are all being told things, in less than 50 ms; the best of ten looks."""
    parent = system.start(Parent)
    refs = [spawn(parent, Echo) for _ in range(1000)]
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            for ref in refs[::10]:
                ref.tell("x")

    loader = threading.Thread(target=load)
    loader.start()
    took: list[float] = []
    try:
        for _ in range(10):
            began = system.clock.now()
            tree = system.inspect()
            took.append(system.clock.now() - began)
            assert sum(1 for _ in tree.walk()) == 1002
    finally:
        stop.set()
        loader.join(DEADLINE_S)
    assert min(took) < 0.05, took


def test_a_look_takes_no_turn_and_changes_nothing(world: World):
    """X14: a deterministic run is the same, looked at or not."""
    ref = world.start(Recorder)
    ref.tell("x")
    steps = world.dispatcher.steps
    assert isinstance(world.system.inspect(), ActorNode)
    ref.stats()
    assert world.dispatcher.steps == steps
    assert cell_of(ref).mailbox.user_length == 1
