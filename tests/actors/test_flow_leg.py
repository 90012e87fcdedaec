"""Flows: what they can await, how the call's end reaches them, what leaving them means, and how they are restarted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors import ActionCompleted, CallActor, CallEnded, CommandFailed, RelayApp
from relay_actors.actors.waits import Wait
from relay_actors.errors import ArgumentError, CommandRejectedError, FlowError
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, HoldEvent, PlayEvent, RelayEvent
from relay_actors.protocol.commands import Hold
from tests.actors.world import CALLER, CONTEXT, Witness, World, over_seeds

ONE_DIGIT = {"digits": {"max": 1}}


class Flow(CallActor):
    """Notes what its flow has seen in ``data["log"]``."""

    @property
    def notes(self) -> list[Any]:
        notes: list[Any] = self.data.setdefault("log", [])
        return notes


def logged(handle: Any) -> list[Any]:
    return handle.data.get("log", [])


# -- what can be awaited ---------------------------------------------------------------------------------------------


@over_seeds(50)
def test_a_call_is_written_top_to_bottom(world: World):
    """Awaiting a reply gives the result, a handle the acceptance, and its wait the last event."""

    class Menu(Flow):
        async def run(self) -> None:
            self.notes.append((await self.answer())["code"])
            menu = await self.prompt_tts("Press your order number.", {"digits": {"max": 4, "terminators": "#"}})
            self.notes.append(menu.is_done)
            event = await menu.wait(timeout=30)
            self.notes.append(event.digits)
            recording = self.record()
            await self.sleep(2)
            await recording.stop()
            self.notes.append((await recording.wait()).duration > 0)
            await self.play_tts("Goodbye.").wait()

    line, handle = world.inbound(Menu)
    line.hears("order number")
    world.run(1)
    line.presses("123#")
    line.hears("goodbye")
    line.is_hung_up()
    assert logged(handle) == ["200", False, "123", True]
    assert world.methods() == [
        "calling.answer",
        "calling.play_and_collect",
        "calling.record",
        "calling.record.stop",
        "calling.play",
        "calling.end",
    ]
    assert handle.leg.end_reason == "hangup"


def test_other_messages_are_handled_while_a_flow_waits(world: World):
    """An await suspends the flow, not the actor (DESIGN 4)."""

    class Sleeps(Flow):
        def on_receive(self, message: object) -> None:
            if isinstance(message, str):
                self.notes.append(message)

        async def run(self) -> None:
            await self.sleep(10)
            self.notes.append("woke up")

    _line, handle = world.inbound(Sleeps)
    world.run(1)
    for word in ("one", "two"):
        handle.ref.tell(word)
        world.run(1)
    assert logged(handle) == ["one", "two"]
    world.run(10)
    assert logged(handle) == ["one", "two", "woke up"]


def test_a_sleep_takes_as_long_as_it_says(world: World):
    class Sleeps(Flow):
        async def run(self) -> None:
            before = self.system.clock.now()
            for seconds in (0, 0.25, 1.5):
                await self.sleep(seconds)
            self.notes.append(self.system.clock.now() - before)

    _line, handle = world.inbound(Sleeps)
    world.run(5)
    assert logged(handle) == [1.75]


def test_what_a_flow_waits_for_goes_to_the_flow_and_all_else_to_the_handler(world: World):
    class Waits(Flow):
        def on_receive(self, message: object) -> None:
            self.notes.append(("handler", message))

        async def run(self) -> None:
            while True:
                self.notes.append(("flow", await self.next(int, where=lambda number: number % 2 == 0)))

    _line, handle = world.inbound(Waits)
    world.settle()
    for number in range(5):
        handle.ref.tell(number)
        world.settle()
    handle.ref.tell("word")
    world.settle()
    told = [note for note in logged(handle) if not isinstance(note[1], CallReceiveEvent)]
    assert told == [("flow", 0), ("handler", 1), ("flow", 2), ("handler", 3), ("flow", 4), ("handler", "word")]


@over_seeds(10)
@pytest.mark.parametrize("first", [True, False])
def test_an_event_that_comes_before_the_flow_asks_for_it_is_not_missed(world: World, first: bool):
    """It may come before the answer of the command that causes it (PROTOCOL 2.7)."""
    world.sim.manners.event_before_response = first

    class Holds(Flow):
        async def run(self) -> None:
            await self.answer()
            self.notes.append((await self.next(CallStateEvent)).call_state)
            await self.perform(Hold())
            self.notes.append((await self.next(HoldEvent)).state)

    _line, handle = world.inbound(Holds)
    world.run(1)
    assert logged(handle) == ["answered", "hold"]


def test_several_waits_at_once_each_get_their_own(world: World):
    """A flow may begin to wait for two things before it awaits the first."""

    class Waits(Flow):
        async def run(self) -> None:
            number, word, other = self.next(int), self.next(str), self.next(int)
            self.notes.append([await word, await number, await other])

    _line, handle = world.inbound(Waits)
    world.settle()
    for message in (1, "word", 2):
        handle.ref.tell(message)
    world.settle()
    assert logged(handle) == [["word", 1, 2]]


def test_messages_are_taken_in_the_order_in_which_they_came(world: World):
    class Takes(Flow):
        async def run(self) -> None:
            await self.sleep(1)
            for _ in range(3):
                self.notes.append(await self.next(str))
            self.notes.append(await self.next(int))

    _line, handle = world.inbound(Takes)
    for message in ("a", 1, "b", "c"):
        handle.ref.tell(message)
    world.run(2)
    assert logged(handle) == ["a", "b", "c", 1]


def test_who_is_given_a_message_by_a_callback_may_ask_for_the_next_one_there(world: World):
    class Asks(Flow):
        def on_start(self) -> None:
            self.next(str).add_done_callback(self.on_given)

        def on_given(self, given: Wait[str]) -> None:
            if given.error is None:
                self.notes.append(given.get(timeout=0))
                self.next(str).add_done_callback(self.on_given)

        def on_receive(self, message: object) -> None:
            if isinstance(message, str):
                self.notes.append(f"handled {message}")

    _line, handle = world.inbound(Asks)
    for message in ("a", "b", "c"):
        handle.ref.tell(message)
    world.settle()
    assert logged(handle) == ["a", "b", "c"]


def test_waiting_for_a_message_may_take_too_long(world: World):
    """A message that comes afterwards is the next wait's."""

    class Waits(Flow):
        async def run(self) -> None:
            try:
                await self.next(str, timeout=2)
            except TimeoutError as error:
                self.notes.append(str(error))
            self.notes.append(await self.next(str, timeout=2))

    _line, handle = world.inbound(Waits)
    world.run(3)
    handle.ref.tell("late")
    world.run(5)
    assert logged(handle) == ["message str did not happen within 2 s", "late"]


