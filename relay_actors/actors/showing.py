"""What an application shows of itself while it runs. Layer: hall. Source: SEMANTICS O2-O4, X14."""

from __future__ import annotations

import abc
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.call_ref import CallRef

if TYPE_CHECKING:
    from relay_actors.actors.tree import Tree
    from relay_actors.runtime.actor_ref import ActorRef
    from relay_actors.runtime.inspection import ActorNode
    from relay_actors.runtime.system import System
    from relay_actors.runtime.tracing import Trace

__all__ = ["Showing"]


class Showing(abc.ABC):
    """Adds to an application what can be seen of it. All of it from any thread; nothing is stopped or waited for."""

    @abc.abstractmethod
    def _running(self) -> Tree:
        """Return what runs, or raise `ConfigError`."""

    @property
    def system(self) -> System:
        """The actors of the running application."""
        return self._running().system

    def call(self, call_id: str) -> CallHandle | None:
        """Return a handle of a running call, or None if there is none of that id. Any thread."""
        ref = self._running().office.find(("call", call_id))
        return CallHandle(ref) if isinstance(ref, CallRef) else None

    def lookup(self, name: str) -> ActorRef[Any] | None:
        """Return the living service of that name, or None. Any thread."""
        return self._running().office.find(("service", name))

    def tree(self, who: ActorRef[Any] | CallHandle | str | None = None) -> ActorNode:
        """Return the living actors as a tree: ``print(app.tree())``. Of each its state, mailbox, turn and restarts.

        Args:
            who: a ref, a call, or a path such as ``"Support#12"`` or a call id: only that one and who is beneath it.

        Raises:
            ConfigError: nobody is there, or the application is not running.
        """
        tree = self._running()
        return tree.system.inspect(tree.root if who is None else _ref_of(who))

    def trace(self, who: ActorRef[Any] | CallHandle | str, on: bool = True, *, keep: int = 1000) -> Trace:
        """Follow one actor, or cease to: what it receives, handles and sends, as records and in the log.

        While anybody is traced, every message of the application takes a little longer; afterwards it does not. A trace
        goes on over restarts, and ends with its actor.

        Args:
            who: a ref, a call, or a path as for `tree`.
            on: whether to begin or to end.
            keep: how many records a new trace keeps; all of them are logged by ``relay_actors.trace`` at INFO.

        Raises:
            ConfigError: nobody is there, or the application is not running.
        """
        return self._running().system.trace(_ref_of(who), on, keep=keep)

    @property
    def overdue_s(self) -> float:
        """For how many seconds the connection has owed something, such as a time-out; 0.0 when it is in time."""
        return self._running().overdue_s

    def metrics(self) -> dict[str, Any]:
        """Return all numbers by name, as the reference lists them: ``app.metrics()["calls.up"]``.

        What has a label is a dictionary by its values; a duration is ``{"count", "sum", "buckets"}``, where the buckets
        are cumulative counts by upper bound in seconds. Durations are measured with ``RelayApp(metrics=True)`` only.

        Raises:
            ConfigError: the application is not running.
        """
        # Here and below, because few applications ask for it.
        from relay_actors.actors.measures import METRICS
        from relay_actors.runtime.metrics import metrics_of

        tree = self._running()
        numbers = {**metrics_of(tree.system, METRICS), **tree.numbers()}
        return dict(sorted(numbers.items()))

    def prometheus(self) -> str:
        """Return the same as Prometheus reads it (text format 0.0.4), for an HTTP server of one's own.

        ``relay-actors run --metrics 127.0.0.1:9464`` serves it.

        Raises:
            ConfigError: the application is not running.
        """
        from relay_actors.actors.measures import METRICS
        from relay_actors.runtime.exposition import exposition

        return exposition(self.metrics(), METRICS)

    def residue(self) -> dict[Hashable, str]:
        """Return everything that there is: two looks, before something and after it, show what it has left behind.

        Raises:
            ConfigError: the application is not running.
        """
        from relay_actors.actors.residue import residue_of_tree

        return residue_of_tree(self._running())


def _ref_of(who: ActorRef[Any] | CallHandle | str) -> ActorRef[Any] | str:
    return who.ref if isinstance(who, CallHandle) else who
