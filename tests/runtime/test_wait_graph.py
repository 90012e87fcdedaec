"""Circles of actors that wait: found before they close, named, and nothing else is taken for one."""

import threading
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay_actors.errors import StartFailed, WouldDeadlock
from relay_actors.runtime import wait_graph
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.asking import FOREVER
from relay_actors.runtime.clock import Random
from relay_actors.runtime.failures import AskTimeout
from relay_actors.runtime.future import Future
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Echo, Parent, Recorder, World, until


@pytest.fixture(autouse=True)
def nothing_left() -> Any:
    """Whatever happened, nobody is noted as waiting afterwards."""
    yield
    assert not wait_graph._waits


def test_a_chain_of_waits_can_be_told(system: System):
    """O5: from the first to the last; nothing of who does not wait."""
    inside, let_go = threading.Event(), threading.Event()

    def stay(_actor: Any) -> str:
        inside.set()
        assert let_go.wait(DEADLINE_S)
        return "let go"

    first, second, third = (system.start(Recorder) for _ in range(3))
    asked = first.ask(
        lambda _actor: second.ask(lambda _actor: third.ask(stay, timeout=DEADLINE_S), timeout=DEADLINE_S), block=False
    )
    assert inside.wait(DEADLINE_S)
    told = [wait_graph.describe(ref._cell) for ref in (first, second, third)]
    let_go.set()
    assert asked.get(timeout=DEADLINE_S) == "let go"
    assert told[0] == "Recorder#1 -function-> Recorder#2 -function-> Recorder#3"
    assert told[1:] == ["Recorder#2 -function-> Recorder#3", ""]


class Question:
    """Has a name that is found in the chain; does what it is told."""

    def __init__(self, do: Any) -> None:
        self.do = do

    def __call__(self, actor: Any) -> Any:
        return self.do(actor)


def test_asking_oneself_is_refused_at_once(world: World):
    """A8: with the class and the message in the text, what to do instead, no time lost, and nothing sent."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    with pytest.raises(WouldDeadlock, match=r"Recorder#1 -Question-> Recorder#1\. .*pipe_to_self") as caught:
        ref.ask(lambda actor: actor.actor_ref.ask(Question(lambda _actor: log.append("sent"))), timeout=60)
    world.settle()

    assert caught.value.chain == ("Recorder#1: Question", "Recorder#1")
    assert (world.now, log) == (0, ["start"])


def test_asking_oneself_is_refused_on_threads(system: System):
    """A8: also with all the time in the world."""
    ref = system.start(Recorder)
    with pytest.raises(WouldDeadlock):
        ref.ask(lambda actor: actor.actor_ref.ask("me", timeout=FOREVER), timeout=DEADLINE_S)


def test_a_circle_is_named_from_end_to_end(world: World):
    """A8: A asks B asks C asks A; C is told, and from there it is an error like any other."""
    a, b, c = (world.start(Recorder) for _ in range(3))

    def closes(_actor: Any) -> Any:
        return a.ask("back", timeout=FOREVER)

    def passes_on(_actor: Any) -> Any:
        return c.ask(Question(closes))

    with pytest.raises(WouldDeadlock) as caught:
        a.ask(lambda _actor: b.ask(passes_on))
    assert caught.value.chain == (
        "Recorder#3: str",
        "Recorder#1: function",
        "Recorder#2: Question",
        "Recorder#3",
    )
    assert "raised in Recorder#3" in "".join(caught.value.__notes__)
    assert world.now == 0


def test_a_future_of_an_ask_is_a_wait_like_any_other(world: World):
    """A8: `get` in a turn, also of what is computed from several."""
    a, b, c = (world.start(Recorder) for _ in range(3))

    def closes(_actor: Any) -> Any:
        return c.ask("fine", block=False).join(a.ask("back", block=False)).map(list).get()

    with pytest.raises(WouldDeadlock, match="Recorder#2 -str-> Recorder#1 -function-> Recorder#2"):
        a.ask(lambda _actor: b.ask(closes, block=False).get(timeout=60))


def test_two_that_begin_to_ask_each_other_at_once_are_found(system: System):
    """A8: no message has told either of the other; at least one is told, and neither waits for its time-out."""
    barrier = threading.Barrier(2, timeout=DEADLINE_S)
    a, b = system.start(Recorder), system.start(Recorder)

    def ask(other: Any) -> Any:
        def do(_actor: Any) -> Any:
            barrier.wait()
            return other.ask("each other", timeout=FOREVER)

        return do

    for _ in range(20):
        answers = [a.ask(ask(b), block=False), b.ask(ask(a), block=False)]
        outcomes = []
        for answer in answers:
            try:
                outcomes.append(answer.get(timeout=DEADLINE_S))
            except WouldDeadlock:
                outcomes.append("refused")
        assert "refused" in outcomes
        assert set(outcomes) <= {"refused", "each other"}


def test_whoever_is_answered_already_is_no_part_of_a_circle(world: World):
    """A8: no false alarm when the future is settled, though the other has not looked at it yet."""
    a, b = world.start(Recorder), world.start(Recorder)
    seen: list[Any] = []

    def asks_back(_actor: Any) -> None:
        seen.append(a.ask("back", timeout=1))

    def asks(_actor: Any) -> str:
        answer = b.ask("first", block=False)
        b.tell(asks_back)
        assert answer.get() == "first"
        return "answered"

    assert a.ask(asks) == "answered"
    world.settle()
    assert seen == ["back"]


def test_an_edge_that_is_settled_leads_nowhere(world: World):
    """A8: also before the thread that waited has noticed."""
    a, b = (world.start(Recorder)._cell for _ in range(2))
    first, second = Future[str](), Future[str]()
    first.settled_by, second.settled_by = b, a
    before = wait_graph.enter(a, first)
    with pytest.raises(WouldDeadlock):
        wait_graph.enter(b, second)
    first.set("there")
    wait_graph.leave(b, wait_graph.enter(b, second))
    wait_graph.leave(a, before)


class Someone:
    """Somebody with turns, who is never run."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"Someone#{self.number}"


