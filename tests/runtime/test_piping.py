"""What a future brings, as one message: exactly one, to the incarnation that asked for it."""

import asyncio
import threading
from typing import Any

import pykka
import pytest

from relay_actors.errors import ActorDead, ConfigError
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.failures import AskTimeout
from relay_actors.runtime.future import Future
from relay_actors.runtime.piping import PipeFailed
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Echo, Parent, Recorder, World, crash, spawn


def pipe(ref: Any, future: Any, *made: Any, **options: Any) -> None:
    """Have an actor pipe a future to itself."""
    ref.ask(lambda actor: actor.pipe_to_self(future, *made, **options), timeout=DEADLINE_S)


def test_an_answer_comes_as_one_message_ahead_of_the_users(world: World):
    """A12: and the actor handles others meanwhile."""
    log: list[Any] = []
    ref, echo = world.start(Recorder, log), world.start(Echo)

    def asks(actor: Any) -> None:
        actor.pipe_to_self(echo.ask("answer", block=False))
        actor.log_of.append("asked")

    ref.tell(asks)
    world.settle()
    assert log == ["start", "asked", "answer"]


@pytest.mark.parametrize("settled_first", [True, False])
def test_a_value_or_an_error_makes_the_message(world: World, settled_first: bool):
    """A12: `ok` and `err` are called in the actor's turn; without `err` an error is a `PipeFailed`."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    good: Future[int] = Future()
    bad: Future[int] = Future()
    error = LookupError("no")
    if settled_first:
        good.set(20), bad.set_exception(error)
    pipe(ref, good, lambda value: ("good", value + 1))
    pipe(ref, bad, None, lambda failure: ("bad", failure))
    pipe(ref, bad)
    pipe(ref, good.map(str))
    if not settled_first:
        good.set(20), bad.set_exception(error)
    world.settle()

    assert sorted(log[1:], key=str) == sorted([("good", 21), ("bad", error), PipeFailed(error), "20"], key=str)


def test_a_time_out_and_a_cancellation_are_errors_as_well(world: World):
    """A12, A3: whatever becomes of the future, the actor hears of it."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    cancelled: Future[None] = Future()
    pipe(ref, world.start(Recorder).ask(Recorder.reply_later, block=False, timeout=2.0))
    pipe(ref, cancelled)
    cancelled.try_fail(asyncio.CancelledError())
    world.advance(2.0)

    assert [type(message.error) for message in log[1:]] == [asyncio.CancelledError, AskTimeout]


def test_what_making_the_message_raises_fails_the_actor(world: World):
    """A12: as if its handler had raised it."""
    ref = world.start(Recorder)
    pipe(ref, settled(1), lambda _value: 1 // 0)
    world.settle()
    assert not ref.is_alive()


def settled(value: Any) -> Future[Any]:
    """A future that is settled already."""
    future: Future[Any] = Future()
    future.set(value)
    return future


@pytest.mark.parametrize(("survives", "expected"), [(False, []), (True, ["late"])])
def test_a_later_incarnation_gets_only_what_is_meant_for_it(world: World, survives: bool, expected: list[str]):
    """A12: the one that asked is gone; the counter says so."""
    log: list[Any] = []
    ref = spawn(world.start(Parent), Recorder, log, spec=ChildSpec(restart=Restart.PERMANENT))
    future: Future[str] = Future()
    pipe(ref, future, survive_restart=survives)
    ref.tell(crash())
    world.settle()
    future.set("late")
    world.settle()

    assert [message for message in log if message == "late"] == expected
    assert ref.incarnation == 1
    assert world.counters.snapshot().get("pipe.dropped", 0) == 1 - len(expected)
    assert world.dead() == []


def test_what_waits_while_its_actor_is_restarted_is_dropped_as_well(world: World):
    """A12: it was in the mailbox already when the actor failed."""
    log: list[Any] = []
    ref = spawn(world.start(Parent), Recorder, log, spec=ChildSpec(restart=Restart.PERMANENT))
    future: Future[str] = Future()
    pipe(ref, future)

    def settles_and_crashes(_actor: Any) -> None:
        future.set("in the mailbox")
        raise ValueError("crash")

    ref.tell(settles_and_crashes)
    world.settle()
    assert "in the mailbox" not in log
    assert world.counters.snapshot()["pipe.dropped"] == 1


def test_what_comes_for_the_dead_is_a_dead_letter(world: World):
    """A12, M7, DL1: what would have been a message, of whatever kind; nobody who settles it is harmed."""
    ref = world.start(Recorder)
    good: Future[str] = Future()
    bad: Future[str] = Future()
    error = LookupError("no")
    pipe(ref, good), pipe(ref, bad)
    ref.stop(timeout=0)
    good.set("good")
    bad.set_exception(error)

    assert world.dead() == [("good", "dead"), (PipeFailed(error), "dead")]
    assert world.counters.snapshot()["pipe.dropped"] == 2


def test_the_death_of_who_was_asked_is_told(system: System):
    """A12, A5: on threads."""
    told = threading.Event()
    errors: list[BaseException] = []

    class Asks(Recorder):
        def on_receive(self, message: Any) -> Any:
            if isinstance(message, PipeFailed):
                errors.append(message.error)
                told.set()
                return None
            return super().on_receive(message)

    other = system.start(Recorder)
    pipe(system.start(Asks), other.ask(Recorder.reply_later, block=False))
    other.stop(timeout=DEADLINE_S)
    assert told.wait(DEADLINE_S)
    assert isinstance(errors[0], ActorDead)


@pytest.mark.parametrize(
    ("future", "made", "match"),
    [
        ("no future", (), "takes a future of this framework, not str"),
        (pykka.ThreadingFuture(), (), "not ThreadingFuture"),
        (Future(), ("no function",), "ok='no function'"),
        (Future(), (None, 7), "err=7"),
    ],
)
def test_what_cannot_be_piped_is_refused(world: World, future: Any, made: tuple[Any, ...], match: str):
    """A12: an actor that waits for a message that can never come would be in the dark."""
    with pytest.raises(ConfigError, match=match):
        pipe(world.start(Recorder), future, *made)


def test_a_future_that_nobody_settles_is_refused(world: World):
    """A12: pykka's get hooks are computed by who asks."""
    computed: Future[int] = Future()
    computed.set_get_hook(lambda _timeout: 7)
    with pytest.raises(ConfigError, match="computed by who asks"):
        pipe(world.start(Recorder), computed)
