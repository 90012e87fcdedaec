"""Why actors end, in words."""

from typing import get_args

import pytest

from relay_actors.runtime.reasons import NORMAL, ExitKind, ExitReason
from tests.runtime.worlds import WordlessError


def test_the_kinds_are_a_closed_set():
    """L5."""
    assert set(get_args(ExitKind)) == {"normal", "shutdown", "error", "start_failed", "killed", "lost"}


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (NORMAL, "normal"),
        (ExitReason("shutdown", "parent stops"), "shutdown (parent stops)"),
        (ExitReason("error", cause=ValueError("bad")), "error ValueError: bad"),
        (ExitReason("killed", "too slow", OSError("x")), "killed (too slow) OSError: x"),
        (ExitReason("error", cause=WordlessError()), "error WordlessError: (its __str__ raises)"),
    ],
)
def test_a_reason_reads_well_in_a_log(reason: ExitReason, words: str):
    """O6: kind, detail, cause."""
    assert str(reason) == words
