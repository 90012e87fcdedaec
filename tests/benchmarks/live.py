"""Many calls at once: the memory of one that waits, events spread over them, and what an event costs among more."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.benchmarks.arena import ON, SDK, Arena
from tests.benchmarks.contest import Contender, official, ours
from tests.benchmarks.rows import Row, Target

__all__ = ["measure_events", "measure_growth", "measure_memory"]

_WARM_UP = 300
_RESIDENT = "growth of the resident memory of the process, by call, after 300 calls that are up already"


def measure_memory(arena: Arena) -> list[Row]:
    """Return the rows of what a call takes that is up and waits."""
    calls = arena.size(10_000, 2_000)
    programs = {"idle": 1, "idle-messages": 1, "two-actions": 3}
    contenders = {program: (ours(program), commands) for program, commands in programs.items()}
    if arena.has_sdk:
        contenders |= {f"{SDK} {program}": (official(program), commands) for program, commands in programs.items()}
    found = arena.interleave(
        {
            name: lambda contender=contender, commands=commands: _memory(arena, contender, commands, calls)  # type: ignore[misc]
            for name, (contender, commands) in contenders.items()
        },
        min(arena.rounds, 2),
    )
    on = f"{calls:,} calls; {_RESIDENT}; {ON}"
    return [
        found.row("idle", f"{SDK} idle", key="kib", name="memory of a live idle call", unit="KiB", against=SDK,
                  conditions=f"the flow, there a coroutine, has answered and waits for the end of the call; {on}",
                  target=Target(at_most=1.2)),
        found.row("idle-messages", f"{SDK} idle-messages", key="kib", name="memory of a live idle call, no flow",
                  unit="KiB", against=SDK,
                  conditions=f"message style; there, the coroutine has answered and returned; {on}"),
        found.row("two-actions", f"{SDK} two-actions", key="kib", name="memory of a live call with two running actions",
                  unit="KiB", against=SDK, conditions=f"a play and a record run, and the flow waits; {on}",
                  target=Target(at_most=6, of="value")),
    ]  # fmt: skip


def _memory(arena: Arena, contender: Contender, commands: int, calls: int) -> dict[str, float]:
    with arena.contest(contender, "live", calls=calls, commands=commands, warm_up=_WARM_UP) as contest:
        contest.wait_for("ready", 60.0)
        before = contest.resident_bytes()
        contest.go()
        contest.wait_for("up", 110.0)
        return {"kib": (contest.resident_bytes() - before) / calls / 1024}


def measure_events(arena: Arena) -> list[Row]:
    """Return the row of play events that are spread over many calls."""
    calls, events = arena.size(10_000, 2_000), arena.size(100_000, 20_000)
    contenders = {"ours": ours("listens"), **({SDK: official("listens")} if arena.has_sdk else {})}
    found = arena.interleave(
        {
            name: lambda contender=contender: _flood(arena, contender, calls, events)  # type: ignore[misc]
            for name, contender in contenders.items()
        },
        min(arena.rounds, 3),
    )
    return [
        found.row("ours", SDK, key="events_per_s", name=f"play events over {calls:,} live calls", unit="events/s",
                  conditions=f"{events:,} events, each call listens to its own; sleep; {ON}",
                  target=Target(at_least=8)),
    ]  # fmt: skip


def _flood(arena: Arena, contender: Contender, calls: int, events: int, **paced: Any) -> dict[str, float]:
    everything = {"BENCH_EVENTS": str(calls + events)}  # with the one of each call that says that its play has begun
    contender = dataclasses.replace(contender, environment=everything)
    settings = {"calls": calls - 1, "warm_up": 1, "commands": 2, "events": events, **paced}
    with arena.contest(contender, "live", **settings) as contest:
        contest.wait_for("ready", 60.0)
        contest.go()
        contest.wait_for("up", 110.0)
        before_s = contest.cpu_s()
        contest.go()
        flooded = contest.wait_for("flooded", 110.0)
        used_s = contest.cpu_s() - before_s
        before_s = contest.cpu_s()
        contest.go()
        over = contest.wait_for("over", 60.0)
        paced_s = contest.cpu_s() - before_s
    found = {"events_per_s": events / flooded["seconds"], "cpu_us": used_s / events * 1e6}
    if paced:
        found["paced_us"] = paced_s / over["paced"] * 1e6
        found |= {f"{name}_ms": seconds * 1e3 for name, seconds in over["latencies"].items()}
    return found


def measure_growth(arena: Arena) -> list[Row]:
    """Return the rows of 20,000 calls: how late events are, and what one costs beside one of 100 calls."""
    most, few, events = arena.size(20_000, 4_000), 100, arena.size(60_000, 20_000)
    found = arena.interleave(
        {
            "most": lambda: _flood(arena, ours("listens"), most, events, rate=2_000.0, paced_s=5.0),
            "few": lambda: _flood(arena, ours("listens"), few, events, rate=2_000.0, paced_s=5.0),
        },
        min(arena.rounds, 3),
    )
    on = f"max_active_calls raised; sleep; {ON}"
    return [
        found.row("most", key="p99_ms", name=f"p99 of events, {most:,} live calls, 2,000 events/s", unit="ms",
                  conditions=f"from an event to the command that it leads to; {on}",
                  target=Target(at_most=20, of="value")),
        found.row("most", "few", key="paced_us", name=f"CPU of an event, {most:,} live calls beside {few}", unit="µs",
                  against=f"{few} calls", target=Target(at_most=1.5),
                  conditions=f"2,000 events/s at random over the calls, each with the command that it leads to; {on}"),
        found.row("most", "few", key="cpu_us", unit="µs", against=f"{few} calls",
                  name=f"CPU of an event, {most:,} live calls beside {few}, as many as go",
                  conditions=f"{events:,} play events over the calls; each of few has several at once; {on}"),
    ]  # fmt: skip
