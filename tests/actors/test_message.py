"""Text messages, against a server that is not ours."""

from __future__ import annotations

import asyncio
import functools
import logging
import queue
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors import Actor, MessageActor, MessageHandle, RelayError, Timing
from relay_actors.actors.message import OutboundMessageActor
from relay_actors.actors.message_handle import TextMessage
from relay_actors.actors.tree import Tree
from relay_actors.actors.wire import Disconnect
from relay_actors.errors import (
    ArgumentError,
    CommandRejectedError,
    ConfigError,
    ConnectionLostError,
    FlowError,
    RelayActorsError,
    RequestTimeoutError,
)
from relay_actors.events import MessageReceiveEvent, MessageStateEvent
from relay_actors.runtime.future import Future
from tests.actors.world import World, over_seeds
from tests.support.plain_app import app_for, logged_in, started, started_app, wait_until
from tests.support.plain_server import DEADLINE_S, FRAMES, PROTOCOL, PlainPeer, PlainServer

TO, FROM, THIRD = "+14045550123", "+14045550199", "+14045550142"


def tell(peer: PlainPeer, state: str, message_id: str = "m", **more: object) -> None:
    """Tell the state of a text."""
    peer.event("messaging.state", {"message_id": message_id, "message_state": state, **more})


def is_over(app: Any) -> bool:
    return not [cell for cell in app.system.living if "MessageActor" in cell.actor_class.__name__]


# -- sending ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["message.send", "message.send_mms"])
def test_a_text_is_sent_as_the_wire_wants_it(server: PlainServer, name: str) -> None:
    """PROTOCOL 14.1."""
    example = FRAMES[f"{name}.request"]["frame"]["params"]
    with logged_in(server) as (app, peer):
        app.send_message(**example)
        assert peer.expect("messaging.send")["params"] == example


def test_what_is_empty_is_left_out(server: PlainServer) -> None:
    """PROTOCOL 14.1: only if non-empty."""
    with logged_in(server) as (app, peer):
        app.send_message(to_number=TO, from_number=FROM, context="c", body="hi", media=[], tags=[], region="")
        sent = peer.expect("messaging.send")["params"]
        assert sent == {"context": "c", "to_number": TO, "from_number": FROM, "body": "hi"}


@pytest.mark.parametrize(
    ("result", "context"), [({"protocol": PROTOCOL}, PROTOCOL), ({}, "default"), ({"protocol": ""}, "default")]
)
def test_the_context_is_the_session_unless_one_is_chosen(
    server: PlainServer, result: dict[str, Any], context: str
) -> None:
    """Always on the wire. PROTOCOL 14.1."""
    app = app_for(server)
    try:
        peer = started(app, server, result)
        app.send_message(to_number=TO, from_number=FROM, body="hi")
        assert peer.expect("messaging.send")["params"]["context"] == context
    finally:
        app.stop()


@pytest.mark.parametrize("content", [{}, {"body": ""}, {"media": []}, {"body": "", "media": []}])
def test_a_text_without_words_and_media_is_refused_and_not_sent(server: PlainServer, content: dict[str, Any]) -> None:
    """PROTOCOL 14.1: a ValueError."""
    with logged_in(server) as (app, peer):
        with pytest.raises(ArgumentError) as caught:
            app.send_message(to_number=TO, from_number=FROM, **content)
        assert isinstance(caught.value, ValueError)
        peer.expect_nothing()


def test_a_text_is_followed_to_its_delivery(server: PlainServer) -> None:
    """PROTOCOL 14.2."""
    told: queue.SimpleQueue[MessageStateEvent] = queue.SimpleQueue()
    completed: queue.SimpleQueue[MessageStateEvent] = queue.SimpleQueue()
    with logged_in(server) as (app, peer):
        text = app.send_message(to_number=TO, from_number=FROM, body="hi", tags=["t"], on_completed=completed.put)
        text.on(told.put)
        assert (text.state, text.message_id, text.is_done, text.result) == ("queued", "", False, None)
        assert (text.direction, text.to_number, text.from_number, text.body) == ("outbound", TO, FROM, "hi")
        assert (text.tags, text.media, text.context, text.reason) == (["t"], [], "", "")
        peer.ok(peer.expect("messaging.send"), message_id="m")
        assert text.sent.get(timeout=DEADLINE_S).message_id == "m"
        for state in ("queued", "initiated", "sent"):
            tell(peer, state)
            assert told.get(timeout=DEADLINE_S).message_state == state
        with pytest.raises(TimeoutError):
            text.wait(timeout=0.01).get(timeout=DEADLINE_S)  # which harms nothing
        assert text.state == "sent"
        waiting = text.wait()
        tell(peer, "delivered", segments=2)
        event = waiting.get(timeout=DEADLINE_S)
        assert event.message_state == "delivered"
        assert completed.get(timeout=DEADLINE_S) == event == told.get(timeout=DEADLINE_S) == text.result
        assert (text.is_done, text.state, text.segments, text.message_id) == (True, "delivered", 2, "m")
        assert text.wait(timeout=1.0).get(timeout=DEADLINE_S) == event
        wait_until(lambda: is_over(app), "the end of its actor")


