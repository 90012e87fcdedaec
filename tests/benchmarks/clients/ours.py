"""Our side: each program is what a user writes. Run as a process of its own, set up by environment variables.

``python -m tests.benchmarks.clients.ours PROGRAM [--journal FILE]``. It prints ``up N`` when it
has logged in, with N calls.
"""

from __future__ import annotations

import argparse
import signal
import threading
from typing import Any

from relay_actors import ActionCompleted, CallActor, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent

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


PROGRAMS = {"ivr": Ivr, "ivr-messages": IvrMessages, "ivr-blocking": IvrBlocking}


def main() -> None:
    """Serve calls until it is killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.clients.ours")
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--journal")
    args = parser.parse_args()
    app = RelayApp(journal=args.journal)
    app.calls("bench")(PROGRAMS[args.program])
    app.start()
    print(f"up {app.calls_up}", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
