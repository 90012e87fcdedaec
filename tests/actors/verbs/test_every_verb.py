"""All call methods of the table of the wire, in every way to use them: their signatures, and what they send.

What is expected is worked out from the table, and from nothing in the package: which argument is which param, what is
required, and what `**kwargs` do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relay_actors.actors.actions import Action
from relay_actors.actors.call import CallActor
from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.verbs import AllVerbs
from relay_actors.actors.waits import Reply, Wait
from relay_actors.protocol.catalog import COMMANDS
from relay_actors.protocol.commands import ActionCommand, ControlCommand
from tests.actors.verbs.on_the_wire import parameters_of
from tests.actors.verbs.uses import ALL_OF_IT, BARE, CALL_METHODS, OURS, ROWS, WAITING, Use, documented
from tests.actors.world import Witness, World


def by_verb(one: Use) -> str:
    return one.verb


def check(world: World, handle: CallHandle, one: Use, expected: dict[str, Any]) -> None:
    """The one request that has reached the server is exactly this."""
    [sent] = world.sent(one.method)
    ids = {"call_id": handle.call_id, "node_id": handle.node_id}
    if one.has_control_id:
        assert isinstance(sent["control_id"], str)
        assert sent["control_id"]
        ids["control_id"] = sent["control_id"]
    assert sent == {**expected, **ids}
    assert world.sim.violations == ()


@pytest.fixture
def call(world: World) -> CallHandle:
    """A call that is offered, on a server that takes whatever is said and does nothing about it."""
    _line, handle = world.inbound(Doer)
    for method in ROWS:
        if method.startswith("calling."):
            world.sim.reject_next(method, code="200", message="taken, and nothing done")
    return handle


class Doer(CallActor):
    """Does what it is told in its own turn, as an application does."""

    def on_receive(self, message: object) -> None:
        if isinstance(message, Use):
            self.data["given"] = getattr(self, message.verb)(**message.kwargs)


@pytest.mark.parametrize("name", CALL_METHODS)
def test_a_verb_has_the_documented_parameters(name: str):
    """Names, kinds and defaults. Source: methods.json."""
    assert parameters_of(name) == documented(name) + OURS.get(name, [])


@pytest.mark.parametrize("name", CALL_METHODS)
def test_all_callers_have_the_same_verb(name: str):
    """Defined once, so that they cannot come to differ (DESIGN 4)."""
    defined: Callable[..., Any] = getattr(AllVerbs, name)
    assert getattr(CallActor, name) is getattr(CallHandle, name) is defined
    assert defined.__doc__


@pytest.mark.parametrize("name", CALL_METHODS)
def test_a_verb_gives_what_is_documented(name: str):
    """An action gives its handle, any other command the server's result, a wait the event that it waits for.

    Which event a wait for a state gives is known, and said: people read its ``end_reason``.
    """
    returns = CALL_METHODS[name]["returns"]
    given = AllVerbs.__dict__.get(name) or getattr(AllVerbs, name)
    promised = {"None": "None", "dict": "Reply", "RelayEvent": "Wait[RelayEvent]"}.get(returns, returns)
    if name.startswith("wait_for_"):
        promised = "Wait[CallStateEvent]"
    assert given.__annotations__["return"] == promised


@pytest.mark.parametrize("one", ALL_OF_IT, ids=by_verb)
def test_a_verb_sends_everything_that_it_is_given(world: World, call: CallHandle, one: Use):
    """Each argument under the wire's own name (PROTOCOL 20), and nothing that was not given."""
    given = getattr(call, one.verb)(**one.kwargs)
    world.settle()
    check(world, call, one, one.params)
    assert isinstance(given, Action | Reply)


@pytest.mark.parametrize("one", BARE, ids=by_verb)
def test_a_verb_sends_no_nulls(world: World, call: CallHandle, one: Use):
    """Arguments that were not given are left out (PROTOCOL 2.1)."""
    getattr(call, one.verb)(**one.kwargs)
    world.settle()
    check(world, call, one, one.params)


@pytest.mark.parametrize("one", BARE, ids=by_verb)
def test_further_params_pass_through_where_the_table_says_so(world: World, call: CallHandle, one: Use):
    """They can add what the API does not name (PROTOCOL 8.7); elsewhere a mistyped name is a mistake."""
    takes_more = documented(one.verb)[-1:] == [("kwargs", "VAR_KEYWORD", "required")]
    further = {"new_on_this_server": {"a": [1]}, "not_given": None}
    if takes_more:
        getattr(call, one.verb)(**one.kwargs, **further)
        world.settle()
        check(world, call, one, {**one.params, "new_on_this_server": {"a": [1]}})
    else:
        with pytest.raises(TypeError, match="new_on_this_server"):
            getattr(call, one.verb)(**one.kwargs, **further)
        assert world.methods() == []


@pytest.mark.parametrize("one", ALL_OF_IT, ids=by_verb)
def test_an_actor_does_it_in_its_own_turn(world: World, call: CallHandle, one: Use):
    """``self.play(…)``: sent when called, awaited or not (DESIGN 4)."""
    call.ref.tell(one)
    world.settle()
    check(world, call, one, one.params)
    assert isinstance(call.data["given"], Action | Reply)


@pytest.mark.parametrize("one", ALL_OF_IT, ids=by_verb)
def test_other_actors_say_it_as_a_message(world: World, call: CallHandle, one: Use):
    """``ref.tell(Play(…))`` sends what ``play(…)`` sends (DESIGN 4)."""
    call.ref.tell(COMMANDS[one.method](**one.kwargs))
    world.settle()
    check(world, call, one, one.params)


@pytest.mark.parametrize("one", [one for one in BARE if one.has_control_id], ids=by_verb)
def test_an_id_can_be_chosen(world: World, call: CallHandle, one: Use):
    """The frame and the handle have the same one (PROTOCOL 10.2)."""
    given = getattr(call, one.verb)(**one.kwargs, control_id="mine")
    world.settle()
    assert world.sent(one.method)[0]["control_id"] == "mine"
    assert not isinstance(given, Action) or given.control_id == "mine"


def test_what_needs_an_id_has_one():
    """Events are told apart by it: each command that the wire gives one can choose it."""
    with_id = {one.method for one in BARE if one.has_control_id}
    assert with_id == {method for method, cls in COMMANDS.items() if issubclass(cls, ControlCommand) and method in ROWS}
    assert {one.method for one in BARE if isinstance(COMMANDS[one.method], ActionCommand)} <= with_id


@pytest.mark.parametrize("name", WAITING)
def test_what_sends_nothing_waits_or_listens(world: World, name: str):
    _line, handle = world.inbound(Witness)
    arguments = {"on": ("calling.call.play", lambda event: None), "wait_for": ("calling.call.play",)}.get(name, ())
    given = getattr(handle, name)(*arguments)
    assert given is None if name == "on" else isinstance(given, Wait)
    assert world.methods() == []
