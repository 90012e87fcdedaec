"""What is set aside is not looked at, and freed none the less."""

from __future__ import annotations

import contextlib
import gc
import weakref

import pytest

from relay_actors.runtime.garbage import not_looked_for, set_aside_what_is_there


class Thing:
    """Something that can be looked at from afar."""


def test_what_is_there_is_set_aside_and_freed_when_nobody_refers_to_it():
    thing = Thing()
    circle = Thing()
    circle.itself = circle  # type: ignore[attr-defined]  # that is what makes it one
    seen, dead = weakref.ref(thing), weakref.ref(circle)
    del circle
    before = gc.get_freeze_count()
    try:
        set_aside_what_is_there()
        assert dead() is None
        assert gc.get_freeze_count() > before
        assert not any(one is thing for one in gc.get_objects())
        del thing
        assert seen() is None
    finally:
        gc.unfreeze()


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


def test_what_was_made_meanwhile_counts_as_old_afterwards():
    """The next look for young ones would be at a million things otherwise, and hold up everybody."""
    gc.unfreeze()  # what a test before has set aside
    with not_looked_for():
        made = [Thing() for _ in range(1_000)]
    assert any(one is made[0] for one in gc.get_objects(generation=2))
    assert gc.get_freeze_count() == 0
