"""Tests of `supervised_call`, by a caller, a trainee, and a trainer's telephone that takes RTP."""

import socket

import pytest
import supervised_call
from supervised_call import TRAINEE, app

from relay_actors.testing import AppRunner, PhoneMaker


@pytest.mark.relay(real=True)  # the trainer's telephone is a socket
def test_the_trainer_hears_both(relay_app: AppRunner, phone: PhoneMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packet after packet, in order."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trainer:
        trainer.bind(("127.0.0.1", 0))
        trainer.settimeout(5)
        monkeypatch.setattr(supervised_call, "TRAINER", trainer.getsockname())
        relay_app(app)
        caller = phone("+15550001111").dials(context="training").hears("a trainer listens")
        trainee = phone(TRAINEE).rings().answers()
        caller.talks_to(trainee).says("Where is my parcel?")
        packets = [trainer.recv(2048) for _ in range(5)]
        trainee.hangs_up()
        caller.is_hung_up()

    assert [packet[1] & 0x7F for packet in packets] == [0] * 5  # PCMU
    numbers = [int.from_bytes(packet[2:4]) for packet in packets]
    assert numbers == list(range(numbers[0], numbers[0] + 5))


def test_nobody_is_tapped_who_talks_to_nobody(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The trainee is at lunch."""
    relay_app(app)
    phone(TRAINEE).is_busy()
    phone("+15550001111").dials(context="training").hears("a trainer listens").hears("nobody is there").is_hung_up()
