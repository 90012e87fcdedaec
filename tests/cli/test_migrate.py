"""`relay-actors migrate`: what is printed, what is written, and its exit statuses."""

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay_actors.cli.main import main
from relay_actors.cli.migrate import migrate
from relay_actors.errors import ConfigError
from tests.support.house import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "migrate-an-application.md").read_text("utf-8")

APPLICATION = """from signalwire.relay import RelayClient

client = RelayClient()


@client.on_call
async def office(call):
    await call.answer()
    print(call.context)
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An application, in the present directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "office.py"
    path.write_text(APPLICATION, "utf-8")
    return Path("office.py")


@contextlib.contextmanager
def somebody_else() -> Iterator[None]:
    """Be somebody who may not do what the modes of files forbid: root may do everything."""
    who = os.geteuid()
    if who == 0:
        os.chmod(".", 0o777)
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(who)


def said(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> str:
    """Run the command, and return what it has printed."""
    assert main(["migrate", *map(str, arguments)]) == status
    return capsys.readouterr().out


def test_the_page_shows_what_is_said(path: Path, capsys: pytest.CaptureFixture[str]):
    """Of the application that it shows."""
    [application] = re.findall(r"```text\n(from signalwire\.relay (?:.*\n)*?)```", PAGE)
    [shown] = re.findall(r"```console\n\$ relay-actors migrate office\.py\n((?:.*\n)*?)```", PAGE)
    path.write_text(application, "utf-8")

    assert said(capsys, path, status=1) == shown


def test_the_change_and_the_differences_are_told_and_nothing_is_written(path: Path, capsys: pytest.CaptureFixture[str]):
    output = said(capsys, path)

    assert "-from signalwire.relay import RelayClient\n+from relay_actors.client import RelayClient\n" in output
    assert "office.py:7: a handler that raises\n" in output
    assert "    to write          RelayClient(…, on_give_up=None), if it is to stay up\n" in output
    assert "office.py:9: the context of a call\n" in output
    assert "office.py: 1 line changes, 0 to be changed by hand, 2 differences\n" in output
    assert output.count("docs/how-to/coming-from-the-official-client.md") == 1
    assert path.read_text("utf-8") == APPLICATION


def test_a_file_is_changed_only_when_that_is_asked_for(path: Path, capsys: pytest.CaptureFixture[str]):
    """It keeps its mode, and the ends of its lines; asked again, there is nothing left to do."""
    path.write_bytes(APPLICATION.replace("\n", "\r\n").encode())
    path.chmod(0o755)

    assert said(capsys, path, "--write").endswith("office.py: written\n")

    after = APPLICATION.replace("signalwire.relay", "relay_actors.client").replace("\n", "\r\n")
    assert path.read_bytes() == after.encode()
    assert os.stat(path).st_mode & 0o777 == 0o755
    assert said(capsys, path, "--write") == "office.py: does not use signalwire.relay\n"


def test_what_is_to_be_changed_by_hand_makes_the_status_1(path: Path, capsys: pytest.CaptureFixture[str]):
    """Also after the rest was written: it stays to be done."""
    path.write_text("from signalwire.relay import _x\n", "utf-8")

    output = said(capsys, path, "--write", status=1)

    assert "office.py:1: to be changed by hand: signalwire.relay._x: there is nothing of that name here\n" in output
    assert "office.py: nothing is to be changed, 1 to be changed by hand, 0 differences\n" in output
    assert "written" not in output
    assert path.read_text("utf-8") == "from signalwire.relay import _x\n"


def test_of_a_directory_its_own_files_are_read(path: Path, capsys: pytest.CaptureFixture[str]):
    """Neither what is hidden in it, nor what is installed, nor what has nothing to do with it, whatever it is."""
    for name in ("inner/a.py", ".hidden/b.py", "env/lib/c.py", "node_modules/d.py", "inner/e.txt", "inner/.f.py"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(APPLICATION, "utf-8")
    Path("env/pyvenv.cfg").touch()
    Path("inner/template.py").write_text("{{ no Python }} {%", "utf-8")
    Path("inner/nothing").mkdir()
    Path("inner/.#a.py").symlink_to("who@where.17")  # as Emacs leaves it beside what is being edited

    assert re.findall(r"^(\S+): 1 line changes", said(capsys, ".", path), re.MULTILINE) == ["office.py", "inner/a.py"]
    assert said(capsys, "inner/nothing") == "no file uses signalwire.relay\n"


def test_a_file_that_is_not_concerned_is_said_to_be_so(path: Path, capsys: pytest.CaptureFixture[str]):
    path.write_text("from signalwire.rest import RestClient\n", "utf-8")

    assert said(capsys, path) == "office.py: does not use signalwire.relay\n"


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("missing.py", None, "missing.py: No such file or directory"),
        ("broken.py", b"signalwire = 1\ndef x(:\n", "broken.py:2: this is no Python: invalid syntax"),
        ("notes.txt", b"signalwire", "notes.txt: this is no Python file"),
        ("bytes", b"\xff\xfe\x00", "bytes: this is no Python: "),
        ("deep.py", b"import signalwire.relay\nx = " + b"+".join([b"1"] * 900), "deep.py: an expression in it goes"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_status_2(
    name: str, data: bytes | None, told: str, path: Path, capsys: pytest.CaptureFixture[str]
):
    """What can be read is told all the same, but nothing is written."""
    if data is not None:
        Path(name).write_bytes(data)

    assert main(["migrate", name, str(path), "--write"]) == 2

    captured = capsys.readouterr()
    first, second = captured.err.splitlines()
    assert first.startswith(f"relay-actors: {told}")
    assert second == "relay-actors: nothing was written: give files that can be read and written"
    assert "office.py: 1 line changes" in captured.out
    assert path.read_text("utf-8") == APPLICATION


def test_a_broken_file_in_a_directory_is_told(path: Path, capsys: pytest.CaptureFixture[str]):
    """It speaks of signalwire, so it may be one that was meant."""
    Path("broken.py").write_text("import signalwire.relay\ndef x(:\n", "utf-8")

    assert main(["migrate", "."]) == 2
    assert capsys.readouterr().err == "relay-actors: broken.py:2: this is no Python: invalid syntax\n"


def test_a_directory_that_cannot_be_read_is_told(path: Path, capsys: pytest.CaptureFixture[str]):
    """Somebody else's, as of a database that has its files beside the program: what is in it is not known."""
    Path("locked/inner").mkdir(parents=True)
    Path("locked/office.py").write_text(APPLICATION, "utf-8")
    Path("locked").chmod(0)
    path.chmod(0o666)

    with somebody_else():
        assert main(["migrate", "locked"]) == 2
        assert main(["migrate", ".", "locked/office.py", "--write"]) == 2

    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        "relay-actors: locked: Permission denied",
        "relay-actors: locked: Permission denied",
        "relay-actors: locked/office.py: Permission denied",
        "relay-actors: nothing was written: give files that can be read and written",
    ]
    assert "no file uses" not in captured.out
    assert "office.py: 1 line changes" in captured.out
    assert path.read_text("utf-8") == APPLICATION


