"""A number for people and fax machines: faxes come in as documents, people leave their number; and faxes go out."""

from relay_actors import CallActor, CallHandle, RelayApp
from relay_actors.params import digits, phone

app = RelayApp()

OFFICE, CLERK = "+15550100100", "+15550100200"


@app.calls("fax")
class Inbox(CallActor):
    """One call of a person or of a machine."""

    async def run(self) -> None:
        """A machine whistles; whoever does not whistle is a person."""
        await self.answer()
        if (await self.detect_fax(tone="CNG", timeout=3.0).wait()).verdict != "CNG":
            entered = await self.prompt_tts("Your number, please.", digits(max=12, terminators="#")).wait()
            self.tell_clerk(f"Call {entered.digits or self.from_number} back.")
            return
        fax = await self.receive_fax().wait()
        if fax.success:
            self.tell_clerk(f"A fax of {fax.pages} pages from {self.from_number}: {fax.document}")
        else:
            self.tell_clerk(f"A fax from {self.from_number} broke off after {fax.pages} pages.")

    def tell_clerk(self, what: str) -> None:
        """Send a text to whoever looks after the faxes."""
        self.app.send_message(to_number=CLERK, from_number=OFFICE, body=what)


class Outbox(CallActor):
    """One fax that goes out."""

    async def run(self) -> None:
        """A fax that did not get through is over all the same: only ``success`` tells."""
        fax = await self.send_fax(self.data["document"], identity=OFFICE, header_info="Harbour Boats").wait()
        self.data["pages"] = fax.pages if fax.success else 0


def send(number: str, document: str) -> CallHandle:
    """Fax the document at a URL; returns at once, from any thread."""
    return app.dial(Outbox, phone(to=number, from_=OFFICE, timeout=30), document=document)


if __name__ == "__main__":
    app.run()
