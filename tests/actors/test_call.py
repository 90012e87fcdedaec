"""A call's actor as its author sees it: what it knows, how it survives a crash, and how it is given up."""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from typing import Any

import pytest

from relay_actors import ActionCompleted, CallActor, CommandFailed, HandTo, HangUp, LeaveUp, RelayApp, Timing
from relay_actors.errors import CallEnded
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent, RelayEvent
from relay_actors.protocol.commands import Hold
from relay_actors.simulator import Simulator
from relay_actors.testing import AppRunner, SimulatorServer
from tests.actors.world import CALLER, CONTEXT, Witness, World, over_seeds

DEADLINE_S = 10.0


class CrashError(Exception):
    """What a bug in a user's handler raises."""


class Fragile(Witness):
    """A witness that crashes at the word, in the way that it is told."""

    def on_receive(self, message: object) -> None:
        super().on_receive(message)
        if message == "crash":
            raise CrashError
        if message == "exit":
            raise SystemExit(1)


def crash(world: World, handle: Any, word: str = "crash") -> None:
    before = handle.ref.incarnation
    handle.ref.tell(word)
    world.until(lambda: handle.ref.incarnation == before + 1 or world.actor(handle) is None)


# -- what it knows -----------------------------------------------------------------------------------------------------


def test_a_call_knows_who_it_is(world: World):
    """Source: PROTOCOL 8.1."""
    world.sim.assign_number("+15550100000", CONTEXT)
    line, handle = world.inbound(Witness)
    world.settle()
    actor = world.actor(handle)
    assert (actor.call_id, actor.state, actor.end_reason) == (line.call_id, "created", "")
    assert (actor.direction, actor.call_context, actor.tag) == ("inbound", CONTEXT, "")
    assert (actor.from_number, actor.to_number) == (CALLER, "+15550100000")
    assert actor.device["type"] == "phone"
    assert actor.node_id == world.sim.calls[0].node_id
    assert actor.app is world.app


def test_the_words_of_a_call_are_told_from_those_of_others(world: World, caplog: pytest.LogCaptureFixture):
    """Source: SEMANTICS O6."""
    caplog.set_level(logging.INFO)
    line, handle = world.inbound(Witness)
    world.settle()
    world.actor(handle).log.info("hello %s", "you")
    assert f"[{line.call_id}] hello you" in caplog.text


def test_the_data_of_two_calls_have_nothing_in_common(world: World):
    """Proves SEMANTICS X19."""
    _line, one = world.inbound(Witness)
    _line, other = world.inbound(number="+15550002222")
    one.data["mine"] = 1
    assert "mine" not in other.data


def test_a_handler_is_told_everything_in_the_order_in_which_it_happens(world: World):
    line, handle = world.inbound(Witness)
    handle.answer()
    world.settle()
    handle.play_silence(1)
    world.run(2)
    line.hangs_up()
    world.settle()
    told = [
        (type(message), getattr(message, "call_state", getattr(message, "state", ""))) for message in world.seen(handle)
    ]
    assert told == [
        (CallReceiveEvent, "created"),
        (CallStateEvent, "answered"),
        (PlayEvent, "playing"),
        (PlayEvent, "finished"),
        (ActionCompleted, ""),
        (CallStateEvent, "ending"),
        (CallStateEvent, "ended"),
    ]


def test_what_a_class_does_not_handle_harms_nothing(world: World):
    """A class that only starts, and handles nothing, is a call that nobody answers."""

    class Starts(CallActor):
        def on_start(self) -> None:
            self.data["started"] = True

    line, handle = world.inbound(Starts)
    handle.ref.tell("something of the application's own")
    handle.answer()
    handle.play_silence(1)
    world.run(2)
    assert handle.ref.incarnation == 0
    line.hangs_up()
    world.run(2)
    assert world.call_actors() == []


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"max_restarts": "3"}, "max_restarts must be a whole number, 0 or more, not '3'"),
        ({"max_restarts": -1}, "max_restarts must be a whole number"),
        ({"within_s": "60"}, "within_s must be a number of seconds, above 0, not '60'"),
        ({"within_s": 0}, "within_s must be a number of seconds, above 0"),
        ({"given_up_to": CallActor}, "given_up_to is now on_give_up = HandTo(TheClass)"),
        ({"on_give_up": "hang up"}, "on_give_up must be HangUp(), Apologise(…)"),
        ({"on_give_up": HangUp}, "on_give_up must be HangUp(), Apologise(…)"),
        ({"on_give_up": HandTo(object)}, "on_give_up must be HandTo(a subclass of CallActor)"),
        (
            {"on_give_up": {"ringing": HangUp()}},
            "on_give_up must be a dictionary with the keys before_answer, answered",
        ),
        ({"on_give_up": {"answered": LeaveUp()}}, "on_give_up must be something that ends the call"),
        ({"on_give_up": LeaveUp()}, "on_give_up must be something that ends the call"),
    ],
)
def test_a_class_that_says_wrongly_how_it_is_restarted_cannot_be_defined(attributes: dict[str, Any], says: str):
    """Otherwise its first call would fail, and with it only a line in the log of a running server."""
    with pytest.raises(TypeError, match=re.escape(f"Wrong.{says}")):
        type("Wrong", (CallActor,), attributes)


