"""Questions: their deadlines, what becomes of late ones, and where an error came from."""

import logging
import math
import threading
import traceback
from dataclasses import dataclass
from typing import Any

import pykka
import pytest

from relay_actors.errors import ActorDead, CommandRejectedError, ConfigError, MailboxFull, Poisoned
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.asking import FOREVER
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.failures import AskTimeout
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.future import WaitTimeout
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Blocker, Parent, Recorder, WordlessError, World, block, crash, spawn
from tests.stress import ask_and_stop

DEFER = Recorder.reply_later
"""A message for a `Recorder` that is answered later: never, by nobody."""


class Patient(Recorder):
    ask_timeout_s = 90.0


class Endless(Recorder):
    ask_timeout_s = FOREVER


class Machine(Actor):
    """For proxies: has one attribute, and takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.level = 1

    def rise(self) -> Any:
        return self.reply_later()


# -- how long --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("actor_class", "timeout_s"), [(Recorder, 5.0), (Patient, 90.0)])
@pytest.mark.parametrize("blocks", [True, False])
def test_an_ask_waits_as_long_as_the_receivers_class_says(
    world: World, actor_class: type[Actor], timeout_s: float, blocks: bool
):
    """A1: five seconds by default; a future fails by itself, whether somebody waits for it or not."""
    ref = world.start(actor_class)
    if blocks:
        with pytest.raises(AskTimeout):
            ref.ask(DEFER)
    else:
        future = ref.ask(DEFER, block=False)
        world.advance(timeout_s - 0.001)
        assert not future.is_settled
        world.advance(0.001)
        assert isinstance(future.error, AskTimeout)
    assert world.now == pytest.approx(timeout_s)


@pytest.mark.parametrize("given", [{"timeout": FOREVER}, {}])
def test_for_ever_is_asked_for_by_name(world: World, given: dict[str, float]):
    """A1: of the ask, or of the class; then only the answer ends it, or the death."""
    ref = world.start(Recorder if given else Endless)
    future = ref.ask(DEFER, block=False, **given)
    world.advance(10**6)
    assert not future.is_settled
    with pytest.raises(AskTimeout):
        future.get(timeout=1.0)
    ref.stop(timeout=0)
    with pytest.raises(ActorDead):
        future.get(timeout=FOREVER)


def test_calls_by_a_proxy_have_no_deadline_of_their_own(world: World):
    """A1: pykka's meaning: who waits for the result says how long, and who does not waits as long as it takes."""
    proxy = world.start(Machine).proxy()
    call = proxy.rise()
    proxy.level = 7
    world.advance(10**6)
    assert not call.is_settled
    assert proxy.level.get(timeout=0) == 7
    with pytest.raises(pykka.Timeout):
        call.get(timeout=1.0)


def test_for_ever_is_not_the_end_of_virtual_time(world: World):
    """A1: where nothing can ever answer, a deterministic run says so, in place of moving its clock to infinity."""
    ref = world.start(Recorder)
    with pytest.raises(ConfigError, match="would never end"):
        ref.ask(DEFER, timeout=FOREVER)
    future = ref.ask(DEFER, block=False, timeout=FOREVER)
    with pytest.raises(ConfigError, match="would never end"):
        future.get(timeout=FOREVER)
    assert world.now == 0


