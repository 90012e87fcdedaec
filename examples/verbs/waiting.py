"""Snippets on waiting: one for each verb of `actors/verbs/waiting.py`.

Classes are called at the context of their verb's name; functions call out, and use the verb on the handle of the call.
"""

from relay_actors import CallActor, CallHandle, RelayApp
from relay_actors.events import RelayEvent
from relay_actors.params import phone

app = RelayApp()

HOTEL, DESK = "+15550100100", "+15550100200"


@app.calls("on")
class Witness(CallActor):
    """Listens beside the flow: the desk gets to know of the end of the call, however it came."""

    async def run(self) -> None:
        self.on("calling.call.state", self.report)
        await self.answer()
        await self.play_tts("Please tell us about your stay after the tone.").wait()
        await self.record({"beep": True}).wait()

    def report(self, event: RelayEvent) -> None:
        if self.state == "ended":
            body = f"{self.from_number} has hung up: {self.end_reason}."
            self.app.send_message(to_number=DESK, from_number=HOTEL, body=body)


@app.calls("wait_for")
class Careful(CallActor):
    """Begins to wait before it asks, so that the event cannot be missed."""

    async def run(self) -> None:
        await self.answer()
        is_on = self.wait_for("calling.call.denoise", lambda event: event.params["denoised"] is True, timeout=10)
        await self.denoise()
        await is_on
        await self.play_tts("Now we hear you well.").wait()


@app.calls("wait_for_ringing")
class Bell(CallActor):
    """Tells the desk that it rings, before the call is answered."""

    async def run(self) -> None:
        await self.wait_for_ringing(timeout=10)
        self.app.send_message(to_number=DESK, from_number=HOTEL, body=f"{self.from_number} is calling.")
        await self.answer()
        await self.play_tts("Welcome to the Harbour Hotel.").wait()


def wait_for_answered(number: str) -> CallHandle:
    """Call a number, and return the call once somebody, or something, has answered."""
    call = app.dial(CallActor, phone(to=number, from_=HOTEL, timeout=25))
    call.wait_for_answered(timeout=30).get()
    return call


@app.calls("wait_for_ending")
class Farewell(CallActor):
    """Sends a text as soon as the call begins to end; after its end the flow is over."""

    async def run(self) -> None:
        await self.answer()
        self.play_tts("Thank you for calling.")
        await self.wait_for_ending()
        self.app.send_message(to_number=self.from_number, from_number=HOTEL, body="Thank you for calling.")


def wait_for_ended(number: str) -> str:
    """Call a number, wait until they have hung up there, and return the reason of the end."""
    call = app.dial(CallActor, phone(to=number, from_=HOTEL))
    call.wait_for_answered(timeout=30).get()
    call.play_tts("Hang up to be left alone.")
    call.wait_for_ended(timeout=600).get()
    return call.end_reason
