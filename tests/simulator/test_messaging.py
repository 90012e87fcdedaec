"""Texts in both directions. Source: PROTOCOL 14."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.messaging import TextMessage
from tests.simulator.stage import Peer, Stage

STATE = "messaging.state"


def send(peer: Peer, **more: Any) -> str:
    params = {"context": "support", "to_number": "+15550002222", "from_number": "+15559990000", "body": "Shipped."}
    return peer.do("messaging.send", **{**params, **more})["message_id"]


def test_a_text_goes_through_its_states_and_arrives(stage: Stage, peer: Peer):
    message_id = send(peer, tags=["order"])
    stage.run(1)

    assert peer.states(STATE, "message_state", message_id=message_id) == ["queued", "initiated", "sent", "delivered"]
    event = peer.events(STATE)[-1]
    assert (event["direction"], event["body"], event["tags"], event["segments"]) == (
        "outbound",
        "Shipped.",
        ["order"],
        1,
    )
    assert peer.envelopes(STATE)[-1]["context"] == "support"
    assert stage.sim.phone("+15550002222").receives_text("shipped") == TextMessage(
        "+15559990000", "+15550002222", "Shipped."
    )


def test_the_first_state_follows_the_response_unless_told_otherwise(stage: Stage, peer: Peer):
    send(peer)
    assert [frame.get("result", frame.get("params")) is not None for frame in peer.frames[-2:]] == [True, True]
    assert "result" in peer.frames[-2]
    stage.sim.manners.event_before_response = True
    send(peer)

    assert "result" in peer.frames[-1], "the state overtook the response (PROTOCOL 2.7)"


@pytest.mark.parametrize("ends", ["undelivered", "failed"])
def test_the_end_can_be_scripted(stage: Stage, peer: Peer, ends: str):
    stage.sim.next_message(ends=ends, reason="Spam")
    send(peer)
    send(peer)
    stage.run(1)

    finals = [event for event in peer.events(STATE) if event["message_state"] in (ends, "delivered")]
    assert [event["message_state"] for event in finals] == [ends, "delivered"]
    assert [event.get("reason") for event in finals] == ["Spam", None]
    assert len(stage.sim.phone("+15550002222").inbox) == 1


def test_a_text_cannot_be_made_to_end_in_a_way_that_there_is_not(stage: Stage):
    """A misspelt one would be sent as it is, and whoever waits for the text would wait for ever."""
    for ends in ("undeliverd", "delivered", ""):
        with pytest.raises(ConfigError, match=f"cannot be made to end as {ends!r}: only as undelivered, failed, sent"):
            stage.sim.next_message(ends=ends)


def test_a_text_may_stay_on_its_way(stage: Stage, peer: Peer):
    stage.sim.next_message(ends="sent")
    send(peer)
    stage.run(60)

    assert peer.states(STATE, "message_state") == ["queued", "initiated", "sent"]
    assert stage.sim.phone("+15550002222").inbox == ()


def test_a_phone_may_refuse_texts(stage: Stage, peer: Peer):
    stage.sim.phone("+15550002222").refuses_texts("Unreachable destination")
    send(peer)
    stage.run(1)

    event = peer.events(STATE)[-1]
    assert (event["message_state"], event["reason"]) == ("undelivered", "Unreachable destination")
    assert stage.sim.phone("+15550002222").inbox == ()


def test_a_text_without_words_and_media_is_refused(peer: Peer):
    response = peer.ask("messaging.send", context="c", to_number="a", from_number="b", body="")
    assert response is not None
    assert response["result"]["code"] == "400"


def test_a_text_to_no_number_is_refused_and_nothing_fails_later(stage: Stage, peer: Peer):
    answer = peer.ask("messaging.send", context="support", to_number="", from_number="+15559990000", body="hello")
    stage.run(1)

    assert answer is not None
    assert answer["result"]["code"] == "400"
    assert peer.events("messaging.state") == []


def test_long_texts_and_pictures_are_counted(stage: Stage, peer: Peer):
    send(peer, body="x" * 161, media=["https://a/b.png"])

    event = peer.events(STATE)[-1]
    assert event["segments"] == 2
    assert event["media"] == ["https://a/b.png"]


def test_a_text_to_an_application_is_received_in_its_context(stage: Stage, peer: Peer):
    other = stage.client("sales")
    stage.sim.phone("+15550002222").texts("STOP", context="support")

    (event,) = peer.events("messaging.receive")
    assert (event["body"], event["from_number"], event["message_state"]) == ("STOP", "+15550002222", "received")
    assert (event["direction"], event["tag"], event["tags"]) == ("inbound", None, ["message", "inbound", "SMS"])
    assert other.events("messaging.receive") == []


def test_a_text_to_a_number_goes_to_the_context_of_the_number(stage: Stage, peer: Peer):
    stage.sim.assign_number("+15559990000", "support")
    stage.sim.phone("+15550002222").texts("hello", to="+15559990000")

    assert peer.events("messaging.receive")[0]["to_number"] == "+15559990000"


def test_a_text_to_nobody_is_an_error_of_the_story(stage: Stage, peer: Peer):
    with pytest.raises(StoryError, match=r"cannot text: nobody takes context 'nobody'; .* subscribed to: 'support'$"):
        stage.sim.phone("+15550002222").texts("hello", context="nobody")