def test_a_class_may_be_restarted_never_or_in_a_window_without_end():
    wanted = {"max_restarts": 0, "within_s": math.inf}
    assert {name: getattr(type("Right", (CallActor,), wanted), name) for name in wanted} == wanted


@pytest.mark.parametrize("name", ["run", "on_receive", "on_start", "receive"])
def test_a_class_says_what_to_do_by_any_of_its_handlers(name: str):
    async def run(self: Any) -> None:
        """Nothing."""

    own = type("Own", (CallActor,), {name: run if name == "run" else lambda self, *message: None})
    assert own.says_what_to_do()
    assert type("Heir", (own,), {}).says_what_to_do()
    assert not type("Misspelt", (CallActor,), {f"{name}s": run}).says_what_to_do()


def test_the_data_of_a_call_cannot_be_replaced_by_mistake(world: World):
    """Others hold on to it, so that a new dictionary would be seen by nobody."""
    _line, handle = world.inbound(Witness)
    world.settle()
    for call in (world.actor(handle), handle):
        before = call.data
        with pytest.raises(AttributeError, match=r"use self\.data\.update"):
            call.data = {"customer": 7}
        assert call.data is before


# -- crashes -----------------------------------------------------------------------------------------------------------


@over_seeds(50)
@pytest.mark.parametrize("word", ["crash", "exit"])
def test_a_handler_that_crashes_is_restarted_in_place(world: World, word: str):
    """Same ref, data and call; what runs goes on, and its end reaches the new incarnation (SEMANTICS X8, L4, L8)."""
    line, handle = world.answered(Fragile)
    ref, first = handle.ref, world.actor(handle)
    handle.data["kept"] = 17
    action = handle.play_tts("This goes on while everything around it breaks.").get(timeout=5)
    crash(world, handle, word)
    second = world.actor(handle)
    assert second is not first
    assert isinstance(second, Fragile)
    assert (handle.ref, ref.is_alive(), ref.incarnation) == (ref, True, 1)
    assert (second.state, second.call_id, second.data["kept"]) == ("answered", line.call_id, 17)
    assert not action.is_done
    action.wait().get(timeout=30)
    (completed,) = world.seen(handle, ActionCompleted)
    assert completed.action is action
    assert not line.is_over
    assert world.methods() == ["calling.answer", "calling.play"]


@over_seeds(50)
def test_what_comes_during_a_crash_is_kept_in_order(world: World):
    """Proves SEMANTICS S10 for a call: only the message whose handler raised is gone."""
    _line, handle = world.answered(Fragile)
    handle.ref.tell("one")
    handle.ref.tell("crash")
    for word in ("two", "three", "crash", "four"):
        handle.ref.tell(word)
    world.until(lambda: handle.ref.incarnation == 2)
    assert world.seen(handle, str) == ["one", "crash", "two", "three", "crash", "four"]


@over_seeds(50)
def test_what_follows_from_an_event_is_not_lost_when_its_handler_crashes(world: World):
    """The event completes an operation; its handler crashes, and the completion stands behind it."""

    class CrashesOnce(Witness):
        def on_receive(self, message: object) -> None:
            super().on_receive(message)
            if isinstance(message, PlayEvent) and message.state == "finished" and self._cell.incarnation == 0:
                raise CrashError

    _line, handle = world.answered(CrashesOnce)
    action = handle.play_silence(1)
    world.run(2)
    assert handle.ref.incarnation == 1
    told = world.seen(handle, PlayEvent, ActionCompleted)
    assert [getattr(message, "state", message) for message in told] == [
        "playing",
        "finished",
        ActionCompleted(action, action.result),  # type: ignore[arg-type]  # it is there by now
    ]


