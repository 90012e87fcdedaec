"""Dialling out: who wins, who is hung up, what fails and how; a lost connection; commands sent by other actors."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors import (
    ActionCompleted,
    Actor,
    CallActor,
    CallEnded,
    CommandFailed,
    ConnectionLost,
    ConnectionRestored,
    DialFailed,
    Limits,
    PlayAction,
    RelayError,
)
from relay_actors.actors.call_handle import CallHandle
from relay_actors.errors import CommandRejectedError, ConfigError, DialFailedError, NotSentError
from relay_actors.events import CallStateEvent, DialEvent, PlayEvent, TapEvent
from relay_actors.protocol.commands import ActionCommand, Dial, Hangup, Hold, Play, Stop
from tests.actors.world import Witness, World, device, over_seeds

A, B, C = "+15550000001", "+15550000002", "+15550000003"


class Talks(Witness):
    """Says something when it is answered."""

    async def run(self) -> None:
        self.data["answered"] = self.state
        await self.play_tts("Hello, this is your reminder.").wait()


def dial(world: World, *groups: list[str], actor_class: type[CallActor] = Witness, **more: Any) -> CallHandle:
    """Call out: one after the other, those of a group at once."""
    if not world.app.is_running:
        world.start()
    return world.app.dial(actor_class, [[device(number) for number in group] for group in groups], **more)


def leg_event(world: World, tag: str, call_id: str, call_state: str, **more: Any) -> None:
    params = {"call_id": call_id, "node_id": f"node-{call_id}", "tag": tag, "call_state": call_state, **more}
    world.tells("calling.call.state", {"created_by": "dial", "direction": "outbound", **params})


def dial_event(world: World, tag: str, dial_state: str, call_id: str = "", **more: Any) -> None:
    params: dict[str, Any] = {"tag": tag, "node_id": "node", "dial_state": dial_state, **more}
    if call_id:
        call = {"call_id": call_id, "node_id": f"node-{call_id}", "tag": tag, "dial_winner": True}
        params["call"] = {**call, "call_state": "answered", "segment_id": "segment", "device": device(A)}
    world.tells("calling.call.dial", params)


def by_hand(world: World, **more: Any) -> CallHandle:
    """Call out by a server that accepts, and says nothing that the test does not say."""
    world.sim.reject_next("calling.dial", code="200", message="Dialing")
    return dial(world, [A], tag="t", **more)


# -- answered ----------------------------------------------------------------------------------------------------------


@over_seeds(50)
@pytest.mark.parametrize("dial_first", [True, False])
def test_who_answers_becomes_the_call(world: World, dial_first: bool):
    """Whichever of the two events comes first (PROTOCOL 9.3); then the flow begins."""
    world.sim.manners.dial_event_first = dial_first
    handle = dial(world, [A], actor_class=Talks, appointment=17, tag="r-17")
    assert (handle.state, handle.call_id, handle.tag, handle.direction) == ("", "", "r-17", "outbound")
    person = world.sim.phone(A)
    person.rings().answers()
    event = handle.wait_for_answered().get(timeout=5)
    assert event.params["call_state"] == "answered"
    person.hears("reminder")
    person.is_hung_up()
    assert handle.wait_for_ended().get(timeout=5).params["call_state"] == "ended"
    assert handle.data["appointment"] == 17
    assert handle.data["answered"] == "answered"
    assert handle.call_id == person.line.call_id
    states = [message.call_state for message in world.seen(handle, CallStateEvent)]
    assert states == ["answered", "ending", "ended"]
    assert [message.dial_state for message in world.seen(handle, DialEvent)] == ["dialing", "answered"]


@over_seeds(5)
def test_the_call_knows_who_it_is(world: World):
    world.sim.phone(A).answers()
    handle = dial(world, [A], actor_class=Witness)
    handle.wait_for_answered().get(timeout=5)
    actor = world.actor(handle)
    assert actor.to_number == A
    assert actor.direction == "outbound"
    assert actor.call_context == world.app.relay_protocol != ""
    assert actor.node_id == world.sim.calls[0].node_id
    assert world.app.call(handle.call_id).ref == handle.ref


@over_seeds(10)
@pytest.mark.parametrize("losers_first", [True, False])
def test_of_several_that_ring_together_the_first_wins_and_the_others_stop_ringing(world: World, losers_first: bool):
    """Proves SEMANTICS X9."""
    world.sim.manners.losers_end_first = losers_first
    handle = dial(world, [A, B])
    world.sim.phone(A).rings()
    world.sim.phone(B).rings().answers()
    handle.wait_for_answered().get(timeout=5)
    world.settle()
    assert world.sim.phone(A).line.end_reason == "cancel"
    assert handle.call_id == world.sim.phone(B).line.call_id
    assert world.sent("calling.end") == [], "the server stops the others by itself"


@over_seeds(5)
def test_devices_are_tried_one_after_the_other(world: World):
    """The outer list is serial (PROTOCOL 9.1, D31)."""
    world.sim.phone(A).is_busy()
    world.sim.phone(B).rejects()
    handle = dial(world, [A], [B], [C])
    world.sim.phone(C).rings().answers()
    handle.wait_for_answered().get(timeout=5)
    assert handle.call_id == world.sim.phone(C).line.call_id


@over_seeds(5)
@pytest.mark.parametrize("dial_first", [True, False])
@pytest.mark.parametrize("losers_first", [True, False])
def test_groups_are_serial_and_those_in_a_group_parallel(world: World, dial_first: bool, losers_first: bool):
    """The frame ``dial.request.serial_then_parallel``; in every order of what is said at the end (PROTOCOL 9.1-9.3)."""
    world.sim.manners.dial_event_first = dial_first
    world.sim.manners.losers_end_first = losers_first
    world.sim.phone(A).is_busy()
    handle = dial(world, [A], [B, C])
    world.sim.phone(B).rings()
    world.sim.phone(C).rings().answers()
    handle.wait_for_answered().get(timeout=5)
    world.settle()
    assert handle.call_id == world.sim.phone(C).line.call_id
    assert [world.sim.phone(number).line.end_reason for number in (A, B, C)] == ["busy", "cancel", ""]
    assert world.sent("calling.end") == []


def test_a_leg_that_was_answered_too_and_has_not_won_is_hung_up_once(world: World):
    """Proves SEMANTICS X9: it is nobody's, and would run on."""
    handle = by_hand(world)
    world.settle()
    for call_id in ("won", "lost"):
        leg_event(world, "t", call_id, "answered")
    dial_event(world, "t", "answered", "won")
    world.settle()
    leg_event(world, "t", "lost", "answered")
    leg_event(world, "t", "late", "answered")
    dial_event(world, "t", "answered", "later")
    world.settle()
    assert handle.call_id == "won"
    ended = [(params["node_id"], params["call_id"], params["reason"]) for params in world.sent("calling.end")]
    assert sorted(ended) == [(f"node-{leg}", leg, "cancel") for leg in ("late", "later", "lost")]


