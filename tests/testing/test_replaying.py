"""What was recorded of a simulator or of a journal is replayed; a changed application shows what it has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay_actors import CallActor, RelayApp
from relay_actors.errors import ConfigError
from relay_actors.simulator.wire_log import LoggedFrame
from relay_actors.testing import Recording, Replayed, Said, replay, replays
from relay_actors.testing.lab import Lab
from tests.support.cutting import Cut, CuttingConnector
from tests.testing.recorded import AGENT, CALLER, STORIES, Ivr, Operator, an_app, calls_again, lived

SEEDS = 5


def of_frames(story: str, *, keeps_words: bool = False) -> Recording:
    recording = Recording.from_frames(lived(story)[0], keeps_words=keeps_words)
    return Recording.parse(recording.text())


def app_of(story: str) -> RelayApp:
    return an_app(Operator if story == "a bridge" else Ivr)


def replayed(actor_class: type[CallActor], story: str = "an IVR") -> Replayed:
    return replay(of_frames(story), an_app(actor_class), outside=calls_again)


@pytest.mark.parametrize("story", STORIES)
def test_what_was_recorded_of_a_simulator_replays_without_difference(story: str):
    """Proves SEMANTICS V7."""
    replays(of_frames(story), app_of(story), seeds=SEEDS, outside=calls_again)


@pytest.mark.parametrize("story", STORIES)
def test_what_was_recorded_of_a_journal_replays_without_difference(story: str):
    """Proves SEMANTICS V7."""
    recording = Recording.from_entries(lived(story)[1])
    assert recording.source == "journal"
    replays(Recording.parse(recording.text()), app_of(story), seeds=SEEDS, outside=calls_again)


@pytest.mark.parametrize("keeps_words", [False, True])
def test_what_another_seed_would_have_given_is_no_difference(keeps_words: bool):
    """A recording is of one order of what happened at one moment, and a replay of another."""
    for seed in range(2, 2 + SEEDS):
        recording = Recording.from_frames(lived("a bridge", seed)[0], keeps_words=keeps_words)
        replays(recording, an_app(Operator), outside=calls_again)


class OtherPrompt(Ivr):
    greeting = "Hello."


class NoGreeting(CallActor):
    """The same without its first prompt."""

    async def run(self) -> None:
        await self.answer()
        asked = await self.prompt_tts("Press two keys.", {"digits": {"max": 2}, "initial_timeout": 60.0})
        keys = (await asked.wait()).digits
        recording = await self.record({"initial_timeout": 0.0, "end_silence_timeout": 0.0})
        await self.sleep(2.0)
        await recording.stop()
        await (await self.play_tts(f"You have pressed {keys}.")).wait()
        await self.hangup()


class OtherOrder(CallActor):
    """Begins to record before it asks."""

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("Welcome to the company.")).wait()
        recording = await self.record({"initial_timeout": 0.0, "end_silence_timeout": 0.0})
        asked = await self.prompt_tts("Press two keys.", {"digits": {"max": 2}, "initial_timeout": 60.0})
        keys = (await asked.wait()).digits
        await self.sleep(2.0)
        await recording.stop()
        await (await self.play_tts(f"You have pressed {keys}.")).wait()
        await self.hangup()


class SaysMore(Ivr):
    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("Please hold the line.", volume=3.0)).wait()
        await super().run()


class Silent(CallActor):
    """Answers, and says nothing more."""

    async def run(self) -> None:
        await self.answer()
        await self.wait_for_ended()


class Confused(Ivr):
    """Stops what it has not begun."""

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts(self.greeting)).wait()
        self.app.send_message(to_number=CALLER, from_number=CALLER, body="You are calling us.")
        await super().run()


def test_another_prompt_is_the_only_difference_and_is_shown_with_both_texts():
    """What is said now is shown in full; what was said then as far as the recording knows it."""
    found = replayed(OtherPrompt)
    [difference] = found.differences
    assert (difference.kind, difference.method, difference.call_id) == ("changed", "calling.play", "call-1")
    assert [change.path for change in difference.changes] == ["play.0.params.text"]
    assert '"Hello."' in str(difference)
    [other] = replay(of_frames("an IVR", keeps_words=True), an_app(OtherPrompt)).differences
    assert str(other) == 'calling.play on call-1: play.0.params.text is "Hello.", and was "Welcome to the company."'


def test_one_command_less_is_the_only_difference():
    """What belonged to it is not played, and all that follows is."""
    found = replayed(NoGreeting)
    assert [str(one) for one in found.differences] == ["calling.play on call-1 was not sent"]


def test_another_order_is_shown_as_that():
    """All was sent, and the run comes to its end."""
    found = replayed(OtherOrder)
    assert [(one.kind, one.method) for one in found.differences] == [("order", "calling.play_and_collect")]


def test_a_silent_application_misses_all_that_it_does_not_send():
    """The server goes on without it, until the caller hangs up."""
    found = replayed(Silent)
    assert {one.kind for one in found.differences} == {"missing"}
    methods = [one.method.removeprefix("calling.") for one in found.differences]
    assert methods == ["play", "play_and_collect", "record", "record.stop", "play", "end"]


def test_a_text_too_many_is_shown():
    """Of no call: also what was sent beside the calls is compared."""
    kinds = [(one.kind, one.method) for one in replayed(Confused).differences]
    assert ("surplus", "messaging.send") in kinds


def test_a_prompt_too_many_is_shown_where_it_was_said():
    """Its first difference stands where the paths part."""
    first = replayed(SaysMore).differences[0]
    assert first.method == "calling.play"
    assert first.kind in ("changed", "surplus")


def test_the_check_fails_with_a_chart_that_marks_the_first_difference():
    """Proves SEMANTICS V7: as a person reads it."""
    found = replay(of_frames("an IVR", keeps_words=True), an_app(OtherPrompt))
    with pytest.raises(AssertionError) as raised:
        found.check()
    text = str(raised.value)
    lines = text.splitlines()
    assert lines[0].startswith("the recording, seed 0: calling.play on call-1: play.0.params.text is")
    marked = [line for line in lines if line.startswith(">")]
    assert '<-- calling.play call-1 control-1 "Hello."' in marked[0]
    assert 'recorded: calling.play call-1 control-1 "Welcome to the company."' in marked[1]
    at = lines.index(marked[0])
    assert any("calling.call.state call-1 answered" in line and line.endswith("-->") for line in lines[:at])
    assert any("calling.call.play call-1 control-1 playing" in line for line in lines[at:])
    replay(of_frames("an IVR"), an_app()).check()


def test_nothing_that_was_done_from_outside_is_missing_when_nobody_does_it():
    """Without ``outside`` it is told which dial was not made."""
    [first, *_] = replay(of_frames("a dial"), an_app()).differences
    assert (first.kind, first.method) == ("missing", "calling.dial")


def test_what_is_done_from_outside_is_asked_for_once_and_when_it_is_due():
    """The command of then is given, so that it can be done again."""
    asked: list[tuple[str, object]] = []

    def outside(app: RelayApp, command: Said) -> object:
        asked.append((command.name, command.at))
        return calls_again(app, command)

    replay(of_frames("a dial"), an_app(), outside=outside).check()
    assert asked == [("calling.dial", 0.0)]
    asked.clear()
    replay(of_frames("texts"), an_app(), outside=outside).check()
    assert asked == [("messaging.send", 20.0)]  # the other text answers one that came


def test_a_recording_that_ends_within_a_call_allows_what_comes_after_it():
    """A journal ends where the process has died."""
    frames: tuple[LoggedFrame, ...] = lived("an IVR")[0]
    begins = next(place for place, frame in enumerate(frames) if frame.method == "calling.record")
    recording = Recording.from_frames(frames[:begins])
    assert not recording.has_ended("call-1")
    replays(recording, an_app(), seeds=SEEDS)
    assert replay(recording, an_app(OtherPrompt)).differences


def test_a_refused_command_is_refused_again():
    """Also what went wrong is part of a real call."""

    class Hopeful(CallActor):
        async def run(self) -> None:
            await self.answer()
            try:
                await self.play_tts("Hello.")
            except Exception:  # noqa: BLE001  # whatever the refusal is
                await self.hangup("busy")

    app = an_app(Hopeful)
    with Lab() as lab:
        lab.start(app)
        lab.sim.reject_next("calling.play", code=500, message="Out of order")
        lab.phone(CALLER).dials(context="support").is_hung_up()
        recording = Recording.from_frames(lab.sim.frames)
    assert [one.body["reason"] for one in recording.said if one.name == "calling.end"] == ["busy"]
    replays(recording, app, seeds=SEEDS)


class Regulars(CallActor):
    """Knows somebody by their number."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("Hello, Ada." if self.from_number == CALLER else "Hello.").wait()


