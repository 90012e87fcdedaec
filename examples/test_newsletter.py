"""Tests of `newsletter`, by its readers."""

from newsletter import EDITOR, app, publish

from relay_actors.testing import AppRunner, PhoneMaker, Simulator

ADA, BEN, CAT = "+15550001111", "+15550002222", "+15550003333"


def test_readers_get_the_issue_until_they_leave(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """With its picture."""
    relay_app(app)
    for reader in (ADA, BEN):
        phone(reader).texts("Join", context="newsletter").receives_text("on board")
    phone(BEN).texts("STOP", context="newsletter").receives_text("not hear from us")

    publish("A seal in the harbour!", "https://example.com/seal.jpg")

    assert phone(ADA).receives_text("a seal").media == ("https://example.com/seal.jpg",)
    assert phone(EDITOR).receives_text().body == "1 texts have arrived."
    assert [text.body for text in phone(BEN).inbox] == ["Welcome on board.", "You will not hear from us again."]


def test_a_number_that_takes_no_texts_is_struck_off(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator
) -> None:
    """So that it is paid for once."""
    relay_app(app)
    for reader in (ADA, CAT):
        phone(reader).texts("join", context="newsletter").receives_text("on board")
    phone(CAT).refuses_texts()
    for number in (1, 2):
        publish(f"Issue {number}")
        phone(EDITOR).receives_text("1 texts")

    sent = [(frame.params["to_number"], frame.params["body"]) for frame in relay_sim.frames.received("messaging.send")]
    assert (CAT, "Issue 1") in sent
    assert (CAT, "Issue 2") not in sent


def test_other_words_are_explained(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """People write whole sentences."""
    relay_app(app)
    phone(ADA).texts("Please stop this", context="newsletter").receives_text("stop to leave")
