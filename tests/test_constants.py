"""The window on the constants."""

from __future__ import annotations

from relay_actors import constants
from relay_actors.protocol import constants as defined
from tests.protocol.wire_tables import CONSTANTS


def test_the_window_shows_every_constant_that_the_reference_package_exports() -> None:
    """Code that moves here only changes its imports."""
    for name, value in CONSTANTS["package_constants"].items():
        assert name in constants.__all__
        assert getattr(constants, name) == value


def test_nothing_is_defined_in_the_window() -> None:
    """A window has names only (DESIGN 1)."""
    assert all(getattr(constants, name) is getattr(defined, name) for name in constants.__all__)
    assert set(constants.__all__) == set(defined.__all__)
