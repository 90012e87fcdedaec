"""The rules of the client's half of the wire, one by one."""

from __future__ import annotations

import pytest

from relay_actors.config import Credentials, Limits
from relay_actors.errors import (
    CommandRejectedError,
    ConfigError,
    ConnectionLostError,
    NotSentError,
    ProtocolError,
    RequestTimeoutError,
)
from relay_actors.protocol.client import ClientProtocol
from relay_actors.protocol.happenings import (
    AnsweredLate,
    CloseSocket,
    ConnectionDown,
    EventArrived,
    Ignored,
    LoggedIn,
    LogInRefused,
    OpenSocket,
    RequestCancelled,
    RequestFailed,
    RequestSucceeded,
)
from tests.protocol.driven_client import PROJECT, TOKEN, DrivenClient

DOWN = (CloseSocket, ConnectionDown)


def _kinds(happenings):
    return [type(happening) for happening in happenings]


def _ack(frame_id):
    return {"jsonrpc": "2.0", "id": frame_id, "result": {}}


def _retry_delays(client, fail, attempts):
    delays = []
    for _ in range(attempts):
        down = fail()[-1]
        assert isinstance(down, ConnectionDown)
        assert down.retry_at is not None
        delays.append(down.retry_at - client.now)
        assert client.advance(down.retry_at - client.now) == [OpenSocket()]
    return delays


# Logging in


def test_the_log_in_goes_first_and_alone_and_everything_else_queues_until_its_answer():
    """PROTOCOL 3, 18.6: connected means authenticated, not that the socket is open."""
    client = DrivenClient(("support",))
    assert client.start() == [OpenSocket()]
    client.request("calling.answer")
    assert client.sent() == []
    connect = client.open()
    client.request("calling.play")
    client.protocol.subscribe(["sales"], client.now)
    assert client.sent() == []
    assert not client.protocol.is_ready
    assert client.protocol.queued == 3
    assert client.reply(connect, {"protocol": "p"}) == [LoggedIn(False, "p")]
    assert client.protocol.is_ready
    assert client.sent_methods() == ["calling.answer", "calling.play", "signalwire.receive"]


def test_the_first_log_in_says_who_and_what_for():
    client = DrivenClient(("support", "sales", "support"))
    client.start()
    assert client.open()["params"] == {
        "version": {"major": 2, "minor": 0, "revision": 0},
        "agent": "relay-actors-python/1.0",
        "event_acks": True,
        "authentication": {"project": PROJECT, "token": TOKEN},
        "contexts": ["support", "sales"],
    }


def test_contexts_that_are_one_string_are_refused_at_once():
    with pytest.raises(ConfigError, match="contexts='support'"):
        ClientProtocol(Credentials(jwt_token="j"), contexts="support", new_id=str)


def test_any_result_is_a_successful_log_in():
    """PROTOCOL 2.3: no code is looked at."""
    for odd in ({"code": "500"}, "welcome", None, [], 7):
        client = DrivenClient()
        client.start()
        assert client.reply(client.open(), odd) == [LoggedIn(False, "")]


def test_what_the_server_calls_us_is_kept():
    client = DrivenClient.ready()
    assert (client.protocol.relay_protocol, client.protocol.identity) == ("signalwire_sig_1_x", "me@us-east")


def test_the_answer_to_the_log_in_counts_once():
    client = DrivenClient()
    client.start()
    connect = client.open()
    client.reply(connect, {"protocol": "p"})
    assert client.refuse(connect) == []
    assert client.protocol.is_ready


def test_a_log_in_that_is_not_answered_closes_the_socket_and_is_no_refusal():
    """PROTOCOL 6.6: only real answers of the server count towards giving up."""
    client = DrivenClient()
    client.start()
    for delay in (1.0, 2.0, 4.0, 8.0, 16.0):
        client.open()
        assert client.advance(9.9) == []
        close, down = client.advance(0.1)
        assert close == CloseSocket("no answer to the log in within 10 s", normal=False)
        assert down == ConnectionDown(close.why, client.now + delay)
        assert client.advance(delay) == [OpenSocket()]


def test_three_refusals_before_the_first_success_are_final():
    """PROTOCOL 6.6, SEMANTICS K2: wrong credentials do not get better by repeating them."""
    client = DrivenClient()
    client.start()
    queued = client.request()
    for delay in (1.0, 2.0):
        refused, close, down = client.refuse(client.open(), -32002, "401 Unauthorized")
        assert refused == LogInRefused(refused.error, final=False)
        assert (refused.error.code, refused.error.message) == (-32002, "401 Unauthorized")
        assert isinstance(close, CloseSocket)
        assert close.normal
        assert down == ConnectionDown(down.why, client.now + delay)
        client.advance(delay)
    refused, close, failed, down = client.refuse(client.open())
    assert refused.final
    assert isinstance(close, CloseSocket)
    assert (failed.request_id, type(failed.error)) == (queued, NotSentError)
    assert down == ConnectionDown(down.why, None)
    assert client.protocol.next_deadline() is None
    with pytest.raises(NotSentError):
        client.request()


