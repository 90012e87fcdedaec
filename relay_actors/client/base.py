"""What a call knows of the client that it belongs to. Layer: door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias, cast

from relay_actors.actors.give_up import GiveUp
from relay_actors.app import RelayApp
from relay_actors.runtime.loop_calls import LoopCalls

__all__ = ["Client", "ClientApp", "Handler", "client_of"]

Handler: TypeAlias = Callable[[Any], Any]


class Client(Protocol):
    """A `RelayClient`, as its calls and texts know it."""

    @property
    def project(self) -> str:
        """The project id."""

    @property
    def app(self) -> RelayApp:
        """The application underneath."""

    @property
    def loops(self) -> LoopCalls:
        """Where the user's code runs."""

    @property
    def call_handler(self) -> Handler | None:
        """The user's handler of inbound calls."""

    @property
    def message_handler(self) -> Handler | None:
        """The user's handler of inbound texts."""

    @property
    def gives_up(self) -> Mapping[str, GiveUp] | None:
        """What becomes of a call whose handler has crashed, by phase; None: it stays up."""

    @property
    def isolates_calls(self) -> bool:
        """Whether each inbound call has a thread and a loop of its own."""


class ClientApp(RelayApp):
    """The application underneath a client, which its actors find by it. Set ``client`` before it is started."""

    client: Client


def client_of(actor: Any) -> Client:
    """Return the client to which the actor of a call or of a text belongs."""
    return cast("ClientApp", actor.app).client