@pytest.mark.parametrize("timeout", [math.nan, "5", [5]])
def test_what_is_no_number_of_seconds_is_refused(world: World, timeout: Any):
    """A1: and told where it was written; nothing is sent."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    with pytest.raises(ConfigError, match="number of seconds, or FOREVER"):
        ref.ask("a", timeout=timeout)
    with pytest.raises(ConfigError, match="ask_timeout_s"):
        type("Wrong", (Recorder,), {"ask_timeout_s": timeout})
    world.settle()
    assert log == ["start"]


def test_no_timer_is_left_of_an_ask_that_was_answered(world: World):
    """A1: ten thousand answers in time cost no timer each."""
    ref = world.start(Recorder)
    futures = [ref.ask("a", block=False) for _ in range(100)]
    assert world.dispatcher.pending_timers == 100
    world.settle()
    assert all(future.is_settled for future in futures)
    assert world.dispatcher.pending_timers == 0


def test_no_timer_is_left_of_an_ask_that_a_full_mailbox_refused(world: World):
    """A1, M4: nor of one that the dead did not take."""

    class Bounded(Recorder):
        mailbox_capacity = 1

    ref = world.start(Bounded)
    ref.tell("a")
    with pytest.raises(MailboxFull):
        ref.ask("b", block=False)
    ref.stop(timeout=0, now=True)
    assert isinstance(ref.ask("c", block=False).error, ActorDead)
    assert world.dispatcher.pending_timers == 0


# -- what is known of the outcome ------------------------------------------------------------------------------------


def test_a_time_out_says_that_the_outcome_is_unknown(world: World):
    """A3: who asked whom for what, and by which id both logs name it; it is neither a refusal nor a death."""
    receiver, asker = world.start(Recorder), world.start(Recorder)
    with pytest.raises(AskTimeout, match="outcome is unknown") as caught:
        asker.ask(lambda _actor: receiver.ask(DEFER, timeout=2.5))
    error = caught.value

    assert (error.asker, error.receiver, error.message_type) == ("Recorder#2", "Recorder#1", "function")
    assert error.timeout_s == 2.5
    assert error.correlation_id in str(error)
    assert isinstance(error, pykka.Timeout | TimeoutError | WaitTimeout)
    assert not isinstance(error, ActorDead | CommandRejectedError)


def test_correlation_ids_are_the_same_for_the_same_seed():
    """A3, V3: and each question has its own."""

    def ids() -> list[str]:
        world = World(seed=7)
        ref = world.start(Recorder)
        futures = [ref.ask(DEFER, block=False) for _ in range(2)]
        world.advance(5.0)
        world.end()
        return [future.error.correlation_id for future in futures]

    first = ids()
    assert len(set(first)) == 2
    assert ids() == first


def test_code_outside_of_actors_is_named_as_that(world: World):
    """A3: and looking at a future does not harm it."""
    ref = world.start(Recorder)
    future = ref.ask(DEFER, block=False)
    with pytest.raises(AskTimeout, match=r"code outside of actors asked Recorder#1 \(function\) .* after 0\.5 s"):
        future.get(timeout=0.5)
    assert not future.is_settled


# -- what comes too late ---------------------------------------------------------------------------------------------


def test_an_expired_ask_is_not_handled(system: System):
    """A2: its asker has gone; it is counted, and a dead letter."""
    letters: list[Any] = []
    system.dead_letters.subscribe(letters.append)
    ref = system.start(Blocker)
    answer, let_go = block(ref)
    with pytest.raises(AskTimeout):
        ref.ask("too late", timeout=0.01)
    future = ref.ask("in time", block=False)
    let_go.set()

    assert future.get(timeout=DEADLINE_S) == "in time"
    assert answer.get(timeout=DEADLINE_S) == "blocked"
    assert [(letter.message, letter.reason) for letter in letters] == [("too late", "expired")]
    assert system.hooks._hooks.snapshot()["ask.expired"] == 1  # type: ignore[attr-defined]


class MustRun:
    """A command that is to be carried out, whether its asker waits or not."""

    expires = False

    def __call__(self, actor: Any) -> str:
        actor.log_of.append("has run")
        return "too late"


class Looks(MustRun):
    """The same without its claim."""

    expires = True


def late_one(world: World, message: Any) -> tuple[list[Any], Any]:
    """Have an actor come to ``message`` when its time is over: it sleeps, in virtual time, before it."""
    log: list[Any] = []
    ref = world.start(Recorder, log)

    def sleeps(_actor: Any) -> None:
        with pytest.raises(WaitTimeout):
            world.start(Recorder).ask(DEFER, timeout=10.0)

    ref.tell(sleeps)
    future = ref.ask(message, block=False, timeout=2.0)
    world.settle()
    world.advance(20.0)
    assert isinstance(future.error, AskTimeout)
    return log, future


def test_a_command_that_must_run_is_handled_though_nobody_waits(world: World):
    """A2, A4: its class says so; its answer changes nothing but a counter."""
    log, future = late_one(world, MustRun())
    error = future.error

    assert log == ["start", "has run"]
    assert future.error is error
    assert world.counters.snapshot()["ask.late"] == 1
    assert "ask.expired" not in world.counters.snapshot()
    assert world.dead() == []


def test_a_class_may_say_that_it_expires(world: World):
    """A2: only False is an opt-out, so that a message may have an attribute of that name."""
    log, _future = late_one(world, Looks())
    assert log == ["start"]
    assert world.counters.snapshot()["ask.expired"] == 1


def test_the_envelope_is_late_by_the_clock_and_not_by_its_timer(world: World):
    """A2: also when nobody has told the future yet: who takes it out settles it."""
    ref = world.start(Recorder)
    future = ref.ask("late", block=False, timeout=1.0)
    world.dispatcher.clock.advance_to(1.5)
    ref._cell.run_now()
    assert isinstance(future.error, AskTimeout)
    assert world.counters.snapshot()["ask.expired"] == 1


def test_a_late_answer_changes_one_counter_only(system: System):
    """A4: the error stays what it is, callbacks are not called again, nothing is a dead letter."""
    letters: list[Any] = []
    system.dead_letters.subscribe(letters.append)
    ref = system.start(Blocker)
    blocked, let_go = ref.ask("events", timeout=DEADLINE_S)
    future = ref.ask("slow", block=False, timeout=0.05)
    calls: list[Any] = []
    over = threading.Event()
    future.add_done_callback(lambda done: (calls.append(done.error), over.set()))
    assert blocked.wait(DEADLINE_S)
    assert over.wait(DEADLINE_S)
    error = future.error
    let_go.set()
    ref.ask("events", timeout=DEADLINE_S)

    assert (calls, future.error, letters) == ([error], error, [])
    counted = system.hooks._hooks.snapshot()  # type: ignore[attr-defined]
    counted.pop("turns.blocking", None)  # on a busy machine it is let go late
    assert counted == {"ask.late": 1}


def test_an_error_that_no_asker_hears_is_in_the_log(world: World, caplog: pytest.LogCaptureFixture):
    """A4, A7: nothing fails in silence."""
    ref = world.start(Recorder)

    class MustFail(MustRun):
        def __call__(self, actor: Any) -> str:
            raise ValueError("unheard")

    def sleeps(_actor: Any) -> None:
        with pytest.raises(WaitTimeout):
            world.start(Recorder).ask(DEFER, timeout=10.0)

    ref.tell(sleeps)
    ref.ask(MustFail(), block=False, timeout=1.0)
    world.settle()
    assert "no asker hears" in caplog.text
    assert "unheard" in caplog.text


def test_a_deadline_holds_though_the_wait_ends_later(world: World):
    """A1, A4, D4: in a deterministic run a wait can end only after those inside it; an answer is late all the same."""
    silent, outer, inner = (world.start(Recorder) for _ in range(3))
    tokens: list[Any] = []
    outcomes: list[Any] = []

    def puts_off(actor: Any) -> None:
        tokens.append(actor.reply_later())

    def asks(timeout_s: float) -> None:
        try:
            outcomes.append((silent.ask(puts_off, timeout=timeout_s), world.now))
        except AskTimeout as error:
            outcomes.append((error.timeout_s, world.now))

    def begins(_actor: Any) -> None:
        inner.tell(lambda _actor: asks(9.0))
        asks(3.0)

    def answers_both() -> None:
        assert sorted(token.is_awaited for token in tokens) == [False, True]
        silent.tell(lambda actor: [actor.reply_to(token, "at five") for token in tokens])

    world.dispatcher.call_at(5.0, answers_both)
    outer.tell(begins)
    world.settle()
    assert outcomes == [("at five", 5.0), (3.0, 5.0)]
    assert world.counters.snapshot() == {"ask.late": 1}


@pytest.mark.parametrize("seed", [1, 2])
def test_asks_that_race_stops_leave_no_future_open(seed: int, capsys: pytest.CaptureFixture[str]):
    """A6, A13: the short form of `tests.stress.ask_and_stop`: answers at once, later and never; four ways to end."""
    assert ask_and_stop.main(["4000", str(seed)]) == 0, capsys.readouterr().out
    told = capsys.readouterr().out
    assert "answered" in told
    assert "dead" in told


# -- questions within questions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outer_s", "inner_s", "expected_s"), [(3.0, 60.0, 3.0), (60.0, 2.0, 2.0), (4.0, FOREVER, 4.0)]
)
def test_a_nested_ask_has_no_more_time_than_is_left(world: World, outer_s: float, inner_s: float, expected_s: float):
    """A9: who asked for the whole has gone by then."""
    inner, outer = world.start(Recorder), world.start(Recorder)
    times: list[float] = []

    def asks(_actor: Any) -> None:
        try:
            inner.ask(DEFER, timeout=inner_s)
        except AskTimeout:
            times.append(world.now)

    try:
        outer.ask(asks, timeout=outer_s)
    except AskTimeout:
        assert outer_s == expected_s
    assert times == [expected_s]


def test_what_was_told_and_what_follows_has_time_of_its_own(world: World):
    """A9: the deadline is that of one message: not of the next one, of a proxy's call, or of a flow's next step."""
    inner, outer = world.start(Machine), world.start(Recorder)
    futures: list[Any] = []

    def asks(_actor: Any) -> None:
        futures.append(inner.ask("what is this", block=False))
        futures.append(inner.proxy().rise())

    async def asks_in_a_flow(actor: Any) -> None:
        asks(actor)

    outer.ask(asks, timeout=1.0)
    outer.tell(asks)
    outer.ask(lambda actor: Flow(actor._cell, asks_in_a_flow(actor), print).begin(), timeout=1.0)
    world.settle()
    assert [future.deadline for future in futures] == [1.0, FOREVER, 5.0, FOREVER, 5.0, FOREVER]


# -- errors ----------------------------------------------------------------------------------------------------------


def raise_deep_inside() -> None:
    raise LookupError("no such order")


@pytest.mark.parametrize("on_threads", [False, True])
def test_an_error_comes_with_its_type_its_traceback_and_its_origin(world: World, system: System, on_threads: bool):
    """A7: one sees in the asker's traceback where the other actor failed, and which it was; it goes on."""
    start = system.start if on_threads else world.start
    ref: Any = start(Recorder)
    with pytest.raises(LookupError) as caught:
        ref.ask(lambda _actor: raise_deep_inside(), timeout=DEADLINE_S)
    text = "".join(traceback.format_exception(caught.value))

    assert "raise_deep_inside" in text
    assert "raised in Recorder#1, incarnation 0, while it handled function" in text
    assert ref.ask("still there", timeout=DEADLINE_S) == "still there"


