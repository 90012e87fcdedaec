"""The ways in which a call can wait: blocking Python, handlers that await, asyncio, several things at once."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

import pytest

from relay_actors import FOREVER, CallActor, CallEnded, Raced, RelayApp, gather, race
from relay_actors.errors import WouldDeadlock
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent
from relay_actors.protocol.commands import Hold
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, World, over_seeds

ONE_DIGIT = {"digits": {"max": 1}}


class Notes(CallActor):
    """Notes what it has seen in ``data["log"]``."""

    @property
    def notes(self) -> list[Any]:
        notes: list[Any] = self.data.setdefault("log", [])
        return notes


def has_ended(event: Any) -> bool:
    return bool(event.params["call_state"] == "ended")


def logged(handle: Any) -> list[Any]:
    return handle.data.get("log", [])


# -- def run ---------------------------------------------------------------------------------------------------------


@over_seeds(20)
def test_a_call_is_written_in_blocking_python(world: World):
    """DESIGN 4: the same verbs, and ``.get()`` where the other flow has ``await``."""

    class Menu(Notes):
        def run(self) -> None:
            self.notes.append(self.answer().get()["code"])
            menu = self.prompt_tts("Press your order number.", {"digits": {"max": 4, "terminators": "#"}}).get()
            self.notes.append(menu.wait(timeout=30).get().digits)
            recording = self.record()
            self.sleep(2).get()
            recording.stop().get()
            self.notes.append(recording.wait().get().duration > 0)
            self.play_tts("Goodbye.").wait().get()

    line, handle = world.inbound(Menu)
    line.hears("order number")
    world.run(1)
    line.presses("123#")
    line.hears("goodbye")
    line.is_hung_up()
    assert logged(handle) == ["200", "123", True]
    assert world.sent("calling.end")[0]["reason"] == "hangup"
    world.run(10)
    assert world.system.own_threads.thread_count == 0


def test_the_handler_is_told_while_blocking_python_waits(world: World):
    """DESIGN 4, D1: in between its waits, and never at the same time."""

    class Both(Notes):
        def on_receive(self, message: object) -> None:
            if isinstance(message, str):
                self.notes.append(message)

        def run(self) -> None:
            self.notes.append(self.next(int, timeout=60).get())
            self.actor_ref.tell("not before it waits")
            self.notes.append("still here")
            self.sleep(1).get()
            self.notes.append("woke up")

    _line, handle = world.inbound(Both)
    world.settle()
    handle.ref.tell("one")
    handle.ref.tell(7)
    world.run(5)
    assert logged(handle) == ["one", 7, "still here", "not before it waits", "woke up"]


@pytest.mark.parametrize("catches", [False, True])
def test_the_end_of_the_call_is_raised_where_blocking_python_waits(world: World, catches: bool):
    """DESIGN 4: leaving ``run`` by it is a normal end, and to go on after it is allowed."""

    class Waits(Notes):
        def run(self) -> None:
            self.answer().get()
            try:
                self.sleep(3600).get()
            except CallEnded as ended:
                self.notes.append(ended.reason)
                if not catches:
                    raise
            self.sleep(1).get()
            self.notes.append("wrapped up")

    line, handle = world.inbound(Waits)
    line.is_connected()
    world.run(1)
    line.hangs_up()
    world.run(5)
    assert logged(handle) == ["hangup", "wrapped up"][: 1 + catches]
    assert handle.ref.incarnation == 0
    assert world.call_actors() == []


def test_blocking_python_is_given_the_end_that_it_has_waited_for(world: World):
    """X2: as the flow that awaits it is; what comes after that line is done."""

    class Waits(Notes):
        def run(self) -> None:
            self.notes.append(self.wait_for("calling.call.state", has_ended).get().params["call_state"])
            try:
                self.sleep(1).get()
            except CallEnded:
                self.notes.append("over")

    line, handle = world.inbound(Waits)
    world.settle()
    line.hangs_up()
    world.settle()
    assert logged(handle) == ["ended", "over"]


def test_a_decorator_that_hides_a_coroutine_is_told(world: World, caplog: pytest.LogCaptureFixture):
    """It would never be awaited, and the call hung up at once for no reason that anybody sees."""

    def hides(run: Any) -> Any:
        def hidden(self: Any) -> Any:
            return run(self)

        return hidden

    class Wrong(Notes):
        @hides
        async def run(self) -> None:
            """Never run."""

    line, _handle = world.inbound(Wrong)
    line.is_hung_up()
    assert "Wrong.run gave a coroutine" in caplog.text


def test_blocking_python_that_crashes_begins_anew(world: World):
    """S10: like every flow."""

    class Crashes(Notes):
        def run(self) -> None:
            self.notes.append("begins")
            if len(self.notes) < 3:
                raise OSError("a test")

    line, handle = world.inbound(Crashes)
    line.is_hung_up()
    assert logged(handle) == ["begins"] * 3


@pytest.mark.parametrize("style", ["async", "blocking"])
def test_an_application_that_stops_lets_flows_clean_up(world: World, style: str):
    """A15: what waits in a ``finally`` block is waited for, and what it sends is sent."""

    class Waits(Notes):
        async def run(self) -> None:
            await self.answer()
            try:
                await self.sleep(3600)
            finally:
                self.notes.append((await self.perform(Hold()))["code"])

    class Blocks(Notes):
        def run(self) -> None:
            self.answer().get()
            try:
                self.sleep(3600).get()
            finally:
                self.notes.append(self.perform(Hold()).get()["code"])

    line, handle = world.inbound(Waits if style == "async" else Blocks)
    line.is_connected()
    world.run(1)
    handle.ref.stop(now=True, timeout=5)
    assert logged(handle) == ["200"]
    assert len(world.sent("calling.hold")) == 1
    line.is_hung_up()


# -- async def on_receive --------------------------------------------------------------------------------------------


@over_seeds(20)
def test_a_handler_of_a_call_may_await_what_a_flow_may(world: World):
    """A14: what happens to the call meanwhile is told after it, in order."""

    class Support(Notes):
        async def on_receive(self, message: object) -> None:
            match message:
                case CallReceiveEvent():
                    self.notes.append("offered")
                    await self.answer()
                    menu = await self.prompt_tts("Press a key.", ONE_DIGIT)
                    self.notes.append((await menu.wait(timeout=30)).digits)
                case CallStateEvent(call_state=state):
                    self.notes.append(state)
                case CollectEvent():
                    self.notes.append("collected")

    line, handle = world.inbound(Support)
    line.hears("key").presses("5")
    world.run(1)
    line.hangs_up()
    world.run(1)
    seen = [note for note in logged(handle) if note not in ("ending",)]
    assert seen[:2] == ["offered", "5"]
    assert seen[2:] == ["answered", "collected", "ended"]


def test_a_handler_may_wait_for_the_next_message(world: World):
    """A14: it is given what it asks for, an event or what somebody tells, ahead of what has to wait for it."""

    class Waits(Notes):
        async def on_receive(self, message: object) -> None:
            if isinstance(message, str):
                self.notes.append(message)
            if message == "begin":
                self.notes.append(await self.next(int))
                await self.play_tts("Hello.")
                self.notes.append((await self.next(PlayEvent, CollectEvent)).state)

    line, handle = world.answered(Waits)
    for message in ("begin", "waits", 7):
        handle.ref.tell(message)
    line.hears("hello")
    world.run(5)
    assert logged(handle) == ["begin", 7, "playing", "waits"]


def test_a_handler_that_awaits_when_the_call_ends_is_told(world: World):
    """X2: what it waits for will not come."""

    class Waits(Notes):
        async def on_receive(self, message: object) -> None:
            if message == "begin":
                try:
                    await self.sleep(3600)
                except CallEnded as ended:
                    self.notes.append(ended.reason)
            elif isinstance(message, CallStateEvent):
                self.notes.append(message.call_state)

    line, handle = world.answered(Waits)
    handle.ref.tell("begin")
    world.settle()
    line.hangs_up()
    world.run(5)
    assert logged(handle)[-3:] == ["hangup", "ending", "ended"]
    assert world.call_actors() == []


@pytest.mark.parametrize("awaits", ["a sleep", "a reply", "a message", "a command after the end"])
def test_a_handler_that_awaits_when_the_call_ends_has_not_crashed(world: World, awaits: str):
    """X4, X2: that the call is over is an error of what it has asked for; the actor goes on, and is told of the end."""

    class Waits(Notes):
        async def on_receive(self, message: object) -> None:
            if message == "begin":
                if awaits == "a sleep":
                    await self.sleep(3600)
                elif awaits == "a reply":
                    await self.perform(Hold())
                elif awaits == "a message":
                    await self.next(int)
            elif isinstance(message, CallStateEvent) and message.call_state == "ended":
                self.notes.append("ended")
                if awaits == "a command after the end":
                    await self.perform(Hold())
                self.notes.append("still here")

    line, handle = world.answered(Waits)
    world.sim.stop_answering("calling.hold")
    handle.ref.tell("begin")
    world.settle()
    line.hangs_up()
    world.run(5)
    assert logged(handle)[0] == "ended"
    assert handle.ref.incarnation == 0
    assert world.call_actors() == []


def test_that_another_call_has_ended_is_an_error_of_a_handler(world: World):
    class Asks(Notes):
        async def on_receive(self, message: object) -> None:
            if message == "begin":
                await self.sleep(1)
                raise CallEnded("another", "hangup")

    _line, handle = world.answered(Asks)
    handle.ref.tell("begin")
    world.run(2)
    assert handle.ref.incarnation == 1


def test_a_handler_that_awaits_for_ever_does_not_keep_its_actor(world: World):
    """X3: at the latest after ``wrap_up_s`` it is cancelled."""

    class Stuck(Notes):
        async def on_receive(self, message: object) -> None:
            if message == "begin":
                try:
                    await self.actor_ref.ask("never answered", block=False, timeout=FOREVER)
                except asyncio.CancelledError:
                    self.notes.append("cancelled")
                    raise

    line, handle = world.answered(Stuck)
    handle.ref.tell("begin")
    world.settle()
    line.hangs_up()
    world.run(300)
    assert logged(handle) == ["cancelled"]
    assert world.call_actors() == []


def test_a_handler_that_crashes_after_an_await_is_restarted(world: World):
    """A14, S10: the call stays up, and what has to be told is told to the next incarnation."""

    class Crashes(Notes):
        async def on_receive(self, message: object) -> None:
            if isinstance(message, str):
                self.notes.append(message)
                await self.sleep(1)
            if message == "crash":
                raise OSError("a test")

    _line, handle = world.answered(Crashes)
    handle.ref.tell("crash")
    handle.ref.tell("kept")
    world.run(5)
    assert logged(handle) == ["crash", "kept"]
    assert handle.ref.incarnation == 1
    assert handle.state == "answered"


@over_seeds(10)
def test_what_happens_after_a_crash_is_told_to_the_next_incarnation(world: World):
    """S11: also if it has gathered behind a handler that awaited."""

    class Crashes(Notes):
        async def on_receive(self, message: object) -> None:
            if isinstance(message, CallStateEvent):
                self.notes.append((message.call_state, self._cell.incarnation))
                try:
                    await self.sleep(10)
                finally:
                    raise OSError("a test")

    line, handle = world.answered(Crashes)
    world.run(1)
    line.hangs_up()
    world.run(5)
    assert logged(handle) == [("answered", 0)] or logged(handle)[:2] == [("answered", 0), ("ending", 1)]
    told = [state for state, _incarnation in logged(handle)]
    assert told == sorted(set(told), key=["answered", "ending", "ended"].index)


# -- several things, and asyncio -------------------------------------------------------------------------------------


@over_seeds(20)
def test_a_flow_races_a_menu_against_time(world: World):
    """A10: who presses nothing is asked again; what has lost is let go."""

    class Menu(Notes):
        async def run(self) -> None:
            await self.answer()
            menu = await self.prompt_tts("Press a key.", ONE_DIGIT)
            for _ in range(2):
                match await self.race(menu.wait(), self.sleep(2)):
                    case Raced(0, event):
                        self.notes.append(event.digits)
                    case Raced(1, _):
                        self.notes.append("too slow")
            pressed, played = await self.gather(menu.wait(), self.play_tts("Thank you."), timeout=30)
            self.notes.append((pressed.digits, played.is_done))

    line, handle = world.inbound(Menu)
    line.hears("key")
    world.run(3)
    line.presses("5")
    line.hears("thank you")
    line.is_hung_up()
    assert logged(handle) == ["too slow", "5", ("5", False)]


def test_what_has_lost_a_race_takes_no_message(world: World):
    """A `next` that nobody waits for any more would swallow what is the handler's."""

    class Both(Notes):
        def on_receive(self, message: object) -> None:
            if isinstance(message, str):
                self.notes.append(message)

        async def run(self) -> None:
            self.notes.append((await self.race(self.next(str), self.sleep(1))).index)
            await self.sleep(60)

    _line, handle = world.inbound(Both)
    world.run(2)
    handle.ref.tell("the handler's")
    world.settle()
    assert logged(handle) == [1, "the handler's"]