@over_seeds(5)
@pytest.mark.parametrize("order", ["state first", "dial first", "dial only"])
def test_who_waits_for_the_answer_does_not_depend_on_the_order_of_events(world: World, order: str):
    """The leg's own word may come before, after, or never (PROTOCOL 9.3.4)."""
    handle = by_hand(world)
    wait = handle.wait_for_answered()
    world.settle()
    if order == "state first":
        leg_event(world, "t", "won", "answered")
    dial_event(world, "t", "answered", "won")
    if order == "dial first":
        leg_event(world, "t", "won", "answered")
    event = wait.get(timeout=5)
    assert (event.call_id, event.params["call_state"]) == ("won", "answered")
    world.settle()
    assert [message.call_state for message in world.seen(handle, CallStateEvent)] == ["answered"]
    assert handle.leg.ids == {"node_id": "node-won", "call_id": "won"}


@over_seeds(5)
@pytest.mark.parametrize("last", ["ending", "ended"])
def test_a_call_that_is_over_before_its_dial_is_reported_as_answered_ends(world: World, last: str):
    """Somebody picked up and hung up at once: the end must not be lost, or the actor would stay for ever."""
    handle = by_hand(world, actor_class=Talks)
    world.settle()
    for call_state in ("created", "ringing", "answered", "ended")[: 4 if last == "ended" else 3]:
        leg_event(world, "t", "won", call_state, end_reason="hangup")
    if last == "ending":
        leg_event(world, "t", "won", "ending")
    dial_event(world, "t", "answered", "won")
    world.settle()
    assert handle.state == last
    states = [message.call_state for message in world.seen(handle, CallStateEvent)]
    assert states == ["answered", last]
    if last == "ending":
        leg_event(world, "t", "won", "ended")
    world.run(2)
    assert world.call_actors() == []
    assert ("answered" in handle.data) == (last == "ending")


def test_events_that_came_before_the_call_had_a_name_are_told_in_order(world: World):
    """They were parked under its id (SEMANTICS K4)."""
    handle = by_hand(world)
    world.settle()
    tap = {"call_id": "won", "node_id": "node-won", "control_id": "c", "state": "tapping"}
    world.tells("calling.call.tap", tap)
    dial_event(world, "t", "answered", "won")
    world.tells("calling.call.tap", {**tap, "state": "finished"})
    world.settle()
    assert [message.state for message in world.seen(handle, TapEvent)] == ["tapping", "finished"]


@over_seeds(5)
def test_a_dial_may_be_answered_before_it_is_accepted(world: World):
    """Events may overtake the response (PROTOCOL 2.7)."""
    world.start()
    world.sim.stop_answering("calling.dial")
    handle = dial(world, [A], tag="t", actor_class=Talks)
    world.settle()
    dial_event(world, "t", "answered", "won")
    handle.wait_for_answered().get(timeout=5)
    world.settle()
    assert handle.data["answered"] == "answered"
    assert handle.ref.incarnation == 0
    world.run(10)  # the response is overdue, and the connection with it
    assert handle.state == "answered"


