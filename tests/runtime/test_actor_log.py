"""The words of one actor."""

import logging

import pytest

from relay_actors.runtime.actor_log import ActorLog
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.restart_policy import Restart
from tests.runtime.worlds import Parent, Recorder, World, crash, spawn


def test_a_formatter_can_use_what_is_known_of_the_actor(world: World, caplog: pytest.LogCaptureFixture):
    """O6: which actor, and which of its incarnations."""
    caplog.set_level(logging.INFO)
    parent = world.start(Parent)
    child = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.TRANSIENT))
    child.tell(crash())
    world.settle()
    child.tell(lambda actor: actor.log.info("hello %s", "you"))
    world.settle()

    [record] = [record for record in caplog.records if record.name == "relay_actors.Recorder"]
    formatter = logging.Formatter("%(actor)s %(incarnation)d %(message)s")
    assert formatter.format(record) == "Recorder#2 1 [Recorder#2] hello you"


def test_what_the_speaker_gives_wins(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    log = ActorLog("Thing", "Thing#1", {"actor": "Thing#1", "call_id": "c-1"})
    log.info("x", extra={"call_id": "c-2", "mine": 1})
    [record] = caplog.records
    assert (record.call_id, record.mine, record.actor) == ("c-2", 1, "Thing#1")  # type: ignore[attr-defined]


def test_a_speakers_name_is_no_format(caplog: pytest.LogCaptureFixture):
    """A call id comes from the server, and may be anything."""
    caplog.set_level(logging.INFO)
    ActorLog("Thing", "100%s", {}).info("%d", 1)
    assert caplog.messages == ["[100_s] 1"]


def test_a_field_may_be_called_as_what_each_record_has(world: World, caplog: pytest.LogCaptureFixture):
    """O6: a line in the log must not fail the actor, because somebody's name is among what helps."""

    class Named(Recorder):
        def log_fields(self) -> dict[str, object]:
            return super().log_fields() | {"name": "Anna", "message": "order", "shop": "north"}

    caplog.set_level(logging.INFO)
    ref = world.start(Named)
    ref.tell(lambda actor: actor.log.info("hello"))
    world.settle()
    assert ref.is_alive()
    [record] = [record for record in caplog.records if record.name == "relay_actors.Named"]
    formatter = logging.Formatter("%(name_)s %(message_)s %(shop)s: %(message)s")
    assert formatter.format(record) == "Anna order north: [Named#1] hello"
