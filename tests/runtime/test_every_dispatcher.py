"""One contract for all dispatchers: the same actors, unchanged, on each of them (SEMANTICS D3)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from relay_actors.errors import ActorDead, ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.asking import NoReplyYet
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.clock import Random
from relay_actors.runtime.context import here
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from relay_actors.runtime.waiting import gather
from tests.runtime.worlds import DEADLINE_S, Echo, Parent, crash, fail

Kind = Literal["pooled", "pinned", "blocking", "loop"]
KINDS: list[Kind] = ["pooled", "pinned", "blocking", "loop"]


class Stage:
    """A system, and on which of its dispatchers actors are to run."""

    def __init__(self, kind: Kind, system: System) -> None:
        self.kind = kind
        self.system = system

    def start(self, actor_class: type[Actor], *args: Any) -> ActorRef[Any]:
        return self.system.start(actor_class.on_dispatcher(self.kind), *args)

    def spawn(self, parent: ActorRef[Any], actor_class: type[Actor], *args: Any, **kwargs: Any) -> ActorRef[Any]:
        def do(actor: Any) -> Any:
            return actor.spawn(actor_class.on_dispatcher(self.kind), *args, **kwargs)

        ref: ActorRef[Any] = parent.ask(do, timeout=DEADLINE_S)
        return ref


@pytest.fixture(params=[*KINDS, *(f"deterministic {kind}" for kind in KINDS)])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    name = request.param.rpartition(" ")
    system = System(name="stage", dispatcher=DeterministicDispatcher(Random(1)) if name[0] else None)
    yield Stage(name[2], system)
    assert system.stop(DEADLINE_S), "something was left over"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stage")]


class Worker(Actor):
    """Notes what it is told, does what functions say, and awaits what coroutine functions say."""

    def __init__(self, log: list[Any] | None = None) -> None:
        super().__init__()
        self.log_of = log if log is not None else []
        self.inside = 0

    def on_start(self) -> None:
        self.log_of.append("start")

    def on_stop(self) -> None:
        self.log_of.append("stop")

    async def on_receive(self, message: Any) -> Any:
        assert here.turn is self._cell
        assert self.inside == 0
        self.inside += 1
        try:
            if asyncio.iscoroutinefunction(message):
                return await message(self)
            if callable(message):
                return message(self)
            self.log_of.append(message)
            return message
        finally:
            assert here.turn is self._cell or message == "quiet"
            self.inside -= 1


def test_messages_are_handled_in_order_and_asks_are_answered(stage: Stage):
    """D3, M1."""
    log: list[Any] = []
    ref = stage.start(Worker, log)
    for number in range(50):
        ref.tell(number)
    assert ref.ask("last", timeout=DEADLINE_S) == "last"
    assert log == ["start", *range(50), "last"]
    assert ref.stop(timeout=DEADLINE_S)
    assert log[-1] == "stop"
    with pytest.raises(ActorDead):
        ref.tell("too late")


def test_plain_handlers_run_too(stage: Stage):
    """D3: and through a proxy."""
    ref = stage.start(Echo)
    assert ref.ask(1, timeout=DEADLINE_S) == 1
    assert ref.proxy().actor_urn.get(timeout=DEADLINE_S) == ref.actor_urn


def test_a_handler_awaits_time_asyncio_and_other_actors(stage: Stage):
    """D3, A14: here the same code, whoever drives it; and its turns never overlap."""
    echo = stage.start(Echo)
    log: list[Any] = []
    ref = stage.start(Worker, log)

    async def compute() -> str:
        await asyncio.sleep(0.001)
        return "from asyncio"

    async def handle(actor: Any) -> Any:
        await actor.sleep(0.001)
        assert here.turn is actor._cell
        first = await actor.race(actor.sleep(60), echo.ask("raced", block=False))
        return [
            first.value,
            await actor.aio(compute()),
            *await gather(echo.ask("a", block=False), echo.ask("b", block=False)),
        ]

    answer = ref.ask(handle, block=False)
    ref.tell("after it")
    assert answer.get(timeout=DEADLINE_S) == ["raced", "from asyncio", "a", "b"]
    ref.ask("the end", timeout=DEADLINE_S)
    assert log == ["start", "after it", "the end"]


def test_an_answer_can_be_deferred_before_and_after_an_await(stage: Stage):
    """A13, A14: what is handled is the same message, however often its handler has awaited."""

    class Clerk(Actor):
        def __init__(self, awaits_first: bool) -> None:
            super().__init__()
            self.awaits_first = awaits_first
            self.owed: Any = None

        async def on_receive(self, message: Any) -> Any:
            if message == "answer now":
                return self.reply_to(self.owed, "later")
            if self.awaits_first:
                await self.sleep(0.01)
            self.owed = self.reply_later()
            await self.sleep(0.01)
            return NoReplyYet

    for awaits_first in (False, True):
        clerk = stage.start(Clerk, awaits_first)
        asked = clerk.ask("a question", block=False)
        assert clerk.ask("answer now", timeout=DEADLINE_S) is True
        assert asked.get(timeout=DEADLINE_S) == "later"


def test_what_a_handler_asks_has_no_more_time_than_it_has_itself(stage: Stage):
    """A9, A14: also after it has awaited."""
    asked: list[Any] = []

    class Asker(Actor):
        async def on_receive(self, message: Any) -> Any:
            await self.sleep(0.01)
            asked.append(message.ask("nobody answers", block=False, timeout=60))
            return asked[0].deadline

    class Silent(Actor):
        def on_receive(self, message: Any) -> Any:
            self.reply_later()

    silent = stage.start(Silent)
    latest = stage.system.clock.now() + DEADLINE_S
    assert stage.start(Asker).ask(silent, timeout=DEADLINE_S) <= latest + 0.1


def test_what_is_raised_fails_the_actor_or_answers_the_asker(stage: Stage):
    """D3, L8: before an await and after it, also a `SystemExit`."""
    parent = stage.system.start(Parent)
    log: list[Any] = []
    ref = stage.spawn(parent, Worker, log, spec=ChildSpec(restart=Restart.PERMANENT, max_restarts=10, within_s=60.0))

    async def late(actor: Any) -> None:
        await actor.sleep(0.001)
        raise SystemExit(3)

    with pytest.raises(ValueError, match="crash"):
        ref.ask(crash(), timeout=DEADLINE_S)
    for message in (crash(), late, fail(KeyError())):
        before = ref.incarnation
        ref.tell(message)
        ref.ask("again", timeout=DEADLINE_S)
        assert ref.incarnation == before + 1
    assert log.count("start") == 4
    assert not [thread for thread in threading.enumerate() if thread.name == "stage-loop" and not thread.is_alive()]


def test_stopping_cancels_and_waits_for_the_clean_up(stage: Stage):
    """D3, A15."""
    log: list[Any] = []
    ref = stage.start(Worker, log)
    begun = stage.start(Echo)

    async def handle(actor: Any) -> None:
        try:
            await begun.ask("begun", block=False)
            log.append("begun")
            await actor.sleep(3600)
        except asyncio.CancelledError:
            await actor.sleep(0.001)
            log.append("clean")
            raise

    answer = ref.ask(handle, block=False)
    stage.system.dispatcher.wait_until(lambda: "begun" in log, lambda _left: _spin(log), DEADLINE_S)
    assert ref.stop(now=True, timeout=DEADLINE_S)
    assert log == ["start", "begun", "clean", "stop"]
    with pytest.raises(ActorDead):
        answer.get(timeout=DEADLINE_S)


def test_what_does_not_end_is_abandoned(stage: Stage, caplog: pytest.LogCaptureFixture):
    """D3, A15."""
    log: list[Any] = []

    class Hasty(Worker):
        grace_s = 0.02

    ref = stage.start(Hasty, log)

    async def handle(actor: Any) -> None:
        while True:
            try:
                log.append("begun")
                await actor.sleep(3600)
            except asyncio.CancelledError:
                log.append("not me")

    ref.tell(handle)
    stage.system.dispatcher.wait_until(lambda: "begun" in log, lambda _left: _spin(log), DEADLINE_S)
    assert ref.stop(now=True, timeout=DEADLINE_S)
    assert log == ["start", "begun", "not me", "begun", "stop"]
    assert "abandoned" in caplog.text


def test_many_actors_that_ask_each_other_by_awaiting(stage: Stage):
    """D3, D1."""
    workers = [stage.start(Worker) for _ in range(10)]

    def passes_on(left: list[ActorRef[Any]]) -> Any:
        async def handle(_actor: Any) -> int:
            return 1 + await left[0].ask(passes_on(left[1:]), block=False) if left else 0

        return handle

    answers = [workers[0].ask(passes_on(workers[1:]), block=False) for _ in range(20)]
    assert [answer.get(timeout=DEADLINE_S) for answer in answers] == [9] * 20


def _spin(log: list[Any]) -> bool:
    pause = threading.Event()
    for _ in range(int(DEADLINE_S * 1000)):
        if "begun" in log:
            return True
        pause.wait(0.001)
    return False


# -- how one is chosen -----------------------------------------------------------------------------------------------


def test_a_class_with_another_dispatcher_is_the_same_class_every_time():
    """D3: per start; everything else of it stays as it was."""
    pinned = Echo.on_dispatcher("pinned")
    assert pinned is Echo.on_dispatcher("pinned")
    assert Echo.on_dispatcher("pooled") is Echo
    assert issubclass(pinned, Echo)
    assert (pinned.__name__, pinned.__qualname__, pinned.__module__) == (
        Echo.__name__,
        Echo.__qualname__,
        __name__,
    ) or (pinned.__module__ == Echo.__module__)
    assert (pinned.dispatcher, Echo.dispatcher) == ("pinned", "pooled")


def test_a_dispatcher_that_there_is_not_is_refused(system: System):
    """And the text says what there is."""
    with pytest.raises(ConfigError, match="pooled, pinned, blocking, loop"):
        Echo.on_dispatcher("threads")  # type: ignore[arg-type]

    class Wrong(Echo):
        dispatcher = "threads"  # type: ignore[assignment]

    with pytest.raises(ConfigError, match="pooled, pinned, blocking, loop"):
        system.start(Wrong)