@pytest.mark.parametrize("state", ["undelivered", "failed"])
def test_a_text_that_cannot_be_delivered_says_why(server: PlainServer, state: str) -> None:
    """It is an answer, not an error; states may be skipped. PROTOCOL 14.2."""
    with logged_in(server) as (app, peer):
        text = app.send_message(to_number=TO, from_number=FROM, body="hi")
        peer.ok(peer.expect("messaging.send"), message_id="m")
        tell(peer, state, reason="spam")
        assert text.wait().get(timeout=DEADLINE_S).reason == "spam"
        assert (text.state, text.reason) == (state, "spam")


def test_states_that_come_before_the_answer_are_not_lost(server: PlainServer) -> None:
    """The first of them can beat the response that names the text. PROTOCOL 14.2, 18.11; SEMANTICS K5."""
    told: queue.SimpleQueue[MessageStateEvent] = queue.SimpleQueue()
    with logged_in(server) as (app, peer):
        text = app.send_message(to_number=TO, from_number=FROM, body="hi")
        text.on(told.put)
        request = peer.expect("messaging.send")
        for state in ("queued", "initiated", "sent", "delivered"):
            tell(peer, state)
        tell(peer, "sent", "another")
        peer.ok(request, message_id="m")
        assert text.wait().get(timeout=DEADLINE_S).message_state == "delivered"
        assert [told.get(timeout=DEADLINE_S).message_state for _ in range(4)][-1] == "delivered"


def test_a_state_that_comes_late_changes_nothing(server: PlainServer) -> None:
    """States only move forward. SEMANTICS X17, X1."""
    told: queue.SimpleQueue[MessageStateEvent] = queue.SimpleQueue()
    with logged_in(server) as (app, peer):
        text = app.send_message(to_number=TO, from_number=FROM, body="hi")
        text.on(told.put)
        peer.ok(peer.expect("messaging.send"), message_id="m")
        for state in ("sent", "initiated", "queued", "no_such_state", "", "delivered", "failed"):
            tell(peer, state)
        assert text.wait().get(timeout=DEADLINE_S).message_state == "delivered"
        peer.settle()
        assert text.state == "delivered"
        assert [told.get(timeout=DEADLINE_S).message_state for _ in range(told.qsize())] == ["sent", "delivered"]


def test_a_refused_text_fails_for_everybody_who_waits(server: PlainServer) -> None:
    """404 is not special here. PROTOCOL 14.1."""
    for code in ("400", "404", "410", "500"):
        with logged_in(server) as (app, peer):
            text = app.send_message(to_number=TO, from_number=FROM, body="hi")
            peer.answer(peer.expect("messaging.send"), {"code": code, "message": "from_number is not valid"})
            for wait in (text.sent, text.wait()):
                with pytest.raises(RelayError) as caught:
                    wait.get(timeout=DEADLINE_S)
                assert caught.value.code == int(code)
            assert (text.state, text.is_done, text.result) == ("failed", True, None)
            assert "from_number is not valid" in text.reason
            wait_until(lambda app=app: is_over(app))  # type: ignore[misc]  # bound in the loop