def test_what_other_legs_of_the_dial_tell_of_themselves_is_not_told(world: World):
    """It is of no call of ours. What the winner itself told early is not lost (SEMANTICS K4)."""
    handle = by_hand(world)
    world.settle()
    for leg in ("a", "b"):
        leg_event(world, "t", leg, "ringing")
        play = {"call_id": leg, "node_id": "n", "tag": "t", "state": "playing", "control_id": "c"}
        world.tells("calling.call.play", play)
    dial_event(world, "t", "answered", "a")
    leg_event(world, "t", "b", "ended")
    world.settle()
    assert [type(message) for message in world.seen(handle)] == [DialEvent, CallStateEvent, PlayEvent]
    assert {message.call_id for message in world.seen(handle, PlayEvent)} == {"a"}
    assert handle.state == "answered"


# -- not answered ------------------------------------------------------------------------------------------------------


@over_seeds(5)
@pytest.mark.parametrize(
    ("how", "reason", "within"), [("is_busy", "busy", 1), ("rejects", "decline", 1), ("never_answers", "noAnswer", 31)]
)
def test_a_dial_that_fails_tells_everybody_why(world: World, how: str, reason: str, within: float):
    """Source: PROTOCOL 9.3.5."""
    getattr(world.sim.phone(A), how)()
    handle = dial(world, [A], tag="t")
    early = [handle.wait_for_answered(), handle.wait_for_ended(), handle.wait_for("calling.call.play")]
    world.run(within)
    for wait in [*early, handle.wait_for_answered(), handle.wait_for_ended()]:
        with pytest.raises(DialFailedError, match=rf"Dial failed \(tag=t\): {reason}") as failed:
            wait.get(timeout=5)
        assert failed.value.code == -1
    (told,) = world.seen(handle, DialFailed)
    assert (told.tag, told.error) == ("t", failed.value)
    assert (handle.state, handle.end_reason) == ("ended", reason)
    assert world.sent("calling.end") == []
    world.run(2)
    assert world.call_actors() == []
    with pytest.raises(DialFailedError):
        handle.wait_for_answered().get(timeout=5)


@over_seeds(5)
def test_a_dial_that_the_server_refuses_fails_with_its_words(world: World):
    """Source: PROTOCOL 9.1."""
    world.start()
    world.sim.reject_next("calling.dial", code="402", message="Payment required")
    handle = dial(world, [A])
    with pytest.raises(CommandRejectedError, match="Payment required"):
        handle.wait_for_answered().get(timeout=5)
    assert isinstance(world.seen(handle, DialFailed)[0].error, CommandRejectedError)
    assert (handle.state, handle.end_reason) == ("ended", "failed")


@over_seeds(5)
def test_a_dial_that_takes_too_long_is_given_up_and_what_rings_is_hung_up(world: World):
    """Source: PROTOCOL 9.3.6. The time counts from the acceptance."""
    handle = dial(world, [A, B], tag="t", dial_timeout=10)
    ringing = [world.sim.phone(number).rings() for number in (A, B)]
    with pytest.raises(DialFailedError, match=r"Dial timed out waiting for answer \(tag=t\)"):
        handle.wait_for_answered().get(timeout=10.5)
    assert world.clock.now() == pytest.approx(10, abs=0.1)
    for line in ringing:
        line.is_hung_up()
        assert line.end_reason == "cancel"
    assert len(world.sent("calling.end")) == 2


@pytest.mark.parametrize("late_s", [0.5, 30])
def test_a_leg_that_is_answered_after_its_dial_was_given_up_is_hung_up(world: World, late_s: float):
    """Also when its actor is gone: it would run on, unowned (PROTOCOL 9.3.6, 18.10)."""
    handle = by_hand(world, dial_timeout=5)
    world.run(5 + late_s)
    assert (world.call_actors() == []) == (late_s > 1)
    leg_event(world, "t", "late", "answered")
    dial_event(world, "t", "answered", "late")
    world.settle()
    assert [params["call_id"] for params in world.sent("calling.end")] == ["late"]
    assert handle.state == "ended"


@over_seeds(20)
def test_a_leg_that_is_answered_at_the_moment_in_which_the_actor_goes_is_hung_up(world: World):
    """Between the actor, which knows the dial, and the connection, which remembers it, there is no gap."""
    by_hand(world, dial_timeout=5)
    world.dispatcher.call_at(6.0, lambda: leg_event(world, "t", "late", "answered"))
    world.run(10)
    assert [params["call_id"] for params in world.sent("calling.end")] == ["late"]


@over_seeds(5)
def test_a_leg_that_turns_up_after_its_dial_was_cancelled_is_hung_up(world: World):
    """The server may have begun to ring before it can be known here; the phone must not ring on."""
    handle = dial(world, [A], tag="t")
    line = world.sim.phone(A).rings()  # here nobody knows of it yet
    handle.hangup().get(timeout=5)
    line.is_hung_up(within=1)
    assert len(world.sent("calling.end")) == 1


def test_a_leg_that_is_answered_when_its_call_is_over_is_hung_up(world: World):
    """The dial was won long ago by another: this one is nobody's, too."""
    by_hand(world)
    world.settle()
    dial_event(world, "t", "answered", "won")
    leg_event(world, "t", "won", "ended")
    world.run(10)
    assert world.call_actors() == []
    leg_event(world, "t", "late", "answered")
    world.settle()
    assert [params["call_id"] for params in world.sent("calling.end")] == ["late"]


