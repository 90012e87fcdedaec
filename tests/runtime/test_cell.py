"""The life of an actor: start, failure, restart in place, stop, kill."""

import gc
import threading
import weakref
from typing import Any

import pytest

from relay_actors.errors import ActorDead, ParentStopping
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.context import here
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.reasons import ChildFailed, Down, ExitReason
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.signals import Restarted, Stop
from relay_actors.runtime.system import System
from relay_actors.runtime.turns import CellState
from tests.runtime.worlds import DEADLINE_S, Blocker, Parent, Recorder, World, block, crash, fail, spawn, until
from tests.support.thorough import less

PERMANENT = ChildSpec(restart=Restart.PERMANENT)
TRANSIENT = ChildSpec(restart=Restart.TRANSIENT)


class FailsToStart(Recorder):
    """Raises in ``on_start``, as often as it is told."""

    def __init__(self, log: list[Any], failures: list[None]) -> None:
        super().__init__(log)
        self._failures = failures

    def on_start(self) -> None:
        if self._failures:
            self._failures.pop()
            raise OSError("not today")
        super().on_start()


# -- start


def test_an_actor_is_living_when_start_returns(world: World):
    """L1: whoever has the ref can use it at once."""
    log: list[Any] = []
    ref = world.system.start(Recorder, log)

    assert ref.is_alive()
    assert world.system.living == [ref._cell]
    assert log == []
    ref.tell("a")
    world.settle()
    assert log == ["start", "a"]


def test_who_starts_an_actor_and_its_own_turn_get_the_same_ref(world: World):
    """M1: that of a pool knows what has gone which way, so two would let one sender overtake itself."""
    refs_of_others: list[Any] = []

    class MadeTwice(Recorder):
        @classmethod
        def make_ref(cls, cell: Any) -> Any:
            ref = super().make_ref(cell)
            if not refs_of_others:
                refs_of_others.append(ref)
                refs_of_others[0] = cell.ref  # another thread, in this moment
            return ref

    ref = world.start(MadeTwice)
    assert refs_of_others[0] is ref
    assert ref._cell.ref is ref
    assert ref._cell.actor.actor_ref is ref


def test_a_constructor_that_raises_leaves_nothing(world: World):
    """L1: the caller gets the error; no cell, no key, no timer, and no ask without an answer."""
    leaked: list[Any] = []

    class Broken(Actor):
        def __init__(self) -> None:
            super().__init__()
            self.register("name")
            self.start_timer("tick", "tick", 1.0)
            leaked.append(self.actor_ref.ask("who are you", block=False))
            raise RuntimeError("broken")

        def on_receive(self, message: Any) -> Any:
            return leaked.append(message)

    with pytest.raises(RuntimeError, match="broken"):
        world.system.start(Broken)

    assert world.system.actor_count == 0
    assert world.system.find("name") is None
    assert world.dispatcher.pending_timers == 0
    with pytest.raises(ActorDead):
        leaked[0].get(timeout=0)


def test_nothing_is_handled_when_on_start_raises(world: World):
    """L3, L7: on_failure once, then on_stop, no message; queued asks fail with ActorDead, and watchers know why."""
    log: list[Any] = []
    watcher = world.start(Recorder)
    ref = world.system.start(FailsToStart, log, [None])
    watcher.ask(lambda actor: actor.watch(ref), timeout=0)
    ref.tell("never")
    answer = ref.ask("never", block=False)
    world.settle()

    assert log == [("failure", "not today"), "stop"]
    with pytest.raises(ActorDead):
        answer.get(timeout=0)
    [down] = [entry for entry in watcher.ask(lambda actor: actor.log_of, timeout=0) if isinstance(entry, Down)]
    assert down.reason.kind == "start_failed"
    assert isinstance(down.reason.cause, OSError)
    assert world.dead() == [("never", "dead"), ("never", "dead")]


# -- failure and restart


