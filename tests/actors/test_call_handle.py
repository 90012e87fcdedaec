"""A call as others hold it: from threads, from asyncio, and after its end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from relay_actors import ActionCompleted, CallActor, CallEnded, RelayApp
from relay_actors.actors.call_handle import CallHandle
from relay_actors.errors import CommandRejectedError
from relay_actors.events import CallReceiveEvent, HoldEvent, PlayEvent
from relay_actors.protocol.commands import Hold
from relay_actors.simulator import Line, Simulator
from relay_actors.testing import AppRunner, SimulatorServer
from tests.actors.world import CALLER, CONTEXT, Witness, World, over_seeds

DEADLINE_S = 10.0


def test_a_handle_knows_what_its_actor_knows(world: World):
    line, handle = world.inbound(Witness)
    assert (handle.call_id, handle.tag, handle.state) == (line.call_id, "", "created")
    assert (handle.direction, handle.end_reason) == ("inbound", "")
    assert handle.device["type"] == "phone"
    assert repr(handle) == f"<CallHandle id='{line.call_id}' state='created' direction='inbound'>"
    line.hangs_up()
    world.run(60)
    assert (handle.state, handle.end_reason) == ("ended", "abandoned")


def test_any_two_handles_are_of_the_same_call(world: World):
    line, handle = world.inbound(Witness)
    other = world.app.call(line.call_id)
    assert other is not None
    assert other.ref == handle.ref
    other.answer().get(timeout=5)
    assert handle.wait_for_answered().get(timeout=5)


def test_there_is_no_handle_of_a_call_that_is_not_there(world: World):
    world.start()
    assert world.app.call("nobody") is None


@over_seeds(5)
def test_what_was_ordered_from_outside_is_done_in_order(world: World):
    """Ahead of what others tell the actor, and in the order in which it was asked for (SEMANTICS M1)."""
    _line, handle = world.answered(Witness)
    for number in range(5):
        handle.send_digits(str(number))
    handle.perform(Hold())
    assert [params["digits"] for params in world.sent("calling.send_digits")] == list("01234")
    assert world.methods()[-1] == "calling.hold"


@over_seeds(5)
def test_after_the_end_every_verb_answers_at_once(world: World):
    """Nobody hangs, whether the actor lingers or is gone (SEMANTICS X4)."""
    line, handle = world.answered(Witness)
    line.hangs_up()
    handle.wait_for_ended().get(timeout=5)
    for _ in range(2):
        for verb in (handle.answer, handle.disconnect, handle.pass_, lambda: handle.send_digits("1")):
            with pytest.raises(CallEnded, match="hangup"):
                verb().get(timeout=1)
        with pytest.raises(CallEnded):
            handle.wait_for("calling.call.play").get(timeout=1)
        assert handle.hangup().get(timeout=1) == {}
        assert handle.record().get(timeout=1).wait().get(timeout=1).event_type == ""
        for wait in (handle.wait_for_ringing, handle.wait_for_answered, handle.wait_for_ending, handle.wait_for_ended):
            assert wait().get(timeout=1).params["call_state"] == "ended"
        handle.on("calling.call.play", print)
        world.run(60)
    assert world.methods() == ["calling.answer"]


# -- on threads, over a socket -----------------------------------------------------------------------------------------


@pytest.fixture
def call(relay_server: SimulatorServer, relay_app: AppRunner, relay_sim: Simulator) -> tuple[Line, CallHandle]:
    """A call that is up, over a real socket, handled by nobody but this test."""
    app = RelayApp()
    offered = threading.Event()

    @app.calls(CONTEXT)
    class Offered(Witness):
        def on_receive(self, message: object) -> None:
            super().on_receive(message)
            if isinstance(message, CallReceiveEvent):
                offered.set()

    relay_app(app)
    line = relay_sim.phone(CALLER).dials(context=CONTEXT)
    assert offered.wait(DEADLINE_S)
    handle = app.call(line.call_id)
    assert handle is not None
    return line, handle


def test_a_thread_leads_a_call(call: tuple[Line, CallHandle]):
    line, handle = call
    assert handle.answer().get(timeout=DEADLINE_S)["code"] == "200"
    handle.wait_for_answered().get(timeout=DEADLINE_S)
    heard: list[Any] = []
    handle.on("calling.call.hold", heard.append)
    menu = handle.prompt_tts("Press a key.", {"digits": {"max": 1}}).get(timeout=DEADLINE_S)
    line.hears("press a key").presses("5")
    assert menu.wait(timeout=DEADLINE_S).get().digits == "5"
    assert handle.perform(Hold()).get(timeout=DEADLINE_S)["code"] == "200"
    playing = handle.play_tts("A long text. " * 50, on_completed=heard.append).get(timeout=DEADLINE_S)
    playing.pause().get(timeout=DEADLINE_S)
    playing.resume().get(timeout=DEADLINE_S)
    playing.volume(-3).get(timeout=DEADLINE_S)
    playing.stop().get(timeout=DEADLINE_S)
    assert playing.wait().get(timeout=DEADLINE_S).state == "finished"
    handle.hangup("busy").get(timeout=DEADLINE_S)
    assert handle.wait_for_ended().get(timeout=DEADLINE_S).params["end_reason"] == "busy"
    assert [type(event) for event in heard] == [HoldEvent, PlayEvent]


def test_asyncio_leads_a_call(call: tuple[Line, CallHandle]):
    """Replies, handles and waits can be awaited in a loop that knows nothing of actors, and block it nowhere."""
    line, handle = call

    async def lead() -> list[Any]:
        seen: list[Any] = [(await handle.answer())["code"]]
        await handle.wait_for_answered(timeout=DEADLINE_S)
        playing = await handle.play_tts("Hello from a loop.")
        ticks, event = await asyncio.gather(tick(), playing.wait(timeout=DEADLINE_S))
        seen += [ticks, event.state]
        try:
            await handle.disconnect()
        except CommandRejectedError as error:
            seen.append(error.code)
        await handle.hangup()
        seen.append((await handle.wait_for_ended(timeout=DEADLINE_S)).params["call_state"])
        try:
            await handle.answer()
        except CallEnded as ended:
            seen.append(ended.reason)
        return seen

    async def tick() -> int:
        for _ in range(3):
            await asyncio.sleep(0)
        return 3

    assert asyncio.run(lead()) == ["200", 3, "finished", 409, "ended", "hangup"]
    line.is_hung_up()


def test_many_threads_may_use_one_handle(call: tuple[Line, CallHandle]):
    """Each gets its own replies; the call does one thing at a time."""
    line, handle = call
    handle.answer().get(timeout=DEADLINE_S)
    results: list[str] = []
    started = threading.Barrier(8)

    def use() -> None:
        started.wait(DEADLINE_S)
        for _ in range(10):
            action = handle.play_silence(0.01).get(timeout=DEADLINE_S)
            results.append(action.wait().get(timeout=DEADLINE_S).control_id)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert len(set(results)) == 80
    told = [message for message in handle.data["seen"] if isinstance(message, ActionCompleted)]
    assert len(told) == 80
    line.hangs_up()


@pytest.mark.relay(real=True)
def test_a_thread_that_races_the_end_of_a_call_is_never_left_waiting(relay_app: AppRunner, relay_sim: Simulator):
    """Proves SEMANTICS A6 for verbs, on real threads."""
    app = RelayApp()

    @app.calls(CONTEXT)
    class Answers(CallActor):
        def on_start(self) -> None:
            self.answer()

    relay_app(app)
    unsettled: list[Any] = []
    for number in range(20):
        line = relay_sim.phone(f"+1555000{number:04}").dials(context=CONTEXT)
        line.is_connected(within=DEADLINE_S)
        handle = app.call(line.call_id)
        assert handle is not None
        futures: list[Any] = []
        asking = threading.Thread(target=_ask, args=(handle, futures))
        asking.start()
        line.hangs_up()
        asking.join(DEADLINE_S)
        for future in futures:
            try:
                future.get(timeout=DEADLINE_S)
            except (CallEnded, CommandRejectedError):
                continue
        unsettled += [future for future in futures if not future.is_settled]
    assert unsettled == []


def _ask(handle: CallHandle, futures: list[Any]) -> None:
    for _ in range(100):
        futures += [handle.play_silence(1), handle.wait_for_ended(), handle.wait_for("x"), handle.hangup()]
