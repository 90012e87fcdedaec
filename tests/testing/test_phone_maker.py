"""The fixture ``phone``, without pytest."""

from __future__ import annotations

from random import Random

from relay_actors.runtime.clock import ManualClock
from relay_actors.simulator.simulator import Simulator
from relay_actors.testing import Crowd, PhoneMaker


def test_it_makes_one_phone_or_many_of_its_simulator():
    simulator = Simulator(clock=ManualClock(), random=Random(1))
    phone = PhoneMaker(simulator)

    assert phone("+15550100001") is simulator.phone("+15550100001")
    crowd = phone.many(200)
    assert isinstance(crowd, Crowd)
    assert crowd[1] is phone("+15550100001")
    assert phone.many(2, first="+15550200000")[1].number == "+15550200001"
