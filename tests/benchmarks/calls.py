"""Calls from beginning to end, as many as go: how many a second, and what CPU each costs the client."""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks.arena import ON, SDK, Arena
from tests.benchmarks.contest import Contender, floor, official, ours
from tests.benchmarks.rows import Row, Target

__all__ = ["measure", "saturation"]

AT_ONCE = 100
_AT_LEAST = {"sleep": Target(at_least=7, aim=10), "spin": Target(at_least=5, aim=6.5)}
_CALL = "answer, play and wait, play_and_collect and wait, end"


def measure(arena: Arena) -> list[Row]:
    """Return the rows, for each mode of the load server."""
    return [row for mode in arena.modes for row in _rows(arena, mode)]


def _rows(arena: Arena, mode: str) -> list[Row]:
    journal = arena.folder / "calls.db"
    contenders = [
        ours("ivr", name="flow"),
        floor(),
        ours("ivr", name="flow with a journal", journal=journal),
        ours("ivr-messages", name="messages"),
    ]
    if arena.has_sdk:
        contenders.insert(0, official("ivr"))
    calls = arena.size(5_000, 1_500)
    measures: dict[str, Callable[[], dict[str, float]]] = {
        contender.name: lambda contender=contender: saturation(arena, contender, mode, calls)  # type: ignore[misc]
        for contender in contenders
    }
    results = arena.interleave(measures)
    on = f"{_CALL}; {ON}; {AT_ONCE} calls at once, {calls:,} a round"
    durable = f"{on}; journal on disk"
    return [
        results.row("flow", SDK, key="calls_per_s", name=f"calls per second, {mode}", unit="calls/s", conditions=on,
                    target=_AT_LEAST[mode]),
        results.row("flow with a journal", "flow", key="calls_per_s", name=f"calls per second with a journal, {mode}",
                    unit="calls/s", conditions=durable, target=Target(at_least=0.9)),
        results.row("messages", "flow", key="calls_per_s", name=f"calls per second in message style, {mode}",
                    unit="calls/s", conditions=on),
        results.row("flow", SDK, key="cpu_s", name=f"CPU of 1,000 calls, {mode}", unit="s", conditions=on,
                    target=Target(at_most=0.10, of="value")),
        results.row("flow", "floor", key="cpu_s", name=f"CPU of 1,000 calls, beside the floor, {mode}", unit="s",
                    conditions=on, target=Target(at_most=2, aim=1.6)),
        results.row("flow with a journal", "floor", key="cpu_s",
                    name=f"CPU of 1,000 calls with a journal, beside the floor, {mode}", unit="s", conditions=durable),
        results.row("flow", "floor", key="server_busy", name=f"how busy the load server was, {mode}",
                    unit="of its time", conditions=f"{on}; were it near 1, the server would be what is measured"),
    ]  # fmt: skip


def saturation(arena: Arena, contender: Contender, mode: str, calls: int) -> dict[str, float]:
    """Run the calls, and return calls per second, CPU seconds per 1,000, and how busy the load server was."""
    for left in arena.folder.glob("calls.db*"):  # also its WAL, in which the calls of a round before are
        left.unlink()
    with arena.contest(contender, "saturated", mode=mode, calls=calls, at_once=AT_ONCE, warm_up=300) as contest:
        contest.wait_for("began", 60.0)
        before_s = contest.cpu_s()
        contest.go()
        ended = contest.wait_for("ended", 90.0)
        used_s = contest.cpu_s() - before_s
    return {
        "calls_per_s": calls / ended["seconds"],
        "cpu_s": used_s / calls * 1000,
        "server_busy": ended["busy"],
    }
