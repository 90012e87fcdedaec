"""Tests of `state_machine_call`, by callers who know their PIN, or not, or say nothing."""

from state_machine_call import BALANCE, DESK, Ask, Bank, app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator

CALLER = "+15550001111"


def test_the_right_pin_opens_the_menu(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """And one key gives the balance."""
    relay_app(app)
    caller = phone(CALLER).dials(context="bank")
    caller.hears("enter your pin").presses("4711")
    caller.hears("press 1").presses("1")
    assert caller.hears("twelve euros").is_hung_up().end_reason == "hangup"


def test_three_wrong_pins_are_the_end(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The state is entered again for each try."""
    relay_app(app)
    caller = phone(CALLER).dials(context="bank")
    caller.hears("enter your pin").presses("0000")
    caller.hears("that is wrong").presses("0001")
    caller.hears("that is wrong").presses("0002")
    caller.hears("goodbye").is_hung_up()


def test_who_says_nothing_gets_an_operator(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The time-out belongs to the state: it is as long as the caller is there."""
    relay_app(app)
    caller = phone(CALLER).dials(context="bank")
    caller.hears("enter your pin")
    desk = phone(DESK).rings().answers()
    caller.talks_to(desk)
    desk.hangs_up()
    caller.hears("goodbye").is_hung_up()


def test_who_asks_too_early_is_answered_later(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The question is postponed until the caller has shown who they are."""
    relay_app(app)
    caller = phone(CALLER).dials(context="bank")
    caller.hears("enter your pin")
    call = app.call(caller.call_id)
    assert call is not None
    answer = call.ref.ask(Ask(), block=False)
    assert not answer.is_settled
    caller.presses("4711").hears("press 1")
    assert answer.get(timeout=5.0) == BALANCE


def test_the_moves_can_be_drawn() -> None:
    """For the documentation of an application, for example."""
    assert 'state "operator"' in Bank.diagram()


def test_who_hangs_up_is_not_asked_again(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """The server tells of the end of the prompt, too; that is no wrong PIN."""
    relay_app(app)
    caller = phone(CALLER).dials(context="bank").hears("enter your pin").hangs_up()
    assert relay_app.stop() == []
    assert relay_sim.count(caller, "calling.play_and_collect") == 1