def test_a_refused_text_completes_as_failed(server: PlainServer, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever counts what became of many texts would otherwise wait for one of them for ever."""
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with logged_in(server) as (app, peer):
        text = app.send_message(to_number=TO, from_number=FROM, body="hi", tags=["t"], on_completed=told.put)
        text.on(told.put)
        peer.answer(peer.expect("messaging.send"), {"code": "400", "message": "from_number is not valid"})
        listened, completed = (told.get(timeout=DEADLINE_S) for _ in range(2))
        assert listened == completed
        assert (completed.message_state, completed.to_number, completed.tags) == ("failed", TO, ["t"])
        assert "from_number is not valid" in completed.reason
        wait_until(lambda: is_over(app))
    assert "was not sent" not in caplog.text


def test_a_refused_text_that_nobody_asks_for_is_in_the_log(
    server: PlainServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing fails in silence; and nobody's words or number get into the log by it."""
    with logged_in(server) as (app, peer):
        app.send_message(to_number=TO, from_number=FROM, body="a secret")
        peer.answer(peer.expect("messaging.send"), {"code": "400", "message": "from_number is not valid"})
        wait_until(lambda: is_over(app))
    [line] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.startswith("a text was not sent: ")
    assert "from_number is not valid" in line
    assert TO not in line
    assert "secret" not in line


def test_a_text_that_was_accepted_without_a_name_is_given_up(server: PlainServer) -> None:
    """Nothing can ever be heard of it, and its actor would stay for ever."""
    with logged_in(server) as (app, peer):
        text = app.send_message(to_number=TO, from_number=FROM, body="hi")
        peer.ok(peer.expect("messaging.send"), message_id=None)
        with pytest.raises(RelayActorsError, match="nothing more is heard"):
            text.wait().get(timeout=DEADLINE_S)
        assert text.sent.get(timeout=DEADLINE_S) is not None


def test_a_text_whose_answer_is_lost_is_not_sent_again(server: PlainServer) -> None:
    """Nobody wants it twice. SEMANTICS K6."""
    with logged_in(server) as (app, peer):
        text = app.send_message(to_number=TO, from_number=FROM, body="hi")
        peer.expect("messaging.send")
        peer.vanish()
        peer = server.accept_login()
        with pytest.raises(ConnectionLostError):
            text.wait().get(timeout=DEADLINE_S)
        peer.expect_nothing()


def text_in_doubt(world: World, *, is_carried_out: bool = True) -> tuple[MessageHandle, list[str]]:
    """Send a text whose sending the server does not answer; return it and what its listeners are told."""
    told: list[str] = []
    if not world.app.is_running:
        world.start()
    world.sim.stop_answering("messaging.send", but_do_it=is_carried_out)
    done = lambda event: told.append(f"done {event.message_state}")  # noqa: E731
    text = world.app.send_message(to_number=TO, from_number=FROM, body="hi", on_completed=done)
    text.on(lambda event: told.append(event.message_state))
    return text, told


DELIVERED = ["queued", "initiated", "sent", "delivered", "done delivered"]


@over_seeds(10)
@pytest.mark.parametrize("lost_after_s", [0.02, 0.15, 3.0, None])
@pytest.mark.parametrize("event_before_response", [False, True])
def test_a_text_whose_answer_is_lost_is_known_by_its_states(
    world: World, lost_after_s: float | None, event_before_response: bool
) -> None:
    """It was told failed although it has arrived: whoever believed that has sent it twice. SEMANTICS K6."""
    world.sim.manners.event_before_response = event_before_response
    text, told = text_in_doubt(world)
    if lost_after_s is not None:  # otherwise no answer comes in time
        world.run(lost_after_s)
        world.sim.drop_sockets()
    world.run(20.0)
    assert told == DELIVERED
    assert text.sent.get(timeout=0).message_id == text.message_id != ""
    assert text.result is not None
    assert (len(world.sim.phone(TO).inbox), world.count("messages.unknown")) == (1, 0)
    assert world.system.dead_letters.counts == {}
    assert not is_followed(world)


@over_seeds(10)
@pytest.mark.parametrize("is_lost", [True, False])
def test_a_text_of_which_nothing_is_heard_is_unknown_and_not_failed(
    world: World, is_lost: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Not before silence means something: some time after the connection is back. SEMANTICS K6."""
    text, told = text_in_doubt(world, is_carried_out=False)
    if is_lost:
        world.run(0.1)
        world.connector.refuse("no network")
        world.sim.drop_sockets()
        world.run(30.0)
        assert told == []
        world.connector.admit()
        world.until(lambda: world.tree.is_connected, within_s=60.0)
        world.run(1.8)
    else:
        world.run(11.8)
    assert (told, text.state, text.is_done) == ([], "queued", False)
    world.run(0.4)
    assert told == ["unknown", "done unknown"]
    assert (text.state, text.is_done, text.result) == ("unknown", True, None)
    for wait in (text.sent, text.wait()):
        with pytest.raises(ConnectionLostError if is_lost else RequestTimeoutError) as caught:
            wait.get(timeout=0)
        assert text.reason == str(caught.value)
    assert (len(world.sent("messaging.send")), world.count("messages.unknown")) == (1, 1)
    assert caplog.text.count("nobody knows whether a text was sent") == 1
    assert not is_followed(world)
    assert (world.tree.wire.texts_in_doubt, len(world.tree.wire.holding.subjects)) == ([], 0)


@over_seeds(5)
def test_a_text_in_doubt_is_unknown_at_once_when_its_session_is_gone(world: World) -> None:
    """Nothing more can be heard of it. SEMANTICS K8."""
    _text, told = text_in_doubt(world, is_carried_out=False)
    world.run(0.1)
    world.sim.forget_sessions()
    world.sim.drop_sockets()
    world.until(lambda: not world.tree.is_connected)
    world.until(lambda: world.tree.is_connected)
    world.run(0.1)
    assert told == ["unknown", "done unknown"]


@over_seeds(5)
@pytest.mark.parametrize("late_s", [7.0, 11.0])
def test_an_answer_that_comes_late_is_the_answer(world: World, late_s: float) -> None:
    """Also after the request has timed out, as long as nobody was told so."""
    world.start()
    world.sim.answer_late("messaging.send", seconds=late_s)
    told: list[str] = []
    text = world.app.send_message(to_number=TO, from_number=FROM, body="hi")
    text.on(lambda event: told.append(event.message_state))
    world.run(20.0)
    assert told == DELIVERED[:4]
    assert text.is_done


@over_seeds(5)
def test_a_refusal_that_comes_late_is_a_refusal(world: World) -> None:
    """Then it is certain, and may be told."""
    world.start()
    world.sim.answer_late("messaging.send", seconds=11.0)
    world.sim.reject_next("messaging.send", code="422", message="No such number", times=1)
    text = world.app.send_message(to_number=TO, from_number=FROM, body="hi")
    world.run(20.0)
    assert text.state == "failed"
    assert world.count("messages.unknown") == 0
    with pytest.raises(CommandRejectedError):
        text.sent.get(timeout=0)


@over_seeds(10)
def test_texts_in_doubt_that_say_the_same_are_told_apart(world: World) -> None:
    """Each has one of the ids, whichever; and one that never arrived is unknown. SEMANTICS J5."""
    texts = [text_in_doubt(world) for _ in range(3)]
    world.run(1.0)  # all is told by then, and nothing more comes
    texts.append(text_in_doubt(world, is_carried_out=False))
    world.run(0.1)
    world.sim.drop_sockets()
    world.run(20.0)
    assert sorted(told[-1] for _text, told in texts) == ["done delivered"] * 3 + ["done unknown"]
    assert len({text.message_id for text, _told in texts}) == 4
    assert world.system.dead_letters.counts == {}


@over_seeds(5)
def test_a_text_that_waits_for_its_answer_is_not_taken_for_one_in_doubt(world: World) -> None:
    """An event that may tell of either settles neither."""
    _first, told_first = text_in_doubt(world, is_carried_out=False)
    world.run(9.5)
    world.sim.resume_answering("messaging.send")
    world.sim.manners.event_before_response = True
    world.sim.answer_late("messaging.send", seconds=2.0)
    second = world.app.send_message(to_number=TO, from_number=FROM, body="hi")
    world.run(20.0)
    assert told_first == ["unknown", "done unknown"]
    assert second.state == "delivered"


def test_a_text_whose_answer_will_never_come_is_unknown_at_once() -> None:
    """Its connection is shut down for good: it may have been sent, so that it is not told failed."""
    with World() as world:
        text, told = text_in_doubt(world)
        world.run(0.1)
        world.tree.office.tell_connection(Disconnect(Future(world.dispatcher)))
        world.settle()
        assert (told, text.state) == (["unknown", "done unknown"], "unknown")


def test_a_text_whose_session_is_gone_lets_nobody_wait(server: PlainServer) -> None:
    """Nothing more will be heard of it, and that is said. SEMANTICS K8."""
    with logged_in(server) as (app, peer):
        text = app.send_message(to_number=TO, from_number=FROM, body="hi")
        peer.ok(peer.expect("messaging.send"), message_id="m")
        text.sent.get(timeout=DEADLINE_S)
        tell(peer, "sent")
        waiting = text.wait()
        peer.send_request("signalwire.disconnect", {"restart": True})
        peer.close()
        server.accept_login()
        with pytest.raises(RelayActorsError, match=r"nothing more is heard of message m: .*its session is gone"):
            waiting.get(timeout=DEADLINE_S)
        assert (text.state, text.reason) == ("sent", "lost")
        wait_until(lambda: is_over(app), "the end of its actor")


def test_who_listens_is_told_that_nothing_more_will_be_heard_of_a_text(server: PlainServer) -> None:
    """Also who has only given ``on_completed``, and would wait for it for ever; before those who wait. SEMANTICS K8."""
    told: list[tuple[str, str, str, str]] = []

    def listener(who: str) -> Callable[[MessageStateEvent], None]:
        return lambda event: told.append((who, event.message_state, event.reason, event.message_id))

    with logged_in(server) as (app, peer):
        text = app.send_message(to_number=TO, from_number=FROM, body="hi", on_completed=listener("on_completed"))
        peer.ok(peer.expect("messaging.send"), message_id="m")
        text.sent.get(timeout=DEADLINE_S)
        tell(peer, "sent")
        text.on(listener("on"))
        waiting = text.wait()
        waiting.add_done_callback(lambda _waiting: told.append(("wait", "", "", "")))
        peer.send_request("signalwire.disconnect", {"restart": True})
        peer.close()
        server.accept_login()
        wait_until(lambda: is_over(app), "the end of its actor")
        assert text.is_done
        assert text.result is None
    assert told[-3:] == [("on", "sent", "lost", "m"), ("on_completed", "sent", "lost", "m"), ("wait", "", "", "")]
    assert [who for who, *_rest in told].count("on_completed") == 1


def test_a_text_that_waits_for_a_connection_is_sent_in_the_next_session(server: PlainServer) -> None:
    """It belongs to none yet."""
    with logged_in(server) as (app, peer):
        peer.send_request("signalwire.disconnect", {"restart": True})
        peer.settle()
        text = app.send_message(to_number=TO, from_number=FROM, body="hi")
        peer.close()
        peer = server.accept_login()
        peer.ok(peer.expect("messaging.send"), message_id="m")
        tell(peer, "delivered")
        assert text.wait().get(timeout=DEADLINE_S).message_state == "delivered"


def test_a_text_that_is_on_its_way_is_followed_over_a_resume(server: PlainServer) -> None:
    """PROTOCOL 6.3: tracked messages are kept."""
    with logged_in(server) as (app, peer):
        text = app.send_message(to_number=TO, from_number=FROM, body="hi")
        peer.ok(peer.expect("messaging.send"), message_id="m")
        text.sent.get(timeout=DEADLINE_S)
        peer.vanish()
        tell(server.accept_login(), "delivered")
        assert text.wait().get(timeout=DEADLINE_S).message_state == "delivered"


def test_nobody_waits_for_a_text_when_the_application_has_stopped(server: PlainServer) -> None:
    """Whatever ends while something waits for it ends the wait."""
    with logged_in(server) as (app, peer):
        sent, unsent = (app.send_message(to_number=TO, from_number=FROM, body=body) for body in ("a", "b"))
        peer.ok(peer.expect("messaging.send", body="a"), message_id="m")
        sent.sent.get(timeout=DEADLINE_S)
        app.stop()
        for text in (sent, unsent):
            with pytest.raises(RelayActorsError):
                text.wait().get(timeout=0)


def test_nobody_waits_for_a_text_that_comes_while_everything_stops(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its actor is not begun any more: a thread that was just about to send it waited for ever."""
    world.start()
    send_text = Tree.send_text

    def stops_before(tree: Tree, *arguments: Any) -> MessageHandle:
        world.app.stop()
        return send_text(tree, *arguments)

    monkeypatch.setattr(Tree, "send_text", stops_before)
    text = world.app.send_message(to_number=TO, from_number=FROM, body="hi")
    for waited_for in (text.sent, text.wait()):
        with pytest.raises(RelayActorsError, match="nothing more is heard"):
            waited_for.get(timeout=0)


def test_nobody_waits_for_a_text_that_a_service_sends_at_its_end(world: World) -> None:
    """The supervisor of texts and the connection have ended before the services."""
    sent: list[MessageHandle] = []

    class SaysGoodbye(Actor):
        def on_stop(self) -> None:
            sent.append(world.app.send_message(to_number=TO, from_number=FROM, body="goodbye"))

    world.app.service(SaysGoodbye, name="goodbye")
    world.start()
    world.app.stop()
    with pytest.raises(RelayActorsError, match="nothing more is heard"):
        sent[0].wait().get(timeout=0)


def test_nobody_waits_for_a_text_whose_actor_was_killed(world: World) -> None:
    """Nobody else would tell of it."""
    world.start()
    text = world.app.send_message(to_number=TO, from_number=FROM, body="hi")
    text.ref._cell.kill("this is a test")
    with pytest.raises(RelayActorsError, match="this is a test"):
        text.wait().get(timeout=5.0)


def test_a_listener_that_raises_harms_nobody(server: PlainServer, caplog: pytest.LogCaptureFixture) -> None:
    """SEMANTICS X13."""

    def raises(_event: object) -> None:
        raise RuntimeError("a bug in a listener")

    told: queue.SimpleQueue[object] = queue.SimpleQueue()
    with logged_in(server) as (app, peer):
        text = app.send_message(to_number=TO, from_number=FROM, body="hi", on_completed=raises)
        text.on(raises)
        text.on(told.put)
        peer.ok(peer.expect("messaging.send"), message_id="m")
        tell(peer, "delivered")
        assert text.wait().get(timeout=DEADLINE_S) == told.get(timeout=DEADLINE_S)
        wait_until(lambda: is_over(app))
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said == ["listener raised message_id=m", "on_completed raised message_id=m"]


@pytest.mark.parametrize("wrong", ["print", 5])
def test_what_cannot_be_called_is_refused_as_a_listener(server: PlainServer, wrong: Any) -> None:
    """Where it is given, and not when the event comes."""
    with logged_in(server) as (app, peer):
        with pytest.raises(ConfigError, match="on_completed"):
            app.send_message(to_number=TO, from_number=FROM, body="hi", on_completed=wrong)
        text = app.send_message(to_number=TO, from_number=FROM, body="hi")
        with pytest.raises(TypeError, match="handler"):
            text.on(wrong)
        peer.answer(peer.expect("messaging.send"), {"code": "400"})


def test_a_handle_says_what_it_is(server: PlainServer) -> None:
    """In a log, without numbers and words (SEMANTICS O6)."""
    with logged_in(server) as (app, peer):
        text: MessageHandle = app.send_message(to_number=TO, from_number=FROM, body="hi")
        assert repr(text) == "<MessageHandle (not accepted yet) queued>"
        peer.answer(peer.expect("messaging.send"), {"code": "400"})


# -- coroutines that listen --------------------------------------------------------------------------------------------


def text_in(world: World, **more: Any) -> MessageHandle:
    """Send a text to a phone that takes it."""
    if not world.app.is_running:
        world.start()
    return world.app.send_message(to_number=TO, from_number=FROM, body="hi", **more)


def is_followed(world: World) -> bool:
    return any(isinstance(cell.actor, OutboundMessageActor) for cell in world.system.living)


@over_seeds(10)
def test_coroutines_that_listen_are_driven_also_beyond_the_last_state(world: World) -> None:
    """PROTOCOL 14.2: sync or async. Their awaits go on although nothing more is to come for the text itself."""
    gate: Future[str] = Future(world.dispatcher)
    told: list[tuple[str, str]] = []

    async def listens(event: MessageStateEvent) -> None:
        told.append(("on", event.message_state))
        if event.message_state == "sent":
            told.append(("on", await gate))

    async def completes(event: MessageStateEvent) -> None:
        told.append(("done", await gate))
        reply = await world.app.execute("calling.answer", {"call_id": "nobody", "node_id": "n"})
        told.append(("done", str(reply)))

    text = text_in(world, on_completed=completes)
    text.on(listens)
    assert text.wait(timeout=5).get().message_state == "delivered"
    world.run(1)
    states = [("on", state) for state in ("queued", "initiated", "sent", "delivered")]
    assert told == states
    assert text.is_done
    assert is_followed(world)
    gate.set("open")
    world.settle()
    assert told[4:6] == [("on", "open"), ("done", "open")]
    assert len(told) == 6, "the request was refused, and the error is the coroutine's"
    world.run(0.1)
    assert not is_followed(world)


@over_seeds(5)
def test_a_last_state_that_is_said_again_completes_a_text_once(world: World) -> None:
    """Who is to be called once is; who listens to every state is told what the server tells. PROTOCOL 14.2."""
    told: list[str] = []
    completed: list[MessageStateEvent] = []
    text = text_in(world, on_completed=completed.append)
    text.on(lambda event: told.append(event.message_state))
    text.sent.get(timeout=5)
    world.tells("messaging.state", {"message_id": text.message_id, "message_state": "delivered", "reason": "first"})
    world.tells("messaging.state", {"message_id": text.message_id, "message_state": "delivered", "reason": "again"})
    event = text.wait().get(timeout=5)
    world.run(5)
    assert completed == [event]
    assert text.result is event
    assert event.reason == "first"
    assert told[-2:] == ["delivered", "delivered"]


@over_seeds(5)
def test_who_is_told_that_a_text_has_come_may_send_another_and_wait_for_it(world: World) -> None:
    """What a flow can await, a listener can."""
    ends: list[str] = []

    async def sends_again(_event: MessageStateEvent) -> None:
        second = text_in(world)
        accepted = await second.sent
        event = await second.wait(timeout=10)
        ends.append(f"{accepted.message_id == second.message_id} {event.message_state}")

    text_in(world, on_completed=sends_again)
    world.run(2)
    assert ends == ["True delivered"]
    assert not is_followed(world)


class Notes:
    def __init__(self, told: list[str]) -> None:
        self.told = told

    async def __call__(self, event: MessageStateEvent) -> None:
        self.told.append(event.message_state)


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: functools.partial(one), lambda one: lambda e: one(e)])
def test_whatever_gives_a_coroutine_is_driven(world: World, wrap: Callable[[Any], Any]) -> None:
    """A coroutine that nobody awaits would be silence, however it was made."""
    told: list[str] = []
    text_in(world, on_completed=wrap(Notes(told)))
    world.run(2)
    assert told == ["delivered"]


