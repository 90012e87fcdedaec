"""What a class says in ``on_give_up`` is done, whatever the call and the connection are doing at that moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from relay_actors import Apologise, CallActor, CallHandle, HandTo, HangUp, LeaveUp, TransferTo
from relay_actors.actors.give_up import ANSWERED, BEFORE_ANSWER, BRIDGED
from relay_actors.events import CallReceiveEvent
from relay_actors.simulator import Line
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import OURS, Witness, World, device, over_seeds

AGENT = "+15550100101"
PHASES = (BEFORE_ANSWER, ANSWERED, BRIDGED)


class CrashError(Exception):
    """Something that nobody has foreseen."""


class Sorry(CallActor):
    """Takes over."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("This is somebody else.").wait()


class Broken(CallActor):
    """Takes over, and fails, too."""

    on_give_up = HandTo(Sorry)

    def on_start(self) -> None:
        raise CrashError


class Unmakeable(CallActor):
    """Takes over, and cannot even be made."""

    def __init__(self) -> None:
        raise CrashError


POLICIES = {
    "hang_up": HangUp("busy"),
    "apologise": Apologise("We are out of order."),
    "transfer": TransferTo("context:sales"),
    "hand": HandTo(Sorry),
    "hand_to_broken": HandTo(Broken),
    "hand_to_unmakeable": HandTo(Unmakeable),
    "default": None,
}


BEGINS: dict[str, Callable[[Any], object]] = {
    "aio": lambda call: call.aio(asyncio.sleep(1)),
    "blocking": lambda call: call.blocking(str),
    "race": lambda call: call.race(call.aio(asyncio.sleep(1)), call.sleep(2)),
    "sleep": lambda call: call.sleep(1),
    "timer": lambda call: call.start_timer("key", "message", 1.0, durable=True),
    "pipe": lambda call: call.pipe_to_self(call.aio(asyncio.sleep(1)), survive_restart=True),
    "play": lambda call: call.play_silence(1, on_completed=print),
}
"""What code may have begun, and is to hear of a second later."""


def fragile(policy: Any, phase: str = "") -> type[CallActor]:
    """Return a class that crashes when it is told to, and is not restarted."""
    says = {} if policy is None else {"on_give_up": {phase: policy} if phase else policy}

    class Fragile(Witness):
        max_restarts: ClassVar[int] = 0

        def on_receive(self, message: object) -> None:
            super().on_receive(message)
            if message == "crash":
                raise CrashError

    return type("Fragile", (Fragile,), says)


def up_to(world: World, phase: str, actor_class: type[CallActor]) -> tuple[Line, CallHandle]:
    """Bring a call into a phase."""
    if phase == BEFORE_ANSWER:
        line, handle = world.inbound(actor_class)
        world.settle()
        return line, handle
    line, handle = world.answered(actor_class)
    if phase == BRIDGED:
        world.sim.phone(AGENT).answers()
        handle.connect([[device(AGENT)]])
        world.until(lambda: handle.leg.is_bridged)
        line.talks_to(world.sim.phone(AGENT).line)
    return line, handle


@contextmanager
def connection(world: World, *, is_up: bool) -> Iterator[None]:
    """Let something happen while the socket is there, or just not."""
    if is_up:
        yield
        return
    with world.sim.socket_down(seconds=3):
        world.until(lambda: not world.tree.wire.protocol.is_ready)
        yield


# -- the matrix ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_in_every_phase_ends_the_call_at_most_once(world: World, policy: str, phase: str, is_up: bool):
    """X7: {policy} x {phase} x {socket up, down}. Exactly one hang-up, or none where others have the call."""
    line, handle = up_to(world, phase, fragile(POLICIES[policy], phase))
    with connection(world, is_up=is_up):
        handle.ref.tell("crash")
        world.settle()
    world.run(25)
    others_have_it = policy == "transfer" or (phase == BRIDGED and policy not in ("hang_up", "apologise", "hand"))
    assert len(world.sent("calling.end")) == (0 if others_have_it else 1)
    assert line.is_over is not others_have_it
    transferred = [params["dest"] for params in world.sent("calling.transfer")]
    assert transferred == (["context:sales"] if policy == "transfer" else [])
    if policy != "hand":  # somebody has taken it over in earnest
        assert world.count("calls.abandoned") == 1
    if phase == BRIDGED and others_have_it and policy != "transfer":
        line.talks_to(world.sim.phone(AGENT).line)
        world.sim.phone(AGENT).line.hangs_up()
        line.is_hung_up()
        assert [params["reason"] for params in world.sent("calling.end")] == ["hangup"]


# -- what is heard ---------------------------------------------------------------------------------------------------


