"""An application for chaos: a menu as a flow, an echo in messages, a bridge, texts, and a dial."""

from __future__ import annotations

from relay_actors import ActionCompleted, CallActor, MessageActor, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, ConnectEvent, MessageReceiveEvent

OURS = "+15559990000"
DESK = "+15550102000"

app = RelayApp(name="chaos-test")


def phone(number: str) -> list[list[dict[str, object]]]:
    return [[{"type": "phone", "params": {"from_number": OURS, "to_number": number}}]]


@app.calls("menu")
class Menu(CallActor):
    async def run(self) -> None:
        await self.answer()
        asked = await self.prompt_tts("Press 1 or 2.", {"digits": {"max": 1}, "initial_timeout": 5.0})
        event = await asked.wait()
        if event.digits == "2":
            joined = self.next(ConnectEvent, where=lambda event: event.connect_state != "connecting")
            await self.connect(phone(DESK))
            if (await joined).connect_state == "connected":
                await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")
        await self.play_tts("Goodbye.").wait()


@app.calls("echo")
class Echo(CallActor):
    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.prompt_tts("Say something.", {"digits": {"max": 4, "terminators": "#"}})
            case ActionCompleted(event=CollectEvent(digits=digits)):
                self.hangup(after=self.play_tts(f"You pressed {digits or 'nothing'}."))


class CallBack(CallActor):
    async def run(self) -> None:
        await self.play_tts("You wanted to be called.").wait()


@app.messages("echo")
class Texts(MessageActor):
    def on_receive(self, message: object) -> None:
        match message:
            case MessageReceiveEvent(body="call me", from_number=number):
                self.app.dial(CallBack, phone(number), dial_timeout=20.0)
            case MessageReceiveEvent(body=body):
                self.reply(f"You wrote {body}.")
