"""Each call goes on in a new process: the old one leaves in the middle, and another one takes its journal."""

from collections.abc import Callable
from pathlib import Path

import pytest
from durable_flows import BOOKED, FAULTS, TEXTS, app

from relay_actors.testing import AppRunner, Line, PhoneMaker

CALLER = "+15550001111"

Again = Callable[[], None]


@pytest.fixture
def begins_again(relay_app: AppRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Again:
    """Start the application with a journal of this test's; give what has it leave its calls, and start again."""
    monkeypatch.chdir(tmp_path)
    relay_app(app)

    def begin_again() -> None:
        assert app.hand_over()  # nobody is hung up, and nothing is said to the server
        relay_app(app)

    return begin_again


def said(line: Line) -> list[str]:
    """Everything the caller has heard, when the call is over."""
    return [str(sound) for sound in line.is_hung_up().heard]


def test_what_a_flow_has_done_is_not_done_again(begins_again: Again, phone: PhoneMaker) -> None:
    """The prompt, the question and the booking are those of then."""
    BOOKED.clear()
    caller = phone(CALLER).dials(context="effects")
    caller.hears("which table").presses("12")
    caller.hears("table 12")
    begins_again()
    assert said(caller) == ["Which table?", "Table 12 is yours. Please hold.", "Goodbye."]
    assert {caller.call_id: 12} == BOOKED


def test_a_flow_that_is_run_again_is_given_the_time_and_the_numbers_of_then(
    begins_again: Again, phone: PhoneMaker
) -> None:
    """So it says what it has said."""
    caller = phone(CALLER).dials(context="chance")
    caller.hears("ticket")
    begins_again()
    first, again = said(caller)
    assert again == f"Once more, ticket {first.rpartition('Ticket ')[2]}"


def test_others_are_asked_and_called_once(begins_again: Again, phone: PhoneMaker) -> None:
    """The second clerk has taken no order, the cook has one call, and the caller one text."""
    cook = phone("+15550100200")
    caller = phone(CALLER).dials(context="others")
    cook.rings().answers().hears("soup, number 1")
    caller.hears("number 1 is being cooked")
    begins_again()
    assert said(caller) == ["Number 1 is being cooked. Please hold.", "Number 1 is ready."]
    assert len(cook.lines) == len(phone(CALLER).inbox) == 1


def test_a_handler_has_its_data_and_its_timer(begins_again: Again, phone: PhoneMaker) -> None:
    """It knows where it was, and the rest of its pause passes."""
    caller = phone(CALLER).dials(context="handler")
    caller.hears("do not hang up")
    begins_again()
    assert said(caller) == ["I call you back in a moment. Do not hang up.", "It is time."]


def test_a_flow_whose_past_has_changed_begins_anew_and_knows(
    begins_again: Again, phone: PhoneMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here its first question is another one."""
    caller = phone(CALLER).dials(context="changing")
    caller.hears("which table").presses("12").hears("table 12")
    monkeypatch.setitem(TEXTS, "question", "For how many?")
    begins_again()
    caller.hears("begin again").hears("for how many").presses("4")
    assert said(caller)[-2:] == ["Table 4. Please hold.", "Goodbye."]


def test_a_crash_is_not_heard(begins_again: Again, phone: PhoneMaker) -> None:
    """There is no new process, and no need of a journal."""
    FAULTS.append(RuntimeError("the menu has fallen down"))
    caller = phone(CALLER).dials(context="crashing")
    assert said(caller) == ["Today we have soup.", "It is very good."]
    assert not FAULTS
