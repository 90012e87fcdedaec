"""Starts applications against a simulator, and finds out what they leave behind. Layer: door. Knows no test runner."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from relay_actors.actors.tree import ServicesSupervisor
from relay_actors.app import RelayApp
from relay_actors.config import Timing
from relay_actors.errors import RelayActorsError
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.protocol.states import CallState
from relay_actors.runtime.actor_ref import cell_of
from relay_actors.runtime.child_record import ChildState
from relay_actors.runtime.inspection import label_of
from relay_actors.runtime.system import System
from relay_actors.simulator.calls import CallSnapshot
from relay_actors.simulator.websockets_server import SimulatorServer
from relay_actors.testing.environment import bare_environment
from relay_actors.testing.lab import Lab, check_can_start
from relay_actors.testing.leaks import threads_left
from relay_actors.testing.timeline import Timeline

__all__ = ["AppRunner", "shortened"]

LOG_IN_S: Final = 10.0
"""On one machine a log in takes milliseconds; whoever has to wait longer has a broken test."""

SETTLES_S: Final = 1.0
"""How long the news of a call's end may be on its way."""

ACKNOWLEDGED_S: Final = 30.0
"""How long an acknowledgement may take in a lab: longer than it takes to connect again."""

THREAD_ENDS_S: Final = 1.0
"""How long threads may still be on their way out when their application says that it has stopped."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Running:
    """An application that was started, and how things were before."""

    app: RelayApp
    system: System
    timing: Timing
    threads_before: frozenset[threading.Thread]


class AppRunner:
    """Starts applications against one simulator, and stops them: what ``relay_app`` is.

    Args:
        where: a lab, in whose virtual time they run; or a server, which they reach over a real WebSocket on loopback,
            in real time and on threads.
        timeline: is to follow what their actors handle; none by default. Only in a lab: on threads it would cost time,
            which such a test may measure.
    """

    def __init__(self, where: Lab | SimulatorServer, timeline: Timeline | None = None) -> None:
        self._lab = where if isinstance(where, Lab) else None
        self._server = where if isinstance(where, SimulatorServer) else None
        self._simulator = where.sim if isinstance(where, Lab) else where.simulator
        self._timeline = timeline
        self._running: list[_Running] = []
        self._media: dict[RelayApp, MemoryMedium] = {}

    def __call__(self, app: RelayApp, *, timing: Timing | None = None) -> RelayApp:
        """Start ``app`` with test credentials, and return it once it is logged in. Several may run beside each other.

        A journal that it keeps in a file is in memory here: that file is neither read nor written. It is there again
        when ``app`` is started again in the same test. A `Store` that it was given stays in use.

        Args:
            app: typically the one of the module under test; it is stopped when the test is over.
            timing: its times for this run. By default its own; over a real socket with those `shortened` that a test
                would wait for.

        Raises:
            ConfigError: it is no application, or runs already.
        """
        check_can_start(app)
        former, threads_before = app.timing, frozenset(threading.enumerate())
        with bare_environment():
            if self._lab is not None:
                self._lab.start(app, timing=timing)
            else:
                self._start_on_socket(app, timing)
        self._running.append(_Running(app, app.system, former, threads_before))
        if self._timeline is not None and self._lab is not None:
            self._timeline.follow(app)
        return app

    def never_up(self) -> list[str]:
        """Say which services of the applications that run have failed whenever they were started, told for people.

        One that was up and is being restarted is none of them: that may be what a test is about.
        """
        return [told for one in self._running if one.app.is_running for told in _never_up(one.system)]

    def stop(self) -> list[str]:
        """Stop all applications, the last one first; return what they left behind, told for people. Idempotent.

        Calls that are still up are hung up by the stop, which is no fault; those that are up afterwards were left,
        unless the server has lost their session, so that nobody can hang them up. Left are also actors, threads,
        timers, and events that the server has sent and nobody has acknowledged.
        """
        # An application cannot hang up on a server that does not answer, or is not there: that fault was the test's.
        self._simulator.mend_lines()
        if self._lab is not None and self._lab.is_stuck:  # of that the test was told where it waited
            self._lab.kill()  # a stop would never end
            self._running.clear()
            return []
        self._settle()
        left = self._unacknowledged()
        lost = {call.call_id for call in self._simulator.calls_lost()}
        running, self._running = self._running[::-1], []
        stopped = [(one, one.app.stop()) for one in running]
        # Not before all have stopped: of two that have the same name, one may have threads that began after the other.
        for one, is_clean in stopped:
            left += [*_left_by(one, is_clean), *self._left_in_lab(one)]
        if self._lab is not None and not self._lab.apps and (timers := self._lab.pending_timers):
            left.append(f"{timers} timers are still pending")
        return list(dict.fromkeys(left)) + [
            f"call {call.call_id} is still {call.state}: nobody has hung it up"
            for call in self._simulator.calls_up()
            if _was_taken(call) and call.call_id not in lost
        ]

    def _start_on_socket(self, app: RelayApp, timing: Timing | None) -> None:
        assert self._server is not None
        former, app.timing = app.timing, timing if timing is not None else shortened(app.timing)
        try:
            app.start(
                wait_s=LOG_IN_S,
                host=f"{self._server.host}:{self._server.port}",
                project="test-project",
                token="test-token",
                jwt_token="",
                scheme="ws",
                ca_file="",
                journal=None if app.journal_path is None else MemoryStore(self._media.setdefault(app, MemoryMedium())),
            )
        except BaseException:
            app.timing = former
            raise

    def _settle(self) -> None:
        """Let the applications learn of the calls that have ended, so that nobody tries to hang those up."""
        if self._lab is not None:
            self._lab.settle()
        ended = [call.call_id for call in self._simulator.calls if call.state == CallState.ENDED]
        for running in self._running:
            handles = [running.app.call(call_id) for call_id in ended] if running.app.is_running else []
            try:
                for handle in handles:
                    if handle is not None:
                        handle.wait_for_ended().get(timeout=SETTLES_S)
            except (RelayActorsError, TimeoutError) as error:
                _log.debug("stopping at once: %s", error)

    def _unacknowledged(self) -> list[str]:
        """Say which events nobody has acknowledged although all applications run and are connected.

        Only in a lab: over a socket an acknowledgement may be on its way for any time.
        """
        if self._lab is None or not self._running or not all(running.app.is_running for running in self._running):
            return []
        if self._lab.until(lambda: not self._simulator.unacknowledged, within=ACKNOWLEDGED_S):
            return []
        return [f"{len(self._simulator.unacknowledged)} events were not acknowledged within {ACKNOWLEDGED_S:g} s"]

    def _left_in_lab(self, running: _Running) -> list[str]:
        if self._lab is None:
            return []
        self._lab.settle()
        return [f"actor {cell!r} of {running.app.name!r} is left" for cell in running.system.living]


def shortened(timing: Timing) -> Timing:
    """Return these times, with those shortened that a test waits for without having asked for it.

    They are the stay of a call's actor after the end, the pauses between attempts to connect, and the patience of a
    stop, which lasts until a hang-up that was lost with its connection is said again. Time-outs of requests, dials and
    operations are what an application is tested with, and stay as they are.
    """
    return dataclasses.replace(
        timing,
        linger_s=min(timing.linger_s, 0.05),
        reconnect_min_s=min(timing.reconnect_min_s, 0.02),
        reconnect_max_s=min(timing.reconnect_max_s, 0.2),
        stop_timeout_s=min(timing.stop_timeout_s, timing.reconcile_s + 2.0),
    )


def _left_by(running: _Running, is_clean: bool) -> list[str]:
    app = running.app
    app.timing, patience_s = running.timing, app.timing.stop_timeout_s
    threads = [
        thread
        for thread in threading.enumerate()
        if thread not in running.threads_before and thread.name.startswith(f"{app.name}-")
    ]
    left = threads_left(threads, THREAD_ENDS_S if is_clean else 0.0)
    if not is_clean and not left:
        left = [f"an actor of {app.name!r} did not end within {patience_s:g} s"]
    return left


def _never_up(system: System) -> Iterator[str]:
    supervisors = [cell for cell in system.living if issubclass(cell.actor_class, ServicesSupervisor)]
    for services in [one.children for one in supervisors if one.children is not None]:
        down = [one.ref for one in services.describe() if one.state is ChildState.RESTARTING and one.ref is not None]
        for cell in map(cell_of, down):
            restarts = services.restarts_of(cell)
            if restarts and all(restart.kind == "start_failed" for restart in restarts):
                yield f"service {label_of(cell)!r} ({cell.actor_class.__name__}): {restarts[-1].reason}"


def _was_taken(call: CallSnapshot) -> bool:
    """Whether an application has made the call or done something with it, and has not given it back."""
    return (call.direction == "outbound" or bool(call.commands)) and "calling.pass" not in call.commands
