"""Sending: what is taken, what is refused, and turns that are taken out of the dispatcher's hands."""

import threading
from typing import Any

import pytest

from relay_actors.errors import ActorDead, MailboxFull
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.clock import SystemClock
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.signals import Internal
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World


class Bounded(Recorder):
    mailbox_capacity = 2


class DropsNew(Bounded):
    mailbox_overflow = "drop_new"


class DropsOld(Bounded):
    mailbox_overflow = "drop_old"


class Blocks(Bounded):
    mailbox_overflow = "block"
    mailbox_block_s = 5.0


def test_a_full_mailbox_tells_the_sender(world: World):
    """M4, fail: an error for the sender, a dead letter for the record; what had been taken is handled."""
    log: list[Any] = []
    ref = world.start(Bounded, log)
    ref.tell("a")
    ref.tell("b")
    with pytest.raises(MailboxFull):
        ref.tell("c")
    with pytest.raises(MailboxFull):
        ref.ask("d", block=False)
    world.settle()

    assert log == ["start", "a", "b"]
    assert world.dead() == [("c", "overflow"), ("d", "overflow")]


@pytest.mark.parametrize(
    ("actor_class", "handled", "dropped"), [(DropsNew, ["a", "b"], "c"), (DropsOld, ["b", "c"], "a")]
)
def test_what_a_bound_drops_is_a_dead_letter(world: World, actor_class: Any, handled: list[str], dropped: str):
    """M4: every drop is one; and if it was asked, the asker is told."""
    log: list[Any] = []
    ref = world.start(actor_class, log)
    answers = {message: ref.ask(message, block=False) for message in "abc"}
    world.settle()

    assert log == ["start", *handled]
    assert world.dead() == [(dropped, "overflow")]
    with pytest.raises(MailboxFull):
        answers[dropped].get(timeout=0)


def test_a_sender_waits_for_room_while_others_run(world: World):
    """M4, block(t): it gives way, so that the receiver can make room."""
    log: list[Any] = []
    ref = world.start(Blocks, log)

    def flood(_actor: Any) -> None:
        for number in range(10):
            ref.tell(number)

    world.start(Recorder).ask(flood, timeout=1)
    world.settle()

    assert log == ["start", *range(10)]
    assert world.now == 0


def test_a_sender_that_waits_in_vain_is_told(world: World):
    """M4, block(t): an actor that fills its own mailbox would wait for itself."""
    ref = world.start(Blocks)

    def flood_itself(actor: Any) -> None:
        for number in range(3):
            actor.actor_ref.tell(number)

    with pytest.raises(MailboxFull):
        ref.ask(flood_itself, timeout=10)
    assert world.now == 5.0


def test_stop_is_not_held_up_by_a_full_mailbox(world: World):
    """M4: as a message it is beyond the bound."""
    log: list[Any] = []
    ref = world.start(Bounded, log)
    ref.tell("a")
    ref.tell("b")
    assert ref.stop(timeout=0) is True
    assert log == ["start", "a", "b", "stop"]


def test_telling_the_dead_raises_and_internal_sends_do_not(world: World):
    """M7: pykka's meaning for users, nothing raised where the framework itself sends; DL1: both are dead letters."""
    ref = world.start(Recorder)
    ref.stop(timeout=0)

    with pytest.raises(ActorDead):
        ref.tell("a")
    assert ref._cell.tell_control("b") is False
    assert world.dead() == [("a", "dead"), ("b", "dead")]


def test_whoever_is_told_that_a_question_was_refused_finds_the_letter(world: World):
    """M5: on threads, too, where the asker may look in the same moment."""
    ref = world.start(Recorder)
    ref.stop(block=False)
    answer = ref.ask("too late", block=False)
    told: list[Any] = []
    answer.add_done_callback(lambda _answer: told.extend(world.dead()))
    world.settle()
    assert told == [("too late", "dead")]


@pytest.mark.parametrize("how", ["killed", "too many"])
def test_a_class_may_hear_of_what_it_had_taken_and_will_not_handle(world: World, how: str):
    """M5: each once, and of nothing else."""
    refused: list[object] = []

    class Told(Recorder):
        mailbox_capacity = 2
        mailbox_overflow = "drop_old"
        on_refused = staticmethod(refused.append)

    ref = world.start(Told, [])
    ref.tell("handled")
    world.settle()
    for message in "abc" if how == "too many" else "ab":
        ref.tell(message)
    if how == "killed":
        ref.kill("test")
    world.settle()

    assert refused == (["a"] if how == "too many" else ["a", "b"])


def test_messages_of_the_runtime_are_nobodys_loss(world: World):
    """DL1: a tick or a wake-up that comes too late is no dead letter."""

    class Note(Internal):
        def deliver(self) -> None:
            raise AssertionError("it is dead")

    ref = world.start(Recorder)
    ref.stop(timeout=0)
    ref._cell.tell_control(Note())

    assert world.dead() == []


def test_a_pinned_child_keeps_its_own_thread(system: System):
    """D3: also when its parent's turn waits for its start."""
    threads: list[str] = []

    class Pinned(Actor):
        dispatcher = "pinned"

        def on_start(self) -> None:
            threads.append(threading.current_thread().name)

        def on_receive(self, message: Any) -> Any:
            threads.append(threading.current_thread().name)
            return message

    child = system.start(Parent).ask(lambda actor: actor.spawn_started(Pinned), timeout=DEADLINE_S)
    child.ask("sync", timeout=DEADLINE_S)

    assert len(threads) == 2
    assert set(threads) == {f"test-pinned-{child._cell.serial}"}


def test_a_turn_that_is_due_is_taken_out_of_the_dispatchers_hands(world: World):
    """D1: who is started inside a turn handles what waits already, and the dispatcher has no turn of it left over."""
    log: list[Any] = []

    class TellsItself(Recorder):
        def __init__(self, log: list[Any]) -> None:
            super().__init__(log)
            self.actor_ref.tell("before")

    def start(actor: Any) -> list[Any]:
        actor.spawn_started(TellsItself, log)
        return list(log)

    assert world.start(Parent).ask(start, timeout=0) == ["start", "before"]
    steps = world.dispatcher.steps
    world.settle()
    assert world.dispatcher.steps == steps


@pytest.mark.parametrize("late", [False, True])
def test_a_turn_can_be_withdrawn_once_and_not_after_it_has_begun(late: bool, system: System):
    """D1: who takes it out of the queue has it."""

    class Turn:
        dispatcher = system.dispatcher
        in_flow = False

        def __init__(self) -> None:
            self.late = late
            self.ran = threading.Event()

        def run_batch(self, _grant: list[None]) -> None:
            self.ran.set()

    idle: Any = BatonDispatcher(SystemClock())
    for dispatcher in (idle, World(0).dispatcher):
        turn: Any = Turn()
        assert not dispatcher.withdraw(turn)
        dispatcher.schedule(turn)
        assert dispatcher.withdraw(turn)
        assert not dispatcher.withdraw(turn)

    begun: Any = Turn()
    system.dispatcher.start()
    system.dispatcher.schedule(begun)
    assert begun.ran.wait(DEADLINE_S)
    assert not system.dispatcher.withdraw(begun)
