"""An AI agent receives the guests of a restaurant; the application finds out who calls, and tells the agent."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import ConnectEvent
from relay_actors.params import phone

app = RelayApp()

KITCHEN = "+15550100200"
PROMPT = "You are the host of a restaurant by the harbour. Take bookings. Be brief."
BOOKINGS = {"+15550001111": "a table for four at eight"}


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
        )
        await self.ai_hold(timeout=30, prompt="Good evening. One moment, please.")
        booking = await self.blocking(look_up, self.from_number)
        await self.ai_message(
            role="system", message_text=f"The guest has booked {booking}.", global_data={"booking": booking}
        )
        await self.ai_unhold(prompt="Thank you for waiting.")
        ended = await agent.wait()
        if ended.params.get("state") == "error":
            await self.play_tts("I will get you somebody.").wait()
            await self.connect(phone(to=KITCHEN, from_=self.to_number, timeout=20))
            await self.next(ConnectEvent, where=lambda event: event.connect_state in ("failed", "disconnected"))


if __name__ == "__main__":
    app.run()
