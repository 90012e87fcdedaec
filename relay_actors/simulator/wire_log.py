"""The last frames in both directions, for tests and for people who ask what was said. Layer: simulator, no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from relay_actors.protocol import json_codec
from relay_actors.simulator.names import known_event_type, known_method

__all__ = ["LoggedFrame", "WireLog"]

BOUND: Final = 1000
"""How many frames are remembered. Source: PROTOCOL 19.3."""


@dataclass(frozen=True, slots=True)
class LoggedFrame:
    """One text that crossed the wire.

    Attributes:
        at: monotonic seconds of the simulator's clock.
        wall: seconds since the epoch.
        direction: ``received`` from a client, or ``sent`` to one.
        session: the protocol string of the session, empty before the log-in.
        text: as it was, credentials included; it is therefore not part of the repr.
    """

    at: float
    wall: float
    direction: Literal["received", "sent"]
    session: str
    text: bytes = field(repr=False)

    @property
    def frame(self) -> dict[str, object]:
        """The decoded frame; empty when the text is no JSON object."""
        try:
            body = json_codec.loads(self.text)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def params(self) -> dict[str, object]:
        """The frame's params; empty for a response."""
        params = self.frame.get("params")
        return params if isinstance(params, dict) else {}

    @property
    def method(self) -> str:
        """The frame's method; empty for a response."""
        method = self.frame.get("method")
        return method if isinstance(method, str) else ""

    @property
    def event_type(self) -> str:
        """The event's type; empty for anything but an event."""
        event_type = self.params.get("event_type")
        return event_type if isinstance(event_type, str) and self.method == "signalwire.event" else ""


class WireLog:
    """A bounded journal of frames. The simulator's lock guards it."""

    def __init__(self) -> None:
        self._frames: deque[LoggedFrame] = deque(maxlen=BOUND)
        self._observers: list[Callable[[LoggedFrame], None]] = []

    def add(self, logged: LoggedFrame) -> None:
        """Remember a frame and show it to the observers."""
        self._frames.append(logged)
        for observe in self._observers:
            observe(logged)

    def observe(self, observer: Callable[[LoggedFrame], None]) -> None:
        """Have ``observer`` called with every frame, at once and with the lock held: it must be quick."""
        self._observers.append(observer)

    def received(self, method: str = "") -> list[LoggedFrame]:
        """Return what clients sent, oldest first; only requests of ``method`` when one is named.

        Raises:
            ConfigError: it is nearly a method of the wire, but is none: there would never be any.
        """
        wanted = method and known_method(method)
        return [entry for entry in self._frames if entry.direction == "received" and wanted in ("", entry.method)]

    def sent(self, event_type: str = "") -> list[LoggedFrame]:
        """Return what was sent to clients, oldest first; only events of ``event_type`` when one is named.

        Raises:
            ConfigError: it is nearly an event type of the wire, but is none: there would never be any.
        """
        wanted = event_type and known_event_type(event_type)
        return [entry for entry in self._frames if entry.direction == "sent" and wanted in ("", entry.event_type)]

    def clear(self) -> None:
        """Forget all frames; observers stay."""
        self._frames.clear()

    def __iter__(self) -> Iterator[LoggedFrame]:
        return iter(list(self._frames))

    def __len__(self) -> int:
        return len(self._frames)
