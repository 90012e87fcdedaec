"""Routers: who gets a message."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ActorDead, ActorError, ConfigError, MailboxFull
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.routers import Router, bucket_of
from relay_actors.runtime.system import System
from tests.runtime.worlds import Blocker, Parent, Recorder, World, block, crash, spawn


def workers(world: World, number: int, **spec: Any) -> tuple[list[list[Any]], list[ActorRef[Any]]]:
    logs: list[list[Any]] = [[] for _ in range(number)]
    parent = world.start(Parent)
    refs = [spawn(parent, Recorder, log, spec=ChildSpec(**spec)) for log in logs]
    world.settle()
    for log in logs:
        log.clear()
    return logs, refs


def test_round_robin_goes_round(world: World):
    """Each in its turn, told or asked."""
    logs, refs = workers(world, 3)
    router = Router(refs)
    for number in range(4):
        router.tell(number)
    answers = [router.ask(number, block=False) for number in range(4, 6)]
    world.settle()

    assert logs == [[0, 3], [1, 4], [2, 5]]
    assert [answer.get(timeout=0) for answer in answers] == [4, 5]
    assert router.ask("waits", timeout=1) == "waits"


def test_the_least_busy_gets_it(world: World):
    """By the length of the queue; those who do nothing take turns."""
    logs, refs = workers(world, 3)
    router = Router(refs, "least_busy")
    for number in range(4):
        refs[0].tell(f"own {number}")
    refs[1].tell("own")
    for number in range(5):
        router.tell(number)
    world.settle()
    assert [len([entry for entry in log if isinstance(entry, int)]) for log in logs] == [0, 2, 3]

    for log in logs:
        log.clear()
    for number in range(6):
        router.tell(number)
        world.settle()
    assert [len(log) for log in logs] == [2, 2, 2]


def test_a_turn_under_way_counts_as_one_more(system: System):
    """On threads; who is blocked in a handler gets nothing while another one is idle."""
    refs = [system.start(Blocker) for _ in range(3)]
    router = Router(refs, "least_busy")
    blocked = [block(refs[0]), block(refs[2])]
    answers = [router.ask("events", timeout=5.0) for _ in range(5)]
    for future, let_go in blocked:
        let_go.set()
        future.get(timeout=5.0)

    assert len({id(events[0]) for events in answers}) == 1


def test_the_same_key_goes_to_the_same_actor(world: World):
    """Whatever else is in the message; different keys are spread."""
    logs, refs = workers(world, 4)
    router = Router(refs, "consistent_hash", key=lambda message: message[0])
    for number in range(200):
        router.tell((f"account {number % 40}", number))
    world.settle()

    places = {key: place for place, log in enumerate(logs) for key, _number in log}
    assert len(places) == 40
    assert sum(map(len, logs)) == 200
    assert all(key_places == {places[key]} for key, key_places in _places_by_key(logs).items())
    assert len(set(places.values())) == 4
    for log in logs:
        numbers = [number for _key, number in log]
        assert numbers == sorted(numbers)


def _places_by_key(logs: list[list[Any]]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for place, log in enumerate(logs):
        for key, _number in log:
            found.setdefault(key, set()).add(place)
    return found


@given(st.binary(max_size=12), st.integers(1, 60))
def test_a_key_moves_only_to_what_is_new(key: bytes, buckets: int):
    """Of one bucket more, a key stays where it is, or goes to the new one."""
    before, after = bucket_of(key, buckets), bucket_of(key, buckets + 1)
    assert 0 <= before < buckets
    assert after in (before, buckets)


def test_few_keys_move_and_all_buckets_get_their_share():
    """Of 5,000 keys from 9 buckets to 10 about a tenth moves, and no bucket is a quarter off its share."""
    keys = [b"key %d" % number for number in range(5000)]
    moved = sum(bucket_of(key, 9) != bucket_of(key, 10) for key in keys)
    assert 400 < moved < 600
    shares = Counter(bucket_of(key, 10) for key in keys)
    assert all(375 < shares[bucket] < 625 for bucket in range(10))


def test_a_key_has_its_place_in_every_process():
    """V3: not salted, as ``hash()`` of a text is."""
    first_ten = [bucket_of(b"%d" % number, 7) for number in range(10)]
    assert first_ten == [2, 3, 3, 2, 3, 0, 5, 1, 3, 2]


def test_the_keys_of_one_that_has_ended_go_to_others_and_no_other_key_moves(world: World):
    """And each is moved to one that lives."""
    logs, refs = workers(world, 4)
    router = Router(refs, "consistent_hash", key=lambda message: message)
    for number in range(60):
        router.tell(number)
    world.settle()
    before = [list(log) for log in logs]
    refs[1].stop(timeout=0)
    for log in logs:
        log.clear()
    for number in range(60):
        router.tell(number)
    world.settle()

    for place in (0, 2, 3):
        assert set(before[place]) <= set(logs[place])
        assert set(logs[place]) - set(before[place]) <= set(before[1])
        assert set(logs[place]) - set(before[place])


@pytest.mark.parametrize("routing", ["round_robin", "least_busy"])
def test_who_is_just_being_restarted_is_passed_over(world: World, routing: Any):
    """As long as there is another one; if there is none it gets the message, and handles it later."""
    backoff = Backoff(min_s=1.0, max_s=1.0, jitter=0)
    logs, refs = workers(world, 2, restart=Restart.PERMANENT, backoff=backoff)
    router = Router(refs, routing)
    refs[0].tell(crash())
    world.settle()
    for number in range(4):
        router.tell(number)
    world.settle()
    assert logs[1] == [0, 1, 2, 3]

    refs[1].tell(crash())
    world.settle()
    for number in range(4, 6):
        router.tell(number)
    world.settle()
    assert not {4, 5} & {*logs[0], *logs[1]}
    world.advance(1.0)
    assert {4, 5} <= {*logs[0], *logs[1]}


def test_a_key_waits_for_its_owner_that_is_being_restarted(world: World):
    """Or its messages would be handled by two, in no order."""
    backoff = Backoff(min_s=1.0, max_s=1.0, jitter=0)
    logs, refs = workers(world, 2, restart=Restart.PERMANENT, backoff=backoff)
    router = Router(refs, "consistent_hash", key=lambda _message: "the same")
    [owner] = [place for place in range(2) if bucket_of(b"sthe same", 2) == place]
    refs[owner].tell(crash())
    world.settle()
    router.tell("a")
    world.advance(1.0)

    assert "a" in logs[owner]
    assert "a" not in logs[1 - owner]


def test_a_broadcast_reaches_everybody_who_lives(world: World):
    """And has no one answer."""
    logs, refs = workers(world, 3)
    router = Router(refs, "broadcast")
    refs[1].stop(timeout=0)
    router.tell("a")
    world.settle()

    assert [log.count("a") for log in logs] == [1, 0, 1]
    assert router.refs == (refs[0], refs[2])
    with pytest.raises(ActorError, match="a broadcast cannot be asked"):
        router.ask("a")


def test_a_broadcast_reaches_all_others_of_whom_one_is_full(world: World):
    """M4: the sender is told, and nobody is left out because of who stands before him."""

    class Bounded(Recorder):
        mailbox_capacity = 1

    logs: list[list[Any]] = [[], [], []]
    refs = [world.start(Bounded, log) for log in logs]
    router = Router(refs, "broadcast")
    refs[1].tell("full")
    with pytest.raises(MailboxFull, match="1 messages wait"):
        router.tell("news")
    world.settle()
    assert [log[1:] for log in logs] == [["news"], ["full"], ["news"]]
    assert world.dead() == [("news", "overflow")]


@pytest.mark.parametrize("routing", ["round_robin", "least_busy", "consistent_hash", "broadcast"])
def test_when_all_have_ended_the_sender_is_told(world: World, routing: Any):
    """DL1: nothing is sent into the void."""
    _logs, refs = workers(world, 2)
    router = Router(refs, routing, key=(lambda _message: 1) if routing == "consistent_hash" else None)
    for ref in refs:
        ref.stop(timeout=0)
    with pytest.raises(ActorDead, match="nobody is left to send to"):
        router.tell("a")
    if routing != "broadcast":
        assert isinstance(router.ask("b", block=False).error, ActorDead)

    assert not router.is_alive()
    assert world.dead()[0] == ("a", "dead")
    assert repr(refs[0]._cell) in world.letters[0].recipient


def test_what_is_offered_to_one_that_ends_in_this_moment_is_offered_to_another(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """DL4: between the choice and the mailbox, as when it is told."""
    logs, refs = workers(world, 2)
    router = Router(refs)
    offer = ActorRef.offer

    def end_first(ref: ActorRef[Any], envelope: Envelope) -> bool | None:
        if ref is refs[0]:
            ref.kill("by the test")
        return offer(ref, envelope)

    monkeypatch.setattr(ActorRef, "offer", end_first)
    assert router.offer(Envelope("a")) is True
    world.settle()
    assert logs == [[], ["a"]]

    refs[1].stop(timeout=0)
    assert router.offer(Envelope("b")) is False


def test_what_makes_no_sense_is_refused(world: World):
    """Early, and with what to mend."""
    ref = world.start(Recorder)
    with pytest.raises(ConfigError, match="at least one actor"):
        Router([])
    with pytest.raises(ConfigError, match="one of round_robin, least_busy"):
        Router([ref], "random")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="needs a key"):
        Router([ref], "consistent_hash")
    with pytest.raises(ConfigError, match="the others have none"):
        Router([ref], key=lambda _message: 1)
    with pytest.raises(ActorError):
        Router([ref, None])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="a key of consistent_hash is text"):
        Router([ref], "consistent_hash", key=lambda _message: 1.5).tell("a")  # type: ignore[arg-type,return-value]


def test_keys_of_different_kinds_are_different_keys(world: World):
    """The text 1, the number 1, and a pair of them; none is mistaken for another one."""
    _logs, refs = workers(world, 50)
    router = Router(refs, "consistent_hash", key=lambda message: message)
    keys = ["1", 1, b"1", ("1",), ("1", 1), (("1",), 1), None, "", (), ("", ""), True]
    chosen = [router._owner_of_key(key) for key in keys]
    assert len(set(map(id, chosen))) >= 8
    assert chosen[1] is not chosen[0]
