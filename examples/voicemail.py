"""Voicemail: what a caller leaves behind is recorded, and its owner gets a text about it."""

from relay_actors import CallActor, RelayApp

app = RelayApp()

OWNER = "+15550100102"


@app.calls("voicemail")
class Voicemail(CallActor):
    """One caller with something to say."""

    async def run(self) -> None:
        """Record until a key, two seconds of silence, or the end of the call: most callers just hang up."""
        await self.answer()
        await self.play_tts("Please leave a message after the tone. Press pound when you are done.").wait()
        recording = self.record({"beep": True, "end_silence_timeout": 2.0, "terminators": "#"})
        left = await recording.wait()
        if left.state == "finished":
            self.app.send_message(
                to_number=OWNER,
                from_number=self.to_number,
                body=f"{self.from_number} left a message of {left.duration:.0f} s: {left.url}",
            )
        await self.play_tts("Thank you. Goodbye.").wait()
