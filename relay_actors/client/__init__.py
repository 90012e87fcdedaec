"""The asyncio API of RELAY applications: `RelayClient`, `Call`, `Message`, on top of the same actors. Layer: door.

::

    client = RelayClient(contexts=["office"])

    @client.on_call
    async def handle(call: Call) -> None:
        await call.answer()
        await (await call.play_tts("Goodbye.")).wait()
        await call.hangup()

    client.run()

Actions, events, constants and errors are those of `relay_actors`, `relay_actors.events`, `relay_actors.constants` and
`relay_actors.errors`.
"""

from relay_actors.client.call import Call
from relay_actors.client.message import Message
from relay_actors.client.relay_client import RelayClient

__all__ = ["Call", "Message", "RelayClient"]
