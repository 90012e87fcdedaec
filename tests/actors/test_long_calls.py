"""Long calls: their past in the journal is summed up, and nobody notices (SEMANTICS J4, J6, J8)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from relay_actors import ActionCompleted, CallActor
from relay_actors.config import Limits
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, ConnectEvent, PlayEvent
from relay_actors.journal.entries import (
    CallStarted,
    Entry,
    Snapshot,
)
from tests.actors.compacted_world import SUMS_UP_OFTEN, KeepingWorld, Night, rebuilt, summed_up
from tests.actors.mortal_world import MortalWorld
from tests.actors.test_recovery import DESK, STORIES, Handler
from tests.actors.world import CALLER, CONTEXT, device
from tests.support.thorough import IS_THOROUGH, less


def let_call(world: MortalWorld, actor_class: type[CallActor]) -> Any:
    """Let somebody call, who presses keys now and then; return their phone."""
    phone = world.sim.phone(CALLER)
    phone.reacts("Press your number", presses="123", after=2.0)
    phone.reacts("Round 1", presses="7", after=0.3)
    phone.reacts("Round 3", presses="8", after=0.3)
    world.takes_calls(actor_class)
    phone.dials(context=CONTEXT)
    return phone


def heard(phone: Any) -> list[str]:
    """Return what a phone has heard, in words."""
    return [str(sound) for sound in phone.line.heard]


def told(world: KeepingWorld) -> list[list[Entry]]:
    """Return all that the journal has held of the one call, one after the other, and each only once."""
    seen: list[list[Entry]] = []
    for held in world.held:
        for entries in held.values():
            if isinstance(entries[0], Snapshot) or any(isinstance(entry, CallStarted) for entry in entries):
                seen += [] if seen and seen[-1] == entries else [entries]
    return seen


# -- the law -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("actor_class", [Handler, Night])
def test_what_is_rebuilt_from_a_past_that_was_summed_up_is_the_same(actor_class: type[CallActor]) -> None:
    """At every place of a story at which that is possible: state, data, timers, operations, open commands. J4."""
    with KeepingWorld(limits=SUMS_UP_OFTEN) as world:
        phone = let_call(world, actor_class)
        world.live(60.0)
        assert phone.line.is_over
    count = 0
    for entries in told(world):
        shorter = summed_up(entries)
        if shorter is not None:
            count += 1
            assert len(shorter) <= len(entries)
            assert rebuilt(shorter) == rebuilt(entries), f"{len(entries)} entries"
    assert count > 20


# A handler's callback that takes long has no checkpoint before its end, unless its past is too long: then it is lost.
@pytest.mark.parametrize("name", [name for name in STORIES if name not in ("handler", "awaits in callbacks")])
def test_a_flow_whose_past_was_too_long_is_rebuilt_alike_too(name: str) -> None:
    """From a few entries on nothing of it is run again, but its call is known. J4."""
    story = STORIES[name]
    with KeepingWorld(limits=Limits(journal_entries_per_call=1, recorded_per_call=12)) as world:
        phone = story.begin(world)
        world.live(100.0)
        assert phone.line.is_over
    shortened = [(entries, summed_up(entries)) for entries in told(world)]
    compared = [(entries, shorter) for entries, shorter in shortened if shorter is not None]
    assert len(compared) > 10
    for entries, shorter in compared[::3]:
        assert rebuilt(shorter) == rebuilt(entries), f"{len(entries)} entries"


class Busy(CallActor):
    """A handler that was dialled, that connects its caller to a desk, and crashes, again and again."""

    def on_start(self) -> None:
        self.data["starts"] = self.data.get("starts", 0) + 1

    def on_receive(self, message: object) -> None:
        match message:
            case CallStateEvent(call_state="answered"):
                self.data["rounds"] = 0
                self.start_timer("watch", "look", 2.0, interval_s=2.0, durable=True)
                self.connect([[device(DESK, timeout=30)]])
            case ConnectEvent(connect_state="disconnected") if self.data["rounds"] < 3:
                self.data["rounds"] += 1
                self.play_tts(f"Round {self.data['rounds']}")
            case ActionCompleted(event=PlayEvent()) if self.data["rounds"] < 3:
                self.connect([[device(DESK, timeout=30)]])
                if self.data["rounds"] != self.data.get("crashed"):
                    self.data["crashed"] = self.data["rounds"]
                    raise ValueError("once a round")
            case ActionCompleted(event=PlayEvent()):
                self.hangup()


def test_dials_bridges_crashes_and_orders_of_others_are_rebuilt_alike() -> None:
    """Legs that have not won, who was talked to, which incarnation it is, and what somebody else has begun. J4, X9."""
    with KeepingWorld(limits=SUMS_UP_OFTEN) as world:
        first, second, desk = (world.sim.phone(number) for number in (CALLER, "+15550002222", DESK))
        first.answers_after(3.0)
        second.answers_after(5.0)
        desk.answers_after(1.0)
        desk.reacts_when("answered", after=2.0, hangs_up=True)
        world.start()
        handle = world.app.dial(Busy, [[device(CALLER), device("+15550002222")]], tag="busy")
        for after_s in (4.0, 8.0):
            world.live(after_s)
            handle.record({"end_silence_timeout": 100.0, "initial_timeout": 300.0})
        world.live(60.0)
        assert first.line.is_over, first.line.story()
        assert len([sound for sound in first.line.heard if "Round" in str(sound)]) == 3
    count = 0
    for entries in told(world):
        shorter = summed_up(entries)
        if shorter is not None:
            count += 1
            assert rebuilt(shorter) == rebuilt(entries), f"{len(entries)} entries"
    assert count > 20


def disturbed(seed: int, *, sums_up: bool) -> tuple[KeepingWorld, list[str]]:
    """Let a long call happen, with a server that falls silent and sockets that break; return what was heard, too."""
    random = Random(seed)
    with KeepingWorld(seed, sums_up=sums_up, limits=SUMS_UP_OFTEN) as world:
        phone = let_call(world, Night)
        for _ in range(6):
            at = world.clock.now() + random.uniform(0, 15)
            if random.random() < 0.5:
                world.dispatcher.call_at(at, world.sim.drop_sockets)
            else:
                world.dispatcher.call_at(at, world.sim.stop_answering)
            world.dispatcher.call_at(at + random.uniform(0.1, 30), world.sim.resume_answering)
        world.live(120.0)
        known = heard(phone)
        if not phone.line.is_over:
            phone.hangs_up()
    return world, known


@pytest.mark.parametrize("seed", [1, 8] if IS_THOROUGH else [8])
def test_summing_up_again_and_again_loses_nothing_in_trouble_either(seed: int) -> None:
    """Two processes with the same fate, of which one sums up: at every commit both would be rebuilt alike. J4, J5."""
    keeps, heard_by_one = disturbed(seed, sums_up=False)
    sums_up, heard_by_other = disturbed(seed, sums_up=True)
    assert heard_by_one == heard_by_other
    assert len(keeps.held) == len(sums_up.held)
    last: object = None
    longest = 0
    step = less(7, 3)
    for all_of_it, rest in list(zip(keeps.held, sums_up.held, strict=True))[seed % step :: step]:
        for subject, entries in all_of_it.items():
            if subject in rest and entries != last and any(isinstance(entry, CallStarted) for entry in entries):
                last = entries
                assert rebuilt(rest[subject]) == rebuilt(entries), f"{len(entries)} entries"
                longest = max(longest, len(entries))
    shortest = max(len(entries) for held in sums_up.held for entries in held.values())
    assert shortest < longest / 2


# -- the process dies --------------------------------------------------------------------------------------------------


class ShortNight(Night):
    """A night that is soon over."""

    rounds = 3


@pytest.mark.parametrize(
    ("actor_class", "step"), [(Handler, 1), (ShortNight, 1)] if IS_THOROUGH else [(Handler, 9), (ShortNight, 13)]
)
def test_a_process_that_sums_up_may_die_at_any_place(actor_class: type[CallActor], step: int) -> None:
    """Also right before and right after the commit of what was summed up. The person hears all, once. J4, J5, X8."""

    def story(dies_at: int | None) -> tuple[int, list[str]]:
        with MortalWorld(limits=SUMS_UP_OFTEN) as world:
            phone = let_call(world, actor_class)
            begun_at = world.places
            world.dies_at = None if dies_at is None else begun_at + dies_at
            world.live(90.0)
            assert phone.line.is_over, phone.line.story()
            assert world.deaths == (dies_at is not None)
            return world.places - begun_at, heard(phone)

    count, words = story(None)
    assert words
    for place in range(1, count + 1, 1 if IS_THOROUGH else step):
        _count, known = story(place)
        assert known == words, f"{place} of {count}"


class Recovered(Night):
    """Tells what it was told of commands that are pending."""

    pending: list[str]

    def on_recovered(self, pending: Sequence[Any]) -> None:
        type(self).pending = [command.method for command in pending]


def test_a_command_that_is_pending_outlives_the_past_before_it() -> None:
    """It was given before the summing up, is known after the end of the process, and is carried out once. J4, J5."""
    with MortalWorld(limits=SUMS_UP_OFTEN) as world:
        phone = let_call(world, Recovered)
        world.live(3.2)
        world.sim.stop_answering()
        world.live(1.5)
        for _ in range(10):  # something that the handler handles, so that there are checkpoints
            phone.presses("4")
            world.live(0.2)
        entries = world.tree.wire.journal.entries(phone.line.call_id)
        assert isinstance(entries[0], Snapshot)
        assert [intent.method for intent in entries[0].pending] == ["calling.denoise", "calling.play"]
        world.dies()
        world.sim.resume_answering()
        world.lives_again(after_s=0.5)
        world.live(60.0)
        assert Recovered.pending == ["calling.denoise", "calling.play"]
        assert phone.line.is_over
        assert heard(phone).count("Round 3") == 1


def test_an_event_that_went_with_the_past_is_still_known_when_it_comes_again() -> None:
    """What was not acknowledged before the end of the process is sent again, and told once. K3, J4."""
    with MortalWorld(limits=SUMS_UP_OFTEN) as world:
        phone = let_call(world, Night)
        world.live(5.0)
        history = world.tree.wire.journal.history(phone.line.call_id)
        assert history.summed_up
        sent = {frame.frame["id"] for frame in world.sim.frames.sent() if frame.event_type.startswith("calling.")}
        assert len(sent) > 10
        assert sent <= {*history.frame_ids}
        phone.hangs_up()


# -- how long it becomes -----------------------------------------------------------------------------------------------


class Counter(CallActor):
    """Counts keys."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.collect(digits={"max": 1}, continuous=True, control_id="keys")
            case CollectEvent():
                self.data["keys"] = self.data.get("keys", 0) + 1