# -- before the answer -------------------------------------------------------------------------------------------------


@over_seeds(5)
def test_hanging_up_while_dialling_cancels(world: World):
    """What rings is hung up; who waits is told."""
    handle = dial(world, [A], tag="t")
    line = world.sim.phone(A).rings()
    wait = handle.wait_for_answered()
    assert handle.hangup().get(timeout=5) == {}
    with pytest.raises(DialFailedError, match=r"Dial cancelled \(tag=t\)"):
        wait.get(timeout=5)
    line.is_hung_up()
    assert line.end_reason == "cancel"
    assert [type(message) for message in world.seen(handle, DialFailed)] == [DialFailed]
    assert handle.hangup().get(timeout=5) == {}
    assert len(world.sent("calling.end")) == 1
    assert len(world.seen(handle, DialFailed)) == 1
    assert handle.end_reason == "cancel"


def test_what_the_server_says_to_a_dial_that_was_cancelled_is_too_late(world: World):
    """Who waits has been told, once."""
    world.start()
    world.sim.answer_late("calling.dial", seconds=0.5)
    world.sim.reject_next("calling.dial", code="500")
    handle = dial(world, [A])
    handle.hangup().get(timeout=5)
    world.run(0.9)
    assert [type(message.error) for message in world.seen(handle)] == [DialFailedError]


def test_an_actor_that_hangs_up_in_its_handler_is_not_called_inside_itself(world: World):
    """A handler that is entered a second time before it has returned would not expect it."""
    depth: list[int] = []

    class Cancels(Witness):
        inside = 0

        def on_receive(self, message: object) -> None:
            self.inside += 1
            depth.append(self.inside)
            if isinstance(message, DialEvent):
                self.hangup()
            super().on_receive(message)
            self.inside -= 1

    handle = dial(world, [A], actor_class=Cancels)
    world.run(1)
    assert set(depth) == {1}
    assert [type(message) for message in world.seen(handle)] == [DialEvent, DialFailed]


def test_an_actor_that_cancels_as_it_starts_is_told_so(world: World):
    """Nothing else happens that could bring the news along."""

    class Regrets(Witness):
        def on_start(self) -> None:
            self.start_timer("regret", "regret", 1.0)

        def on_receive(self, message: object) -> None:
            if message == "regret":
                self.hangup()
            super().on_receive(message)

    handle = by_hand(world, actor_class=Regrets)
    world.run(1.5)
    assert [message if message == "regret" else type(message) for message in world.seen(handle)] == [
        "regret",
        DialFailed,
    ]


@over_seeds(5)
@pytest.mark.parametrize("raises", [False, True])
def test_a_dial_that_is_cancelled_before_it_was_sent_is_not_made(world: World, raises: bool):
    """A phone would ring for nothing: `on_start` runs before the dial is begun, and may cancel it, or fail for good."""

    class ThinksBetterOfIt(Witness):
        max_restarts = 0

        def on_start(self) -> None:
            if raises:
                raise RuntimeError("the number is on the list of those who want no calls")
            self.hangup()

    handle = dial(world, [A], actor_class=ThinksBetterOfIt)
    with pytest.raises(DialFailedError, match="cancelled"):
        handle.wait_for_answered().get(timeout=5)
    world.run(5)
    assert world.sent("calling.dial") == []
    assert handle.state == "ended"


@over_seeds(5)
@pytest.mark.parametrize("is_read", [True, False])
def test_a_command_before_the_answer_is_refused_with_a_clear_text(world: World, is_read: bool):
    """There is no leg yet that it could name. Who does not read it is told."""
    handle = dial(world, [A], tag="t")
    world.sim.phone(A).rings()
    text = r"was not sent: nobody has answered the dial yet \(tag=t\)\. Wait for it: wait_for_answered\(\)"
    futures = [handle.perform(Hold()), handle.play_tts("Hello"), handle.play_tts("Hello").wait()]
    if is_read:
        for future in futures:
            with pytest.raises(NotSentError, match=text):
                future.get(timeout=5)
    world.settle()
    told = world.seen(handle, CommandFailed)
    assert len(told) == (0 if is_read else 2)
    assert all(isinstance(failed.error, NotSentError) for failed in told)
    assert world.methods() == ["calling.dial"]


def test_a_command_before_the_answer_is_refused_in_the_handler_as_well(world: World):
    """Told in a turn of its own: who has just called a verb has had no time to look at the reply."""

    class Hasty(Witness):
        def on_start(self) -> None:
            self.play_tts("Hello")
            self.perform(Hold()).add_done_callback(lambda reply: self.data.setdefault("read", []).append(reply.error))

    handle = by_hand(world, actor_class=Hasty)  # no event comes that could bring it along
    world.settle()
    assert [failed.command.method for failed in world.seen(handle, CommandFailed)] == ["calling.play"]
    assert [type(error) for error in handle.data["read"]] == [NotSentError]


