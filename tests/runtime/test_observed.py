"""Observers: told of every message while there is one, and not there at all otherwise."""

import contextvars
import sys
import threading
from collections import Counter
from types import FrameType
from typing import Any

import pytest

from relay_actors.runtime.actor_ref import cell_of
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import Mailbox
from relay_actors.runtime.observed import ObservedCell
from relay_actors.runtime.signals import Unwrapped
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Echo, Parent, Recorder, World, crash, spawn


class Noting:
    """An observer that writes down what it is told."""

    def __init__(self, carried: object = None) -> None:
        self.told: list[Any] = []
        self.carried = carried

    def on_sent(self, cell: Cell, message: object) -> None:
        self.told.append(("sent", repr(cell), message))

    def capture(self) -> object:
        return self.carried

    def on_handling(self, cell: Cell, envelope: Any) -> str:
        self.told.append(("handling", repr(cell), getattr(envelope, "carried", None)))
        return "token"

    def on_handled(self, cell: Cell, envelope: Any, begun: Any, took_s: float, error: BaseException | None) -> None:
        self.told.append(("handled", repr(cell), begun, str(error or "")))

    def on_ended(self, cell: Cell, reason: Any) -> None:
        self.told.append(("ended", repr(cell), reason.kind))


def test_an_observer_is_told_of_each_message_with_what_it_carries(world: World):
    """O2: what the sender's turn belongs to travels with the message."""
    ref = world.start(Echo)
    world.system.observation.add(noting := Noting("context"))
    ref.ask("x", timeout=1.0)
    ref.stop(block=False)
    world.settle()

    assert noting.told[:3] == [
        ("sent", "Echo#1", "x"), ("handling", "Echo#1", "context"), ("handled", "Echo#1", "token", ""),
    ]  # fmt: skip
    assert noting.told[-2:] == [("ended", "Echo#1", "normal"), ("handled", "Echo#1", "token", "")]


def test_an_actor_that_is_made_later_is_observed_too(world: World):
    """O4: also children, and what is on the control lane."""
    world.system.observation.add(noting := Noting())
    parent = world.start(Parent)
    child = spawn(parent, Recorder)
    child.tell_ahead("x")
    world.settle()

    assert ("sent", "Recorder#2", "x") in noting.told
    assert ("handled", "Recorder#2", "token", "") in noting.told


class Doing(Unwrapped):
    """Something of a framework's own to do, which needs no envelope."""

    __slots__ = ("_do",)

    def __init__(self, do: Any) -> None:
        self._do = do

    def deliver(self) -> None:
        self._do()


def test_what_needs_no_envelope_is_observed_whether_it_comes_alone_or_with_others(world: World):
    """O2: flows, answers and timers of calls come like that, and nearly always alone."""
    cell = cell_of(world.start(Recorder))
    world.system.observation.add(noting := Noting("context"))
    for how_many in (1, 2):
        noting.told.clear()
        for _ in range(how_many):
            cell.tell_control(Doing(list))
        world.settle()

        assert [told for told in noting.told if told[0] != "sent"] == how_many * [
            ("handling", "Recorder#1", "context"), ("handled", "Recorder#1", "token", ""),
        ]  # fmt: skip


def test_what_such_a_message_raised_is_told_and_not_kept(world: World):
    """O2: otherwise it would be told of the next message that the actor handles, or stay for ever."""
    cell = cell_of(world.start(Recorder))
    world.system.observation.add(noting := Noting())
    cell.tell_control(Doing(lambda: crash("alone")(None)))
    world.settle()

    assert [told[3] for told in noting.told if told[0] == "handled"] == ["alone"]
    assert not world.system.observation.failures


class GoesOn(Recorder):
    """A handler of its goes on right after what has settled its await, and then raises."""

    interleaves = (str,)

    async def on_receive(self, message: Any) -> None:
        if isinstance(message, str):
            self.awaited.try_set(None)
            return
        self.awaited: Future[None] = Future()
        await self.awaited
        raise ValueError("later")


