"""`relay-actors run --handover`: a deploy with live calls, in processes of their own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from relay_actors import CallActor, RelayApp
from relay_actors.cli import handover
from relay_actors.cli.handover import Settling, Taken, take_over
from relay_actors.cli.main import main
from relay_actors.errors import ConfigError
from relay_actors.journal.entries import Session
from relay_actors.journal.sqlite import SqliteStore
from relay_actors.journal.writer_lock import Holder, NextInLine, WriterLock, find_holder
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.cli.conftest import PACE
from tests.cli.processes import DEADLINE_S, Command
from tests.cli.test_run import variables

APPLICATION = """
import os
import time

from relay_actors import CallActor, LeaveForNext, RelayApp, Timing

app = RelayApp(
    journal=os.environ.get("JOURNAL", "calls.db"),
    at_drain_deadline=LeaveForNext(),
    timing=Timing(
        linger_s=0.05,
        reconnect_min_s=0.05,
        reconnect_max_s=0.2,
        stop_timeout_s=float(os.environ.get("STOP_TIMEOUT_S", 5.0)),
    ),
)
app.on_shutdown("stop_system", lambda: print("closed", flush=True))


@app.calls("shop")
class Clerk(CallActor):
    async def run(self):
        await self.answer()
        await self.prompt_tts("Press 7.", {"digits": {"max": 1}, "initial_timeout": 1000}).wait()
        await self.play_tts("Goodbye.").wait()


def look_for(name):
    while not os.path.exists(name):
        time.sleep(0.01)


@app.calls("slow")
class Looks(CallActor):
    async def run(self):
        await self.answer()
        await self.play_tts("One moment.").wait()
        await self.blocking(look_for, "found")
        await self.play_tts("Goodbye.").wait()