def test_what_a_condition_raises_is_raised_in_the_flow(world: World):
    """The message is not lost: it is the handler's then."""

    class Waits(Flow):
        def on_receive(self, message: object) -> None:
            if isinstance(message, str):
                self.notes.append(message)

        async def run(self) -> None:
            try:
                await self.next(str, where=lambda word: word[100] == "x")
            except IndexError:
                self.notes.append("raised")
            await self.sleep(5)

    _line, handle = world.inbound(Waits)
    world.settle()
    handle.ref.tell("word")
    world.settle()
    assert sorted(logged(handle)) == ["raised", "word"]
    assert handle.ref.incarnation == 0


def test_blocking_code_gives_its_result_or_its_error(world: World):
    """SEMANTICS A16: it runs on a pool of its own, and what comes of it is one more thing that happens to the call."""

    class Blocks(Flow):
        async def run(self) -> None:
            self.notes.append(await self.blocking(int, "17", base=8))
            try:
                await self.blocking(int, "nine")
            except ValueError as error:
                self.notes.append(type(error))

    _line, handle = world.inbound(Blocks)
    world.run(1)
    assert logged(handle) == [15, ValueError]


def test_asyncio_code_runs_on_the_blocking_pool(world: World):
    """What the error of an await that a flow cannot drive recommends."""

    class Asks(Flow):
        async def run(self) -> None:
            self.notes.append(await self.blocking(asyncio.run, asyncio.wait_for(_answer(), 5)))

    _line, handle = world.inbound(Asks)
    world.run(1)
    assert logged(handle) == ["from asyncio"]


