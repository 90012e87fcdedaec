"""The official SDK's side, unchanged SDK, in its own environment; each program is what a user writes.

``python tests/benchmarks/clients/official.py PROGRAM``, set up by environment variables.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

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


PROGRAMS = {"ivr": ivr, "ivr-blocking": ivr_blocking}


def main(program: str) -> None:
    """Serve calls until it is killed."""
    from signalwire.relay import RelayClient  # type: ignore[import-not-found]  # in its own environment only

    client = RelayClient(contexts=["bench"])
    client.on_call(PROGRAMS[program])
    client.run()


if __name__ == "__main__":
    main(sys.argv[1])
