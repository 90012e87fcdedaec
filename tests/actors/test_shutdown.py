"""The end of an application: six phases, what belongs to them, and what becomes of those who are still up."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import math
import os
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest

from relay_actors import (
    Actor,
    Apologise,
    CallActor,
    DialFailed,
    HangUp,
    LeaveUp,
    MessageActor,
    RelayApp,
    TransferTo,
)
from relay_actors.actors.message_handle import MessageHandle
from relay_actors.actors.shutdown import Shutdown
from relay_actors.actors.shutdown_tasks import PHASES
from relay_actors.errors import ConfigError, ConnectionLostError, NotSentError
from relay_actors.events import CallReceiveEvent, CallStateEvent, MessageReceiveEvent
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.future import Future
from relay_actors.simulator import Simulator
from relay_actors.testing import AppRunner, PhoneMaker
from tests.actors.world import CONTEXT, OURS, Witness, World, device, over_seeds
from tests.support.plain_app import logged_in, wait_until
from tests.support.plain_server import DEADLINE_S, PlainServer

AGENT = "+15550100101"


def shutdown_of(world: World) -> Shutdown:
    shutdown = world.app._run
    assert shutdown is not None
    return shutdown


def phases_now(world: World) -> tuple[str, ...]:
    return shutdown_of(world)._phases.current


# -- the phases ------------------------------------------------------------------------------------------------------


@over_seeds(5)
def test_the_phases_come_one_after_the_other(world: World):
    """H5: tasks of the user's see the connection, the calls and the actors as the phase says."""
    seen: list[tuple[str, int, bool]] = []
    line, _handle = world.answered(Witness)

    def look(phase: str) -> None:
        seen.append((phase, world.tree.calls_up, world.tree.is_connected))

    for phase in reversed(PHASES):
        world.app.on_shutdown(phase, lambda phase=phase: look(phase))  # type: ignore[misc]
    over = shutdown_of(world).begin(600.0)
    world.run(5)
    assert phases_now(world) == ("drain_calls",)
    line.hangs_up()
    assert over.get(timeout=10) is True
    assert [phase for phase, _up, _connected in seen] == list(PHASES)
    assert [up for _phase, up, _connected in seen] == [1, 1, 1, 0, 0, 0]
    assert [connected for _phase, _up, connected in seen[:4]] == [True] * 4
    assert world.app.stop() is True


def test_a_task_may_be_a_coroutine_function_and_await_what_a_flow_may(world: World):
    """H5."""
    told: list[object] = []
    line, handle = world.answered(Witness)

    async def report() -> None:
        told.append(await world.app.execute("calling.x", {}))

    async def wait_for_the_caller() -> None:
        told.append((await handle.wait_for_ended()).end_reason)

    world.sim.reject_next("calling.x", code="200", message="OK")
    world.app.on_shutdown("stop_actions", report)
    world.app.on_shutdown("drain_calls", wait_for_the_caller)
    over = shutdown_of(world).begin(600.0)
    world.run(1)
    line.hangs_up()
    over.get(timeout=10)
    assert told[0] == "hangup"
    assert len(told) == 2


def test_what_a_task_returns_that_can_be_awaited_is_awaited(world: World):
    """A lambda around a coroutine is no coroutine function, and what it was to do would never be done. H5."""
    told: list[object] = []
    world.start()

    async def report(what: str) -> None:
        told.append(await world.app.execute("calling.x", {"what": what}))

    world.sim.reject_next("calling.x", code="200", message="OK")
    world.app.on_shutdown("stop_actions", lambda: report("lambda"))
    shutdown_of(world).begin(600.0).get(timeout=10)
    assert len(told) == 1


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("drain_s", [0.0, 60.0])
def test_a_task_finds_the_services(world: World, caplog: pytest.LogCaptureFixture, phase: str, drain_s: float):
    """H5: although it has no turn; also at the end of ``with app:``, which is a stop without a drain."""
    told: list[object] = []
    world.start()
    world.app.service(Listener, told, name="listener")

    def tell() -> None:
        listener = world.app.lookup("listener")
        assert listener is not None
        listener.ask(phase, timeout=5)

    world.app.on_shutdown(phase, tell)
    assert world.app.stop(drain_s=drain_s)
    assert told == [phase]
    assert "tell failed" not in caplog.text
    with pytest.raises(ConfigError, match="is not running"):
        world.app.lookup("listener")


