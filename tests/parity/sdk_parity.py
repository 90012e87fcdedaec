"""Stories that the official SDK tells the simulator over TLS; prints a table, and exits with 1 if one went wrong.

Each story is the SDK's side (asyncio) and the person's side (a phone, in a thread). What the SDK believes is compared
with what happened on the line.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator import Phone, Simulator
from relay_actors.simulator.tls import make_tls_files
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.actors.verbs.uses import ALL_OF_IT, BARE, documented

os.environ.setdefault("SIGNALWIRE_LOG_LEVEL", "error")

from signalwire.relay import Call, RelayClient, RelayError  # after the log level is set

PROJECT, TOKEN = "parity-project", "parity-token"
OUR_NUMBER, CALLER, DESK = "+15559990000", "+15550001111", "+15550002222"
WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What every story needs."""

    sim: Simulator
    client: RelayClient
    calls: asyncio.Queue[Call]
    messages: asyncio.Queue[Any]

    def phone(self, number: str) -> Phone:
        return self.sim.phone(number)

    async def inbound(self) -> Call:
        """Let the caller dial, and return the call as the SDK sees it, answered."""
        self.phone(CALLER).dials(context="support", to=OUR_NUMBER)
        call = await self.calls.get()
        await call.answer()
        return call


async def person(story: Callable[..., object], *args: object) -> Any:
    """Run what a person does; phones wait by blocking."""
    return await asyncio.to_thread(story, *args)


async def inbound_menu(stage: Stage) -> str:
    """Answer, prompt, take a digit, hang up."""
    call = await stage.inbound()
    caller = stage.phone(CALLER)
    menu = await call.prompt_tts("Press 1 for sales, 2 for support.", {"digits": {"max": 1, "digit_timeout": 5.0}})
    await person(caller.hears, "press 1")
    await person(caller.presses, "2")
    event = await menu.wait(timeout=WITHIN_S)
    goodbye = await call.play_tts("Goodbye.")
    await goodbye.wait(timeout=WITHIN_S)
    await call.hangup()
    await call.wait_for_ended(timeout=WITHIN_S)
    await person(caller.is_hung_up)
    assert event.result == {"type": "digit", "params": {"digits": "2", "terminator": ""}}, event.result
    assert [str(sound) for sound in caller.line.heard] == ["Press 1 for sales, 2 for support.", "Goodbye."]
    return "digit 2, then hung up"


async def outbound_dial(stage: Stage) -> str:
    """Dial two phones at once; the one that answers is the call."""
    stage.phone(DESK).answers()
    params = [{"from_number": OUR_NUMBER, "to_number": number} for number in (CALLER, DESK)]
    call = await stage.client.dial([[{"type": "phone", "params": one} for one in params]], dial_timeout=WITHIN_S)
    await call.play_tts("Your appointment is tomorrow.")
    await person(stage.phone(DESK).hears, "appointment")
    await person(stage.phone(DESK).hangs_up)
    ended = await call.wait_for_ended(timeout=WITHIN_S)
    assert call.call_id == stage.phone(DESK).line.call_id
    assert stage.phone(CALLER).line.end_reason == "cancel"
    return f"desk answered, other leg {stage.phone(CALLER).line.end_reason}, ended {ended.params['end_reason']}"


async def failed_dial(stage: Stage) -> str:
    """Nobody answers: the SDK is told so."""
    stage.phone(DESK).is_busy()
    device = {"type": "phone", "params": {"from_number": OUR_NUMBER, "to_number": DESK}}
    dial = stage.client.dial([[device]], tag="busy", dial_timeout=WITHIN_S)
    (outcome,) = await asyncio.gather(dial, return_exceptions=True)
    assert isinstance(outcome, RelayError), outcome
    return str(outcome)


async def texts(stage: Stage) -> str:
    """Send a text until it is delivered, and receive one."""
    message = await stage.client.send_message(to_number=DESK, from_number=OUR_NUMBER, context="support", body="Hello")
    await message.wait(timeout=WITHIN_S)
    received = await person(stage.phone(DESK).receives_text, "hello")
    await person(lambda: stage.phone(DESK).texts("STOP", context="support"))
    inbound = await asyncio.wait_for(stage.messages.get(), WITHIN_S)
    assert message.state == "delivered"
    assert received.from_number == OUR_NUMBER
    assert (inbound.body, inbound.from_number) == ("STOP", DESK)
    return "delivered; 'STOP' received"


async def recording(stage: Stage) -> str:
    """Record what the caller says until silence."""
    call = await stage.inbound()
    action = await call.record({"format": "wav", "beep": True})
    await person(stage.phone(CALLER).hears, "beep")
    await person(stage.phone(CALLER).says, "my name is Ada")
    event = await action.wait(timeout=WITHIN_S)
    await call.hangup()
    assert event.state == "finished", event.params
    assert event.url.endswith(".wav")
    assert event.duration > 0
    return f"finished, {event.duration:.2f} s, {event.size} bytes"


