"""The window on the events."""

from __future__ import annotations

from relay_actors import events
from relay_actors.protocol import events as defined
from tests.protocol.wire_tables import CONSTANTS


def test_the_window_shows_every_event_that_the_reference_package_exports() -> None:
    """Code that moves here only changes its imports."""
    exported = {name for name in CONSTANTS["package_all"] if name.endswith("Event") or name == "parse_event"}
    assert exported <= set(events.__all__)
    assert len(exported) == 25


def test_nothing_is_defined_in_the_window() -> None:
    """A window has names only (DESIGN 1)."""
    assert all(getattr(events, name) is getattr(defined, name) for name in events.__all__)
    assert set(events.__all__) == set(defined.__all__)
