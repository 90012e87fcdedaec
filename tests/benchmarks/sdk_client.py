"""The official SDK's side of the call benchmark; runs in its own environment, unchanged SDK."""

from __future__ import annotations

import os
import sys


def main(port: int) -> None:
    """Serve calls until the server goes away."""
    from signalwire.relay import RelayClient

    client = RelayClient(
        project="p", token="bench-token", host=f"localhost:{port}", contexts=["bench"], max_active_calls=100_000
    )

    @client.on_call
    async def on_call(call):  # type: ignore[no-untyped-def]
        await call.answer()
        play = await call.play([{"type": "tts", "params": {"text": "Welcome."}}])
        await play.wait()
        prompt = await call.play_and_collect(
            [{"type": "tts", "params": {"text": "Press 1."}}], {"digits": {"max": 1, "digit_timeout": 5.0}}
        )
        await prompt.wait()
        await call.hangup()

    client.run()


if __name__ == "__main__":
    os.environ.setdefault("SIGNALWIRE_LOG_LEVEL", "critical")
    main(int(sys.argv[1]))