def test_an_actor_without_a_supervisor_ends_when_it_fails(world: World):
    """pykka's contract: the failing message is gone, those behind it are dead letters. L7: on_stop comes last."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    ref.tell(crash())
    ref.tell("late")
    world.settle()

    assert not ref.is_alive()
    assert log == ["start", ("failure", "crash"), "stop"]
    assert world.dead() == [("late", "dead")]
    with pytest.raises(ActorDead):
        ref.tell("later")


def test_a_child_is_restarted_in_place(world: World):
    """S10, L4: same ref, same urn, same mailbox; one more incarnation; the failing message is gone (M6)."""
    log: list[Any] = []
    parent = world.start(Parent)
    child = spawn(parent, Recorder, log, spec=TRANSIENT)
    urn = child.actor_urn
    child.tell("before")
    child.tell(crash())
    child.tell("kept 1")
    child.tell("kept 2")
    world.settle()

    assert log == ["start", "before", ("failure", "crash"), ("pre_restart", "error"), "start", "kept 1", "kept 2"]
    assert (child.incarnation, child.actor_urn, child.is_alive()) == (1, urn, True)


def test_the_remaining_messages_survive_a_second_failure(world: World):
    """S11: the new incarnation fails while it handles a kept message; the ones behind it are kept again."""
    log: list[Any] = []
    child = spawn(world.start(Parent), Recorder, log, spec=TRANSIENT)
    for message in (crash("1"), "a", crash("2"), "b", crash("3"), "c"):
        child.tell(message)
    world.settle()

    assert [entry for entry in log if isinstance(entry, str)] == ["start", "start", "a", "start", "b", "start", "c"]
    assert child.incarnation == 3


def test_what_arrives_during_a_back_off_is_kept_in_order_up_to_a_bound(world: World):
    """S10: a thousand are kept, the rest are dead letters; asks among those are told."""
    log: list[Any] = []
    spec = ChildSpec(restart=Restart.TRANSIENT, backoff=Backoff(min_s=1, max_s=1, jitter=0))
    child = spawn(world.start(Parent), Recorder, log, spec=spec)
    child.tell(crash())
    child.tell("waits already")
    world.settle()
    for number in range(1000):
        child.tell(number)
    child.tell("too many")
    ask = child.ask("too many", block=False)

    assert world.dead() == [("too many", "restart_overflow")] * 2
    with pytest.raises(Exception, match="restart_overflow"):
        ask.get(timeout=0)
    world.advance(1.0)
    assert log[3:] == ["start", "waits already", *range(1000)]
    for number in range(3000):
        child.tell(number)
    world.settle()
    assert log[-3000:] == list(range(3000))


def test_a_restart_cancels_the_timers_of_the_old_incarnation(world: World):
    """S10, T2: also a tick that waits in the mailbox already."""
    log: list[Any] = []
    child = spawn(world.start(Parent), Recorder, log, spec=TRANSIENT)

    def start_timers_and_fail(actor: Any) -> None:
        actor.start_timer("now", "tick now", 0.0)
        actor.start_timer("later", "tick later", 5.0)
        raise ValueError("crash")

    child.tell(start_timers_and_fail)
    world.advance(10.0)

    assert log == ["start", ("failure", "crash"), ("pre_restart", "error"), "start"]
    assert world.dispatcher.pending_timers == 0


def test_children_end_before_their_parent_is_restarted(world: World):
    """S10: stopped and awaited first; the new incarnation begins without them."""
    log: list[Any] = []
    child = spawn(world.start(Parent), Recorder, log, spec=TRANSIENT)
    grandchild = spawn(child, Recorder, log)
    world.settle()
    log.clear()
    child.tell(crash())
    world.settle()

    assert log == [("failure", "crash"), "stop", ("pre_restart", "error"), "start"]
    assert not grandchild.is_alive()
    assert spawn(child, Recorder, log).is_alive()


def test_children_stay_where_the_spec_says_so(world: World):
    """X8 against S10: running operations did not fail with their call."""
    log: list[Any] = []
    spec = ChildSpec(restart=Restart.TRANSIENT, keep_children=True)
    child = spawn(world.start(Parent), Parent, log, spec=spec)
    grandchild = spawn(child, Recorder, [])
    child.tell(crash())
    world.settle()

    assert child.incarnation == 1
    assert grandchild.is_alive()
    grandchild.tell(crash())
    world.settle()
    assert ("ended", grandchild, "error") in log


def test_a_failed_restart_counts_as_a_restart(world: World):
    """S7: and is tried again, until the window says no."""
    log: list[Any] = []
    parent_log: list[Any] = []
    parent = world.start(Parent, parent_log)
    failures: list[None] = []
    spec = ChildSpec(restart=Restart.PERMANENT, max_restarts=3, within_s=5.0)
    child = spawn(parent, FailsToStart, log, failures, spec=spec)
    world.settle()
    failures.extend([None, None])
    child.tell(crash())
    world.settle()

    assert child.incarnation == 3
    assert [entry for entry in log if entry == "start"] == ["start", "start"]
    failures.append(None)
    child.tell(crash())
    world.settle()
    assert not child.is_alive()
    assert parent.is_alive()
    [told] = [entry for entry in parent_log if isinstance(entry, ChildFailed)]
    assert told.reason.kind == "error"


def test_a_child_that_can_never_start_does_not_keep_its_parent_from_stopping(world: World):
    """S7: a stop request is honoured between the attempts."""
    spec = ChildSpec(restart=Restart.PERMANENT, max_restarts=10**6, backoff=Backoff(min_s=1, max_s=1))
    parent = world.start(Parent)
    child = spawn(parent, FailsToStart, [], [None] * 10**4, spec=spec)
    world.advance(20.0)
    assert child.incarnation >= 19

    assert parent.stop(timeout=1.0)
    assert not child.is_alive()
    assert world.dispatcher.pending_timers == 0


def test_a_second_decision_changes_nothing(world: World):
    """A restart that arrives when the actor runs already must not throw its state away."""
    log: list[Any] = []
    child = spawn(world.start(Parent), Recorder, log, spec=TRANSIENT)
    child._cell.signal(Restarted(ExitReason("error")))
    world.settle()

    assert child.incarnation == 0
    assert log == ["start"]


def test_a_successor_takes_over_ref_mailbox_and_keys(world: World):
    """X7's mechanism: when the restarts are used up, another class goes on in the same place."""
    log: list[Any] = []

    class Successor(Recorder):
        def __init__(self) -> None:
            super().__init__(log)

    parent = world.start(Parent)
    spec = ChildSpec(restart=Restart.TRANSIENT, max_restarts=0, successor=Successor)
    child = spawn(parent, Recorder, [], spec=spec)
    child.ask(lambda actor: actor.register("name"), timeout=0)
    child.tell(crash())
    child.tell("for the successor")
    world.settle()

    assert log == ["start", "for the successor"]
    assert child.actor_class is Successor
    assert world.system.find("name") == child
    child.tell(crash())
    world.settle()
    assert not child.is_alive()
    assert parent.is_alive()


