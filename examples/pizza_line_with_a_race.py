"""The pizza line with a mistake, which is found by trying many orders of what happens at the same moment."""

from dataclasses import dataclass

from relay_actors import Actor, CallActor, RelayApp

app = RelayApp()


@dataclass(frozen=True)
class HowMany:
    """Asked of the kitchen: how many pizzas are left."""


@dataclass(frozen=True)
class TakeOne:
    """Told to the kitchen."""


class Kitchen(Actor):
    """Knows how many pizzas are left today."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def on_receive(self, message: object) -> object:
        """Look and take are two messages: between them there is room for those of other callers."""
        match message:
            case HowMany():
                return self.left
            case TakeOne():
                self.left -= 1
                return None
            case _:
                return super().on_receive(message)


app.service(Kitchen, 2, name="kitchen")


@app.calls("pizza")
class PizzaLine(CallActor):
    """One caller."""

    async def run(self) -> None:
        """There is no menu here but the one key."""
        await self.answer()
        menu = self.prompt_tts("Press 1 for a pizza.", {"digits": {"max": 1}})
        if (await menu.wait()).digits == "1":
            await self.order()

    async def order(self) -> None:
        """What was answered may not be true any more when something is done because of it."""
        kitchen = self.app.lookup("kitchen")
        if kitchen is None or not await kitchen.ask(HowMany(), block=False):
            await self.play_tts("We are sold out.").wait()
            return
        kitchen.tell(TakeOne())
        await self.play_tts("It takes ten minutes. Please hold.").wait()
        await self.sleep(600)
        await self.play_tts("Your pizza is ready.").wait()


if __name__ == "__main__":
    app.run()
