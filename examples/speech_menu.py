"""Asks a question that is answered by speaking, or with keys by who cannot; what was not understood is asked again."""

from relay_actors import CallActor, RelayApp
from relay_actors.params import digits, speech

app = RelayApp()

FERRIES = {"north island": "at half past eight", "south island": "at nine", "mainland": "every hour"}
KEYS = dict(zip("123", FERRIES, strict=True))
SURE_ENOUGH = 60.0
"""Confidence, of 100; beneath it we ask back."""


@app.calls("ferries")
class Timetable(CallActor):
    """One caller with a destination."""

    async def run(self) -> None:
        """Three attempts, as with a person who is hard of hearing."""
        await self.answer()
        question = "Where to? Say it, or press 1 for north, 2 for south, 3 for ashore."
        for _attempt in range(3):
            place = await self.ask(question)
            if place in FERRIES:
                await self.play_tts(f"The ferry to the {place} leaves {FERRIES[place]}.").wait()
                return
            question = "I did not get that. Where to?"
        await self.play_tts("Please look at the board on the pier.").wait()

    async def ask(self, question: str) -> str:
        """Return where the caller is going, or what else was said."""
        wanted = speech(hints=list(FERRIES), end_silence_timeout=0.8, language="en-US") | digits(max=1)
        heard = await self.prompt_tts(question, wanted | {"initial_timeout": 6.0}).wait()
        if heard.kind != "speech":
            return KEYS.get(heard.digits, "")
        place: str = heard.speech.lower()
        if place in FERRIES and heard.confidence < SURE_ENOUGH:
            answer = await self.prompt_tts(f"The {place}, is that right?", speech(hints=["yes", "no"])).wait()
            return place if "yes" in answer.speech.lower() else ""
        return place


if __name__ == "__main__":
    app.run()