async def _answer() -> str:
    await asyncio.sleep(0)
    return "from asyncio"


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda call: call.next("calling.call.play"), r"class of the message, next\(PlayEvent\); .* is wait_for"),
        (lambda call: call.next("transferred"), r"next\('transferred'\): give the class of the message, for example"),
        (lambda call: call.sleep("1"), r"sleep\('1'\): give a number of seconds"),
        (lambda call: call.blocking(17), r"blocking\(17, …\): give a plain function"),
        (lambda call: call.blocking(_answer), r"asyncio code is run by aio\(f\(x\)\)"),
    ],
)
def test_what_a_flow_cannot_wait_for_is_said_at_the_line_that_asks(world: World, ask: Callable[[Any], Any], says: str):
    class Call(Flow):
        async def run(self) -> None:
            with pytest.raises(TypeError, match=says):
                await ask(self)
            self.notes.append("asked")

    _line, handle = world.inbound(Call)
    world.settle()
    assert logged(handle) == ["asked"]


def test_blocking_code_that_wants_to_end_the_process_fails_the_flow_only(world: World):
    """Nobody else would tell the flow, which would wait for ever."""

    class Exits(Flow):
        async def run(self) -> None:
            self.notes.append("begun")
            await self.blocking(_exit)

    line, handle = world.inbound(Exits)
    line.is_hung_up()
    assert logged(handle) == ["begun"] * 4


def _exit() -> None:
    raise SystemExit(3)


def test_a_refusal_is_raised_at_the_await_and_not_told(world: World):
    class Holds(Flow):
        async def run(self) -> None:
            try:
                await self.perform(Hold())
            except CommandRejectedError as error:
                self.notes.append(error.code)

    world.sim.reject_next("calling.hold", code="500")
    _line, handle = world.inbound(Holds)
    world.run(1)
    assert logged(handle) == [500]
    assert not [message for message in handle.leg.untaken if isinstance(message, CommandFailed)]


def test_a_flow_cannot_await_what_belongs_to_asyncio(world: World, caplog: pytest.LogCaptureFixture):
    """Nobody would ever wake it; the text says what to do."""
    raised: list[BaseException] = []

    class Wrong(Flow):
        async def run(self) -> None:
            try:
                await asyncio.sleep(0)
            except FlowError as error:
                raised.append(error)
                raise

    line, _handle = world.inbound(Wrong)
    line.is_hung_up()
    assert len(raised) == 4
    assert "a flow cannot await NoneType: it is driven by its actor, not by asyncio" in str(raised[0])


# -- the end of the call ---------------------------------------------------------------------------------------------


def awaits(name: str) -> Any:
    async def sleep(self: Flow) -> None:
        await self.sleep(3600)

    async def next_message(self: Flow) -> None:
        await self.next(str)

    async def next_in_time(self: Flow) -> None:
        await self.next(str, timeout=3600)

    async def event(self: Flow) -> None:
        await self.wait_for("calling.call.hold")

    async def completion(self: Flow) -> None:
        await self.play_silence(3600).wait()

    async def acceptance(self: Flow) -> None:
        await self.perform(Hold())

    async def handle(self: Flow) -> None:
        await self.collect(digits={"max": 1})

    return locals()[name]


@over_seeds(5)
@pytest.mark.parametrize(
    "name", ["sleep", "next_message", "next_in_time", "event", "completion", "acceptance", "handle"]
)
def test_the_end_of_the_call_is_raised_where_the_flow_waits(world: World, name: str):
    """Leaving ``run`` by it is a normal end (DESIGN 4): nothing is hung up, nobody is restarted, nothing is left."""

    class Waits(Flow):
        async def run(self) -> None:
            await self.answer()
            try:
                await awaits(name)(self)
            except CallEnded as ended:
                self.notes.append(ended.reason)
                raise

    for method in ("calling.hold", "calling.collect"):
        world.sim.stop_answering(method)
    line, handle = world.inbound(Waits)
    line.is_connected()
    world.run(1)
    assert logged(handle) == []
    # A server that ends what runs on a call before it ends the call would give the flow its value, and not the end.
    ended = {**handle.leg.ids, "call_state": "ended", "end_reason": "hangup"}
    world.tells("calling.call.state", ended)
    world.settle()
    assert logged(handle) == ["hangup"]
    world.run(2)
    assert handle.ref.incarnation == 0
    assert world.call_actors() == []
    assert world.sent("calling.end") == []
    assert world.dispatcher.pending_timers <= 3, "what the flow waited for is still due"


