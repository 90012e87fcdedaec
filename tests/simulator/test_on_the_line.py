"""A story that is told of a phone is told of the line that its person is on."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from relay_actors.simulator.faxes import Fax
from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.on_the_line import OnTheLine
from relay_actors.simulator.phones import Phone
from tests.simulator.stage import Peer, Stage, phone_device, tts

DESK = "+15550002222"


@pytest.fixture
def desk(stage: Stage) -> Phone:
    return stage.sim.phone(DESK)


def dial(stage: Stage, peer: Peer, *, after_s: float = 0.0, say: str = "") -> None:
    """Dial the desk after that time, and have something said a second later, when somebody has answered."""

    def ring() -> None:
        # Asked and not done: a response leaves when the turn is over, in which this is due.
        peer.ask("calling.dial", tag=f"t{len(peer.frames)}", devices=[[phone_device(DESK)]])
        if say:
            stage.sim._world.after(1.0, speak)

    def speak() -> None:
        leg = peer.events("calling.call.dial")[-1]["call"]
        ids = {"call_id": leg["call_id"], "node_id": leg["node_id"]}
        peer.ask("calling.play", control_id=leg["call_id"], play=[tts(say)], **ids)

    stage.sim._world.after(after_s, ring)


def test_a_phone_has_every_verb_of_a_line():
    """With the same parameters, so that a story reads the same; what only a ringing line can do is the phone's own."""
    own = {"story", "note", "answers", "rejects"}
    verbs = {
        name for name, what in vars(Line).items() if inspect.isfunction(what) and not name.startswith(("_", "on_"))
    }
    company = {"talks_to", "is_in_conference", "is_in_room", "is_in_queue"}

    assert (verbs - own) | company == {name for name in vars(OnTheLine) if not name.startswith("_")} - {"line"}
    for name in (verbs - own) | company:
        on_line, on_phone = (inspect.signature(getattr(owner, name)).parameters for owner in (Line, Phone))
        assert [(p.name, p.kind, p.default) for p in on_phone.values()] == [
            (p.name, p.kind, p.default) for p in on_line.values()
        ]


def test_a_phone_passes_a_whole_story_on(stage: Stage, peer: Peer, desk: Phone):
    call = stage.inbound(peer, number=DESK)
    call.do("calling.play_and_collect", control_id="c", play=[tts("Press 1")], collect={"digits": {"max": 1}})

    desk.is_connected().is_asked()
    desk.hears("press 1")
    desk.presses("1")
    desk.hears_nothing(for_s=2)
    desk.says("Bye")
    stage.client("sales")
    call.do("calling.transfer", dest="sales")
    desk.is_transferred("sales")
    desk.hangs_up()
    assert desk.is_hung_up() is desk.line


def test_who_answers_ahead_is_told_of_at_once(stage: Stage, peer: Peer, desk: Phone):
    """`phone.answers().hears(...)` is one story, although nobody has called yet."""
    dial(stage, peer, after_s=2.0, say="A call for you")
    desk.answers().hears("a call for you").hangs_up().is_hung_up()

    dial(stage, peer, after_s=2.0, say="Another one")
    desk.answers().hears("another one")


def test_the_call_that_is_up_is_meant_and_not_one_that_is_to_come(stage: Stage, peer: Peer, desk: Phone):
    call = stage.inbound(peer, number=DESK)
    call.do("calling.play", control_id="c", play=[tts("Hello")])
    desk.answers()

    assert desk.hears("hello") is call.line


def test_who_is_busy_before_answering_means_the_call_that_is_answered(stage: Stage, peer: Peer, desk: Phone):
    dial(stage, peer, after_s=1.0)
    dial(stage, peer, after_s=2.0, say="At last")
    desk.is_busy().answers()

    desk.hears("at last")


@pytest.mark.parametrize("is_later", [False, True])
def test_a_call_that_does_not_come_is_told(stage: Stage, peer: Peer, desk: Phone, is_later: bool):
    told = "has had no call yet, and waited for one for 3 s"
    if is_later:
        stage.inbound(peer, number=DESK).line.hangs_up()
        told = r"was to answer a call, and waited for it in vain for 3 s\n.*\n.*dialled"
    with pytest.raises(StoryError, match=told):
        desk.answers().is_hung_up(within=3.0)

    assert stage.clock.now() == 3.0


def test_a_fax_is_received_in_a_story(stage: Stage, peer: Peer, desk: Phone):
    """Its machine picks up, and each fax is told once."""
    desk.is_fax_machine()
    dial(stage, peer, after_s=1.0)
    desk.is_connected()
    leg = peer.events("calling.call.dial")[-1]["call"]
    for name in ("offer", "invoice"):
        ids = {"call_id": leg["call_id"], "node_id": leg["node_id"], "control_id": name}
        peer.do("calling.send_fax", document=f"https://a/{name}.pdf", **ids)

    assert desk.receives_fax("INVOICE.pdf") == Fax("https://a/invoice.pdf", 1, True, "+15559990000", "")
    with pytest.raises(StoryError, match=r"\+15550002222 received no fax '' within 50 s"):
        desk.receives_fax(within=50.0)


def test_a_fax_that_does_not_come_before_the_end_is_told(stage: Stage, peer: Peer, desk: Phone):
    desk.is_fax_machine()
    call: Any = stage.inbound(peer, number=DESK)
    call.line.hangs_up()

    with pytest.raises(StoryError, match="received no fax 'offer' before the call ended"):
        desk.receives_fax("offer")