def test_a_base_exception_fails_one_actor_only(system: System):
    """L8: a thousand actors raise SystemExit, and the others go on. pykka stops all."""
    survivor = system.start(Recorder)
    exiting = [system.start(Recorder) for _ in range(1000)]
    for ref in exiting:
        ref.tell(fail(SystemExit(1)))
    for ref in exiting:
        with pytest.raises(ActorDead):
            ref.ask("are you there", timeout=DEADLINE_S)

    assert survivor.ask("a", timeout=DEADLINE_S) == "a"
    assert system.actor_count == 1


def test_asking_an_actor_that_then_exits_is_answered(world: World):
    """L8, A5: the asker does not share the fate, and does not wait for ever."""
    ref = world.start(Recorder)
    asked = ref.ask(fail(SystemExit(1)), block=False)
    world.settle()

    with pytest.raises(ActorDead, match="SystemExit"):
        asked.get(timeout=0)
    assert not ref.is_alive()


def test_ctrl_c_reaches_the_person_at_the_keyboard(world: World):
    """On the main thread a handler may be interrupted by the user, who wants the test run to end, not the actor."""
    world.start(Recorder).tell(fail(KeyboardInterrupt()))

    with pytest.raises(KeyboardInterrupt):
        world.settle()


# -- stop


def test_stop_comes_behind_what_was_sent_before(world: World):
    """M3: pykka's meaning; True once, False when it was dead already."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    ref.tell("a")
    stopped = ref.stop(block=False)
    ref.tell("b")
    world.settle()

    assert stopped.get(timeout=0) is True
    assert log == ["start", "a", "stop"]
    assert world.dead() == [("b", "dead")]
    assert ref.stop() is False
    assert ref.stop(now=True) is False


def test_stop_now_comes_before_what_was_sent_before(world: World):
    """M2, M3: after at most one more message of the user, however many wait."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    for number in range(1000):
        ref.tell(number)
    world.dispatcher.step()
    stopped = ref.stop(block=False, now=True)
    world.dispatcher.step()

    assert stopped.get(timeout=0) is True
    assert log == ["start", 0, "stop"]
    assert len(world.dead()) == 999


