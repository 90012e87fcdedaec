"""An office on the telephone: one question, three answers."""

from relay_actors import CallActor, RelayApp

app = RelayApp()


@app.calls("office")
class Office(CallActor):
    """One caller. Every call to the context ``office`` gets an actor of its own."""

    async def run(self) -> None:
        """Ask what it is about. Leaving ``run`` hangs up, unless the call was handed on."""
        await self.answer()
        menu = self.prompt_tts("Press 1 for sales, or 2 for our opening hours.", {"digits": {"max": 1}})
        pressed = await menu.wait()
        match pressed.digits:
            case "1":
                await self.transfer("context:sales")
            case "2":
                await self.play_tts("We are open from nine to five.").wait()
            case _:
                await self.play_tts("Sorry, I did not get that. Goodbye.").wait()
