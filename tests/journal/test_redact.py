"""Redaction: what must never be in a journal, and what must stay for recovery."""

import json
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import JournalError
from relay_actors.journal.codec import encode
from relay_actors.journal.entries import (
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Outcome,
    Snapshot,
    SubjectEnded,
)
from relay_actors.journal.redact import (
    MASK,
    MAX_DEPTH,
    PASSING_SECRETS,
    PAY_FIELDS_KEPT,
    SECRET_KEYS,
    TOO_DEEP,
    Redactor,
)
from relay_actors.protocol import scrub
from tests.journal.strategies import objects, plain

FRAMES = [
    json.loads(line) for line in (Path(__file__).parents[1] / "data" / "frames.jsonl").read_text("utf-8").splitlines()
]
SECRET = "PT0123456789abcdef"
CARD = "4111111111111111"


def redacted_event(payload: dict[str, object]) -> dict[str, object]:
    return Redactor([SECRET]).changes(EventReceived(subject="c", at=1.0, payload=payload))["payload"]


def collect(digits: object) -> dict[str, object]:
    return {
        "event_type": "calling.call.collect",
        "params": {"control_id": "c-3", "result": {"type": "digit", "params": {"digits": digits, "terminator": "#"}}},
    }


@given(objects, plain)
def test_a_secret_is_nowhere_in_the_bytes(around: dict[str, object], value: object):
    """By value, at any depth, in texts and in keys, whatever surrounds it (SEMANTICS J10)."""
    payload = {"first": around, "x": [f"<{SECRET}>", {SECRET: value, "y": SECRET}], SECRET * 2: value}

    changes = Redactor([SECRET]).changes(EventReceived(subject="c", at=1.0, payload=payload))

    assert SECRET.encode() not in encode(EventReceived(subject="c", at=1.0, **changes))


@given(plain)
def test_plain_data_without_secrets_is_left_as_it_is(value: object):
    """Recovery works on these values: what need not go must stay (SEMANTICS J4)."""
    assert Redactor([SECRET]).value({"x": value}) == {"x": value}


@given(plain)
def test_redacting_twice_is_redacting_once(value: object):
    """A salvaged journal goes through redaction again."""
    redactor = Redactor([SECRET, "another secret"])
    once = redactor.value({"token": value, "text": f"{SECRET} {CARD}", "x": value})

    assert redactor.value(once) == once


@pytest.mark.parametrize("key", [*sorted(SECRET_KEYS), "password", "web_hook_auth_password"])
def test_the_value_of_a_secret_key_is_replaced_at_any_depth(key: str):
    """Also secrets that this client never learned: those inside commands and events (PROTOCOL 16.1)."""
    payload = {"params": [{key: "some secret"}, {key.upper(): {"nested": "some secret"}}]}

    assert redacted_event(payload) == {"params": [{key: MASK}, {key.upper(): MASK}]}


def test_what_is_hidden_in_logs_is_hidden_in_the_journal():
    """The pillars do not know each other, so the two lists are compared here; a project is found by its value only."""
    payload = dict.fromkeys(scrub.SECRET_KEYS - {"project"}, "some secret")

    assert set(Redactor().value(payload).values()) == {MASK}


@pytest.mark.parametrize(
    "hidden",
    [
        {"password": "S-1"},
        {"auth_password": "S-1"},
        {"Password": "S-1"},
        {"SWAIG": {"defaults": {"web_hook_auth_password": "S-1"}}},
        {"devices": [[{"type": "sip", "params": {"to": "sip:a", "password": "S-1"}}]]},
        {"url": "wss://user:S-1@example.com/media"},
    ],
)
def test_log_and_journal_hide_the_same(hidden: dict[str, object]):
    """Whoever reads the one shall not learn what the other keeps to itself."""
    assert "S-1" not in str(Redactor().value(hidden))
    assert "S-1" not in scrub.scrub(json.dumps(hidden))
    assert "S-1" not in scrub.scrub(json.dumps({"outer": json.dumps(hidden)}))


