"""Handlers that await: what waits for them, what does not, and what becomes of them when their actor ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay_actors import interleave
from relay_actors.errors import ActorDead, DeathPact, MailboxFull
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.asking import FOREVER, NoReplyYet
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.clock import Random
from relay_actors.runtime.context import here
from relay_actors.runtime.directives import Directive
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import SHORT
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.system import System
from relay_actors.runtime.thread_flow import ThreadFlow
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn, until
from tests.support.thorough import less


class Peek:
    """A message that may be handled while a handler awaits."""


class Awaits(Recorder):
    """Awaits the futures that it is sent, and notes how it begins and ends with each."""

    interleaves = (Peek,)

    async def on_receive(self, message: Any) -> Any:
        if isinstance(message, Future):
            self.log_of.append("begins")
            try:
                value = await message
            except asyncio.CancelledError:
                self.log_of.append("cancelled")
                raise
            self.log_of.append(("has", value))
            return value
        if asyncio.iscoroutinefunction(message):
            return await message(self)
        if callable(message):
            return message(self)
        self.log_of.append("peek" if isinstance(message, Peek) else message)
        return message

    @interleave
    def look(self) -> list[Any]:
        """May be called while a handler awaits."""
        return list(self.log_of)

    def look_in_order(self) -> list[Any]:
        """May not."""
        return list(self.log_of)


def started(world: World, actor_class: type[Actor] = Awaits) -> tuple[Any, list[Any], Callable[[], Future[Any]]]:
    log: list[Any] = []
    ref = world.start(actor_class, log)
    log.clear()
    return ref, log, lambda: Future(world.dispatcher)


# -- what waits, and what does not -----------------------------------------------------------------------------------


def test_other_messages_wait_until_the_handler_has_returned(world: World):
    """A14: they are handled in the order in which they came, and not in the middle of it."""
    ref, log, future = started(world)
    first, second = future(), future()
    for message in (first, "one", second, "two"):
        ref.tell(message)
    world.settle()
    assert log == ["begins"]
    first.set(1)
    world.settle()
    assert log == ["begins", ("has", 1), "one", "begins"]
    second.set(2)
    world.settle()
    assert log == ["begins", ("has", 1), "one", "begins", ("has", 2), "two"]


def test_waiting_messages_do_not_keep_the_actor_busy(world: World):
    """A14: it has nothing to do until what it awaits is there."""
    ref, _log, future = started(world)
    ref.tell(pending := future())
    for number in range(100):
        ref.tell(number)
    world.settle()
    steps = world.dispatcher.steps
    world.settle()
    assert world.dispatcher.steps == steps
    assert ref._cell.hold is not None
    pending.set(None)
    world.settle()
    assert ref._cell.hold is None


def test_an_ask_is_answered_when_the_handler_returns(world: World):
    """A14: with what it returns, or raises; that is the asker's, and the actor goes on."""
    ref, log, future = started(world)
    value, error = future(), future()
    answers = [ref.ask(value, block=False), ref.ask(error, block=False)]
    world.settle()
    assert not answers[0].is_settled
    value.set("value")
    error.try_fail(OSError("asked"))
    assert answers[0].get(timeout=1) == "value"
    with pytest.raises(OSError, match="asked"):
        answers[1].get(timeout=1)
    assert ref.ask("still here", timeout=1) == "still here"
    assert log == ["begins", ("has", "value"), "begins", "still here"]


def test_a_handler_that_never_awaits_costs_no_turn(world: World):
    """A14: it is over in the turn in which it began."""
    ref, log, _future = started(world)
    ref.tell("one")
    ref.tell("two")
    steps = world.dispatcher.steps
    world.settle()
    assert log == ["one", "two"]
    assert world.dispatcher.steps == steps + 2


def test_marked_messages_are_handled_while_a_handler_awaits(world: World):
    """A14: those of the types in ``interleaves``, and methods marked with `interleave`; others keep their order."""
    ref, log, future = started(world)
    pending = future()
    ref.tell(pending)
    ref.tell("waits")
    ref.tell(Peek())
    world.settle()
    assert log == ["begins", "peek"]
    in_order = ref.proxy().look_in_order()
    assert ref.proxy().look().get(timeout=1) == ["begins", "peek"]
    assert not in_order.is_settled
    pending.set(1)
    assert in_order.get(timeout=1) == ["begins", "peek", ("has", 1), "waits"]


