"""How a run shows that a race has really happened: by what crossed the wire, and in which order. Layer: door, pure.

A race that was ordered and did not happen (the application never dials, say) proves nothing, so each race of the
catalogue has a sighting, and what is counted is only what was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from relay_actors.protocol.catalog import EVENTS
from relay_actors.protocol.readers import read_object, read_text
from relay_actors.simulator.wire_log import LoggedFrame
from relay_actors.testing.chaos.moments import Crossed, Kind, WireReader
from relay_actors.testing.chaos.people import DIES

__all__ = [
    "Sighting",
    "Story",
    "answer_meets_hang_up",
    "answer_twice",
    "answered_at_the_time_out",
    "answered_twice",
    "both_hang_up",
    "command_too_early",
    "delivered_before_queued",
    "dial_before_state",
    "died_after_the_write",
    "died_before_the_ack",
    "died_before_the_write",
    "digit_meets_end",
    "end_of_a_half_open_call",
    "ended_twice",
    "ended_without_ending",
    "event_before_response",
    "event_from_before_the_log_in",
    "hang_up_meets_hang_up",
    "hang_up_overtakes_prompt",
    "hang_up_while_connecting",
    "late_winner",
    "log_in_cut",
    "new_session_in_a_dial",
    "offered_twice",
    "offered_while_draining",
    "operation_ends_twice",
    "redelivered",
    "response_lost",
    "resume_refused",
    "short_call",
    "state_before_send",
    "stop_after_end",
    "story_of",
    "text_redelivered",
    "two_legs_answer",
    "unknown_event",
    "unknown_fields",
    "winner_hangs_up",
]

Story: TypeAlias = Sequence[Crossed]
"""All that crossed the wire in a run, and what was noted, in the order in which it did."""

Sighting: TypeAlias = Callable[[Story], bool]
"""Whether a race happened in a story."""

LOG_IN: Final = "signalwire.connect"
STATE: Final = "calling.call.state"
RECEIVE: Final = "calling.call.receive"
DIAL: Final = "calling.call.dial"
CONNECT: Final = "calling.call.connect"
TEXT: Final = "messaging.state"

TIME_OUT_S: Final = 10.0
"""How long a client waits for an answer. Source: PROTOCOL 2.6."""

_EARLY: Final = frozenset({"calling.answer", "calling.end", "calling.dial", "calling.pass"})
"""What may be asked for before a call is answered."""

_ENDS: Final = frozenset({"finished", "error", "no_input", "no_match", "stopped"})

_KNOWN: Final = frozenset({*EVENTS, "signalwire.authorization.state", "signalwire.ping", "signalwire.disconnect"})


def story_of(raw: Iterable[LoggedFrame | tuple[float, str]]) -> Story:
    """Return the story of a run, given `Timeline.raw`."""
    reader = WireReader()
    story: list[Crossed] = []
    for one in raw:
        if isinstance(one, LoggedFrame):
            if (crossed := reader.read(one)) is not None:
                story.append(crossed)
        else:
            story.append(Crossed(one[0], "noted", one[1]))
    return story


def _all(story: Story, kind: Kind, name: str = "", state: str = "") -> Iterator[tuple[int, Crossed]]:
    for place, one in enumerate(story):
        if one.kind == kind and name in ("", one.name) and (not state or state in one.states):
            yield place, one


def _some(
    story: Sequence[Crossed], kind: Kind, name: str = "", state: str = "", *, call: str = "", frame: object = None
) -> Crossed | None:
    for one in story:
        if (
            one.kind == kind
            and name in ("", one.name)
            and (not state or state in one.states)
            and call in ("", one.call_id)
            and frame in (None, one.frame_id)
        ):
            return one
    return None


def _answer(story: Story, place: int) -> int | None:
    """Return where the request at this place is answered."""
    asked = story[place]
    for later in range(place + 1, len(story)):
        if story[later].kind == "answered" and story[later].frame_id == asked.frame_id:
            return later
    return None


def _is_about(event: Crossed, asked: Crossed) -> bool:
    for name in ("control_id", "tag"):
        if asked.text(name):
            return event.text(name) == asked.text(name)
    return bool(asked.call_id) and event.call_id == asked.call_id


# Answers, and what crosses them.


def event_before_response(story: Story) -> bool:
    """See whether an event of a command went out before the command's answer."""
    for place, asked in _all(story, "received"):
        end = _answer(story, place)
        if end is not None and any(one.kind == "sent" and _is_about(one, asked) for one in story[place:end]):
            return True
    return False


