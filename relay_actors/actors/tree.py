"""The tree of one running application. Layer: hall. Source: DESIGN section 3.

::

    root                permanent children, in this order
     ├─ services        long-lived actors of the user
     ├─ calls           one CallActor each
     ├─ messages        one MessageActor each
     ├─ desk            hands the application the answers to its own requests
     └─ connection      owns the socket; last, so that its restart takes no call with it

The supervisors keep their children when they are restarted themselves: these have not failed.
"""

from __future__ import annotations

import logging
from typing import Any

from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.call_ref import CallRef, Kept
from relay_actors.actors.calls_supervisor import CallsSupervisor
from relay_actors.actors.connection import ConnectionActor
from relay_actors.actors.desk import Desk, DeskActor
from relay_actors.actors.message import KeptMessage, MessageRef, MessagesSupervisor
from relay_actors.actors.office import App, Office
from relay_actors.actors.orders import LetGo
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.routing import Routes
from relay_actors.actors.wire import ChangeContexts, Connect, Disconnect, Drain, Wire
from relay_actors.config import Limits, Settings, Timing
from relay_actors.errors import ActorDead, ConnectionLostError, NotSentError, RelayActorsError
from relay_actors.journal.base import Store
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.client import ClientProtocol
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.supervisor import DynamicSupervisor
from relay_actors.runtime.system import System
from relay_actors.transport.base import Connector

__all__ = ["ServicesSupervisor", "Tree"]

_log = logging.getLogger("relay_actors.app")

# Not begun anew after a kill: everybody holds the ref, which is dead then.
_PILLAR = ChildSpec(restart=Restart.PERMANENT, keep_children=True, revive_killed=False)


