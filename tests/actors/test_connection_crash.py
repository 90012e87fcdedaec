"""The connection actor crashes: restarted, with a new socket, and nothing that it knew is lost."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from relay_actors import ConnectionRestored
from relay_actors.actors.connection import ConnectionActor
from relay_actors.actors.router import Router
from relay_actors.actors.socket_news import Opened, tell
from relay_actors.errors import ActorDead, RelayActorsError
from relay_actors.events import CallReceiveEvent, CallStateEvent, PlayEvent, RelayEvent
from relay_actors.protocol.client import ClientProtocol
from relay_actors.transport.memory import memory_pair
from tests.support.plain_app import (
    PATIENT,
    Recorder,
    answering,
    app_for,
    handle_of,
    in_background,
    logged_in,
    started_app,
    wait_until,
)
from tests.support.plain_server import CALL, DEADLINE_S, NODE, PROTOCOL, PlainServer


class BugError(Exception):
    """Something that nobody has foreseen."""


def test_a_crash_while_routing_costs_the_event_that_caused_it_and_nothing_else(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came with it is handed on, the session is resumed, and calls go on. SEMANTICS K1, S10."""
    route = Router.route

    def stumbles(self: Router, event: RelayEvent) -> None:
        if event.control_id == "stumble":
            raise BugError
        route(self, event)

    monkeypatch.setattr(Router, "route", stumbles)
    recorder = Recorder(answering)
    with logged_in(server, recorder) as (app, peer):
        peer.call()
        peer.ok(peer.expect("calling.answer"))
        pending = handle_of(app, CALL).send_digits("1")
        digits = peer.expect("calling.send_digits")
        play = {"call_id": CALL, "node_id": NODE, "state": "playing"}
        with peer.in_one_go():
            peer.event("calling.call.play", {**play, "control_id": "stumble"})
            peer.event("calling.call.play", {**play, "control_id": "after"})
            peer.ok(digits)
        assert recorder.next(PlayEvent).control_id == "after"
        assert peer.expect_end() == "broken"
        peer = server.accept()
        assert peer.let_in()["params"]["protocol"] == PROTOCOL
        assert recorder.next(ConnectionRestored).resumed is True
        # Its answer was read before the crash, or is lost with the socket; but nobody waits for ever.
        wait_until(lambda: pending.is_settled)
        peer.state("ended", end_reason="hangup")
        assert recorder.next(CallStateEvent).end_reason == "hangup"
        assert app.system.find(("call", CALL)) is None or app.call(CALL) is not None


def test_requests_of_the_time_of_the_crash_are_sent_afterwards(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait in the mailbox, or in the queue of the protocol. SEMANTICS S10, K7."""
    crash(monkeypatch)
    with logged_in(server) as (app, peer):
        app.execute("calling.crash", {})
        replies = [app.execute("calling.after", {"number": number}) for number in range(10)]
        peer = server.accept_login()
        for number, reply in enumerate(replies):
            peer.ok(peer.expect("calling.after", number=number))
            assert reply.get(timeout=DEADLINE_S)["code"] == "200"


def test_a_crash_while_a_socket_is_opening_leaves_no_socket(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The late socket is nobody's, and is broken. SEMANTICS H9."""
    crash(monkeypatch)
    app = app_for(server)
    app.start(wait_s=None)
    try:
        app.execute("calling.crash", {})
        for _ in range(3):  # the one that was opening may get as far as the log in, or be cancelled before
            peer = server.accept()
            try:
                peer.let_in()
            except AssertionError:
                continue
            break
        reply = app.execute("calling.x", {})
        peer.ok(peer.expect("calling.x"))
        reply.get(timeout=DEADLINE_S)
    finally:
        app.stop()


def test_the_watchdog_of_a_dead_incarnation_does_no_harm(server: PlainServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its deadlines are cancelled with it; the connection of its successor stays up and stays watched."""
    crash(monkeypatch)
    timing = dataclasses.replace(PATIENT, watchdog_s=0.3)
    with logged_in(server, timing=timing) as (app, peer):
        peer.settle()  # arms the watchdog
        app.execute("calling.crash", {})
        peer = server.accept_login()
        peer.settle()
        assert peer.expect_end() == "broken"  # and is followed by its own
        server.accept_login()


def test_news_of_a_socket_that_was_dropped_meanwhile_crash_nothing(server: PlainServer) -> None:
    """Whoever gives up drops what was opened, and the news of it may be on their way already."""
    with logged_in(server) as (app, peer):
        tree = app._running()
        cell: Any = tree.office.connection._cell
        transport, _far = memory_pair()
        tree.wire.opened.append(transport)
        tree.wire.drop_opened()
        assert tell(cell, Opened(cell, tree.wire.attempts))
        peer.settle()
        assert server.accepted == 1


def test_a_connection_that_keeps_crashing_ends_the_application_and_says_why(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Restarts are bounded; then whoever waits is told. SEMANTICS S6, S8."""

    def stumbles(self: Any, message: object) -> Any:
        raise BugError("again")

    app = app_for(server)
    recorder = Recorder()
    app.calls("support")(recorder.actor_class)

    def play() -> None:
        peer = server.accept_login()
        peer.call()
        recorder.next(CallReceiveEvent)
        monkeypatch.setattr(ConnectionActor, "after_batch", lambda self: stumbles(self, None))
        pending = app.execute("calling.x", {})
        with pytest.raises(RelayActorsError):
            pending.get(timeout=DEADLINE_S)
        assert peer.expect_end() == "broken"

    with in_background(play), pytest.raises(ActorDead, match="ConnectionActor ended for good: error BugError: again"):
        app.run()
    assert not app.is_running


def test_what_the_protocol_has_told_before_a_crash_is_done_after_it(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a log in: the one who waits for it is not left waiting."""
    logged_in_by = ConnectionActor._on_logged_in
    is_armed = [True]

    def stumbles(self: ConnectionActor, happening: Any) -> None:
        if is_armed:
            is_armed.clear()
            raise BugError
        logged_in_by(self, happening)

    monkeypatch.setattr(ConnectionActor, "_on_logged_in", stumbles)
    app = app_for(server)

    def play() -> None:
        server.accept_login()
        server.accept_login()

    with in_background(play):
        app.start(wait_s=DEADLINE_S)
    app.stop()


def test_an_answer_to_a_request_that_crashes_its_reader_is_given_all_the_same(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No future is left unsettled by a crash (SEMANTICS A6)."""
    receive = ClientProtocol.receive

    def stumbles(self: ClientProtocol, texts: list[bytes], now: float) -> Any:
        if any(b"stumble" in text for text in texts):
            raise BugError
        return receive(self, texts, now)

    monkeypatch.setattr(ClientProtocol, "receive", stumbles)
    with started_app(app := app_for(server), server) as peer:
        reply = app.execute("calling.x", {})
        request = peer.expect("calling.x")
        peer.ok(request, message="stumble")
        with pytest.raises(RelayActorsError, match="Connection closed"):
            reply.get(timeout=DEADLINE_S)
        server.accept_login()


def crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the request ``calling.crash`` crash the connection actor, once it is handled."""
    send = ConnectionActor._send

    def stumbles(self: ConnectionActor, outgoing: Any) -> None:
        if outgoing.method == "calling.crash":
            outgoing.on_answer(None, RelayActorsError("crash"))
            raise BugError
        send(self, outgoing)

    monkeypatch.setattr(ConnectionActor, "_send", stumbles)