@over_seeds(3)
@pytest.mark.parametrize("phase", [BEFORE_ANSWER, ANSWERED])
def test_an_apology_is_heard_and_what_was_playing_is_not(world: World, phase: str):
    """X7: who was not answered yet is answered for it."""
    line, handle = up_to(world, phase, fragile(Apologise("We are out of order.", language="en-GB")))
    if phase == ANSWERED:
        handle.play_tts("Please hold the line, " * 50)
        world.run(1)
    handle.ref.tell("crash")
    line.hears("out of order")
    line.is_hung_up()
    assert [params["reason"] for params in world.sent("calling.end")] == ["error"]
    assert world.sent("calling.play")[-1]["play"][0]["params"]["language"] == "en-GB"


@pytest.mark.parametrize("fault", ["refused", "late", "no end"])
def test_a_call_is_hung_up_also_when_the_apology_cannot_be_heard(world: World, fault: str):
    """X7: the prompt fails, or takes longer than it may."""
    line, handle = up_to(world, ANSWERED, fragile(Apologise("Sorry. " * 400, within_s=4.0)))
    if fault == "refused":
        world.sim.reject_next("calling.play", code="500")
    elif fault == "late":
        world.sim.answer_late("calling.play", seconds=8)
    begun = world.clock.now()
    handle.ref.tell("crash")
    line.is_hung_up()
    assert world.clock.now() - begun < 6.0
    world.run(30)
    assert len(world.sent("calling.end")) == 1


def test_a_call_that_cannot_be_answered_for_an_apology_is_hung_up(world: World):
    """X7."""
    line, handle = up_to(world, BEFORE_ANSWER, fragile(Apologise()))
    world.sim.reject_next("calling.answer", code="500")
    handle.ref.tell("crash")
    line.is_hung_up(within=2.0)
    assert world.sent("calling.play") == []


def test_a_caller_who_goes_during_the_apology_leaves_nothing_behind(world: World):
    """X7, X4: the prompt ends a moment before the call does, so that one hang-up may cross its end."""
    line, handle = up_to(world, ANSWERED, fragile(Apologise("Sorry. " * 50)))
    handle.ref.tell("crash")
    line.hears("sorry")
    line.hangs_up()
    world.run(30)
    assert len(world.sent("calling.end")) <= 1
    assert world.call_actors() == []


def test_a_transfer_that_is_refused_is_a_hang_up(world: World):
    """X7."""
    line, handle = up_to(world, ANSWERED, fragile(TransferTo("context:sales")))
    world.sim.reject_next("calling.transfer", code="500")
    handle.ref.tell("crash")
    line.is_hung_up()
    assert [params["reason"] for params in world.sent("calling.end")] == ["error"]


@over_seeds(3)
def test_who_takes_over_has_the_same_call_and_data(world: World):
    """X7, X8."""
    line, handle = up_to(world, ANSWERED, fragile(HandTo(Sorry)))
    handle.data["name"] = "Ada"
    before = handle.ref
    handle.ref.tell("crash")
    line.hears("somebody else")
    assert before.actor_class is Sorry
    assert handle.data["name"] == "Ada"
    line.is_hung_up()
    assert world.count("calls.abandoned") == 0


def test_handing_over_is_told_with_who_takes_over(world: World, caplog: pytest.LogCaptureFixture):
    """X7, O3: in the log, and why it came to that can still be seen in the tree."""

    class Twice(Witness):
        max_restarts: ClassVar[int] = 1
        on_give_up = HandTo(Sorry)

        def on_receive(self, message: object) -> None:
            if message == "crash":
                raise CrashError

    _line, handle = world.answered(Twice)
    for _ in range(2):
        handle.ref.tell("crash")
        world.settle()
    [told] = [record.getMessage() for record in caplog.records if "call given up" in record.getMessage()]
    assert told.endswith("phase=answered then=HandTo(Sorry)")
    assert [line.attempt for line in world.system.inspect(handle.ref).restarts] == [1]


@pytest.mark.parametrize("phase", PHASES)
def test_two_classes_that_hand_to_each_other_do_not_go_on_for_ever(world: World, phase: str):
    """X7: handed on once; then the second one's call is ended, or left bridged."""

    class One(Witness):
        max_restarts: ClassVar[int] = 0

        def on_receive(self, message: object) -> None:
            raise CrashError

    class Other(One):
        pass

    One._by_phase = dict.fromkeys(PHASES, HandTo(Other))
    Other._by_phase = dict.fromkeys(PHASES, HandTo(One))
    line, handle = up_to(world, phase, fragile(HandTo(One), phase))
    for _ in range(4):
        handle.ref.tell("crash")
    line.is_hung_up()
    world.run(5)
    assert len(world.sent("calling.end")) == 1


