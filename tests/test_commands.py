"""The window on the commands."""

from __future__ import annotations

from relay_actors import commands
from relay_actors.protocol import commands as defined
from relay_actors.protocol.catalog import COMMANDS


def test_every_command_of_the_wire_can_be_imported_from_the_window() -> None:
    """``ref.tell(Hangup())`` must not need a look into the protocol."""
    assert {cls.__name__ for cls in COMMANDS.values()} <= set(commands.__all__)


def test_nothing_is_defined_in_the_window() -> None:
    """A window has names only (DESIGN 1)."""
    assert all(getattr(commands, name) is getattr(defined, name) for name in commands.__all__)
    assert sorted(commands.__all__) == sorted(defined.__all__)
