"""An actor that puts messages aside, until it is time for them."""

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay_actors.errors import ActorDead, ActorError, ConfigError, StashFull
from relay_actors.runtime import cell, extras, mailbox, turns
from relay_actors.runtime.abilities import stashing
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import DeadLetter
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.halting import Halt
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn, until

PERMANENT = ChildSpec(restart=Restart.PERMANENT)


class Shop(Recorder):
    """Is closed at first: puts everything aside until it opens, or is told to do what a function says."""

    stash_capacity = 5

    def on_start(self) -> None:
        super().on_start()
        self.is_open = False

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        if message == "open":
            self.is_open = True
            return self.unstash_all()
        if not self.is_open:
            self.stash()
            return "this is no reply"
        self.log_of.append(message)
        return f"sold {message}"


def shop(world: World, *messages: Any) -> tuple[Any, list[Any]]:
    log: list[Any] = []
    ref = world.start(Shop, log)
    log.clear()
    for message in messages:
        ref.tell(message)
    world.settle()
    return ref, log


def test_messages_are_handled_later_in_their_order_and_before_new_ones(world: World):
    """P2: what came while they were aside comes after them."""
    ref, log = shop(world, 1, 2, 3)
    assert log == []

    for message in ("open", 4, 5):
        ref.tell(message)
    world.settle()
    assert log == [1, 2, 3, 4, 5]


def test_a_message_keeps_its_place_also_over_a_second_attempt(world: World):
    """P1, M6: what was put aside first is brought back first."""

    class Second(Shop):
        retries = 1
        attempts = 0

        def on_receive(self, message: Any) -> Any:
            if message == 1:
                self.attempts += 1
                if self.attempts == 2:
                    raise OSError("the first attempt at what was brought back")
            return super().on_receive(message)

    log: list[Any] = []
    ref = world.start(Second, log)
    log.clear()
    for message in (1, 2, lambda actor: actor.unstash_all(), "open"):
        ref.tell(message)
    world.settle()
    assert log == [1, 2]


def test_who_has_asked_goes_on_waiting(world: World):
    """P1: what the handler returns after it has put the message aside is no reply."""
    ref, _log = shop(world)
    reply = ref.ask("tea", block=False)
    world.settle()
    assert not reply.is_settled

    assert ref.ask("open", timeout=0) == 1
    assert reply.get(timeout=0) == "sold tea"


def test_a_call_through_a_proxy_can_be_put_aside(world: World):
    """It is a message like any other; pykka's own part is done again."""

    class Till(Actor):
        stash_capacity = 1
        is_open = False

        def pay(self, sum_of: int) -> Any:
            if not self.is_open:
                self.stash()
            return sum_of

        def open(self) -> None:
            self.is_open = True
            self.unstash_all()

    proxy = world.start(Till).proxy()
    paid = proxy.pay(7)
    world.settle()
    assert not paid.is_settled
    proxy.open().get(timeout=0)
    assert paid.get(timeout=0) == 7


def test_a_full_stash_raises_in_the_handler(world: World):
    """P1: whoever asks is told, and what is aside stays there."""
    ref, log = shop(world, 1, 2, 3, 4, 5)
    with pytest.raises(StashFull):
        ref.ask(6, timeout=0)
    ref.tell("open")
    world.settle()
    assert log == [1, 2, 3, 4, 5]


def test_what_is_put_aside_twice_is_there_once(world: World):
    """P1: a second `stash` of the same message changes nothing."""
    ref, log = shop(world)

    def twice(actor: Any) -> None:
        if not actor.is_open:
            actor.stash()
            actor.stash()
        else:
            log.append("handled")

    ref.tell(twice)
    ref.tell("open")
    world.settle()
    assert log == ["handled"]


def test_a_class_that_says_no_bound_cannot_put_aside(world: World):
    """P1: the capacity is mandatory, and must make sense."""
    ref = world.start(Recorder)
    with pytest.raises(ConfigError, match="stash_capacity"):
        ref.ask(lambda actor: actor.stash(), timeout=0)
    for wrong in (0, -1, True, "5"):
        with pytest.raises(TypeError, match="stash_capacity"):
            type("Wrong", (Actor,), {"stash_capacity": wrong})


