"""Code that crashes, and what its callers notice of it."""

from typing import ClassVar

from relay_actors import Apologise, CallActor, HandTo, HangUp, LeaveUp, RelayApp, TransferTo

app = RelayApp()

SHOPS = {"10115": "Chausseestrasse 8", "20095": "Rathausmarkt 1"}


@app.calls("shops")
class ShopFinder(CallActor):
    """Looks up a postcode, and crashes on one that it does not know: the flow begins anew, and asks again."""

    max_restarts = 2
    within_s = 30.0

    async def run(self) -> None:
        """Everything that is worth keeping goes into ``self.data``: it outlives a crash."""
        await self.answer()  # sends nothing the second time: the call is answered already
        if self.data.get("has_asked"):
            await self.play_tts("Sorry, something went wrong.").wait()
        self.data["has_asked"] = True
        menu = self.prompt_tts("Please press your postcode.", {"digits": {"max": 5}})
        shop = SHOPS[(await menu.wait()).digits]
        await self.play_tts(f"Our shop is at {shop}.").wait()


@app.calls("polite-shops")
class PoliteShopFinder(ShopFinder):
    """The same, but its callers are told."""

    on_give_up = Apologise("We are out of order. Please call later.")


class Voicemail(CallActor):
    """Takes over a call whose actor has crashed too often."""

    async def run(self) -> None:
        """Leaving ``run`` hangs up."""
        await self.answer()
        await self.play_tts("We cannot look that up today. Please leave a message.").wait()
        await self.record(audio={"direction": "listen", "beep": True, "end_silence_timeout": 3.0}).wait()


@app.calls("patient-shops")
class PatientShopFinder(ShopFinder):
    """The same, but its callers may leave a message."""

    on_give_up = HandTo(Voicemail)


@app.calls("busy-shops")
class BusyShopFinder(ShopFinder):
    """Says it by phase: who is not answered yet, and who is, but two who talk to each other."""

    on_give_up: ClassVar = {
        "before_answer": HangUp("busy"),
        "answered": TransferTo("context:patient-shops"),
        "bridged": LeaveUp(),
    }