class Listener(Actor):
    """A service that notes what it is told."""

    def __init__(self, told: list[object]) -> None:
        super().__init__()
        self.told = told

    def on_receive(self, message: object) -> None:
        self.told.append(message)


@pytest.mark.parametrize("timeout_s", [None, 2.0])
def test_a_task_that_takes_too_long_or_fails_does_not_keep_the_application(
    world: World, caplog: pytest.LogCaptureFixture, timeout_s: float | None
):
    """H5: both are logged, and the next phase begins."""
    world.start()
    never: Future[None] = Future(world.dispatcher)

    async def hangs() -> None:
        await never

    def fails() -> None:
        raise OSError("no disk")

    world.app.on_shutdown("stop_intake", hangs, timeout_s=timeout_s)
    world.app.on_shutdown("close_connections", fails)
    begun = world.clock.now()
    assert world.app.stop() is True
    assert world.clock.now() - begun == pytest.approx(timeout_s or world.app.timing.stop_timeout_s)
    assert "shutdown phase=stop_intake" in caplog.text
    assert "hangs was not done within" in caplog.text
    assert "phase=close_connections" in caplog.text
    assert "fails failed: OSError: no disk" in caplog.text


def test_a_task_for_a_phase_that_has_begun_is_refused(world: World):
    """H8: it would never run. One for a later phase is taken; each runs at every shutdown."""
    ran: list[str] = []
    line, _handle = world.answered(Witness)
    over = shutdown_of(world).begin(600.0)
    world.run(1)
    for phase in PHASES[:3]:
        with pytest.raises(ConfigError, match=f"phase '{phase}' has begun, and takes no more tasks"):
            world.app.on_shutdown(phase, lambda: ran.append("never"))
    world.app.on_shutdown("stop_actions", lambda: ran.append("later"))
    line.hangs_up()
    over.get(timeout=10)
    assert ran == ["later"]


def test_what_is_begun_twice_is_done_once_and_the_earlier_deadline_counts(world: World):
    """H8: also a stop that finds a drain under way."""
    ran: list[str] = []
    line, _handle = world.answered(Witness)
    world.app.on_shutdown("stop_intake", lambda: ran.append("once"))
    first = shutdown_of(world).begin(600.0)
    world.run(1)
    begun = world.clock.now()
    assert shutdown_of(world).begin(7.0) is first
    assert shutdown_of(world).begin(math.inf) is first
    line.is_hung_up(within=8.0)
    assert world.clock.now() - begun == pytest.approx(7.0, abs=0.1)
    assert world.app.stop() is True
    assert world.app.stop() is True
    assert ran == ["once"]
    assert len(world.sim.frames.received("signalwire.unreceive")) == 1


# -- what is waited for ----------------------------------------------------------------------------------------------