def test_transport_failures_between_refusals_do_not_begin_the_count_anew():
    client = DrivenClient(limits=Limits(log_in_refusals=2))
    client.start()
    client.refuse(client.open())
    client.advance(1.0)
    client.protocol.open_failed(client.now, "no route")
    client.advance(2.0)
    assert client.refuse(client.open())[0].final


def test_after_a_final_refusal_it_can_be_started_again():
    """The user may have mended the account."""
    client = DrivenClient(limits=Limits(log_in_refusals=1))
    client.start()
    assert client.refuse(client.open())[0].final
    assert client.start() == [OpenSocket()]
    client.log_in()
    assert client.protocol.is_ready


def test_refusals_after_a_success_are_retried_for_ever():
    """PROTOCOL 6.6: then it is the server that has a bad day."""
    client = DrivenClient.ready()
    client.closed()
    client.advance(1.0)
    delays = _retry_delays(client, lambda: client.refuse(client.open()), 7)
    assert delays == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_refusal_does_not_tell_the_secrets_that_the_server_repeats():
    """PROTOCOL 16.1: exceptions reach logs."""
    client = DrivenClient()
    client.start()
    refused, close, down = client.refuse(client.open(), -32002, f"no {TOKEN} in {PROJECT}")
    assert refused.error.message == "no *** in ***"
    assert TOKEN not in close.why + down.why


# Resuming


def test_a_lost_session_is_resumed_with_its_contexts_protocol_and_authorization_state():
    """PROTOCOL 3.5, 18.9: contexts are sent again, as they are by now."""
    client = DrivenClient.ready(("support", "sales"))
    client.event("signalwire.authorization.state", authorization_state="secret-state")
    client.protocol.subscribe(["billing"], client.now)
    client.protocol.unsubscribe(["support"], client.now)
    for request in client.sent()[1:]:
        client.reply(request, {"code": "200"})
    client.closed()
    client.advance(1.0)
    connect = client.open()["params"]
    assert connect["protocol"] == "signalwire_sig_1_x"
    assert connect["authorization_state"] == "secret-state"
    assert connect["contexts"] == ["sales", "billing"]


def test_a_resume_tells_whether_the_session_goes_on():
    client = DrivenClient.ready()
    for protocol, resumed in (("signalwire_sig_1_x", True), ("signalwire_sig_2_y", False)):
        client.closed()
        client.advance(1.0)
        assert client.log_in(protocol) == [LoggedIn(resumed, protocol)]


def test_a_refused_resume_is_followed_by_a_fresh_log_in():
    """PROTOCOL 3.5: the same resume would be refused for ever."""
    client = DrivenClient.ready(("support",))
    client.event("signalwire.authorization.state", authorization_state="secret-state")
    client.sent()
    client.closed()
    client.advance(1.0)
    connect = client.open()
    assert "protocol" in connect["params"]
    assert not client.refuse(connect)[0].final
    client.advance(2.0)
    fresh = client.open()["params"]
    assert not {"protocol", "authorization_state"} & fresh.keys()
    assert fresh["contexts"] == ["support"]


@pytest.mark.parametrize("code", [-32603, -32000])
def test_a_resume_that_a_server_refuses_because_it_is_not_well_is_tried_again_but_not_for_ever(code):
    """To begin anew costs every call that is up; the server may be well again in a moment."""
    client = DrivenClient.ready()
    client.closed()
    resumes = []
    for delay in (1.0, 2.0, 4.0, 8.0, 16.0, 30.0):
        client.advance(delay)
        connect = client.open()
        resumes.append("protocol" in connect["params"])
        assert not client.refuse(connect, code)[0].final
    assert resumes == [True, True, True, True, True, False]


def test_a_log_in_that_succeeds_begins_the_count_of_refused_resumes_anew():
    client = DrivenClient.ready()
    for _outage in range(2):
        client.closed()
        for delay in (1.0, 2.0, 4.0, 8.0):
            client.advance(delay)
            client.refuse(client.open(), -32603)
        client.advance(16.0)
        assert client.log_in() == [LoggedIn(True, "signalwire_sig_1_x")]


def test_a_resume_that_is_not_answered_is_tried_again_as_it_was():
    client = DrivenClient.ready()
    client.closed()
    client.advance(1.0)
    client.open()
    client.advance(10.0)
    client.advance(2.0)
    assert client.open()["params"]["protocol"] == "signalwire_sig_1_x"


