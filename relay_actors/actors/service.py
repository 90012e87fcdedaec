"""`ServiceActor`: a long-lived actor of the user that knows its application. Layer: hall. Source: DESIGN section 5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay_actors.actors.office import Office
from relay_actors.errors import ActorError
from relay_actors.runtime.actor import Actor

if TYPE_CHECKING:
    from relay_actors.actors.office import App

__all__ = ["KeptService", "ServiceActor"]


class KeptService:
    """What a service keeps over its restarts, whatever its class.

    Attributes:
        office: where everything else is.
    """

    __slots__ = ("office",)

    def __init__(self, office: Office) -> None:
        self.office = office


class ServiceActor(Actor):
    """An `Actor` that has the application as ``self.app``: a queue, a dialer, or whatever else outlives calls.

    ``app.service(TheClass, name="queue")`` starts it with the application, and restarts it whenever it fails; any
    `Actor` can be a service, and this one has `app` beside. So it has, too, when it is started by another actor of the
    application: as a child of a service, of a call or of a text, or as a worker of a `Pool`. A supervisor that needs it
    is a ``class Shop(ServiceActor, Supervisor)``.
    """

    @property
    def app(self) -> App:
        """The application: ``self.app.dial(…)``, ``self.app.send_message(…)``, ``self.app.lookup(name)``.

        A service has it from its constructor on, and what another actor has started from ``on_start`` on.

        Raises:
            ActorError: there is no application around it.
        """
        cell = self._cell
        while True:
            office = getattr(cell.keep, "office", None)
            if isinstance(office, Office):  # what a child keeps is the user's, and may have one of another kind
                return office.app
            if cell.parent is None:
                break
            cell = cell.parent
        raise ActorError(
            f"{self} has no application around it: start it by app.service({type(self).__name__}, name=…), or by an "
            "actor that has one, with self.spawn(…); what is spawned has it in on_start, and not yet in its constructor"
        )
