"""One message comes of what a handler pipes to itself, also if the process ends meanwhile (SEMANTICS A12, J4)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import pytest

from relay_actors import Actor, CallActor, Limits, PipeFailed
from relay_actors.errors import ConfigError
from relay_actors.events import CallReceiveEvent, CallStateEvent
from relay_actors.runtime.future import Future
from tests.actors.mortal_world import MortalWorld, ToldCall
from tests.actors.world import CALLER, CONTEXT, World
from tests.support.thorough import some_of


class Service(Actor):
    """Answers a question when it is told to; most are asked of one that ends with the process."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[Any] = []

    def on_receive(self, message: object) -> Any:
        if message == "answer":
            for token in self.tokens:
                self.reply_to(token, "the answer")
            self.tokens.clear()
        else:
            self.tokens.append(self.reply_later())


@dataclass(frozen=True)
class Refused:
    """What an error is made to."""

    error: BaseException


class Asks(CallActor):
    """Asks a service, and notes what comes of it."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case ("ask" | "ask with a name" | "ask with a lambda" | "ask over restarts") as how:
                service = self.app.lookup("service")
                assert service is not None
                err: Any = {"ask with a name": Refused, "ask with a lambda": lambda error: Refused(error)}.get(how)
                asked = service.ask("a question", block=False, timeout=200.0)
                self.pipe_to_self(asked, err=err, survive_restart=how == "ask over restarts")
            case "crash":
                raise ValueError("this is a test")
            case PipeFailed(error=error) | Refused(error=error):
                self._note(f"{type(message).__name__} {type(error).__name__}")
            case str():
                self._note(message)

    def _note(self, what: str) -> None:
        self.data.setdefault("noted", []).append(what)


class Told(ToldCall):
    """A call that has been told something, and whose service is at hand."""

    def __init__(self, world: MortalWorld, *messages: str) -> None:
        world.app.service(Service, name="service")
        super().__init__(world, Asks)
        self.is_told(*messages)

    def is_answered(self) -> None:
        service = self.world.app.lookup("service")
        assert service is not None
        service.tell("answer")
        self.world.run(1.0)


@pytest.mark.parametrize("deaths_s", [(1.0,), (1.0, 2.0), (1.0, 1.3, 1.6)])
def test_who_waits_for_an_answer_when_the_process_ends_is_told_once_that_none_comes(
    deaths_s: tuple[float, ...],
) -> None:
    """Otherwise the call would be up in silence: nobody asks again."""
    with MortalWorld() as world:
        call = Told(world, "ask")
        world.dies_after(*deaths_s)
        assert call.noted == ["PipeFailed ActorDead"]


def test_an_answer_that_had_come_is_not_followed_by_an_error() -> None:
    with MortalWorld() as world:
        call = Told(world, "ask")
        call.is_answered()
        world.dies_after(1.0, 2.0)
        assert call.noted == ["the answer"]


def test_what_is_asked_in_the_next_process_is_answered_there() -> None:
    with MortalWorld() as world:
        call = Told(world, "ask")
        world.dies_after(1.0, then_s=2.0)
        call.is_told("ask")
        call.is_answered()
        world.dies_after(1.0)
        assert call.noted == ["PipeFailed ActorDead", "the answer"]


def test_the_message_of_the_error_is_that_of_the_class_that_was_given() -> None:
    with MortalWorld() as world:
        call = Told(world, "ask with a name")
        world.dies_after(1.0)
        assert call.noted == ["Refused ActorDead"]


def test_a_function_that_is_not_found_again_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    with MortalWorld() as world, caplog.at_level(logging.WARNING, "relay_actors.calls"):
        call = Told(world, "ask with a lambda")
        assert "pipe_to_self(err=…) of Asks is not in the journal" in caplog.text
        world.dies_after(1.0)
        assert call.noted == ["PipeFailed ActorDead"]


@pytest.mark.parametrize(("how", "noted"), [("ask", []), ("ask over restarts", ["PipeFailed ActorDead"])])
def test_after_a_crash_only_what_survives_it_is_told_of(how: str, noted: list[str]) -> None:
    """A12: the new incarnation did not ask for it."""
    with MortalWorld() as world:
        call = Told(world, how, "crash")
        world.dies_after(1.0, 2.0)
        assert call.noted == noted


def test_it_is_told_also_if_the_past_of_the_call_was_summed_up() -> None:
    with MortalWorld(limits=Limits(journal_entries_per_call=1)) as world:
        call = Told(world, "ask", "a", "b", "c")
        world.dies_after(1.0, 2.0)
        assert call.noted == ["a", "b", "c", "PipeFailed ActorDead"]


def test_without_a_journal_it_is_what_it_is_in_any_actor(world: World) -> None:
    world.app.service(Service, name="service")
    _line, handle = world.inbound(Asks)
    world.run(1.0)
    handle.ref.tell("ask")
    world.run(1.0)
    service = world.app.lookup("service")
    assert service is not None
    service.tell("answer")
    world.run(1.0)
    assert handle.data["noted"] == ["the answer"]


@pytest.mark.parametrize("made", [{"ok": "no function"}, {"err": 1}])
def test_what_is_no_function_is_refused_and_not_noted(made: dict[str, Any]) -> None:
    with MortalWorld() as world:
        _line, handle = world.inbound(Asks)
        world.run(1.0)
        actor: Any = world.actor(handle)
        with pytest.raises(ConfigError, match="give a function"):
            actor.pipe_to_self(Future(), **made)
        assert not handle.ref.kept.leg.course.pipes


class Quick(Actor):
    """Answers at once."""

    def on_receive(self, message: object) -> str:
        return "the answer"


class AsksOnce(CallActor):
    """Asks, and says what comes of it."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                quick = self.app.lookup("quick")
                assert quick is not None
                self.pipe_to_self(quick.ask("a question", block=False))
            case str() | PipeFailed():
                self.hangup(after=self.play_tts("the answer" if isinstance(message, str) else "failed"))


def test_wherever_the_process_dies_one_message_comes_of_it() -> None:
    """Also between the arrival of the answer and its handling: nobody waits for ever. A12."""

    def tell(world: MortalWorld, dies_at: int | None) -> list[str]:
        caller = world.sim.phone(CALLER)
        world.app.service(Quick, name="quick")
        world.takes_calls(AsksOnce)
        caller.dials(context=CONTEXT)
        before = world.places
        world.dies_at = None if dies_at is None else before + dies_at
        world.live(60.0)
        world.places -= before
        assert caller.line.is_over, f"left up: {caller.line.story()}"
        return [str(sound) for sound in caller.line.heard]

    with MortalWorld() as world:
        assert tell(world, None) == ["the answer"]
        count = world.places
    heard = []
    for place in some_of(range(1, count + 1), 40):
        with MortalWorld() as world:
            heard.append(tell(world, place))
    assert all(one in (["the answer"], ["failed"]) for one in heard)
