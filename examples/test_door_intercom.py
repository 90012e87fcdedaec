"""Tests of `door_intercom`, by an intercom and a flat."""

from door_intercom import FLAT, app

from relay_actors.testing import AppRunner, PhoneMaker

INTERCOM = "+15550100300"


def test_the_code_opens_the_door(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Nobody in the flat is disturbed."""
    relay_app(app)
    visitor = phone(INTERCOM).dials(context="door")
    visitor.hears("enter your code").presses("4711")
    visitor.hears("digits 9").hears("welcome home").is_hung_up()
    assert phone(FLAT).lines == ()


def test_a_wrong_code_rings_at_the_flat(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """There they press the nine themselves: a key pressed in a bridge is heard at its other end."""
    relay_app(app)
    visitor = phone(INTERCOM).dials(context="door")
    visitor.hears("enter your code").presses("1234")
    flat = phone(FLAT).rings().answers()
    visitor.talks_to(flat)
    flat.presses("9")
    visitor.hears("digits 9")
    flat.hangs_up()
    visitor.is_hung_up()


def test_nobody_is_at_home(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The visitor is told, and not left at the door in silence."""
    relay_app(app)
    phone(FLAT).rejects()
    visitor = phone(INTERCOM).dials(context="door")
    visitor.hears("enter your code").presses("0000")
    visitor.hears("nobody is at home").is_hung_up()
