"""Actors that are written as states."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import pytest

from relay_actors.errors import ActorDead, ConfigError, DeathPact, IllegalEvent, StashFull, StateError
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import Down
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.state_machine import EventTimeout, NamedTimeout, StateMachine, StateTimeout, Transition
from relay_actors.runtime.state_rules import in_any_state, in_state, on_enter
from tests.runtime.worlds import Parent, World, spawn

ALWAYS = ChildSpec(restart=Restart.PERMANENT, max_restarts=100, within_s=1.0)


class At(Enum):
    """The states of a door."""

    LOCKED = auto()
    CLOSED = auto()
    OPEN = auto()


@dataclass(frozen=True, slots=True)
class Key:
    """Turned in the lock."""

    fits: bool = True


@dataclass(frozen=True, slots=True)
class Push:
    """Somebody pushes."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class Do:
    """Does something in a handler, or says something of the machine."""

    what: Any


class Door(StateMachine):
    """Can be pushed when it is not locked; who pushes before waits."""

    initial_state = At.LOCKED

    def __init__(self, log: list[Any]) -> None:
        super().__init__()
        self.log_of = log

    @on_enter(At.LOCKED)
    def lock(self) -> None:
        self.log_of.append("locked")

    @on_enter(At.CLOSED)
    def close(self) -> None:
        self.log_of.append("closed")

    @on_enter(At.OPEN)
    def swing(self) -> None:
        self.log_of.append("open")

    @in_state(At.LOCKED, Key, where=lambda key: key.fits)
    def unlock(self, key: Key) -> str:
        self.go(At.CLOSED)
        return "click"

    @in_state(At.LOCKED, Push)
    def wait(self, push: Push) -> str:
        self.postpone()
        return "this is no reply"

    @in_state(At.CLOSED, Push)
    @in_state(At.OPEN, Push)
    def push(self, push: Push) -> int:
        self.log_of.append(push.number)
        self.go(At.OPEN)
        return push.number

    @in_any_state(Do)
    def do(self, do: Do) -> Any:
        return do.what(self)

    @in_any_state(StateTimeout, EventTimeout, NamedTimeout)
    def time_is_over(self, event: object) -> None:
        self.log_of.append((type(event).__name__, self.system.clock.now()))


def door(world: World, cls: type[StateMachine] = Door) -> tuple[Any, list[Any]]:
    log: list[Any] = []
    return world.start(cls, log), log


def do(ref: Any, what: Any) -> Any:
    return ref.ask(Do(what), timeout=0)


def state(ref: Any) -> Any:
    return do(ref, lambda machine: machine.current_state)


# -- states ------------------------------------------------------------------------------------------------------------


def test_a_machine_begins_in_its_first_state_and_goes_where_its_handlers_say(world: World):
    """P5: each is entered once; what a handler returns is the reply."""
    ref, log = door(world)
    assert (log, state(ref)) == (["locked"], At.LOCKED)
    assert ref.ask(Key(), timeout=0) == "click"
    assert ref.ask(Push(1), timeout=0) == 1
    assert (log, state(ref)) == (["locked", "closed", 1, "open"], At.OPEN)


def test_a_handler_sees_its_own_state_to_its_end(world: World):
    """It goes after the handler that says it; the last one counts."""
    ref, log = door(world)

    def go_twice(machine: Any) -> Any:
        machine.go(At.OPEN)
        machine.go(At.CLOSED)
        return machine.current_state

    assert do(ref, go_twice) is At.LOCKED
    assert (state(ref), log) == (At.CLOSED, ["locked", "closed"])


def test_a_handler_that_raises_goes_nowhere(world: World):
    """Nor does what it wanted of the time-out happen later."""
    ref, log = door(world)

    def go_and_raise(machine: Any) -> None:
        machine.go(At.OPEN)
        machine.set_state_timeout(1.0)
        raise ValueError("no further")

    with pytest.raises(ValueError, match="no further"):
        do(ref, go_and_raise)
    world.advance(2.0)
    assert (state(ref), log) == (At.LOCKED, ["locked"])


