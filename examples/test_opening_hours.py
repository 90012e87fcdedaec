"""Tests of `opening_hours`, by the owner and the customers."""

from opening_hours import OWNER, app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator


def test_customers_get_through_while_the_line_is_open(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator
) -> None:
    """A call that came too early still rings, and is answered when the line opens."""
    relay_app(app)
    early = phone("+15550001111").dials(context="shop")
    owner = phone(OWNER).texts("Open", context="owner")
    owner.receives_text("is open")
    early.hears("come and see us").is_hung_up()

    owner.texts("close", context="owner").receives_text("is closed")
    assert relay_sim.contexts == ("owner",)
    late = phone("+15550002222").dials(context="shop")
    assert late.hangs_up().end_reason == "abandoned"


def test_nobody_else_opens_the_shop(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """Anybody may write to a number."""
    relay_app(app)
    phone("+15550003333").texts("open", context="owner").receives_text("for the owner")
    assert relay_sim.contexts == ("owner",)