def test_a_wait_before_the_answer_may_take_too_long_without_harm(world: World):
    handle = dial(world, [A])
    with pytest.raises(TimeoutError):
        handle.wait_for_answered(timeout=1).get()
    world.sim.phone(A).rings().answers()
    handle.wait_for_answered(timeout=1).get()


@over_seeds(5)
def test_a_tag_that_is_in_use_is_refused(world: World):
    """Its events would go to the other dial (PROTOCOL 9.1)."""
    handle = dial(world, [A], tag="t")
    with pytest.raises(ConfigError, match="tag='t' is in use"):
        dial(world, [B], tag="t")
    world.settle()
    with pytest.raises(ConfigError, match="in use"):
        dial(world, [B], tag="t")
    handle.hangup()
    world.run(5)
    world.sim.phone(B).answers()
    assert dial(world, [B], tag="t").wait_for_answered().get(timeout=5)


@over_seeds(10)
def test_an_actor_that_crashes_while_it_dials_dials_once(world: World):
    """The dial goes on, and its answer reaches the new incarnation (SEMANTICS X8)."""

    class Crashes(Talks):
        def on_receive(self, message: object) -> None:
            if isinstance(message, DialEvent) and message.dial_state == "dialing":
                raise RuntimeError("crash")
            super().on_receive(message)

    handle = dial(world, [A], actor_class=Crashes)
    world.sim.phone(A).rings().answers()
    world.sim.phone(A).hears("reminder")
    assert handle.ref.incarnation == 1
    assert len(world.sent("calling.dial")) == 1


@over_seeds(5)
def test_an_actor_that_is_given_up_while_it_dials_leaves_nothing_ringing(world: World):
    """Proves SEMANTICS X7 for a call that nobody has answered yet."""

    class Broken(CallActor):
        max_restarts = 1

        def on_receive(self, message: object) -> None:
            raise RuntimeError("broken")

    handle = dial(world, [A, B], actor_class=Broken)
    lines = [world.sim.phone(number).rings() for number in (A, B)]
    handle.ref.tell("crash")
    for line in lines:
        line.is_hung_up()
    with pytest.raises(DialFailedError):
        handle.wait_for_answered().get(timeout=5)
    assert world.count("calls.abandoned") == 1


@over_seeds(5)
def test_an_actor_that_is_killed_while_it_dials_leaves_nothing_ringing(world: World):
    """Proves SEMANTICS L7: clean-up does not depend on the actor. And who is answered late is hung up, too."""
    handle = dial(world, [A], tag="t")
    wait = handle.wait_for_answered()
    line = world.sim.phone(A).rings()
    world.settle()
    handle.ref._cell.kill("test")
    line.is_hung_up()
    with pytest.raises(CallEnded):
        wait.get(timeout=5)
    leg_event(world, "t", "late", "answered")
    world.settle()
    assert "late" in [params["call_id"] for params in world.sent("calling.end")]


def end_originator(world: World, handle: CallHandle, how: str) -> None:
    match how:
        case "hangs up":
            handle.hangup()
        case "stops":
            handle.ref.stop(block=False)
        case "stops at once":
            handle.ref.stop(block=False, now=True)
        case "is killed":
            handle.ref._cell.kill("test")
        case "is given up":
            handle.ref.tell("crash")


every_end = pytest.mark.parametrize("how", ["hangs up", "stops", "stops at once", "is killed", "is given up"])


class Fragile(Witness):
    max_restarts = 0

    def on_receive(self, message: object) -> None:
        if message == "crash":
            raise RuntimeError("crash")
        super().on_receive(message)


@over_seeds(3)
@every_end
def test_whatever_ends_who_dials_ends_every_leg(world: World, how: str):
    """Proves SEMANTICS X9, X7: those that ring, and those that the server would have rung next, which knows of no
    cancelled dial (PROTOCOL 9.3.6)."""
    handle = dial(world, [A, B], [C], tag="t", actor_class=Fragile)
    waits = [handle.wait_for_answered(), handle.wait_for_ended()]
    lines = [world.sim.phone(number).rings() for number in (A, B)]
    world.settle()
    end_originator(world, handle, how)
    for line in lines:
        line.is_hung_up(within=10)
    world.run(5)
    states = [call.state for call in world.sim.calls]
    assert states == ["ended"] * 3, "the phone of the next group rings on"
    assert all(wait.is_settled and wait.error is not None for wait in waits)
    ended = [params["call_id"] for params in world.sent("calling.end")]
    assert len(ended) == len(set(ended)) == 3


