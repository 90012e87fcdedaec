"""What can be wrong with a class that is written as a flow."""

from __future__ import annotations

import functools
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


def test_a_flow_is_given_nothing_but_itself():
    """The official client's habit, ``run(self, call)``, would have each caller declined."""
    with pytest.raises(
        TypeError, match=r"Habit\.run\(self, call\) is given nothing but self, which is the call: write"
    ):

        class Habit(CallActor):
            async def run(self, call: Any) -> None: ...

    with pytest.raises(TypeError, match=r"Blocking\.run\(call, number\)"):

        class Blocking(CallActor):
            def run(call, number): ...  # noqa: N805

    with pytest.raises(TypeError, match=r"Forgetful\.run\(\)"):

        class Forgetful(CallActor):
            async def run() -> None: ...  # type: ignore[misc]


def test_a_flow_may_take_what_it_is_not_given():
    """Defaults, ``*args``, and what a decorator adds."""

    def with_language(function: Any) -> Any:
        @functools.wraps(function)
        async def run(self: CallActor) -> None:
            await function(self, "en-US")

        return run

    class Polyglot(CallActor):
        @with_language
        async def run(self, language: str) -> None: ...

    class Reused(CallActor):
        async def run(self, language: str = "en-US", *args: object, **kwargs: object) -> None: ...

    assert Polyglot.run is not None
    assert Reused.run is not None


def test_only_a_flow_that_can_be_run_again_in_one_turn_may_go_on_where_it_was() -> None:
    """Threads and the asyncio loop do not run in one turn; nor does a word that means nothing."""
    with pytest.raises(TypeError, match="needs `async def run"):

        class Blocking(CallActor):
            restart_flow = "where_it_was"

            def run(self) -> None: ...

    with pytest.raises(TypeError, match="must be 'from_the_beginning' or 'where_it_was'"):

        class Odd(CallActor):
            restart_flow = "somewhere"  # type: ignore[assignment]
