"""Two ways to write a call: message by message, and top to bottom."""

from relay_actors import ActionCompleted, CallActor, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, ConnectEvent

app = RelayApp()

DESK = "+15550100101"


@app.calls("support")
class Support(CallActor):
    """Message style: everything that happens to this call arrives here, one message at a time."""

    def on_receive(self, message: object) -> None:
        """Say what is to be done about one message."""
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.prompt_tts("Press 1 for sales, 2 for support.", {"digits": {"max": 1, "digit_timeout": 5.0}})
            case ActionCompleted(event=CollectEvent(digits="1")):
                self.transfer("context:sales")
            case ActionCompleted(event=CollectEvent()):
                self.hangup(after=self.play_tts("Nobody is there now. Goodbye."))
            case CallStateEvent(call_state="ended", end_reason=reason):
                self.log.info("ended: %s", reason)
            case _:
                super().on_receive(message)


@app.calls("sales")
class Sales(CallActor):
    """Flow style: the same verbs, written top to bottom. An await suspends this call and no other."""

    async def run(self) -> None:
        """Take the order number, and put the caller through to the desk."""
        await self.answer()
        menu = self.prompt_tts("Press your order number, then pound.", {"digits": {"max": 6, "terminators": "#"}})
        self.data["order"] = (await menu.wait(timeout=30)).digits  # kept, also when this class crashes

        await self.connect([[{"type": "phone", "params": {"from_number": self.to_number, "to_number": DESK}}]])
        bridge = await self.next(ConnectEvent, where=lambda event: event.connect_state in ("connected", "failed"))
        if bridge.connect_state == "connected":
            await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")
        await self.play_tts(f"Your order is number {self.data['order']}. Goodbye.").wait()
