"""One small service crashes, first alone and then under a supervisor; and what one sees of it. The tutorial runs it."""

import logging
import sys
from typing import Any, ClassVar

from relay_actors import Actor, ActorRef, Child, Down, Supervisor
from relay_actors.errors import ActorDead

PATIENCE_S = 10.0


# [till]
PRICES = {"tea": 5, "cake": 7}


class Till(Actor):
    """Adds up what was sold, and has a bug: it does not expect what it does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def on_receive(self, article: str) -> int:
        """Add the price, and say what there is."""
        self.total += PRICES[article]
        return self.total


# [/till]
# [shop]
class Shop(Supervisor):
    """Has a till, and begins it anew when it crashes: three times in ten seconds, and no more."""

    max_restarts = 3
    within_s = 10.0


# [/shop]
# [owner]
class Owner(Actor):
    """Wants to know when the shop has closed."""

    heard: ClassVar[list[str]] = []

    def __init__(self, shop: ActorRef[Any]) -> None:
        super().__init__()
        self.shop = shop

    def on_start(self) -> None:
        """Watch it."""
        self.watch(self.shop)

    def on_receive(self, message: Any) -> Any:
        """Hear of its end."""
        match message:
            case Down(reason=reason):
                self.heard.append(str(reason))
                return None
            case _:
                return self.heard


# [/owner]
def alone() -> None:
    """Nobody is responsible for the till."""
    print("a till that nobody supervises")
    till = Till.start()
    print("  in the till:", till.ask("tea"))
    till.tell("sausage")
    till.actor_stopped.wait(PATIENCE_S)
    try:
        till.ask("tea")
    except ActorDead:
        print("  and then it is dead")


def supervised() -> None:
    """Somebody is."""
    print("a till in a shop")
    shop = Shop.start([Child(id="till", actor_class=Till)], wait=PATIENCE_S)
    owner = Owner.start(shop, wait=PATIENCE_S)
    till = shop.child("till")
    assert till is not None
    print("  in the till:", till.ask("tea"))
    till.tell("sausage")
    print("  in the till:", till.ask("cake"), "- the same ref, incarnation", till.incarnation)
    [record] = shop.restart_history()
    print("  why:", record.reason)
    print("and when it crashes again and again")
    for _ in range(2):
        till.tell("sausage")
        till.ask("tea")
    till.tell("sausage")
    shop.actor_stopped.wait(PATIENCE_S)
    print("  the owner heard:", *owner.ask("what have you heard?"))
    owner.stop()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, format="  log: %(message).105s")
    logging.getLogger("relay_actors.runtime").setLevel(logging.CRITICAL)  # the tracebacks: see them for yourself
    alone()
    supervised()
