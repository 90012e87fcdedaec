"""Snippets on where calls meet: one for each verb of `actors/verbs/rooms.py`, called at the context of its name."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import ConferenceEvent, QueueEvent

app = RelayApp()

HOTEL, DESK = "+15550100100", "+15550100200"


@app.calls("join_conference")
class Meeting(CallActor):
    """Puts everybody who calls into one conference, and tells the desk when somebody comes in."""

    async def run(self) -> None:
        await self.answer()
        await self.join_conference("staff", beep="onEnter")
        await self.next(ConferenceEvent, where=lambda event: event.status == "participant-join")
        self.app.send_message(to_number=DESK, from_number=HOTEL, body=f"{self.from_number} is in the meeting.")
        await self.wait_for_ended()


@app.calls("leave_conference")
class WayOut(CallActor):
    """Lets star lead out of the conference."""

    async def run(self) -> None:
        await self.answer()
        await self.join_conference("guests")
        joined = await self.next(ConferenceEvent, where=lambda event: event.status == "participant-join")
        await self.detect_digit(digits="*").wait()
        await self.leave_conference(joined.conference_id)
        await self.next(ConferenceEvent, where=lambda event: event.status == "participant-leave")
        await self.play_tts("You have left the conference.").wait()


@app.calls("join_room")
class Lobby(CallActor):
    """Puts the caller into a room, where others may see and hear them."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("You are now in the lobby.").wait()
        await self.join_room("lobby", status_url="https://example.com/rooms")
        await self.wait_for_ended()


@app.calls("leave_room")
class Exit(CallActor):
    """Lets star lead out of the room."""

    async def run(self) -> None:
        await self.answer()
        await self.join_room("garden")
        await self.detect_digit(digits="*").wait()
        await self.leave_room()
        await self.play_tts("You have left the garden.").wait()


@app.calls("queue_enter")
class Waiting(CallActor):
    """Tells callers their place in the queue; somebody else takes them out of it."""

    async def run(self) -> None:
        await self.answer()
        await self.queue_enter("support")
        place = await self.next(QueueEvent, where=lambda event: event.status == "enqueue")
        await self.play_tts(f"You are number {place.position} in the queue.").wait()
        await self.wait_for_ended()


@app.calls("queue_leave")
class CallBack(CallActor):
    """Lets callers leave the queue by star; they are called back."""

    async def run(self) -> None:
        await self.answer()
        await self.queue_enter("billing")
        await self.detect_digit(digits="*").wait()
        await self.queue_leave("billing")
        await self.next(QueueEvent, where=lambda event: event.status == "leave")
        await self.play_tts("We will call you back.").wait()
