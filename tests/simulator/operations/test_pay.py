"""A payment by phone: questions, keys, and how it comes out. Source: PROTOCOL 11.10, 13.6."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.stage import Inbound, Peer, Stage

CARD, AMEX = "4111111111111111", "378282246310005"
CONNECTOR = "https://pay.example.com/connector"
ONLY_CARD = {"security_code": "false", "postal_code": "false"}


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def pay(call: Inbound, **params: Any) -> dict[str, Any]:
    return call.do("calling.pay", control_id="c1", payment_connector_url=CONNECTOR, **params)


def told(call: Inbound, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(event.get(key) for key in keys) for event in call.peer.events("calling.call.pay")]


def last(call: Inbound) -> dict[str, Any]:
    return call.peer.events("calling.call.pay")[-1]


def test_a_payment_goes_through_card_expiry_code_and_postal_code(stage: Stage, call: Inbound):
    assert pay(call) == {
        "code": "200",
        "message": "Payment started",
        "call_id": call.call_id,
        "control_id": "c1",
    }
    call.line.hears("card number").presses(CARD)
    call.line.hears("card expires").presses("1230")
    call.line.hears("security code").presses("123")
    call.line.hears("postal code").presses("90210#")
    call.line.hears("being processed").hears("Thank you")
    stage.run(5)

    asked = ["payment-card-number", "expiration-date", "security-code", "postal-code", "payment-processing"]
    assert told(call, "for", "attempt", "error_type") == [
        *((step, 1, "") for step in asked),
        ("payment-completed", None, None),
    ]
    assert last(call) == {
        "control_id": "c1",
        "for": "payment-completed",
        "result": "success",
        "payment_method": "credit-card",
        "payment_token": "tok_c1",
        "payment_confirmation_code": "",
        "payment_card_number": "************1111",
        "payment_card_type": "visa",
        "payment_card_postal_code": "90210",
        "payment_card_security_code": "***",
        "payment_card_expiration_date": "1230",
        "payment_error": "",
        "payment_error_code": "",
        "call_id": call.call_id,
        "node_id": call.node_id,
    }


def test_everything_can_be_pressed_in_one_go(stage: Stage, call: Inbound):
    """Who interrupts a prompt is not asked again; a pound key after a field that was full ends nothing."""
    pay(call)
    call.line.presses(f"{CARD}#1230#123#90210#")
    stage.run(20)
    assert last(call)["result"] == "success"


def test_no_key_is_ever_seen_on_the_wire(stage: Stage, call: Inbound):
    pay(call, status_url="https://hooks.example.com/pay")
    call.line.presses(f"{CARD}1230987").presses("90210#")
    stage.run(20)

    assert CARD not in str(call.peer.frames) + str(stage.sim.webhooks)
    shown = [event.get("security_code") or event.get("payment_card_security_code") for event in call.peer.events("")]
    assert "987" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    ("keys", "error_type"),
    [
        ("", "timeout"),
        ("4111111111111112", "invalid-card-number"),
        ("41111", "invalid-card-number"),
        (AMEX, "invalid-card-type"),
    ],
)
def test_what_is_wrong_is_said_and_asked_again(stage: Stage, call: Inbound, keys: str, error_type: str):
    """The time-out runs anew at each key, and from the end of the prompt."""
    pay(call, max_attempts="2", valid_card_types="visa mastercard", **ONLY_CARD)
    call.line.presses(keys)
    stage.run(20)
    assert told(call, "for", "attempt", "error_type")[:2] == [
        ("payment-card-number", 1, ""),
        ("payment-card-number", 2, error_type),
    ]


def test_an_attempt_too_many_fails(stage: Stage, call: Inbound):
    pay(call, max_attempts="2", **ONLY_CARD)
    call.line.presses(CARD)
    call.line.presses("1225").presses("1325")
    call.line.hears("failed")
    stage.run(10)

    assert told(call, "for", "attempt", "error_type", "result")[1:] == [
        ("expiration-date", 1, "", None),
        ("expiration-date", 2, "invalid-date", None),
        ("payment-failed", 2, "invalid-date", "too-many-failed-attempts"),
    ]
    assert stage.sim.webhooks == ()


def test_each_field_has_its_own_attempts(stage: Stage, call: Inbound):
    pay(call, max_attempts="2", **ONLY_CARD)
    call.line.presses("4111111111111112").presses(CARD).presses("1225").presses("1230")
    stage.run(20)
    assert last(call)["result"] == "success"


def test_the_time_out_is_that_of_the_command(stage: Stage, call: Inbound):
    pay(call, timeout="20", **ONLY_CARD)
    prompt_s = call.line.heard[-1].length_s
    stage.run(prompt_s + 19)
    assert len(told(call, "for")) == 1
    stage.run(10)
    assert last(call)["error_type"] == "timeout"


def test_a_key_stops_the_prompt_and_counts(stage: Stage, call: Inbound):
    pay(call, timeout="3", **ONLY_CARD)
    call.line.presses("4")
    stage.run(2.9)
    call.line.presses(CARD[1:])
    assert told(call, "for")[-1] == ("expiration-date",)


def test_a_code_can_have_four_digits(stage: Stage, call: Inbound):
    pay(call, postal_code="false")
    call.line.presses(AMEX).presses("1230").presses("1234")
    stage.run(20)
    assert (last(call)["result"], last(call)["payment_card_type"]) == ("success", "amex")


def test_the_commands_own_prompts_are_heard_in_its_voice(call: Inbound):
    prompts = [
        {"for": "payment-card-number", "actions": [{"type": "Say", "phrase": "Numéro de carte ?"}]},
        {
            "for": "payment-card-number",
            "attempt": "2",
            "error_type": "invalid-card-number",
            "actions": [{"type": "Play", "phrase": "https://a/again.wav"}],
        },
    ]
    pay(call, prompts=prompts, language="fr-FR", voice="man", max_attempts="2")
    call.line.hears("Numéro").presses("4111111111111112").hears("again.wav")
    assert (call.line.heard[0].language, call.line.heard[0].voice) == ("fr-FR", "man")


def test_a_field_may_have_to_be_entered_twice_in_the_same_way(stage: Stage, call: Inbound):
    prompts = [
        {
            "for": "payment-card-number",
            "require_matching_inputs": "true",
            "actions": [{"type": "Say", "phrase": "The same again."}],
        }
    ]
    pay(call, prompts=prompts, max_attempts="2", **ONLY_CARD)
    call.line.presses(CARD).hears("The same again.").presses("5555555555554444")
    assert told(call, "for", "attempt", "error_type")[-1] == ("payment-card-number", 2, "input-matching-failed")
    call.line.presses(CARD).presses(CARD).presses("1230")
    stage.run(20)
    assert last(call)["result"] == "success"


def test_a_charge_tells_the_connector_the_order_and_has_a_confirmation(stage: Stage, call: Inbound):
    pay(call, charge_amount="25.99", currency="eur", description="Order A-17", token_type="one-time", **ONLY_CARD)
    call.line.presses(f"{CARD}1230").hears("25.99 eur")
    stage.run(20)

    (order,) = stage.sim.webhooks
    assert order.url == CONNECTOR
    assert order.body["chargeAmount"] == "25.99"
    assert (order.body["description"], order.body["token_type"]) == ("Order A-17", "one-time")
    assert (last(call)["payment_confirmation_code"], last(call)["payment_token"]) == ("ch_c1", "")


def test_the_connector_can_refuse(stage: Stage, call: Inbound):
    stage.sim.next_payment(ends="payment-connector-error", code="card_declined", message="Insufficient funds")
    pay(call, **ONLY_CARD)
    call.line.presses(f"{CARD}1230").hears("failed")
    stage.run(10)

    assert (last(call)["for"], last(call)["result"]) == ("payment-failed", "payment-connector-error")
    assert last(call)["connector_error"] == {"code": "card_declined", "message": "Insufficient funds"}
    assert last(call)["payment_error"] == "Insufficient funds"


def test_a_bank_account_can_pay(stage: Stage, call: Inbound):
    pay(call, payment_method="ach-debit", bank_account_type="consumer-checking")
    call.line.hears("routing").presses("021000021").hears("bank account").presses("123456789#")
    stage.run(20)

    assert told(call, "for")[:2] == [("bank-routing-number",), ("bank-account-number",)]
    assert last(call)["result"] == "success"
    assert last(call)["bank_account_number"] == "*****6789"
    assert last(call)["bank_account_type"] == "consumer-checking"


def test_the_star_key_cancels(stage: Stage, call: Inbound):
    pay(call)
    call.line.presses(f"{CARD}12*30")
    call.line.hears("canceled")
    stage.run(5)
    assert (last(call)["for"], last(call)["result"]) == ("payment-canceled", "caller-interrupted-with-star")
    assert len(told(call, "for")) == 3


@pytest.mark.parametrize("keys", ["", CARD, f"{CARD}1230"])
@pytest.mark.parametrize(("how", "result"), [("stop", "relay-pay-stop"), ("hang up", "caller-hung-up")])
def test_a_payment_that_is_broken_off_says_by_whom_and_is_not_made(
    stage: Stage, call: Inbound, keys: str, how: str, result: str
):
    pay(call, **ONLY_CARD)
    call.line.presses(keys)
    if how == "stop":
        call.do("calling.pay.stop", control_id="c1")
    else:
        call.line.hangs_up()
    stage.run(30)

    assert (last(call)["for"], last(call)["result"]) == ("payment-canceled", result)
    assert [event[0] for event in told(call, "result")].count(result) == 1
    assert stage.sim.webhooks == ()


@pytest.mark.parametrize("how", ["stop", "hang up"])
def test_a_payment_that_is_made_stays_made_whoever_breaks_off_then(stage: Stage, call: Inbound, how: str):
    pay(call, **ONLY_CARD)
    call.line.presses(f"{CARD}1230").hears("Thank you")
    assert told(call, "result")[-1] == (None,)
    if how == "stop":
        call.do("calling.pay.stop", control_id="c1")
    else:
        call.line.hangs_up()

    assert told(call, "result")[-1] == ("success",)


def test_settings_without_sense_fail_at_once(call: Inbound):
    pay(call, timeout="soon")
    assert (last(call)["for"], last(call)["result"]) == ("payment-failed", "validation-error")
    assert "timeout" in last(call)["payment_error"]
    assert call.line.heard == ()


def test_one_payment_at_a_time(stage: Stage, call: Inbound):
    pay(call)
    assert call.code("calling.pay", control_id="c2", payment_connector_url=CONNECTOR) == "409"
    call.do("calling.pay.stop", control_id="c1")
    assert call.code("calling.pay", control_id="c2", payment_connector_url=CONNECTOR) == "200"


def test_every_event_is_told_by_http_too(stage: Stage, call: Inbound):
    pay(call, status_url="https://hooks.example.com/pay", **ONLY_CARD)
    call.line.presses("*")
    stage.run(5)

    bodies = [hook.body for hook in stage.sim.webhooks if hook.url == "https://hooks.example.com/pay"]
    assert [body["params"] for body in bodies] == call.peer.events("calling.call.pay")
    assert call.peer.states("calling.call.pay", "for") == ["payment-card-number", "payment-canceled"]


def test_keys_are_asked_for_while_a_question_is_open_only(stage: Stage, call: Inbound):
    pay(call, **ONLY_CARD)
    call.line.is_asked().presses(f"{CARD}1230").presses("7")
    assert call.line.timeline[-1].what == "pressed 7 (nobody listened)"


def test_a_key_that_no_field_knows_changes_nothing(stage: Stage, call: Inbound):
    """Telephones may have a fourth column; the payment still ends when nothing else is pressed."""
    pay(call)
    call.line.hears("card number").presses("A")
    assert call.line.timeline[-1].what == "pressed A (nobody listened)"
    stage.run(60)

    assert last(call)["result"] == "too-many-failed-attempts"


@given(keys=st.text("0123456789*#ABCD", max_size=40), attempts=st.integers(1, 3))
def test_whatever_is_pressed_there_is_one_result(keys: str, attempts: int):
    """And it is the last event, so that whoever waits for the payment neither hangs nor misses anything."""
    stage = Stage()
    call = stage.inbound(stage.client("support"))
    pay(call, max_attempts=str(attempts))
    call.line.presses(keys)
    stage.run(300)

    results = [result for (result,) in told(call, "result")]
    assert results[-1] is not None
    assert results[:-1] == [None] * (len(results) - 1)
