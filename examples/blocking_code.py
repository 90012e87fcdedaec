"""Code that blocks: a database, a file, a web service without an asynchronous client."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass

from relay_actors import CallActor, RelayApp, ServiceActor
from relay_actors.params import phone

app = RelayApp()

DATABASE = "orders.db"
NUMBER = "+15550100100"


def look_up(order: str) -> str:
    """Return how far an order is. It blocks, and knows nothing of calls."""
    with closing(sqlite3.connect(DATABASE)) as connection:
        row = connection.execute("SELECT state FROM orders WHERE number = ?", (order,)).fetchone()
    return str(row[0]) if row else "unknown"


def whose(order: str) -> str:
    """Return the telephone number of whoever has ordered it; blocks as well."""
    with closing(sqlite3.connect(DATABASE)) as connection:
        row = connection.execute("SELECT customer FROM orders WHERE number = ?", (order,)).fetchone()
    return str(row[0])


@app.calls("orders")
class Orders(CallActor):
    """Has the database asked on the blocking pool, while the caller hears music."""

    async def run(self) -> None:
        """The flow waits for the result; the call's events are handled meanwhile."""
        await self.answer()
        menu = self.prompt_tts("Press your order number, then pound.", {"digits": {"max": 8, "terminators": "#"}})
        order = (await menu.wait()).digits
        music = self.play_audio("https://example.com/music.mp3")
        state = await self.blocking(look_up, order)
        await music.stop()
        await self.play_tts(f"Your order is {state}.").wait()


@app.calls("slow-orders")
class SlowOrders(CallActor):
    """Asks the database itself. It has a thread of its own, so that it may."""

    dispatcher = "pinned"

    async def run(self) -> None:
        """While `look_up` runs, this call handles nothing; all others go on."""
        await self.answer()
        menu = self.prompt_tts("Press your order number, then pound.", {"digits": {"max": 8, "terminators": "#"}})
        state = look_up((await menu.wait()).digits)
        await self.play_tts(f"Your order is {state}.").wait()


@app.calls("plain-orders")
class PlainOrders(CallActor):
    """The whole call in blocking Python, on a thread of its own."""

    def run(self) -> None:
        """Where the others await, it says ``get()``; the call's events are handled meanwhile."""
        self.answer().get()
        menu = self.prompt_tts("Press your order number, then pound.", {"digits": {"max": 8, "terminators": "#"}})
        order = menu.wait(timeout=30).get().digits
        state = look_up(order)
        self.play_tts(f"Your order is {state}.").wait().get()


@dataclass(frozen=True)
class HasCome:
    """Told to the service by the warehouse."""

    order: str


class GoodNews(CallActor):
    """The call to one customer."""

    async def run(self) -> None:
        """Begins when somebody has answered."""
        await self.play_tts(f"Your order {self.data['order']} has come.").wait()


class Notifier(ServiceActor):
    """A service: has the database asked whose an order is, and rings that customer up."""

    async def on_receive(self, message: object) -> None:
        """The next order is taken when this one's customer is known. A database that fails has this one begun anew."""
        match message:
            case HasCome(order=order):
                customer = await self.blocking(whose, order)
                self.app.dial(GoodNews, phone(to=customer, from_=NUMBER, timeout=30), order=order)
            case _:
                super().on_receive(message)


app.service(Notifier, name="notifier")
