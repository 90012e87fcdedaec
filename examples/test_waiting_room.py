"""Tests of `waiting_room`, by patients who wait while a new version is deployed, and while the room crashes."""

from waiting_room import app

from relay_actors.testing import AppRunner, PhoneMaker, RelayClock

ADA, BEN, DOCTOR = "+15550001111", "+15550002222", "+15550100200"


def comes_free(phone: PhoneMaker) -> None:
    """Let the doctor call."""
    phone(DOCTOR).dials(context="doctors").hears("will be called").is_hung_up()


def test_who_waits_is_put_through(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The answer to the question comes when there is one."""
    relay_app(app)
    ada = phone(ADA).dials(context="practice").hears("music.mp3")
    comes_free(phone)
    ada.talks_to(phone(DOCTOR).rings().answers())
    phone(DOCTOR).hangs_up()
    ada.hears("get well").is_hung_up()


def test_who_waits_is_not_forgotten_by_the_next_version(
    relay_app: AppRunner, phone: PhoneMaker, relay_clock: RelayClock
) -> None:
    """And keeps the place: the room begins anew, and is asked by all of them."""
    relay_app(app)
    ada = phone(ADA).dials(context="practice").hears("music.mp3")
    relay_clock.advance(5)
    ben = phone(BEN).dials(context="practice").hears("music.mp3")
    relay_clock.advance(5)
    assert app.hand_over()
    relay_app(app)
    comes_free(phone)
    ada.talks_to(phone(DOCTOR).rings().answers())
    phone(DOCTOR).hangs_up()
    comes_free(phone)
    ben.talks_to(phone(DOCTOR).rings().answers())


def test_who_waits_is_not_forgotten_by_a_room_that_has_crashed(
    relay_app: AppRunner, phone: PhoneMaker, relay_clock: RelayClock
) -> None:
    """The asker is told of it."""
    relay_app(app)
    ada = phone(ADA).dials(context="practice").hears("music.mp3")
    room = app.lookup("room")
    assert room is not None
    room.kill()
    relay_clock.advance(3)
    comes_free(phone)
    ada.talks_to(phone(DOCTOR).rings().answers())


def test_who_has_hung_up_does_not_take_a_doctor(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The next one gets the doctor."""
    relay_app(app)
    ada = phone(ADA).dials(context="practice").hears("music.mp3")
    ben = phone(BEN).dials(context="practice").hears("music.mp3")
    ada.hangs_up()
    comes_free(phone)
    ben.talks_to(phone(DOCTOR).rings().answers())
