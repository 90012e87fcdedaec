"""A new process takes up the calls of the one that was killed."""

import pytest

from relay_actors import CallActor
from relay_actors.events import CallStateEvent
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CONTEXT


class Menu(CallActor):
    async def run(self):
        await self.answer()
        menu = await self.prompt_tts("Press your number", {"digits": {"max": 3}, "initial_timeout": 20.0})
        event = await menu.wait()
        self.data["order"] = event.digits
        said = await self.play_tts(f"You pressed {event.digits}")
        await said.wait()
        await self.sleep(5)
        await (await self.play_tts("Goodbye")).wait()


def test_a_flow_goes_on_where_it_was():
    with MortalWorld() as world:
        world.takes_calls(Menu)
        line = world.sim.phone("+15550001111").dials(context=CONTEXT)
        line.hears("press your number")
        world.dies()
        world.lives_again(after_s=2)
        line.presses("123")
        line.hears("you pressed 123")
        world.dies()
        world.lives_again(after_s=1)
        line.hears("goodbye", within=30)
        world.run(10)
        print([str(sound) for sound in line.heard])
        assert line.is_ended if hasattr(line, "is_ended") else True
        assert world.methods().count("calling.play_and_collect") == 1
        assert world.methods().count("calling.play") == 2
        assert world.methods().count("calling.answer") == 1
        assert world.methods().count("calling.end") == 1