WHO = st.integers(0, 5)
STEPS = st.lists(st.tuples(WHO, st.sampled_from(["waits", "waits", "goes on", "one part is there"]), st.sets(WHO)))


@given(STEPS)
@example([(0, "waits", {1, 2}), (0, "one part is there", set()), (1, "waits", {0})])
def test_exactly_the_circles_are_refused(steps: list[tuple[int, str, set[int]]]):
    """A8: whoever waits for whom, and for how many at once: refused is what leads back, and nothing else."""
    people: list[Any] = [Someone(number) for number in range(6)]
    waits: dict[int, list[Any]] = {}

    def leads_to(number: int, goal: int, seen: frozenset[int] = frozenset()) -> bool:
        if number == goal or number in seen:
            return number == goal
        targets = [part.settled_by.number for part in waits.get(number, ()) if not part.is_settled]
        return any(leads_to(target, goal, seen | {number}) for target in targets)

    for who, what, targets in steps:
        if what == "goes on" and who in waits:
            del waits[who]
            wait_graph.leave(people[who], None)
        elif what == "one part is there" and who in waits:
            next((part for part in waits[who] if not part.is_settled), Future[None]()).set()
        elif what == "waits" and targets and who not in waits:
            parts = [waited_for(people[target]) for target in sorted(targets)]
            whole = parts[0].join(*parts[1:])
            if any(leads_to(target, who) for target in targets):
                with pytest.raises(WouldDeadlock, match=f"Someone#{who} -Future-> .*Someone#{who}\\. ") as caught:
                    wait_graph.enter(people[who], whole)
                assert len(caught.value.chain) <= len(people) + 1
            else:
                wait_graph.enter(people[who], whole)
                waits[who] = parts
    for who in waits:
        wait_graph.leave(people[who], None)


def waited_for(settled_by: Any) -> Future[None]:
    """A future that somebody settles in his turns."""
    future: Future[None] = Future()
    future.settled_by = settled_by
    return future


def test_a_parent_that_waits_for_the_start_of_its_child_waits(system: System):
    """A8: also when the child starts on a thread of its own, and asks the parent there."""
    parent = system.start(Parent)

    class Pinned(Actor):
        dispatcher = "pinned"

        def on_start(self) -> None:
            parent.ask("are you there", timeout=FOREVER)

    with pytest.raises(WouldDeadlock):
        parent.ask(lambda actor: raised_in(actor.spawn_started, Pinned), timeout=DEADLINE_S)


