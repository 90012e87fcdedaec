"""The runtime's errors that are pykka's errors as well. Layer: pillar."""

from __future__ import annotations

import pykka

from relay_actors.errors import ActorDead

__all__ = ["ActorIsDead"]


class ActorIsDead(ActorDead, pykka.ActorDeadError):
    """The actor is gone: an `ActorDead` for our users, a ``pykka.ActorDeadError`` for pykka's."""
