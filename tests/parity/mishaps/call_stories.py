"""What happens in calls: to handlers, to their waits, and between people.

A story is told to a `Bench`, and returns in a clause what was seen. It raises `OtherwiseError` when somebody did not
get what they should.
"""

from __future__ import annotations

import time

from tests.parity.mishaps.bench import Bench, OtherwiseError
from tests.parity.mishaps.numbers import (
    BLOCKING,
    BRIDGE,
    CALLER,
    CRASHING,
    DESK,
    OFFICE,
    OTHER,
)
from tests.parity.mishaps.telling import ALL_HEARD, greeted, told

CALLERS = 100


def handler_raises(bench: Bench) -> str:
    bench.dials(CALLER, CRASHING, "crashing")
    bench.hears(CALLER, "welcome")
    began = time.monotonic()
    bench.is_hung_up(CALLER, 8.0)
    return f"the call is hung up, {time.monotonic() - began:.1f} s later"


def handler_blocks(bench: Bench) -> str:
    bench.dials(CALLER, BLOCKING, "blocking")
    bench.person(CALLER, "is_connected", within=6.0)
    began = time.monotonic()
    bench.dials(OTHER, OFFICE)
    bench.hears(OTHER, "press 1", 10.0)
    waited_s = time.monotonic() - began
    told(bench, OTHER)
    bench.hears(CALLER, "press 1", 10.0)
    told(bench)
    if waited_s > 1.0:
        raise OtherwiseError(f"another caller waited {waited_s:.1f} s for a greeting")
    return f"another caller was greeted after {waited_s:.1f} s"


def hangs_up_while_it_rings(bench: Bench) -> str:
    bench.dials(CALLER, BRIDGE, "bridge")
    bench.person(DESK, "rings", within=6.0)
    bench.person(CALLER, "hangs_up")
    bench.is_hung_up(DESK)
    return "the other phone stops ringing, and the handler ends"


def answers_after_the_dial_timed_out(bench: Bench) -> str:
    bench.person(DESK, "texts", body="call me at once", context="texts", to=OFFICE)
    bench.person(DESK, "rings", within=6.0)
    bench.pauses(2.0)
    if bench.is_over(DESK):
        return "the phone stops ringing at the time-out"
    bench.person(DESK, "answers")
    bench.is_hung_up(DESK)
    return "who answers late is hung up"


def hundred_callers(bench: Bench) -> str:
    numbers = [f"+155501{place:05d}" for place in range(CALLERS)]
    for number in numbers:
        bench.person(number, "reacts", to="press 1", presses="1")
    began = time.monotonic()
    for number in numbers:
        bench.dials(number, OFFICE)
    if bench.waits_until(lambda: not bench.calls_up(), 40.0) is None:
        raise OtherwiseError(f"{bench.calls_up()} of {CALLERS} calls are not over after 40 s")
    took_s = time.monotonic() - began
    lines = [line for phone in bench.ask("GET", "/phones")["phones"] for line in phone["lines"]]
    served = sum(any("nine to five" in what for what in line["heard"]) for line in lines)
    if served < CALLERS:
        raise OtherwiseError(f"{served} of {CALLERS} heard everything")
    return f"all {CALLERS} are served in {took_s:.1f} s"


def terminated(bench: Bench) -> str:
    numbers = (CALLER, DESK, OTHER)
    for number in numbers:
        greeted(bench, number)
    bench.terminates()
    bench.is_gone = True
    bench.pauses(0.5)
    for number in numbers:
        bench.person(number, "presses", digits="1")
    for number in numbers:
        bench.hears(number, "nine to five", 5.0)
        bench.is_hung_up(number, 5.0)
    return f"all three are served, and it ends with {bench.application.ends()}"


def killed(bench: Bench) -> str:
    greeted(bench)
    before = bench.log_ins()
    bench.kills()
    if bench.waits_until(lambda: bench.log_ins() > before, 30.0) is None:
        raise OtherwiseError("it does not log in again")
    bench.person(CALLER, "presses", digits="1")
    bench.hears(CALLER, "nine to five", 5.0)
    bench.is_hung_up(CALLER)
    return ALL_HEARD