def test_an_empty_secret_and_a_switch_are_no_secrets():
    """``security_code`` is also a setting of ``calling.pay``; masking it would only hide what was asked for."""
    params = {"security_code": "true", "token": "", "password": None}

    assert Redactor().value(params) == params


def test_a_longer_secret_is_replaced_before_one_that_it_contains():
    """Else its rest would stay readable beside the mask."""
    assert Redactor(["abcdefgh", "abcdefghijkl"]).value("<abcdefghijkl abcdefgh>") == "<*** ***>"


def test_very_short_secrets_are_not_searched_for():
    """A project that is called ``test`` in a simulator must not tear holes into every text."""
    assert Redactor(["test", ""]).value("this is a test") == "this is a test"


def test_a_secret_can_be_learned_later():
    """The authorization state changes while the client runs (PROTOCOL 3.6)."""
    redactor = Redactor()
    assert redactor.value(SECRET) == SECRET

    redactor.learn(SECRET)

    assert redactor.value(SECRET) == MASK
    assert SECRET not in repr(redactor)


def test_of_secrets_that_are_replaced_again_and_again_only_the_newest_are_looked_for():
    """There is a new one with each log in. After weeks each text would be searched for thousands that are worthless."""
    redactor = Redactor([SECRET])
    for n in range(1000):
        redactor.learn(f"the state {n:04}", is_passing=True)

    assert repr(redactor) == f"<Redactor of {1 + PASSING_SECRETS} secrets>"
    assert redactor.value([SECRET, "the state 0999", f"the state {1000 - PASSING_SECRETS:04}"]) == [MASK, MASK, MASK]


def test_the_user_part_of_a_url_is_removed():
    """Webhook addresses often carry a password."""
    redactor = Redactor()

    assert redactor.value("see https://user:pw@example.com/a@b?c") == "see https://***@example.com/a@b?c"
    assert redactor.value("https://example.com/a@b") == "https://example.com/a@b"


def test_a_pay_event_keeps_only_what_is_known_to_be_harmless():
    """A field that a payment may get in future must not be stored because nobody thought of it (SEMANTICS J10)."""
    events = [
        frame["frame"]["params"]
        for frame in FRAMES
        if frame["name"].startswith("pay.event.") and isinstance(frame["frame"], dict)
    ]
    assert events
    for event in events:
        inner = redacted_event({**event, "params": {**event["params"], "brand_new_field": "4111"}})["params"]
        assert {key for key, value in inner.items() if value != MASK} <= PAY_FIELDS_KEPT
        assert inner["brand_new_field"] == MASK
        # What tells how it went is what recovery needs.
        for key in ("control_id", "state", "for", "result"):
            assert inner.get(key) == event["params"].get(key)


def test_card_fields_are_replaced_wherever_they_are():
    """Not only in pay events: a webhook's data or an application's state may carry them on."""
    state = {
        "payment_card_number": "****1111",
        "payment_card_type": "visa",
        "Payment_Token": "tok",
        "bank_account_number": "1",
    }

    changes = Redactor().changes(Snapshot(subject="c", at=1.0, state=state))

    assert changes["state"] == {
        "payment_card_number": MASK, "payment_card_type": "visa", "Payment_Token": MASK, "bank_account_number": MASK,
    }  # fmt: skip


@pytest.mark.parametrize("digits", ["1", "1234", "0049151234567", "4111111111111112", "+15550100101"])
def test_the_digits_of_an_ordinary_collect_are_kept(digits: str):
    """Recovery has to know what the caller chose (SEMANTICS J4)."""
    assert redacted_event(collect(digits)) == collect(digits)


@pytest.mark.parametrize("digits", [CARD, "378282246310005", "4111 1111-1111 1111", CARD + "1230" + "123", "x" + CARD])
def test_a_card_number_that_a_caller_keyed_in_is_replaced(digits: str):
    """An application that collects a card by hand, with security code behind it or not, must not store it (J10)."""
    stored = json.dumps(redacted_event(collect(digits)))

    assert MASK in stored
    assert CARD not in stored
    assert not any(character.isdigit() for character in stored.replace("c-3", ""))