def test_what_is_done_right_after_a_message_is_told_by_itself(world: World):
    """O2: it is caused by that message, and what it raises is its own."""
    world.system.observation.add(noting := Noting("context"))
    ref = world.start(GoesOn)
    ref.tell(1)
    world.settle()
    noting.told.clear()
    ref.tell("go on")
    world.settle()

    assert not ref.is_alive()
    assert world.system.observation.failures == {}
    assert [told for told in noting.told if told[0] in ("handling", "handled")] == [
        ("handling", "GoesOn#1", "context"), ("handled", "GoesOn#1", "token", ""),
        ("handling", "GoesOn#1", "context"), ("handled", "GoesOn#1", "token", "later"),
    ]  # fmt: skip


def test_what_is_done_inside_the_handling_of_a_message_does_not_hide_what_that_raises(world: World):
    """O2: each of the two is told what came out of it."""

    class Both(Recorder):
        def on_receive(self, message: Any) -> None:
            self._cell.tell_next(Doing(list))
            self._cell.run_next()
            raise ValueError("outer")

    ref = world.start(Both)
    world.system.observation.add(noting := Noting())
    ref.tell(1)
    world.settle()
    assert [told[3] for told in noting.told if told[0] == "handled"] == ["", "outer"]
    assert world.system.observation.failures == {}


def test_what_is_to_be_done_next_is_done_when_nobody_observes_any_more(world: World):
    """O4: and also if it was told from elsewhere."""
    done: list[str] = []

    class Leaving(Recorder):
        def on_receive(self, message: Any) -> None:
            self._cell.tell_next(Doing(lambda: done.append("next")))
            self.system.observation.remove(noting)

    ref = world.start(Leaving)
    world.system.observation.add(noting := Noting())
    ref.tell(1)
    world.settle()
    cell_of(ref).tell_next(Doing(lambda: done.append("from elsewhere")))
    world.system.observation.add(noting)
    cell_of(ref).tell_next(Doing(lambda: done.append("observed")))
    world.settle()
    assert done == ["next", "from elsewhere", "observed"]
    assert not any(told[0] == "sent" and "_Following" in repr(told[2]) for told in noting.told)


def test_what_a_child_is_told_before_it_is_started_is_observed(world: World):
    """O4: with its sender, as everything else that is sent."""
    parent = world.start(Parent)
    world.system.observation.add(noting := Noting("context"))
    world.system.begin_child(parent, Recorder, spec=ChildSpec(), first="offer")
    world.settle()

    assert noting.told[:3] == [
        ("sent", "Recorder#2", "offer"), ("handling", "Recorder#2", "context"), ("handled", "Recorder#2", "token", ""),
    ]  # fmt: skip


def test_what_a_handler_raised_is_told_whether_it_failed_the_actor_or_went_to_an_asker(world: World):
    """O2: a span knows how its turn ended."""
    world.system.observation.add(noting := Noting())
    ref = world.start(Recorder)
    asked = ref.ask(crash("asked"), block=False)
    ref.tell(crash("told"))
    world.settle()

    assert isinstance(asked.error, ValueError)
    assert [told[3] for told in noting.told if told[0] == "handled"] == ["asked", "told"]
    assert not world.system.observation.failures


@pytest.mark.parametrize("where", ["pooled", "loop"])
def test_what_an_awaiting_handler_has_raised_to_who_asked_is_told(world: World, where: Any):
    """O2: of the part in which it raised, and not of those before."""

    class Later(Recorder):
        dispatcher = where

        async def on_receive(self, message: Any) -> None:
            await self.sleep(1.0)
            raise ValueError(message)

    ref = world.start(Later)
    world.system.observation.add(noting := Noting())
    asked = ref.ask("asked", block=False)
    world.advance(1.0)

    assert isinstance(asked.error, ValueError)
    assert [told[3] for told in noting.told if told[0] == "handled"] == ["", "asked"]


@pytest.mark.parametrize("method", ["on_sent", "capture", "on_handling", "on_handled", "on_ended"])
def test_an_observer_that_raises_is_detached_and_harms_nothing(
    world: World, caplog: pytest.LogCaptureFixture, method: str
):
    """O1: whichever of its methods it is; the others go on being told."""
    noting, broken = Noting(), Noting()

    def fail(*_args: object) -> None:
        raise OSError("broken")

    setattr(broken, method, fail)
    world.system.observation.add(broken)
    world.system.observation.add(noting)
    ref = world.start(Echo)

    assert ref.ask("x", timeout=1.0) == "x"
    ref.stop(block=False)
    world.settle()

    assert world.system.observation.observers == (noting,)
    assert caplog.text.count("an observer raised and is detached") == 1
    assert ("ended", "Echo#1", "normal") in noting.told


