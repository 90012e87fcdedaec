"""One call's actor alone: what happens to the call, and which commands follow."""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

import pytest

from relay_actors import (
    ActionCompleted,
    CallActor,
    CommandFailed,
    MessageActor,
    StateMachine,
    StateTimeout,
    Timing,
    in_state,
    on_enter,
)
from relay_actors.commands import (
    Answer,
    Collect,
    Dial,
    Hangup,
    Pause,
    Play,
    PlayAndCollect,
    Record,
    SendDigits,
    Transfer,
)
from relay_actors.errors import ArgumentError, ConfigError, DialFailedError
from relay_actors.events import (
    CallReceiveEvent,
    CallStateEvent,
    CollectEvent,
    ConnectEvent,
    DialEvent,
    PlayEvent,
    RecordEvent,
    RelayEvent,
)
from relay_actors.testing import CallKit, actor_kit, no_leaks


class Menu(CallActor):
    """Message style."""

    def on_receive(self, message: object) -> None:
        self.data.setdefault("seen", []).append(message)
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.prompt_tts("1 or 2?", {"digits": {"max": 1}})
            case ActionCompleted(event=CollectEvent(digits="1")):
                self.transfer("context:sales")
            case ActionCompleted(event=CollectEvent(speech="operator")):
                self.transfer("context:operator")
            case ActionCompleted(event=CollectEvent()):
                self.hangup("busy")
            case "remind":
                self.start_timer("remind", "now", 30.0)
            case "now":
                self.play_tts("Still there?")
            case "crash":
                raise ValueError("told to")
            case CommandFailed(error=error):
                self.data["failed"] = str(error)


class Talk(CallActor):
    """Flow style."""

    async def run(self) -> None:
        if self.direction == "inbound":
            await self.answer()
            await self.wait_for_answered()
        recording = await self.record()
        await self.play_tts(f"Hello {self.data.get('name', 'you')}.").wait()
        await self.sleep(600)
        self.data["url"] = (await recording.wait()).url
        await self.hangup()


def answered(kit: CallKit) -> CallKit:
    kit.arrives()
    kit.expect(Answer)
    kit.answered()
    return kit


@no_leaks()
def test_a_call_in_message_style_is_followed_step_by_step():
    """From the offer to the transfer, with who calls, and in which context."""
    with CallKit(Menu) as kit:
        kit.arrives(context="support", from_number="+15550002222", to_number="+15559998888")
        assert (kit.call.call_context, kit.call.from_number, kit.call.to_number) == (
            "support", "+15550002222", "+15559998888",
        )  # fmt: skip
        kit.expect(Answer)
        assert kit.call.state == "created"
        kit.answered()
        assert kit.expect(PlayAndCollect).collect == {"digits": {"max": 1}}
        kit.presses("1")
        assert kit.expect(Transfer).dest == "context:sales"
        assert [type(command) for command in kit.commands] == [Answer, PlayAndCollect, Transfer]
        assert not kit.is_hung_up


def test_a_call_in_flow_style_is_followed_in_virtual_time():
    """SEMANTICS V2: ten minutes in which nothing happens take no time."""
    with CallKit(Talk) as kit:
        answered(kit)
        recording, _hello = kit.expect_in_order(Record, Play)
        kit.completes(Play)
        kit.completes(recording, RecordEvent("calling.call.record", state="finished", url="https://x/1.wav"))
        kit.expect_no_command(599)
        kit.expect(Hangup, within=2)
        assert kit.is_hung_up
        assert kit.data["url"] == "https://x/1.wav"
        kit.ended()
        kit.advance(5.0)
        assert kit.has_stopped


class Blocking(CallActor):
    """The same in blocking Python."""

    def run(self) -> None:
        self.answer().get()
        self.wait_for_answered().get()
        self.data["digits"] = self.prompt_tts("1?", {"digits": {"max": 1}}).wait().get().digits
        self.data["looked up"] = self.blocking(str.upper, "ann").get()
        self.hangup()


@no_leaks()
def test_a_flow_in_blocking_python_is_followed_too():
    """With what it has done elsewhere."""
    with CallKit(Blocking) as kit:
        answered(kit)
        kit.expect(PlayAndCollect)
        kit.presses("1")
        kit.expect(Hangup)
        assert kit.data == {"digits": "1", "looked up": "ANN"}


