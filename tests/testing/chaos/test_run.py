"""Runs of plans: a sound application breaks nothing, and an unsound one is found out."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from relay_actors import MessageActor, RelayApp
from relay_actors.testing.chaos.cast import cast_of
from relay_actors.testing.chaos.plan import KILL, Caller, Doing, Mishap, Plan, Texter, draw, from_json
from relay_actors.testing.chaos.run import Run, play
from relay_actors.testing.lab import Lab
from tests.support.thorough import less
from tests.testing.chaos import unsound
from tests.testing.chaos.application import app

PLANS = sorted((Path(__file__).parent / "plans").glob("*.json"))


@pytest.mark.parametrize("first", range(0, less(60, 120), 20))
def test_a_sound_application_breaks_nothing(first: int):
    """Proves SEMANTICS V5: whatever people do, and whatever goes wrong."""
    cast = cast_of(app, can_die=True)
    broken = {seed: run.broken for seed in range(first, first + 20) if (run := play(draw(seed, cast), app)).broken}
    assert broken == {}


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_what_was_broken_once_holds(path: Path):
    """Each of these plans has broken an invariant of an example, until what it had found was mended."""
    example = importlib.import_module(f"examples.{path.stem.partition('--')[0]}")

    assert play(from_json(path.read_text()), example.app).broken == ()


def test_the_same_plan_gives_the_same_run_to_the_byte():
    """Proves SEMANTICS V3, with kills and faults in it."""
    cast = cast_of(app, can_die=True)
    plans = [plan for seed in range(60) if (plan := draw(seed, cast)).mishaps and plan.journal][:8]
    assert len(plans) == 8
    for plan in plans:
        assert play(plan, app).timeline.text() == play(plan, app).timeline.text()


def test_a_kill_between_any_two_steps_of_a_call_is_survived():
    """V4, J1, J2: before and after each commit and each write."""
    caller = Caller(who="+15550100100", at=1.0, context="menu", does=(Doing(after=0.5, press="1"),))
    plan = Plan(seed=1, callers=(caller,), journal=True)
    unharmed = play(plan, app)
    assert heard(unharmed) == ["Press 1 or 2.", "Goodbye."]
    for place in range(60):
        run = play(Plan(seed=1, callers=(caller,), journal=True, mishaps=(Mishap(what=KILL, at_frame=place),)), app)
        assert run.broken == ()
        assert heard(run) == ["Press 1 or 2.", "Goodbye."], place


def heard(run: Run) -> list[str]:
    return [str(sound) for phone in run.phones for line in phone.lines for sound in line.heard]


def test_a_command_after_the_end_is_found():
    """X4: of an application that sends frames of its own."""
    plan = Plan(seed=1, callers=(Caller(who="+15550100100", at=1.0, context="menu", stays=3.0),))
    [broken] = play(plan, unsound.app).broken
    assert broken.invariant == "after the end"
    assert "calling.answer" in str(broken)


def test_what_the_applications_own_judge_says_is_broken_too():
    """It knows what callers should have got."""

    def judge(lab: Lab) -> list[str]:
        return [f"{len(lab.sim.phones)} phones, and none was happy"]

    caller = Caller(who="+15550100100", at=0.0, context="menu")
    [broken] = play(Plan(seed=1, callers=(caller,)), app, judge=judge).broken
    assert (broken.invariant, broken.how) == ("judge", "1 phones, and none was happy")


class Clumsy(MessageActor):
    """Fails after it was told to stop, as every handler of a text is."""

    async def on_receive(self, message: object) -> None:
        raise LookupError("this is a test")


def test_a_text_whose_async_handler_fails_breaks_no_invariant() -> None:
    """What fails is told by the log; the order to stop that waited behind it is carried out by its end."""
    app = RelayApp()
    app.messages("clumsy")(Clumsy)
    plan = Plan(seed=1, texters=(Texter(who="+15550100100", at=1.0, context="clumsy", text="hello"),))
    assert play(plan, app).broken == ()