def test_a_marked_message_may_await_too(world: World):
    """A14: it holds up nobody, neither the handler between whose awaits it runs nor what comes after that."""
    ref, log, future = started(world)
    outer, inner = future(), future()

    class Inner(Peek):
        pass

    async def waits(_actor: Any) -> None:
        log.append("inner begins")
        log.append(await inner)

    async def on_receive(self: Any, message: Any) -> Any:
        return await (waits(self) if isinstance(message, Inner) else Awaits.on_receive(self, message))

    ref._cell.actor.on_receive = on_receive.__get__(ref._cell.actor)
    for message in (outer, Inner(), "after"):
        ref.tell(message)
    world.settle()
    assert log == ["begins", "inner begins"]
    outer.set(1)
    world.settle()
    assert log == ["begins", "inner begins", ("has", 1), "after"]
    inner.set("inner ends")
    world.settle()
    assert log[-1] == "inner ends"
    assert ref._cell.hold is None


def test_timers_and_downs_wait_for_the_handler(world: World):
    """A14: timers do not interleave; one that is cancelled meanwhile is not delivered, as ever (T2)."""
    ref, log, future = started(world)
    pending = future()
    other = world.start(Recorder)

    def prepare(actor: Any) -> None:
        actor.start_timer("kept", "tick", 1)
        actor.start_timer("cancelled", "never", 1)
        actor.watch(other)

    async def handle(actor: Any) -> None:
        log.append("begins")
        await pending
        actor.cancel_timer("cancelled")
        log.append("ends")

    ref.tell(prepare)
    ref.tell(handle)
    world.advance(2)
    other.stop(timeout=1)
    world.advance(2)
    assert log == ["begins"]
    pending.set(None)
    world.settle()
    assert log[:3] == ["begins", "ends", "tick"]
    assert [type(one).__name__ for one in log[3:]] == ["Down"]


def test_a_timer_may_be_handled_by_a_handler_that_awaits(world: World):
    """A14: its message is one like any other."""
    ref, log, future = started(world)
    pending = future()
    ref.tell(lambda actor: actor.start_timer("key", pending, 1))
    world.advance(1)
    ref.tell("waits")
    world.settle()
    assert log == ["begins"]
    pending.set(1)
    world.settle()
    assert log == ["begins", ("has", 1), "waits"]


def test_signals_are_handled_while_a_handler_awaits(world: World):
    """A14: a child that ends is told of, a new one is taken."""

    class Adopts(Awaits, Parent):
        pass

    ref, log, future = started(world, Adopts)
    child = spawn(ref, Recorder)
    pending = future()
    ref.tell(pending)
    world.settle()
    child.stop(timeout=1)
    world.settle()
    assert log == ["begins", ("ended", child, "normal")]
    ref.stop(block=False, now=True)
    world.settle()


def test_what_a_handler_raises_after_an_await_fails_the_actor(world: World):
    """A14: like a plain handler's; what waited is handled by the next incarnation."""
    parent = world.start(Parent)
    log: list[Any] = []
    ref = spawn(parent, Awaits, log, spec=ChildSpec(restart=Restart.PERMANENT))
    pending: Future[Any] = Future(world.dispatcher)
    ref.tell(pending)
    ref.tell("kept")
    world.settle()
    pending.try_fail(OSError("late"))
    world.settle()
    assert log == ["start", "begins", ("failure", "late"), ("pre_restart", "error"), "start", "kept"]