def test_outside_of_a_handler_there_is_nothing_to_put_aside(world: World):
    """P1: in a hook, for example."""

    class Early(Actor):
        stash_capacity = 1

        def on_start(self) -> None:
            with pytest.raises(ActorError, match="handler"):
                self.stash()

    assert world.start(Early).is_alive()


def test_a_stop_makes_dead_letters_of_it(world: World):
    """P1: with a reason of their own; who has asked is told that the actor is dead."""
    ref, _log = shop(world, 1)
    reply = ref.ask(2, block=False)
    ref.stop(timeout=0)
    assert world.dead() == [(1, "stash"), (2, "stash")]
    with pytest.raises(ActorDead):
        reply.get(timeout=0)


def test_a_restart_brings_it_back_in_front_of_the_mailbox(world: World):
    """P1: in order; the next incarnation begins with it, whether it asks for it or not."""

    class OpenLater(Shop):
        def on_start(self) -> None:
            self.is_open = self._cell.incarnation > 0

    log: list[Any] = []
    parent = world.start(Parent)
    ref = spawn(parent, OpenLater, log, spec=PERMANENT)
    for message in (1, 2, crash("in between"), 3):
        ref.tell(message)
    world.settle()

    assert ref.incarnation == 1
    assert [entry for entry in log if isinstance(entry, int)] == [1, 2, 3]


def test_an_orderly_end_that_is_followed_by_a_restart_keeps_it_too(world: World):
    """P1: a permanent child that stops itself comes back, with what it had put aside."""
    log: list[Any] = []
    parent = world.start(Parent)
    ref = spawn(parent, Shop, log, spec=PERMANENT)
    for message in (1, lambda actor: actor.stop()):
        ref.tell(message)
    world.settle()
    assert (ref.incarnation, [entry for entry in log if isinstance(entry, int)]) == (1, [])
    ref.tell("open")
    world.settle()
    assert [entry for entry in log if isinstance(entry, int)] == [1]


def test_a_handler_that_raises_takes_its_own_message_out(world: World):
    """P1, M6: it would be handled again in the next incarnation, and raise again."""
    log: list[Any] = []
    parent = world.start(Parent)
    ref = spawn(parent, Shop, log, spec=PERMANENT)

    def put_aside_and_raise(actor: Any) -> None:
        actor.stash()
        raise ValueError("after all")

    with pytest.raises(ValueError, match="after all"):
        ref.ask(put_aside_and_raise, timeout=0)
    ref.tell(put_aside_and_raise)
    ref.tell("open")
    world.settle()
    assert (ref.incarnation, ref.ask(lambda actor: actor.stash_size, timeout=0)) == (1, 0)


def test_what_the_runtime_says_comes_in_between(world: World):
    """P2: a stop that is urgent does not wait behind what was brought back."""
    ref, log = shop(world, 1, 2, 3)
    ref.tell(lambda actor: (actor.unstash_all(), ref.stop(now=True, block=False)))
    world.settle()
    assert log == ["stop"]
    assert world.dead() == [(1, "stash"), (2, "stash"), (3, "stash")]


def test_a_timers_message_can_be_put_aside(world: World):
    """P2: it is handled again as the message that it is."""
    ref, log = shop(world)
    ref.ask(lambda actor: actor.start_timer("t", "tick", 1.0), timeout=0)
    world.advance(1.0)
    ref.tell("open")
    world.settle()
    assert log == ["tick"]


def test_some_can_be_brought_back_alone(world: World):
    """P2: the oldest first."""
    ref, log = shop(world, 1, 2, 3)

    def open_for(actor: Any) -> int:
        actor.is_open = True
        return int(actor.unstash(2))

    assert ref.ask(open_for, timeout=0) == 2
    ref.tell(4)
    world.settle()
    assert log == [1, 2, 4]


