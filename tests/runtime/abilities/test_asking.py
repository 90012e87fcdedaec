"""Answers that are given later: by whom, to whom, and what becomes of those that nobody gives."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors.errors import ActorDead, ActorError, ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.asking import FOREVER, NoReplyYet, ReplyToken
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.failures import AskTimeout
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn, until


class Desk(Recorder):
    """Takes questions, and answers them when it is told to."""

    def __init__(self, log: list[Any] | None = None) -> None:
        super().__init__(log)
        self.tokens: list[ReplyToken] = []

    def on_receive(self, message: Any) -> Any:
        if message == "question":
            self.tokens.append(self.reply_later())
            return NoReplyYet
        return super().on_receive(message)


def answer(value: Any, number: int = 0) -> Any:
    """A message for a `Desk`: answer one of its questions; the reply says whether that was heard."""
    return lambda desk: desk.reply_to(desk.tokens[number], value)


def test_an_answer_can_be_given_in_a_later_turn(world: World):
    """A13: in any order, and the actor handles others meanwhile."""
    ref = world.start(Desk)
    first, second = (ref.ask("question", block=False) for _ in range(2))
    world.settle()
    assert ref._cell.actor.unanswered_questions == 2
    world.settle()
    assert not first.is_settled
    assert ref.ask(answer("to the second", 1)) is True
    assert ref.ask(answer("to the first")) is True
    assert (first.get(timeout=0), second.get(timeout=0)) == ("to the first", "to the second")


def test_what_the_handler_returns_is_not_the_answer(world: World):
    """A13: whatever it is; a token that is taken twice is one."""
    ref = world.start(Desk)

    def takes(desk: Any) -> str:
        desk.tokens += [desk.reply_later(), desk.reply_later()]
        return "ignored"

    future = ref.ask(takes, block=False)
    world.settle()
    assert not future.is_settled
    assert ref.ask(lambda desk: desk.tokens[0] is desk.tokens[1])
    ref.ask(answer("meant"))
    assert future.get(timeout=0) == "meant"


def test_an_answer_can_be_given_before_the_handler_returns(world: World):
    """A13: and an error can be an answer; it says who gave it."""
    ref = world.start(Desk)
    assert ref.ask(lambda desk: desk.reply_to(desk.reply_later(), "at once") and "ignored") == "at once"
    with pytest.raises(LookupError) as caught:
        ref.ask(lambda desk: desk.fail_reply(desk.reply_later(), LookupError("no")))
    assert caught.value.__notes__ == ["raised in Desk#1, incarnation 0, in answering later"]


def test_a_second_answer_is_ignored_and_counted(world: World):
    """A13: the first one has been heard."""
    ref = world.start(Desk)
    future = ref.ask("question", block=False)
    world.settle()
    assert [ref.ask(answer(value)) for value in ("first", "second")] == [True, False]
    assert ref.ask(lambda desk: desk.fail_reply(desk.tokens[0], ValueError())) is False
    assert future.get(timeout=0) == "first"
    assert world.counters.snapshot() == {"ask.repeated": 2}


def test_an_answer_that_comes_too_late_is_counted_as_late(world: World):
    """A13, A4: the deadline goes on to hold, and an actor can see that nobody waits any more."""
    ref = world.start(Desk)
    future = ref.ask("question", block=False, timeout=3.0)
    world.advance(1.0)
    assert ref.ask(lambda desk: desk.tokens[0].is_awaited)
    world.advance(2.0)
    assert isinstance(future.error, AskTimeout)
    assert not ref.ask(lambda desk: desk.tokens[0].is_awaited)
    assert ref.ask(answer("too late")) is False
    assert ref.ask(lambda desk: len(desk._owed)) == 0
    assert world.counters.snapshot() == {"ask.late": 1}


class Asks(Actor):
    """Asks a desk, and waits as long as it takes."""

    async def on_receive(self, message: Any) -> None:
        await message.ask("question", block=False, timeout=FOREVER)


@pytest.mark.parametrize(
    "end", [lambda ref: ref.stop(now=True, timeout=1), lambda ref: ref.kill()], ids=["stop", "kill"]
)
def test_an_asker_that_has_ended_waits_no_more(world: World, end: Callable[[Any], object]):
    """A13: who is free would else be given to somebody who has gone. The question itself has no deadline."""
    ref, asker = world.start(Desk), world.start(Asks)
    asker.tell(ref)
    world.settle()
    assert ref.ask(lambda desk: desk.tokens[0].is_awaited)
    end(asker)
    assert not asker.is_alive()
    assert not ref.ask(lambda desk: desk.tokens[0].is_awaited)
    assert "nobody waits" in ref.ask(lambda desk: repr(desk.tokens[0]))


def test_nobody_waits_for_the_answer_to_what_was_told(world: World):
    """A13: a handler need not know the difference."""
    ref = world.start(Desk)
    ref.tell("question")
    world.settle()
    assert [ref.ask(answer("for nobody")) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("now", [True, False])
def test_who_ends_first_answers_by_its_death(world: World, now: bool):
    """A13: whether it stops in order or at once."""
    ref = world.start(Desk)
    future = ref.ask("question", block=False)
    world.settle()
    ref.stop(now=now)
    with pytest.raises(ActorDead, match="ended before it answered"):
        future.get(timeout=0)


def test_a_killed_actor_leaves_nobody_waiting(system: System):
    """A13, A5, H4: though its thread hangs in a handler, and before that comes back."""
    ref = system.start(Desk)
    hangs, let_go = threading.Event(), threading.Event()
    owed = ref.ask("question", block=False)
    late: list[ReplyToken] = []

    def hang(desk: Any) -> None:
        hangs.set()
        let_go.wait(DEADLINE_S)
        late.append(desk.reply_later())
        desk.reply_to(late[0], "of the dead")

    asked = ref.ask(hang, block=False)
    assert hangs.wait(DEADLINE_S)
    ref._cell.kill("test")
    assert isinstance(owed.error, ActorDead)
    assert isinstance(asked.error, ActorDead)
    let_go.set()
    until(lambda: bool(late) and not late[0].is_awaited)


def test_who_kills_itself_before_it_defers_leaves_nobody_waiting(world: World):
    """A13, H4: what it does after its end has no effect."""
    ref = world.start(Desk)

    def ends_and_defers(desk: Any) -> None:
        desk._cell.kill("test")
        desk.reply_later()

    future = ref.ask(ends_and_defers, block=False)
    world.settle()
    assert isinstance(future.error, ActorDead)


def test_a_last_answer_may_be_given_in_on_stop(world: World):
    """A13: that is the last moment."""

    class Polite(Desk):
        def on_stop(self) -> None:
            self.reply_to(self.tokens[0], "we are closing")

    ref = world.start(Polite)
    future = ref.ask("question", block=False)
    world.settle()
    ref.stop(timeout=0)
    assert future.get(timeout=0) == "we are closing"


def test_a_restart_answers_what_the_old_incarnation_owed(world: World):
    """A13: the new one has not heard the question; a token that was saved over the restart answers nobody."""
    log: list[Any] = []
    ref = spawn(world.start(Parent), Desk, log, spec=ChildSpec(restart=Restart.PERMANENT))
    future = ref.ask("question", block=False)
    saved = ref.ask(lambda desk: desk.tokens)
    ref.tell(crash())
    world.settle()
    with pytest.raises(ActorDead, match="restarted before it answered"):
        future.get(timeout=0)
    assert ref.incarnation == 1
    assert ref.ask(lambda desk: desk.reply_to(saved[0], "too late")) is False


def test_a_handler_that_fails_after_taking_a_token_answers_by_its_error(world: World):
    """A13, A7: and then the token is good for nothing."""
    ref = world.start(Desk)

    def takes_and_fails(desk: Any) -> None:
        desk.tokens.append(desk.reply_later())
        raise LookupError("after all")

    with pytest.raises(LookupError):
        ref.ask(takes_and_fails)
    assert ref.ask(answer("too late")) is False


def test_no_reply_yet_without_a_token_is_a_mistake(world: World):
    """A13: nobody could ever answer; told, it means nothing."""
    ref = world.start(Desk)
    ref.tell(lambda _desk: NoReplyYet)
    with pytest.raises(ActorError, match=r"without having called self\.reply_later\(\)"):
        ref.ask(lambda _desk: NoReplyYet)
    assert ref.is_alive()
    assert repr(NoReplyYet) == "NoReplyYet"


def test_mistakes_with_tokens_are_told(world: World):
    """A13: a token of another actor, none at all, an error that is none."""
    ref, other = world.start(Desk), world.start(Desk)
    ref.ask("question", block=False)
    world.settle()
    token = ref.ask(lambda desk: desk.tokens[0])
    assert repr(token) == "<ReplyToken of Desk#1, waited for>"
    with pytest.raises(ActorError, match="cannot be used by Desk#2: tell Desk#1"):
        other.ask(lambda desk: desk.reply_to(token, "stolen"))
    with pytest.raises(ActorError, match="is no token"):
        other.ask(lambda desk: desk.reply_to("token", "value"))
    with pytest.raises(ConfigError, match="needs an exception"):
        other.ask(lambda desk: desk.fail_reply(token, "no"))


def test_a_method_called_by_a_proxy_may_answer_later(world: World):
    """A13: pykka's own way of asking."""

    class Machine(Actor):
        def rise(self) -> None:
            self.token = self.reply_later()

        def arrive(self) -> bool:
            return self.reply_to(self.token, "fourth floor")

    proxy = world.start(Machine).proxy()
    call = proxy.rise()
    assert proxy.arrive().get(timeout=0) is True
    assert call.get(timeout=0) == "fourth floor"


def test_who_retries_may_answer_by_the_second_attempt(world: World):
    """A13, M6: a token of the first attempt does not keep the second one's answer back."""

    class Retries(Desk):
        retries = 1

    ref = world.start(Retries)
    attempts: list[Any] = []

    def fails_once(desk: Any) -> str:
        attempts.append(desk)
        if len(attempts) == 1:
            desk.reply_later()
            raise ValueError("flaky")
        return "second attempt"

    assert ref.ask(fails_once) == "second attempt"


@pytest.mark.parametrize("retries", [2, -1, "1"])
def test_a_number_of_retries_that_is_none_is_refused(retries: Any):
    """M6: where the class is written."""
    with pytest.raises(ConfigError, match=r"Wrong\.retries is .*: 0 or 1"):
        type("Wrong", (Actor,), {"retries": retries})