@pytest.mark.parametrize("is_later", [False, True])
def test_an_error_that_takes_no_notes_is_an_answer_as_well(world: World, is_later: bool):
    """A7: a frozen dataclass may be raised, and nothing can be written on it."""

    @dataclass(frozen=True)
    class TakenError(Exception):
        seat: int

    def refuse(actor: Any) -> None:
        if is_later:
            actor.fail_reply(actor.reply_later(), TakenError(7))
        else:
            raise TakenError(7)

    ref = world.start(Recorder)
    asked = ref.ask(refuse, block=False)
    world.settle()

    assert asked.error == TakenError(7)
    assert ref.ask("still there") == "still there"


def test_an_error_that_is_raised_again_and_again_is_noted_once(world: World):
    """A7: some actors keep their error; through a second actor it is noted where it passed."""
    first, second = world.start(Recorder), world.start(Recorder)
    error = LookupError("kept")

    def raises(_actor: Any) -> None:
        raise error

    for _ in range(3):
        with pytest.raises(LookupError):
            second.ask(lambda _actor: first.ask(raises))
    assert [note.split(",")[0] for note in error.__notes__] == ["raised in Recorder#1", "raised in Recorder#2"]


class Escalates(Recorder):
    escalate_ask_errors = True


def test_an_error_in_answering_can_fail_the_actor_as_well(world: World):
    """A7: the asker is told, and the actor is restarted, or ends."""
    log: list[Any] = []
    parent = world.start(Parent)
    ref = spawn(parent, Escalates, log, spec=ChildSpec(restart=Restart.TRANSIENT))
    with pytest.raises(ValueError, match="crash"):
        ref.ask(crash())
    world.settle()
    assert log == ["start", ("failure", "crash"), ("pre_restart", "error"), "start"]
    assert ref.incarnation == 1

    alone = world.start(Escalates)
    with pytest.raises(ValueError, match="crash"):
        alone.ask(crash())
    world.settle()
    assert not alone.is_alive()


