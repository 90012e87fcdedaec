"""Plays something long, and lets the listener pause it, go on, change the volume and stop it."""

from relay_actors import ActionCompleted, CallActor, PlayAction, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent
from relay_actors.params import audio, digits, tts

app = RelayApp()

GUIDE = "https://example.com/guide.mp3"
STEP_DB = 4.0


@app.calls("guide")
class AudioGuide(CallActor):
    """One listener. Message style suits it: several things go on at once, and any of them may be the next to tell."""

    track: PlayAction | None = None

    def on_receive(self, message: object) -> None:
        """One collection goes on for the whole call; each key is an event of its own."""
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.collect(digits=digits(max=1), continuous=True, initial_timeout=0)
                intro = tts("5 pauses, 2 and 8 change the volume, 0 stops.")
                self.track = self.play([intro, audio(GUIDE)])
            case CollectEvent(kind="digit", digits=key) if self.track is not None and not self.track.is_done:
                self.on_key(key, self.track)
            case ActionCompleted(event=PlayEvent()):
                self.hangup(after=self.play_tts("Thank you.", on_completed=self.note))
                self.track = None
            case _:
                super().on_receive(message)

    def on_key(self, key: str, track: PlayAction) -> None:
        """Do what the key says; the handle of the running play sends it."""
        loudness = self.data.get("volume", 0.0)
        match key:
            case "5" if track.state == "paused":
                track.resume()
            case "5":
                track.pause()
            case "2" | "8":
                self.data["volume"] = loudness + (STEP_DB if key == "2" else -STEP_DB)
                track.volume(self.data["volume"])
            case "0":
                track.stop()

    def note(self, event: PlayEvent) -> None:
        """What an operation completes with can go to a function of its own, too."""
        self.log.info("farewell %s", event.state)


if __name__ == "__main__":
    app.run()
