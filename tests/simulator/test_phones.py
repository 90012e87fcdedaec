"""People with telephones: how they are called, and what they do by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.errors import ArgumentError, ConfigError
from relay_actors.simulator import phones
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.phones import Phone
from tests.simulator.stage import Peer, Stage, phone_device, tts

DESK = "+15550002222"


@pytest.fixture
def desk(stage: Stage) -> Phone:
    return stage.sim.phone(DESK)


def dial(peer: Peer, tag: str = "t") -> None:
    peer.do("calling.dial", tag=tag, devices=[[phone_device(DESK)]])


def test_a_number_has_one_phone(stage: Stage):
    assert stage.sim.phone(DESK) is stage.sim.phone(DESK)


@pytest.mark.parametrize("number", [15550001111, "", None])
def test_a_number_is_given_as_text(stage: Stage, number: Any):
    with pytest.raises(ConfigError, match=r'give the number as text, "\+15550001111"'):
        stage.sim.phone(number)


def test_a_phone_without_a_call_says_so(desk: Phone):
    with pytest.raises(StoryError, match="has had no call yet"):
        desk.hears("anything")


def test_dialling_a_number_reaches_the_context_it_was_given(stage: Stage, peer: Peer, desk: Phone):
    stage.sim.assign_number("+15559990000", "support")
    desk.dials(to="+15559990000")

    offer = peer.events("calling.call.receive")[0]
    assert offer["device"]["params"]["to_number"] == "+15559990000"


def test_dialling_a_context_shows_the_number_that_it_has(stage: Stage, peer: Peer, desk: Phone):
    stage.sim.assign_number("+15559990000", "support")
    desk.dials(context="support")

    assert peer.events("calling.call.receive")[0]["device"]["params"]["to_number"] == "+15559990000"


def test_a_phone_with_a_sip_address_calls_by_sip(stage: Stage, peer: Peer):
    """Source: PROTOCOL 13.2."""
    for to in ("sip:office@example.org", "+15559990000"):
        stage.sim.assign_number(to, "support")
        stage.sim.phone("sip:ann@example.org").dials(to=to)

    assert [event["device"] for event in peer.events("calling.call.receive")] == [
        {"type": "sip", "params": {"from": "sip:ann@example.org", "to": "sip:office@example.org"}},
        {"type": "sip", "params": {"from": "sip:ann@example.org", "to": "sip:+15559990000@relay.example.com"}},
    ]


@pytest.mark.parametrize("to", [None, "+15558887777"])
def test_dialling_nowhere_is_a_mistake_of_the_test(desk: Phone, to: str | None):
    with pytest.raises(ConfigError, match="assign_number"):
        desk.dials(to=to)


def test_a_phone_rings_until_it_is_told_what_to_do(stage: Stage, peer: Peer, desk: Phone):
    dial(peer)
    line = desk.rings()
    stage.run(10)
    assert line.is_ringing
    desk.answers()

    assert line.state == "answered"
    assert peer.states("calling.call.dial", "dial_state")[-1] == "answered"


def test_a_phone_that_does_not_ring_is_told_with_its_past(stage: Stage, peer: Peer, desk: Phone):
    with pytest.raises(StoryError, match="it has had no call at all"):
        desk.rings(within=1.0)
    dial(peer)
    desk.rings()
    with pytest.raises(StoryError, match="did not ring within 1 s") as failure:
        desk.rings(within=1.0)

    assert "called by +15559990000" in str(failure.value)


def test_each_ringing_call_is_returned_once(stage: Stage, peer: Peer, desk: Phone):
    dial(peer, "t1")
    dial(peer, "t2")

    assert desk.rings() is not desk.rings()


def test_what_is_said_ahead_is_for_one_call_each(stage: Stage, peer: Peer, desk: Phone):
    desk.is_busy().rejects().answers()
    for tag in ("t1", "t2", "t3", "t4"):
        dial(peer, tag)
        stage.run(1)

    assert [line.state for line in desk.lines] == ["ended", "ended", "answered", "ringing"]
    assert [line.end_reason for line in desk.lines] == ["busy", "decline", "", ""]


def test_a_habit_is_for_all_calls_that_nothing_else_was_said_about(stage: Stage, peer: Peer, desk: Phone):
    desk.answers_after(2.0).never_answers()
    dial(peer, "t1")
    dial(peer, "t2")
    stage.run(1.9)
    assert [line.state for line in desk.lines] == ["ringing", "ringing"]
    stage.run(0.2)

    assert [line.state for line in desk.lines] == ["ringing", "answered"]


def test_a_scripted_answer_does_not_pick_up_a_phone_that_no_longer_rings(stage: Stage, peer: Peer, desk: Phone):
    desk.answers_after(5.0)
    peer.do("calling.dial", tag="t", devices=[[phone_device(DESK, timeout=3)]])
    stage.run(10)

    assert desk.line.end_reason == "noAnswer"


def test_rejecting_and_hanging_up_a_ringing_phone_are_the_same(stage: Stage, peer: Peer, desk: Phone):
    dial(peer, "t1")
    desk.rejects()
    dial(peer, "t2")
    desk.hangs_up()

    assert [line.end_reason for line in desk.lines] == ["decline", "decline"]


def test_a_phone_remembers_only_so_many_calls_and_still_finds_the_one_that_rings(
    stage: Stage, peer: Peer, desk: Phone, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(phones, "LINES_BOUND", 3)
    desk.is_busy().is_busy().is_busy().is_busy()
    for number in range(5):
        dial(peer, f"t{number}")

    assert len(desk.lines) == 3
    assert desk.rings().is_ringing


def test_a_person_reacts_unasked(stage: Stage, peer: Peer, desk: Phone):
    """For demonstrations, where no test accompanies the caller."""
    desk.reacts("press 1", presses="1", after=0.5).reacts("say your name", says="Ada").reacts("goodbye", hangs_up=True)
    call = stage.inbound(peer, number=DESK)
    call.do("calling.play_and_collect", control_id="c1", play=[tts("Press 1")], collect={"digits": {"max": 1}})
    stage.run(0.6)
    call.do("calling.play_and_collect", control_id="c2", play=[tts("Say your name")], collect={"speech": {}})
    stage.run(3)
    call.do("calling.play", control_id="c3", play=[tts("Goodbye")])
    stage.run(1)

    results = [event["result"]["params"] for event in peer.events("calling.call.collect")]
    assert results[0]["digits"] == "1"
    assert results[1]["text"] == "Ada"
    assert call.line.is_over


def test_a_person_reacts_to_a_change_on_the_line(stage: Stage, peer: Peer, desk: Phone):
    """So that two whom no test accompanies can talk, and one of them hangs up."""
    desk.answers_after(1.0).reacts_when("connected to", says="Hello", after=2.0)
    desk.reacts_when("connected to", hangs_up=True, after=5.0).reacts("connected to", says="Not this.")
    call = stage.inbound(peer)
    call.do("calling.connect", devices=[[phone_device(DESK)]])
    stage.run(1.5)
    assert call.line.heard[-1].kind == "ringtone"
    stage.run(2)
    assert str(call.line.heard[-1]) == "voice Hello"
    stage.run(3)

    assert desk.line.is_over
    assert [str(sound) for sound in call.line.heard if sound.kind == "voice"] == ["voice Hello"]


def test_a_reaction_that_comes_after_the_end_is_not_made(stage: Stage, peer: Peer, desk: Phone):
    desk.reacts("press 1", presses="1", after=5.0)
    call = stage.inbound(peer, number=DESK)
    call.do("calling.play", control_id="c1", play=[tts("Press 1")])
    call.line.hangs_up()
    stage.run(10)

    assert [moment.what for moment in call.line.timeline][-2:] == ["hung up", "ended (hangup)"]


def test_a_phone_passes_on_to_its_latest_line(stage: Stage, peer: Peer, desk: Phone):
    first = stage.inbound(peer, number=DESK)
    second = stage.inbound(peer, number=DESK)
    second.do("calling.collect", control_id="c1", digits={"max": 1}, speech={})
    second.do("calling.play", control_id="c2", play=[tts("hello")])
    desk.hears("hello")
    desk.says("yes")
    desk.presses("1")
    desk.hangs_up()
    desk.is_hung_up()

    assert second.line.is_over
    assert not first.line.is_over


def test_a_phone_talks_to_a_phone(stage: Stage, peer: Peer, desk: Phone):
    call = stage.inbound(peer)
    desk.answers()
    call.do("calling.connect", devices=[[phone_device(DESK)]])

    stage.sim.phone("+15550001111").talks_to(desk)
    desk.talks_to(call.line)


def test_texts_are_read_once_and_in_order(stage: Stage, peer: Peer, desk: Phone):
    for body in ("one", "two", "three"):
        peer.do("messaging.send", context="c", to_number=DESK, from_number="+1", body=body)
    assert desk.receives_text("two").body == "two"
    assert desk.receives_text().body == "three"
    with pytest.raises(StoryError, match="got no text with 'one'") as failure:
        desk.receives_text("one", within=1.0)

    assert "from +1: 'three'" in str(failure.value)
    assert str(failure.value).count("(returned before, or skipped)") == 3


def test_an_answering_machine_and_a_fax_answer_by_themselves(stage: Stage, peer: Peer, desk: Phone):
    desk.is_answering_machine()
    dial(peer)
    stage.run(1)

    assert desk.line.state == "answered"
    assert desk.line.persona.kind == "machine"
    assert desk.is_fax_machine() is desk


def test_a_fax_machine_sends_no_fewer_pages_than_none(desk: Phone):
    with pytest.raises(ConfigError, match="no -1 pages"):
        desk.is_fax_machine(sends=-1)


def test_who_calls_is_who_the_phone_is(stage: Stage, peer: Peer, desk: Phone):
    """A fax machine that calls whistles, though not what one whistles that is called. Source: ITU-T T.30."""
    desk.is_fax_machine()
    call = stage.inbound(peer, number=DESK)
    call.do("calling.detect", control_id="c1", detect={"type": "fax", "params": {"tone": "CNG"}})
    stage.run(2)

    assert peer.events("calling.call.detect")[0]["detect"]["params"] == {"event": "CNG"}


def test_who_has_ended_the_call_by_a_key_says_no_more(stage: Stage, peer: Peer):
    """What was to be done after it is not done, and nothing fails."""
    stage.sim.phone("+15550001111").reacts("press 1", presses="1", says="Thank you.", hangs_up=True)
    call = stage.inbound(peer)
    call.do("calling.bind_digit", digits="1", bind_method="calling.end")
    call.do("calling.play", control_id="c1", play=[tts("Press 1 to leave.")])
    stage.run(5)

    assert call.line.state == "ended"
    assert not any("said" in moment.what for moment in call.line.timeline)


@pytest.mark.parametrize(
    ("use", "names"),
    [
        (lambda phone: phone.reacts("hello", presses="9x"), "presses"),
        (lambda phone: phone.reacts(5, presses="1"), "to must be"),
        (lambda phone: phone.reacts("hello", says=""), "says must be"),
        (lambda phone: phone.reacts_when(5, presses="1"), "change must be"),
        (lambda phone: phone.reacts("hello", hangs_up=True, after=-3), "after must be"),
        (lambda phone: phone.answers_after(float("nan")), "seconds must be"),
        (lambda phone: phone.answers_after("soon"), "seconds must be"),
    ],
)
def test_what_a_person_could_never_do_is_refused_where_it_is_said(stage: Stage, use: Any, names: str):
    """And not when it is due, in a thread that nobody waits for."""
    with pytest.raises((ConfigError, ArgumentError), match=names):
        use(stage.sim.phone("+15550001111"))
