"""Thousands of runs of an application, each from one seed, with people and mishaps drawn by lot. Layer: door.

``relay-actors chaos`` is made of it; tests may use it, too::

    assert play(draw(seed, cast_of(app)), app).broken == ()

Source: SEMANTICS V3 to V6.
"""

from relay_actors.testing.chaos.cast import cast_of
from relay_actors.testing.chaos.plan import (
    KILL,
    Caller,
    Cast,
    Desk,
    Doing,
    Mishap,
    Plan,
    Texter,
    draw,
    from_json,
    to_json,
)
from relay_actors.testing.chaos.run import Judge, Run, play
from relay_actors.testing.chaos.shrink import shrink
from relay_actors.testing.chaos.watch import INVARIANTS, Broken

__all__ = [
    "INVARIANTS",
    "KILL",
    "Broken",
    "Caller",
    "Cast",
    "Desk",
    "Doing",
    "Judge",
    "Mishap",
    "Plan",
    "Run",
    "Texter",
    "cast_of",
    "draw",
    "from_json",
    "play",
    "shrink",
    "to_json",
]
