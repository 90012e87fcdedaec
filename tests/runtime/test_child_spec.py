"""How a parent treats a child, checked."""

import math
from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.restart_policy import Restart
from tests.runtime.worlds import Parent, Recorder, World, spawn


def test_the_default_is_never_restarted():
    """X6: temporary; how long it may take to stop is said by its class."""
    spec = ChildSpec()
    assert (spec.restart, spec.shutdown_s, spec.keep_children) == (Restart.TEMPORARY, None, False)
    assert (spec.max_restarts, spec.backoff, spec.successor) == (None, None, None)
    assert (spec.significant, spec.revive_killed) == (False, True)


@pytest.mark.parametrize(
    "settings",
    [
        {"shutdown_s": 0},
        {"shutdown_s": -1.0},
        {"shutdown_s": "soon"},
        {"within_s": 0},
        {"max_restarts": -1},
        {"successor": object},
        {"restart": "sometimes"},
        {"restart": None},
        {"restart": "permanent", "significant": True},
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any]):
    """S1: at once, where it is written, not when the child fails."""
    with pytest.raises(ConfigError, match="ChildSpec"):
        ChildSpec(**settings)


def test_unknown_settings_are_an_error():
    """S1."""
    with pytest.raises(TypeError, match="restrat"):
        ChildSpec(restrat=Restart.PERMANENT)  # type: ignore[call-arg]


def test_a_restart_type_may_be_written_as_text():
    """S1: as in OTP; it is the member of the enumeration afterwards."""
    assert ChildSpec(restart="transient").restart is Restart.TRANSIENT  # type: ignore[arg-type]


def test_how_long_a_stop_may_take_has_three_forms(world: World):
    """S1, H1: seconds, as long as it takes, and no time at all, which is reported as no trouble."""
    log: list[Any] = []
    parent = world.start(Parent)
    specs = [ChildSpec(shutdown_s=2.0), ChildSpec(shutdown_s=math.inf), ChildSpec(shutdown_s="kill")]
    timed, patient, killed = (spawn(parent, Recorder, log, spec=spec) for spec in specs)
    world.settle()
    for child in (timed, patient):
        child._cell._take_out_of_rest()  # as if it were in a turn that takes long
    stopped = parent.stop(block=False)
    world.settle()
    assert [child._cell.has_ended for child in (timed, patient, killed)] == [False, False, True]
    world.advance(2.0)
    assert [child._cell.has_ended for child in (timed, patient, killed)] == [True, False, True]
    world.advance(1000.0)
    patient._cell._rest, patient._cell.is_resting = None, True
    patient._cell.wake()
    world.settle()

    assert stopped.get(timeout=0) is True
    assert [child._cell.exit_reason.kind for child in (timed, patient, killed)] == ["killed", "shutdown", "killed"]
    assert log == ["start"] * 3 + ["stop"]
