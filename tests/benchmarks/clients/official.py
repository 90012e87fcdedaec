"""The official SDK's side, unchanged SDK, in its own environment; each program is what a user writes.

``python tests/benchmarks/clients/official.py PROGRAM``, set up by environment variables.
"""

from __future__ import annotations

import os
import sys
import threading
from itertools import count
from typing import Any

from signalwire.relay import RelayClient, RelayError  # type: ignore[import-not-found]  # in its own environment only

_PROMPT = {"digits": {"max": 1, "digit_timeout": 5.0}}


async def ivr(call: Any) -> None:
    """The call of the benchmark."""
    await call.answer()
    await (await call.play_tts("Welcome.")).wait()
    await (await call.prompt_tts("Press 1.", _PROMPT)).wait()
    await call.hangup()


async def ivr_blocking(call: Any) -> None:
    """The same call, and one in a hundred blocks its thread for half a second, as a slow database does."""
    if int(call.call_id[5:]) % 100 == 50:
        threading.Event().wait(0.5)
    await ivr(call)


async def idle(call: Any) -> None:
    """A call that is up, and whose handler waits for its end."""
    await call.answer()
    await call.wait_for_ended()


async def idle_returned(call: Any) -> None:
    """A call that is up, and whose handler has returned."""
    await call.answer()


async def two_actions(call: Any) -> None:
    """A call with two operations that run."""
    await call.answer()
    await call.play_audio("https://example.com/music.mp3")
    await call.record()
    await call.wait_for_ended()


_EVENTS = count(1)
_ALL_EVENTS = int(os.environ.get("BENCH_EVENTS", "0"))


async def listens(call: Any) -> None:
    """A call that listens to its play events, and gives a command upon another event."""

    async def react(_event: Any) -> None:
        await call.send_digits("1")

    def add_one(event: Any) -> Any:
        return react(event) if next(_EVENTS) == _ALL_EVENTS else None

    await call.answer()
    call.on("calling.call.play", add_one)
    call.on("calling.call.hold", react)
    await call.play_audio("https://example.com/music.mp3")
    await call.wait_for_ended()


async def commands(call: Any) -> None:
    """Upon each event a command, and then another one, which tells whether the first has succeeded."""
    await call.answer()
    while True:
        await call.wait_for("calling.call.hold")
        try:
            await call.play_tts("Hello.")
        except RelayError:
            await call.send_digits("0")
        else:
            await call.send_digits("1")


PROGRAMS = {
    "ivr": ivr,
    "ivr-blocking": ivr_blocking,
    "idle": idle,
    "idle-messages": idle_returned,
    "two-actions": two_actions,
    "listens": listens,
    "commands": commands,
}


def _end_with_the_harness() -> None:
    sys.stdin.read()
    os._exit(0)


def main(program: str) -> None:
    """Serve calls until it is killed, or until whoever has started it is gone."""
    threading.Thread(target=_end_with_the_harness, daemon=True).start()
    client = RelayClient(contexts=["bench"])
    client.on_call(PROGRAMS[program])
    client.run()


if __name__ == "__main__":
    main(sys.argv[1])
