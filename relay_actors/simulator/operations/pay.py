"""Taking a payment from the person on the line. Layer: simulator. Source: PROTOCOL 11.10, 13.6."""

from __future__ import annotations

from relay_actors.protocol.readers import read_text
from relay_actors.simulator.operations.base import Operation

__all__ = ["Pay"]


class Pay(Operation):
    """``calling.pay``: asks for the card, then succeeds. No card is ever entered: the data are made up and masked."""

    event_type = "calling.call.pay"
    started_message = "Payment started"

    def start(self) -> dict[str, object]:
        """Ask for the card number."""
        self._tell("payment-card-number", error_type="", attempt=1)
        self.after(3.0, lambda: self._tell("payment-processing", error_type="", attempt=1))
        self.after(5.0, self._succeed)
        return {}

    def stop(self) -> None:
        """Cancel because the client asks for it."""
        self.finish(**{"for": "payment-canceled", "result": "relay-pay-stop"})

    def call_ends(self) -> None:
        """Cancel because the person hung up."""
        self.finish(**{"for": "payment-canceled", "result": "caller-hung-up"})

    def _tell(self, asked_for: str, **fields: object) -> None:
        method = read_text(self.params.get("payment_method")) or "credit-card"
        self.report(**{"for": asked_for, "payment_method": method, **fields})

    def _succeed(self) -> None:
        card = {"payment_card_number": "************1111", "payment_card_type": "visa"}
        token = {"payment_token": f"tok_{self.control_id[:8]}", "payment_confirmation_code": self.control_id[:8]}
        self.finish(**{"for": "payment-completed", "result": "success", **card, **token, "payment_error": ""})
