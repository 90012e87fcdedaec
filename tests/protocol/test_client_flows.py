"""Whole conversations, told from one end to the other (PROTOCOL, appendix: flows)."""

from __future__ import annotations

from relay_actors.errors import ConnectionLostError
from relay_actors.protocol.happenings import (
    CloseSocket,
    ConnectionDown,
    EventArrived,
    LoggedIn,
    LogInRefused,
    OpenSocket,
    RequestFailed,
    RequestSucceeded,
)
from tests.protocol.driven_client import DrivenClient


def test_flow_of_an_inbound_menu():
    """The acknowledgement goes out when the event is safe, and a state may come before the answer that it follows."""
    client = DrivenClient.ready(("support",))
    (offered,) = client.event("calling.call.receive", "e-1", call_id="c", call_state="created")
    client.protocol.acknowledge(offered.frame_id)
    client.request("calling.answer", call_id="c")
    acknowledgement, answer = client.sent()
    assert acknowledgement == {"jsonrpc": "2.0", "id": "e-1", "result": {}}
    (answered,) = client.event("calling.call.state", "e-2", call_id="c", call_state="answered")
    assert isinstance(answered, EventArrived)
    (succeeded,) = client.reply(answer, {"code": "200", "message": "Answered"})
    assert succeeded == RequestSucceeded(answer["id"], {"code": "200", "message": "Answered"})


def test_flow_of_loss_and_resume():
    """What was said is not said again, what was not said is said, and the old action's end arrives."""
    client = DrivenClient.ready(("support",))
    client.event("signalwire.authorization.state", "e-1", authorization_state="state-1")
    asked = client.request("calling.play", control_id="c-9")
    client.reply(client.sent()[1], {"code": "200"})
    unanswered = client.request("calling.play.pause", control_id="c-9")
    client.sent()

    failed, down = client.closed("connection reset")
    assert (failed.request_id, type(failed.error)) == (unanswered, ConnectionLostError)
    assert down == ConnectionDown("connection reset", client.now + 1.0, was_logged_in=True)
    issued_now = client.request("calling.play.volume", control_id="c-9", volume=3)
    assert client.advance(1.0) == [OpenSocket()]

    connect = client.open()
    assert (connect["params"]["protocol"], connect["params"]["authorization_state"], connect["params"]["contexts"]) == (
        "signalwire_sig_1_x",
        "state-1",
        ["support"],
    )
    assert client.reply(connect, {"protocol": "signalwire_sig_1_x"}) == [LoggedIn(True, "signalwire_sig_1_x")]
    (queued,) = client.sent()
    assert queued["id"] == issued_now
    assert client.reply(queued, {"code": "200"}) == [RequestSucceeded(issued_now, {"code": "200"})]
    (finished,) = client.event("calling.call.play", "e-2", control_id="c-9", state="finished")
    assert isinstance(finished, EventArrived)
    assert asked != issued_now


def test_flow_of_a_deployment_restart():
    """The server says that it goes, goes, and knows nothing any more."""
    client = DrivenClient.ready(("support",))
    client.event("signalwire.authorization.state", "e-1", authorization_state="state-1")
    outstanding = client.request("calling.play")
    client.sent()

    assert client.ask("signalwire.disconnect", "d-1", restart=True) == []
    assert client.sent() == [{"jsonrpc": "2.0", "id": "d-1", "result": {}}]
    queued = client.request("calling.end")
    assert client.sent() == []

    failed, down = client.closed("closed by the server")
    assert failed == RequestFailed(outstanding, failed.error)
    assert isinstance(failed.error, ConnectionLostError)
    assert down == ConnectionDown("closed by the server", client.now + 1.0, was_logged_in=True)

    assert client.advance(1.0) == [OpenSocket()]
    connect = client.open()
    assert connect["params"]["contexts"] == ["support"]
    assert not {"protocol", "authorization_state"} & connect["params"].keys()
    assert client.reply(connect, {"protocol": "signalwire_sig_2_y"}) == [LoggedIn(False, "signalwire_sig_2_y")]
    assert [frame["id"] for frame in client.sent()] == [queued]


def test_flow_of_wrong_credentials():
    """Three refusals, with 1 and 2 seconds between them, and then no more."""
    client = DrivenClient()
    assert client.start() == [OpenSocket()]
    finals = []
    for delay in (1.0, 2.0, 100.0):
        refused, close, down = client.refuse(client.open(), -32002, "401 Unauthorized: {}")
        assert isinstance(refused, LogInRefused)
        assert isinstance(close, CloseSocket)
        assert isinstance(down, ConnectionDown)
        finals.append(refused.final)
        again = client.advance(delay)
        assert again == ([] if refused.final else [OpenSocket()])
    assert finals == [False, False, True]
    assert str(refused.error).startswith("RELAY error -32002: ")


def test_flow_of_a_half_open_connection():
    """SEMANTICS K9: silence is found out, and the session goes on over a new socket."""
    client = DrivenClient.ready()
    client.ask("signalwire.ping")
    silent_since = client.now
    close, down, again = client.advance(15.0)
    assert isinstance(close, CloseSocket)
    assert not close.normal
    assert isinstance(down, ConnectionDown)
    assert down.retry_at == silent_since + 15.0
    assert isinstance(again, OpenSocket)
    assert client.log_in() == [LoggedIn(True, "signalwire_sig_1_x")]
