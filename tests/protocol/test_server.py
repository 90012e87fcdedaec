"""The server's half of the wire: text in, happenings and text out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ProtocolError
from relay_actors.protocol import server
from relay_actors.protocol.server import (
    Acknowledged,
    CommandArrived,
    LogInAsked,
    NonsenseArrived,
    PingArrived,
    ServerProtocol,
)

FRAMES = [
    json.loads(line) for line in (Path(__file__).parent.parent / "data" / "frames.jsonl").read_text().splitlines()
]
FROM_CLIENT = [row for row in FRAMES if row["direction"] == "client->server"]


def ids() -> Iterator[str]:
    return (f"s{number}" for number in count(1))


@pytest.fixture
def fresh() -> ServerProtocol:
    return ServerProtocol(new_id=ids().__next__)


@pytest.fixture
def protocol(fresh: ServerProtocol) -> ServerProtocol:
    fresh.receive_text(request("c0", "signalwire.connect"))
    fresh.accept_log_in({"protocol": "p"})
    fresh.texts_to_send()
    return fresh


def request(id: object, method: str, params: object = None) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}})


def sent(protocol: ServerProtocol) -> list[dict[str, Any]]:
    return [json.loads(text) for text in protocol.texts_to_send()]


def test_a_request_before_the_log_in_is_refused_with_auth_required(fresh: ServerProtocol):
    """PROTOCOL 19.1: nothing but signalwire.connect may come first."""
    (happening,) = fresh.receive_text(request("a", "calling.answer"))

    assert isinstance(happening, NonsenseArrived)
    assert sent(fresh) == [
        {
            "jsonrpc": "2.0",
            "id": "a",
            "error": {
                "code": -32401,
                "message": "Authentication required",
                "data": {"signalwire_error_code": "AUTH_REQUIRED"},
            },
        }
    ]


def test_a_request_between_the_log_in_and_its_answer_is_refused(fresh: ServerProtocol):
    """A client must queue until it is authenticated (PROTOCOL 3): the server holds it to that."""
    fresh.receive_text(request("c", "signalwire.connect"))
    fresh.receive_text(request("a", "signalwire.ping"))

    assert sent(fresh)[0]["error"]["code"] == server.AUTH_REQUIRED


def test_a_log_in_is_asked_and_its_answer_carries_its_id(fresh: ServerProtocol):
    happenings = fresh.receive_text(request("c", "signalwire.connect", {"contexts": ["a"]}))
    assert happenings == [LogInAsked("c", {"contexts": ["a"]})]
    assert not fresh.is_logged_in

    fresh.accept_log_in({"protocol": "p"})

    assert fresh.is_logged_in
    assert sent(fresh) == [{"jsonrpc": "2.0", "id": "c", "result": {"protocol": "p"}}]


def test_a_refused_log_in_may_be_tried_again_on_the_same_connection(fresh: ServerProtocol):
    fresh.receive_text(request("c1", "signalwire.connect"))
    fresh.refuse_log_in(-32002, "no", {"why": "x"})
    assert sent(fresh)[0]["error"] == {"code": -32002, "message": "no", "data": {"why": "x"}}
    assert not fresh.is_logged_in

    assert fresh.receive_text(request("c2", "signalwire.connect")) == [LogInAsked("c2", {})]


def test_a_log_in_that_nobody_asked_for_cannot_be_answered(fresh: ServerProtocol):
    with pytest.raises(ProtocolError, match="no log-in"):
        fresh.accept_log_in({})
    with pytest.raises(ProtocolError, match="no log-in"):
        fresh.refuse_log_in(-1, "")


def test_a_second_log_in_on_one_connection_is_an_invalid_request(protocol: ServerProtocol):
    protocol.receive_text(request("again", "signalwire.connect"))

    assert sent(protocol)[0]["error"]["code"] == server.INVALID_REQUEST


def test_commands_and_pings_are_told_apart(protocol: ServerProtocol):
    assert protocol.receive_text(request(7, "calling.play", {"x": 1})) == [CommandArrived(7, "calling.play", {"x": 1})]
    assert protocol.receive_text(request("p", "signalwire.ping")) == [PingArrived("p", {})]
    assert sent(protocol) == []


@pytest.mark.parametrize("request_id", ["text", 7, 1.5, ["a", 1], {"a": 1}, True])
def test_an_answer_echoes_the_id_whatever_its_type(protocol: ServerProtocol, request_id: object):
    """PROTOCOL 2.1: ids are opaque."""
    (happening,) = protocol.receive_text(request(request_id, "calling.end"))
    assert isinstance(happening, CommandArrived)
    protocol.respond(happening.id, {"code": "200"})

    assert sent(protocol) == [{"jsonrpc": "2.0", "id": request_id, "result": {"code": "200"}}]


def test_a_request_without_an_id_is_carried_out_and_not_answered(protocol: ServerProtocol):
    (happening,) = protocol.receive_text('{"jsonrpc":"2.0","method":"calling.end"}')
    assert happening == CommandArrived(None, "calling.end", {})
    protocol.respond(None, {})
    protocol.respond_error(None, -1, "")

    assert protocol.texts_to_send() == []


def test_an_event_is_kept_until_it_is_acknowledged(protocol: ServerProtocol):
    """PROTOCOL 7.2: what was not acknowledged may be sent again after a resume."""
    first = protocol.send_event("calling.call.play", {"state": "playing"}, {"event_channel": "p", "context": "a"})
    second = protocol.send_event("calling.call.play", {"state": "finished"})
    assert sent(protocol)[0] == {
        "jsonrpc": "2.0",
        "id": first,
        "method": "signalwire.event",
        "params": {
            "event_type": "calling.call.play",
            "event_channel": "p",
            "context": "a",
            "params": {"state": "playing"},
        },
    }

    told = protocol.receive_text(json.dumps({"jsonrpc": "2.0", "id": first, "result": {}}))

    assert told == [Acknowledged(first)]
    assert [event.frame_id for event in protocol.unacknowledged] == [second]


def test_an_acknowledgement_counts_once(protocol: ServerProtocol):
    frame_id = protocol.send_event("x", {})
    acknowledgement = json.dumps({"jsonrpc": "2.0", "id": frame_id, "result": {}})
    protocol.receive_text(acknowledgement)

    (again,) = protocol.receive_text(acknowledgement)

    assert isinstance(again, NonsenseArrived)


def test_an_unacknowledged_event_goes_over_to_the_next_connection_unchanged(protocol: ServerProtocol):
    """The same frame id lets the client see that it knows the event."""
    protocol.send_event("calling.call.state", {"call_state": "ended"})
    before = sent(protocol)
    following = ServerProtocol(new_id=ids().__next__)
    following.receive_text(request("c", "signalwire.connect"))
    following.accept_log_in({})
    following.texts_to_send()

    for event in protocol.unacknowledged:
        following.deliver(event)

    assert sent(following) == before


def test_nothing_is_kept_for_a_client_that_does_not_acknowledge(fresh: ServerProtocol):
    fresh.receive_text(request("c", "signalwire.connect"))
    fresh.accept_log_in({}, expects_acks=False)
    fresh.send_event("x", {})

    assert fresh.unacknowledged == ()


def test_an_answered_ping_is_acknowledged(protocol: ServerProtocol):
    frame_id = protocol.ping(timestamp=1767225612.5)
    assert sent(protocol)[0]["params"] == {"timestamp": 1767225612.5}

    told = protocol.receive_text(json.dumps({"jsonrpc": "2.0", "id": frame_id, "result": {}}))

    assert told == [Acknowledged(frame_id)]


@pytest.mark.parametrize("restart", [True, False])
def test_a_disconnect_is_announced_and_acknowledged(protocol: ServerProtocol, restart: bool):
    frame_id = protocol.announce_disconnect(restart=restart)
    assert sent(protocol)[0] == {
        "jsonrpc": "2.0",
        "id": frame_id,
        "method": "signalwire.disconnect",
        "params": {"restart": restart},
    }

    told = protocol.receive_text(json.dumps({"jsonrpc": "2.0", "id": frame_id, "result": {}}))

    assert told == [Acknowledged(frame_id)]


def test_an_error_acknowledges_an_event_too(protocol: ServerProtocol):
    """The client has it: that its handler failed is its own affair."""
    frame_id = protocol.send_event("x", {})
    refusal = {"jsonrpc": "2.0", "id": frame_id, "error": {"code": 1, "message": "x"}}

    assert protocol.receive_text(json.dumps(refusal)) == [Acknowledged(frame_id)]


def test_the_older_wrapper_is_opened_and_its_answer_wrapped(protocol: ServerProtocol):
    """PROTOCOL 2.1: signalwire.execute nests the answer."""
    wrapped = {"protocol": "p", "method": "calling.answer", "params": {"call_id": "c"}}
    told = protocol.receive_text(request("w", "signalwire.execute", wrapped))
    assert told == [CommandArrived("w", "calling.answer", {"call_id": "c"})]

    protocol.respond("w", {"code": "200"})
    protocol.respond("w", {"code": "200"})

    first, second = sent(protocol)
    assert first["result"]["result"] == {"code": "200"}
    assert second["result"] == {"code": "200"}, "only the answer to the wrapper is wrapped"


@pytest.mark.parametrize("inside", [{}, {"method": 7}, {"method": "a", "params": []}, {"method": "signalwire.execute"}])
def test_a_wrapper_without_a_command_in_it_is_refused(protocol: ServerProtocol, inside: dict[str, object]):
    protocol.receive_text(request("w", "signalwire.execute", inside))

    assert sent(protocol)[0]["error"]["code"] == server.INVALID_PARAMS


def test_params_that_are_no_object_are_an_invalid_request(protocol: ServerProtocol):
    protocol.receive_text('{"jsonrpc":"2.0","id":"x","method":"calling.play","params":[1]}')

    assert sent(protocol)[0]["error"]["code"] == server.INVALID_REQUEST


def test_any_text_at_all_can_be_sent(protocol: ServerProtocol):
    """Clients are tested with garbage (PROTOCOL 19.3)."""
    protocol.send_raw(b"{oops")

    assert protocol.texts_to_send() == [b"{oops"]


@pytest.mark.parametrize("row", FROM_CLIENT, ids=lambda row: row["name"])
def test_every_known_frame_of_a_client_is_understood(protocol: ServerProtocol, row: dict[str, Any]):
    """The frames come from captures and documents, not from our own client."""
    frame = row["frame"]
    text = frame if isinstance(frame, str) else json.dumps(frame)
    if "method" in frame and frame["method"] == "signalwire.connect":
        protocol = ServerProtocol(new_id=ids().__next__)

    (happening,) = protocol.receive_text(text)

    if "method" in frame:
        assert isinstance(happening, LogInAsked | CommandArrived | PingArrived)
    else:
        assert isinstance(happening, NonsenseArrived), "nothing of this connection was acknowledged"


@given(st.binary() | st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_text_breaks_the_connection(text: bytes | str):
    """PROTOCOL 16.4, seen from the other side."""
    protocol = ServerProtocol(new_id=ids().__next__)
    protocol.receive_text(text)

    assert protocol.receive_text(request("c", "signalwire.connect")) == [LogInAsked("c", {})]


@given(st.lists(st.sampled_from(["send", "acknowledge"]), max_size=30))
def test_what_is_kept_is_what_was_sent_and_not_acknowledged(steps: list[str]):
    """The law by which a resume redelivers."""
    protocol = ServerProtocol(new_id=ids().__next__)
    protocol.receive_text(request("c", "signalwire.connect"))
    protocol.accept_log_in({})
    open_ids: list[str] = []
    for step in steps:
        if step == "send":
            open_ids.append(protocol.send_event("x", {}))
        elif open_ids:
            frame_id = open_ids.pop(len(open_ids) // 2)
            protocol.receive_text(json.dumps({"jsonrpc": "2.0", "id": frame_id, "result": {}}))

    assert [event.frame_id for event in protocol.unacknowledged] == open_ids