@over_seeds(3)
@every_end
@pytest.mark.parametrize("late_s", [0.1, 10.0])
def test_a_leg_that_comes_after_the_end_of_who_has_dialled_it_is_hung_up_once(world: World, how: str, late_s: float):
    """Whether its actor is still there or not, and before anybody has picked it up (PROTOCOL 9.3.6, 18.10)."""
    handle = by_hand(world, actor_class=Fragile)
    world.settle()
    leg_event(world, "t", "early", "ringing")
    world.settle()
    end_originator(world, handle, how)
    world.run(3)  # until there is a connection again
    world.run(late_s)
    for call_state in ("ringing", "ending"):
        leg_event(world, "t", "early", call_state)
    for call_state in ("created", "ringing"):
        leg_event(world, "t", "late", call_state)
    leg_event(world, "t", "over", "ended")
    world.settle()
    assert sorted(params["call_id"] for params in world.sent("calling.end")) == ["early", "late"]
    leg_event(world, "t", "late", "answered")
    dial_event(world, "t", "answered", "late")
    world.settle()
    assert len(world.sent("calling.end")) == 2


@over_seeds(5)
def test_a_stop_of_the_application_leaves_nothing_ringing(world: World):
    handle = dial(world, [A, B], tag="t")
    wait = handle.wait_for_answered()
    lines = [world.sim.phone(number).rings() for number in (A, B)]
    world.app.stop()
    assert [line.end_reason for line in lines] == ["cancel", "cancel"]
    with pytest.raises(DialFailedError, match="cancelled"):
        wait.get(timeout=0)


# -- the connection ----------------------------------------------------------------------------------------------------


@over_seeds(10)
def test_a_dial_survives_the_loss_of_the_connection(world: World):
    """Proves SEMANTICS K1: what happened meanwhile is told when the session is resumed. Otherwise than PROTOCOL 6.3,
    where who dials is told of a failure while the other side rings on."""
    handle = dial(world, [A], tag="t")
    line = world.sim.phone(A).rings()
    world.settle()
    with world.sim.socket_down(3):
        world.run(1)
        line.answers()
    event = handle.wait_for_answered().get(timeout=10)
    assert event.call_state == "answered"
    told = [type(message) for message in world.seen(handle)]
    assert told == [DialEvent, ConnectionLost, ConnectionRestored, CallStateEvent, DialEvent] or told == [
        DialEvent,
        ConnectionLost,
        ConnectionRestored,
        DialEvent,
        CallStateEvent,
    ]
    assert len(world.sent("calling.dial")) == 1


def test_the_deadline_of_a_dial_counts_on_while_there_is_no_connection(world: World):
    """Who waits for an answer has been promised so much time, and not so much time of a connection."""
    handle = dial(world, [A], tag="t", dial_timeout=20.0)
    wait = handle.wait_for_answered()
    line = world.sim.phone(A).rings()
    world.settle()
    with world.sim.socket_down(25):
        world.run(18)
        assert not wait.is_settled
        world.run(3)
        with pytest.raises(DialFailedError, match="timed out"):
            wait.get(timeout=0)
    line.is_hung_up(within=30)


@over_seeds(5)
def test_a_dial_fails_when_its_session_is_gone(world: World):
    """Proves SEMANTICS K8: its news would be told to nobody."""
    handle = dial(world, [A], tag="t")
    waits = [handle.wait_for_answered(), handle.wait_for_ended()]
    line = world.sim.phone(A).rings()
    world.settle()
    world.sim.announce_disconnect(restart=True)
    for wait in waits:
        with pytest.raises(DialFailedError, match="Connection closed during dial"):
            wait.get(timeout=10)
    told = [type(message) for message in world.seen(handle) if not isinstance(message, DialEvent)]
    assert told == [ConnectionLost, ConnectionRestored, DialFailed]
    assert world.count("calls.lost") == 1
    assert [params["call_id"] for params in world.sent("calling.end")] == [line.call_id], "in case it can be reached"
    line.hangs_up()


def test_a_dial_that_waits_for_a_connection_is_made_in_the_next_session(world: World):
    """It belongs to none yet."""
    world.start()
    world.sim.phone(A).answers()
    world.sim.announce_disconnect(restart=True, close_after=None)
    world.settle()
    handle = dial(world, [A])
    world.settle()
    world.sim.drop_sockets(clean=True)
    handle.wait_for_answered().get(timeout=10)
    assert len(world.sent("calling.dial")) == 1


@over_seeds(5)
@pytest.mark.parametrize("was_done", [False, True])
def test_a_dial_whose_answer_is_lost_with_the_connection_is_made_once(world: World, was_done: bool):
    """An event of it shows that it was made; if there is none, it is made again, under the same tag (K6)."""
    world.start()
    world.sim.stop_answering("calling.dial", but_do_it=was_done)
    handle = dial(world, [A], tag="t")
    world.settle()
    world.sim.drop_sockets()
    world.sim.resume_answering("calling.dial")
    world.sim.phone(A).rings(within=10).answers()
    handle.wait_for_answered().get(timeout=10)
    assert len(world.sim.calls) == 1
    assert [params["tag"] for params in world.sent("calling.dial")] == ["t"] * (1 if was_done else 2)


def test_a_dial_that_the_server_never_answers_fails(world: World):
    """It is made once more, and then nobody waits any longer for it."""
    world.start()
    world.sim.stop_answering("calling.dial")
    handle = dial(world, [A], tag="t")
    with pytest.raises(RelayError, match=r"Request timeout for calling\.dial"):
        handle.wait_for_answered().get(timeout=60)
    assert len(world.sent("calling.dial")) == 2
    assert world.count("connection.lost") == 0


