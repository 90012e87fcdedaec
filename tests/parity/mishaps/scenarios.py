"""Which mishaps there are.

A scenario tells its story to a `Bench`, and returns in a clause what was seen. What is the same for all (calls that are
left up, waits that do not end, what was heard twice, whether the next caller is served, acknowledgements) is looked at
afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.parity.mishaps import call_stories as calls
from tests.parity.mishaps import wire_stories as wire
from tests.parity.mishaps.bench import Bench
from tests.parity.mishaps.numbers import CALLER
from tests.parity.mishaps.telling import undisturbed

__all__ = ["ACTORS", "SAME_CODE", "SCENARIOS", "SDK", "Scenario"]

SDK, SAME_CODE, ACTORS = "SDK", "same code", "actors"
"""Who is compared: the official SDK; its application with one import changed; the same application as actors."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scenario:
    """One scenario.

    Attributes:
        name: what happens.
        tell: lets it happen.
        excused: of ours, who is not expected to survive.
        may_repeat: whether people may hear something twice: who begins anew does not leave them in silence.
        has_next: whether somebody calls afterwards, to see whether the application still works.
        lost: whose calls the server has lost with their session: no application can hang them up.
        patience_s: how long everything has for coming to an end afterwards.
        has_journal: of the actors; the others have none, and are left out.
        environment: variables for the application.
    """

    name: str
    tell: Callable[[Bench], str]
    excused: tuple[str, ...] = ()
    may_repeat: bool = False
    has_next: bool = True
    lost: tuple[str, ...] = ()
    patience_s: float = 5.0
    has_journal: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(name="nothing happens", tell=undisturbed),
    Scenario(name="half-open connection", tell=wire.half_open),
    Scenario(name="answer after the time-out of 10 s", tell=wire.answer_after_the_time_out),
    Scenario(name="log ins are refused for 6 s: internal error", tell=wire.log_ins_refused),
    Scenario(name="command after a log in is refused once", tell=wire.command_after_a_refused_log_in),
    Scenario(name="socket cut while a menu waits for a key", tell=wire.with_fault("drop")),
    Scenario(name="socket cut while a prompt plays", tell=wire.cut_during_a_prompt),
    Scenario(name="socket cut before a command arrives", tell=wire.with_fault("cut", method="calling.play")),
    Scenario(
        name="socket cut between a command and its answer",
        tell=wire.with_fault("cut", method="calling.play", answer=True),
    ),
    Scenario(name="command while the server is away for 4 s", tell=wire.command_without_a_server),
    Scenario(name="server restarts and keeps its sessions", tell=wire.with_fault("restart", seconds=0.5)),
    Scenario(name="server restarts and has lost its sessions", tell=wire.sessions_lost, lost=(CALLER,)),
    Scenario(name="server restarts, after a context was added", tell=wire.context_is_added),
    Scenario(name="resume of the session is refused", tell=wire.resume_refused, lost=(CALLER,)),
    Scenario(name="authorization expires", tell=wire.authorization_expires, lost=(CALLER,)),
    Scenario(name="events before the answers of their commands", tell=wire.events_before_answers),
    Scenario(name="dial answered before the state of its call", tell=wire.dial_before_state),
    Scenario(name="text delivered before the answer of its sending", tell=wire.text_delivered_first),
    Scenario(name="end of a call before its beginning", tell=wire.end_before_beginning),
    Scenario(
        name="incoming call is told twice", tell=wire.before_a_call("duplicate", event_type="calling.call.receive")
    ),
    Scenario(
        name="result of a menu is told twice", tell=wire.with_fault("duplicate", event_type="calling.call.collect")
    ),
    Scenario(name="answer of a command comes twice", tell=wire.with_fault("answer_twice", method="calling.play")),
    Scenario(name="command is refused once with 500", tell=wire.command_refused, excused=(SAME_CODE,), may_repeat=True),
    Scenario(name="text that is no JSON, JSON that is no object", tell=wire.no_json),
    Scenario(name="text that is no UTF-8", tell=wire.with_fault("malformed", what="no_utf8")),
    Scenario(name="event in a binary frame", tell=wire.with_fault("binary", event_type="calling.call.collect")),
    Scenario(name="frame of more than 10 MiB", tell=wire.with_fault("oversize")),
    Scenario(name="unknown event type, unknown method", tell=wire.unknown_words),
    Scenario(
        name="event without its call_id, then the whole one",
        tell=wire.with_fault("missing_field", event_type="calling.call.collect", field="call_id", copy=True),
    ),
    Scenario(
        name="event whose call_id is an object, then the whole one",
        tell=wire.with_fault(
            "wrong_field", event_type="calling.call.collect", field="call_id", becomes="object", copy=True
        ),
    ),
    Scenario(name="last event of a menu has no control_id", tell=wire.last_event_without_its_id),
    Scenario(name="end of a call has null as its reason", tell=wire.end_without_a_reason),
    Scenario(name="handler raises", tell=calls.handler_raises, may_repeat=True),
    Scenario(
        name="handler raises: what the log says",
        tell=calls.what_the_log_says,
        may_repeat=True,
        lost=(CALLER,),
        has_next=False,
    ),
    Scenario(name="handler blocks for 3 s", tell=calls.handler_blocks, excused=(SAME_CODE,)),
    Scenario(name="caller hangs up while the bridged phone rings", tell=calls.hangs_up_while_it_rings),
    Scenario(name="caller hangs up while an event is waited for", tell=calls.hangs_up_before_somebody_answers),
    Scenario(name="caller hangs up while the state answered is waited for", tell=calls.hangs_up_before_the_answer),
    Scenario(name="state is waited for that is past", tell=calls.states_are_past),
    Scenario(name="wait for the end has timed out, and is repeated", tell=calls.waits_for_the_end_again),
    Scenario(name="caller hangs up on an AI agent", tell=calls.agent_says_no_end),
    Scenario(name="menu with partial results", tell=calls.interim_digits),
    Scenario(name="collect with news of its beginning", tell=calls.start_of_input),
    Scenario(name="time of an event is used", tell=calls.time_of_an_event),
    Scenario(name="fax is sent", tell=calls.fax_is_sent),
    Scenario(name="payment is taken", tell=calls.payment_is_taken),
    Scenario(name="socket cut while a dialled phone rings", tell=wire.cut_while_it_rings),
    Scenario(name="phone is answered after the dial has timed out", tell=calls.answers_after_the_dial_timed_out),
    Scenario(
        name="more calls than RELAY_MAX_ACTIVE_CALLS",
        tell=calls.beyond_the_limit,
        environment={"RELAY_MAX_ACTIVE_CALLS": "2"},
    ),
    Scenario(name="a hundred callers at once", tell=calls.hundred_callers),
    Scenario(name="SIGTERM while three calls are up", tell=calls.terminated, has_next=False),
    Scenario(name="SIGKILL, then it is started again", tell=calls.killed, excused=(SAME_CODE, ACTORS)),
    Scenario(name="SIGKILL, then it is started again, with a journal", tell=calls.killed, has_journal=True),
)
