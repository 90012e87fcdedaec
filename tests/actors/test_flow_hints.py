"""A slip in a flow comes with what to write instead."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from relay_actors import Actor, CallActor, RelayApp
from relay_actors.actors.flow_hints import add_hint
from relay_actors.testing.lab import Lab


class Counting(Actor):
    """Answers by a number."""

    def on_receive(self, message: object) -> int:
        return 3


async def asks_and_awaits(call: Any) -> None:
    await call.app.lookup("counting").ask("how many")


async def awaits_a_text(call: Any) -> None:
    await call.app.send_message(to_number="+15550002222", from_number="+15550003333", body="hello")


async def waits_for_a_reply(call: Any) -> None:
    await call.connect([[{"type": "phone", "params": {"to_number": "+15550002222", "from_number": "+1555"}}]]).wait()


async def takes_from_a_queue(_call: Any) -> None:
    await asyncio.Queue[str]().get()


async def waits_for_an_event(_call: Any) -> None:
    await asyncio.Event().wait()


async def limits_a_wait(call: Any) -> None:
    async with asyncio.timeout(3):
        await call.next(str)


async def misspells(call: Any) -> None:
    call.wiat()


@pytest.mark.parametrize(
    ("slip", "hints"),
    [
        (asks_and_awaits, ["ask(…, block=False)"]),
        (awaits_a_text, ["its .sent", "its .wait()"]),
        (waits_for_a_reply, ["await the reply itself, without wait()"]),
        (takes_from_a_queue, ["asyncio does not run in a flow", "self.next(…)"]),
        (waits_for_an_event, ["asyncio does not run in a flow", "self.next(…)"]),
        (limits_a_wait, ["asyncio does not run in a flow", "timeout=…"]),
        (misspells, []),
    ],
)
def test_a_slip_is_told_with_what_to_write_instead(slip: Callable[[Any], Awaitable[None]], hints: list[str]):
    """Python's own words name a type that the user has never written."""
    failed: list[BaseException] = []

    class Slips(CallActor):
        async def run(self) -> None:
            await self.answer()
            await slip(self)

        def on_failure(self, kind: Any, error: Any, traceback: Any) -> None:
            failed.append(error)

    app = RelayApp()
    app.calls("office")(Slips)
    app.service(Counting, name="counting")
    with Lab() as lab:
        lab.start(app)
        lab.phone("+15550001111").dials(context="office").is_hung_up()

    notes = getattr(failed[0], "__notes__", [])
    assert len(notes) == bool(hints)
    for hint in hints:
        assert hint in notes[0]


@pytest.mark.parametrize("words", ["object int can't be used in 'await' expression", "'int' object can't be awaited"])
def test_a_hint_is_added_once_in_whatever_words_python_says_it(words: str):
    """An error may go through several hands."""
    error = TypeError(words)
    add_hint(error)
    add_hint(error)
    assert len(error.__notes__) == 1
