"""What reaches the scripted server is taken down as commands, and answered as a test has said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from relay_actors import MessageActor, RelayApp
from relay_actors.actors.commands_again import CommandAgain
from relay_actors.errors import CommandRejectedError, RequestTimeoutError
from relay_actors.protocol.catalog import COMMANDS as COMMANDS_BY_METHOD
from relay_actors.protocol.commands import (
    SUB_COMMANDS,
    Collect,
    Connect,
    Detect,
    Dial,
    Hangup,
    Play,
    Record,
    RelayCommand,
    SendMessage,
    SetVolume,
    Stop,
)
from relay_actors.protocol.events import RelayEvent
from relay_actors.runtime.clock import Random
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.system import System
from relay_actors.simulator.replies import accepted, refused
from relay_actors.testing.environment import bare_environment
from relay_actors.testing.scripted_wire import ScriptedWire, command_of
from tests.actors.verbs.uses import ALL_OF_IT, BARE, Use

HELLO = {"type": "tts", "params": {"text": "Hello"}}
COMMANDS = [
    Play(media=[HELLO], volume=3.0, control_id="c"),
    Record(audio={"format": "wav", "stereo": True}, control_id="c"),
    Collect(digits={"max": 3}, speech={"language": "en"}, initial_timeout=5.0, control_id="c"),
    Detect(detect={"type": "machine"}, timeout=3.0, control_id="c"),
    Connect(devices=[[{"type": "phone", "params": {"to_number": "+15550100101"}}]], tag="t"),
    Dial(devices={"type": "phone", "params": {"to_number": "+15550100101"}}, tag="t", max_duration=3),
    Hangup(reason="busy"),
    SendMessage(to_number="+15550001111", from_number="+15559990000", body="Hello"),
    SetVolume(action_method="calling.play", control_id="c", volume=-4.0),
    *(Stop(action_method=method, control_id="c") for method in SUB_COMMANDS),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.method)
def test_a_command_is_known_again_from_what_it_sends(command: RelayCommand):
    """What a test compares is what the code under test has given."""
    again = command_of(command.method, {"node_id": "n", "call_id": "c", **command.to_params()})

    assert type(again) is type(command)
    assert (again.method, again.to_params()) == (command.method, command.to_params())


@pytest.mark.parametrize("use", [*ALL_OF_IT, *BARE], ids=lambda use: use.verb)
def test_every_use_of_a_verb_is_known_again(use: Use):
    """With all of its arguments and with those only that it needs: nothing may be lost on the way back."""
    again = command_of(use.method, {"node_id": "n", "call_id": "c", **use.params})

    assert type(again) is COMMANDS_BY_METHOD[use.method]
    assert again.to_params() == use.params


def test_what_is_unusual_stays_as_it_is():
    """More than a command knows is extra; a method that no command says, and params that none would take, are kept."""
    more = command_of("calling.answer", {"node_id": "n", "call_id": "c", "new": 1})
    assert (type(more).__name__, more.to_params()) == ("Answer", {"new": 1})

    for method, params in (("calling.tomorrow", {"a": 1}), ("calling.play", {"play": "nonsense"})):
        unknown = command_of(method, {**params, "call_id": "c"})
        assert isinstance(unknown, CommandAgain)
        assert (unknown.method, unknown.to_params()) == (method, params)


class Stage:
    """An application whose server is scripted."""

    def __init__(self) -> None:
        self.dispatcher = DeterministicDispatcher(Random(1))
        self.system = System(dispatcher=self.dispatcher, random=Random(2))
        self.commands: list[RelayCommand] = []
        self.wire = ScriptedWire(self.dispatcher, self.system.new_id, self.commands.append)
        self.app = RelayApp("project", "token", host="relay.example.com", contexts=["office"])

    def asks(self, method: str, **params: Any) -> Any:
        return self.app.execute(method, params).get(timeout=60.0)


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    with bare_environment():
        stage.app.start(system=stage.system, connector=stage.wire.connector)
    yield stage
    assert stage.app.stop()
    assert stage.wire.nonsense == []


def test_everything_is_accepted_that_nothing_is_said_of(stage: Stage):
    """With what an answer says beside: whose it is, or what a text is called."""
    assert stage.asks("calling.play", call_id="c", control_id="x", play=[HELLO])["control_id"] == "x"
    assert stage.asks("messaging.send", to_number="+1", from_number="+2", body="a")["message_id"]

    assert [command.method for command in stage.commands] == ["calling.play", "messaging.send"]


def test_what_is_said_of_a_command_holds_for_the_next_one_only(stage: Stage):
    """In the order in which it was said, and for nobody else."""
    stage.wire.answers_next(Play, refused("500", "not now"))
    stage.wire.answers_next(Play, refused("501", "nor then"))

    assert stage.asks("calling.answer", call_id="c")["code"] == "200"
    for code in ("500", "501"):
        with pytest.raises(CommandRejectedError, match=code):
            stage.asks("calling.play", call_id="c", control_id="x", play=[HELLO])
    assert stage.asks("calling.play", call_id="c", control_id="x", play=[HELLO])["code"] == "200"


def test_a_command_is_told_by_what_it_says(stage: Stage):
    """A function looks at its arguments; more may be said in the answer."""
    stage.wire.answers_next(
        lambda command: isinstance(command, Hangup) and command.reason == "busy", accepted("Gone", extra=7)
    )

    assert "extra" not in stage.asks("calling.end", call_id="c", reason="hangup")
    assert stage.asks("calling.end", call_id="c", reason="busy")["extra"] == 7


def test_an_answer_may_never_come(stage: Stage):
    """Then the client's own time-out counts."""
    stage.wire.answers_next(Play, None)

    with pytest.raises(RequestTimeoutError):
        stage.asks("calling.play", call_id="c", control_id="x", play=[HELLO])


def test_the_client_is_kept_alive(stage: Stage):
    """Its pings are answered, so that an hour without a word is no lost connection."""
    stage.dispatcher.advance(3600.0)

    assert stage.app.call("nobody") is None
    assert stage.asks("calling.answer", call_id="c")["code"] == "200"


def test_events_reach_the_application(stage: Stage):
    """And are acknowledged: what comes back is no nonsense."""
    seen: list[object] = []

    class Takes(MessageActor):
        def on_receive(self, message: object) -> None:
            seen.append(message)

    stage.app.messages("office")(Takes)
    params = {"message_id": "m", "context": "office", "direction": "inbound", "body": "Hello"}
    stage.wire.tells({"event_type": "messaging.receive", "params": params, "context": "office"})
    stage.dispatcher.settle()

    [event] = seen
    assert isinstance(event, RelayEvent)
    assert event.params == params
    assert event.timestamp > 1e9
