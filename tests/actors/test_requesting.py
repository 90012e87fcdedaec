"""What an application asks of the server beside its calls and texts."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.errors import CommandRejectedError, ConfigError
from tests.actors.world import CONTEXT, Witness, World


def test_any_request_is_sent_and_gives_the_servers_answer(world: World):
    """Also a refusal."""
    line, handle = world.answered(Witness)
    world.sim.reject_next("calling.play")
    answer = world.app.execute("calling.play", {**handle.leg.ids, "control_id": "mine", "play": []})
    with pytest.raises(CommandRejectedError, match=r"refused calling\.play"):
        answer.get(timeout=5)
    assert world.app.execute("calling.end", {**handle.leg.ids, "reason": "busy"}).get(timeout=5)["code"] == "200"
    assert line.is_hung_up().end_reason == "busy"


def test_contexts_are_asked_for_and_given_back(world: World):
    """Calls of others keep coming."""
    world.takes_calls(Witness)
    world.app.receive(["sales"]).get(timeout=5)
    world.app.unreceive(["sales"]).get(timeout=5)
    assert [params["contexts"] for params in world.sent("signalwire.receive")] == [["sales"]]
    assert [params["contexts"] for params in world.sent("signalwire.unreceive")] == [["sales"]]
    assert world.tree.wire.protocol.contexts == (CONTEXT,)


@pytest.mark.parametrize("arguments", [("", {}), (7, {}), ("calling.play", [])])
def test_what_is_no_request_is_refused(world: World, arguments: tuple[Any, Any]):
    """Before anything is sent."""
    world.start()
    with pytest.raises(ConfigError, match="give a method's name and a dictionary of params"):
        world.app.execute(*arguments)


def test_the_session_has_a_name(world: World):
    """And it is asked for while it runs."""
    with pytest.raises(ConfigError, match="not running"):
        _ = world.app.relay_protocol
    world.start()
    assert world.app.relay_protocol == world.tree.wire.protocol.relay_protocol != ""