def test_without_observers_every_actor_runs_the_code_that_it_ran_before(world: World):
    """O4: off costs nothing, because nothing of it is left: the very classes are those of an unobserved system."""
    before = world.start(Echo)
    world.system.observation.add(one := Noting())
    world.system.observation.add(other := Noting())
    later = world.start(Echo)
    cells = [cell_of(before), cell_of(later)]
    assert all(type(cell) is ObservedCell and type(cell.mailbox) is not Mailbox for cell in cells)

    world.system.observation.remove(one)
    assert all(type(cell) is ObservedCell for cell in cells)
    world.system.observation.remove(other)
    world.system.observation.remove(other)

    assert all(type(cell) is Cell and type(cell.mailbox) is Mailbox for cell in cells)
    assert type(cell_of(world.start(Echo))) is Cell


def test_a_system_that_was_observed_does_no_more_than_one_that_never_was():
    """O4: counted, so that the machine does not matter: every function that is called for a thousand messages."""
    never, once = World(seed=1), World(seed=1)
    noting = Noting()

    def functions_called(world: World) -> Counter[str]:
        ref = world.start(Echo)
        called: Counter[str] = Counter()

        def count(frame: FrameType, event: str, _arg: object) -> None:
            if event == "call":
                called[frame.f_code.co_qualname] += 1

        sys.setprofile(count)
        try:
            for message in range(1000):
                ref.tell(message)
            world.settle()
        finally:
            sys.setprofile(None)
        return called

    once.system.observation.add(noting)
    functions_called(once)
    once.system.observation.remove(noting)
    functions_called(never)
    before, after = functions_called(never), functions_called(once)
    never.end()
    once.end()

    assert before["Turns._handle"] >= 1000
    assert after == before


@pytest.mark.parametrize("method", ["on_sent", "on_handling", "on_handled", "on_ended"])
def test_the_last_observer_may_go_in_the_middle_of_what_it_is_told(world: World, method: str):
    """O4: the cell has its own class again before the method that told the observer has come back."""
    noting = Noting()
    setattr(noting, method, lambda *_args: world.system.observation.remove(noting))
    world.system.observation.add(noting)
    ref = world.start(Recorder, log := [])

    ref.tell("x")
    ref.tell_ahead("first")
    world.settle()
    ref.stop(block=False)
    world.settle()

    assert log == ["start", "first", "x", "stop"]
    assert world.system.observation.observers == ()


@pytest.mark.usefixtures("eager_switches")
@pytest.mark.parametrize("is_observed", [False, True])
def test_what_a_pinned_actor_sets_for_its_thread_while_it_starts_is_there_later(system: System, is_observed: bool):
    """O4: context variables, as decimal and libraries for logs have them, are as they are without metrics."""
    setting: contextvars.ContextVar[str] = contextvars.ContextVar("setting", default="")
    of_who_starts: contextvars.ContextVar[str] = contextvars.ContextVar("of_who_starts", default="")

    class Setting(Recorder):
        dispatcher = "pinned"

        def on_start(self) -> None:
            setting.set("mine")

        def on_receive(self, message: Any) -> Any:
            return setting.get(), of_who_starts.get()

    if is_observed:
        system.observation.add(Noting())
    token = of_who_starts.set("theirs")
    ref = system.start(Setting)
    of_who_starts.reset(token)
    assert ref.ask("x", timeout=DEADLINE_S) == ("mine", "")


def test_observing_may_begin_and_end_in_the_middle_of_everything(system: System):
    """O4: cells change their class while other threads are inside them, and no message is lost or handled twice."""
    ref = system.start(Recorder, log := [])
    number, stop = 2000, threading.Event()

    def switch() -> None:
        while not stop.is_set():
            system.observation.add(noting := Noting())
            system.observation.remove(noting)

    switcher = threading.Thread(target=switch)
    switcher.start()
    try:
        for message in range(number):
            ref.tell(message)
        ref.ask("last", timeout=DEADLINE_S)
    finally:
        stop.set()
        switcher.join(DEADLINE_S)

    assert log == ["start", *range(number), "last"]
    assert type(cell_of(ref)) is Cell
