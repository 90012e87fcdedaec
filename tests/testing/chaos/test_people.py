"""The people of a plan do their part by themselves, and mishaps strike where they were put."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from relay_actors.testing.chaos.people import Stage
from relay_actors.testing.chaos.plan import KILL, Caller, Desk, Doing, Mishap, Plan, Texter
from relay_actors.testing.lab import Lab
from tests.testing.chaos.application import DESK, app

CALLER = "+15550100100"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        lab.start(app)
        lab.settle()
        yield lab


def set_up(lab: Lab, notes: list[str] | None = None, **plan: object) -> None:
    Stage(lab, Plan(seed=1, **plan), (notes if notes is not None else []).append, lambda: lab.start(app))  # type: ignore[arg-type]


def heard(lab: Lab, number: str) -> list[str]:
    return [str(sound) for line in lab.phone(number).lines for sound in line.heard]


def test_a_caller_does_one_thing_after_the_other_on_hearing_something(lab: Lab):
    """What is heard first is answered by the first, and so on."""
    does = (Doing(after=1.0, press="7#"), Doing(after=0.5, hang_up=True))
    set_up(lab, callers=(Caller(who=CALLER, at=2.0, context="echo", does=does),))
    lab.advance(60.0)
    assert heard(lab, CALLER) == ["Say something.", "You pressed 7."]
    moments = [(round(moment.at_s, 3), moment.what) for moment in lab.phone(CALLER).line.timeline]
    assert moments[-2:] == [(1.5, "hung up"), (1.5, "ended (hangup)")]


def test_a_caller_does_not_stay_for_ever(lab: Lab):
    """However long the application would let it."""
    set_up(lab, callers=(Caller(who=CALLER, at=0.0, context="menu", stays=1.5),))
    lab.advance(60.0)
    assert lab.phone(CALLER).line.end_reason == "hangup"
    assert lab.phone(CALLER).line.timeline[-1].at_s == 1.5


@pytest.mark.parametrize(
    ("desk", "hears"),
    [
        (Desk(answer="answers", after=1.0, stays=3.0), "connected to +15550102000"),
        (Desk(answer="rejects", after=1.0), "heard 'Goodbye.'"),
        (Desk(answer="busy"), "heard 'Goodbye.'"),
        (Desk(answer="never"), "heard 'Goodbye.'"),
    ],
)
def test_a_phone_that_is_rung_reacts_as_its_desk_says(lab: Lab, desk: Desk, hears: str):
    """Whatever number the application has chosen."""
    caller = Caller(who=CALLER, at=0.0, context="menu", does=(Doing(after=0.5, press="2"),))
    set_up(lab, callers=(caller,), desks=(desk,))
    lab.advance(120.0)
    assert hears in [moment.what for moment in lab.phone(CALLER).line.timeline]
    assert (desk.answer == "answers") == ("picked up" in [moment.what for moment in lab.phone(DESK).line.timeline])


def test_a_text_is_sent_and_may_bring_a_call(lab: Lab):
    """The first phone that rings is the first desk's."""
    texter = Texter(who=CALLER, at=1.0, context="echo", text="call me")
    set_up(lab, texters=(texter,), desks=(Desk(answer="answers"),))
    lab.advance(60.0)
    assert heard(lab, CALLER) == ["You wanted to be called."]


def test_who_reaches_nobody_is_noted(lab: Lab):
    """It is no failure of the run."""
    notes: list[str] = []
    set_up(lab, notes, texters=(Texter(who=CALLER, at=1.0, context="nowhere", text="x"),))
    lab.advance(5.0)
    assert [note.partition(":")[0] for note in notes] == [f"{CALLER} reaches nobody"]


def test_a_mishap_strikes_at_its_frame_or_at_its_time(lab: Lab):
    """Frames are counted from the moment at which the stage is set."""
    notes: list[tuple[float, str]] = []
    plan = Plan(
        seed=1,
        callers=(Caller(who=CALLER, at=3.0, context="echo"),),
        mishaps=(Mishap(what="drop", at_frame=0), Mishap(what="drop", at=30.0)),
    )
    Stage(lab, plan, lambda note: notes.append((lab.clock.now(), note)), lambda: None)
    began = lab.clock.now()
    lab.advance(60.0)
    assert [(round(at - began, 3), note) for at, note in notes] == [(3.0, "drop"), (30.0, "drop")]


def test_a_kill_in_the_middle_of_everything_is_followed_by_a_start():
    """V4: at a time; at a place is seen in test_run."""
    with Lab() as lab:
        lab.start(app)
        notes: list[str] = []
        set_up(lab, notes, mishaps=(Mishap(what=KILL, at=1.0),))
        lab.advance(0.9)
        assert lab.apps
        lab.advance(0.2)
        assert lab.apps == []
        lab.advance(1.0)
        assert lab.apps == [app]
        assert notes == ["the process dies", "the process is started again"]
        assert lab.deaths == 1


def test_what_befalls_an_event_strikes_the_one_at_hand(lab: Lab):
    """A moment in words: the second prompt's end is left out, and no other event."""
    notes: list[str] = []
    lost = Mishap(what="leave_out", on="sending calling.call.play finished", nth=2)
    set_up(
        lab, notes, callers=(Caller(who=CALLER, at=0.0, context="echo", does=(Doing(press="7#"),)),), mishaps=(lost,)
    )
    lab.advance(60.0)
    assert notes == ["leave_out"]
    states = [frame.params["params"]["state"] for frame in lab.sim.frames.sent("calling.call.play")]  # type: ignore[index]
    assert states.count("playing") == 2
    assert states.count("finished") == 1


def test_people_act_at_a_moment_or_so_long_after_it(lab: Lab):
    """At the end of the call that the frame is about."""
    deeds = (
        Mishap(what="press keys=7", on="sent calling.call.play playing", after=0.5),
        Mishap(what="hang_up", on="received calling.play"),
    )
    set_up(lab, callers=(Caller(who=CALLER, at=0.0, context="echo"),), mishaps=deeds)
    lab.advance(60.0)
    moments = [(round(moment.at_s, 3), moment.what) for moment in lab.phone(CALLER).line.timeline]
    assert (0.5, "pressed 7") in moments
    assert moments[-1][1] == "ended (hangup)"
