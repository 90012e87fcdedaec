"""Answers every text with what it said."""

from relay_actors import MessageActor, RelayApp
from relay_actors.events import MessageReceiveEvent

app = RelayApp()


@app.messages("echo")
class Echo(MessageActor):
    """One text that came in. Every text to the context ``echo`` gets an actor of its own."""

    def on_receive(self, message: object) -> None:
        """Handle the text; the actor then ends."""
        match message:
            case MessageReceiveEvent(body=body):
                self.reply(f"You wrote: {body}")
            case _:
                super().on_receive(message)


def notify(number: str, body: str) -> str:
    """Send a text, and return what became of it: ``delivered``, ``undelivered`` or ``failed``."""
    sent = app.send_message(to_number=number, from_number="+15550100100", body=body)
    last = sent.wait(timeout=60).get()
    return str(last.message_state)
