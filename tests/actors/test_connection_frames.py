"""Every example of what real servers send, word for word, through a running application: nothing is warned of.

Each frame meets what it speaks of: its call is up, its operation runs, its dial rings, its text is on the way.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from relay_actors import CallActor, CallHandle, MessageActor
from relay_actors.actors.actions import Action
from relay_actors.actors.connection import ConnectionActor
from relay_actors.errors import DialFailedError, RelayError
from relay_actors.events import (
    CallReceiveEvent,
    CallStateEvent,
    DialEvent,
    MessageReceiveEvent,
    MessageStateEvent,
    RelayEvent,
    parse_event,
)
from relay_actors.protocol.commands import Hold
from relay_actors.protocol.completion import COMPLETION_RULES, action_state, is_terminal
from relay_actors.protocol.states import ActionState
from tests.support.operations import begin
from tests.support.plain_server import CALL, FRAMES, NODE
from tests.support.plain_world import PlainWorld

BYSTANDER = "bystander"
DEVICES = [[{"type": "phone", "params": {"to_number": "+14045550201", "from_number": "+14045550199"}}]]

FROM_SERVER = {name: line["frame"] for name, line in FRAMES.items() if line["direction"] == "server->client"}
EVENTS = {name: frame for name, frame in FROM_SERVER.items() if frame.get("method") == "signalwire.event"}
REAL = {name for name, line in FRAMES.items() if line["source"] == "real-capture"}
REQUEST_BY_ID = {
    line["frame"]["id"]: line["frame"] for line in FRAMES.values() if line["direction"] != "server->client"
}
ANSWERS = {
    name: frame
    for name, frame in FROM_SERVER.items()
    if "method" not in frame and frame["id"] in REQUEST_BY_ID and not name.startswith(("connect.", "ping."))
}


class Seen(CallActor):
    def on_receive(self, message: object) -> None:
        self.data.setdefault("told", []).append(message)


class Inbox(MessageActor):
    received: list[MessageReceiveEvent]

    def on_receive(self, message: object) -> None:
        assert isinstance(message, MessageReceiveEvent)
        self.received.append(message)


@pytest.fixture
def world() -> Iterator[PlainWorld]:
    """An application that takes everything, with one call that has nothing to do with it."""
    with PlainWorld() as world:
        Inbox.received = []
        world.app.calls()(Seen)
        world.app.messages()(Inbox)
        world.start()
        open_call(world, BYSTANDER)
        yield world


def open_call(world: PlainWorld, call_id: str) -> CallHandle:
    params = {"call_id": call_id, "node_id": NODE, "call_state": "created", "direction": "inbound", "context": "x"}
    world.event("calling.call.receive", params)
    world.settle()
    handle = world.app.call(call_id)
    assert handle is not None
    return handle


def told(handle: CallHandle) -> list[Any]:
    return list(handle.data.get("told", ()))


def assert_works(world: PlainWorld, handle: CallHandle) -> None:
    """See that a call is told its events, and is sent commands for."""
    event = {"call_id": handle.call_id, "node_id": NODE, "control_id": "after", "state": "playing"}
    world.event("calling.call.play", event)
    reply = handle.perform(Hold())
    world.settle()
    assert told(handle)[-1].control_id == "after"
    assert reply.get(timeout=0)["code"] == "200"
    assert world.requests("calling.hold")[-1]["call_id"] == handle.call_id
    assert handle.ref.incarnation == 0


def assert_unharmed(world: PlainWorld, caplog: pytest.LogCaptureFixture) -> None:
    """See that nothing is warned of, and that the connection and the other call go on."""
    bystander = world.app.call(BYSTANDER)
    assert bystander is not None
    assert_works(world, bystander)
    [connection] = [cell for cell in world.system.living if isinstance(cell.actor, ConnectionActor)]
    assert connection.incarnation == 0
    assert warnings(caplog) == []


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def acks(world: PlainWorld, frame: dict[str, Any]) -> list[dict[str, Any]]:
    return [sent for sent in world.received if "method" not in sent and sent["id"] == frame.get("id")]


def test_all_frames_are_looked_at() -> None:
    """What stands in none of these groups would go unproven."""
    alone = {name for name in FROM_SERVER if name.startswith(("connect.", "ping.", "disconnect."))}
    odd = set(FROM_SERVER) - set(EVENTS) - set(ANSWERS) - alone
    assert odd == {"odd.response.unknown_id", "odd.method.unknown"}  # see test_connection_events
    assert not odd & REAL
    assert len(REAL & (set(EVENTS) | set(ANSWERS) | alone)) == 90


# -- events ------------------------------------------------------------------------------------------------------------


CALL_EVENTS = {
    name: frame
    for name, frame in EVENTS.items()
    if frame["params"].get("params", {}).get("call_id") == CALL
    and not name.startswith(("dial.", "call.receive"))
    and frame["params"]["event_type"]
}


def operations_of(frame: dict[str, Any]) -> list[str | None]:
    """Return the operations to which an event may belong; None stands for none."""
    event_type = frame["params"]["event_type"]
    if not frame["params"]["params"].get("control_id"):
        return [None]
    return [method for method, rule in COMPLETION_RULES.items() if event_type in rule.event_types] or [None]


@pytest.mark.parametrize(
    ("name", "method"),
    [(name, method) for name, frame in CALL_EVENTS.items() for method in operations_of(frame)],
)
def test_an_event_of_a_call_reaches_it_and_its_operation(
    world: PlainWorld, caplog: pytest.LogCaptureFixture, name: str, method: str | None
) -> None:
    """PROTOCOL 7.3, 10.3: the call is told the typed event, and the operation takes what it says."""
    frame = EVENTS[name]
    event = parse_event(frame["params"])
    handle = open_call(world, CALL)
    action: Action | None = begin(handle, method, event.control_id) if method else None
    world.settle()
    world.say(frame)
    world.settle()
    assert event in told(handle)
    assert type(next(one for one in told(handle) if one == event)) is type(event)
    assert len(acks(world, frame)) == ("id" in frame)
    if action is not None and method is not None:
        expected = action_state(method, event) or ActionState.REQUESTED
        assert (action.state, action.is_done) == (expected, is_terminal(method, event))
    if isinstance(event, CallStateEvent):
        assert handle.state == event.call_state
        assert handle.end_reason == event.end_reason
    if handle.state == "ended":
        assert handle.wait_for_ended().get(timeout=0) == event
    else:
        assert_works(world, handle)
    assert_unharmed(world, caplog)


@pytest.mark.parametrize("name", [name for name in EVENTS if name.startswith("call.receive")])
def test_an_offered_call_has_its_actor(world: PlainWorld, caplog: pytest.LogCaptureFixture, name: str) -> None:
    frame = EVENTS[name]
    world.say(frame)
    world.settle()
    event = parse_event(frame["params"])
    handle = world.app.call(event.call_id)
    assert handle is not None
    assert told(handle) == [event]
    assert isinstance(event, CallReceiveEvent)
    assert (handle.call_context, handle.from_number) == (event.context, event.from_number)
    assert len(acks(world, frame)) == 1
    assert_works(world, handle)
    assert_unharmed(world, caplog)


@pytest.mark.parametrize("name", [name for name in EVENTS if name.startswith("dial.")])
def test_what_is_said_of_a_dial_reaches_who_dials(
    world: PlainWorld, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """PROTOCOL 9.2, 9.3: and whatever it was, the dial can still be answered, or has failed in order."""
    frame = EVENTS[name]
    event = parse_event(frame["params"])
    handle = world.app.dial(Seen, DEVICES, tag=event.tag)
    world.settle()
    world.say(frame)
    world.settle()
    assert len(acks(world, frame)) == 1
    match event:
        case DialEvent(dial_state="failed"):
            with pytest.raises(DialFailedError) as failed:
                handle.wait_for_answered().get(timeout=0)
            assert str(failed.value).endswith(f": {event.reason}") == (event.reason != "")
        case DialEvent(dial_state="answered", winner_call_id=winner):
            assert handle.call_id == winner != ""
            assert_works(world, handle)
        case _:
            assert (handle.call_id, handle.state) == ("", "")
            leg = {"call_id": event.call_id or "leg", "node_id": NODE, "tag": event.tag, "dial_winner": True}
            if not (isinstance(event, CallStateEvent) and event.call_state == "ended"):
                answered = {"tag": event.tag, "node_id": NODE, "dial_state": "answered", "call": leg}
                world.event("calling.call.dial", answered)
                world.settle()
                assert handle.call_id == leg["call_id"]
                assert_works(world, handle)
    assert world.requests("calling.end") == []
    assert_unharmed(world, caplog)


@pytest.mark.parametrize("name", [name for name in EVENTS if name.startswith("message.state")])
def test_what_is_said_of_a_text_reaches_who_has_sent_it(
    world: PlainWorld, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """PROTOCOL 14.2."""
    frame = EVENTS[name]
    event = parse_event(frame["params"])
    assert isinstance(event, MessageStateEvent)
    world.answer = lambda _frame: {"code": "200", "message": "Message accepted", "message_id": event.message_id}
    heard: list[RelayEvent] = []
    text = world.app.send_message(to_number="+14045550123", from_number="+14045550199", body="hi")
    text.on(heard.append)
    world.settle()
    world.say(frame)
    world.settle()
    assert heard == [event]
    assert (text.state, text.reason) == (event.message_state, event.reason)
    assert text.is_done == (event.message_state in ("delivered", "undelivered", "failed"))
    assert_unharmed(world, caplog)


@pytest.mark.parametrize("name", [name for name in EVENTS if name.startswith("message.receive")])
def test_a_text_that_comes_in_is_handled(world: PlainWorld, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """PROTOCOL 14.3."""
    world.say(EVENTS[name])
    world.settle()
    assert Inbox.received == [parse_event(EVENTS[name]["params"])]
    assert_unharmed(world, caplog)


NOBODYS = sorted(
    set(EVENTS) - set(CALL_EVENTS) - {name for name in EVENTS if name.startswith(("call.receive", "dial.", "message."))}
)


@pytest.mark.parametrize("name", NOBODYS)
def test_an_event_that_concerns_nobody_here_is_acknowledged_and_dropped_quietly(
    world: PlainWorld, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """PROTOCOL 7.1, 7.3: unknown calls, the other leg of a bridge, tasks, the session's own state, no type at all."""
    handle = open_call(world, CALL)
    before = told(handle)
    world.say(EVENTS[name])
    world.settle()
    world.run(60.0)  # nor later, when nobody has come for what was parked
    assert told(handle) == before
    assert len(acks(world, EVENTS[name])) == 1
    assert_works(world, handle)
    assert_unharmed(world, caplog)


