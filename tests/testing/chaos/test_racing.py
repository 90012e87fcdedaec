"""An application that is wrong in a race is found out; one that the race cannot reach is told so."""

from __future__ import annotations

from relay_actors import CallActor, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent
from relay_actors.testing.chaos.cast import cast_of
from relay_actors.testing.chaos.catalogue import CATALOGUE
from relay_actors.testing.chaos.racing import race
from relay_actors.testing.chaos.run import Run
from tests.testing.chaos.racers import app


def made_of(actor_class: type[CallActor]) -> RelayApp:
    made = RelayApp(name="wrong")
    made.calls("line")(actor_class)
    return made


class Careless(CallActor):
    """Hangs up by a frame of its own a moment after the end, as if nobody had."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="ended"):
                self.start_timer("again", "again", 0.5)
            case "again":
                self.app.execute("calling.end", {"node_id": self.node_id, "call_id": self.call_id, "reason": "hangup"})


class Quiet(CallActor):
    """Answers, and says nothing."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("Hello.").wait()


class Restless(CallActor):
    """Blocks the end: it never lets others have a turn again."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="ended") | "again":
                self.actor_ref.tell("again")


def test_how_often_a_race_was_tried_and_happened_is_counted():
    """And whoever wants to is shown each run."""
    shown: list[Run] = []
    outcome = race(CATALOGUE["ended-twice"], app, cast_of(app), range(3), after_run=shown.append)
    assert (outcome.runs, outcome.seen, outcome.broken) == (3, 3, None)
    assert [run.plan.seed for run in shown] == [0, 1, 2]


def test_a_second_hang_up_is_found_and_reduced():
    """X4: the race that shows it first ends the search."""
    wrong = made_of(Careless)
    outcome = race(CATALOGUE["ended-twice"], wrong, cast_of(wrong), range(5))
    assert outcome.broken is not None
    assert outcome.runs == 1
    assert outcome.broken.broken[0].invariant == "after the end"
    reduced = outcome.reduced(wrong)
    assert reduced.broken[0].invariant == "after the end"
    assert reduced.plan.size < outcome.broken.plan.size
    assert len(reduced.plan.callers) == 1


def test_an_end_that_never_comes_to_rest_is_found():
    """A call's actor ends a moment after its call, or something is wrong."""
    wrong = made_of(Restless)
    outcome = race(CATALOGUE["short-call"], wrong, cast_of(wrong), range(2))
    assert outcome.broken is not None
    assert outcome.broken.broken[0].invariant == "rest"


def test_a_race_that_cannot_happen_is_tried_in_vain_or_not_at_all():
    """One that never dials wins no dial; one without a journal is not killed."""
    quiet = made_of(Quiet)
    outcome = race(CATALOGUE["late-winner"], quiet, cast_of(quiet), range(2))
    assert (outcome.runs, outcome.seen, outcome.broken) == (2, 0, None)
    assert race(CATALOGUE["death-before-the-ack"], quiet, cast_of(quiet), range(2)).runs == 0
