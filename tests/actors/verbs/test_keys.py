"""Verbs on keys."""

from __future__ import annotations

import pytest

from relay_actors.actors.verbs.keys import KeyVerbs
from relay_actors.events import PlayEvent, SendDigitsEvent
from tests.actors.verbs.on_the_wire import Case, case, defined_in, is_refused, sent_by, without_ids
from tests.actors.world import Witness, World

GREETING = {"control_id": "help", "play": [{"type": "tts", "params": {"text": "Help is on its way."}}]}

CASES = [
    case("send_digits", "calling.send_digits", {"digits": "12#wW*ABCD"}, "12#wW*ABCD"),
    case("bind_digit", "calling.bind_digit", {"digits": "*9", "bind_method": "calling.hold"}, "*9", "calling.hold"),
    case(
        "bind_digit",
        "calling.bind_digit",
        {"digits": "0", "bind_method": "calling.play", "params": GREETING, "realm": "help", "max_triggers": 2, "x": 1},
        "0",
        "calling.play",
        bind_params=GREETING,
        realm="help",
        max_triggers=2,
        x=1,
    ),
    case("clear_digit_bindings", "calling.clear_digit_bindings", {}),
    case("clear_digit_bindings", "calling.clear_digit_bindings", {"realm": "help"}, realm="help"),
]


def test_these_are_all_of_them():
    """A verb that nobody calls below would not be proved."""
    assert {one.values[0].verb for one in CASES} == set(defined_in(KeyVerbs))


@pytest.mark.parametrize("one", CASES)
def test_a_verb_sends_what_was_given_and_nothing_else(world: World, one: Case):
    """Keys are pressed under an id of their own: their end is told by an event with that id (PROTOCOL 12)."""
    handle, params = sent_by(world, one)
    assert without_ids(handle, params, control_id=one.verb == "send_digits") == one.params


@pytest.mark.parametrize(
    ("verb", "args", "kwargs", "names"),
    [
        ("send_digits", ("call me",), {}, "digits"),
        ("send_digits", ("",), {}, "digits"),
        ("send_digits", ("1",), {"control_id": ""}, "control_id"),
        ("bind_digit", ("", "calling.play"), {}, "digits"),
        ("bind_digit", ("1", ""), {}, "bind_method"),
        ("bind_digit", ("1", "calling.play"), {"bind_params": "x"}, "bind_params"),
        ("bind_digit", ("1", "calling.play"), {"max_triggers": -1}, "max_triggers"),
        ("clear_digit_bindings", (), {"realm": 5}, "realm"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_sent(
    world: World, verb: str, args: tuple[object, ...], kwargs: dict[str, object], names: str
):
    """What a script gets wrong must be said at its line, and not by the server seconds later."""
    is_refused(world, names, verb, args, kwargs)


def test_the_end_of_the_tones_is_told_by_an_event(world: World):
    """The reply says only that they were accepted."""
    line, handle = world.answered(Witness)
    reply = handle.send_digits("1w2", control_id="keys")
    assert reply.get(timeout=5)["code"] == "200"
    line.hears("digits 12")
    world.until(lambda: world.seen(handle, SendDigitsEvent))
    [event] = world.seen(handle, SendDigitsEvent)
    assert (event.state, event.control_id) == ("finished", "keys")


def test_the_server_does_by_itself_what_is_bound_to_a_key(world: World):
    """And what comes of it is told under the id that the params name."""
    line, handle = world.answered(Witness)
    handle.bind_digit("0", "calling.play", bind_params=GREETING).get(timeout=5)
    line.presses("0").hears("help is on its way")
    assert {event.control_id for event in world.seen(handle, PlayEvent)} == {"help"}
    handle.clear_digit_bindings().get(timeout=5)
    line.presses("0")
    world.run(5)
    assert "nobody listened" in line.timeline[-1].what
