"""Puts callers through to an agent; either of them can have the conversation recorded by pressing star and one."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import ConnectEvent, RecordEvent
from relay_actors.params import phone, recording

app = RelayApp()

AGENT = "+15550100200"
RECORDING = "on-request"
"""The control id by which the events of the recording are known: no handle here has begun it."""


@app.calls("helpline")
class Helpline(CallActor):
    """One caller."""

    async def run(self) -> None:
        """The keys are bound on the server: it begins to record by itself, however far away we are."""
        await self.answer()
        await self.bind_digit(
            "*1",
            "calling.record",
            bind_params={"control_id": RECORDING, "audio": recording(direction="both", format="wav")},
            realm="conversation",
            max_triggers=1,
        )
        self.on("calling.call.record", self.note)
        await self.connect(phone(to=AGENT, from_=self.to_number, timeout=30))
        last = await self.next(ConnectEvent, where=lambda event: event.connect_state in ("disconnected", "failed"))
        await self.clear_digit_bindings(realm="conversation")
        if last.connect_state == "failed":
            await self.play_tts("All our agents are on holiday. Goodbye.").wait()

    def note(self, event: RecordEvent) -> None:
        """Tell the agent where the recording is."""
        if event.state == "finished" and event.control_id == RECORDING:
            self.app.send_message(to_number=AGENT, from_number=self.to_number, body=f"Recorded: {event.url}")


if __name__ == "__main__":
    app.run()