# -- dials -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["hang_up", "apologise", "transfer", "default"])
@pytest.mark.parametrize("rings", [True, False])
def test_a_dial_that_nobody_has_answered_is_cancelled(world: World, policy: str, rings: bool):
    """X7, X9: whoever is rung has not called us, and needs no excuse."""
    world.start()
    phone = world.sim.phone(AGENT).never_answers()
    handle = world.app.dial(fragile(POLICIES[policy]), [[device(AGENT)]])
    if rings:
        phone.rings()
    handle.ref.tell("crash")
    world.run(5)
    assert phone.line.is_over
    assert [params["reason"] for params in world.sent("calling.end")] == ["cancel"]
    world.run(5)
    assert world.call_actors() == []


# -- bridged calls ---------------------------------------------------------------------------------------------------


@over_seeds(5)
def test_a_crash_in_a_bridged_call_leaves_the_bridge_up(world: World):
    """X7, X8: neither a restart nor the end of all restarts sends anything."""

    class Fragile(Witness):
        max_restarts: ClassVar[int] = 2

        def on_receive(self, message: object) -> None:
            super().on_receive(message)
            if message == "crash":
                raise CrashError

    line, handle = up_to(world, BRIDGED, Fragile)
    agent = world.sim.phone(AGENT).line
    sent = world.methods()
    for incarnation in (1, 2, 3):
        handle.ref.tell("crash")
        world.run(1)
        assert handle.ref.incarnation == incarnation
        assert world.methods() == sent
        line.talks_to(agent)
    world.run(3600)
    line.talks_to(agent)
    line.hangs_up()
    world.run(5)
    assert world.methods() == sent
    assert world.call_actors() == []


def test_a_bridge_that_has_ended_is_none(world: World):
    """X7: the caller is alone again, and is not left in silence."""
    line, handle = up_to(world, BRIDGED, fragile(None))
    world.sim.phone(AGENT).line.hangs_up()
    world.until(lambda: not handle.leg.is_bridged)
    handle.ref.tell("crash")
    line.is_hung_up()
    assert [params["reason"] for params in world.sent("calling.end")] == ["error"]


def test_a_bridged_call_that_is_left_up_can_still_be_told_what_to_do(world: World):
    """Its handle is good: who has taken over does what others ask."""
    line, handle = up_to(world, BRIDGED, fragile(None))
    handle.ref.tell("crash")
    world.settle()
    handle.hangup("busy").get(timeout=5)
    line.is_hung_up()
    assert [params["reason"] for params in world.sent("calling.end")] == ["busy"]


def test_a_call_that_is_given_up_is_told_of_in_one_line(world: World, caplog: pytest.LogCaptureFixture):
    """X7: what was done, and in which phase."""
    with caplog.at_level(logging.ERROR, "relay_actors.calls"):
        _line, handle = up_to(world, BRIDGED, fragile(None))
        handle.ref.tell("crash")
        world.settle()
    assert f"call given up call_id={handle.call_id} phase=bridged then=LeaveUp" in caplog.text


def test_a_message_for_a_class_that_was_given_up_harms_nothing(world: World):
    """Others do not know yet."""
    line, handle = up_to(world, BRIDGED, fragile({BRIDGED: LeaveUp()}))
    handle.ref.tell("crash")
    handle.ref.tell("anybody there?")
    world.settle()
    assert handle.ref.incarnation == 1
    line.talks_to(world.sim.phone(AGENT).line)


@pytest.mark.parametrize("phase", [ANSWERED, BRIDGED])
@pytest.mark.parametrize("begins", BEGINS)
def test_what_the_crashed_code_has_still_begun_harms_nothing(phase: str, begins: str):
    """X7: with a journal its result is told in a turn: there is nobody any more who wants it."""

    class Fragile(Witness):
        max_restarts: ClassVar[int] = 0
        on_give_up = Apologise("We are out of order.")

        def on_receive(self, message: object) -> None:
            super().on_receive(message)
            if message == "crash":
                BEGINS[begins](self)
                raise CrashError

    with MortalWorld() as world:
        line, handle = up_to(world, phase, Fragile)
        handle.ref.tell("crash")
        world.run(3600)
        if phase == BRIDGED:
            line.talks_to(world.sim.phone(AGENT).line).hangs_up()
        else:
            line.hears("out of order").is_hung_up()
        assert world.count("actors.failed") == 1
        world.run(60)


def test_a_handler_that_crashes_on_the_offer_declines_the_call(world: World):
    """X7: by default."""

    class Hopeless(CallActor):
        max_restarts: ClassVar[int] = 0

        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                raise CrashError

    line, _handle = world.inbound(Hopeless)
    line.is_hung_up()
    assert [params["reason"] for params in world.sent("calling.end")] == ["decline"]
    assert line.number != OURS