class _Root(DynamicSupervisor):
    """Supervises everything. When it ends by itself, the application has failed, and those who wait are told so."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def on_child_ended(self, ref: Any, reason: ExitReason) -> None:
        """A pillar has ended for good: what it owed is settled."""
        if issubclass(ref.actor_class, ConnectionActor):
            self._fail(reason)

    def on_stop(self) -> None:
        """Too many restarts, or everything stops; in the second case all is settled already."""
        self._fail(self._cell.exit_reason)

    def _fail(self, reason: ExitReason) -> None:
        error = reason.cause if isinstance(reason.cause, RelayActorsError) else ActorDead(f"the actors ended: {reason}")
        self._wire.release(error)
        self._wire.ended.try_set(error)


class ServicesSupervisor(DynamicSupervisor):
    """Supervises the long-lived actors of the user."""


class Tree:
    """Builds the tree of one application, and takes it down.

    Args:
        system: in which it lives.
        settings: how to connect.
        timing: all times.
        limits: all bounds.
        app: the application.
        connector: opens sockets.
        store: the journal, or None.
        calls: who handles inbound calls.
        messages: who handles inbound texts.
    """

    def __init__(
        self,
        system: System,
        settings: Settings,
        timing: Timing,
        limits: Limits,
        *,
        app: App,
        connector: Connector,
        store: Store | None,
        calls: Routes[Any],
        messages: Routes[Any],
    ) -> None:
        self.system = system
        self.host = settings.host
        self.office = Office(system, timing, limits, app)
        protocol = ClientProtocol(
            settings.credentials,
            contexts=settings.contexts,
            timing=timing,
            limits=limits,
            new_id=system.new_id,
            jitter=system.random.random,
        )
        self.wire = Wire(
            self.office,
            protocol,
            connector,
            store=store,
            calls=calls,
            messages=messages,
            max_active_calls=settings.max_active_calls,
        )
        self._hurried: Future[None] = Future(system.dispatcher)
        self._root = system.start(_Root, self.wire)
        self._services = system.start_child(self._root, ServicesSupervisor, spec=_PILLAR)
        self.office.calls = system.start_child(self._root, CallsSupervisor, spec=_PILLAR)
        self.office.messages = system.start_child(self._root, MessagesSupervisor, spec=_PILLAR)
        self.office.desk = Desk(system.start_child(self._root, DeskActor, spec=_PILLAR), system.dispatcher)
        # Before any service: what services send while they start waits in its queue.
        self.office.connection = system.start_child(self._root, ConnectionActor, self.wire, spec=_PILLAR)

    def connect(self) -> None:
        """Open the connection, and keep it open."""
        self.office.tell_connection(Connect())

    def start_service(
        self, actor_class: type[Actor], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> ActorRef[Any]:
        """Start a long-lived actor of the user."""
        spec = ChildSpec(
            restart=Restart.PERMANENT,
            max_restarts=100,  # never reached: the pauses allow a dozen a second, so it is restarted for ever
            within_s=1.0,
            backoff=Backoff(min_s=0.1, max_s=30.0),
            shutdown_s=self.office.timing.stop_timeout_s,
        )
        keys = (("service", name),)
        return self.system.start_child(self._services, actor_class, *args, spec=spec, keys=keys, **kwargs)

    def start_call(self, actor_class: type[Any], kept: Kept, key: tuple[str, str]) -> CallRef:
        """Start the actor of a call that this side dials."""
        spec = actor_class.child_spec(self.office)
        ref = self.system.start_child(self.office.calls, actor_class, spec=spec, keep=kept, keys=(key,))
        assert isinstance(ref, CallRef)
        return ref

    def start_message(self, actor_class: type[Any], command: Any, kept: KeptMessage) -> ActorRef[Any]:
        """Start the actor of a text that this side sends."""
        spec = actor_class.child_spec(self.office)
        return self.system.start_child(self.office.messages, actor_class, command, spec=spec, keep=kept)

    def execute(self, method: str, params: JsonObject) -> Future[JsonObject]:
        """Send any request."""
        future, on_answer = self.office.desk.open()
        self.office.send(Outgoing(method, params, on_answer))
        return future

    def change_contexts(self, contexts: tuple[str, ...], *, adds: bool) -> Future[JsonObject]:
        """Listen to more contexts, or to fewer."""
        future, on_answer = self.office.desk.open()
        if not self.office.tell_connection(ChangeContexts(contexts, adds, on_answer)):
            on_answer(None, NotSentError("the contexts were not changed: the application is not running"))
        return future

    @property
    def calls_up(self) -> int:
        """How many calls are up, dials included."""
        return len(self._handles())

    @property
    def root(self) -> ActorRef[Any]:
        """Who supervises everybody."""
        return self._root

    def numbers(self) -> dict[str, int]:
        """Return what is to be measured beside what the actors count."""
        return {"calls.up": self.calls_up, "connection.up": int(self.wire.protocol.is_ready)}

    def drain(self, drain_s: float) -> bool:
        """Take no more calls, and let those that are up go on for ``drain_s`` seconds; True if none is left."""
        done: Future[bool] = Future(self.system.dispatcher)
        if self.office.tell_connection(Drain(done)):
            # Only then nobody can be accepted any more who is not among those that are waited for (SEMANTICS H6).
            _get(done, self.office.timing.stop_timeout_s)
        return self._wait_for_calls(drain_s)

    def hurry(self) -> None:
        """End a drain that is under way."""
        self._hurried.try_set(None)

    def stop(self, drain_s: float) -> bool:
        """Drain, hang up, disconnect, and end all actors and threads; True if nothing was left over."""
        timing = self.office.timing
        self.drain(drain_s)
        refs = self._refs()
        left = self._handles()
        if left and self.wire.protocol.is_ready:
            _log.warning("hanging up calls=%d", len(left))
            for handle in left:
                handle.hangup()
            self._hurried = Future(self.system.dispatcher)
            self._wait_for_calls(timing.stop_timeout_s)
        elif left:
            _log.warning("no connection: calls cannot be hung up, and end with their session calls=%d", len(left))
        self._disconnect(timing.stop_timeout_s)
        self.office.desk.close(ConnectionLostError("Connection shut down"))
        return self._end(refs)

    def leave(self, error: BaseException) -> bool:
        """Disconnect, and end all actors and threads, without a word to the server, where calls go on (PROTOCOL 6.2).

        Whoever waits for something is told ``error``. True if nothing was left over.
        """
        timeout_s = self.office.timing.stop_timeout_s
        refs = self._refs()
        # Before anything else fails: the first word that somebody gets is the one that counts.
        self.office.desk.close(error)
        for text in [cell.ref for cell in self.system.living if isinstance(cell.ref, MessageRef)]:
            text.kept.let_go(error)
        let_go: list[Future[None]] = [Future(self.system.dispatcher) for _ref in refs]
        for ref, done in zip(refs, let_go, strict=True):
            ref.post(LetGo(error, done))
        if not all(_get(done, timeout_s) for done in let_go):
            _log.error("a call's handler does not come back, and its call is left all the same")
        self._disconnect(timeout_s)
        return self._end(refs)

    def _end(self, refs: list[CallRef]) -> bool:
        is_clean = self.system.stop(self.office.timing.stop_timeout_s)
        for ref in refs:  # also of those that had to be killed: nobody is left waiting (SEMANTICS X2)
            ref.kept.leg.close()
        return is_clean

    def _disconnect(self, timeout_s: float) -> None:
        done: Future[bool] = Future(self.system.dispatcher)
        if self.office.tell_connection(Disconnect(done)) and not _get(done, timeout_s):
            _log.error("the connection did not close within %g s", timeout_s)

    def _wait_for_calls(self, timeout_s: float) -> bool:
        """Wait until no call is up, also none that began meanwhile; False when the time is over first, or hurried."""
        clock = self.system.clock
        until = clock.now() + timeout_s
        while handles := self._handles():
            if self._hurried.is_settled or clock.now() >= until:
                return False
            over: Future[None] = Future(self.system.dispatcher)
            hurried = self._hurried

            def go_on(_settled: object, over: Future[None] = over) -> None:
                over.try_set(None)

            hurried.add_done_callback(go_on)
            handles[0].wait_for_ended().add_done_callback(go_on)
            _get(over, until - clock.now())
            hurried.remove_done_callback(go_on)
        return True

    def _refs(self) -> list[CallRef]:
        return [cell.ref for cell in self.system.living if isinstance(cell.ref, CallRef)]

    def _handles(self) -> list[CallHandle]:
        return [CallHandle(ref) for ref in self._refs() if not (ref.kept.leg.is_ended or ref.kept.leg.is_handed_on)]


def _get(future: Future[Any], timeout_s: float) -> bool:
    """Wait for a future; return whether it was settled in time."""
    try:
        future.get(timeout=timeout_s)
    except WaitTimeout:
        return False
    return True
