"""Whether what several threads have seen of one object can have happened one after the other (SEMANTICS V8).

Each operation has begun and ended at some moment. It must be possible to put all operations into one order, in which
one that had ended before another began comes first, and in which a plain object that is used by one thread only gives
the same results. Source: Herlihy and Wing 1990; the search is Wing and Gong's, with a memory as Lowe has it.
"""

import itertools
import select
import sys
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from relay_actors.runtime.clock import Random
from tests.runtime.worlds import DEADLINE_S

__all__ = ["History", "Operation", "is_linearizable"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one thread: when it began and ended, in steps of one counter; what it was, and what came out."""

    began: int
    ended: int
    name: str
    argument: Any
    result: Any


_GIVES_WAY: Final = 0.4

Model = Callable[[Any, Operation], Iterable[Any]]
"""From a state and an operation to the states that may follow it; none, if it cannot have this result in that state.
States are hashable."""


class History:
    """Runs plans of operations on threads at once, and writes down what comes out."""

    def __init__(self) -> None:
        self._moments = itertools.count()  # next() is atomic
        self.operations: list[Operation] = []

    def do(self, name: str, argument: Any, call: Callable[[], Any]) -> None:
        """Do one operation."""
        self.do_parts(argument, lambda: [(name, call())])

    def do_parts(self, argument: Any, call: Callable[[], list[tuple[str, Any]]]) -> None:
        """Do one operation of several steps, which ``call`` gives, and which may have happened at any moment of it."""
        began = next(self._moments)
        steps = call()
        ended = next(self._moments)
        self.operations += [Operation(began, ended, step, argument, result) for step, result in steps]

    def run(self, *plans: Callable[[], None], inside: tuple[str, ...], random: Random) -> None:
        """Run plans at once, each on its thread, and wait for all of them.

        Args:
            plans: what each thread does.
            inside: the files in whose lines the threads give way to each other, now and then.
            random: by which they do.
        """
        ready = threading.Barrier(len(plans))

        def trace(frame: FrameType, event: str, _argument: Any) -> Any:
            if event == "call" and frame.f_code.co_filename not in inside:
                return None
            if random.random() < _GIVES_WAY:
                select.select((), (), (), 0)  # lets another thread run
            return trace

        def follow(plan: Callable[[], None]) -> None:
            ready.wait(DEADLINE_S)
            sys.settrace(trace)
            try:
                plan()
            finally:
                sys.settrace(None)

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
            if any(can_go_on(left - {number}, after) for after in model(state, operation)):
                return True
        dead_ends.add((left, state))
        return False

    return can_go_on(frozenset(range(len(operations))), state)
