"""Verbs on the call itself: their signatures, their frames, and what is refused before anything is sent."""

from __future__ import annotations

import pytest

from relay_actors.actors.actions import PlayAction
from relay_actors.actors.verbs.calling import CallingVerbs
from relay_actors.actors.waits import Reply
from relay_actors.errors import CommandRejectedError
from relay_actors.events import CallStateEvent
from relay_actors.protocol.commands import Answer, Dial, Hold, Play, Stop
from tests.actors.verbs.on_the_wire import Case, case, defined_in, is_refused, sent_by, without_ids
from tests.actors.world import Witness, World, device

DESK = [[device("+15550100101")], [device("+15550100102"), device("+15550100103", timeout=20)]]
SIP = {"type": "sip", "params": {"to": "sip:bob@example.com"}}
MUSIC = [{"type": "audio", "params": {"url": "https://example.com/music.mp3"}}]

CASES = [
    case("answer", "calling.answer", {}),
    case("answer", "calling.answer", {"max_duration": 5, "codec": "OPUS"}, max_duration=5, codec="OPUS"),
    case("hangup", "calling.end", {"reason": "hangup"}),
    case("hangup", "calling.end", {"reason": "busy"}, "busy"),
    case("pass_", "calling.pass", {}),
    case("connect", "calling.connect", {"devices": DESK}, DESK),
    case(
        "connect",
        "calling.connect",
        {
            "devices": DESK,
            "ringback": MUSIC,
            "tag": "desk",
            "max_duration": 30,
            "max_price_per_minute": 0.05,
            "status_url": "https://example.com/status",
            "region": "eu",
        },
        DESK,
        ringback=[{"type": "audio", "url": "https://example.com/music.mp3"}],
        tag="desk",
        max_duration=30,
        max_price_per_minute=0.05,
        status_url="https://example.com/status",
        region="eu",
    ),
    case("disconnect", "calling.disconnect", {}),
    case("transfer", "calling.transfer", {"dest": "context:sales"}, "context:sales"),
    case("transfer", "calling.transfer", {"dest": "{}", "note": "warm"}, "{}", note="warm"),
    case("refer", "calling.refer", {"device": SIP}, {"type": "sip", "to": "sip:bob@example.com"}),
    case(
        "refer",
        "calling.refer",
        {"device": SIP, "status_url": "https://example.com/s"},
        SIP,
        status_url="https://example.com/s",
    ),
    case("hold", "calling.hold", {}),
    case("unhold", "calling.unhold", {}),
    case("user_event", "calling.user_event", {}),
    case(
        "user_event",
        "calling.user_event",
        {"event": "order_placed", "order_id": "12345"},
        event="order_placed",
        order_id="12345",
    ),
    case("user_event", "calling.user_event", {"event": {"order": 5}}, event={"order": 5}),
]


def test_these_are_all_of_them():
    """A verb that nobody calls below would not be proved."""
    assert {one.values[0].verb for one in CASES} == set(defined_in(CallingVerbs))


@pytest.mark.parametrize("one", CASES)
def test_a_verb_sends_what_was_given_and_nothing_else(world: World, one: Case):
    """Arguments that were not given are left out, never null (PROTOCOL 2.1)."""
    handle, params = sent_by(world, one)
    assert without_ids(handle, params, control_id=False) == one.params


