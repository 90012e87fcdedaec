"""What is measured of a running system, and what the numbers are called. Layer: pillar.

Counters are counted where things happen, by `Hooks`; gauges are read when they are asked for; durations are measured
only while a `TurnMeter` observes the system.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, Final, Literal

from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.inspection import oldest_s_of
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.reasons import ExitReason

__all__ = ["BUCKETS_S", "RUNTIME_METRICS", "Metric", "TurnMeter", "metrics_of"]


@dataclass(frozen=True, slots=True)
class Metric:
    """What one number is.

    Attributes:
        kind: as Prometheus has them.
        help: one sentence.
        label: by what it is divided; "" if it is one number.
    """

    kind: Literal["counter", "gauge", "histogram"]
    help: str
    label: str = ""


RUNTIME_METRICS: Final[Mapping[str, Metric]] = {
    "actors.ended": Metric("counter", "Actors that ended, by the kind of their exit reason.", "reason"),
    "actors.failed": Metric("counter", "Failures of actors, whatever was done about them."),
    "actors.given_up": Metric("counter", "Actors whose restarts were used up and whose successor took over."),
    "actors.killed": Metric("counter", "Actors that did not stop by themselves and were killed."),
    "actors.living": Metric("gauge", "Actors that live."),
    "actors.restarted": Metric("counter", "Restarts."),
    "actors.resumed": Metric("counter", "Actors that went on after an error, because a directive says so."),
    "ask.expired": Metric("counter", "Questions that were not handled because their time was over."),
    "ask.late": Metric("counter", "Answers that came when the asker had given up."),
    "ask.repeated": Metric("counter", "Second answers to one question."),
    "dead_letters": Metric("counter", "Messages that nobody handled, by reason.", "reason"),
    "events.dropped": Metric("counter", "Events for which a subscriber's mailbox had no room."),
    "machines.illegal_events": Metric("counter", "Events that a state machine's present state does not allow."),
    "mailbox.wait.seconds": Metric(
        "histogram", "How long messages waited before they were handled, by class of actor.", "actor"
    ),
    "messages.oldest.seconds": Metric(
        "gauge", "How long the oldest message of all waits; from the first look at it, unless turns are measured."
    ),
    "messages.retried": Metric("counter", "Messages that were handled once more after an error."),
    "messages.unexpected": Metric("counter", "Messages of a type that their actor does not handle."),
    "messages.waiting": Metric("gauge", "Messages that wait in mailboxes."),
    "pipe.dropped": Metric("counter", "Results of futures that came for an incarnation that had ended."),
    "threads": Metric("gauge", "Threads of the dispatcher and of its blocking pool."),
    "timers.pending": Metric("gauge", "Timers that are pending."),
    "turn.seconds": Metric("histogram", "How long the handling of one message took, by class of actor.", "actor"),
    "turns.blocking": Metric("counter", "Handlers that held a thread too long for others."),
    "turns.hanging": Metric("counter", "Turns that lasted so long that they were reported, whatever they did."),
    "zombie_threads": Metric("gauge", "Threads on which a killed actor's handler still runs."),
}
"""The numbers of every system, by the names that `metrics_of` gives them."""

BUCKETS_S: Final = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Upper bounds of the buckets of durations, in seconds: from one turn to a handler that hangs."""


class _Durations:
    """How often something took how long."""

    __slots__ = ("_counts", "_sum_s")

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS_S) + 1)
        self._sum_s = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(BUCKETS_S, seconds)] += 1
        self._sum_s += seconds

    def as_dict(self) -> dict[str, Any]:
        """The buckets are cumulative, as Prometheus has them."""
        total, buckets = 0, {}
        for bound, count in zip(BUCKETS_S, self._counts, strict=False):
            total += count
            buckets[bound] = total
        return {"count": sum(self._counts), "sum": self._sum_s, "buckets": buckets}


class TurnMeter:
    """An observer that measures how long each message waits, and how long its handling takes."""

    def __init__(self, now: Any) -> None:
        self._now = now
        self._durations: dict[str, dict[str, _Durations]] = {"turn.seconds": {}, "mailbox.wait.seconds": {}}
        # Guards the durations: turns end on any thread. Re-entrant, because a finaliser may run in the middle.
        self._lock = threading.RLock()

    def on_sent(self, cell: Cell, message: object) -> None:
        """Nothing is counted when a message is sent."""

    def capture(self) -> object:
        """Nothing travels with the messages."""
        return None

    def on_handling(self, cell: Cell, envelope: Envelope) -> float | None:
        """Return how long the message has waited."""
        seen_at = getattr(envelope, "seen_at", None)
        return None if seen_at is None else self._now() - seen_at

    def on_handled(
        self, cell: Cell, envelope: Envelope, begun: float | None, took_s: float, error: BaseException | None
    ) -> None:
        """Count both."""
        label = cell.actor_class.__name__
        with self._lock:
            self._add("turn.seconds", label, took_s)
            if begun is not None:
                self._add("mailbox.wait.seconds", label, begun)

    def on_ended(self, cell: Cell, reason: ExitReason) -> None:
        """What was measured stays."""

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return the durations, by name and class of actor. Any thread."""
        with self._lock:
            return {
                name: {label: durations.as_dict() for label, durations in by_label.items()}
                for name, by_label in self._durations.items()
                if by_label
            }

    def _add(self, name: str, label: str, seconds: float) -> None:
        by_label = self._durations[name]
        if label not in by_label:
            by_label[label] = _Durations()
        by_label[label].add(seconds)


def metrics_of(system: Any, table: Mapping[str, Metric] = RUNTIME_METRICS) -> dict[str, Any]:
    """Return all numbers of a system by name: counters, gauges and, while they are measured, durations. Any thread.

    What has a label is a dictionary of its values; a duration is ``{"count", "sum", "buckets"}`` with the cumulative
    count by upper bound in seconds.

    Args:
        system: whose.
        table: what they are; for who counts more than the runtime does.
    """
    waiting, oldest_s, now = 0, 0.0, system.clock.now()
    for cell in system.living:
        here = sum(cell.mailbox.lengths())
        if here:
            waiting += here
            oldest_s = max(oldest_s, oldest_s_of(cell, now) or 0.0)
    gauges = {
        "actors.living": system.actor_count,
        "dead_letters": system.dead_letters.counts,
        "messages.oldest.seconds": oldest_s,
        "messages.waiting": waiting,
        "threads": getattr(system.dispatcher, "thread_count", 0),
        "timers.pending": getattr(system.dispatcher, "pending_timers", 0),
    }
    measured = {
        name: value for meter in system.observation.of_kind(TurnMeter) for name, value in meter.snapshot().items()
    }
    found = _counters_of(table) | {"zombie_threads": 0} | _by_label(system.hooks.snapshot(), table) | gauges | measured
    return dict(sorted(found.items()))


def _counters_of(metrics: Mapping[str, Metric]) -> dict[str, Any]:
    """Return those that count, at 0, or without any label: a counter is there before it has counted anything."""
    return {name: {} if metric.label else 0 for name, metric in metrics.items() if metric.kind == "counter"}


def _by_label(counts: Mapping[str, int], table: Mapping[str, Metric]) -> dict[str, Any]:
    """Put counters together that differ in their label only: ``actors.ended.normal`` is one of ``actors.ended``."""
    found: dict[str, Any] = {}
    for name, count in counts.items():
        family, _, label = name.rpartition(".")
        if family in table and table[family].label:
            found.setdefault(family, {})[label] = count
        elif name in table and table[name].label:  # the application's own, as `exposition` has it
            found[f"own.{name}"] = count
        else:
            found[name] = count
    return found
