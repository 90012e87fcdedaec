"""Tests of `closing_time`, by callers who talk when it closes."""

from closing_time import KEPT, app

from relay_actors.testing import AppRunner, PhoneMaker


def test_who_talks_when_it_closes_is_told_and_nothing_is_lost(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The drain waits, then says goodbye; what is to be kept is kept."""
    KEPT.clear()
    relay_app(app)
    brief = phone("+15550001111").dials(context="diary")
    lengthy = phone("+15550002222").dials(context="diary")
    for caller in (brief, lengthy):
        caller.hears("beep")
    brief.hangs_up()
    assert app.stop(drain_s=0.2)
    lengthy.hears("have to close").is_hung_up()
    assert sorted(KEPT) == ["+15550001111", "+15550002222"]