def test_to_go_where_it_is_changes_nothing(world: World):
    """P3, P5: nothing is entered, nothing retried, no time-out ended; that is what `repeat_state` is for, in part."""
    ref, log = door(world)
    ref.tell(Push(1))
    do(ref, lambda machine: machine.set_state_timeout(5.0))
    do(ref, lambda machine: machine.go(At.LOCKED))
    assert (log, do(ref, lambda machine: machine.transitions)) == (["locked"], ())
    do(ref, lambda machine: machine.repeat_state())
    world.advance(5.0)
    assert log == ["locked", "locked", ("StateTimeout", 5.0)]
    assert do(ref, lambda machine: machine.stash_size) == 1


def test_a_state_that_is_entered_can_change_neither_state_nor_queue(world: World):
    """P5: it would be a state in which nothing was ever handled."""
    tried: list[str] = []

    class Hasty(Door):
        def close(self) -> None:
            for what in (lambda: self.go(At.OPEN), self.repeat_state, self.postpone, self.stash):
                with pytest.raises(StateError, match="entering closed"):
                    what()
                tried.append("refused")
            super().close()

    ref, log = door(world, Hasty)
    ref.ask(Key(), timeout=0)
    assert (state(ref), log, len(tried)) == (At.CLOSED, ["locked", "closed"], 4)


def test_what_is_no_state_is_refused_at_its_line(world: World):
    """With the names of those that there are."""
    ref, _log = door(world)
    with pytest.raises(StateError, match=r"no state 'open'.*At.OPEN"):
        do(ref, lambda machine: machine.go("open"))
    with pytest.raises(ConfigError, match="initial_state"):
        world.start(type("Nowhere", (StateMachine,), {}))
    with pytest.raises(TypeError, match="no state 'b'"):
        type("Wrong", (StateMachine,), {"initial_state": "a", "moves": {"a": ["b"]}})
    for wrong in ({"states": "done"}, {"moves": {"a": "a"}}):
        with pytest.raises(TypeError, match="collections"):
            type("Wrong", (StateMachine,), {"initial_state": "a", **wrong})


def test_moves_are_kept_to_and_drawn(world: World):
    """A table is a promise to who reads it."""

    class Guarded(Door):
        moves = {At.LOCKED: [At.CLOSED], At.CLOSED: [At.LOCKED, At.OPEN], At.OPEN: [At.CLOSED]}  # noqa: RUF012

    ref, log = door(world, Guarded)
    with pytest.raises(StateError, match="from locked to open"):
        do(ref, lambda machine: machine.go(At.OPEN))
    ref.ask(Key(), timeout=0)
    assert log == ["locked", "closed"]
    assert "s1 --> s2" in Guarded.diagram()
    with pytest.raises(ConfigError, match="moves"):
        Door.diagram()


def test_on_start_may_say_where_to_begin(world: World):
    """P5: only that state is entered."""

    class Ajar(Door):
        def on_start(self) -> None:
            self.go(At.OPEN)

    ref, log = door(world, Ajar)
    assert (state(ref), log) == (At.OPEN, ["open"])


def test_outside_of_handlers_it_goes_at_once(world: World):
    """A method that is called through a proxy, for example."""

    class Remote(Door):
        def force(self) -> Any:
            self.go(At.OPEN)
            self.repeat_state()
            self.go(At.OPEN)
            return self.current_state

    ref, log = door(world, Remote)
    assert ref.proxy().force().get(timeout=0) is At.OPEN
    assert log == ["locked", "open", "open"]


