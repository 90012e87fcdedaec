"""What a race makes of a seed and a cast."""

from __future__ import annotations

from random import Random

from relay_actors.testing.chaos.plan import Cast, Mishap
from relay_actors.testing.chaos.races import Race, Trouble, always, answering, on, one_of, one_of_the_first

CAST = Cast(call_contexts=("menu",), text_contexts=("echo",), keys=("1",), words=("hello",), can_die=True)


def race(trouble: Trouble, *, needs_journal: bool = False) -> Race:
    return Race(
        name="made-up",
        what_happens="Something.",
        where_known="here",
        promise="X1",
        needs="nothing",
        trouble=lambda _random, _cast: trouble,
        is_seen=lambda _story: True,
        needs_journal=needs_journal,
    )


def test_the_people_are_of_the_cast_and_nothing_else_goes_wrong():
    """Whoever reads the timeline sees one thing go wrong."""
    made = race(Trouble(mishaps=(on("sent *", "drop"),), manners=("dial_event_first",)))
    for seed in range(20):
        plan = made.plan(seed, CAST)
        assert plan.mishaps == (Mishap(what="drop", on="sent *"),)
        assert plan.manners == ("dial_event_first",)
        assert {one.context for one in plan.callers} == {"menu"}
        assert [one.text for one in plan.texters] == ["hello", "hello"]
        assert len({one.who for one in (*plan.callers, *plan.texters)}) == len(plan.callers) + 2


def test_people_may_be_quiet_and_desks_chosen():
    plan = race(Trouble(mishaps=(), desks=answering(2, stays=5.0), is_quiet=True)).plan(3, CAST)
    assert all(one.does == () for one in plan.callers)
    assert [(desk.answer, desk.stays) for desk in plan.desks] == [("answers", 5.0)] * 2


def test_a_journal_is_kept_where_it_is_needed_and_else_by_lot():
    assert all(race(Trouble(), needs_journal=True).plan(seed, CAST).journal for seed in range(10))
    assert {race(Trouble()).plan(seed, CAST).journal for seed in range(10)} == {True, False}


def test_what_goes_wrong_is_drawn():
    """One of several, or the same at one of several moments."""
    ways = on("sent a", "drop"), on("sent b", "drop", after=1.0)
    assert {one_of(*ways)(Random(seed), CAST).mishaps for seed in range(20)} == {(way,) for way in ways}
    drawn = {one_of_the_first("sent a", "drop", 3)(Random(seed), CAST).mishaps[0].nth for seed in range(50)}
    assert drawn == {1, 2, 3}
    assert always(*ways)(Random(1), CAST) == Trouble(mishaps=ways)
