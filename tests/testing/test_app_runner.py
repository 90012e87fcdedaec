"""Applications are started as a test wants them, and what they leave behind is found."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay_actors import Actor, CallActor, RelayApp, Timing
from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.simulator.lines import Line
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from relay_actors.testing import lab as labs
from relay_actors.testing.app_runner import AppRunner, shortened
from relay_actors.testing.lab import Lab
from relay_actors.testing.timeline import Timeline
from relay_actors.transport.memory import MemoryConnector, MemoryTransport

DEADLINE_S = 10.0


class Greeter(CallActor):
    """Greets, and then waits for the caller to go."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("Welcome.").wait()
        await self.wait_for_ended()


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(clock=SystemClock(), random=Random(1), pace=0.01)


@pytest.fixture
def runner(simulator: Simulator) -> Iterator[AppRunner]:
    with SimulatorServer(simulator) as server:
        runner = AppRunner(server)
        yield runner
        runner.stop()


def greeting_app(actor_class: type[CallActor] = Greeter, *, context: str = "office", name: str = "relay") -> RelayApp:
    app = RelayApp(name=name)
    app.calls(context)(actor_class)
    return app


def call(simulator: Simulator, context: str = "office") -> Line:
    return simulator.phone("+15550001111").dials(context=context)


def test_an_application_needs_no_environment(runner: AppRunner, simulator: Simulator, monkeypatch: pytest.MonkeyPatch):
    """A test that runs on one developer's machine only is no test."""
    for variable in [name for name in os.environ if name.startswith(("SIGNALWIRE_", "RELAY_"))]:
        monkeypatch.delenv(variable)

    runner(greeting_app())

    call(simulator).hears("welcome")


def test_what_is_no_application_is_not_started(runner: AppRunner):
    """Whoever has one class easily gives that."""
    for wrong in (Greeter, Greeter.run, "app", None):
        with pytest.raises(ConfigError, match=r"^relay_app\([\w']+\): give the application, the RelayApp"):
            runner(wrong)  # type: ignore[arg-type]  # that is the mistake


