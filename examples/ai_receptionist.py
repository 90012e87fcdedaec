"""An AI agent receives the guests of a restaurant; the application tells it who calls, and takes over when asked to."""

from collections.abc import Mapping
from dataclasses import dataclass

from relay_actors import CallActor, RelayApp
from relay_actors.events import ConnectEvent, RelayEvent
from relay_actors.params import phone

app = RelayApp()

KITCHEN = "+15550100200"
PROMPT = "You are the host of a restaurant by the harbour. Take bookings. Be brief."
BOOKINGS = {"+15550001111": "a table for four at eight"}
GET_PERSON = {
    "function": "get_person",
    "description": "Get a person from the kitchen when the guest asks for one.",
    "parameters": {"type": "object", "properties": {}},
    "web_hook_url": "https://restaurant.example.com/get_person",
}


@dataclass(frozen=True)
class AgentIsDone:
    """The agent has done what it can; a person is wanted, or not."""

    wants_person: bool


def look_up(number: str) -> str:
    """Return what a guest has booked; a database, in earnest. It blocks, and knows nothing of calls."""
    return BOOKINGS.get(number, "nothing")


@app.calls("restaurant")
class Receptionist(CallActor):
    """One guest. The agent speaks, and this actor looks after it."""

    async def run(self) -> None:
        """The agent waits while we look up the guest, and goes on with what we have found."""
        await self.answer()
        agent = await self.ai(
            prompt={"text": PROMPT, "temperature": 0.3},
            post_prompt={"text": "Summarize what the guest wants in one sentence."},
            post_prompt_url="https://restaurant.example.com/summaries",
            hints=["booking", "terrace"],
            ai_params={"end_of_speech_timeout": 700},
            global_data={"opens": "18:00"},
            SWAIG={"functions": [GET_PERSON]},
            on_completed=self.note_end,
        )
        await self.ai_hold(timeout=30, prompt="Good evening. One moment, please.")
        booking = await self.blocking(look_up, self.from_number)
        await self.ai_message(
            role="system", message_text=f"The guest has booked {booking}.", global_data={"booking": booking}
        )
        await self.ai_unhold(prompt="Thank you for waiting.")
        if (await self.next(AgentIsDone)).wants_person:
            await agent.stop()
            await self.hand_over()

    def note_end(self, event: RelayEvent) -> None:
        """Most servers tell nothing of an agent's end: then this is called when the call ends, and nobody waits."""
        self.actor_ref.tell(AgentIsDone(wants_person=event.params.get("state") == "error"))

    async def hand_over(self) -> None:
        """Bridge the guest to a person."""
        await self.play_tts("I will get you somebody.").wait()
        await self.connect(phone(to=KITCHEN, from_=self.to_number, timeout=20))
        await self.next(ConnectEvent, where=lambda event: event.connect_state in ("failed", "disconnected"))


def on_get_person(body: Mapping[str, object]) -> dict[str, str]:
    """What the web server at ``web_hook_url`` does with the body that it is sent, and what it answers."""
    call = app.call(str(body["call_id"]))
    if call is None:
        return {"response": "The guest has hung up."}
    call.ref.tell(AgentIsDone(wants_person=True))
    return {"response": "Somebody is coming."}


if __name__ == "__main__":
    app.run()
