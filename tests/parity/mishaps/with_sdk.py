"""An application that is written for the official SDK, as its own examples are: a handler is a coroutine of its call.

It tells on its standard output whose handlers begin and end (`reports`); nothing else is there for the test's sake.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from threading import Event
from typing import Any

from tests.parity.mishaps.numbers import BLOCKING, BRIDGE, CRASHING, DESK, LOOK_UP, OFFICE
from tests.parity.mishaps.reports import report
from tests.parity.mishaps.words import CONFIRMATION, GREETING, MENU, MOMENT, NOTICE, REMINDER, RESULT

os.environ.setdefault("SIGNALWIRE_LOG_LEVEL", "warning")

from signalwire.relay import Call, RelayClient  # after the log level is set

client = RelayClient(contexts=["office", "look-up", "bridge", "crashing", "blocking", "texts"])


async def office(call: Call) -> None:
    """A menu, a notice, and that is all."""
    await call.answer()
    menu = await call.prompt_tts(MENU, {"digits": {"max": 1}, "initial_timeout": 60.0})
    await menu.wait()
    notice = await call.play_tts(NOTICE)
    await notice.wait()
    await call.hangup()


async def look_up(call: Call) -> None:
    """Something takes a moment to be looked up."""
    await call.answer()
    moment = await call.play_tts(MOMENT)
    await moment.wait()
    await asyncio.sleep(1.5)
    result = await call.play_tts(RESULT)
    await result.wait()
    await call.hangup()


async def bridge(call: Call) -> None:
    """Connect the caller to the desk, until one of them hangs up."""
    await call.answer()
    await call.connect([[{"type": "phone", "params": {"from_number": BRIDGE, "to_number": DESK}}]])
    await call.wait_for_ended()


async def crashing(call: Call) -> None:
    """There is a bug in this one."""
    await call.answer()
    greeting = await call.play_tts(GREETING)
    await greeting.wait()
    raise KeyError("a bug")


async def blocking(call: Call) -> None:
    """This one calls something that blocks for three seconds."""
    await call.answer()
    Event().wait(3.0)  # a slow database, seen from here
    await office(call)


NUMBERS: dict[str, Callable[[Call], Awaitable[None]]] = {
    OFFICE: office, LOOK_UP: look_up, BRIDGE: bridge, CRASHING: crashing, BLOCKING: blocking,
}  # fmt: skip


async def remind(number: str, dial_timeout: float) -> None:
    """Call somebody, say something, hang up."""
    device = {"type": "phone", "params": {"from_number": OFFICE, "to_number": number}}
    call = await client.dial([[device]], dial_timeout=dial_timeout)
    reminder = await call.play_tts(REMINDER)
    await reminder.wait()
    await call.hangup()


async def confirm(number: str) -> None:
    """Send a text, and wait until it is delivered."""
    text = await client.send_message(to_number=number, from_number=OFFICE, body=CONFIRMATION)
    await text.wait()


async def told(who: str, handler: Coroutine[Any, Any, None]) -> None:
    """Run a handler, and tell that it has begun and ended."""
    report("begun", who)
    try:
        await handler
    except Exception as error:
        report("failed", who, f"{type(error).__name__}: {error}")
        raise
    finally:
        report("over", who)


@client.on_call
async def on_call(call: Call) -> None:
    """Whatever number was called."""
    device = call.device["params"]
    await told(device["from_number"], NUMBERS[device["to_number"]](call))


@client.on_message
async def on_message(message: Any) -> None:
    """Do what the text asks for."""
    number = message.from_number
    if message.body == "call me":
        await told(number, remind(number, 20.0))
    elif message.body == "call me at once":
        await told(number, remind(number, 1.0))
    else:
        await told(number, confirm(number))


if __name__ == "__main__":
    client.run()