def test_a_call_with_thousands_of_events_has_a_short_journal() -> None:
    """However long a handler's call is, no more is kept than a thousand entries and what is open. J8."""
    with MortalWorld() as world:
        phone = let_call(world, Counter)
        world.live(1.0)
        call_id, most = phone.line.call_id, 0
        digits = {"call_id": call_id, "control_id": "keys", "state": "collecting", "final": False}
        for number in range(5_000):
            result = {"type": "digit", "params": {"digits": str(number % 10)}}
            world.tells("calling.call.collect", {**digits, "result": result})
            if number % 50 == 49:
                world.settle()
                most = max(most, len(world.medium.entries[call_id]))
        assert most < 1100
        world.dies()
        world.lives_again()
        [cell] = world.call_actors()
        assert cell.ref.kept.leg.data["keys"] == 5_000
        assert cell.ref.kept.leg.actions.keys() == {"keys"}
        phone.hangs_up()


def test_what_others_tell_a_handler_does_not_stay_for_ever_either() -> None:
    """A handler to which the wire says nothing has checkpoints, too. J8."""
    with MortalWorld(limits=Limits(journal_entries_per_call=50)) as world:
        phone = let_call(world, Counter)
        world.live(1.0)
        ref = world.app.call(phone.line.call_id).ref  # type: ignore[union-attr]
        for number in range(500):
            ref.tell(f"message {number}")
            world.settle()
        assert len(world.medium.entries[phone.line.call_id]) < 120
        phone.hangs_up()


