"""How a call's actor comes to its end: everything that waits ends with it, and nobody is left in silence."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from relay_actors import CallActor, CallEnded, CommandFailed, ConnectionRestored, Timing
from relay_actors.actors.actions import StandaloneCollectAction
from relay_actors.actors.call_handle import CallHandle
from relay_actors.errors import CommandRejectedError
from relay_actors.events import CallReceiveEvent, CallStateEvent, HoldEvent, RelayEvent
from relay_actors.protocol.commands import Hold, UserEvent
from relay_actors.runtime.future import Future
from tests.actors.world import OURS, Witness, World, device, over_seeds


def state(world: World, handle: Any, call_state: str, **more: Any) -> None:
    world.tells("calling.call.state", {**handle.leg.ids, "call_state": call_state, **more})
    world.settle()


# -- what ends with the call ------------------------------------------------------------------------------------------


@over_seeds(10)
def test_everything_that_is_outstanding_ends_in_the_turn_in_which_the_call_ends(world: World):
    """Proves SEMANTICS X2: when the user hears of the end, nothing of the call is waiting any more."""
    at_end: list[tuple[bool, ...]] = []

    class Looks(Witness):
        def on_receive(self, message: object) -> None:
            match message:
                case CallReceiveEvent():
                    self.futures = [
                        self.answer(),
                        self.perform(Hold()),
                        self.play_tts("Hello"),
                        self.play_tts("Hello").wait(),
                        self.record().stop(),
                        self.wait_for("calling.call.hold"),
                        self.wait_for_ended(),
                    ]
                case CallStateEvent(call_state="ended"):
                    at_end.append(tuple(future.is_settled for future in self.futures))
            super().on_receive(message)

    for method in ("calling.answer", "calling.hold", "calling.play", "calling.record"):
        world.sim.stop_answering(method)
    _line, handle = world.inbound(Looks)
    world.settle()
    state(world, handle, "ended", end_reason="hangup")
    assert at_end == [(True,) * 7]
    assert [type(message) for message in world.seen(handle, CallStateEvent, CommandFailed)] == [CallStateEvent]


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_no_callback_can_keep_the_end_from_the_others(world: World, error: type[BaseException]):
    """However it fails: what waits for the call ends, and the user is told (SEMANTICS X2, X13)."""

    def broken(_event: object) -> None:
        raise error("broken")

    async def broken_later(_event: object) -> None:
        raise error("broken")

    _line, handle = world.answered(Witness)
    for callback in (broken, broken_later):
        handle.play_silence(60, on_completed=callback).get(timeout=5)
        handle.on("calling.call.state", callback)
    last = handle.play_silence(60).get(timeout=5)
    wait = handle.wait_for("x")
    state(world, handle, "ended")
    assert last.completed
    assert isinstance(wait.error, CallEnded)
    assert world.seen(handle, CallStateEvent)[-1].call_state == "ended"
    assert handle.ref.incarnation == 0


def test_outstanding_commands_fail_with_the_reason_of_the_end(world: World):
    """Proves SEMANTICS X2."""
    _line, handle = world.inbound(Witness)
    world.sim.stop_answering("calling.answer")
    reply = handle.answer()
    world.settle()
    state(world, handle, "ended", end_reason="abandoned")
    with pytest.raises(CallEnded, match="abandoned") as ended:
        reply.get(timeout=0)
    assert (ended.value.call_id, ended.value.reason) == (handle.call_id, "abandoned")


def test_a_listener_hears_of_the_end(world: World):
    heard: list[RelayEvent] = []
    _line, handle = world.answered(Witness)
    handle.on("calling.call.state", heard.append)
    state(world, handle, "ended")
    assert [event.params["call_state"] for event in heard] == ["ended"]


def test_the_authors_own_clean_up_is_called(world: World):
    """As of every actor (SEMANTICS L7)."""

    class CleansUp(Witness):
        def on_stop(self) -> None:
            self.data["clean"] = True

    line, handle = world.answered(CleansUp)
    line.hangs_up()
    world.run(5)
    assert handle.data["clean"] is True


def test_nobody_waits_for_a_call_when_all_actors_have_ended(world: World):
    """Not by a stop of the application, but because too much has failed: nobody cleans up after them (SEMANTICS X2)."""
    _line, handle = world.answered(Witness)
    waits = [handle.wait_for_ended(), handle.wait_for("x"), handle.play_silence(60).get(timeout=5).wait()]
    world.tree._root.stop(block=False)
    world.settle()
    assert [type(wait.error) for wait in waits] == [CallEnded] * 3
    world.app.stop()


# -- late events -----------------------------------------------------------------------------------------------------


def test_what_comes_after_the_end_is_told_as_long_as_the_actor_lingers(world: World):
    """A recording may report its URL a moment too late, and no event is lost (SEMANTICS X2; DESIGN, priority 1)."""
    line, handle = world.answered(Witness)
    heard: list[RelayEvent] = []
    handle.on("calling.call.hold", heard.append)
    line.hangs_up()
    handle.wait_for_ended().get(timeout=5)
    world.run(0.5)
    assert world.call_actors()
    world.tells("calling.call.hold", {**handle.leg.ids, "state": "unhold"})
    world.settle()
    assert [event.state for event in world.seen(handle, HoldEvent)] == ["unhold"]
    assert len(heard) == 1
    world.run(1)
    assert world.call_actors() == []


@over_seeds(5)
def test_after_lingering_the_actor_and_its_keys_are_gone(world: World):
    """Proves SEMANTICS X2."""
    line, handle = world.answered(Witness)
    line.hangs_up()
    handle.wait_for_ended().get(timeout=5)
    assert world.app.call(handle.call_id) is not None
    world.run(0.9)
    assert world.app.call(handle.call_id) is not None
    world.run(0.2)
    assert world.app.call(handle.call_id) is None
    world.assert_no_residue()


# -- an end that does not come -----------------------------------------------------------------------------------------


class ReportsItsEnd(CallActor):
    """Looks, when the call has ended, after what takes longer than the actor lingers."""

    def on_start(self) -> None:
        self.on("calling.call.state", self.on_state)

    async def on_state(self, event: CallStateEvent) -> None:
        if event.call_state != "ended":
            return
        other = self.app.dial(Witness, [[device(OURS)]])
        try:
            await other.wait_for_answered()
            self.data["report"] = "heard"
        finally:
            self.data["is_over"] = True


@over_seeds(10)
def test_what_listens_to_the_end_may_come_to_its_own_end(world: World):
    """As a flow and a handler may: what it does then is not lost half-way, without a word."""
    line, handle = world.answered(ReportsItsEnd)
    line.hangs_up()
    world.run(4)
    world.sim.phone(OURS).answers()
    world.run(1)
    assert handle.data == {"report": "heard", "is_over": True}
    assert world.actor(handle) is None


@pytest.mark.parametrize("stops", [False, True])
def test_what_listens_without_end_is_closed(stops: bool, caplog: pytest.LogCaptureFixture):
    """After ``wrap_up_s`` its ``finally`` is run, and it is told of; or when the application stops."""
    with World(timing=Timing(wrap_up_s=7.0)) as world:
        line, handle = world.answered(ReportsItsEnd)
        line.hangs_up()
        world.run(6)
        assert handle.data == {}
        if stops:
            world.app.stop()
        else:
            world.run(3)
        assert handle.data == {"is_over": True}
    assert ("a listener still runs after its call" in caplog.text) is not stops


class Races(CallActor):
    """Waits for what others settle, for an hour at most."""

    others: ClassVar[list[Future[Any]]] = []

    async def run(self) -> None:
        await self.answer()
        await self.race(*self.others, self.gather(*self.others, timeout=1800), timeout=3600)


def test_a_call_that_has_ended_leaves_nothing_of_a_race_that_it_has_not_waited_for_to_the_end(world: World):
    """Proves SEMANTICS X18: neither at what it was waiting for, nor the time for it."""
    Races.others = [Future(world.dispatcher) for _ in range(2)]
    line, handle = world.inbound(Races)
    handle.wait_for_answered().get(timeout=5)
    world.settle()
    assert all(other._callbacks for other in Races.others)
    line.hangs_up()
    world.run(3)
    assert [other._callbacks for other in Races.others] == [[], []]
    world.assert_no_residue()


class CrashesOnce(CallActor):
    """Does nothing, but for one crash when it is told to; a handler."""

    crashes = 1

    def on_receive(self, message: object) -> None:
        if message == "crash" and type(self).crashes:
            type(self).crashes -= 1
            raise RuntimeError("once")


class BeginsAnewOnce(CrashesOnce):
    """As a flow, which begins anew."""

    async def run(self) -> None:
        while True:
            self.on_receive(await self.next(str))


class GoesOnOnce(BeginsAnewOnce):
    """As a flow, which goes on where it was."""

    restart_flow = "where_it_was"


@over_seeds(3)
@pytest.mark.parametrize("kind", [CrashesOnce, BeginsAnewOnce, GoesOnOnce])
def test_what_listens_for_others_may_come_to_its_own_end_also_after_a_crash(world: World, kind: type[CrashesOnce]):
    """X8: it has not failed, and does not end half-way with the call, without a word."""
    kind.crashes = 1
    line, handle = world.answered(kind)
    told: list[str] = []

    async def listener(_event: RelayEvent) -> None:
        other = world.app.dial(Witness, [[device(OURS)]])
        try:
            await other.wait_for_answered()
            told.append("heard")
        finally:
            told.append("over")

    handle.play_tts("Hello", on_completed=listener)
    world.sim.phone(OURS).never_answers()
    world.sim.phone(OURS).rings(within=10)
    handle.ref.tell("crash")
    world.settle()
    assert kind.crashes == 0
    line.hangs_up()
    world.run(4)
    assert told == []
    world.sim.phone(OURS).answers()
    world.run(1)
    assert told == ["heard", "over"]
    assert world.actor(handle) is None


@over_seeds(5)
def test_a_call_whose_end_is_not_told_counts_as_ended_after_a_while(world: World):
    """Proves SEMANTICS X3: no call's actor outlives its call by more than ``end_timeout_s``."""
    _line, handle = world.answered(Witness)
    world.sim.reject_next("calling.end", code="200", message="accepted, and forgotten")
    handle.hangup("busy").get(timeout=5)
    wait = handle.wait_for_ended()
    world.run(14)
    assert not wait.is_settled
    event = wait.get(timeout=2)
    assert (event.params["call_state"], handle.end_reason) == ("ended", "busy")
    assert world.seen(handle, CallStateEvent)[-1] is event
    world.run(2)
    assert world.call_actors() == []
    assert len(world.sent("calling.end")) == 1