@over_seeds(5)
def test_the_end_of_the_call_is_raised_where_the_flow_waits_for_blocking_code(world: World):
    """The code itself cannot be interrupted; what it gives is nobody's any more."""

    class Blocks(Flow):
        async def run(self) -> None:
            try:
                await self.blocking(self._end_the_call)
            except CallEnded as ended:
                self.notes.append(ended.reason)

        def _end_the_call(self) -> str:
            lines[0].hangs_up()
            world.run(0.5)
            return "too late"

    lines: list[Any] = [world.sim.phone(CALLER)]
    world.takes_calls(Blocks)
    lines[0] = world.sim.phone(CALLER).dials(context=CONTEXT)
    handle = None
    while handle is None:
        world.dispatcher.step()
        handle = world.app.call(lines[0].call_id)
    world.run(1)
    assert logged(handle) == ["abandoned"]


@over_seeds(10)
def test_what_was_settled_before_the_end_is_not_taken_back(world: World):
    """The flow gets its value first, and the end at its next wait."""

    class Waits(Flow):
        async def run(self) -> None:
            has_ended = self.wait_for("calling.call.state", lambda event: event.params["call_state"] == "ended")
            self.notes.append((await has_ended).params["call_state"])
            try:
                await self.sleep(1)
            except CallEnded:
                self.notes.append("ended")

    line, handle = world.inbound(Waits)
    world.settle()
    line.hangs_up()
    world.settle()
    assert logged(handle) == ["ended", "ended"]


@over_seeds(5)
def test_the_end_is_raised_once_and_then_the_flow_may_wrap_up(world: World):
    """It has ``wrap_up_s``; the actor stays for it, its operations complete at once, and commands raise."""

    class WrapsUp(Flow):
        async def run(self) -> None:
            await self.answer()
            try:
                await self.sleep(60)
            except CallEnded:
                self.notes.append(await self.blocking(sum, [1, 2]))
            await self.sleep(20)
            self.notes.append((await self.play_tts("Hello?")).completed)
            try:
                await self.perform(Hold())
            except CallEnded:
                self.notes.append("over")

    line, handle = world.inbound(WrapsUp)
    line.is_connected()
    world.run(1)
    line.hangs_up()
    world.run(10)
    assert logged(handle) == [3]
    assert len(world.call_actors()) == 1
    assert world.app.call(handle.call_id) is None, "it can be found no longer than others"
    world.run(11)
    assert logged(handle) == [3, True, "over"]
    assert world.call_actors() == []
    assert world.methods() == ["calling.answer"]


def test_a_condition_that_fails_on_what_has_come_leaves_no_timer(world: World):
    """It raises where it is given; nothing is left of the wait."""

    class Asks(Flow):
        async def run(self) -> None:
            await self.answer()
            await self.wait_for_answered()
            before = world.dispatcher.pending_timers
            try:
                await self.next(CallStateEvent, where=lambda event: event.no_such_attribute, timeout=60)
            except AttributeError:
                self.notes.append(world.dispatcher.pending_timers - before)
            try:
                await self.next(CallStateEvent, timeout="60")
            except ArgumentError:
                self.notes.append("refused")

    _line, handle = world.inbound(Asks)
    world.run(1)
    assert logged(handle) == [0, "refused"]


@over_seeds(5)
def test_what_a_flow_begins_after_the_end_ends_it_where_it_waits_for_what_comes_of_it(world: World):
    """It would take the empty event of PROTOCOL 10.4 for an answer; others are given that event."""

    class AsksTooLate(Flow):
        async def run(self) -> None:
            await self.answer()
            await self.wait_for_ended()
            menu = self.prompt_tts("One more thing.", {"digits": {"max": 1}})
            self.notes.append(menu)
            self.notes.append((await menu.wait()).digits)

    line, handle = world.inbound(AsksTooLate)
    line.is_connected()
    line.hangs_up()
    world.run(10)
    [menu] = logged(handle)
    assert menu.completed
    assert menu.is_gone
    assert menu.wait().get(timeout=0) == RelayEvent("", {})
    assert handle.ref.incarnation == 0
    assert world.call_actors() == []


def test_a_flow_whose_call_is_unknown_to_the_server_ends_where_it_waits(world: World):
    """Also when that is learned by a 404 only."""

    class Asks(Flow):
        async def run(self) -> None:
            await self.answer()
            self.notes.append((await self.prompt_tts("Hello?", {"digits": {"max": 1}}).wait()).digits)

    _line, handle = world.inbound(Asks)
    world.sim.reject_next("calling.play_and_collect", code="404")
    world.run(1)
    assert logged(handle) == []
    assert handle.ref.incarnation == 0
    assert [params["reason"] for params in world.sent("calling.end")] == ["hangup"]


