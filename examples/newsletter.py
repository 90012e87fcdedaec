"""A newsletter by text, with pictures: people join and leave by texts, and a long-lived actor knows who reads it."""

from dataclasses import dataclass

from relay_actors import MessageActor, RelayApp, ServiceActor
from relay_actors.events import MessageReceiveEvent, MessageStateEvent

app = RelayApp()

NUMBER, EDITOR = "+15550100100", "+15550100101"


@dataclass(frozen=True)
class Publish:
    """Send an issue to everybody."""

    body: str
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sent:
    """What became of one text."""

    number: str
    event: MessageStateEvent


class Newsletter(ServiceActor):
    """Knows its readers. Started with the application, and alone with its list: so no lock is needed."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[str] = set()
        self.on_their_way = 0
        self.delivered = 0

    def on_receive(self, message: object) -> None:
        """Keep the list, send, and count."""
        match message:
            case ("join", str(number)):
                self.readers.add(number)
            case ("stop", str(number)):
                self.readers.discard(number)
            case Publish():
                for number in sorted(self.readers):
                    self.send(number, message)
            case Sent(number=number, event=event):
                self.count(number, event.message_state)
            case _:
                super().on_receive(message)

    def send(self, number: str, issue: Publish) -> None:
        """Send one text; its last state comes back as a message like any other."""
        self.on_their_way += 1
        self.app.send_message(
            to_number=number,
            from_number=NUMBER,
            body=issue.body,
            media=issue.pictures or None,
            tags=["newsletter"],
            on_completed=lambda event: self.actor_ref.tell(Sent(number, event)),
        )

    def count(self, number: str, state: str) -> None:
        """Strike a number off that takes no texts, and report to the editor when nothing is on its way any more."""
        self.on_their_way -= 1
        self.delivered += state == "delivered"
        if state in ("undelivered", "failed"):  # and not "unknown", which says nothing of the number
            self.readers.discard(number)
        if not self.on_their_way:
            self.app.send_message(to_number=EDITOR, from_number=NUMBER, body=f"{self.delivered} texts have arrived.")
            self.delivered = 0


app.service(Newsletter, name="newsletter")


@app.messages("newsletter")
class Inbox(MessageActor):
    """One text of a reader."""

    def on_receive(self, message: object) -> None:
        """Both words are told to the newsletter; anything else is answered."""
        match message:
            case MessageReceiveEvent(body=body, from_number=number):
                word = body.strip().lower()
                newsletter = self.app.lookup("newsletter")
                if word in ("join", "stop") and newsletter is not None:
                    newsletter.tell((word, number))
                    self.reply("Welcome on board." if word == "join" else "You will not hear from us again.")
                else:
                    self.reply("Write JOIN to read us, and STOP to leave.")
            case _:
                super().on_receive(message)


def publish(body: str, *pictures: str) -> None:
    """Send an issue to everybody; returns at once, from any thread."""
    newsletter = app.lookup("newsletter")
    if newsletter is None:
        raise RuntimeError("the newsletter is being restarted: try again")
    newsletter.tell(Publish(body, pictures))


if __name__ == "__main__":
    app.run()
