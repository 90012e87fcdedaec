"""Applications, and what they and the server said to each other in the lab, for tests of recordings."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from relay_actors import CallActor, MessageActor, RelayApp
from relay_actors.journal.base import Store
from relay_actors.journal.entries import Entry
from relay_actors.journal.memory import MemoryStore
from relay_actors.simulator.wire_log import LoggedFrame
from relay_actors.testing.lab import Lab
from relay_actors.testing.said import Said

__all__ = ["AGENT", "CALLER", "OTHER", "STORIES", "Correspondent", "Ivr", "Keeping", "Operator", "Reminder", "an_app"]
__all__ += ["calls_again", "lived"]

CALLER, AGENT, OTHER, OURS = "+12025550111", "+12025550122", "+12025550133", "+12025550144"


class Ivr(CallActor):
    """Greets, asks, records, says what was pressed."""

    greeting = "Welcome to the company."

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts(self.greeting)).wait()
        asked = await self.prompt_tts("Press two keys.", {"digits": {"max": 2}, "initial_timeout": 60.0})
        keys = (await asked.wait()).digits
        recording = await self.record({"initial_timeout": 0.0, "end_silence_timeout": 0.0})
        await self.sleep(2.0)
        await recording.stop()
        await (await self.play_tts(f"You have pressed {keys}.")).wait()
        await self.hangup()


class Operator(CallActor):
    """Connects the caller to somebody, and says goodbye when that one has gone."""

    async def run(self) -> None:
        await self.answer()
        parted = self.wait_for("calling.call.connect", lambda event: event.connect_state == "disconnected")
        await self.connect([[device(AGENT)]])
        await parted
        await (await self.play_tts(f"Goodbye, {self.from_number}.")).wait()
        await self.hangup()


class Reminder(CallActor):
    """Says something to who answers."""

    async def run(self) -> None:
        await (await self.play_tts("This is your reminder.")).wait()
        await self.hangup("hangup")


class Correspondent(MessageActor):
    """Answers a text."""

    def on_receive(self, message: object) -> None:
        self.reply("Thank you.")


class Keeping(MemoryStore):
    """A journal of somebody who forgets nothing."""

    def forget(self, subject: str) -> None:
        """Keep it."""


def an_app(actor_class: type[CallActor] = Ivr, **settings: Any) -> RelayApp:
    """Return an application whose calls are handled by this class."""
    app = RelayApp(**settings)
    app.calls("support")(actor_class)
    app.messages("support")(Correspondent)
    return app


def device(number: str) -> dict[str, Any]:
    return {"type": "phone", "params": {"from_number": OURS, "to_number": number}}


def calls_again(app: RelayApp, command: Said) -> object:
    """Do from outside what was done when it was recorded."""
    if command.name == "calling.dial":
        return app.dial(Reminder, command.body["devices"])
    texts = {name: value for name, value in command.body.items() if name != "context"}
    return app.send_message(**texts)


def an_ivr(lab: Lab) -> None:
    lab.start(an_app(Ivr), journal=journal_of(lab))
    lab.phone(CALLER).reacts("press two keys", presses="12")
    lab.phone(CALLER).dials(context="support").hears("you have pressed 12").is_hung_up()


def a_bridge(lab: Lab) -> None:
    lab.start(an_app(Operator), journal=journal_of(lab))
    agent = lab.phone(AGENT).answers_after(1.0)
    caller = lab.phone(CALLER).dials(context="support")
    lab.advance(10.0)
    agent.hangs_up()
    caller.hears("goodbye").is_hung_up()


def a_dial(lab: Lab) -> None:
    app = lab.start(an_app(), journal=journal_of(lab))
    lab.phone(AGENT).never_answers()
    lab.phone(OTHER).answers_after(2.0)
    lab.advance(5.0)
    app.dial(Reminder, [[device(AGENT), device(OTHER)]], tag="t").wait_for_ended().get(timeout=60.0)


def texts(lab: Lab) -> None:
    app = lab.start(an_app(), journal=journal_of(lab))
    lab.phone(CALLER).texts("Are you there?", context="support")
    lab.advance(20.0)
    app.send_message(to_number=AGENT, from_number=OURS, body="Hello.")
    lab.advance(20.0)


STORIES: dict[str, Callable[[Lab], None]] = {"an IVR": an_ivr, "a bridge": a_bridge, "a dial": a_dial, "texts": texts}

_JOURNALS: dict[int, Store] = {}


def journal_of(lab: Lab) -> Store:
    return _JOURNALS[id(lab)]


@functools.cache
def lived(story: str, seed: int = 1) -> tuple[tuple[LoggedFrame, ...], tuple[Entry, ...]]:
    """Let a story happen, and return its frames and its journal, up to its end."""
    with Lab(seed) as lab:
        store = _JOURNALS[id(lab)] = Keeping()
        try:
            STORIES[story](lab)
            lab.settle()
            return tuple(lab.sim.frames), tuple(store.load())
        finally:
            del _JOURNALS[id(lab)]
