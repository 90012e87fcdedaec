"""Turns: one at a time, fair, and what is raised in them."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors.errors import ActorDead
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.asking import FOREVER
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.clock import ManualClock, SystemClock
from relay_actors.runtime.context import here
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.reasons import NORMAL
from relay_actors.runtime.signals import Due, Internal, Stop, Unwrapped
from relay_actors.runtime.system import System
from relay_actors.runtime.turns import CellState
from tests.runtime.worlds import DEADLINE_S, Echo, Recorder, World, crash


@pytest.mark.usefixtures("eager_switches")
def test_at_most_one_turn_of_an_actor_at_a_time(system: System):
    """D1: unguarded reading and writing of its own state is safe, on whichever thread a turn runs."""
    senders, each = 4, 2000

    class Careless(Actor):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0
            self.inside = False
            self.threads: set[int] = set()

        def on_receive(self, message: Any) -> Any:
            if message == "report":
                return self.count, len(self.threads)
            assert not self.inside
            self.inside = True
            count = self.count
            if count % 500 == 0:  # a wait gives the baton away: the next turns run on another thread
                echo.ask("give way", timeout=DEADLINE_S)
            self.count = count + 1
            self.threads.add(threading.get_ident())
            self.inside = False
            return None

    echo = system.start(Echo)
    ref = system.start(Careless)

    def send() -> None:
        for number in range(each):
            ref.tell(number)

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)

    count, thread_count = ref.ask("report", timeout=DEADLINE_S)
    assert count == senders * each
    assert thread_count > 1  # or nothing has been proved


@pytest.mark.usefixtures("eager_switches")
def test_each_sender_is_heard_in_its_own_order(system: System):
    """M1: no promise across senders."""
    log: list[Any] = []
    ref = system.start(Recorder, log)

    def send(name: str) -> None:
        for number in range(1000):
            ref.tell((name, number))

    threads = [threading.Thread(target=send, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    ref.ask("last", timeout=DEADLINE_S)

    for name in "abc":
        assert [number for sender, number in log[1:-1] if sender == name] == list(range(1000))


def test_signals_come_before_control_and_control_before_user(world: World):
    """M2: whatever the order in which they were sent."""
    log: list[Any] = []
    ref = world.start(Recorder, log)

    class Note(Internal):
        def deliver(self) -> None:
            log.append("control")

    class Probe(Stop):
        def handle(self, cell: Any) -> None:
            log.append("signal")

    for _ in range(2):
        ref.tell("user")
        ref._cell.tell_control(Note())
        ref._cell.signal(Probe(NORMAL))
    world.settle()

    assert log == ["start", *["signal"] * 2, *["control"] * 2, *["user"] * 2]


def test_a_flooded_actor_gives_way_after_its_share(system: System):
    """D2: others have their turns between its batches."""
    log: list[Any] = []
    first = system.start(Recorder, log)
    second = system.start(Recorder, log)
    second.ask("ready", timeout=DEADLINE_S)
    log.clear()

    def flood(actor: Any) -> None:
        for number in range(10 * actor.throughput):
            first.tell(number)
        second.tell("me too")

    first.ask(flood, timeout=DEADLINE_S)
    first.ask("done", timeout=DEADLINE_S)

    assert log.index("me too") <= 2 * first.actor_class.throughput


@pytest.mark.parametrize(("handling_s", "at_most"), [(0.0, 16), (0.0001, 16), (0.0006, 4), (0.0015, 2), (0.5, 2)])
def test_a_turn_of_slow_messages_ends_after_two_milliseconds(handling_s: float, at_most: int):
    """D2: sixteen messages or 2 ms, whichever comes first; in steps of a clock that only the handler moves."""
    clock = ManualClock()
    system = System(name="slices", dispatcher=BatonDispatcher(clock, name="slices", handover_after_s=3600.0))
    log: list[Any] = []
    other = system.start(Recorder, log)
    other.ask("ready", timeout=DEADLINE_S)
    log.clear()

    class Slow(Recorder):
        def on_receive(self, message: Any) -> Any:
            if isinstance(message, int):
                clock.advance(handling_s)
            return super().on_receive(message)

    slow = system.start(Slow, log)

    def flood(_actor: Any) -> None:
        log.clear()
        for number in range(100):
            slow.tell(number)
            other.tell("other")

    system.start(Recorder).ask(flood, timeout=DEADLINE_S)
    slow.ask("done", block=False, timeout=FOREVER).get(timeout=DEADLINE_S)  # not by the clock that the handler moves

    first_run = log.index("other", log.index(0)) - log.index(0)
    assert 1 <= first_run <= at_most
    assert log.index("other") <= 2 * at_most
    assert system.stop()


@pytest.mark.usefixtures("eager_switches")
def test_what_one_turn_writes_the_next_one_reads_on_another_thread():
    """D1: turns of one actor follow each other over threads as fast as the baton can be made to change hands."""
    system = System(
        name="hands", dispatcher=BatonDispatcher(SystemClock(), name="hands", handover_after_s=0.0002),
        blocking_report_s=None,
    )  # fmt: skip
    senders, each = 4, 150

    class Ledger(Actor):
        """Several fields, written one after the other, with a chance to be interrupted in between."""

        throughput = 1

        def __init__(self) -> None:
            super().__init__()
            self.first = self.second = 0
            self.torn: list[Any] = []
            self.threads: set[int] = set()

        def on_receive(self, message: Any) -> Any:
            if message == "report":
                return self.first, self.second, self.torn, len(self.threads)
            if self.first != self.second:
                self.torn.append((self.first, self.second))
            was = self.first
            self.first = was + 1
            if was % 8 == 0:
                give_way.ask("give way", timeout=DEADLINE_S)  # loses the baton here, in the middle
            self.second = was + 1
            self.threads.add(threading.get_ident())
            return None

    give_way = system.start(Echo)
    ledger = system.start(Ledger)

    def send() -> None:
        for number in range(each):
            ledger.tell(number)

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    first, second, torn, thread_count = ledger.ask("report", timeout=DEADLINE_S)

    assert (first, second, torn) == (senders * each, senders * each, [])
    assert thread_count > 1
    assert system.stop()


def test_without_the_lock_the_turns_of_one_actor_would_overlap(world: World):
    """D1: the tests above can fail: with a lock that is always free, one turn runs inside another."""
    overlaps: list[bool] = []

    class Reentered(Actor):
        inside = False

        def on_receive(self, message: Any) -> Any:
            overlaps.append(self.inside)
            self.inside = True
            if message == "wait":
                echo.ask("meanwhile", timeout=1.0)
            self.inside = False

    class AlwaysResting(Cell):
        """A cell whose rest is always there, whoever has taken it."""

        __slots__ = ()

        _rest = property(lambda _cell: None, lambda _cell, _value: None, lambda _cell: None)  # type: ignore[assignment]
        is_resting = property(lambda _cell: True, lambda _cell, _value: None)  # type: ignore[assignment]

    echo = world.start(Echo)
    ref = world.start(Reentered)

    def send_and_see() -> bool:
        overlaps.clear()
        for message in ("wait", *range(10)):
            ref.tell(message)
        world.settle()
        return any(overlaps)

    assert not any(send_and_see() for _ in range(10))
    ref._cell.__class__ = AlwaysResting
    assert any(send_and_see() for _ in range(10))


def test_an_error_of_an_ask_goes_to_the_asker(world: World):
    """pykka's contract: with its type; the actor goes on."""
    ref = world.start(Recorder)
    with pytest.raises(ValueError, match="crash"):
        ref.ask(crash(), timeout=0)

    assert ref.ask("a", timeout=0) == "a"
    assert ref._cell.state is CellState.RUNNING


