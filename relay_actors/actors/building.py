"""What one run of an application is made of: a system, a connector, the tree, the order of its end. Layer: hall.

It stands apart from `RelayApp`, because an application is imported by much that never starts it, such as its tests,
tools and worker processes: what only a run needs is loaded by the first one.
"""

from __future__ import annotations

from relay_actors.actors.ending import Ending, heeding_signals, next_word
from relay_actors.actors.frame_log import show_log
from relay_actors.actors.shutdown import Shutdown
from relay_actors.actors.tree import Tree
from relay_actors.config import Limits, Settings, Timing
from relay_actors.runtime.garbage import old_ones_set_aside
from relay_actors.runtime.system import System
from relay_actors.transport.base import Connector
from relay_actors.transport.tapped import TappedConnector, Tell

__all__ = [
    "Ending",
    "Shutdown",
    "Tree",
    "heeding_signals",
    "new_connector",
    "next_word",
    "old_ones_set_aside",
    "prepared",
    "show_log",
]


def prepared(given: System | None, name: str, timing: Timing, *, measures: bool, spans: bool) -> System:
    """Return the system in which to run: ``given``, or a new one on threads.

    Args:
        given: None for a new one.
        name: begins the names of a new one's threads.
        timing: when a new one reports turns that take too long.
        measures: whether turns are measured.
        spans: whether each turn becomes a span.
    """
    system = given
    if system is None:
        system = System(name=name, blocking_report_s=timing.blocking_report_s, hang_report_s=timing.hang_report_s)
    if measures:
        system.measure()
    if spans:
        system.spans()
    return system


def new_connector(
    given: Connector | None, settings: Settings, timing: Timing, limits: Limits, tell_frames: Tell | None
) -> Connector:
    """Return how to open the connection: as ``given``, or by a real socket.

    Args:
        given: None for a real socket.
        settings: where the server is.
        timing: how long each stage may take.
        limits: of the connection.
        tell_frames: is told every frame; None tells nobody.
    """
    connector = given
    if connector is None:
        # Here, because websocket-client with all that it imports is half as much again as everything else, and tests
        # and the lab open no socket.
        from relay_actors.transport.websocket_client import WebsocketConnector

        connector = WebsocketConnector(settings, timing, limits)
    return connector if tell_frames is None else TappedConnector(connector, tell_frames)
