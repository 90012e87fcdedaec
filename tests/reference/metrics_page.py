"""The page of the metrics: each number by its two names, and what it means."""

from __future__ import annotations

from relay_actors.actors.measures import METRICS
from relay_actors.runtime.exposition import exposed_name
from relay_actors.runtime.metrics import BUCKETS_S
from tests.reference.markdown import code, join, table

INTRODUCTION = """\
What `app.metrics()` gives by the first name, and `app.prometheus()` and `relay-actors run --metrics` by the second.
Counters and gauges are always there; histograms only while turns are measured: `RelayApp(metrics=True)`, or one of the
options `--metrics` and `--inspect` of `relay-actors run`. What an application counts by itself, with
`self.system.hooks.count("queue.left")`, joins them as `relay_actors_queue_left_total`."""


def page() -> str:
    """The whole page."""
    rows = [
        (
            code(name),
            code(exposed_name(name, metric)),
            metric.kind,
            code(metric.label) if metric.label else "",
            metric.help,
        )
        for name, metric in METRICS.items()
    ]
    bounds = ", ".join(f"{bound:g}" for bound in BUCKETS_S)
    return join(
        "# Metrics",
        INTRODUCTION,
        table(("Name", "In Prometheus", "Kind", "Label", "What it is"), rows),
        f"The buckets of all histograms end at {bounds} seconds.",
    )
