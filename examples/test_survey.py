"""Tests of `survey`, by those who are called."""

from survey import AT_ONCE, app, ask_people, results

from relay_actors.testing import AppRunner, PhoneMaker, RelayClock

ADA, BEN, CAT, DAN, EVA = (f"+1555000000{number}" for number in range(1, 6))


def test_everybody_is_called_a_few_at_a_time(relay_app: AppRunner, phone: PhoneMaker, relay_clock: RelayClock) -> None:
    """Whatever becomes of one call, the next person is called."""
    relay_app(app)
    for number, key in ((ADA, "1"), (EVA, "2")):
        phone(number).answers_after(3).reacts("press 1", presses=key)
    phone(BEN).answers_after(1).reacts("did you like", hangs_up=True)
    phone(CAT).is_busy()
    phone(DAN).never_answers()

    ask_people([ADA, BEN, CAT, DAN, EVA])

    most = 0
    for _second in range(120):
        relay_clock.advance(1)
        most = max(most, app.calls_up)
    assert most == AT_ONCE
    assert results() == {ADA: "1", BEN: "hangup", CAT: "busy", DAN: "noAnswer", EVA: "2"}


def test_who_waits_is_not_called_any_more_when_the_application_ends(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Those on the phone are let finish."""
    relay_app(app)
    for number in (ADA, BEN, CAT):
        phone(number).answers_after(1)
    ask_people([ADA, BEN, CAT])
    phone(ADA).rings()
    phone(BEN).rings()

    assert app.stop(drain_s=60)

    for number in (ADA, BEN):
        phone(number).hears("did you like").is_hung_up()
    assert not phone(CAT).lines
