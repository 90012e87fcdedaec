"""`first_call` from many seeds: people press and hang up at random, the socket breaks, frames are damaged."""

from collections.abc import Iterator

import pytest
from first_call import app

from relay_actors.testing import Lab
from relay_actors.testing.chaos import cast_of, draw, from_json, play

BROKEN_ONCE = """
{"format": 1, "seed": 17, "lots": 0, "journal": false, "manners": ["event_before_response"], "texters": [], "desks": [],
 "callers": [{"who": "+15550100100", "at": 1.0, "context": "office", "stays": 20.0,
              "does": [{"after": 0.5, "press": "2", "say": "", "hang_up": false}]}],
 "mishaps": [{"what": "cut method=calling.play_and_collect after=yes", "at_frame": null, "at": 0.0}]}
"""


def test_a_plan_that_has_broken_something_holds() -> None:
    """What ``relay-actors chaos`` has written to a file."""
    assert play(from_json(BROKEN_ONCE), app).broken == ()


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens_nobody_who_presses_two_is_left_without_the_hours(seed: int) -> None:
    """But who hangs up before: the line says what was pressed while somebody listened, and what was heard."""
    assert play(draw(seed, cast_of(app)), app, judge=hours_were_told).broken == ()


def hours_were_told(lab: Lab) -> Iterator[str]:
    """Say whose call has gone on, and was not told the hours."""
    for line in (line for phone in lab.sim.phones for line in phone.lines):
        story = [moment.what for moment in line.timeline]
        if "pressed 2" in story and "hung up" not in story and "nine to five" not in str(line.heard):
            yield f"{line.number} has pressed 2, and was not told the hours:\n{line.story()}"