def test_the_last_changes_can_be_looked_at(world: World):
    """Bounded, and without what was said: only the class of the event."""
    ref, _log = door(world)
    world.advance(3.0)
    ref.ask(Key(), timeout=0)
    ref.ask(Push(), timeout=0)
    assert do(ref, lambda machine: machine.transitions) == (
        Transition(3.0, At.LOCKED, At.CLOSED, "Key"),
        Transition(3.0, At.CLOSED, At.OPEN, "Push"),
    )
    assert do(ref, lambda machine: machine.previous_state) is At.CLOSED
    for _ in range(20):
        do(ref, lambda machine: machine.go(At.CLOSED))
        do(ref, lambda machine: machine.go(At.OPEN))
    assert len(do(ref, lambda machine: machine.transitions)) == 32


# -- postponed events --------------------------------------------------------------------------------------------------


def test_postponed_events_come_when_the_state_changes_before_new_ones(world: World):
    """P3: oldest first; who has asked gets the reply then."""
    ref, log = door(world)
    ref.tell(Push(1))
    reply = ref.ask(Push(2), block=False)
    world.settle()
    assert not reply.is_settled
    for event in (Key(), Push(3)):
        ref.tell(event)
    world.settle()
    assert log == ["locked", "closed", 1, "open", 2, 3]
    assert reply.get(timeout=0) == 2


def test_an_event_that_postpones_and_changes_the_state_is_handled_in_the_new_one(world: World):
    """P3: as gen_statem does."""

    class Kicked(Door):
        @in_state(At.LOCKED, Push)
        def wait(self, push: Push) -> str:
            self.postpone()
            self.go(At.CLOSED)
            return ""

    ref, log = door(world, Kicked)
    assert ref.ask(Push(5), timeout=0) == 5
    assert log == ["locked", "closed", 5, "open"]


def test_postponed_events_are_bounded_and_end_with_the_machine(world: World):
    """P3, P1: a place for as many as it says; then they are dead letters."""

    class Narrow(Door):
        stash_capacity = 1

    ref, _log = door(world, Narrow)
    reply = ref.ask(Push(1), block=False)
    with pytest.raises(StashFull):
        ref.ask(Push(2), timeout=0)
    ref.stop(timeout=0)
    assert world.dead() == [(Push(1), "stash")]
    with pytest.raises(ActorDead):
        reply.get(timeout=0)


# -- time-outs ---------------------------------------------------------------------------------------------------------


def test_the_time_out_of_a_state_is_ended_by_a_change_and_by_no_event(world: World):
    """P4: it is about how long the machine is where it is."""
    ref, log = door(world)
    do(ref, lambda machine: machine.set_state_timeout(5.0))
    world.advance(4.0)
    ref.tell(Key(fits=False))
    world.advance(1.0)
    assert log == ["locked", ("StateTimeout", 5.0)]
    do(ref, lambda machine: machine.set_state_timeout(5.0))
    ref.ask(Key(), timeout=0)
    world.advance(10.0)
    assert log[2:] == ["closed"]
    assert world.dispatcher.pending_timers == 0


def test_a_handler_that_goes_starts_the_time_out_of_the_state_to_which_it_goes(world: World):
    """P4: in whichever order it says so; and what the entered state says counts more."""
    ref, log = door(world)

    def set_and_go(machine: Any) -> None:
        machine.set_state_timeout(2.0)
        machine.go(At.CLOSED)

    do(ref, set_and_go)
    world.advance(2.0)
    assert log == ["locked", "closed", ("StateTimeout", 2.0)]

    class Own(Door):
        def close(self) -> None:
            self.set_state_timeout(7.0)

    ref, log = door(world, Own)
    do(ref, set_and_go)
    world.advance(10.0)
    assert log == ["locked", ("StateTimeout", 9.0)]


