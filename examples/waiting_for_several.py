"""Waits for several things at once: for all of them, for the first, and for asyncio code."""

import asyncio

from relay_actors import CallActor, Raced, RelayApp
from relay_actors.events import CallReceiveEvent, CollectEvent

app = RelayApp()

PATIENCE_S = 5.0
ONE_DIGIT = {"digits": {"max": 1}, "initial_timeout": 30}


def stock(title: str) -> int:
    """Return how many there are. Imagine a database that blocks."""
    return len(title)


async def price(title: str) -> int:
    """Return what one costs. Imagine a web service, and a client of it that is written for asyncio."""
    await asyncio.sleep(0.1)
    return 10 * len(title)


@app.calls("books")
class Books(CallActor):
    """Tells stock and price of a book."""

    async def run(self) -> None:
        """The caller is asked once more when nothing has been pressed; both questions are on their way at once."""
        await self.answer()
        menu = await self.prompt_tts("Which book? 1 is Emma, 2 is Persuasion.", ONE_DIGIT)
        match await self.race(menu.wait(), self.sleep(PATIENCE_S)):
            case Raced(0, event):
                digits = event.digits
            case _:
                await self.play_tts("Are you still there?")
                digits = (await menu.wait()).digits
        title = "Emma" if digits == "1" else "Persuasion"
        number, cents = await self.gather(self.blocking(stock, title), self.aio(price(title)), timeout=10)
        await self.play_tts(f"{title}: {number} copies, {cents} cents.").wait()


@app.calls("ratings")
class Ratings(CallActor):
    """A call in message style, with a handler that waits."""

    async def on_receive(self, message: object) -> None:
        """What happens while it waits is handled after it, one message at a time."""
        match message:
            case CallReceiveEvent():
                await self.answer()
                self.prompt_tts("From 1 to 5, how was it?", ONE_DIGIT)
            case CollectEvent(digits=digits) if digits:
                cents = await self.aio(price("Emma"))
                thanks = await self.play_tts(f"You said {digits}, and get {cents} cents.")
                await thanks.wait()
                await self.hangup()
            case _:
                super().on_receive(message)
