"""Snippets on keys: one for each verb of `actors/verbs/keys.py`, called at the context of its name."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import SendDigitsEvent
from relay_actors.params import tts

app = RelayApp()


@app.calls("send_digits")
class Doorkeeper(CallActor):
    """Opens to whoever calls from the telephone at the door: 9, half a second, 9."""

    async def run(self) -> None:
        await self.answer()
        await self.send_digits("9w9")
        await self.next(SendDigitsEvent, where=lambda event: event.state == "finished")
        await self.play_tts("The door is open.").wait()


@app.calls("bind_digit")
class Help(CallActor):
    """Has the server itself say the rules whenever star is pressed."""

    async def run(self) -> None:
        await self.answer()
        rules = {"control_id": "rules", "play": [tts("Hang up when you are done.")]}
        await self.bind_digit("*", "calling.play", bind_params=rules, realm="help")
        await self.play_tts("For help, press star at any time.").wait()
        await self.wait_for_ended()


@app.calls("clear_digit_bindings")
class NoMoreHelp(CallActor):
    """Binds star, and takes it back when it was of use."""

    async def run(self) -> None:
        await self.answer()
        rules = {"control_id": "rules", "play": [tts("Hang up when you are done.")]}
        await self.bind_digit("*", "calling.play", bind_params=rules, realm="help")
        is_used = self.wait_for("calling.call.play", lambda event: event.control_id == "rules")
        await self.play_tts("For help, press star now.").wait()
        await is_used
        await self.clear_digit_bindings(realm="help")
        await self.prompt_tts("That was all. Press any key.", {"digits": {"max": 1}}).wait()
