"""The table of supervision, every cell of it, against what OTP's documentation says."""

from itertools import product
from typing import get_args

import pytest

from relay_actors.runtime.reasons import ExitKind
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.strategies import VERDICTS, AutoShutdown, Phase, Strategy, Verdict, decide, shuts_down

# Written down by hand, line for line, from the documentation of OTP's `supervisor` and from SEMANTICS: not computed
# from what the table under test is made of. P, T and X are permanent, transient and temporary.
#
#   phase         exit          P          T          X
BY_HAND = """
    starting      normal        fails      fails      fails
    starting      shutdown      fails      fails      fails
    starting      error         fails      fails      fails
    starting      start_failed  fails      fails      fails
    starting      killed        fails      fails      fails
    starting      lost          fails      fails      fails
    running       normal        restarts   stays      goes
    running       shutdown      restarts   stays      goes
    running       error         restarts   restarts   goes
    running       start_failed  restarts   restarts   goes
    running       killed        restarts   restarts   goes
    running       lost          restarts   restarts   goes
    restarting    normal        restarts   stays      goes
    restarting    shutdown      restarts   stays      goes
    restarting    error         restarts   restarts   goes
    restarting    start_failed  restarts   restarts   goes
    restarting    killed        restarts   restarts   goes
    restarting    lost          restarts   restarts   goes
    regrouping    normal        again      again      goes
    regrouping    shutdown      again      again      goes
    regrouping    error         again      again      goes
    regrouping    start_failed  again      again      goes
    regrouping    killed        again      again      goes
    regrouping    lost          again      again      goes
    terminating   normal        stays      stays      goes
    terminating   shutdown      stays      stays      goes
    terminating   error         stays      stays      goes
    terminating   start_failed  stays      stays      goes
    terminating   killed        stays      stays      goes
    terminating   lost          stays      stays      goes
    stopping      normal        goes       goes       goes
    stopping      shutdown      goes       goes       goes
    stopping      error         goes       goes       goes
    stopping      start_failed  goes       goes       goes
    stopping      killed        goes       goes       goes
    stopping      lost          goes       goes       goes
"""
LINES = [line.split() for line in BY_HAND.strip().splitlines()]
EXPECTED = {
    (phase, kind, restart): word
    for phase, kind, *words in LINES
    for restart, word in zip(("permanent", "transient", "temporary"), words, strict=True)
}
MEANS = {
    ("fails", "one_for_one"): Verdict.FAIL_START,
    ("fails", "rest_for_one"): Verdict.FAIL_START,
    ("fails", "one_for_all"): Verdict.FAIL_START,
    ("restarts", "one_for_one"): Verdict.RESTART,
    ("restarts", "rest_for_one"): Verdict.RESTART_REST,
    ("restarts", "one_for_all"): Verdict.RESTART_ALL,
    ("again", "one_for_one"): Verdict.AGAIN,
    ("again", "rest_for_one"): Verdict.AGAIN,
    ("again", "one_for_all"): Verdict.AGAIN,
    ("stays", "one_for_one"): Verdict.KEEP,
    ("stays", "rest_for_one"): Verdict.KEEP,
    ("stays", "one_for_all"): Verdict.KEEP,
    ("goes", "one_for_one"): Verdict.REMOVE,
    ("goes", "rest_for_one"): Verdict.REMOVE,
    ("goes", "one_for_all"): Verdict.REMOVE,
}


def test_every_cell_of_the_table_is_what_otp_says():
    """V9, S3, S4, S7: {strategy} x {restart type} x {exit reason} x {phase}, and none is left out."""
    cells = list(product(Strategy, Restart, get_args(ExitKind), Phase))
    assert len(cells) == len(VERDICTS) == 3 * 3 * 6 * 6
    assert {(phase.value, kind, restart.value) for _, restart, kind, phase in cells} == set(EXPECTED)
    wrong = {
        (strategy.value, restart.value, kind, phase.value): decide(strategy, restart, kind, phase)
        for strategy, restart, kind, phase in cells
        if decide(strategy, restart, kind, phase)
        is not MEANS[EXPECTED[phase.value, kind, restart.value], strategy.value]
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("auto_shutdown", "others_left", "ends"),
    [
        ("never", 0, False),
        ("never", 1, False),
        ("any_significant", 0, True),
        ("any_significant", 1, True),
        ("all_significant", 0, True),
        ("all_significant", 1, False),
    ],
)
def test_a_supervisor_ends_with_its_significant_children(auto_shutdown: str, others_left: int, ends: bool):
    """S14: only for a child that is significant and has ended by itself."""
    for is_significant, ended_by_itself in product([True, False], repeat=2):
        does_end = shuts_down(
            AutoShutdown(auto_shutdown),
            is_significant=is_significant,
            ended_by_itself=ended_by_itself,
            others_left=others_left,
        )
        assert does_end is (ends and is_significant and ended_by_itself)
