"""Verbs that wait, and listeners. A state is a level: who asks for one that has been passed is not left waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relay_actors.errors import ArgumentError, CallEnded
from relay_actors.events import CallStateEvent, HoldEvent, PlayEvent, RelayEvent
from relay_actors.protocol.commands import Hold, Unhold
from tests.actors.world import Witness, World, over_seeds

STATES = ["created", "ringing", "answered", "ending", "ended"]
WAITS = {"wait_for_ringing": 1, "wait_for_answered": 2, "wait_for_ending": 3, "wait_for_ended": 4}


@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("reached", range(len(STATES)))
def test_a_state_that_has_been_reached_or_passed_is_not_waited_for(world: World, name: str, reached: int):
    """Source: PROTOCOL 8.4."""
    _line, handle = world.inbound(Witness)
    if reached:
        world.tells("calling.call.state", {**handle.leg.ids, "call_state": STATES[reached]})
        world.until(lambda: handle.state == STATES[reached])
    wait = getattr(handle, name)()
    world.settle()
    assert wait.is_settled == (reached >= WAITS[name])
    if wait.is_settled:
        event = wait.get(timeout=0)
        assert event.event_type == "calling.call.state"
        assert event.params["call_state"] == STATES[reached]


@over_seeds(10)
@pytest.mark.parametrize("timeout", [0, -1.5])
def test_a_state_that_has_been_reached_is_there_also_for_who_has_no_time(world: World, timeout: float):
    """What is left of a deadline may be nothing; what is waited for is there."""
    line, handle = world.answered(Witness)
    assert handle.wait_for_answered(timeout=timeout).get(timeout=5).call_state == "answered"
    with pytest.raises(TimeoutError):
        handle.wait_for_ended(timeout=timeout).get(timeout=5)
    line.hangs_up()
    world.settle()
    assert handle.wait_for_ended(timeout=timeout).get(timeout=5).call_state == "ended"


@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("skipped_to", range(1, len(STATES)))
def test_a_state_that_is_skipped_counts_as_reached(world: World, name: str, skipped_to: int):
    """The reference waits for the exact state, and hangs (PROTOCOL 18.5)."""
    _line, handle = world.inbound(Witness)
    wait = getattr(handle, name)()
    world.settle()
    world.tells("calling.call.state", {**handle.leg.ids, "call_state": STATES[skipped_to]})
    world.settle()
    assert wait.is_settled == (skipped_to >= WAITS[name])


@over_seeds(10)
def test_who_waits_for_the_answer_learns_that_the_call_ended_unanswered(world: World):
    """A state is a level: the event says which one it is (PROTOCOL 8.4)."""
    line, handle = world.inbound(Witness)
    wait = handle.wait_for_answered()
    line.hangs_up()
    event = wait.get(timeout=5)
    assert isinstance(event, CallStateEvent)
    assert (event.call_state, event.end_reason) in {("ending", "abandoned"), ("ended", "abandoned")}


def test_a_wait_for_a_state_gives_the_event_that_brought_it(world: World):
    line, handle = world.answered(Witness)
    wait = handle.wait_for_ended()
    line.hangs_up()
    event = wait.get(timeout=5)
    assert isinstance(event, CallStateEvent)
    assert (event.call_state, event.end_reason, event.call_id) == ("ended", "hangup", handle.call_id)
    assert handle.wait_for_ended().get(timeout=5) is event


def test_a_time_out_harms_neither_the_wait_of_another_nor_a_later_one(world: World):
    """In the reference it destroys the future that all share (PROTOCOL 18.5)."""
    line, handle = world.answered(Witness)
    patient, hasty = handle.wait_for_ended(), handle.wait_for_ended(timeout=1)
    with pytest.raises(TimeoutError, match="state ended did not happen within 1 s"):
        hasty.get(timeout=5)
    with pytest.raises(TimeoutError):
        handle.wait_for_ended(timeout=0.5).get()
    line.hangs_up()
    assert patient.get(timeout=5) is handle.wait_for_ended().get(timeout=5)


def test_the_next_event_of_a_type_is_waited_for(world: World):
    _line, handle = world.answered(Witness)
    wait = handle.wait_for("calling.call.hold")
    handle.perform(Hold())
    assert wait.get(timeout=5).params["state"] == "hold"


def test_a_predicate_chooses_among_events(world: World):
    _line, handle = world.answered(Witness)
    wait = handle.wait_for("calling.call.hold", lambda event: event.params["state"] == "unhold")
    handle.perform(Hold()).get(timeout=5)
    world.settle()
    assert not wait.is_settled
    handle.perform(Unhold())
    assert wait.get(timeout=5).params["state"] == "unhold"


def test_an_event_that_is_waited_for_reaches_the_actor_as_well(world: World):
    _line, handle = world.answered(Witness)
    wait = handle.wait_for("calling.call.hold")
    handle.perform(Hold())
    wait.get(timeout=5)
    assert len(world.seen(handle, HoldEvent)) == 1


def test_what_a_predicate_raises_is_raised_where_somebody_waits(world: World):
    """It must neither take the event from the others nor crash the call."""
    _line, handle = world.answered(Witness)
    wrong = handle.wait_for("calling.call.hold", lambda event: event.params["no such key"])
    right = handle.wait_for("calling.call.hold")
    handle.perform(Hold())
    with pytest.raises(KeyError, match="no such key"):
        wrong.get(timeout=5)
    assert right.get(timeout=5).params["state"] == "hold"
    assert len(world.seen(handle, HoldEvent)) == 1
    assert handle.ref.incarnation == 0


@over_seeds(10)
def test_a_wait_for_an_event_ends_with_the_call(world: World):
    """Whatever ends while something waits for it ends the wait (SEMANTICS X2)."""
    line, handle = world.answered(Witness)
    wait = handle.wait_for("calling.call.hold")
    line.hangs_up()
    with pytest.raises(CallEnded, match="hangup"):
        wait.get(timeout=5)
    with pytest.raises(CallEnded):
        handle.wait_for("calling.call.hold").get(timeout=5)


def test_waits_that_were_given_up_are_not_kept(world: World):
    """Somebody who asks every second for an hour must not fill the memory."""
    _line, handle = world.answered(Witness)
    for _ in range(50):
        with pytest.raises(TimeoutError):
            handle.wait_for("calling.call.hold", timeout=0.1).get(timeout=1)
    assert len(handle.leg.waits) <= 1


@pytest.mark.parametrize("from_inside", [True, False])
def test_a_listener_is_called_with_every_event_of_its_type(world: World, from_inside: bool):
    heard: list[RelayEvent] = []

    class Listens(Witness):
        def on_start(self) -> None:
            if from_inside:
                self.on("calling.call.hold", heard.append)

    _line, handle = world.answered(Listens)
    if not from_inside:
        handle.on("calling.call.hold", heard.append)
    for command in (Hold(), Unhold(), Hold()):
        handle.perform(command).get(timeout=5)
    world.settle()
    assert [event.params["state"] for event in heard] == ["hold", "unhold", "hold"]
    assert all(isinstance(event, HoldEvent) for event in heard)


def test_an_error_in_one_listener_harms_neither_the_others_nor_the_call(world: World, caplog: pytest.LogCaptureFixture):
    """Proves SEMANTICS X13."""
    heard: list[RelayEvent] = []

    def broken(_event: RelayEvent) -> None:
        raise ValueError("broken listener")

    async def broken_later(_event: RelayEvent) -> None:
        raise ValueError("broken coroutine")

    _line, handle = world.answered(Witness)
    for listener in (broken, broken_later, heard.append):
        handle.on("calling.call.hold", listener)
    handle.perform(Hold()).get(timeout=5)
    world.settle()
    assert len(heard) == 1
    assert handle.ref.incarnation == 0
    assert [record.exc_info[1].args for record in caplog.records if record.exc_info and record.exc_info[1]] == [
        ("broken listener",),
        ("broken coroutine",),
    ]


def test_a_listener_may_be_a_coroutine_function(world: World):
    """It is driven in the call's turns, beside the flow, and can await replies."""
    order: list[Any] = []

    class Listens(Witness):
        def on_start(self) -> None:
            self.on("calling.call.hold", self.on_hold)

        async def on_hold(self, event: RelayEvent) -> None:
            if event.params["state"] == "hold":
                await self.sleep(1)
                order.append((await self.perform(Unhold()))["code"])

    _line, handle = world.answered(Listens)
    handle.perform(Hold())
    world.until(lambda: order)
    assert order == ["200"]
    assert world.methods()[-1] == "calling.unhold"


