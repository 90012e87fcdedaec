"""Standard input and signals are waited for at once: from a terminal, a pipe, a file, or nothing at all."""

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay_actors.cli.typed_lines import TypedLines
from tests.cli.processes import DEADLINE_S, plain_environment

ITS_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@pytest.fixture
def stopping() -> Iterator[threading.Event]:
    """Set after a while in any case, by a signal, so that a test that fails does not hang."""
    event = threading.Event()
    guard = threading.Timer(DEADLINE_S, signal.raise_signal, [signal.SIGINT])
    guard.daemon = True
    guard.start()
    yield event
    guard.cancel()
    guard.join()


def lines_of(data: bytes, stopping: threading.Event, *, last: str) -> list[str]:
    """What is read from a pipe with this in it, until a line says ``last``."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    read = []
    with os.fdopen(reading) as stream, TypedLines(stopping, stream) as typed:
        for line in typed:
            read.append(line)
            if line == last:
                stopping.set()
    return read


def test_lines_come_one_by_one(stopping: threading.Event):
    assert lines_of(b"dial\npress 1\n\nquit\n", stopping, last="quit") == ["dial", "press 1", "", "quit"]


def test_a_last_line_that_nobody_ended_counts(stopping: threading.Event):
    assert lines_of(b"dial\nquit", stopping, last="quit") == ["dial", "quit"]


def test_bytes_that_are_no_text_are_no_error(stopping: threading.Event):
    assert lines_of(b"\xff\xfe\nquit\n", stopping, last="quit")[1:] == ["quit"]


def test_a_plain_file_is_read_too(stopping: threading.Event, tmp_path: Path):
    """Which the system cannot poll."""
    (tmp_path / "story").write_text("dial\nquit")
    read = []
    with (tmp_path / "story").open() as stream, TypedLines(stopping, stream) as typed:
        for line in typed:
            read.append(line)
            if line == "quit":
                stopping.set()

    assert read == ["dial", "quit"]


def test_the_end_of_input_is_not_the_end(stopping: threading.Event):
    """A server that is started with no input serves until a signal comes."""
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading) as stream, TypedLines(stopping, stream) as typed:
        sender = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGTERM])
        sender.start()
        assert list(typed) == []
        sender.join()

    assert stopping.is_set()


def test_without_standard_input_a_signal_still_ends_it(stopping: threading.Event):
    """As under some service managers."""
    with TypedLines(stopping, None) as typed:
        sender = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGHUP])
        sender.start()
        assert list(typed) == []
        sender.join()

    assert not typed.is_terminal


def test_afterwards_signals_mean_what_they_meant_before(stopping: threading.Event):
    before = {number: signal.getsignal(number) for number in ITS_SIGNALS}
    with TypedLines(stopping, None):
        assert all(signal.getsignal(number) != before[number] for number in ITS_SIGNALS)

    assert {number: signal.getsignal(number) for number in ITS_SIGNALS} == before


IN_THE_BACKGROUND = """
import fcntl, os, subprocess, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sim = subprocess.Popen([sys.executable, "-m", "relay_actors.cli.main", "sim", "--port", "0"], process_group=0)
print("pid", sim.pid, flush=True)
print("status", sim.wait(), flush=True)
"""


def test_in_the_background_of_a_terminal_it_is_not_stopped_by_reading():
    """``relay-actors sim &``: a read from there would stop the whole process (SIGTTIN), deaf to every other signal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", IN_THE_BACKGROUND],
        env=plain_environment(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdout is not None
        guard = threading.Timer(DEADLINE_S, shell.kill)
        guard.start()
        pid = int(shell.stdout.readline().removeprefix("pid "))
        os.write(ours, b"calls\n")
        while "listening on" not in (line := shell.stdout.readline()):
            assert line
        os.kill(pid, signal.SIGTERM)
        said = shell.stdout.read()
        guard.cancel()
        guard.join()
    os.close(ours)
    os.close(theirs)

    assert said.endswith("status 0\n"), said
    assert " up, " not in said, "what is typed while others have the terminal is not for it"


def test_a_terminal_that_is_not_its_own_is_read(stopping: threading.Event):
    """Without job control there is no background: nobody would stop it."""
    ours, theirs = pty.openpty()
    read = []
    with os.fdopen(ours, "wb", buffering=0) as keyboard, os.fdopen(theirs) as stream:
        keyboard.write(b"dial\nquit\n")
        with TypedLines(stopping, stream) as typed:
            for line in typed:
                read.append(line)
                if line == "quit":
                    stopping.set()

    assert typed.is_terminal
    assert read == ["dial", "quit"]


def at_a_terminal(stopping: threading.Event, interrupted: threading.Event, presses: dict[str, int]) -> list[str]:
    """Return the lines that are read from a terminal when, while one of them is done, Ctrl-C is pressed so often."""
    ours, theirs = pty.openpty()
    read = []
    with os.fdopen(ours, "wb", buffering=0) as keyboard, os.fdopen(theirs) as stream:
        keyboard.write(b"wait\ncalls\nquit\n")
        with TypedLines(stopping, stream, interrupted) as typed:
            for line in typed:
                read.append(f"{line}{'!' * interrupted.is_set()}")
                for _press in range(presses.get(line, 0)):
                    signal.raise_signal(signal.SIGINT)
                read[-1] += "?" * interrupted.is_set()
                if line == "quit":
                    stopping.set()
    return read


def test_ctrl_c_while_a_line_is_done_is_for_that_line_only(stopping: threading.Event):
    """The next line is done as if nothing had been."""
    assert at_a_terminal(stopping, threading.Event(), {"wait": 1}) == ["wait?", "calls", "quit"]


def test_a_second_ctrl_c_ends_everything(stopping: threading.Event):
    """A line that does not heed the first one must not be there for ever."""
    assert at_a_terminal(stopping, threading.Event(), {"wait": 2}) == ["wait?"]


def test_from_a_pipe_ctrl_c_ends_everything(stopping: threading.Event):
    """Nobody would sit there to type quit after it."""
    interrupted = threading.Event()
    reading, writing = os.pipe()
    os.write(writing, b"wait\nquit\n")
    os.close(writing)
    read = []
    with os.fdopen(reading) as stream, TypedLines(stopping, stream, interrupted) as typed:
        for line in typed:
            read.append(line)
            signal.raise_signal(signal.SIGINT)

    assert read == ["wait"]
    assert not interrupted.is_set()