@pytest.mark.parametrize("key", ["digits", "text", "body"])
def test_a_card_number_is_found_in_all_that_people_key_say_or_write(key: str):
    """Keys to send, speech and text messages; the words around it stay."""
    assert Redactor().value({key: f"it is {CARD}, thanks"}) == {key: "it is ***, thanks"}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("4111 1111 1111 1111 12/27", "***/27"),
        ("4111111111111111 123", "***"),
        ("order 77 4111-1111-1111-1111", "order ***"),
        ("3782 822463 10005 1234", "***"),
    ],
)
def test_a_card_number_is_found_beside_other_digits(said: str, kept: str):
    """Who texts a card texts the date or the code behind it, and all of that looks like one longer number (J10)."""
    assert Redactor().value({"body": said}) == {"body": kept}


def test_ids_that_look_like_numbers_are_kept():
    """Only what people key, say or write is searched: an id of many digits is needed for recovery."""
    assert Redactor().value({"call_id": CARD, "tag": CARD}) == {"call_id": CARD, "tag": CARD}


def test_every_kind_of_entry_is_redacted():
    """Secrets stand in commands (a bearer token), results and snapshots just as well (SEMANTICS J10)."""
    redactor = Redactor([SECRET])
    held = {"x": SECRET}

    intent = CommandIntended(subject="c", at=1.0, request_id="r", method="calling.stream", params=held)
    assert redactor.changes(intent) == {"params": {"x": MASK}}
    settled = CommandSettled(subject="c", at=1.0, request_id="r", outcome=Outcome.OK, result=held)
    assert redactor.changes(settled) == {"result": {"x": MASK}}
    assert redactor.changes(Snapshot(subject="c", at=1.0, state=held)) == {"state": {"x": MASK}}
    assert redactor.changes(SubjectEnded(subject="c", at=1.0)) == {}


def test_every_frame_of_the_protocol_can_be_stored():
    """Odd frames included: an event that came must never be what stops the journal (PROTOCOL 16.4)."""
    stored = 0
    for frame in FRAMES:
        if isinstance(frame["frame"], dict) and isinstance(frame["frame"].get("params"), dict):
            changes = Redactor([SECRET]).changes(EventReceived(subject="c", at=1.0, payload=frame["frame"]["params"]))
            assert encode(EventReceived(subject="c", at=1.0, **changes))
            stored += 1
    assert stored > 100


def test_a_hostile_depth_is_cut_off():
    """A frame nested a thousand times must cost its own depth only, not the journal (PROTOCOL 16.4)."""
    value: object = "bottom"
    for level in range(900):
        value = [value] if level % 2 else {"k": value}

    payload = redacted_event({"event_type": "x", "params": value})

    depth, at = 0, payload["params"]
    while at != TOO_DEEP:
        at = at[0] if isinstance(at, list) else at["k"]
        depth += 1
    assert depth == MAX_DEPTH
    assert encode(EventReceived(subject="c", at=1.0, payload=payload))


class Colour(StrEnum):
    RED = "red"


def test_texts_and_sequences_become_plain_ones():
    """So that what is loaded equals what was stored, whichever back-end stored it."""
    value = Redactor().value({"colour": Colour.RED, "pair": (1, 2)})

    assert value == {"colour": "red", "pair": [1, 2]}
    assert type(value["colour"]) is str


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        ({"a": {"b": [{1, 2}]}}, "set at a.b"),
        ({"a": {3: "x"}}, "a key that is not a text at a.3"),
        ({"when": object()}, "object at when"),
    ],
)
def test_what_is_not_plain_data_is_refused_and_named(payload: dict[str, object], where: str):
    """The text must lead to the value, which may be deep in an application's state."""
    with pytest.raises(JournalError, match=f"cannot store params: it holds {where}, which is not plain data"):
        Redactor().changes(CommandIntended(subject="c", at=1.0, request_id="r", method="m", params=payload))


