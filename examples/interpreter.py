"""Two people without a common language talk to each other, and what they say goes to a web page as they say it."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import ConnectEvent
from relay_actors.params import phone

app = RelayApp()

CLINIC = "+15550100200"
WEBHOOK = "https://clinic.example.com/minutes"


@app.calls("clinic")
class Interpreter(CallActor):
    """A patient who speaks Spanish, and a clinic that speaks English."""

    async def run(self) -> None:
        """The server translates; it reports to the page by itself."""
        await self.answer()
        await self.play_tts("Un momento, por favor.", language="es-ES").wait()
        await self.connect(phone(to=CLINIC, from_=self.to_number, timeout=30))
        bridge = await self.next(ConnectEvent, where=lambda event: event.connect_state in ("connected", "failed"))
        if bridge.connect_state == "failed":
            await self.play_tts("Llame más tarde, por favor.", language="es-ES").wait()
            return
        both = {"from_lang": "es-ES", "to_lang": "en-US", "direction": ["remote-caller", "local-caller"]}
        await self.live_translate({"start": {**both, "webhook": WEBHOOK}})
        await self.live_translate({"inject": {"message": "Todo se traduce.", "direction": "remote-caller"}})
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")
        await self.live_translate({"summarize": {"webhook": WEBHOOK}})


if __name__ == "__main__":
    app.run()