@pytest.mark.parametrize(
    ("verb", "args", "kwargs", "names"),
    [
        ("hangup", ("",), {}, "reason"),
        ("hangup", (7,), {}, "reason"),
        ("connect", ([device("+15550100101")],), {}, "devices"),
        ("connect", (DESK,), {"max_duration": "long"}, "max_duration"),
        ("connect", (DESK,), {"ringback": "music"}, "ringback"),
        ("transfer", ("",), {}, "dest"),
        ("refer", ({"params": {}},), {}, "device"),
        ("refer", (SIP,), {"status_url": 5}, "status_url"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_sent(
    world: World, verb: str, args: tuple[object, ...], kwargs: dict[str, object], names: str
):
    """What a script gets wrong must be said at its line, and not by the server seconds later."""
    is_refused(world, names, verb, args, kwargs)


def test_any_simple_command_can_be_performed(world: World):
    """By the class of its command, for whoever builds on it."""
    _line, handle = world.answered(Witness)
    assert handle.perform(Hold()).get(timeout=5)["code"] == "200"
    assert world.methods()[-1] == "calling.hold"


@pytest.mark.parametrize(
    "command",
    [
        Play(media=[{"type": "tts", "text": "Hi"}]),
        Stop(action_method="calling.play", control_id="c"),
        Dial(devices=DESK),
    ],
)
def test_what_is_no_simple_command_on_a_call_is_not_performed(world: World, command: object):
    """It would start something that nobody holds a handle of."""
    _line, handle = world.inbound(Witness)
    with pytest.raises(TypeError, match="use the verb"):
        handle.perform(command)
    assert world.methods() == []


def test_a_reply_gives_the_servers_whole_result(world: World):
    """Source: PROTOCOL 8.7."""
    _line, handle = world.inbound(Witness)
    reply = handle.answer()
    assert isinstance(reply, Reply)
    assert reply.command == Answer()
    assert reply.get(timeout=5) == {"code": "200", "message": "Answered"}


def test_a_call_that_is_answered_is_not_answered_again(world: World):
    """A flow that begins anew after a crash answers again, and must not stumble over it."""
    _line, handle = world.answered(Witness)
    assert handle.answer().get(timeout=5) == {}
    assert world.methods().count("calling.answer") == 1


def test_a_call_is_hung_up_once_however_often_it_is_asked_for(world: World):
    """Everybody who asks gets the result of the first time."""
    _line, handle = world.answered(Witness)
    first, second, third = handle.hangup(), handle.hangup("busy"), handle.hangup()
    assert first.get(timeout=5) == second.get(timeout=5) == third.get(timeout=5)
    handle.wait_for_ended().get(timeout=5)
    assert handle.hangup().get(timeout=5) == {}
    assert [params["reason"] for params in world.sent("calling.end")] == ["hangup"]


def test_hanging_up_can_wait_until_something_was_said(world: World):
    line, handle = world.answered(Witness)
    goodbye = handle.play_tts("Goodbye, and thank you for your call.")
    reply = handle.hangup(after=goodbye)
    line.hears("goodbye")
    assert world.sent("calling.end") == []
    reply.get(timeout=20)
    assert goodbye.is_done
    assert world.methods()[-2:] == ["calling.play", "calling.end"]


def test_hanging_up_after_something_that_was_refused_hangs_up(world: World):
    """However it ended: a caller must not be left in silence because a goodbye could not be played."""
    _line, handle = world.answered(Witness)
    world.sim.reject_next("calling.play", code="500")
    reply = handle.hangup(after=handle.play_tts("Goodbye."))
    assert reply.get(timeout=5)["code"] == "200"


def test_hanging_up_can_wait_for_any_future(world: World):
    _line, handle = world.answered(Witness)
    reply = handle.hangup("decline", after=handle.wait_for("calling.call.hold"))
    handle.perform(Hold())
    reply.get(timeout=5)
    assert [params["reason"] for params in world.sent("calling.end")] == ["decline"]


def test_hanging_up_after_something_of_a_call_that_has_ended_sends_nothing(world: World):
    line, handle = world.answered(Witness)
    reply = handle.hangup(after=handle.play_tts("A long goodbye. " * 20))
    world.run(1)
    line.hangs_up()
    assert reply.get(timeout=5) == {}
    assert world.sent("calling.end") == []


def test_a_refused_command_raises_where_it_is_read(world: World):
    _line, handle = world.answered(Witness)
    world.sim.reject_next("calling.disconnect", code="409", message="There is no peer call")
    with pytest.raises(CommandRejectedError, match="There is no peer call") as refused:
        handle.disconnect().get(timeout=5)
    assert refused.value.code == 409


def test_an_operation_gives_its_handle_and_a_simple_command_its_reply(world: World):
    _line, handle = world.answered(Witness)
    assert isinstance(handle.play_tts("Hello"), PlayAction)
    assert isinstance(handle.send_digits("1"), Reply)
    assert world.seen(handle, CallStateEvent)
