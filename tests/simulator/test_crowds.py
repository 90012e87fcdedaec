"""Many who do the same: the verbs, and what is told when some of them could not."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ConfigError
from relay_actors.simulator.crowds import Crowd, numbers_from
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.phones import Phone
from tests.simulator.stage import Peer, Stage, phone_device, tts


@pytest.fixture
def crowd(stage: Stage) -> Crowd:
    return stage.sim.many(20)


def serve(peer: Peer, *numbers: str) -> None:
    """Answer the calls of these numbers, or of all, and ask them for a key."""
    for offer in peer.events("calling.call.receive"):
        if not numbers or offer["device"]["params"]["from_number"] in numbers:
            ids = {"call_id": offer["call_id"], "node_id": offer["node_id"]}
            peer.do("calling.answer", **ids)
            menu = {"play": [tts("Press 1")], "collect": {"digits": {"max": 1}}}
            peer.do("calling.play_and_collect", control_id=offer["call_id"], **menu, **ids)


def end(peer: Peer) -> None:
    for offer in peer.events("calling.call.receive"):
        peer.ask("calling.end", call_id=offer["call_id"], node_id=offer["node_id"])


def test_a_crowd_calls_and_lives_one_story(stage: Stage, peer: Peer, crowd: Crowd):
    crowd.dials(context="support")
    serve(peer)
    crowd.is_connected().is_asked().hears("press 1").presses("1")
    results = peer.events("calling.call.collect")
    end(peer)
    crowd.is_hung_up().hangs_up()

    assert [result["result"]["params"]["digits"] for result in results] == ["1"] * 20


def test_a_crowd_is_called_and_texted(stage: Stage, peer: Peer, crowd: Crowd):
    peer.do("calling.dial", tag="t", devices=[[phone_device(phone.number) for phone in crowd]])
    crowd.rings()
    for phone in crowd:
        peer.do("messaging.send", to_number=phone.number, from_number="+15559990000", body="Hello", context="support")
    crowd.receives_text("hello").texts("Hello yourself", context="support")
    crowd[:1].answers().is_connected()

    assert [text["body"] for text in peer.events("messaging.receive")] == ["Hello yourself"] * 20
    with pytest.raises(StoryError, match="19 of 20 phones failed \\(is connected within 5 s\\)"):
        crowd.is_connected()


def test_it_is_told_how_many_failed_with_the_story_of_the_first(stage: Stage, peer: Peer, crowd: Crowd):
    """Those after it are not let down: they have gone on with the story."""
    crowd.dials(context="support")
    serve(peer, *(phone.number for phone in crowd[:17]))
    with pytest.raises(StoryError) as failure:
        crowd.hears("press 1", within=2.0)
    crowd[:17].presses("1")

    assert str(failure.value).startswith(
        "3 of 20 phones failed (hears 'press 1' within 2 s); the first:\n"
        "+15550100017 did not hear 'press 1' within 2 s; heard in its place: nothing\n"
        "+15550100017 on call "
    )


def test_a_crowd_waits_in_vain_only_once(stage: Stage, peer: Peer, crowd: Crowd):
    """And not as often as it has members."""
    crowd.dials(context="support")
    stage.sim.patience_s = 7.0
    with pytest.raises(StoryError, match="20 of 20 phones failed \\(is hung up within 7 s\\)"):
        crowd.is_hung_up()

    assert stage.clock.now() == 7.0


def test_whatever_has_no_verb_is_done_with_each(stage: Stage, peer: Peer, crowd: Crowd):
    crowd.each(lambda phone: phone.answers_after(1.0)).dials(context="support")
    serve(peer)
    crowd.says("Hello")
    with pytest.raises(StoryError, match=r"20 of 20 phones failed; the first:\n.* is not in room lobby"):
        crowd.each(lambda phone: phone.is_in_room("lobby", within=0.1))

    assert all("said 'Hello' (nobody listened)" in phone.line.story() for phone in crowd)


def test_a_transfer_of_all_is_awaited(stage: Stage, peer: Peer, crowd: Crowd):
    stage.client("sales")
    crowd.dials(context="support")
    serve(peer)
    for offer in peer.events("calling.call.receive"):
        peer.do("calling.transfer", call_id=offer["call_id"], node_id=offer["node_id"], dest="sales")

    crowd.is_transferred(to="sales")


def test_a_mistake_of_the_test_is_told_as_it_is(stage: Stage, peer: Peer, crowd: Crowd):
    crowd.dials(context="support")
    with pytest.raises(ConfigError, match="presses"):
        crowd.presses("one")


def test_a_verb_of_a_crowd_is_one_of_a_phone():
    """With the same parameters, as far as it has them."""
    for name, verb in vars(Crowd).items():
        if inspect.isfunction(verb) and not name.startswith("_") and name != "each":
            of_phone = inspect.signature(getattr(Phone, name)).parameters
            for parameter in inspect.signature(verb).parameters.values():
                assert of_phone[parameter.name].default == parameter.default


def test_a_crowd_is_a_sequence_of_phones(stage: Stage, crowd: Crowd):
    assert len(crowd) == 20
    assert crowd[0] is stage.sim.phone("+15550100000")
    assert crowd[-1] is stage.sim.phone("+15550100019")
    assert isinstance(crowd[3:5], Crowd)
    assert list(crowd[3:5]) == [crowd[3], crowd[4]]
    assert stage.sim.many(2, "0099")[1].number == "0100"


@given(first=st.from_regex(r"\A\+?[0-9]{1,12}\Z"), count=st.integers(1, 300))
def test_numbers_follow_each_other(first: str, count: int):
    """A law: none comes twice, and none is shorter than the first."""
    numbers = numbers_from(first, count)

    assert numbers[0] == first
    assert [int(number) - int(first) for number in numbers] == list(range(count))
    assert all(len(number) >= len(first) for number in numbers)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ((0,), "whole number of phones"),
        ((2.5,), "whole number of phones"),
        ((True,), "whole number of phones"),
        ((2, "sip:ann@example.org"), "first number as text"),
        ((2, 15550100000), "first number as text"),
        ((2, ""), "first number as text"),
    ],
)
def test_a_crowd_that_could_not_be_is_refused(stage: Stage, wrong: tuple[Any, ...], told: str):
    with pytest.raises(ConfigError, match=told):
        stage.sim.many(*wrong)
