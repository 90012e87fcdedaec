"""The command line as a whole: which commands there are, and what its exit statuses say."""

import signal
import subprocess
import sys

import pytest

from relay_actors import __version__
from relay_actors.cli.main import COMMANDS, main
from tests.cli.processes import DEADLINE_S, Command, plain_environment


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(["--version"])

    assert end.value.code == 0
    assert capsys.readouterr().out == f"relay-actors {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]):
    """Its exit statuses included."""
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])

    assert end.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"relay-actors {command}" in said
    assert "exit status" in said.lower()


@pytest.mark.parametrize("arguments", [[], ["dance"], ["demo", "--seed", "often"]])
def test_a_command_line_that_makes_no_sense_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2
    assert "usage: relay-actors" in capsys.readouterr().err


def test_what_has_to_be_mended_first_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]):
    """No traceback: it is the user's to mend."""
    assert main(["run", "no_such_module:app"]) == 2

    said = capsys.readouterr().err
    assert said.startswith("relay-actors: there is no module 'no_such_module'")
    assert said.count("\n") == 1


def test_ctrl_c_is_no_failure_with_a_traceback():
    """And the status is the one that shells expect."""
    with Command("demo") as demo:
        demo.says("dialled")
        demo.signal(signal.SIGINT)

        assert demo.ends() == 130
        assert "Traceback" not in demo.output


@pytest.mark.parametrize("arguments", [["demo", "--fast"], ["chaos", "examples.first_call:app", "--seed", "3"]])
def test_a_reader_that_goes_away_does_not_change_the_outcome(arguments: list[str]):
    """``relay-actors demo | head`` shows ten lines; what the demo counts is not its output."""
    with subprocess.Popen(
        [sys.executable, "-m", "relay_actors.cli.main", *arguments],
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        demo.stdout.readline()
        demo.stdout.close()

        assert demo.wait(DEADLINE_S) == 0
        assert demo.stderr.read() == ""