def test_a_long_backlog_does_not_delay_stop_now():
    """M2: the stop is the next thing that is done, on threads too, and each message gets an outcome."""
    length = less(10**5, 10**6)
    system = System(name="million")
    ref = system.start(Blocker)
    asked, let_go = block(ref)
    ref._cell.mailbox.open_user().extend([Envelope("one of very many")] * length)
    stopped = ref.stop(block=False, now=True)
    let_go.set()

    assert asked.get(timeout=DEADLINE_S) == "blocked"
    assert stopped.get(timeout=10 * DEADLINE_S) is True
    assert system.dead_letters.counts == {"dead": length}
    assert system.stop()


def test_stop_is_answered_when_the_children_have_ended(world: World):
    """L6, L7: a child never outlives its parent, and on_stop runs after all children have ended."""
    log: list[Any] = []
    parent = world.start(Parent, log)
    for _ in range(3):
        spawn(parent, Recorder, log)
    world.settle()
    log.clear()

    assert parent.stop(timeout=1.0) is True
    assert log == ["stop"] * 4
    assert world.system.actor_count == 0


def test_whoever_hears_of_an_end_finds_every_descendant_gone(world: World):
    """L6: three generations; when the Down is delivered the last of them has ended."""
    alive: list[int] = []

    class Watcher(Actor):
        def on_receive(self, message: Any) -> Any:
            if isinstance(message, Down):
                alive.append(self.system.actor_count)  # type: ignore[attr-defined]
            else:
                self.watch(message)

    top = world.start(Parent)
    below = spawn(top, Parent)
    spawn(below, Recorder)
    spawn(below, Recorder)
    watcher = world.start(Watcher)
    watcher.ask(top, timeout=0)
    top.stop(timeout=1.0)
    world.settle()

    assert alive == [1]  # the watcher itself


def test_a_permanent_child_that_stops_itself_comes_back(world: World):
    """S3, L7: after on_stop, as after every exit; its stop is answered, its mailbox kept."""
    log: list[Any] = []
    child = spawn(world.start(Parent), Recorder, log, spec=PERMANENT)
    grandchild = spawn(child, Recorder, log)
    world.settle()
    log.clear()
    stopped = child.stop(block=False)
    child.tell("kept")
    world.settle()

    assert stopped.get(timeout=0) is True
    assert log == ["stop", "stop", "start", "kept"]
    assert (child.is_alive(), child.incarnation, grandchild.is_alive()) == (True, 1, False)


def test_every_stop_of_a_permanent_child_is_answered(world: World):
    """M3: also one that comes between two incarnations, and one that comes while the children end."""
    spec = ChildSpec(restart=Restart.PERMANENT, backoff=Backoff(min_s=1, max_s=1))
    parent = world.start(Parent)
    child = spawn(parent, Recorder, [], spec=spec)
    spawn(child, Recorder)
    world.settle()
    first = child.stop(block=False)
    world.dispatcher.step()
    second = child.stop(block=False, now=True)
    world.settle()
    third = child.stop(block=False, now=True)
    world.settle()

    assert [stop.get(timeout=0) for stop in (first, second, third)] == [True] * 3
    assert world.dispatcher.pending_timers == 1
    world.advance(1.0)
    assert child.incarnation == 1


