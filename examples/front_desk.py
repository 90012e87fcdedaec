"""The front desk of a small hotel: the application that ``make demo`` runs.

Guests press 1 for breakfast, 2 for somebody at the desk, 3 to leave a message, 4 for their bill. Texts are answered,
and "wake me" is answered with a call. To be a guest yourself, in two terminals::

    relay-actors sim                            # prints the variables that the other terminal needs
    relay-actors run examples.front_desk:app
"""

from relay_actors import ActionCompleted, CallActor, CommandFailed, MessageActor, RelayApp
from relay_actors.errors import ConnectionLostError
from relay_actors.events import (
    CallReceiveEvent,
    CallStateEvent,
    CollectEvent,
    ConnectEvent,
    MessageReceiveEvent,
    PlayEvent,
)

HOTEL, DESK = "+15550100100", "+15550100200"
BREAKFAST = "Breakfast is from 7 to 10."
BILLS = {"101": 240, "102": 180, "203": 320}
OTHERS = {"2": "context:desk", "3": "context:voicemail", "4": "context:bill"}

app = RelayApp()  # project, token and host come from SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN and SIGNALWIRE_SPACE


def phone(number: str) -> list[list[dict[str, object]]]:
    """Return the devices to ring: one after the other, and those of an inner list together."""
    return [[{"type": "phone", "params": {"from_number": HOTEL, "to_number": number}}]]


@app.calls("hotel")
class Welcome(CallActor):
    """Message style: whatever happens to this call arrives here, one message at a time."""

    def on_receive(self, message: object) -> None:
        """Answer, offer what there is, and hand the call on."""
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.offer()
                # A caller who withholds the number crashes this line. The supervisor restarts this actor in place;
                # meanwhile the prompt plays on, and what the caller presses finds the new incarnation.
                self.data["caller"] = int(self.from_number)
            case ActionCompleted(event=CollectEvent(digits="1")):
                self.play_tts(f"{BREAKFAST} Goodbye.")
            case ActionCompleted(event=PlayEvent()):
                self.hangup()
            case ActionCompleted(event=CollectEvent(digits="2" | "3" | "4" as key)):
                self.transfer(OTHERS[key])
            case ActionCompleted(event=CollectEvent(kind="digit" | "no_input")):
                self.offer()  # a key that means nothing, or none at all
            case CommandFailed(command=command, error=ConnectionLostError()):
                self.actor_ref.tell(
                    command
                )  # it was on its way when the socket was lost; now it waits for the next one
            case _:
                super().on_receive(message)

    def offer(self) -> None:
        """Say what the keys mean; a key that is pressed meanwhile ends the prompt."""
        self.prompt_tts(
            "Welcome to the Harbour Hotel. For breakfast press 1, for the front desk press 2, "
            "to leave a message press 3, for your bill press 4.",
            {"digits": {"max": 1}, "initial_timeout": 8.0},
        )


@app.calls("desk")
class Desk(CallActor):
    """Flow style: the same verbs, top to bottom. Leaving `run` hangs up; a caller who hangs up ends it anywhere."""

    async def run(self) -> None:
        """Bridge the call to the desk, for as long as both like."""
        await self.answer()
        joined = self.next(ConnectEvent, where=lambda event: event.connect_state != "connecting")
        await self.connect(phone(DESK))
        if (await joined).connect_state == "failed":
            await self.play_tts("Nobody is at the desk now. Please call again later.").wait()
        else:
            await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")


@app.calls("voicemail")
class Voicemail(CallActor):
    """Record what the caller says, and text it to the desk."""

    async def run(self) -> None:
        """Record; the text goes out first, so that a caller who just hangs up is not forgotten."""
        await self.answer()
        await self.play_tts("Please speak after the tone, and press pound when you are done.").wait()
        recording = await self.record({"beep": True, "terminators": "#", "end_silence_timeout": 5.0}).wait(timeout=120)
        if recording.state == "finished":
            self.app.send_message(to_number=DESK, from_number=HOTEL, body=f"A new message: {recording.url}")
            await self.play_tts(f"Thank you for {recording.duration:.0f} seconds of message. Goodbye.").wait()


@app.calls("bill")
class Bill(CallActor):
    """Tell guests what they owe."""

    async def run(self) -> None:
        """Ask for the room until there is one.

        A room that does not exist crashes the flow. Restarted in place, it begins anew and so asks again; a call that
        crashes a fourth time within a minute (`max_restarts`, `within_s`) is given up: hung up, once.
        """
        await self.answer()
        entered = await self.prompt_tts(
            "Please enter your room number, then press pound.",
            {"digits": {"max": 4, "terminators": "#"}, "initial_timeout": 30.0},
        ).wait()
        due = BILLS[entered.digits]
        await self.play_tts(f"You owe {due} dollars for room {entered.digits}. Goodbye.").wait()


class WakeUp(CallActor):
    """A call that the hotel makes; its `run` begins when the guest answers."""

    async def run(self) -> None:
        """Wake the guest."""
        await self.play_tts(f"Good morning! This is your wake-up call. {BREAKFAST}").wait()


@app.messages("hotel")
class Inbox(MessageActor):
    """One actor for each text."""

    def on_receive(self, message: object) -> None:
        """Answer it."""
        match message:
            case MessageReceiveEvent(body=body, from_number=guest) if "wake me" in body.lower():
                self.app.dial(WakeUp, phone(guest))
            case MessageReceiveEvent(body=body) if "breakfast" in body.lower():
                self.reply(BREAKFAST)
            case MessageReceiveEvent():
                self.reply("Thank you. The front desk will write to you.")
            case _:
                super().on_receive(message)


if __name__ == "__main__":
    app.run()  # SIGTERM drains
