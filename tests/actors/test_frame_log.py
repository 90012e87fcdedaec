"""What of the wire may be read in the log."""

from __future__ import annotations

import json
import logging
from typing import Any, ClassVar

import pytest

from relay_actors import CallActor, HandTo, HangUp
from relay_actors.actors.frame_log import FrameLog, mask_numbers
from tests.support.plain_app import app_for, logged_in, started_app
from tests.support.plain_server import DEADLINE_S, FRAMES, PlainServer

SECRETS = ("a-secret-token", "0b6d7c1a-3f55-4f0e-9c1d-6a7f2b90e4d1")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"from_number":"+14045550101"}', '{"from_number":"+***01"}'),
        ('{"to_number": "4045550199"}', '{"to_number": "***99"}'),
        (r'{"from":"\u002B14045550101"}', '{"from":"+***01"}'),
        (r'"{\"from\":\"\\u002b14045550101\"}"', r'"{\"from\":\"+***01\"}"'),
        ("sip:+14045550101@example.com", "sip:+***01@example.com"),
        ("called +14045550101, then +442071838750", "called +***01, then +***50"),
        ('"call_id":"9a3e5c70-1d2b-4f86-a7c4-58b0e6d1f293"', '"call_id":"9a3e5c70-1d2b-4f86-a7c4-58b0e6d1f293"'),
        ('"timestamp":1767225604.25', '"timestamp":1767225604.25'),
        ('"start_time":1767225600100', '"start_time":1767225600100'),
        ('"duration":12.4,"size":198400', '"duration":12.4,"size":198400'),
        ("1+1", "1+1"),
    ],
)
def test_telephone_numbers_lose_all_but_two_digits(text: str, masked: str) -> None:
    """And nothing else does. SEMANTICS O6."""
    assert mask_numbers(text) == masked


def test_no_example_frame_shows_a_number_or_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    """PROTOCOL 16.1: at debug level only, after both passes."""
    frames = FrameLog()
    with caplog.at_level(logging.DEBUG, "relay_actors.frames"):
        for row in FRAMES.values():
            frames.received(json.dumps(row["frame"]).encode(), SECRETS)
    assert len(caplog.records) == len(FRAMES)
    assert "+1404" not in caplog.text
    assert "PTexample" not in caplog.text
    assert SECRETS[1] not in caplog.text
    assert "Q0lQSEVSVEVYVEVYQU1QTEU" not in caplog.text


def test_nothing_is_made_ready_that_nobody_reads(caplog: pytest.LogCaptureFixture) -> None:
    """At INFO it costs one comparison."""
    frames = FrameLog()
    with caplog.at_level(logging.INFO, "relay_actors.frames"):
        assert not frames.look()
        frames.ignored(None)  # type: ignore[arg-type]  # it would raise if it were looked at
        frames.requested("calling.x", "id")
    assert caplog.records == []


def test_whether_anybody_reads_is_known_from_the_last_look(caplog: pytest.LogCaptureFixture) -> None:
    """`logging` takes its time to say so: it is asked once for all that is read together."""
    frames = FrameLog()
    with caplog.at_level(logging.DEBUG, "relay_actors.frames"):
        assert not frames.is_on
        assert frames.look()
        assert frames.is_on
    assert not frames.look()


def test_a_long_frame_is_shown_by_its_beginning(caplog: pytest.LogCaptureFixture) -> None:
    """Ten mebibytes would hold up the socket."""
    with caplog.at_level(logging.DEBUG, "relay_actors.frames"):
        FrameLog().received(b'{"method":"signalwire.event","padding":"' + b"x" * 1_000_000 + b'"}', SECRETS)
    assert "signalwire.event" in caplog.text
    assert len(caplog.text) < 1000


@pytest.mark.parametrize("has_successor", [True, False])
def test_a_call_whose_actors_all_fail_is_reported_without_its_numbers(
    caplog: pytest.LogCaptureFixture, has_successor: bool
) -> None:
    """What a failed actor was handling is part of the report, and must not be part of the log. SEMANTICS M6, O6."""

    class Successor(CallActor):
        def on_start(self) -> None:
            raise RuntimeError("a bug in the successor")

    class Fragile(CallActor):
        max_restarts: ClassVar[int] = 0
        on_give_up: ClassVar[Any] = HandTo(Successor) if has_successor else HangUp()

        def on_receive(self, message: object) -> None:
            raise RuntimeError("a bug in the handler")

    with PlainServer() as server:
        app = app_for(server)
        app.calls("support")(Fragile)
        with started_app(app, server) as peer:
            peer.call()
            peer.ok(peer.expect("calling.end"))
            peer.settle()
    assert "a bug in the handler" in caplog.text
    assert ("a bug in the successor" in caplog.text) is has_successor
    assert "4045550" not in caplog.text


def test_a_whole_session_can_be_read_without_a_secret_or_a_number(caplog: pytest.LogCaptureFixture) -> None:
    """Everything that the framework logs at DEBUG, from the log in to the goodbye. SEMANTICS O6; PROTOCOL 16.1."""
    caplog.set_level(logging.INFO, "websockets")  # the test's own server
    caplog.set_level(logging.DEBUG)
    result = FRAMES["connect.result.current_server"]["frame"]["result"]
    with PlainServer() as server, logged_in(server, project="0b6d7c1a-3f55-4f0e-9c1d-6a7f2b90e4d1") as (app, peer):
        peer.event("signalwire.authorization.state", {"authorization_state": "cipher-of-the-state"})
        peer.event("calling.call.receive", FRAMES["call.receive.event"]["frame"]["params"]["params"])
        peer.expect("calling.end")
        peer.send_text('{"token": "a-secret-token", not even JSON, +14045550101')
        reply = app.execute("calling.x", {"to_number": "+14045550177", "password": "a-secret-token"})
        peer.error(peer.expect("calling.x"), 400, "a-secret-token is wrong")
        with pytest.raises(Exception, match=r"\*\*\*"):
            reply.get(timeout=DEADLINE_S)
        peer.vanish()
        peer = server.accept()
        peer.error(peer.expect("signalwire.connect"), -32002, "0b6d7c1a-3f55-4f0e-9c1d-6a7f2b90e4d1 is unknown")
        server.accept().let_in(result)
    for secret in ("a-secret-token", "0b6d7c1a", "cipher-of-the-state", "+1404", "4045550"):
        assert secret not in caplog.text
    assert "requested method=calling.x id=" in caplog.text
    assert "received {" in caplog.text
    assert "ignored: " in caplog.text
