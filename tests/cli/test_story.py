"""The story is what was observed: on the lines, on the wire, and in the log."""

import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from relay_actors import CallActor, MessageActor, RelayApp
from relay_actors.cli.screen import Screen
from relay_actors.cli.story import Teller, call_of, masked
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.simulator import Simulator

ADA, DESK = "+15550001111", "+15550002222"


class Menu(CallActor):
    async def run(self) -> None:
        await self.answer()
        asked = await self.prompt_tts("Press a number.", {"digits": {"max": 3}}).wait()
        if asked.digits == "666":
            raise LookupError(asked.digits)
        await self.connect([[{"type": "phone", "params": {"from_number": ADA, "to_number": DESK}}]])
        await self.sleep(60.0)


class Inbox(MessageActor):
    def on_receive(self, message: object) -> None:
        self.reply("Thank you.")


@contextmanager
def told(simulator: Simulator) -> Iterator[io.StringIO]:
    """What is written meanwhile; all of it once the block is left."""
    stream = io.StringIO()
    with Teller(
        simulator,
        Screen(stream, {}),
        clock=SystemClock(),
        names={ADA: "Ada"},
        logger=logging.getLogger("relay_actors"),
    ):
        yield stream


def rows(stream: io.StringIO) -> list[str]:
    """The rows without their times, and with single spaces."""
    return [" ".join(line.split()[1:]) for line in stream.getvalue().splitlines()]


def test_what_a_caller_notices_stands_beside_what_the_application_did(simulator: Simulator, app: RelayApp):
    """One row for both, so that cause and effect are seen together."""
    app.calls("menu")(Menu)
    simulator.phone(DESK).answers_after(0.1)
    with told(simulator) as stream:
        app.start()
        ada = simulator.phone(ADA).dials(context="menu")
        ada.hears("a number").presses("123")
        ada.talks_to(simulator.phone(DESK))
        ada.hangs_up()
        app.stop()

    said = rows(stream)
    assert said[0] == "who on the phone the application"
    story = [row for row in said if row.startswith("Ada ***111")]
    assert story[:8] == [
        "Ada ***111 dialled +15550***000 (context menu)",
        "Ada ***111 answered answer",
        "Ada ***111 heard 'Press a number.' play_and_collect",
        "Ada ***111 pressed 123",
        "Ada ***111 heard 'ringtone ringback' connect +15550***222",
        "Ada ***111 connected to +15550***222",
        "Ada ***111 hung up",
        "Ada ***111 ended (hangup)",
    ]
    assert "logs in, contexts: menu" in said
    assert [row for row in said if row.startswith("+15550***222")][:2] == [
        "+15550***222 ringing",
        "+15550***222 answered",
    ]


def test_texts_are_told_in_both_directions(simulator: Simulator, app: RelayApp):
    app.messages("menu")(Inbox)
    with told(simulator) as stream:
        app.start()
        simulator.phone(ADA).texts("Hello?", context="menu").receives_text("Thank you")
        app.stop()

    said = rows(stream)
    assert "Ada ***111 texted 'Hello?'" in said
    assert "Ada ***111 texts 'Thank you.'" in said
    assert "Ada ***111 received 'Thank you.'" in said


def test_a_crash_stands_beside_its_caller(simulator: Simulator, app: RelayApp):
    """The supervisor reports an actor; people want to know whose call it is."""
    app.calls("menu")(Menu)
    with told(simulator) as stream:
        app.start()
        ada = simulator.phone(ADA).dials(context="menu")
        ada.hears("a number").presses("666")
        ada.hears("a number").hangs_up()
        app.stop()

    crashes = [row for row in rows(stream) if "LookupError" in row]
    assert len(crashes) == 1
    assert crashes[0].startswith("Ada ***111 restarting child=Menu#")
    assert crashes[0].endswith("reason=error LookupError: 666 attempt=1 of=3")


def test_leaving_the_story_leaves_logging_and_threads_as_they_were(simulator: Simulator):
    """It is a guest in the process."""
    logger = logging.getLogger("relay_actors")
    before = (logger.level, logger.propagate, list(logger.handlers), set(threading.enumerate()))

    with told(simulator):
        assert logger.propagate is False

    assert (logger.level, logger.propagate, list(logger.handlers), set(threading.enumerate())) == before


def test_what_is_said_comes_after_what_has_happened(simulator: Simulator):
    """Whoever types sees the answer beneath what it is about."""
    stream = io.StringIO()
    screen = Screen(stream, {})
    with Teller(simulator, screen, clock=SystemClock(), logger=logging.getLogger("relay_actors")) as teller:
        for _ in range(20):
            simulator.phone(ADA).dials(context="menu").hangs_up()
            teller.say("-- gone")

    lines = stream.getvalue().splitlines()
    assert lines.count("-- gone") == 20
    assert all("ended (abandoned)" in lines[place - 1] for place, line in enumerate(lines) if line == "-- gone")


def test_a_story_in_which_nothing_happens_is_empty(simulator: Simulator):
    with told(simulator) as stream:
        pass

    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+15550100200", "+15550***200"),
        ("from +15550100200 to +441632960123.", "from +15550***200 to +441632***123."),
        ("anonymous pressed 123456789", "anonymous pressed 123456789"),
    ],
)
def test_phone_numbers_are_masked(text: str, shown: str):
    assert masked(text) == shown


@pytest.mark.parametrize(
    ("message", "args", "call_id"),
    [
        ("call given up call_id=%s", ("c-1",), "c-1"),
        ("call ended call_id=%s reason=%s", ("c-2", "hangup"), "c-2"),
        ("connection down: %s", ("broken",), ""),
        ("no arguments", (), ""),
    ],
)
def test_a_log_record_tells_which_call_it_is_about(message: str, args: tuple[object, ...], call_id: str):
    record = logging.LogRecord("relay_actors", logging.INFO, "", 0, message, args, None)

    assert call_of(record) == call_id
