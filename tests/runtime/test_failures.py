"""Errors that belong to two families."""

import pykka
import pytest

from relay_actors.errors import ActorDead, RelayActorsError
from relay_actors.runtime.failures import ActorIsDead


@pytest.mark.parametrize("family", [ActorDead, RelayActorsError, pykka.ActorDeadError])
def test_a_dead_actor_is_told_in_everybodys_terms(family: type[BaseException]):
    """M7: code that knows only pykka catches it, and so does code that knows only us."""
    with pytest.raises(family):
        raise ActorIsDead("gone")
