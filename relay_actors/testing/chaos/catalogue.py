"""The races that the field knows, by name: each a scenario that any application can be run against. Layer: door, pure.

``relay-actors chaos module:app --catalogue`` runs them. Each is drawn from a seed: among which people it happens, and
to which command or event. Source: PROTOCOL 18; SEMANTICS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.protocol.near_miss import near_miss
from relay_actors.testing.chaos import sightings
from relay_actors.testing.chaos.plan import KILL, NUMBERS, Cast
from relay_actors.testing.chaos.races import Race, Trouble, always, answering, on, one_of, one_of_the_first

__all__ = ["CATALOGUE", "race_named"]

ANSWERED: Final = "calling.call.state answered"


def race_named(name: str) -> Race:
    """Return a race of the catalogue.

    Raises:
        ConfigError: there is none of this name.
    """
    race = CATALOGUE.get(name)
    if race is None:
        meant = near_miss(name, CATALOGUE)
        hint = f"it probably means {meant!r}" if meant else "--catalogue list shows all of them"
        raise ConfigError(f"there is no race {name!r}; {hint}")
    return race


def _late(random: Random, _cast: Cast) -> Trouble:
    late_s = random.choice((9.999, 10.0, 10.001, 12.5))
    return Trouble(mishaps=(on("received calling.*", f"answer_late seconds={late_s}", nth=1 + random.randrange(6)),))


def _hang_up_in_the_prompt(random: Random, _cast: Cast) -> Trouble:
    moment, nth = "sending calling.call.play finished", 1 + random.randrange(2)
    return Trouble(mishaps=(on(moment, "delay seconds=0.5", nth=nth), on(moment, "hang_up", nth=nth)))


def _before_established(random: Random, _cast: Cast) -> Trouble:
    late = f"delay seconds={random.choice((0.1, 0.5, 2.0))} keeps_order=no"
    return Trouble(
        mishaps=tuple(on(f"sending {ANSWERED}", late, nth=nth) for nth in (1, 2, 3)),
        manners=random.choice(((), ("dial_event_first",))),
        desks=answering(6),
    )


def _digit_at_the_end(random: Random, cast: Cast) -> Trouble:
    pressed = tuple(
        on("sending calling.call.collect", f"press keys={random.choice(cast.keys)}", nth=nth) for nth in (1, 2, 3)
    )
    return Trouble(mishaps=pressed, is_quiet=random.random() < 0.5)


def _two_ends(random: Random, _cast: Cast) -> Trouble:
    again = ("repeat", "repeat state=error")
    return Trouble(
        mishaps=(
            on("sending calling.call.play finished", random.choice(again), nth=1 + random.randrange(2)),
            on("sending calling.call.collect", "repeat"),
            on("sending calling.call.record finished", random.choice(again)),
        )
    )


def _cut_at_an_event(args: str) -> Callable[[Random, Cast], Trouble]:
    kinds = (ANSWERED, "calling.call.play finished", "calling.call.collect", "calling.call.receive")

    def trouble(random: Random, _cast: Cast) -> Trouble:
        name, _, state = random.choice(kinds).partition(" ")
        state = f" state={state}" if state and "answer=" not in args else ""
        return Trouble(mishaps=(on(f"sending {name}", f"cut event_type={name}{state} {args}".rstrip()),))

    return trouble


def _lost_answer(random: Random, _cast: Cast) -> Trouble:
    methods = ("calling.answer", "calling.play", "calling.play_and_collect", "calling.connect", "calling.end")
    method = random.choice((*methods, "calling.dial", "messaging.send"))
    return Trouble(mishaps=(on(f"received {method}", f"cut method={method} answer=yes"),))


def _cut_log_in(random: Random, _cast: Cast) -> Trouble:
    how = random.choice(("answer=yes", "after=yes", "answer=yes clean=yes"))
    moment = random.choice((f"sent {ANSWERED}", "received calling.play*", "acknowledged calling.call.receive"))
    return Trouble(mishaps=(on(moment, f"cut method=signalwire.connect {how}"), on(moment, "drop")))


def _restart_in_a_dial(random: Random, _cast: Cast) -> Trouble:
    announced = random.choice(("yes", "no"))
    after = random.choice((0.0, 0.3, 0.9))
    restart = f"restart keeps_sessions=no announced={announced}"
    return Trouble(
        mishaps=tuple(on(f"received calling.{method}", restart, after=after) for method in ("dial", "connect")),
        desks=answering(6),
    )


def _refused_resume(random: Random, _cast: Cast) -> Trouble:
    after = random.choice((0.0, 0.0, 0.5, 2.0))
    moment = f"sent {ANSWERED}"
    return Trouble(mishaps=(on(moment, "refuse_resume", after=after), on(moment, "drop", after=after)))


def _drained(random: Random, cast: Cast) -> Trouble:
    """Let a call come at the same moment, and one half a second later, which finds the context still taken, or not."""
    moment = "acknowledged calling.call.receive"
    context = random.choice(cast.call_contexts) if cast.call_contexts else "none"
    calls = (on(moment, f"call who={NUMBERS[-1]} context={context}", after=after) for after in (0.0, 0.5))
    stays = (on("received signalwire.unreceive", "reject code=500"),) if random.random() < 0.5 else ()
    return Trouble(mishaps=(on(moment, "drain"), *calls, *stays))


def _half_open(random: Random, _cast: Cast) -> Trouble:
    moment, after = f"sent {ANSWERED}", random.choice((0.0, 0.5, 2.0))
    lasts = random.choice((2.0, 8.0, 40.0))
    held = f"half_open seconds={lasts} ends={random.choice(('heals', 'breaks'))}"
    return Trouble(mishaps=(on(moment, held, after=after), on(moment, "hang_up", after=after + 0.2)))


_RACES: Final = (
    # Events, answers, and their order.
    Race(
        name="event-before-response",
        what_happens="The events of each command arrive before the command's own answer.",
        where_known="RELAY itself allows it (PROTOCOL 2.7); FreeSWITCH's event socket, where events and replies share "
        "one stream",
        promise="K5, X5; PROTOCOL 2.7",
        needs="any command",
        trouble=always(manners=("event_before_response",)),
        is_seen=sightings.event_before_response,
    ),
    Race(
        name="state-before-send",
        what_happens="The state of a text arrives before the answer that tells its id.",
        where_known="the official Python SDK loses such a state (PROTOCOL 18, fault 11)",
        promise="X17; PROTOCOL 14.2",
        needs="a text that is sent",
        trouble=always(manners=("event_before_response",)),
        is_seen=sightings.state_before_send,
    ),
    Race(
        name="answer-at-the-time-out",
        what_happens="The answer to a command comes at the moment at which the client gives up waiting, or after it.",
        where_known="the official Python SDK force-closes a newer connection for it (PROTOCOL 18, fault 8); Akka's "
        "ask, where a late reply is a dead letter",
        promise="A3, A4, K6; PROTOCOL 2.6",
        needs="any command",
        trouble=_late,
        is_seen=sightings.answered_at_the_time_out,
    ),
    Race(
        name="answer-twice",
        what_happens="One command is answered twice.",
        where_known="PROTOCOL 19.3; SIP, where a response is sent again until it is acknowledged (RFC 3261)",
        promise="A4, K6; PROTOCOL 2.2",
        needs="any command",
        trouble=one_of_the_first("received calling.*", "answer_twice", 6),
        is_seen=sightings.answer_twice,
    ),
    Race(
        name="response-lost",
        what_happens="A command is carried out, and the connection is lost before its answer crosses.",
        where_known="every request over a connection that can break; the official Python SDK fails it as Connection "
        "closed (PROTOCOL 6.3)",
        promise="K6, J5; PROTOCOL 6.3",
        needs="any command",
        trouble=_lost_answer,
        is_seen=sightings.response_lost,
    ),
    # Calls that begin and end.
    Race(
        name="short-call",
        what_happens="A caller hangs up at the moment of calling: the call has ended before it is routed.",
        where_known="the field's trackers, as a short call that ended before it was routed; Asterisk ARI, where a "
        "channel may be gone when its application first asks for something",
        promise="X2, X3, X4; PROTOCOL 8.3, 8.5",
        needs="an inbound call",
        trouble=one_of_the_first("sending calling.call.receive", "hang_up", 1),
        is_seen=sightings.short_call,
    ),
    Race(
        name="answer-meets-hang-up",
        what_happens="A caller hangs up at the moment at which the application answers.",
        where_known="SIP, where CANCEL crosses 200 OK (RFC 3261, RFC 5407)",
        promise="X1, X2, X4; PROTOCOL 8.7",
        needs="an inbound call that is answered",
        trouble=one_of(
            on("acknowledged calling.call.receive", "hang_up"),
            on("received calling.answer", "hang_up"),
            on(f"sending {ANSWERED}", "hang_up"),
        ),
        is_seen=sightings.answer_meets_hang_up,
    ),
    Race(
        name="answered-twice",
        what_happens="The event that a call is answered comes twice, under one frame id.",
        where_known="delivery at least once; PROTOCOL 19.3",
        promise="K3, X1; PROTOCOL 7.2",
        needs="a call that is answered",
        trouble=one_of_the_first(f"sending {ANSWERED}", "duplicate", 2),
        is_seen=sightings.answered_twice,
    ),
    Race(
        name="call-offered-twice",
        what_happens="One call is offered twice, in two frames.",
        where_known="the official Python SDK starts a second handler for it (PROTOCOL 18, fault 10)",
        promise="K3, X1; PROTOCOL 8.3",
        needs="an inbound call",
        trouble=one_of_the_first("sending calling.call.receive", "repeat", 1),
        is_seen=sightings.offered_twice,
    ),
    Race(
        name="call-offered-while-draining",
        what_happens="A call is offered to an application that is on its way to its end.",
        where_known="LiveKit Agents, where a job that was accepted and not started was lost to a drain (the class of "
        "its #4268, SEMANTICS H6)",
        promise="H5, H6, X11",
        needs="two inbound calls",
        trouble=_drained,
        is_seen=sightings.offered_while_draining,
    ),
    Race(
        name="command-too-early",
        what_happens="The event that a call is answered is late, so that commands are on their way before it.",
        where_known="the field's trackers, as a command on a call not yet established; PROTOCOL 9.3, where the leg's "
        "own event may come later",
        promise="X1, X5; PROTOCOL 8.2, 9.3",
        needs="commands that follow the answer at once",
        trouble=_before_established,
        is_seen=sightings.command_too_early,
    ),
    Race(
        name="ended-without-ending",
        what_happens="A call ends, and nothing has said that it is about to.",
        where_known="PROTOCOL 8.2, where any state may be skipped; the official Python SDK hangs in a wait for a state "
        "that is skipped (PROTOCOL 18, fault 5)",
        promise="X1, X2; PROTOCOL 8.2, 8.4",
        needs="a call that is answered",
        trouble=lambda _random, _cast: Trouble(
            mishaps=tuple(on("sending calling.call.state ending", "leave_out", nth=nth) for nth in (1, 2, 3, 4))
        ),
        is_seen=sightings.ended_without_ending,
    ),
    Race(
        name="ended-twice",
        what_happens="The end of a call is told twice, in two frames.",
        where_known="webhooks of call providers, which are delivered at least once; PROTOCOL 19.3",
        promise="X1, X2; PROTOCOL 8.5",
        needs="a call",
        trouble=one_of_the_first("sending calling.call.state ended", "repeat", 2),
        is_seen=sightings.ended_twice,
    ),
    Race(
        name="hang-up-meets-hang-up",
        what_happens="A caller hangs up at the moment at which the application does.",
        where_known="SIP, where BYE crosses BYE (RFC 5407); RELAY, which answers 404 (PROTOCOL 8.7)",
        promise="X2, X4; PROTOCOL 8.5, 8.7",
        needs="an application that hangs up as soon as a prompt has ended",
        trouble=lambda _random, _cast: Trouble(
            mishaps=tuple(on("sending calling.call.play finished", "hang_up", nth=nth) for nth in (1, 2, 3, 4)),
            is_quiet=True,
        ),
        is_seen=sightings.hang_up_meets_hang_up,
    ),
    Race(
        name="hang-up-while-half-open",
        what_happens="A caller hangs up while nothing crosses the connection, and nobody has noticed that.",
        where_known="TCP; the official Python SDK has a watchdog without effect (PROTOCOL 18, fault 14)",
        promise="K9, X2, X3; PROTOCOL 5.2, 5.3",
        needs="a call that is answered",
        trouble=_half_open,
        is_seen=sightings.end_of_a_half_open_call,
    ),
    # Dials and bridges.
    Race(
        name="dial-before-state",
        what_happens="A dial is reported as won before its winner is reported as answered.",
        where_known="PROTOCOL 9.3, step 4: the leg's own event may come later",
        promise="K4, X9; PROTOCOL 9.3",
        needs="a dial that is answered",
        trouble=always(manners=("dial_event_first",), desks=answering(6)),
        is_seen=sightings.dial_before_state,
    ),
    Race(
        name="two-legs-answer",
        what_happens="Two phones that ring together are picked up at the same moment.",
        where_known="SIP forking, where more than one 200 OK comes and all but one must be hung up "
        "(RFC 3261, 13.2.2.4)",
        promise="X9; PROTOCOL 9.2",
        needs="a dial, or a bridge, of several devices at once",
        trouble=always(manners=("losers_answer_too",), desks=answering(6)),
        is_seen=sightings.two_legs_answer,
    ),
    Race(
        name="hang-up-while-connecting",
        what_happens="A caller hangs up while the phone rings to which the call is to be connected, or is picked up.",
        where_known="every call centre: the caller gives up as the agent answers. Asterisk's Dial tells it as CANCEL, "
        "FreeSWITCH's bridge as ORIGINATOR_CANCEL",
        promise="X2, X9, X10; PROTOCOL 12",
        needs="a bridge",
        trouble=lambda random, _cast: Trouble(
            mishaps=(on("received calling.connect", "hang_up", after=random.choice((0.0, 0.5, 1.0))),),
            desks=answering(6),
        ),
        is_seen=sightings.hang_up_while_connecting,
    ),
    Race(
        name="winner-hangs-up",
        what_happens="The one who was dialled answers, and hangs up at the same moment.",
        where_known="dialers, where an answer that is over at once is counted as a call; RFC 5407",
        promise="X2, X4, X9; PROTOCOL 9.3",
        needs="a dial that is answered",
        trouble=always(on("sending calling.call.dial answered", "hang_up"), desks=answering(6)),
        is_seen=sightings.winner_hangs_up,
    ),
    Race(
        name="both-hang-up",
        what_happens="Both ends of a bridge hang up at one moment.",
        where_known="SIP back-to-back agents, where BYE crosses BYE (RFC 5407)",
        promise="X2, X10; PROTOCOL 12",
        needs="a bridge",
        trouble=always(on("sending calling.call.connect connected", "all_hang_up", after=0.5), desks=answering(6)),
        is_seen=sightings.both_hang_up,
    ),
    Race(
        name="session-lost-in-a-dial",
        what_happens="The server restarts without its sessions while a phone rings for the application.",
        where_known="deployments of the server (PROTOCOL 6.1); the official Python SDK fails pending dials at any loss "
        "(PROTOCOL 6.3)",
        promise="K8, X9; PROTOCOL 6.1, 6.3",
        needs="a dial, or a bridge",
        trouble=_restart_in_a_dial,
        is_seen=sightings.new_session_in_a_dial,
    ),
    Race(
        name="late-winner",
        what_happens="Somebody answers a dial that the application gave up long ago.",
        where_known="the official Python SDK leaves such a call up with no owner (PROTOCOL 18, fault 10)",
        promise="X9; PROTOCOL 9.3",
        needs="a dial that is answered",
        trouble=always(on("sending calling.call.dial answered", "delay seconds=130"), desks=answering(6, stays=200.0)),
        is_seen=sightings.late_winner,
    ),
    # Operations.
    Race(
        name="hang-up-overtakes-the-prompt",
        what_happens="A caller hangs up at the last word of a prompt, and the call's end is told before the prompt's.",
        where_known="the field's trackers; the official Python SDK leaves actions hanging for ever (PROTOCOL 18, fault "
        "4)",
        promise="X2, X5; PROTOCOL 10.5",
        needs="a prompt",
        trouble=_hang_up_in_the_prompt,
        is_seen=sightings.hang_up_overtakes_prompt,
    ),
    Race(
        name="digit-at-the-end-of-a-collect",
        what_happens="A key is pressed at the moment at which a collect ends, or times out.",
        where_known="every menu: a key too late for one prompt is taken for the answer to the next; VoiceXML's "
        "type-ahead",
        promise="X5; PROTOCOL 11",
        needs="a collect",
        trouble=_digit_at_the_end,
        is_seen=sightings.digit_meets_end,
    ),
    Race(
        name="operation-ends-twice",
        what_happens="The end of one operation is told twice, in two frames; the second may say the contrary.",
        where_known="the field's trackers, as two terminal events of one operation; SEMANTICS X5, PROTOCOL 19.3",
        promise="X5; PROTOCOL 10.3",
        needs="a prompt, a collect or a recording",
        trouble=_two_ends,
        is_seen=sightings.operation_ends_twice,
    ),
    Race(
        name="stop-after-the-end",
        what_happens="The application stops an operation that is over, which it has not heard yet.",
        where_known="PROTOCOL 10.6; Asterisk ARI, where stopping a playback that has finished is 404",
        promise="X5; PROTOCOL 10.6",
        needs="an application that stops operations",
        trouble=lambda _random, _cast: Trouble(
            mishaps=tuple(
                on("sending calling.call.* finished", "delay seconds=4 keeps_order=yes", nth=nth) for nth in (1, 2, 3)
            )
        ),
        is_seen=sightings.stop_after_end,
    ),
    # Texts.
    Race(
        name="text-redelivered",
        what_happens="A text was handled, its acknowledgement is lost with the connection, and it comes again.",
        where_known="delivery at least once, as every queue and every webhook of a text provider has it",
        promise="K3, X17; PROTOCOL 7.2",
        needs="an application that takes texts",
        trouble=one_of(
            on("sending messaging.receive", "cut event_type=messaging.receive answer=yes"),
            on("sending messaging.receive", "cut event_type=messaging.receive after=yes"),
        ),
        is_seen=sightings.text_redelivered,
    ),
    Race(
        name="delivered-before-queued",
        what_happens="It is told that a text is delivered before it is told that it is queued.",
        where_known="Twilio's status callbacks, whose order is documented as not guaranteed",
        promise="X17; PROTOCOL 14.2",
        needs="a text that is sent",
        trouble=one_of_the_first("sending messaging.state queued", "delay seconds=1", 1),
        is_seen=sightings.delivered_before_queued,
    ),
    # Connections and sessions.
    Race(
        name="event-redelivered",
        what_happens="An event crosses, the connection breaks behind it, and after the resume it comes again.",
        where_known="PROTOCOL 7.2: a server that misses the acknowledgement may send the event again",
        promise="K1, K3; PROTOCOL 3.5, 7.2",
        needs="a call",
        trouble=_cut_at_an_event("after=yes"),
        is_seen=sightings.redelivered,
    ),
    Race(
        name="ack-lost",
        what_happens="An event was handled, its acknowledgement is lost with the connection, and it comes again.",
        where_known="PROTOCOL 7.2; every queue that delivers at least once",
        promise="K3, J1; PROTOCOL 7.2",
        needs="a call",
        trouble=_cut_at_an_event("answer=yes"),
        is_seen=sightings.redelivered,
    ),
    Race(
        name="event-lost-with-the-connection",
        what_happens="The connection breaks before an event crosses: it comes after the resume, late.",
        where_known="PROTOCOL 3.5: the calls of a session send their events to whoever resumes it",
        promise="K1, X12; PROTOCOL 3.5",
        needs="a call",
        trouble=_cut_at_an_event(""),
        is_seen=sightings.event_from_before_the_log_in,
    ),
    Race(
        name="cut-in-the-log-in",
        what_happens="The connection is lost, and the next one breaks in the middle of its log-in.",
        where_known="the official Python SDK leaves the socket open and its slot taken (PROTOCOL 18, faults 7 and 14)",
        promise="K1, K2; PROTOCOL 3.4, 6.5",
        needs="a call",
        trouble=_cut_log_in,
        is_seen=sightings.log_in_cut,
    ),
    Race(
        name="resume-refused",
        what_happens="The connection is lost with calls up, and the server refuses to resume the session.",
        where_known="the official Python SDK repeats the refused request for ever (PROTOCOL 18, fault 9)",
        promise="K8, X3; PROTOCOL 3.5",
        needs="a call that is answered",
        trouble=_refused_resume,
        is_seen=sightings.resume_refused,
    ),
    # Deaths.
    Race(
        name="death-before-the-ack",
        what_happens="The process dies when an event is in its journal, and not acknowledged: it comes again.",
        where_known="delivery at least once; the official Python SDK acknowledges first, and would lose the event "
        "(SEMANTICS J1)",
        promise="J1, J4, K3",
        needs="a journal",
        trouble=one_of_the_first("kept calling.call.*", KILL, 8),
        is_seen=sightings.died_before_the_ack,
        needs_journal=True,
    ),
    Race(
        name="death-before-the-write",
        what_happens="The process dies when it has noted what it is about to ask for, and has not asked yet.",
        where_known="the dual write, or outbox, problem; SEMANTICS J2",
        promise="J2, J4, J5",
        needs="a journal",
        trouble=one_of_the_first("kept calling.*[!.]", KILL, 1),
        is_seen=sightings.died_before_the_write,
        needs_journal=True,
    ),
    Race(
        name="death-after-the-write",
        what_happens="The process dies when it has asked for something, and does not live to see the answer.",
        where_known="the two generals: a command without an outcome is unknown (SEMANTICS J5)",
        promise="J4, J5, K6",
        needs="a journal",
        trouble=one_of_the_first("received calling.*", KILL, 6),
        is_seen=sightings.died_after_the_write,
        needs_journal=True,
    ),
    # What nobody knows.
    Race(
        name="unknown-event",
        what_happens="Events and requests come that no client of today knows, about a call that is up.",
        where_known="PROTOCOL 7.3, 19.4: a new feature of the server must never end a call",
        promise="K1; PROTOCOL 2.2, 7.3",
        needs="a call",
        trouble=one_of(
            on(f"sent {ANSWERED}", "unknown_event"),
            on(f"sent {ANSWERED}", "unknown_method"),
            on("acknowledged calling.call.receive", "unknown_event"),
        ),
        is_seen=sightings.unknown_event,
    ),
    Race(
        name="unknown-fields",
        what_happens="Events have fields, in their params and around them, that no client of today knows.",
        where_known="PROTOCOL 3.2, 16.4, 17: two generations of servers answer differently",
        promise="K1; PROTOCOL 7.1",
        needs="a call",
        trouble=lambda _random, _cast: Trouble(
            mishaps=tuple(on("sending *", "add_fields", nth=nth) for nth in range(1, 9))
        ),
        is_seen=sightings.unknown_fields,
    ),
)

CATALOGUE: Final[Mapping[str, Race]] = {race.name: race for race in _RACES}
"""All races by name."""
