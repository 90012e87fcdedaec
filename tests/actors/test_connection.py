"""The connection actor: logging in, staying alive, losing the socket and coming back, against a server not ours."""

from __future__ import annotations

import dataclasses
import errno
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors import CallActor, ConnectionLost, ConnectionRestored, RelayError, Timing
from relay_actors.errors import ConnectionLostError, NotSentError, RequestTimeoutError
from relay_actors.events import CallReceiveEvent, CallStateEvent, PlayEvent
from relay_actors.runtime.dispatcher_sockets import SocketPoll
from tests.support.plain_app import (
    PATIENT,
    Recorder,
    answering,
    app_for,
    handle_of,
    in_background,
    logged_in,
    started,
    wait_until,
)
from tests.support.plain_server import CALL, DEADLINE_S, FRAMES, NODE, PROTOCOL, PlainServer

MOST_BLOCKING = 32
"""How many blocking functions run at once; see docs/how-to/blocking-code.md."""
AUTHORIZATION = "Q0lQSEVSVEVYVEVYQU1QTEU=:SVZFWEFNUExF"


def quick(**times: float) -> Timing:
    """Times for tests that wait for one of them to be over."""
    return dataclasses.replace(PATIENT, **times)


# -- logging in ------------------------------------------------------------------------------------------------------


def test_the_log_in_says_exactly_what_it_has_to(server: PlainServer) -> None:
    """One field too many or too few, and a real server refuses. PROTOCOL 3.1."""
    app = app_for(server, contexts=["support", "sales"])
    try:
        peer = started(app, server)
        [login] = [frame for frame in peer.frames if frame["method"] == "signalwire.connect"]
        assert login == {
            "jsonrpc": "2.0",
            "id": login["id"],
            "method": "signalwire.connect",
            "params": {
                "version": {"major": 2, "minor": 0, "revision": 0},
                "agent": "relay-actors-python/1.0",
                "event_acks": True,
                "authentication": {"project": "project", "token": "a-secret-token"},
                "contexts": ["support", "sales"],
            },
        }
        assert isinstance(login["id"], str)
        assert len(login["id"]) == 36
    finally:
        app.stop()


