"""An application for `RelayClient` that can be killed: ``python -m tests.client.menu``. It keeps a journal."""

from __future__ import annotations

import os

from relay_actors.client import Call, RelayClient

client = RelayClient(contexts=["office"], journal=os.environ["JOURNAL"])


@client.on_call
async def serve(call: Call) -> None:
    """A menu, again from the beginning whenever it is begun again."""
    print(f"serving in state {call.state}", flush=True)  # noqa: T201  # the test reads it
    await call.answer()
    menu = await call.prompt_tts("Press 1.", {"digits": {"max": 1}, "initial_timeout": 60.0})
    digits = (await menu.wait()).digits
    await (await call.play_tts(f"You have pressed {digits}.")).wait()
    await call.hangup()


if __name__ == "__main__":
    client.run()
