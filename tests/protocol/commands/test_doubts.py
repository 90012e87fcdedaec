"""Params that nobody knows: all of them are sent, and of those that are misspelt something can be said."""

from __future__ import annotations

import pytest

from relay_actors.errors import ArgumentError
from relay_actors.protocol.catalog import COMMANDS
from relay_actors.protocol.commands import (
    Collect,
    Connect,
    Hangup,
    JoinConference,
    Pay,
    Play,
    PlayAndCollect,
    Record,
    Refer,
    RelayCommand,
    SubCommand,
    UserEvent,
)
from relay_actors.protocol.commands.doubts import can_be_doubtful, doubts
from relay_actors.protocol.schema import params_of

HELLO = {"type": "tts", "text": "Hello"}
ONE = {"digits": {"max": 1}}


def prompt(**more: object) -> PlayAndCollect:
    return PlayAndCollect(media=[HELLO], collect={**ONE, **more})


def found(command: RelayCommand) -> dict[str, str]:
    """Return what is doubtful, by key, as whoever sends the command would find it."""
    all_of_it = doubts(command, command.to_params())
    assert can_be_doubtful(command) or not all_of_it
    return {doubt.key: doubt.meant for doubt in all_of_it}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (JoinConference(name="c", extra={"mute": True}), {"mute": "muted"}),
        (Play(media=[HELLO], extra={"volum": 3}), {"volum": "volume"}),
        (Pay(payment_connector_url="u", extra={"charge_ammount": "3"}), {"charge_ammount": "charge_amount"}),
        (Pay(payment_connector_url="u", prompts=[{"for": "x", "action": []}]), {"prompts.action": "prompts.actions"}),
        (Pay(payment_connector_url="u", extra={"input_methd": "dtmf"}), {"input_methd": "input_method"}),
        (prompt(initial_timout=5), {"collect.initial_timout": "collect.initial_timeout"}),
        (prompt(terminator="#"), {"collect.terminator": "collect.digits.terminators"}),
        (prompt(volume=3), {"collect.volume": "volume"}),
        (prompt(digits={"max": 1, "timeout": 3}), {"collect.digits.timeout": "collect.digits.digit_timeout"}),
        (prompt(speech={"lang": "de-DE"}), {"collect.speech.lang": "collect.speech.language"}),
        (Record(extra={"beep": True}), {"beep": "audio.beep"}),
        (Record(audio={"beeb": True}), {"audio.beeb": "audio.beep"}),
        (Record(audio={"audio": {"beeb": True}}), {"audio.beeb": "audio.beep"}),
        (Collect(digits={"max": 1}, extra={"terminators": "#"}), {"terminators": "digits.terminators"}),
        (Collect(digits={"max": 1}, extra={"timeout": 3}), {"timeout": "initial_timeout"}),
        (
            Refer(device={"type": "sip", "to": "sip:a@example.com", "user": "a"}),
            {"device.params.user": "device.params.username"},
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, RelayCommand) else None,
)
def test_of_a_misspelt_key_it_is_said_what_was_meant_and_where_it_belongs(
    command: RelayCommand, expected: dict[str, str]
):
    assert found(command) == expected


def test_a_key_that_is_like_none_is_doubtful_without_a_word_of_what_was_meant():
    """A server may know what no table does."""
    assert found(Play(media=[HELLO], extra={"colour": "red"})) == {"colour": ""}


@pytest.mark.parametrize(
    "command",
    [
        Play(media=[{**HELLO, "volum": 3}], volume=3),
        prompt(initial_timeout=5, speech={"language": "de-DE", "hints": ["yes"]}),
        Record(audio={"beep": True, "direction": "both"}),
        Hangup(extra={"raeson": None}),
        Connect(devices={"type": "phone", "to_number": "+15550100101"}, extra={"status_url": "https://example.com"}),
        UserEvent(event="order", extra={"events": 3, "order_id": "12345"}),
    ],
    ids=lambda command: type(command).__name__,
)
def test_nothing_is_doubtful_about_what_is_known_or_not_sent_or_the_application_s_own(command: RelayCommand):
    """The params of a media item depend on its type, so that nobody knows all of them."""
    assert found(command) == {}


@pytest.mark.parametrize("method", [name for name, cls in COMMANDS.items() if not issubclass(cls, SubCommand)])
def test_every_param_of_the_wire_may_be_given_as_a_further_one(method: str):
    """What a command has no argument for, but the server knows, is no mistake."""
    every_one = dict.fromkeys(params_of(method) or {}, 1)
    assert every_one
    command = object.__new__(COMMANDS[method])  # with nothing but its further params: it is never sent
    object.__setattr__(command, "extra", every_one)
    assert doubts(command, {}) == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: PlayAndCollect(media=[HELLO], collect={"digit": {"max": 1}}), '"digit" probably means "digits"'),
        (lambda: PlayAndCollect(media=[HELLO], collect={"digits": {"mx": 1}}), '"mx" probably means "max"'),
        (lambda: Collect(extra={"speach": {}}), '"speach" probably means "speech"'),
    ],
)
def test_a_command_that_is_impossible_by_a_misspelt_key_names_that_key(make, says: str):
    with pytest.raises(ArgumentError) as caught:
        make()
    assert says in str(caught.value)
