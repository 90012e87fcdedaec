"""The way out for audio: what a stream or a tap asks of whoever has sockets. Layer: simulator, the seam.

The simulator itself opens nothing. A front that has sockets (`SimulatorServer`) shows them to it as `Outside`; without
one, what would be sent is only kept (see `feeds`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = ["Outlet", "OutletOwner", "Outside", "PacketOutlet"]


class Outlet(Protocol):
    """One way out. Its methods are called with the simulator's lock held: they hand over and return."""

    def send(self, data: str | bytes) -> None:
        """Send one message or packet after the earlier ones; what cannot be sent any more is dropped."""

    def close(self) -> None:
        """Close after what was handed over; nothing is told to the owner from now on. Idempotent."""


class PacketOutlet(Outlet, Protocol):
    """A way out for single packets, of which nobody knows whether they arrive."""

    @property
    def source(self) -> tuple[str, int]:
        """The address and port that the packets come from."""


class OutletOwner(Protocol):
    """Who has asked for a WebSocket. Its methods are called in a turn, after `Outside.open_websocket` has returned."""

    def outlet_opened(self) -> None:
        """Learn that somebody listens; what was sent before goes out first."""

    def outlet_failed(self, reason: str) -> None:
        """Learn that nobody can be reached; nothing more follows."""

    def outlet_closed(self) -> None:
        """Learn that the listener has gone; nothing more follows."""


class Outside(Protocol):
    """A front's sockets, as the simulator sees them. All is called with the lock held."""

    @property
    def base_url(self) -> str:
        """Where this front serves files: ``http://host:port``."""

    def reaches(self, host: str) -> bool:
        """Whether this front would really connect to a host. No front may for any but a loopback host."""

    def open_websocket(self, url: str, headers: Mapping[str, str], owner: OutletOwner) -> Outlet:
        """Begin to connect to a URL whose host `reaches` allows."""

    def open_packets(self, host: str, port: int) -> PacketOutlet:
        """Return a way out for packets to an address that `reaches` allows; `OSError` when there is none."""
