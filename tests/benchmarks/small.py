"""What is measured within one process, beside pykka and asyncio, and how long an import takes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.arena import SDK, Arena
from tests.benchmarks.contest import ROOT, SDK_PYTHON, NotMeasuredError
from tests.benchmarks.rows import Row, Target

__all__ = ["measure_actors", "measure_call_start", "measure_flows", "measure_imports", "measure_timers"]

_WITHIN_S = 120.0
_ACTORS = "the same code with either base class, each in a process of its own"


def _run(*command: str) -> str:
    """Run a process to its end, and return its last line.

    Raises:
        NotMeasuredError: it failed or did not end.
    """
    # An import is measured as it is the second time, which needs what the first one has compiled.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, timeout=_WITHIN_S, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        raise NotMeasuredError(f"{command[-2]}: not done within {_WITHIN_S:g} s") from None
    if done.returncode:
        raise NotMeasuredError(f"{command[-2]}: {done.stderr.strip().rpartition(chr(10))[2]}")
    return done.stdout.strip().rpartition("\n")[2]


def _micro(module: str, measurement: str, *numbers: int) -> float:
    """Measure one thing in a process of its own; seconds or bytes."""
    args = [str(number) for number in numbers]
    return float(_run(sys.executable, "-m", "tests.benchmarks.micro", module, measurement, *args))


def _of(*args: Any, read: Callable[[float], float]) -> Callable[[], dict[str, float]]:
    """Return what measures one thing, and reads it in another unit."""
    return lambda: {"it": read(_micro(*args))}


def _us(seconds: float) -> float:
    return seconds * 1e6


def _kib(size: float) -> float:
    return size / 1024


def _per_s(seconds: float) -> float:
    return 1 / seconds


def measure_actors(arena: Arena) -> list[Row]:
    """Return the rows of actors beside stock pykka's."""
    many, idle = arena.size(10_000, 2_000), arena.size(5_000, 2_000)
    rounds = min(arena.rounds, 3)

    sides = {"ours": "ours", "pykka": "theirs"}

    def row(name: str, measurement: str, *numbers: int, how: str, at_least: float | None = None) -> Row:
        found = arena.interleave(
            {side: _of("actors", f"{suite}.{measurement}", *numbers, read=_per_s) for side, suite in sides.items()},
            rounds,
        )
        target = None if at_least is None else Target(at_least=at_least)
        return found.row("ours", "pykka", key="it", name=name, unit="/s", conditions=f"{how}; {_ACTORS}", target=target)

    memory = arena.interleave(
        {
            "ours": _of("actors", "ours.memory", many, read=_kib),
            "pykka": _of("actors", "theirs.memory", idle, read=_kib),
        },
        rounds,
    )
    return [
        row("tell, to an idle actor", "fan_out", 1_000, at_least=15,
            how="an actor tells each of 1,000 idle ones a message, in one turn; until all have handled it"),
        row("tell, a backlog", "backlog", 20_000,
            how="an actor tells another 20,000 messages, in one turn; until all are handled"),
        row("tell, from a thread to an idle actor", "from_a_thread", 2_000,
            how="a thread that is no actor's tells an idle one and waits until it has handled that"),
        row(f"fan-out to {many:,}", "fan_out", many, at_least=300,
            how=f"an actor tells each of {many:,} idle ones a message, in one turn; until all have handled it"),
        row("ping-pong", "ping_pong", 5_000, 1, at_least=50, how="two actors tell each other"),
        row("ping-pong, 100 pairs at once", "ping_pong", 100, 100, how="100 pairs of actors tell each other"),
        row("spawn", "spawn", arena.size(5_000, 2_000), at_least=50,
            how="after a first one, so many by a thread of no actor, one after the other, until all have started"),
        memory.row("ours", "pykka", key="it", name="memory of an idle actor", unit="KiB", target=Target(at_most=1 / 25),
                   conditions=f"growth of resident memory, {many:,} actors, {idle:,} of pykka's; {_ACTORS}"),
    ]  # fmt: skip