def test_these_are_the_events_that_concern_nobody() -> None:
    """Or a mistake in the groups above would hide what is not delivered."""
    assert NOBODYS == [
        "authorization_state.event",
        "call_connect.peer_state.created",
        "conference.event.end",
        "odd.event.empty_type",
        "odd.event.tasks",
        "odd.event.unknown_call",
    ]


# -- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_settles_its_request(world: PlainWorld, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """PROTOCOL 2.3: with its result, or with an error that has its code; neither is worth a warning by itself."""
    answer, request = ANSWERS[name], REQUEST_BY_ID[ANSWERS[name]["id"]]
    world.answer = lambda _frame: None
    future = world.app.execute(request["method"], request.get("params", {}))
    world.settle()
    [sent] = [frame for frame in world.received if frame.get("method") == request["method"]][-1:]
    world.say({**answer, "id": sent["id"]})
    world.settle()
    result = answer.get("result")
    code = result.get("code") if isinstance(result, dict) else None
    if "error" in answer or (code is not None and not str(code).startswith("2")):
        assert isinstance(future.error, RelayError)
        assert future.error.code == expected_code(answer)
    else:
        assert future.get(timeout=0) == (result if isinstance(result, dict) else {"raw": result})
    world.answer = lambda _frame: {"code": "200"}
    assert_unharmed(world, caplog)


