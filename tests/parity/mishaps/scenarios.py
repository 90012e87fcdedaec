"""What happens to an application: people, mishaps, and what is measured of them.

A scenario tells its story to a `Bench`, and returns in a clause what was seen. It raises `OtherwiseError` when somebody
did not get what they should. What is the same for all (calls that are left up, waits that do not end, what was heard
twice, whether the next caller is served, acknowledgements) is looked at afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.parity.mishaps.bench import Bench, OtherwiseError
from tests.parity.mishaps.numbers import BLOCKING, BRIDGE, CALLER, CRASHING, DESK, LOOK_UP, OFFICE, OTHER

__all__ = ["SCENARIOS", "Scenario"]

ALL_HEARD = "all is heard, then hung up"
SOON_S = 0.5
"""What comes within that time came at once, on a machine that has other things to do as well."""
HALF_OPEN_WITHIN_S = 60.0
CALLERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario.

    Attributes:
        name: what happens.
        tell: lets it happen.
        should_survive: whether we expect ours to.
        may_repeat: whether people may hear something twice: who begins anew does not leave them in silence.
        has_next: whether somebody calls afterwards, to see whether the application still works.
        lost: whose calls the server has lost with their session: no application can hang them up.
        patience_s: how long everything has for coming to an end afterwards.
        has_journal: of ours; the official SDK has none, and is left out.
    """

    name: str
    tell: Callable[[Bench], str]
    should_survive: bool = True
    may_repeat: bool = False
    has_next: bool = True
    lost: tuple[str, ...] = ()
    patience_s: float = 5.0
    has_journal: bool = False


def _greeted(bench: Bench, number: str = CALLER) -> None:
    bench.dials(number, OFFICE)
    bench.hears(number, "press 1")


def _told(bench: Bench, number: str = CALLER, *, within: float = 8.0) -> float:
    """Press 1, hear the notice, and be hung up; return how long it took until something was heard."""
    began = time.monotonic()
    bench.person(number, "presses", digits="1")
    bench.hears(number, "nine to five", within)
    heard_s = time.monotonic() - began
    bench.is_hung_up(number, within)
    return heard_s


def _all_heard(after_s: float) -> str:
    return ALL_HEARD if after_s < SOON_S else f"{ALL_HEARD}; the notice came {after_s:.1f} s after the key"


def undisturbed(bench: Bench) -> str:
    _greeted(bench)
    _told(bench)
    return ALL_HEARD


def _with(fault: str, **given: object) -> Callable[[Bench], str]:
    """Return a story in which something goes wrong while the menu waits for a key."""

    def tell(bench: Bench) -> str:
        _greeted(bench)
        bench.fault(fault, **given)
        return _all_heard(_told(bench))

    return tell


def _before(fault: str, **given: object) -> Callable[[Bench], str]:
    """Return a story in which something goes wrong from the beginning of a call on."""

    def tell(bench: Bench) -> str:
        bench.fault(fault, **given)
        _greeted(bench)
        _told(bench)
        return ALL_HEARD

    return tell


def cut_during_a_prompt(bench: Bench) -> str:
    _greeted(bench)
    bench.person(CALLER, "presses", digits="1")
    bench.hears(CALLER, "nine to five")
    bench.fault("drop")
    began = time.monotonic()
    bench.is_hung_up(CALLER, 10.0)
    return f"the wait ends; hung up {time.monotonic() - began:.1f} s after the cut"


def command_without_a_server(bench: Bench) -> str:
    """The socket is lost while the application looks something up; its next command finds no server."""
    bench.dials(CALLER, LOOK_UP, "look-up")
    bench.hears(CALLER, "one moment")
    if bench.waits_until(lambda: _is_played(bench), 5.0) is None:
        raise RuntimeError("the first prompt has not ended")
    bench.fault("socket_down", seconds=4.0)
    bench.hears(CALLER, "on its way", 12.0)
    bench.is_hung_up(CALLER)
    return ALL_HEARD


def _is_played(bench: Bench) -> bool:
    frames = bench.ask("GET", "/frames", event="calling.call.play")["frames"]
    return any(frame["frame"]["params"]["params"].get("state") == "finished" for frame in frames)


def half_open(bench: Bench) -> str:
    # A connection that has been up for a while: the server has pinged, as it does every 5 s.
    if bench.waits_until(lambda: bool(bench.ask("GET", "/frames", method="signalwire.ping")["frames"]), 10.0) is None:
        raise RuntimeError("the server has not pinged")
    _greeted(bench)
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
    _is_reminded(bench)
    return ALL_HEARD


def _is_reminded(bench: Bench) -> None:
    bench.person(DESK, "texts", body="call me", context="texts", to=OFFICE)
    bench.person(DESK, "rings", within=6.0)
    bench.person(DESK, "answers")
    bench.hears(DESK, "appointment", 8.0)
    bench.is_hung_up(DESK, 8.0)


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
    _told(bench)
    return ALL_HEARD


def sessions_lost(bench: Bench) -> str:
    _greeted(bench)
    bench.fault("restart", keeps_sessions=False, announced=False, seconds=0.5)
    return "its handler ends, and the next caller is served"


def resume_refused(bench: Bench) -> str:
    _greeted(bench)
    bench.fault("refuse_resume")
    bench.fault("drop")
    return "its handler ends, and the next caller is served"


def authorization_expires(bench: Bench) -> str:
    _greeted(bench)
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
    _greeted(bench)
    bench.fault("malformed", what="cut_short")
    bench.fault("malformed", what="no_object")
    return _all_heard(_told(bench))