@pytest.mark.parametrize("method", ["calling.hold", "calling.play"])
def test_a_call_that_the_server_does_not_know_counts_as_ended_after_a_while(world: World, method: str):
    """Proves SEMANTICS X3. In case that it is up all the same, it is hung up."""
    _line, handle = world.answered(Witness)
    world.sim.reject_next(method, code="404", message="Call does not exist")
    if method == "calling.hold":
        handle.perform(Hold())
    else:
        handle.play_silence(1)
    event = handle.wait_for_ended().get(timeout=16)
    assert (event.params["call_state"], handle.end_reason) == ("ended", "lost")
    assert len(world.sent("calling.end")) == 1


def test_the_time_counts_from_the_last_word_on_it(world: World):
    """Somebody has been told that the call is gone, and somebody else hangs up ten seconds later."""
    _line, handle = world.answered(Witness)
    world.sim.reject_next("calling.hold", code="404")
    world.sim.reject_next("calling.end", code="200", message="accepted, and forgotten")
    handle.perform(Hold()).get(timeout=5)
    world.run(10)
    handle.hangup().get(timeout=5)
    world.run(14)
    assert not handle.leg.is_ended
    handle.wait_for_ended().get(timeout=2)
    assert handle.end_reason == "hangup"


def test_a_call_that_has_shown_life_survives_the_loss_of_the_connection(world: World):
    """What was taken back is not remembered when the connection returns."""
    line, handle = world.answered(Witness)
    world.sim.reject_next("calling.hold", code="404")
    handle.perform(Hold()).get(timeout=5)
    handle.perform(Hold()).get(timeout=5)
    world.sim.drop_sockets()
    world.run(60)
    assert handle.state == "answered"
    assert not line.is_over


