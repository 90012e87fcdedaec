"""What many stories have in common: somebody is greeted, presses a key, hears a notice, and is hung up."""

from __future__ import annotations

import time

from tests.parity.mishaps.bench import Bench
from tests.parity.mishaps.numbers import CALLER, DESK, LOOK_UP, OFFICE

__all__ = ["ALL_HEARD", "all_heard", "greeted", "is_reminded", "looked_up", "told", "undisturbed"]

ALL_HEARD = "all is heard, then hung up"
SOON_S = 0.5
"""What comes within that time came at once, on a machine that has other things to do as well."""


def greeted(bench: Bench, number: str = CALLER) -> None:
    bench.dials(number, OFFICE)
    bench.hears(number, "press 1")


def told(bench: Bench, number: str = CALLER, *, within: float = 8.0) -> float:
    """Press 1, hear the notice, and be hung up; return how long it took until something was heard."""
    began = time.monotonic()
    bench.person(number, "presses", digits="1")
    bench.hears(number, "nine to five", within)
    heard_s = time.monotonic() - began
    bench.is_hung_up(number, within)
    return heard_s


def undisturbed(bench: Bench) -> str:
    greeted(bench)
    told(bench)
    return ALL_HEARD


def all_heard(after_s: float) -> str:
    return ALL_HEARD if after_s < SOON_S else f"{ALL_HEARD}; the notice came {after_s:.0f} s after the key"


def is_reminded(bench: Bench) -> None:
    bench.person(DESK, "texts", body="call me", context="texts", to=OFFICE)
    bench.person(DESK, "rings", within=6.0)
    bench.person(DESK, "answers")
    bench.hears(DESK, "appointment", 8.0)
    bench.is_hung_up(DESK, 8.0)


def looked_up(bench: Bench) -> None:
    """Call, and hear that something is being looked up: the next command comes a moment later."""
    bench.dials(CALLER, LOOK_UP, "look-up")
    bench.hears(CALLER, "one moment")
    if bench.waits_until(lambda: _is_played(bench), 5.0) is None:
        raise RuntimeError("the first prompt has not ended")


def _is_played(bench: Bench) -> bool:
    frames = bench.ask("GET", "/frames", event="calling.call.play")["frames"]
    return any(frame["frame"]["params"]["params"].get("state") == "finished" for frame in frames)