def test_a_parent_ends_a_child_that_waits_for_its_restart(world: World):
    """B3, H1, L7: nothing of the pending restart is left; what waited for it hears on_stop in place of pre_restart."""
    log: list[Any] = []
    spec = ChildSpec(restart=Restart.PERMANENT, backoff=Backoff(min_s=60, max_s=60))
    parent = world.start(Parent)
    child = spawn(parent, Recorder, log, spec=spec)
    child.tell(crash())
    child.tell("kept for nobody")
    world.settle()
    assert child._cell.state is CellState.FAILED

    assert parent.stop(timeout=1.0) is True
    assert log == ["start", ("failure", "crash"), "stop"]
    assert world.dead() == [("kept for nobody", "dead")]
    assert world.dispatcher.pending_timers == 0


def test_a_stop_while_the_children_end_for_a_restart_wins(world: World):
    """The parent's stop arrives when the actor waits for its children to end before it is restarted."""
    log: list[Any] = []
    parent = world.start(Parent)
    child = spawn(parent, Recorder, log, spec=TRANSIENT)
    blocker = spawn(child, Recorder)
    world.settle()
    blocker._cell._take_out_of_rest()  # as if it were in a long turn: it cannot end yet
    child.tell(crash())
    world.settle()
    stopped = parent.stop(block=False, now=True)
    world.settle()
    assert not stopped.is_settled
    blocker._cell._rest, blocker._cell.is_resting = None, True
    blocker._cell.wake()
    world.settle()

    assert stopped.get(timeout=0) is True
    assert log == ["start", ("failure", "crash"), "stop"]


def test_a_child_that_fails_while_its_parent_is_gone_ends(world: World):
    """The decision that it waits for will never come."""
    parent = world.start(Parent)
    child = spawn(parent, Recorder, spec=PERMANENT)
    world.settle()
    parent._cell.mailbox.close()
    child.tell(crash())
    world.settle()

    assert not child.is_alive()
    assert child._cell.exit_reason.kind == "error"
    parent._cell.kill("the test has closed its mailbox")


def test_a_failing_hook_does_not_keep_an_actor_from_ending(world: World):
    """on_stop, on_failure and pre_restart are asked, not trusted."""

    class Ill(Recorder):
        def on_stop(self) -> None:
            raise OSError("no")

        on_failure = pre_restart = fail(OSError("no"))  # type: ignore[assignment]

    parent = world.start(Parent)
    child = spawn(parent, Ill, spec=TRANSIENT)
    child.tell(crash())
    world.settle()
    assert child.incarnation == 1
    assert child.stop(timeout=0.0) is True


# -- kill


def test_a_child_that_does_not_stop_in_time_is_killed(system: System):
    """H1, H4: the ref is dead, what it was asked is answered, its late return has no effect, the zombie is counted."""
    parent_log: list[Any] = []
    parent = system.start(Parent, parent_log)
    child = spawn(parent, Blocker, spec=ChildSpec(shutdown_s=0.02))
    asked, let_go = block(child)
    queued = child.ask("queued", block=False)
    assert parent.stop(timeout=DEADLINE_S) is True

    assert not child.is_alive()
    assert child._cell.exit_reason.kind == "killed"
    assert "shutdown_timeout" in child._cell.exit_reason.detail
    for future in (asked, queued):
        with pytest.raises(ActorDead):
            future.get(timeout=DEADLINE_S)
    let_go.set()


