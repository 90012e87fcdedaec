"""Snippets on faxes and payments: one for each verb of `actors/verbs/documents.py`."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import FaxEvent
from relay_actors.params import phone

app = RelayApp()

HOTEL, DESK = "+15550100100", "+15550100200"


def send_fax(number: str) -> bool:
    """Call a number and fax the menu there; return whether it got through."""
    call = app.dial(CallActor, phone(to=number, from_=HOTEL))
    call.wait_for_answered(timeout=30).get()
    sent: FaxEvent = call.send_fax("https://example.com/menu.pdf", header_info="Harbour Hotel").wait(timeout=300).get()
    call.hangup()
    return sent.success


@app.calls("receive_fax")
class FaxMachine(CallActor):
    """Takes a fax, and texts the desk where it lies."""

    async def run(self) -> None:
        await self.answer()
        came = await self.receive_fax().wait()
        if came.success:
            body = f"A fax of {came.pages} pages: {came.document}"
            self.app.send_message(to_number=DESK, from_number=HOTEL, body=body)


@app.calls("pay")
class Bill(CallActor):
    """Has the server ask for card, date and code, which this application never hears."""

    async def run(self) -> None:
        await self.answer()
        paid = await self.pay("https://pay.example.com/connector", charge_amount="25.99", currency="usd").wait()
        if paid.result == "success":
            await self.play_tts("Thank you. It is paid.").wait()
        else:
            await self.play_tts("That did not work. Please pay at the desk.").wait()
