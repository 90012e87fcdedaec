"""Programs of others under our client: what they print is marked, and with what they end is told."""

from __future__ import annotations

import io
import sys

import pytest

from relay_actors.client import RelayClient
from tests.parity.shipped.program import Marked, aims_at, ended, main, names_of, said
from tests.parity.shipped.sources import OURS


class Client:
    def __init__(self, project=None, host=None):
        self.project, self.host = project, host


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SIGNALWIRE_SPACE", "127.0.0.1:1")
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.setattr(RelayClient, "__init__", RelayClient.__init__)  # so that it is as before afterwards

    def run(source):
        file, out = tmp_path / "program.py", sys.stdout
        file.write_text(source, "utf-8")
        try:
            main([OURS, str(file)])
        finally:
            sys.stdout = out
        return out.getvalue()

    return run


def test_what_a_program_prints_is_told_from_what_others_write():
    under = io.StringIO()
    out = Marked(under)
    print("one", 2, file=out)
    print("three\nfour", file=out)
    under.write("a log line\n")
    print("five", end="", file=out)
    under.write("another log line\n")
    out.end()
    out.end()

    assert said(under.getvalue()) == ["one 2", "three", "four", "five"]


def test_a_program_is_the_main_one_and_finds_our_client_where_the_official_one_was(run):
    output = run("from signalwire.relay import RelayClient\nprint(__name__, RelayClient.__module__)\n")

    assert said(output) == ["__main__ relay_actors.client.relay_client"]
    assert ended(output) == "by itself"


def test_with_what_a_program_has_ended_is_told_and_ends_its_process(run, monkeypatch):
    told = io.StringIO()
    monkeypatch.setattr("sys.stdout", told)

    with pytest.raises(FileNotFoundError):
        run("open('/no/such/file')")
    assert ended(told.getvalue()) == "FileNotFoundError OSError Exception"
    assert ended("| @ ended by itself\n") == ""


def test_the_space_of_the_documents_becomes_the_one_that_there_is_and_no_other_does():
    aims_at(Client, "127.0.0.1:8443")

    assert Client(project="...", host="example.signalwire.com").host == "127.0.0.1:8443"
    assert Client("p", host="other.signalwire.com").host == "other.signalwire.com"
    assert Client("p").host is None


def test_an_exception_has_the_names_of_all_that_catch_it():
    assert names_of(ConnectionResetError()) == "ConnectionResetError ConnectionError OSError Exception"
    assert names_of(KeyboardInterrupt()) == "KeyboardInterrupt"
