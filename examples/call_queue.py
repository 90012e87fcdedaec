"""A queue: callers hear their place in it and may ask to be called back; agents take one caller after the other."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, ConnectEvent, QueueEvent
from relay_actors.params import digits

app = RelayApp()

QUEUE = "support"
DESK = "+15550100200"


@app.calls("support")
class Waiting(CallActor):
    """One caller. Places move, keys are pressed and agents come in no fixed order, so it goes message by message."""

    def on_receive(self, message: object) -> None:
        """The server keeps the queue and plays its music; this only tells the caller about it."""
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.queue_enter(QUEUE)
                self.collect(digits=digits(max=1), continuous=True, initial_timeout=0)
            case QueueEvent(status="enqueue" | "waiting", position=place):
                self.play_tts(f"You are number {place}. Press 1, and we call you back.")
            case CollectEvent(digits="1"):
                self.queue_leave(QUEUE)
            case QueueEvent(status="leave"):
                self.app.send_message(to_number=DESK, from_number=self.to_number, body=f"Call {self.from_number} back.")
                self.hangup(after=self.play_tts("We will call you back."))
            case ConnectEvent(connect_state="disconnected"):
                self.hangup(after=self.play_tts("Thank you for calling."))
            case _:
                super().on_receive(message)


@app.calls("agents")
class Agent(CallActor):
    """One agent, who stays on the line for a whole shift."""

    async def run(self) -> None:
        """Connect to the queue again and again: whoever is first in it is next, now or when somebody comes."""
        await self.answer()
        while True:
            await self.connect({"type": "queue", "queue_name": QUEUE})
            bridge = await self.next(ConnectEvent, where=lambda event: event.connect_state in ("connected", "failed"))
            if bridge.connect_state == "failed":
                await self.play_tts("Nobody has called for a while. Take a break.").wait()
                return
            self.data["served"] = self.data.get("served", 0) + 1
            await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")
            await self.play_tts(f"That was number {self.data['served']}.").wait()


if __name__ == "__main__":
    app.run()
