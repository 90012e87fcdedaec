"""An application to which every race of the catalogue can happen."""

from __future__ import annotations

from relay_actors import ActionCompleted, CallActor, MessageActor, PlayAction, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, ConnectEvent, MessageReceiveEvent

OURS = "+15559990000"
DESKS = ("+15550102000", "+15550102001")

app = RelayApp(name="racers")


def together(*numbers: str) -> list[list[dict[str, object]]]:
    """Devices that ring at the same time."""
    return [[{"type": "phone", "params": {"from_number": OURS, "to_number": number}} for number in numbers]]


@app.calls("bridge")
class Bridge(CallActor):
    """A flow that asks, and connects."""

    async def run(self) -> None:
        await self.answer()
        await (await self.prompt_tts("Press 1.", {"digits": {"max": 1}, "initial_timeout": 2.0})).wait()
        joined = self.next(ConnectEvent, where=lambda event: event.connect_state != "connecting")
        await self.connect(together(*DESKS))
        if (await joined).connect_state == "connected":
            await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")
        await self.play_tts("Goodbye.").wait()


@app.calls("story")
class Story(CallActor):
    """Messages: a story that is stopped, over or not."""

    track: PlayAction | None = None

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.track = self.play_tts("Once upon a time.")
                self.start_timer("enough", "enough", 3.0)
            case "enough":
                if self.track is not None:
                    self.track.stop()
                self.hangup(after=self.play_tts("That was it."))
            case _:
                super().on_receive(message)


@app.calls("eager")
class Eager(CallActor):
    """One that does not wait for the call to be established."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
                self.prompt_tts("Say something.", {"digits": {"max": 4, "terminators": "#"}, "initial_timeout": 3.0})
            case ActionCompleted(event=CollectEvent(digits=digits)):
                self.hangup(after=self.play_tts(f"You pressed {digits or 'nothing'}."))
            case _:
                super().on_receive(message)


class CallBack(CallActor):
    """The call that somebody asked for."""

    async def run(self) -> None:
        await self.play_tts("You wanted to be called.").wait()


@app.messages("eager")
class Texts(MessageActor):
    """Calls whoever writes, on one phone or two, and says so."""

    def on_receive(self, message: object) -> None:
        match message:
            case MessageReceiveEvent(from_number=number):
                self.app.dial(CallBack, together(number, DESKS[0]))
                self.reply("You will be called.")
            case _:
                super().on_receive(message)
