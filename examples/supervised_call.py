"""Copies a conversation to a trainer's telephone as RTP, from when both talk to when one of them hangs up."""

import os

from relay_actors import CallActor, RelayApp
from relay_actors.events import ConnectEvent
from relay_actors.params import phone, rtp, tap_audio

app = RelayApp()

TRAINEE = "+15550100200"
TRAINER = ("203.0.113.20", int(os.environ.get("TRAINER_PORT", "5004")))
"""The real service sends to public addresses only."""


@app.calls("training")
class Supervised(CallActor):
    """One caller who has agreed to it."""

    async def run(self) -> None:
        """Both sides are copied; nothing of it passes through here."""
        await self.answer()
        await self.play_tts("A trainer listens.").wait()
        await self.connect(phone(to=TRAINEE, from_=self.to_number, timeout=30))
        bridge = await self.next(ConnectEvent, where=lambda event: event.connect_state in ("connected", "failed"))
        if bridge.connect_state == "failed":
            await self.play_tts("Nobody is there.").wait()
            return
        address, port = TRAINER
        tap = self.tap(tap_audio("both"), rtp(address, port, codec="PCMU", ptime=20))
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")
        await tap.stop()
        self.data["tap"] = (await tap.wait(timeout=10)).state


if __name__ == "__main__":
    app.run()