def test_a_session_of_a_former_process_is_resumed_with_its_authorization_state():
    """A crash of the process must not cost the calls that go on at the server."""
    client = DrivenClient()
    client.protocol.resume_session("p-old", "state-old")
    client.start()
    connect = client.open()
    assert (connect["params"]["protocol"], connect["params"]["authorization_state"]) == ("p-old", "state-old")
    assert client.reply(connect, {"protocol": "p-old"}) == [LoggedIn(True, "p-old")]
    with pytest.raises(ProtocolError, match="already started"):
        client.protocol.resume_session("other")


def test_a_refused_session_of_a_former_process_does_not_count_as_wrong_credentials():
    """It may be too old; the credentials have not been tried for themselves yet."""
    client = DrivenClient(limits=Limits(log_in_refusals=1))
    client.protocol.resume_session("p-old", "state-old")
    client.start()
    assert not client.refuse(client.open())[0].final
    client.advance(1.0)
    fresh = client.open()
    assert not {"protocol", "authorization_state"} & fresh["params"].keys()
    assert client.refuse(fresh)[0].final


# Backing off


def test_a_socket_that_cannot_be_opened_is_tried_for_ever_with_growing_delays():
    client = DrivenClient()
    client.start()
    delays = _retry_delays(client, lambda: client.protocol.open_failed(client.now, "refused"), 9)
    assert delays == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]


def test_the_delay_begins_anew_only_after_an_authentication():
    """PROTOCOL 6.5, 18.14: a server that takes sockets and drops them is not asked every second."""
    client = DrivenClient.ready()

    def open_and_lose():
        client.open()
        return client.closed()

    client.closed()
    client.advance(1.0)
    assert _retry_delays(client, open_and_lose, 3) == [2.0, 4.0, 8.0]
    client.log_in()
    assert client.closed() == [ConnectionDown("reset by peer", client.now + 1.0, was_logged_in=True)]


def test_jitter_shortens_a_delay_by_its_part():
    """SEMANTICS B1."""
    client = DrivenClient(limits=Limits(reconnect_jitter=0.5), draw=0.5)
    client.start()
    assert client.protocol.open_failed(client.now, "refused") == [ConnectionDown("refused", client.now + 0.75)]


def test_a_connection_that_never_logged_in_is_told_apart():
    """Calls are told of a loss once, not at every attempt (SEMANTICS K1)."""
    client = DrivenClient()
    client.start()
    client.open()
    assert client.closed() == [ConnectionDown("reset by peer", client.now + 1.0, was_logged_in=False)]


# Requests


def test_a_request_goes_out_at_once_and_its_result_comes_back_whole():
    client = DrivenClient.ready()
    request_id = client.request("calling.play", call_id="c", play=[])
    (frame,) = client.sent()
    assert frame == {
        "jsonrpc": "2.0",
        "id": request_id,
        "method": "calling.play",
        "params": {"call_id": "c", "play": []},
    }
    result = {"code": "200", "message": "Playing", "extra": [1]}
    assert client.reply(frame, result) == [RequestSucceeded(request_id, result)]
    assert client.protocol.pending == 0


def test_a_refused_request_fails_with_the_servers_code():
    client = DrivenClient.ready()
    for answer in (client.refuse, lambda frame, code, text: client.reply(frame, {"code": str(code), "message": text})):
        request_id = client.request()
        (failed,) = answer(client.sent()[0], 404, f"no call in {PROJECT}")
        assert failed == RequestFailed(request_id, failed.error)
        assert isinstance(failed.error, CommandRejectedError)
        assert (failed.error.code, failed.error.message, failed.error.call_is_gone) == (404, "no call in ***", True)


def test_answers_are_matched_by_id_and_each_counts_once():
    client = DrivenClient.ready()
    first, second = client.request("calling.answer"), client.request("calling.play")
    frames = client.sent()
    assert client.reply(frames[1], {"code": "200"})[0].request_id == second
    assert client.reply(frames[1], {"code": "200"}) == []
    assert client.reply(frames[0], {"code": "200"})[0].request_id == first


def test_an_answer_to_an_unknown_id_is_ignored():
    client = DrivenClient.ready()
    assert client.reply({"id": "never"}, {"code": "200"}) == []
    assert client.refuse({"id": ""}) == []
    assert _kinds(client.reply({"id": 7}, {})) == [Ignored]


def test_a_request_without_an_answer_fails_for_its_caller_and_harms_nobody_else():
    """A slow command is one caller's problem: as long as pings are answered the connection is quite well. Otherwise
    than PROTOCOL 2.6, where one slow answer breaks the connection of every call."""
    client = DrivenClient.ready()
    late = client.request("calling.answer")
    client.advance(5.0)
    young = client.request("calling.play")
    answered, ping, pending = client.sent()
    assert (answered["method"], ping["method"], pending["id"]) == ("calling.answer", "signalwire.ping", young)
    client.reply(ping, {})
    (failed,) = client.advance(5.0)
    assert (failed.request_id, type(failed.error)) == (late, RequestTimeoutError)
    assert client.protocol.is_ready
    assert [frame["method"] for frame in client.sent()] == ["signalwire.ping"], "for the younger one"
    assert client.reply(pending, {"code": "200"}) == [RequestSucceeded(young, {"code": "200"})]