def test_a_jwt_goes_alone_even_if_a_project_is_set(server: PlainServer) -> None:
    """Both together are refused. PROTOCOL 3.1."""
    with logged_in(server, jwt_token="eyJhbGciOiJIUzI1NiJ9.e30.c2ln") as (_app, peer):
        assert peer.frames[0]["params"]["authentication"] == {"jwt_token": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"}


def test_contexts_are_left_out_when_there_are_none(server: PlainServer) -> None:
    """PROTOCOL 3.1: only if non-empty."""
    with logged_in(server) as (_app, peer):
        assert "contexts" not in peer.frames[0]["params"]


def test_contexts_that_have_a_class_are_asked_for(server: PlainServer) -> None:
    """A class for a context is of no use without its calls."""
    with logged_in(server, Recorder(), contexts=["more"]) as (_app, peer):
        assert peer.frames[0]["params"]["contexts"] == ["more", "support"]


def test_nothing_is_sent_before_the_log_in_is_answered(server: PlainServer) -> None:
    """What is asked meanwhile waits, and then goes in order. PROTOCOL 3, 6.4."""
    app = app_for(server)
    app.start(wait_s=None)
    try:
        replies = [app.execute("calling.early", {"number": number}) for number in range(3)]
        peer = server.accept()
        login = peer.expect("signalwire.connect")
        peer.expect_nothing()
        peer.answer(login, {"protocol": PROTOCOL})
        for number, reply in enumerate(replies):
            request = peer.expect("calling.early")
            assert request["params"] == {"number": number}
            peer.ok(request, number=number)
            assert reply.get(timeout=DEADLINE_S)["number"] == number
    finally:
        app.stop()


@pytest.mark.parametrize(
    "name", ["connect.result.current_server", "connect.result.minimal", "connect.result.session_restored"]
)
def test_both_generations_of_servers_let_us_in(server: PlainServer, name: str) -> None:
    """PROTOCOL 3.2: read only what is needed."""
    result = FRAMES[name]["frame"]["result"]
    app = app_for(server)
    try:
        started(app, server, result)
        assert app.relay_protocol == result["protocol"]
    finally:
        app.stop()


@pytest.mark.parametrize("result", [{}, {"code": "500"}, {"protocol": None}, {"protocol": 5}])
def test_any_result_lets_us_in(server: PlainServer, result: dict[str, Any]) -> None:
    """There is no code in it to check. PROTOCOL 2.3, 3.2."""
    app = app_for(server)
    try:
        started(app, server, result)
        assert app.relay_protocol == ""
    finally:
        app.stop()


def test_a_refused_log_in_is_raised_by_start_and_leaves_nothing(server: PlainServer) -> None:
    """A single start raises at the first rejection; socket and slot are given back. PROTOCOL 3.4, 6.6, 18.7."""
    for code, name in ((-32002, "connect.error.unauthorized"), (-32401, "connect.error.auth_required")):
        app = app_for(server)
        refusal = FRAMES[name]["frame"]["error"]

        def refuse(refusal: dict[str, Any] = refusal) -> None:
            peer = server.accept()
            login = peer.expect("signalwire.connect")
            peer.send({"jsonrpc": "2.0", "id": login["id"], "error": refusal})
            assert peer.expect_end() == "goodbye"

        with in_background(refuse), pytest.raises(RelayError) as caught:
            app.start(wait_s=DEADLINE_S)
        assert caught.value.code == code
        assert caught.value.message == refusal["message"]
        assert not app.is_running


def test_run_gives_up_after_three_refusals_with_the_servers_error(server: PlainServer) -> None:
    """Wrong credentials do not get better. PROTOCOL 6.6, SEMANTICS K2."""
    app = app_for(server)

    def refuse() -> None:
        for _ in range(3):
            peer = server.accept()
            peer.error(peer.expect("signalwire.connect"), -32002, "401 Unauthorized")
            assert peer.expect_end() == "goodbye"

    with in_background(refuse), pytest.raises(RelayError) as caught:
        app.run()
    assert caught.value.code == -32002
    assert server.accepted == 3
    assert not app.is_running


def test_a_refusal_after_a_success_is_retried_for_ever(server: PlainServer) -> None:
    """It may be the server that is confused. PROTOCOL 6.6."""
    with logged_in(server) as (app, peer):
        peer.vanish()
        for _ in range(5):
            peer = server.accept()
            peer.error(peer.expect("signalwire.connect"), -32002, "not now")
        peer = server.accept_login()
        reply = app.execute("calling.x", {})
        peer.ok(peer.expect("calling.x"))
        assert reply.get(timeout=DEADLINE_S)["code"] == "200"


# -- resuming --------------------------------------------------------------------------------------------------------


def test_a_lost_session_is_resumed_with_all_that_has_changed_meanwhile(server: PlainServer) -> None:
    """The newest authorization state, and the contexts of now. PROTOCOL 3.5, 3.6; SEMANTICS K1."""
    with logged_in(server, contexts=["support", "sales"]) as (app, peer):
        for state in ("older", AUTHORIZATION):
            frame_id = peer.event("signalwire.authorization.state", {"authorization_state": state})
            peer.expect_ack(frame_id)
        added, removed = app.receive(["billing"]), app.unreceive(["sales"])
        peer.ok(peer.expect("signalwire.receive", contexts=["billing"]))
        peer.ok(peer.expect("signalwire.unreceive", contexts=["sales"]))
        added.get(timeout=DEADLINE_S)
        removed.get(timeout=DEADLINE_S)
        peer.vanish()
        login = server.accept().let_in()
        assert login["params"]["protocol"] == PROTOCOL
        assert login["params"]["authorization_state"] == AUTHORIZATION
        assert login["params"]["contexts"] == ["support", "billing"]
        assert login["params"]["authentication"] == {"project": "project", "token": "a-secret-token"}


def test_a_refused_resume_is_followed_by_a_fresh_log_in(server: PlainServer) -> None:
    """Or the same refusal would repeat for ever. PROTOCOL 3.5, 18.9."""
    with logged_in(server) as (app, peer):
        peer.vanish()
        peer = server.accept()
        login = peer.expect("signalwire.connect")
        assert login["params"]["protocol"] == PROTOCOL
        peer.error(login, -32401, "Authentication required")
        login = server.accept().let_in({"protocol": "signalwire_new"})
        assert "protocol" not in login["params"]
        assert "authorization_state" not in login["params"]
        wait_until(lambda: app.relay_protocol == "signalwire_new")


@pytest.mark.parametrize(
    ("params", "is_fresh"),
    [({"restart": True}, True), ({"restart": "true"}, True), ({"restart": False}, False), ({}, False)],
)
def test_an_announced_disconnect_is_answered_and_waited_for(
    server: PlainServer, params: dict[str, Any], is_fresh: bool
) -> None:
    """The server closes itself; what is asked meanwhile waits for the next connection. PROTOCOL 6.1."""
    with logged_in(server) as (app, peer):
        assert peer.expect_ack(peer.send_request("signalwire.disconnect", params))["result"] == {}
        reply = app.execute("calling.later", {})
        peer.expect_nothing()
        peer.close()
        peer = server.accept()
        login = peer.let_in()
        assert ("protocol" not in login["params"]) is is_fresh
        peer.ok(peer.expect("calling.later"))
        assert reply.get(timeout=DEADLINE_S)["code"] == "200"


# -- calls over a loss -----------------------------------------------------------------------------------------------


def test_calls_go_on_when_their_session_is_resumed(server: PlainServer) -> None:
    """A call never notices more than a gap. SEMANTICS K1; PROTOCOL 6.3."""
    recorder = Recorder(answering)
    with logged_in(server, recorder) as (app, peer):
        peer.call()
        peer.ok(peer.expect("calling.answer"))
        peer.state("answered")
        recorder.next(CallStateEvent)
        handle = app.call(CALL)
        assert handle is not None
        playing = handle.play_tts("Hello")
        play = peer.expect("calling.play")
        peer.ok(play)
        peer.vanish()
        assert isinstance(recorder.next(ConnectionLost), ConnectionLost)
        peer = server.accept()
        queued = handle.send_digits("1")
        peer.let_in()
        restored = recorder.next(ConnectionRestored)
        assert restored.resumed is True
        assert restored.gap_s > 0
        peer.ok(peer.expect("calling.send_digits"))
        assert queued.get(timeout=DEADLINE_S)["code"] == "200"
        peer.event(
            "calling.call.play",
            {"call_id": CALL, "node_id": NODE, "control_id": play["params"]["control_id"], "state": "finished"},
        )
        assert recorder.next(PlayEvent).state == "finished"
        assert playing.wait(timeout=DEADLINE_S).get(timeout=DEADLINE_S).state == "finished"
        peer.state("ended")


def test_calls_end_as_lost_when_the_session_is_a_new_one(server: PlainServer) -> None:
    """Nothing will be heard of them any more, so nobody may wait for it. SEMANTICS K8."""
    recorder = Recorder(answering)
    with logged_in(server, recorder) as (app, peer):
        peer.call()
        peer.ok(peer.expect("calling.answer"))
        handle = app.call(CALL)
        assert handle is not None
        ended = handle.wait_for_ended()
        peer.send_request("signalwire.disconnect", {"restart": True})
        peer.close()
        peer = server.accept_login({"protocol": "signalwire_other"})
        event = ended.get(timeout=DEADLINE_S)
        assert event.end_reason == "lost"
        assert recorder.next(ConnectionRestored).resumed is False


def test_the_application_comes_back_when_the_server_does(server: PlainServer) -> None:
    """The server is killed and started again on the same port, with calls up. SEMANTICS K2."""
    recorder = Recorder(answering)
    with logged_in(server, recorder) as (app, peer):
        for call_id in ("call-1", "call-2"):
            peer.call(call_id)
            peer.ok(peer.expect("calling.answer", call_id=call_id))
        ends = {call_id: handle_of(app, call_id).wait_for_ended() for call_id in ("call-1", "call-2")}
        server.close()
        with PlainServer(server.port) as second:
            peer = second.accept_login()
            peer.state("ended", "call-1", end_reason="hangup")
            assert ends["call-1"].get(timeout=DEADLINE_S).end_reason == "hangup"
            assert not ends["call-2"].is_settled
            peer.call("call-3")
            peer.ok(peer.expect("calling.answer", call_id="call-3"))
            peer.state("ended", "call-2")
            peer.state("ended", "call-3")
            ends["call-2"].get(timeout=DEADLINE_S)
            handle_of(app, "call-3").wait_for_ended().get(timeout=DEADLINE_S)


def test_the_connection_comes_back_though_blocking_code_has_every_thread_that_it_may(server: PlainServer) -> None:
    """A database that hangs must not cost the calls of all who do not ask it, too. SEMANTICS D5, K1."""
    begun, let_go = threading.Semaphore(0), threading.Event()

    def hang() -> None:
        begun.release()
        assert let_go.wait(2 * DEADLINE_S)

    def ask(call: CallActor, message: object) -> None:
        if isinstance(message, CallReceiveEvent):
            call.blocking(hang)

    with logged_in(server, Recorder(ask)) as (_app, peer):
        try:
            for number in range(MOST_BLOCKING + 1):
                peer.call(f"call-{number}")
            for _ in range(MOST_BLOCKING):
                assert begun.acquire(timeout=DEADLINE_S)
            peer.vanish()
            peer = server.accept_login()
            peer.settle()
        finally:
            let_go.set()
        for number in range(MOST_BLOCKING + 1):
            peer.state("ended", f"call-{number}")


# -- requests --------------------------------------------------------------------------------------------------------


def test_the_application_comes_back_after_the_process_had_no_descriptors(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails before there is anything to wait for must be tried again, too. PROTOCOL 6.6."""
    left = [OSError(errno.EMFILE, "Too many open files")]
    make = socket.socketpair

    def pair(*given: Any) -> Any:
        if left:
            raise left.pop()
        return make(*given)

    with logged_in(server) as (_app, peer):
        monkeypatch.setattr(socket, "socketpair", pair)
        peer.vanish()
        server.accept_login().settle()
        assert not left


def test_a_request_whose_answer_is_lost_fails_and_is_not_sent_again(server: PlainServer) -> None:
    """Nobody knows whether it was done, and doing it twice may be worse. PROTOCOL 6.3, SEMANTICS K6."""
    with logged_in(server) as (app, peer):
        reply = app.execute("calling.once", {})
        peer.expect("calling.once")
        peer.vanish()
        with pytest.raises(ConnectionLostError, match="Connection closed"):
            reply.get(timeout=DEADLINE_S)
        peer = server.accept_login()
        peer.expect_nothing()


def test_the_offline_queue_keeps_its_order_and_its_bound(server: PlainServer) -> None:
    """PROTOCOL 6.4: at most 500; one more fails at once, and says so. SEMANTICS K7."""
    app = app_for(server)
    app.start(wait_s=None)
    try:
        peer = server.accept()
        login = peer.expect("signalwire.connect")
        replies = [app.execute("calling.queued", {"number": number}) for number in range(501)]
        with pytest.raises(NotSentError, match="Execute queue full") as caught:
            replies[500].get(timeout=DEADLINE_S)
        assert caught.value.code == -1
        peer.answer(login, {"protocol": PROTOCOL})
        numbers = [peer.expect("calling.queued")["params"]["number"] for _ in range(500)]
        assert numbers == list(range(500))
        peer.expect_nothing()
    finally:
        app.stop()


def test_a_request_that_times_out_in_the_queue_is_never_sent_and_closes_nothing(server: PlainServer) -> None:
    """It was certainly not done. PROTOCOL 6.4, 18.8; SEMANTICS K6, K7."""
    with logged_in(server, timing=quick(request_timeout_s=0.3)) as (app, peer):
        peer.send_request("signalwire.disconnect", {})  # from now on everything queues
        reply = app.execute("calling.stale", {})
        with pytest.raises(NotSentError, match=r"Request timeout for calling\.stale: it was not sent"):
            reply.get(timeout=DEADLINE_S)
        peer.settle()  # the socket is still open
        peer.close()
        peer = server.accept_login()
        fresh = app.execute("calling.fresh", {})
        request = peer.expect("calling.fresh")
        assert [frame for frame in peer.frames if frame.get("method") == "calling.stale"] == []
        peer.ok(request)
        fresh.get(timeout=DEADLINE_S)


def test_a_request_without_an_answer_times_out_and_the_connection_goes_on(server: PlainServer) -> None:
    """It is one caller's problem: the ping that it gives rise to is answered. Otherwise than PROTOCOL 2.6."""
    with logged_in(server, timing=quick(request_timeout_s=0.4)) as (app, peer):
        reply = app.execute("calling.nothing", {})
        request = peer.expect("calling.nothing")
        peer.ok(peer.expect("signalwire.ping"))
        with pytest.raises(RequestTimeoutError) as caught:
            reply.get(timeout=DEADLINE_S)
        assert caught.value.code == -1
        peer.ok(request)  # too late: nobody waits for it any more
        other = app.execute("calling.other", {})
        peer.ok(peer.expect("calling.other"))
        assert other.get(timeout=DEADLINE_S)["code"] == "200"
        assert server.accepted == 1


def test_a_socket_that_answers_nothing_is_left(server: PlainServer) -> None:
    """The ping that an unanswered request gives rise to is not answered, either. SEMANTICS K9."""
    with logged_in(server, timing=quick(request_timeout_s=0.2)) as (app, peer):
        reply = app.execute("calling.nothing", {})
        peer.expect("calling.nothing")
        peer.expect("signalwire.ping")
        assert peer.expect_end() == "broken"
        with pytest.raises(RequestTimeoutError):
            reply.get(timeout=DEADLINE_S)
        server.accept_login()


@pytest.mark.parametrize(
    ("code", "number"),
    [
        *((good, None) for good in ("200", 200, "201", "299", None)),
        *((str(bad), bad) for bad in (199, 300, 400, 402, 404, 409, 500, 503, -32001)),
        *((bad, bad) for bad in (400, -32001)),
        *((odd, -1) for odd in ("ERR", "", [], True)),
    ],
)
def test_the_code_of_a_result_decides(server: PlainServer, code: object, number: int | None) -> None:
    """As text or as number. PROTOCOL 2.3, 2.5."""
    with logged_in(server) as (app, peer):
        reply = app.execute("calling.x", {})
        result = {"message": "so it is"} if code is None else {"code": code, "message": "so it is"}
        peer.answer(peer.expect("calling.x"), result)
        if number is None:
            assert reply.get(timeout=DEADLINE_S) == result
        else:
            with pytest.raises(RelayError) as caught:
                reply.get(timeout=DEADLINE_S)
            assert (caught.value.code, caught.value.message) == (number, "so it is")


@pytest.mark.parametrize("code", [-32601, -32602, "-32601", "404"])
def test_a_json_rpc_error_is_a_refusal(server: PlainServer, code: object) -> None:
    """Its code may come as text, too. PROTOCOL 2.2, 18.12."""
    with logged_in(server) as (app, peer):
        reply = app.execute("calling.x", {})
        peer.error(peer.expect("calling.x"), code, "no")
        with pytest.raises(RelayError) as caught:
            reply.get(timeout=DEADLINE_S)
        assert (caught.value.code, caught.value.message) == (int(str(code)), "no")


@pytest.mark.parametrize("result", ["pong", 5, [], None, True])
def test_a_result_that_is_no_object_is_handed_on_raw(server: PlainServer, result: object) -> None:
    """PROTOCOL 2.3."""
    with logged_in(server) as (app, peer):
        reply = app.execute("calling.x", {})
        peer.answer(peer.expect("calling.x"), result)
        assert reply.get(timeout=DEADLINE_S) == {"raw": result}


def test_params_that_json_does_not_know_are_refused_where_they_came_from(server: PlainServer) -> None:
    """The answer says so, and the connection does not suffer. STYLE: bad input is an answer to the sender."""
    with logged_in(server) as (app, peer):
        with pytest.raises(NotSentError, match=r"calling\.x was not sent"):
            app.execute("calling.x", {"what": object()}).get(timeout=DEADLINE_S)
        peer.settle()


def test_contexts_that_are_too_long_are_refused_and_the_connection_does_not_suffer(server: PlainServer) -> None:
    """What cannot be sent is an answer to the asker, as with any other request."""
    with logged_in(server) as (app, peer):
        with pytest.raises(NotSentError, match=r"signalwire\.receive was not sent: it has 10,\d{3},\d{3} bytes"):
            app.receive(["x" * 10_485_760]).get(timeout=DEADLINE_S)
        peer.settle()


# -- keeping alive ---------------------------------------------------------------------------------------------------


def test_pings_of_the_server_are_answered(server: PlainServer) -> None:
    """PROTOCOL 5.1; with params, without, and with ids of any type."""
    with logged_in(server) as (_app, peer):
        for frame_id, params in (("a", {"timestamp": 1767225612.5}), (7, {}), (["odd"], None)):
            peer.send({"jsonrpc": "2.0", "id": frame_id, "method": "signalwire.ping", "params": params})
            assert peer.expect_ack(frame_id)["result"] == {}


def test_a_server_that_stops_pinging_is_left(server: PlainServer) -> None:
    """PROTOCOL 5.2: the first ping arms the watchdog. SEMANTICS K9."""
    with logged_in(server, timing=quick(watchdog_s=0.2)) as (_app, peer):
        peer.settle()
        assert peer.expect_end() == "broken"
        server.accept_login()


def test_a_process_that_was_stopped_reads_what_has_come_before_it_takes_the_server_for_dead(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel wakes it without a look at its sockets, and all deadlines are over by then. SEMANTICS K9."""
    is_to_stop, stopped, goes_on = threading.Event(), threading.Event(), threading.Event()
    poll = SocketPoll.poll

    def poll_or_stop(sockets: SocketPoll, timeout_s: float) -> list[Callable[[], None]]:
        if not is_to_stop.is_set() or stopped.is_set():
            return poll(sockets, timeout_s)
        stopped.set()
        assert goes_on.wait(DEADLINE_S)
        return []

    with logged_in(server, timing=quick(watchdog_s=1.0)) as (_app, peer):
        monkeypatch.setattr(SocketPoll, "poll", poll_or_stop)
        peer.expect_ack(peer.send_request("signalwire.ping", {}))
        is_to_stop.set()
        peer.send_request("signalwire.ping", {})
        assert stopped.wait(DEADLINE_S)
        unread = peer.send_request("signalwire.ping", {})
        too_late = time.monotonic() + 1.1
        wait_until(lambda: time.monotonic() > too_late)
        goes_on.set()
        peer.expect_ack(unread)
        assert server.accepted == 1


def test_a_server_that_never_pings_is_not_punished(server: PlainServer) -> None:
    """PROTOCOL 5.2."""
    with logged_in(server, timing=quick(watchdog_s=0.01, client_ping_interval_s=0.1)) as (_app, peer):
        for _ in range(3):
            peer.answer(peer.expect("signalwire.ping"), {"timestamp": 1767225630.0})
        assert server.accepted == 1


def test_the_client_pings_and_leaves_a_server_that_does_not_answer(server: PlainServer) -> None:
    """A half-open connection is found from this side, too. PROTOCOL 5.3; SEMANTICS K9."""
    timing = quick(client_ping_interval_s=0.1, request_timeout_s=0.2)
    with logged_in(server, timing=timing) as (_app, peer):
        assert peer.expect("signalwire.ping")["params"] == {}
        assert peer.expect_end() == "broken"
        server.accept_login()


def test_three_refused_pings_are_enough(server: PlainServer) -> None:
    """PROTOCOL 5.3."""
    timing = quick(client_ping_interval_s=0.02, ping_retry_min_s=0.01)
    with logged_in(server, timing=timing) as (_app, peer):
        for _ in range(3):
            peer.error(peer.expect("signalwire.ping"), -32601, "no pings here")
        assert peer.expect_end() == "broken"
        server.accept_login()


# -- the end ---------------------------------------------------------------------------------------------------------


def test_stopping_says_goodbye_and_lets_nobody_wait(server: PlainServer) -> None:
    """PROTOCOL 6.2: no request is sent for it; the close is a normal one."""
    with logged_in(server) as (app, peer):
        sent, queued = app.execute("calling.sent", {}), None
        peer.expect("calling.sent")
        peer.send_request("signalwire.disconnect", {})
        peer.settle()
        queued = app.execute("calling.queued", {})
        app.stop()
        assert peer.expect_end() == "goodbye"
        for reply in (sent, queued):
            with pytest.raises(RelayError):
                reply.get(timeout=0)
        assert [frame["method"] for frame in peer.frames if "method" in frame] == ["signalwire.connect", "calling.sent"]
