"""Whoever calls an example whose process is killed hears what they would have heard, and is hung up when they would.

Each is played from a seed as it is, and then with a death at some places of it. What an application keeps beside its
calls, such as the memory of a service, is gone with the process: examples that have such a thing are not among these.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest

from relay_actors import RelayApp
from relay_actors.testing.chaos.cast import cast_of
from relay_actors.testing.chaos.plan import KILL, Doing, Mishap, Plan, draw
from relay_actors.testing.chaos.run import play
from tests.support.thorough import IS_THOROUGH, seeds

EXAMPLES = [
    "answer_and_welcome", "call_queue", "call_screening", "conference_bridge", "dictation", "fax_inbox",
    "media_stream", "newsletter", "one_touch_recording", "opening_hours", "phone_payment", "pizza_line", "sms_echo",
    "speech_menu", "state_machine_call",
]  # fmt: skip

STAYS_S = 230.0
"""Longer than any of them has a caller stay."""
SLOW_S = 3.0
"""Longer than it takes until there is a process again, and it knows what has become of its last command."""
PLACES = 60
"""So many places at which a process can die are looked at: a call of an example has about as many."""


def plan_of(app: RelayApp, seed: int) -> Plan:
    """Return one caller, and one who sends a text, to whom nothing happens, and who stay until they are hung up."""
    drawn = draw(seed, replace(cast_of(app, faults=False, can_die=False)))
    callers = tuple(
        replace(caller, stays=STAYS_S - caller.at, does=_slowly(caller.does)) for caller in drawn.callers[:1]
    )
    return replace(drawn, callers=callers, texters=drawn.texters[:1], manners=(), journal=True, lots=0)


def _slowly(does: Iterable[Doing]) -> tuple[Doing, ...]:
    """Let people take their time, and hang up only when they are not hung up at last."""
    return tuple(replace(one, after=one.after + SLOW_S, hang_up=False) for one in does)


def story_of(plan: Plan, app: RelayApp) -> tuple[dict[tuple[str, int], tuple[list[str], str]], int]:
    """Return what each person has heard in each of their calls and how that has ended; and how many keys were lost."""
    run = play(plan, app)
    assert run.broken == ()
    heard = {
        (phone.number, place): ([str(sound) for sound in line.heard], line.end_reason)
        for phone in run.phones
        for place, line in enumerate(phone.lines)
    }
    return heard, run.timeline.text().count("(nobody listened)")


@pytest.mark.parametrize("seed", seeds(2, 25))
@pytest.mark.parametrize("name", EXAMPLES)
def test_callers_notice_nothing_of_a_kill(name: str, seed: int) -> None:
    """J4, X8."""
    app = importlib.import_module(f"examples.{name}").app
    plan = plan_of(app, seed)
    undisturbed, lost = story_of(plan, app)
    for place in Random(seed).sample(range(2, PLACES), 8 if IS_THOROUGH else 3):
        killed = replace(plan, mishaps=(Mishap(what=KILL, at_frame=place),))
        story, lost_now = story_of(killed, app)
        # A key that is pressed while there is no process is nobody's: the platform collects only what it was asked to.
        assert story == undisturbed or lost_now != lost, f"killed at {place}:\n{plan}"