def test_the_time_out_of_events_is_ended_by_any_event(world: World):
    """P4: also by an illegal one, and by a time-out of another kind."""
    ref, log = door(world)
    do(ref, lambda machine: machine.set_event_timeout(5.0))
    world.advance(5.0)
    assert log == ["locked", ("EventTimeout", 5.0)]
    for end in (lambda: ref.tell(Key(fits=False)), lambda: do(ref, lambda machine: machine.set_state_timeout(0.0))):
        do(ref, lambda machine: machine.set_event_timeout(5.0))
        end()
        world.advance(10.0)
    assert [entry for entry in log if entry[0] == "EventTimeout"] == [("EventTimeout", 5.0)]


def test_a_named_time_out_is_ended_by_nobody(world: World):
    """P4: neither by a change nor by an event; there may be several, each of which can be replaced and taken back."""
    ref, log = door(world)
    for name, seconds in (("a", 3.0), ("b", 4.0), ("c", 5.0), ("b", 6.0)):
        do(ref, lambda machine, name=name, seconds=seconds: machine.set_named_timeout(name, seconds))
    ref.ask(Key(), timeout=0)
    do(ref, lambda machine: machine.set_named_timeout("c", None))
    world.advance(10.0)
    assert log == ["locked", "closed", ("NamedTimeout", 3.0), ("NamedTimeout", 6.0)]


def test_a_time_out_may_bring_an_event_of_ones_own(world: World):
    """P4: any message; in the place of the usual one."""
    ref, log = door(world)
    do(ref, lambda machine: machine.set_state_timeout(1.0, Key()))
    do(ref, lambda machine: machine.set_named_timeout("push", 2.0, Push(9)))
    world.advance(2.0)
    assert log == ["locked", "closed", 9, "open"]
    for wrong in (-1.0, "1", True, float("nan")):
        for name in ("set_state_timeout", "set_event_timeout"):
            with pytest.raises(ConfigError, match=name):
                do(ref, lambda machine, name=name, wrong=wrong: getattr(machine, name)(wrong))


# -- illegal events ----------------------------------------------------------------------------------------------------


def test_an_event_that_the_state_does_not_allow_is_counted(world: World, caplog: pytest.LogCaptureFixture):
    """P6: and the machine goes on; the log has it once."""
    ref, _log = door(world)
    for _ in range(3):
        ref.tell(Key(fits=False))
    ref.tell("nonsense")
    world.settle()
    assert do(ref, lambda machine: machine.illegal_events) == {("locked", "Key"): 3, ("locked", "str"): 1}
    assert world.counters.snapshot()["machines.illegal_events"] == 4
    assert len([record for record in caplog.records if "illegal event" in record.message]) == 2


def test_a_strict_machine_raises(world: World):
    """P6: to who has asked; who only tells fails it."""

    class Strict(Door):
        strict = True

    ref, _log = door(world, Strict)
    with pytest.raises(IllegalEvent, match="no Key in the state locked"):
        ref.ask(Key(fits=False), timeout=0)
    assert state(ref) is At.LOCKED
    ref.tell("nonsense")
    world.settle()
    assert not ref.is_alive()


def test_a_handler_for_all_events_may_say_that_one_is_illegal(world: World):
    """P6: for those who write a state as one `match`."""

    class OneState(StateMachine):
        initial_state = "only"

        @in_state("only")
        def everything(self, event: object) -> Any:
            match event:
                case Do(what):
                    return what(self)
                case _:
                    return self.illegal_event()

        def outside(self) -> None:
            self.illegal_event()

    ref = world.start(OneState)
    assert ref.ask(Push(), timeout=0) is None
    assert do(ref, lambda machine: machine.illegal_events) == {("only", "Push"): 1}
    with pytest.raises(StateError, match="none is"):
        ref.proxy().outside().get(timeout=0)