class _WordlessExit(SystemExit):
    """Ends its actor, and cannot say why."""

    __str__ = __repr__ = WordlessError.__str__  # type: ignore[assignment]  # of another class


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), _WordlessExit()])
def test_an_ask_that_ends_the_actor_is_answered_by_its_death(world: World, error: BaseException):
    """L8, A5: whatever was raised; it is the cause, and the others go on."""
    other = world.start(Recorder)
    ref = world.start(Recorder)

    def raises(_actor: Any) -> None:
        raise error

    with pytest.raises(ActorDead) as caught:
        ref.ask(raises)
    assert caught.value.__cause__ is error
    assert not ref.is_alive()
    assert other.ask("still there") == "still there"


def test_a_thousand_asks_that_exit_are_answered_and_the_others_go_on(system: System):
    """L8: pykka would stop everybody."""
    other = system.start(Recorder)

    def leave(_actor: Any) -> None:
        raise SystemExit

    logging.getLogger("relay_actors.runtime").setLevel(logging.CRITICAL)
    try:
        futures = [system.start(Recorder).ask(leave, block=False) for _ in range(1000)]
        for future in futures:
            with pytest.raises(ActorDead):
                future.get(timeout=DEADLINE_S)
    finally:
        logging.getLogger("relay_actors.runtime").setLevel(logging.NOTSET)
    assert other.ask("still there", timeout=DEADLINE_S) == "still there"