def test_an_actor_that_dies_with_an_ask_waiting_answers_it_in_that_turn(world: World):
    """A5: queued or running, the future fails with the death, not with a time-out."""
    ref = world.start(Recorder)
    ref.tell(crash())
    queued = ref.ask("queued", block=False)
    world.dispatcher.step()

    assert queued.is_settled
    with pytest.raises(ActorDead):
        queued.get(timeout=0)
    with pytest.raises(ActorDead):
        ref.ask("later", timeout=0)


def test_after_batch_comes_once_after_several_messages(system: System):
    """So that what several messages have produced can be written at once."""
    log: list[Any] = []

    class Batches(Recorder):
        def after_batch(self) -> None:
            log.append("batch")

    def burst(_actor: Any) -> None:
        for number in range(3):
            ref.tell(number)

    ref = system.start(Batches, log)
    system.start(Recorder).ask(burst, timeout=DEADLINE_S)
    ref.ask("end", timeout=DEADLINE_S)
    log_until_end = log[: log.index("end")]

    assert log_until_end.count("batch") <= 3
    position = log.index(0)
    assert log[position : position + 3] == [0, 1, 2]


def test_after_batch_that_raises_fails_the_actor(world: World):
    """It is a part of the turn."""

    class Broken(Recorder):
        def after_batch(self) -> None:
            raise OSError("cannot write")

    log: list[Any] = []
    ref = world.start(Broken, log)

    assert log == ["start", ("failure", "cannot write"), "stop"]
    assert not ref.is_alive()


