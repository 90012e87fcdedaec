"""Messages for which nobody has a handler: seen, but not a flood in the log."""

import logging
from typing import Any

import pytest

from relay_actors.runtime.actor import Actor
from tests.runtime.worlds import World


class Deaf(Actor):
    """Handles nothing."""


class Deafer(Deaf):
    """Nor does this."""


class Picky(Actor):
    """Knows one type, and leaves the rest to the base class."""

    def on_receive(self, message: Any) -> Any:
        return message if isinstance(message, int) else super().on_receive(message)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_each_type_is_logged_once_per_class_and_always_counted(world: World, caplog: pytest.LogCaptureFixture):
    """M9: a thousand of them are one line, without their content; pykka logs each, with all that is in it."""
    refs = [world.start(Deaf), world.start(Deaf), world.start(Deafer)]
    for ref in refs:
        for _ in range(10):
            ref.tell("a secret")
            ref.tell(b"another")
    world.settle()

    lines = warnings(caplog)
    assert len(lines) == 4
    assert all(line.startswith("Unexpected message received by Deaf") for line in lines)
    assert "secret" not in caplog.text
    assert world.counters.snapshot()["messages.unexpected"] == 60


def test_what_is_known_is_not_reported(world: World, caplog: pytest.LogCaptureFixture):
    """M9: and what is not is answered with None, as pykka does; the actor goes on."""
    ref = world.start(Picky)
    assert [ref.ask(message) for message in (1, "two", 3)] == [1, None, 3]
    assert len(warnings(caplog)) == 1


def test_two_systems_report_for_themselves(caplog: pytest.LogCaptureFixture):
    """M9, L10: what one has said is not said for the other."""
    worlds = [World(1), World(2)]
    for world in worlds:
        world.start(Deaf).ask("a")
        world.end()
    assert len(warnings(caplog)) == 2


def test_a_class_that_is_gone_leaves_nothing(world: World):
    """M9: classes that are made while the program runs do not pile up."""
    world.start(type("Made", (Deaf,), {})).ask("a")
    reported = world.system.unexpected._reported
    assert all(kind.__name__ in ("Deaf", "Made") for kind in reported)
    assert type(reported).__name__ == "WeakKeyDictionary"
