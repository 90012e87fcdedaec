"""Which actor an event is brought to, and who is turned away, in virtual time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from relay_actors import CallActor, DeadLetter, MessageActor, RelayApp, Timing
from relay_actors.actors.routing import Claim
from relay_actors.events import CallReceiveEvent, CallStateEvent, MessageReceiveEvent, PlayEvent
from relay_actors.runtime.future import Future
from tests.actors.world import CALLER, CONTEXT, World
from tests.support.plain_server import CALL, NODE
from tests.support.plain_world import PlainWorld


class Call(CallActor):
    """Writes down what it is told."""

    told: ClassVar[list[Any]] = []

    def on_receive(self, message: object) -> None:
        self.told.append(message)


class Text(MessageActor):
    """Writes down what it is told."""

    told: ClassVar[list[Any]] = []

    def on_receive(self, message: object) -> None:
        self.told.append(message)


@pytest.fixture
def world() -> Iterator[PlainWorld]:
    Call.told.clear()
    Text.told.clear()
    with PlainWorld() as world:
        yield world


def offer(world: PlainWorld, call_id: str = CALL, context: str = "support", **more: object) -> None:
    """Have the server offer a call."""
    world.event("calling.call.receive", {"call_id": call_id, "node_id": NODE, "context": context, **more})
    world.settle()


def state(world: PlainWorld, call_state: str, call_id: str = CALL, **more: object) -> None:
    world.event("calling.call.state", {"call_id": call_id, "node_id": NODE, "call_state": call_state, **more})
    world.settle()


def letters(world: PlainWorld) -> list[DeadLetter]:
    """Return the list of dead letters from now on."""
    dead: list[DeadLetter] = []
    world.system.dead_letters.subscribe(dead.append)
    return dead


def serve(world: PlainWorld, **settings: Any) -> RelayApp:
    world.app.calls("support")(Call)
    world.start()
    return world.app


# -- inbound calls ---------------------------------------------------------------------------------------------------


def test_a_call_goes_to_the_class_of_its_context(world: PlainWorld) -> None:
    """PROTOCOL 8.3; the class without a context takes the others."""

    class Other(CallActor):
        """Calls of no context in particular."""

        def on_receive(self, message: object) -> None:
            """Nothing is to be done."""

    world.app.calls()(Other)
    serve(world)
    offer(world)
    offer(world, "second", context="elsewhere")
    handles = [world.app.call(call_id) for call_id in (CALL, "second")]
    assert [handle.ref.actor_class for handle in handles if handle is not None] == [Call, Other]
    assert world.count("calls.received") == 2


@pytest.mark.parametrize("place", ["inner", "protocol", "outer"])
def test_the_context_is_found_wherever_the_server_puts_it(world: PlainWorld, place: str) -> None:
    """PROTOCOL 8.1: inner ``context``, then inner ``protocol``, then the outer one."""
    serve(world)
    inner = {"inner": {"context": "support"}, "protocol": {"protocol": "support"}, "outer": {}}[place]
    outer = {"context": "support"} if place == "outer" else {}
    world.event("calling.call.receive", {"call_id": CALL, "node_id": NODE, **inner}, **outer)
    world.settle()
    assert world.app.call(CALL) is not None


def test_a_call_that_no_class_handles_is_declined(world: PlainWorld) -> None:
    """Explicitly, so that the caller does not listen to nothing. SEMANTICS X11."""
    serve(world)
    offer(world, context="elsewhere")
    assert world.requests("calling.end") == [{"node_id": NODE, "call_id": CALL, "reason": "decline"}]
    assert world.count("calls.rejected") == 1
    assert world.app.call(CALL) is None


def test_a_call_over_the_limit_is_passed_on(world: PlainWorld) -> None:
    """Somebody else may have room. SEMANTICS K10; PROTOCOL 8.6."""
    world.app._given["max_active_calls"] = 1
    serve(world)
    offer(world)
    offer(world, "second")
    assert world.requests("calling.pass") == [{"node_id": NODE, "call_id": "second"}]
    assert world.count("calls.passed") == 1
    assert world.app.call("second") is None


def test_a_call_that_has_ended_takes_nobodys_place(world: PlainWorld) -> None:
    """Its actor stays for late events; that is no reason to refuse the next caller. PROTOCOL 8.5, 8.6."""
    world.app._given["max_active_calls"] = 1
    serve(world)
    offer(world)
    state(world, "ended")
    assert world.app.call(CALL) is not None
    offer(world, "second")
    assert world.app.call("second") is not None
    assert world.requests("calling.pass") == []


def test_a_call_that_was_handed_on_takes_nobodys_place(world: PlainWorld) -> None:
    """It is somebody else's from the answer on, although its actor stays for a moment. PROTOCOL 8.6."""
    world.app._given["max_active_calls"] = 1
    serve(world)
    offer(world)
    state(world, "answered")
    handle = world.app.call(CALL)
    assert handle is not None
    handle.transfer("context:sales").get(timeout=5.0)
    assert world.app.calls_up == 0
    offer(world, "second")
    assert world.app.call("second") is not None
    assert world.requests("calling.pass") == []


