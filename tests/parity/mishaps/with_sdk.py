"""An application that is written for the official SDK, as its own examples are: a handler is a coroutine of its call.

It tells on its standard output whose handlers begin and end (`reports`); nothing else is there for the test's sake.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from threading import Event
from typing import Any

from tests.parity.mishaps.numbers import (
    ACCOUNT,
    AGENT,
    ANNOUNCED,
    BLOCKING,
    BRIDGE,
    CLOCK,
    CONTEXTS,
    CRASHING,
    DESK,
    FAX_MACHINE,
    LOOK_UP,
    OFFICE,
    PATIENT,
    RINGING,
    TILL,
    WISH,
)
from tests.parity.mishaps.reports import report
from tests.parity.mishaps.words import (
    ASK,
    CONFIRMATION,
    CONNECTOR,
    GREETING,
    INVOICE,
    MENU,
    MOMENT,
    NOTICE,
    PAID,
    PROMPT,
    REMINDER,
    RESULT,
    STILL_THERE,
    THANKS,
    WISH_FOR,
    YEAR,
    YOU_PRESSED,
    YOU_SAID,
)

os.environ.setdefault("SIGNALWIRE_LOG_LEVEL", "warning")

from signalwire.relay import Call, RelayClient  # after the log level is set

client = RelayClient(contexts=CONTEXTS)


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


async def announced(call: Call) -> None:
    """Connect the caller to the desk, and wait until somebody answers there."""
    await call.answer()
    await call.connect([[{"type": "phone", "params": {"from_number": BRIDGE, "to_number": DESK}}]])
    await call.wait_for("calling.call.connect", lambda event: event.params["connect_state"] == "connected")
    await call.wait_for_ended()


async def ringing(call: Call) -> None:
    """Let it ring for a moment; greet as soon as the call is answered."""
    await asyncio.gather(answer_later(call), call.wait_for_answered())
    await call.wait_for_ringing()
    greeting = await call.play_tts(GREETING)
    await greeting.wait()
    await call.hangup()


async def answer_later(call: Call) -> None:
    """Answer after a moment."""
    await asyncio.sleep(1.0)
    await call.answer()


async def patient(call: Call) -> None:
    """Ask after a while whether somebody is still there; send a text when the call has ended."""
    await call.answer()
    try:
        ended = await call.wait_for_ended(timeout=1.0)
    except TimeoutError:
        await call.play_tts(STILL_THERE)
        ended = await call.wait_for_ended()
    number = call.device["params"]["from_number"]
    await client.send_message(to_number=number, from_number=OFFICE, body=THANKS + ended.end_reason)


async def account(call: Call) -> None:
    """Ask for a number, with news of each digit; say it."""
    await call.answer()
    asked = await call.prompt_tts(ASK, {"digits": {"max": 3}, "initial_timeout": 60.0, "partial_results": True})
    result = (await asked.wait()).params["result"]
    confirmation = await call.play_tts(YOU_PRESSED + result["params"]["digits"])
    await confirmation.wait()
    await call.hangup()


async def wish(call: Call) -> None:
    """Ask for a wish, with news of its beginning; say it."""
    await call.answer()
    await call.play_tts(WISH_FOR)
    listening = await call.collect(speech={}, initial_timeout=60.0, send_start_of_input=True)
    result = (await listening.wait()).params["result"]
    confirmation = await call.play_tts(YOU_SAID + result["params"]["text"])
    await confirmation.wait()
    await call.hangup()


async def clock(call: Call) -> None:
    """Tell which year it was when the prompt ended."""
    await call.answer()
    moment = await call.play_tts(MOMENT)
    finished = await moment.wait()
    year = await call.play_tts(YEAR + str(time.gmtime(finished.timestamp).tm_year))
    await year.wait()
    await call.hangup()


async def agent(call: Call) -> None:
    """Let an agent talk to the caller."""
    await call.answer()
    conversation = await call.ai(prompt=PROMPT)
    await conversation.wait()
    await call.hangup()


async def till(call: Call) -> None:
    """Take a payment."""
    await call.answer()
    payment = await call.pay(CONNECTOR, charge_amount="25.99")
    await payment.wait()
    paid = await call.play_tts(PAID)
    await paid.wait()
    await call.hangup()


NUMBERS: dict[str, Callable[[Call], Awaitable[None]]] = {
    OFFICE: office, LOOK_UP: look_up, BRIDGE: bridge, CRASHING: crashing, BLOCKING: blocking, ANNOUNCED: announced,
    RINGING: ringing, PATIENT: patient, ACCOUNT: account, WISH: wish, CLOCK: clock, AGENT: agent, TILL: till,
}  # fmt: skip


async def remind(number: str, dial_timeout: float) -> None:
    """Call somebody, say something, hang up."""
    device = {"type": "phone", "params": {"from_number": OFFICE, "to_number": number}}
    call = await client.dial([[device]], dial_timeout=dial_timeout)
    reminder = await call.play_tts(REMINDER)
    await reminder.wait()
    await call.hangup()


async def fax() -> None:
    """Call the fax machine, and send it the invoice."""
    device = {"type": "phone", "params": {"from_number": OFFICE, "to_number": FAX_MACHINE}}
    call = await client.dial([[device]])
    sent = await call.send_fax(INVOICE)
    await sent.wait()
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
    except (Exception, asyncio.CancelledError) as error:
        report("failed", who, f"{type(error).__name__}: {error}".removesuffix(": "))
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
    elif message.body == "fax it":
        await told(number, fax())
    elif message.body == "open the shop":
        await told(number, client.receive(["shop"]))
    else:
        await told(number, confirm(number))


if __name__ == "__main__":
    client.run()
