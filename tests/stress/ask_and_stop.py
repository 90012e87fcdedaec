"""A million asks, each racing the stop of whom it asks: every one is answered, or told of the death (A6).

Two threads go over the same actors at the same time; one asks each, the other stops it, in one of four ways. What is
asked is answered at once, or in a later turn, or never; by an ask with a deadline or without one. Then every future is
looked at. ``python -m tests.stress.ask_and_stop [pairs] [seed]``
"""

from __future__ import annotations

import logging
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from relay_actors.errors import ActorDead
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.asking import FOREVER, ReplyToken
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.system import System

__all__ = ["main"]

PAIRS = 1_000_000
BATCH = 2_000
IN_STEP = 50
"""After so many actors the two threads wait for each other: further apart they would not race."""
WITHIN_S = 30.0
WAYS = ("stop", "stop now", "kill", "told to")


class Racer(Actor):
    """Answers at once, or with its next message, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.owed: list[tuple[ReplyToken, int]] = []

    def on_receive(self, message: Any) -> Any:
        how, number = message
        while self.owed:
            token, earlier = self.owed.pop()
            self.reply_to(token, earlier)
        if how == "told to":
            self.stop()
        elif how == "later":
            self.owed.append((self.reply_later(), number))
            self.actor_ref.tell_if_alive(("next", number))
        elif how == "never":
            self.reply_later()
        return number


class Asker(threading.Thread):
    """Asks each of a batch, and keeps the futures."""

    def __init__(self, refs: list[Any], seed: int, in_step: threading.Barrier) -> None:
        super().__init__(daemon=True)
        self.refs, self.random, self.in_step = refs, random.Random(seed), in_step
        self.futures: list[Any] = []

    def run(self) -> None:
        draw = self.random.random
        for number, ref in enumerate(self.refs):
            if number % IN_STEP == 0:
                self.in_step.wait(WITHIN_S)
            how = "at once" if draw() < 0.6 else "later" if draw() < 0.8 else "never"
            timeout = FOREVER if draw() < 0.7 else WITHIN_S * 2
            self.futures.append(ref.ask((how, number), block=False, timeout=timeout))


def stop_all(refs: list[Any], seed: int, in_step: threading.Barrier) -> None:
    """Stop each of a batch."""
    draw = random.Random(seed).choice
    for number, ref in enumerate(refs):
        if number % IN_STEP == 0:
            in_step.wait(WITHIN_S)
        way = draw(WAYS)
        if way == "kill":
            ref._cell.kill("stress")
        elif way == "told to":
            ref.tell_if_alive((way, number))
        else:
            ref.stop(block=False, now=way == "stop now")


def race(system: System, size: int, seed: int) -> Counter[str]:
    """Race one batch; return how many ended in which way."""
    refs = [system.start(Racer) for _ in range(size)]
    in_step = threading.Barrier(2)
    asker = Asker(refs, seed, in_step)
    asker.start()
    stop_all(refs, seed + 1, in_step)
    asker.join(WITHIN_S)
    outcomes: Counter[str] = Counter()
    for number, future in enumerate(asker.futures):
        try:
            outcomes["answered" if future.get(timeout=WITHIN_S) == number else "WRONG"] += 1
        except ActorDead:
            outcomes["dead"] += 1
        except TimeoutError:
            outcomes["OPEN"] += 1
    outcomes["LOST"] = size - len(asker.futures)
    return outcomes


def main(args: Sequence[str] = ()) -> int:
    """Run; return 0 if no future was left open, and nothing else was left over.

    Args:
        args: how many pairs, and the seed.
    """
    pairs = int(args[0]) if args else PAIRS
    seed = int(args[1]) if len(args) > 1 else 1
    logger, interval = logging.getLogger("relay_actors"), sys.getswitchinterval()
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    sys.setswitchinterval(1e-5)
    system = System(name="stress")
    began = time.monotonic()
    outcomes: Counter[str] = Counter()
    try:
        for first in range(0, pairs, BATCH):
            outcomes += race(system, min(BATCH, pairs - first), seed + first)
        is_clean = system.stop(WITHIN_S)
    finally:
        sys.setswitchinterval(interval)
        logger.setLevel(level)
    assert isinstance(system.dispatcher, BatonDispatcher)
    timers = system.dispatcher.pending_timers
    sys.stdout.write(
        f"ask_and_stop: {pairs} pairs, seed {seed}: {dict(outcomes)}, {timers} timers left, "
        f"{time.monotonic() - began:.1f} s\n"
    )
    done = outcomes["answered"] + outcomes["dead"]
    return 0 if done == pairs and is_clean and not timers else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