def test_a_call_that_was_passed_on_and_comes_back_is_taken(world: PlainWorld) -> None:
    """This application may be the only one there is."""
    world.app._given["max_active_calls"] = 1
    serve(world)
    offer(world)
    offer(world, "second")
    state(world, "ended")
    offer(world, "second")
    assert world.app.call("second") is not None


def test_a_call_that_is_offered_twice_starts_one_actor(world: PlainWorld) -> None:
    """With a new frame id, so that it is no mere repetition. PROTOCOL 8.3, 18.10."""
    serve(world)
    offer(world)
    offer(world)
    assert [type(message) for message in Call.told] == [CallReceiveEvent]
    assert world.count("calls.received") == 1


def test_a_call_that_has_ended_cannot_be_offered_again(world: PlainWorld) -> None:
    """The offer was on its way when the call ended: nobody is there to be answered."""
    serve(world)
    offer(world)
    state(world, "ended")
    world.run(5.0)
    assert world.app.call(CALL) is None
    offer(world)
    assert world.app.call(CALL) is None
    assert world.count("calls.received") == 1


def test_a_call_that_is_over_when_it_is_offered_gets_no_actor(world: PlainWorld) -> None:
    """Its actor would wait for an end that is no news: for ever. X3."""
    serve(world)
    offer(world, call_state="ended")
    state(world, "ended")
    world.run(120.0)
    assert world.app.call(CALL) is None
    assert len(world.app._running().wire.live) == 0


def test_an_actor_that_has_ended_before_it_was_claimed_is_forgotten_at_once(world: PlainWorld) -> None:
    """X18: its end has overtaken what it has told the connection, which must not keep it for ever."""
    app = serve(world)
    offer(world)
    tree = app._running()
    (cell,) = tree.wire.live.calls
    ref = cell.ref
    ref.kill("before anybody knows what else it owns")
    world.settle()
    assert tree.wire.live.calls == []
    tree.office.tell_connection(Claim("late", ref, is_call=True))
    world.settle()
    assert tree.wire.live.calls == []
    assert not tree.wire.live.owns("late")


@pytest.mark.parametrize("ending", ["declined", "ended"])
def test_late_events_of_a_call_that_is_gone_make_no_noise(world: PlainWorld, ending: str) -> None:
    """They are expected: the server tells the end of every call. PROTOCOL 8.5."""
    serve(world)
    dead = letters(world)
    offer(world, context="elsewhere" if ending == "declined" else "support")
    state(world, "ended")
    world.run(10.0)
    state(world, "ended")
    world.run(10.0)
    assert dead == []


