"""Observers."""

import threading
from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.runtime.hooks import Counters, GuardedHooks
from tests.runtime.worlds import DEADLINE_S


@pytest.mark.usefixtures("eager_switches")
def test_no_count_is_lost_between_threads():
    """An increment is not atomic by itself."""
    counters = Counters()

    def count() -> None:
        for _ in range(2000):
            counters.count("a")
            counters.count("b", -1)

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)

    assert counters.snapshot() == {"a": 6000, "b": -6000}


def test_hooks_that_raise_are_detached_and_reported(caplog: pytest.LogCaptureFixture):
    """O1: on the first exception; the one who counts does not notice."""
    calls: list[str] = []

    class Broken(Counters):
        def count(self, name: str, amount: int = 1) -> None:
            calls.append(name)
            raise OSError("broken")

    hooks = GuardedHooks(Broken())
    hooks.count("a")
    hooks.count("b")

    assert calls == ["a"]
    assert "are detached" in caplog.text


def test_hooks_that_work_are_told_everything():
    """The guard adds nothing and takes nothing."""
    counters = Counters()
    hooks = GuardedHooks(counters)
    hooks.count("a")
    hooks.count("a", 4)
    assert counters.snapshot() == {"a": 5}


@pytest.mark.parametrize(("name", "amount"), [("euros", None), ("euros", "1"), (None, 1), (["a"], 1)])
def test_who_counts_what_is_no_number_is_told_and_no_number_is_lost(name: Any, amount: Any):
    """O1: it is no fault of the observer's, and what else is counted goes on."""
    hooks = GuardedHooks(Counters())
    hooks.count("calls")
    with pytest.raises(ConfigError, match="count"):
        hooks.count(name, amount)
    hooks.count("calls")
    assert hooks.snapshot() == {"calls": 2}
