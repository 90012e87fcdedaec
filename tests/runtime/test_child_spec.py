"""How a parent treats a child, checked."""

from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.restart_policy import Restart


def test_the_default_is_never_restarted():
    """X6: temporary; how long it may take to stop is said by its class."""
    spec = ChildSpec()
    assert (spec.restart, spec.shutdown_s, spec.keep_children) == (Restart.TEMPORARY, None, False)
    assert (spec.max_restarts, spec.backoff, spec.successor) == (None, None, None)


@pytest.mark.parametrize(
    "settings",
    [{"shutdown_s": 0}, {"shutdown_s": -1.0}, {"within_s": 0}, {"max_restarts": -1}, {"successor": object}],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any]):
    """S1: at once, where it is written, not when the child fails."""
    with pytest.raises(ConfigError, match="ChildSpec"):
        ChildSpec(**settings)


def test_unknown_settings_are_an_error():
    """S1."""
    with pytest.raises(TypeError, match="restrat"):
        ChildSpec(restrat=Restart.PERMANENT)  # type: ignore[call-arg]
