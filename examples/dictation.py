"""Takes dictation: records and transcribes it, lets the speaker pause for thought, and texts where both are."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import CollectEvent
from relay_actors.params import digits, recording

app = RelayApp()


@app.calls("dictation")
class Dictation(CallActor):
    """One speaker."""

    async def run(self) -> None:
        """Three operations run at once: what each of them completes with is awaited when it is needed."""
        await self.answer()
        await self.play_tts("Speak. 1 pauses and goes on, 0 ends.").wait()
        text = self.transcribe()
        sound = self.record(recording(format="wav", stereo=False, terminators="", beep=True))
        self.collect(digits=digits(max=1), continuous=True, initial_timeout=0)
        while (await self.next(CollectEvent)).digits != "0":
            if sound.state == "paused":
                await sound.resume()
            else:
                await sound.pause(behavior="skip")
        await sound.stop()
        await text.stop()
        recorded, written = await sound.wait(timeout=10), await text.wait(timeout=10)
        body = f"{recorded.duration:.0f} s: {recorded.url} {written.url}"
        self.app.send_message(to_number=self.from_number, from_number=self.to_number, body=body)
        await self.play_tts("Thank you.").wait()


if __name__ == "__main__":
    app.run()