def test_a_summing_up_that_fails_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """All stays as it was, the call goes on, and it is tried again when there is twice as much. J6."""
    with caplog.at_level(logging.ERROR, "relay_actors.journal"), KeepingWorld(limits=SUMS_UP_OFTEN) as world:
        phone = let_call(world, Night)
        world.live(60.0)
        assert phone.line.is_over
        assert len(heard(phone)) == 8
    assert not any(isinstance(entry, Snapshot) for entries in told(world) for entry in entries)
    assert 2 <= len(caplog.records) <= 8
    assert "could not be summed up" in caplog.text


# -- flows -------------------------------------------------------------------------------------------------------------


class Endless(CallActor):
    """A flow that has no end, and knows how often it has begun."""

    async def run(self) -> None:
        await self.answer()
        begun = self.data.setdefault("begun", [])
        begun.append(str(self.flow_changed or "at first"))
        while True:
            self.data["round"] = self.data.get("round", 0) + 1
            await (await self.play_tts(f"Round {self.data['round']}")).wait()
            await self.sleep(1)


def test_a_flow_whose_past_is_too_long_begins_anew_in_a_new_process() -> None:
    """It is told why, and has its data, as they were at its last turn. Its journal stays short. J4, J8, X8."""
    with MortalWorld(limits=Limits(recorded_per_call=60, journal_entries_per_call=30)) as world:
        phone = let_call(world, Endless)
        world.live(100.0)
        words = heard(phone)
        assert len(words) > 50
        assert len(world.medium.entries[phone.line.call_id]) < 80
        world.dies()
        world.lives_again(after_s=0.5)
        world.live(10.0)
        [cell] = world.call_actors()
        assert cell.ref.kept.leg.data["begun"] == ["at first", "its past was too long to be kept"]
        assert heard(phone)[: len(words)] == words
        rounds = [int(text.split()[1]) for text in heard(phone)]
        assert rounds == sorted(set(rounds)), "no round was lived twice"
        phone.hangs_up()


