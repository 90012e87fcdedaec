"""What all commands have in common: early checks, and params as the wire wants them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay_actors.errors import ArgumentError, RelayActorsError
from relay_actors.protocol.base import Command
from relay_actors.protocol.catalog import COMMANDS
from relay_actors.protocol.commands import AI, Connect, Refer, Stream
from relay_actors.protocol.commands.arguments import As, Scalar, Seconds, Text
from relay_actors.protocol.commands.command import ActionCommand, ControlCommand, RelayCommand, _plan
from relay_actors.protocol.commands.sub_commands import SUB_COMMANDS, SubCommand
from relay_actors.protocol.schema import violations
from tests.protocol.commands.test_arguments import TAKES
from tests.protocol.wire_tables import METHODS, REQUESTS

SIGNATURES = {
    row["method"]: row["python_signature"]
    for row in METHODS
    if row["python_signature"] and row["method"] in COMMANDS and row["method"] != "calling.answer"
}
EVERYTHING = [value for values in TAKES.values() for value in values]
NOT_ON_THE_WIRE = {"on_completed", "dial_timeout"}
SAID_BY_COMMANDS = [
    request for request in REQUESTS if request[1] in COMMANDS and not request[0].startswith(("error.bad", "error.inv"))
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sing(ActionCommand):
    """A dialect's own command."""

    method: ClassVar[str] = "calling.sing"

    song: Annotated[Text, As("title")]
    pause: Seconds | None = None
    loudness: Annotated[Scalar | None, As("volume", even_none=True)] = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SingLoudly(Sing):
    """Writes itself in a way of its own."""

    def to_params(self) -> dict[str, object]:
        return {**Sing.to_params(self), "volume": 10}


class SingAgain(SingLoudly):
    """A class below that says nothing of it."""


@pytest.mark.parametrize("cls", [SingLoudly, SingAgain])
def test_a_command_that_writes_itself_is_sent_as_it_says(cls: type[Sing]) -> None:
    """Also where its params are added to those of the call."""
    command = cls(song="Daisy", extra={"title": "Bell"})
    assert command.to_params() == {"title": "Bell", "volume": 10}
    assert command.with_params({"call_id": "c"}) == {"call_id": "c", "title": "Bell", "volume": 10}


def test_an_argument_whose_type_says_nothing_of_it_is_told_by_name() -> None:
    """A dialect's author sees what is missing, and not that some iteration has stopped."""
    shout: Any = dataclasses.make_dataclass("Shout", [("word", str)], bases=(RelayCommand,), frozen=True, kw_only=True)
    with pytest.raises(TypeError, match=r"word: <class 'str'> does not say how .*commands\.arguments"):
        shout(word="hey")


def said_again(method: str, params: Mapping[str, Any]) -> RelayCommand:
    """The command whose params should be these: wire names become argument names by the table."""
    row = next(row for row in METHODS if row["method"] == method)
    cls = COMMANDS[method]
    arguments: dict[str, Any] = {}
    if issubclass(cls, SubCommand):
        arguments["action_method"] = next(
            action for action, subs in SUB_COMMANDS.items() if method in subs.values() and cls.name in subs
        )
    names = {param["name"]: param["python_arg"] for param in row["params"]}
    fields = {field.name for field in dataclasses.fields(cls)}
    for key, value in params.items():
        if key in ("node_id", "call_id"):
            continue
        argument = (names.get(key) or "").removeprefix("self.").split(" ")[0]
        if argument in fields:
            arguments[argument] = value["audio"] if argument == "audio" else value
        else:
            arguments.setdefault("extra", {})[key] = value
    return cls(**arguments)


@pytest.mark.parametrize(("name", "method", "params"), SAID_BY_COMMANDS, ids=[row[0] for row in SAID_BY_COMMANDS])
def test_a_command_writes_exactly_the_captured_request(name: str, method: str, params: dict[str, Any]) -> None:
    """Golden frames: what the known clients send."""
    command = said_again(method, params)
    assert command.method == method
    assert command.to_params() == {key: value for key, value in params.items() if key not in ("node_id", "call_id")}
    assert command.needs_call == ("call_id" in params)


@pytest.mark.parametrize("method", list(SIGNATURES))
def test_a_command_takes_the_arguments_of_its_verb(method: str) -> None:
    """Verbs hand their arguments on by name; a missing one would be lost."""
    inside = re.fullmatch(r"\w+\((.*)\)", SIGNATURES[method])
    assert inside
    verb = {part.split("=")[0].strip() for part in inside[1].split(",")} - {"*", "**kwargs", ""} - NOT_ON_THE_WIRE
    fields = {field.name for field in dataclasses.fields(COMMANDS[method])}
    assert verb <= fields
    assert fields - verb <= {"extra", "region", "max_price_per_minute"}


@pytest.mark.parametrize("cls", sorted(set(COMMANDS.values()), key=lambda cls: cls.__name__))
def test_a_command_is_a_frozen_value_of_keywords(cls: type[RelayCommand]) -> None:
    """Commands travel between actors and into the journal."""
    assert issubclass(cls, Command)
    assert "__dict__" not in dir(cls)
    assert all(field.kw_only for field in dataclasses.fields(cls))
    assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert cls.__doc__


def test_arguments_know_their_keys_on_the_wire():
    """In the order of the params; the reference shows where they differ."""
    assert Sing.wire_names() == {"control_id": "control_id", "song": "title", "pause": "pause", "loudness": "volume"}


def test_arguments_that_were_not_given_are_left_out_and_others_renamed() -> None:
    """PROTOCOL 2.1: never null."""
    assert Sing(song="La").to_params() == {"title": "La", "volume": "None"}
    assert Sing(song="La", pause=2, loudness=True, control_id="c").to_params() == {
        "title": "La",
        "pause": 2,
        "volume": "true",
        "control_id": "c",
    }


