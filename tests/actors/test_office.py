"""What all telephony actors of an application share."""

from __future__ import annotations

from relay_actors import CallActor
from relay_actors.actors.connection import ConnectionActor
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


def test_who_owns_what_is_known_before_the_events_of_it_are_read() -> None:
    """Events are read ahead of requests that wait, so claims must not wait behind requests. SEMANTICS K5."""

    class Call(CallActor):
        def on_receive(self, message: object) -> None:
            """Nothing is to be done."""

    store = MemoryStore()
    with PlainWorld(journal=store) as world:
        world.start()
        world.app.dial(Call, [[{"type": "phone", "params": {"to_number": "+1"}}]], tag="t")
        # In the same moment, as when the application's own thread was slow:
        world.event("calling.call.state", {"call_id": "leg", "node_id": NODE, "call_state": "created", "tag": "t"})
        [connection] = [cell for cell in world.system.living if isinstance(cell.actor, ConnectionActor)]
        connection.run_batch([None])
        assert store.subjects() == ["t"]  # a leg of a dial is kept with the dial, if it is known as such


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
        world.vanish()
        world.settle()
        assert office.relay_protocol == ""
        world.login = lambda _frame: {"result": {"protocol": "second"}}
        world.run(2.0)
        assert office.relay_protocol == "second"
