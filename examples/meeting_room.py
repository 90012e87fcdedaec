"""A weekly meeting by telephone in a room of the server's, with minutes that write themselves."""

from relay_actors import CallActor, RelayApp

app = RelayApp()

ROOM = "weekly"
MINUTES = "https://office.example.com/minutes"


@app.calls("meeting")
class Attendee(CallActor):
    """One who takes part. What they say goes to the minutes, word by word."""

    async def run(self) -> None:
        """The star ends it; the detector hears it without taking keys from anybody else."""
        await self.answer()
        await self.live_transcribe({"start": {"lang": "en-US", "direction": ["remote-caller"], "webhook": MINUTES}})
        await self.join_room(ROOM, status_url=MINUTES)
        await self.detect_digit(digits="*", timeout=4 * 3600.0).wait()
        await self.leave_room()
        await self.live_transcribe({"summarize": {"webhook": MINUTES}})
        await self.play_tts("See you next week.").wait()


if __name__ == "__main__":
    app.run()
