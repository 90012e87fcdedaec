"""Snippets on the call itself: one for each verb of `actors/verbs/calling.py`, called at the context of its name."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import ConnectEvent, HoldEvent, ReferEvent
from relay_actors.params import phone, ringtone, sip

app = RelayApp()

HOTEL, DESK = "+15550100100", "+15550100200"


@app.calls("answer")
class Greeter(CallActor):
    """Takes the call, for ten minutes at the most."""

    async def run(self) -> None:
        await self.answer(max_duration=10)
        await self.play_tts("Welcome to the Harbour Hotel.").wait()


@app.calls("hangup")
class Engaged(CallActor):
    """Turns callers away unanswered: they hear the engaged tone."""

    async def run(self) -> None:
        await self.hangup("busy")


@app.calls("pass_")
class LocalCalls(CallActor):
    """Leaves calls from abroad to whoever else takes this context."""

    async def run(self) -> None:
        if not self.from_number.startswith("+1"):
            await self.pass_()
            return
        await self.answer()
        await self.play_tts("Welcome to the Harbour Hotel.").wait()


@app.calls("connect")
class Switchboard(CallActor):
    """Rings the desk for twenty seconds, and lets the two talk for as long as they like."""

    async def run(self) -> None:
        await self.answer()
        await self.connect(phone(to=DESK, from_=HOTEL, timeout=20), ringback=[ringtone("us")])
        bridge = await self.next(ConnectEvent, where=lambda event: event.connect_state != "connecting")
        if bridge.connect_state == "failed":
            await self.play_tts("Nobody is at the desk.").wait()
        else:
            await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")


@app.calls("disconnect")
class TakeBack(CallActor):
    """Takes callers back from the desk as soon as they press star."""

    async def run(self) -> None:
        await self.answer()
        await self.connect(phone(to=DESK, from_=HOTEL))
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "connected")
        await self.detect_digit(digits="*").wait()
        await self.disconnect()
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")
        await self.play_tts("You are back at the hotel.").wait()


@app.calls("transfer")
class Reception(CallActor):
    """Hands callers on to the application that takes the context `sales`."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("One moment, please.").wait()
        await self.transfer("context:sales")


@app.calls("refer")
class Referral(CallActor):
    """Has the caller's SIP phone call the desk in place of us."""

    async def run(self) -> None:
        await self.answer()
        await self.refer(sip(to="sip:desk@example.com"))
        outcome = await self.next(ReferEvent, where=lambda event: event.state != "inProgress")
        if outcome.state != "success":
            await self.play_tts("Your phone cannot be referred.").wait()


@app.calls("hold")
class Lookup(CallActor):
    """Puts callers on hold for as long as something takes."""

    async def run(self) -> None:
        await self.answer()
        await self.hold()
        await self.next(HoldEvent, where=lambda event: event.state == "hold")
        room = await self.blocking(find_room)
        await self.unhold()
        await self.play_tts(f"You have room {room}.").wait()


@app.calls("unhold")
class Patience(CallActor):
    """Takes callers off hold once they want to be."""

    async def run(self) -> None:
        await self.answer()
        await self.hold()
        await self.detect_digit(digits="*").wait()
        await self.unhold()
        await self.next(HoldEvent, where=lambda event: event.state == "unhold")
        await self.play_tts("Here we are again.").wait()


@app.calls("user_event")
class Order(CallActor):
    """Tells whoever else attends to the call that something was ordered."""

    async def run(self) -> None:
        await self.answer()
        await self.user_event(event="order_placed", order_id="12345")
        await self.play_tts("Your order is placed.").wait()


def find_room() -> str:
    """Stands for what may take long."""
    return "101"