def test_a_restart_closes_what_awaits(world: World):
    """A15, S10: nothing of an incarnation goes on in the next one; an asker is told."""
    parent = world.start(Parent)
    log: list[Any] = []
    ref = spawn(parent, Awaits, log, spec=ChildSpec(restart=Restart.PERMANENT))
    pending: Future[Any] = Future(world.dispatcher)
    answer = ref.ask(pending, block=False)

    class Crash(Peek):
        def __call__(self, actor: Any) -> None:
            crash()(actor)

    ref.tell("kept")
    ref.tell(Crash())
    world.settle()
    pending.set("too late")
    with pytest.raises(ActorDead, match="stopped while handling"):
        answer.get(timeout=1)
    assert log == ["start", "begins", ("failure", "crash"), ("pre_restart", "error"), "start", "kept"]


class AwaitsInBetween(Awaits):
    """Also what may be handled in between may await."""

    interleaves = (Peek,)

    async def on_receive(self, message: Any) -> Any:
        if isinstance(message, PeekAt):
            return await message.awaits
        return await super().on_receive(message)


class PeekAt(Peek):
    """It awaits a future, and may be handled while another handler awaits."""

    def __init__(self, awaits: Future[Any]) -> None:
        self.awaits = awaits


class PeekAndDo(Peek):
    """It does something, and may be handled while a handler awaits."""

    def __init__(self, do: Callable[[Any], object]) -> None:
        self.do = do

    def __call__(self, actor: Any) -> None:
        self.do(actor)


def test_what_waits_for_a_restart_is_kept_while_a_marked_message_still_awaits(world: World):
    """S10: the actor has failed in the meantime, and handles nothing until it is born again."""
    parent = world.start(Parent)
    log: list[Any] = []
    slowly = Backoff(min_s=1.0, max_s=1.0)
    ref = spawn(parent, AwaitsInBetween, log, spec=ChildSpec(restart=Restart.PERMANENT, backoff=slowly))
    outer: Future[Any] = Future(world.dispatcher)
    for message in (outer, PeekAt(Future(world.dispatcher))):
        ref.tell(message)
    world.settle()
    outer.set(1)
    world.settle()
    log.clear()
    for message in (crash(), "one", "two"):
        ref.tell(message)
    world.settle()
    answer = ref.ask("three", block=False)
    world.settle()
    assert log == [("failure", "crash")]
    world.advance(2)
    assert log == [("failure", "crash"), ("pre_restart", "error"), "start", "one", "two", "three"]
    assert answer.get(timeout=0) == "three"
    assert world.dead() == []


def test_messages_keep_their_order_when_many_come_while_a_marked_message_awaits(system: System):
    """M1: also when so many wait that they are moved aside, and the last handler is over in the same turn."""
    log: list[Any] = []
    ref = system.start(AwaitsInBetween, log)
    outer: Future[Any] = Future(system.dispatcher)
    inner: Future[Any] = Future(system.dispatcher)
    number_of_all = 2 * SHORT
    done = threading.Event()

    def fill(actor: Any) -> None:
        actor.actor_ref.tell(end_the_last_handler)
        for number in range(number_of_all):
            actor.actor_ref.tell(number)
        outer.set("first")

    def end_the_last_handler(actor: Any) -> None:
        actor.actor_ref.tell("last")
        actor.actor_ref.tell(lambda _actor: done.set())
        inner.set("second")

    for message in (outer, PeekAt(inner), PeekAndDo(fill)):
        ref.tell(message)
    assert done.wait(DEADLINE_S)
    assert log == ["start", "begins", ("has", "first"), *range(number_of_all), "last"]


# -- the end ---------------------------------------------------------------------------------------------------------


def test_an_ordinary_stop_waits_for_the_handler(world: World):
    """M3: behind everything that was sent before, and that is not over yet."""
    ref, log, future = started(world)
    pending = future()
    ref.tell(pending)
    stopped = ref.stop(block=False)
    world.settle()
    assert ref.is_alive()
    pending.set(1)
    assert stopped.get(timeout=1)
    assert log == ["begins", ("has", 1), "stop"]


def test_stop_now_cancels_the_handler(world: World):
    """A15: where it awaits; its asker learns that it will get no answer."""
    ref, log, future = started(world)
    answer = ref.ask(future(), block=False)
    ref.tell("nobody handles this")
    world.settle()
    assert ref.stop(now=True, timeout=1)
    assert log == ["begins", "cancelled", "stop"]
    with pytest.raises(ActorDead):
        answer.get(timeout=1)
    assert world.dead() == [("nobody handles this", "dead")]