def test_a_kill_in_the_middle_of_a_turn_leaves_nothing_behind(system: System):
    """P1, H4: the handler puts its message aside after the end; the asker is told, and the letter is written."""
    letters: list[Any] = []
    system.dead_letters.subscribe(letters.append)
    entered, let_go, left = threading.Event(), threading.Event(), threading.Event()

    class Slow(Actor):
        stash_capacity = 1

        def on_receive(self, message: Any) -> Any:
            entered.set()
            assert let_go.wait(DEADLINE_S)
            self.stash()
            left.set()

    ref = system.start(Slow)
    reply = ref.ask("late", block=False)
    assert entered.wait(DEADLINE_S)
    ref._cell.kill("it hangs")
    let_go.set()
    assert left.wait(DEADLINE_S)
    with pytest.raises(ActorDead):
        reply.get(timeout=DEADLINE_S)
    assert [(letter.message, letter.reason) for letter in letters] == [("late", "stash")]


@settings(max_examples=30)
@given(
    st.integers(0, 2**16),
    st.lists(st.sampled_from(["tell", "ask", "open", "close", "one", "crash", "step"]), max_size=40),
)
def test_every_message_is_handled_once_and_in_order(seed: int, steps: list[str]):
    """P1, P2: whatever the order of putting aside, bringing back, restarting; at the end each is accounted for."""

    class Moody(Shop):
        stash_capacity = 100
        moods: list[bool] = [False]  # noqa: RUF012  # of the one actor that there is, over its restarts

        def on_start(self) -> None:
            self.is_open = Moody.moods[-1]

    def mood(is_open: bool, count: int | None) -> Any:
        def change(actor: Any) -> None:
            Moody.moods.append(is_open)
            actor.is_open = is_open
            if is_open:
                actor.unstash_all() if count is None else actor.unstash(count)

        return change

    log: list[Any] = []
    world = World(seed)
    parent = world.start(Parent, [])
    spec = ChildSpec(restart=Restart.PERMANENT, max_restarts=1000, within_s=1.0)
    ref = spawn(parent, Moody, log, spec=spec)
    sent = 0
    replies = []
    for step in steps:
        if step == "tell":
            ref.tell(sent := sent + 1)
        elif step == "ask":
            replies.append((sent := sent + 1, ref.ask(sent, block=False)))
        elif step == "step":
            world.dispatcher.step()
        else:
            ref.tell({"open": mood(True, None), "close": mood(False, 0), "one": mood(True, 1), "crash": crash()}[step])
    ref.tell(mood(True, None))
    world.settle()

    numbers = [entry for entry in log if isinstance(entry, int)]
    assert sorted(numbers) == list(range(1, sent + 1))
    assert [reply.get(timeout=0) for _number, reply in replies] == [f"sold {number}" for number, _reply in replies]
    if "one" not in steps:  # then what is new may overtake what is still aside
        assert numbers == sorted(numbers)
    world.end()


class Queue(Actor):
    """Puts 1 and 3 aside when they come, and handles them when it is told to open."""

    stash_capacity = 5

    def __init__(self) -> None:
        super().__init__()
        self.is_open = False

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message()
        if message == "open":
            self.is_open = True
            self.unstash_all()
        elif message in (1, 3) and not self.is_open:
            self.stash()
        return message


def start_with(system: System, *messages: Any) -> tuple[Any, dict[Any, Any]]:
    """A queue that finds all ``messages`` in its mailbox at its first turn, and their answers."""
    ref = system.start(Queue)
    until(lambda: ref._cell.is_resting)
    ref._cell._take_out_of_rest()  # it has a turn under way, for all that anybody knows
    answers = {message: ref.ask(message, block=False) for message in messages}
    ref._cell._rest, ref._cell.is_resting = None, True
    ref._cell.wake()
    return ref, answers


def check_that_each_has_one_outcome(cell: Any, answers: dict[Any, Any], letters: list[DeadLetter], when: str) -> None:
    """Each is answered, or a dead letter; or it was being handled, and whoever asked has been told of the kill."""
    until(lambda: cell.is_resting)
    in_hand = 0
    for message, answer in answers.items():
        reasons = [letter.reason for letter in letters if letter.message is message]
        until(lambda answer=answer: answer.is_settled)
        if answer.error is None:
            assert (answer.get(timeout=0), reasons) == (message, []), when
        elif not reasons:
            assert "killed while handling" in str(answer.error), when
            in_hand += 1
        else:
            assert len(reasons) == 1, when
    assert in_hand <= 1, when