@over_seeds(50)
def test_events_behind_a_backlog_come_behind_it(world: World):
    """What a crash leaves is told first, whatever waits already."""

    class CrashesOnce(Witness):
        def on_receive(self, message: object) -> None:
            super().on_receive(message)
            if isinstance(message, PlayEvent) and message.state == "finished" and self._cell.incarnation == 0:
                raise CrashError

    _line, handle = world.answered(CrashesOnce)
    action = handle.play_silence(60)
    world.settle()
    ids = {**handle.leg.ids, "control_id": action.control_id}
    for number in range(3):
        world.tells("calling.call.play", {**ids, "state": "finished" if number == 0 else f"later {number}"})
    world.settle()
    told = [getattr(message, "state", "completed") for message in world.seen(handle, PlayEvent, ActionCompleted)]
    assert told == ["playing", "finished", "completed", "later 1", "later 2"]


@over_seeds(10)
def test_a_reply_that_was_outstanding_during_a_crash_reaches_who_waits_for_it(world: World):
    _line, handle = world.answered(Fragile)
    world.sim.answer_late("calling.hold", seconds=2)
    reply = handle.perform(Hold())
    world.settle()
    crash(world, handle)
    assert reply.get(timeout=5)["code"] == "200"


@over_seeds(10)
def test_a_refusal_that_comes_after_a_crash_is_told_to_the_new_incarnation(world: World):
    class Acts(Fragile):
        def on_receive(self, message: object) -> None:
            if message == "act":
                self.perform(Hold())
            super().on_receive(message)

    _line, handle = world.answered(Acts)
    world.sim.answer_late("calling.hold", seconds=2)
    world.sim.reject_next("calling.hold", code="500")
    handle.ref.tell("act")
    world.settle()
    handle.ref.tell("crash")
    world.run(3)
    assert handle.ref.incarnation == 1
    assert [failed.command for failed in world.seen(handle, CommandFailed)] == [Hold()]


def test_a_crash_while_it_starts_is_a_crash_like_any_other(world: World):
    """The event that brought the call is told to the incarnation that has started."""

    class StartsBadly(Witness):
        def on_start(self) -> None:
            if self._cell.incarnation < 2:
                raise CrashError

    _line, handle = world.inbound(StartsBadly)
    world.settle()
    assert handle.ref.incarnation == 2
    assert [type(message) for message in world.seen(handle)] == [CallReceiveEvent]


def test_a_constructor_that_crashes_is_a_crash_like_any_other(world: World):
    born: list[int] = []

    class BornBadly(Witness):
        def __init__(self) -> None:
            born.append(len(born))
            if len(born) < 3:
                raise CrashError
            self.answer()

    line, _handle = world.inbound(BornBadly)
    line.is_connected()
    assert born == [0, 1, 2]


def test_a_call_that_ends_while_its_handler_is_being_restarted_ends(world: World):
    line, handle = world.answered(Fragile)
    handle.ref.tell("crash")
    line.hangs_up()
    world.run(0.5)
    assert [message.call_state for message in world.seen(handle, CallStateEvent)] == ["answered", "ending", "ended"]
    world.run(1)
    assert world.call_actors() == []


def test_a_handler_that_crashes_on_the_end_is_restarted_and_the_actor_still_goes(world: World):
    class CrashesAtTheEnd(Fragile):
        def on_receive(self, message: object) -> None:
            super().on_receive(message)
            if isinstance(message, CallStateEvent) and message.call_state == "ended":
                raise CrashError

    line, handle = world.answered(CrashesAtTheEnd)
    line.hangs_up()
    world.run(0.5)
    assert handle.ref.incarnation == 1
    world.run(1)
    assert world.call_actors() == []
    assert world.sent("calling.end") == []


# -- given up ----------------------------------------------------------------------------------------------------------


