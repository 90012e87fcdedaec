"""What the journal is told of who has a call."""

from __future__ import annotations

import logging

import pytest

from relay_actors.actors.beginnings import begun, plain_data
from relay_actors.actors.dialling import Dialling
from relay_actors.actors.leg import Leg
from relay_actors.protocol.commands import Dial
from tests.actors.world import Witness, World, device


def test_of_a_dial_all_is_told_that_is_needed_to_dial_again() -> None:
    """Also when the process ends before the dial itself is in the journal. J2."""
    with World() as world:
        world.start()
        leg = Leg(direction="outbound", data={"appointment": 17})
        command = Dial(devices=device("+15550001111"), tag="r-17")
        leg.tag, leg.dialling = "r-17", Dialling(command, 40.0)
        started = begun(leg, Witness, world.tree.office)
    assert (started.subject, started.direction, started.data) == ("r-17", "outbound", {"appointment": 17})
    assert started.actor == "tests.actors.world:Witness"
    assert started.settings == {
        "seed": leg.course.seed, "tag": "r-17", "timeout_s": 40.0, "dial": command.to_params(), "cause": ""
    }  # fmt: skip
    assert leg.course.is_begun


def test_what_cannot_be_kept_of_the_data_is_left_out_and_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """A socket among the data must not stop the journal, nor be lost in silence. J6."""
    with World() as world, caplog.at_level(logging.WARNING):
        world.start()
        leg = Leg(direction="inbound", data={"order": "123", "lock": object()})
        assert plain_data(leg, Witness, world.tree.office) == {"order": "123"}
        assert plain_data(leg, Witness, world.tree.office) == {"order": "123"}
    told = [record.getMessage() for record in caplog.records if "is not in the journal" in record.getMessage()]
    assert len(told) == 1
    assert "self.data['lock'] of Witness" in told[0]
