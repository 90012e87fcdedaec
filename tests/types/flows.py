"""What a type checker knows of a call's flow. Nobody runs it: mypy reads it, with each unused ignore an error."""

from __future__ import annotations

from typing import assert_type

from relay_actors import CallActor
from relay_actors.actors.actions import CollectAction, PlayAction
from relay_actors.params import digits
from relay_actors.protocol.base import JsonObject


class Flow(CallActor):
    """A call that does a bit of everything."""

    async def what_is_awaited(self) -> None:
        """An operation gives itself, when it is accepted; a command the answer, an object."""
        assert_type(await self.play_tts("Hello"), PlayAction)
        assert_type(await self.prompt_tts("Press", digits(max=1)), CollectAction)
        assert_type(self.play_tts("Hello").get(timeout=1), PlayAction)
        assert_type(await self.answer(), JsonObject)
        assert_type(await self.play_tts("Hello").stop(), JsonObject)

    async def what_is_told_of_as_a_mistake(self) -> None:
        """The commonest mistake, a forgotten ``wait()``."""
        prompt = await self.prompt_tts("Press", digits(max=1))
        _ = prompt.digits  # type: ignore[attr-defined]  # of the event
        _ = (await self.answer()).call_state  # type: ignore[attr-defined]  # of the event