@over_seeds(50)
def test_a_call_whose_handler_keeps_crashing_is_hung_up_once_and_nobody_else_notices(world: World):
    """Proves SEMANTICS X7: a caller is never left in silence by a crash loop."""
    line, handle = world.answered(Fragile)
    other_line, other = world.inbound(number="+15550002222")
    other.answer().get(timeout=5)
    waits = [handle.wait_for("calling.call.hold"), handle.play_silence(60).wait()]
    for _ in range(4):
        handle.ref.tell("crash")
    line.is_hung_up()
    world.settle()
    assert [(params["call_id"], params["reason"]) for params in world.sent("calling.end")] == [
        (handle.call_id, "error")
    ]
    assert world.count("calls.abandoned") == 1
    assert handle.ref.incarnation == 4
    assert len(world.seen(handle, str)) == 4
    assert all(wait.is_settled for wait in waits)
    assert other.ref.incarnation == 0
    assert not other_line.is_over
    assert other.perform(Hold()).get(timeout=5)["code"] == "200"
    world.run(2)
    assert len(world.call_actors()) == 1


def test_a_call_has_as_many_restarts_as_its_class_says_within_its_time(world: World):
    """Proves SEMANTICS S6 for calls: two crashes in ten seconds are borne; what is older does not count."""

    class Careful(Fragile):
        max_restarts = 2
        within_s = 10.0

    line, handle = world.answered(Careful)
    for _ in range(6):
        crash(world, handle)
        world.run(5.5)
    assert not line.is_over
    for _ in range(3):
        handle.ref.tell("crash")
    line.is_hung_up()


@over_seeds(5)
def test_a_call_that_cannot_even_start_is_hung_up_once(world: World):
    class Stillborn(CallActor):
        def on_start(self) -> None:
            raise CrashError

    line, _handle = world.inbound(Stillborn)
    line.is_hung_up()
    world.run(20)
    assert len(world.sent("calling.end")) == 1
    assert world.call_actors() == []


@over_seeds(5)
def test_a_call_that_is_given_up_after_it_was_handed_on_is_not_hung_up(world: World):
    """It is somebody else's."""
    line, handle = world.answered(Fragile)
    handle.transfer("context:sales").get(timeout=5)
    for _ in range(5):
        handle.ref.tell("crash")
    world.run(5)
    assert world.sent("calling.end") == []
    assert not line.is_over
    assert world.call_actors() == []


def test_a_call_that_is_given_up_while_it_is_being_handed_on_waits_for_the_answer(world: World):
    """It may be somebody else's in a moment; if it was refused, it is hung up after all."""
    line, handle = world.answered(Fragile)
    world.sim.answer_late("calling.transfer", seconds=2)
    world.sim.reject_next("calling.transfer", code="500")
    handle.transfer("context:sales")
    world.settle()
    for _ in range(4):
        handle.ref.tell("crash")
    world.run(1)
    assert world.sent("calling.end") == []
    line.is_hung_up()


def test_a_call_that_is_being_hung_up_is_not_hung_up_again_when_it_is_given_up(world: World):
    line, handle = world.answered(Fragile)
    world.sim.answer_late("calling.end", seconds=2)
    handle.hangup("busy")
    for _ in range(4):
        handle.ref.tell("crash")
    line.is_hung_up()
    world.run(5)
    assert [params["reason"] for params in world.sent("calling.end")] == ["busy"]


@over_seeds(5)
def test_a_class_may_say_who_takes_over(world: World):
    """For example to apologise (SEMANTICS X7)."""

    class Apology(CallActor):
        async def run(self) -> None:
            await self.play_tts(f"Sorry, {self.data['name']}.").wait()

    class Broken(Fragile):
        max_restarts = 1
        on_give_up = HandTo(Apology)

    line, handle = world.answered(Broken)
    handle.data["name"] = "Ada"
    for _ in range(2):
        handle.ref.tell("crash")
    line.hears("sorry, ada")
    line.is_hung_up()
    assert len(world.sent("calling.end")) == 1


def test_who_takes_over_and_crashes_too_is_no_reason_to_leave_the_call_up(world: World):
    class Hopeless(CallActor):
        def on_start(self) -> None:
            raise CrashError

    class Broken(Fragile):
        max_restarts = 1
        on_give_up = HandTo(Hopeless)

    line, handle = world.answered(Broken)
    for _ in range(2):
        handle.ref.tell("crash")
    line.is_hung_up()
    assert len(world.sent("calling.end")) == 1


