"""``relay-actors chaos module:app``: thousands of runs from as many seeds, with people and mishaps. Layer: door."""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, TypeVar

from relay_actors.app import RelayApp
from relay_actors.cli.catalogue import (
    ALL,
    LIST,
    RACE_SEEDS,
    Row,
    keep,
    listed,
    names_of,
    race_row,
    report,
    told_failures,
)
from relay_actors.cli.run import load_app
from relay_actors.cli.screen import Screen
from relay_actors.errors import ConfigError
from relay_actors.testing.chaos.cast import cast_of
from relay_actors.testing.chaos.catalogue import race_named
from relay_actors.testing.chaos.plan import Cast, draw, from_json, to_json
from relay_actors.testing.chaos.run import Run, breaks, play
from relay_actors.testing.chaos.shrink import shrink

__all__ = ["add_command", "quieten"]

SEEDS: Final = 1000
CHUNK: Final = 25
"""How many seeds a worker does before it tells."""
SHOWN: Final = 40
"""How many of the last lines of a broken run are shown."""


T = TypeVar("T")
R = TypeVar("R")

_DIFFERS: Final = "is not the same twice"


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of some seeds: how often everything was well, and the plans with which it was not.

    Failures are those of handlers, which break nothing; ``failed_with`` has the first seed with one.
    """

    runs: int
    steps: int
    frames: int
    mishaps: Counter[str]
    broken: list[tuple[int, str]]
    failures: int = 0
    failed_with: tuple[int, ...] = ()


def add_command(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "chaos",
        help="run an application from thousands of seeds, with people and mishaps",
        description="Runs the application against the simulator, in virtual time and on one thread, once for each "
        "seed: who calls when, what they press and say, whose turn it is, and what goes wrong, follow from it. After "
        "every step the invariants are checked. When one is broken, the run is reduced to what is needed to break it, "
        "shown, and written to a file, by which --replay repeats it. What the application's modules keep in variables "
        "of their own is kept from run to run. Exit status: 0 when all is well, 1 when something is broken.",
    )
    parser.add_argument("app", nargs="?", metavar="module[:app]", help="where the RelayApp is; as for relay-actors run")
    parser.add_argument(
        "--catalogue",
        nargs="?",
        const=ALL,
        metavar="NAME",
        help=f"only the races that the field knows, by name: all, or this one; {LIST} shows them",
    )
    parser.add_argument(
        "--seeds", type=int, metavar="N", help=f"how many (default: {SEEDS}; of each race {RACE_SEEDS})"
    )
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first one (default: 0)")
    parser.add_argument("--seed", type=int, metavar="SEED", help="only this one, told in full")
    parser.add_argument("--replay", metavar="FILE", help="only the plan of this file, told in full")
    parser.add_argument("--save", default=".", metavar="DIR", help="where to write plans that break it (default: here)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: as many as cores)"
    )
    parser.add_argument("--twice", action="store_true", help="run each seed twice, and compare the two byte by byte")
    parser.add_argument("--journal", action="store_true", help="keep a journal also if the application keeps none")
    parser.add_argument("--no-faults", action="store_true", help="let nothing go wrong but what people do")
    parser.add_argument(
        "--word", action="append", default=[], metavar="WORDS", help="what people also say and text; may be repeated"
    )
    parser.set_defaults(command=_run_command)


def _run_command(options: argparse.Namespace) -> int:
    if options.catalogue == LIST:
        Screen().say(listed())
        return 0
    if options.app is None:
        raise ConfigError("name the application: relay-actors chaos module:app")
    if options.seeds is None:
        options.seeds = RACE_SEEDS if options.catalogue else SEEDS
    if options.seeds < 1 or options.jobs < 1:
        raise ConfigError("--seeds and --jobs: at least 1")
    if not Path(options.save).is_dir():
        raise ConfigError(f"--save {options.save}: there is no such directory")
    if options.twice and (options.seed is not None or options.replay or options.catalogue):
        raise ConfigError("--twice compares runs of --seeds; of one seed by --first SEED --seeds 1 --twice")
    names = names_of(options.catalogue) if options.catalogue else []
    if len(names) > 1 and options.seed is not None:
        raise ConfigError("--seed tells one run: name the race, as in --catalogue ended-twice --seed 3")
    sys.path.insert(0, os.getcwd())
    quieten()
    app = load_app(options.app)
    cast = _cast(app, options)
    if options.replay:
        try:
            plan = from_json(Path(options.replay).read_text("utf-8"))
        except UnicodeDecodeError:
            raise ConfigError(f"--replay {options.replay}: this is no plan of a run, it is not even text") from None
        except OSError as error:
            raise ConfigError(f"--replay {options.replay}: {error.strerror}") from None
        return _tell_in_full(play(plan, app))
    if len(names) == 1 and options.seed is not None:
        return _tell_in_full(play(race_named(names[0]).plan(options.seed, cast), app))
    if names:
        rows: dict[str, Row] = {}
        try:
            for row in _in_processes(options, _one_race, [(name, options) for name in names]):
                rows[row.name] = row
        except KeyboardInterrupt:
            report([rows[name] for name in names if name in rows], options.app, Path(options.save))
            Screen().say(f"interrupted: {len(rows)} of {len(names)} races")
            raise
        return report([rows[name] for name in names], options.app, Path(options.save))
    if options.seed is not None:
        return _tell_in_full(play(draw(options.seed, cast), app))
    return _many(options, app, cast)


def _cast(app: RelayApp, options: argparse.Namespace) -> Cast:
    return cast_of(app, faults=not options.no_faults, can_die=options.journal or None, words=options.word)


def quieten() -> None:
    """Let runs log nothing: a handler that crashes on purpose would fill the screen."""
    logging.getLogger("relay_actors").addHandler(logging.NullHandler())
    logging.getLogger("relay_actors").propagate = False
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def _many(options: argparse.Namespace, app: RelayApp, cast: Cast) -> int:
    screen = Screen()  # a reader who goes away, as head does, keeps no plan from being written
    began = time.monotonic()
    seeds = range(options.first, options.first + options.seeds)
    total = _Done(0, 0, 0, Counter(), [])
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    try:
        for done in _in_processes(options, _some, chunks):
            total = _sum(total, done)
            if total.broken:
                break
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{total.runs} of {len(seeds)} seeds, all well ")
    except KeyboardInterrupt:
        _tell_sums(screen, options, total, time.monotonic() - began)
        so_far = f"in these {total.runs} of {len(seeds)} runs all invariants held"
        screen.say(f"interrupted: {so_far}{told_failures(total.failures)}")
        raise
    _tell_sums(screen, options, total, time.monotonic() - began)
    if not total.broken:
        same = ", and each run was the same twice" * options.twice
        example = f" (the first: --seed {min(total.failed_with)})" if total.failed_with else ""
        screen.say(f"all invariants held{same}{told_failures(total.failures)}{example}")
        return 0
    seed, invariant = total.broken[0]
    if invariant == _DIFFERS:
        screen.say(f"seed {seed} {_DIFFERS}: the application uses something that is not the same from run to run")
        return 1
    screen.say(f"seed {seed} breaks {invariant!r}; reducing it")
    plan = shrink(draw(seed, cast), lambda smaller: breaks(smaller, app, invariant))
    kept = keep(to_json(plan), Path(options.save) / f"chaos-{seed}.json", options.app)
    _tell_in_full(play(plan, app))
    screen.say(kept)
    return 1


def _tell_sums(screen: Screen, options: argparse.Namespace, total: _Done, took_s: float) -> None:
    went_wrong = sum(total.mishaps.values())
    screen.say(
        f"{total.runs} runs of {options.app} in {took_s:.1f} s: "
        f"{total.steps:,} turns, {total.frames:,} frames, {went_wrong:,} mishaps"
    )
    for name, times in sorted(total.mishaps.items()):
        screen.say(f"  {name:22} {times:7}")


def _tell_in_full(run: Run) -> int:
    screen = Screen()
    screen.say(str(run.plan))
    lines = run.timeline.text().splitlines()
    if len(lines) > SHOWN and run.broken:
        screen.say(f"… {len(lines) - SHOWN} lines before")
        lines = lines[-SHOWN:]
    for line in lines:
        screen.say(line)
    for broken in run.broken:
        screen.say(f"BROKEN {broken}")
    if not run.broken:
        screen.say(f"all invariants held{told_failures(run.failures)}")
    return 1 if run.broken else 0


def _in_processes(options: argparse.Namespace, work: Callable[[T], R], chunks: Sequence[T]) -> Iterator[R]:
    """Give what comes of each chunk, in the order in which they are done.

    Raises:
        ConfigError: a process was ended by somebody else, or by itself.
        KeyboardInterrupt: it was told to end, by Ctrl-C or SIGTERM, and all processes have ended.
    """
    if options.jobs == 1:
        _begin(options)
        yield from map(work, chunks)
        return
    context = multiprocessing.get_context("spawn")
    told, ending = context.Pipe(duplex=False)
    with (
        told,
        ending,
        _noting_interrupts(ending.close) as interrupts,
        concurrent.futures.ProcessPoolExecutor(options.jobs, context, _begin_quietly, (options, told)) as pool,
    ):
        to_come = iter(chunks)
        try:
            # A few at a time: a million would have to be handed out, and taken back when it is interrupted.
            running = {pool.submit(work, chunk) for chunk in islice(to_come, 2 * options.jobs)}
            while running and not interrupts:
                done, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                running |= {pool.submit(work, chunk) for chunk in islice(to_come, len(done))}
                for future in done:
                    yield future.result()
        except BrokenProcessPool:
            if not interrupts:  # otherwise they have ended because they were to
                raise ConfigError(
                    "a process was ended in the middle of its runs: by the application itself, as os._exit does, or "
                    "for want of memory, of which fewer --jobs take less"
                ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    if interrupts:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _noting_interrupts(end_workers: Callable[[], None]) -> Iterator[list[int]]:
    """Note the first Ctrl-C, or SIGTERM, in a list, and end the workers; the second one ends the process as it would.

    What is raised in the middle of the standard library's queues leaves their locks taken: the pool, and its end, would
    wait for ever. And a SIGTERM would leave the workers, and what they share, to whoever finds them.
    """
    interrupts: list[int] = []
    before: dict[signal.Signals, Any] = {}

    def give_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, _frame: object) -> None:
        interrupts.append(number)
        give_back()
        end_workers()  # what they are at is not waited for: a handler may never come back, a race take an hour

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as a shell has it for what runs in the background
            before[number] = signal.signal(number, note)
    try:
        yield interrupts
    finally:
        give_back()


_app: RelayApp
_drawn_from: Cast
_is_twice = False


def _begin(options: argparse.Namespace) -> None:
    """Be a worker."""
    global _app, _drawn_from, _is_twice
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    quieten()
    _app = load_app(options.app)
    _drawn_from = _cast(_app, options)
    _is_twice = options.twice


def _begin_quietly(options: argparse.Namespace, told: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process ends the pool
    threading.Thread(target=_end_when_told, args=(told,), daemon=True).start()
    _begin(options)


def _end_when_told(told: Connection) -> None:
    """End in the middle when the main process closes its end, or is killed: then nobody waits for what comes of it."""
    told.poll(None)
    os._exit(1)


def _one_race(asked: tuple[str, argparse.Namespace]) -> Row:
    name, options = asked
    return race_row(name, _app, _drawn_from, range(options.first, options.first + options.seeds))


def _some(seeds: Sequence[int]) -> _Done:
    steps = frames = runs = failures = 0
    failed_with: tuple[int, ...] = ()
    mishaps: Counter[str] = Counter()
    broken: list[tuple[int, str]] = []
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # what the application prints
        for seed in seeds:
            run = play(draw(seed, _drawn_from), _app)
            if _is_twice and not run.broken and play(run.plan, _app).timeline.text() != run.timeline.text():
                broken.append((seed, _DIFFERS))
                break
            runs, steps, frames = runs + 1, steps + run.steps, frames + run.frames
            failures += run.failures
            failed_with = failed_with or (seed,) * bool(run.failures)
            mishaps.update(mishap.what.split()[0] for mishap in run.plan.mishaps)
            if run.broken:
                broken.append((seed, run.broken[0].invariant))
                break
    return _Done(runs, steps, frames, mishaps, broken, failures, failed_with)


def _sum(one: _Done, other: _Done) -> _Done:
    return _Done(
        one.runs + other.runs,
        one.steps + other.steps,
        one.frames + other.frames,
        one.mishaps + other.mishaps,
        one.broken + other.broken,
        one.failures + other.failures,
        one.failed_with + other.failed_with,
    )
