"""The socket is cut at every frame of a call, of a dial, of a bridge and of texts, before and after the frame crosses.

Each is first played undisturbed. Then it is played again once for each frame and side, from the same seed, and cut
there; what has happened in the end has to be the same as if nothing had: for the people, the server, and the code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from relay_actors import ActionCompleted, CallActor, Limits, MessageActor, RelayApp
from relay_actors.config import Settings
from relay_actors.errors import ConnectionLostError
from relay_actors.events import CallReceiveEvent, CallStateEvent, RelayEvent
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator import Manners, Simulator
from relay_actors.testing import SimulatorServer
from relay_actors.transport.websocket_client import WebsocketConnector
from tests.actors.world import CALLER, CONTEXT, OURS, World, device
from tests.support.cutting import Cut, CuttingConnector
from tests.support.plain_app import PATIENT, wait_until
from tests.support.plain_server import DEADLINE_S
from tests.support.thorough import seeds, some_of

A, B = "+15550000001", "+15550000002"
WITHIN_S = 90.0
"""How long a story may take with a cut in it, in virtual seconds."""


class Noting(CallActor):
    """Notes every event of the call, and what its flow got as far as."""

    def on_receive(self, message: object) -> None:
        if isinstance(message, RelayEvent):
            self.data.setdefault("events", []).append(in_words(message))

    def on_stop(self) -> None:
        NOTED.append(self.data)


NOTED: list[dict[str, Any]] = []
"""What each call has noted, in the order in which they ended."""


class Menu(Noting):
    """An IVR: it answers, greets, asks for keys, says them, and hangs up."""

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("Welcome to the company.")).wait()
        asked = await self.play_and_collect(
            [{"type": "tts", "params": {"text": "Press two keys."}}], {"digits": {"max": 2}, "initial_timeout": 60.0}
        )
        event = await asked.wait()
        recording = await self.record({"initial_timeout": 0.0, "end_silence_timeout": 0.0})
        await (await self.play_tts(f"You have pressed {event.digits}.")).wait()
        await recording.stop()
        await recording.wait()
        self.data["digits"] = event.digits
        await self.hangup()


class Greeting(Noting):
    """The same in messages, which wait for no answer: what it asks for together is under way together."""

    def on_receive(self, message: object) -> None:
        super().on_receive(message)
        match message:
            case CallReceiveEvent():
                self.answer()
                self.data["recording"] = self.record()
            case CallStateEvent(call_state="answered"):
                self.data["greeting"] = self.play_tts("Good morning.")
                self.denoise()
            case ActionCompleted(action=action) if action is self.data["greeting"]:
                self.data["recording"].stop()
                self.hangup()


class Reminder(Noting):
    """A dial: it says something to who answers, and hangs up."""

    async def run(self) -> None:
        await (await self.play_tts("This is your reminder.")).wait()
        self.data["said"] = True
        await self.hangup("hangup")


class Operator(Noting):
    """A bridge: it answers, connects the caller to a colleague, and says goodbye when that one has gone."""

    async def run(self) -> None:
        await self.answer()
        parted = self.wait_for("calling.call.connect", lambda event: event.connect_state == "disconnected")
        await self.connect([[device(A)]])
        await parted
        await (await self.play_tts("Goodbye.")).wait()
        await self.hangup()


class Correspondent(MessageActor):
    """Answers a text."""

    def on_receive(self, message: object) -> None:
        REPLIES.append(self.reply("Thank you."))


REPLIES: list[Any] = []


def in_words(event: RelayEvent) -> str:
    state = getattr(event, "call_state", "") or getattr(event, "connect_state", "") or event.params.get("state", "")
    return f"{event.event_type} {state} {getattr(event, 'dial_state', '')}".strip()


# -- the stories -----------------------------------------------------------------------------------------------------


def call_the_menu(world: World) -> dict[str, object]:
    world.sim.phone(CALLER).reacts("press two keys", presses="12")
    world.takes_calls(Menu)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    line.is_hung_up(WITHIN_S)
    world.run(30.0)
    [noted] = NOTED
    return {"digits": noted["digits"], "events": noted["events"], "heard": heard(line), "reason": line.end_reason}


def greet(world: World) -> dict[str, object]:
    world.takes_calls(Greeting)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    line.is_hung_up(WITHIN_S)
    world.run(30.0)
    [noted] = NOTED
    told = sorted(set(noted["events"]))  # how what runs side by side is interleaved may change
    return {"events": told, "heard": heard(line), "reason": line.end_reason}


def dial_two(world: World) -> dict[str, object]:
    world.start()
    world.sim.phone(A).never_answers()
    world.sim.phone(B).answers_after(2.0)
    handle = world.app.dial(Reminder, [[device(A), device(B)]], tag="t")
    answered, ended = handle.wait_for_answered(), handle.wait_for_ended()
    world.until(lambda: ended.is_settled, WITHIN_S)
    world.run(30.0)
    lines = [world.sim.phone(number).line for number in (A, B)]
    [noted] = NOTED
    assert answered.get(timeout=0).call_state == "answered"
    return {
        "events": sorted(noted["events"]),  # of the two that tell of the answer either may come first
        "said": noted["said"],
        "heard": [heard(line) for line in lines],
        "reasons": [line.end_reason for line in lines],
    }


def bridge(world: World) -> dict[str, object]:
    world.sim.phone(A).answers_after(1.0)
    world.takes_calls(Operator)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    colleague = world.sim.phone(A)
    world.until(lambda: colleague.lines and colleague.line.state == "answered", WITHIN_S)
    world.run(20.0)
    colleague.hangs_up()
    line.is_hung_up(WITHIN_S)
    world.run(30.0)
    [noted] = NOTED
    return {
        "events": noted["events"],
        "heard": heard(line),
        "reasons": [line.end_reason, colleague.line.end_reason],
        "calls": len(colleague.lines),
    }


def exchange_texts(world: World) -> dict[str, object]:
    world.app.messages(CONTEXT)(Correspondent)
    world.start()
    world.sim.phone(CALLER).texts("Are you there?", context=CONTEXT)
    world.run(20.0)
    sent = world.app.send_message(to_number=A, from_number=OURS, body="Hello.")
    world.run(60.0)
    return {"replies": [outcome(text) for text in REPLIES], "sent": outcome(sent)}


def outcome(text: Any) -> str:
    """Return what has become of a text; nobody may wait for ever."""
    assert text.wait().is_settled
    if text.is_done and text.result is not None:
        return str(text.result.message_state)
    with pytest.raises(ConnectionLostError):  # a text is not sent twice (SEMANTICS K6)
        text.wait().get(timeout=0)
    return str(text.state)


def heard(line: Any) -> list[str]:
    """Return what a person has heard, music and silence left out."""
    return [str(sound) for sound in line.heard]


STORIES: dict[str, Callable[[World], dict[str, object]]] = {
    "a menu": call_the_menu,
    "a greeting in messages": greet,
    "a dial of two": dial_two,
    "a bridge": bridge,
    "texts": exchange_texts,
}


# -- the judge -------------------------------------------------------------------------------------------------------


def play(name: str, cut: Cut, *, event_before_response: bool, seed: int = 7) -> dict[str, object]:
    """Play a story, and return what has happened: to the people, to the code, and at the server."""
    NOTED.clear()
    REPLIES.clear()
    with World(seed, manners=Manners(event_before_response=event_before_response)) as world:
        world.connector = CuttingConnector(world.connector, cut)  # type: ignore[assignment]  # as good as that
        log = world.sim.frames
        told = STORIES[name](world)
        cut.story_ends()
        assert all(cell.ref.kept.leg.is_ended for cell in world.call_actors()), "a call is left up"
        assert not world.sim.calls_up(), "the server has a call up"
        assert_nothing_after_the_end(world)
        told["carried out"] = carried_out(world)
        attached = [session for session in world.sim._sessions.all() if session.is_attached]
        assert [session.unacknowledged for session in attached if session.unacknowledged] == []
        assert len(log) < 1000, "the log has forgotten something"
    return told


def carried_out(world: World) -> list[str]:
    """Return what the server has carried out, in order; each operation, dial and call only once for each command."""
    results = {one.frame["id"]: one.frame["result"] for one in world.sim.frames.sent() if "result" in one.frame}
    done: list[tuple[str, str]] = []
    for one in world.sim.frames.received():
        code = str(results.get(one.frame.get("id"), {}).get("code", ""))  # type: ignore[attr-defined]  # it is an object
        if one.method.startswith(("calling.", "messaging.")) and code.startswith("2"):
            ids = (one.params.get(key) for key in ("control_id", "tag", "call_id", "to_number"))
            done.append((one.method, str(next(name for name in ids if name))))
    twice = [what for what, times in Counter(done).items() if times > 1]
    assert twice == [], "carried out twice"
    return [method for method, _name in done]


def assert_nothing_after_the_end(world: World) -> None:
    """See that no command was sent on a call when the application had confirmed that it knows of the call's end."""
    ended_by: dict[object, object] = {}
    ended_at: dict[object, float] = {}
    for one in world.sim.frames:
        frame = one.frame
        if one.direction == "sent" and one.event_type == "calling.call.state":
            inner = one.params["params"]
            assert isinstance(inner, dict)
            if inner.get("call_state") == "ended":
                ended_by[frame["id"]] = inner["call_id"]
        elif one.direction == "received" and "result" in frame and frame["id"] in ended_by:
            ended_at[ended_by[frame["id"]]] = one.at
        elif one.direction == "received" and one.method.startswith("calling."):
            # At the same instant they may have crossed: what is confirmed has not been delivered yet (SEMANTICS J1).
            is_late = one.at > ended_at.get(one.params.get("call_id"), one.at)
            assert not is_late, f"{one.method} after the end"