def test_the_actor_of_a_call_that_is_given_up_tells_its_author_nothing_more(world: World):
    line, handle = world.answered(Fragile)
    for _ in range(4):
        handle.ref.tell("crash")
    handle.ref.tell("anybody there?")
    line.is_hung_up()
    world.run(1)
    assert world.seen(handle, str) == ["crash"] * 4
    assert [message.call_state for message in world.seen(handle, CallStateEvent)] == ["answered"]


def test_a_given_up_call_of_a_session_that_is_gone_goes_too(world: World):
    """The hang-up cannot be answered any more; the actor must not wait for ever (SEMANTICS X3, K8)."""
    _line, handle = world.answered(Fragile)
    world.sim.stop_answering("calling.end")
    for _ in range(4):
        handle.ref.tell("crash")
    world.run(1)
    world.sim.announce_disconnect(restart=True)
    world.run(10)
    assert world.call_actors() == []


# -- on threads, over a socket -----------------------------------------------------------------------------------------


@pytest.mark.relay(real=True)
def test_idle_calls_cost_no_threads(relay_app: AppRunner, relay_sim: Simulator):
    """Proves SEMANTICS D6: 2,000 calls are up, and nobody is there for them but the threads that were there before."""
    app = RelayApp(max_active_calls=5000)
    answered = threading.Semaphore(0)

    @app.calls(CONTEXT)
    class Idle(CallActor):
        def on_receive(self, message: object) -> None:
            match message:
                case CallReceiveEvent():
                    self.answer()
                case CallStateEvent(call_state="answered"):
                    answered.release()

    relay_app(app)
    lines = [relay_sim.phone("+15550000000").dials(context=CONTEXT)]
    assert answered.acquire(timeout=DEADLINE_S)
    before = {thread.name for thread in threading.enumerate()}
    lines += [relay_sim.phone(f"+1555{number:07}").dials(context=CONTEXT) for number in range(1, 2000)]
    for number in range(1, 2000):
        assert answered.acquire(timeout=DEADLINE_S), f"only {number} calls were answered"
    more = {thread.name for thread in threading.enumerate()} - before
    # A round of many turns may bring in the spare thread that takes over when one turn lasts too long.
    assert len(more) <= 2, f"threads began with the calls: {sorted(more)}"
    assert sum(line.state == "answered" for line in lines) == 2000
    for line in lines:
        line.hangs_up()


@pytest.mark.relay(real=True)
def test_a_handler_that_blocks_delays_no_other_call(relay_app: AppRunner, relay_sim: Simulator):
    """Proves SEMANTICS K11 and D5: it costs its own call only; of ten tries the best is under 50 ms."""
    app = RelayApp()
    release, blocked = threading.Event(), threading.Event()

    @app.calls("blocks")
    class Blocks(CallActor):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                blocked.set()
                release.wait(DEADLINE_S)

    @app.calls("quick")
    class Quick(CallActor):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                self.answer()

    relay_app(app)
    try:
        stuck = relay_sim.phone("+15550009999").dials(context="blocks")
        assert blocked.wait(DEADLINE_S)
        took = [_answer_one(relay_sim, number) for number in range(10)]
        assert min(took) < 0.050, f"every call was delayed, seconds={took}"
    finally:
        release.set()
    stuck.hangs_up()


@pytest.mark.relay(real=True)
def test_a_handler_that_blocks_is_reported_with_the_id_of_its_call(relay_app: AppRunner, relay_sim: Simulator):
    """SEMANTICS A16: with class, call and type of the message, and never what the message says."""
    app = RelayApp()
    release, reported = threading.Event(), threading.Event()
    texts: list[str] = []

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("a handler blocks"):
                texts.append(record.getMessage())
                reported.set()

    @app.calls("blocks")
    class Blocks(CallActor):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                release.wait(DEADLINE_S)

    log, watch = logging.getLogger("relay_actors.runtime"), Watch()
    log.addHandler(watch)
    try:
        relay_app(app)
        stuck = relay_sim.phone("+15550009999").dials(context="blocks")
        assert reported.wait(DEADLINE_S)
    finally:
        log.removeHandler(watch)
        release.set()
    assert re.search(
        rf"actor=Blocks#\d+ label={stuck.call_id} message=CallReceiveEvent blocked_s=0\.\d+.*test_call\.py",
        texts[0],
        re.DOTALL,
    )
    assert "+15550009999" not in texts[0]
    stuck.hangs_up()


