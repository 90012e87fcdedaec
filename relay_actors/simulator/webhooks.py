"""What the server would have told an application by HTTP: kept for tests, and sent nowhere. Layer: simulator, no I/O.

Many commands name a URL to which the server reports (``status_url``, ``post_prompt_url``, ``status_callback``). A test
looks at what would have arrived there. Source: PROTOCOL 11.8 to 11.11, 12, 13.7.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["Webhook", "Webhooks"]

BOUND: Final = 1000
"""How many reports are remembered."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One report.

    Attributes:
        url: where it would have gone.
        body: what it says.
        method: the HTTP method.
    """

    url: str
    body: Mapping[str, object]
    method: str = "POST"


class Webhooks:
    """The reports of one simulator, whose lock guards them; only the last 1000 are kept."""

    def __init__(self) -> None:
        self._sent: deque[Webhook] = deque(maxlen=BOUND)

    def send(self, url: object, body: Mapping[str, object], *, method: object = None) -> None:
        """Keep a report; without a URL there is nobody to tell.

        Args:
            url: as the command gave it; anything but text that is not empty counts as none.
            body: what it says.
            method: as the command gave it; POST if it gave none.
        """
        if isinstance(url, str) and url:
            self._sent.append(Webhook(url, dict(body), method if isinstance(method, str) and method else "POST"))

    def report(self, url: object, event_type: str, params: Mapping[str, object], *, method: object = None) -> None:
        """Keep a report in the form of an event; otherwise as `send`."""
        self.send(url, {"event_type": event_type, "params": params}, method=method)

    def all(self) -> tuple[Webhook, ...]:
        """Return every report that is remembered, oldest first."""
        return tuple(self._sent)

    def clear(self) -> None:
        """Forget all of them."""
        self._sent.clear()