@pytest.mark.parametrize("event_before_response", [False, True], ids=["response first", "event first"])
@pytest.mark.parametrize("name", STORIES)
def test_a_cut_at_any_frame_changes_nothing(name: str, event_before_response: bool):
    """Proves SEMANTICS K6, K3, X3: calls end as they should, all waits return, no command is doubled, none is sent
    after the end, and every event is told once and in order. The exception is a text that was not carried out: it is
    unknown."""
    undisturbed = Cut()
    wanted = play(name, undisturbed, event_before_response=event_before_response)
    wrong: list[str] = []
    for at in some_of(range(undisturbed.length), 6 if event_before_response else 14):
        for after in (False, True):
            cut = Cut(at, after=after)
            try:
                got = play(name, cut, event_before_response=event_before_response)
                assert cut.is_done
                differences(wanted, got)
            except Exception as error:  # noqa: BLE001 - all of them are told, not only the first
                wrong.append(f"{cut}\n    {type(error).__name__}: {error}")
    assert wrong == [], f"{len(wrong)} cuts of {name}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("seed", seeds(6, 12))
@pytest.mark.parametrize("name", STORIES)
def test_a_second_cut_while_the_first_is_being_dealt_with_changes_nothing_either(name: str, seed: int):
    """SEMANTICS K6: what is sent again may be lost again."""
    rng, undisturbed = Random(seed), Cut()
    event_before_response = rng.random() < 0.5
    wanted = play(name, undisturbed, event_before_response=event_before_response, seed=seed)
    again = (rng.randrange(1, 12), rng.random() < 0.5)
    cut = Cut(rng.randrange(undisturbed.length), after=rng.random() < 0.5, again=again)
    try:
        differences(wanted, play(name, cut, event_before_response=event_before_response, seed=seed))
    except Exception as error:
        raise AssertionError(str(cut)) from error


