"""Who gets a call. Source: PROTOCOL 4, 8.3, 8.8, 19.1."""

from __future__ import annotations

import pytest

from relay_actors.simulator.lines import StoryError
from tests.simulator.stage import Inbound, Peer, Stage, phone_device, tts


def offers(peer: Peer) -> list[str]:
    return peer.states("calling.call.receive", "call_id")


def test_the_sessions_of_a_context_take_turns(stage: Stage):
    one, other, stranger = stage.client("support"), stage.client("support"), stage.client("sales")
    for _ in range(4):
        stage.sim.phone("+15550001111").dials(context="support")

    assert (len(offers(one)), len(offers(other)), len(offers(stranger))) == (2, 2, 0)


def test_a_client_that_is_away_is_passed_over_while_another_is_there(stage: Stage):
    away, there = stage.client("support"), stage.client("support")
    away.gone()
    for _ in range(2):
        stage.sim.phone("+15550001111").dials(context="support")

    assert len(offers(there)) == 2


def test_the_only_client_gets_a_call_even_when_it_is_away(stage: Stage):
    """It waits for the resume like every event (PROTOCOL 3.5)."""
    away = stage.client("support")
    name = stage.sim.sessions[0]
    away.gone()
    stage.sim.phone("+15550001111").dials(context="support")

    back = Peer(stage.sim)
    back.log_in("support", protocol=name)
    assert len(offers(back)) == 1


def test_a_caller_whose_call_waits_for_a_client_that_is_away_tells_so(stage: Stage):
    """An application that was stopped and is started anew comes with a session of its own, and gets no such call."""
    stage.client("support").gone()
    line = stage.sim.phone("+15550001111").dials(context="support")
    with pytest.raises(StoryError, match="nobody there: no application is logged in; the call waits for one that was"):
        line.hears("welcome")

    stage.client("sales")
    told = stage.sim.phone("+15550002222").dials(context="support").timeline[-1].what
    assert told.endswith("the contexts that are subscribed to: 'sales'; the call waits for one that was logged in")


def test_a_call_for_nobody_rings_and_ends(stage: Stage):
    line = stage.sim.phone("+15550001111").dials(context="support")
    assert line.timeline[-1].what == "nobody there: no application is logged in"
    stage.run(61)

    assert line.end_reason == "noAnswer"


def test_a_caller_whom_nobody_answers_tells_what_there_is(stage: Stage):
    """Whoever reads why a test has failed sees that the application was not started, or takes other contexts."""
    line = stage.sim.phone("+15550001111").dials(context="support")
    peer = stage.client("sales")
    peer.do("signalwire.receive", contexts=["billing"])
    peer.do("signalwire.receive", contexts=["billing"])
    with pytest.raises(StoryError) as caught:
        line.hears("welcome")

    assert [moment.what for moment in line.timeline[1:]] == [
        "nobody there: no application is logged in",
        "nobody there: nobody takes context 'support'; the contexts that are subscribed to: 'sales'",
        "nobody there: nobody takes context 'support'; the contexts that are subscribed to: 'sales', 'billing'",
    ]
    assert "subscribed to: 'sales', 'billing'" in str(caught.value)


def test_a_caller_is_told_of_an_application_that_takes_no_contexts_at_all(stage: Stage):
    stage.client()
    line = stage.sim.phone("+15550001111").dials(context="support")
    assert line.timeline[-1].what.endswith("the contexts that are subscribed to: none at all")


def test_a_call_for_nobody_is_offered_to_who_subscribes_in_time(stage: Stage):
    """An application that starts a moment later still gets its caller."""
    stage.sim.phone("+15550001111").dials(context="support")
    peer = stage.client()
    assert offers(peer) == []
    peer.do("signalwire.receive", contexts=["support"])

    assert len(offers(peer)) == 1


def test_a_call_that_its_client_never_answers_ends(stage: Stage, peer: Peer):
    """Source: PROTOCOL 8.3: the server's own routing times out."""
    call = stage.inbound(peer, answered=False)
    stage.run(61)

    assert peer.events("calling.call.state")[-1]["end_reason"] == "noAnswer"
    assert call.line.is_over