@pytest.mark.parametrize(("takes_s", "is_abandoned"), [(0.9, False), (1.1, True)])
def test_what_cleans_up_has_a_second(
    world: World, caplog: pytest.LogCaptureFixture, takes_s: float, is_abandoned: bool
):
    """A15: it may await; what takes longer is abandoned, and the log says where it was. `on_stop` comes after it."""
    ref, log, future = started(world)

    async def handle(actor: Any) -> None:
        try:
            await future()
        finally:
            log.append("cleans up")
            await actor.sleep(takes_s)
            log.append("clean")

    ref.tell(handle)
    world.settle()
    before = world.now
    stopped = ref.stop(block=False, now=True)
    world.settle()
    assert log == ["cleans up"]
    assert stopped.get(timeout=5)
    assert world.now - before == pytest.approx(min(takes_s, 1.0))
    assert log == (["cleans up", "stop"] if is_abandoned else ["cleans up", "clean", "stop"])
    reports = [record.getMessage() for record in caplog.records if record.getMessage().startswith("abandoned")]
    assert len(reports) == is_abandoned
    assert all("test_async_handler.py" in report and "handle" in report for report in reports)


def test_the_grace_is_the_class_s(world: World):
    """A15: ``grace_s`` seconds."""

    class Patient(Awaits):
        grace_s = 4.0

    ref, log, future = started(world, Patient)

    async def handle(actor: Any) -> None:
        try:
            await future()
        finally:
            await actor.sleep(3)
            log.append("clean")

    ref.tell(handle)
    world.settle()
    assert ref.stop(now=True, timeout=10)
    assert log == ["clean", "stop"]


def test_what_a_cancelled_handler_returns_is_its_answer(world: World):
    """A15: it may decide to finish what it has begun."""
    ref, _log, future = started(world)

    async def handle(_actor: Any) -> str:
        try:
            await future()
        except asyncio.CancelledError:
            return "all the same"
        return "never"

    answer = ref.ask(handle, block=False)
    world.settle()
    ref.stop(now=True, timeout=1)
    assert answer.get(timeout=1) == "all the same"


def test_a_handler_may_stop_its_own_actor_and_go_on(world: World):
    """A15: `stop` comes after the handler, as for a plain one."""
    ref, log, future = started(world)
    pending = future()

    async def handle(actor: Any) -> None:
        actor.stop()
        log.append(await pending)

    ref.tell(handle)
    world.settle()
    pending.set("to its end")
    world.settle()
    assert log == ["to its end", "stop"]
    assert not ref.is_alive()


def test_a_kill_closes_what_awaits_at_once(world: World):
    """H4, A5: no grace; its ``finally`` blocks run, and an asker is told."""
    ref, log, future = started(world)

    async def handle(actor: Any) -> None:
        try:
            await future()
        finally:
            log.append("finally")
            await actor.sleep(0.1)
            log.append("never")

    answer = ref.ask(handle, block=False)
    world.settle()
    ref._cell.kill("a test")
    with pytest.raises(ActorDead):
        answer.get(timeout=1)
    world.settle()
    assert log == ["finally"]


@pytest.mark.parametrize("where", ["pooled", "loop"])
def test_a_kill_tells_who_asked_what_awaits_though_another_turn_hangs(system: System, where: Any):
    """A5, H4: no turn comes in which the handler could be closed, as long as that one hangs."""
    awaits, hangs, let_go = threading.Event(), threading.Event(), threading.Event()
    log: list[Any] = []

    class Killed(Awaits):
        dispatcher = where

    class Hang(Peek):
        def __call__(self, _actor: Any) -> None:
            hangs.set()
            assert let_go.wait(DEADLINE_S)

    async def handle(_actor: Any) -> None:
        awaits.set()
        try:
            await Future()
        finally:
            log.append("finally")

    ref = system.start(Killed, log)
    answer = ref.ask(handle, block=False, timeout=FOREVER)
    assert awaits.wait(DEADLINE_S)
    ref.tell(Hang())
    assert hangs.wait(DEADLINE_S)
    ref.kill("a test")
    try:
        assert isinstance(answer.error, ActorDead)
        assert "finally" not in log
    finally:
        let_go.set()
    until(lambda: "finally" in log)