@app.calls("stuck")
class Blocks(CallActor):
    def run(self):
        self.answer().get()
        self.play_tts("One moment.").wait().get()
        look_for("found")
        self.play_tts("Goodbye.").wait().get()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the application and its journal are: the current directory."""
    (tmp_path / "handover_application.py").write_text(APPLICATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def journal_of(folder: Path) -> str:
    return os.path.realpath(folder / "calls.db")


def test_a_new_process_takes_the_calls_over_and_the_old_one_leaves(
    folder: Path, server: SimulatorServer, simulator: Simulator
):
    """C4: nobody is hung up, the script goes on where it was, nothing is said twice, and the old one ends with 0."""
    environment = variables(server)
    with Command("run", "handover_application", "--handover", cwd=folder, **environment) as old:
        old.says("nobody runs with the journal .*calls.db: starting as usual")
        old.says("logged in resumed=False")
        ada = simulator.phone("+15550001111").dials(context="shop")
        ada.hears("press 7")
        bob = simulator.phone("+15550002222").dials(context="shop")
        with Command("run", "handover_application", "--handover", cwd=folder, **environment) as new:
            old.says("SIGUSR1: handing over to the next process calls_up=2")
            old.says("left to the next process calls=2")
            assert old.ends() == 0
            new.says("logged in resumed=True")
            gap = float(new.says(r"took over from_process=\d+ waited_s=[\d.]+ gap_s=([\d.]+)")[1])
            assert gap < 5.0  # some 0.05 s on a machine that has nothing else to do
            bob.hears("press 7")
            for caller in (bob, ada):
                caller.presses("7").hears("goodbye").is_hung_up()
                assert simulator.count(caller, "calling.answer") == 1
                assert simulator.count(caller, "calling.play_and_collect") == 1
                assert simulator.count(caller, "calling.play") == 1
                assert simulator.count(caller, "calling.end") == 1
            cy = simulator.phone("+15550003333").dials(context="shop")
            cy.hears("press 7").presses("7").hears("goodbye").is_hung_up()
            new.signal(signal.SIGTERM)
            assert new.ends() == 0
            assert "closed" in old.output
            assert "Traceback" not in old.output + new.output


def test_what_the_old_process_leaves_is_in_the_journal(folder: Path, server: SimulatorServer, simulator: Simulator):
    """C4: the session, and all that was told of a call that is up."""
    with Command("run", "handover_application", cwd=folder, **variables(server)) as old:
        old.says("logged in")
        ada = simulator.phone("+15550001111").dials(context="shop")
        ada.hears("press 7")
        with NextInLine(journal_of(folder)):
            old.signal(signal.SIGUSR1)
            assert old.ends() == 0
    store = SqliteStore(journal_of(folder))
    assert store.get_session() != Session()
    assert [entry.subject for entry in store.load(subject=ada.call_id)][:1] == [ada.call_id]
    store.close()
    assert not ada.is_over


def test_a_stray_signal_ends_nothing(folder: Path, server: SimulatorServer, simulator: Simulator):
    """C4: only somebody who waits for the journal is given it."""
    with Command("run", "handover_application", "--drain", "20", cwd=folder, **variables(server)) as run:
        run.says("logged in")
        ada = simulator.phone("+15550001111").dials(context="shop")
        ada.hears("press 7")
        run.signal(signal.SIGUSR1)
        run.says("SIGUSR1: no process waits for the journal of this one, which goes on")
        ada.presses("7").hears("goodbye").is_hung_up()
        run.signal(signal.SIGTERM)
        assert run.ends() == 0


def test_who_cannot_look_whether_somebody_waits_goes_on(folder: Path, server: SimulatorServer, simulator: Simulator):
    """C4: the file may be of another user, or the process out of descriptors. Nobody is hung up for that."""
    os.symlink("elsewhere", f"{journal_of(folder)}.next")  # no link is followed; permissions mean nothing to root
    with Command("run", "handover_application", "--drain", "20", cwd=folder, **variables(server)) as run:
        run.says("logged in")
        ada = simulator.phone("+15550001111").dials(context="shop")
        ada.hears("press 7")
        run.signal(signal.SIGUSR1)
        run.says("SIGUSR1: whether a process waits cannot be told, and this one goes on: cannot open .*next")
        ada.presses("7").hears("goodbye").is_hung_up()
        run.signal(signal.SIGTERM)
        assert run.ends() == 0


def test_what_the_old_process_keeps_open_is_opened_after_its_end(
    folder: Path, server: SimulatorServer, simulator: Simulator
):
    """Both have the same unit file, and so the same addresses; and a log in does not wait for that."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    arguments = ["run", "handover_application", "--handover", "--metrics", str(port), "--inspect", "top.sock"]
    with Command(*arguments, cwd=folder, **variables(server)) as old:
        old.says("logged in")
        with Command(*arguments, cwd=folder, **variables(server)) as new:
            new.says("took over from_process=")
            assert old.ends() == 0
            new.says(f"metrics at http://127.0.0.1:{port}/metrics")
            assert (folder / "top.sock").exists()
            new.signal(signal.SIGTERM)
            assert new.ends() == 0
            assert not (folder / "top.sock").exists()


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("app = RelayApp('project', 'token', contexts=['shop'])", "--handover: calls are taken over from the journal"),
        ("app = RelayApp('project', contexts=['shop'], journal='calls.db')", "token"),
        ("app = RelayApp('project', 'token', contexts=['shop'], journal='calls.db', ca_file='no.pem')", "ca_file"),
    ],
)
def test_what_is_wrong_with_the_new_process_does_not_end_the_old_one(folder: Path, mistake: str, said: str):
    """C4: everything that can be looked at before is."""
    (folder / "next_version.py").write_text(f"from relay_actors import RelayApp\n\n{mistake}\n")
    lock = WriterLock(journal_of(folder), hands_over=True)  # who asks this process ends it
    try:
        with Command("run", "next_version", "--handover", cwd=folder) as new:
            assert new.ends() in (1, 2)
            assert said in new.output
    finally:
        lock.release()


def test_a_recording_that_cannot_be_made_does_not_end_the_old_one(folder: Path, server: SimulatorServer):
    """C4: who takes the calls and cannot start leaves them in silence. And a name that nothing stands under is free."""
    environment = variables(server)
    (folder / "taken.jsonl").write_text("a recording of before")
    with Command("run", "handover_application", cwd=folder, **environment) as old:
        old.says("logged in")
        with Command(
            "run", "handover_application", "--handover", "--record", "taken.jsonl", cwd=folder, **environment
        ) as new:
            assert new.ends() == 2
            assert "taken.jsonl is there already" in new.output
        assert "SIGUSR1" not in old.output
        with NextInLine(journal_of(folder)):
            arguments = ["run", "handover_application", "--handover", "--record", "free.jsonl"]
            with Command(*arguments, cwd=folder, **environment) as new:
                assert new.ends() == 2
                assert "another process waits for the journal" in new.output
        assert not (folder / "free.jsonl").exists()
        old.signal(signal.SIGTERM)
        assert old.ends() == 0
    assert (folder / "taken.jsonl").read_text() == "a recording of before"


HOLDS = """
import signal, sys
from relay_actors.journal.writer_lock import WriterLock
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
lock = WriterLock(sys.argv[1], hands_over=sys.argv[2] == "yes")
print("held", flush=True)
signal.pause()
"""