def test_asyncio_in_a_flow_is_told_with_what_to_do_instead(world: World, caplog: pytest.LogCaptureFixture):
    """The message of asyncio says only that there is no loop."""

    class UsesAsyncio(Flow):
        async def run(self) -> None:
            await asyncio.sleep(1)

    world.inbound(UsesAsyncio)
    world.run(1)
    assert "use self.sleep(…)" in caplog.text


def test_a_flow_that_does_not_come_to_an_end_is_ended(world: World, caplog: pytest.LogCaptureFixture):
    """After ``wrap_up_s``; its ``finally`` runs (DESIGN 4, SEMANTICS X18)."""

    class Lingers(Flow):
        async def run(self) -> None:
            try:
                while True:
                    try:
                        await self.sleep(7)
                    except CallEnded:
                        self.notes.append("ended")
            finally:
                self.notes.append("finally")

    line, handle = world.inbound(Lingers)
    world.settle()
    line.hangs_up()
    world.run(30)
    assert logged(handle) == ["ended"]
    world.run(2)
    assert logged(handle) == ["ended", "finally"]
    assert world.call_actors() == []
    assert "flow still runs after its call" in caplog.text


def test_a_call_that_ends_before_its_flow_begins_has_no_flow(world: World):
    class Flows(Flow):
        async def run(self) -> None:
            self.notes.append("run")

    world.takes_calls(Flows)
    offer = {"call_id": "c", "node_id": "n", "call_state": "created", "context": CONTEXT, "direction": "inbound"}
    world.tells("calling.call.receive", offer, context=CONTEXT)
    world.tells("calling.call.state", {"call_id": "c", "node_id": "n", "call_state": "ended"})
    world.until(lambda: world.app.call("c"))
    handle = world.app.call("c")
    world.run(1)
    assert logged(handle) == []
    assert world.methods() == []


def test_that_another_call_has_ended_is_an_error_of_this_one(world: World):
    """It is not its own end: the flow begins anew, as after every crash."""

    class Waits(Flow):
        async def run(self) -> None:
            self.notes.append("run")
            if len(self.notes) < 3:
                raise CallEnded("another", "hangup")
            await self.sleep(60)

    _line, handle = world.inbound(Waits)
    world.run(1)
    assert logged(handle) == ["run"] * 3
    assert handle.ref.incarnation == 2


# -- leaving the flow ------------------------------------------------------------------------------------------------


@over_seeds(10)
def test_leaving_the_flow_hangs_up_once(world: World):
    class Leaves(Flow):
        async def run(self) -> None:
            await self.answer()

    line, _handle = world.inbound(Leaves)
    line.is_hung_up()
    world.run(20)
    assert [params["reason"] for params in world.sent("calling.end")] == ["hangup"]


@over_seeds(10)
def test_a_flow_that_has_hung_up_itself_hangs_up_once(world: World):
    class Leaves(Flow):
        async def run(self) -> None:
            await self.answer()
            self.hangup("busy")

    line, _handle = world.inbound(Leaves)
    line.is_hung_up()
    world.run(20)
    assert [params["reason"] for params in world.sent("calling.end")] == ["busy"]


@over_seeds(10)
@pytest.mark.parametrize("is_awaited", [True, False])
@pytest.mark.parametrize("verb", ["transfer", "pass_"])
def test_a_call_that_was_handed_on_is_not_hung_up(world: World, verb: str, is_awaited: bool):
    """A command takes effect when called, awaited or not: also then the call is somebody else's (DESIGN 4)."""

    class HandsOn(Flow):
        async def run(self) -> None:
            reply = self.transfer("context:sales") if verb == "transfer" else self.pass_()
            if is_awaited:
                await reply

    line, _handle = world.inbound(HandsOn)
    world.run(5)
    assert world.methods() == [f"calling.{verb.strip('_')}"]
    assert not line.is_over
    assert world.call_actors() == []


@over_seeds(10)
def test_a_call_that_could_not_be_handed_on_is_hung_up(world: World):
    """Nobody attends to it any more: nobody is left in silence."""

    class HandsOn(Flow):
        async def run(self) -> None:
            await self.answer()
            self.transfer("context:sales")

    world.sim.reject_next("calling.transfer", code="500")
    line, _handle = world.inbound(HandsOn)
    line.is_hung_up()
    assert world.methods() == ["calling.answer", "calling.transfer", "calling.end"]


