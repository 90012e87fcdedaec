"""Finding actors by key."""

import itertools
import threading
from typing import Any

import pytest

from relay_actors.errors import ActorError, ConfigError, NameTaken
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.registry import KeyRegistered, KeyReleased, KeysFound, Registry
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn


class Stub:
    """As much of a cell as the registry looks at."""

    stopped = False
    has_ended = False
    keys: tuple[Any, ...] = ()


def cells(number: int) -> list[Any]:
    return [Stub() for _ in range(number)]


def test_a_key_has_one_owner():
    """R1: who comes second is given the first."""
    registry = Registry()
    first, second = cells(2)

    assert registry.register("key", first) is first
    assert registry.register("key", second) is first
    assert registry.register("key", first) is first
    assert (registry.find("key"), registry.keys_of(first), registry.keys_of(second)) == (first, ("key",), ())


@pytest.mark.usefixtures("eager_switches")
def test_of_claims_at_once_one_wins_and_all_agree():
    """R1: from several threads."""
    for _ in range(200):
        registry = Registry()
        claimants = cells(4)
        barrier = threading.Barrier(4)
        winners: list[Any] = []

        def claim(cell: Any, registry: Registry = registry, barrier: Any = barrier, winners: Any = winners) -> None:
            barrier.wait(DEADLINE_S)
            winners.append(registry.register("key", cell))

        threads = [threading.Thread(target=claim, args=(cell,)) for cell in claimants]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)

        assert len(winners) == 4
        assert len(set(winners)) == 1
        assert registry.find("key") is winners[0]


def test_releasing_frees_all_keys_of_one():
    """R3: both sides change together; those of others stay."""
    registry = Registry()
    first, second = cells(2)
    for number in range(3):
        registry.register(("first", number), first)
    registry.register("second", second)
    registry.release(first)

    assert len(registry) == 1
    assert registry.find(("first", 0)) is None
    assert registry.find("second") is second
    registry.release(first)


def test_only_the_owner_gives_a_key_back():
    """A late clean-up of a former owner must not take it from the present one."""
    registry = Registry()
    first, second = cells(2)
    registry.register("key", first)
    registry.unregister("key", second)
    assert registry.find("key") is first
    registry.unregister("key", first)
    assert registry.find("key") is None
    assert registry.keys_of(first) == ()


def test_who_goes_on_can_give_all_its_keys_back(world: World):
    """A call that has ended is found by nobody, but hears of others until its actor ends."""
    registry = world.system.registry
    told: list[Any] = []
    ref = world.start(Follower, told)
    ref.ask(lambda actor: (actor.register("a", "b"), actor.watch_keys()), timeout=0)
    registry.unregister_all(ref._cell)
    world.settle()

    assert registry.keys_of(ref._cell) == ()
    assert (registry.find("a"), registry.find("b")) == (None, None)
    assert told == [KeysFound({"a": ref, "b": ref}), KeyReleased("a", ref), KeyReleased("b", ref)]
    assert registry.register("a", ref._cell) is ref._cell


def test_the_dead_are_not_found():
    """R2: also between the end and the release."""
    registry = Registry()
    [cell] = cells(1)
    registry.register("key", cell)
    cell.stopped = True
    assert registry.find("key") is None


def test_keys_stay_over_a_restart_and_go_with_the_end(world: World):
    """R2: for real actors; a second claim is told who has it."""
    child = spawn(world.start(Parent), Recorder, spec=ChildSpec(restart=Restart.TRANSIENT))
    child.ask(lambda actor: actor.register("key"), timeout=0)
    child.tell(crash())
    world.settle()
    assert child.incarnation == 1
    assert world.system.find("key") == child

    other = world.start(Recorder)
    with pytest.raises(NameTaken) as caught:
        other.ask(lambda actor: actor.register("key"), timeout=0)
    assert caught.value.owner == child
    child.stop(timeout=0)
    world.settle()
    other.ask(lambda actor: actor.register("key"), timeout=0)
    assert world.system.find("key") == other


def test_several_keys_are_claimed_all_or_none(world: World):
    """R1, R3: in one step; who comes too late for one of them gets none, and is told who has it."""
    one, other = world.start(Recorder), world.start(Recorder)
    one.ask(lambda actor: actor.register("a", "b"), timeout=0)
    with pytest.raises(NameTaken) as caught:
        other.ask(lambda actor: actor.register("c", "b", "d"), timeout=0)
    assert caught.value.owner == one
    assert [world.system.find(key) for key in "abcd"] == [one, one, None, None]
    one.ask(lambda actor: actor.unregister("b"), timeout=0)
    other.ask(lambda actor: actor.register("b", "c"), timeout=0)
    assert [world.system.find(key) for key in "abc"] == [one, other, other]


class CountedKey:
    """A key that counts how often it is looked at."""

    looks = 0

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        CountedKey.looks += 1
        return hash(self.number)

    def __eq__(self, other: object) -> bool:
        CountedKey.looks += 1
        return isinstance(other, CountedKey) and other.number == self.number


def looks_at_keys(number_of_keys: int) -> list[int]:
    """How often keys are looked at by finding, claiming, giving back and releasing, among so many of one owner."""
    registry, counts = Registry(), []
    owner, other = cells(2)
    for number in range(number_of_keys):
        registry.register(CountedKey(number), owner)
    for do in (
        lambda: registry.find(CountedKey(3)),
        lambda: registry.register(CountedKey(-1), other),
        lambda: registry.unregister(CountedKey(3), owner),
        lambda: registry.release(other),
    ):
        CountedKey.looks = 0
        do()
        counts.append(CountedKey.looks)
    return counts