def test_whenever_a_kill_comes_each_message_has_one_outcome(system: System):
    """M5, P1, H4: before each line of a turn that puts aside, brings back and handles, there may be a kill."""
    letters: list[DeadLetter] = []
    system.dead_letters.subscribe(letters.append)
    for number in range(1, 1000):
        letters.clear()
        halt = Halt(number, turns, extras, stashing, mailbox, cell)
        begin, end = halt.begin, halt.end
        ref, answers = start_with(system, begin, 1, 2, 3, "open", 4, end)
        is_halted = halt.wait(lambda answers=answers, end=end: answers[end].is_settled)
        was_taken = ref._cell.extras._again

        ref._cell.kill("in the middle")
        halt.go_on()

        numbers = {message: answer for message, answer in answers.items() if message not in (begin, end)}
        check_that_each_has_one_outcome(ref._cell, numbers, letters, f"killed before {halt.place}")
        if was_taken is not None:  # it was on its way back
            reasons = {letter.reason for letter in letters if letter.message is was_taken.envelope.message}
            assert reasons <= {"stash"}, f"killed before {halt.place}"
        if not is_halted:
            break
    assert 200 < number < 999


def test_whatever_a_turn_does_during_a_kill_each_message_has_one_outcome(system: System):
    """M5, P1, H4: before each line of a kill, a turn may come from the middle of a handler to its end."""
    letters: list[DeadLetter] = []
    system.dead_letters.subscribe(letters.append)
    for number in range(1, 1000):
        letters.clear()
        entered, goes_on = threading.Event(), threading.Event()

        def handler(entered: threading.Event = entered, goes_on: threading.Event = goes_on) -> None:
            entered.set()
            assert goes_on.wait(DEADLINE_S)

        ref, answers = start_with(system, 1, handler, 2, 3, "open", 4)
        assert entered.wait(DEADLINE_S)
        halt = Halt(number, mailbox, cell)
        killer = halt.run(lambda ref=ref: ref._cell.kill("in the middle"))
        is_halted = halt.wait(lambda killer=killer: not killer.is_alive())

        goes_on.set()
        until(lambda ref=ref: not ref._cell.is_running)
        halt.go_on()

        killer.join(DEADLINE_S)
        del answers[handler]
        check_that_each_has_one_outcome(ref._cell, answers, letters, f"the kill was before {halt.place}")
        if not is_halted:
            break
    assert 50 < number < 999


@pytest.mark.usefixtures("eager_switches")
@pytest.mark.parametrize("end", ["stop", "stop now", "kill"])
def test_on_threads_nothing_is_lost_when_an_actor_ends(system: System, end: str):
    """P1, A5, M5: whatever is aside, on its way back or in the mailbox at that moment."""
    letters: list[Any] = []
    system.dead_letters.subscribe(letters.append)

    class Busy(Actor):
        stash_capacity = 10_000

        def __init__(self) -> None:
            super().__init__()
            self.seen: set[int] = set()

        def on_receive(self, message: int) -> int:
            if message % 3 and message not in self.seen:
                self.seen.add(message)
                self.stash()
            elif message % 7 == 0:
                self.unstash_all()
            elif message % 5 == 0:
                self.unstash(2)
            return message

    def send(ref: Any, first: int, replies: list[Any]) -> None:
        for number in range(first, first + 100):
            replies.append((number, ref.ask(number, block=False)))

    for _ in range(10):
        letters.clear()
        ref = system.start(Busy)
        replies: list[Any] = []
        senders = [threading.Thread(target=send, args=(ref, first, replies)) for first in (0, 1000)]
        for sender in senders:
            sender.start()
        until(lambda replies=replies: len(replies) > 60)
        if end == "kill":
            ref._cell.kill("in the middle")
        else:
            ref.stop(now=end == "stop now", timeout=DEADLINE_S)
        for sender in senders:
            sender.join(DEADLINE_S)
        answered = []
        for _number, reply in replies:
            try:
                answered.append(reply.get(timeout=DEADLINE_S))
            except ActorDead:
                continue
        # Whoever asked is told before a handler that goes on after the kill comes to put its message aside.
        until(lambda ref=ref: ref._cell.is_resting)
        refused = [letter.message for letter in letters]
        assert len({*answered, *refused}) == len(answered) + len(refused)