def test_a_flow_goes_on_where_it_was_as_long_as_its_past_is_kept() -> None:
    """Below the limit nothing is given up. X8."""
    with MortalWorld(limits=Limits(journal_entries_per_call=10)) as world:
        phone = let_call(world, Endless)
        world.live(20.0)
        world.dies()
        world.lives_again(after_s=0.5)
        world.live(5.0)
        [cell] = world.call_actors()
        assert cell.ref.kept.leg.data["begun"] == ["at first"]
        phone.hangs_up()


class Lucky(CallActor):
    """A flow that crashes once, and draws a number after that."""

    crashes = 0

    async def run(self) -> None:
        await self.answer()
        if self.data.setdefault("begun", 0) == 0:
            self.data["begun"] = 1
            type(self).crashes += 1
            raise ValueError("once")
        drawn = self.random.randrange(10**9)
        await (await self.play_tts(f"Lucky {drawn}")).wait()
        await self.sleep(5)
        await (await self.play_tts(f"Lucky {drawn}")).wait()


def test_a_flow_that_has_begun_anew_draws_the_same_numbers_when_it_is_run_again() -> None:
    """They are those of its second beginning, and not of its first one. X8."""
    with MortalWorld(limits=SUMS_UP_OFTEN) as world:
        phone = let_call(world, Lucky)
        world.live(3.0)
        world.dies()
        world.lives_again(after_s=0.5)
        world.live(30.0)
        [first, second] = heard(phone)
        assert first == second
