"""A number for people and fax machines: faxes come in as documents, people leave their number; and faxes go out."""

import dataclasses
from dataclasses import dataclass

from relay_actors import CallActor, DialFailed, RelayApp, ServiceActor
from relay_actors.params import digits, phone

app = RelayApp()

OFFICE, CLERK = "+15550100100", "+15550100200"
ATTEMPTS = 3
AGAIN_S = 300.0


def tell_clerk(what: str) -> None:
    """Send a text to whoever looks after the faxes."""
    app.send_message(to_number=CLERK, from_number=OFFICE, body=what)


@app.calls("fax")
class Inbox(CallActor):
    """One call of a person or of a machine."""

    async def run(self) -> None:
        """A machine whistles; whoever does not whistle is a person."""
        await self.answer()
        if (await self.detect_fax(tone="CNG", timeout=3.0).wait()).verdict != "CNG":
            entered = await self.prompt_tts("Your number, please.", digits(max=12, terminators="#")).wait()
            tell_clerk(f"Call {entered.digits or self.from_number} back.")
            return
        fax = await self.receive_fax().wait()
        if fax.success:
            tell_clerk(f"A fax of {fax.pages} pages from {self.from_number}: {fax.document}")
        else:
            tell_clerk(f"A fax from {self.from_number} broke off after {fax.pages} pages.")


@dataclass(frozen=True)
class Fax:
    """One that is to go out."""

    number: str
    document: str
    attempt: int = 1


@dataclass(frozen=True)
class NotSent:
    """What an attempt says that came to nothing."""

    fax: Fax


class Outbox(CallActor):
    """One attempt to send one fax. It lives no longer than its call, so what comes later is not its business."""

    async def run(self) -> None:
        """A fax that did not get through is over all the same: only ``success`` tells."""
        fax: Fax = self.data["fax"]
        sent = await self.send_fax(fax.document, identity=OFFICE, header_info="Harbour Boats").wait()
        if sent.success:
            tell_clerk(f"{sent.pages} pages have gone to {fax.number}.")
        else:
            self.give_back()

    def on_receive(self, message: object) -> None:
        """Nobody has answered: there is no call."""
        match message:
            case DialFailed():
                self.give_back()
            case _:
                super().on_receive(message)

    def give_back(self) -> None:
        """Let the one try again that is still there later."""
        outgoing = self.app.lookup("outgoing")
        if outgoing is not None:
            outgoing.tell(NotSent(self.data["fax"]))


class Outgoing(ServiceActor):
    """Dials, and dials again. It is started with the application, and outlives every call."""

    def on_receive(self, message: object) -> None:
        """A timer of this actor's tells it after a while to send the same fax once more."""
        match message:
            case Fax(number=number):
                self.app.dial(Outbox, phone(to=number, from_=OFFICE, timeout=30), fax=message)
            case NotSent(fax=fax) if fax.attempt < ATTEMPTS:
                again = dataclasses.replace(fax, attempt=fax.attempt + 1)
                self.start_timer(again, again, AGAIN_S)
            case NotSent(fax=fax):
                tell_clerk(f"The fax to {fax.number} did not get through.")
            case _:
                super().on_receive(message)


app.service(Outgoing, name="outgoing")


def send(number: str, document: str) -> None:
    """Fax the document at a URL; returns at once, from any thread."""
    outgoing = app.lookup("outgoing")
    if outgoing is None:
        raise RuntimeError("the outbox is being restarted: try again")
    outgoing.tell(Fax(number, document))


if __name__ == "__main__":
    app.run()