@pytest.mark.parametrize("has_rule", [False, True])
def test_a_machine_fails_by_the_end_of_a_death_pact_that_no_state_takes(world: World, has_rule: bool):
    """W6: a Down for which there is no rule is not handled; one for which there is one is."""

    class Bound(Door):
        pass

    class Minds(Door):
        @in_any_state(Down)
        def mind(self, down: Down) -> None:
            self.log_of.append(down.reason.kind)

    other = world.start(Parent)
    log: list[Any] = []
    ref = world.start(Minds if has_rule else Bound, log)
    do(ref, lambda machine: machine.watch(other, death_pact=True))
    other.stop(block=False)
    world.settle()

    assert ref.is_alive() is has_rule
    assert log[-1] == ("normal" if has_rule else "locked")
    assert has_rule or isinstance(ref._cell.exit_reason.cause, DeathPact)


# -- restarts ----------------------------------------------------------------------------------------------------------


class Keeping(Door):
    """Knows over a crash where it was."""

    keeps_state = True


def raise_in(machine: Any) -> None:
    raise ValueError


@pytest.mark.parametrize(
    ("cls", "after", "moves"),
    [(Door, ["locked", "closed", "locked"], ["Key", "restart"]), (Keeping, ["locked", "closed", "closed"], ["Key"])],
    ids=["anew", "kept"],
)
def test_a_restart_enters_the_first_state_or_the_kept_one(
    world: World, cls: type[Door], after: list[str], moves: list[str]
):
    """S10: a new incarnation is like the first; P5: what is kept is entered again, so that it can ask again."""
    log: list[Any] = []
    ref = spawn(world.start(Parent), cls, log, spec=ALWAYS)
    for event in (Key(), Do(lambda machine: machine.set_state_timeout(1.0)), Do(raise_in)):
        ref.tell(event)
    world.advance(5.0)
    assert (ref.incarnation, log) == (1, after)
    assert [move.event for move in do(ref, lambda machine: machine.transitions)] == moves


def test_postponed_events_survive_a_restart(world: World):
    """P1, P3: they are tried in the state in which it begins."""
    log: list[Any] = []
    ref = spawn(world.start(Parent), Door, log, spec=ALWAYS)
    for event in (Push(1), Do(raise_in), Push(2), Key()):
        ref.tell(event)
    world.settle()
    assert log == ["locked", "locked", "closed", 1, "open", 2]


def test_a_mistyped_first_state_is_an_error_at_its_line():
    """Where no rule, no move and no list of states knows it: nothing would ever lead out of it."""
    with pytest.raises(TypeError, match=r"initial_state: there is no state 'clsoed'"):

        class Mistyped(StateMachine):
            initial_state = "clsoed"

            @in_state("closed", str)
            def on_word(self, word: str) -> None:
                """Never."""


# -- in another process ------------------------------------------------------------------------------------------------


def test_a_machine_can_go_on_where_another_one_was(world: World):
    """J4: in its state, which is not entered again, and with its time-outs, which a restart ends."""
    former, _log = door(world)
    former.tell(Key())
    do(former, lambda machine: (machine.set_state_timeout(5.0), machine.set_named_timeout(("a", 1), 9.0)))
    progress, timers = do(former, lambda machine: (machine.progress_to_keep(), machine.kept_timers()))
    former.stop()

    ref, log = door(world)

    def go_on(machine: Any) -> None:
        machine.take_kept_progress(progress)
        for timer in timers:
            machine._cell.timers.resume(timer.key, timer.message, timer.due_wall, None, durable=False)
        machine._cell.timers.go_on()

    do(ref, go_on)
    assert state(ref) == At.CLOSED
    assert do(ref, lambda machine: machine.previous_state) == At.LOCKED
    world.advance(7.0)
    assert log == ["locked", ("StateTimeout", 5.0)]
    assert do(ref, lambda machine: [timer.message for timer in machine.kept_timers()]) == [NamedTimeout(("a", 1))]


def test_a_machine_does_not_go_on_in_a_state_that_is_not_there_any_more(world: World):
    ref, _log = door(world)
    with pytest.raises(StateError, match="was in it, and now there is no state 'ajar'"):
        do(ref, lambda machine: machine.take_kept_progress({"state": "ajar", "previous": None}))
    assert state(ref) == At.LOCKED