def test_a_payload_that_is_no_mapping_is_refused():
    """The types say so; a caller without a type checker gets the same answer."""
    with pytest.raises(JournalError, match="payload: it must be a mapping, not list"):
        Redactor().changes(EventReceived(subject="c", at=1.0, payload=[]))
    with pytest.raises(JournalError, match="cannot store this value: it holds object"):
        Redactor().value(object())


@given(st.text("0123456789", min_size=12, max_size=18), st.sampled_from(["", " ", "-"]))
def test_the_check_digit_decides_whether_a_long_number_is_a_card(number: str, gap: str):
    """Of the ten numbers that differ in their last digit one is valid, and only that one is replaced."""
    total = 0
    for index, character in enumerate(reversed(number)):
        doubled = int(character) * (1 if index % 2 else 2)
        total += doubled - 9 if doubled > 9 else doubled
    valid = -total % 10

    for last in range(10):
        digits = gap.join(f"{number}{last}")
        assert Redactor().value({"digits": digits}) == {"digits": MASK if last == valid else digits}


@given(plain)
def test_what_has_nothing_to_replace_is_not_copied(value: object):
    """Nearly everything is so; copying each frame and command would cost more than writing it."""
    redactor = Redactor(["secret-of-eight"])

    once = redactor.value(value)

    assert redactor.value(once) is once


TOUCHY = st.sampled_from([SECRET, f"by {SECRET}", CARD, "https://a:b@c", "token", "digits", "text", "calling.call.pay"])


@given(
    st.sampled_from([EventReceived, CommandIntended, SubjectEnded]),
    st.recursive(
        plain | TOUCHY | st.just(object()) | st.builds(tuple),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TOUCHY | st.just("event_type"), inner, max_size=3),
        max_leaves=6,
    ),
)
def test_what_is_harmless_at_a_glance_is_left_alone_at_a_close_look(kind: type[Entry], value: object):
    """Whatever passes the quick look is written as it is: it knows all that the careful one does (SEMANTICS J10)."""
    name = {EventReceived: "payload", CommandIntended: "params"}.get(kind, "reason")
    fields = {name: value}
    redactor = Redactor([SECRET])

    if redactor.is_harmless(kind, fields):
        redactor.redact(kind, fields)
        assert fields[name] is value


def test_what_was_harmless_is_looked_at_again_when_a_secret_is_learnt():
    """The authorization state comes when the session is there, and may have been seen before it was known as such."""
    redactor = Redactor()
    value = {"a state": "is-it-a-secret", "key-is-it-a-secret": 1}
    assert redactor.value(value) is value
    assert redactor.value(value) is value

    redactor.learn("is-it-a-secret")

    assert redactor.value(value) == {"a state": MASK, f"key-{MASK}": 1}


def test_a_secret_far_inside_costs_no_more_than_its_depth():
    """A hostile frame must not be able to stop the journal: each level is looked at once."""
    value: object = {"token": "x", "same": "https://a:b@c"}
    for _ in range(90):
        value = {"inner": value, "beside": [1]}

    found = Redactor().value(value)

    for _ in range(90):
        assert isinstance(found, dict)
        found = found["inner"]
    assert found == {"token": MASK, "same": f"https://{MASK}@c"}


def test_more_keys_and_texts_than_are_remembered_are_all_looked_at():
    """What is remembered is bounded, and forgetting it changes nothing."""
    redactor = Redactor()
    for number in range(10_000):
        assert redactor.value({f"key-{number}": f"text-{number}", "token": "t"})["token"] == MASK
    assert len(redactor._harmless_keys) + len(redactor._harmless_texts) <= 8192


def test_keys_and_texts_of_other_classes_become_plain():
    """An enum is what it says, also when a plain text like it was seen before."""

    class Word(StrEnum):
        PLAY = "play"

    redactor = Redactor()
    assert redactor.value({"play": "play"}) == {"play": "play"}
    [(key, text)] = redactor.value({Word.PLAY: Word.PLAY}).items()
    assert (type(key), type(text), key, text) == (str, str, "play", "play")
