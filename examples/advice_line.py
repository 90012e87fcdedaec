"""Ten free minutes with an adviser: then the two are separated, and the caller votes and is thanked."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import ConnectEvent
from relay_actors.params import audio, digits, phone

app = RelayApp()

ADVISER = "+15550100200"
FREE_S = 600.0


@app.calls("advice")
class Advice(CallActor):
    """One caller who seeks advice."""

    async def run(self) -> None:
        """Whichever comes first ends the conversation: one of the two hangs up, or the time is over."""
        await self.answer()
        music = [audio("https://example.com/waiting.mp3")]
        await self.connect(phone(to=ADVISER, from_=self.to_number, timeout=30), ringback=music)
        bridge = await self.next(ConnectEvent, where=lambda event: event.connect_state in ("connected", "failed"))
        if bridge.connect_state == "failed":
            await self.play_tts("All advisers are busy.").wait()
            return
        try:
            await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected", timeout=FREE_S)
        except TimeoutError:
            await self.disconnect()  # both calls live on: the adviser stays on the line for whoever is next
            self.data["was_cut_off"] = True
        vote = await self.prompt_tts("How was it? Press 1 to 5.", digits(max=1) | {"initial_timeout": 2.0}).wait()
        self.data["vote"] = vote.digits
        await self.play_tts("Thank you.").wait()


if __name__ == "__main__":
    app.run()
