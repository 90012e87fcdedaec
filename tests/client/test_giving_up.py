"""What becomes of what is awaited no longer: cancelled, by a time-out of the application's own for example."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from relay_actors.protocol.events import RelayEvent
from tests.client.conftest import DEADLINE_S, Stage


async def gives_up(awaitable: Awaitable[object]) -> None:
    """Begin to wait, and wait no longer."""
    task = asyncio.ensure_future(awaitable)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


# -- waits -----------------------------------------------------------------------------------------------------------


def test_the_predicate_of_a_wait_that_was_given_up_is_asked_no_more(stage: Stage) -> None:
    """It may do something; and with the official client it is not (PROTOCOL 8.4)."""
    asked: list[str] = []

    def is_it(event: RelayEvent) -> bool:
        asked.append(event.event_type)
        return False

    async def story() -> None:
        call, _line = await stage.answered()
        await gives_up(call.wait_for("calling.call.play", is_it))
        await gives_up(call.wait_for("calling.call.play", is_it, timeout=DEADLINE_S))
        await (await call.play_silence(0.1)).wait(DEADLINE_S)

    stage.plays(story)
    assert asked == []


def test_waits_that_were_given_up_do_not_pile_up(stage: Stage) -> None:
    """Who looks at something else every second of a long call, and then waits on."""

    async def story() -> int:
        call, _line = await stage.answered()
        for _ in range(20):
            await gives_up(call.wait_for("calling.call.fax"))
            await gives_up(call.wait_for_ended())
            await gives_up(call.wait_for_ending(timeout=DEADLINE_S))
        await call.hold()
        return len(call.leg.waits)

    assert stage.plays(story) <= 1
