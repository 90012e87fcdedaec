"""Dead letters: counted, logged within reason, shown to who wants them."""

import logging

import pytest

from relay_actors.runtime.clock import ManualClock
from relay_actors.runtime.dead_letters import DeadLetters
from relay_actors.runtime.reasons import DeadLetter
from tests.runtime.worlds import Recorder, World


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
