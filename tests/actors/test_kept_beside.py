"""States, time-outs and messages that were put aside, over the end of the process (SEMANTICS J4, X8, P1, P3, P4)."""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import Any

import pytest

from relay_actors import (
    CallActor,
    EventTimeout,
    NamedTimeout,
    ReceiveTimeout,
    StateMachine,
    StateTimeout,
    in_any_state,
    in_state,
    on_enter,
)
from relay_actors.events import CallReceiveEvent, CallStateEvent
from tests.actors.mortal_world import MortalWorld, ToldCall
from tests.actors.world import CONTEXT
from tests.support.thorough import some_of


class Step(Enum):
    """Where a call is."""

    OFFERED = auto()
    UP = auto()
    LATER = auto()


class Machine(StateMachine, CallActor):
    """Says what it has entered and heard, and does what it is told."""

    initial_state = Step.OFFERED
    keeps_state = True

    def note(self, what: Any) -> None:
        self.data.setdefault("noted", []).append(what)

    @in_state(Step.OFFERED, CallReceiveEvent)
    def pick_up(self, _event: CallReceiveEvent) -> None:
        self.answer()

    @in_state(Step.OFFERED, CallStateEvent, where=lambda event: event.call_state == "answered")
    def answered(self, _event: CallStateEvent) -> None:
        self.go(Step.UP)

    @on_enter(Step.UP)
    def enter(self) -> None:
        self.note("up")

    @in_state(Step.UP, int)
    def too_early(self, _number: int) -> None:
        self.postpone()

    @in_state(Step.LATER, int)
    def number(self, number: int) -> None:
        self.note(number)

    @in_any_state(StateTimeout, EventTimeout, NamedTimeout)
    def is_over(self, event: object) -> None:
        self.note(event)

    @in_any_state(str)
    def do(self, word: str) -> None:
        match word:
            case "go on":
                self.go(Step.LATER)
            case "crash":
                raise ValueError("this is a test")
            case "time-outs":
                self.set_state_timeout(20.0)
                self.set_event_timeout(20.0)
                self.set_named_timeout(("a", "b"), 20.0)
            case "take it back":
                self.set_named_timeout(("a", "b"), None)


class Forgetful(Machine):
    """Begins anew when it has crashed."""

    keeps_state = False


class Tossed(Machine):
    """Is in a state that no journal can hold."""

    UNKEPT = object()
    states = (UNKEPT,)

    @on_enter(Step.UP)
    def enter(self) -> None:
        self.set_state_timeout(0.0)

    @in_any_state(StateTimeout)
    def is_over(self, event: object) -> None:
        self.go(self.UNKEPT)


class Stashing(CallActor):
    """Puts aside what comes too early."""

    stash_capacity = 3
    is_open = False

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case "open":
                self.is_open = True
                self.unstash_all()
            case "crash":
                raise ValueError("this is a test")
            case int() | {} if not self.is_open:
                self.stash()
            case int():
                self.data.setdefault("noted", []).append(message)


@pytest.mark.parametrize("actor_class", [Machine, Forgetful])
def test_a_machine_is_where_it_was_and_enters_nothing_anew(actor_class: type[CallActor]) -> None:
    """J4: it has not failed, so nobody hears a question twice."""
    with MortalWorld() as world:
        call = ToldCall(world, actor_class)
        call.is_told("go on")
        world.dies_after(1.0, 2.0)
        call.is_told(7)
        assert call.noted == ["up", 7]


def test_what_was_postponed_is_handled_in_the_next_process_when_it_is_time() -> None:
    """P3, J4."""
    with MortalWorld() as world:
        call = ToldCall(world, Machine)
        call.is_told(1, 2)
        world.dies_after(1.0, 2.0)
        call.is_told(3, "go on")
        assert call.noted == ["up", 1, 2, 3]
        world.dies_after(1.0)
        assert call.noted == ["up", 1, 2, 3]


