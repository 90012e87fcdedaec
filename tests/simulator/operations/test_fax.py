"""Faxes, page by page. Source: PROTOCOL 11.6."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.simulator.faxes import Fax
from tests.simulator.stage import Inbound, Peer, Stage, phone_device

MACHINE = "+15550003333"
INVOICE = "https://a/invoice.pdf"


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    """A fax machine that calls, and is answered."""
    stage.sim.phone(MACHINE).is_fax_machine(sends=3)
    return stage.inbound(peer, number=MACHINE)


def pages(peer: Peer) -> list[str]:
    return [page["number"] for page in faxes(peer, "page")]


def faxes(peer: Peer, kind: str) -> list[dict[str, Any]]:
    """Return the params of all events of a kind; none has a state field (PROTOCOL D11)."""
    events = peer.events("calling.call.fax")
    assert not [event for event in events if "state" in event]
    return [event["fax"]["params"] for event in events if event["fax"]["type"] == kind]


def test_a_document_is_sent_page_by_page(stage: Stage, call: Inbound):
    stage.sim.has_document(INVOICE, pages=3)
    call.do("calling.send_fax", control_id="c1", document=INVOICE, identity="+15557770000", header_info="Ada Ltd")
    stage.run(5)
    assert pages(call.peer) == ["1", "2"]
    assert faxes(call.peer, "finished") == []
    stage.run(5)

    assert pages(call.peer) == ["1", "2", "3"]
    assert faxes(call.peer, "finished") == [
        {
            "direction": "send",
            "identity": "+15557770000",
            "remote_identity": MACHINE,
            "document": INVOICE,
            "success": True,
            "result": "0",
            "result_text": "",
            "pages": "3",
            "format": "pdf",
        }
    ]
    assert call.line.received_faxes == (Fax(INVOICE, 3, True, "+15557770000", "Ada Ltd"),)
    assert "received fax https://a/invoice.pdf (3 pages)" in call.line.story()


def test_a_document_that_nobody_described_has_one_page(stage: Stage, call: Inbound):
    call.do("calling.send_fax", control_id="c1", document=INVOICE)
    stage.run(10)

    assert pages(call.peer) == ["1"]


def test_a_fax_is_sent_to_a_machine_that_is_dialled(stage: Stage, peer: Peer):
    stage.sim.phone(MACHINE).is_fax_machine()
    peer.do("calling.dial", tag="t", devices=[[phone_device(MACHINE)]])
    stage.run(1)
    leg = peer.events("calling.call.dial")[-1]["call"]
    peer.do("calling.send_fax", call_id=leg["call_id"], node_id=leg["node_id"], control_id="c1", document=INVOICE)
    stage.run(10)

    (end,) = faxes(peer, "finished")
    assert (end["success"], end["identity"], end["remote_identity"]) == (True, "+15559990000", MACHINE)
    assert stage.sim.phone(MACHINE).line.received_faxes[0].document == INVOICE


def test_what_a_machine_sends_is_a_pdf_with_as_many_pages(stage: Stage, call: Inbound):
    call.do("calling.receive_fax", control_id="c1")
    stage.run(10)

    assert pages(call.peer) == ["1", "2", "3"]
    (end,) = faxes(call.peer, "finished")
    assert (end["direction"], end["success"], end["pages"]) == ("receive", True, "3")
    document = stage.sim.fetch(end["document"])
    assert document.startswith(b"%PDF-")
    assert document.count(b"/Type /Page ") == 3
    assert MACHINE.encode() in document


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("calling.send_fax", "Timed out waiting for initial communication"),
        ("calling.receive_fax", "Timed out waiting for the first message"),
    ],
)
def test_a_human_is_no_fax_machine(stage: Stage, peer: Peer, method: str, text: str):
    """``success`` false is still ``finished``."""
    call = stage.inbound(peer)
    call.do(method, control_id="c1", **({"document": INVOICE} if method == "calling.send_fax" else {}))
    stage.run(30)
    assert faxes(peer, "finished") == []
    stage.run(6)

    (end,) = faxes(peer, "finished")
    assert (end["success"], end["pages"], end["result_text"]) == (False, "0", text)
    assert end["document"] == ("" if method == "calling.receive_fax" else INVOICE)
    assert pages(peer) == []
    assert call.line.received_faxes == ()


def test_a_machine_without_a_document_sends_none(stage: Stage, peer: Peer):
    stage.sim.phone(MACHINE).is_fax_machine(sends=0)
    call = stage.inbound(peer, number=MACHINE)
    call.do("calling.receive_fax", control_id="c1")
    stage.run(40)

    (end,) = faxes(peer, "finished")
    assert (end["success"], end["pages"]) == (False, "0")


@pytest.mark.parametrize("how", ["stop", "hang up"])
@pytest.mark.parametrize("method", ["calling.send_fax", "calling.receive_fax"])
def test_a_fax_that_is_broken_off_has_the_pages_that_came_through(stage: Stage, call: Inbound, method: str, how: str):
    stage.sim.has_document(INVOICE, pages=3)
    call.do(method, control_id="c1", **({"document": INVOICE} if method == "calling.send_fax" else {}))
    stage.run(5)
    if how == "stop":
        call.do(f"{method}.stop", control_id="c1")
    else:
        call.line.hangs_up()
    stage.run(60)

    (end,) = faxes(call.peer, "finished")
    assert (end["success"], end["pages"], end["result"]) == (False, "2", "49")
    if method == "calling.receive_fax":
        assert stage.sim.fetch(end["document"]).count(b"/Type /Page ") == 2
    else:
        assert call.line.received_faxes == (Fax(INVOICE, 2, False, "+15550000000", ""),)


@pytest.mark.parametrize("started", ["calling.send_fax", "calling.receive_fax"])
def test_a_fax_is_stopped_by_the_command_of_its_direction_only(call: Inbound, started: str):
    """An application that stops the other one must not find out by the real server. Source: PROTOCOL 11.6."""
    other = {"calling.send_fax": "calling.receive_fax", "calling.receive_fax": "calling.send_fax"}[started]
    call.do(started, control_id="c1", **({"document": INVOICE} if started == "calling.send_fax" else {}))
    assert call.code(f"{other}.stop", control_id="c1") == "404"
    assert faxes(call.peer, "finished") == []
    call.do(f"{started}.stop", control_id="c1")

    assert len(faxes(call.peer, "finished")) == 1
