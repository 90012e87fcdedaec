"""Three services of a shop of which each needs the one before, what goes wrong with them, and what one sees of it."""

import logging
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from relay_actors import (
    Actor,
    Backoff,
    Child,
    ChildSpec,
    Directive,
    DynamicSupervisor,
    PartitionedSupervisor,
    Restart,
    Supervisor,
    SupervisorRef,
)

PATIENCE_S = 10.0


class Service(Actor):
    """Says when it comes and goes, and crashes when it is told to."""

    def on_start(self) -> None:
        """Open what it needs."""
        print(f"  {type(self).__name__} starts")

    def on_stop(self) -> None:
        """Close what it has opened."""
        print(f"  {type(self).__name__} stops: {self.exit_reason.kind}")

    def on_receive(self, message: Any) -> Any:
        """Crash, or answer."""
        if isinstance(message, Exception):
            raise message
        return message


class Stock(Service):
    """Knows what there is."""


class Orders(Service):
    """Needs the stock."""


class Mail(Service):
    """Sends what was ordered; nobody needs it, and it may wait a little when it has failed."""


class Shop(Supervisor):
    """What comes after a service that has failed is restarted with it."""

    strategy = "rest_for_one"
    max_restarts = 3
    within_s = 10.0
    directives: ClassVar[Mapping[type[BaseException], Directive]] = {
        LookupError: Directive.RESUME,  # an unknown article: the next customer, please
        OSError: Directive.ESCALATE,  # the disk: nothing here can go on without it
    }


class Company(Supervisor):
    """Begins the shop anew when that has given up, or has failed by escalation."""


SHOP = Child(
    id="shop",
    actor_class=Shop,
    args=(
        [
            Child(id="stock", actor_class=Stock),
            Child(id="orders", actor_class=Orders),
            Child(
                id="mail",
                actor_class=Mail,
                spec=ChildSpec(restart=Restart.TRANSIENT, backoff=Backoff(min_s=0.1, max_s=30.0)),
            ),
        ],
    ),
)


class Visit(Actor):
    """One customer: temporary, like most things that come and go."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def on_receive(self, message: Any) -> str:
        """Answer."""
        return f"{self.name} looks at {message}"


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what others do."""
    pause = threading.Event()
    while not is_so():
        pause.wait(0.01)


def main() -> None:
    """Let it happen."""
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="  log: %(message).100s")
    print("a tree is started, in order")
    company = Company.start([SHOP], wait=PATIENCE_S)
    shop = company.child("shop")
    assert isinstance(shop, SupervisorRef)
    stock, orders = shop.child("stock"), shop.child("orders")
    assert stock is not None
    assert orders is not None

    print("an unknown article: the stock goes on")
    stock.tell(KeyError("sausage"))
    print(f"  {stock.ask('tea', timeout=PATIENCE_S)} is there, incarnation {stock.incarnation}")

    print("a bug: what needs the orders is restarted with them, and what was sent meanwhile is kept")
    orders.tell(ValueError("minus one apples"))
    print(f"  {orders.ask('an order', timeout=PATIENCE_S)} is handled, incarnation {orders.incarnation}")
    until(lambda: shop.count_children().running == 3)

    print("the disk: the shop fails with it, and is begun anew by the company")
    stock.tell(OSError("disk full"))
    until(lambda: bool(company.restart_history()) and shop.count_children().running == 3)
    for record in company.restart_history():
        print(f"  {record.child_id}: {record.reason}, attempt {record.attempt} of {record.max_restarts}")

    print("those who come and go have a supervisor of their own, or several")
    visits = DynamicSupervisor.start()
    partitions = PartitionedSupervisor.start(4, wait=PATIENCE_S)
    for visit in (visits.start_child(Visit, "Ann"), partitions.start_child("Bob", Visit, "Bob")):
        print(f"  {visit.ask('the tea', timeout=PATIENCE_S)}")

    print("all is stopped, last first")
    for ref in (partitions, visits, company):
        ref.stop(timeout=PATIENCE_S)


if __name__ == "__main__":
    main()
