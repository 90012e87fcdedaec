"""The table of commands: what is known, what is refused, what is only accepted. Source: PROTOCOL 8 to 14, 19."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.stage import Inbound, Peer, Stage, tts

METHODS = json.loads((Path(__file__).parent.parent / "data" / "methods.json").read_text())["methods"]
NOT_COMMANDS = {
    "signalwire.connect",
    "signalwire.disconnect",
    "signalwire.event",
    "signalwire.execute",
    "signalwire.ping",
}
NOT_SIMULATED = {
    "calling.call",  # an alias without fields that nobody sends
    "calling.play_and_collect.pause",  # not in the wire schema: the real server refuses them too (PROTOCOL D30)
    "calling.play_and_collect.resume",
}
ON_A_CALL = sorted(
    row["method"]
    for row in METHODS
    if row["method"] not in NOT_COMMANDS | NOT_SIMULATED and any(param["name"] == "call_id" for param in row["params"])
)


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def test_the_tables_name_more_than_fifty_commands_on_a_call():
    """The tests below would pass on an empty list."""
    assert len(ON_A_CALL) > 50


@pytest.mark.parametrize("method", ON_A_CALL)
def test_every_command_on_an_unknown_call_is_404(peer: Peer, method: str):
    """Source: PROTOCOL 19.1."""
    response = peer.ask(method, call_id="no-such-call", node_id="no-such-node")
    assert response is not None
    assert response["result"]["code"] == "404"


@pytest.mark.parametrize("method", ON_A_CALL)
def test_every_command_on_an_ended_call_is_404(call: Inbound, method: str):
    call.line.hangs_up()
    assert call.code(method) == "404"


@pytest.mark.parametrize("method", sorted(NOT_SIMULATED))
def test_what_is_not_simulated_says_so(call: Inbound, method: str):
    response = call.ask(method, control_id="c1")
    assert response is not None
    assert response["error"]["code"] == -32601
    assert method in response["error"]["data"]["reason"]


def test_an_unknown_method_is_not_found_unless_all_are_to_be_accepted(stage: Stage, peer: Peer):
    """The vendor's own test server answers 200 (PROTOCOL 19.1)."""
    response = peer.ask("calling.no_such_verb", x=1)
    assert response is not None
    assert response["error"]["code"] == -32601
    stage.sim.manners.accepts_unknown_methods = True

    assert peer.do("calling.no_such_verb", x=1)["code"] == "200"


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("calling.amazon_bedrock", {"prompt": {}}, "AI started"),
        ("calling.live_transcribe", {"action": {"start": {}}}, "Live transcription started"),
        ("calling.live_translate", {"action": {"start": {}}}, "Live translation started"),
        ("calling.user_event", {"event": "order_placed", "order_id": "1"}, "Event sent"),
        ("calling.user_event", {"event": {"type": "order_placed"}}, "Event sent"),
    ],
)
def test_commands_whose_work_shows_elsewhere_are_accepted_without_an_event(
    call: Inbound, method: str, params: dict[str, Any], message: str
):
    before = len(call.peer.envelopes())
    assert call.do(method, **params)["message"] == message
    assert len(call.peer.envelopes()) == before


def test_an_outbound_call_is_not_ours_to_answer(stage: Stage, peer: Peer):
    device = {"type": "phone", "params": {"from_number": "+1", "to_number": "+2"}}
    peer.do("calling.dial", tag="t", devices=[[device]])
    leg = peer.events("calling.call.state")[-1]
    response = peer.ask("calling.answer", call_id=leg["call_id"], node_id=leg["node_id"])
    assert response is not None
    assert response["result"]["code"] == "409"


def test_contexts_can_be_named_in_the_older_way(stage: Stage, peer: Peer):
    """Source: PROTOCOL 4: calling.receive with context or contexts."""
    for method, params in (("calling.receive", {"context": "a"}), ("calling.receive", {"contexts": ["b"]})):
        assert "Receiving" in peer.do(method, **params)["message"]
    for context in "ab":
        stage.sim.phone("+15550001111").dials(context=context)

    assert peer.states("calling.call.receive", "context") == ["a", "b"]


def test_a_token_can_be_renewed(peer: Peer):
    result = peer.do("signalwire.reauthenticate", authentication={"jwt_token": "new"})
    assert result["authorization"]["project"] == "project-1"


def test_a_prompt_pauses_in_no_dialect(call: Inbound):
    call.do("calling.play_and_collect", control_id="c1", play=[tts("x")], collect={"digits": {"max": 1}})
    assert call.code("calling.play_and_collect.resume", control_id="c1") == "-32601"
