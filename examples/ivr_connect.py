"""A menu on the telephone: two announcements, and somebody real behind the zero."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import ConnectEvent
from relay_actors.params import digits, phone, tts

app = RelayApp()

AGENT = "+15550100200"
CHOICE = digits(max=1, digit_timeout=5.0) | {"initial_timeout": 10.0}


@app.calls("default")
class Menu(CallActor):
    """One caller who chooses."""

    async def run(self) -> None:
        """What is pressed during the greeting counts, and ends it."""
        await self.answer()
        greeting = [
            tts("Welcome to Harbour Boats."),
            tts("Press 1 for sales. Press 2 for support. Press 0 to speak with somebody."),
        ]
        match (await self.play_and_collect(greeting, CHOICE).wait()).digits:
            case "1":
                await self.play_tts("We are open from nine to five.").wait()
            case "2":
                await self.play_tts("Send us a text, and we call back.").wait()
            case "0":
                await self.put_through()
            case _:
                await self.play_tts("That is none of our numbers.").wait()

    async def put_through(self) -> None:
        """Bridge the caller to the agent, who sees the number that was called."""
        await self.play_tts("One moment, please.").wait()
        agent = phone(to=AGENT, from_=self.to_number, timeout=30)
        await self.connect([[agent]], ringback=[tts("We are calling our agent.")])
        bridge = await self.next(ConnectEvent, where=lambda event: event.connect_state in ("connected", "failed"))
        if bridge.connect_state == "failed":
            await self.play_tts("Nobody is there now.").wait()
        else:
            await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")


if __name__ == "__main__":
    app.run()
