"""Refs by key: looked up at each send."""

import threading
from typing import Any

import pykka
import pytest

from relay_actors.errors import ActorDead, ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.failures import AskTimeout
from relay_actors.runtime.system import System
from relay_actors.runtime.via_ref import ViaRef
from tests.runtime.worlds import DEADLINE_S, Echo, Recorder, World


def claim(ref: Any, key: str = "desk") -> None:
    ref.ask(lambda actor: actor.register(key), timeout=DEADLINE_S)


def give_back(ref: Any, key: str = "desk") -> None:
    ref.ask(lambda actor: actor.unregister(key), timeout=DEADLINE_S)


def buffered(world: World) -> ViaRef:
    return world.system.via("desk", unrouted="buffer")


def test_each_message_goes_to_who_owns_the_key_at_that_moment(world: World):
    """R4: the same ref reaches one actor, and then its successor."""
    first_log: list[Any] = []
    second_log: list[Any] = []
    first, second = world.start(Recorder, first_log), world.start(Recorder, second_log)
    desk = world.system.via("desk")
    assert (desk.is_alive(), desk.resolve()) == (False, None)
    claim(first)
    desk.tell("a")
    assert desk.ask("b", timeout=1) == "b"
    give_back(first)
    claim(second)
    desk.tell("c")
    assert desk.ask("d", block=False).get(timeout=1) == "d"

    assert (first_log, second_log) == (["start", "a", "b"], ["start", "c", "d"])
    assert (desk.is_alive(), desk.resolve()) == (True, second)


@pytest.mark.parametrize("unrouted", ["dead_letter", "raise"])
def test_what_finds_nobody_is_a_dead_letter(world: World, unrouted: Any):
    """R4, DL1: unrouted, with sender; who asks is always told, and who tells if he wants to be."""
    desk = world.system.via("desk", unrouted=unrouted)
    sender = world.start(Recorder)
    if unrouted == "raise":
        with pytest.raises(ActorDead, match="nobody is registered as 'desk'"):
            desk.tell("a")
    else:
        desk.tell("a")
    with pytest.raises(pykka.ActorDeadError):
        sender.ask(lambda _actor: desk.ask("b"), timeout=0)
    assert isinstance(desk.ask("c", block=False).error, ActorDead)

    assert [(letter.message, letter.recipient, letter.sender) for letter in world.letters] == [
        ("a", "via 'desk'", "outside"),
        ("b", "via 'desk'", repr(sender._cell)),
        ("c", "via 'desk'", "outside"),
    ]
    assert {letter.reason for letter in world.letters} == {"unrouted"}


def test_messages_wait_for_an_owner_in_their_order(world: World):
    """R4, K4: what waited comes before what is sent after the registration; answers find their way."""
    log: list[Any] = []
    desk = buffered(world)
    for number in range(3):
        desk.tell(number)
    answer = desk.ask("question", block=False)
    world.advance(4.9)
    owner = world.start(Recorder, log)

    def claim_and_tell(actor: Any) -> None:
        actor.register("desk")
        desk.tell("after")

    owner.tell(claim_and_tell)
    world.settle()

    assert log == ["start", 0, 1, 2, "question", "after"]
    assert answer.get(timeout=0) == "question"
    assert world.letters == []
    assert world.dispatcher.pending_timers == 0


def test_what_has_waited_in_vain_is_given_up(world: World):
    """R4, K4: after five seconds each, and who asked is told."""
    desk = buffered(world)
    desk.tell("early")
    world.advance(3.0)
    answer = desk.ask("late", block=False, timeout=60)
    world.advance(1.99)
    assert world.dead() == []
    world.advance(0.01)
    assert world.dead() == [("early", "unrouted")]
    world.advance(3.0)

    assert world.dead() == [("early", "unrouted"), ("late", "unrouted")]
    assert isinstance(answer.error, ActorDead)
    assert len(world.system.waiting_messages) == 0
    assert world.dispatcher.pending_timers == 0


