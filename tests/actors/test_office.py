"""What all telephony actors of an application share."""

from __future__ import annotations

from relay_actors import CallActor
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.routing import DialOver
from relay_actors.errors import NotSentError, RelayActorsError
from relay_actors.journal.memory import MemoryStore
from tests.support.plain_server import CALL, NODE
from tests.support.plain_world import PlainWorld


def test_what_is_sent_when_nothing_runs_any_more_is_answered_at_once() -> None:
    """A command that is given in the wrong moment must not wait for ever. SEMANTICS K6."""
    with PlainWorld() as world:
        world.start()
        office = world.app._running().office
        world.app.stop()
        told: list[RelayActorsError | None] = []
        office.send(Outgoing("calling.x", {}, lambda _result, error: told.append(error)))
        assert [type(error) for error in told] == [NotSentError]
        assert "calling.x was not sent" in str(told[0])
        assert office.tell_connection(DialOver("tag")) is False


def test_actors_are_found_by_what_they_own() -> None:
    """SEMANTICS R3."""

    class Call(CallActor):
        def on_receive(self, message: object) -> None:
            """Nothing is to be done."""

    with PlainWorld() as world:
        world.app.calls()(Call)
        world.start()
        office = world.app._running().office
        assert office.find(("call", CALL)) is None
        world.event("calling.call.receive", {"call_id": CALL, "node_id": NODE})
        world.settle()
        ref = office.find(("call", CALL))
        assert ref is not None
        assert ref.actor_class is Call


def test_the_owner_of_a_dial_is_known_before_the_dial_is_sent() -> None:
    """So no event of it can come before that, under any order of turns. SEMANTICS K5."""

    class Call(CallActor):
        def on_receive(self, message: object) -> None:
            """Nothing is to be done."""

    for seed in range(30):
        store = MemoryStore()
        with PlainWorld(seed, journal=store) as world:
            leg = {"call_id": "leg", "node_id": NODE, "call_state": "created", "tag": "t"}

            def ring(frame: dict[str, object], world: PlainWorld = world, leg: dict[str, str] = leg) -> object:
                world.event("calling.call.state", leg)
                return {"code": "200"}

            world.answer = ring
            world.start()
            world.app.dial(Call, [[{"type": "phone", "params": {"to_number": "+1"}}]], tag="t")
            world.settle()
            assert store.subjects() == ["t"]  # a leg of a dial is kept with the dial, if it is known as such
            world.event("calling.call.dial", {"tag": "t", "dial_state": "failed"})
            world.settle()


def test_the_name_of_the_session_is_that_of_now() -> None:
    """It is the context of texts that choose none. PROTOCOL 14.1, 6.1."""
    with PlainWorld() as world:
        world.start()
        office = world.app._running().office
        first = office.relay_protocol
        assert first
        world.vanish()
        world.settle()
        assert office.relay_protocol == first  # it is to be resumed
        world.run(2.0)
        world.say({"jsonrpc": "2.0", "id": "x", "method": "signalwire.disconnect", "params": {"restart": True}})
        world.settle()
        world.is_down = True
        world.vanish()
        world.settle()
        assert office.relay_protocol == ""
        world.is_down = False
        world.login = lambda _frame: {"result": {"protocol": "second"}}
        world.run(2.0)
        assert office.relay_protocol == "second"
