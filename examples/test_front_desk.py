"""Tests of `front_desk`, by its guests."""

from front_desk import DESK, app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator


def test_a_guest_hears_when_breakfast_is(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """And is hung up after that."""
    relay_app(app)
    guest = phone("+15550001111").dials(context="hotel")
    guest.hears("press 1").presses("1")
    guest.hears("from 7 to 10").is_hung_up()


def test_a_guest_talks_to_the_desk(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Until one of the two has enough."""
    relay_app(app)
    desk = phone(DESK)
    guest = phone("+15550001111").dials(context="hotel")
    guest.hears("press 1").presses("2")
    desk.rings().answers()
    guest.talks_to(desk).says("May I check out at noon?")
    desk.hears("at noon")
    desk.hangs_up()
    guest.is_hung_up()


def test_a_desk_where_nobody_is_can_be_called_again(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The guest is told so."""
    relay_app(app)
    phone(DESK).is_busy()
    guest = phone("+15550001111").dials(context="hotel")
    guest.hears("press 1").presses("2")
    guest.hears("nobody is at the desk").is_hung_up()


def test_a_message_reaches_the_desk_although_its_caller_just_hangs_up(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Most people do."""
    relay_app(app)
    guest = phone("+15550001111").dials(context="hotel")
    guest.hears("press 1").presses("3")
    guest.hears("beep").says("My key card does not work.").hangs_up()
    assert ".wav" in phone(DESK).receives_text("a new message").body


def test_a_room_that_does_not_exist_is_asked_for_again(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The crash is heard as the same question."""
    relay_app(app)
    guest = phone("+15550001111").dials(context="hotel")
    guest.hears("press 1").presses("4")
    guest.hears("room number").presses("999#")
    guest.hears("room number").presses("101#")
    guest.hears("240 dollars").is_hung_up()


def test_a_guest_who_insists_is_hung_up_once(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """After four crashes there is no point in a fifth."""
    relay_app(app)
    guest = phone("+15550001111").dials(context="hotel")
    guest.hears("press 1").presses("4")
    for _crash in range(4):
        guest.hears("room number").presses("999#")
    assert guest.is_hung_up().end_reason == "error"
    assert relay_sim.count(guest.call_id, "calling.end") == 1


def test_a_guest_without_a_number_notices_no_crash(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The prompt is read out once; the crash during it is not heard."""
    relay_app(app)
    guest = phone("anonymous").dials(context="hotel")
    guest.hears("press 1").presses("1")
    guest.hears("from 7 to 10").is_hung_up()
    assert len(guest.heard) == 2


def test_a_key_that_means_nothing_gets_the_menu_again(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """As does silence."""
    relay_app(app)
    guest = phone("+15550001111").dials(context="hotel")
    guest.hears("press 1").presses("9")
    guest.hears("press 1").presses("1")
    guest.hears("from 7 to 10").is_hung_up()


def test_texts_are_answered(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """By a text, or by a call."""
    relay_app(app)
    guest = phone("+15550001111").texts("When is breakfast?", context="hotel")
    guest.receives_text("from 7 to 10")
    guest.texts("Is there a pool?", context="hotel")
    guest.receives_text("thank you")
    guest.texts("Please wake me.", context="hotel")
    guest.rings().answers()
    guest.hears("good morning").is_hung_up()
