"""What is set aside is not looked at, and freed none the less."""

from __future__ import annotations

import contextlib
import gc
import weakref

import pytest

from relay_actors.runtime.garbage import not_looked_for, old_ones_set_aside


class Thing:
    """Something that can be looked at from afar."""


def circle() -> weakref.ref[Thing]:
    """Return what sees a circle that nobody refers to."""
    one = Thing()
    one.itself = one  # type: ignore[attr-defined]  # that is what makes it one
    return weakref.ref(one)


def is_looked_at(thing: object) -> bool:
    return any(one is thing for one in gc.get_objects())


def test_what_is_there_is_set_aside_and_freed_when_nobody_refers_to_it():
    thing = Thing()
    seen, dead = weakref.ref(thing), circle()
    with old_ones_set_aside():
        assert dead() is None
        assert not is_looked_at(thing)
        del thing
        assert seen() is None


def test_what_has_stayed_is_set_aside_each_time_it_was_looked_at():
    with old_ones_set_aside():
        thing, dead = Thing(), circle()
        assert is_looked_at(thing)
        gc.collect(1)
        assert is_looked_at(thing)
        gc.collect()
        assert not is_looked_at(thing)
        assert dead() is None


def test_a_circle_that_was_set_aside_alive_is_found_when_all_are_looked_at():
    """After some looks, so that what is dead and set aside does not become more and more."""
    with old_ones_set_aside():
        one = Thing()
        one.itself = one  # type: ignore[attr-defined]
        gc.collect()
        seen = weakref.ref(one)
        del one
        gc.collect()
        assert seen() is not None
        for _ in range(16):
            gc.collect()
        assert seen() is None
        thing = Thing()
        gc.collect()
        assert not is_looked_at(thing)  # and so on, from the beginning


def test_afterwards_the_collector_looks_at_all_as_before():
    """Also when it fails."""
    before, thing = list(gc.callbacks), Thing()
    with contextlib.suppress(KeyError), old_ones_set_aside():
        assert not is_looked_at(thing)
        raise KeyError
    assert is_looked_at(thing)
    assert gc.callbacks == before


@pytest.mark.parametrize(("chosen", "meanwhile"), [(700, 2000), (5000, 5000), (0, 0)])
def test_what_is_young_is_looked_at_less_often_unless_the_program_has_chosen_that(chosen: int, meanwhile: int):
    """And afterwards as before; 0 is never."""
    before = gc.get_threshold()
    gc.set_threshold(chosen, 9, 8)
    try:
        with contextlib.suppress(KeyError), old_ones_set_aside():
            assert gc.get_threshold() == (meanwhile, 9, 8)
            raise KeyError
        assert gc.get_threshold() == (chosen, 9, 8)
    finally:
        gc.set_threshold(*before)


@pytest.mark.parametrize("was_enabled", [True, False])
def test_garbage_is_not_looked_for_meanwhile_and_then_as_before(was_enabled: bool):
    """Also when it fails: a process whose collector stays off grows without end."""
    (gc.enable if was_enabled else gc.disable)()
    try:
        with contextlib.suppress(KeyError), not_looked_for():
            assert not gc.isenabled()
            raise KeyError
        assert gc.isenabled() == was_enabled
    finally:
        gc.enable()


def test_many_that_were_made_meanwhile_count_as_old_afterwards():
    """The next look for young ones would be at a million things otherwise, and hold up everybody."""
    gc.unfreeze()  # what a test before has set aside
    with not_looked_for():
        made = [Thing() for _ in range(100_000)]
    assert any(one is made[0] for one in gc.get_objects(generation=2))
    assert gc.get_freeze_count() == 0


def test_what_the_program_has_set_aside_itself_stays_so():
    thing = Thing()
    gc.freeze()
    try:
        with not_looked_for():
            made = [Thing() for _ in range(100_000)]
        assert not is_looked_at(thing)
        assert is_looked_at(made[-1])
    finally:
        gc.unfreeze()


def test_a_few_things_that_were_made_meanwhile_do_not_have_all_that_is_set_aside_counted(
    monkeypatch: pytest.MonkeyPatch,
):
    """To count a million things takes a tenth of a second: as long as a hundred starts of an application."""

    def counts() -> int:
        raise AssertionError("all that is set aside is counted")

    monkeypatch.setattr(gc, "get_freeze_count", counts)
    gc.collect(0)
    with not_looked_for():
        made = [Thing() for _ in range(1_000)]
    assert gc.isenabled()
    assert made
