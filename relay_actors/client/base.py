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
    """A `RelayClient`, as its calls and texts know it; the attributes are told there."""

    project: str
    app: RelayApp
    loops: LoopCalls
    call_handler: Handler | None
    message_handler: Handler | None
    gives_up: Mapping[str, GiveUp] | None
    isolates_calls: bool


class ClientApp(RelayApp):
    """The application underneath a client, which its actors find by it. Set ``client`` before it is started."""

    client: Client


def client_of(actor: Any) -> Client:
    """Return the client to which the actor of a call or of a text belongs."""
    return cast("ClientApp", actor.app).client