def test_a_zombie_is_counted_until_it_comes_back():
    """H4: and neither what it returns nor what it starts and sends then has an effect."""
    world_of_threads = System(name="zombies", hooks=(counters := _Counts()))
    effects: list[Any] = []
    in_handler, let_go, came_back = threading.Event(), threading.Event(), threading.Event()

    class Zombie(Recorder):
        def on_receive(self, message: Any) -> Any:
            in_handler.set()
            assert let_go.wait(DEADLINE_S)
            try:
                self.start_timer("tick", "tick", 60.0)
                self.watch(survivor)
                self.register("name")
                effects.append(self.actor_ref.is_alive())
                self.spawn(Recorder)
            except ParentStopping:
                effects.append("no children")
            finally:
                came_back.set()
            return "too late"

    survivor = world_of_threads.start(Recorder)
    ref = world_of_threads.start(Zombie)
    asked = ref.ask("go", block=False)
    assert in_handler.wait(DEADLINE_S)
    ref._cell.kill("by the test")
    with pytest.raises(ActorDead, match="killed"):
        asked.get(timeout=DEADLINE_S)
    assert counters.now("zombie_threads") == 1
    let_go.set()
    assert came_back.wait(DEADLINE_S)
    assert counters.until("zombie_threads", 0)

    assert effects == [False, "no children"]
    assert world_of_threads.find("name") is None
    assert len(world_of_threads.registry) == 0
    assert survivor._cell.watching.watchers == {}
    assert world_of_threads.dispatcher.pending_timers == 0  # type: ignore[attr-defined]
    assert world_of_threads.actor_count == 1
    assert world_of_threads.stop()


class _Counts:
    """Hooks that can be waited for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._counts: dict[str, int] = {}

    def count(self, name: str, amount: int = 1) -> None:
        with self._changed:
            self._counts[name] = self._counts.get(name, 0) + amount
            self._changed.notify_all()

    def now(self, name: str) -> int:
        return self._counts.get(name, 0)

    def until(self, name: str, number: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.now(name) == number, DEADLINE_S)


def test_a_kill_takes_the_children_along(world: World):
    """L6: a parent that cannot stop them any more must not leave them behind."""
    parent = world.start(Parent)
    child = spawn(parent, Parent)
    grandchild = spawn(child, Recorder, spec=ChildSpec(restart=Restart.PERMANENT, backoff=Backoff(min_s=9, max_s=9)))
    grandchild.tell(crash())
    world.settle()
    assert world.dispatcher.pending_timers == 1
    parent._cell.kill("by the test")

    assert [ref.is_alive() for ref in (parent, child, grandchild)] == [False] * 3
    assert world.system.actor_count == 0
    assert world.dispatcher.pending_timers == 0


def test_a_handler_of_a_hook_that_hangs_is_killed(system: System):
    """H3: an on_stop that never returns cannot block the parent beyond the child's time."""
    let_go = threading.Event()

    class Hangs(Recorder):
        def on_stop(self) -> None:
            assert let_go.wait(DEADLINE_S)

    parent = system.start(Parent)
    child = spawn(parent, Hangs, spec=ChildSpec(shutdown_s=0.02))
    assert parent.stop(timeout=DEADLINE_S) is True
    assert child._cell.exit_reason.kind == "killed"
    let_go.set()
    until(lambda: not child._cell.is_running)
    assert child._cell.exit_reason.kind == "killed"
    assert system.dead_letters.counts == {}


def test_a_killed_flow_gets_its_finally_in_a_turn(world: World):
    """H4: the coroutine is cancelled; not on the thread of whoever kills, which may be the one that holds the baton."""
    turns: list[Any] = []

    async def forever() -> None:
        try:
            await Future(world.dispatcher)
        finally:
            turns.append(here.turn)

    def begin(actor: Any) -> None:
        actor._cell.flow = Flow(actor._cell, forever(), turns.append)
        actor._cell.flow.begin()

    ref = world.start(Recorder)
    ref.ask(begin, timeout=0)
    ref._cell.kill("by the test")
    assert turns == []
    world.settle()

    assert turns == [ref._cell]