def test_a_dial_that_is_made_while_there_is_no_connection_is_sent_when_there_is_one(world: World):
    """Requests queue (PROTOCOL 6.4)."""
    world.start()
    world.sim.phone(A).answers()
    with world.sim.socket_down(3):
        world.settle()
        handle = dial(world, [A])
    handle.wait_for_answered().get(timeout=10)


@pytest.mark.parametrize("how", ["cancelled", "killed", "stopped"])
def test_a_dial_that_nobody_wants_any_more_before_there_is_a_connection_is_not_made(world: World, how: str):
    """Somebody would be called for nothing."""
    world.start()
    with world.sim.socket_down(3):
        world.settle()
        handle = dial(world, [A])
        world.settle()
        match how:
            case "cancelled":
                handle.hangup().get(timeout=5)
            case "killed":
                handle.ref._cell.kill("this is a test")
            case _:
                handle.ref.stop(block=False)
        with pytest.raises(DialFailedError if how == "cancelled" else CallEnded):
            handle.wait_for_answered().get(timeout=5)
    world.run(20)
    assert world.sent("calling.dial") == []
    assert world.sim.calls == ()


def test_a_tag_whose_dial_was_in_doubt_when_it_failed_can_be_dialled_again(world: World):
    """What was held back for the one that is over is not held back for the next one (PROTOCOL 9.3.8)."""
    world.start()
    world.sim.stop_answering("calling.dial", times=1)
    first = dial(world, [A], tag="t")
    world.settle()
    world.sim.drop_sockets()
    world.until(lambda: world.count("connection.restored"), within_s=20)
    dial_event(world, "t", "failed")
    with pytest.raises(DialFailedError):
        first.wait_for_answered().get(timeout=5)
    world.sim.phone(A).answers()
    dial(world, [A], tag="t").wait_for_answered().get(timeout=5)


@over_seeds(5)
def test_a_call_survives_the_loss_of_the_connection(world: World):
    """Proves SEMANTICS K1: it is told, its operations go on, and what it says meanwhile is sent later."""
    line, handle = world.answered(Witness)
    action = handle.play_tts("This goes on while nobody can hear of it. " * 5).get(timeout=5)
    with world.sim.socket_down(4):
        world.run(1)
        assert [type(message) for message in world.seen(handle, ConnectionLost)] == [ConnectionLost]
        reply = handle.perform(Hold())
    assert reply.get(timeout=10)["code"] == "200"
    assert action.wait().get(timeout=60).state == "finished"
    (restored,) = world.seen(handle, ConnectionRestored)
    assert restored.resumed is True
    assert 3 < restored.gap_s < 10
    assert not line.is_over


def test_a_dialled_call_survives_the_loss_of_the_connection(world: World):
    """Its dial is over; what is lost is only the connection."""
    world.sim.phone(A).answers()
    handle = dial(world, [A])
    handle.wait_for_answered().get(timeout=5)
    world.sim.drop_sockets()
    world.run(5)
    assert [type(message) for message in world.seen(handle)[-2:]] == [ConnectionLost, ConnectionRestored]
    assert handle.state == "answered"
    assert not world.sim.phone(A).line.is_over


def test_a_hang_up_that_could_not_be_sent_is_sent_when_it_can():
    """As it was asked for. Nothing may be said to a queue that is full, but nobody may be left in silence either."""
    with World(limits=Limits(queued_requests=1)) as world:
        line, handle = world.answered(Witness)
        with world.sim.socket_down(40):
            world.settle()
            handle.perform(Hold())
            with pytest.raises(NotSentError, match="queue full"):
                handle.hangup("busy").get(timeout=1)
        line.is_hung_up(within=60)
        assert [params["reason"] for params in world.sent("calling.end")] == ["busy"]


@over_seeds(5)
def test_a_call_of_a_session_that_is_gone_ends(world: World):
    """Proves SEMANTICS K8: nothing would be heard of it any more. It is hung up, in case it is still there."""
    _line, handle = world.answered(Witness)
    action = handle.play_silence(60).get(timeout=5)
    world.sim.announce_disconnect(restart=True)
    event = handle.wait_for_ended().get(timeout=10)
    assert (event.params["call_state"], handle.end_reason) == ("ended", "lost")
    assert action.wait().get(timeout=5) is event
    told = [type(message) for message in world.seen(handle, ConnectionRestored, CallStateEvent, ActionCompleted)]
    assert told == [CallStateEvent, ConnectionRestored, ActionCompleted, CallStateEvent]
    world.run(10)
    assert world.call_actors() == []
    assert [params["reason"] for params in world.sent("calling.end")] == ["error"]
    assert world.count("calls.lost") == 1


def test_whoever_waits_for_anything_of_a_lost_session_is_told(world: World):
    """Proves SEMANTICS K8: also who waits for the outcome of a command that nobody will ever know."""
    _line, handle = world.answered(Witness)
    world.sim.stop_answering("calling.hold")
    world.sim.stop_answering("calling.record", but_do_it=True)
    play, record = handle.play_silence(60), handle.record()
    waits = [handle.perform(Hold()), play.wait(), record, record.wait(), handle.wait_for_ended(), handle.wait_for("x")]
    world.settle()
    world.sim.announce_disconnect(restart=True)
    world.run(10)
    assert [wait.is_settled for wait in waits] == [True] * len(waits)
    with pytest.raises(CallEnded, match="lost"):
        waits[0].get(timeout=0)


