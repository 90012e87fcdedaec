"""What this client has beside what the official one has: loops for calls, reports, giving up, a journal, a drain."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import logging
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relay_actors import Apologise, HandTo, HangUp, LeaveUp, TransferTo
from relay_actors.actors.app_checks import AtDeadline
from relay_actors.actors.call import CallActor
from relay_actors.client import Call, RelayClient
from relay_actors.errors import ConfigError
from relay_actors.events import RelayEvent
from tests.cli.processes import Command
from tests.client.conftest import CALLER, DEADLINE_S, DESK, OURS, Stage, person, until
from tests.client.test_relay_client import runs
from tests.support.plain_app import wait_until

PRESS = {"digits": {"max": 1}, "initial_timeout": 60.0}


def with_options(stage: Stage, handler: Callable[[Call], Any], **options: Any) -> None:
    """Have the story's client made anew, with options and a handler."""
    stage.client = stage.another_client(**options)
    stage.client.on_call(handler)


async def is_connected_to(call: Call, devices: Any) -> None:
    """Connect a call, and wait until both talk; the wait begins first, since phones here answer at once."""
    told = call.wait_for("calling.call.connect", lambda event: event.params["connect_state"] == "connected")
    waits = asyncio.create_task(told)
    await asyncio.sleep(0)
    await call.connect(devices)
    await waits


# -- isolation -------------------------------------------------------------------------------------------------------