def test_a_class_that_cannot_be_started_costs_its_own_calls_only(
    world: PlainWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """What a class says of itself is the user's, and must not take the connection down."""

    class Wrong(CallActor):
        def on_start(self) -> None:
            """Nothing is to be done."""

    Wrong.within_s = -1.0  # later than the class could look at it

    world.app.calls("wrong")(Wrong)
    serve(world)
    offer(world, "wrong-call", context="wrong")
    assert world.requests("calling.end") == [{"node_id": NODE, "call_id": "wrong-call", "reason": "error"}]
    assert "Wrong cannot be started" in caplog.text
    offer(world)
    assert world.app.call(CALL) is not None
    assert world.app.system.find(("call", "wrong-call")) is None


def begin_shutdown(world: PlainWorld, drain_s: float) -> Future[bool]:
    assert world.app._run is not None
    return world.app._run.begin(drain_s)


def test_a_call_that_comes_while_draining_is_declined(world: PlainWorld) -> None:
    """SEMANTICS X11, H6: what was accepted goes on, what is new is declined, and contexts are given back."""
    serve(world)
    offer(world)
    world.answer = lambda _frame: {"code": "200"}
    over = begin_shutdown(world, 60.0)
    world.settle()
    offer(world, "late")
    assert world.requests("signalwire.unreceive") == [{"contexts": ["support"]}]
    assert world.requests("calling.end") == [{"node_id": NODE, "call_id": "late", "reason": "decline"}]
    assert world.count("calls.declined") == 1
    assert world.app.call(CALL) is not None
    assert not over.is_settled
    state(world, "ended")
    assert over.get(timeout=5.0) is True


# -- events whose owner is not known yet -----------------------------------------------------------------------------


def test_events_that_come_before_their_call_are_handed_on_in_order(world: PlainWorld) -> None:
    """SEMANTICS K4: the reference drops them."""
    serve(world)
    for number in range(5):
        world.event("calling.call.play", {"call_id": CALL, "control_id": str(number), "state": "playing"})
    offer(world)
    world.event("calling.call.play", {"call_id": CALL, "control_id": "5", "state": "playing"})
    world.settle()
    assert isinstance(Call.told[0], CallReceiveEvent)
    assert [message.control_id for message in Call.told[1:]] == [str(number) for number in range(6)]


def test_events_of_nobody_are_dead_letters_after_a_while(world: PlainWorld) -> None:
    """SEMANTICS K4: 64 per id, 5 s; otherwise ``unrouted``."""
    serve(world)
    dead = letters(world)
    for _ in range(70):
        world.event("calling.call.play", {"call_id": "nobody", "state": "playing"})
    world.settle()
    assert [letter.reason for letter in dead] == ["unrouted"] * 6
    world.run(4.9)
    assert len(dead) == 6
    world.run(0.2)
    assert len(dead) == 70
    assert dead[-1].recipient == "nobody"
    assert isinstance(dead[-1].message, PlayEvent)


def test_events_of_a_connected_leg_are_dropped_quietly(world: PlainWorld) -> None:
    """Its own call knows it as its peer. PROTOCOL 12."""
    serve(world)
    dead = letters(world)
    for more in ({"created_by": "connect"}, {"parent": {"call_id": CALL, "node_id": NODE, "device_type": "phone"}}):
        for call_state in ("created", "answered", "ended"):
            state(world, call_state, "peer", **more)
    world.run(10.0)
    assert dead == []
    assert world.requests("calling.end") == []


@pytest.mark.parametrize(
    ("event_type", "params"),
    [
        ("calling.conference", {"conference_id": "c"}),
        ("queuing.relay.tasks", {}),
        ("calling.call.receive", {}),
        ("calling.call.dial", {}),
        ("calling.call.dial", {"tag": "nobody", "dial_state": "answered", "call": {"call_id": "x"}}),
        ("messaging.receive", {}),
        ("something.new", {"control_id": "x"}),
    ],
)
def test_events_that_name_no_owner_are_dropped_quietly(
    world: PlainWorld, event_type: str, params: dict[str, object]
) -> None:
    """PROTOCOL 7.3."""
    serve(world)
    dead = letters(world)
    world.event(event_type, params)
    world.run(10.0)
    assert dead == []
    assert [frame["method"] for frame in world.received if "method" in frame] == ["signalwire.connect"]


# -- dials -----------------------------------------------------------------------------------------------------------

DEVICES = [[{"type": "phone", "params": {"to_number": "+15550001111", "from_number": "+15559990000"}}]]


def dial_event(world: PlainWorld, dial_state: str, tag: str = "t", call_id: str = "") -> None:
    call = {"call": {"call_id": call_id, "node_id": NODE, "tag": tag, "dial_winner": True}} if call_id else {}
    world.event("calling.call.dial", {"tag": tag, "node_id": NODE, "dial_state": dial_state, **call})
    world.settle()


def test_events_of_a_dial_go_by_its_tag_and_then_by_the_winners_id(world: PlainWorld) -> None:
    """PROTOCOL 9.3; an event of the winner that comes before the verdict is not lost."""
    serve(world)
    handle = world.app.dial(Call, DEVICES, tag="t")
    world.settle()
    for leg in ("a", "b"):
        state(world, "created", leg, tag="t", created_by="dial")
    world.event("calling.call.play", {"call_id": "a", "control_id": "early", "state": "playing"})
    state(world, "answered", "a", tag="t", created_by="dial")
    dial_event(world, "answered", call_id="a")
    assert handle.call_id == "a"
    assert world.app.call("a") is not None
    world.event("calling.call.play", {"call_id": "a", "control_id": "late", "state": "playing"})
    world.settle()
    assert [message.control_id for message in Call.told if isinstance(message, PlayEvent)] == ["early", "late"]


def test_a_leg_that_rings_after_its_dial_was_given_up_is_hung_up_once(world: PlainWorld) -> None:
    """The server knows nothing of that, and would let it ring, or run on unowned. PROTOCOL 9.3, 18.10."""
    serve(world)
    world.app.dial(Call, DEVICES, tag="t", dial_timeout=1.0)
    world.run(5.0)  # given up, and its actor is gone
    assert world.app.system.find(("tag", "t")) is None
    state(world, "ringing", "late", tag="t", created_by="dial")
    assert world.requests("calling.end") == [{"node_id": NODE, "call_id": "late", "reason": "cancel"}]
    state(world, "answered", "late", tag="t", created_by="dial")
    dial_event(world, "answered", call_id="late")
    assert len(world.requests("calling.end")) == 1
    assert world.count("calls.late_legs") == 1
    state(world, "ended", "late", tag="t", created_by="dial")
    dead = letters(world)
    world.run(10.0)
    assert dead == []


def test_a_leg_that_still_rings_when_the_server_has_ended_its_dial_is_left_to_the_server(world: PlainWorld) -> None:
    """It stops it by itself (PROTOCOL 9.2); but one that is answered all the same is hung up."""
    serve(world)
    world.app.dial(Call, DEVICES, tag="t")
    world.settle()
    dial_event(world, "failed")
    world.run(5.0)  # its actor is gone
    for leg in ("a", "b"):
        state(world, "ringing", leg, tag="t", created_by="dial")
    assert world.requests("calling.end") == []
    state(world, "answered", "b", tag="t", created_by="dial")
    assert [params["call_id"] for params in world.requests("calling.end")] == ["b"]


def test_a_dial_hears_of_the_loss_of_the_connection(world: PlainWorld) -> None:
    """It is as much of a call as one that was answered. PROTOCOL 6.3."""
    serve(world)
    world.app.dial(Call, DEVICES, tag="t")
    world.settle()
    assert len(world.app._running().wire.live.calls) == 1
    world.vanish()
    world.settle()
    assert "ConnectionLost" in [type(message).__name__ for message in Call.told]


# -- texts -----------------------------------------------------------------------------------------------------------


def text(world: PlainWorld, message_id: str = "m", **more: object) -> None:
    world.event(
        "messaging.receive", {"message_id": message_id, "context": "support", "body": "confidential words", **more}
    )
    world.settle()


def test_a_text_goes_to_the_class_of_its_context_once(world: PlainWorld) -> None:
    """Also if it is delivered again, while it is handled and after. PROTOCOL 14.3."""
    world.app.messages("support")(Text)
    serve(world)
    for _ in range(3):
        text(world)
    world.run(60.0)
    text(world)
    assert [type(message) for message in Text.told] == [MessageReceiveEvent]
    assert world.count("messages.received") == 1


def test_a_text_that_comes_again_just_when_it_was_handled_is_not_handled_twice() -> None:
    """Its actor has ended, and the connection is about to be told so. PROTOCOL 14.3; SEMANTICS K3."""
    for seed in range(10):
        Text.told.clear()
        with World(seed) as world:
            world.app.messages(CONTEXT)(Text)
            world.start()
            params = {"message_id": "m", "from_number": CALLER, "body": "Hi", "context": CONTEXT}
            world.tells("messaging.receive", params)
            while not Text.told:
                world.dispatcher.step()
            world.tells("messaging.receive", params)
            world.run(1.0)
            assert len(Text.told) == 1
            assert world.count("messages.received") == 1


def test_a_text_to_oneself_is_sent_and_received_though_both_have_one_id(world: PlainWorld) -> None:
    """Both ways are followed, each to its end."""
    world.app.messages("support")(Text)
    serve(world)
    world.answer = lambda _frame: {"code": "200", "message_id": "m"}
    handle = world.app.send_message(to_number="+15550001111", from_number="+15550001111", body="note")
    world.settle()
    text(world)
    world.run(1.0)
    world.event("messaging.state", {"message_id": "m", "message_state": "delivered"})
    assert handle.wait(timeout=5.0).get(timeout=5.0).message_state == "delivered"
    assert len(Text.told) == 1
    text(world)
    assert len(Text.told) == 1


@pytest.mark.parametrize("comes_first", ["the text", "its state"])
def test_a_text_to_oneself_is_followed_though_it_comes_before_the_answer(world: PlainWorld, comes_first: str) -> None:
    """What is told of the one is not taken for the other one's. SEMANTICS K4, X17."""
    world.app.messages("support")(Text)
    serve(world)
    world.answer = lambda _frame: None
    handle = world.app.send_message(to_number="+15550001111", from_number="+15550001111", body="note")
    world.settle()

    def delivered() -> None:
        world.event("messaging.state", {"message_id": "m", "message_state": "delivered"})
        world.settle()

    for tell in (lambda: text(world), delivered) if comes_first == "the text" else (delivered, lambda: text(world)):
        tell()
    sent = next(frame for frame in world.received if frame.get("method") == "messaging.send")
    world.say({"jsonrpc": "2.0", "id": sent["id"], "result": {"code": "200", "message_id": "m"}})
    world.settle()
    assert handle.wait(timeout=5.0).get(timeout=5.0).message_state == "delivered"
    assert len(Text.told) == 1


def test_a_text_that_no_class_handles_is_warned_of_without_its_words(
    world: PlainWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """PROTOCOL 14.3; SEMANTICS O6."""
    caplog.set_level(logging.DEBUG)
    serve(world)
    text(world)
    assert "no class handles texts of context 'support' message_id=m" in caplog.text
    assert "confidential" not in caplog.text.replace('"body": "confidential words"', "")
    assert world.count("messages.unhandled") == 1


def test_a_text_class_that_cannot_be_started_costs_its_own_texts_only(
    world: PlainWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """As with calls."""

    class Wrong(MessageActor):
        dispatcher = "nobody"  # type: ignore[assignment]  # that is what is wrong with it

    world.app.messages("support")(Wrong)
    serve(world)
    text(world)
    assert "Wrong cannot be started" in caplog.text
    offer(world)
    assert world.app.call(CALL) is not None


def test_states_of_a_text_that_nobody_sent_are_given_up(world: PlainWorld) -> None:
    """After a while: they may have come before the answer that names the text. PROTOCOL 14.2."""
    serve(world)
    dead = letters(world)
    world.event("messaging.state", {"message_id": "nobody", "message_state": "delivered"})
    world.run(4.9)
    assert dead == []
    world.run(0.2)
    assert [letter.reason for letter in dead] == ["unrouted"]


@pytest.mark.parametrize("after_s", [0.1, 4.9, 9.9])
def test_states_of_a_text_are_kept_until_its_sending_is_answered(world: PlainWorld, after_s: float) -> None:
    """However long the server takes for that. PROTOCOL 14.2."""
    serve(world)
    dead = letters(world)
    told: list[str] = []
    world.answer = lambda _frame: None
    handle = world.app.send_message(to_number="+15550001111", from_number="+15550002222", body="hi")
    handle.on(lambda event: told.append(event.message_state))
    world.settle()
    world.answer = lambda _frame: {}
    for state in ("queued", "sent", "delivered"):
        said = {"to_number": "+15550001111", "from_number": "+15550002222", "body": "hi"}
        world.event("messaging.state", {"message_id": "m", "message_state": state, **said})
    world.event("messaging.state", {"message_id": "another", "message_state": "sent", **said, "body": "ho"})
    world.run(after_s)
    sent = next(frame for frame in world.received if frame.get("method") == "messaging.send")
    world.say({"jsonrpc": "2.0", "id": sent["id"], "result": {"code": "200", "message_id": "m"}})
    world.settle()
    assert told == ["queued", "sent", "delivered"]
    assert handle.is_done
    world.run(10.0)
    assert [letter.message.message_id for letter in dead] == ["another"]
    assert len(world.app._running().wire.parking) == 0


def test_calls_keep_their_order_under_any_order_of_turns() -> None:
    """SEMANTICS V3: drawn by lot, in many ways."""
    for seed in range(20):
        Call.told.clear()
        with PlainWorld(seed, timing=Timing(linger_s=0.1)) as world:
            serve(world)
            for number in range(10):
                for call_id in ("a", "b"):
                    if number == 3:
                        world.event("calling.call.receive", {"call_id": call_id, "node_id": NODE, "context": "support"})
                    world.event("calling.call.play", {"call_id": call_id, "control_id": str(number), "state": "x"})
            world.settle()
            for call_id in ("a", "b"):
                told = [m for m in Call.told if m.call_id == call_id]
                assert [m.control_id for m in told if isinstance(m, PlayEvent)] == [str(n) for n in range(10)]
                state(world, "ended", call_id)
            assert sum(isinstance(message, CallStateEvent) for message in Call.told) == 2