def test_an_application_in_a_test_never_talks_to_anybody_else(
    runner: AppRunner, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    """Nor does what is set for production get in the way, or leave the process."""
    there = {
        "SIGNALWIRE_PROJECT_ID": "real-project",
        "SIGNALWIRE_API_TOKEN": "real-token",
        "SIGNALWIRE_JWT_TOKEN": "real-jwt",
        "SIGNALWIRE_SPACE": "real.example.com",
        "SIGNALWIRE_RELAY_SCHEME": "wss",
        "SIGNALWIRE_RELAY_CA_FILE": "/real/but/not/here.pem",
        "RELAY_MAX_CONNECTIONS": "1",
    }
    for variable, value in there.items():
        monkeypatch.setenv(variable, value)

    runner(greeting_app())

    call(simulator).hears("welcome")
    assert not any(b"real" in logged.text for logged in simulator.frames)
    assert {variable: os.environ[variable] for variable in there} == there


def test_an_application_with_credentials_of_its_own_does_not_show_them(runner: AppRunner, simulator: Simulator):
    """Nor is a file asked for that only a server in production has."""
    app = RelayApp("real-project", "real-token", "real-jwt", "real.example.com", ["office"], ca_file="/not/here.pem")

    runner(app)

    assert len(simulator.sessions) == 1
    assert not any(b"real" in logged.text for logged in simulator.frames)


def test_applications_may_run_beside_each_other(runner: AppRunner, simulator: Simulator):
    """The bound on connections protects production, not tests."""
    runner(greeting_app(context="office"))
    runner(greeting_app(context="branch", name="second"))

    call(simulator, "office").hears("welcome")
    call(simulator, "branch").hears("welcome")
    assert runner.stop() == []


class ThreadedGreeter(CallActor):
    """Has a thread of its own until the caller goes."""

    def run(self) -> None:
        self.answer().get()
        self.play_tts("Welcome.").wait().get()
        self.wait_for_ended().get()


def test_a_thread_is_not_taken_for_that_of_another_application_of_the_same_name(
    runner: AppRunner, simulator: Simulator
):
    """It began after the other one was started, and goes on when that one is stopped: it is no rest of it."""
    runner(greeting_app(ThreadedGreeter, context="office"))
    runner(greeting_app(context="branch"))

    call(simulator, "office").hears("welcome")
    assert runner.stop() == []


def test_an_application_that_runs_already_is_refused(runner: AppRunner):
    """It would go on talking to whom it talks to, and the test would wonder why nobody is called."""
    app = runner(greeting_app())

    with pytest.raises(ConfigError, match="runs already"):
        runner(app)


def test_times_are_lent_for_one_run(runner: AppRunner):
    """The next test shall find the application as its module has made it."""
    app = greeting_app()
    before, given = app.timing, Timing(linger_s=0.01)

    runner(app, timing=given)
    assert app.timing is given
    runner.stop()
    assert app.timing is before


def test_times_are_only_ever_shortened():
    """Who has chosen still shorter ones has a reason; and time-outs are what an application is tested with."""
    usual, short = Timing(), Timing().scaled(0.001)

    assert shortened(usual).linger_s < usual.linger_s
    assert shortened(usual).reconnect_max_s < usual.reconnect_max_s
    assert shortened(usual).request_timeout_s == usual.request_timeout_s
    assert shortened(usual).dial_timeout_s == usual.dial_timeout_s
    assert shortened(short) == short


def test_calls_that_are_up_at_the_end_are_hung_up_and_no_fault(runner: AppRunner, simulator: Simulator):
    """A test may end in the middle of a conversation."""
    app = runner(greeting_app())
    caller = call(simulator).hears("welcome")

    assert runner.stop() == []
    assert caller.is_over
    assert not app.is_running
    assert runner.stop() == []


def test_a_call_that_has_just_ended_is_not_hung_up(
    runner: AppRunner, simulator: Simulator, caplog: pytest.LogCaptureFixture
):
    """The application may not have heard of it yet; a report of a failed test shall not speak of calls left up."""
    runner(greeting_app())
    caller = call(simulator).hears("welcome").hangs_up()

    assert runner.stop() == []
    assert simulator.count(caller, "calling.end") == 0
    assert "hanging up" not in caplog.text


def test_a_call_that_nobody_hangs_up_is_told(runner: AppRunner, simulator: Simulator):
    """A caller who is left in silence is the worst that an application can do."""
    runner(greeting_app(), timing=Timing(stop_timeout_s=0.2))
    caller = call(simulator).hears("welcome")
    simulator.reject_next("calling.end", times=10)

    assert runner.stop() == [f"call {caller.call_id} is still answered: nobody has hung it up"]


def test_a_call_that_was_given_back_is_not_the_applications(runner: AppRunner, simulator: Simulator):
    """Whoever it goes to next is responsible for it."""

    class NotNow(CallActor):
        async def run(self) -> None:
            await self.pass_()

    runner(greeting_app(NotNow))
    caller = call(simulator)
    simulator.expect(caller, "calling.pass")

    assert runner.stop() == []
    assert not caller.is_over


def test_a_handler_that_does_not_come_back_is_told_with_the_place(runner: AppRunner, simulator: Simulator):
    """The thread is there for ever, and with it whatever it holds: the developer needs the line."""
    go_on = threading.Event()

    class Stuck(CallActor):
        async def run(self) -> None:
            await self.answer()
            go_on.wait(DEADLINE_S)  # this line is looked for

    runner(greeting_app(Stuck), timing=Timing(stop_timeout_s=0.2))
    call(simulator).is_connected()

    left = runner.stop()
    go_on.set()

    assert any("thread relay-" in told and "this line is looked for" in told for told in left), left


@pytest.mark.parametrize("fault", ["time_out times=none", "socket_down", "half_open"])
def test_a_server_that_was_told_not_to_answer_does_not_hold_up_the_end(
    runner: AppRunner, simulator: Simulator, fault: str
):
    """The fault was the test's, and is over with it."""
    runner(greeting_app())
    caller = call(simulator).hears("welcome")
    simulator.inject(fault)

    assert runner.stop() == []
    assert caller.is_over


def test_a_hang_up_that_was_lost_with_its_connection_is_said_again(runner: AppRunner, simulator: Simulator):
    """The stop has patience for it: what is in doubt is asked for once the connection is back."""
    runner(greeting_app())
    caller = call(simulator).hears("welcome")
    simulator.inject("cut method=calling.end")

    assert runner.stop() == []
    assert caller.is_over


def test_a_journal_in_a_file_is_in_memory_in_real_time_too(runner: AppRunner, simulator: Simulator, tmp_path: Path):
    """Whatever stands in the file is another test's, or the calls of a customer: none is taken up, and none is left."""
    app = RelayApp(journal=tmp_path / "calls.db")
    app.calls("office")(Greeter)
    for _run in range(2):
        runner(app)
        caller = call(simulator).hears("welcome")
        assert app.hand_over()
    runner(app)

    assert app.calls_up == 2
    assert runner.stop() == []
    assert caller.is_over
    assert list(tmp_path.iterdir()) == []


# In a lab.


def test_in_a_lab_its_own_times_are_kept_and_several_run_beside_each_other():
    """None is waited for, so none has to be shortened."""
    first, second = greeting_app(name="one"), greeting_app(context="sales", name="two")
    with Lab() as lab:
        runner = AppRunner(lab)
        for app in (first, second):
            assert runner(app) is app
        for context in ("office", "sales"):
            lab.phone("+15550001111").dials(context=context).hears("welcome")
        assert runner.stop() == []
        assert not first.is_running
        assert lab.sim.calls_up() == ()
    assert first.timing == Timing()


def test_what_is_left_over_in_a_lab_is_told():
    """Timers and calls."""
    with Lab() as lab:
        runner = AppRunner(lab)
        runner(greeting_app(), timing=Timing(stop_timeout_s=1.0))
        lab.phone("+15550001111").dials(context="office").hears("welcome")
        lab.sim.reject_next("calling.end", times=100)
        lab.dispatcher.call_at(5000.0, list)
        left = runner.stop()
    assert any("timers are still pending" in line for line in left), left
    assert any("nobody has hung it up" in line for line in left), left


def test_events_that_nobody_has_acknowledged_are_told():
    """The server would send them again, to the next process."""

    class KeepsAcknowledgements(MemoryConnector):
        """None reaches the server."""

        def connect(self) -> MemoryTransport:
            near = before.connect()
            send = near.send
            near.send = lambda texts: send([text for text in texts if b'"result":{}' not in text])
            return near

    with Lab() as lab:
        before, lab.connector = lab.connector, KeepsAcknowledgements(list)
        runner = AppRunner(lab)
        runner(greeting_app())
        lab.phone("+15550001111").dials(context="office").hears("welcome")
        [told] = [line for line in runner.stop() if "acknowledged" in line]
    assert re.fullmatch(r"\d+ events were not acknowledged within 30 s", told)


class Restless(CallActor):
    """Does so much at one moment that time never goes on."""

    async def run(self) -> None:
        await self.answer()
        while True:
            await self.sleep(0)


def test_an_application_without_rest_is_ended_and_told_of_once(monkeypatch: pytest.MonkeyPatch):
    """By the wait that was in vain, or, if there was none, at the end."""
    monkeypatch.setattr(labs, "MOST_AT_ONCE", 1000)
    app = greeting_app(Restless)
    with Lab() as lab:
        runner = AppRunner(lab)
        runner(app)
        caller = lab.phone("+15550001111").dials(context="office")
        with pytest.raises(ConfigError, match="time stands still"):
            caller.hears("welcome")
        assert runner.stop() == []
        assert not app.is_running
    with Lab() as lab:
        runner = AppRunner(lab)
        runner(app)
        lab.phone("+15550001111").dials(context="office")
        with pytest.raises(ConfigError, match="time stands still"):
            runner.stop()
    assert not app.is_running


def test_the_timeline_follows_what_is_started():
    """Whatever a failing test wants to know."""
    with Lab() as lab:
        timeline = Timeline(lab.sim)
        AppRunner(lab, timeline)(greeting_app())
        lab.phone("+15550001111").dials(context="office").hears("welcome")
        assert any(entry.kind == "actor" and entry.who.startswith("Greeter") for entry in timeline.entries)


@pytest.mark.parametrize("fault", ["restart keeps_sessions=no", "refuse_resume", "expire_authorization"])
def test_a_call_that_the_server_has_lost_is_not_left_by_the_application(fault: str):
    """It cannot hang up what is none of its session; its end is the caller's."""
    with Lab() as lab:
        runner = AppRunner(lab)
        runner(greeting_app())
        caller = lab.phone("+15550001111").dials(context="office").hears("welcome")
        lab.sim.inject(fault)
        lab.sim.drop_sockets()
        lab.advance(60)
        assert runner.stop() == []
        assert not caller.is_over


@pytest.mark.parametrize(
    "fault",
    ["socket_down", "half_open", "stall", "slow seconds=100", "time_out times=none"],
)
def test_a_fault_that_lasts_is_over_with_the_test(fault: str):
    """The test has ordered it: what the application could not do for it is not left behind."""
    with Lab() as lab:
        runner = AppRunner(lab)
        runner(greeting_app())
        caller = lab.phone("+15550001111").dials(context="office").hears("welcome")
        lab.sim.inject(fault)
        assert runner.stop() == []
        assert caller.is_over


class Database(Actor):
    """Is there or not, as the test says."""

    def __init__(self, is_there: list[bool]) -> None:
        super().__init__()
        self.is_there = is_there

    def on_start(self) -> None:
        if not self.is_there.pop(0):
            raise OSError("no database")

    def on_receive(self, message: object) -> None:
        raise ValueError(message)


def test_a_service_that_has_never_been_up_is_told_with_its_error():
    """Calls are taken all the same, and whether a caller hears of it depends on what the test asks for."""
    app = greeting_app()
    app.service(Database, [False] * 100, name="database")
    with Lab() as lab:
        runner = AppRunner(lab)
        runner(app)
        lab.phone("+15550001111").dials(context="office").hears("welcome")
        assert runner.never_up() == ["service 'database' (Database): start_failed OSError: no database"]
        lab.advance(100)
        assert runner.never_up() == ["service 'database' (Database): start_failed OSError: no database"]
        assert runner.stop() == []
        assert runner.never_up() == []


@pytest.mark.parametrize("starts", [[True], [False, True], [True, False, False, False, False, False]])
def test_a_service_that_was_up_once_is_not_told(starts: list[bool]):
    """How an application fares without one for a while may be what a test is about."""
    app = greeting_app()
    app.service(Database, starts, name="database")
    with Lab() as lab:
        runner = AppRunner(lab)
        runner(app)
        lab.advance(1)
        database = app.lookup("database")
        if database is not None and len(starts) > 1:
            database.tell("fail")
            lab.advance(0.5)
        assert runner.never_up() == []
        assert runner.stop() == []
