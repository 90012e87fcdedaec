"""Streams what a caller says to a WebSocket while an agent talks to them: for captions, or to understand speech."""

import os

from relay_actors import CallActor, RelayApp
from relay_actors.events import CallingErrorEvent, ConnectEvent
from relay_actors.params import phone

app = RelayApp()

AGENT = "+15550100200"
LISTENER = os.environ.get("LISTENER_URL", "wss://captions.example.com/calls")
"""It gets texts: ``start``, then a ``media`` every 20 ms with mu-law sound in base64, ``dtmf``, and ``stop``."""


@app.calls("captions")
class Captioned(CallActor):
    """One caller whose words are written down elsewhere."""

    async def run(self) -> None:
        """The stream goes from the server to the listener: no sound passes through here."""
        await self.answer()
        self.on("calling.error", self.note)
        stream = self.stream(
            LISTENER,
            name="captions",
            codec="PCMU",
            track="inbound_track",
            authorization_bearer_token=os.environ.get("LISTENER_TOKEN", "a-secret"),
            custom_parameters={"caller": self.from_number},
        )
        await self.connect(phone(to=AGENT, from_=self.to_number, timeout=30))
        await self.next(ConnectEvent, where=lambda event: event.connect_state in ("failed", "disconnected"))
        await stream.stop()
        await self.play_tts("Goodbye.").wait()

    def note(self, event: CallingErrorEvent) -> None:
        """A listener that is down is no reason to let a caller wait."""
        self.log.warning("no captions for this call: %s", event.message)
        self.data["has_captions"] = False


if __name__ == "__main__":
    app.run()
