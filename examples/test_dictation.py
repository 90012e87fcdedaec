"""Tests of `dictation`, by a speaker."""

import re

from dictation import app

from relay_actors.testing import AppRunner, PhoneMaker, RelayClock, Simulator

SPEAKER = "+15550001111"


def test_what_is_dictated_can_be_heard_and_read(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator, relay_clock: RelayClock
) -> None:
    """A pause for thought is not in the recording."""
    relay_app(app)
    speaker = phone(SPEAKER).dials(context="dictation").hears("beep")
    relay_sim.expect(speaker, "calling.collect")
    speaker.says("Dear Ada.")
    relay_clock.advance(1)  # nobody speaks in no time
    speaker.presses("1")
    relay_sim.expect(speaker, "calling.record.pause")
    speaker.presses("1")
    relay_sim.expect(speaker, "calling.record.resume")
    speaker.presses("0").hears("thank you").is_hung_up()
    sound, text = re.findall(r"http\S+", phone(SPEAKER).receives_text().body)
    assert relay_sim.fetch(sound).startswith(b"RIFF")
    assert "Dear Ada." in relay_sim.fetch(text).decode()
