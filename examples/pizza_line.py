"""A pizza line: a menu, a kitchen that all callers share, and a pizza that takes ten minutes."""

from dataclasses import dataclass

from relay_actors import Actor, CallActor, RelayApp

app = RelayApp()

BAKING_S = 600.0


@dataclass(frozen=True)
class Take:
    """Asked of the kitchen: one pizza. The answer is whether there was one left."""


class Kitchen(Actor):
    """Knows how many pizzas are left today."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def on_receive(self, message: object) -> object:
        """Look and take are one message, so nobody comes in between."""
        match message:
            case Take() if self.left > 0:
                self.left -= 1
                return True
            case Take():
                return False
            case _:
                return super().on_receive(message)


app.service(Kitchen, 2, name="kitchen")


@app.calls("pizza")
class PizzaLine(CallActor):
    """One caller."""

    async def run(self) -> None:
        """Who presses nothing is asked once more. The call is hung up when this returns."""
        await self.answer()
        for _time in range(2):
            menu = self.prompt_tts("Press 1 for a pizza, 2 for our hours.", {"digits": {"max": 1}})
            match (await menu.wait()).digits:
                case "1":
                    return await self.order()
                case "2":
                    await self.play_tts("We bake from five to ten.").wait()
                    return None
        await self.play_tts("Call again when you are hungry.").wait()
        return None

    async def order(self) -> None:
        """Ten minutes on the line are worth it."""
        kitchen = self.app.lookup("kitchen")
        if kitchen is None or not await kitchen.ask(Take(), block=False):
            await self.play_tts("We are sold out.").wait()
            return
        await self.play_tts("It takes ten minutes. Please hold.").wait()
        await self.sleep(BAKING_S)
        await self.play_tts("Your pizza is ready.").wait()


if __name__ == "__main__":
    app.run()
