"""A caller lives through a story, and reports what went otherwise."""

import threading
from collections.abc import Callable

import pytest

from relay_actors import CallActor, RelayApp
from relay_actors.cli.callers import Caller, Part, Stage
from relay_actors.simulator.simulator import Simulator
from tests.cli.conftest import PACE

ADA = Caller(name="Ada", number="+15550001111", part="any", arrives_at_s=0.0, seed="1 Ada")


class Hotel(CallActor):
    """Asks until it is told 7, and then says goodbye."""

    async def run(self) -> None:
        await self.answer()
        while (await self.prompt_tts("Press 7.", {"digits": {"max": 1}}).wait()).digits != "7":
            pass
        await self.play_tts("Goodbye.").wait()


@pytest.fixture
def play(simulator: Simulator, app: RelayApp) -> Callable[..., Part]:
    """Play a story to its end."""
    app.calls("hotel")(Hotel)
    app.start()
    stage = Stage(simulator, pace=PACE, patience_s=2.0)

    def play(story: Callable[[Part], None]) -> Part:
        part = Part(ADA, stage, story)
        part.start()
        part.join()
        return part

    return play


def test_a_story_that_goes_as_told_is_told(play: Callable[..., Part]):
    def story(me: Part) -> None:
        me.dials("hotel")
        me.hears("press 7")
        me.presses("7")
        me.is_hung_up()

    part = play(story)

    assert part.is_told
    assert part.failure == ""
    assert part.line.end_reason == "hangup"


def test_a_story_that_goes_otherwise_is_reported_with_what_happened(play: Callable[..., Part]):
    """The others go on: it is not raised."""

    def story(me: Part) -> None:
        me.dials("hotel")
        me.hears("press 7")
        me.presses("7")
        me.hears("good morning")

    part = play(story)

    assert not part.is_told
    assert "did not hear 'good morning' before the call ended" in part.failure
    assert "pressed 7" in part.failure


def test_a_prompt_that_comes_again_is_reacted_to_again(play: Callable[..., Part]):
    """An actor that was restarted asks once more, and a person answers once more."""
    keys = iter("127")

    def story(me: Part) -> None:
        me.dials("hotel")
        me.follows({"press 7": lambda: me.presses(next(keys))}, until="goodbye")
        me.is_hung_up()

    part = play(story)

    assert part.is_told, part.failure
    assert list(keys) == []


def test_following_without_a_goal_ends_with_the_call(play: Callable[..., Part]):
    def story(me: Part) -> None:
        me.dials("hotel")
        me.follows({"press 7": lambda: me.presses("7")})

    part = play(story)

    assert part.is_told, part.failure
    assert part.line.is_over


def test_following_in_vain_says_what_was_waited_for(play: Callable[..., Part]):
    def story(me: Part) -> None:
        me.dials("hotel")
        me.follows({"press 7": lambda: me.presses("7")}, until="good morning")

    part = play(story)

    assert "waiting for 'good morning'" in part.failure


def test_an_interrupted_demo_interrupts_whoever_waits(simulator: Simulator):
    """Ctrl-C does not wait for the last guest to arrive."""
    stage = Stage(simulator, pace=1.0, patience_s=60.0)
    part = Part(
        Caller(name="Ada", number="+1555", part="any", arrives_at_s=3600.0, seed=""),
        stage,
        lambda me: me.dials("hotel"),
    )
    part.start()
    stage.is_over.set()
    part.join()

    assert part.failure == "interrupted"
    assert part.phone.lines == ()


def test_waiting_for_something_that_never_comes_is_reported(simulator: Simulator):
    stage = Stage(simulator, pace=PACE, patience_s=0.05)

    def story(me: Part) -> None:
        me.awaits(me.stage.ready("nobody"), "for nobody")

    part = Part(ADA, stage, story)
    part.start()
    part.join()

    assert part.failure == "Ada waited in vain: for nobody"


def test_what_is_chosen_on_the_way_comes_from_the_seed(simulator: Simulator):
    """The same seed presses the same keys after the same thought."""
    stage = Stage(simulator, pace=PACE, patience_s=1.0)
    draws = [Part(ADA, stage, lambda me: None).random.random() for _ in range(2)]

    assert draws[0] == draws[1]


def test_everybody_on_stage_shares_one_cue(simulator: Simulator):
    stage = Stage(simulator, pace=PACE, patience_s=1.0)

    assert stage.ready("cut") is stage.ready("cut")
    assert isinstance(stage.ready("other"), threading.Event)
    assert stage.ready("other") is not stage.ready("cut")
