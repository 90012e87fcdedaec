"""A warm transfer: the caller is on hold while a colleague is told what it is about; if they take it, the two meet."""

from dataclasses import dataclass

from relay_actors import CallActor, DialFailed, Down, RelayApp
from relay_actors.events import CallStateEvent, ConferenceEvent
from relay_actors.params import digits, phone, speech

app = RelayApp()

COLLEAGUE = "+15550100200"


@dataclass(frozen=True)
class Decision:
    """What the colleague's actor tells the caller's."""

    takes_it: bool


@app.calls("helpdesk")
class Caller(CallActor):
    """One caller, from the question to the colleague."""

    async def run(self) -> None:
        """Two calls are two actors. They tell each other things, and never wait inside each other's turn."""
        await self.answer()
        about = (await self.prompt_tts("What is it about?", speech(end_silence_timeout=0.5)).wait()).speech
        await self.hold()
        room = f"talk-{self.call_id}"
        device = phone(to=COLLEAGUE, from_=self.to_number, timeout=20)
        self.app.dial(Colleague, device, caller=self.actor_ref, about=about, room=room)
        decision = await self.next(Decision)
        await self.unhold()
        if not decision.takes_it:
            await self.play_tts("Nobody is free. We will write.").wait()
            return
        await self.join_conference(room, beep="false", end_on_exit=True)
        await self.next(ConferenceEvent, where=lambda event: event.status == "conference-end")


class Colleague(CallActor):
    """One call to a colleague."""

    def on_start(self) -> None:
        """Hear of it when the caller has gone; this actor may by then be ringing, asking or talking."""
        self.watch(self.data["caller"])

    async def run(self) -> None:
        """Begins when they answer: tell them what it is about before they decide."""
        question = f"A caller asks about {self.data['about']}. Press 1 to talk to them."
        takes_it = (await self.prompt_tts(question, digits(max=1)).wait()).digits == "1"
        self.data["caller"].tell_if_alive(Decision(takes_it))
        if takes_it:
            over = self.next(ConferenceEvent, where=lambda event: event.status == "conference-end")
            await self.join_conference(self.data["room"], beep="false", end_on_exit=True)
            await over

    def on_receive(self, message: object) -> None:
        """What may happen at any time: nobody answers, either of them hangs up."""
        match message:
            case DialFailed() | CallStateEvent(call_state="ended"):
                self.data["caller"].tell_if_alive(
                    Decision(takes_it=False)
                )  # one that comes after the decision says nothing new
            case Down():
                self.hangup()
            case _:
                super().on_receive(message)


if __name__ == "__main__":
    app.run()