def test_time_outs_come_when_they_were_to_and_once() -> None:
    """P4, T7: also those that were due while nobody was there."""
    with MortalWorld() as world:
        call = ToldCall(world, Machine)
        call.is_told("time-outs")
        world.dies_after(1.0, 2.0, then_s=10.0)
        assert call.noted == ["up"]
        world.dies()
        world.lives_again(after_s=15.0)
        world.run(5.0)
        assert call.noted == ["up", EventTimeout(), NamedTimeout(("a", "b")), StateTimeout(Step.UP)]
        world.dies_after(1.0, then_s=60.0)
        assert len(call.noted) == 4


def test_a_time_out_that_was_taken_back_in_the_next_process_does_not_come() -> None:
    with MortalWorld() as world:
        call = ToldCall(world, Machine)
        call.is_told("time-outs")
        world.dies_after(1.0, then_s=2.0)
        call.is_told("take it back")
        world.dies_after(1.0, then_s=60.0)
        assert call.noted == ["up", StateTimeout(Step.UP)]


@pytest.mark.parametrize(("actor_class", "entered"), [(Machine, ["up", "up"]), (Forgetful, ["up"])])
def test_a_crash_after_the_end_of_a_process_is_like_any_other(actor_class: type[CallActor], entered: list[str]) -> None:
    """X8: the state is entered again, or it begins anew; and its time-outs are over."""
    with MortalWorld() as world:
        call = ToldCall(world, actor_class)
        call.is_told("time-outs")
        world.dies_after(1.0, then_s=2.0)
        call.is_told("crash")
        world.run(1.0)
        assert call.noted == entered
        world.dies_after(1.0, then_s=60.0)
        assert call.noted == entered
        call.is_told("go on", 5)
        assert call.noted == [*entered, 5]


def test_a_state_that_the_journal_cannot_hold_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    with MortalWorld() as world, caplog.at_level(logging.WARNING, "relay_actors.calls"):
        ToldCall(world, Tossed)
    assert "the state of Tossed is not in the journal" in caplog.text


def test_a_machine_whose_state_is_gone_from_the_program_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """J4: as a flow does, whose code has changed."""
    with MortalWorld() as world:
        call = ToldCall(world, Machine)
        call.is_told("go on")
        world.run(1.0)
        world.dies()
        known = Machine._table.known
        monkeypatch.setattr(Machine._table, "known", tuple(state for state in known if state is not Step.LATER))
        world.lives_again()
        world.run(5.0)
        assert "LATER" in str(call.actor.ref.kept.leg.flow_changed)


def test_what_a_handler_has_put_aside_is_there_in_the_next_process() -> None:
    """P1, J4."""
    with MortalWorld() as world:
        call = ToldCall(world, Stashing)
        call.is_told(1, 2)
        world.dies_after(1.0, 2.0)
        call.is_told(3, "open")
        assert call.noted == [1, 2, 3]
        world.dies_after(1.0)
        call.is_told("open")
        assert call.noted == [1, 2, 3]


def test_what_was_put_aside_is_there_also_if_there_was_a_crash_before_the_end_of_the_process() -> None:
    """P1: a restart brings it back, and it is put aside anew."""
    with MortalWorld() as world:
        call = ToldCall(world, Stashing)
        call.is_told(1, "crash", 2)
        world.dies_after(1.0, 2.0)
        call.is_told("open")
        assert call.noted == [1, 2]


def test_a_message_that_the_journal_cannot_hold_is_told_of_when_it_is_put_aside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with MortalWorld() as world, caplog.at_level(logging.WARNING, "relay_actors.calls"):
        call = ToldCall(world, Stashing)
        call.is_told({"what": object()}, 5)
        world.dies_after(1.0)
        call.is_told("open")
        assert call.noted == [5]
    assert "a dict that was put aside of Stashing is not in the journal" in caplog.text