def test_nothing_is_written_if_one_file_cannot_be(path: Path, capsys: pytest.CaptureFixture[str]):
    """Half of an application would import the one client, and half of it the other."""
    Path("read_only.py").write_text(APPLICATION, "utf-8")
    Path("read_only.py").chmod(0o444)
    path.chmod(0o666)

    with somebody_else():
        assert main(["migrate", ".", "--write"]) == 2

    assert "relay-actors: read_only.py: Permission denied\n" in capsys.readouterr().err
    assert path.read_text("utf-8") == APPLICATION


def test_a_diff_says_that_a_file_does_not_end_with_a_line_end():
    migration = migrate("x.py", b"a = 1\r\nfrom signalwire.relay import Call")

    assert migration is not None
    assert migration.diff[3:] == [
        " a = 1\r\n",
        "-from signalwire.relay import Call\n\\ No newline at end of file\n",
        "+from relay_actors.client import Call\n\\ No newline at end of file\n",
    ]


def test_a_migration_tells_what_it_has_found_in_the_order_of_the_lines():
    migration = migrate("x.py", b"from signalwire.relay import _x, RelayClient\nc = RelayClient()\nc.run()\nc._ws\n")

    assert migration is not None
    assert [one.line for one in migration.by_hand] == [1, 4]
    assert migration.remarks == {("SIGTERM", ""): [3]}


def test_what_is_no_python_is_refused():
    with pytest.raises(ConfigError, match=r"^x\.py:1: this is no Python: "):
        migrate("x.py", b"no Python")


def test_on_a_terminal_nobodys_text_moves_the_cursor(path: Path, monkeypatch: pytest.MonkeyPatch):
    """What is shown is somebody's file."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    path.write_text("x = '\x1b[2J'\n" + APPLICATION, "utf-8")

    assert main(["migrate", str(path)]) == 0
    assert "\x1b[2J" not in terminal.getvalue()
    assert "\x1b[32m+from relay_actors.client import RelayClient\x1b[0m" in terminal.getvalue()


def test_a_diff_can_be_written_where_not_every_letter_can_be(path: Path, monkeypatch: pytest.MonkeyPatch):
    """A log of ASCII, for example."""
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="ascii", write_through=True))
    path.write_text("# é\n" + APPLICATION, "utf-8")

    assert main(["migrate", str(path)]) == 0
    assert b" # \\xe9\n" in out.getvalue()
