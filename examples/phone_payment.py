"""Takes a payment by card. The server asks for the card and hands it to the connector: its numbers never come here."""

from relay_actors import CallActor, RelayApp
from relay_actors.events import PayEvent
from relay_actors.params import digits

app = RelayApp()

CONNECTOR = "https://pay.example.com/charge"
BILLS = {"4711": "25.99", "4712": "180.00"}
WHY_NOT = {
    "too-many-failed-attempts": "That did not work.",
    "payment-connector-error": "Your card was declined.",
    "relay-pay-stop": "We have stopped.",
}


@app.calls("billing")
class Billing(CallActor):
    """One customer with a bill."""

    async def run(self) -> None:
        """What came out is said, and texted as a receipt."""
        await self.answer()
        bill = (await self.prompt_tts("The number of your bill?", digits(max=4)).wait()).digits
        if bill not in BILLS:
            await self.play_tts("There is no such bill.").wait()
            return
        self.on("calling.call.pay", self.note)
        paid = await self.pay(
            CONNECTOR,
            charge_amount=BILLS[bill],
            currency="usd",
            description=f"bill {bill}",
            max_attempts=2,
            postal_code=False,
            valid_card_types="visa mastercard",
            parameters=[{"name": "bill", "value": bill}],
            prompts=[
                {
                    "for": "payment-card-number",
                    "error_type": "invalid-card-number",
                    "actions": [{"type": "Say", "phrase": "Please look at your card again, and enter its number."}],
                }
            ],
        ).wait()
        if paid.result == "success":
            receipt = f"You have paid {BILLS[bill]} USD for bill {bill}."
            self.app.send_message(to_number=self.from_number, from_number=self.to_number, body=receipt)
        else:
            await self.play_tts(f"{WHY_NOT.get(paid.result, '')} Your bill is still open.").wait()

    def note(self, event: PayEvent) -> None:
        """Keep how far it is: the step, never the event itself, for that has digits of the card in it."""
        self.data["step"] = event.step


if __name__ == "__main__":
    app.run()
