"""Dead letters: counted, logged within reason, shown to who wants them."""

import ast
import logging
from typing import get_args

import pytest

from relay_actors.errors import ActorDead, MailboxFull
from relay_actors.runtime.clock import ManualClock
from relay_actors.runtime.dead_letters import DeadLetters
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.reasons import DeadLetter, Undelivered
from tests.runtime.worlds import Recorder, World
from tests.support.house import read_package


def letter(message: object = "message") -> DeadLetter:
    return DeadLetter(message, "Recorder#1", "dead")


def test_every_subscriber_sees_every_letter_until_it_has_enough():
    """DL1."""
    letters = DeadLetters(ManualClock())
    seen: list[DeadLetter] = []
    end = letters.subscribe(seen.append)
    letters.publish(letter("a"))
    end()
    end()
    letters.publish(letter("b"))

    assert seen == [letter("a")]
    assert letters.counts == {"dead": 2}


def test_a_failing_subscriber_is_detached_and_the_others_go_on(caplog: pytest.LogCaptureFixture):
    """DL4."""
    letters = DeadLetters(ManualClock())
    seen: list[DeadLetter] = []
    calls: list[DeadLetter] = []

    def broken(received: DeadLetter) -> None:
        calls.append(received)
        raise OSError("broken")

    letters.subscribe(broken)
    letters.subscribe(seen.append)
    letters.publish(letter("a"))
    letters.publish(letter("b"))

    assert len(seen) == 2
    assert len(calls) == 1
    assert "is detached" in caplog.text


def test_logging_is_muted_and_counting_is_not(caplog: pytest.LogCaptureFixture):
    """DL2: ten per class, then five minutes of silence; other classes are not meant."""
    caplog.set_level(logging.INFO, "relay_actors.dead_letters")
    clock = ManualClock()
    letters = DeadLetters(clock)
    for _ in range(25):
        letters.publish(letter())
    assert len(caplog.records) == 10
    letters.publish(letter(7))
    assert len(caplog.records) == 11
    clock.advance(300.0)
    letters.publish(letter())

    assert len(caplog.records) == 12
    assert letters.counts == {"dead": 27}


def test_what_waits_when_an_actor_ends_is_a_dead_letter_each(world: World):
    """DL1: told or asked; the stop itself is none."""
    ref = world.start(Recorder)
    ref.stop(block=False)
    ref.tell("told")
    ref.ask("asked", block=False)
    ref.stop(block=False)
    world.settle()

    assert world.dead() == [("told", "dead"), ("asked", "dead")]
    assert {letter.recipient for letter in world.letters} == {"Recorder#1"}


def test_the_sender_of_a_letter_is_named_also_when_it_had_been_put(world: World):
    """DL1: who sent it, as far as it was sent in a turn; whether refused at once, or when the recipient ended."""
    ref, other, sender = world.start(Recorder), world.start(Recorder), world.start(Recorder)
    other.tell("from outside")
    other._cell.kill("by the test")

    def send(_actor: object) -> None:
        ref.tell("from an actor")
        ref._cell.kill("by the test")
        with pytest.raises(ActorDead):
            other.tell("from an actor")

    sender.ask(send, timeout=0)
    with pytest.raises(ActorDead):
        ref.ask("from outside", timeout=0)

    told = [(letter.message, letter.recipient, letter.sender) for letter in world.letters]
    assert told == [
        ("from outside", repr(other._cell), "outside"),
        ("from an actor", repr(ref._cell), repr(sender._cell)),
        ("from an actor", repr(other._cell), repr(sender._cell)),
        ("from outside", repr(ref._cell), "outside"),
    ]


@pytest.mark.parametrize("why", get_args(Undelivered))
def test_each_reason_settles_who_asked_and_becomes_one_letter(world: World, why: Undelivered):
    """DL1: a closed list; whatever the reason, an asker is not left waiting."""
    ref = world.start(Recorder)
    reply: Future[object] = Future()
    ref._cell.refuse(Envelope("lost", reply), why)

    by_reason = {"overflow": MailboxFull, "restart_overflow": MailboxFull, "expired": WaitTimeout}
    assert isinstance(reply.error, by_reason.get(why, ActorDead))
    assert world.letters == [DeadLetter("lost", "Recorder#1", why, "outside")]
    assert world.counters.snapshot()[f"dead_letters.{why}"] == 1


def test_the_list_of_reasons_is_closed():
    """DL1."""
    assert set(get_args(Undelivered)) == {"dead", "overflow", "restart_overflow", "expired", "stash", "unrouted"}


def test_the_log_says_how_many_letters_it_left_out(caplog: pytest.LogCaptureFixture):
    """DL2: ten lines, the last of which announces the silence; after it, the next one counts what was not logged."""
    caplog.set_level(logging.INFO, "relay_actors.dead_letters")
    clock = ManualClock()
    counted: list[str] = []
    letters = DeadLetters(clock, count=counted.append)
    for _ in range(17):
        letters.publish(letter())
        clock.advance(1.0)
    assert len(caplog.records) == 10
    assert ["no more of this class for 300 s" in line for line in caplog.messages] == [False] * 9 + [True]

    clock.advance(300.0 - 8.0 - 0.01)  # just before five minutes after the tenth
    letters.publish(letter())
    assert len(caplog.records) == 10
    clock.advance(0.01)
    letters.publish(letter())
    assert "left out before: 8" in caplog.messages[10]
    for _ in range(20):
        letters.publish(letter())

    assert len(caplog.records) == 20
    assert "left out" not in caplog.messages[11]
    assert counted == ["dead_letters.dead"] * 39


def readers_of_letters(path: str, tree: ast.Module) -> list[str]:
    """Say every place that does something with a dead letter other than making one."""
    made = {
        id(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "DeadLetter"
    }
    typed = {
        id(name)
        for node in ast.walk(tree)
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if isinstance(annotation, ast.expr)
        for name in ast.walk(annotation)
    }
    return [
        f"{path}:{node.lineno} looks at dead letters, which are for diagnosis: deliver in another way"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == "DeadLetter" and id(node) not in made | typed)
        or (isinstance(node, ast.Attribute) and node.attr == "subscribe" and "dead_letters" in ast.unparse(node.value))
    ]


def test_no_code_of_ours_reads_dead_letters():
    """DL3: it makes them and shows them; nothing is delivered by way of them. The test kit may look at them."""
    own = ("relay_actors/runtime/dead_letters.py", "relay_actors/testing/")
    others = [one for one in read_package() if not one.path.startswith(own)]
    named = [one for one in others if "DeadLetter" in one.text or "dead_letters" in one.text]
    found = [line for one in named for line in readers_of_letters(one.path, one.tree)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "match message:\n    case DeadLetter(message=lost):\n        ref.tell(lost)\n",
        "events.subscribe(ref, DeadLetter)\n",
        "system.dead_letters.subscribe(deliver)\n",
        "if isinstance(message, DeadLetter): ref.tell(message.message)\n",
    ],
)
def test_a_reader_of_dead_letters_is_told(text: str):
    """DL3: the rule itself can fail."""
    assert len(readers_of_letters("a.py", ast.parse(text))) == 1
    assert readers_of_letters("a.py", ast.parse("def f(x: DeadLetter) -> None: publish(DeadLetter(1, 2, 3))")) == []