def test_extra_params_are_merged_last_and_win() -> None:
    """PROTOCOL 8.7: they can add what the API does not name, and override what it does."""
    params = Sing(song="La", pause=2, extra={"pause": 9, "key": {"of": "G"}, "nothing": None}).to_params()
    assert params["pause"] == 9
    assert params["key"] == {"of": "G"}
    assert "nothing" not in params


def test_a_control_id_in_extra_is_that_of_the_command_too() -> None:
    """PROTOCOL 10.2: the frame and the action must use the same one, or no event finds the action."""
    command = Sing(song="La", control_id="mine", extra={"control_id": "theirs"})
    assert command.control_id == command.to_params()["control_id"] == "theirs"
    assert command.with_control_id("other").control_id == "theirs"


def test_a_control_id_is_given_once() -> None:
    """Ids come in from outside; a chosen one is kept."""
    command = Sing(song="La")
    assert command.control_id is None
    named = command.with_control_id("c-1")
    assert named.to_params()["control_id"] == named.control_id == "c-1"
    assert named.with_control_id("c-2") is named
    assert "control_id" not in command.to_params()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"song": ""}, "calling.sing: song must be text that is not empty (given: '')"),
        ({"song": None}, "calling.sing: song must be text that is not empty (given: None)"),
        ({"song": 5}, "calling.sing: song must be text that is not empty (given: 5)"),
        ({"song": ["secret"]}, "calling.sing: song must be text that is not empty (given: a list)"),
        ({"song": "x", "pause": -1}, "calling.sing: pause must be a number of seconds, 0 or more (given: -1)"),
        ({"song": "x", "extra": 5}, "calling.sing: extra must be a dictionary of further params by name (given: 5)"),
        (
            {"song": "x", "extra": {1: 2}},
            "calling.sing: extra must be a dictionary of further params by name (given: a dict)",
        ),
        ({"song": "x", "control_id": ""}, "calling.sing: control_id must be text that is not empty (given: '')"),
        (
            {"song": "x", "extra": {"control_id": 7}},
            "calling.sing: control_id must be text that is not empty (given: 7)",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_where_it_is_written(arguments: dict[str, Any], says: str) -> None:
    """The text names the command, the argument and what to give, and shows no texts: they may be secret."""
    with pytest.raises(ArgumentError) as refusal:
        Sing(**arguments)
    assert str(refusal.value) == says
    assert isinstance(refusal.value, ValueError)
    assert isinstance(refusal.value, RelayActorsError)


def test_a_command_without_its_required_argument_is_a_mistake_of_the_call() -> None:
    """Python says it better than we could."""
    with pytest.raises(TypeError, match="song"):
        Sing()  # type: ignore[call-arg]


def test_params_are_made_anew_each_time() -> None:
    """Whoever sends them adds the call's ids."""
    command = Sing(song="La")
    command.to_params()["call_id"] = "c"
    assert "call_id" not in command.to_params()


def test_only_commands_with_events_of_their_own_have_a_control_id() -> None:
    """For the others the wire has no place for it."""
    for row in METHODS:
        cls = COMMANDS.get(row["method"])
        if cls is not None and not issubclass(cls, SubCommand):
            on_the_wire = "control_id" in {param["name"] for param in row["params"]}
            assert issubclass(cls, ControlCommand) == on_the_wire, row["method"]


@pytest.mark.parametrize(
    "method", sorted(method for method, cls in COMMANDS.items() if not issubclass(cls, SubCommand))
)
@given(data=st.data())
@settings(max_examples=20)
def test_what_a_command_takes_the_server_takes(method: str, data: st.DataObject) -> None:
    """Checks here stand before those of the server: what passes must not come back for its types or its nulls."""
    cls = COMMANDS[method]
    drawn = {
        slot.attribute: data.draw(st.sampled_from([value for value in EVERYTHING if slot.check(value) is None]))
        for slot in _plan(cls).slots
        if slot.check(object()) is not None and (not slot.optional or data.draw(st.booleans()))
    }
    sent_as_given = {slot.attribute: {} for slot in _plan(cls).slots if slot.check(object()) is None}
    if method == "calling.collect":  # it needs one of two, which no type can say
        drawn["digits"] = {"max": 1}
    if method == "messaging.send":
        drawn |= {"body": "Hi", "context": "default"}
    command = cls(**drawn, **sent_as_given)
    params = {"node_id": "n", "call_id": "c", "control_id": "i", **command.to_params()}
    assert [text for text in violations(method, params) if not is_inside(text)] == []


def is_inside(violation: str) -> bool:
    """Whether it is about a key within an argument; those are passed through."""
    return "." in violation.split(" ")[0]


@pytest.mark.parametrize(
    "command",
    [
        AI(post_prompt_auth_password="S-1"),
        AI(SWAIG={"defaults": {"web_hook_auth_password": "S-1"}}),
        AI(extra={"web_hook_auth_password": "S-1"}),
        Connect(devices=[[{"type": "sip", "params": {"to": "sip:a", "password": "S-1"}}]]),
        Refer(device={"type": "sip", "to": "sip:a", "password": "S-1"}),
        Stream(url="wss://user:S-1@example.com", authorization_bearer_token="S-1"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_command_does_not_show_secrets(command: RelayCommand) -> None:
    """`CommandFailed` has it, and is what people log (PROTOCOL 16.1)."""
    assert "S-1" not in repr(command)
    assert repr(command).startswith(f"{type(command).__name__}({{")


def test_a_command_shows_what_was_given() -> None:
    assert repr(Sing(song="La", pause=2)) == 'Sing({"song":"La","pause":2})'
    assert repr(Sing(song="La", extra={"odd": object()})) == "Sing(extra, song)"