def test_an_answer_that_is_owed_for_five_seconds_is_a_reason_to_ping_and_that_ping_decides():
    """SEMANTICS K9: a connection that takes what is sent and answers nothing is found within 15 s."""
    client = DrivenClient.ready()
    owed = client.request("calling.answer")
    client.sent()
    assert client.advance(4.9) == []
    assert client.sent() == []
    assert client.advance(0.1) == []
    (ping,) = client.sent()
    assert ping["method"] == "signalwire.ping"
    assert _kinds(client.advance(9.9)) == [RequestFailed]
    close, down, again = client.advance(0.1)
    assert close == CloseSocket("no answer to signalwire.ping within 10 s", normal=False)
    assert down == ConnectionDown(close.why, client.now, was_logged_in=True)
    assert isinstance(again, OpenSocket)
    assert client.reply({"id": owed}, {"code": "200"}) == []


def test_the_same_slow_request_is_a_reason_to_ping_once():
    """A ping that went out after it, and was answered, has said that somebody is there."""
    client = DrivenClient.ready()
    client.request("calling.answer")
    client.sent()
    client.advance(5.0)
    client.reply(client.sent()[0], {})
    client.advance(20.0)
    assert client.sent() == []
    client.advance(10.0)
    assert [frame["method"] for frame in client.sent()] == ["signalwire.ping"], "30 s after the last one"


def test_no_ping_is_sent_to_a_server_that_is_about_to_leave_however_much_it_owes():
    client = DrivenClient.ready()
    client.request("calling.answer")
    client.receive({"jsonrpc": "2.0", "id": "d", "method": "signalwire.disconnect", "params": {}})
    client.sent()
    assert _kinds(client.advance(12.0)) == [RequestFailed]
    assert client.sent() == []


def test_an_answer_that_comes_after_its_time_is_told_once():
    """Whoever has taken it for lost may still be glad to know."""
    client = DrivenClient.ready()
    good, bad = client.request("calling.answer"), client.request("calling.play")
    frames = client.sent()
    client.advance(5.0)
    client.reply(client.sent()[0], {})
    client.advance(5.0)
    assert client.reply(frames[0], {"code": "200"}) == [AnsweredLate(good, {"code": "200"}, None)]
    (refused,) = client.reply(frames[1], {"code": "500", "message": "no"})
    assert (refused.request_id, refused.result, type(refused.error)) == (bad, None, CommandRejectedError)
    assert client.reply(frames[0], {"code": "200"}) == []


def test_a_late_answer_on_a_connection_that_is_gone_is_no_answer():
    client = DrivenClient.ready()
    client.request()
    (frame,) = client.sent()
    client.advance(10.0)
    client.closed()
    client.advance(1.0)
    client.log_in()
    assert client.reply(frame, {"code": "200"}) == []


def test_a_request_that_times_out_in_the_queue_is_never_sent_and_closes_nothing():
    """PROTOCOL 6.4, 18.8: with a back-off of up to 30 s this happens."""
    client = DrivenClient.ready()
    client.closed()
    gone = client.request("calling.answer")
    client.advance(1.0)
    connect = client.open()
    kept = client.request("calling.play")
    (failed,) = client.advance(9.0)
    assert (failed.request_id, type(failed.error)) == (gone, NotSentError), "nobody need wonder whether it was done"
    assert failed.error.message.startswith("Request timeout for calling.answer: it was not sent")
    client.reply(connect, {"protocol": "p"})
    assert [frame["id"] for frame in client.sent()] == [kept]


def test_a_request_that_aged_in_the_queue_does_not_condemn_the_new_connection():
    """Its caller has waited long enough; the socket has had no time to answer yet."""
    client = DrivenClient()
    aged = client.request()
    client.advance(9.5)
    client.start()
    client.log_in()
    (frame,) = client.sent()
    (failed,) = client.advance(0.5)
    assert (failed.request_id, type(failed.error)) == (aged, RequestTimeoutError)
    assert client.protocol.is_ready
    assert _kinds(client.reply(frame, {"code": "200"})) == [AnsweredLate]
    assert client.advance(15.0) == []


def test_a_request_can_be_taken_back_as_long_as_it_waits():
    client = DrivenClient.ready()
    sent = client.request("calling.answer")
    client.sent()
    client.closed()
    queued = client.request("calling.play")
    assert client.protocol.recall(queued) is True
    assert client.protocol.recall(queued) is False
    assert client.protocol.recall(sent) is False
    client.advance(1.0)
    client.log_in()
    assert client.sent() == []


