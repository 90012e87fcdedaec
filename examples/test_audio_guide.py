"""Tests of `audio_guide`, by listeners."""

from audio_guide import app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator


def test_the_guide_is_heard_to_its_end(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """When nobody interferes."""
    relay_app(app)
    listener = phone("+15550001111").dials(context="guide")
    listener.hears("5 pauses").hears("guide.mp3").hears("thank you").is_hung_up()


def test_keys_direct_what_is_heard(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """Each key is one command on the play that runs, in the order in which they were pressed."""
    relay_app(app)
    listener = phone("+15550001111").dials(context="guide").hears("5 pauses").is_asked()
    listener.presses("2")
    relay_sim.expect(listener, "calling.play.volume")
    listener.presses("5")
    relay_sim.expect(listener, "calling.play.pause")
    relay_sim.wait_until(lambda: relay_sim.unacknowledged == ())
    listener.presses("5")
    relay_sim.expect(listener, "calling.play.resume")
    listener.presses("0")
    relay_sim.expect(listener, "calling.play.stop")
    listener.hears("thank you").is_hung_up()
    assert "guide.mp3" not in " ".join(str(sound) for sound in listener.heard)
