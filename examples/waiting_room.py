"""Callers wait for whoever is free, by asking a service that begins anew with each process: they ask the next one."""

import contextlib
from dataclasses import dataclass

from relay_actors import FOREVER, Actor, CallActor, NoReplyYet, RelayApp, ReplyToken
from relay_actors.errors import ActorDead
from relay_actors.events import ConnectEvent
from relay_actors.params import phone

app = RelayApp(journal="waiting_room.db")

MUSIC = "https://example.com/music.mp3"


@dataclass(frozen=True)
class WhoIsFree:
    """Asked by a caller; the answer is a number, as soon as there is one."""

    since: float
    call_id: str


@dataclass(frozen=True)
class Free:
    """Told by a doctor who can take a call."""

    number: str


class Room(Actor):
    """Knows who waits and who is free. It is not in the journal; what it must not forget belongs into a database."""

    def on_start(self) -> None:
        """Nobody is there yet: those who wait will ask, and doctors call again."""
        self.waiting: list[tuple[WhoIsFree, ReplyToken]] = []
        self.free: list[str] = []

    def on_receive(self, message: object) -> object:
        """Answer those who have waited longest. They may ask in any order, when they ask once more."""
        match message:
            case WhoIsFree():
                self.waiting.append((message, self.reply_later()))
                self.waiting.sort(key=lambda one: one[0].since)
            case Free(number=number):
                self.free.append(number)
        while self.free and self.waiting:
            question, token = self.waiting.pop(0)
            call = app.call(question.call_id)
            if call is not None and call.state == "answered":  # and has not hung up in the meantime
                self.reply_to(token, self.free.pop(0))
        return NoReplyYet


app.service(Room, name="room")


@app.calls("practice")
class Patient(CallActor):
    """Waits with music, and talks to a doctor."""

    async def run(self) -> None:
        """A question that was not answered when the process ended is asked again by the next one."""
        await self.answer()
        await self.play_tts("All our doctors are busy. Please hold.").wait()
        music, since = await self.play_audio(MUSIC), self.now()
        while True:
            room = self.app.lookup("room")
            if room is not None:
                with contextlib.suppress(ActorDead):  # it has crashed in the meantime
                    number = await room.ask(WhoIsFree(since, self.call_id), block=False, timeout=FOREVER)
                    break
            await self.sleep(1.0)  # it is being started again
        await music.stop()
        await self.connect(phone(to=number, from_=self.to_number))
        await self.next(ConnectEvent, where=lambda event: event.connect_state in ("failed", "disconnected"))
        await self.play_tts("Get well soon.").wait()


@app.calls("doctors")
class Doctor(CallActor):
    """A doctor who calls can take a patient."""

    async def run(self) -> None:
        """Hung up first, so that the line is free for the patient."""
        await self.answer()
        await self.play_tts("You will be called.").wait()
        await self.hangup()
        room = self.app.lookup("room")
        if room is not None:
            room.tell(Free(self.from_number))


if __name__ == "__main__":
    app.run()