def test_the_queue_is_bounded_and_says_so():
    """PROTOCOL 6.4."""
    client = DrivenClient(limits=Limits(queued_requests=3))
    for _ in range(3):
        client.request()
    with pytest.raises(NotSentError) as caught:
        client.request()
    assert caught.value.message.startswith("Execute queue full")
    with pytest.raises(NotSentError):
        client.protocol.subscribe(["billing"], client.now)
    assert client.protocol.contexts == ()
    assert client.protocol.queued == 3


def test_a_queued_request_that_nobody_waits_for_is_dropped():
    client = DrivenClient()
    client.start()
    client.protocol.forget(client.request("calling.answer"))
    client.request("calling.play")
    client.log_in()
    assert client.sent_methods() == ["calling.play"]


def test_of_a_sent_request_that_nobody_waits_for_nothing_is_told():
    client = DrivenClient.ready()
    client.protocol.forget(client.request())
    assert client.protocol.pending == 0
    assert client.reply(client.sent()[0], {"code": "500"}) == []


def test_parameters_without_a_json_form_are_the_callers_error():
    client = DrivenClient.ready()
    with pytest.raises(ValueError, match="written as JSON"):
        client.request(number=2**70)
    assert client.protocol.pending == 0
    assert client.sent() == []


def test_a_request_that_no_server_would_take_is_not_sent():
    """It would cost all calls their connection (PROTOCOL 1)."""
    client = DrivenClient.ready()
    with pytest.raises(ValueError, match="RELAY takes 10,485,760 at most"):
        client.request(text="x" * 10 * 1024 * 1024)
    assert client.protocol.pending == 0
    assert client.sent() == []


def test_a_request_is_written_as_it_was_when_it_was_made():
    """A caller may go on using its dict while the request is queued."""
    client = DrivenClient()
    params: dict[str, object] = {"volume": 1}
    client.protocol.request("calling.play", params, client.now)
    params["volume"] = 2
    client.start()
    client.log_in()
    assert client.sent()[0]["params"] == {"volume": 1}


# Losing the connection


def test_a_loss_fails_what_was_sent_and_keeps_what_was_queued():
    """PROTOCOL 6.3, D32, SEMANTICS K6: a request that may have been carried out is never sent twice."""
    client = DrivenClient.ready()
    sent = client.request("calling.answer")
    client.sent()
    failed, down = client.closed()
    assert (failed.request_id, type(failed.error)) == (sent, ConnectionLostError)
    assert failed.error.message == "Connection closed"
    assert isinstance(down, ConnectionDown)
    queued = client.request("calling.play")
    client.advance(1.0)
    client.log_in()
    assert [frame["id"] for frame in client.sent()] == [queued]


def test_a_request_that_never_left_this_process_is_sent_on_the_next_connection():
    """SEMANTICS K6: not sent, so trying again is safe."""
    client = DrivenClient.ready()
    left = client.request("calling.answer")
    client.sent()
    stayed = [client.request("calling.play"), client.request("calling.record")]
    failed, _down = client.closed()
    assert failed.request_id == left
    later = client.request("calling.end")
    client.advance(1.0)
    client.log_in()
    assert [frame["id"] for frame in client.sent()] == [*stayed, later]


def test_nothing_is_taken_from_or_written_to_a_socket_that_is_gone():
    client = DrivenClient.ready()
    client.event(frame_id="e-1")
    client.closed()
    client.protocol.acknowledge("e-1")
    assert client.event(frame_id="e-2") == []
    assert client.protocol.receive([b"garbage"], client.now) == []
    assert client.sent() == []


def test_news_of_a_loss_counts_once():
    """After CloseSocket the driver may, but need not, say that it is closed."""
    client = DrivenClient.ready()
    client.closed()
    assert client.closed() == []
    assert client.protocol.open_failed(client.now, "late") == []


def test_driving_it_in_a_senseless_order_is_an_error_of_the_driver():
    client = DrivenClient()
    with pytest.raises(ProtocolError, match="opened"):
        client.protocol.opened(client.now)
    client.start()
    with pytest.raises(ProtocolError, match="start"):
        client.start()


# Contexts


def test_no_contexts_are_no_request():
    client = DrivenClient.ready()
    assert client.protocol.subscribe([], client.now) is None
    assert client.protocol.unsubscribe((), client.now) is None
    assert client.sent() == []


def test_contexts_are_asked_for_by_their_own_methods():
    client = DrivenClient.ready(("a",))
    client.protocol.subscribe(["b", "c", "b"], client.now)
    client.protocol.unsubscribe(["a"], client.now)
    frames = client.sent()
    assert [(frame["method"], frame["params"]) for frame in frames] == [
        ("signalwire.receive", {"contexts": ["b", "c"]}),
        ("signalwire.unreceive", {"contexts": ["a"]}),
    ]
    assert client.protocol.contexts == ("b", "c")
    assert _kinds(client.reply(frames[0], {"code": "200"})) == [RequestSucceeded]