@pytest.mark.parametrize(
    ("hands_over", "said"),
    [
        (
            "yes",
            r"process \d+ did not let go of the journal .* within 0\.3 s; its log may say why\. Nothing has changed",
        ),
        ("no", r"process \d+, which holds the journal .*, hands nothing over: .* stop it with SIGTERM"),
    ],
)
def test_who_does_not_let_go_goes_on(
    folder: Path,
    server: SimulatorServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    hands_over: str,
    said: str,
):
    """C4: and the new process ends with 2, and says what to do."""
    for name, value in variables(server).items():
        monkeypatch.setenv(name, value)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, journal_of(folder), hands_over], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            assert main(["run", "handover_application", "--handover", "--handover-timeout", "0.3"]) == 2
            written = capsys.readouterr().err
            assert re.search(said, written)
            assert holder.poll() is None
        finally:
            holder.kill()


def test_who_has_begun_to_leave_is_waited_for(folder: Path, server: SimulatorServer, simulator: Simulator):
    """C4: it does not go back, so that nobody would have its calls."""
    environment = variables(server)
    with Command("run", "handover_application", cwd=folder, **environment) as old:
        old.says("logged in")
        ada = simulator.phone("+15550001111").dials(context="slow")
        ada.hears("one moment")
        arguments = ["run", "handover_application", "--handover", "--handover-timeout", "0.1"]
        with Command(*arguments, cwd=folder, **environment) as new:  # the blocking code is waited for, for a second
            assert float(new.says(r"took over from_process=\d+ waited_s=([\d.]+)")[1]) > 0.1
            assert old.ends() == 0
            (folder / "found").touch()
            ada.hears("goodbye").is_hung_up()
            new.signal(signal.SIGTERM)
            assert new.ends() == 0


def test_calls_whose_code_blocks_are_waited_for_together(folder: Path, server: SimulatorServer, simulator: Simulator):
    """C4, A10, J8: until they were, nobody has a connection, and all callers are in silence."""
    environment = variables(server) | {"STOP_TIMEOUT_S": "1.0"}
    with Command("run", "handover_application", cwd=folder, **environment) as old:
        old.says("logged in")
        callers = [simulator.phone(f"+1555000111{number}").dials(context="stuck") for number in range(8)]
        for caller in callers:
            caller.hears("one moment")
        with Command("run", "handover_application", "--handover", cwd=folder, **environment) as new:
            new.says("still being rebuilt, .* calls=8")
            gap = float(new.says(r"took over from_process=\d+ waited_s=[\d.]+ gap_s=([\d.]+)")[1])
            assert gap < 5.0  # each by itself: 8 s
            (folder / "found").touch()
            for caller in callers:
                caller.hears("goodbye").is_hung_up()
                assert simulator.count(caller, "calling.answer") == 1
            new.signal(signal.SIGTERM)
            assert new.ends() == 0


@pytest.fixture
def app(folder: Path) -> RelayApp:
    """An application that is never started."""
    return RelayApp("project", "token", host="relay.example.com", journal=folder / "calls.db")


def test_a_holder_that_cannot_be_seen_is_not_asked(app: RelayApp, folder: Path):
    """C4: in another container its number is somebody else's."""
    lock = WriterLock(journal_of(folder), hands_over=True)  # of this very process, which nobody may mean
    try:
        with pytest.raises(ConfigError, match="held by a process that cannot be seen from here"):
            take_over(app, 1.0)
    finally:
        lock.release()


def test_the_first_process_of_a_container_is_not_asked(app: RelayApp, monkeypatch: pytest.MonkeyPatch):
    """C4: the container ends with it, and so does who has taken its calls."""
    asked: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _number: asked.append(pid))
    monkeypatch.setattr(handover, "find_holder", lambda _path: Holder(1, hands_over=True))
    with pytest.raises(ConfigError, match=r"process 1, .* is the first one of this container.* Nothing has changed"):
        take_over(app, 0.1)
    assert asked == []


def test_a_journal_that_this_release_cannot_read_is_left_where_it_is(app: RelayApp, folder: Path):
    """C4: whoever goes back to an older release keeps the newer one running."""
    SqliteStore(journal_of(folder)).close()
    with contextlib.closing(sqlite3.connect(journal_of(folder))) as db:
        db.execute("PRAGMA user_version = 999")
    lock = WriterLock(journal_of(folder), hands_over=True)  # who asks this process ends it
    try:
        with pytest.raises(ConfigError, match=r"newer relay_actors.* Nothing has changed: the other process goes on"):
            take_over(app, 1.0)
    finally:
        lock.release()


def test_only_one_process_takes_over(app: RelayApp, folder: Path):
    """C4: the other one says so, and changes nothing."""
    with NextInLine(journal_of(folder)), pytest.raises(ConfigError, match="another process waits for the journal"):
        take_over(app, 1.0)


def on(server: SimulatorServer, folder: Path, token: str = "token") -> RelayApp:
    return RelayApp("project", token, host=f"127.0.0.1:{server.port}", scheme="ws", journal=folder / "calls.db")