@over_seeds(5)
@pytest.mark.parametrize("refused", [1, 2])
def test_a_call_that_could_not_be_handed_on_is_not_hung_up_while_it_is_tried_again(world: World, refused: int):
    """Only when nobody takes it: another attempt is under way when one of them is refused."""

    class Insists(Flow):
        async def run(self) -> None:
            await self.answer()
            self.transfer("context:billing")
            self.transfer("context:sales")

    world.sim.reject_next("calling.transfer", code="500")
    if refused == 2:
        world.sim.reject_next("calling.transfer", code="500")
    line, _handle = world.inbound(Insists)
    world.run(5)
    ends = ["calling.end"] if refused == 2 else []
    assert world.methods() == ["calling.answer", "calling.transfer", "calling.transfer", *ends]
    assert line.is_over is (refused == 2)


@over_seeds(10)
def test_a_call_that_could_not_be_handed_on_is_hung_up_whatever_its_handler_makes_of_it(world: World):
    """The handler crashes on the news, and the hang-up must not be lost with it."""

    class HandsOn(Flow):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CommandFailed):
                raise RuntimeError("crash")

        async def run(self) -> None:
            await self.answer()
            self.transfer("context:sales")

    world.sim.reject_next("calling.transfer", code="500")
    line, handle = world.inbound(HandsOn)
    line.is_hung_up()
    assert handle.ref.incarnation == 1
    assert world.methods() == ["calling.answer", "calling.transfer", "calling.end"]


def test_a_flow_goes_on_after_it_has_handed_the_call_on(world: World):
    """It has ``wrap_up_s``."""

    class HandsOn(Flow):
        async def run(self) -> None:
            await self.transfer("context:sales")
            await self.sleep(5)
            self.notes.append("done")

    _line, handle = world.inbound(HandsOn)
    world.run(4)
    assert len(world.call_actors()) == 1
    world.run(2)
    assert logged(handle) == ["done"]
    assert world.call_actors() == []


def test_after_the_flow_the_handler_is_still_told(world: World):
    class Leaves(Flow):
        def on_receive(self, message: object) -> None:
            self.notes.append(type(message))

        async def run(self) -> None:
            await self.answer()

    line, handle = world.inbound(Leaves)
    line.is_hung_up()
    world.settle()
    assert logged(handle)[-1] is CallStateEvent


# -- crashes ---------------------------------------------------------------------------------------------------------


@over_seeds(50)
def test_a_flow_that_crashes_begins_anew(world: World):
    """Same call, same data, nobody notices (SEMANTICS X8)."""

    class Crashes(Flow):
        async def run(self) -> None:
            await self.answer()
            self.notes.append(self._cell.incarnation)
            if len(self.notes) < 3:
                await self.play_silence(1).wait()
                raise RuntimeError("crash")
            await self.play_tts("Made it.").wait()

    line, handle = world.inbound(Crashes)
    line.hears("made it")
    line.is_hung_up()
    assert logged(handle) == [0, 1, 2]
    assert world.methods().count("calling.answer") == 1
    assert world.methods().count("calling.end") == 1


@over_seeds(50)
def test_a_flow_runs_in_the_incarnation_that_is_there(world: World):
    """A handler that crashes before the flow has begun must not leave a flow on a dead object."""

    class Crashes(Flow):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                raise RuntimeError("crash")

        async def run(self) -> None:
            self.notes.append((self._cell.incarnation, self._cell.actor is self))
            await self.sleep(60)

    _line, handle = world.inbound(Crashes)
    world.run(1)
    assert logged(handle) == [(1, True)]


@over_seeds(10)
def test_a_handler_that_crashes_ends_the_flow_and_begins_it_anew(world: World):
    """Its ``finally`` runs; what the old one waited for is no concern of the new one."""

    class Crashes(Flow):
        def on_receive(self, message: object) -> None:
            if message == "crash":
                raise RuntimeError("crash")

        async def run(self) -> None:
            me = self._cell.incarnation
            self.notes.append(f"run {me}")
            try:
                await self.sleep(5 if me == 0 else 20)
                self.notes.append(f"woke {me}")
            finally:
                self.notes.append(f"finally {me}")

    _line, handle = world.inbound(Crashes)
    world.run(1)
    handle.ref.tell("crash")
    world.run(10)
    assert logged(handle) == ["run 0", "finally 0", "run 1"]
    assert world.dispatcher.pending_timers <= 3, "the old incarnation's sleep is still due"
    world.run(15)
    assert logged(handle)[3:] == ["woke 1", "finally 1"]