def test_nothing_takes_longer_among_many_keys():
    """R3: counted in looks at keys, not in time, so that it is exact: among ten or ten thousand, the same few."""
    assert looks_at_keys(10) == looks_at_keys(10_000)
    assert max(looks_at_keys(10)) <= 8


# -- subscriptions ---------------------------------------------------------------------------------------------------


class Follower(Actor):
    """Keeps its own picture of who owns what, by what it is told."""

    def __init__(self, told: list[Any]) -> None:
        super().__init__()
        self.told = told

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        self.told.append(message)
        return None


def picture(told: list[Any]) -> dict[Any, Any]:
    """What is known after these notices; one that does not fit what is known already is an error."""
    known: dict[Any, Any] = {}
    for number, notice in enumerate(told):
        match notice:
            case KeysFound(owners=owners):
                assert number == 0, "found twice"
                known = dict(owners)
            case KeyRegistered(key=key, ref=ref):
                assert key not in known, f"{key} came twice"
                known[key] = ref
            case KeyReleased(key=key, ref=ref):
                assert known.pop(key) == ref
    return known


def claim(ref: Any, *keys: Any) -> None:
    ref.ask(lambda actor: actor.register(*keys), timeout=DEADLINE_S)


def test_who_subscribes_is_told_what_there_is_and_every_change(world: World):
    """R5: of keys with the prefix only; nothing after the end of the subscription, even if it waits already."""
    one, other = world.start(Recorder), world.start(Recorder)
    claim(one, ("queue", 1), ("call", 1))
    told: list[Any] = []
    follower = world.start(Follower, told)
    token = follower.ask(lambda actor: actor.watch_keys(("queue",)), timeout=0)
    claim(other, ("queue", 2), "queue", ("queue",))
    one.stop(timeout=0)
    world.settle()

    assert told == [
        KeysFound({("queue", 1): one}),
        KeyRegistered(("queue", 2), other),
        KeyRegistered(("queue",), other),
        KeyReleased(("queue", 1), one),
    ]

    def unwatch(actor: Any) -> None:
        other._cell.kill("by the test")  # what is told of it waits from here on
        actor.unwatch_keys(token)

    follower.ask(unwatch, timeout=0)
    world.settle()
    assert len(told) == 4


def test_texts_have_prefixes_and_anything_can_be_asked_for(world: World):
    """R5: ``where`` is called in the subscriber's turns; what it raises fails the subscriber only."""
    ref = world.start(Recorder)
    claim(ref, "agent/anna", "other")
    by_text, by_question, broken = ([], [], [])  # type: ignore[var-annotated]
    registry = world.system.registry
    registry.subscribe(world.start(Follower, by_text), "agent/")
    registry.subscribe(world.start(Follower, by_question), where=lambda key: key == "other")
    failing = world.start(Follower, broken)
    registry.subscribe(failing, where=lambda key: 1 / 0)
    claim(ref, "agent/ben", "third")
    world.settle()

    assert by_text == [KeysFound({"agent/anna": ref}), KeyRegistered("agent/ben", ref)]
    assert by_question == [KeysFound({"other": ref})]
    assert not failing.is_alive()
    ref.stop(timeout=0)
    world.settle()
    assert by_question[1:] == [KeyReleased("other", ref)]


def test_each_incarnation_begins_with_a_picture_of_its_own(world: World):
    """R5: the next incarnation does not know what was found, and is told nothing that was meant for another."""

    class Faithful(Follower):
        def on_start(self) -> None:
            self.told.clear()
            self.watch_keys("a")

    told: list[Any] = []
    follower = spawn(world.start(Parent), Faithful, told, spec=ChildSpec(restart=Restart.TRANSIENT))
    one = world.start(Recorder)
    follower.tell(crash())
    claim(one, "a1")
    world.settle()
    claim(one, "a2")
    world.settle()

    assert follower.incarnation == 1
    assert picture(told) == {"a1": one, "a2": one}
    assert len(world.system.registry._subscriptions) == 1
    follower.stop(timeout=0)
    assert world.system.registry._subscriptions == {}


def test_subscribing_the_dead_leaves_nothing(world: World):
    """X18."""
    ref = world.start(Recorder)
    ref.stop(timeout=0)
    world.system.registry.subscribe(ref)
    assert world.system.registry._subscriptions == {}


def test_what_cannot_be_subscribed_is_refused(world: World):
    """R5."""
    with pytest.raises(ConfigError, match="a prefix of keys is a tuple"):
        world.system.registry.subscribe(world.start(Recorder), 7)
    with pytest.raises(ActorError):
        world.system.registry.subscribe(None)  # type: ignore[arg-type]


@pytest.mark.usefixtures("eager_switches")
def test_no_schedule_leaves_a_gap_or_tells_twice(system: System):
    """R5: subscriptions begin while others register, give back and die on other threads; every picture is right."""
    registry = system.registry
    numbers = itertools.count()
    followers: list[tuple[Any, list[Any]]] = []

    def come_and_go() -> None:
        for round_number in range(25):
            ref = system.start(Recorder)
            claim(ref, ("n", next(numbers)), ("n", next(numbers)))
            if round_number % 3 == 0:
                ref._cell.kill("by the test")
            elif round_number % 3 == 1:
                [first, _second] = registry.keys_of(ref._cell)
                registry.unregister(first, ref._cell)

    def follow() -> None:
        for _ in range(15):
            told: list[Any] = []
            ref = system.start(Follower, told)
            registry.subscribe(ref, ("n",))
            followers.append((ref, told))

    threads = [threading.Thread(target=target) for target in (come_and_go, come_and_go, follow)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)

    present = {key: cell.ref for key, cell in registry.owners.items()}
    assert len(followers) == 15
    for ref, told in followers:
        ref.ask(lambda _actor: None, timeout=DEADLINE_S)  # behind all notices
        assert picture(told) == present
