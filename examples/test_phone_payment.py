"""Tests of `phone_payment`, by customers with cards."""

from phone_payment import CONNECTOR, app

from relay_actors.testing import AppRunner, Line, PhoneMaker, Simulator

CUSTOMER, CARD = "+15550001111", "4111111111111111"


def owes(phone: PhoneMaker) -> Line:
    """A customer who has been asked for a card."""
    return phone(CUSTOMER).dials(context="billing").hears("bill").presses("4711").hears("card number")


def test_a_bill_is_paid_by_card(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """The connector gets the amount, and the customer a receipt."""
    relay_app(app)
    customer = owes(phone).presses(f"{CARD}#")
    customer.hears("expires").presses("1230")
    customer.hears("security code").presses("123")
    assert "25.99" in phone(CUSTOMER).receives_text("you have paid").body
    customer.is_hung_up()
    [charged] = relay_sim.webhooks
    assert (charged.url, charged.body["chargeAmount"]) == (CONNECTOR, "25.99")


def test_a_card_that_is_declined_leaves_the_bill_open(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator
) -> None:
    """What is mistyped is asked for once more, in words of our own; and the customer hears why nothing was paid."""
    relay_app(app)
    relay_sim.next_payment(ends="payment-connector-error")
    customer = owes(phone).presses("4111111111111112#")
    customer.hears("look at your card again").presses(f"{CARD}#1230123")
    customer.hears("declined").is_hung_up()
    assert phone(CUSTOMER).inbox == ()


def test_there_is_nothing_to_pay_without_a_bill(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """Nobody is asked for a card then."""
    relay_app(app)
    phone(CUSTOMER).dials(context="billing").hears("bill").presses("9999").hears("no such bill").is_hung_up()
    assert relay_sim.webhooks == ()