def test_with_isolation_a_handler_that_blocks_holds_up_no_other_call(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Each call has a loop and a thread, and so has what it listens to; the thread ends with the call."""
    threads: dict[str, set[threading.Thread]] = {}
    may_go_on = threading.Event()

    async def serve(call: Call) -> None:
        mine = threads.setdefault(call.from_number, set())

        def note(_event: RelayEvent) -> None:
            mine.add(threading.current_thread())

        note(RelayEvent("", {}))
        call.on("calling.call.state", note)
        await call.answer()
        if call.from_number == CALLER:
            assert may_go_on.wait(DEADLINE_S)
        greeting = await call.play_tts("Welcome.", on_completed=note)
        await greeting.wait()
        await call.hangup()

    with_options(stage, serve, isolation="call")

    async def story() -> None:
        blocked = stage.phone(CALLER).dials(context="office")
        await until(lambda: CALLER in threads)
        other = stage.phone(DESK).dials(context="office")
        await person(other.hears, "welcome")
        await person(other.is_hung_up)
        assert blocked.heard == ()
        may_go_on.set()
        await person(blocked.is_hung_up)
        assert [str(sound) for sound in blocked.heard] == ["Welcome."]
        for thread in {thread for each in threads.values() for thread in each}:
            await person(thread.join, DEADLINE_S)  # it ends with its call

    with caplog.at_level(logging.WARNING):
        stage.plays(story)
    [one], [other] = threads.values()
    assert one is not other
    assert threading.main_thread() not in (one, other)
    assert not one.is_alive()
    assert not other.is_alive()
    assert "may_go_on.wait" not in caplog.text  # it may block; on a busy machine others may be told that they do


def test_with_isolation_a_handler_that_crashes_costs_its_own_call_only(stage: Stage) -> None:
    """As without. SEMANTICS X7."""

    async def serve(call: Call) -> None:
        await call.answer()
        await call.wait_for_answered()
        if call.from_number == CALLER:
            raise ValueError("a bug")
        await (await call.play_tts("Welcome.")).wait()
        await call.hangup()

    with_options(stage, serve, isolation="call")

    async def story() -> tuple[str, str]:
        lines = stage.phone(CALLER).dials(context="office"), stage.phone(DESK).dials(context="office")
        for line in lines:
            await person(line.is_hung_up)
        return lines[0].end_reason, lines[1].end_reason

    assert stage.plays(story) == ("error", "hangup")


def test_with_isolation_a_disconnect_ends_the_threads(stage: Stage) -> None:
    """What is awaited on their loops is cancelled, as on the client's."""
    threads: list[threading.Thread] = []
    ends: list[str] = []
    is_waiting = threading.Event()

    async def serve(call: Call) -> None:
        threads.append(threading.current_thread())
        await call.answer()
        waits = call.wait_for_ended()
        is_waiting.set()
        try:
            await waits
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    with_options(stage, serve, isolation="call")

    async def story() -> None:
        stage.phone(CALLER).dials(context="office")
        assert await person(is_waiting.wait, DEADLINE_S)

    stage.plays(story)
    threads[0].join(DEADLINE_S)
    assert not threads[0].is_alive()
    assert ends == ["cancelled"]


def test_a_listener_stays_on_the_loop_on_which_it_was_registered(stage: Stage) -> None:
    """Also one of another call: so no handler has to think of other threads."""
    seen: list[tuple[threading.Thread, threading.Thread]] = []

    async def serve(call: Call) -> None:
        here = threading.current_thread()
        await call.answer()
        desk = await stage.client.dial([[{"type": "phone", "params": {"from_number": OURS, "to_number": DESK}}]])
        desk.on("calling.call.state", lambda _event: seen.append((here, threading.current_thread())))
        await desk.hangup()
        await desk.wait_for_ended()
        await call.hangup()

    with_options(stage, serve, isolation="call")
    stage.phone(DESK).answers()

    async def story() -> None:
        line = stage.phone(CALLER).dials(context="office")
        await person(line.is_hung_up)

    stage.plays(story)
    assert seen
    assert all(there is here for here, there in seen)


def test_with_isolation_what_goes_on_after_its_call_is_cancelled_in_the_end(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """So that no call leaves a thread behind; what ends in time is not cut off."""
    threads: list[threading.Thread] = []
    told: list[str] = []

    async def for_ever() -> None:
        await asyncio.Event().wait()

    async def a_little() -> None:
        await asyncio.sleep(0.01)
        told.append("saved")

    async def serve(call: Call) -> None:
        threads.append(threading.current_thread())
        tasks.extend([asyncio.create_task(for_ever(), name="heartbeat"), asyncio.create_task(a_little())])
        await call.answer()
        await call.hangup()

    tasks: list[asyncio.Task[None]] = []
    with_options(stage, serve, isolation="call")
    stage.client.app.timing = dataclasses.replace(stage.client.app.timing, wrap_up_s=0.2)

    async def story() -> None:
        line = stage.phone(CALLER).dials(context="office")
        await person(line.is_hung_up)
        await person(threads[0].join, DEADLINE_S)
        assert not threads[0].is_alive()

    stage.plays(story)
    assert told == ["saved"]
    assert tasks[0].cancelled()
    assert "a task goes on after its call, and is cancelled task=heartbeat" in caplog.text


# -- a handler that blocks -------------------------------------------------------------------------------------------


def test_a_handler_that_blocks_the_loop_is_reported_with_its_line(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, while it blocks, with what to do. SEMANTICS A16."""
    is_told = threading.Event()

    class Tells(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "blocks the asyncio loop" in record.getMessage():
                is_told.set()

    async def serve(call: Call) -> None:
        await call.answer()
        assert is_told.wait(DEADLINE_S)  # the line
        await call.hangup()

    stage.client.on_call(serve)
    log, tells = logging.getLogger("relay_actors.runtime"), Tells()

    async def story() -> None:
        line = stage.phone(CALLER).dials(context="office")
        await person(line.is_hung_up)

    log.addHandler(tells)
    try:
        stage.plays(story)
    finally:
        log.removeHandler(tells)
    [report] = [text for record in caplog.records if "blocks the" in (text := record.getMessage())]
    lines, first = inspect.getsourcelines(serve)
    [number] = [first + place for place, line in enumerate(lines) if "# the line" in line]
    assert f"{Path(__file__)}:{number} function=serve" in report
    assert 'RelayClient(isolation="call")' in report


# -- giving up -------------------------------------------------------------------------------------------------------


class Operator(CallActor):
    """Takes over what a handler has left."""

    async def run(self) -> None:
        await self.play_tts("One moment.").wait()


async def crashes(call: Call) -> None:
    await call.answer()
    await call.wait_for_answered()
    raise ValueError("a bug")


@pytest.mark.parametrize(
    ("policy", "heard"),
    [
        (Apologise("We are sorry."), ["We are sorry."]),
        ({"answered": Apologise("So sorry.")}, ["So sorry."]),
        (HandTo(Operator), ["One moment."]),
        (HangUp("busy"), []),
    ],
    ids=["apologise", "by phase", "hand to", "hang up"],
)
def test_what_becomes_of_a_call_whose_handler_has_crashed_can_be_said(
    stage: Stage, policy: Any, heard: list[str]
) -> None:
    """All that actors have is there. SEMANTICS X7."""
    with_options(stage, crashes, on_give_up=policy)

    async def story() -> None:
        line = stage.phone(CALLER).dials(context="office")
        await person(line.is_hung_up)
        assert [str(sound) for sound in line.heard] == heard

    stage.plays(story)
    assert len(stage.sent("calling.end")) == 1


def test_a_call_whose_handler_has_crashed_can_be_transferred(stage: Stage) -> None:
    """To who can help."""
    with_options(stage, crashes, on_give_up=TransferTo("context:sales"))

    async def story() -> None:
        line = stage.phone(CALLER).dials(context="office")
        await person(line.is_transferred, "sales")

    stage.plays(story)
    assert stage.sent("calling.end") == []


def test_without_a_policy_a_crash_is_logged_and_the_call_stays_up(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """As the official client does."""
    calls: list[Call] = []

    async def keeps(call: Call) -> None:
        calls.append(call)
        await crashes(call)

    with_options(stage, keeps, on_give_up=None)

    async def story() -> None:
        line = stage.phone(CALLER).dials(context="office")
        await until(lambda: "the call stays up" in caplog.text)
        [call] = calls
        await call.play_tts("Still here.")
        await person(line.hears, "still here")
        await call.hangup()
        await person(line.is_hung_up)

    stage.plays(story)
    assert caplog.text.count("ValueError: a bug") == 1
    assert len(stage.sent("calling.end")) == 1


def test_those_who_talk_are_not_cut_off_by_a_crash(stage: Stage) -> None:
    """The call is hung up when the bridge ends. SEMANTICS X7."""
    has_crashed = threading.Event()

    async def bridges(call: Call) -> None:
        await call.answer()
        await is_connected_to(call, [[{"type": "phone", "params": {"from_number": OURS, "to_number": DESK}}]])
        has_crashed.set()
        raise ValueError("a bug")

    stage.client.on_call(bridges)
    stage.phone(DESK).answers()

    async def story() -> None:
        line = stage.phone(CALLER).dials(context="office")
        assert await person(has_crashed.wait, DEADLINE_S)
        await person(stage.phone(CALLER).talks_to, stage.phone(DESK))
        await person(line.says, "are you still there")
        await person(stage.phone(DESK).hears, "still there")
        await person(stage.phone(DESK).hangs_up)
        await person(line.is_hung_up)

    stage.plays(story)


# -- a journal -------------------------------------------------------------------------------------------------------


def is_acknowledged(stage: Stage, event_type: str) -> bool:
    """Whether the client has answered for the first event of that type: SEMANTICS J1."""
    told = stage.sim.frames.sent(event_type)[0].frame["id"]
    return any(frame.frame.get("id") == told for frame in stage.sim.frames.received())


def test_a_client_with_a_journal_serves_its_callers_on_after_kill_9(stage: Stage, tmp_path: Path) -> None:
    """The handler is begun anew: nobody is left in silence. SEMANTICS J4."""
    account = {
        "SIGNALWIRE_SPACE": stage.host,
        "SIGNALWIRE_PROJECT_ID": "p",
        "SIGNALWIRE_API_TOKEN": "t",
        "SIGNALWIRE_RELAY_SCHEME": "ws",
        "JOURNAL": str(tmp_path / "calls.db"),
    }
    with Command(module="tests.client.menu", **account) as first:
        stage.sim.wait_for_clients()
        line = stage.phone(CALLER).dials(context="office")
        first.says("serving in state created")
        line.hears("press 1")
        wait_until(lambda: is_acknowledged(stage, "calling.call.state"), "the acknowledgement of the answer")
        first.signal(signal.SIGKILL)
        first.ends()
    with Command(module="tests.client.menu", **account) as second:
        second.says("serving in state answered")
        line.hears("press 1").presses("1").hears("pressed 1").is_hung_up()
        second.signal(signal.SIGTERM)
        assert second.ends() == 0, second.output
    assert line.end_reason == "hangup"
    assert len(stage.sim.frames.received("calling.end")) == 1


def test_what_nobody_awaits_any_more_is_hung_up_by_the_next_process(stage: Stage, tmp_path: Path) -> None:
    """A dial is awaited by its own process only; but those who talk are left to do so. SEMANTICS J4, X7."""
    stage.phone(DESK).answers()
    journal = tmp_path / "calls.db"
    stage.client = stage.another_client(journal=journal)
    bridged = threading.Event()

    @stage.client.on_call
    async def bridges(call: Call) -> None:
        await call.answer()
        await is_connected_to(call, [[{"type": "phone", "params": {"from_number": OURS, "to_number": "+15550004444"}}]])
        bridged.set()
        await call.wait_for_ended()

    async def before() -> None:
        await stage.client.dial([[{"type": "phone", "params": {"from_number": OURS, "to_number": DESK}}]])
        stage.phone(CALLER).dials(context="office")
        assert await person(bridged.wait, DEADLINE_S)
        await person(stage.client.app.hand_over)

    stage.phone("+15550004444").answers()
    stage.plays(before)
    assert not stage.phone(DESK).line.is_over
    again: list[Call] = []
    stage.client = stage.another_client(journal=journal)
    stage.client.on_call(again.append)

    async def after() -> None:
        await person(stage.phone(DESK).line.is_hung_up)
        assert not stage.phone(CALLER).line.is_over
        await person(stage.phone("+15550004444").hangs_up)
        await person(stage.phone(CALLER).line.is_hung_up)

    stage.plays(after)
    assert again == []


# -- actors beside handlers ------------------------------------------------------------------------------------------


def test_a_context_can_have_actors_while_the_others_have_the_handler(stage: Stage) -> None:
    """So an application can move to actors one context after the other, on one connection."""
    stage.client.app.calls("operator")(Operator)

    async def story() -> None:
        line = stage.phone(DESK).dials(context="operator")
        await person(line.hears, "one moment")
        await person(line.is_hung_up)
        call, _line = await stage.inbound()
        assert call.context == "office"
        await call.hangup()

    stage.plays(story)
    [sent] = stage.sent("signalwire.connect")
    assert sent["contexts"] == ["office", "operator"]


# -- one client, one loop --------------------------------------------------------------------------------------------


def test_who_connects_again_from_elsewhere_changes_nothing(stage: Stage) -> None:
    """Idempotent: handlers stay on the loop on which the client was connected first."""
    threads: list[threading.Thread] = []

    async def serve(call: Call) -> None:
        threads.append(threading.current_thread())
        await call.hangup()

    stage.client.on_call(serve)

    async def story() -> None:
        await person(lambda: asyncio.run(stage.client.connect()))
        line = stage.phone(CALLER).dials(context="office")
        await person(line.is_hung_up)

    stage.plays(story)
    assert threads == [threading.main_thread()]
    assert len(stage.sent("signalwire.connect")) == 1


def test_a_handler_that_leaves_by_system_exit_leaves_nothing_behind(stage: Stage) -> None:
    """`run` is over, as with any program; its calls are hung up, and everything can begin anew."""

    async def serve(call: Call) -> None:
        await call.answer()
        raise SystemExit(3)

    stage.client.on_call(serve)
    before = signal.getsignal(signal.SIGINT)
    acting = threading.Thread(
        target=lambda: (stage.sim.wait_for_clients(), stage.phone(CALLER).dials(context="office"))
    )
    acting.start()
    with pytest.raises(SystemExit) as caught:
        stage.client.run()
    acting.join(DEADLINE_S)
    assert caught.value.code == 3
    assert signal.getsignal(signal.SIGINT) is before
    assert not stage.client.app.is_running
    stage.phone(CALLER).line.is_hung_up()


# -- the drain, and what cannot be used ------------------------------------------------------------------------------


def test_a_drain_lasts_as_long_as_was_said(stage: Stage) -> None:
    """Then what is up is hung up, or what else was said. SEMANTICS H6."""

    async def stays(call: Call) -> None:
        await call.answer()
        await call.wait_for_ended()

    apology: AtDeadline = Apologise("We are closing.")
    with_options(stage, stays, drain_s=0.1, at_drain_deadline=apology)
    lines = []

    def meanwhile() -> None:
        lines.append(stage.phone(CALLER).dials(context="office"))
        lines[0].is_connected()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        lines[0].is_hung_up()

    runs(stage, meanwhile)
    assert [str(sound) for sound in lines[0].heard] == ["We are closing."]


def test_a_drain_waits_for_what_handlers_do_after_their_call(stage: Stage) -> None:
    """Nothing is cut off that is about to be saved, and a text that is being answered gets its answer."""
    told: list[str] = []

    async def serve(call: Call) -> None:
        await call.answer()
        await call.hangup()
        await call.wait_for_ended()
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0.05)
        await stage.client.send_message(to_number=CALLER, from_number=OURS, body="Thank you for calling.")
        told.append("saved")

    stage.client.on_call(serve)

    def meanwhile() -> None:
        stage.phone(CALLER).dials(context="office")
        stage.phone(CALLER).receives_text("thank you")

    runs(stage, meanwhile)
    assert told == ["saved"]


def test_calls_can_be_left_up_when_a_drain_is_over(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """As the official client does. Their handlers end by it, and have not crashed."""
    is_answered = threading.Event()

    async def stays(call: Call) -> None:
        await call.answer()
        await call.wait_for_answered()
        is_answered.set()
        await call.wait_for_ended()

    with_options(stage, stays, drain_s=0, at_drain_deadline=LeaveUp())

    def meanwhile() -> None:
        stage.phone(CALLER).dials(context="office")
        assert is_answered.wait(DEADLINE_S)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    runs(stage, meanwhile)
    assert not stage.phone(CALLER).line.is_over
    assert stage.sent("calling.end") == []
    assert "raised" not in caplog.text


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"isolation": "thread"}, r'isolation=.thread.: must be "client" or "call"'),
        ({"on_give_up": "hangup"}, r"on_give_up=.hangup.: must be None, or HangUp\(\)"),
        ({"on_give_up": LeaveUp()}, r"LeaveUp\(\) is for 'bridged' only"),
        ({"drain_s": -1}, "drain_s=-1: must be"),
        ({"drain_s": "soon"}, "drain_s='soon': must be"),
        ({"journal": 7}, "journal=7: must be the path of a file, a Store or None"),
        ({"at_drain_deadline": "hangup"}, "at_drain_deadline"),
    ],
)
def test_an_option_that_cannot_be_used_is_told_at_once(options: dict[str, Any], named: str) -> None:
    """Before anything is connected; the text says what would do."""
    with pytest.raises(ConfigError, match=named):
        RelayClient("p", "t", host="example.com", **options)


def test_what_is_changed_before_connect_counts(stage: Stage) -> None:
    """Attributes of a client can be set, as those of the official one."""
    client = stage.client
    client.project, client.token, client.contexts = "another-project", "another-token", ["sales"]

    async def story() -> None:
        line = stage.phone(CALLER).dials(context="sales")
        await stage.calls.get()
        assert not line.is_over

    stage.plays(story)
    [sent] = stage.sent("signalwire.connect")
    assert sent["authentication"] == {"project": "another-project", "token": "another-token"}
