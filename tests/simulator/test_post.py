"""How events leave: their envelope, their order, and what faults do to it. Source: PROTOCOL 7.1, 2.7, 19.3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.stage import Peer, Stage, tts


def test_the_envelope_tells_session_time_project_and_context(stage: Stage, peer: Peer):
    stage.run(1.5)
    stage.inbound(peer)

    offer, state = peer.envelopes("calling.call.receive")[0], peer.envelopes("calling.call.state")[0]
    assert offer["event_channel"] == stage.sim.sessions[0]
    assert offer["timestamp"] == stage.clock.wall()
    assert offer["project_id"] == "project-1"
    assert offer["context"] == "support"
    assert "context" not in state
    assert "timestamp" not in offer["params"], "it is outside the inner params"


def test_a_doubled_event_comes_twice_under_one_id(stage: Stage, peer: Peer):
    stage.sim.duplicate_next("calling.call.state")
    call = stage.inbound(peer)
    call.do("calling.end")

    frames = [f for f in peer.frames if f.get("params", {}).get("event_type") == "calling.call.state"]
    assert [frame["params"]["params"]["call_state"] for frame in frames] == ["answered", "answered", "ending", "ended"]
    assert frames[0]["id"] == frames[1]["id"]


def test_a_delayed_event_is_overtaken_by_later_ones(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    stage.sim.delay_next("calling.call.play", 3.0)
    call.do("calling.play", control_id="c1", play=[tts("x")])
    stage.run(2.9)
    assert peer.states("calling.call.play") == ["finished"]
    stage.run(0.2)

    assert peer.states("calling.call.play") == ["finished", "playing"]


def test_an_event_that_is_delayed_over_the_loss_of_a_socket_waits_for_the_next_one(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    stage.sim.delay_next("calling.call.play", 1.0)
    call.do("calling.play", control_id="c1", play=[tts("x" * 300)])
    name = stage.sim.sessions[0]
    peer.gone()
    stage.run(2)
    back = Peer(stage.sim)
    back.log_in(protocol=name)

    assert back.states("calling.call.play") == ["playing"]


def test_what_a_command_inside_a_command_causes_comes_after_the_response(stage: Stage, peer: Peer):
    """A transfer offers a call to the same client: the offer must not overtake the response."""
    peer.do("signalwire.receive", contexts=["sales"])
    call = stage.inbound(peer)
    call.do("calling.transfer", dest="sales")

    assert peer.story()[-2:] == ["result", "call.receive created"]


# Order.


def send(stage: Stage, name: str, **params: Any) -> None:
    with stage.sim.turn():
        stage.sim._post.send(stage.sim._sessions.all()[0], f"test.{name}", params)


def told(peer: Peer) -> list[str]:
    return [event["event_type"].removeprefix("test.") for event in peer.envelopes()]


@pytest.mark.parametrize(
    "other",
    [
        {"call_id": "c2"},
        {"call_id": "c1", "control_id": "p2"},
        {"message_id": "m1"},
        {"call": {"call_id": "c2"}, "tag": "t2"},
        {},
    ],
)
def test_events_of_different_calls_or_operations_change_places(stage: Stage, peer: Peer, other: dict[str, Any]):
    """Source: PROTOCOL 2.7."""
    stage.sim.reorder_next("test.first")
    send(stage, "first", call_id="c1", control_id="p1")
    send(stage, "second", **other)
    send(stage, "third", call_id="c1")

    assert told(peer) == ["second", "first", "third"]


@pytest.mark.parametrize(
    "other",
    [
        {"call_id": "c1"},
        {"call_id": "c1", "control_id": "p1"},
        {"call_id": "c2", "peer": {"call_id": "c1"}},
        {"call": [], "tag": "t1"},
    ],
)
def test_events_that_belong_together_do_not(stage: Stage, peer: Peer, other: dict[str, Any]):
    stage.sim.reorder_next("test.first", within=2.0)
    send(stage, "first", call_id="c1", control_id="p1", tag="t1")
    send(stage, "second", **other)
    stage.run(1.9)
    assert told(peer) == []
    stage.run(0.2)

    assert told(peer) == ["first", "second"]


def test_an_event_to_another_client_overtakes_nothing(stage: Stage, peer: Peer):
    stage.client()
    stage.sim.reorder_next("test.first")
    send(stage, "first", call_id="c1")
    with stage.sim.turn():
        stage.sim._post.send(stage.sim._sessions.all()[1], "test.second", {})
    assert told(peer) == []
    stage.run(1.1)
    assert told(peer) == ["first"]


def test_recovery_lets_go_what_is_held_back(stage: Stage, peer: Peer):
    stage.sim.delay_next("test.first", 1000.0, keeps_order=True)
    send(stage, "first", call_id="c1")
    send(stage, "second", call_id="c1")
    stage.sim.recover()
    assert told(peer) == ["first", "second"]
    stage.run(1001.0)
    assert told(peer) == ["first", "second"]


ABOUT = st.fixed_dictionaries(
    {"call_id": st.sampled_from(["c1", "c2"])},
    optional={"control_id": st.sampled_from(["p1", "p2"]), "peer": st.just({"call_id": "c1"})},
)


@given(
    st.lists(st.tuples(ABOUT, st.floats(0, 1)), max_size=12),
    st.lists(st.tuples(st.booleans(), st.floats(0, 3)), max_size=4),
)
def test_whatever_is_held_back_every_event_comes_once_and_none_before_one_it_has_to_follow(
    events: list[tuple[dict[str, Any], float]], faults: list[tuple[bool, float]]
):
    """Proves SEMANTICS V4: reordered within the allowed rules."""
    stage = Stage()
    peer = stage.client()
    for is_reordered, seconds in faults:
        if is_reordered:
            stage.sim.reorder_next(within=seconds)
        else:
            stage.sim.delay_next("*", seconds, keeps_order=True)
    for place, (params, pause) in enumerate(events):
        send(stage, str(place), **params)
        stage.run(pause)
    stage.run(60.0)

    order = [int(name) for name in told(peer)]
    assert sorted(order) == list(range(len(events)))
    for at, later in enumerate(order):
        for earlier in order[at + 1 :]:
            assert earlier > later or may_change_places(events[earlier][0], events[later][0])


def may_change_places(one: dict[str, Any], other: dict[str, Any]) -> bool:
    calls = [{about["call_id"], *about.get("peer", {}).values()} for about in (one, other)]
    operations = {about.get("control_id") for about in (one, other)}
    return not calls[0] & calls[1] or (len(operations) == 2 and None not in operations)


# Damage.


def test_the_next_event_that_has_the_field_is_damaged_and_only_it(stage: Stage, peer: Peer):
    stage.sim.damage_next(field="control_id")
    send(stage, "first", call_id="c1")
    send(stage, "second", call_id="c1", control_id="p1")
    send(stage, "third", call_id="c1", control_id="p1")

    assert [event["params"].get("control_id") for event in peer.envelopes()] == [None, None, "p1"]


def test_a_damaged_copy_goes_before_the_event_in_a_frame_of_its_own(stage: Stage, peer: Peer):
    stage.sim.damage_next("test.first", field="call_id", becomes="list", copy=True)
    send(stage, "first", call_id="c1")

    assert [event["params"]["call_id"] for event in peer.envelopes()] == [[17], "c1"]
    copy, event = (frame["id"] for frame in peer.frames[-2:])
    assert copy != event
    peer.acknowledge()
    assert stage.sim.wrong_acks == ()


def test_a_damaged_event_is_sent_again_as_it_was(stage: Stage, peer: Peer):
    stage.sim.damage_next(field="call_id")
    send(stage, "first", call_id="c1")
    peer.gone()
    back = Peer(stage.sim)
    back.log_in(protocol=stage.sim.sessions[0])
    assert [event["params"] for event in back.envelopes()] == [{}]


def test_an_event_may_be_left_out_repeated_or_have_news(stage: Stage, peer: Peer):
    """For races: a state that is skipped, the same told in two frames, and fields of a later server."""
    stage.sim.leave_out_next("calling.call.state")
    call = stage.inbound(peer)
    stage.sim.repeat_next("calling.call.play", state="error")
    stage.sim.add_fields_next("calling.call.state")
    call.do("calling.play", control_id="c1", play=[tts("x")])
    call.do("calling.end")

    assert [event["call_state"] for event in peer.events("calling.call.state")] == ["ending", "ended"]
    assert peer.states("calling.call.play")[:2] == ["playing", "error"]
    frames = [f for f in peer.frames if f.get("params", {}).get("event_type") == "calling.call.play"]
    assert frames[0]["id"] != frames[1]["id"]
    ending, ended = peer.envelopes("calling.call.state")
    assert ending["x_since"] == ending["params"]["x_since"] == 2030
    assert "x_since" not in {**ended, **ended["params"]}


def test_whoever_observes_events_may_let_a_fault_befall_the_one_at_hand(stage: Stage, peer: Peer):
    seen: list[str] = []

    def observe(event_type: str, params: Mapping[str, object]) -> None:
        seen.append(f"{event_type} {params.get('call_state', '')}")
        if params.get("call_state") == "ended":
            stage.sim.inject("duplicate", event_type="calling.call.state")

    stage.sim.observe_events(observe)
    stage.inbound(peer).do("calling.end")

    assert seen[-2:] == ["calling.call.state ending", "calling.call.state ended"]
    states = [event["call_state"] for event in peer.events("calling.call.state")]
    assert states == ["answered", "ending", "ended", "ended"]