def test_contexts_that_the_server_refuses_leave_the_effective_set():
    """PROTOCOL 4: 402 when the plan does not allow it."""
    client = DrivenClient.ready(("a",))
    client.protocol.subscribe(["a", "b"], client.now)
    assert _kinds(client.reply(client.sent()[0], {"code": "402", "message": "pay"})) == [RequestFailed]
    assert client.protocol.contexts == ("a",)


def test_a_change_of_contexts_whose_answer_is_lost_stands():
    """An application that drains must not get calls again because its socket broke."""
    client = DrivenClient.ready(("a",))
    client.protocol.unsubscribe(["a"], client.now)
    client.protocol.subscribe(["b"], client.now)
    client.sent()
    client.closed()
    client.advance(1.0)
    assert client.open()["params"]["contexts"] == ["b"]


def test_a_refusal_counts_also_when_nobody_waits_for_it():
    client = DrivenClient.ready()
    request_id = client.protocol.subscribe(["a"], client.now)
    assert request_id is not None
    client.protocol.forget(request_id)
    assert client.reply(client.sent()[0], {"code": "402"}) == []
    assert client.protocol.contexts == ()


def test_a_change_of_contexts_that_is_dropped_from_the_queue_never_happened():
    client = DrivenClient()
    request_id = client.protocol.subscribe(["a"], client.now)
    assert request_id is not None
    client.protocol.forget(request_id)
    assert client.protocol.contexts == ()


# Pings and the watchdog


def test_a_ping_of_the_server_is_answered_at_once_even_before_the_log_in_is():
    client = DrivenClient()
    client.start()
    client.open()
    assert client.ask("signalwire.ping", 7, timestamp=1.0) == []
    assert client.sent() == [_ack(7)]


def test_a_server_that_stops_pinging_is_cut_off_after_15_seconds():
    """PROTOCOL 5.2, D13, SEMANTICS K9: the stated detection time."""
    client = DrivenClient.ready()
    client.ask("signalwire.ping")
    client.advance(10.0)
    client.ask("signalwire.ping")
    assert client.advance(14.9) == []
    close, down, _again = client.advance(0.1)
    assert close == CloseSocket("no ping from the server for 15 s", normal=False)
    assert isinstance(down, ConnectionDown)


def test_a_server_that_never_pings_is_not_cut_off():
    client = DrivenClient.ready()
    for _ in range(10):
        assert client.advance(30.0) == []
        (ping,) = client.sent()
        client.reply(ping, {})


def test_the_watchdog_does_not_outlive_its_connection():
    client = DrivenClient.ready()
    client.ask("signalwire.ping")
    client.closed()
    client.advance(1.0)
    client.log_in()
    assert client.advance(29.0) == []


def test_the_client_pings_every_30_seconds_with_empty_params():
    client = DrivenClient.ready()
    for _ in range(3):
        assert client.advance(30.0) == []
        (ping,) = client.sent()
        assert (ping["method"], ping["params"]) == ("signalwire.ping", {})
        assert client.reply(ping, "pong") == []
    assert client.protocol.pending == 0


def test_a_ping_without_an_answer_closes_the_socket():
    client = DrivenClient.ready()
    client.advance(30.0)
    client.sent()
    close, _down, _again = client.advance(10.0)
    assert close == CloseSocket("no answer to signalwire.ping within 10 s", normal=False)


def test_three_refused_pings_in_a_row_close_the_socket():
    """PROTOCOL 5.3: retried after 2 and 4 seconds."""
    client = DrivenClient.ready()
    client.advance(30.0)
    assert client.refuse(client.sent()[0]) == []
    assert client.advance(1.9) == []
    assert client.sent() == []
    client.advance(0.1)
    assert client.refuse(client.sent()[0]) == []
    client.advance(4.0)
    close, _down, _again = client.refuse(client.sent()[0])
    assert close == CloseSocket("3 pings in a row were refused", normal=False)


def test_a_ping_of_the_server_forgives_the_refused_ones():
    client = DrivenClient.ready()
    client.advance(30.0)
    client.refuse(client.sent()[0])
    client.advance(2.0)
    client.refuse(client.sent()[0])
    client.ask("signalwire.ping")
    client.advance(4.0)
    assert client.refuse(client.sent()[1]) == []
    assert client.protocol.is_ready


# The server announces a disconnect


@pytest.mark.parametrize("params", [{"restart": False}, {}, {"restart": None}, {"restart": "no"}])
def test_an_announced_disconnect_is_answered_and_the_session_resumed(params):
    """PROTOCOL 6.1: the server closes, not we; until the next log in nothing is sent."""
    client = DrivenClient.ready()
    assert client.ask("signalwire.disconnect", "d-1", **params) == []
    assert client.sent() == [_ack("d-1")]
    assert not client.protocol.is_ready
    queued = client.request()
    assert client.sent() == []
    assert _kinds(client.closed()) == [ConnectionDown]
    client.advance(1.0)
    assert client.log_in() == [LoggedIn(True, "signalwire_sig_1_x")]
    assert [frame["id"] for frame in client.sent()] == [queued]