def test_a_refused_resume_ends_the_calls_of_the_old_session(world: World):
    """Proves SEMANTICS K8: the server may have forgotten it without having said so."""
    _line, handle = world.answered(Witness)
    world.sim.forget_sessions()
    world.sim.drop_sockets()
    handle.wait_for_ended().get(timeout=30)
    assert handle.end_reason == "lost"
    assert [message.resumed for message in world.seen(handle, ConnectionRestored)] == [False]


def test_no_end_is_expected_while_nothing_can_be_heard(world: World):
    """The watchdog of a hang-up (SEMANTICS X3) counts only while there is a connection."""
    line, handle = world.answered(Witness)
    world.sim.reject_next("calling.end", code="200", message="accepted, and forgotten")
    handle.hangup().get(timeout=5)
    with world.sim.socket_down(40):
        world.run(30)
        assert handle.state == "answered"
    world.run(5)
    assert handle.state == "answered"
    handle.wait_for_ended().get(timeout=60)  # when it has connected again, and some time more
    assert not line.is_over, "the simulated server has been told to forget the hang-up"


# -- commands from other actors ----------------------------------------------------------------------------------------


class Operator(Actor):
    """Tells a call what to do, as any actor may."""

    def __init__(self, call: Any) -> None:
        super().__init__()
        self._call = call

    def on_receive(self, message: object) -> None:
        self._call.tell(message)


def operate(world: World, handle: CallHandle, *commands: object) -> None:
    operator = world.system.start(Operator, handle.ref)
    for command in commands:
        operator.tell(command)
    world.settle()
    operator.stop()


@over_seeds(5)
def test_other_actors_command_a_call_by_messages(world: World):
    """Executed by the base class, and not handed to the user (DESIGN 4)."""
    line, handle = world.answered(Witness)
    operate(world, handle, Play(media=[{"type": "tts", "text": "An operator speaks."}]), Hold())
    line.hears("operator")
    world.run(5)
    assert [type(message) for message in world.seen(handle, ActionCompleted, Play, Hold)] == [ActionCompleted]
    operate(world, handle, Hangup(reason="busy"))
    line.is_hung_up()
    assert world.methods() == ["calling.answer", "calling.play", "calling.hold", "calling.end"]
    assert handle.end_reason == "busy"


def test_other_actors_control_what_runs_by_its_id(world: World):
    """A command for something that does not run any more is none."""
    _line, handle = world.answered(Witness)
    action = handle.play_silence(60).get(timeout=5)
    for control_id in (action.control_id, "unknown"):
        operate(world, handle, Stop(action_method="calling.play", control_id=control_id))
    assert action.wait().get(timeout=5).state == "finished"
    assert world.methods().count("calling.play.stop") == 1
    assert handle.ref.incarnation == 0


class Sing(ActionCommand):
    """An operation of a dialect that this package does not know."""

    method = "calling.sing"


def test_an_operation_of_another_dialect_can_be_started_by_a_message(world: World):
    """There is no handle and no rule for it: it is over with the call (PROTOCOL 10.5)."""
    line, handle = world.answered(Witness)
    world.sim.reject_next("calling.sing", code="200")
    operate(world, handle, Sing())
    (action,) = handle.leg.actions.values()
    assert (action.command, action.is_settled, action.is_done) == (Sing(control_id=action.control_id), True, False)
    line.hangs_up()
    world.run(1)
    assert action.wait().get(timeout=0).call_state == "ended"


def test_who_asks_a_call_gets_what_its_verb_gives(world: World):
    """A handle to wait with, or a reply."""
    _line, handle = world.answered(Witness)
    action = handle.ref.ask(Play(media=[{"type": "silence", "duration": 60}]), timeout=5)
    assert type(action) is PlayAction
    stopped = handle.ref.ask(Stop(action_method="calling.play", control_id=action.control_id), timeout=5)
    assert stopped.get(timeout=5)["code"] == "200"
    assert action.wait().get(timeout=5).state == "finished"
    assert handle.ref.ask(Stop(action_method="calling.play", control_id="unknown"), timeout=5) is None
    assert handle.ref.ask(Hangup(), timeout=5).get(timeout=5)["code"] == "200"


def test_a_command_that_concerns_no_call_is_a_message_like_any_other(world: World):
    _line, handle = world.answered(Witness)
    command = Dial(devices=[[device(A)]])
    operate(world, handle, command)
    assert world.seen(handle, Dial) == [command]


def test_a_command_that_fails_is_told_to_the_call(world: World):
    _line, handle = world.answered(Witness)
    world.sim.reject_next("calling.hold", code="500")
    operate(world, handle, Hold())
    assert [failed.command for failed in world.seen(handle, CommandFailed)] == [Hold()]