def test_what_has_lost_a_race_says_so_to_who_awaits_it_again(world: World, caplog: pytest.LogCaptureFixture):
    """A10: asyncio's own wait would have left it alone, and a bare `CancelledError` tells nobody what to mend."""

    class Twice(Notes):
        async def run(self) -> None:
            said = self.next(str)
            await self.race(said, self.sleep(1))
            await said

    world.inbound(Twice)
    world.run(2)
    assert "call next, sleep or aio again" in caplog.text


def test_several_types_can_be_waited_for(world: World):
    """Whichever comes first; and what is no class is refused."""

    class Waits(Notes):
        async def run(self) -> None:
            for _ in range(2):
                self.notes.append(await self.next(int, str))
                self.notes.append(await self.next((int, str), where=lambda given: bool(given)))
            with pytest.raises(TypeError, match="give the class"):
                self.next()
            with pytest.raises(TypeError, match="give the class"):
                self.next((int, "text"))  # type: ignore[arg-type]
            with pytest.raises(TimeoutError, match="message int or str"):
                await self.next(int, str, timeout=1)
            self.notes.append("end")

    _line, handle = world.inbound(Waits)
    world.settle()
    for message in (1, "two", 3.0, "", "four", 5):
        handle.ref.tell(message)
        world.settle()
    world.run(2)
    assert logged(handle) == [1, "two", "", "four"] or logged(handle) == [1, "two", "", "four", "end"]