@pytest.mark.parametrize("how", ["ended", "handed on"])
def test_a_call_that_is_over_is_not_ended_again_when_its_session_goes(how: str):
    """It lingers, and nothing more is said about it."""
    with World(timing=Timing(linger_s=60.0)) as world:
        line, handle = world.answered(Witness)
        if how == "ended":
            line.hangs_up()
        else:
            handle.transfer("context:sales").get(timeout=5)
        world.run(1)
        before = world.seen(handle, CallStateEvent)
        world.sim.announce_disconnect(restart=True)
        world.run(10)
        assert len(world.seen(handle, ConnectionRestored)) == 1
        assert world.seen(handle, CallStateEvent) == before
        assert world.sent("calling.end") == []


def test_a_call_that_was_handed_on_and_then_ends_lingers_once(world: World):
    """From the first of the two."""
    _line, handle = world.answered(Witness)
    handle.transfer("context:sales").get(timeout=5)
    world.run(0.9)
    state(world, handle, "ended")
    world.run(0.2)
    assert world.call_actors() == []


def collect(handle: CallHandle) -> StandaloneCollectAction:
    """Begin what tells nothing as long as nobody presses a key."""
    return handle.collect(digits={"max": 1}, initial_timeout=90.0, start_input_timers=False).get(timeout=5)


