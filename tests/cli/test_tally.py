"""The figures: counted one by one, and wrong when something is wrong."""

import logging
from collections.abc import Callable

import pytest

from relay_actors.cli.callers import Caller, Part, Stage
from relay_actors.cli.tally import CrashReports, Figure, Remains, count
from relay_actors.errors import ConnectionLostError
from relay_actors.runtime.reasons import ExitReason
from relay_actors.simulator.simulator import Simulator
from tests.cli.conftest import PACE

NOTHING_LEFT = Remains(calls_up=0, actors=0, threads=0)


def played(simulator: Simulator, story: Callable[[Part], None], part: str = "breakfast") -> Part:
    """One caller of a kind, after a story of our own."""
    caller = Caller(name="Ada", number="+15550001111", part=part, arrives_at_s=0.0, seed="")
    playing = Part(caller, Stage(simulator, pace=PACE, patience_s=0.1), story)
    playing.start()
    playing.join()
    return playing


def answered_call(simulator: Simulator, me: Part) -> None:
    """Be answered, as by an application that is not there."""
    me.dials("hotel")
    with simulator.turn():
        me.line._call.answer()


def figures(simulator: Simulator, part: Part, **found: object) -> dict[str, Figure]:
    counted = count(
        [part],
        simulator,
        counters=found.get("counters", {}),  # type: ignore[arg-type]  # as the test says
        crashes=found.get("crashes", CrashReports()),  # type: ignore[arg-type]
        up_at_the_cut=found.get("up_at_the_cut", ()),  # type: ignore[arg-type]
        remains=found.get("remains", NOTHING_LEFT),  # type: ignore[arg-type]
    )
    return {figure.name.strip(): figure for figure in counted}


def test_a_story_told_to_its_end_is_completed(simulator: Simulator):
    def story(me: Part) -> None:
        answered_call(simulator, me)
        me.line.hangs_up()

    found = figures(simulator, played(simulator, story))

    assert found["calls"].counted == found["completed"].counted == 1
    assert found["completed"].is_right
    assert found["lost"].counted == 0


def test_a_caller_who_is_left_on_the_line_is_lost(simulator: Simulator):
    """However well everything else went."""
    part = played(simulator, lambda me: answered_call(simulator, me))
    found = figures(simulator, part, up_at_the_cut=[part.line.call_id])

    assert part.is_told
    assert found["lost"].counted == 1
    assert not found["lost"].is_right
    assert found["completed"].counted == 0
    assert found["lost of those"].counted == 1


def test_a_story_that_broke_off_is_lost_although_somebody_hung_up(simulator: Simulator):
    """Hung up without having been served is not completed."""

    def story(me: Part) -> None:
        answered_call(simulator, me)
        me.line.hangs_up()
        me.hears("what never comes")

    found = figures(simulator, played(simulator, story))

    assert (found["completed"].counted, found["lost"].counted) == (0, 1)


def test_a_call_that_nobody_answered_is_lost(simulator: Simulator):
    def story(me: Part) -> None:
        me.dials("hotel")
        me.line.hangs_up()

    found = figures(simulator, played(simulator, story))

    assert (found["completed"].counted, found["lost"].counted) == (0, 1)


def test_a_call_that_was_given_up_is_not_lost(simulator: Simulator):
    """Its caller was hung up, once, and that is counted on the wire."""

    def story(me: Part) -> None:
        answered_call(simulator, me)
        with simulator.turn():
            me.line._call.commands["calling.end"] += 1
            me.line._call.end("error")

    part = played(simulator, story, "insists on a wrong room")
    found = figures(simulator, part, counters={"actors.restarted": 3})

    assert found["given up"].counted == 1
    assert found["hang-ups of those"].counted == 1
    assert found["lost"].counted == 0
    assert found["restarts in place"].is_right


def test_what_is_left_over_is_wrong(simulator: Simulator):
    part = played(simulator, lambda me: None, "texts")
    found = figures(simulator, part, remains=Remains(calls_up=1, actors=2, threads=3))

    assert [found[name].counted for name in ("left up", "actors left", "threads left")] == [1, 2, 3]
    assert not any(found[name].is_right for name in ("left up", "actors left", "threads left"))


def report(message: str, *args: object) -> CrashReports:
    crashes = CrashReports()
    crashes.handle(logging.LogRecord("relay_actors.supervision", logging.ERROR, "", 0, message, args, None))
    return crashes


def test_supervisors_reports_name_the_calls_that_crashed(simulator: Simulator):
    def story(me: Part) -> None:
        answered_call(simulator, me)
        me.line.hangs_up()

    part = played(simulator, story, "mistypes the room")
    reason = ExitReason("error", cause=KeyError("999"))
    crashes = report("restarting call_id=%s reason=%s", part.line.call_id, reason)

    found = figures(simulator, part, crashes=crashes, counters={"actors.restarted": 1})

    assert found["crashed"].counted == 1
    assert found["crashed"].is_right
    assert found["restarts in place"].is_right


def test_restarts_because_of_the_cut_are_told_apart(simulator: Simulator):
    """A command that was on its way has an unknown outcome: that is no mistake of the handler."""
    part = played(simulator, lambda me: None, "texts")
    crashes = report("restarting call_id=%s reason=%s", "c-1", ExitReason("error", cause=ConnectionLostError()))

    found = figures(simulator, part, crashes=crashes, counters={"actors.restarted": 1})

    assert found["crashed"].counted == 0
    assert found["restarts in place"].counted == 0
    assert found["restarts by the cut"].counted == 1
    assert found["restarts by the cut"].is_right


def test_reports_of_other_actors_are_not_counted():
    crashes = report("restarting %s reason=%s", "a service", ExitReason("error", cause=KeyError("x")))

    assert crashes.calls == set()
    assert crashes.cut_short == 0


@pytest.mark.parametrize(
    ("counted", "is_minimum", "is_right"), [(3, False, True), (4, False, False), (4, True, True), (2, True, False)]
)
def test_a_figure_is_right_when_it_is_as_expected(counted: int, is_minimum: bool, is_right: bool):
    figure = Figure("calls", counted, 3, "somewhere", is_minimum)

    assert figure.is_right is is_right
    assert figure.expectation == ("at least 3" if is_minimum else "3")


@pytest.mark.parametrize(("counted", "is_right"), [(3, True), (2, True), (1, False), (4, False)])
def test_what_nobody_knows_of_may_be_missing(counted: int, is_right: bool):
    figure = Figure("texts answered", counted, 3, "somewhere", in_doubt=1)

    assert figure.is_right is is_right
    assert figure.expectation == "3, or 1 fewer"


@pytest.mark.parametrize(("in_doubt", "are_right"), [(0, (False, False)), (1, (True, False)), (2, (True, True))])
def test_a_text_in_doubt_stands_for_one_that_is_missing(
    simulator: Simulator, in_doubt: int, are_right: tuple[bool, bool]
):
    """Neither the message for the desk nor the answer has come, and each text in doubt can be one of them (K6)."""
    parts = [played(simulator, lambda me: None, part) for part in ("message", "texts")]
    counted = count(
        parts,
        simulator,
        counters={"messages.unknown": in_doubt},
        crashes=CrashReports(),
        up_at_the_cut=(),
        remains=NOTHING_LEFT,
    )
    found = {figure.name.strip(): figure for figure in counted}

    assert (found["recordings"].is_right, found["texts answered"].is_right) == are_right
    assert found["in doubt by the cut"].counted == in_doubt