class Ticking(CallActor):
    """Starts timers of all kinds, and notes what they bring."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case "start":
                self.start_timer("once", 1, 10.0)
                self.start_timer(("again", 2), 2, 8.0, interval_s=20.0)
                self.start_timer("kept", 3, 10.0, durable=True)
            case "stop":
                self.cancel_timer(("again", 2))
            case "silence":
                self.set_receive_timeout(15.0)
            case "speak":
                self.set_receive_timeout(None)
            case "crash":
                raise ValueError("this is a test")
            case int() | ReceiveTimeout():
                self.data.setdefault("noted", []).append(message)


def test_a_timer_of_a_handler_is_due_in_the_next_process_whether_or_not_it_is_durable() -> None:
    """T7, J4: that the process has ended is no restart. One that repeats goes on until it is cancelled."""
    with MortalWorld() as world:
        call = ToldCall(world, Ticking)
        call.is_told("start")
        world.dies_after(1.0, 2.0, then_s=30.0)
        assert call.noted == [2, 1, 3, 2]
        call.is_told("stop")
        world.dies_after(1.0, then_s=60.0)
        assert call.noted == [2, 1, 3, 2]


def test_after_a_crash_only_what_is_durable_is_due_in_the_next_process() -> None:
    """T2, T7."""
    with MortalWorld() as world:
        call = ToldCall(world, Ticking)
        call.is_told("start", "silence", "crash")
        world.dies_after(1.0, 2.0, then_s=60.0)
        assert call.noted == [3]


def test_silence_is_watched_for_in_the_next_process_and_begins_anew() -> None:
    """T5, J4."""
    with MortalWorld() as world:
        call = ToldCall(world, Ticking)
        call.is_told("silence")
        world.dies_after(10.0, then_s=10.0)
        assert call.noted == []
        world.run(10.0)
        assert call.noted == [ReceiveTimeout()]
        call.is_told("speak")
        world.dies_after(1.0, then_s=60.0)
        assert call.noted == [ReceiveTimeout()]


class Kiosk(CallActor):
    """Is told three things too early, each of which it says when it has opened."""

    stash_capacity = 5

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                for place, thing in enumerate(["milk", "bread", "eggs"]):
                    self.start_timer(thing, thing, 1.0 + place / 10, durable=True)
                self.start_timer("open", "open", 2.0, durable=True)
                self.start_timer("close", "close", 20.0, durable=True)
            case "milk" | "bread" | "eggs" if "is_open" not in self.data:
                self.stash()
            case "milk" | "bread" | "eggs":
                self.play_tts(str(message))
            case "open":
                self.data["is_open"] = True
                self.opens()
            case "close":
                self.hangup()

    def opens(self) -> None:
        self.unstash_all()


class CrashingKiosk(Kiosk):
    """What it was told is brought back by a restart."""

    def opens(self) -> None:
        raise ValueError("this is a test")


def sells(world: MortalWorld, actor_class: type[CallActor], dies_at: int | None = None) -> list[str]:
    """Let somebody call the kiosk, with a death at a place of it; return what is heard."""
    world.takes_calls(actor_class)
    phone = world.sim.phone("+15550001111")
    phone.dials(context=CONTEXT)
    begun_at = world.places
    if dies_at is not None:
        world.dies_at = begun_at + dies_at
    world.live(60.0)
    world.places -= begun_at
    assert phone.line.is_over
    return [str(sound) for sound in phone.line.heard]


@pytest.mark.parametrize("actor_class", [Kiosk, CrashingKiosk])
def test_what_was_put_aside_is_handled_once_wherever_the_process_dies(actor_class: type[CallActor]) -> None:
    """P1, P2, J4: also between what is brought back together."""
    with MortalWorld() as world:
        assert sells(world, actor_class) == ["milk", "bread", "eggs"]
        count = world.places
    assert count > 20
    for place in some_of(range(1, count + 1), 12):
        with MortalWorld() as world:
            assert sells(world, actor_class, place) == ["milk", "bread", "eggs"], f"{place} of {count}"
