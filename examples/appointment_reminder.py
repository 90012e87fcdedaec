"""Calls people to remind them of an appointment; who does not answer gets a text."""

from relay_actors import CallActor, CallHandle, DialFailed, RelayApp
from relay_actors.events import DetectEvent

app = RelayApp()

PRACTICE = "+15550100100"


class Reminder(CallActor):
    """One call to one patient. What `remind` knows is in ``self.data``."""

    async def run(self) -> None:
        """Begins when somebody, or something, has answered."""
        text = f"This is the practice of Doctor Gray. Your appointment is at {self.data['at']}."
        found = await self.detect_answering_machine().wait()
        if found.verdict == "MACHINE":
            # Its greeting is still running: what is said now would be lost.
            await self.next(DetectEvent, where=lambda event: event.verdict in ("READY", "finished"), timeout=30)
            await self.play_tts(f"{text} Goodbye.").wait()
            return
        menu = self.prompt_tts(f"{text} Press 1 if you will come.", {"digits": {"max": 1}})
        self.data["comes"] = (await menu.wait()).digits == "1"
        await self.play_tts("Thank you. Goodbye.").wait()

    def on_receive(self, message: object) -> None:
        """Nobody has answered: there is no call, only its actor."""
        match message:
            case DialFailed():
                text = f"Your appointment at Doctor Gray's is at {self.data['at']}."
                self.app.send_message(to_number=self.data["number"], from_number=PRACTICE, body=text)
            case _:
                super().on_receive(message)


def remind(number: str, at: str) -> CallHandle:
    """Call ``number``; returns at once, from any thread."""
    phone = {"type": "phone", "params": {"from_number": PRACTICE, "to_number": number, "timeout": 25}}
    return app.dial(Reminder, [[phone]], number=number, at=at)
