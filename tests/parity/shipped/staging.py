"""What is around a fragment, as the text around it says: its call, its client, what was before, who is on the phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from relay_actors.simulator import Simulator
from relay_actors.simulator.lines import StoryError
from tests.parity.shipped.scenarios import CALLER, CONTEXT, OFFICE

__all__ = ["DESK", "STAGINGS", "Staging"]

DESK = "+15551234567"
"""Whom the documents call."""
DESKS = ("+15551111111", "+15552222222")
"""Whom they call at once, and to whom they send texts."""
CARD = (("card number", "4111111111111111#"), ("expir", "1240"), ("security", "123"), ("postal", "12345#"))

QUICK, SLOW = 0.1, 1.5
"""Slow where it matters what comes first: a prompt, say, and the next command of the program."""

People = Callable[[Simulator], object]


def nobody(_sim: Simulator) -> None:
    """Nobody does anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """What is around one fragment.

    Attributes:
        client: ``connected``; ``made``, and not connected; or none, which the fragment makes itself.
        connects: the client that the fragment makes is connected after its first statement.
        call: ``answered`` or ``ringing``, from a caller; ``fax``, to a fax machine; or none.
        first: what the program has done before, in its own words.
        ready: until when the fragment does not begin.
        people: what people do meanwhile.
        last: what the program does afterwards, in its own words.
        then: what people do afterwards.
        pace: how long a simulated second is.
    """

    client: str = "connected"
    connects: bool = False
    call: str = "answered"
    first: str = ""
    ready: People = nobody
    people: People = nobody
    last: str = ""
    then: People = nobody
    pace: float = QUICK


def _calls(sim: Simulator) -> None:
    sim.phone(CALLER).dials(context=CONTEXT, to=OFFICE)


def _calls_and_hangs_up(sim: Simulator) -> None:
    _calls(sim)
    sim.phone(CALLER).is_connected()
    sim.phone(CALLER).hangs_up()


def _abandons(sim: Simulator) -> None:
    _calls(sim)
    sim.wait_until(lambda: not sim.unacknowledged)
    sim.phone(CALLER).hangs_up()


def _texts(sim: Simulator) -> None:
    sim.phone(CALLER).texts("Are you open?", context=CONTEXT, to=OFFICE)


def _gives_a_name(sim: Simulator) -> None:
    sim.phone(CALLER).hears("hello").is_asked().says("My name is Ada.")


def _pays(sim: Simulator) -> None:
    for asked, keys in CARD:
        sim.phone(CALLER).hears(asked).presses(keys)


def _one_answers(sim: Simulator) -> None:
    sim.phone(DESKS[0]).rings()
    sim.phone(DESKS[1]).rings().answers()


def _is_told(event_type: str, state: str) -> People:
    """Let the people wait until the program has been told of something."""

    def wait(sim: Simulator) -> None:
        if not sim.wait_until(lambda: any(state in str(one.params) for one in sim.frames.sent(event_type))):
            raise StoryError(f"nobody was told that {event_type} is {state}")

    return wait


_TEXT = Staging(call="", then=_is_told("messaging.state", "delivered"), pace=SLOW)
"""Quicker, the official client may miss the last state of a text: it is told before it looks for it."""
_DESK_ANSWERS = Staging(call="", people=lambda sim: sim.phone(DESK).answers())
_PLAYS = 'await call.play([{"type": "tts", "params": {"text": "Good morning, and good afternoon."}}])'

STAGINGS: Mapping[str, Staging] = {
    "getting-started.md, Contexts": Staging(client="", connects=True, call=""),
    "getting-started.md, Making Outbound Calls": _DESK_ANSWERS,
    "getting-started.md, Making Outbound Calls, 2": Staging(call="", people=_one_answers),
    "client-reference.md, connect": Staging(client="made", call=""),
    "client-reference.md, connect, 2": Staging(client="", call=""),
    "client-reference.md, on_call": Staging(call="", then=_calls_and_hangs_up),
    "client-reference.md, dial": _DESK_ANSWERS,
    "client-reference.md, on_message": Staging(call="", then=_texts),
    "client-reference.md, send_message": _TEXT,
    "client-reference.md, receive": Staging(call=""),
    "call-methods.md, Fire and forget": Staging(pace=SLOW),
    "call-methods.md, Fire with callback": Staging(
        people=_gives_a_name, then=_is_told("calling.call.record", "finished")
    ),
    "call-methods.md, answer": Staging(call="ringing"),
    "call-methods.md, pass_": Staging(call="ringing"),
    "call-methods.md, play_and_collect": Staging(people=lambda sim: sim.phone(CALLER).hears("press 1").presses("1")),
    "call-methods.md, collect": Staging(people=lambda sim: sim.phone(CALLER).is_asked().presses("12#")),
    "call-methods.md, connect": Staging(then=lambda sim: sim.phone(DESK).answers().talks_to(sim.phone(CALLER))),
    "call-methods.md, disconnect": Staging(
        first=f"""await call.connect([[{{"type": "phone", "params": {{
            "to_number": "{DESK}", "from_number": "{OFFICE}"}}}}]])""",
        ready=lambda sim: sim.phone(DESK).answers().talks_to(sim.phone(CALLER)),
    ),
    "call-methods.md, detect": Staging(people=lambda sim: sim.phone(CALLER).is_asked().says("Hello?")),
    "call-methods.md, send_fax": Staging(call="fax"),
    "call-methods.md, receive_fax": Staging(call="fax"),
    "call-methods.md, pay": Staging(people=_pays),
    "call-methods.md, leave_room": Staging(first='await call.join_room("my_room")'),
    "call-methods.md, queue_leave": Staging(first='await call.queue_enter("support")'),
    "call-methods.md, bind_digit": Staging(then=lambda sim: sim.phone(CALLER).presses("*1").hears("star-1")),
    "call-methods.md, clear_digit_bindings": Staging(first='await call.bind_digit("*1", "calling.end")'),
    "call-methods.md, on": Staging(last=_PLAYS, then=_is_told("calling.call.play", "finished")),
    "call-methods.md, wait_for": Staging(first=_PLAYS),
    "call-methods.md, wait_for_ended": Staging(people=lambda sim: sim.phone(CALLER).hangs_up()),
    "events.md, On a Call": Staging(call="", then=_abandons),
    "events.md, Typed Event Classes": Staging(client="", call=""),
    "messaging.md, Sending Messages": _TEXT,
    "messaging.md, Wait for delivery": _TEXT,
    "messaging.md, Fire and forget": _TEXT,
    "messaging.md, Callback on completion": _TEXT,
    "messaging.md, MMS": _TEXT,
    "messaging.md, All parameters": _TEXT,
    "messaging.md, Event Types": Staging(client="", call=""),
}  # fmt: skip
