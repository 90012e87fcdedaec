"""Whatever is drawn, the real application recovers from it."""

from __future__ import annotations

from random import Random

import pytest

from relay_actors import CallActor
from relay_actors.simulator.fault_draws import DRAWS, LONGEST_S, OF_EVENTS, OF_METHODS, draw_args
from relay_actors.simulator.fault_table import FAULT_WORDS
from relay_actors.simulator.fault_words import Fault
from tests.actors.world import World

METHODS = ("calling.play", "calling.play_and_collect")
EVENTS = ("calling.call.play", "calling.call.collect", "calling.call.state", "calling.call.receive")


class Menu(CallActor):
    """Answers, asks for a key, says it, and hangs up."""

    async def run(self) -> None:
        await self.answer()
        asked = await self.play_and_collect(
            [{"type": "tts", "params": {"text": "Press a key."}}], {"digits": {"max": 1}, "initial_timeout": 5.0}
        )
        event = await asked.wait()
        await (await self.play_tts(f"You have pressed {event.digits}.")).wait()
        await self.hangup()


def test_each_fault_that_is_survivable_can_be_drawn():
    assert set(DRAWS) == {word.name for word in FAULT_WORDS.values() if word.is_survivable}
    arguments = {word.name: {argument.name for argument in word.arguments} for word in FAULT_WORDS.values()}
    assert {"method"} == set.intersection(*(arguments[name] & {"method"} for name in OF_METHODS))
    assert {"event_type"} == set.intersection(*(arguments[name] & {"event_type"} for name in OF_EVENTS))


@pytest.mark.parametrize("name", DRAWS)
def test_what_is_drawn_is_a_fault_and_does_not_last(name: str):
    for seed in range(50):
        args = draw_args(name, Random(seed), METHODS, EVENTS, ends_sessions=True)
        assert args is not None
        assert str(Fault(name, args))
        for key in ("seconds", "lasts", "within"):
            value = args.get(key, 0.0)
            assert isinstance(value, float)
            assert value <= LONGEST_S


def test_without_a_method_or_an_event_type_to_name_there_is_no_such_fault():
    assert draw_args("reject", Random(1), (), EVENTS, ends_sessions=True) is None
    assert draw_args("duplicate", Random(1), METHODS, (), ends_sessions=True) is None
    assert draw_args("cut", Random(1), (), (), ends_sessions=True) is not None


@pytest.mark.parametrize("name", [name for name in DRAWS if not FAULT_WORDS[name].ends_session])
def test_the_application_recovers_and_takes_the_next_call(name: str):
    """Proves SEMANTICS V4: no call is left up, no wait never ends, and each event is acknowledged once."""
    for seed in range(2):
        with World(seed) as world:
            world.takes_calls(Menu)
            random = Random(seed)
            args = draw_args(name, random, METHODS, EVENTS, ends_sessions=False)
            assert args is not None
            line = world.sim.phone("+15550001111").dials(context="support")
            world.run(random.random())
            world.sim.inject(Fault(name, args))
            world.run(random.random())
            line.presses("7")
            world.run(60.0)
            assert line.is_over, f"{Fault(name, args)}: {line.story}"
            world.sim.recover()
            later = world.sim.phone("+15550002222").dials(context="support")
            later.hears("press a key").presses("8").hears("you have pressed 8").is_hung_up()
            world.settle()
            assert world.sim.wrong_acks == ()
            assert world.sim.violations == ()
