"""Wrong acknowledgements are noticed: PROTOCOL 7.2, "acknowledge each exactly once"."""

from __future__ import annotations

import pytest

from relay_actors.simulator.acks import ACKNOWLEDGED_WITHIN_S, SEEN_BOUND, AckBook, Acks, WrongAck
from tests.actors.world import Witness, World
from tests.simulator.stage import Peer, Stage, tts


def acknowledge(peer: Peer, frame_id: object) -> None:
    peer.send({"jsonrpc": "2.0", "id": frame_id, "result": {}})


def last_event(peer: Peer) -> str:
    return [frame["id"] for frame in peer.frames if frame.get("method") == "signalwire.event"][-1]


def test_one_acknowledgement_for_each_event_is_right(stage: Stage, peer: Peer):
    stage.inbound(peer)
    stage.sim.ping_every(1.0)
    stage.run(1.0)
    acknowledge(peer, peer.frames[-1]["id"])
    peer.acknowledge()
    stage.run(60.0)

    assert stage.sim.wrong_acks == ()


def test_one_for_a_frame_that_was_never_sent_is_wrong(stage: Stage, peer: Peer):
    acknowledge(peer, "made-up")
    acknowledge(peer, 17)

    assert stage.sim.wrong_acks == (WrongAck("never sent", "made-up"), WrongAck("never sent", "17"))


def test_a_second_one_is_wrong(stage: Stage, peer: Peer):
    stage.inbound(peer, answered=False)
    acknowledge(peer, last_event(peer))
    acknowledge(peer, last_event(peer))

    assert stage.sim.wrong_acks == (WrongAck("twice", last_event(peer), "calling.call.receive"),)


def test_an_event_that_is_sent_twice_is_acknowledged_twice(stage: Stage, peer: Peer):
    """Source: PROTOCOL 7.2: also those that will be dropped."""
    stage.sim.duplicate_next("calling.call.receive")
    stage.inbound(peer, answered=False)
    for _ in range(3):
        acknowledge(peer, last_event(peer))

    assert [wrong.problem for wrong in stage.sim.wrong_acks] == ["twice"]


def test_one_on_another_connection_than_the_event_came_on_is_wrong(stage: Stage, peer: Peer):
    stage.inbound(peer, answered=False)
    peer.gone()
    other = stage.client()
    acknowledge(other, last_event(peer))

    assert [wrong.problem for wrong in stage.sim.wrong_acks] == ["elsewhere"]


def test_an_event_that_is_sent_again_after_a_resume_is_acknowledged_again(stage: Stage, peer: Peer):
    stage.inbound(peer, answered=False)
    acknowledge(peer, last_event(peer))
    stage.inbound(peer, answered=False)
    peer.gone()
    back = Peer(stage.sim)
    back.log_in(protocol=stage.sim.sessions[0])
    back.acknowledge()

    assert stage.sim.wrong_acks == ()


def test_an_event_that_is_never_acknowledged_is_missed_and_no_longer_when_it_is(stage: Stage, peer: Peer):
    stage.inbound(peer, answered=False)
    stage.run(ACKNOWLEDGED_WITHIN_S - 0.1)
    assert stage.sim.wrong_acks == ()
    stage.run(0.1)
    assert stage.sim.wrong_acks == (WrongAck("never", last_event(peer), "calling.call.receive"),)
    peer.acknowledge()
    assert stage.sim.wrong_acks == ()


def test_an_event_that_was_missed_stays_missed_when_its_connection_ends(stage: Stage, peer: Peer):
    stage.inbound(peer, answered=False)
    stage.run(ACKNOWLEDGED_WITHIN_S)
    peer.gone()

    assert [wrong.problem for wrong in stage.sim.wrong_acks] == ["never"]
    stage.sim.reset()
    assert stage.sim.wrong_acks == ()


@pytest.mark.parametrize("fault", ["half_open", "stall", "slow seconds=20"])
def test_nothing_is_missed_while_it_cannot_cross(stage: Stage, peer: Peer, fault: str):
    stage.sim.inject(fault)
    stage.inbound(peer, answered=False) if fault == "stall" else stage.sim.phone("+15550001111").dials(
        context="support"
    )
    stage.run(ACKNOWLEDGED_WITHIN_S * 1.5)
    assert stage.sim.wrong_acks == ()
    stage.sim.recover()
    stage.run(ACKNOWLEDGED_WITHIN_S)
    peer.acknowledge()
    stage.run(30)

    assert stage.sim.wrong_acks == ()


def test_of_a_client_that_has_promised_none_nothing_is_missed(stage: Stage):
    peer = stage.client("support", event_acks=False)
    stage.inbound(peer)
    stage.run(60.0)
    acknowledge(peer, last_event(peer))

    assert stage.sim.wrong_acks == ()


def test_a_frame_that_a_test_pushes_may_be_acknowledged_too(stage: Stage, peer: Peer):
    stage.sim.push({"jsonrpc": "2.0", "id": 5, "method": "signalwire.event", "params": {"event_type": "x"}})
    acknowledge(peer, 5)
    assert stage.sim.wrong_acks == ()
    acknowledge(peer, 5)
    assert stage.sim.wrong_acks == (WrongAck("twice", "5", "x"),)


def test_the_book_forgets_the_oldest_frames():
    """A simulator may run for days."""
    book = AckBook()
    acks = Acks(book)
    for number in range(SEEN_BOUND + 1):
        acks.expect(f"f{number}", "x", now=0.0)
        acks.came(f"f{number}")
    acks.came("f0")
    acks.came("f1")

    assert [wrong.problem for wrong in book.wrong] == ["never sent", "twice"]


@pytest.mark.parametrize("seed", range(5))
def test_our_own_client_acknowledges_rightly_through_the_loss_of_its_socket(seed: int):
    """Once each, on the connection that the event came on. Source: PROTOCOL 7.2."""
    with World(seed) as world:
        line, handle = world.answered(Witness)
        world.sim.inject("duplicate")
        world.sim.inject("cut event_type=calling.call.play")
        world.sim.inject("cut event_type=calling.call.play answer=yes skip=1")
        handle.play([tts("Hello")])
        world.run(30.0)
        handle.play([tts("Hello again")])
        world.run(30.0)

        assert world.count("connection.lost") == 2
        assert world.sim.wrong_acks == ()
        assert not line.is_over
