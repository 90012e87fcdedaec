"""The same application as `with_sdk`, written for relay_actors."""

from __future__ import annotations

import os
from threading import Event

from relay_actors import CallActor, MessageActor, RelayApp
from relay_actors.events import ConnectEvent, MessageReceiveEvent
from relay_actors.params import phone
from tests.parity.mishaps.numbers import BRIDGE, DESK, OFFICE
from tests.parity.mishaps.reports import report
from tests.parity.mishaps.words import CONFIRMATION, GREETING, MENU, MOMENT, NOTICE, REMINDER, RESULT

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