class Asks(CallActor):
    """Begins something else when its own call is over."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallStateEvent(call_state="ended") if self.direction == "inbound":
                self.app.dial(Witness, [[device(AGENT)]])
            case _:
                super().on_receive(message)


@over_seeds(5)
def test_a_drain_waits_for_calls_that_are_up_and_for_those_that_they_begin(world: World):
    """H6: a dial of a call that has just ended counts as well."""
    line, _handle = world.answered(Asks)
    phone = world.sim.phone(AGENT).answers()
    over = shutdown_of(world).begin(600.0)
    world.run(2)
    line.hangs_up()
    phone.rings()
    world.run(5)
    assert phases_now(world) == ("drain_calls",)
    phone.hangs_up()
    assert over.get(timeout=10) is True
    assert world.tree.calls_up == 0


@over_seeds(20)
def test_what_was_accepted_and_has_not_begun_is_finished_before_calls_are_looked_at(world: World):
    """H6: an offer on its way to its actor, a dial, a text that is sent, and one that has come (LiveKit #4268)."""
    begun: list[str] = []

    class Call(Witness):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                begun.append("call")
                self.answer()
            super().on_receive(message)

    class Inbox(MessageActor):
        def on_receive(self, message: object) -> None:
            if isinstance(message, MessageReceiveEvent):
                begun.append("text")
                self.reply("Thank you.")

    world.app.messages(CONTEXT)(Inbox)
    world.takes_calls(Call)
    world.sim.answer_late("messaging.send", seconds=3, times=2)
    caller = world.sim.phone("+15550001111").dials(context=CONTEXT)
    world.until(lambda: world.tree.handles())
    world.sim.phone("+15550002222").texts("Hello", context=CONTEXT)
    world.until(lambda: world.tree.texts())
    rung = world.sim.phone(AGENT).answers_after(2)
    world.app.dial(Witness, [[device(AGENT)]], tag="t")
    sms = world.app.send_message(to_number="+15550003333", from_number=OURS, body="Hi")
    over = shutdown_of(world).begin(600.0)
    world.until(lambda: phases_now(world) == ("drain_calls",), within_s=30)
    assert sorted(begun) == ["call", "text"]
    assert rung.line.state == "answered"
    assert sms.message_id
    assert len(world.sent("messaging.send")) == 2
    assert not over.is_settled
    caller.hangs_up()
    rung.hangs_up()
    assert over.get(timeout=30) is True


@over_seeds(5)
@pytest.mark.parametrize("drain_s", [600.0, 2.05])
def test_a_flow_that_goes_on_after_its_call_is_waited_for(world: World, drain_s: float):
    """H6: it may write down what the call was about; at the deadline it is not waited for."""

    class Writes(CallActor):
        async def run(self) -> None:
            try:
                await self.answer()
                await self.next(str)
            finally:
                await self.sleep(4)
                self.data["written"] = True

    line, handle = world.inbound(Writes)
    world.run(1)
    line.hangs_up()
    world.until(lambda: handle.leg.is_ended)
    begun = world.clock.now()
    assert world.app.stop(drain_s) is True  # with no timer left
    assert world.clock.now() - begun == pytest.approx(min(drain_s, 4.0), abs=0.2)
    assert handle.data.get("written", False) is (drain_s > 4.0)


def test_while_calls_are_drained_they_may_ask_the_application_for_everything(world: World):
    """H6: a stop that drains is no end yet for those who are up."""

    class Queue(Actor):
        def on_receive(self, message: object) -> object:
            return message

    class Needs(CallActor):
        async def run(self) -> None:
            await self.answer()
            await self.sleep(5)
            queue = self.app.lookup("queue")
            assert queue is not None
            self.data["found"] = queue.ask("you", block=False)

    world.app.service(Queue, name="queue")
    line, handle = world.inbound(Needs)
    world.settle()
    assert world.app.stop(drain_s=60.0) is True
    assert handle.data["found"].get(timeout=1) == "you"
    assert line.is_over
    assert handle.ref.incarnation == 0


def test_a_drain_says_how_far_it_is(world: World, caplog: pytest.LogCaptureFixture):
    """H7: every ten seconds, and not any more when it is over."""
    caplog.set_level(logging.INFO, "relay_actors.app")
    first, _handle = world.answered(Witness)
    world.run(30)
    second, _other = world.inbound(number="+15550002222")
    over = shutdown_of(world).begin(600.0)
    world.run(15)
    second.hangs_up()
    world.run(10)
    first.hangs_up()
    assert over.get(timeout=10) is True
    world.run(60)
    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("draining")]
    assert told == [
        "draining calls_up=2 longest_s=40 left_s=590",
        "draining calls_up=1 longest_s=50 left_s=580",
    ]


def test_a_drain_says_what_it_waits_for_when_no_call_is_up(world: World, caplog: pytest.LogCaptureFixture):
    """H7: a text that is being handled, a flow that goes on after its call, and a task."""
    caplog.set_level(logging.INFO, "relay_actors.app")

    class Slow(MessageActor):
        async def on_receive(self, message: object) -> None:
            await self.sleep(15)

    class Writes(CallActor):
        async def run(self) -> None:
            try:
                await self.answer()
                await self.next(str)
            finally:
                await self.sleep(25)

    world.app.messages(CONTEXT)(Slow)

    async def flush() -> None:
        await flushed

    world.app.on_shutdown("finish_accepted", flush)
    line, handle = world.inbound(Writes)
    flushed = Future[None](world.app.system.dispatcher)
    world.run(1)
    line.hangs_up()
    world.until(lambda: handle.leg.is_ended)
    world.sim.phone("+15550002222").texts("Hello", context=CONTEXT)
    world.until(lambda: world.tree.texts())
    over = shutdown_of(world).begin(600.0)
    world.run(11)
    flushed.set(None)
    world.run(10)
    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("draining")]
    assert told == [
        f"draining calls_up=0 longest_s=0 left_s=590 texts=1 flows_after_calls=1 tasks={flush.__qualname__}",
        "draining calls_up=0 longest_s=0 left_s=580 flows_after_calls=1",
    ]
    assert over.get(timeout=60) is True


def test_nobody_is_waited_for_when_nobody_is_up(world: World):
    """H5."""
    world.start()
    begun = world.clock.now()
    assert world.app.stop(drain_s=600.0) is True
    assert world.clock.now() - begun < 0.5


