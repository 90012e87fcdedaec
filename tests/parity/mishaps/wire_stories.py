"""What happens to connections and frames, below the public functions of a client.

A story is told to a `Bench`, and returns in a clause what was seen. It raises `OtherwiseError` when somebody did not
get what they should.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.parity.mishaps.bench import Bench, OtherwiseError
from tests.parity.mishaps.numbers import CALLER, DESK, OFFICE, OTHER, PATIENT
from tests.parity.mishaps.telling import ALL_HEARD, all_heard, greeted, is_reminded, looked_up, told, undisturbed

HALF_OPEN_WITHIN_S = 60.0
NOT_WELL = "-32603"
REFUSED_FOR_S = 6.0


def with_fault(fault: str, **given: object) -> Callable[[Bench], str]:
    """Return a story in which something goes wrong while the menu waits for a key."""

    def tell(bench: Bench) -> str:
        greeted(bench)
        bench.fault(fault, **given)
        return all_heard(told(bench))

    return tell


def before_a_call(fault: str, **given: object) -> Callable[[Bench], str]:
    """Return a story in which something goes wrong from the beginning of a call on."""

    def tell(bench: Bench) -> str:
        bench.fault(fault, **given)
        greeted(bench)
        told(bench)
        return ALL_HEARD

    return tell


def cut_during_a_prompt(bench: Bench) -> str:
    greeted(bench)
    bench.person(CALLER, "presses", digits="1")
    bench.hears(CALLER, "nine to five")
    bench.fault("drop")
    began = time.monotonic()
    bench.is_hung_up(CALLER, 10.0)
    return f"the wait ends; hung up {time.monotonic() - began:.0f} s after the cut"


def command_without_a_server(bench: Bench) -> str:
    """The socket is lost while the application looks something up; its next command finds no server."""
    looked_up(bench)
    bench.fault("socket_down", seconds=4.0)
    return _result_comes(bench, 12.0)


def command_after_a_refused_log_in(bench: Bench) -> str:
    """The socket is lost, and the next log in is refused; a command is given before the one after that."""
    looked_up(bench)
    bench.fault("reject", method="signalwire.connect", code=NOT_WELL)
    bench.fault("drop")
    return _result_comes(bench, 12.0)


def _result_comes(bench: Bench, within: float) -> str:
    bench.hears(CALLER, "on its way", within)
    bench.is_hung_up(CALLER)
    return ALL_HEARD


def log_ins_refused(bench: Bench) -> str:
    """The socket is lost, and whoever logs in is refused for some seconds."""
    greeted(bench)
    before, sockets = bench.log_ins(), bench.sockets()
    bench.fault("reject", method="signalwire.connect", code=NOT_WELL, times=100)
    bench.fault("drop")
    bench.pauses(REFUSED_FOR_S)
    tried = bench.log_ins() - before
    bench.ask("POST", "/recover")
    told(bench, within=20.0)
    left = (bench.sockets() or 0) - (sockets or 0)
    return f"the call goes on after {tried} log ins in vain" + (
        f"; {left} of their sockets stay open" if left > 0 else ""
    )


def context_is_added(bench: Bench) -> str:
    """A context that the application has asked for later is still there after a log in anew."""
    bench.person(DESK, "texts", body="open the shop", context="texts", to=OFFICE)
    bench.dials(CALLER, OFFICE, "shop")
    bench.hears(CALLER, "press 1")
    told(bench)
    before = bench.log_ins()
    bench.fault("restart", keeps_sessions=False, seconds=0.5)
    if bench.waits_until(lambda: bench.log_ins() > before, 10.0) is None:
        raise OtherwiseError("it does not log in again")
    bench.dials(OTHER, OFFICE, "shop")
    bench.hears(OTHER, "press 1")
    told(bench, OTHER)
    return "it takes calls of the context again"


def half_open(bench: Bench) -> str:
    # A connection that has been up for a while: the server has pinged, as it does every 5 s.
    if bench.waits_until(lambda: bool(bench.ask("GET", "/frames", method="signalwire.ping")["frames"]), 10.0) is None:
        raise RuntimeError("the server has not pinged")
    greeted(bench)
    before = bench.log_ins()
    bench.fault("half_open", ends="breaks")
    bench.person(CALLER, "presses", digits="1")
    noticed_s = bench.waits_until(lambda: bench.log_ins() > before, HALF_OPEN_WITHIN_S)
    if noticed_s is None:
        raise OtherwiseError(f"it is not noticed within {HALF_OPEN_WITHIN_S:.0f} s")
    bench.hears(CALLER, "nine to five", 10.0)
    bench.is_hung_up(CALLER)
    return f"noticed after {noticed_s:.0f} s, then the call goes on"


def events_before_answers(bench: Bench) -> str:
    bench.ask("PATCH", "/manners", event_before_response=True)
    return undisturbed(bench)


def dial_before_state(bench: Bench) -> str:
    bench.ask("PATCH", "/manners", dial_event_first=True)
    is_reminded(bench)
    return ALL_HEARD


def text_delivered_first(bench: Bench) -> str:
    bench.fault("answer_late", method="messaging.send", seconds=1.0)
    bench.person(DESK, "texts", body="hello", context="texts", to=OFFICE)
    bench.person(DESK, "receives_text", what="your text", within=6.0)
    return "the wait for its delivery ends"


def end_before_beginning(bench: Bench) -> str:
    bench.fault("delay", event_type="calling.call.receive", seconds=0.7)
    bench.dials(CALLER, OFFICE)
    bench.person(CALLER, "hangs_up")
    bench.pauses(1.0)
    return "the call is over for the application, too"


def answer_after_the_time_out(bench: Bench) -> str:
    bench.fault("answer_late", method="calling.answer", seconds=11.0)
    bench.dials(CALLER, OFFICE)
    bench.hears(CALLER, "press 1", 20.0)
    told(bench)
    return ALL_HEARD


def sessions_lost(bench: Bench) -> str:
    greeted(bench)
    bench.fault("restart", keeps_sessions=False, announced=False, seconds=0.5)
    return "its handler ends, and the next caller is served"


def resume_refused(bench: Bench) -> str:
    greeted(bench)
    bench.fault("refuse_resume")
    bench.fault("drop")
    return "its handler ends, and the next caller is served"


def authorization_expires(bench: Bench) -> str:
    greeted(bench)
    bench.fault("expire_authorization")
    bench.person(CALLER, "presses", digits="1")
    return "its handler ends, and the next caller is served"


def command_refused(bench: Bench) -> str:
    bench.person(CALLER, "reacts", to="press 1", presses="1")
    bench.fault("reject", method="calling.play", code="500")
    bench.dials(CALLER, OFFICE)
    bench.hears(CALLER, "nine to five", 8.0)
    bench.is_hung_up(CALLER)
    return "the menu comes once more, then the notice"


def no_json(bench: Bench) -> str:
    greeted(bench)
    bench.fault("malformed", what="cut_short")
    bench.fault("malformed", what="no_object")
    return all_heard(told(bench))


def unknown_words(bench: Bench) -> str:
    greeted(bench)
    bench.fault("unknown_event")
    bench.fault("unknown_method")
    return all_heard(told(bench))


def last_event_without_its_id(bench: Bench) -> str:
    greeted(bench)
    bench.fault("missing_field", event_type="calling.call.collect", field="control_id")
    bench.person(CALLER, "presses", digits="1")
    bench.pauses(1.0)
    bench.person(CALLER, "hangs_up")
    return "the handler ends with the call"


def cut_while_it_rings(bench: Bench) -> str:
    bench.person(DESK, "texts", body="call me", context="texts", to=OFFICE)
    bench.person(DESK, "rings", within=6.0)
    bench.fault("drop")
    bench.pauses(0.5)
    bench.person(DESK, "answers")
    bench.hears(DESK, "appointment", 8.0)
    bench.is_hung_up(DESK, 8.0)
    return ALL_HEARD


def end_without_a_reason(bench: Bench) -> str:
    for _state in ("ending", "ended"):
        bench.fault("wrong_field", event_type="calling.call.state", field="end_reason", becomes="null")
    bench.dials(CALLER, PATIENT, "patient")
    bench.person(CALLER, "is_connected", within=6.0)
    bench.person(CALLER, "hangs_up")
    bench.person(CALLER, "receives_text", what="thank you", within=4.0)
    return "the text about the call's end is sent"