def state_before_send(story: Story) -> bool:
    """See whether the state of a text went out before the answer that names it."""
    for place, _asked in _all(story, "received", "messaging.send"):
        end = _answer(story, place)
        if end is not None and _some(story[place:end], "sent", TEXT) is not None:
            return True
    return False


def answered_at_the_time_out(story: Story) -> bool:
    """See whether an answer came when the client gave up, or would have."""
    for place, asked in _all(story, "received"):
        if asked.name.startswith("signalwire."):
            continue
        end = _answer(story, place)
        if end is not None and story[end].at - asked.at >= TIME_OUT_S - 0.01:
            return True
        if end is None and any(
            asked.at + TIME_OUT_S - 0.01 <= one.at <= asked.at + 2 * TIME_OUT_S
            for _place, one in _all(story, "received", LOG_IN)
        ):
            return True
    return False


def answer_twice(story: Story) -> bool:
    """See whether one request was answered twice."""
    answers = [one.frame_id for _place, one in _all(story, "answered")]
    return len(answers) > len(set(answers))


def response_lost(story: Story) -> bool:
    """See whether something was done, and its answer lost with the connection."""
    for place, asked in _all(story, "received"):
        if asked.name == LOG_IN or _answer(story, place) is not None:
            continue
        later = story[place + 1 :]
        is_done = any(one.kind == "sent" and _is_about(one, asked) for one in later)
        is_text = asked.name == "messaging.send" and _some(later, "sent", TEXT) is not None
        if (is_done or is_text) and _some(later, "received", LOG_IN) is not None:
            return True
    return False


# Calls that begin and end.


def short_call(story: Story) -> bool:
    """See whether a call had ended before anything was asked of it."""
    for place, offered in _all(story, "sent", RECEIVE):
        for end, ended in _all(story, "sent", STATE, "ended"):
            if ended.call_id == offered.call_id and ended.at == offered.at:
                return _some(story[place:end], "received", call=offered.call_id) is None
    return False


def answer_meets_hang_up(story: Story) -> bool:
    """See whether a call was answered and hung up at one moment."""
    for _place, asked in _all(story, "received", "calling.answer"):
        for _end, ended in _all(story, "sent", STATE, "ended"):
            if ended.call_id == asked.call_id and ended.at == asked.at:
                return True
    return False


def answered_twice(story: Story) -> bool:
    """See whether one and the same event of an answered call came twice, without a log-in in between."""
    return _twice(story, _all(story, "sent", STATE, "answered"), frames_differ=False)


def ended_twice(story: Story) -> bool:
    """See whether the end of a call was told twice, in frames of their own."""
    return _twice(story, _all(story, "sent", STATE, "ended"), frames_differ=True)


def offered_twice(story: Story) -> bool:
    """See whether one call was offered twice, in frames of their own."""
    return _twice(story, _all(story, "sent", RECEIVE), frames_differ=True)


def _twice(story: Story, events: Iterator[tuple[int, Crossed]], *, frames_differ: bool) -> bool:
    seen: dict[str, tuple[int, Crossed]] = {}
    for place, one in events:
        first, former = seen.setdefault(one.call_id, (place, one))
        if first == place or (former.frame_id != one.frame_id) != frames_differ:
            continue
        if frames_differ or _some(story[first:place], "received", LOG_IN) is None:
            return True
    return False


def ended_without_ending(story: Story) -> bool:
    """See whether an answered call ended, and nothing had said that it was about to."""
    for place, ended in _all(story, "sent", STATE, "ended"):
        before = story[:place]
        was_up = _some(before, "sent", STATE, "answered", call=ended.call_id) is not None
        if was_up and _some(before, "sent", STATE, "ending", call=ended.call_id) is None:
            return True
    return False


def hang_up_meets_hang_up(story: Story) -> bool:
    """See whether the application hung up a call that had been hung up at the same moment."""
    for place, asked in _all(story, "received", "calling.end"):
        end = _answer(story, place)
        code = story[end].code if end is not None else ""
        if code in ("404", "410") and any(
            ended.call_id == asked.call_id and ended.at == asked.at
            for _place, ended in _all(story, "sent", STATE, "ended")
        ):
            return True
    return False


def command_too_early(story: Story) -> bool:
    """See whether something was asked of a call of which nothing had said yet that it is answered."""
    for place, asked in _all(story, "received"):
        if not asked.name.startswith("calling.") or asked.name in _EARLY or not asked.call_id:
            continue
        if _some(story[:place], "sent", STATE, "answered", call=asked.call_id) is None:
            return True
    return False


