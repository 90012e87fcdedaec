"""Detectors. Source: PROTOCOL 11.5, 13.5."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.simulator.phones import Phone
from tests.simulator.stage import Inbound, Peer, Stage, phone_device

DETECT = "calling.call.detect"


def reach(stage: Stage, peer: Peer, phone: Phone) -> Inbound:
    """Dial a phone that answers, and return its call."""
    phone.answers()
    peer.do("calling.dial", tag="t", devices=[[phone_device(phone.number)]])
    stage.run(1)
    winner = peer.events("calling.call.dial")[-1]["call"]
    return Inbound(peer, phone.line, winner["call_id"], winner["node_id"])


def found(call: Inbound) -> list[dict[str, Any]]:
    return [event["detect"]["params"] for event in call.peer.events(DETECT)]


@pytest.fixture
def phone(stage: Stage) -> Phone:
    return stage.sim.phone("+15550002222")


def test_a_person_is_human(stage: Stage, peer: Peer, phone: Phone):
    call = reach(stage, peer, phone)
    call.do("calling.detect", control_id="c1", detect={"type": "machine", "params": {}})
    stage.run(2)

    assert found(call) == [{"event": "HUMAN"}, {"event": "finished"}]
    assert call.peer.events(DETECT)[0]["detect"]["type"] == "machine"
    assert "state" not in call.peer.events(DETECT)[0], "real detect events have none"


@pytest.mark.parametrize(("beep", "ready"), [(True, {"event": "READY", "beep": True}), (False, {"event": "READY"})])
def test_a_machine_is_found_and_its_greeting_awaited(
    stage: Stage, peer: Peer, phone: Phone, beep: bool, ready: dict[str, Any]
):
    call = reach(stage, peer, phone.is_answering_machine(beep=beep))
    call.do("calling.detect", control_id="c1", detect={"type": "machine", "params": {}})
    stage.run(2)
    assert found(call) == [{"event": "MACHINE"}, {"event": "NOT_READY"}]
    stage.run(5)

    assert found(call)[2:] == [ready, {"event": "finished"}]


def test_a_machine_is_only_named_when_the_greeting_does_not_matter(stage: Stage, peer: Peer, phone: Phone):
    call = reach(stage, peer, phone.is_answering_machine())
    detect = {"type": "machine", "params": {"detect_message_end": False}}
    call.do("calling.detect", control_id="c1", detect=detect)
    stage.run(2)

    assert found(call) == [{"event": "MACHINE"}, {"event": "finished"}]


@pytest.mark.parametrize(
    ("tone", "wanted", "is_found"), [("", "CED", True), ("CED", "CNG", False), ("CNG", "CNG", True)]
)
def test_a_fax_is_found_by_the_tone_that_is_asked_for(
    stage: Stage, peer: Peer, phone: Phone, tone: str, wanted: str, is_found: bool
):
    call = reach(stage, peer, phone.is_fax_machine(tone=tone))
    call.do("calling.detect", control_id="c1", detect={"type": "fax", "params": {"tone": wanted}}, timeout=10.0)
    stage.run(11)

    assert found(call) == ([{"event": wanted}] if is_found else []) + [{"event": "finished"}]


def test_a_key_is_found_if_it_is_one_of_those_looked_for(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    call.do("calling.detect", control_id="c1", detect={"type": "digit", "params": {"digits": "12"}})
    call.line.presses("91")

    assert found(call) == [{"event": "1"}, {"event": "finished"}]


def test_nothing_within_the_time_out_is_only_finished(stage: Stage, peer: Peer):
    """Source: PROTOCOL 11.5: without any event before it nothing was detected."""
    call = stage.inbound(peer)
    call.do("calling.detect", control_id="c1", detect={"type": "digit", "params": {}}, timeout=3.0)
    stage.run(3.1)

    assert found(call) == [{"event": "finished"}]


def test_a_verdict_that_would_come_too_late_does_not_come(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    call.do("calling.detect", control_id="c1", detect={"type": "machine", "params": {}}, timeout=1.0)
    stage.run(10)

    assert found(call) == [{"event": "finished"}]


@pytest.mark.parametrize("kind", ["machin", "", "human"])
def test_a_detector_of_no_known_kind_is_refused(stage: Stage, peer: Peer, kind: str):
    """It would find nothing, and end as one that was only too early."""
    call = stage.inbound(peer)
    response = call.ask("calling.detect", control_id="c1", detect={"type": kind, "params": {}})

    assert response is not None
    assert response["result"]["code"] == "400"
    assert f"detect.type must be one of machine, fax, digit, not {kind!r}" in response["result"]["message"]
    assert peer.events(DETECT) == []


def test_a_stopped_detector_is_finished(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    call.do("calling.detect", control_id="c1", detect={"type": "machine", "params": {}})
    call.do("calling.detect.stop", control_id="c1")
    stage.run(10)

    assert found(call) == [{"event": "finished"}]