def test_children_are_stopped_after_the_clean_up(world: World):
    """A15, L6: it may need them."""

    class Adopts(Awaits, Parent):
        def on_stop(self) -> None:
            log.append(child.is_alive())

    ref, log, future = started(world, Adopts)
    child = spawn(ref, Recorder)

    async def handle(actor: Any) -> None:
        try:
            await future()
        finally:
            log.append(child.is_alive())
            await actor.sleep(0.5)
            log.append(child.is_alive())

    ref.tell(handle)
    world.settle()
    ref.stop(now=True, timeout=5)
    assert log == [True, True, False]


def test_a_kill_during_the_clean_up_ends_it(world: World):
    """H4: at once."""
    ref, log, future = started(world)

    async def handle(actor: Any) -> None:
        try:
            await future()
        finally:
            await actor.sleep(0.5)
            log.append("never")

    ref.tell(handle)
    world.settle()
    stopped = ref.stop(block=False, now=True)
    world.settle()
    ref._cell.kill("a test")
    assert stopped.get(timeout=0)
    world.settle()
    assert log == []
    assert not ref.is_alive()


# -- laws ------------------------------------------------------------------------------------------------------------


@settings(max_examples=less(30, 60), deadline=None)
@given(
    st.lists(st.sampled_from(["plain", "awaits", "peek"]), max_size=12),
    st.integers(0, 2**16),
    st.booleans(),
)
def test_messages_that_are_not_marked_never_overlap_and_keep_their_order(kinds: list[str], seed: int, bounded: bool):
    """A14, M1: whatever awaits, and in whatever order what is awaited comes."""

    class Notes(Actor):
        interleaves = (Peek,)
        mailbox_capacity = 20 if bounded else None

        async def on_receive(self, message: Any) -> None:
            if isinstance(message, Peek):
                log.append(("peek", 0))
                return
            kind, number = message
            log.append(("begins", number))
            if kind == "awaits":
                await self.sleep(number % 3)
            log.append(("ends", number))

    world = World(seed)
    log: list[tuple[str, int]] = []
    ref = world.system.start(Notes)
    for number, kind in enumerate(kinds):
        ref.tell(Peek() if kind == "peek" else (kind, number))
    world.advance(60)
    numbers = [number for number, kind in enumerate(kinds) if kind != "peek"]
    assert [note for note in log if note[0] != "peek"] == [(w, n) for n in numbers for w in ("begins", "ends")]
    assert sum(note[0] == "peek" for note in log) == kinds.count("peek")
    world.end()


@pytest.mark.usefixtures("eager_switches")
def test_handlers_that_await_keep_every_promise_on_threads(system: System):
    """A14, D1: many actors that ask each other and await the answers, on real threads."""

    class Counts(Actor):
        def __init__(self, peer: Any = None) -> None:
            super().__init__()
            self.peer = peer
            self.inside = 0
            self.total = 0

        async def on_receive(self, message: int) -> int:
            assert self.inside == 0
            self.inside += 1
            if self.peer is not None:
                message = await self.peer.ask(message, block=False)
            self.total += 1
            self.inside -= 1
            return message + 1

    last = system.start(Counts)
    middle = system.start(Counts, last)
    firsts = [system.start(Counts, middle) for _ in range(10)]
    answers = [first.ask(number, block=False) for number in range(20) for first in firsts]
    assert [answer.get(timeout=DEADLINE_S) for answer in answers] == [n + 3 for n in range(20) for _ in firsts]
    assert middle.proxy().total.get(timeout=DEADLINE_S) == 200


