"""Code that crashes, and what its callers notice of it."""

from relay_actors import CallActor, RelayApp

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


class Apology(CallActor):
    """Takes over a call whose actor has crashed too often."""

    async def run(self) -> None:
        """Say at least something. Leaving ``run`` hangs up."""
        await self.play_tts("We are out of order. Please call later.").wait()


@app.calls("polite-shops")
class PoliteShopFinder(ShopFinder):
    """The same, but its callers are told."""

    given_up_to = Apology
