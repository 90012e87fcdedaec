"""What is written: plain in a pipe, in colour on a terminal, and never a torn line."""

import io
import threading

import pytest

from relay_actors.cli.screen import Screen


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"  # type: ignore[assignment]  # a read-only property there

    def isatty(self) -> bool:
        return True


class AsciiPipe(io.StringIO):
    encoding = "ascii"  # type: ignore[assignment]  # a read-only property there


class ClosedPipe(io.StringIO):
    """A pipe whose reader has gone away."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def shown(stream: io.StringIO, **environ: str) -> str:
    screen = Screen(stream, environ)
    screen.say(("lost", "bold red"), " 3")
    screen.table(["", "counted"], [[("calls", "bold"), ("24", "green")]])
    return stream.getvalue()


def test_a_terminal_gets_colour():
    assert "\x1b[" in shown(Terminal(), TERM="xterm-256color")


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_none_gets_no_escape_at_all(environ: dict[str, str]):
    """NO_COLOR means plain: bold and dim are no help to whoever asked for it."""
    assert "\x1b" not in shown(Terminal(), **environ)


def test_a_pipe_gets_plain_text():
    """It is read by programs, and by people later."""
    text = shown(io.StringIO(), TERM="xterm-256color", FORCE_COLOR="1")

    assert "\x1b" not in text
    assert text.startswith("lost 3\n")


def test_a_name_of_a_file_that_is_no_text_can_be_written():
    """Python has such bytes as halves of surrogate pairs, which nothing can encode."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    screen = Screen(stream, {})
    name = b"caf\xe9.db".decode("utf-8", "surrogateescape")
    screen.say((name, "bold"), ": sound ✓")
    screen.table(["file"], [[name]])
    stream.flush()
    stream.seek(0)

    assert stream.readline() == "caf?.db: sound ✓\n"
    assert "caf?.db" in stream.read()


def test_a_stream_that_knows_no_unicode_gets_what_it_knows():
    """A log file of another century is no reason to crash."""
    stream = AsciiPipe()
    screen = Screen(stream, {})
    screen.say(screen.mark(True), screen.mark(False), screen.mark(None), " “quoted”")
    screen.table(["a", "b"], [["1", "2"]])

    stream.getvalue().encode("ascii")
    assert stream.getvalue().startswith("okNO-- ?quoted?\n")


def test_columns_are_filled_up_and_cut_but_for_the_last():
    """So that they stand beneath each other."""
    stream = io.StringIO()
    screen = Screen(stream, {})
    screen.columns(("12.3", 6), ("somebody with a long name", 10), ("x" * 300, 5))
    screen.columns(("1", 6), ("Ada", 10), ("", 5))

    first, second = stream.getvalue().splitlines()
    assert first == f"12.3   somebody … {'x' * 300}"
    assert second.rstrip() == "1      Ada"


def test_a_long_line_is_never_wrapped():
    """A pipe's reader counts on one thing a line."""
    stream = io.StringIO()
    Screen(stream, {}).say("word " * 200)

    assert stream.getvalue().count("\n") == 1


def test_a_reader_that_has_gone_away_is_no_error():
    """What the program does is not its output."""
    screen = Screen(ClosedPipe(), {})

    screen.say("first")
    screen.say("second")
    screen.table(["a"], [["1"]])


def test_lines_of_several_threads_are_not_mixed():
    """The story is told while somebody types."""
    stream = io.StringIO()
    screen = Screen(stream, {})

    def write(letter: str) -> None:
        for _ in range(50):
            screen.say(letter * 20, (letter * 20, "bold"))

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10.0)

    lines = stream.getvalue().splitlines()
    assert len(lines) == 150
    assert {*lines} == {letter * 40 for letter in "abc"}


def test_a_table_that_is_cut_has_one_line_a_row():
    """A page that is shown anew every second must not grow beyond the terminal."""
    stream = Terminal()
    screen = Screen(stream, {"TERM": "xterm", "COLUMNS": "40", "LINES": "10"})
    screen.table(["who", "waiting"], [["x" * 500, "1"], ["y" * 500, "2"]], is_cut=True)
    assert stream.getvalue().count("\n") <= 6


def test_a_new_page_is_begun_on_a_terminal_only():
    """A pipe is not made of pages."""
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        screen = Screen(stream, {"TERM": "xterm"})
        screen.clear()
    assert "\x1b[2J" in terminal.getvalue()
    assert pipe.getvalue() == ""
    assert Screen(pipe, {}).height == 0
