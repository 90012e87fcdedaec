"""Ids get short names, the same one wherever they occur."""

from __future__ import annotations

from relay_actors.testing.naming import chosen_here, named
from relay_actors.testing.said import ANSWER, COMMAND, EVENT, Said

CALL, PEER, CONTROL = "28ce6f24-1064-4d51", "633a50ee-e0f9-4038", "8e7bfc10-fe08-458c"

SAID = [
    Said(0, EVENT, "calling.call.receive", {"segment_id": CALL, "call_id": CALL, "node_id": "n@east"}),
    Said(0, COMMAND, "calling.record", {"call_id": CALL, "control_id": CONTROL}, 1),
    Said(0, ANSWER, "", {"control_id": CONTROL}, 1),
    Said(0, COMMAND, "calling.dial", {"tag": "t", "say": "t", "agent_id": "a-constant"}, 2),
    Said(1, EVENT, "calling.call.connect", {"call_id": CALL, "peer": {"call_id": PEER}, "url": f"https://x/{CONTROL}"}),
    Said(1, EVENT, "calling.call.dial", {"tag": "t", "project_id": "p"}, outer={"context": CALL}),
]


def test_ids_are_numbered_by_kind_in_the_order_of_their_appearance():
    """Also within a longer text, and in the envelope; what only looks like an id of this call stays."""
    bodies = [one.body for one in named(SAID)]
    assert bodies[0] == {"segment_id": "call-1", "call_id": "call-1", "node_id": "node-1"}
    assert bodies[1] == {"call_id": "call-1", "control_id": "control-1"}
    assert bodies[3] == {"tag": "tag-1", "say": "t", "agent_id": "a-constant"}
    assert bodies[4] == {"call_id": "call-1", "peer": {"call_id": "call-2"}, "url": "https://x/control-1"}
    assert bodies[5] == {"tag": "tag-1", "project_id": "p"}
    assert named(SAID)[5].outer == {"context": "call-1"}


def test_named_twice_is_named_once():
    """A recording that is read and written again is the same."""
    assert named(named(SAID)) == named(SAID)


def test_what_a_command_names_first_was_chosen_by_the_application():
    """Another run of it chooses others; what the server has chosen stays."""
    assert chosen_here(named(SAID)) == {"control-1", "tag-1"}
    assert chosen_here(SAID[:1]) == set()
