"""Finds somebody on call: two phones ring at once, then a third one, and whoever takes the alarm says so."""

from relay_actors import CallActor, CallHandle, DialFailed, RelayApp
from relay_actors.params import digits, phone

app = RelayApp()

CENTRE = "+15550100100"
ON_CALL = ["+15550100201", "+15550100202"]
CHIEF = "+15550100203"


class Alarm(CallActor):
    """One alarm. Of the phones that ring, the first one that is picked up wins; the others stop."""

    async def run(self) -> None:
        """To pick up is not enough: it may have been a child."""
        text = f"Alarm: {self.data['what']}. Press 1 to take it."
        taken = await self.prompt_tts(text, digits(max=1) | {"initial_timeout": 5.0}).wait()
        if taken.digits == "1":
            self.data["taken_by"] = self.to_number
            await self.play_tts("It is yours. Good luck.").wait()
        else:
            self.tell_everybody()

    def on_receive(self, message: object) -> None:
        """Nobody has picked up."""
        match message:
            case DialFailed():
                self.tell_everybody()
            case _:
                super().on_receive(message)

    def tell_everybody(self) -> None:
        """The last resort."""
        for number in [*ON_CALL, CHIEF]:
            self.app.send_message(to_number=number, from_number=CENTRE, body=f"Nobody took: {self.data['what']}")


def raise_alarm(what: str) -> CallHandle:
    """Ring those on call, all at once; if none of them answers, ring the chief."""
    team = [phone(to=number, from_=CENTRE, timeout=20) for number in ON_CALL]
    return app.dial(Alarm, [team, [phone(to=CHIEF, from_=CENTRE, timeout=30)]], what=what)
