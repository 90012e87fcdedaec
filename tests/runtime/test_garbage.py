"""What is set aside is not looked at, and freed none the less."""

from __future__ import annotations

import gc
import weakref

from relay_actors.runtime.garbage import set_aside_what_is_there


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