@pytest.mark.parametrize("restart", [True, "true"])
def test_an_announced_restart_forgets_the_session_at_once(restart):
    client = DrivenClient.ready(("a",))
    client.event("signalwire.authorization.state", authorization_state="state")
    client.ask("signalwire.disconnect", restart=restart)
    assert (client.protocol.relay_protocol, client.protocol.authorization_state) == ("", "")
    client.sent()
    client.closed()
    client.advance(1.0)
    assert not {"protocol", "authorization_state"} & client.open()["params"].keys()


def test_until_the_announced_close_answers_and_events_still_come_in():
    client = DrivenClient.ready()
    client.request()
    (frame,) = client.sent()
    client.ask("signalwire.disconnect")
    assert _kinds(client.reply(frame, {"code": "200"})) == [RequestSucceeded]
    assert _kinds(client.event()) == [EventArrived]
    client.protocol.acknowledge("e-1")
    client.ask("signalwire.ping", "p-1")
    assert [frame["id"] for frame in client.sent()] == ["s-1", "e-1", "p-1"]


def test_a_server_that_announces_and_does_not_close_is_left_after_a_while():
    """Else the client would stay deaf for ever, and the queue would time out again and again."""
    client = DrivenClient.ready()
    client.advance(20.0)  # so that a ping would be due before the patience ends
    client.ask("signalwire.disconnect")
    client.advance(10.0)
    client.ask("signalwire.disconnect", "again")
    assert client.advance(19.9) == []
    assert "signalwire.ping" not in [frame.get("method") for frame in client.sent()]
    assert _kinds(client.advance(0.1)) == [*DOWN, OpenSocket]


def test_a_disconnect_announced_during_the_log_in_makes_its_answer_void():
    client = DrivenClient()
    client.start()
    connect = client.open()
    client.request()
    client.ask("signalwire.disconnect", restart=True)
    assert client.reply(connect, {"protocol": "p"}) == []
    assert not client.protocol.is_ready
    assert client.protocol.queued == 1


# Events


def test_an_event_is_given_and_acknowledged_only_when_the_driver_says_so():
    """SEMANTICS J1: durable before acknowledged."""
    client = DrivenClient.ready()
    (arrived,) = client.event("calling.call.play", "e-1", state="playing")
    assert arrived == EventArrived("e-1", {"event_type": "calling.call.play", "params": {"state": "playing"}})
    assert client.sent() == []
    client.protocol.acknowledge(arrived.frame_id)
    client.protocol.acknowledge(arrived.frame_id)
    assert client.sent() == [_ack("e-1")]


@pytest.mark.parametrize("frame_id", ["e-1", 7, 1.5, True, ["a", {"b": None}], {}])
def test_the_id_of_an_event_is_echoed_unchanged_whatever_its_type(frame_id):
    client = DrivenClient.ready()
    (arrived,) = client.event(frame_id=frame_id)
    client.protocol.acknowledge(arrived.frame_id)
    assert client.sent() == [_ack(frame_id)]


def test_an_event_without_an_id_is_given_and_not_acknowledged():
    client = DrivenClient.ready()
    frame = {"jsonrpc": "2.0", "method": "signalwire.event", "params": {"event_type": "calling.call.play"}}
    for _ in range(2):
        (arrived,) = client.receive(frame)
        assert arrived == EventArrived(None, {"event_type": "calling.call.play"})
        client.protocol.acknowledge(arrived.frame_id)
    assert client.sent() == []


def test_an_event_that_comes_again_after_a_resume_is_acknowledged_again_and_given_once():
    """SEMANTICS K3: the first acknowledgement went down with its socket."""
    client = DrivenClient.ready()
    client.event(frame_id="e-1")
    client.protocol.acknowledge("e-1")
    client.closed()
    client.advance(1.0)
    client.log_in()
    assert client.event(frame_id="e-1") == []
    assert client.sent() == [_ack("e-1")]


def test_a_new_session_may_count_its_event_ids_from_one():
    client = DrivenClient.ready()
    client.event(frame_id=1)
    client.protocol.acknowledge(1)
    client.closed()
    client.advance(1.0)
    client.log_in("signalwire_sig_2_y")
    assert _kinds(client.event(frame_id=1)) == [EventArrived]


def test_an_acknowledgement_of_the_old_connection_does_not_precede_the_next_log_in():
    client = DrivenClient.ready()
    client.event(frame_id="e-1")
    client.closed()
    client.advance(1.0)
    client.protocol.opened(client.now)
    client.protocol.acknowledge("e-1")
    assert client.sent_methods() == ["signalwire.connect"]