def end_of_a_half_open_call(story: Story) -> bool:
    """See whether a call ended while nothing crossed, and it was told later."""
    held = next((one.at for _place, one in _all(story, "noted") if one.name.startswith("half_open")), None)
    if held is None:
        return False
    return any(ended.age > 0.1 and ended.at > held for _place, ended in _all(story, "sent", STATE, "ended"))


def both_hang_up(story: Story) -> bool:
    """See whether both ends of a bridge hung up at one moment."""
    for _place, joined in _all(story, "sent", CONNECT, "connected"):
        peer = read_text((read_object(joined.params.get("peer")) or {}).get("call_id"))
        ends = {one.call_id: one.at for _place, one in _all(story, "sent", STATE, "ended")}
        if peer in ends and ends.get(joined.call_id) == ends[peer]:
            return True
    return False


# Dials and bridges.


def dial_before_state(story: Story) -> bool:
    """See whether a dial's outcome came before its winner was reported as answered."""
    for place, won in _all(story, "sent", DIAL, "answered"):
        before, after = story[:place], story[place:]
        if _some(before, "sent", STATE, "answered", call=won.call_id) is None:
            return _some(after, "sent", STATE, "answered", call=won.call_id) is not None
    return False


def two_legs_answer(story: Story) -> bool:
    """See whether two phones that rang together were both answered, and one was cancelled for it."""
    answered: dict[str, set[str]] = {}
    for _place, one in _all(story, "sent", STATE, "answered"):
        parent = read_object(one.params.get("parent")) or {}
        if group := one.text("tag") or read_text(parent.get("call_id")) or "":
            answered.setdefault(group, set()).add(one.call_id)
    cancelled = {
        one.call_id for _place, one in _all(story, "sent", STATE, "ended") if one.text("end_reason") == "cancel"
    }
    return any(len(legs) > 1 and legs & cancelled for legs in answered.values())


def hang_up_while_connecting(story: Story) -> bool:
    """See whether the caller was gone before it was known whether the other phone answers."""
    for place, asked in _all(story, "received", "calling.connect"):
        for later in story[place + 1 :]:
            if later.kind == "sent" and later.call_id == asked.call_id:
                if later.name == CONNECT and later.states & {"connected", "failed"}:
                    break
                if later.name == STATE and "ended" in later.states:
                    return True
    return False


def winner_hangs_up(story: Story) -> bool:
    """See whether the one who was dialled hung up at the moment of answering."""
    for _place, won in _all(story, "sent", DIAL, "answered"):
        for _end, ended in _all(story, "sent", STATE, "ended"):
            if ended.call_id == won.call_id and ended.at == won.at:
                return True
    return False


def new_session_in_a_dial(story: Story) -> bool:
    """See whether the session was lost between a dial, or a bridge, and its outcome."""
    for method, event in (("calling.dial", DIAL), ("calling.connect", CONNECT)):
        for place, asked in _all(story, "received", method):
            for later in story[place + 1 :]:
                is_outcome = later.kind == "sent" and later.name == event and bool(later.states - {"dialing"})
                if is_outcome and _is_about(later, asked) and later.states & {"answered", "failed", "connected"}:
                    break
                if later.kind == "received" and later.name == LOG_IN and not later.text("protocol"):
                    return True
    return False


def late_winner(story: Story) -> bool:
    """See whether a dial was won long after the client had given it up."""
    for _place, won in _all(story, "sent", DIAL, "answered"):
        for _asked_at, asked in _all(story, "received", "calling.dial"):
            if asked.text("tag") == won.text("tag") and won.age > 60.0 and won.at - asked.at > 120.0:
                return True
    return False


# Operations.


def hang_up_overtakes_prompt(story: Story) -> bool:
    """See whether a call's end was told before the end of what was played to it."""
    for place, ended in _all(story, "sent", STATE, "ended"):
        if _some(story[place:], "sent", "calling.call.play", "finished", call=ended.call_id) is not None:
            return True
    return False


def digit_meets_end(story: Story) -> bool:
    """See whether a key was pressed at the moment at which a collect ended."""
    pressed = {one.at for _place, one in _all(story, "noted") if one.name.startswith("press ")}
    return any(one.at in pressed for _place, one in _all(story, "sent", "calling.call.collect"))


