"""The tree of one running application. Layer: hall. Source: DESIGN section 3.

::

    root                permanent children, in this order
     ├─ services        long-lived actors of the user
     ├─ calls           one CallActor each
     ├─ messages        one MessageActor each
     └─ connection      owns the socket; last, so that its restart takes no call with it
"""

from __future__ import annotations

import logging
from typing import Any

from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.calls_supervisor import CallsSupervisor
from relay_actors.actors.connection import ConnectionActor
from relay_actors.actors.leg_actor import CallRef, Kept
from relay_actors.actors.message import KeptMessage
from relay_actors.actors.office import App, Office
from relay_actors.actors.routing import Routes
from relay_actors.actors.wire import Disconnect, Drain, Wire
from relay_actors.config import Limits, Settings, Timing
from relay_actors.errors import ActorDead, RelayActorsError
from relay_actors.journal.base import Store
from relay_actors.protocol.client import ClientProtocol
from relay_actors.runtime.actor import Actor, ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.supervisor import DynamicSupervisor
from relay_actors.runtime.system import System
from relay_actors.transport.base import Connector

__all__ = ["Tree"]

_log = logging.getLogger("relay_actors.app")

_PILLAR = ChildSpec(restart=Restart.PERMANENT)


class _Root(DynamicSupervisor):
    """Supervises everything. When it ends by itself, the application has failed, and is told so."""

    def __init__(self, ended: list[Future[RelayActorsError | None]]) -> None:
        super().__init__()
        self._ended = ended

    def on_child_ended(self, ref: Any, reason: ExitReason) -> None:
        """Tell whoever waits for the end of the connection why it ended."""
        if issubclass(ref.actor_class, ConnectionActor) and reason.is_abnormal:
            error = reason.cause if isinstance(reason.cause, RelayActorsError) else ActorDead(str(reason))
            for ended in self._ended:
                ended.try_set(error)


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
        self._root = system.start(_Root, [self.wire.ended])
        self._services = system.start_child(self._root, DynamicSupervisor, spec=_PILLAR)
        self.office.calls = system.start_child(self._root, CallsSupervisor, spec=_PILLAR)
        self.office.messages = system.start_child(self._root, DynamicSupervisor, spec=_PILLAR)

    def connect(self) -> None:
        """Start the connection."""
        self.office.connection = self.system.start_child(self._root, ConnectionActor, self.wire, spec=_PILLAR)

    def start_service(
        self, actor_class: type[Actor], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> ActorRef[Any]:
        """Start a long-lived actor of the user."""
        spec = ChildSpec(
            restart=Restart.PERMANENT,
            max_restarts=1_000_000_000,
            within_s=1.0,
            backoff=Backoff(min_s=0.1, max_s=30.0),
            shutdown_s=self.office.timing.stop_timeout_s,
        )
        keys = (("service", name),)
        return self.system.start_child(self._services, actor_class, *args, spec=spec, keys=keys, **kwargs)

    def start_call(self, actor_class: type[Any], kept: Kept, key: tuple[str, str]) -> CallRef:
        """Start the actor of a call that this side dials."""
        spec = actor_class.child_spec(self.office)
        ref = self.system.start_child(self._calls(), actor_class, spec=spec, keep=kept, keys=(key,))
        assert isinstance(ref, CallRef)
        return ref

    def start_message(self, actor_class: type[Any], command: Any, kept: KeptMessage) -> ActorRef[Any]:
        """Start the actor of a text that this side sends."""
        spec = actor_class.child_spec(self.office)
        messages = self.office.messages
        assert messages is not None
        return self.system.start_child(messages, actor_class, command, spec=spec, keep=kept)

    @property
    def calls_up(self) -> int:
        """How many calls are up, dials included."""
        return len(self._handles())

    def drain(self, drain_s: float) -> bool:
        """Take no more calls, and let those that are up go on for ``drain_s`` seconds; True if none is left."""
        self.office.tell_connection(Drain())
        return drain_s <= 0 or self._wait_for_calls(drain_s)

    def hurry(self) -> None:
        """End a drain that is under way."""
        self._hurried.try_set(None)

    def stop(self, drain_s: float) -> bool:
        """Drain, hang up, disconnect, and end all actors and threads; True if nothing was left over."""
        timing = self.office.timing
        self.drain(drain_s)
        left = self._handles()
        if left and self.wire.protocol.is_ready:
            _log.warning("hanging up calls=%d", len(left))
            for handle in left:
                handle.hangup()
            self._hurried = Future(self.system.dispatcher)
            self._wait_for_calls(timing.stop_timeout_s)
        self._disconnect(timing.stop_timeout_s)
        return self.system.stop(timing.stop_timeout_s)

    def _disconnect(self, timeout_s: float) -> None:
        done: Future[bool] = Future(self.system.dispatcher)
        connection = self.office.connection
        if connection is None or not connection.is_alive():
            return
        self.office.tell_connection(Disconnect(done))
        try:
            done.get(timeout=timeout_s)
        except WaitTimeout:
            _log.error("the connection did not close within %g s", timeout_s)

    def _wait_for_calls(self, timeout_s: float) -> bool:
        over: Future[None] = Future(self.system.dispatcher)
        waits = [handle.wait_for_ended() for handle in self._handles()]
        if not waits:
            return True

        def one_ended(_wait: object) -> None:
            if all(wait.is_settled for wait in waits):
                over.try_set(None)

        for wait in waits:
            wait.add_done_callback(one_ended)
        self._hurried.add_done_callback(lambda _hurried: _settle(over))
        try:
            over.get(timeout=timeout_s)
        except WaitTimeout:
            return False
        return all(wait.is_settled for wait in waits)

    def _handles(self) -> list[CallHandle]:
        refs = [cell.ref for cell in self.system.living if isinstance(cell.ref, CallRef)]
        return [CallHandle(ref) for ref in refs if not (ref.kept.leg.is_ended or ref.kept.leg.is_handed_on)]

    def _calls(self) -> ActorRef[Any]:
        calls = self.office.calls
        assert calls is not None
        return calls


def _settle(over: Future[None]) -> None:
    over.try_set(None)