# -- once more -------------------------------------------------------------------------------------------------------


class Retries(Recorder):
    retries = 1


class Flaky:
    """Fails as often as it says, and then succeeds."""

    def __init__(self, failures: int, error: BaseException | None = None) -> None:
        self.left = failures
        self.error = error if error is not None else ValueError("flaky")

    def __call__(self, actor: Any) -> str:
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return "done"


def test_a_message_is_handled_once_more_where_that_was_asked_for(world: World):
    """M6: at once, before the next message; the actor has not failed."""
    log: list[Any] = []
    ref = world.start(Retries, log)
    flaky = Flaky(1)
    ref.tell(flaky)
    ref.tell("next")
    assert ref.ask(Flaky(1)) == "done"
    assert flaky.left == -1
    assert log == ["start", "next"]
    assert world.counters.snapshot()["messages.retried"] == 2


def test_a_message_that_fails_twice_is_poisoned(world: World):
    """M6: its asker gets it back with the cause; told, it fails the actor with the cause itself, and is gone."""
    log: list[Any] = []
    ref = spawn(world.start(Parent), Retries, log, spec=ChildSpec(restart=Restart.PERMANENT))
    message = Flaky(9)
    with pytest.raises(Poisoned, match="Flaky failed its handler twice: ValueError: flaky") as caught:
        ref.ask(message)
    assert (caught.value.message, caught.value.__cause__) == (message, message.error)
    assert ref.incarnation == 0

    ref.tell(message)
    world.settle()
    assert message.left == 5
    assert log[1:] == [("failure", "flaky"), ("pre_restart", "error"), "start"]


def test_a_message_that_fails_twice_without_words_is_poisoned_as_well(world: World):
    """M6: whatever the cause makes of the question what it is."""
    with pytest.raises(Poisoned, match=r"Flaky failed its handler twice: WordlessError: \(its __str__ raises\)"):
        world.start(Retries).ask(Flaky(9, WordlessError()))


def test_without_that_a_message_fails_once(world: World):
    """M6: it is not tried again."""
    flaky = Flaky(1)
    world.start(Recorder).tell(flaky)
    world.settle()
    assert flaky.left == 0


def test_the_dead_do_not_try_again(world: World):
    """M6, H4: killed in the middle of the first attempt."""
    ref = world.start(Retries)
    attempts: list[Any] = []

    def ends_and_fails(actor: Any) -> None:
        attempts.append(actor)
        actor._cell.kill("test")
        raise ValueError("too late")

    assert isinstance(ref.ask(ends_and_fails, block=False), pykka.Future)
    world.settle()
    assert len(attempts) == 1


def test_what_ends_the_actor_is_not_tried_again(world: World):
    """M6, L8: a SystemExit is no bad moment."""
    flaky = Flaky(1, SystemExit())
    world.start(Retries).tell(flaky)
    world.settle()
    assert flaky.left == 0