def expected_code(answer: dict[str, Any]) -> int:
    """PROTOCOL 2.2, 2.3: a number, or -1 where there is none."""
    said = answer["error"] if "error" in answer else answer["result"]
    code = said.get("code", -1) if isinstance(said, dict) else -1
    try:
        return int(code)
    except ValueError:
        return -1


@pytest.mark.parametrize("name", [name for name in ANSWERS if name in REAL and name.startswith(("record.", "tap."))])
def test_the_acceptance_of_an_operation_lets_it_begin(
    world: PlainWorld, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """PROTOCOL 10.2, whatever else it carries: a URL, where the media comes from."""
    handle = open_call(world, CALL)
    world.answer = lambda _frame: ANSWERS[name]["result"]
    action = begin(handle, f"calling.{name.split('.')[0]}")
    world.settle()
    assert action.get(timeout=0) is action
    assert not action.is_done
    world.answer = lambda _frame: {"code": "200"}
    assert_works(world, handle)
    assert_unharmed(world, caplog)


# -- the session -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FROM_SERVER if name.startswith("connect.result")])
def test_a_log_in_succeeds_and_can_be_resumed(caplog: pytest.LogCaptureFixture, name: str) -> None:
    """PROTOCOL 3.2, 3.5."""
    with PlainWorld() as world:
        world.login = lambda _frame: {"result": FROM_SERVER[name]["result"]}
        world.app.calls()(Seen)
        world.start()
        assert world.app.relay_protocol == FROM_SERVER[name]["result"].get("protocol", "")
        handle = open_call(world, CALL)
        assert_works(world, handle)
        assert warnings(caplog) == []


@pytest.mark.parametrize("name", [name for name in FROM_SERVER if name.startswith("connect.error")])
def test_a_log_in_that_is_refused_fails_with_the_servers_code(name: str) -> None:
    """PROTOCOL 3.4, D27: here a warning is due, for nothing will work."""
    with PlainWorld() as world:
        world.login = lambda _frame: {"error": FROM_SERVER[name]["error"]}
        with pytest.raises(RelayError) as refused:
            world.start()
        assert refused.value.code == FROM_SERVER[name]["error"]["code"]


@pytest.mark.parametrize("name", [name for name in FROM_SERVER if name.startswith("ping.") and "request" in name])
def test_a_ping_is_answered(world: PlainWorld, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """PROTOCOL 5.1."""
    world.say(FROM_SERVER[name])
    world.settle()
    assert len(acks(world, FROM_SERVER[name])) == 1
    assert_unharmed(world, caplog)


@pytest.mark.parametrize("name", [name for name in FROM_SERVER if name.startswith("disconnect.")])
def test_a_disconnect_that_is_announced_costs_no_connection_actor(
    world: PlainWorld, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """PROTOCOL 6.1: it logs in again, to the same session or a new one; that is told once, as every loss is."""
    world.say(FROM_SERVER[name])
    world.settle()
    assert len(acks(world, FROM_SERVER[name])) == 1
    world.vanish()
    world.run(5.0)
    assert len(world.connected_at) == 2
    [connection] = [cell for cell in world.system.living if isinstance(cell.actor, ConnectionActor)]
    assert connection.incarnation == 0
    assert_works(world, open_call(world, CALL))
