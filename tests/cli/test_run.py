"""`relay-actors run`: finds the application, runs it, drains it, and says what is wrong in one line."""

import contextlib
import re
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay_actors.cli.main import main
from relay_actors.cli.run import load_app
from relay_actors.errors import ConfigError
from relay_actors.journal.sqlite import SqliteStore
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.cli.processes import Command

APPLICATION = """
from relay_actors import CallActor, RelayApp, Timing

app = RelayApp(timing=Timing(linger_s=0.05, reconnect_min_s=0.05, reconnect_max_s=0.2))
not_an_app = 7


class Shop:
    app = app


@app.calls("shop")
class Clerk(CallActor):
    async def run(self):
        await self.answer()
        await self.prompt_tts("Press 7.", {"digits": {"max": 1}, "initial_timeout": 1000}).wait()
        await self.play_tts("Goodbye.").wait()
"""


FAILING = (
    APPLICATION
    + """

from relay_actors.actors.desk import DeskActor


def fail(self):
    raise RuntimeError("a bug")


class Bomb:
    def handle(self, cell):
        fail(self)

    def refuse(self, cell):
        pass


@app.calls("shop")
class Fatal(Clerk):
    async def run(self):
        desk = next(cell for cell in app.system.living if isinstance(cell.actor, DeskActor))
        DeskActor.on_start = fail
        desk.signal(Bomb())
        await super().run()


app.on_shutdown("stop_intake", lambda: print("flushed"))
"""
).replace('@app.calls("shop")', "", 1)

STARTED = {
    "unguarded": "app.run()\n",
    "starts": "app.start(wait_s=None)\n",
    "connects": """from relay_actors.client import RelayClient
RelayClient("project", "token", host="127.0.0.1:1", contexts=["shop"]).run()
""",
}
"""Modules by what starts an application in them as soon as they are imported."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the application is: the current directory."""
    (tmp_path / "shop_application.py").write_text(APPLICATION)
    for name, end in STARTED.items():
        (tmp_path / f"{name}.py").write_text(APPLICATION + end)
    (tmp_path / "needs_more.py").write_text("import no_such_library\n")
    (tmp_path / "empty.py").write_text("from relay_actors import RelayApp\n\napp = RelayApp()\n")
    (tmp_path / "half_made.py").write_text("from relay_actors import RelayApp\n\napp = RelayApp(contexts='shop')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def variables(server: SimulatorServer) -> dict[str, str]:
    return {
        "SIGNALWIRE_SPACE": f"127.0.0.1:{server.port}",
        "SIGNALWIRE_PROJECT_ID": "project",
        "SIGNALWIRE_API_TOKEN": "token",
        "SIGNALWIRE_RELAY_SCHEME": "ws",
    }


def test_an_application_is_run_until_sigterm_drains_it(folder: Path, server: SimulatorServer, simulator: Simulator):
    """Calls that are up go on; new ones are declined; then it ends with 0. ``:app`` may be left out."""
    with Command("run", "shop_application", "--drain", "20", cwd=folder, **variables(server)) as run:
        run.says("logged in")
        ada = simulator.phone("+15550001111").dials(context="shop")
        ada.hears("press 7")

        run.signal(signal.SIGTERM)
        run.says("SIGTERM: draining")
        ada.presses("7").hears("goodbye").is_hung_up()

        assert run.ends() == 0
        assert "Traceback" not in run.output


def test_an_application_that_has_failed_ends_with_1_when_its_calls_are_over(
    folder: Path, server: SimulatorServer, simulator: Simulator
):
    """S8: a part of the framework that keeps crashing does not cut the caller off; the cause is said in one line."""
    (folder / "failing_application.py").write_text(FAILING)
    with Command("run", "failing_application", cwd=folder, **variables(server)) as run:
        run.says("logged in")
        ada = simulator.phone("+15550001111").dials(context="shop")
        ada.hears("press 7")
        run.says("failed, shutting down calls_up=1")
        run.says("flushed")
        ada.presses("7").hears("goodbye").is_hung_up()

        assert run.ends() == 1
        [said] = [line for line in run.output.splitlines() if line.startswith("relay-actors: ")]
        assert said.endswith("the application has failed: DeskActor ended for good: start_failed RuntimeError: a bug")


def test_the_drain_is_over_when_its_time_is(folder: Path, server: SimulatorServer, simulator: Simulator):
    """A caller who talks on is hung up then, not left."""
    with Command("run", "shop_application:app", "--drain", "0.1", cwd=folder, **variables(server)) as run:
        run.says("logged in")
        ada = simulator.phone("+15550001111").dials(context="shop")
        ada.hears("press 7")

        run.signal(signal.SIGTERM)

        assert ada.is_hung_up(20.0).end_reason == "hangup"
        assert run.ends() == 0


def test_credentials_that_are_refused_end_it_with_1(folder: Path, server: SimulatorServer, simulator: Simulator):
    """After three times, with what to check; and neither of them is in what it writes."""
    simulator.reject_next("signalwire.connect", code=-32401, message="no such project", times=3)
    environment = variables(server) | {"SIGNALWIRE_PROJECT_ID": "my-project", "SIGNALWIRE_API_TOKEN": "my-secret"}

    with Command("run", "shop_application:app", cwd=folder, **environment) as run:
        assert run.ends() == 1

        [said] = [line for line in run.output.splitlines() if line.startswith("relay-actors: ")]
        assert said.startswith(
            "relay-actors: RELAY error -32401: no such project (the server refused signalwire.connect)"
        )
        assert "check SIGNALWIRE_PROJECT_ID and SIGNALWIRE_API_TOKEN" in said
        assert "Traceback" not in run.output
        assert not re.search("my-project|my-secret", run.output)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shop_application", "--metrics", "everywhere"], "--metrics everywhere: write host:port"),
        (["shop_application", "--inspect", "shop_application.py"], "there is a file of that name already"),
        (["shop_application"], "project is required: pass project=… or set SIGNALWIRE_PROJECT_ID"),
        (
            ["empty"],
            "has nothing to do: no class is decorated by @app.calls() or @app.messages(), and there is no app.",
        ),
        (["no_such_module:app"], "there is no module 'no_such_module', neither in "),
        (["no_such_package.module:app"], "there is no module 'no_such_package', neither in "),
        (["needs_more:app"], "needs_more cannot be imported: it needs 'no_such_library', which is not installed"),
        (["half_made:app"], "contexts must be a list of strings"),
        (["shop_application:application"], "shop_application has no 'application'; it has app"),
        (["shop_application:not_an_app"], "shop_application:not_an_app is a int, not a RelayApp"),
        (["re:app"], "re has no 'app'; it has no RelayApp at all"),
        (["shop_application.py"], "'shop_application.py' is a path: write the module's name, shop_application:app"),
        (["./examples/front_desk.py:app"], "write the module's name, examples.front_desk:app"),
        ([":app"], "':app' names no module"),
        (["..:app"], "'..:app' names no module"),
        ([".shop_application"], "'.shop_application' begins with a dot, which means something only inside a package"),
        (["shop_application", "--drain", "-1"], "--drain -1: must be a number of seconds"),
        (["shop_application", "--drain", "nan"], "--drain nan: must be a number of seconds"),
    ],
)
def test_what_has_to_be_mended_is_said_in_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
):
    """With status 2, and without a traceback."""
    for name in ("SIGNALWIRE_PROJECT_ID", "SIGNALWIRE_JWT_TOKEN", "SIGNALWIRE_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)

    assert main(["run", *arguments]) == 2

    written = capsys.readouterr().err
    assert written.startswith("relay-actors: ")
    assert said in written
    assert written.count("\n") == 1


@pytest.mark.parametrize("name", STARTED)
@pytest.mark.parametrize("command", ["run", "chaos"])
def test_a_module_that_starts_its_application_by_itself_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, name: str
):
    """It would run inside the import, and once more after the signal that was to end it."""
    assert main([command, name]) == 2

    written = capsys.readouterr().err
    assert written.startswith(f"relay-actors: {name} starts an application while it is imported")
    assert 'under `if __name__ == "__main__":`' in written
    assert written.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("1 / 0\n", 1, "ZeroDivisionError: "),
        ("from relay_actors import RelayApp\n\napp = RelayApp(jurnal='a.db')\n", 3, "TypeError: "),
        ("def half(:\n", 1, "SyntaxError: "),
    ],
)
def test_a_mistake_in_the_application_itself_is_shown_where_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, line: int, said: str
):
    """That one is a programmer's to mend, who wants the traceback: of the application, and not of the import."""
    (folder / "broken.py").write_text(text)

    assert main(["run", "broken:app"]) == 2

    first, *others = capsys.readouterr().err.splitlines()
    assert first == "relay-actors: broken cannot be imported; the mistake is in it, or in what it imports:"
    [place] = [one for one in others if one.lstrip().startswith("File ")]
    assert f'broken.py", line {line}' in place
    assert others[-1].startswith(said)


