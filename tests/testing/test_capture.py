"""Frames and entries become what was said; what was said twice is said once."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.journal.entries import CommandIntended, CommandSettled, EventReceived, Outcome, Snapshot
from relay_actors.protocol import frames
from relay_actors.testing.capture import Capture, begun_before, of_call, parts_of_journal
from relay_actors.testing.said import ANSWER, COMMAND, EVENT, REFUSAL, Said


def event(id: str, kind: str, **params: Any) -> bytes:
    return frames.request(id, frames.EVENT, {"event_type": kind, "context": "c", "timestamp": 1.0, "params": params})


def taken(*texts: tuple[bool, bytes]) -> list[tuple[str, str, int]]:
    capture = Capture()
    for at, (is_from_client, text) in enumerate(texts):
        capture.take(float(at), 1_700_000_000.0 + at, is_from_client, text)
    return [(one.kind, one.name, one.number) for one in capture.said]


def test_events_commands_and_answers_are_taken_and_nothing_else():
    """Log-ins, pings, acknowledgements and what is no frame are not what a test is about."""
    said = taken(
        (True, frames.request("1", frames.CONNECT, {"authentication": {"token": "t"}})),
        (False, frames.result("1", {"protocol": "p"})),
        (False, event("e1", "calling.call.receive", call_id="x")),
        (True, frames.result("e1", {})),
        (True, frames.request("2", "calling.answer", {"call_id": "x"})),
        (False, b"nonsense"),
        (False, frames.result("2", {"code": "200"})),
        (True, frames.request("3", frames.PING, {})),
        (False, frames.result("3", {})),
        (False, event("e2", "signalwire.authorization.state", authorization_state="s")),
        (True, frames.request("4", "calling.play", {"call_id": "x"})),
        (False, frames.error("4", -32602, "Invalid")),
    )
    assert said == [
        (EVENT, "calling.call.receive", 0),
        (COMMAND, "calling.answer", 1),
        (ANSWER, "", 1),
        (COMMAND, "calling.play", 2),
        (REFUSAL, "", 2),
    ]


def test_what_was_sent_again_after_a_lost_connection_was_said_once():
    """Events come again until they are acknowledged, commands until they are answered (SEMANTICS K3, K6)."""
    play = {"call_id": "x", "control_id": "c"}
    said = taken(
        (False, event("e1", "calling.call.receive", call_id="x")),
        (True, frames.request("1", "calling.play", play)),
        (False, event("e1", "calling.call.receive", call_id="x")),
        (True, frames.request("2", "calling.play", play)),
        (False, frames.result("2", {"code": "200"})),
        (False, frames.result("2", {"code": "200"})),
        (True, frames.request("3", "calling.play", play)),
    )
    assert [kind for kind, _name, _number in said] == [EVENT, COMMAND, ANSWER, COMMAND]


def test_credentials_are_learnt_and_forgotten_with_what_was_taken():
    """A recorder that runs for weeks keeps nothing."""
    capture = Capture()
    capture.take(0.0, 0.0, True, frames.request("1", frames.CONNECT, {"authentication": {"token": "secret-token"}}))
    capture.take(0.0, 0.0, False, event("e", "signalwire.authorization.state", authorization_state="secret-state"))
    capture.take(0.0, 0.0, False, event("e2", "calling.call.receive", call_id="x"))
    assert {"secret-token", "secret-state"} <= set(capture.secrets)
    capture.forget()
    assert (capture.said, capture.secrets) == ([], [])


def test_the_entries_of_a_journal_say_the_same():
    """What nobody knows the outcome of has no answer."""

    def intended(id: str) -> CommandIntended:
        return CommandIntended(subject="x", at=2.0, request_id=id, method="calling.play", params={"control_id": id})

    said = parts_of_journal(
        [
            EventReceived(subject="x", at=1.0, frame_id="e", payload={"event_type": "calling.call.receive"}),
            EventReceived(subject="x", at=1.0, frame_id="e", payload={"event_type": "calling.call.receive"}),
            *map(intended, ("a", "b", "c")),
            CommandSettled(subject="x", at=3.0, request_id="a", outcome=Outcome.OK, result={"code": "200"}),
            CommandSettled(subject="x", at=3.0, request_id="b", outcome=Outcome.UNKNOWN),
            CommandSettled(
                subject="x", at=3.0, request_id="c", outcome=Outcome.REJECTED, code=404, result={"message": "gone"}
            ),
        ]
    )
    assert [(one.kind, one.number) for one in said] == [
        (EVENT, 0),
        (COMMAND, 1),
        (COMMAND, 2),
        (COMMAND, 3),
        (ANSWER, 1),
        (REFUSAL, 3),
    ]
    assert said[-1].body == {"code": 404, "message": "gone"}


def test_a_past_that_was_summed_up_is_refused():
    """What is left of it would replay as something that has never happened."""
    with pytest.raises(ConfigError, match="--record"):
        parts_of_journal([Snapshot(subject="x", at=1.0, state={"form": 1})])


SAID = [
    Said(0, EVENT, "calling.call.receive", {"call_id": "aaa"}),
    Said(0, EVENT, "calling.call.receive", {"call_id": "bbb"}),
    Said(1, COMMAND, "calling.connect", {"call_id": "aaa"}, 1),
    Said(1, ANSWER, "", {"code": "200"}, 1),
    Said(2, EVENT, "calling.call.connect", {"call_id": "aaa", "peer": {"call_id": "ccc"}}),
    Said(3, EVENT, "calling.call.state", {"call_id": "ccc"}),
    Said(4, COMMAND, "messaging.send", {"body": "b"}, 2),
    Said(5, ANSWER, "", {"message_id": "mmm"}, 2),
    Said(6, EVENT, "messaging.state", {"message_id": "mmm"}),
]


def test_a_call_is_taken_out_with_whom_it_was_brought_together_with():
    """By its id, or its beginning; a text that was sent is known by what it became."""
    assert of_call(SAID, "aaa") == [SAID[place] for place in (0, 2, 3, 4, 5)]
    assert of_call(SAID, "ccc") == of_call(SAID, "aa")
    assert of_call(SAID, "bbb") == SAID[1:2]
    assert of_call(SAID, "mmm") == SAID[6:]


@pytest.mark.parametrize("wanted", ["x", ""])
def test_a_call_that_is_not_there_is_told_with_those_that_are(wanted: str):
    """Nobody knows an id by heart."""
    with pytest.raises(ConfigError, match="there are: aaa, bbb, ccc"):
        of_call(SAID, wanted)
    with pytest.raises(ConfigError, match="no other"):
        of_call([], "x")
    with pytest.raises(ConfigError, match="fits 2"):
        of_call([*SAID, Said(0, EVENT, "e", {"call_id": "aab"})], "aa")


def heard(kind: str, **params: Any) -> Said:
    return Said(at=0.0, kind=EVENT, name=kind, body=params)


@pytest.mark.parametrize(
    ("said", "halves"),
    [
        ([heard("calling.call.receive", call_id="x"), heard("calling.call.play", call_id="x")], []),
        ([heard("calling.call.play", call_id="x"), heard("calling.call.receive", call_id="x")], []),
        ([heard("calling.call.play", call_id="x")], ["x"]),
        ([heard("calling.call.state", call_id="x", call_state="answered", tag="")], ["x"]),
        ([heard("calling.call.state", call_id="x", call_state="created")], []),
        ([heard("calling.call.state", call_id="x", call_state="created", tag="t")], ["x"]),
        ([heard("messaging.state", message_id="m")], []),
        ([Said(0.0, COMMAND, "calling.end", {"call_id": "x"}, 1)], ["x"]),
        (
            [
                Said(0.0, COMMAND, "calling.dial", {"tag": "t"}, 1),
                heard("calling.call.state", call_id="x", call_state="answered", tag="t"),
                heard("calling.call.play", call_id="x"),
            ],
            [],
        ),
        (
            [
                heard("calling.call.receive", call_id="x"),
                heard("calling.call.connect", call_id="x", peer={"call_id": "y"}),
                heard("calling.call.state", call_id="y", call_state="answered"),
            ],
            [],
        ),
    ],
)
def test_a_call_without_its_beginning_is_found(said: list[Said], halves: list[str]):
    """One that was taken over, for example: an application cannot be told of it."""
    assert begun_before(said) == halves
