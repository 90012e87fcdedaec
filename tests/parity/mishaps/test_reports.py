"""What applications tell of themselves, and what is read of it."""

from __future__ import annotations

from tests.parity.mishaps.reports import begun_and_open, failures, others, report


def test_what_is_told_is_read_again(capsys):
    report("begun", "+1")
    report("failed", "+1", "KeyError: 'a bug'")
    report("over", "+1")
    report("begun", "+2")
    output = "a line of some library\n" + capsys.readouterr().out

    assert begun_and_open(output) == (2, ["+2"])
    assert failures(output) == ["KeyError: 'a bug'"]
    assert failures(output, but="+1") == []
    assert others(output) == ["a line of some library"]


def test_two_handlers_of_one_call_are_both_waited_for():
    assert begun_and_open("@ begun +1\n@ begun +1\n@ over +1\n") == (2, ["+1"])
    assert begun_and_open("@ begun +1\n@ over +1\n@ begun +1\n@ over +1\n") == (2, [])