@pytest.fixture
def journals(folder: Path) -> Iterator[Path]:
    """Beside the application: what cannot be its journal, and one that another process has."""
    (folder / "a_directory.db").mkdir()
    (folder / "words.db").write_text("once upon a time " * 10)
    with contextlib.closing(sqlite3.connect(folder / "foreign.db")) as db:
        db.execute("CREATE TABLE stock (item TEXT)")
        db.commit()
    with contextlib.closing(SqliteStore(folder / "in_use.db")):
        yield folder


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere/calls.db", "The directory must exist"),
        ("a_directory.db", "not a regular file"),
        ("words.db", "words.db is no journal ("),
        ("foreign.db", "foreign.db is a database of another application"),
        ("in_use.db", "in_use.db "),
    ],
)
def test_a_journal_that_cannot_be_opened_has_to_be_mended_first(
    journals: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: str, said: str
):
    """With status 2, as with --handover: to start it again as it is would not help."""
    for name, value in {"SIGNALWIRE_PROJECT_ID": "project", "SIGNALWIRE_API_TOKEN": "token"}.items():
        monkeypatch.setenv(name, value)
    name = "keeps_" + re.sub(r"\W", "_", path)
    (journals / f"{name}.py").write_text(APPLICATION.replace("RelayApp(", f"RelayApp(journal={path!r}, ", 1))

    assert main(["run", name]) == 2

    written = capsys.readouterr().err
    [told] = [line for line in written.splitlines() if line.startswith("relay-actors: ")]
    assert said in told
    assert "Traceback" not in written


def test_an_application_may_be_an_attribute_of_an_attribute(folder: Path):
    assert load_app("shop_application:Shop.app") is load_app("shop_application")


def test_without_an_attribute_it_is_called_app(folder: Path):
    with pytest.raises(ConfigError, match="has no 'app'"):
        load_app("string")