def operation_ends_twice(story: Story) -> bool:
    """See whether the end of one operation was told twice, in frames of their own."""
    ends: dict[tuple[str, str], object] = {}
    for _place, one in _all(story, "sent"):
        control_id = one.text("control_id")
        is_end = one.states & _ENDS or (one.name == "calling.call.collect" and "result" in one.params)
        first = ends.setdefault((one.name, control_id), one.frame_id) if control_id and is_end else one.frame_id
        if first != one.frame_id:
            return True
    return False


def stop_after_end(story: Story) -> bool:
    """See whether something was to be stopped that was over."""
    for place, asked in _all(story, "received"):
        if asked.name.endswith(".stop") and asked.text("control_id"):
            end = _answer(story, place)
            if end is not None and not story[end].code.startswith("2"):
                return True
    return False


# Texts.


def delivered_before_queued(story: Story) -> bool:
    """See whether it was told of a text that it is delivered before it was told that it is queued."""
    for place, told in _all(story, "sent", TEXT, "delivered"):
        later = (one for _place, one in _all(story[place:], "sent", TEXT, "queued"))
        if any(one.text("message_id") == told.text("message_id") for one in later):
            return True
    return False


# Connections and sessions.


def redelivered(story: Story) -> bool:
    """See whether an event came again, in the same frame, after a log-in."""
    return _comes_again(story, "")


def text_redelivered(story: Story) -> bool:
    """See whether a text came again, in the same frame, after a log-in."""
    return _comes_again(story, "messaging.receive")


def _comes_again(story: Story, name: str, between: Callable[[Sequence[Crossed]], bool] = bool) -> bool:
    seen: dict[object, int] = {}
    for place, one in _all(story, "sent", name):
        first = seen.setdefault(one.frame_id, place)
        if first != place and _some(story[first:place], "received", LOG_IN) and between(story[first:place]):
            return True
    return False


def event_from_before_the_log_in(story: Story) -> bool:
    """See whether an event that came to be while the client was away crossed only after its next log-in."""
    for place, entered in _all(story, "received", LOG_IN):
        if any(one.kind == "sent" and one.age > one.at - entered.at + 0.001 for one in story[place:]):
            return True
    return False


def log_in_cut(story: Story) -> bool:
    """See whether a log-in got no answer, and there was another one."""
    return any(
        _answer(story, place) is None and _some(story[place + 1 :], "received", LOG_IN) is not None
        for place, _asked in _all(story, "received", LOG_IN)
    )


def resume_refused(story: Story) -> bool:
    """See whether the resume of a session was refused while a call was up."""
    for place, asked in _all(story, "received", LOG_IN):
        end = _answer(story, place)
        if not asked.text("protocol") or end is None or story[end].code.startswith("2"):
            continue
        before = story[:place]
        up = {one.call_id for _place, one in _all(before, "sent", STATE, "answered")}
        if up - {one.call_id for _place, one in _all(before, "sent", STATE, "ended")}:
            return True
    return False


def offered_while_draining(story: Story) -> bool:
    """See whether a call was offered to an application that is on its way to its end."""
    for place, one in _all(story, "noted"):
        if one.name.startswith("drain"):
            return _some(story[place:], "sent", RECEIVE) is not None
    return False


# Deaths.


def died_before_the_ack(story: Story) -> bool:
    """See whether the process died with an event kept and not acknowledged, which then came again."""

    def dies_unacknowledged(between: Sequence[Crossed]) -> bool:
        return _death(between) is not None and _some(between, "acknowledged", frame=between[0].frame_id) is None

    return _comes_again(story, "", dies_unacknowledged)


def died_before_the_write(story: Story) -> bool:
    """See whether the process died with a command in mind that had not left."""
    return _died(story, " on kept ")


def died_after_the_write(story: Story) -> bool:
    """See whether the process died when a command had arrived, and it could not know."""
    return _died(story, " on received ")


def _died(story: Story, when: str) -> bool:
    place = _death(story, when)
    return place is not None and _some(story[place:], "received", LOG_IN) is not None


def _death(story: Sequence[Crossed], when: str = "") -> int | None:
    for place, one in enumerate(story):
        if one.kind == "noted" and one.name.startswith(DIES) and when in one.name:
            return place
    return None


# What nobody knows.


def unknown_event(story: Story) -> bool:
    """See whether an event, or a request of the server, came that nobody knows."""
    return any(one.name not in _KNOWN for _place, one in _all(story, "sent"))


def unknown_fields(story: Story) -> bool:
    """See whether an event came with fields that nobody knows."""
    return any(_is_new(one.params) for _place, one in _all(story, "sent"))


def _is_new(params: Mapping[str, Any]) -> bool:
    return "x_since" in params
