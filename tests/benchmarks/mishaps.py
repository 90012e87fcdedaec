"""What becomes of many calls when the connection is lost, and when the process is killed: how long, and how many."""

from __future__ import annotations

import time

from tests.benchmarks.arena import ON, SDK, Arena
from tests.benchmarks.contest import Contender, NotMeasuredError, official, ours
from tests.benchmarks.rows import Row, Target

__all__ = ["measure_dropped", "measure_killed"]

_NONE = Target(at_most=0, of="value")


def measure_dropped(arena: Arena) -> list[Row]:
    """Return the rows of a connection that is reset."""
    contenders = {"ours": ours("commands"), **({SDK: official("commands")} if arena.has_sdk else {})}
    found = arena.interleave(
        {name: lambda contender=contender: _drop(arena, contender) for name, contender in contenders.items()},  # type: ignore[misc]
        min(arena.rounds, 3),
    )
    how = (
        "1,000 calls up, 100 of them have sent a command, which the server has carried out, and whose answer the reset "
        f"takes away; who comes back is told the events since; sleep; {ON}"
    )
    return [
        found.row("ours", SDK, key="usable_s", name="connection lost: until all calls are usable", unit="s",
                  conditions=f"until each call has sent its next command, and the last is answered; {how}",
                  target=Target(at_most=0.1)),
        found.row("ours", SDK, key="again_s", name="connection lost: until logged in again", unit="s", conditions=how),
        found.row("ours", SDK, key="lost", name="connection lost: commands in flight lost", unit="of 100",
                  conditions=f"those that were carried out, and failed for who had given them; {how}", target=_NONE),
    ]  # fmt: skip


def _drop(arena: Arena, contender: Contender) -> dict[str, float]:
    with arena.contest(contender, "dropped", calls=1_000, in_flight=100) as contest:
        contest.wait_for("up", 60.0)
        contest.go()
        over = contest.wait_for("over", 60.0)
    return {name: float(over[name]) for name in ("usable_s", "again_s", "lost")}


def measure_killed(arena: Arena) -> list[Row]:
    """Return the rows of a process that is killed and started again."""
    calls = arena.size(10_000, 2_000)
    journal = arena.folder / "killed.db"
    contenders = {"ours": ours("commands", journal=journal), **({SDK: official("commands")} if arena.has_sdk else {})}
    found = arena.interleave(
        {name: lambda contender=contender: _kill(arena, contender, calls) for name, contender in contenders.items()},  # type: ignore[misc]
        min(arena.rounds, 3),
    )
    how = f"{calls:,} calls up, each in its flow, SIGKILL, the same command again; journal on disk; sleep; {ON}"
    return [
        found.row("ours", key="live_s", name=f"killed with {calls:,} calls up: until all are live", unit="s",
                  conditions=f"from the start of the process until it has brought all calls back and logged in; {how}",
                  target=Target(at_most=2, of="value")),
        found.row("ours", key="answered_s", name=f"killed with {calls:,} calls up: until each has done something",
                  unit="s",
                  conditions=f"until the last call has given a command upon an event since the log in; {how}"),
        found.row("ours", SDK, key="lost", name=f"killed with {calls:,} calls up: calls lost", unit="calls",
                  conditions=f"those that do nothing upon an event since the log in; {how}", target=_NONE),
    ]  # fmt: skip


def _kill(arena: Arena, contender: Contender, calls: int) -> dict[str, float]:
    for left in arena.folder.glob("killed.db*"):
        left.unlink()
    with arena.contest(contender, "killed", calls=calls) as contest:
        contest.wait_for("up", 110.0)
        contest.kill_client()
        began = time.perf_counter()
        contest.start_client()
        contest.go()
        again = contest.wait_for("again", 60.0)
        over = contest.wait_for("over", 110.0)
    lost = calls - over["answered"]
    if over["answered"] == 0 and contender.name == "ours":
        raise NotMeasuredError("ours: no call came back")
    return {"live_s": again["at"] - began, "answered_s": over["last"] - began, "lost": float(lost)}
