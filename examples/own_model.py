"""A language model of one's own receives the callers: its reply is read while it still comes, and they may cut in."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from relay_actors import ActorRef, CallActor, CallEnded, Raced, RelayApp, Wait
from relay_actors.events import ConnectEvent
from relay_actors.params import phone, speech

app = RelayApp(journal="own_model.db")

PERSON, OFFICE = "+15550100200", "+15550100201"
GET_PERSON = "[person]"
ANSWERS = {
    "hours": ("We are open from nine to five.", "On Saturdays we close at noon.", "On Sundays we are closed."),
    "person": (GET_PERSON,),
}


async def model(said: Sequence[str]) -> AsyncIterator[str]:
    """Give the reply sentence by sentence. Stands for the client of a model, one that is written for asyncio."""
    known = [answer for word, answer in ANSWERS.items() if word in said[-1].lower()]
    for sentence in known[0] if known else ("Ask me for our hours, or for a person.",):
        await asyncio.sleep(0.4)
        yield sentence


async def summary(said: Sequence[str]) -> str:
    """Return in one line what the caller wanted; the model again, in earnest."""
    await asyncio.sleep(1.0)
    return " / ".join(said)


@dataclass(frozen=True)
class Sentence:
    """A part of a reply, told as soon as it is there."""

    place: tuple[int, int]
    """Of which reply, and the how manieth in it."""
    text: str
    """Empty when the reply is over."""


async def tell_reply(call: ActorRef[Any], reply: int, said: Sequence[str]) -> None:
    """Tell a call the reply. It ends also when the model fails: nobody is left in silence."""
    number = 0
    try:
        async for text in model(said):
            call.tell_if_alive(Sentence((reply, number), text))
            number += 1
    finally:
        call.tell_if_alive(Sentence((reply, number), ""))


@app.calls("harbour")
class Receptionist(CallActor):
    """One caller."""

    async def run(self) -> None:
        """What comes at last is done after the call, whoever has ended it."""
        said: list[str] = []
        with contextlib.suppress(CallEnded):  # which is raised here if the caller ends it
            await self.answer()
            await self.converse(said)
            await self.hangup()
            await self.wait_for_ended()
        if said:
            text = await self.aio(summary(said))
            self.app.send_message(to_number=OFFICE, from_number=self.to_number, body=f"{self.from_number}: {text}")

    async def converse(self, said: list[str]) -> None:
        """Go on as long as the caller says something, or until a person has talked to them."""
        greeting = self.prompt_tts("Harbour Boats. How can I help?", speech() | {"initial_timeout": 8.0})
        words = (await greeting.wait()).speech
        while words:
            said.append(words)
            words, wants_person = await self.speak(said)
            if wants_person:
                if await self.bring_person():
                    return
                again = self.prompt_tts("Nobody is free. What else can I do?", speech())
                words = (await again.wait()).speech

    async def speak(self, said: Sequence[str]) -> tuple[str, bool]:
        """Read the reply; return what the caller says next, be it in the middle, and whether a person is wanted."""
        listening = await self.collect(speech={}, initial_timeout=6.0, start_input_timers=False)
        heard = listening.wait()
        self.aio(tell_reply(self.actor_ref, len(said), tuple(said)))
        for number in itertools.count():
            match await self.race(self.sentence((len(said), number)), heard):
                case Raced(1, event):
                    return event.speech, False
                case Raced(0, Sentence(text="")):
                    break
                case Raced(0, Sentence(text=text)) if text == GET_PERSON:
                    await listening.stop()
                    return "", True
                case Raced(0, Sentence(text=text)):
                    playing = self.play_tts(text)
                    match await self.race(playing.wait(), heard):
                        case Raced(1, event):
                            await playing.stop()
                            return event.speech, False
        await listening.start_input_timers()
        return (await heard).speech, False

    def sentence(self, place: tuple[int, int]) -> Wait[Sentence]:
        """Wait for just this one: a model that is asked again, by the next process, tells all of them again."""
        return self.next(Sentence, where=lambda told: told.place == place)

    async def bring_person(self) -> bool:
        """Bridge the caller to a person; return whether they have talked."""
        await self.play_tts("I will get you somebody.").wait()
        await self.connect(phone(to=PERSON, from_=self.to_number, timeout=15))
        over = await self.next(ConnectEvent, where=lambda event: event.connect_state in ("failed", "disconnected"))
        return over.connect_state == "disconnected"


if __name__ == "__main__":
    app.run()
