"""A number to check a telephone line with: callers hear themselves, with and without the noise around them."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import DenoiseEvent, EchoEvent
from relay_actors.params import digits

app = RelayApp()

SECONDS = 1.0


@app.calls("line-check")
class LineCheck(CallActor):
    """One caller with a headset."""

    async def run(self) -> None:
        """Key 1 switches the noise reduction on; then the caller speaks with an echo."""
        await self.answer()
        menu = self.prompt_tts("Press 1 to filter noise, else 2.", digits(max=1))
        if (await menu.wait()).digits == "1":
            await self.denoise()
            self.data["filters"] = (await self.next(DenoiseEvent, timeout=10)).denoised
        await self.play_tts("Speak now.").wait()
        over = self.next(EchoEvent, where=lambda event: event.state == "finished")
        await self.echo(timeout=SECONDS)
        await over
        if self.data.get("filters"):
            await self.denoise_stop()
        await self.play_tts("Your line is fine.").wait()


if __name__ == "__main__":
    app.run()
