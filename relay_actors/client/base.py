"""What a call knows of the client that it belongs to. Layer: door."""

from __future__ import annotations

from typing import Protocol

from relay_actors.actors.call import CallActor
from relay_actors.app import RelayApp
from relay_actors.client.handlers import Handlers

__all__ = ["Client"]


class Client(Protocol):
    """A `RelayClient`, as its calls and texts know it."""

    @property
    def project(self) -> str:
        """The project id."""

    @property
    def app(self) -> RelayApp:
        """The application underneath."""

    @property
    def handlers(self) -> Handlers:
        """Where the user's code runs."""

    @property
    def actor_class(self) -> type[CallActor]:
        """Who is behind each call."""
