"""What a system shows of itself: its tree, traces, numbers and spans. Layer: pillar. Source: SEMANTICS O2-O4, X14."""

from __future__ import annotations

from typing import Any

import pykka

from relay_actors.errors import ConfigError
from relay_actors.runtime.actor_ref import cell_of
from relay_actors.runtime.inspection import ActorNode, ActorStats, node_of, tree_of
from relay_actors.runtime.metrics import TurnMeter, metrics_of
from relay_actors.runtime.observed import Observation, Observer
from relay_actors.runtime.tracing import Trace

__all__ = ["Seeing"]


class Seeing:
    """Adds to a system what can be seen of it. All of it from any thread; no actor is stopped or waited for."""

    name: str
    observation: Observation
    clock: Any
    _spans: Observer | None = None

    def inspect(self, who: pykka.ActorRef[Any] | str | None = None) -> ActorNode:
        """Return the tree of one actor: what it and everybody beneath it is doing, while all go on.

        Args:
            who: a ref, or a path: ``"Support#12"``, or ``"CallsSupervisor/c-123"`` by class and label. By default
                everybody, under a node that stands for the system itself.

        Raises:
            ConfigError: nobody is there, or several are called so.

        Source: SEMANTICS O3, X14.
        """
        if who is None:
            stats = ActorStats("running", 0, 0, 0, 0, None, "", None)
            return ActorNode(self.name, "System", "", stats, (), tree_of(self))
        return tree_of(self, node_of(self, who) if isinstance(who, str) else cell_of(who))[0]

    def trace(self, who: pykka.ActorRef[Any] | str, on: bool = True, *, keep: int = 1000) -> Trace:
        """Follow one actor, or cease to: what it receives, handles and sends.

        While anybody is traced, every message of the system takes a little longer; afterwards it does not. A trace
        goes on over restarts, and ends by itself when its actor ends for good.

        Args:
            who: a ref, or a path as for `inspect`.
            on: whether to begin or to end.
            keep: how many records a new trace keeps.

        Returns:
            The trace, whose ``records`` are the latest ones; of an actor that was not traced, an empty one.

        Source: SEMANTICS O4.
        """
        cell: Any = node_of(self, who) if isinstance(who, str) else cell_of(who)
        with self.observation.lock:
            known = [one for one in self.observation.of_kind(Trace) if one.cell is cell]
            trace = known[0] if known else Trace(cell, keep)
            if not on:
                self.observation.remove(trace)
            elif not known:
                self.observation.add(trace)
        if cell.has_ended:
            self.observation.remove(trace)
        return trace

    def measure(self, on: bool = True) -> None:
        """Measure how long each message waits and how long its handling takes, or cease to; see `metrics`.

        It costs a few readings of the clock for each message.
        """
        with self.observation.lock:
            meters = self.observation.of_kind(TurnMeter)
            if on and not meters:
                self.observation.add(TurnMeter(self.clock.now))
            for meter in () if on else meters:
                self.observation.remove(meter)

    def spans(self, on: bool = True, *, provider: Any = None) -> None:
        """Make a span of OpenTelemetry of each message's handling, or cease to.

        Args:
            on: whether to begin or to end.
            provider: a ``TracerProvider``; by default the one that OpenTelemetry is set to.

        Raises:
            ConfigError: OpenTelemetry is not installed.

        Source: SEMANTICS O2.
        """
        with self.observation.lock:
            if self._spans is not None:
                self.observation.remove(self._spans)
                self._spans = None
            if on:
                self._spans = _make_spans(provider)
                self.observation.add(self._spans)

    def metrics(self) -> dict[str, Any]:
        """Return all numbers by name: counters, gauges, and durations while they are measured.

        What has a label is a dictionary by its values; a duration is ``{"count", "sum", "buckets"}``, where the buckets
        are the cumulative counts by upper bound in seconds. The reference lists the names.
        """
        return metrics_of(self)


def _make_spans(provider: Any) -> Observer:
    try:
        from relay_actors.runtime.otel import Spans
    except ModuleNotFoundError as error:
        raise ConfigError("spans need OpenTelemetry: pip install 'relay_actors[otel]'") from error
    return Spans(provider)
