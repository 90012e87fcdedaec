"""Taking a payment from the person on the line. Layer: simulator.

The person is asked for one field after the other, and presses keys; ``#`` ends a field, ``*`` the payment. Each
question is one event, which says in ``error_type`` why it is asked again. Source: PROTOCOL 11.10, 13.6; what the
connector is told: SignalWire's page on ``payment_connector_url``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.operations.play import Player
from relay_actors.simulator.payment_form import PaymentForm
from relay_actors.simulator.payment_prompts import PaymentPrompts
from relay_actors.simulator.replies import Reply, refused
from relay_actors.simulator.sounds import Sound
from relay_actors.simulator.timers import Timer

__all__ = ["Pay"]

CONNECTOR_S: Final = 1.0
"""How long the connector takes."""

KEYS: Final = frozenset("0123456789*#")
"""Those that mean something: a telephone may have others."""


class Pay(Operation):
    """``calling.pay``: questions, processing, and one last event with ``result``; one at a time on a leg.

    What the connector makes of it is said ahead with `Simulator.next_payment`. What is heard at the end comes before
    the last event, so that a client that goes on talking does not talk into it.
    """

    event_type = "calling.call.pay"
    started_message = "Payment started"

    def begin(self) -> Reply:
        """Start, unless another payment is under way."""
        if any(isinstance(running, Pay) for running in self.call.running.values()):
            return refused("409", "A payment is under way on this call")
        return super().begin()

    def start(self) -> dict[str, object]:
        """Ask for the first field."""
        self._form = PaymentForm(self.params, today=self.call.world.clock.wall())
        self._prompts = PaymentPrompts(self.params.get("prompts"), self._form)
        self._to_ask = list(self._form.fields)
        self._player: Player | None = None
        self._timer: Timer | None = None
        self._ending: dict[str, object] | None = None
        if self._form.problem:
            self._finish_with("payment-failed", "validation-error", payment_error=self._form.problem)
        else:
            self._ask()
        return {}

    def stop(self) -> None:
        """Cancel because the client asks for it; what is already decided stays so."""
        self._break_off("relay-pay-stop")

    def call_ends(self) -> None:
        """Cancel because the person hung up; what is already decided stays so."""
        self._break_off("caller-hung-up")

    def digit_pressed(self, digit: str) -> bool:
        """Take a key."""
        if not self.is_listening or digit not in KEYS:
            return False
        self._fall_silent()
        if digit == "*":
            self._end_by_star()
        elif digit == "#":
            # Nothing to end yet: it belongs to a field that was full without it.
            if self._pressed:
                self._input_is_over()
            else:
                self._wait_for_keys()
        else:
            self._pressed += digit
            if self._form.is_full(self._to_ask[0], self._pressed):
                self._input_is_over()
            else:
                self._wait_for_keys()
        return True

    def close(self) -> bool:
        """Fall silent before the last event goes out."""
        if not self.is_done:
            self._fall_silent()
        return super().close()

    # Asking.

    def _ask(self, *, attempt: int = 1, error_type: str = "", first_keys: str = "") -> None:
        self._attempt = attempt
        self._pressed = ""
        self._first_keys = first_keys
        self.is_listening = True
        field = self._to_ask[0]
        self._tell(field, attempt, error_type)
        sounds = self._prompts.sounds(field, attempt=attempt, error_type=error_type, is_again=bool(first_keys))
        self._play(sounds, at_end=self._wait_for_keys)

    def _wait_for_keys(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.after(self._form.timeout_s, self._input_is_over)

    def _input_is_over(self) -> None:
        self._fall_silent()
        self.is_listening = False
        field, keys = self._to_ask[0], self._pressed
        error_type = self._form.complaint(field, keys) if keys else "timeout"
        if not error_type and self._prompts.is_entered_twice(field):
            if not self._first_keys:
                self._ask(attempt=self._attempt, first_keys=keys)
                return
            error_type = "" if keys == self._first_keys else "input-matching-failed"
        if not error_type:
            self._form.enter(field, keys)
            del self._to_ask[0]
            self._ask() if self._to_ask else self._process()
        elif self._attempt < self._form.max_attempts:
            self._ask(attempt=self._attempt + 1, error_type=error_type)
        else:
            self._end_with("payment-failed", "too-many-failed-attempts", error_type=error_type, attempt=self._attempt)

    def _fall_silent(self) -> None:
        if self._player is not None:
            self._player.stop()
        if self._timer is not None:
            self._timer.cancel()

    # Paying.

    def _process(self) -> None:
        self._tell("payment-processing", 1, "")
        sounds = self._prompts.sounds("payment-processing")
        self._play(sounds, at_end=self._ask_connector)

    def _ask_connector(self) -> None:
        self.after(CONNECTOR_S, self._connector_answers)

    def _connector_answers(self) -> None:
        world = self.call.world
        world.webhooks.send(self._form.connector_url, self._form.order(self.control_id))
        script = world.scripts.next_payment()
        if script.ends == "success":
            made = f"ch_{self.control_id[:8]}" if self._form.is_charge else f"tok_{self.control_id[:8]}"
            key = "payment_confirmation_code" if self._form.is_charge else "payment_token"
            self._end_with("payment-completed", "success", **{key: made})
            return
        fields: dict[str, object] = {"payment_error": script.message, "payment_error_code": script.code}
        if script.ends == "payment-connector-error":
            fields["connector_error"] = {"code": script.code, "message": script.message}
        self._end_with("payment-failed", script.ends, **fields)

    # The end.

    def _end_by_star(self) -> None:
        self.is_listening = False
        self._end_with("payment-canceled", "caller-interrupted-with-star")

    def _end_with(self, how: str, result: str, **fields: object) -> None:
        """Let the person hear how it came out, and then report it."""
        self._ending = {"for": how, "result": result, **fields}
        self._play(self._prompts.sounds(how), at_end=self._finish_as_decided)

    def _finish_with(self, how: str, result: str, **fields: object) -> None:
        self._ending = {"for": how, "result": result, **fields}
        self._finish_as_decided()

    def _finish_as_decided(self) -> None:
        made = {"payment_token": "", "payment_confirmation_code": "", "payment_error": "", "payment_error_code": ""}
        method = {"payment_method": self._form.method}
        self.finish(**{**method, **self._form.outcome(), **made, **(self._ending or {})})

    def _break_off(self, result: str) -> None:
        if self._ending is not None:
            self._finish_as_decided()
        else:
            self._finish_with("payment-canceled", result)

    def _tell(self, asked_for: str, attempt: int, error_type: str) -> None:
        method = {"for": asked_for, "attempt": attempt, "error_type": error_type, "payment_method": self._form.method}
        self.report(**{**method, **self._form.status()})

    def _play(self, sounds: list[Sound], *, at_end: Callable[[], None]) -> None:
        self._player = Player(self.call, sounds, at_end=at_end)
        self._player.start()