@pytest.mark.parametrize("as_flow", [False, True])
def test_ten_thousand_that_await_hold_no_thread(system: System, as_flow: bool):
    """A14, D6: neither handlers nor flows; no timer, and no turn that is due. How much memory they take is measured
    by the benchmarks."""
    gate: Future[Any] = Future(system.dispatcher)
    done: list[object] = []

    class Waits(Actor):
        async def on_receive(self, message: Any) -> None:
            done.append(await message)

        def on_start(self) -> None:
            if as_flow:
                self._cell.flow = Flow(self._cell, self.on_receive(gate), lambda _result: None)
                self._cell.flow.begin()

    refs = [system.start(Waits) for _ in range(10_000)]
    if not as_flow:
        for ref in refs:
            ref.tell(gate)
    until(lambda: all(ref._cell.is_resting for ref in refs))
    assert isinstance(system.dispatcher, BatonDispatcher)
    assert system.dispatcher.thread_count < 20  # as many as the baton has spares on a machine that is busy
    assert system.dispatcher.pending_timers == 0
    gate.set(None)
    until(lambda: len(done) == len(refs))


@pytest.mark.usefixtures("eager_switches")
@pytest.mark.parametrize("bound", [None, 5])
def test_no_message_that_may_run_is_forgotten_while_a_handler_awaits(system: System, bound: int | None):
    """A14, M5: whoever puts it, and whenever: between the last look of a turn and its end, too."""

    class Open(Actor):
        interleaves = (Peek,)
        mailbox_capacity = bound
        mailbox_overflow = "drop_old"  # so that a full lane becomes no longer by a message more

        async def on_receive(self, message: Any) -> Any:
            if isinstance(message, Future):
                await message
            return message

    gate: Future[Any] = Future(system.dispatcher)
    ref = system.start(Open)
    held = ref.ask(gate, block=False)
    until(lambda: ref._cell.hold is not None)
    waiting = [ref.ask(number, block=False) for number in range(50 if bound is None else bound)]
    answers: list[Any] = []

    def peeks() -> None:
        for _ in range(100):
            answers.append(ref.ask(Peek(), timeout=DEADLINE_S))

    threads = [threading.Thread(target=peeks) for _ in range(4 if bound is None else 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert len(answers) == 100 * len(threads)
    assert not held.is_settled
    assert not waiting[-1].is_settled
    gate.set(None)
    answered = [answer.get(timeout=DEADLINE_S) for answer in waiting if not isinstance(answer.error, MailboxFull)]
    assert answered == list(range(50)) if bound is None else answered[-1] == bound - 1


def test_a_timer_that_a_handler_starts_while_it_is_closed_by_a_crash_is_not_the_next_incarnations(world: World):
    """S10, T2: nor does it tick; a durable one does."""
    ticks: list[tuple[int, object]] = []

    class Tidies(Actor):
        interleaves = (Peek,)

        async def on_receive(self, message: object) -> None:
            match message:
                case "begin":
                    try:
                        await self.sleep(60)
                    finally:
                        self.start_timer("tick", "tick", 1.0)
                        self.start_timer("durable", "durable", 1.0, durable=True)
                case Peek():
                    raise OSError("a crash")
                case _:
                    ticks.append((self._cell.incarnation, message))

    ref = spawn(world.start(Parent), Tidies, spec=ChildSpec(restart=Restart.PERMANENT))
    ref.tell("begin")
    world.settle()
    ref.tell(Peek())
    world.advance(5)

    assert ticks == [(1, "durable")]


def test_a_coroutine_method_that_a_proxy_calls_is_run_by_its_actor(world: World):
    """A14: its value is given, and no coroutine that another thread would run beside the actor."""

    class Slow(Recorder):
        async def compute(self, value: int) -> int:
            await self.sleep(1)
            return value + 1

    assert world.start(Slow).proxy().compute(1).get(timeout=5) == 2


def test_what_interleaves_is_checked_when_the_class_is_made():
    """And the text says what it must be."""
    with pytest.raises(TypeError, match="interleaves must be a tuple of classes"):

        class Wrong(Actor):
            interleaves = Peek  # type: ignore[assignment]


def test_whatever_happens_while_it_waits_every_question_is_answered_and_nothing_is_left():
    """A5, A14, A15, L8, M5: from many seeds, handlers and flows that await, block, crash, are stopped and killed."""
    for seed in range(60):
        run_a_program(seed)


def run_a_program(seed: int) -> None:
    world, random = World(seed), Random(seed)
    inside: dict[int, int] = {}

    class Acts(Parent):
        interleaves = (Peek,)
        grace_s = 0.5

        async def on_receive(self, message: Any) -> Any:
            if isinstance(message, Peek) or not isinstance(message, str):
                return super().on_receive(message)
            serial = self._cell.serial
            assert not inside.get(serial), f"seed {seed}: two messages at once"
            inside[serial] = 1
            try:
                return await self.act(message)
            finally:
                inside[serial] = 0

        async def act(self, message: str) -> Any:
            kind, _, number = message.partition(" ")
            await self.sleep(int(number) % 3)
            match kind:
                case "crash":
                    raise OSError(message)
                case "race":
                    return (await self.race(self.sleep(1), self.sleep(int(number)), timeout=2)).index
                case "tidy":
                    try:
                        await self.sleep(5)
                    finally:
                        await self.sleep(int(number) % 2)
                case "flow" if self._cell.flow is None or self._cell.flow.is_over:
                    self._cell.flow = ThreadFlow(self._cell, lambda: self.block(int(number)), lambda _result: None)
                    self._cell.flow.begin()
            return message

        def block(self, number: int) -> None:
            for step in range(3):
                assert here.turn is self._cell
                self.sleep((number + step) % 3).get(timeout=1.5)

    parent = world.start(Parent)
    spec = ChildSpec(restart=Restart.PERMANENT, max_restarts=1000, within_s=1.0, shutdown_s=2.0)
    kinds = [Acts, Acts.on_dispatcher("loop")]
    refs = [spawn(parent, kinds[number % 2], spec=spec) for number in range(3)]
    asked: list[Future[Any]] = []
    for number in range(25):
        ref = refs[random.randrange(3)]
        match random.randrange(12):
            case 0:
                asked.append(ref.stop(block=False, now=True))
            case 1:
                asked.append(ref.stop(block=False))
            case 2 if random.randrange(4) == 0:
                ref._cell.kill("a program")
            case 3:
                asked.append(ref.ask(Peek(), block=False))
            case 4:
                world.advance(random.randrange(3))
            case _:
                kind = ["plain", "crash", "race", "tidy", "flow"][random.randrange(5)]
                asked.append(ref.ask(f"{kind} {number}", block=False))
                if kind == "crash":
                    ref.is_alive() and ref._cell.tell_user(f"{kind} {number}")
        for _ in range(random.randrange(6)):
            world.dispatcher.step()
    world.advance(300)
    assert all(future.is_settled for future in asked), f"seed {seed}"
    assert all(ref._cell.hold is None for ref in refs), f"seed {seed}"
    world.end()
    assert world.system.own_threads.thread_count == 0, f"seed {seed}"


# -- where it meets what else an actor does ----------------------------------------------------------------------------


class Busy(Actor):
    """Awaits for three seconds with each message, and notes what it handles meanwhile."""

    stash_capacity = 10

    def __init__(self, log: list[Any]) -> None:
        super().__init__()
        self.log_of = log

    async def on_receive(self, message: Any) -> Any:
        self.log_of.append(f"begins {message}")
        if message == "pipe":
            self.pipe_to_self(self.sleep(1.0), lambda _none: "piped")
        if message == "crash":
            raise LookupError("resumed")
        await self.sleep(3.0)
        self.log_of.append(f"ends {message}")


def test_what_a_pipe_brings_waits_for_the_handler(world: World):
    """A12, A14: it is a message like any other, and not handled any more when the actor stops."""
    log: list[Any] = []
    ref = world.start(Busy, log)
    ref.tell("pipe")
    world.advance(10.0)
    assert log == ["begins pipe", "ends pipe", "begins piped", "ends piped"]
    log.clear()
    ref.tell("pipe")
    world.settle()
    ref.stop(block=False, now=True)
    world.advance(10.0)
    assert log == ["begins pipe"]


@pytest.mark.parametrize("seed", range(40))
def test_a_handler_goes_on_when_its_actor_is_resumed(seed: int):
    """S12, A14: whatever has come about while nobody had decided yet."""
    world = World(seed)
    log: list[Any] = []

    class Lenient(Parent):
        directives: ClassVar = {LookupError: Directive.RESUME}

    class Interrupted(Busy):
        interleaves = (str,)

    child = spawn(world.start(Lenient), Interrupted, log, spec=ChildSpec(restart=Restart.PERMANENT))
    child.tell("long")
    world.settle()
    world.dispatcher.clock.advance(3.0)
    child.tell("crash")
    world.settle()
    assert log == ["begins long", "begins crash", "ends long"] or log == ["begins long", "ends long", "begins crash"]
    world.end()


def test_a_handler_that_is_cancelled_is_not_tried_again(world: World):
    """M6, A15: what it raises while it cleans up is no reason to begin anew."""
    log: list[Any] = []

    class Stubborn(Actor):
        retries = 1

        async def on_receive(self, message: Any) -> Any:
            log.append("begins")
            try:
                await self.sleep(60.0)
            finally:
                raise OSError("while cleaning up")

    ref = world.start(Stubborn)
    ref.tell("begin")
    world.settle()
    ref.stop(block=False, now=True)
    world.advance(5.0)
    assert log == ["begins"]


def test_a_second_attempt_can_defer_its_answer(world: World):
    """M6, A13: it answers the same question."""

    class Second(Actor):
        retries = 1

        def __init__(self) -> None:
            super().__init__()
            self.attempts = 0

        async def on_receive(self, message: Any) -> Any:
            self.attempts += 1
            if self.attempts == 1:
                raise OSError("the first attempt")
            self.reply_to(self.reply_later(), 42)
            return NoReplyYet

    assert world.start(Second).ask("a question", timeout=1.0) == 42


def test_a_pact_holds_for_a_handler_that_awaits(world: World):
    """W6: also when it hands the end on only after an await."""

    class Undecided(Actor):
        def __init__(self, other: Any) -> None:
            super().__init__()
            self.watch(other, death_pact=True)

        async def on_receive(self, message: Any) -> Any:
            await self.sleep(0.1)
            return super().on_receive(message)

    other = world.start(Recorder)
    bound = world.start(Undecided, other)
    other.stop(block=False)
    world.advance(1.0)
    assert not bound.is_alive()
    assert isinstance(bound._cell.exit_reason.cause, DeathPact)


def test_what_was_put_aside_comes_before_new_messages_beside_an_interleaved_handler(world: World):
    """P2, A14: the main handler is over, another one still awaits."""
    log: list[Any] = []

    class Sorts(Actor):
        stash_capacity = 10
        interleaves = (float,)

        def on_receive(self, message: Any) -> Any:
            if isinstance(message, float):
                return self.sleep_for(message)
            if message == "main":
                return self.main()
            if message == "one" and "one stashed" not in log:
                log.append("one stashed")
                self.stash()
            else:
                log.append(message)
            return None

        async def sleep_for(self, seconds: float) -> None:
            await self.sleep(seconds)

        async def main(self) -> None:
            await self.sleep(3.0)
            self.unstash_all()

    ref = world.start(Sorts)
    for message in ("one", "main", 100.0, "two"):
        ref.tell(message)
    world.advance(5.0)
    assert log == ["one stashed", "one", "two"]
    ref.stop(block=False, now=True)
    world.advance(5.0)


def test_a_repeating_timer_counts_from_the_end_of_a_handling_that_awaits(world: World):
    """T3, T4: and not from its first await, or ticks would leave no time for anything else."""
    log: list[Any] = []

    class Slow(Actor):
        async def on_receive(self, message: Any) -> Any:
            log.append((message, world.now))
            if message == "tick":
                await self.sleep(3.0)

    ref = world.start(Slow)
    ref._cell.timers.start("t", "tick", 1.0, 1.0, "fixed_delay")
    world.advance(4.5)
    ref.tell("between")
    world.advance(4.5)
    assert log == [("tick", 1.0), ("between", 4.5), ("tick", 5.0), ("tick", 9.0)]
    ref.stop(block=False, now=True)
    world.advance(5.0)
