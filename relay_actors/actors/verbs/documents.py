"""Verbs on what is handed over on the phone: faxes and payments. Layer: hall. Source: PROTOCOL 11.6, 11.10."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relay_actors.actors.actions import FaxAction, PayAction
from relay_actors.actors.verbs.base import CallVerbs, OnCompleted
from relay_actors.protocol.commands import Pay, ReceiveFax, SendFax

__all__ = ["DocumentVerbs"]

_Scalar = str | float | bool | None


class DocumentVerbs(CallVerbs):
    """Each starts a running operation and gives its handle."""

    def send_fax(
        self,
        document: str,
        *,
        identity: str | None = None,
        header_info: str | None = None,
        control_id: str | None = None,
        on_completed: OnCompleted = None,
        **kwargs: Any,
    ) -> FaxAction:
        """Send a fax; the completing `FaxEvent` says in ``success`` whether it got through.

        Args:
            document: URL of a PDF.
            identity: what the other machine shows; our number by default.
            header_info: text at the top of each page.
            control_id: chosen for you.
            on_completed: called with the `FaxEvent` that completes it.
            kwargs: further params.
        """
        command = SendFax(
            document=document, identity=identity, header_info=header_info, control_id=control_id, extra=kwargs
        )
        return self._begin(FaxAction, command, on_completed)

    def receive_fax(
        self, *, control_id: str | None = None, on_completed: OnCompleted = None, **kwargs: Any
    ) -> FaxAction:
        """Receive a fax; the completing `FaxEvent` has its URL in ``document`` and the number of ``pages``.

        Args:
            control_id: chosen for you.
            on_completed: called with the `FaxEvent` that completes it.
            kwargs: further params.
        """
        return self._begin(FaxAction, ReceiveFax(control_id=control_id, extra=kwargs), on_completed)

    def pay(
        self,
        payment_connector_url: str,
        *,
        control_id: str | None = None,
        input_method: _Scalar = None,
        status_url: _Scalar = None,
        payment_method: _Scalar = None,
        timeout: _Scalar = None,
        max_attempts: _Scalar = None,
        security_code: _Scalar = None,
        postal_code: _Scalar = None,
        min_postal_code_length: _Scalar = None,
        token_type: _Scalar = None,
        charge_amount: _Scalar = None,
        currency: _Scalar = None,
        language: _Scalar = None,
        voice: _Scalar = None,
        description: _Scalar = None,
        valid_card_types: _Scalar = None,
        parameters: Sequence[Mapping[str, object]] | None = None,
        prompts: Sequence[Mapping[str, object]] | None = None,
        on_completed: OnCompleted = None,
        **kwargs: Any,
    ) -> PayAction:
        """Take a payment: the server asks for card, date and code, and hands them to the connector.

        The completing `PayEvent` says in ``result`` how it came out: ``success``, ``too-many-failed-attempts``,
        ``caller-hung-up``, … Values go out as text: ``5`` as ``"5"``, ``True`` as ``"true"``.

        Args:
            payment_connector_url: who takes the money.
            control_id: chosen for you.
            input_method: ``dtmf``, the server's default.
            status_url: where the server reports to.
            payment_method: ``credit-card``, the server's default.
            timeout: seconds for each input; 5 by default.
            max_attempts: for each input; 1 by default.
            security_code: whether to ask for it; it does by default.
            postal_code: whether to ask for it, or the code itself.
            min_postal_code_length: of the postal code.
            token_type: ``reusable`` by default, or ``one-time``.
            charge_amount: how much, for example ``"25.99"``.
            currency: ``usd`` by default.
            language: of the prompts; en-US by default.
            voice: of the prompts.
            description: of the payment.
            valid_card_types: separated by spaces: ``visa mastercard amex``.
            parameters: ``[{"name": …, "value": …}]`` for the connector.
            prompts: what the server says (PROTOCOL 13.6).
            on_completed: called with the `PayEvent` that completes it.
            kwargs: further params.
        """
        command = Pay(
            payment_connector_url=payment_connector_url,
            control_id=control_id,
            input_method=input_method,
            status_url=status_url,
            payment_method=payment_method,
            timeout=timeout,
            max_attempts=max_attempts,
            security_code=security_code,
            postal_code=postal_code,
            min_postal_code_length=min_postal_code_length,
            token_type=token_type,
            charge_amount=charge_amount,
            currency=currency,
            language=language,
            voice=voice,
            description=description,
            valid_card_types=valid_card_types,
            parameters=parameters,
            prompts=prompts,
            extra=kwargs,
        )
        return self._begin(PayAction, command, on_completed)
