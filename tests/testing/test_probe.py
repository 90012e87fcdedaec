"""A probe stands in for an actor, on every dispatcher alike."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relay_actors import RelayApp
from relay_actors.errors import ActorDead, ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.clock import Random
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.future import Future
from relay_actors.runtime.system import System
from relay_actors.testing.leaks import no_leaks
from relay_actors.testing.probe import TestProbe


class Later(Actor):
    """Tells somebody what it is told, each time a little later."""

    def __init__(self, to: ActorRef[Any], delay_s: float = 0.02) -> None:
        super().__init__()
        self.to = to
        self.delay_s = delay_s
        self.count = 0

    def on_receive(self, message: Any) -> None:
        match message:
            case ("now", what):
                self.to.tell(what)
            case Exception():
                raise message
            case str():
                self.count += 1
                self.start_timer(self.count, ("now", message), self.delay_s * self.count)


@pytest.fixture(params=["virtual time", "threads"])
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    if request.param == "threads":
        system = System(name="probed")
    else:
        system = System(dispatcher=DeterministicDispatcher(Random(7)), random=Random(8))
    with no_leaks(system):
        yield system
        assert system.stop(5.0)


@pytest.fixture
def probe(system: System) -> Iterator[TestProbe]:
    with TestProbe(system) as probe:
        yield probe


def later(system: System, probe: TestProbe, *messages: str) -> ActorRef[Any]:
    ref = system.start(Later, probe.ref)
    for message in messages:
        ref.tell(message)
    return ref


def let_all_arrive(system: System, probe: TestProbe) -> None:
    """Wait until the probe has handled what it was sent so far: it answers in its order."""
    probe.watch(system.start(Later, probe.ref))


def told(error: pytest.ExceptionInfo[BaseException]) -> str:
    return str(error.value)


def test_what_comes_is_expected_by_class_by_value_and_by_function(system: System, probe: TestProbe):
    """SEMANTICS V1: it waits for what is yet to come."""
    later(system, probe, "one", "two", "three")

    assert probe.expect(str) == "one"
    assert probe.expect("two") == "two"
    assert probe.expect(lambda message: message.startswith("th")) == "three"


def test_something_else_is_told_with_what_waits_behind_it(probe: TestProbe):
    """Who reads it need not run it again with a print."""
    for message in ("a", "b", "c"):
        probe.ref.tell(message)
    probe.expect_in_any_order("a")

    with pytest.raises(AssertionError) as error:
        probe.expect(int)

    assert told(error).startswith("expected int, but 'b' came")
    assert probe.expect("c") == "c"


def test_nothing_is_told_with_what_came_before(system: System, probe: TestProbe):
    """SEMANTICS V1: after its own time, and not for ever."""
    probe.ref.tell("a")
    probe.expect("a")

    with pytest.raises(AssertionError, match=r"expected what is_big accepts, but none came(?s:.*)'a'"):
        probe.expect(is_big, within=0.05)


def is_big(message: object) -> bool:
    return message == "big"


def test_several_come_in_their_order(system: System, probe: TestProbe):
    """Within one deadline for all of them."""
    later(system, probe, "one", "two", "three")

    assert probe.expect_in_order("one", str) == ["one", "two"]
    with pytest.raises(AssertionError, match="expected 'four', but 'three' came"):
        probe.expect_in_order("four", "three")


def test_several_come_in_any_order(system: System, probe: TestProbe):
    """They are given back in the order in which they were asked for; what fits none is told."""
    later(system, probe, "one", "two", "three", "other")

    assert probe.expect_in_any_order("three", "one", str) == ["three", "one", "two"]
    with pytest.raises(AssertionError, match="expected 'x' and 'y', but 'other' came"):
        probe.expect_in_any_order("x", "y")
    with pytest.raises(AssertionError, match="expected 'x', but none came"):
        probe.expect_in_any_order("x", within=0.01)


def test_others_are_skipped_by_who_fishes(system: System, probe: TestProbe):
    """SEMANTICS V1: and all of them are told when the catch never comes."""
    for message in ("one", "two", "three"):
        probe.ref.tell(message)
    let_all_arrive(system, probe)

    assert probe.fish("two") == "two"
    with pytest.raises(AssertionError, match=r"expected int(?s:.*)skipped:\n  'three'"):
        probe.fish(int, within=0.01)


def test_a_block_has_one_deadline(system: System, probe: TestProbe):
    """SEMANTICS V1: however many are expected in it, and whatever time each would have."""
    later(system, probe, "one")

    began = system.clock.now()

    with probe.within(5.0):
        probe.expect("one")
    with pytest.raises(AssertionError, match="expected 'two'"), probe.within(0.1):
        probe.expect_in_order("two", within=60.0)
    with pytest.raises(AssertionError, match="expected 'two'"), probe.within(0.0):
        probe.expect("two")
    assert system.clock.now() - began < 5.0


def test_a_block_inside_a_block_has_no_more_time_than_is_left(system: System, probe: TestProbe):
    """The outer one holds."""
    clock = system.clock
    began = clock.now()

    with pytest.raises(AssertionError, match="expected 'x'"), probe.within(0.05), probe.within(30.0):
        probe.expect("x")
    assert clock.now() - began < 5.0


def test_silence_is_expected(system: System, probe: TestProbe):
    """SEMANTICS V1: and broken by whatever comes."""
    probe.expect_no_message(0.0)
    later(system, probe, "one")

    with pytest.raises(AssertionError, match="expected no message, but 'one' came"):
        probe.expect_no_message(5.0)
    probe.expect_no_message()


def test_questions_are_answered_by_a_function(system: System, probe: TestProbe):
    """SEMANTICS V1: the message is there to be expected all the same; what the function raises, the asker gets."""
    probe.replies_with(lambda message: 10 // message)

    assert probe.ref.ask(5) == 2
    with pytest.raises(ZeroDivisionError):
        probe.ref.ask(0)
    probe.ref.tell(3)

    assert probe.expect_in_order(5, 0, 3) == [5, 0, 3]
    probe.replies_with(None)
    assert not probe.ref.ask("later", block=False).is_settled


def test_a_question_waits_for_the_answer_that_a_test_gives(system: System, probe: TestProbe):
    """By a value, or by an error."""
    answers: list[Future[Any]] = [probe.ref.ask(number, block=False) for number in (1, 2, 3)]

    probe.expect(1)
    probe.reply("one")
    probe.fish(3)
    probe.fail_reply(ValueError("no three"))

    assert answers[0].get(timeout=5.0) == "one"
    with pytest.raises(ValueError, match="no three"):
        answers[2].get(timeout=5.0)
    assert not answers[1].is_settled


def test_only_a_question_can_be_answered(system: System, probe: TestProbe):
    """And once: a test that answers twice has counted wrong."""
    answer = probe.ref.ask("question", block=False)
    probe.ref.tell("told")
    probe.expect("question")
    probe.reply()

    assert answer.get(timeout=5.0) is None
    with pytest.raises(ConfigError, match="nothing to answer"):
        probe.reply()
    probe.expect("told")
    with pytest.raises(ConfigError, match="told and not asked"):
        probe.reply()


def test_who_asks_a_probe_that_stops_is_told(system: System):
    """As with every actor."""
    with TestProbe(system) as probe:
        answer = probe.ref.ask("anybody?", block=False)
        probe.expect(str)
    probe.stop()

    with pytest.raises(ActorDead):
        answer.get(timeout=5.0)


def test_the_end_of_another_is_awaited_beside_its_messages(system: System, probe: TestProbe):
    """SEMANTICS W5: it may come before them or after, so nothing depends on it."""
    ref = later(system, probe)
    probe.watch(ref)
    ref.tell(("now", "last words"))
    ref.stop()

    down = probe.expect_down(ref, reason="normal")

    assert down.ref == ref
    assert probe.expect(str) == "last words"
    probe.expect_no_message(0.0)


def test_the_reason_of_an_end_is_looked_at(system: System, probe: TestProbe):
    """One that dies of an error has not ended as it should."""
    ref = later(system, probe)
    probe.watch(ref)
    ref.tell(ValueError("broken"))

    with pytest.raises(AssertionError, match="to end with 'normal', but it has with: error ValueError: broken"):
        probe.expect_down(ref, reason="normal")


def test_who_does_not_end_is_told(system: System, probe: TestProbe):
    """And so is a watch that was forgotten, and who has ended in its place."""
    ref, other, ended = later(system, probe), later(system, probe), later(system, probe)
    probe.watch(ref)
    probe.watch(other)
    other.stop()
    ended.stop()
    let_all_arrive(system, probe)

    with pytest.raises(AssertionError, match=r"but it lives; who has ended:\n  Down"):
        probe.expect_down(ref, within=0.05)
    with pytest.raises(AssertionError, match=r"nobody has called watch"):
        probe.expect_down(ended, within=0.0)
    probe.expect_down(other)


def test_what_was_not_looked_at_is_there(system: System, probe: TestProbe):
    """In its order, and without being taken."""
    for number in (1, 2, 3):
        probe.ref.tell(number)
    probe.expect(1)
    let_all_arrive(system, probe)

    assert probe.waiting == [2, 3]
    assert "2 waiting" in repr(probe)
    assert probe.expect_in_order(2, 3) == [2, 3]
    assert probe.waiting == []


def test_a_probe_of_nobody_in_particular_is_in_the_systems_of_the_process():
    """Where ``MyActor.start()`` starts, and where no turn is needed to tell it something."""
    with TestProbe() as probe:
        ref = Later.start(probe.ref)
        ref.tell(("now", "here"))
        assert probe.expect(str, within=5.0) == "here"
        ref.stop()


@pytest.mark.parametrize("wrong", ["system", 3, System])
def test_a_probe_needs_a_system(wrong: Any):
    """Or an application, which has one as long as it runs."""
    with pytest.raises(ConfigError, match="give a System, a running application, or nothing"):
        TestProbe(wrong)
    with pytest.raises(ConfigError, match="not running"):
        TestProbe(RelayApp())


def test_many_threads_may_tell_it_at_once():
    """Nothing is lost, and whoever waits is woken."""
    system = System(name="probed")

    def tells(number: int) -> Callable[[], None]:
        return lambda: [probe.ref.tell((number, count)) for count in range(100)] and None

    with TestProbe(system) as probe:
        threads = [threading.Thread(target=tells(number)) for number in range(4)]
        for thread in threads:
            thread.start()
        with probe.within(10.0):
            came = [probe.expect(tuple) for _ in range(400)]
        for thread in threads:
            thread.join(5.0)
    assert system.stop(5.0)

    for number in range(4):
        assert [count for who, count in came if who == number] == list(range(100))
