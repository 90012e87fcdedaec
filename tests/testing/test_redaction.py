"""What must not lie in a repository is taken out of frames; what an application sends later is redacted alike."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from relay_actors.testing.redaction import Redaction, choose_salt

NUMBERS = st.from_regex(r"\+[1-9][0-9]{9,14}", fullmatch=True)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | NUMBERS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "body", "to_number", "from", "tag", "call_id", "headers", "event", "x", "url"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
PARAMS = st.dictionaries(st.sampled_from(["text", "devices", "params", "digits", "event"]), PLAIN, max_size=4)


@given(PARAMS, st.booleans(), st.integers(0, 5))
def test_what_is_redacted_stays_as_it_is(params: dict[str, Any], keeps_words: bool, salt: int):
    """An application that sends back what an event has told it sends what it has sent then."""
    redaction = Redaction(salt=salt, keeps_words=keeps_words)
    once = redaction.command("calling.play", params)
    assert redaction.command("calling.play", once) == once
    json.dumps(once)


def test_a_number_has_the_same_stand_in_everywhere():
    """Under every key, within texts, with a plus, and without one where it can be nothing else."""
    redaction = Redaction(keeps_words=True)
    clean = redaction.command(
        "calling.dial",
        {
            "to_number": "+12025550111",
            "device": {"from_number": "12025550111", "to": "sip:+12025550111@example.com"},
            "text": "You called from +12025550111.",
        },
    )
    stand_in = clean["to_number"]
    assert stand_in.startswith("+1555010")
    assert len(stand_in) == len("+12025550111")
    assert clean["device"] == {"from_number": stand_in[1:], "to": f"sip:{stand_in}@example.com"}
    assert clean["text"] == f"You called from {stand_in}."


def test_words_are_counted_and_told_apart_but_not_kept():
    """Whoever has changed a prompt is to find out; the words are somebody's."""
    redaction = Redaction()
    clean = redaction.command("messaging.send", {"body": "I am ill today", "context": "support"})
    assert clean["body"].startswith("(4 words, ")
    assert clean["context"] == "support"
    assert redaction.command("messaging.send", {"body": "I am ill now"})["body"] != clean["body"]
    assert Redaction(keeps_words=True).command("x", {"body": "I am ill today"}) == {"body": "I am ill today"}


def test_words_with_a_number_in_them_are_the_same_words_with_its_stand_in():
    """A prompt that says who calls is no other prompt in the replay, where somebody else calls."""
    redaction = Redaction()
    number = "+12025550111"
    stand_in = redaction.command("x", {"to_number": number})["to_number"]
    assert redaction.command("x", {"text": f"It is {number}"}) == redaction.command("x", {"text": f"It is {stand_in}"})


def test_what_an_application_puts_in_for_itself_counts_as_words():
    """Headers, user events and the like may hold anything."""
    clean = Redaction().command("calling.user_event", {"event": {"order": "of Mrs Miller", "count": 3}})
    assert clean["event"]["order"].startswith("(3 words, ")
    assert clean["event"]["count"] == 3


def test_card_data_of_a_payment_are_hidden_with_the_keys_that_are_reported_meanwhile():
    """A detector of digits tells the card one key at a time (SEMANTICS J10)."""
    redaction = Redaction()
    detected = {"call_id": "c", "detect": {"type": "digit", "params": {"event": "4"}}}
    frame = {"event_type": "calling.call.detect", "params": detected}
    assert redaction.event(frame)["params"] == detected
    redaction.command("calling.pay", {"call_id": "c", "control_id": "p"})
    hidden = redaction.event(frame)["params"]["detect"]
    assert hidden == {"type": "digit", "params": {"event": "***"}}
    ended = {"event": "finished"}
    assert redaction.event({**frame, "params": {**detected, "detect": {"params": ended}}})["params"]["detect"] == {
        "params": ended
    }
    pay = {"call_id": "c", "state": "finished", "result": "success", "payment_card_number": "4111", "new_field": "4111"}
    told = redaction.event({"event_type": "calling.call.pay", "params": pay})["params"]
    assert told == {**pay, "payment_card_number": "***", "new_field": "***"}
    assert redaction.event(frame)["params"] == detected


def test_a_card_is_hidden_also_with_its_code_and_in_a_whole_number():
    """What is keyed in behind it does not protect it; an ordinary number stays."""
    redaction = Redaction(keeps_words=True)
    clean = redaction.command(
        "x", {"digits": "4111111111111111123", "n": 4111111111111111, "text": "4111 1111 1111 1111!"}
    )
    assert clean == {"digits": "***", "n": "***", "text": "***!"}
    plain = {"digits": "12345678", "start_time": 1767225600000, "call_id": "28ce6f24-1064-4d51-8111-111111111111"}
    assert redaction.command("x", plain) == plain


def test_accounts_sessions_and_signatures_are_hidden():
    """The name of a session stays the same thing wherever it stands, also where a text is sent in it."""
    redaction = Redaction(secrets=["9b08923d10c64fd9"])
    name = "signalwire_9b08923d10c64fd9_781f9c58-d664-4fa9-a8a8-529f035efa25_31162427"
    clean = redaction.command(
        "x",
        {"context": name, "project_id": "p", "url": "https://me:pw@host/a.wav?sig=abc", "status_url": "https://host/b"},
    )
    assert clean == {
        "context": "session-1",
        "project_id": "***",
        "url": "https://***@host/a.wav?***",
        "status_url": "https://host/b",
    }


@settings(max_examples=30)
@given(st.sets(NUMBERS, max_size=40))
def test_no_two_numbers_of_a_recording_have_the_same_stand_in(numbers: set[str]):
    """Else two people would be one in the test."""
    salt = choose_salt([{"to_number": number} for number in numbers])
    redaction = Redaction(salt=salt)
    assert len({redaction.stand_in(number[1:]) for number in numbers}) == len(numbers)