class DialsOther(CallActor):
    """Answers when somebody else has answered."""

    async def run(self) -> None:
        device = {"type": "phone", "params": {"from_number": "+15559990000", "to_number": "+15550100101"}}
        await self.app.dial(Talk, device).wait_for_answered()
        await self.answer()
        await self.wait_for_ended()


def test_a_call_that_the_actor_dials_is_one_of_the_applications(caplog: pytest.LogCaptureFixture):
    """The test answers in place of the server; at the end it is over like the first."""
    with CallKit(DialsOther) as kit:
        kit.arrives()
        tag = kit.expect(Dial).tag
        winner = {"call_id": "other", "node_id": "n", "tag": tag, "device": {}, "dial_winner": True}
        kit.receives(DialEvent, tag=tag, dial_state="answered", call=winner)
        kit.expect_in_any_order(Answer, Record, Play)

    assert "hanging up" not in caplog.text
    assert not any(isinstance(command, Hangup) for command in kit.commands)


class Step(Enum):
    """Where a caller is."""

    ASKED = "asked"
    GONE = "gone"


class Machine(StateMachine, CallActor):
    """Written as states."""

    initial_state = Step.ASKED
    moves: ClassVar = {Step.ASKED: [Step.GONE]}

    @on_enter(Step.ASKED)
    def ask(self) -> None:
        self.set_state_timeout(20.0)

    @in_state(Step.ASKED, StateTimeout)
    def give_up(self, _event: StateTimeout) -> None:
        self.go(Step.GONE)

    @on_enter(Step.GONE)
    def say_goodbye(self) -> None:
        self.hangup()


def test_a_call_that_is_written_as_states_is_followed_in_the_same_way():
    """Its time-outs are due in virtual time."""
    with CallKit(Machine) as kit:
        kit.arrives()
        kit.expect_no_command(19.0)
        kit.expect(Hangup, within=2.0)


def test_an_outbound_call_is_dialled_and_answered():
    """The flow begins when somebody answers."""
    with CallKit(Talk) as kit:
        kit.is_dialled(to_number="+15550003333", name="Ann")
        [[device]] = kit.expect(Dial).devices
        assert device["params"]["to_number"] == "+15550003333"
        kit.expect_no_command()
        kit.answered()
        assert (kit.call.state, kit.call.to_number) == ("answered", "+15550003333")
        kit.expect(Record)
        assert "Hello Ann." in str(kit.expect(Play).media)


def test_a_dial_that_nobody_answers_fails():
    """As the server says it, with nothing added by the kit."""
    with CallKit(Talk) as kit:
        kit.is_dialled()
        kit.receives(DialEvent, tag=kit.call.tag, dial_state="failed")
        kit.advance(1.0)
        with pytest.raises(DialFailedError):
            kit.call.wait_for_answered().get(timeout=1.0)
        assert kit.has_stopped


def test_what_was_said_completes_a_collect_too():
    """Each by its own kind of result."""
    with CallKit(Menu) as kit:
        answered(kit)
        kit.expect(PlayAndCollect)
        kit.says("operator", confidence=51.5)
        assert kit.expect(Transfer).dest == "context:operator"
        [completed] = [seen for seen in kit.data["seen"] if isinstance(seen, ActionCompleted)]
        assert isinstance(completed.event, CollectEvent)
        assert completed.event.confidence == 51.5


@pytest.mark.parametrize("result", ["no_input", "no_match"])
def test_an_operation_ends_as_its_params_say(result: str):
    """By the names of the wire."""
    with CallKit(Menu) as kit:
        answered(kit)
        kit.completes(kit.expect(PlayAndCollect), result={"type": result})
        assert kit.expect(Hangup).reason == "busy"


def test_what_does_not_complete_an_operation_is_refused():
    """The test would wait for what can never follow; the text says what would complete it."""
    with CallKit(Menu) as kit:
        answered(kit)
        prompt = kit.expect(PlayAndCollect)
        with pytest.raises(ConfigError, match=r"calling.play_and_collect is not completed by CollectEvent.*Over when"):
            kit.completes(prompt, state="collecting")
        with pytest.raises(ConfigError, match="is not completed by PlayEvent"):
            kit.completes(prompt, PlayEvent("calling.call.play", state="finished"))
        kit.presses("2")
        with pytest.raises(ConfigError, match=r"nothing collects what is pressed or said; what runs: nothing"):
            kit.presses("1")
        with pytest.raises(ConfigError, match=r"PlayAndCollect\(.* does not run; what runs: nothing"):
            kit.completes(prompt)
        with pytest.raises(ConfigError, match=r"Collect does not run"):
            kit.completes(Collect)