async def machine_detection(stage: Stage) -> str:
    """Find an answering machine."""
    stage.phone(DESK).is_answering_machine()
    device = {"type": "phone", "params": {"from_number": OUR_NUMBER, "to_number": DESK}}
    call = await stage.client.dial([[device]], dial_timeout=WITHIN_S)
    action = await call.detect_answering_machine(timeout=30.0)
    event = await action.wait(timeout=WITHIN_S)
    await call.hangup()
    assert event.detect["params"]["event"] == "MACHINE", event.detect
    return "MACHINE"


async def bridge(stage: Stage) -> str:
    """Connect the caller to the desk, and let the desk hang up."""
    call = await stage.inbound()
    stage.phone(DESK).answers()
    connected = asyncio.ensure_future(
        call.wait_for("calling.call.connect", lambda event: event.params["connect_state"] == "connected", WITHIN_S)
    )
    await call.connect([[{"type": "phone", "params": {"from_number": OUR_NUMBER, "to_number": DESK}}]])
    await connected
    await person(stage.phone(CALLER).talks_to, stage.phone(DESK))
    await person(stage.phone(DESK).hangs_up)
    await call.hangup()
    await call.wait_for_ended(timeout=WITHIN_S)
    return "talked, then parted"


async def every_verb(stage: Stage) -> str:
    """Let the SDK say every method with all arguments and with none: exactly what the table says goes out."""
    uses = [*ALL_OF_IT, *BARE]
    last = [one for one in uses if one.method in ("calling.end", "calling.transfer", "calling.pass")]
    for one in [one for one in uses if one not in last] + last:
        stage.sim.reject_next(one.method, code="200", message="taken, and nothing done", times=2)
    call = await stage.inbound()
    for one in [one for one in uses if one not in last] + last:
        before = len(stage.sim.frames.received(one.method))
        required = [name for name, _kind, default in documented(one.verb) if default == "required" and name != "kwargs"]
        named = {name: value for name, value in one.kwargs.items() if name not in required}
        await getattr(call, one.verb)(*[one.kwargs[name] for name in required], **named)
        (frame,) = stage.sim.frames.received(one.method)[before:]
        ids = {"call_id", "node_id", "control_id"} if one.has_control_id else {"call_id", "node_id"}
        assert ids <= set(frame.params), f"{one.verb}: {frame.params}"
        sent = {key: value for key, value in frame.params.items() if key not in ids}
        assert sent == one.params, f"{one.verb}: {sent} and not {one.params}"
    await person(stage.phone(CALLER).hangs_up)
    return f"{len(uses)} frames are those that our verbs send"


async def conference(stage: Stage) -> str:
    """Let two callers meet, hear each other, and part."""
    events: list[str] = []
    calls = []
    for number in (CALLER, DESK):
        stage.phone(number).dials(context="support", to=OUR_NUMBER)
        call = await asyncio.wait_for(stage.calls.get(), WITHIN_S)
        call.on("calling.conference", lambda event: events.append(event.status))
        await call.answer()
        await call.join_conference("weekly")
        calls.append(call)
    await person(stage.phone(CALLER).talks_to, stage.phone(DESK))
    await person(stage.phone(CALLER).says, "good morning")
    await person(stage.phone(DESK).hears, "voice good morning")
    for call in calls:
        await call.hangup()
        await call.wait_for_ended(timeout=WITHIN_S)
    assert {"conference-start", "participant-join", "participant-leave"} <= set(events), events
    return "both heard each other, and all of it was told"


async def queue(stage: Stage) -> str:
    """Wait in a queue behind somebody, and move up when they leave."""
    first = await stage.inbound()
    await first.queue_enter("sales")
    stage.phone(DESK).dials(context="support", to=OUR_NUMBER)
    second = await asyncio.wait_for(stage.calls.get(), WITHIN_S)
    await second.answer()
    moved = asyncio.ensure_future(second.wait_for("calling.call.queue", lambda event: event.position == 1, WITHIN_S))
    await second.queue_enter("sales")
    await person(stage.phone(DESK).is_in_queue, "sales", 2)
    await first.queue_leave("sales")
    event = await moved
    for call in (first, second):
        await call.hangup()
        await call.wait_for_ended(timeout=WITHIN_S)
    return f"second in the queue, then {event.status} at place {event.position}"


