"""Commands made from what the journal has kept of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay_actors.actors.commands_again import ActionCommandAgain, CommandAgain, dial_of
from relay_actors.protocol.commands import Dial
from tests.actors.world import device
from tests.journal.strategies import objects


@given(objects)
def test_a_command_asks_for_just_what_it_asked_for_then(params: dict[str, object]) -> None:
    for made in (CommandAgain(name="calling.x", params=params), ActionCommandAgain(name="calling.x", params=params)):
        assert made.method == "calling.x"
        assert made.to_params() == params
        assert made.to_params() is not made.params


def test_a_dial_is_the_one_of_then() -> None:
    dial = Dial(devices=[[device("+15550000001")]], tag="t-1")
    again = dial_of(dial.to_params())
    assert again.method == dial.method
    assert again.to_params() == dial.to_params()
    assert again.tag == "t-1"
    assert not again.needs_call


@given(st.text())
def test_what_nobody_knows_is_no_doubtful_param_of_it(key: str) -> None:
    assert CommandAgain(name="calling.x", params={key: 1}).takes_anything
