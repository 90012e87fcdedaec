"""Our side of the call benchmark: the call of `call_server`, written in both styles. Run as a process of its own."""

from __future__ import annotations

import sys
from typing import Any

from relay_actors import ActionCompleted, CallActor, RelayApp, Timing
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent

_PROMPT = {"digits": {"max": 1, "digit_timeout": 5.0}}


class Messages(CallActor):
    """The call in message style."""

    def on_receive(self, message: Any) -> None:
        """Do the next thing."""
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.play_tts("Welcome.")
            case ActionCompleted(event=PlayEvent()):
                self.prompt_tts("Press 1.", _PROMPT)
            case ActionCompleted(event=CollectEvent()):
                self.hangup()


class Flow(CallActor):
    """The same call as a flow."""

    async def run(self) -> None:
        """Do it all."""
        await self.answer()
        await (await self.play_tts("Welcome.")).wait()
        await (await self.prompt_tts("Press 1.", _PROMPT)).wait()
        await self.hangup()


def main(port: int, ca_file: str, style: str, journal: str | None) -> None:
    """Serve calls until the server goes away."""
    app = RelayApp(
        project="p", token="bench-token", host=f"localhost:{port}", ca_file=ca_file, contexts=["bench"],
        journal=journal, timing=Timing(linger_s=0.05), max_active_calls=100_000,
    )  # fmt: skip
    app.calls("bench")(Flow if style == "flow" else Messages)
    app.start()
    connection = app._running().wire
    while not connection.ended.is_settled and connection.lost_at is None:
        try:
            connection.ended.get(timeout=0.2)
        except TimeoutError:
            continue
    app.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None)
