"""What happens to callers when the application is deployed anew: they finish, and who cannot is told."""

from relay_actors import Apologise, CallActor, RelayApp

app = RelayApp(at_drain_deadline=Apologise("We have to close now. Please call again in a minute."))

NOTES: list[str] = []
KEPT: list[str] = []


@app.calls("diary")
class Diary(CallActor):
    """Takes a note, as long as the caller likes to talk."""

    async def run(self) -> None:
        """A note that was begun is a note worth keeping."""
        await self.answer()
        NOTES.append(self.from_number)
        await self.play_tts("Please speak after the tone.").wait()
        await self.record(audio={"direction": "listen", "beep": True, "end_silence_timeout": 600.0}).wait()


def keep_notes() -> None:
    """Write down what is only in memory; it may take its time, on a thread of its own."""
    KEPT.extend(NOTES)
    NOTES.clear()


app.on_shutdown("close_connections", keep_notes, timeout_s=10.0)


if __name__ == "__main__":
    app.run(drain_s=600.0)  # SIGTERM: no new callers, ten minutes for those who talk, then the farewell