def test_a_long_chain_without_a_circle_goes_through(world: World):
    """A8: many may wait for one, and one for many."""
    refs = [world.start(Recorder) for _ in range(20)]
    last = world.start(Echo)

    def pass_on(number: int) -> Any:
        if number == len(refs):
            return lambda _actor: last.ask("the end")
        return lambda _actor: refs[number].ask(pass_on(number + 1))

    assert refs[0].ask(pass_on(1)) == "the end"


def test_a_parent_whose_turn_runs_its_childs_waits_with_it(world: World):
    """A8: a child that is started inside the turn of its parent, and asks one that asks the parent."""
    parent, other = world.start(Parent), world.start(Recorder)

    class Child(Actor):
        def on_start(self) -> None:
            other.ask(lambda _actor: parent.ask("back"))

    with pytest.raises(WouldDeadlock, match=r"Parent#1 -runs-> Child#3 -function-> Recorder#2") as caught:
        parent.ask(lambda actor: raised_in(actor.spawn_started, Child))
    assert len(caught.value.chain) == 4


def raised_in(spawn: Any, child_class: type[Actor]) -> None:
    """Raise what the start of the child has raised."""
    try:
        spawn(child_class)
    except StartFailed as error:
        raise error.__cause__ or error from None


def test_who_stops_itself_and_waits_for_that_is_told(world: World):
    """A8: pykka hangs here."""
    ref = world.start(Recorder)
    for now in (True, False):
        with pytest.raises(WouldDeadlock, match="Future"):
            world.start(Recorder).ask(lambda actor, now=now: actor.actor_ref.stop(now=now))
    assert ref.is_alive()


def test_who_only_looks_is_not_taken_to_wait(world: World):
    """A8: ``get(timeout=0)`` is a question whether it is there."""
    ref = world.start(Recorder)

    def look(actor: Any) -> str:
        try:
            actor.actor_ref.ask("me", block=False).get(timeout=0)
        except AskTimeout:
            return "not yet"
        return "there"

    assert ref.ask(look) == "not yet"


def test_nobody_is_in_the_way_of_another_wait(system: System):
    """A8: an actor that waits for what no actor settles is no part of anything."""
    future: Future[str] = Future()
    ref = system.start(Recorder)
    answer = ref.ask(lambda _actor: future.get(timeout=DEADLINE_S), block=False)
    until(lambda: bool(wait_graph._waits))
    other = system.start(Recorder)
    asked = other.ask(lambda _actor: ref.ask("behind", timeout=DEADLINE_S), block=False)
    future.set("at last")
    assert answer.get(timeout=DEADLINE_S) == "at last"
    assert asked.get(timeout=DEADLINE_S) == "behind"


def questions(random: Random, refs: list[Any], depth: int) -> Any:
    """A message that asks and tells others at random, who do the same."""
    plan = [(random.choice(refs), random.random() < 0.7, questions(random, refs, depth - 1)) for _ in range(2 * depth)]

    def do(_actor: Any) -> str:
        for target, asks, message in plan:
            if asks:
                target.ask(message)
            else:
                target.tell("nothing")
        return "done"

    return do


@pytest.mark.parametrize("seed", range(40))
def test_random_questions_end_whatever_circles_they_make(seed: int):
    """A8, A5: nested to any depth, each is answered or refused; no virtual time passes, so none waits for its end."""
    world = World(seed)
    refs = [world.start(Recorder) for _ in range(5)]
    answer = refs[0].ask(questions(world.system.random, refs, 3), block=False)
    world.settle()
    assert answer.is_settled
    assert answer.error is None or isinstance(answer.error, WouldDeadlock)
    assert world.now == 0
    world.end()


@pytest.mark.usefixtures("eager_switches")
def test_random_questions_end_on_threads_too(system: System):
    """A8, A5: several begin at the same time, and each of them ends long before its time is over."""
    refs = [system.start(Recorder) for _ in range(5)]
    refused = 0
    for seed in range(30):
        random = Random(seed)
        answers = [ref.ask(questions(random, refs, 2), block=False, timeout=FOREVER) for ref in refs]
        for answer in answers:
            try:
                assert answer.get(timeout=DEADLINE_S) == "done"
            except WouldDeadlock:
                refused += 1
    assert 0 < refused < 150