def test_a_listener_that_waits_when_the_call_ends_ends_in_silence(world: World, caplog: pytest.LogCaptureFixture):
    """That a call ends is no error."""
    raised: list[BaseException] = []

    class Listens(Witness):
        def on_start(self) -> None:
            self.on("calling.call.hold", self.on_hold)

        async def on_hold(self, _event: RelayEvent) -> None:
            try:
                await self.sleep(3600)
            except CallEnded as ended:
                raised.append(ended)
                raise

    line, handle = world.answered(Listens)
    handle.perform(Hold()).get(timeout=5)
    world.settle()
    line.hangs_up()
    world.until(lambda: raised)
    assert not [record for record in caplog.records if record.exc_info]


def test_a_listener_of_a_crashed_incarnation_is_not_called_any_more(world: World):
    """The new incarnation brings its own: it would hear everything twice, and once on a dead object."""
    heard: list[int] = []

    class Crashes(Witness):
        def on_start(self) -> None:
            me = self._cell.incarnation
            self.on("calling.call.hold", lambda _event: heard.append(me))

        def on_receive(self, message: object) -> None:
            if message == "crash":
                raise RuntimeError("crash")

    outside: list[RelayEvent] = []
    _line, handle = world.answered(Crashes)
    handle.on("calling.call.hold", outside.append)
    handle.ref.tell("crash")
    world.until(lambda: handle.ref.incarnation == 1)
    handle.perform(Hold()).get(timeout=5)
    world.settle()
    assert heard == [1]
    assert len(outside) == 1


