"""Tests of `looking_in`: a caller presses what is on no shelf, and somebody looks on."""

from looking_in import app, follow, in_trouble, why_restarted

from relay_actors.testing import AppRunner, PhoneMaker


def test_a_crash_can_be_seen_afterwards(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Who, how often, and why."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="orders")
    caller.hears("which shelf").presses("9")
    caller.hears("which shelf")
    [order] = in_trouble()
    assert (order.actor_class, order.label, order.stats.restarts) == ("Order", caller.call_id, 1)
    call = app.call(caller.call_id)
    assert call is not None
    assert why_restarted(call) == ["error KeyError: '9'"]
    seen = str(app.tree())  # in between it may say that a turn is under way
    assert f"{order.name} {caller.call_id} running " in seen
    assert " [restarted 1x, last: error KeyError: '9']" in seen


def test_numbers_of_ones_own_stand_beside_the_others(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Prometheus reads them by the same way."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="orders")
    caller.hears("which shelf")
    numbers = app.metrics()
    assert (numbers["orders.asked"], numbers["calls.up"]) == (1, 1)
    assert numbers["turn.seconds"]["Order"]["count"] > 0
    assert "relay_actors_orders_asked_total 1\n" in app.prometheus()
    caller.presses("2").hears("you get tea").is_hung_up()


def test_a_service_says_by_itself_what_it_knows(relay_app: AppRunner) -> None:
    """Its label is in the tree, and changes with it."""
    relay_app(app)
    stock = app.lookup("stock")
    assert stock is not None
    assert app.tree(stock).label == "0 sold out"
    assert stock.ask("tea", timeout=5) == 1
    assert app.tree("Stock").label == "1 sold out"
    assert stock.stats().waiting == 0


def test_one_call_can_be_followed(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """What it is told, what it handles, and what it sends; types only, never what was said."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="orders")
    caller.hears("which shelf")
    call = app.call(caller.call_id)
    assert call is not None
    steps = follow(call, "5")
    assert any("sent Outgoing calling.send_digits to ConnectionActor" in step for step in steps)