def unknown_words(bench: Bench) -> str:
    _greeted(bench)
    bench.fault("unknown_event")
    bench.fault("unknown_method")
    return _all_heard(_told(bench))


def last_event_without_its_id(bench: Bench) -> str:
    _greeted(bench)
    bench.fault("missing_field", event_type="calling.call.collect", field="control_id")
    bench.person(CALLER, "presses", digits="1")
    bench.pauses(1.0)
    bench.person(CALLER, "hangs_up")
    return "the handler ends with the call"


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
    _told(bench, OTHER)
    bench.hears(CALLER, "press 1", 10.0)
    _told(bench)
    if waited_s > 1.0:
        raise OtherwiseError(f"another caller waited {waited_s:.1f} s for a greeting")
    return f"another caller was greeted after {waited_s:.1f} s"


def hangs_up_while_it_rings(bench: Bench) -> str:
    bench.dials(CALLER, BRIDGE, "bridge")
    bench.person(DESK, "rings", within=6.0)
    bench.person(CALLER, "hangs_up")
    bench.is_hung_up(DESK)
    return "the other phone stops ringing, and the handler ends"


def cut_while_it_rings(bench: Bench) -> str:
    bench.person(DESK, "texts", body="call me", context="texts", to=OFFICE)
    bench.person(DESK, "rings", within=6.0)
    bench.fault("drop")
    bench.pauses(0.5)
    bench.person(DESK, "answers")
    bench.hears(DESK, "appointment", 8.0)
    bench.is_hung_up(DESK, 8.0)
    return ALL_HEARD


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
        _greeted(bench, number)
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
    _greeted(bench)
    before = bench.log_ins()
    bench.kills()
    if bench.waits_until(lambda: bench.log_ins() > before, 30.0) is None:
        raise OtherwiseError("it does not log in again")
    bench.person(CALLER, "presses", digits="1")
    bench.hears(CALLER, "nine to five", 5.0)
    bench.is_hung_up(CALLER)
    return ALL_HEARD


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(name="nothing happens", tell=undisturbed),
    Scenario(name="half-open connection", tell=half_open),
    Scenario(name="answer after the time-out of 10 s", tell=answer_after_the_time_out),
    Scenario(name="socket cut while a menu waits for a key", tell=_with("drop")),
    Scenario(name="socket cut while a prompt plays", tell=cut_during_a_prompt),
    Scenario(name="socket cut before a command arrives", tell=_with("cut", method="calling.play")),
    Scenario(name="socket cut between a command and its answer", tell=_with("cut", method="calling.play", answer=True)),
    Scenario(name="command while the server is away for 4 s", tell=command_without_a_server),
    Scenario(name="server restarts and keeps its sessions", tell=_with("restart", seconds=0.5)),
    Scenario(name="server restarts and has lost its sessions", tell=sessions_lost, lost=(CALLER,)),
    Scenario(name="resume of the session is refused", tell=resume_refused, lost=(CALLER,)),
    Scenario(name="authorization expires", tell=authorization_expires, lost=(CALLER,)),
    Scenario(name="events before the answers of their commands", tell=events_before_answers),
    Scenario(name="dial answered before the state of its call", tell=dial_before_state),
    Scenario(name="text delivered before the answer of its sending", tell=text_delivered_first),
    Scenario(name="end of a call before its beginning", tell=end_before_beginning),
    Scenario(name="incoming call is told twice", tell=_before("duplicate", event_type="calling.call.receive")),
    Scenario(name="result of a menu is told twice", tell=_with("duplicate", event_type="calling.call.collect")),
    Scenario(name="answer of a command comes twice", tell=_with("answer_twice", method="calling.play")),
    Scenario(name="command is refused once with 500", tell=command_refused, may_repeat=True),
    Scenario(name="text that is no JSON, JSON that is no object", tell=no_json),
    Scenario(name="text that is no UTF-8", tell=_with("malformed", what="no_utf8")),
    Scenario(name="event in a binary frame", tell=_with("binary", event_type="calling.call.collect")),
    Scenario(name="frame of more than 10 MiB", tell=_with("oversize")),
    Scenario(name="unknown event type, unknown method", tell=unknown_words),
    Scenario(
        name="event without its call_id, then the whole one",
        tell=_with("missing_field", event_type="calling.call.collect", field="call_id", copy=True),
    ),
    Scenario(
        name="event whose call_id is an object, then the whole one",
        tell=_with("wrong_field", event_type="calling.call.collect", field="call_id", becomes="object", copy=True),
    ),
    Scenario(name="last event of a menu has no control_id", tell=last_event_without_its_id),
    Scenario(name="handler raises", tell=handler_raises, may_repeat=True),
    Scenario(name="handler blocks for 3 s", tell=handler_blocks),
    Scenario(name="caller hangs up while the bridged phone rings", tell=hangs_up_while_it_rings),
    Scenario(name="socket cut while a dialled phone rings", tell=cut_while_it_rings),
    Scenario(name="phone is answered after the dial has timed out", tell=answers_after_the_dial_timed_out),
    Scenario(name="a hundred callers at once", tell=hundred_callers),
    Scenario(name="SIGTERM while three calls are up", tell=terminated, has_next=False),
    Scenario(name="SIGKILL, then it is started again", tell=killed, should_survive=False),
    Scenario(name="SIGKILL, then it is started again, with a journal", tell=killed, has_journal=True),
)