@pytest.mark.parametrize("sign", ["an event", "an answer", "an operation", "a command on an operation"])
def test_a_sign_of_life_takes_it_back_that_a_call_is_gone(world: World, sign: str):
    """A 404 may have been about something else, such as a conference; a call that goes on must not be ended."""
    line, handle = world.answered(Witness)
    listens = None if sign == "an operation" else collect(handle)
    world.sim.reject_next("calling.hold", code="404", message="Not found")
    handle.perform(Hold()).get(timeout=5)
    world.run(10)
    if sign == "an event":
        world.tells("calling.call.play", {**handle.leg.ids, "control_id": "other", "state": "playing"})
    elif sign == "an operation":
        collect(handle)
    elif listens is not None and sign == "a command on an operation":
        listens.start_input_timers().get(timeout=5)
    else:
        assert handle.perform(UserEvent(event="no event follows")).get(timeout=5)["code"] == "200"
    world.run(60)
    assert handle.state == "answered"
    assert not line.is_over
    assert world.sent("calling.end") == []


@over_seeds(5)
def test_a_hang_up_that_was_refused_is_tried_once_more(world: World):
    """Nobody is left in silence because a server had a bad moment; and the actor does not wait for ever (X3, X7)."""
    line, handle = world.answered(Witness)
    world.sim.reject_next("calling.end", code="500", message="a bad moment")
    handle.hangup()
    world.settle()
    assert [failed.command.method for failed in world.seen(handle, CommandFailed)] == ["calling.end"]
    line.is_hung_up(within=16)
    assert len(world.sent("calling.end")) == 2
    world.run(2)
    assert world.call_actors() == []


def test_a_call_that_was_handed_on_after_a_refused_hang_up_is_left_alone(world: World):
    """X7: the return of the connection is no reason to hang up what is somebody else's."""

    class HandsOn(CallActor):
        async def run(self) -> None:
            await self.answer()
            with pytest.raises(CommandRejectedError):
                await self.hangup()
            await self.transfer("context:sales")
            await self.sleep(20)

    world.sim.reject_next("calling.end", code="500")
    line, _handle = world.inbound(HandsOn)
    line.is_transferred("sales")
    world.sim.drop_sockets()
    world.run(15)
    assert world.count("connection.lost") == 1
    assert len(world.sent("calling.end")) == 1


def test_who_hangs_up_again_after_a_refusal_does(world: World):
    line, handle = world.answered(Witness)
    world.sim.reject_next("calling.end", code="500")
    with pytest.raises(CommandRejectedError):
        handle.hangup().get(timeout=5)
    handle.hangup().get(timeout=5)
    line.is_hung_up()


def test_an_application_that_stops_leaves_nobody_waiting(world: World):
    """Also when the server does not confirm a hang-up: whoever waits for the call is told (SEMANTICS X2)."""
    _line, handle = world.answered(Witness)
    world.sim.reject_next("calling.end", code="200", message="accepted, and forgotten")
    action = handle.play_silence(60).get(timeout=5)
    waits = [handle.wait_for_ended(), handle.wait_for("x"), action.wait()]
    world.app.stop()
    for wait in waits:
        with pytest.raises(CallEnded):
            wait.get(timeout=0)