@pytest.mark.parametrize("handler", [None, "on_hold", 7])
def test_what_cannot_be_called_is_no_listener(world: World, handler: Callable[..., Any]):
    _line, handle = world.inbound(Witness)
    with pytest.raises(TypeError, match="must be a function"):
        handle.on("calling.call.hold", handler)


@pytest.mark.parametrize("name", [*WAITS, "wait_for"])
def test_a_time_that_is_none_is_refused_before_anything_waits(world: World, name: str):
    """What a script gets wrong is said at its line."""
    _line, handle = world.inbound(Witness)
    arguments = ("calling.call.hold",) if name == "wait_for" else ()
    with pytest.raises(ArgumentError, match="timeout must be a number of seconds"):
        getattr(handle, name)(*arguments, timeout="5")
    world.settle()
    assert handle.leg.waits == ()


@pytest.mark.parametrize("verb", ["on", "wait_for"])
def test_the_type_of_an_event_is_wanted_as_text_and_the_class_says_which(world: World, verb: str):
    """A class would never be equal to what the wire says, and nobody would hear anything."""
    _line, handle = world.inbound(Witness)
    use = getattr(handle, verb)
    says = rf'{verb}\(PlayEvent, …\): write the type of the event as text, "calling\.call\.play"; .* next\(PlayEvent\)'
    with pytest.raises(TypeError, match=says):
        use(PlayEvent, print)
    for wrong in (RelayEvent, 17, None):
        with pytest.raises(TypeError, match=r'as text, "calling\.call\.play"$'):
            use(wrong, print)
