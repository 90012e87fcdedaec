"""A word of a test that is misspelt: who does not know it, tells which one was probably meant. Layer: simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay_actors.protocol.near_miss import fuller_name, near_miss

__all__ = ["NearWords"]


class NearWords:
    """Something whose words are called by tests."""

    if not TYPE_CHECKING:  # to a type checker every word would be there

        def __getattr__(self, name: str) -> object:
            __tracebackhide__ = True  # a report then ends at the line of the test
            complaint = f"{type(self).__name__!r} object has no attribute {name!r}"
            if not name.startswith("_"):
                known = [word for word in dir(type(self)) if not word.startswith("_")]
                meant = near_miss(name, known) or fuller_name(name, known)
                if meant is not None:
                    complaint += f"; it probably means {meant!r}"
            raise AttributeError(complaint, name=name, obj=self)