def test_who_asks_and_waits_is_told_when_nobody_comes(world: World):
    """R4, A5: in virtual time, after the five seconds."""
    with pytest.raises(ActorDead, match="nobody is registered"):
        buffered(world).ask("question", timeout=60)
    assert world.now == 5.0


def test_sixty_four_wait_and_one_more_is_given_up(world: World):
    """R4, K4: per key."""
    desk = buffered(world)
    for number in range(66):
        desk.tell(number)
    world.system.via("other", unrouted="buffer").tell("other")

    assert world.dead() == [(64, "unrouted"), (65, "unrouted")]
    assert len(world.system.waiting_messages) == 65


def test_what_still_waits_when_the_system_stops_is_given_up(world: World):
    """R4: nobody is left waiting for an answer."""
    answer = buffered(world).ask("question", block=False)
    world.end()

    assert isinstance(answer.error, ActorDead)
    assert world.dead() == [("question", "unrouted")]


def test_what_a_bound_of_the_owner_refuses_is_an_overflow(world: World):
    """M4: registering waits for nobody, and what does not fit is a dead letter as ever."""

    class Small(Recorder):
        mailbox_capacity = 2
        mailbox_overflow = "block"

        def on_start(self) -> None:
            super().on_start()
            self.register("desk")

    desk = buffered(world)
    for number in range(4):
        desk.tell(number)
    log: list[Any] = []
    world.start(Small, log)

    assert log == ["start", 0, 1]
    assert world.dead() == [(2, "overflow"), (3, "overflow")]


def test_two_of_one_key_are_equal_and_a_wrong_choice_is_refused(world: World):
    """R4."""
    via = world.system.via
    assert via("desk") == via("desk", unrouted="raise")
    assert len({via("desk"), via("desk"), via("other")}) == 2
    assert repr(via("desk")) == "via 'desk'"
    with pytest.raises(ConfigError, match="'dead_letter', 'raise' or 'buffer'"):
        via("desk", unrouted="drop")  # type: ignore[arg-type]


def test_a_refs_own_name_is_a_key_as_well(world: World):
    """R3, R4."""
    echo = world.start(Echo)
    assert world.system.via(echo.actor_urn).ask("hello", timeout=1) == "hello"


@pytest.mark.usefixtures("eager_switches")
def test_owners_that_come_and_go_lose_and_reorder_nothing(system: System):
    """R4, M1: each message reaches one owner or is a dead letter, and what one sender sent arrives in order."""
    got: list[tuple[int, int]] = []
    dead: list[Any] = []
    system.dead_letters.subscribe(lambda letter: dead.append(letter.message))
    senders, number = 2, 150

    class Owner(Actor):
        def on_start(self) -> None:
            self.register("desk")

        def on_receive(self, message: Any) -> None:
            got.append(message)

    desk = system.via("desk", unrouted="buffer")

    def send(who: int) -> None:
        for count in range(number):
            desk.tell((who, count))

    def come_and_go() -> None:
        for _ in range(20):
            ref = system.start(Owner)
            ref.stop(timeout=DEADLINE_S)

    threads = [threading.Thread(target=send, args=(who,)) for who in range(senders)]
    threads.append(threading.Thread(target=come_and_go))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    last = system.start(Owner)
    last.stop(timeout=DEADLINE_S)

    assert sorted([*got, *dead]) == [(who, count) for who in range(senders) for count in range(number)]
    for who in range(senders):
        handled = [count for one, count in got if one == who]
        assert handled == sorted(handled)


def test_a_question_to_nobody_yet_has_a_deadline(world: World):
    """A1, A2, A3: five seconds by default, and not handled by an owner who comes too late for it."""
    log: list[Any] = []
    desk = buffered(world)
    short = desk.ask("short", block=False, timeout=1.0)
    long = desk.ask("long", block=False)
    assert (short.deadline, long.deadline) == (1.0, 5.0)
    world.advance(2.0)
    assert isinstance(short.error, AskTimeout)
    claim(world.start(Recorder, log))
    world.settle()
    assert long.get(timeout=0) == "long"
    assert "short" not in log
    with pytest.raises(AskTimeout):
        world.system.via("nobody", unrouted="buffer").ask("blocking", timeout=0.5)