NOBODYS = 2**22 + 1
"""No process has this number."""


def test_a_holder_that_has_just_been_killed_is_waited_for_no_longer(
    server: SimulatorServer, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """Then its calls are taken from the journal, as after any crash."""
    found = [*[Holder(NOBODYS, hands_over=True)] * 2, None]
    monkeypatch.setattr(handover, "find_holder", lambda _path: found.pop(0))
    taken = take_over(on(server, folder), 1.0)
    assert taken is not None
    assert taken.pid == NOBODYS


def test_a_holder_that_ends_while_the_new_process_logs_in_is_not_asked(
    server: SimulatorServer, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """C4: by then its number may be that of anybody."""
    found = [Holder(NOBODYS, hands_over=True), None]
    monkeypatch.setattr(handover, "find_holder", lambda _path: found.pop(0))
    asked: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _number: asked.append(pid))
    assert take_over(on(server, folder), 1.0) is None
    assert asked == []


def test_a_new_process_that_the_server_does_not_let_in_does_not_end_the_old_one(folder: Path):
    """C4: with a token that has a mistake, all callers of the old one would be in silence."""
    strict = Simulator(clock=SystemClock(), random=Random(1), pace=PACE, project="project", token="token")
    with SimulatorServer(strict) as server:
        right = variables(server)
        with Command("run", "handover_application", cwd=folder, **right) as old:
            old.says("logged in")
            ada = strict.phone("+15550001111").dials(context="shop")
            ada.hears("press 7")
            wrong = right | {"SIGNALWIRE_API_TOKEN": "mistyped"}
            with Command("run", "handover_application", "--handover", cwd=folder, **wrong) as new:
                assert new.ends() == 2
                assert "--handover: log-in: refused" in new.output
                assert "SIGNALWIRE_API_TOKEN" in new.output
                assert "Nothing has changed: the other process goes on" in new.output
                assert "mistyped" not in new.output
            ada.presses("7").hears("goodbye").is_hung_up()
            assert "SIGUSR1" not in old.output
            with Command("run", "handover_application", "--handover", cwd=folder, **right) as new:
                new.says("took over from_process=")
                assert old.ends() == 0
                new.signal(signal.SIGTERM)
                assert new.ends() == 0


def test_a_server_that_cannot_be_reached_does_not_end_the_old_process(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """C4: whatever is in the way of the new one, be it that this is over in a minute."""
    monkeypatch.setattr(handover, "find_holder", lambda _path: Holder(NOBODYS, hands_over=True))
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and nobody listens there
        app = RelayApp(
            "project", "token", host=f"127.0.0.1:{nobody.getsockname()[1]}", scheme="ws", journal=folder / "calls.db"
        )
        with pytest.raises(ConfigError, match=r"--handover: TCP: .* Nothing has changed: the other process goes on"):
            take_over(app, 1.0)


def test_the_new_process_logs_in_once_to_try_and_takes_no_calls_by_that(
    server: SimulatorServer, simulator: Simulator, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """C4: the contexts are the old one's until it has left."""
    found = [*[Holder(NOBODYS, hands_over=True)] * 2, None]
    monkeypatch.setattr(handover, "find_holder", lambda _path: found.pop(0))
    app = on(server, folder)

    @app.calls("shop")
    class Clerk(CallActor):
        async def run(self) -> None:
            await self.answer()

    take_over(app, 1.0)
    [log_in] = simulator.frames.received("signalwire.connect")
    assert not log_in.params.get("contexts")


def test_nobody_is_waited_for_where_nobody_runs(app: RelayApp, folder: Path):
    """The same command starts the first process and all that follow."""
    assert take_over(app, 1.0) is None
    assert find_holder(journal_of(folder)) is None


def test_an_application_that_does_not_start_leaves_no_thread(app: RelayApp):
    """The end of the statement is its end."""
    settling = Settling(app, Taken(1, 0.0, 0.0), lambda _stack: None)
    with settling:
        pass
    assert not settling.is_alive()


def test_what_cannot_be_opened_in_the_end_is_logged(
    server: SimulatorServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Calls go on without."""
    monkeypatch.setattr(handover, "PATIENCE_S", 0.5)
    tried: list[int] = []

    def opens(_stack: contextlib.ExitStack) -> None:
        tried.append(1)
        raise ConfigError("somebody listens there already")

    app = RelayApp("project", "token", host=f"127.0.0.1:{server.port}", scheme="ws")
    settling = Settling(app, Taken(1, 0.0, 0.0), opens)
    with app, settling:
        settling.join(DEADLINE_S)
    assert len(tried) > 1
    assert "somebody listens there already" in caplog.text