def differences(wanted: dict[str, object], got: dict[str, object]) -> None:
    """See that a story has come out the same; a text that was not carried out is unknown, and is never sent twice."""
    is_unknown = "unknown" in str(got.get("replies")) or got.get("sent") == "unknown"
    assert not is_unknown or got["carried out"] != wanted["carried out"], "what was carried out is not known"
    for key, value in wanted.items():
        if not (is_unknown and key in ("replies", "sent", "carried out")):
            assert got[key] == value, f"{key}: {got[key]} instead of {value}"


# -- over a real socket ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "at",
    [
        "-> calling.answer",
        "-> calling.play",
        "<- calling.call.play playing",
        "-> calling.record.stop",
        "-> calling.end",
    ],
)
def test_a_cut_of_a_real_socket_changes_nothing_either(at: str, after: bool):
    """SEMANTICS K6, K1: with threads, a kernel and a server that finds out by itself."""
    NOTED.clear()
    cut = Cut(at, after=after)
    sim = Simulator(clock=SystemClock(), random=Random(1), pace=0.02)
    with SimulatorServer(sim) as server:
        host = f"{server.host}:{server.port}"
        settings = Settings.from_env(project="p", token="t", host=host, scheme="ws", contexts=[CONTEXT])
        connector = CuttingConnector(WebsocketConnector(settings, PATIENT, Limits()), cut)
        app = RelayApp("p", "t", host=host, scheme="ws", timing=PATIENT)
        app.calls(CONTEXT)(Menu)
        app.start(wait_s=DEADLINE_S, connector=connector)
        try:
            line = sim.phone(CALLER).reacts("press two keys", presses="12").dials(context=CONTEXT)
            line.is_hung_up(within=20.0)
            wait_until(lambda: NOTED, "the end of the call")
        finally:
            app.stop()
    assert cut.is_done
    assert NOTED[0]["digits"] == "12"
    assert heard(line) == ["Welcome to the company.", "Press two keys.", "You have pressed 12."]
    played = [word for word in NOTED[0]["events"] if word.startswith("calling.call.play")]
    assert played == ["calling.call.play playing", "calling.call.play finished"] * 3
