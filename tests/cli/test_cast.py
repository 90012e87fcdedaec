"""Who calls: everything from one seed, and as many of each kind as the table says."""

from collections import Counter

import pytest

from relay_actors.cli.cast import AT_THE_CUT, CAST, DESK, make_cast


def test_the_same_seed_gives_the_same_callers():
    """Who calls, when, from which number, and what they choose on the way."""
    assert make_cast(7) == make_cast(7)


def test_another_seed_gives_other_callers():
    assert {caller.number for caller in make_cast(7)} != {caller.number for caller in make_cast(8)}
    assert [caller.part for caller in make_cast(7)] != [caller.part for caller in make_cast(8)]


@pytest.mark.parametrize("seed", range(20))
def test_every_seed_has_as_many_callers_of_each_kind_as_the_table_says(seed: int):
    """Otherwise the figures could not be expected."""
    cast = make_cast(seed)

    assert Counter(caller.part for caller in cast) == Counter({part: role.actors for part, role in CAST.items()})
    assert sum(CAST[caller.part].calls for caller in cast) == 24
    assert len({caller.number for caller in cast}) == len({caller.name for caller in cast}) == len(cast)
    assert DESK not in {caller.number for caller in cast}
    assert [caller.arrives_at_s for caller in cast] == sorted(caller.arrives_at_s for caller in cast)


def test_the_cast_shows_what_the_demo_is_for():
    """At least twenty callers; one crashes and goes on, one for good; some are on the line when it is cut."""
    roles = [role for role in CAST.values() for _ in range(role.actors)]

    assert sum(role.calls for role in roles) >= 20
    assert any(role.restarts and not role.is_given_up for role in roles)
    assert sum(role.is_given_up for role in roles) == 1
    assert sum(role.recordings for role in roles) >= 1
    assert sum(role.talks for role in roles) >= 1
    assert sum(role.texts for role in roles) >= 1
    assert all(CAST[part].actors == 1 for part in AT_THE_CUT), "each of them gives one cue"
