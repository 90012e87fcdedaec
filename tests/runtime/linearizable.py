"""Whether what several threads have seen of one object can have happened one after the other (SEMANTICS V8).

Each operation has begun and ended at some moment. It must be possible to put all operations into one order, in which
one that had ended before another began comes first, and in which a plain object that is used by one thread only gives
the same results. Source: Herlihy and Wing 1990; the search is Wing and Gong's, with a memory as Lowe has it.
"""

import itertools
import sys
import threading
from collections.abc import Callable, Hashable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.runtime.worlds import DEADLINE_S

__all__ = ["History", "Operation", "eager", "is_linearizable"]

Model = Callable[[Any, str, Any], tuple[Any, Any]]
"""From a state, the name of an operation and its argument, to the next state and the result. States are hashable."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one thread: when it began and ended, in steps of one counter; what it was, and what came out."""

    began: int
    ended: int
    name: str
    argument: Any
    result: Any


class History:
    """Runs plans of operations on threads at once, and writes down what comes out."""

    def __init__(self) -> None:
        self._moments = itertools.count()  # next() is atomic
        self.operations: list[Operation] = []

    def do(self, name: str, argument: Any, call: Callable[[], Any]) -> None:
        """Do one operation."""
        began = next(self._moments)
        result = call()
        self.operations.append(Operation(began, next(self._moments), name, argument, result))

    def run(self, *plans: Callable[[], None]) -> None:
        """Run plans at once, each on its thread, and wait for all of them."""
        ready = threading.Barrier(len(plans))

        def follow(plan: Callable[[], None]) -> None:
            ready.wait(DEADLINE_S)
            plan()

        threads = [threading.Thread(target=follow, args=(plan,)) for plan in plans]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive()


def is_linearizable(operations: Sequence[Operation], model: Model, state: Hashable) -> bool:
    """Return whether there is such an order, from ``state`` on."""
    dead_ends: set[tuple[frozenset[int], Hashable]] = set()

    def can_go_on(left: frozenset[int], state: Hashable) -> bool:
        if not left:
            return True
        if (left, state) in dead_ends:
            return False
        first_end = min(operations[number].ended for number in left)
        for number in left:
            operation = operations[number]
            if operation.began > first_end:
                continue  # another one had ended before it began
            after, result = model(state, operation.name, operation.argument)
            if result == operation.result and can_go_on(left - {number}, after):
                return True
        dead_ends.add((left, state))
        return False

    return can_go_on(frozenset(range(len(operations))), state)


@contextmanager
def eager() -> Any:
    """Let threads take turns as often as Python can make them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
