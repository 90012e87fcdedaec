"""Asks SIP phones to call the right department directly; a phone that cannot do that is bridged to it instead."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import ConnectEvent, ReferEvent
from relay_actors.params import digits, sip

app = RelayApp()

DEPARTMENTS = {"1": "sip:sales@example.com", "2": "sip:support@example.com"}


@app.calls("switchboard")
class Switchboard(CallActor):
    """One caller from the house, or from outside."""

    async def run(self) -> None:
        """After a referral that succeeds the call here ends by itself: the phone is elsewhere."""
        await self.answer()
        pressed = (await self.prompt_tts("Press 1 for sales, 2 for support.", digits(max=1)).wait()).digits
        department = DEPARTMENTS.get(pressed, DEPARTMENTS["1"])
        if self.device.get("type") != "sip":
            await self.put_through(department)
            return
        await self.refer(sip(to=department))
        outcome = await self.next(ReferEvent, where=lambda event: event.state != "inProgress")
        if outcome.state != "success":
            await self.play_tts(f"They are not there: {outcome.state}.").wait()

    async def put_through(self, department: str) -> None:
        """Stay in the middle, for as long as both like."""
        await self.connect(sip(to=department, from_=f"sip:{self.to_number}@example.com", timeout=30))
        await self.next(ConnectEvent, where=lambda event: event.connect_state in ("failed", "disconnected"))


if __name__ == "__main__":
    app.run()
