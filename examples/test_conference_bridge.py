"""Tests of `conference_bridge`, by a chair and members."""

from conference_bridge import BOARD, CHAIR, MEMBER, app

from relay_actors.testing import AppRunner, Line, PhoneMaker


def joins(phone: PhoneMaker, number: str, pin: str) -> Line:
    """Somebody who has entered a PIN."""
    return phone(number).dials(context="conference").hears("your pin").presses(pin)


def test_the_conference_lasts_as_long_as_its_chair(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Members wait for the chair, and are told when it is over."""
    relay_app(app)
    ada = joins(phone, "+15550001111", MEMBER).is_in_conference(BOARD)
    chair = joins(phone, "+15550002222", CHAIR).talks_to(ada)
    chair.says("Good morning.")
    ada.hears("good morning")
    chair.hangs_up()
    ada.hears("is over").is_hung_up()


def test_a_member_leaves_and_the_others_stay(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """By the star."""
    relay_app(app)
    chair = joins(phone, "+15550002222", CHAIR).is_in_conference(BOARD).is_asked()
    ada = joins(phone, "+15550001111", MEMBER).talks_to(chair).is_asked()
    ada.presses("*").hears("you have left").is_hung_up()
    assert chair.is_in_conference(BOARD).state == "answered"


def test_nobody_gets_in_without_a_pin(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Or with one of somewhere else."""
    relay_app(app)
    joins(phone, "+15550003333", "9999").hears("no pin of ours").is_hung_up()