@pytest.mark.parametrize("moment", ["constructor", "on_start", "handler", "on_failure", "on_stop"])
def test_a_kill_in_the_middle_of_anything_is_the_end(world: World, moment: str):
    """H4: whatever was under way sets nothing behind the end: no state, no timer, no further hook."""
    log: list[str] = []

    class Killed(Actor):
        def __init__(self) -> None:
            super().__init__()
            self.at("constructor")

        def on_start(self) -> None:
            self.at("on_start")

        def on_receive(self, message: Any) -> Any:
            self.at("handler")
            if message == "fail":
                raise ValueError("crash")

        def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
            self.at("on_failure")

        def on_stop(self) -> None:
            self.at("on_stop")

        def at(self, name: str) -> None:
            log.append(name)
            if name == moment:
                self._cell.kill("by the test")
                self.start_timer("late", "late", 60.0)

    parent_log: list[Any] = []
    supervisor = world.start(Parent, parent_log)
    spec = ChildSpec(restart=Restart.PERMANENT, revive_killed=False)
    child = world.system.start_child(supervisor, Killed, spec=spec)
    child.tell("fail" if moment == "on_failure" else "a")
    if moment == "on_stop":
        child.stop(block=False)
    world.settle()

    assert log[-1] == moment
    assert child._cell.state is CellState.DEAD
    assert child._cell.actor is None
    assert child._cell.exit_reason.kind == "killed"
    [ended, told] = [entry for entry in parent_log if entry != "start"]
    assert ended == ("ended", child, "killed")
    assert (told.ref, told.reason.kind) == (child, "killed")
    assert world.dispatcher.pending_timers == 0
    assert supervisor.stop(timeout=0) is True


@pytest.mark.parametrize("what", ["a timer", "a repeating timer", "a kill timer", "a pending restart"])
def test_a_kill_while_a_timer_is_being_started_leaves_no_timer(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
):
    """T2, H9: the kill cancels what it finds, and just then finds nothing."""
    parent = world.start(Parent)
    child = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.PERMANENT, backoff=Backoff(min_s=60, max_s=60)))
    if what == "a repeating timer":
        parent.ask(lambda actor: actor.start_timer("a", lambda _actor: None, 1.0, interval_s=60.0), timeout=0)
    call_at = world.dispatcher.call_at

    def killed_at_the_worst_moment(due: float, call: Any) -> Any:
        monkeypatch.undo()
        timer = call_at(due, call)
        parent._cell.kill("by the test")
        return timer

    monkeypatch.setattr(world.dispatcher, "call_at", killed_at_the_worst_moment)
    if what == "a timer":
        parent.tell(lambda actor: actor.start_timer("a", "tick", 60.0))
    elif what == "a kill timer":
        parent.tell(lambda actor: actor.stop_child(child))
    elif what == "a pending restart":
        child.tell(crash())
    world.advance(1.0)

    assert not parent.is_alive()
    assert world.dispatcher.pending_timers == 0
    assert world.system.actor_count == 0


def test_a_stop_that_meets_a_kill_is_answered(world: World):
    """M5: its turn had begun when the kill took everything that was waiting for an answer."""
    ref = world.start(Recorder)
    reply: Future[bool] = Future(world.dispatcher)

    class Meets(Stop):
        def handle(self, cell: Any) -> None:
            cell.kill("by the test")
            super().handle(cell)

    ref._cell.signal(Meets(ExitReason("normal"), reply))
    world.settle()
    assert reply.get(timeout=0) is True


def test_a_signal_that_is_taken_after_the_kill_is_refused(world: World):
    """M5: its sender put it in before it saw the end, and leaves it to whoever took it."""
    ref = world.start(Recorder)
    reply: Future[bool] = Future(world.dispatcher)

    def die_with_a_straggler(actor: Any) -> None:
        actor._cell.mailbox.put_system(Stop(ExitReason("normal")))  # so that there is a lane
        actor._cell.kill("by the test")
        actor._cell.mailbox.system.append(Stop(ExitReason("normal"), reply))

    ref.tell(die_with_a_straggler)
    world.settle()
    assert reply.get(timeout=0) is False


