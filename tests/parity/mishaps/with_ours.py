"""The same application as `with_sdk`, written for relay_actors."""

from __future__ import annotations

import os
import time
from threading import Event

from relay_actors import CallActor, MessageActor, RelayApp
from relay_actors.events import ConnectEvent, MessageReceiveEvent
from relay_actors.params import phone
from tests.parity.mishaps.numbers import BRIDGE, DESK, FAX_MACHINE, OFFICE
from tests.parity.mishaps.reports import report
from tests.parity.mishaps.words import (
    ASK,
    CONFIRMATION,
    CONNECTOR,
    GREETING,
    INVOICE,
    MENU,
    MOMENT,
    NOTICE,
    PAID,
    PROMPT,
    REMINDER,
    RESULT,
    STILL_THERE,
    THANKS,
    WISH_FOR,
    YEAR,
    YOU_PRESSED,
    YOU_SAID,
)

app = RelayApp(journal=os.environ.get("JOURNAL"))


class Told(CallActor):
    """Tells that its handler has begun and ended."""

    async def run(self) -> None:
        """Run the story; leaving it hangs up."""
        who = self.data.get("number") or self.from_number
        report("begun", who)
        try:
            await self.story()
        except Exception as error:
            report("failed", who, f"{type(error).__name__}: {error}")
            raise
        finally:
            report("over", who)

    async def story(self) -> None:
        raise NotImplementedError


@app.calls("office")
class Office(Told):
    """A menu, a notice, and that is all."""

    async def story(self) -> None:
        await self.answer()
        await self.prompt_tts(MENU, {"digits": {"max": 1}, "initial_timeout": 60.0}).wait()
        await self.play_tts(NOTICE).wait()


@app.calls("look-up")
class LookUp(Told):
    """Something takes a moment to be looked up."""

    async def story(self) -> None:
        await self.answer()
        await self.play_tts(MOMENT).wait()
        await self.sleep(1.5)
        await self.play_tts(RESULT).wait()


@app.calls("bridge")
class Bridge(Told):
    """Connect the caller to the desk, until one of them hangs up."""

    async def story(self) -> None:
        await self.answer()
        await self.connect([[phone(to=DESK, from_=BRIDGE)]])
        await self.next(ConnectEvent, where=lambda event: event.connect_state in ("disconnected", "failed"))


@app.calls("crashing")
class Crashing(Told):
    """There is a bug in this one."""

    async def story(self) -> None:
        await self.answer()
        await self.play_tts(GREETING).wait()
        raise KeyError("a bug")


@app.calls("blocking")
class Blocking(Office):
    """This one calls something that blocks for three seconds."""

    async def story(self) -> None:
        await self.answer()
        Event().wait(3.0)  # a slow database, seen from here
        await super().story()


@app.calls("announced")
class Announced(Told):
    """Connect the caller to the desk, and wait until somebody answers there."""

    async def story(self) -> None:
        await self.answer()
        await self.connect([[phone(to=DESK, from_=BRIDGE)]])
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "connected")
        await self.wait_for_ended()


@app.calls("ringing")
class Ringing(Told):
    """Let it ring for a moment; greet as soon as the call is answered."""

    async def story(self) -> None:
        await self.sleep(1.0)
        self.answer()
        await self.wait_for_answered()
        await self.wait_for_ringing()
        await self.play_tts(GREETING).wait()


@app.calls("patient")
class Patient(Told):
    """Ask after a while whether somebody is still there; send a text when the call has ended."""

    async def story(self) -> None:
        await self.answer()
        try:
            await self.wait_for_ending(timeout=1.0)
        except TimeoutError:
            self.play_tts(STILL_THERE)
            await self.wait_for_ending()
        self.app.send_message(to_number=self.from_number, from_number=OFFICE, body=THANKS + self.end_reason)


@app.calls("account")
class Account(Told):
    """Ask for a number, with news of each digit; say it."""

    async def story(self) -> None:
        await self.answer()
        collect = {"digits": {"max": 3}, "initial_timeout": 60.0, "partial_results": True}
        asked = await self.prompt_tts(ASK, collect).wait()
        await self.play_tts(YOU_PRESSED + asked.digits).wait()


@app.calls("wish")
class Wish(Told):
    """Ask for a wish, with news of its beginning; say it."""

    async def story(self) -> None:
        await self.answer()
        self.play_tts(WISH_FOR)
        asked = await self.collect(speech={}, initial_timeout=60.0, send_start_of_input=True).wait()
        await self.play_tts(YOU_SAID + asked.speech).wait()


@app.calls("clock")
class Clock(Told):
    """Tell which year it was when the prompt ended."""

    async def story(self) -> None:
        await self.answer()
        finished = await self.play_tts(MOMENT).wait()
        await self.play_tts(YEAR + str(time.gmtime(finished.timestamp).tm_year)).wait()


@app.calls("agent")
class Agent(Told):
    """Let an agent talk to the caller."""

    async def story(self) -> None:
        await self.answer()
        await self.ai(prompt=PROMPT).wait()


@app.calls("till")
class Till(Told):
    """Take a payment."""

    async def story(self) -> None:
        await self.answer()
        await self.pay(CONNECTOR, charge_amount="25.99").wait()
        await self.play_tts(PAID).wait()


@app.calls()
class Shop(Office):
    """The calls of a context that is opened later."""


class Fax(Told):
    """Send the invoice."""

    async def story(self) -> None:
        await self.send_fax(INVOICE).wait()


class Reminder(Told):
    """Say something to whom we have called."""

    async def story(self) -> None:
        await self.play_tts(REMINDER).wait()


@app.messages("texts")
class Inbox(MessageActor):
    """Do what the text asks for."""

    def on_receive(self, message: object) -> None:
        match message:
            case MessageReceiveEvent(body="call me", from_number=number):
                self.app.dial(Reminder, phone(to=number, from_=OFFICE), dial_timeout=20.0, number=number)
            case MessageReceiveEvent(body="call me at once", from_number=number):
                self.app.dial(Reminder, phone(to=number, from_=OFFICE), dial_timeout=1.0, number=number)
            case MessageReceiveEvent(body="fax it", from_number=number):
                self.app.dial(Fax, phone(to=FAX_MACHINE, from_=OFFICE), number=number)
            case MessageReceiveEvent(body="open the shop"):
                self.app.receive(["shop"])
            case MessageReceiveEvent(from_number=number):
                report("begun", number)
                self.app.send_message(
                    to_number=number,
                    from_number=OFFICE,
                    body=CONFIRMATION,
                    on_completed=lambda _event: report("over", number),
                )
            case _:
                super().on_receive(message)


if __name__ == "__main__":
    app.run()