def test_unsubscribing_keeps_running_calls(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    peer.do("signalwire.unreceive", contexts=["support"])
    stage.sim.phone("+15550003333").dials(context="support")

    assert len(offers(peer)) == 1
    assert call.do("calling.play", control_id="c", play=[tts("still here")])["code"] == "200"


def test_a_call_that_is_passed_on_is_offered_to_the_next_session(stage: Stage):
    one, other = stage.client("support"), stage.client("support")
    call = stage.inbound(one, answered=False)
    assert call.do("calling.pass")["call_id"] == call.call_id

    assert offers(other) == [call.call_id]
    assert call.code("calling.answer") == "404", "it is no longer theirs"
    other.do("calling.answer", call_id=call.call_id, node_id=call.node_id)
    assert one.call_states(call.call_id) == []
    assert call.line.state == "answered"


def test_a_call_that_everybody_passes_on_ends_unanswered(stage: Stage):
    peers = [stage.client("support"), stage.client("support")]
    call = stage.inbound(peers[0], answered=False)
    call.do("calling.pass")
    Inbound(peers[1], call.line, call.call_id, call.node_id).do("calling.pass")
    stage.run(61)

    assert [len(offers(peer)) for peer in peers] == [1, 1]
    told = "nobody there: everybody who takes context 'support' has passed it on"
    assert told in [moment.what for moment in call.line.timeline]
    assert call.line.end_reason == "noAnswer"


def test_an_answered_call_cannot_be_passed_on(stage: Stage, peer: Peer):
    assert stage.inbound(peer).code("calling.pass") == "409"


@pytest.mark.parametrize("dest", ["sales", "context:sales"])
def test_a_transfer_to_a_context_is_a_new_inbound_call_there(stage: Stage, peer: Peer, dest: str):
    sales = stage.client("sales")
    call = stage.inbound(peer)
    call.do("calling.play", control_id="c", play=[tts("x" * 300)])
    call.do("calling.transfer", dest=dest)

    (offer,) = sales.events("calling.call.receive")
    assert offer["context"] == "sales"
    assert offer["call_id"] != call.call_id, (
        "one client may serve both contexts (PROTOCOL 8.3: a known id is no new call)"
    )
    assert offer["segment_id"] == call.call_id
    assert call.line.transferred_to == "sales"
    assert call.line.call_id == offer["call_id"]
    sales.do("calling.answer", call_id=offer["call_id"], node_id=offer["node_id"])
    assert call.line.state == "answered"


@pytest.mark.parametrize("number", ["+15550001111", "sip:ann@example.org"])
def test_somebody_who_was_called_is_the_caller_of_the_context_that_the_call_is_transferred_to(
    stage: Stage, peer: Peer, number: str
):
    """Whoever takes the call there has a person on the line, and not the number that the person was called from."""
    sales = stage.client("sales")
    customer = stage.sim.phone(number).answers_after(0.1)
    desk = stage.sim.phone("+15550002222").answers_after(0.1)
    called = {"type": "sip", "params": {"from": "sip:us@example.com", "to": number, "timeout": 20}}
    if not number.startswith("sip:"):
        called = phone_device(number, timeout=20)
    peer.do("calling.dial", tag="t", devices=[[called]])
    stage.run(1)
    leg = peer.events("calling.call.dial")[-1]["call"]
    peer.do("calling.transfer", call_id=leg["call_id"], node_id=leg["node_id"], dest="sales")

    (offer,) = sales.events("calling.call.receive")
    ours = called["params"].get("from_number") or called["params"]["from"]
    assert list(offer["device"]["params"].values()) == [number, ours]
    onward = Inbound(sales, customer.line, offer["call_id"], offer["node_id"])
    onward.do("calling.answer")
    onward.do("calling.connect", devices=[[phone_device("+15550002222")]])
    stage.run(1)
    desk.talks_to(customer)


def test_a_transferred_call_is_silent_for_its_old_client(stage: Stage, peer: Peer):
    stage.client("sales")
    call = stage.inbound(peer)
    call.do("calling.play", control_id="c", play=[tts("x" * 300)])
    before = len(peer.frames)
    call.do("calling.transfer", dest="sales")
    stage.run(300)
    call.line.hangs_up()

    assert len(peer.frames) == before + 1, "the response is the last that it hears"
    assert call.code("calling.end") == "404"


@pytest.mark.parametrize("dest", ["https://apps.example.com/swml", "+15550009999"])
def test_a_transfer_to_somewhere_else_leaves_the_caller_there(stage: Stage, peer: Peer, dest: str):
    call = stage.inbound(peer)
    call.do("calling.transfer", dest=dest)

    assert call.line.transferred_to == dest
    assert call.line.state == "transferred"
    assert not call.line.is_over
    assert stage.sim.calls_up() == ()
    call.line.hangs_up()
    assert call.line.is_over


def test_a_transfer_to_a_context_of_nobody_waits_like_any_call(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    call.do("calling.transfer", dest="context:nobody")
    stage.run(61)

    assert call.line.end_reason == "noAnswer"