def test_a_flow_that_is_over_is_not_run_again_by_a_crash_of_the_handler(world: World):
    """The call is being hung up: nobody wants to be greeted again."""

    class Leaves(Flow):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CallStateEvent) and message.call_state == "ended":
                raise RuntimeError("crash")

        async def run(self) -> None:
            await self.answer()
            self.notes.append("run")

    line, handle = world.inbound(Leaves)
    line.is_hung_up()
    world.settle()
    assert handle.ref.incarnation == 1
    assert logged(handle) == ["run"]


def test_a_flow_that_has_handed_its_call_on_is_not_run_again_by_a_crash(world: World):
    class HandsOn(Flow):
        async def run(self) -> None:
            self.notes.append("run")
            await self.transfer("context:sales")
            raise RuntimeError("crash")

    _line, handle = world.inbound(HandsOn)
    world.run(5)
    assert logged(handle) == ["run"]
    assert world.methods() == ["calling.transfer"]
    assert world.call_actors() == []


def test_a_callback_that_waits_when_the_handler_crashes_is_told_and_not_forgotten(
    world: World, caplog: pytest.LogCaptureFixture
):
    """What it waits for belonged to the former incarnation: to wait on in silence would be worse than to fail."""

    class Waits(Flow):
        def on_start(self) -> None:
            if self._cell.incarnation == 0:
                self.play_silence(1, on_completed=self._after)

        def on_receive(self, message: object) -> None:
            if message == "crash":
                raise RuntimeError("crash")

        async def _after(self, _event: object) -> None:
            await self.sleep(3600)

    _line, handle = world.inbound(Waits)
    world.run(2)
    handle.ref.tell("crash")
    world.run(1)
    assert "on_completed raised" in caplog.text
    assert "belonged to its former incarnation" in caplog.text
    assert world.dispatcher.pending_timers <= 3


# -- real threads ----------------------------------------------------------------------------------------------------


@pytest.mark.relay(real=True)
def test_blocking_code_runs_on_a_thread_of_its_own(relay_app: Any, relay_sim: Any):
    """Over a real socket: the flow goes on with what another thread has computed."""
    app = RelayApp()
    threads: list[str] = []

    @app.calls(CONTEXT)
    class Blocks(CallActor):
        async def run(self) -> None:
            threads.append(threading.current_thread().name)
            threads.append(await self.blocking(lambda: threading.current_thread().name))

    relay_app(app)
    relay_sim.phone(CALLER).dials(context=CONTEXT).is_hung_up()
    assert threads[0] != threads[1]


def test_a_listener_and_a_flow_take_turns(world: World):
    """One thing at a time happens to a call, also while a flow and handlers are at it."""
    running: list[str] = []

    class Takes(Witness):
        def on_start(self) -> None:
            self.on("calling.call.play", self._played)

        def _played(self, event: PlayEvent) -> None:
            running.append(f"listener {event.state}")

        async def run(self) -> None:
            await self.answer()
            menu = self.prompt_tts("Press a key.", ONE_DIGIT)
            event = await menu.wait()
            running.append(f"flow {event.kind}")

    line, handle = world.inbound(Takes)
    line.hears("press a key").presses("1")
    line.is_hung_up()
    assert running == ["listener playing", "listener finished", "flow digit"]
    assert isinstance(world.seen(handle, ActionCompleted)[0].event, CollectEvent)


class NeverMinds(CallActor):
    """Catches whatever it is told."""

    async def run(self) -> None:
        await self.answer()
        while True:
            try:
                await self.play_tts("Press one.").wait()
            except Exception:  # noqa: BLE001  # as people write
                self.data["caught"] = self.data.get("caught", 0) + 1


def test_a_flow_that_minds_nothing_ends_all_the_same_when_its_caller_has_hung_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """X2: the application goes on, and the log says what to mend."""
    line, _handle = world.inbound(NeverMinds)
    world.run(2.0)
    line.hangs_up()
    world.run(30.0)
    assert world.call_actors() == []
    assert "Let a flow end when its call has" in caplog.text
