"""Tests of `blocking_code`, with a database that is slow, and one that is missing."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import blocking_code
import pytest
from blocking_code import HasCome, app

from relay_actors.testing import AppRunner, PhoneMaker


@pytest.fixture
def _orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking_code, "DATABASE", str(tmp_path / "orders.db"))
    with closing(sqlite3.connect(blocking_code.DATABASE)) as connection, connection:
        connection.execute("CREATE TABLE orders (number TEXT, state TEXT, customer TEXT)")
        connection.execute("INSERT INTO orders VALUES ('17', 'on its way', '+15550001111')")


@pytest.mark.usefixtures("_orders")
@pytest.mark.parametrize("context", ["orders", "slow-orders", "plain-orders"])
def test_the_order_is_found(relay_app: AppRunner, phone: PhoneMaker, context: str) -> None:
    """On the blocking pool as on a thread of its own."""
    relay_app(app)
    caller = phone("+15550001111").dials(context=context)
    caller.hears("order number").presses("17#")
    caller.hears("on its way").is_hung_up()


@pytest.mark.relay(real=True)  # what blocks does so for everybody where there is one thread
@pytest.mark.parametrize("context", ["orders", "slow-orders", "plain-orders"])
def test_a_slow_database_holds_up_nobody_else(
    relay_app: AppRunner, phone: PhoneMaker, monkeypatch: pytest.MonkeyPatch, context: str
) -> None:
    """One caller waits for it; the next one is asked for the number meanwhile."""
    is_asked, may_answer = threading.Event(), threading.Event()

    def look_up_slowly(order: str) -> str:
        is_asked.set()
        may_answer.wait(timeout=10)
        return f"number {order}"

    monkeypatch.setattr(blocking_code, "look_up", look_up_slowly)
    relay_app(app)
    waiting = phone("+15550001111").dials(context=context)
    waiting.hears("order number").presses("17#")
    assert is_asked.wait(timeout=5)

    phone("+15550002222").dials(context=context).hears("order number").hangs_up()

    may_answer.set()
    waiting.hears("number 17").is_hung_up()


@pytest.mark.usefixtures("_orders")
@pytest.mark.parametrize("is_known", [True, False])
def test_whoever_has_ordered_it_is_rung_up(relay_app: AppRunner, phone: PhoneMaker, is_known: bool) -> None:
    """Also after an order that nobody knows, on which the service fails: it is there again a moment later."""
    relay_app(app)
    customer = phone("+15550001111").answers_after(2)
    notifier = app.lookup("notifier")
    assert notifier is not None
    if not is_known:
        notifier.tell(HasCome("18"))

    notifier.tell(HasCome("17"))

    customer.rings().hears("order 17 has come").is_hung_up()
    assert notifier.incarnation == (0 if is_known else 1)
