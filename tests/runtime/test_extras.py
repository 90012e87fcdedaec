"""What few actors use costs the others nothing, and is handled where messages are."""

from typing import Any

from relay_actors.runtime.extras import STASHED, Extras
from relay_actors.runtime.mailbox import Envelope
from tests.runtime.worlds import Recorder, World


class Handler:
    """An actor as `Extras` knows it; says by which door a message came."""

    def receive(self, message: object) -> Any:
        return "new", message

    def receive_again(self, message: object) -> Any:
        return "again", message


def test_an_actor_that_uses_none_has_none(world: World):
    """An idle actor must not grow by what it does not use."""
    ref = world.start(Recorder)
    ref.ask(lambda actor: actor.start_timer("t", "tick", 1.0), timeout=0)
    assert ref._cell._extras is None


def test_a_message_that_was_put_aside_comes_by_another_door():
    """P2: a framework on top has done its own part the first time."""
    extras: Any = Extras()
    handler: Any = Handler()
    first = Envelope(1)
    assert extras.receive(handler, first) == ("new", 1)
    extras.stash.put(first, None, 1)
    extras.stash.release()
    ready = extras.take_ready()
    assert extras.receive(handler, ready) == ("again", 1)
    assert extras.take_ready() is None


def test_a_message_within_a_message_is_the_one_in_hand():
    """P1: one event may bring several; each is put aside by itself."""
    extras: Any = Extras()

    class Nested(Handler):
        def receive(self, message: object) -> Any:
            extras.hand(Envelope("inner"), put_aside)
            return extras.in_hand.envelope.message

    def put_aside(_message: object) -> None:
        extras.in_hand.is_stashed = True

    nested: Any = Nested()
    assert extras.receive(nested, Envelope("outer")) == "outer"
    assert extras.in_hand is None
    nested.receive = put_aside
    assert extras.receive(nested, Envelope("outer")) is STASHED