async def payment(stage: Stage) -> str:
    """Take a card number, a date and a code."""
    call = await stage.inbound()
    over = asyncio.ensure_future(
        call.wait_for("calling.call.pay", lambda event: bool(event.params.get("result")), WITHIN_S)
    )
    await call.pay("https://connector.example.com", postal_code="false", timeout="10")
    caller = stage.phone(CALLER)
    for asked, keys in (("card number", "4111111111111111#"), ("expir", "1240"), ("security", "123")):
        await person(caller.hears, asked)
        await person(caller.presses, keys)
    event = await over
    await call.hangup()
    await call.wait_for_ended(timeout=WITHIN_S)
    assert event.params["result"] == "success", event.params
    assert "4111111111111111" not in str(event.params)
    return f"success, card {event.params['payment_card_number']}"


async def fax(stage: Stage) -> str:
    """Send three pages to a fax machine."""
    document = "https://example.com/offer.pdf"
    stage.sim.has_document(document, pages=3)
    stage.phone(DESK).is_fax_machine()
    device = {"type": "phone", "params": {"from_number": OUR_NUMBER, "to_number": DESK}}
    call = await stage.client.dial([[device]], dial_timeout=WITHIN_S)
    over = asyncio.ensure_future(
        call.wait_for("calling.call.fax", lambda event: event.fax["type"] == "finished", WITHIN_S)
    )
    await call.send_fax(document)
    event = await over
    await call.hangup()
    await call.wait_for_ended(timeout=WITHIN_S)
    assert event.fax["params"]["success"] is True, event.fax
    return f"{event.fax['params']['pages']} pages"


async def agent(stage: Stage) -> str:
    """Let an agent talk to the caller until it is finished."""
    stage.sim.next_agent("Hello, what is your name?", "Thank you, goodbye.")
    call = await stage.inbound()
    action = await call.ai(prompt={"text": "Ask for a name."})
    caller = stage.phone(CALLER)
    await person(caller.hears, "your name")
    await person(caller.says, "Ada")
    await person(caller.hears, "goodbye")
    event = await action.wait(timeout=WITHIN_S)
    await call.hangup()
    await call.wait_for_ended(timeout=WITHIN_S)
    return f"{event.params['state']} after {len(stage.sim.conversations[-1].utterances)} utterances"


STORIES: dict[str, Callable[[Stage], Awaitable[str]]] = {
    "inbound menu": inbound_menu,
    "outbound dial": outbound_dial,
    "failed dial": failed_dial,
    "texts": texts,
    "recording": recording,
    "machine detection": machine_detection,
    "bridge": bridge,
    "conference": conference,
    "queue": queue,
    "payment": payment,
    "fax": fax,
    "agent": agent,
    "every verb": every_verb,
}


async def tell_one(stage: Stage, story: Callable[[Stage], Awaitable[str]]) -> tuple[bool, str]:
    """Tell one story; return whether it went as told, and how."""
    try:
        outcome = await asyncio.wait_for(story(stage), 2 * WITHIN_S)
    except Exception as failure:  # noqa: BLE001  # one broken story must not hide the others
        traceback.print_exc()
        return False, f"{type(failure).__name__}: {failure}".splitlines()[0]
    if stage.sim.violations:
        return False, f"breaks the schema: {stage.sim.violations[-1]}"
    return True, outcome


def say(what: str, is_well: bool, how: str) -> None:
    """Print one line of the table."""
    sys.stdout.write(f"  {what:<18} {'ok' if is_well else 'FAILED':<7} {how}\n")


async def tell_all(sim: Simulator, host: str) -> bool:
    """Log the SDK in, tell every story, and print the table."""
    calls: asyncio.Queue[Call] = asyncio.Queue()
    messages: asyncio.Queue[Any] = asyncio.Queue()
    client = RelayClient(project=PROJECT, token=TOKEN, host=host, contexts=["support"])
    client.on_call(calls.put)
    client.on_message(messages.put)
    went_well = True
    async with client:
        for name, story in STORIES.items():
            started = time.monotonic()
            is_well, outcome = await tell_one(Stage(sim, client, calls, messages), story)
            went_well = went_well and is_well
            say(name, is_well, f"{time.monotonic() - started:5.2f} s  {outcome}")
        acknowledged = await person(sim.wait_until, lambda: not sim.unacknowledged, WITHIN_S)
        say("acknowledgements", acknowledged, "every event was acknowledged")
    return went_well and acknowledged


def main() -> int:
    """Run everything; return the exit status."""
    sim = Simulator(clock=SystemClock(), random=random.Random(7), pace=0.1, project=PROJECT, token=TOKEN)
    with tempfile.TemporaryDirectory() as directory:
        files = make_tls_files(Path(directory), clock=sim.clock)
        os.environ["SIGNALWIRE_RELAY_CA_FILE"] = str(files.ca_file)
        with SimulatorServer(sim, tls=files) as server:
            sys.stdout.write(f"signalwire-sdk {version('signalwire-sdk')} against {server.url}\n")
            went_well = asyncio.run(tell_all(sim, f"{server.host}:{server.port}"))
    return 0 if went_well else 1


if __name__ == "__main__":
    sys.exit(main())
