"""From an event to the command that a call gives upon it, as the load server sees it, while calls come at random."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from tests.benchmarks.arena import ON, SDK, Arena, Results
from tests.benchmarks.calls import saturation
from tests.benchmarks.contest import Contender, NotMeasuredError, floor, official, ours
from tests.benchmarks.rows import Row, Target, figure

__all__ = ["measure", "measure_blocking"]

_HOW = "from the write of an event to the read of the command that it leads to, four times a call; calls come at random"
_HIGH = 7_500
_STEPS = (7_500, 6_000, 4_500, 3_500, 2_500, 1_750, 1_250, 900, 600, 400, 250, 150)
_KEEPS_UP = 0.97
_ONE_MS = Target(at_most=1.0, of="value")


def measure(arena: Arena) -> list[Row]:
    """Return the rows, for each mode of the load server."""
    return [row for mode in arena.modes for row in _rows(arena, mode)]


def _rows(arena: Arena, mode: str) -> list[Row]:
    few = _at_rate(arena, mode, 20.0, seconds=arena.size(10, 4), others=(floor(),))
    rows = [
        few.row("ours", SDK, key="p50_ms", name=f"p50 from event to command, 20 calls/s, {mode}", unit="ms",
                conditions=f"{_HOW}; {ON}", target=Target(at_most=0.45)),
        few.row("floor", SDK, key="p50_ms", name=f"p50 of the floor, 20 calls/s, {mode}", unit="ms",
                conditions=f"{_HOW}; no actors, no supervision, no limits: what system, TLS and JSON take"),
    ]  # fmt: skip
    rate = _most_of_the_sdk(arena, mode)
    many = _at_rate(arena, mode, rate, seconds=arena.size(6, 3))
    rows.append(
        many.row("ours", SDK, key="p95_ms", name=f"p95 from event to command, {rate:.0f} calls/s, {mode}", unit="ms",
                 conditions=f"{_HOW}, 80 of 100 of what the official SDK does in this run; {ON}",
                 target=Target(at_most=0.5))
    )  # fmt: skip
    return [*rows, _at_the_highest(arena, mode)]


def _at_rate(
    arena: Arena, mode: str, rate: float, *, seconds: float, program: str = "ivr", others: Iterable[Contender] = ()
) -> Results:
    contenders = {"ours": ours(program), **({SDK: official(program)} if arena.has_sdk else {})}
    contenders.update((other.name, other) for other in others)
    return arena.interleave(
        {name: _latency_of(arena, contender, mode, rate, seconds) for name, contender in contenders.items()},
        min(arena.rounds, 3),
    )


def _latency_of(
    arena: Arena, contender: Contender, mode: str, rate: float, seconds: float
) -> Callable[[], dict[str, float]]:
    return lambda: latency(arena, contender, mode, rate, calls=max(50, int(rate * seconds)))


def latency(arena: Arena, contender: Contender, mode: str, rate: float, *, calls: int) -> dict[str, float]:
    """Return percentiles in ms and the rate that was kept up.

    Raises:
        NotMeasuredError: calls were not over seconds after the last one had come.
    """
    warm_up = max(30, int(rate / 2))
    with arena.contest(contender, "at_rate", mode=mode, rate=rate, calls=calls, warm_up=warm_up) as contest:
        contest.wait_for("began", 60.0)
        contest.go()
        ended = contest.wait_for("ended", 60.0 + calls / rate)
    if ended["unfinished"]:
        raise NotMeasuredError(f"{contender.name}: {ended['unfinished']} calls had not ended 10 s after the last began")
    kept = {name: ended["latencies"][name] * 1e3 for name in ("p50", "p95", "p99", "max")}
    return {f"{name}_ms": value for name, value in kept.items()} | {"rate": ended["rate"] / ended["offered_rate"]}


def _most_of_the_sdk(arena: Arena, mode: str) -> float:
    if not arena.has_sdk:
        return 650.0
    calls = arena.size(2_500, 1_000)
    found = arena.interleave({SDK: lambda: saturation(arena, official("ivr"), mode, calls)}, min(arena.rounds, 3))
    value = found.figure(SDK, "calls_per_s")
    return 650.0 if value is None else round(0.8 * value.median, -1)


def _at_the_highest(arena: Arena, mode: str) -> Row:
    """The highest rate of a few that is kept up; only at the first one the target can be met."""
    most = arena.interleave({"ours": lambda: saturation(arena, ours("ivr"), mode, arena.size(4_000, 1_500))}, 1)
    limit = most.figure("ours", "calls_per_s")
    name = f"p95 from event to command, {_HIGH:,} calls/s, {mode}"
    conditions = f"{_HOW}; {ON}; the official SDK cannot reach it"
    if limit is None:
        return most.row("ours", key="p95_ms", name=name, unit="ms", conditions=conditions)
    for rate in (step for step in _STEPS if step < limit.median):
        try:
            found = [latency(arena, ours("ivr"), mode, rate, calls=3 * rate) for _ in range(min(arena.rounds, 3))]
        except NotMeasuredError:
            continue
        if min(each["rate"] for each in found) >= _KEEPS_UP:
            reached = figure([each["p95_ms"] for each in found])
            if rate == _HIGH:
                return Row(name=name, unit="ms", ours=reached, target=_ONE_MS, conditions=conditions)
            return Row(
                name=f"{name} (not reached: measured at {rate:,})", unit="ms", ours=reached,
                target=dataclasses.replace(_ONE_MS, is_out_of_reach=True), conditions=conditions,
            )  # fmt: skip
    return Row(name=name, unit="ms", failure=f"no rate was kept up, and {limit.median:.0f} calls/s is the most")


def measure_blocking(arena: Arena) -> list[Row]:
    """Return the row of handlers that block."""
    found = _at_rate(arena, "sleep", 100.0, seconds=arena.size(20, 6), program="ivr-blocking")
    return [
        found.row("ours", SDK, key="p99_ms", unit="ms",
                  name="p99 when 1 handler in 100 blocks for 0.5 s, 100 calls/s",
                  conditions=f"{_HOW}, of all calls, also those that block; sleep; {ON}",
                  target=Target(at_most=0.05))
    ]  # fmt: skip
