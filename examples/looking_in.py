"""What one can see of an application while it runs: who hangs, who was restarted and why, and its numbers."""

from relay_actors import Actor, ActorNode, CallActor, CallHandle, RelayApp

app = RelayApp(metrics=True)  # measures turns, too; counters are always there

SHELVES = {"1": "bread", "2": "tea"}


class Stock(Actor):
    """Knows what is sold out. Its label says how much it knows, wherever actors are listed."""

    def __init__(self) -> None:
        super().__init__()
        self.sold_out: set[str] = set()

    def label(self) -> str:
        """Quick, and reads only: any thread may ask, also in the middle of a turn."""
        return f"{len(self.sold_out)} sold out"

    def on_receive(self, message: object) -> object:
        """Note what is sold out."""
        self.sold_out.add(str(message))
        self.log.info("sold out: %s", message)
        return len(self.sold_out)


app.service(Stock, name="stock")


@app.calls("orders")
class Order(CallActor):
    """Takes an order, and crashes on a shelf that there is not: one can see that afterwards."""

    async def run(self) -> None:
        """Count what the business wants to know: it becomes ``relay_actors_orders_asked_total``."""
        await self.answer()
        self.system.hooks.count("orders.asked")
        menu = await self.prompt_tts("Which shelf, please?", {"digits": {"max": 1}, "initial_timeout": 30})
        await self.play_tts(f"You get {SHELVES[(await menu.wait()).digits]}.").wait()


def in_trouble() -> list[ActorNode]:
    """Return whoever was restarted, hangs, or lets others wait: for an alarm, or a page of one's own."""
    return [
        node
        for node in app.tree().walk()
        if node.stats.restarts or (node.stats.turn_s or 0.0) > 1.0 or (node.stats.oldest_s or 0.0) > 1.0
    ]


def why_restarted(call: CallHandle) -> list[str]:
    """Return the reasons for which a call's actor was restarted, oldest first."""
    return [note.reason for note in app.tree(call).restarts]


def follow(call: CallHandle, digit: str) -> list[str]:
    """Return what a call's actor does while somebody else speaks to it; the same is logged as it happens."""
    trace = app.trace(call)
    call.send_digits(digit).get(timeout=5)
    app.trace(call, on=False)
    return [str(record) for record in trace.records]


if __name__ == "__main__":
    app.run()