def test_a_message_that_is_taken_while_the_kill_comes_is_not_handled(world: World):
    """A5, A6: it is out of the mailbox when that is drained, and not yet noted as being answered."""
    log: list[Any] = []
    ref = world.start(Recorder, log)

    class Meddling(list[Any]):
        def pop(self, at: Any = -1) -> Any:
            envelope = super().pop(at)
            ref._cell.kill("by the test")
            return envelope

    ref._cell.mailbox.user = Meddling()
    asked = ref.ask("a", block=False)
    world.settle()

    assert log == ["start"]
    with pytest.raises(ActorDead):
        asked.get(timeout=0)
    assert world.dead() == [("a", "dead")]


def test_who_is_watched_while_it_drops_its_watches_is_told_to_be_dead(world: World, monkeypatch: pytest.MonkeyPatch):
    """W1: the turn that ends it lets go of them just when they are made anew for somebody else."""
    log: list[Any] = []
    watcher, target = world.start(Recorder, log), world.start(Recorder)
    target.stop(timeout=0)
    slot: Any = Cell.__dict__["_watching"]

    class Dropped:
        def __get__(self, cell: Any, _owner: Any = None) -> Any:
            return slot.__get__(cell)

        def __set__(self, cell: Any, watching: Any) -> None:
            slot.__set__(cell, watching)
            if cell is target._cell and watching is not None:
                cell._untie()

    monkeypatch.setattr(Cell, "_watching", Dropped())
    watcher.tell(lambda actor: actor.watch(target))
    world.settle()

    [down] = [entry for entry in log if isinstance(entry, Down)]
    assert (down.ref, down.already_dead) == (target, True)


def test_only_one_kill_counts(world: World):
    """Whoever takes the end has it: no second Down, no second dead letter."""
    ref = world.start(Recorder)
    watcher_log: list[Any] = []
    watcher = world.start(Recorder, watcher_log)
    watcher.ask(lambda actor: actor.watch(ref), timeout=0)
    ref.tell("lost")
    for _ in range(3):
        ref._cell.kill("by the test")
    world.settle()

    assert len([entry for entry in watcher_log if isinstance(entry, Down)]) == 1
    assert world.dead() == [("lost", "dead")]
    assert world.counters.snapshot()["actors.killed"] == 1


# -- memory


def test_the_arguments_of_an_actor_that_will_not_come_back_are_let_go(world: World):
    """S15: they may hold much, and a ref is often kept for long."""

    class Heavy:
        pass

    class Takes(Actor):
        def __init__(self, heavy: Heavy) -> None:
            super().__init__()

    heavy = Heavy()
    gone = weakref.ref(heavy)
    parent = world.start(Parent)
    refs = [world.start(Takes, heavy), spawn(parent, Takes, heavy)]
    world.settle()
    del heavy
    gc.collect()

    assert gone() is None
    assert all(ref.is_alive() for ref in refs)


def test_a_class_may_hear_of_every_end_of_its_actors_when_those_do_who_watch_them(world: World):
    """W4: names are free by then. However it ends, once, and also one that never began."""
    ends: list[tuple[int, object]] = []

    class Told(Recorder):
        @staticmethod
        def when_over(cell: Any) -> None:
            assert cell.tells_of_end
            ends.append((cell.serial, world.system.find(("name", cell.serial))))

    parent = world.start(Parent)
    stopped, killed = (spawn(parent, Told) for _ in range(2))
    failed = spawn(parent, Told, spec=ChildSpec(restart=Restart.TRANSIENT, max_restarts=1))
    for ref in (stopped, killed, failed):
        assert not ref._cell.tells_of_end
        ref.tell(lambda actor: actor.register(("name", actor._cell.serial)))
    failed.tell(crash("once"))
    world.settle()
    assert ends == []
    failed.tell(crash("twice"))
    stopped.stop(block=False)
    killed.kill("for this")
    world.settle()
    parent.stop(block=False)
    late = world.system.start_child(parent, Told, spec=ChildSpec())
    world.settle()
    assert sorted(ends) == [(ref._cell.serial, None) for ref in (stopped, killed, failed, late)]
