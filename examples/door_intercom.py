"""The intercom at a house door calls: a visitor with the code is let in, others are put through to the flat."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import ConnectEvent, SendDigitsEvent
from relay_actors.params import digits, phone

app = RelayApp()

FLAT = "+15550100200"
CODE = "4711"
OPENS_THE_DOOR = "W9"
"""The intercom opens when it hears a nine. The pause lets its loudspeaker fall silent first."""


@app.calls("door")
class Door(CallActor):
    """One visitor."""

    async def run(self) -> None:
        """Keys go both ways: the visitor presses the code, and we press what opens the door."""
        await self.answer()
        entered = await self.prompt_tts("Enter your code, or wait.", digits(max=4) | {"initial_timeout": 3.0}).wait()
        if entered.digits == CODE:
            await self.open()
            return
        joined = self.next(ConnectEvent, where=lambda event: event.connect_state in ("connected", "failed"))
        await self.connect(phone(to=FLAT, from_=self.to_number, timeout=30))
        if (await joined).connect_state == "failed":
            await self.play_tts("Nobody is at home.").wait()
            return
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")

    async def open(self) -> None:
        """The reply says that the tones were accepted; the event, that they are over."""
        opened = self.next(SendDigitsEvent)
        await self.send_digits(OPENS_THE_DOOR)
        await opened
        await self.play_tts("Welcome home.").wait()


if __name__ == "__main__":
    app.run()
