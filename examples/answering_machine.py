"""Calls out, and finds out who has answered: a person is asked, and a machine is left a message after its beep."""

from relay_actors import CallActor, CallHandle, RelayApp
from relay_actors.events import DetectEvent
from relay_actors.params import digits, phone

app = RelayApp()

LIBRARY = "+15550100100"
READY = ("READY", "finished")


class Reminder(CallActor):
    """One call to somebody who has to bring a book back."""

    async def run(self) -> None:
        """The first finding completes the detector; that a machine is ready to record is told by a later event."""
        found = await self.detect_answering_machine(timeout=20.0, detect_message_end=True).wait()
        text = f"The library wants {self.data['book']} back."
        self.data["reached"] = found.verdict
        if found.verdict == "MACHINE":
            await self.next(DetectEvent, where=lambda event: event.verdict in READY, timeout=30)
            await self.play_tts(f"{text} Thank you.").wait()
            return
        answer = self.prompt_tts(f"{text} Press 1 to keep it for a week.", digits(max=1))
        self.data["keeps"] = (await answer.wait()).digits == "1"
        await self.play_tts("Thank you.").wait()


def remind(number: str, book: str) -> CallHandle:
    """Call ``number``; returns at once, from any thread."""
    return app.dial(Reminder, phone(to=number, from_=LIBRARY, timeout=25), book=book)