# -- what becomes of those who are still up --------------------------------------------------------------------------


def at_deadline(world: World, policy: Any) -> None:
    world.app._at_deadline = policy  # what the constructor sets: the world has made the application already


@over_seeds(3)
@pytest.mark.parametrize(
    "policy", [HangUp("busy"), Apologise("We are closing."), TransferTo("context:sales"), LeaveUp()]
)
def test_at_the_deadline_the_applications_policy_decides(world: World, policy: Any):
    """H7: hang up, take leave, transfer, or leave up; who rings is turned away by all but a transfer."""
    at_deadline(world, policy)
    line, handle = world.answered(Witness)
    rings, _other = world.inbound(number="+15550002222")
    never = world.sim.phone(AGENT).never_answers()
    waits = handle.wait_for_ended()
    world.app.dial(Witness, [[device(AGENT)]])
    never.rings()
    assert world.app.stop(drain_s=3.0) is True
    if isinstance(policy, Apologise):
        line.hears("we are closing")
    ends = {params["call_id"]: params["reason"] for params in world.sent("calling.end")}
    assert len(ends) == len(world.sent("calling.end"))
    stays = isinstance(policy, LeaveUp | TransferTo)
    assert line.is_over is not stays
    assert ends.get(line.call_id) == (None if stays else "busy" if policy == HangUp("busy") else "hangup")
    if isinstance(policy, LeaveUp):
        with pytest.raises(ConnectionLostError, match="left to the server"):
            waits.get(timeout=1)
    if isinstance(policy, TransferTo):
        assert {params["dest"] for params in world.sent("calling.transfer")} == {"context:sales"}
    else:
        assert rings.is_over
    assert never.line.is_over


@over_seeds(3)
@pytest.mark.parametrize("catches", [False, True])
@pytest.mark.parametrize("kind", ["shared", "loop", "where_it_was", "thread"])
def test_the_flow_of_a_call_that_is_left_up_ends_and_nothing_more_is_sent(world: World, kind: str, catches: bool):
    """H7: those who talk are not bridged again, or hung up, by a flow that is told that its call was let go."""

    class Bridges(CallActor):
        async def run(self) -> None:
            self.data["runs"] = self.data.get("runs", 0) + 1
            try:
                await self.answer()
                await self.connect([[device(AGENT)]])
                await self.next(str)
            except BaseException as error:
                self.data["saw"] = type(error)
                if not catches:
                    raise
            finally:
                self.hangup()
                await self.sleep(0.1)
                self.data["is_clean"] = True

    class OnLoop(Bridges):
        dispatcher = "loop"

    class GoesOn(Bridges):
        restart_flow = "where_it_was"

    class OnThread(CallActor):
        def run(self) -> None:
            self.data["runs"] = self.data.get("runs", 0) + 1
            try:
                self.answer().get()
                self.connect([[device(AGENT)]]).get()
                self.next(str).get()
            except BaseException as error:
                self.data["saw"] = type(error)
                if not catches:
                    raise
            finally:
                self.hangup()
                self.sleep(0.1).get()
                self.data["is_clean"] = True

    at_deadline(world, LeaveUp())
    world.sim.phone(AGENT).answers_after(0.5)
    kinds: dict[str, type[CallActor]] = {"loop": OnLoop, "where_it_was": GoesOn, "thread": OnThread}
    line, handle = world.inbound(kinds.get(kind, Bridges))
    world.until(lambda: handle.leg.is_bridged)
    assert world.app.stop(drain_s=1.0) is True
    assert not line.is_over
    assert world.methods() == ["calling.answer", "calling.connect"]
    assert handle.data == {"runs": 1, "saw": asyncio.CancelledError, "is_clean": True}
    assert world.count("actors.failed") == 0


def test_what_was_to_come_after_an_operation_of_a_call_that_is_left_up_does_not_come(world: World):
    """H7: its end is not heard of any more. Who has asked for it is told so."""
    at_deadline(world, LeaveUp())
    line, handle = world.answered(Witness)
    music = handle.play_silence(3600).get(timeout=5.0)
    last_word = handle.hangup(after=music)
    assert world.app.stop() is True
    assert not line.is_over
    assert world.sent("calling.end") == []
    with pytest.raises(ConnectionLostError, match="left to the server"):
        last_word.get(timeout=1)


