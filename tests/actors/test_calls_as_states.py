"""Calls that are written as states: events of the wire, postponed and timed out, over crashes."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import pytest

from relay_actors import ActionCompleted, CallActor, StateMachine, StateTimeout, in_any_state, in_state, on_enter
from relay_actors.errors import ActorDead
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent, RelayEvent
from tests.actors.world import World, over_seeds


class Step(Enum):
    """Where a caller is."""

    OFFERED = auto()
    ASKED = auto()
    TOLD = auto()


class Ivr(StateMachine, CallActor):
    """Asks for a key, and tells what was pressed; who crashes it is asked again."""

    initial_state = Step.OFFERED
    keeps_state = True

    def note(self, what: Any) -> None:
        self.data.setdefault("noted", []).append(what)

    @in_state(Step.OFFERED, CallReceiveEvent)
    def pick_up(self, event: CallReceiveEvent) -> None:
        self.answer()

    @in_state(Step.OFFERED, CallStateEvent, where=lambda event: event.call_state == "answered")
    def answered(self, event: CallStateEvent) -> None:
        self.go(Step.ASKED)

    @on_enter(Step.ASKED)
    def ask(self) -> None:
        self.note("asked")
        self.prompt_tts("A key?", {"digits": {"max": 1}, "initial_timeout": 60.0})
        self.set_state_timeout(20.0)

    @in_state(Step.ASKED, CollectEvent, where=lambda event: event.digits != "")
    def key(self, event: CollectEvent) -> None:
        if event.digits == "*":
            raise ValueError("no such key")
        self.note(event.digits)
        self.go(Step.TOLD)

    @in_state(Step.ASKED, StateTimeout)
    def silence(self, event: StateTimeout) -> None:
        self.note("silence")
        self.hangup()

    @in_state(Step.ASKED, str)
    def too_early(self, word: str) -> str:
        self.postpone()
        return "this is no reply"

    @in_state(Step.TOLD, str)
    def answer_it(self, word: str) -> str:
        return word.upper()


def noted(handle: Any) -> list[Any]:
    found: list[Any] = handle.data.get("noted", [])
    return found


@over_seeds(10)
def test_the_events_of_a_call_are_those_of_its_machine(world: World):
    """P3, P5: and who asks too early is answered when it is time."""
    line, handle = world.inbound(Ivr)
    world.until(lambda: noted(handle) == ["asked"])
    reply = handle.ref.ask("hello", block=False)
    world.run(1.0)
    assert not reply.is_settled
    line.presses("5")
    world.until(lambda: reply.is_settled)
    assert (noted(handle), reply.get(timeout=0)) == (["asked", "5"], "HELLO")
    assert world.actor(handle).state == "answered"  # that of the call
    assert world.actor(handle).current_state is Step.TOLD
    assert world.actor(handle).illegal_events == {}
    line.hangs_up()


def test_a_caller_who_says_nothing_is_noticed(world: World):
    """P4: by the time-out of the state; what the server tells of the prompt does not end it."""
    _line, handle = world.inbound(Ivr)
    world.until(lambda: noted(handle) == ["asked"])
    world.run(19.0)
    assert noted(handle) == ["asked"]
    world.run(2.0)
    assert noted(handle) == ["asked", "silence"]


def test_a_crash_asks_the_caller_again(world: World):
    """P5, P1: the state is kept and entered again, and who has asked too early still waits."""
    line, handle = world.inbound(Ivr)
    world.until(lambda: noted(handle) == ["asked"])
    reply = handle.ref.ask("hello", block=False)
    world.settle()
    line.presses("*")
    world.until(lambda: noted(handle) == ["asked", "asked"])
    assert handle.ref.incarnation == 1
    world.run(2.0)
    assert not reply.is_settled
    line.presses("7")
    world.until(lambda: reply.is_settled)
    assert (noted(handle), reply.get(timeout=0)) == (["asked", "asked", "7"], "HELLO")
    line.hangs_up()


def test_the_end_of_a_call_is_the_end_of_what_was_postponed(world: World):
    """P1: who has asked is told."""
    line, handle = world.inbound(Ivr)
    world.until(lambda: noted(handle) == ["asked"])
    reply = handle.ref.ask("hello", block=False)
    line.hangs_up()
    world.run(10.0)
    with pytest.raises(ActorDead):
        reply.get(timeout=0)


def test_what_is_no_event_of_the_server_is_illegal_where_no_rule_takes_it(world: World):
    """P6: the server's are told to every call, wanted or not."""
    line, handle = world.inbound(Ivr)
    world.until(lambda: noted(handle) == ["asked"])
    handle.ref.tell(5)
    world.settle()
    assert world.actor(handle).illegal_events == {("asked", "int"): 1}
    line.hangs_up()


class Late(StateMachine, CallActor):
    """Postpones everything that the server tells until somebody says so."""

    initial_state = "deaf"
    states = ("hears",)

    @in_state("deaf", RelayEvent, ActionCompleted)
    def not_now(self, event: object) -> None:
        self.postpone()

    @in_state("hears", RelayEvent, ActionCompleted)
    def now(self, event: object) -> None:
        self.data.setdefault("heard", []).append(event)

    @in_any_state(str)
    def listen(self, word: str) -> None:
        self.go("hears")


@over_seeds(10)
def test_events_that_are_postponed_are_not_done_twice(world: World):
    """P3: the framework has done its own part; the machine gets each once, in its order."""
    line, handle = world.inbound(Late)
    handle.answer()
    world.settle()
    handle.play_silence(1)
    world.run(3.0)
    line.hangs_up()
    world.settle()
    assert "heard" not in handle.data
    handle.ref.tell("listen")
    world.settle()
    heard = [(type(event), getattr(event, "call_state", getattr(event, "state", ""))) for event in handle.data["heard"]]
    assert heard == [
        (CallReceiveEvent, "created"),
        (CallStateEvent, "answered"),
        (PlayEvent, "playing"),
        (PlayEvent, "finished"),
        (ActionCompleted, ""),
        (CallStateEvent, "ending"),
        (CallStateEvent, "ended"),
    ]


class Silent(CallActor):
    """A call in the style of messages that uses timers and the stash."""

    stash_capacity = 10

    def on_start(self) -> None:
        self.set_receive_timeout(30.0, "nobody")

    def on_receive(self, message: object) -> Any:
        match message:
            case CallStateEvent(call_state="answered"):
                self.data["answered"] = True
                self.unstash_all()
            case "nobody":
                self.data["nobody"] = True
                self.hangup()
            case str() if not self.data.get("answered"):
                self.stash()
            case str():
                return message.upper()
        return None


def test_a_call_of_messages_can_put_aside_and_notice_silence(world: World):
    """P1, T5: the events of its call are somebody who speaks."""
    _line, handle = world.inbound(Silent)
    world.settle()
    reply = handle.ref.ask("hello", block=False)
    world.run(2.0)
    assert not reply.is_settled
    handle.answer()
    world.until(lambda: reply.is_settled)
    assert reply.get(timeout=0) == "HELLO"
    world.run(29.0)
    assert "nobody" not in handle.data
    world.run(3.0)
    assert handle.data["nobody"]
