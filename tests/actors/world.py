"""A whole application with its RELAY server: one thread, one seed, virtual time; and what it may not leave behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import TracebackType
from typing import Any

import pytest

from relay_actors.actors.call import CallActor
from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.call_ref import CallRef
from relay_actors.actors.tree import Tree
from relay_actors.app import RelayApp
from relay_actors.config import Limits, Timing
from relay_actors.runtime.system import System
from relay_actors.simulator import Line, Manners
from relay_actors.testing.lab import Lab
from tests.support.thorough import seeds

__all__ = ["CALLER", "CONTEXT", "OURS", "Witness", "World", "device", "over_seeds"]

CALLER = "+15550001111"
OURS = "+15559990000"
CONTEXT = "support"

PILLARS = ["_Root", "ServicesSupervisor", "CallsSupervisor", "MessagesSupervisor", "DeskActor", "ConnectionActor"]
PATIENCE_S = 300.0
"""Longer than every time-out of the framework that may still be running when a test is over, in virtual seconds."""


def over_seeds(count: int = 50) -> pytest.MarkDecorator:
    """Run a test with the fixture ``world`` from so many seeds, that is, in so many orders of what can happen."""
    return pytest.mark.parametrize("world", seeds(min(count, 10), count), indirect=True)


class Witness(CallActor):
    """Does nothing, and notes everything that it is told in its ``data``."""

    def on_receive(self, message: object) -> None:
        self.data.setdefault("seen", []).append(message)


class World(Lab):
    """The application under test, `app`, and the server with its phones, `sim`.

    Args:
        seed: the whole run follows from it.
        timing: of the application.
        limits: of the application.
        manners: of the server.
        pace: of the server.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        timing: Timing | None = None,
        limits: Limits | None = None,
        manners: Manners | None = None,
        pace: float = 1.0,
    ) -> None:
        super().__init__(seed, manners=manners, pace=pace)
        self.sim.patience_s = 5.0
        self.system = System(dispatcher=self.dispatcher, random=Random(seed + 1), hooks=self.counters)
        self.app = RelayApp("project", "token", host="relay.example.com", timing=timing, limits=limits)

    def __repr__(self) -> str:
        return f"World({self.seed})"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.app.stop()

    # -- time --------------------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        self.dispatcher.advance(seconds)

    def until(self, is_so: Callable[[], object], within_s: float = 5.0) -> None:
        """Run until ``is_so()``."""
        assert super().until(is_so, within_s), f"not within {within_s} s: {self}"

    # -- the application ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the application, and let it log in."""
        self.app.start(wait_s=10.0, system=self.system, connector=self.connector)

    def takes_calls(self, actor_class: type[CallActor], context: str = CONTEXT) -> None:
        """Have the calls of a context handled by a class; start the application if it does not run."""
        self.app.calls(context)(actor_class)
        if not self.app.is_running:
            self.start()

    def inbound(self, actor_class: type[CallActor] | None = None, *, number: str = CALLER) -> tuple[Line, CallHandle]:
        """Let somebody call, and return the caller's line and the application's handle; nothing more has happened."""
        if actor_class is not None:
            self.takes_calls(actor_class)
        line = self.sim.phone(number).dials(context=CONTEXT)
        self.until(lambda: self.app.call(line.call_id))
        handle = self.app.call(line.call_id)
        assert handle is not None
        return line, handle

    def answered(self, actor_class: type[CallActor] | None = None) -> tuple[Line, CallHandle]:
        """Let somebody call, and answer from outside."""
        line, handle = self.inbound(actor_class)
        handle.answer().get(timeout=5.0)
        handle.wait_for_answered().get(timeout=5.0)
        self.settle()
        return line, handle

    def seen(self, handle: CallHandle, *kinds: type) -> list[Any]:
        """Return what a `Witness` was told, oldest first; only of these kinds if any are given."""
        self.settle()
        return [message for message in handle.data.get("seen", ()) if not kinds or isinstance(message, kinds)]

    def tells(self, event_type: str, params: Mapping[str, object], *, context: str = "") -> None:
        """Let the server send an event that its simulated calls know nothing of."""
        outer = {"event_type": event_type, "timestamp": self.clock.wall(), "params": dict(params)}
        if context:
            outer["context"] = context
        frame_id = self.system.new_id()
        self.sim.push({"jsonrpc": "2.0", "id": frame_id, "method": "signalwire.event", "params": outer})

    # -- looking -----------------------------------------------------------------------------------------------------

    def sent(self, method: str) -> list[dict[str, Any]]:
        """Return the params of every request of a method that has reached the server, oldest first."""
        self.settle()
        return [frame.params for frame in self.sim.frames.received(method)]

    def methods(self) -> list[str]:
        """Return the methods of all requests on calls that have reached the server, oldest first."""
        self.settle()
        return [frame.method for frame in self.sim.frames.received() if frame.method.startswith("calling.")]

    def count(self, name: str) -> int:
        """Return a counter of the application."""
        return self.counters.snapshot().get(name, 0)

    @property
    def tree(self) -> Tree:
        """The running application's tree."""
        return self.app._running()

    def actor(self, handle: CallHandle) -> Any:
        """Return the present incarnation of a call's actor; None when it has ended."""
        return handle.ref._cell.actor

    def call_actors(self) -> list[Any]:
        """Return the cells of all calls that have an actor."""
        return [cell for cell in self.system.living if isinstance(cell.ref, CallRef)]

    # -- the end -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End all calls, let all time-outs pass, and see that nothing is left, before and after the stop (X18, H9)."""
        try:
            if self.app.is_running:
                self.sim.resume_answering()
                for phone in self.sim.phones:
                    for line in phone.lines:
                        line.hangs_up()
                self.settle()
                for leg in (cell.ref.kept.leg for cell in self.call_actors()):
                    if not leg.is_ended:  # the server knows nothing of it: a test has made it up
                        self.tells("calling.call.state", {**leg.ids, "tag": leg.tag, "call_state": "ended"})
                self.run(PATIENCE_S)
                self.assert_no_residue()
        finally:
            is_clean = self.app.stop()  # in any case: the process may have one connection only
        assert is_clean
        self.settle()
        assert self.system.actor_count == 0
        assert len(self.system.registry) == 0
        assert self.dispatcher.pending_timers == 0, f"{self.dispatcher.pending_timers} timers survive the stop"

    def assert_no_residue(self) -> None:
        """See that of all calls nothing is left: no actor, key, request, parked event or timer."""
        services = [spec[1] for spec in self.app._services]
        living = [type(cell.actor).__name__ for cell in self.system.living]
        assert len(living) == len(PILLARS) + len(services), f"actors are left: {living}"
        assert len(self.system.registry) == len(services), f"keys are left: {self.system.registry.owners}"
        wire = self.tree.wire
        assert len(wire.live) == 0, "the connection still knows calls"
        assert wire.pending == {}, "requests are still waiting for an answer"
        assert wire.last_words == {}, "last words were not taken yet"
        assert len(wire.parking) == 0, "events are still parked"
        assert len(wire.holding) == 0, "commands are still held back"
        assert not wire.holding.in_doubt, "commands of calls that have ended are still in doubt"
        # The connection's next deadline.
        assert self.dispatcher.pending_timers <= 1, f"timers are left: {self._pending()}"

    def _pending(self) -> list[str]:
        return [f"{due}: {call}" for due, _serial, call, _queue in self.dispatcher._timers._heap if call]


def device(number: str, **more: Any) -> dict[str, Any]:
    """Return a phone as a device of a dial."""
    return {"type": "phone", "params": {"from_number": OURS, "to_number": number, **more}}
