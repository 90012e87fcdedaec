"""What becomes of a child that has ended or failed, and of its siblings: a pure table. Layer: pillar.

The machinery in `children` asks `decide`; nothing here knows an actor. Source: SEMANTICS S3, S4, S7, S14, V9; OTP
``supervisor``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from typing import Final, get_args

from relay_actors.runtime.reasons import ExitKind
from relay_actors.runtime.restart_policy import RESTARTED_AFTER, Restart

__all__ = ["VERDICTS", "AutoShutdown", "Phase", "Strategy", "Verdict", "decide", "shuts_down"]


class Strategy(StrEnum):
    """Who is restarted together with a child. Source: SEMANTICS S4."""

    ONE_FOR_ONE = "one_for_one"
    """Nobody."""
    REST_FOR_ONE = "rest_for_one"
    """Those that were started after it."""
    ONE_FOR_ALL = "one_for_all"
    """All others."""


class AutoShutdown(StrEnum):
    """Whether a supervisor ends when its significant children have done their work. Source: SEMANTICS S14."""

    NEVER = "never"
    """It does not, and may not have significant children."""
    ANY_SIGNIFICANT = "any_significant"
    """With the first of them that ends by itself."""
    ALL_SIGNIFICANT = "all_significant"
    """With the last of them that ends by itself."""


class Phase(StrEnum):
    """What is going on with a child when it ends or fails."""

    STARTING = "starting"
    """Its supervisor waits for its first start (S2)."""
    RUNNING = "running"
    RESTARTING = "restarting"
    """A restart of it is due, or under way and not yet complete (S7)."""
    REGROUPING = "regrouping"
    """It was asked to leave because a sibling is restarted (S4)."""
    TERMINATING = "terminating"
    """It was asked to end for good, alone."""
    STOPPING = "stopping"
    """All children are being stopped, because their supervisor stops or is restarted."""


class Verdict(StrEnum):
    """What is done about it."""

    RESTART = "restart it"
    RESTART_REST = "restart it and those after it"
    RESTART_ALL = "restart all"
    AGAIN = "start it again in its turn"
    """With its group, whose restart is counted already (S5)."""
    KEEP = "let it be stopped"
    """It can be started again by hand (S17)."""
    REMOVE = "forget it"
    FAIL_START = "the start has failed"
    """Whoever waits for the start is told, and nothing is tried again (S2)."""


_RESTARTS: Final[Mapping[Strategy, Verdict]] = {
    Strategy.ONE_FOR_ONE: Verdict.RESTART,
    Strategy.REST_FOR_ONE: Verdict.RESTART_REST,
    Strategy.ONE_FOR_ALL: Verdict.RESTART_ALL,
}
_OTHERWISE: Final[Mapping[Restart, Verdict]] = {
    Restart.PERMANENT: Verdict.KEEP,
    Restart.TRANSIENT: Verdict.KEEP,
    Restart.TEMPORARY: Verdict.REMOVE,
}


def _verdict(strategy: Strategy, restart: Restart, kind: ExitKind, phase: Phase) -> Verdict:
    match phase:
        case Phase.STARTING:
            return Verdict.FAIL_START
        case Phase.RUNNING | Phase.RESTARTING:
            return _RESTARTS[strategy] if kind in RESTARTED_AFTER[restart] else _OTHERWISE[restart]
        case Phase.REGROUPING:
            return Verdict.REMOVE if restart is Restart.TEMPORARY else Verdict.AGAIN
        case Phase.TERMINATING:
            return _OTHERWISE[restart]
        case Phase.STOPPING:
            return Verdict.REMOVE


VERDICTS: Final[Mapping[tuple[Strategy, Restart, ExitKind, Phase], Verdict]] = {
    cell: _verdict(*cell) for cell in product(Strategy, Restart, get_args(ExitKind), Phase)
}
"""The table: from strategy, restart type, kind of exit and phase to what is done."""


def decide(strategy: Strategy, restart: Restart, kind: ExitKind, phase: Phase) -> Verdict:
    """Return what becomes of a child.

    How often this may happen is another question, which `restart_policy.RestartWindow` answers.

    Args:
        strategy: its supervisor's.
        restart: the child's restart type.
        kind: how it has ended.
        phase: what was going on.
    """
    return VERDICTS[strategy, restart, kind, phase]


def shuts_down(auto_shutdown: AutoShutdown, *, is_significant: bool, ended_by_itself: bool, others_left: int) -> bool:
    """Return whether a supervisor ends because a child has, which is not restarted.

    Args:
        auto_shutdown: the supervisor's.
        is_significant: whether the child is.
        ended_by_itself: rather than because it was asked to, alone or with its group.
        others_left: how many other significant children there still are.

    Source: SEMANTICS S14; OTP ``auto_shutdown``.
    """
    if not is_significant or not ended_by_itself:
        return False
    match auto_shutdown:
        case AutoShutdown.NEVER:
            return False
        case AutoShutdown.ANY_SIGNIFICANT:
            return True
        case AutoShutdown.ALL_SIGNIFICANT:
            return others_left == 0