def test_a_turn_knows_whose_it_is(world: World):
    """Also inside a turn inside a wait; and afterwards it is nobody's."""
    seen: list[Any] = []
    inner = world.start(Recorder)
    outer = world.start(Recorder)

    def ask_inner(actor: Any) -> None:
        inner.ask(lambda inner_actor: seen.append((here.turn, inner_actor._cell)), timeout=1)
        seen.append((here.turn, actor._cell))

    outer.ask(ask_inner, timeout=1)

    assert len(seen) == 2
    assert all(turn is cell for turn, cell in seen)
    assert here.turn is None


def test_what_would_come_next_may_be_done_at_once(world: World):
    """Who tells itself to go on need not wait for its turn, if nothing else would come in between."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    cell: Cell = ref._cell

    class Says(Internal):
        def deliver(self) -> None:
            log.append("says")

    class GoesOn(Unwrapped):
        def __init__(self, beside: Callable[[], object]) -> None:
            self.beside = beside
            self.is_first = True

        def deliver(self) -> None:
            if self.is_first:
                self.is_first = False
                cell.tell_control(self)
                cell.tell_next(Says())
                self.beside()
                log.append(cell.goes_on_with(self))

    for beside, goes_on in [
        (lambda: None, True),
        (lambda: ref.tell("later"), True),
        (lambda: cell.tell_control(Says()), False),
        (lambda: cell.signal(Due(lambda: None)), False),
        (lambda: cell.mailbox.control.clear(), False),
        (cell.make_extras, False),
    ]:
        log.clear()
        cell.tell_control(GoesOn(beside))
        world.settle()
        assert log[:2] == ["says", goes_on]


@pytest.mark.parametrize("where", ["put to nothing", "put behind another", "taken", "taken at once"])
def test_what_a_finaliser_has_done_next_is_not_lost(world: World, where: str):
    """A14: garbage may be collected where a tuple is made, and a finaliser settle what a flow of the actor awaits."""
    log: list[Any] = []
    ref = world.start(Recorder)
    cell: Cell = ref._cell

    class Says(Internal):
        def __init__(self, what: str) -> None:
            self.what = what

        def deliver(self) -> None:
            log.append(self.what)

    of_finalisers = [Says("by a finaliser")]

    class Collecting(tuple[Internal, ...]):
        def __add__(self, other: Any) -> Any:
            self.collect()
            return super().__add__(other)

        def __getitem__(self, at: Any) -> Any:
            if isinstance(at, slice):
                self.collect()
            return super().__getitem__(at)

        def collect(self) -> None:
            if of_finalisers:
                cell.tell_next(of_finalisers.pop())

    def do(_actor: Any) -> None:
        cell._next = Collecting(() if where == "put to nothing" else (Says("waits"),))
        if where.startswith("put"):
            cell.tell_next(Says("is put"))
        elif where == "taken at once":
            cell.run_next()

    ref.tell(do)
    world.settle()
    expected = {"put to nothing": ["is put"], "put behind another": ["waits", "is put"]}.get(where, ["waits"])
    assert [what for what in log if what != "by a finaliser"] == expected
    assert len(log) - len(expected) == 1 - len(of_finalisers)


def test_what_is_raised_by_what_comes_next_fails_who_goes_on(world: World):
    """As it would in a turn of its own; and what it had told itself is still to come."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    cell: Cell = ref._cell

    class Breaks(Internal):
        def deliver(self) -> None:
            raise RuntimeError("broken")

    class GoesOn(Unwrapped):
        def deliver(self) -> None:
            cell.tell_next(Breaks())
            cell.goes_on_with(self)

    cell.tell_control(GoesOn())
    world.settle()
    assert ("failure", "broken") in log


def test_a_broken_signal_fails_the_actor_and_not_the_thread(world: World):
    """A mistake of the runtime itself is one actor's failure, with its traceback in the log."""

    class Broken(Stop):
        def handle(self, cell: Any) -> None:
            raise RuntimeError("broken machinery")

    log: list[Any] = []
    ref = world.start(Recorder, log)
    ref._cell.signal(Broken(NORMAL))
    world.settle()

    assert log == ["start", ("failure", "broken machinery"), "stop"]
