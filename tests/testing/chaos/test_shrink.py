"""A plan that breaks something becomes as small as it can be and still break it."""

from __future__ import annotations

from relay_actors.testing.chaos.plan import Cast, Plan, draw
from relay_actors.testing.chaos.shrink import shrink

CAST = Cast(call_contexts=("menu",), text_contexts=("menu",), can_die=True)


def broken_by(plan: Plan) -> bool:
    """Whether somebody calls, and the socket goes down, or the process dies."""
    return bool(plan.callers) and any(mishap.what.split()[0] in ("kill", "cut", "drop") for mishap in plan.mishaps)


def test_what_is_left_is_what_it_takes():
    """Proves SEMANTICS V6."""
    plans = [plan for seed in range(300) if broken_by(plan := draw(seed, CAST))]
    assert len(plans) > 50
    for plan in plans:
        smallest = shrink(plan, broken_by)
        assert broken_by(smallest)
        assert (len(smallest.callers), len(smallest.mishaps)) == (1, 1)
        assert (smallest.texters, smallest.desks, smallest.manners, smallest.lots) == ((), (), (), 0)
        assert smallest.callers[0].does == ()


def test_no_more_runs_are_spent_than_may_be():
    """Each one takes time."""
    tried: list[Plan] = []

    def breaks(plan: Plan) -> bool:
        tried.append(plan)
        return False

    plan = draw(3, CAST)
    assert shrink(plan, breaks, most_tries=7) == plan
    assert len(tried) == 7