def measure_call_start(arena: Arena) -> list[Row]:
    """Return the rows of a call that begins."""
    number = arena.size(2_000, 1_000)
    found = arena.interleave(
        {
            "two": _of("call_start", "with_two_actions", number, read=_us),
            "one": _of("call_start", "with_one_command", number, read=_us),
        },
    )
    how = "CPU from the text of the offer to the texts of the commands, in process, no socket, no TLS; message style"
    return [
        found.row("two", key="it", name="start of a call actor with two actions", unit="µs",
                  conditions=f"{how}; it plays and records", target=Target(at_most=20, of="value")),
        found.row("one", key="it", name="start of a call actor that answers", unit="µs", conditions=how),
    ]  # fmt: skip


def measure_flows(arena: Arena) -> list[Row]:
    """Return the rows of flows that wait, beside asyncio's tasks."""
    number = arena.size(10_000, 2_000)

    def memory() -> dict[str, float]:
        with_flow, without = (_micro("flows", name, number) for name in ("memory_with_flow", "memory_without"))
        return {"it": _kib(with_flow - without)}

    taken = arena.interleave({"ours": memory, "asyncio": _of("flows", "memory_of_theirs", number, read=_kib)})
    awaits = arena.interleave(
        {
            "ours": _of("flows", "await_of_ours", number, read=_us),
            "asyncio": _of("flows", "await_of_theirs", number, read=_us),
        }
    )
    return [
        taken.row("ours", "asyncio", key="it", name="memory of a suspended flow", unit="KiB",
                  conditions=f"{number:,} calls whose flow waits, less as many calls without; {number:,} tasks",
                  target=Target(at_most=2, of="value")),
        awaits.row("ours", "asyncio", key="it", name="an await that suspends", unit="µs",
                   conditions=f"CPU; one turn settles what {number:,} flows of calls wait for, until all wait again",
                   target=Target(at_most=3, of="value")),
    ]  # fmt: skip


def measure_timers(arena: Arena) -> list[Row]:
    """Return the row of timers, beside asyncio's."""
    found = arena.interleave(
        {"ours": _of("timers", "ours", 100_000, read=_us), "asyncio": _of("timers", "theirs", 100_000, read=_us)}
    )
    return [
        found.row("ours", "asyncio", key="it", name="start of a timer, 100,000 pending", unit="µs",
                  conditions="ours are found by a key, and end with their actor"),
    ]  # fmt: skip


def measure_imports(arena: Arena) -> list[Row]:
    """Return the rows of imports: wall time, less that of an interpreter that imports nothing."""
    sides = {"ours": (Path(sys.executable), _PACKAGE), "ours, used": (Path(sys.executable), _APPLICATION)}
    if arena.has_sdk:
        sides[SDK] = (SDK_PYTHON, "import signalwire.relay")
    found = arena.interleave(
        {name: lambda side=side: {"ms": _import_ms(*side)} for name, side in sides.items()}  # type: ignore[misc]
    )
    how = "wall time of python -c '…' less that of python -c 'pass', the best of 7 in turn"
    return [
        found.row("ours", SDK, key="ms", name="import", unit="ms", target=Target(at_most=0.5, aim=0.3),
                  conditions=f"{how}; the package alone, which loads what is used when it is used"),
        found.row("ours, used", SDK, key="ms", name="import of what an application uses", unit="ms",
                  target=Target(at_most=0.5, aim=0.3), conditions=f"{how}; {_APPLICATION!r}"),
    ]  # fmt: skip


_PACKAGE = "import relay_actors"
_APPLICATION = "from relay_actors import CallActor, RelayApp; from relay_actors.events import PlayEvent"


def _import_ms(python: Path, imports: str) -> float:
    _run(str(python), "-c", imports)  # compiled from now on
    spans: dict[str, list[float]] = {"pass": [], imports: []}
    for _ in range(7):
        for code, taken in spans.items():
            began = time.perf_counter()
            _run(str(python), "-c", code)
            taken.append(time.perf_counter() - began)
    bare, loaded = (min(taken) for taken in spans.values())
    return (loaded - bare) * 1e3
