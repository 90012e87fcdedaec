"""Tests of `own_model`, by callers who listen, cut in, and hang up."""

import pytest
from own_model import ANSWERS, OFFICE, PERSON, app

from relay_actors.testing import AppRunner, Line, PhoneMaker, RelayClock, Simulator

GUEST = "+15550001111"


def called(phone: PhoneMaker) -> Line:
    """Somebody who has heard the greeting."""
    return phone(GUEST).dials(context="harbour").hears("how can i help")


def test_a_reply_is_read_while_it_comes(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """And what was wanted is known afterwards."""
    relay_app(app)
    guest = called(phone).says("Your hours, please.")
    guest.hears("nine to five").hears("close at noon").hears("on sundays")
    guest.is_hung_up()
    assert phone(OFFICE).receives_text(GUEST).body.endswith("Your hours, please.")


def test_who_cuts_in_is_listened_to(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The rest of the reply is not read."""
    relay_app(app)
    guest = called(phone).says("Your hours?").hears("nine to five").says("A person, please.")
    guest.hears("get you somebody").talks_to(phone(PERSON).rings().answers())
    assert "On Saturdays we close at noon." not in map(str, guest.heard)
    guest.hangs_up()
    phone(OFFICE).receives_text("Your hours? / A person, please.")


def test_when_no_person_picks_up_the_model_goes_on(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The caller is not given up."""
    relay_app(app)
    phone(PERSON).never_answers()
    guest = called(phone).says("A person.").hears("nobody is free").says("Then your hours.")
    guest.hears("nine to five").hangs_up()
    phone(OFFICE).receives_text("A person. / Then your hours.")


def test_who_hangs_up_early_is_summed_up_too(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """What comes after the call does not depend on who has ended it."""
    relay_app(app)
    called(phone).says("Your hours?").hears("nine to five").hangs_up()
    phone(OFFICE).receives_text("Your hours?")


def test_a_model_that_fails_leaves_nobody_in_silence(
    relay_app: AppRunner, phone: PhoneMaker, relay_clock: RelayClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller may ask once more; the log has the error."""
    monkeypatch.setitem(ANSWERS, "hours", None)
    relay_app(app)
    guest = called(phone).says("Your hours?")
    relay_clock.advance(3)
    guest.says("Hello?").hears("ask me for our hours")


def test_the_next_version_reads_on(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """The model is asked again for the reply that was under way; what was read of it is not read again."""
    relay_app(app)
    guest = called(phone).says("Your hours?").hears("nine to five")
    assert app.hand_over()
    relay_app(app)
    guest.hears("close at noon")
    with relay_sim.socket_down(seconds=2):
        pass
    guest.hears("on sundays").is_hung_up()
    assert [str(sound) for sound in guest.heard].count("We are open from nine to five.") == 1
    phone(OFFICE).receives_text("Your hours?")
    assert len(phone(OFFICE).inbox) == 1