@over_seeds(5)
def test_who_is_rung_rings_on_when_the_application_leaves_without_a_word(world: World):
    """PROTOCOL 6.2: nothing is sent, be it of a call that is up, or of a dial that nobody has answered yet."""
    line, _handle = world.answered(Witness)
    phone = world.sim.phone(AGENT).never_answers()
    world.app.dial(Witness, [[device(AGENT)]])
    phone.rings(within=5)
    before = world.methods()
    assert world.app.leave(ConnectionLostError("gone")) is True
    world.run(1)
    assert world.methods() == before
    assert not line.is_over
    assert not phone.line.is_over


@over_seeds(5)
@pytest.mark.parametrize("policy", [HangUp("hangup"), Apologise("We are closing."), LeaveUp()])
def test_a_connection_that_is_down_at_the_deadline_and_comes_back_is_waited_for(world: World, policy: Any):
    """H7, X7: a moment without a network must not leave a caller in silence; one hang-up, or none."""
    at_deadline(world, policy)
    line, _handle = world.answered(Witness)
    over = shutdown_of(world).begin(10.0)
    world.run(8)
    with world.sim.socket_down(seconds=4):
        world.run(3)
    world.run(30)
    assert over.is_settled
    assert line.is_over is not isinstance(policy, LeaveUp)
    assert len(world.sent("calling.end")) == (0 if isinstance(policy, LeaveUp) else 1)
    assert world.app.stop() is True


def test_a_farewell_that_cannot_be_said_is_a_hang_up(world: World):
    """H7: it may not keep the application."""
    at_deadline(world, Apologise("We are closing.", within_s=4.0))
    line, _handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=60)
    begun = world.clock.now()
    assert world.app.stop() is True
    assert line.is_over
    assert world.clock.now() - begun < 6.0


def test_a_transfer_that_is_refused_at_the_deadline_is_a_hang_up(world: World):
    """H7."""
    at_deadline(world, TransferTo("context:sales"))
    line, _handle = world.answered(Witness)
    world.sim.reject_next("calling.transfer", code="500")
    assert world.app.stop() is True
    assert line.is_over


@pytest.mark.parametrize("when", ["draining", "taking leave"])
def test_hanging_up_does_not_ask_for_the_policy(world: World, when: str):
    """H7: the third signal; also while leave is taken of those who are up."""
    at_deadline(world, Apologise("We are closing. " * 60, within_s=60.0))
    line, _handle = world.answered(Witness)
    over = shutdown_of(world).begin(600.0 if when == "draining" else 0.0)
    world.run(2)
    assert not line.is_over
    shutdown_of(world).hang_up()
    line.is_hung_up(within=1.0)
    assert over.get(timeout=10) is False  # the drain was cut short
    assert len(world.sent("calling.end")) == 1


# -- on threads ------------------------------------------------------------------------------------------------------


def test_two_threads_that_stop_it_wait_for_the_same_end(server: PlainServer):
    """H8: with a task that blocks until both are there."""
    begun, go_on = threading.Event(), threading.Event()
    stopped: list[bool] = []
    with logged_in(server) as (app, peer):
        ran: list[str] = []

        def task() -> None:
            begun.set()
            assert go_on.wait(DEADLINE_S)
            ran.append("task")

        app.on_shutdown("stop_intake", task)
        stopping = [
            threading.Thread(target=lambda drain_s: stopped.append(app.stop(drain_s)), args=[drain_s])
            for drain_s in (5.0, 0.0)
        ]
        for thread in stopping:
            thread.start()
        assert begun.wait(DEADLINE_S)
        assert stopped == []
        go_on.set()
        for thread in stopping:
            thread.join(DEADLINE_S)
        assert stopped == [True, True]
        assert ran == ["task"]
        assert peer.expect_end() == "goodbye"


