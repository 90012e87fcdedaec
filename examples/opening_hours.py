"""Opens and closes a shop's line by a text of its owner: contexts may be taken and left while the application runs."""

from relay_actors import CallActor, MessageActor, RelayApp
from relay_actors.events import MessageReceiveEvent

app = RelayApp()

OWNER = "+15550100102"


class Shop(CallActor):
    """One customer."""

    async def run(self) -> None:
        """Only while the shop is open."""
        await self.answer()
        await self.play_tts("The shop is open. Come and see us!").wait()


app.calls()(Shop)  # without a context of its own: whatever call comes in


@app.messages("owner")
class Switch(MessageActor):
    """One text of the owner; what others write is not obeyed."""

    def on_receive(self, message: object) -> None:
        """Take the shop's calls from now on, or no more; those that are up go on."""
        match message:
            case MessageReceiveEvent(from_number=number, body=body) if number == OWNER:
                match body.strip().lower():
                    case "open":
                        self.app.receive(["shop"]).get(timeout=10)
                        self.reply("The line is open.")
                    case "close":
                        self.app.unreceive(["shop"]).get(timeout=10)
                        self.reply("The line is closed.")
                    case _:
                        self.reply("Write open, or close.")
            case MessageReceiveEvent():
                self.reply("This number is for the owner of the shop.")
            case _:
                super().on_receive(message)


if __name__ == "__main__":
    app.run()
