"""What an actor can do with others: watch them."""

import pykka
import pytest

from relay_actors.errors import ActorError
from tests.runtime.worlds import Recorder, World


def test_only_our_own_refs_can_be_watched(world: World):
    """A stock pykka actor cannot tell of its end."""

    class Stock(pykka.ThreadingActor):
        pass

    stranger = Stock.start()
    try:
        with pytest.raises(ActorError, match="not an actor of this framework"):
            world.start(Recorder).ask(lambda actor: actor.watch(stranger), timeout=0)
    finally:
        stranger.stop()