class Continuous(CallActor):
    """Hears every key."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.collect(digits={"max": 1}, continuous=True)
            case CollectEvent(digits=digits) if digits:
                self.send_digits(digits)


def test_a_collect_that_goes_on_is_completed_again_and_again():
    """It runs until the server says that it is over."""
    with CallKit(Continuous) as kit:
        answered(kit)
        kit.expect(Collect)
        for key in "12":
            kit.presses(key)
            assert kit.expect(SendDigits).digits == key


def test_a_command_is_refused_once():
    """The next one is accepted again."""
    with CallKit(Menu) as kit:
        kit.rejects_next(PlayAndCollect, "503", "too busy")
        answered(kit)
        kit.expect(PlayAndCollect)
        assert "503: too busy" in kit.data["failed"]


class Recorder(CallActor):
    """Needs what the answer says."""

    async def run(self) -> None:
        await self.answer()
        recording = await self.record()
        self.data["accepted"] = recording.state
        await recording.pause()


def test_an_answer_says_more_or_nothing_at_all():
    """What follows from the first is there; what would follow from the second is not."""
    with CallKit(Recorder) as kit:
        kit.accepts_next(Record, url="https://x/2.wav")
        kit.leaves_unanswered(Pause)
        kit.arrives()
        kit.expect_in_order(Answer, Record, Pause)
        kit.advance(1.0)
        assert kit.ref.is_flow_running  # type: ignore[attr-defined]  # it is a CallRef
        kit.expect_no_command()
        assert isinstance(kit.crashes, list)
        kit.ended()
        assert len(kit.crashes) <= 1


def test_events_are_given_whole_or_by_their_class():
    """With the ids of the call, unless they say others."""
    with CallKit(Menu) as kit:
        answered(kit)
        kit.receives(ConnectEvent, connect_state="connecting")
        kit.receives(ConnectEvent("calling.call.connect", connect_state="connected", peer={"call_id": "peer"}))
        kit.receives(RelayEvent("calling.call.tomorrow", {"new": 1}))
        kit.receives(ConnectEvent, connect_state="failed", call_id="somebody-else")

        seen = [event for event in kit.data["seen"] if isinstance(event, RelayEvent)]
        first, second, third = seen[-3:]
        assert isinstance(first, ConnectEvent)
        assert (first.connect_state, first.call_id) == ("connecting", kit.call.call_id)
        assert isinstance(second, ConnectEvent)
        assert second.peer_call_id == "peer"
        assert (third.event_type, third.params["new"]) == ("calling.call.tomorrow", 1)
        with pytest.raises(ConfigError, match="no class of events on the wire"):
            kit.receives(RelayEvent)
        kit.fish(PlayAndCollect)


def test_timers_are_seen_and_due_in_virtual_time():
    """What others tell the actor is one line, too."""
    with CallKit(Menu) as kit:
        answered(kit)
        kit.tells("remind")
        assert kit.timers == {"remind": 30.0}
        kit.advance(12.0)
        assert kit.timers == {"remind": 18.0}
        kit.fish(Play, within=20.0)
        assert kit.timers == {}


def test_a_crash_is_looked_at_or_fails_the_test():
    """Otherwise the restart hides it: everything that was expected comes all the same."""
    with CallKit(Menu) as kit:
        answered(kit)
        kit.tells("crash")
        [crash] = kit.crashes
        assert str(crash) == "told to"
        assert kit.ref.incarnation == 1

    kit = CallKit(Menu)
    kit.arrives()
    kit.tells("crash")
    with pytest.raises(AssertionError, match=r"Menu has raised ValueError\('told to'\)") as error:
        kit.close()
    assert isinstance(error.value.__cause__, ValueError)


def test_an_error_tells_what_was_raised():
    """Nearly always that is why nothing came."""
    with CallKit(Menu) as kit:
        kit.arrives()
        kit.tells("crash")
        with pytest.raises(AssertionError, match=r"expected no command, but Answer\(\{\}\) came"):
            kit.expect_no_command()
        with pytest.raises(AssertionError, match=r"expected Play(?s:.*)the actor has raised ValueError\('told to'\)"):
            kit.expect(Play, within=0.5)
        assert kit.crashes


def test_the_same_seed_gives_the_same_run():
    """SEMANTICS V3: to the last id."""

    def run(seed: int) -> list[str]:
        with CallKit(Menu, seed=seed) as kit:
            answered(kit)
            kit.presses("1")
            return [kit.call.call_id, *map(repr, kit.commands)]

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_the_application_around_may_have_services_and_times():
    """They are given before the call arrives."""
    kit = CallKit(Menu, timing=Timing(linger_s=7.0))
    answered(kit)
    kit.ended()
    kit.advance(6.0)
    assert not kit.has_stopped
    kit.advance(1.5)
    assert kit.has_stopped
    kit.close()
    kit.close()


class Restless(CallActor):
    """Does so much at one moment that time never goes on."""

    async def run(self) -> None:
        await self.answer()
        while True:
            await self.sleep(0)


def test_an_actor_without_rest_is_told_of_and_ended(monkeypatch: pytest.MonkeyPatch):
    """Otherwise the test would hang."""
    monkeypatch.setattr(actor_kit, "MOST_AT_ONCE", 1000)
    kit = CallKit(Restless)
    with pytest.raises(ConfigError, match="time stands still"):
        kit.arrives()
    kit.close()
    assert not kit.app.is_running


def test_what_is_not_said_first_is_missed():
    """Each text leads to the line that is missing, or is one too many."""
    with CallKit(Menu) as kit:
        for early in (lambda: kit.call, lambda: kit.ref, lambda: kit.data, kit.answered, lambda: kit.tells("x")):
            with pytest.raises(ConfigError, match=r"say first what happens: kit.arrives\(\)"):
                early()
        with pytest.raises(AssertionError, match="expected Answer, but none came"):
            kit.expect(Answer, within=0.0)
        kit.arrives()
        with pytest.raises(ConfigError, match="make another kit for the next"):
            kit.arrives()
        with pytest.raises(ConfigError, match="make another kit for the next"):
            kit.is_dialled()
        assert "of Menu: 1 commands" in repr(kit)


@pytest.mark.parametrize("use", ["expect", "expect_in_order", "rejects_next", "accepts_next", "leaves_unanswered"])
def test_what_no_command_can_be_is_refused(use: str):
    """It would be waited for in vain, or never be refused."""
    with CallKit(Menu) as kit:
        with pytest.raises(ConfigError, match=r"'calling\.play' is text, which no command equals"):
            getattr(kit, use)("calling.play")
        with pytest.raises(ConfigError, match="PlayEvent is an event, which no actor sends"):
            getattr(kit, use)(PlayEvent)


def test_what_no_caller_can_do_is_refused():
    """The actor would be blamed for what it makes of a key that is a number, or of a reason that no server says."""
    with CallKit(Menu) as kit:
        kit.arrives()
        kit.answered()
        for wrong in (1, "x", "1 2", None):
            with pytest.raises(ConfigError, match=r"presses\(.*\): give the keys as text"):
                kit.presses(wrong)  # type: ignore[arg-type]  # that is the mistake
        with pytest.raises(ConfigError, match=r"presses\('x'\): give the keys as text"):
            kit.presses("1", terminator="x")
        for never in (float("inf"), float("nan"), "5", -1):
            with pytest.raises(ConfigError, match=r"advance\(.*\): give a number of seconds"):
                kit.advance(never)  # type: ignore[arg-type]
        with pytest.raises(ArgumentError, match="text must be text"):
            kit.says(5)  # type: ignore[arg-type]
        for wrong in ("no answer", "noanswer", "no_answer"):
            with pytest.raises(ConfigError, match=r"no call ends by '.*'; it probably means 'noAnswer'"):
                kit.ended(wrong)
        assert kit.call.state == "answered"
        kit.ended("whatever a server may say")


def test_a_misspelt_word_tells_which_one_was_meant():
    """Of a kit as of a phone."""
    with CallKit(Menu) as kit, pytest.raises(AttributeError, match="it probably means 'arrives'"):
        kit.arrive()  # type: ignore[attr-defined]


@pytest.mark.parametrize("wrong", [MessageActor, Menu.answer, "Menu", None])
def test_only_classes_of_calls_are_taken(wrong: Any):
    """Before anything is started."""
    with pytest.raises(ConfigError, match=r"CallKit\(.*\): give a subclass of CallActor"):
        CallKit(wrong)
    assert repr(CallKit.__new__(CallKit)) == "<CallKit>"  # as the report of the failing test shows it
