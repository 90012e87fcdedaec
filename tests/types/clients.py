"""What a type checker knows of a call of the asyncio client, whose verbs are coroutines at run time."""

from __future__ import annotations

from typing import Any, assert_type

from relay_actors.actors.actions import CollectAction, PlayAction
from relay_actors.client import Call
from relay_actors.events import CollectEvent
from relay_actors.params import digits, tts
from relay_actors.protocol.base import JsonObject


async def attend(call: Call) -> None:
    """As `relay_actors.CallActor`'s flows do it."""
    assert_type(await call.answer(), JsonObject)
    play: PlayAction = await call.play([tts("Hello")])
    assert_type(await play.stop(), JsonObject)
    prompt = await call.play_and_collect([tts("Press")], digits(max=1))
    assert_type(prompt, CollectAction)
    assert_type(await prompt.wait(), CollectEvent | Any)
    _ = prompt.digits  # type: ignore[attr-defined]  # of the event