def _answer_one(sim: Simulator, number: int) -> float:
    """Return how many seconds it takes until a call is answered."""
    before = time.monotonic()
    line = sim.phone(f"+1555000{number:04}").dials(context="quick")
    line.is_connected(within=DEADLINE_S)
    took = time.monotonic() - before
    line.hangs_up()
    return took


def test_nobody_waits_for_a_call_that_had_to_be_killed(relay_server: SimulatorServer, relay_sim: Simulator):
    """An application that stops does not wait for a handler that hangs; nor does anybody else (SEMANTICS X2)."""
    app = RelayApp(timing=Timing(stop_timeout_s=0.1))
    offered, blocked, release = threading.Event(), threading.Event(), threading.Event()

    @app.calls(CONTEXT)
    class Hangs(CallActor):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                offered.set()
            elif message == "hang":
                blocked.set()
                release.wait(DEADLINE_S)

    before = set(threading.enumerate())
    app.start(host=f"{relay_server.host}:{relay_server.port}", project="project", token="token", scheme="ws")
    line = relay_sim.phone(CALLER).dials(context=CONTEXT)
    try:
        assert offered.wait(DEADLINE_S)
        handle = app.call(line.call_id)
        assert handle is not None
        handle.answer().get(timeout=DEADLINE_S)
        action = handle.play_silence(60).get(timeout=DEADLINE_S)
        futures: list[Any] = [handle.wait_for_ended(), handle.wait_for("x"), action.wait()]
        handle.ref.tell("hang")
        assert blocked.wait(DEADLINE_S)
        futures += [handle.wait_for_ended(), handle.wait_for("x"), handle.disconnect(), handle.record().wait()]
        assert app.stop() is False
        assert all(future.is_settled for future in futures)
    finally:
        release.set()
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith(app.name):
            thread.join(DEADLINE_S)
    line.hangs_up()


@pytest.mark.relay(real=True)
def test_a_menu_over_a_real_socket(relay_app: AppRunner, relay_sim: Simulator):
    """The same story as in virtual time, where bytes move and threads take turns."""
    app = RelayApp()
    ends: list[RelayEvent] = []

    @app.calls(CONTEXT)
    class Menu(CallActor):
        def on_receive(self, message: object) -> None:
            match message:
                case CallReceiveEvent():
                    self.answer()
                case CallStateEvent(call_state="answered"):
                    self.prompt_tts("Press 1 for sales.", {"digits": {"max": 1}})
                case ActionCompleted(event=CollectEvent(digits=digits)):
                    self.hangup(after=self.play_tts(f"You pressed {digits}."))
                case CallStateEvent(call_state="ended"):
                    ends.append(message)

    relay_app(app)
    caller = relay_sim.phone(CALLER).dials(context=CONTEXT)
    caller.hears("press 1").presses("1")
    caller.hears("you pressed 1").is_hung_up()
    handle = app.call(caller.call_id)
    if handle is not None:  # it lingers for a moment
        handle.wait_for_ended().get(timeout=DEADLINE_S)
        with pytest.raises(CallEnded):
            handle.answer().get(timeout=DEADLINE_S)
    assert relay_sim.violations == ()


@pytest.mark.parametrize("name", ["_send", "_report", "leave", "on_answered", "refuse", "later", "leg"])
def test_a_class_that_takes_a_name_from_the_engine_is_refused_where_it_is_written(name: str) -> None:
    """It would go wrong in the middle of a call."""
    with pytest.raises(TypeError, match=rf"Mine\.{name} takes the place of a part of the engine"):
        type("Mine", (CallActor,), {name: lambda self: None})

    class Mixin:
        pass

    setattr(Mixin, name, lambda self: None)
    with pytest.raises(TypeError, match=rf"Mixin\.{name} takes"):
        type("Mine", (Mixin, CallActor), {})


@pytest.mark.parametrize("name", ["now", "data", "on_recovered", "label", "say", "count", "_step"])
def test_a_class_may_have_names_of_its_own_and_those_that_only_it_uses(name: str) -> None:
    type("Mine", (CallActor,), {name: lambda self: None})
