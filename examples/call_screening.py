"""Decides about a call before it is answered: some are let in, some declined, and some left to the server's routing."""

from relay_actors import ActionCompleted, CallActor, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent
from relay_actors.params import speech

app = RelayApp()

FAMILY = frozenset({"+15550100301", "+15550100302"})
BLOCKED = frozenset({"+15550100666"})


@app.calls("home")
class Screening(CallActor):
    """One call. Until it is answered it costs nobody anything."""

    def on_receive(self, message: object) -> None:
        """The number decides, and whoever has none is asked for a name."""
        match message:
            case CallReceiveEvent(from_number=number) if number in BLOCKED:
                self.hangup(reason="busy")
            case CallReceiveEvent(from_number=number) if number in FAMILY:
                self.pass_()  # back to the server: it rings wherever the number leads without us
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.denoise()
                self.prompt_tts("Who is calling, please?", speech(end_silence_timeout=0.8) | {"initial_timeout": 2.0})
            case ActionCompleted(event=CollectEvent(kind="speech", speech=name)):
                self.user_event(event="caller_named", name=name)  # whoever else attends to the call is told
                self.play_tts(f"Thank you, {name}. We will call you back.")
            case ActionCompleted(event=CollectEvent() | PlayEvent()):
                self.hangup()
            case _:
                super().on_receive(message)


if __name__ == "__main__":
    app.run()
