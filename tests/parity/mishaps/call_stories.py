"""What happens in calls: to handlers, to their waits, and between people.

A story is told to a `Bench`, and returns in a clause what was seen. It raises `OtherwiseError` when somebody did not
get what they should.
"""

from __future__ import annotations

import time

from tests.parity.mishaps.bench import Bench, OtherwiseError
from tests.parity.mishaps.numbers import (
    ACCOUNT,
    AGENT,
    ANNOUNCED,
    BLOCKING,
    BRIDGE,
    CALLER,
    CLOCK,
    CRASHING,
    DESK,
    FAX_MACHINE,
    OFFICE,
    OTHER,
    PATIENT,
    RINGING,
    TILL,
    WISH,
)
from tests.parity.mishaps.telling import ALL_HEARD, greeted, told
from tests.parity.mishaps.words import YEAR, YOU_PRESSED, YOU_SAID

CALLERS = 100
CARD = {"card number": "4111111111111111", "expires": "1230", "security code": "123"}


def handler_raises(bench: Bench) -> str:
    bench.dials(CALLER, CRASHING, "crashing")
    bench.hears(CALLER, "welcome")
    began = time.monotonic()
    bench.is_hung_up(CALLER, 8.0)
    return f"the call is hung up, {time.monotonic() - began:.1f} s later"


def what_the_log_says(bench: Bench) -> str:
    """The handler has raised, and the connection breaks; somebody reads what the process has written by itself."""
    bench.dials(CALLER, CRASHING, "crashing")
    bench.hears(CALLER, "welcome")
    call_id = bench.call_id(CALLER)
    bench.pauses(1.5)
    failed = bench.log()
    if not any("a bug" in line for line in failed) or not any(call_id in line for line in failed):
        raise OtherwiseError("it does not say whose handler has failed, and why")
    bench.fault("drop")
    bench.pauses(0.5)
    if len(bench.log()) == len(failed):
        raise OtherwiseError("nothing in it says that the connection was lost")
    return "it names the call, the error, and the lost connection"


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
        raise OtherwiseError(f"another caller waited {waited_s:.0f} s for a greeting")
    return f"another caller was greeted after {waited_s:.1f} s"


def hangs_up_while_it_rings(bench: Bench) -> str:
    bench.dials(CALLER, BRIDGE, "bridge")
    bench.person(DESK, "rings", within=6.0)
    bench.person(CALLER, "hangs_up")
    bench.is_hung_up(DESK)
    return "the other phone stops ringing, and the handler ends"


def hangs_up_before_somebody_answers(bench: Bench) -> str:
    bench.dials(CALLER, ANNOUNCED, "announced")
    bench.person(DESK, "rings", within=6.0)
    bench.person(CALLER, "hangs_up")
    bench.is_hung_up(DESK)
    return "the wait ends with the call"


def answers_after_the_dial_timed_out(bench: Bench) -> str:
    bench.person(DESK, "texts", body="call me at once", context="texts", to=OFFICE)
    bench.person(DESK, "rings", within=6.0)
    bench.pauses(2.0)
    if bench.is_over(DESK):
        return "the phone stops ringing at the time-out"
    bench.person(DESK, "answers")
    bench.is_hung_up(DESK)
    return "who answers late is hung up"


def states_are_past(bench: Bench) -> str:
    bench.dials(CALLER, RINGING, "ringing")
    bench.hears(CALLER, "welcome")
    bench.is_hung_up(CALLER)
    return "the waits end at once"


def hangs_up_before_the_answer(bench: Bench) -> str:
    bench.dials(CALLER, RINGING, "ringing")
    bench.pauses(0.5)
    bench.person(CALLER, "hangs_up")
    return "the wait ends with the call"


def waits_for_the_end_again(bench: Bench) -> str:
    bench.dials(CALLER, PATIENT, "patient")
    bench.hears(CALLER, "still there")
    bench.person(CALLER, "hangs_up")
    bench.person(CALLER, "receives_text", what="thank you", within=4.0)
    return "the second wait ends with the call"


def agent_says_no_end(bench: Bench) -> str:
    bench.ask("POST", "/scripts/next_agent", turns=[{"says": "How can I help?"}, {"hears": "nothing"}])
    bench.dials(CALLER, AGENT, "agent")
    bench.hears(CALLER, "help")
    bench.person(CALLER, "hangs_up")
    return "the wait ends with the call"


def interim_digits(bench: Bench) -> str:
    bench.dials(CALLER, ACCOUNT, "account")
    bench.hears(CALLER, "three digits")
    bench.person(CALLER, "presses", digits="123")
    _is_told(bench, YOU_PRESSED, "123")
    return "all three digits are collected"


def start_of_input(bench: Bench) -> str:
    bench.dials(CALLER, WISH, "wish")
    bench.hears(CALLER, "do for you")
    bench.person(CALLER, "is_asked", within=6.0)
    bench.person(CALLER, "says", words="a pizza")
    _is_told(bench, YOU_SAID, "a pizza")
    return "what was said is collected"


def time_of_an_event(bench: Bench) -> str:
    year = time.gmtime().tm_year
    bench.dials(CALLER, CLOCK, "clock")
    _is_told(bench, YEAR, str(year))
    return "the year is right"


def _is_told(bench: Bench, begins: str, ends: str) -> None:
    """Hear something that begins so, in the hope that it ends so."""
    bench.hears(CALLER, begins.lower())
    said = bench.heard(CALLER)[-1]
    if said != begins + ends:
        raise OtherwiseError(f"the caller hears “{said}”")
    bench.is_hung_up(CALLER)


def fax_is_sent(bench: Bench) -> str:
    bench.person(FAX_MACHINE, "is_fax_machine")
    bench.person(DESK, "texts", body="fax it", context="texts", to=OFFICE)
    bench.person(FAX_MACHINE, "receives_fax", document="invoice", within=10.0)
    bench.is_hung_up(FAX_MACHINE, 4.0)
    return "the wait ends when it is sent"


def payment_is_taken(bench: Bench) -> str:
    for what, digits in CARD.items():
        bench.person(CALLER, "reacts", to=what, presses=digits)
    bench.dials(CALLER, TILL, "till")
    bench.hears(CALLER, "receipt")
    bench.is_hung_up(CALLER)
    return "the wait ends when it is paid"


def beyond_the_limit(bench: Bench) -> str:
    """Each process may have two calls; a second process is started when the first one has its two."""
    for number in (DESK, OTHER):
        greeted(bench, number)
    bench.starts_another()
    bench.dials(CALLER, OFFICE)
    bench.pauses(1.0)
    for number in (DESK, OTHER):
        told(bench, number)
    bench.hears(CALLER, "press 1", 4.0)
    told(bench)
    return "another process takes the third call"


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
    return f"all {CALLERS} are served in {took_s:.0f} s"


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
