"""Snippets on artificial agents: one for each verb of `actors/verbs/agents.py`, called at the context of its name."""

from relay_actors import CallActor, RelayApp

app = RelayApp()

CONCIERGE = {"text": "You are the concierge of the Harbour Hotel. Be brief."}


@app.calls("ai")
class Concierge(CallActor):
    """Lets an agent speak with the caller until the caller hangs up."""

    async def run(self) -> None:
        await self.answer()
        await self.ai(prompt=CONCIERGE, hints=["breakfast", "late check-out"])
        await self.wait_for_ended()


@app.calls("amazon_bedrock")
class Bedrock(CallActor):
    """The same, by an agent of Amazon Bedrock."""

    async def run(self) -> None:
        await self.answer()
        await self.amazon_bedrock(prompt=CONCIERGE, global_data={"room": "101"})
        await self.wait_for_ended()


@app.calls("ai_message")
class Briefing(CallActor):
    """Tells the agent during the conversation what it could not know before."""

    async def run(self) -> None:
        await self.answer()
        await self.ai(prompt=CONCIERGE)
        await self.ai_message(role="system", message_text="The guest is in room 101.")
        await self.wait_for_ended()


@app.calls("ai_hold")
class Interruption(CallActor):
    """Lets the agent be silent for a minute at the most when the caller presses star."""

    async def run(self) -> None:
        await self.answer()
        await self.ai(prompt=CONCIERGE)
        await self.detect_digit(digits="*").wait()
        await self.ai_hold(timeout=60, prompt="One moment, please.")
        await self.wait_for_ended()


@app.calls("ai_unhold")
class Consultation(CallActor):
    """Lets the agent be silent while we say something, and then go on."""

    async def run(self) -> None:
        await self.answer()
        await self.ai(prompt=CONCIERGE)
        await self.ai_hold()
        await self.play_tts("The kitchen closes in ten minutes.").wait()
        await self.ai_unhold(prompt="Where were we?")
        await self.wait_for_ended()
