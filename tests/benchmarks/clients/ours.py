"""Our side: each program is what a user writes. Run as a process of its own, set up by environment variables.

``python -m tests.benchmarks.clients.ours PROGRAM [--journal FILE]``. It prints ``up N`` when it
has logged in, with N calls.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from itertools import count
from typing import Any

from relay_actors import ActionCompleted, CallActor, RelayActorsError, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent, RelayEvent
from relay_actors.runtime.garbage import old_ones_set_aside

_PROMPT = {"digits": {"max": 1, "digit_timeout": 5.0}}


class Ivr(CallActor):
    """The call of the benchmark, written top to bottom."""

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("Welcome.")).wait()
        await (await self.prompt_tts("Press 1.", _PROMPT)).wait()
        await self.hangup()


class IvrMessages(CallActor):
    """The same call in message style."""

    def on_receive(self, message: Any) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.play_tts("Welcome.")
            case ActionCompleted(event=PlayEvent()):
                self.prompt_tts("Press 1.", _PROMPT)
            case ActionCompleted(event=CollectEvent()):
                self.hangup()


class IvrBlocking(Ivr):
    """The same call, and one in a hundred blocks its thread for half a second, as a slow database does."""

    async def run(self) -> None:
        if int(self.call_id[5:]) % 100 == 50:
            threading.Event().wait(0.5)
        await super().run()


class Idle(CallActor):
    """A call that is up, and whose flow waits for its end."""

    async def run(self) -> None:
        await self.answer()
        await self.wait_for_ended()


class IdleMessages(CallActor):
    """A call that is up, in message style: nothing waits."""

    def on_receive(self, message: Any) -> None:
        if isinstance(message, CallReceiveEvent):
            self.answer()


class TwoActions(CallActor):
    """A call with two operations that run."""

    async def run(self) -> None:
        await self.answer()
        await self.play_audio("https://example.com/music.mp3")
        await self.record()
        await self.wait_for_ended()


_EVENTS = count(1)
_ALL_EVENTS = int(os.environ.get("BENCH_EVENTS", "0"))


class Listens(CallActor):
    """A call that listens to its play events, and gives a command upon another event."""

    async def run(self) -> None:
        await self.answer()
        self.on("calling.call.play", self._count)
        self.on("calling.call.hold", self._react)
        await self.play_audio("https://example.com/music.mp3")
        await self.wait_for_ended()

    def _count(self, _event: RelayEvent) -> None:
        if next(_EVENTS) == _ALL_EVENTS:
            self.send_digits("1")

    def _react(self, _event: RelayEvent) -> None:
        self.send_digits("1")


class Commands(CallActor):
    """Upon each event a command, and then another one, which tells whether the first has succeeded."""

    async def run(self) -> None:
        await self.answer()
        while True:
            await self.wait_for("calling.call.hold")
            try:
                await self.play_tts("Hello.")
            except RelayActorsError:
                await self.send_digits("0")
            else:
                await self.send_digits("1")


PROGRAMS = {
    "ivr": Ivr,
    "ivr-messages": IvrMessages,
    "ivr-blocking": IvrBlocking,
    "idle": Idle,
    "idle-messages": IdleMessages,
    "two-actions": TwoActions,
    "listens": Listens,
    "commands": Commands,
}


def main() -> None:
    """Serve calls until it is killed, or until whoever has started it is gone."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.clients.ours")
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--journal")
    args = parser.parse_args()
    app = RelayApp(journal=args.journal)
    app.calls("bench")(PROGRAMS[args.program])
    app.start()
    with old_ones_set_aside():  # as `app.run()` does it, which would wait here for a signal
        print(f"up {app.calls_up}", flush=True)
        sys.stdin.read()
        os._exit(0)


if __name__ == "__main__":
    main()
