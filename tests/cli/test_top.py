"""`relay-actors top`: the live tree, from another process."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from relay_actors import RelayApp
from relay_actors.cli.inspecting import Inspecting
from relay_actors.cli.main import main
from relay_actors.cli.screen import Screen
from relay_actors.cli.top import rows_of, show, summary_of
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.cli.processes import DEADLINE_S, Command, plain_environment
from tests.cli.test_screen import Terminal
from tests.support.plain_app import wait_until

APPLICATION = """
from relay_actors import CallActor, RelayApp, Timing

app = RelayApp(timing=Timing(linger_s=0.05))


@app.calls("shop")
class Clerk(CallActor):
    async def run(self):
        await self.answer()
        menu = await self.prompt_tts("Press 7.", {"digits": {"max": 1}, "initial_timeout": 1000})
        await menu.wait()
        if not self.data.get("crashed"):
            self.data["crashed"] = True
            raise ValueError("no such table")
        await self.play_tts("Goodbye.").wait()
"""


def variables(server: SimulatorServer) -> dict[str, str]:
    return {
        "SIGNALWIRE_SPACE": f"127.0.0.1:{server.port}",
        "SIGNALWIRE_PROJECT_ID": "project",
        "SIGNALWIRE_API_TOKEN": "token",
        "SIGNALWIRE_RELAY_SCHEME": "ws",
    }


def node(name: str, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An actor that is well, but for what is said of it."""
    return {
        "name": name, "class": name, "label": "", "state": "running", "incarnation": 0, "oldest_s": None,
        "turn_s": None, "mailbox": {"system": 0, "control": 0, "user": 0}, "message": "", "restarts": [],
        "children": list(children),
    } | more  # fmt: skip


def texts(row: list[Any]) -> list[str]:
    return [cell if isinstance(cell, str) else cell[0] for cell in row]


def test_an_application_is_looked_into_from_another_process(
    tmp_path: Path, server: SimulatorServer, simulator: Simulator
):
    """O3, S18: its calls, what was restarted and why; as a table, as JSON, as a trace; and its numbers over HTTP."""
    (tmp_path / "shop_application.py").write_text(APPLICATION)
    path = str(tmp_path / "look.sock")
    arguments = ("--inspect", path, "--metrics", "127.0.0.1:0")
    with Command("run", "shop_application", *arguments, cwd=tmp_path, **variables(server)) as run:
        run.says(r"metrics at http://127\.0\.0\.1:\d+/metrics")
        run.says("logged in")
        ada = simulator.phone("+15550001111").dials(context="shop")
        ada.hears("press 7").presses("7")
        ada.hears("press 7")

        with Command("top", path, "--once") as top:
            assert top.ends() == 0
            shown = top.output
        with Command("top", "--json", RELAY_INSPECT=path) as top:
            assert top.ends() == 0
            told = json.loads(top.output)
        with Command("top", path, "--trace", ada.call_id, "--every", "0.02") as trace:
            trace.says("following")
            ada.presses("7")
            trace.says(r"Clerk#\d+ handled CollectEvent waited_s=")
            ada.is_hung_up()
            trace.says("has ended")
            assert trace.ends() == 0
        with Command("top", path, "--every", "0.02") as top:
            top.says("connected")
            run.signal(signal.SIGTERM)
            top.says("no application listens|not running|has just ended")
            assert top.ends() == 0
        assert run.ends() == 0

    assert re.search(rf"Clerk#\d+ {ada.call_id} .* 1 +running .* ago: error ValueError: no such table", shown)
    assert "calls up 1" in shown
    assert "\x1b" not in shown
    assert told["metrics"]["turn.seconds"]["Clerk"]["count"] > 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGHUP, signal.SIGSTOP])
def test_whatever_ends_it_nobody_is_traced_any_more(app: RelayApp, tmp_path: Path, how: signal.Signals):
    """O4: it was killed, its terminal was closed, or it was put aside and forgotten: it says nothing more itself."""
    path = str(tmp_path / "look.sock")
    with Inspecting(app, path, patience_s=0.5):
        app.start()
        with Command("top", path, "--trace", "ConnectionActor", "--every", "0.02") as top:
            top.says("following ConnectionActor")
            assert len(app.system.observation.observers) == 1
            top.signal(how)
            wait_until(lambda: not app.system.observation.observers)


