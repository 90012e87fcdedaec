"""What can be wrong with a class that is written as a flow."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors import CallActor


def test_a_flow_must_be_a_method_that_does_not_yield():
    """Anything else would be called once, and never go on."""
    with pytest.raises(TypeError, match=r"Wrong\.run must be a method"):

        class Wrong(CallActor):
            run = "not a flow"

    with pytest.raises(TypeError, match=r"Yields\.run must be a method"):

        class Yields(CallActor):
            def run(self) -> Any:
                yield

    with pytest.raises(TypeError, match=r"AlsoYields\.run must not yield"):

        class AlsoYields(CallActor):
            async def run(self) -> Any:
                yield


def test_only_a_flow_that_can_be_run_again_in_one_turn_may_go_on_where_it_was() -> None:
    """Threads and the asyncio loop do not run in one turn; nor does a word that means nothing."""
    with pytest.raises(TypeError, match="needs `async def run"):

        class Blocking(CallActor):
            restart_flow = "where_it_was"

            def run(self) -> None: ...

    with pytest.raises(TypeError, match="must be 'from_the_beginning' or 'where_it_was'"):

        class Odd(CallActor):
            restart_flow = "somewhere"  # type: ignore[assignment]
