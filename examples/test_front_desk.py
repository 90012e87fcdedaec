"""Tests of `front_desk`, by guests and the desk."""

from front_desk import DESK, HOTEL, app

from relay_actors.testing import AppRunner, PhoneMaker

GUEST = "+15550001111"


def test_a_guest_hears_when_breakfast_is(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """One key, one answer."""
    relay_app(app)
    guest = phone(GUEST).dials(context="hotel")
    guest.hears("welcome").presses("1")
    guest.hears("from 7 to 10").is_hung_up()


def test_a_guest_who_withholds_the_number_is_served_all_the_same(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The handler crashes on such a number; the call does not."""
    relay_app(app)
    guest = phone("anonymous").dials(context="hotel")
    guest.hears("welcome").presses("1")
    guest.hears("from 7 to 10").is_hung_up()


def test_a_guest_talks_to_the_desk(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """And is let go when the desk hangs up."""
    relay_app(app)
    guest = phone(GUEST).dials(context="hotel")
    guest.hears("welcome").presses("2")
    desk = phone(DESK).rings().answers()
    guest.talks_to(desk)
    desk.hangs_up()
    guest.is_hung_up()


def test_a_room_that_does_not_exist_is_asked_for_again(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """A crash of the flow begins it anew."""
    relay_app(app)
    guest = phone(GUEST).dials(context="hotel")
    guest.hears("welcome").presses("4")
    guest.hears("room number").presses("999#")
    guest.hears("room number").presses("101#")
    guest.hears("240 dollars").is_hung_up()


def test_a_message_reaches_the_desk_as_a_text(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """With the address of the recording."""
    relay_app(app)
    guest = phone(GUEST).dials(context="hotel")
    guest.hears("welcome").presses("3")
    guest.hears("beep").says("More towels, please.").presses("#")
    guest.hears("thank you").is_hung_up()
    assert "https://" in phone(DESK).receives_text("a new message").body


def test_a_guest_who_asks_for_it_is_woken(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """A text is answered with a call."""
    relay_app(app)
    guest = phone(GUEST).texts("Please wake me.", context="hotel", to=HOTEL)
    guest.rings().answers().hears("good morning").is_hung_up()