def test_numbers_that_the_application_knows_can_be_told_to_it():
    """They are in the test then, and not in the recording."""
    app = an_app(Regulars)
    with Lab() as lab:
        lab.start(app)
        lab.phone(CALLER).dials(context="support").is_hung_up()
        lab.settle()
        recording = Recording.from_frames(lab.sim.frames)
    assert CALLER not in recording.text()
    assert [one.kind for one in replay(recording, app).differences] == ["changed"]
    replays(recording, app, numbers=[CALLER])


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_run_with_a_lost_connection_replays_as_one_without(side: str):
    """What was sent again is one command, and what came again one event (SEMANTICS K3, K6, V7)."""
    undisturbed = Cut()
    of_cut(undisturbed)
    for at in range(2, undisturbed.length, 5):
        replays(of_cut(Cut(at, after=side == "after")), an_app(Operator))


def of_cut(cut: Cut) -> Recording:
    with Lab(1) as lab:
        lab.connector = CuttingConnector(lab.connector, cut)  # type: ignore[assignment, arg-type]  # as good as that
        lab.start(an_app(Operator))
        agent = lab.phone(AGENT).answers_after(1.0)
        caller = lab.phone(CALLER).dials(context="support")
        lab.advance(30.0)
        agent.hangs_up()
        caller.is_hung_up(within=60.0)
        lab.advance(30.0)
        cut.story_ends()
        return Recording.from_frames(lab.sim.frames)


def test_a_path_will_do_and_is_told(tmp_path: Path):
    """As a test of somebody's has it."""
    path = tmp_path / "calls" / "17.jsonl"
    of_frames("an IVR").write(path)
    replays(path, an_app())
    with pytest.raises(AssertionError, match=r"17\.jsonl, seed 0: calling\.play"):
        replays(path, an_app(OtherPrompt))


@pytest.mark.parametrize("seeds", [0, -1, True, "5"])
def test_a_replay_under_no_seed_is_refused(seeds: int):
    """It would pass whatever the application does."""
    with pytest.raises(ConfigError, match=r"seeds=.*: give the number of seeds, 1 or more"):
        replays(of_frames("an IVR"), an_app(Ivr), seeds=seeds)


def test_what_cannot_be_replayed_is_refused():
    """Each with what to do."""
    with pytest.raises(ConfigError, match="give the application"):
        replay(of_frames("an IVR"), Ivr)  # type: ignore[arg-type]  # that is the point
    raw = Recording(of_frames("an IVR").said, is_named=False)
    with pytest.raises(ConfigError, match="relay-actors record"):
        replay(raw, an_app())
