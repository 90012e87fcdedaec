"""What all telephony actors of one application share: where things are, and how to send. Layer: hall."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from relay_actors.actors.desk import Desk
from relay_actors.actors.doubts import Doubts
from relay_actors.actors.due_queue import DueQueue
from relay_actors.actors.in_turn import tell_in_turn
from relay_actors.actors.outgoing import Outgoing
from relay_actors.config import Limits, Timing
from relay_actors.errors import NotSentError, RelayActorsError
from relay_actors.protocol.devices import Devices
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.child_spec import ChildSpec

if TYPE_CHECKING:
    from relay_actors.runtime.system import System

__all__ = ["App", "Office", "tell_over"]


class App(Protocol):
    """The application, as its actors know it: what ``self.app`` can do."""

    def dial(
        self,
        actor_class: Any,
        devices: Devices,
        *,
        tag: str | None = None,
        max_duration: int | None = None,
        dial_timeout: float | None = None,
        **data: Any,
    ) -> Any:
        """Call out; see `RelayApp.dial`."""

    def send_message(
        self,
        *,
        to_number: str,
        from_number: str,
        context: str | None = None,
        body: str | None = None,
        media: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
        region: str | None = None,
        on_completed: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Send a text; see `RelayApp.send_message`."""

    def call(self, call_id: str) -> Any:
        """Return a handle of a running call, or None; see `RelayApp.call`."""

    def lookup(self, name: str) -> ActorRef[Any] | None:
        """Return a service by its name; see `RelayApp.lookup`."""

    def execute(self, method: str, params: Mapping[str, object]) -> Any:
        """Send any request; see `RelayApp.execute`."""

    def receive(self, contexts: Sequence[str]) -> Any:
        """Take calls and texts of more contexts; see `RelayApp.receive`."""

    def unreceive(self, contexts: Sequence[str]) -> Any:
        """Take no more calls and texts of these contexts; see `RelayApp.unreceive`."""


class Office:
    """The telephony side of one running system.

    Attributes:
        system: the actors.
        dispatcher: who runs them.
        clock: by which they live.
        timing: all times.
        limits: all bounds.
        app: the application.
        calls: supervisor of all calls; set by the tree before anybody runs, like the next three.
        messages: supervisor of all text messages.
        connection: who owns the socket.
        desk: who gives the application what belongs to no living call.
        relay_protocol: the name of the present session; written by the connection.
        is_cut_off: whether there is no connection at the moment; written by the connection.
        doubts: who tells of what is misspelt.
        stalls: the calls that are to be looked at because a command may take too long.
        ends: those that are to end by themselves if no end event comes.
        lingering: those that have ended, and wait for what is late.
        is_finishing: whether what blocking code is about to give is waited for, and no more such code is begun.
        is_leaving: whether calls are about to be left to the next process: see `begins_nothing`.
        unasked: what waits for answers of those who were not asked any more for that reason; None where none was asked.
        left: set when all calls were left to the next process: what those who wait for one of them are told. From then
            on they are nobody's here to hang up.
        is_let_go: whether all of them are told to end: only then is anybody told that.
    """

    calls: ActorRef[Any]
    messages: ActorRef[Any]
    connection: ActorRef[Any]
    desk: Desk

    def __init__(self, system: System, timing: Timing, limits: Limits, app: App) -> None:
        self.system = system
        self.dispatcher: Dispatcher = system.dispatcher
        self.clock = system.clock
        self.timing = timing
        self.limits = limits
        self.app = app
        self.relay_protocol = ""
        self.is_cut_off = True
        self.doubts = Doubts()
        self.stalls = DueQueue(system, timing.stall_after_s, lambda call: call.on_stall_watch())
        self.ends = DueQueue(system, timing.end_timeout_s, lambda call: call.on_end_overdue())
        self.lingering = DueQueue(system, timing.linger_s, lambda call: call.on_lingered(is_last=False))
        self.is_finishing = self.is_leaving = self.is_let_go = False
        self.unasked: list[Any] = []
        self.left: RelayActorsError | None = None
        self._specs: dict[Any, ChildSpec] = {}

    def close(self, leg: Any) -> None:
        """Let nobody wait for a call whose actor has ended; while calls are let go, not before all are told to end."""
        if self.left is None or self.is_let_go:
            leg.close(self.left)

    @property
    def begins_nothing(self) -> bool:
        """Whether calls do nothing to others any more: the next process, which would not know of it, does it."""
        return self.is_leaving and self.left is None

    @property
    def begins_no_effects(self) -> bool:
        """Whether calls run no more code elsewhere: the next process does it."""
        return (self.is_finishing or self.is_leaving) and self.left is None

    def spec_of(self, actor_class: Any) -> ChildSpec:
        """Return how its supervisor treats a call or text of a class; made once, and not for each. Any thread."""
        spec = self._specs.get(actor_class)
        if spec is None:
            spec = self._specs[actor_class] = actor_class.child_spec(self)
        return spec

    @functools.cached_property
    def cells(self) -> frozenset[object]:
        """The cells of the framework's own actors, to whom calls speak; for who runs once the tree is built."""
        return frozenset(ref._cell for ref in (self.connection, self.calls, self.messages))  # noqa: SLF001

    def send(self, outgoing: Outgoing) -> None:
        """Hand a request to the connection. Any thread; how it ends is told to ``outgoing.on_answer``."""
        if not self.connection._cell.tell_user(outgoing):  # noqa: SLF001  # no letter to nobody: who asks is told
            error = NotSentError(f"{outgoing.method} was not sent: the application is not running")
            outgoing.on_answer(None, error)

    def tell_connection(self, message: object) -> bool:
        """Tell the connection something; False if it is gone, and nothing will come of it. Any thread."""
        return self.connection.tell_if_alive(message)

    def tell_over(self, cell: Any) -> None:
        """Have the connection forget a call's or a text's actor, which has ended. Any thread."""
        connection = self.connection._cell  # noqa: SLF001  # as in `send`
        if not connection.stopped:
            tell_in_turn(connection, lambda actor: actor.on_over(cell))

    def find(self, key: Hashable) -> ActorRef[Any] | None:
        """Return who owns a key."""
        return self.system.find(key)


def tell_over(cell: Any) -> None:
    """Have the connection forget a call's or a text's actor, which has ended; see `Actor.when_over`. Any thread."""
    office: Office = cell.keep.office
    office.tell_over(cell)
