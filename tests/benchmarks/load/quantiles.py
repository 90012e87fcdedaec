"""What is said of many latencies: their percentiles."""

from __future__ import annotations

__all__ = ["quantiles"]


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Return the median, the 95th and the 99th of 100, and the longest, in seconds."""
    ordered = sorted(seconds)
    if not ordered:
        return {}

    def at(part: float) -> float:
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]

    return {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": ordered[-1], "samples": float(len(ordered))}