@over_seeds(5)
def test_a_coroutine_that_raises_harms_nobody(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """SEMANTICS X13; also the mistake of awaiting what only asyncio can drive."""

    async def raises(_event: object) -> None:
        await asyncio.sleep(0)

    told: list[str] = []
    text = text_in(world, on_completed=raises)
    text.on(raises)
    text.on(lambda event: told.append(event.message_state))
    assert text.wait(timeout=5).get().message_state == "delivered"
    world.run(1)
    assert told == ["queued", "initiated", "sent", "delivered"]
    assert not is_followed(world)
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage().split()[0] for record in said] == ["listener"] * 4 + ["on_completed"]
    assert all(record.exc_info and isinstance(record.exc_info[1], FlowError) for record in said)


def test_a_coroutine_that_never_ends_is_closed_after_a_time(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing may be left behind by every text for ever (SEMANTICS X18)."""
    closed: list[str] = []
    with World(timing=Timing(wrap_up_s=7.0)) as world:
        never: Future[None] = Future(world.dispatcher)

        async def waits(_event: object) -> None:
            try:
                await never
            finally:
                closed.append("closed")

        text = text_in(world, on_completed=waits)
        text.wait(timeout=5).get()
        world.run(6.9)
        assert (closed, is_followed(world)) == ([], True)
        world.run(0.2)
        assert (closed, is_followed(world)) == (["closed"], False)
        assert f"stopping what still runs message_id={text.message_id}" in caplog.text
        never.set(None)
        world.settle()


@pytest.mark.parametrize("is_stubborn", [True, False])
def test_a_stop_of_the_application_closes_what_listens(caplog: pytest.LogCaptureFixture, is_stubborn: bool) -> None:
    """In order: what it has open is closed, and one that will not is told of."""
    closed: list[str] = []
    with World() as world:
        never: Future[None] = Future(world.dispatcher)

        async def waits(event: MessageStateEvent) -> None:
            try:
                await never
            finally:
                closed.append(event.message_state)
                if is_stubborn:
                    await never

        text = text_in(world)
        text.on(waits)
        text.wait(timeout=5).get()
        world.app.stop()
        assert closed == ["queued", "initiated", "sent", "delivered"]
    assert caplog.text.count("coroutine ignored GeneratorExit") == (4 if is_stubborn else 0)


# -- receiving -------------------------------------------------------------------------------------------------------


def test_a_text_is_handled_by_an_actor_of_its_own(server: PlainServer) -> None:
    """PROTOCOL 14.3; SEMANTICS X17."""
    received: queue.SimpleQueue[tuple[TextMessage, object]] = queue.SimpleQueue()

    class Inbox(MessageActor):
        def on_receive(self, message: object) -> None:
            received.put((self.message, message))

    app = app_for(server)
    app.messages()(Inbox)
    with started_app(app, server) as peer:
        for name in ("message.receive", "message.receive.mms"):
            frame = FRAMES[name]["frame"]
            peer.send(frame)
            peer.expect_ack(frame["id"])
            inner = frame["params"]["params"]
            text, event = received.get(timeout=DEADLINE_S)
            assert isinstance(event, MessageReceiveEvent)
            assert text.state == "received"
            for key in ("message_id", "from_number", "to_number", "body", "media", "segments", "tags", "direction"):
                assert getattr(text, key) == inner.get(key, "" if key == "body" else getattr(text, key))
        wait_until(lambda: app.system.actor_count == 6)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"tags": ["auto"]}, {"context": "support", "from_number": FROM, "tags": ["auto"]}),
        ({"context": "replies", "from_number": THIRD}, {"context": "replies", "from_number": THIRD}),
    ],
)
def test_a_text_is_answered_from_where_it_came_to_unless_the_handler_says_otherwise(
    server: PlainServer, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    """The other way round, in the same context."""

    class Inbox(MessageActor):
        def on_receive(self, message: object) -> None:
            self.reply("thanks", **given)

    app = app_for(server)
    app.messages("support")(Inbox)
    with started_app(app, server) as peer:
        peer.event(
            "messaging.receive",
            {"message_id": "in", "context": "support", "from_number": TO, "to_number": FROM, "body": "hi"},
        )
        request = peer.expect("messaging.send")
        assert request["params"] == {"to_number": TO, "body": "thanks", **sent}
        peer.ok(request, message_id="out")
        tell(peer, "delivered", "out")
        wait_until(lambda: app.system.actor_count == 6)


def test_a_handler_that_fails_ends_its_text_alone_and_is_not_called_again(
    server: PlainServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, without the words of the text. SEMANTICS M6, O6; PROTOCOL 14.3."""
    handled: queue.SimpleQueue[str] = queue.SimpleQueue()

    class Inbox(MessageActor):
        def on_receive(self, message: object) -> None:
            handled.put(self.message.message_id)
            if self.message.message_id == "bad":
                raise RuntimeError("a bug in the handler")

    app = app_for(server)
    app.messages()(Inbox)
    with caplog.at_level(logging.INFO), started_app(app, server) as peer:
        for message_id in ("bad", "good"):
            peer.event("messaging.receive", {"message_id": message_id, "body": "confidential", "from_number": TO})
        assert sorted(handled.get(timeout=DEADLINE_S) for _ in range(2)) == ["bad", "good"]
        wait_until(lambda: app.system.actor_count == 6)
        assert handled.empty()
    assert "a bug in the handler" in caplog.text
    assert "confidential" not in caplog.text
    assert TO not in caplog.text


def test_a_class_that_handles_nothing_says_so_without_the_words(
    server: PlainServer, caplog: pytest.LogCaptureFixture
) -> None:
    """SEMANTICS M9, O6."""

    class Idle(MessageActor):
        """Somebody has forgotten the handler."""

    app = app_for(server)
    app.messages()(Idle)
    with started_app(app, server) as peer:
        peer.event("messaging.receive", {"message_id": "m-5", "body": "confidential"})
        wait_until(lambda: "not handled: MessageReceiveEvent message_id=m-5" in caplog.text)
    assert "confidential" not in caplog.text


# -- with people -----------------------------------------------------------------------------------------------------


@over_seeds(10)
@pytest.mark.parametrize("overtakes", [True, False])
def test_a_conversation_by_text_with_pictures_in_both_directions(world: World, overtakes: bool) -> None:
    """PROTOCOL 14, whole: in, out, MMS, every state, also when the first overtakes the response (14.2)."""
    world.sim.manners.event_before_response = overtakes
    sent: list[MessageHandle] = []
    ends: list[str] = []
    told: list[str] = []

    class Inbox(MessageActor):
        def on_receive(self, message: object) -> None:
            assert isinstance(message, MessageReceiveEvent)
            assert self.message.media == message.media
            text = self.reply("Which one?", media=["https://media.example.com/choice.png"], on_completed=self.over)
            text.on(lambda event: told.append(event.message_state))
            sent.append(text)

        async def over(self, event: MessageStateEvent) -> None:
            ends.append(event.message_state)

    world.app.messages("support")(Inbox)
    world.start()
    person = world.sim.phone(TO)
    person.texts("Look", context="support", media=["https://media.example.com/in.jpg"])
    answer = person.receives_text("Which one?")
    assert answer.media == ("https://media.example.com/choice.png",)
    assert answer.to_number == TO
    [text] = sent
    assert text.wait(timeout=5).get().message_state == "delivered"
    world.settle()
    assert told == ["queued", "initiated", "sent", "delivered"]
    assert ends == ["delivered"]
    assert (text.context, text.direction, text.state, text.segments) == ("support", "outbound", "delivered", 1)
    assert not is_followed(world)


@over_seeds(5)
@pytest.mark.parametrize("state", ["undelivered", "failed"])
def test_a_text_that_does_not_arrive_tells_both_who_waits_and_who_was_to_be_called(world: World, state: str) -> None:
    """The two other ends (PROTOCOL 14.2)."""
    world.start()
    world.sim.next_message(ends=state, reason="Number not in service")
    ends: list[MessageStateEvent] = []
    text = text_in(world, on_completed=ends.append, region="us", tags=["a", "b"])
    event = text.wait(timeout=5).get()
    assert (event.message_state, event.reason, event.tags) == (state, "Number not in service", ["a", "b"])
    assert ends == [event]
    assert world.sent("messaging.send")[0]["region"] == "us"
