"""The application that is killed: ``python -m tests.kill9.application --port 8443 --journal calls.db``.

What it knows of a call it has from the call: no globals, no clock, no chance. So a flow that begins again, and is given
what it was given before, comes to the same place.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from relay_actors import CallActor, RelayApp
from relay_actors.cli.logs import configure_logging
from relay_actors.events import ConnectEvent
from relay_actors.params import digits, phone, speech
from tests.kill9.scripts import CALLED, DESK, OFFICE, label_of, number_of, queue_of, say

__all__ = ["make_app"]

PATIENCE = {"initial_timeout": 120.0}


class Ivr(CallActor):
    """Asks for keys, twice, and for a word; tells each time what it was given."""

    async def run(self) -> None:
        label = label_of(self.from_number)
        await self.answer()
        for turn in ("1", "2"):
            menu = self.prompt_tts(say(f"menu{turn}", label), digits(max=4, digit_timeout=30.0) | PATIENCE)
            keyed = await menu.wait()
            await self.play_tts(say(f"keyed{turn}", label, keyed.digits)).wait()
        said = await self.prompt_tts(say("name", label), speech(end_silence_timeout=1.0) | PATIENCE).wait()
        await self.play_tts(say("named", label, said.speech)).wait()
        await self.play_tts(say("done", label)).wait()


class Voicemail(CallActor):
    """Records until a key."""

    async def run(self) -> None:
        label = label_of(self.from_number)
        await self.answer()
        await self.play_tts(say("greet", label)).wait()
        recording = self.record({"beep": True, "initial_timeout": 0.0, "end_silence_timeout": 0.0, "terminators": "#"})
        left = await recording.wait()
        await self.play_tts(say("recorded", label, left.state)).wait()
        await self.play_tts(say("done", label)).wait()


class Desk(CallActor):
    """Connects the caller to a desk, until the desk hangs up."""

    async def run(self) -> None:
        label = label_of(self.from_number)
        await self.answer()
        await self.play_tts(say("greet", label)).wait()
        await self.connect(phone(to=number_of(int(label), DESK), from_=OFFICE))
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "connected")
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")
        await self.play_tts(say("done", label)).wait()


class Waiting(CallActor):
    """Waits in a queue until an agent has taken the call, and is done with it."""

    async def run(self) -> None:
        label = label_of(self.from_number)
        await self.answer()
        await self.play_tts(say("greet", label)).wait()
        await self.queue_enter(queue_of(self.from_number))
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")
        await self.play_tts(say("done", label)).wait()


class Agent(CallActor):
    """Takes the first one out of a queue, now or when there is one, until a key is pressed."""

    async def run(self) -> None:
        label = label_of(self.from_number)
        await self.answer()
        await self.play_tts(say("ready", label)).wait()
        key = await self.collect(digits={"max": 1}, initial_timeout=0.0)
        await self.connect({"type": "queue", "params": {"queue_name": queue_of(self.from_number)}})
        pressed = await key.wait()
        await self.disconnect()
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")
        await self.play_tts(say("keyed", label, pressed.digits)).wait()
        await self.play_tts(say("done", label)).wait()


class Callback(CallActor):
    """Has somebody called, once: a flow that is run again does not dial again."""

    async def run(self) -> None:
        label = label_of(self.from_number)
        await self.answer()
        await self.play_tts(say("promise", label)).wait()
        number = number_of(int(label), CALLED)
        self.app.dial(Called, phone(to=number, from_=OFFICE), label=label_of(number))
        await self.play_tts(say("done", label)).wait()


class Called(CallActor):
    """The call that somebody has asked for; it begins when it is answered."""

    async def run(self) -> None:
        label = self.data["label"]
        confirmed = await self.prompt_tts(say("confirm", label), digits(max=1) | PATIENCE).wait()
        await self.play_tts(say("keyed", label, confirmed.digits)).wait()
        await self.play_tts(say("done", label)).wait()


def make_app(port: int, journal: str) -> RelayApp:
    """Return the application; it finds the simulator at this port."""
    app = RelayApp("project", "token", host=f"127.0.0.1:{port}", scheme="ws", journal=journal, max_active_calls=100_000)
    for context, handles in (
        ("ivr", Ivr),
        ("voicemail", Voicemail),
        ("desk", Desk),
        ("waiting", Waiting),
        ("agent", Agent),
        ("callback", Callback),
    ):
        app.calls(context)(handles)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until SIGTERM, or until it is killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill9.application", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--journal", required=True)
    options = parser.parse_args(arguments)
    configure_logging("INFO")
    make_app(options.port, options.journal).run(drain_s=5.0)


if __name__ == "__main__":
    main()