@pytest.mark.relay(real=True)
@pytest.mark.parametrize("hands_over", [False, True])
def test_nothing_is_left_of_a_whole_application(
    relay_app: AppRunner, relay_sim: Simulator, phone: PhoneMaker, tmp_path: Path, hands_over: bool
):
    """H9: no thread, no socket, no file, no timer: after calls, dials, texts, services, tasks, timers and a journal."""

    class Ticks(Actor):
        def on_start(self) -> None:
            self.start_timer("tick", "tick", 0.01, interval_s=0.01)

        def on_receive(self, message: object) -> None:
            """Nothing is to be done."""

    class Talks(CallActor):
        async def run(self) -> None:
            await self.answer()
            self.start_timer("hour", "hour", 3600)
            await self.blocking(threading.get_ident)
            await self.play_silence(3600).wait(timeout=3600)

    class Pinned(Talks):
        dispatcher = "pinned"

    class Blocks(CallActor):
        def run(self) -> None:
            self.answer().get()
            self.play_silence(3600).wait(timeout=3600).get()

    def start() -> RelayApp:
        app = RelayApp(contexts=["x"], journal=tmp_path / "calls.db")
        app.calls(CONTEXT)(Talks)
        app.calls("pinned")(Pinned)
        app.calls("thread")(Blocks)
        app.service(Ticks, name="ticks")
        app.on_shutdown("finish_accepted", lambda: None)
        return relay_app(app)

    start().stop()  # what is made once per process, here and in the server, is made now
    gc.collect()
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    app = start()
    contexts = {"+15550001111": CONTEXT, "+15550002222": "pinned", "+15550003333": "thread"}
    callers = [phone(number).dials(context=context) for number, context in contexts.items()]
    for caller in callers:
        wait_until(lambda caller=caller: caller.state == "answered")  # type: ignore[misc]
    phone(AGENT).never_answers()
    app.dial(Talks, [[device(AGENT)]])
    app.send_message(to_number=AGENT, from_number=OURS, body="Hi").sent.get(timeout=DEADLINE_S)
    dispatcher = app.system.dispatcher
    assert isinstance(dispatcher, BatonDispatcher)
    assert dispatcher.pending_timers > 0
    if hands_over:
        assert app.hand_over() is True
        assert not any(caller.is_over for caller in callers)
        for line in [line for anybody in relay_sim.phones for line in anybody.lines]:
            line.hangs_up()
    else:
        assert app.stop(drain_s=0.05) is True
        for caller in callers:
            caller.is_hung_up()
    wait_until(lambda: not {thread for thread in threading.enumerate() if not thread.daemon} - threads)
    assert not [thread for thread in set(threading.enumerate()) - threads if thread.name.startswith("relay-")]
    gc.collect()
    wait_until(lambda: open_descriptors() <= descriptors, f"the end of {open_descriptors() - descriptors}")
    assert app.calls_up == 0
    assert dispatcher.pending_timers == 0


def open_descriptors() -> Counter[str]:
    """Return what kinds of descriptors this process has, and how many of each."""
    kinds: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # that of the listing itself
            kinds[re.sub(r"[0-9]+", "", os.readlink(f"/proc/self/fd/{name}"))] += 1
    return kinds


# -- dials -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", range(5))
@pytest.mark.relay(real=True)
def test_a_dial_that_has_just_begun_does_not_ring_on_after_the_stop(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator, attempt: int
) -> None:
    """X9: whom it rings is known only from the server, which may not have said it yet."""
    app = RelayApp()
    relay_app(app)
    app.dial(Witness, [[device(AGENT)]])
    phone(AGENT).rings()
    assert app.stop()
    assert not relay_sim.calls_up()


def test_a_dial_that_the_server_says_nothing_of_is_not_waited_for_long(world: World) -> None:
    """H6: only for as long as a call lingers."""
    world.start()
    world.sim.stop_answering("calling.dial")
    world.app.dial(Witness, [[device(AGENT)]])
    world.run(0.5)
    began = world.clock.now()
    world.app.stop()
    assert world.clock.now() - began <= world.app.timing.linger_s + 0.2


class AsksWhenItFails(CallActor):
    """Asks the application for things when nobody has answered its dial."""

    found: ClassVar[list[object]] = []

    def on_receive(self, message: object) -> None:
        if isinstance(message, DialFailed):
            self.found += [self.app.lookup("note"), self.app.call("nobody")]
            self.found.append(self.app.send_message(to_number=AGENT, from_number=OURS, body="You were not there."))
            try:
                self.app.dial(Witness, [[device(AGENT)]])
            except NotSentError as error:
                self.found.append(error)


def test_calls_that_are_ended_by_a_stop_may_still_ask_the_application_for_things(world: World) -> None:
    """H5: it is their code that runs last; nobody is dialled any more."""
    AsksWhenItFails.found.clear()
    world.app.service(Actor, name="note")
    world.start()
    world.app.dial(AsksWhenItFails, [[device(AGENT)]])
    world.run(0.5)
    assert world.app.stop()
    service, nobody, text, refused = AsksWhenItFails.found
    assert service is not None
    assert nobody is None
    assert isinstance(text, MessageHandle)
    assert "dials nobody" in str(refused)
    with pytest.raises(ConfigError, match="not running"):
        world.app.lookup("note")