def test_the_authorization_state_is_acknowledged_kept_and_not_forwarded():
    """PROTOCOL 3.6."""
    client = DrivenClient.ready()
    for number, state in enumerate(["one", "two", "", None, 7]):
        assert client.event("signalwire.authorization.state", number, authorization_state=state) == []
        assert client.sent() == [_ack(number)]
    assert client.protocol.authorization_state == "two"
    assert "two" in client.protocol.secrets


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"event_type": ""},
        {"event_type": None},
        {"event_type": 7},
        {"event_type": "calling.call.play", "params": []},
        {"event_type": "calling.call.play", "params": "text"},
        [],
        "text",
        7,
    ],
)
def test_an_event_that_makes_no_sense_is_acknowledged_and_dropped(params):
    """PROTOCOL 7.1, 7.2: also events that will be dropped are acknowledged."""
    client = DrivenClient.ready()
    frame = {"jsonrpc": "2.0", "id": "e-1", "method": "signalwire.event", "params": params}
    assert _kinds(client.receive(frame)) == [Ignored]
    assert client.sent() == [_ack("e-1")]


def test_an_event_without_inner_params_is_given():
    """``queuing.relay.tasks`` has its data elsewhere (PROTOCOL 7.3)."""
    client = DrivenClient.ready()
    (arrived,) = client.ask("signalwire.event", "e-1", event_type="queuing.relay.tasks", message={"a": 1})
    assert arrived.payload["message"] == {"a": 1}


# What makes no sense


@pytest.mark.parametrize("text", [b"", b"\xff", b"garbage", b"[]", b"7", b"{}", '{"id":"1"}', b'{"method":3,"id":1}'])
def test_odd_text_is_ignored_and_the_connection_kept(text):
    client = DrivenClient.ready()
    assert _kinds(client.protocol.receive([text], client.now)) == [Ignored]
    assert client.protocol.is_ready
    assert client.sent() == []


def test_an_unknown_method_is_ignored_without_an_answer():
    """PROTOCOL 2.2."""
    client = DrivenClient.ready()
    assert _kinds(client.ask("signalwire.brand_new")) == [Ignored]
    assert client.sent() == []


def test_what_is_ignored_is_told_without_its_secrets():
    client = DrivenClient.ready()
    client.event("signalwire.authorization.state", authorization_state="state-secret")
    text = f'not json {{"token":"x1"}} {TOKEN} {PROJECT} state-secret'
    (ignored,) = client.protocol.receive([text], client.now)
    assert not [secret for secret in (TOKEN, PROJECT, "state-secret", "x1") if secret in ignored.why]
    assert "not json" in ignored.why


def test_what_is_ignored_is_told_in_short_and_without_its_secrets_also_if_they_stand_for_a_method():
    """O6; and 10 MiB are no line of a log."""
    client = DrivenClient.ready()
    (ignored,) = client.receive({"id": "s-1", "method": f"{TOKEN} {'x' * 100_000}", "params": 5})
    assert TOKEN not in ignored.why
    assert len(ignored.why) < 300


# Shutting down


def test_shutting_down_cancels_whatever_is_pending_and_connects_no_more():
    """PROTOCOL 6.2: a cancellation, not a failure, and nothing is said to the server."""
    client = DrivenClient.ready()
    sent = client.request("calling.answer")
    client.sent()
    client.ask("signalwire.disconnect")
    queued = client.request("calling.play")
    assert client.protocol.shut_down(client.now) == [
        RequestCancelled(sent),
        RequestCancelled(queued),
        CloseSocket("shut down by the user", normal=True),
    ]
    assert client.protocol.shut_down(client.now) == []
    assert client.sent() == []
    assert client.closed() == []
    assert client.protocol.next_deadline() is None
    with pytest.raises(NotSentError, match="shut down"):
        client.request()


def test_a_socket_that_opens_after_the_shut_down_is_closed_again():
    client = DrivenClient()
    client.start()
    client.protocol.shut_down(client.now)
    assert _kinds(client.protocol.opened(client.now)) == [CloseSocket]
    assert client.sent() == []


def test_a_shut_down_while_waiting_cancels_the_next_attempt():
    client = DrivenClient.ready()
    client.closed()
    client.protocol.shut_down(client.now)
    assert client.advance(100.0) == []


def test_after_a_shut_down_the_session_can_be_resumed():
    """Its calls go on at the server meanwhile."""
    client = DrivenClient.ready()
    client.protocol.shut_down(client.now)
    assert client.start() == [OpenSocket()]
    assert client.log_in() == [LoggedIn(True, "signalwire_sig_1_x")]


def test_requests_made_before_the_start_are_queued_and_grow_old():
    """PROTOCOL 6.4."""
    client = DrivenClient()
    client.request()
    assert client.protocol.next_deadline() == client.now + 10.0
    assert _kinds(client.advance(10.0)) == [RequestFailed]