def test_it_ends_when_nobody_reads_it_any_more(tmp_path: Path, server: SimulatorServer):
    """As in ``relay-actors top SOCKET | head``, for which a shell would wait for ever."""
    (tmp_path / "shop_application.py").write_text(APPLICATION)
    path = str(tmp_path / "look.sock")
    with Command("run", "shop_application", "--inspect", path, cwd=tmp_path, **variables(server)) as run:
        run.says("logged in")
        command = [sys.executable, "-m", "relay_actors.cli.main", "top", path, "--every", "0.02"]
        with subprocess.Popen(command, env=plain_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as top:
            try:
                assert top.stdout is not None
                assert b"connected" in top.stdout.readline()
                top.stdout.close()
                assert top.wait(DEADLINE_S) == 0
                assert top.stderr is not None
                assert top.stderr.read() == b""
            finally:
                top.kill()


def test_who_is_in_trouble_comes_first_among_its_siblings():
    """One looks at the top of the list; the parts of the application stay where they are."""
    calls = node(
        "Calls",
        node("well"),
        node("waits", oldest_s=3.0, mailbox={"system": 0, "control": 1, "user": 2}),
        node("restarted", incarnation=2),
        node("hangs", turn_s=12.0, message="PlayEvent"),
        node("gone", state="restarting", incarnation=1),
    )
    rows = [texts(row) for row in rows_of(node("Root", node("Services"), calls), now=0.0)]

    assert [row[0] for row in rows] == [
        "Root", "├─ Services", "└─ Calls", "   ├─ gone", "   ├─ hangs", "   ├─ waits", "   ├─ restarted", "   └─ well",
    ]  # fmt: skip
    assert rows[4][5] == "PlayEvent for 12.0 s"
    assert (rows[5][1], rows[5][4]) == ("3", "3.0 s")


def test_a_handler_that_awaits_is_told_without_a_turn():
    """What waits behind it does not wait for nothing."""
    [row] = rows_of(node("Clerk", message="Order"), now=0.0)
    assert texts(row)[5] == "Order, awaiting"


def test_the_last_failure_is_told_with_its_age():
    """S18: in one line, however long the reason is."""
    notes = [{"at": 10.0, "reason": "old"}, {"at": 100.0, "reason": "error ValueError: " + "x" * 99 + "\nmore"}]
    [row] = rows_of(node("Clerk", restarts=notes, incarnation=2), now=400.0)
    assert texts(row)[2] == "2"
    assert texts(row)[6].startswith("5 min ago: error ValueError: xxx")
    assert texts(row)[6].endswith("x…")


def test_the_line_above_says_how_the_application_is_doing():
    assert summary_of("relay", {"connection.up": 1, "calls.up": 3}).startswith("relay  connected  calls up 3  ")
    assert "NOT CONNECTED" in summary_of("relay", {})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["top"], "name the socket: relay-actors top SOCKET, or set RELAY_INSPECT"),
        (["top", "/nowhere/look.sock"], "no application listens at /nowhere/look.sock"),
        (["top", "/nowhere/look.sock", "--every", "0"], "--every 0: must be a number of seconds"),
        (["top", "/nowhere/look.sock", "--trace", "x"], "no application listens at"),
    ],
)
def test_what_has_to_be_mended_is_one_line_and_status_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("RELAY_INSPECT", raising=False)
    assert main(arguments) == 2
    written = capsys.readouterr().err
    assert said in written
    assert written.count("\n") == 1


def test_a_page_is_never_longer_than_the_terminal(monkeypatch: pytest.MonkeyPatch):
    """Or its head, where the trouble is, would scroll away."""
    stream = Terminal()
    screen = Screen(stream, {"TERM": "xterm"})
    monkeypatch.setattr(Screen, "height", 12)
    tree = node("Root", *(node(f"call-{number}") for number in range(50)))

    show(screen, {"name": "relay", "tree": tree, "metrics": {}}, is_page=True)

    assert "and 45 more: relay-actors top --once shows all" in stream.getvalue()
    assert stream.getvalue().count("\n") <= 12