def test_a_flow_runs_asyncio_code(world: World):
    """DESIGN 4: on the application's one loop, in virtual time here; its end is cancelled with the call's."""

    class Fetches(Notes):
        async def run(self) -> None:
            await self.answer()
            self.notes.append(await self.aio(self.fetch()))
            with pytest.raises(TypeError, match="aio"):
                self.aio(asyncio.sleep)  # type: ignore[arg-type]
            await self.aio(self.endless())

        @staticmethod
        async def fetch() -> str:
            await asyncio.sleep(10)
            return "fetched"

        async def endless(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                self.notes.append("cancelled")

    line, handle = world.inbound(Fetches)
    line.is_connected()
    world.run(9)
    assert logged(handle) == []
    world.run(2)
    assert logged(handle) == ["fetched"]
    line.hangs_up()
    world.run(1)
    assert logged(handle) == ["fetched", "cancelled"]


def test_a_flow_on_the_loop_is_given_the_end_that_it_has_waited_for(world: World):
    """X2, D3: as anywhere else; what comes after that line is done."""

    class Waits(Notes):
        dispatcher = "loop"

        async def run(self) -> None:
            self.notes.append((await self.wait_for("calling.call.state", has_ended)).params["call_state"])
            try:
                await self.sleep(1)
            except CallEnded:
                self.notes.append("over")

    line, handle = world.inbound(Waits)
    world.settle()
    line.hangs_up()
    world.settle()
    assert logged(handle) == ["ended", "over"]


def test_waiting_by_get_is_for_def_run(world: World):
    """A8: in a handler and in ``async def run`` it would wait for itself; so would a race."""
    raised: list[type[BaseException]] = []

    class Wrong(Notes):
        async def run(self) -> None:
            for wrong in (self.sleep(1), self.race(self.sleep(1)), self.gather(self.race(self.sleep(1)))):
                try:
                    wrong.get()
                except WouldDeadlock as error:
                    raised.append(type(error))

    world.inbound(Wrong)
    world.run(2)
    assert raised == [WouldDeadlock] * 3


# -- dispatchers -----------------------------------------------------------------------------------------------------


@pytest.mark.relay(real=True)
@pytest.mark.parametrize("dispatcher", ["pooled", "pinned", "blocking", "loop"])
@pytest.mark.parametrize("style", ["async", "blocking"])
def test_a_call_runs_on_every_dispatcher(relay_app: Any, relay_sim: Any, dispatcher: Any, style: str):
    """D3: on threads and a real socket; a flow on the loop may use asyncio itself, and runs on its thread."""
    threads: list[str] = []
    app = RelayApp()

    class Awaits(CallActor):
        async def run(self) -> None:
            await self.answer()
            menu = self.prompt_tts("Press a key.", ONE_DIGIT)
            digits = (await menu.wait(timeout=10)).digits
            if dispatcher == "loop":
                await asyncio.sleep(0.001)
            threads.append(threading.current_thread().name)
            await self.play_tts(f"You pressed {digits}.").wait()

    class Blocks(CallActor):
        def run(self) -> None:
            self.answer().get()
            digits = self.prompt_tts("Press a key.", ONE_DIGIT).wait(timeout=10).get().digits
            threads.append(threading.current_thread().name)
            self.play_tts(f"You pressed {digits}.").wait().get()

    app.calls("menu")((Awaits if style == "async" else Blocks).on_dispatcher(dispatcher))
    relay_app(app)
    line = relay_sim.phone("+15550001111").dials(context="menu")
    line.hears("key").presses("5")
    line.hears("you pressed 5").is_hung_up()
    part = "-flow-" if style == "blocking" else {"pooled": "", "loop": "-loop"}.get(dispatcher, f"-{dispatcher}-")
    assert part in threads[0]


# -- the end of the call, awaited ------------------------------------------------------------------------------------


class SumsUp(Notes):
    """Waits for the end, and goes on after it."""

    async def run(self) -> None:
        await self.answer()
        self.notes.append((await self.wait_for_ended()).end_reason)
        await self.sleep(1)
        self.notes.append(await self.blocking(sum, [1, 2]))


class SumsUpInTime(Notes):
    """Waits no longer than is left."""

    async def run(self) -> None:
        await self.answer()
        self.notes.append((await self.wait_for_ended(timeout=600)).end_reason)
        await self.sleep(1)
        self.notes.append(3)


class SumsUpInARace(Notes):
    """Waits for it, or for something else."""

    async def run(self) -> None:
        await self.answer()
        event = (await race(race(self.sleep(600), self.wait_for_ended()), self.sleep(600))).value.value
        self.notes.append(event.end_reason)
        await self.sleep(1)
        self.notes.append(3)


class SumsUpWithOthers(Notes):
    """Waits for it, and for something else."""

    async def run(self) -> None:
        await self.answer()
        self.notes.append((await gather(self.wait_for_ended(), self.denoise()))[0].end_reason)
        await self.sleep(1)
        self.notes.append(3)


class SumsUpInARaceOnTheLoop(SumsUpInARace):
    """A task of the asyncio loop."""

    dispatcher = "loop"


class SumsUpBlockingInARace(Notes):
    """Waits for it, or for something else, in blocking Python."""

    def run(self) -> None:
        self.answer().get()
        self.notes.append(race(self.sleep(600), self.wait_for_ended()).get().value.end_reason)
        self.sleep(1).get()
        self.notes.append(3)


class SumsUpBlocking(Notes):
    """Waits for it in blocking Python."""

    def run(self) -> None:
        self.answer().get()
        self.notes.append(self.wait_for_ended().get().end_reason)
        self.sleep(1).get()
        self.notes.append(self.blocking(sum, [1, 2]).get())


class SumsUpLate(Notes):
    """Asks for it only when it is over: `CallEnded` was for the next await that has to wait."""

    async def run(self) -> None:
        await self.answer()
        await self.wait_for("calling.call.state", has_ended)
        self.notes.append((await self.wait_for_ended()).end_reason)
        await self.sleep(1)
        self.notes.append(3)


class SumsUpBlockingLate(Notes):
    """The same in blocking Python."""

    def run(self) -> None:
        self.answer().get()
        self.wait_for("calling.call.state", has_ended).get()
        self.notes.append(self.wait_for_ended().get().end_reason)
        self.sleep(1).get()
        self.notes.append(3)


class SumsUpOnTheLoop(SumsUp):
    """A task of the asyncio loop."""

    dispatcher = "loop"


class SumsUpLateOnTheLoop(SumsUpLate):
    """A task of the asyncio loop."""

    dispatcher = "loop"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("world_class", [World, MortalWorld], ids=["", "with a journal"])
@pytest.mark.parametrize(
    "kind",
    [
        SumsUp,
        SumsUpInTime,
        SumsUpBlocking,
        SumsUpLate,
        SumsUpBlockingLate,
        SumsUpOnTheLoop,
        SumsUpLateOnTheLoop,
        SumsUpInARace,
        SumsUpWithOthers,
        SumsUpInARaceOnTheLoop,
        SumsUpBlockingInARace,
    ],
)
def test_who_has_waited_for_the_end_is_not_raised_it_as_well(kind: type[Notes], world_class: type[World], seed: int):
    """X2: it goes on with what is to be done after the call."""
    with world_class(seed) as world:
        line, handle = world.inbound(kind)
        line.is_connected()
        world.run(1)
        line.hangs_up()
        world.run(5)
        assert logged(handle) == ["hangup", 3]
        world.run(60)
        assert world.call_actors() == []


@over_seeds(10)
def test_who_waits_for_something_else_is_raised_the_end_although_a_listener_has_waited_for_it(world: World):
    """X2: only who has asked for it knows of it."""

    class Sleeps(Notes):
        async def run(self) -> None:
            await self.answer()
            self.on("calling.call.play", self.minds)
            await self.play_tts("Hello.")
            try:
                await self.sleep(600)
            except CallEnded:
                self.notes.append("the flow")

        async def minds(self, _event: object) -> None:
            await self.wait_for_ended()
            self.notes.append("a listener")

    line, handle = world.inbound(Sleeps)
    line.hears("hello")
    world.run(1)
    line.hangs_up()
    world.run(60)
    assert sorted(set(logged(handle))) == ["a listener", "the flow"]
    assert world.call_actors() == []


@pytest.mark.parametrize("kind", ["race", "gather"])
def test_who_was_not_given_the_end_by_a_race_is_raised_it(kind: str):
    """X2: something else has won, or has failed."""

    class Sleeps(Notes):
        async def run(self) -> None:
            await self.answer()
            if kind == "race":
                await race(self.sleep(1), self.wait_for_ended())
            else:
                with contextlib.suppress(TimeoutError):
                    await gather(self.wait_for_ended(), timeout=1)
            try:
                await self.sleep(600)
            except CallEnded:
                self.notes.append("raised")

    with World() as world:
        line, handle = world.inbound(Sleeps)
        line.is_connected()
        world.run(5)
        line.hangs_up()
        world.run(5)
        assert logged(handle) == ["raised"]


class SumsUpLong(Notes):
    """Texts the caller five seconds after the end."""

    async def run(self) -> None:
        await self.answer()
        await self.wait_for_ended()
        await self.sleep(5)
        self.app.send_message(to_number=CALLER, from_number="+15550100100", body=f"Thank you. {self.call_id}")


@pytest.mark.parametrize("seed", range(10))
def test_what_comes_after_the_end_is_gone_on_with_by_the_next_process(seed: int):
    """J4: the flow that is run again is not raised the end either."""
    with MortalWorld(seed) as world:
        line, handle = world.inbound(SumsUpLong)
        line.is_connected()
        world.run(1)
        line.hangs_up()
        world.run(3)
        assert world.sim.phone(CALLER).inbox == ()
        call_id = handle.call_id
        world.dies_after(0.0, then_s=20)
        assert [text.body for text in world.sim.phone(CALLER).inbox] == [f"Thank you. {call_id}"]
