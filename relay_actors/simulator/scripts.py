"""What is to become of the next payment or conversation, and what became of earlier ones. Layer: simulator, no I/O.

Tests say here ahead what a connector, an AI agent or a translator will do, and see afterwards what happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.simulator.agents import AgentScript
from relay_actors.simulator.conversations import Conversation

__all__ = ["PAYMENT_ENDS", "PaymentScript", "Scripts", "UserEvent"]

BOUND: Final = 1000
"""How many conversations, and how many user events, are remembered."""

PAYMENT_ENDS: Final = ("success", "payment-connector-error", "validation-error", "internal-error")
"""What a connector can make of a payment; whatever else happens to one is up to the caller and the application."""


@dataclass(frozen=True, slots=True)
class PaymentScript:
    """What the payment connector answers.

    Attributes:
        ends: the ``result``, one of `PAYMENT_ENDS`.
        code: of the connector's error.
        message: of the connector's error.
    """

    ends: str = "success"
    code: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        if self.ends not in PAYMENT_ENDS:
            raise ConfigError(f"a payment cannot be made to end as {self.ends!r}: only as {', '.join(PAYMENT_ENDS)}")


@dataclass(frozen=True, slots=True)
class UserEvent:
    """One ``calling.user_event``.

    Attributes:
        call_id: the leg that it was sent on.
        event: text or an object, as the client sent it.
        params: the free keys beside it.
    """

    call_id: str
    event: object
    params: Mapping[str, object] = field(default_factory=dict)


class Scripts:
    """Of one simulator, whose lock guards them."""

    def __init__(self) -> None:
        self.payments: deque[PaymentScript] = deque()
        self.agents: deque[AgentScript] = deque()
        self.conversations: deque[Conversation] = deque(maxlen=BOUND)
        self.user_events: deque[UserEvent] = deque(maxlen=BOUND)
        self._translations: dict[tuple[str, str], str] = {}

    def next_payment(self) -> PaymentScript:
        """Return what becomes of the payment that reaches the connector now: a success, unless told."""
        return self.payments.popleft() if self.payments else PaymentScript()

    def next_agent(self) -> AgentScript | None:
        """Return what the agent that begins now is to say; None: it makes its own conversation."""
        return self.agents.popleft() if self.agents else None

    def teach(self, words: str, translation: str, to: str) -> None:
        """Know a translation from now on; case does not matter."""
        self._translations[words.casefold(), to.casefold()] = translation

    def translate(self, words: str, to: str) -> str:
        """Return what was taught, or else the words with the language before them: ``[es] hello``."""
        return self._translations.get((words.casefold(), to.casefold()), f"[{to}] {words}")

    def clear(self) -> None:
        """Forget all of it."""
        for kept in (self.payments, self.agents, self.conversations, self.user_events, self._translations):
            kept.clear()
