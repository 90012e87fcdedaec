"""What the journal is told of who has a call."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from pathlib import Path

import pytest

from relay_actors import CallActor, RelayApp
from relay_actors.actors.beginnings import begun, plain_data
from relay_actors.actors.dialling import Dialling
from relay_actors.actors.leg import Leg
from relay_actors.events import CallReceiveEvent, RelayEvent
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


@pytest.mark.parametrize("key", [5, (1, 2), None])
def test_what_stands_under_a_key_that_is_no_text_is_left_out_and_told_of_once(
    key: Hashable, caplog: pytest.LogCaptureFixture
) -> None:
    """It was not: the journal refused it, and with the journal the application ended, and all calls. J6."""
    with World() as world, caplog.at_level(logging.WARNING):
        world.start()
        leg = Leg(direction="inbound", data={"order": "123", key: "x"})  # type: ignore[dict-item]  # what is wrong
        for _ in range(2):
            assert plain_data(leg, Witness, world.tree.office) == {"order": "123"}
    assert caplog.text.count(f"self.data[{key!r}] of Witness is not in the journal") == 1


class Careless(CallActor):
    """Keeps in its data what no journal can hold."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
                self.data[5] = "x"  # type: ignore[index]  # what is wrong
                self.data["event"] = RelayEvent("mine", {"at": {1, 2}})
                self.data["order"] = "123"


def test_data_that_the_journal_cannot_hold_end_nothing(tmp_path: Path) -> None:
    """The call goes on, and so do all others. J6."""
    with World() as world:
        world.app = RelayApp("project", "token", host="relay.example.com", journal=tmp_path / "calls.db")
        line, handle = world.inbound(Careless)
        world.run(1.0)
        assert world.tree.wire.broken is None
        assert (line.state, handle.state) == ("answered", "answered")
        line.hangs_up()
        world.run(5.0)


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
