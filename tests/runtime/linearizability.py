"""Is there an order of these operations, one at a time, that explains what each of them gave? Source: Wing and Gong."""

import itertools
import sys
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from random import Random
from types import FrameType
from typing import Any

from tests.runtime.worlds import DEADLINE_S

Step = Callable[[Any, "Operation"], Hashable | None]
"""The sequential model: the state after an operation, or None if it could not have given what it gave."""


@dataclass(frozen=True)
class Operation:
    """One call: what it gave, and when it began and returned, in the order of all beginnings and returns.

    A call that does two things one after the other is two operations of the same time; the second has a ``part`` of 1.
    """

    name: str
    args: tuple[Any, ...]
    result: Any
    began: int
    returned: int
    part: int = 0


def explains(
    history: Sequence[Operation], start: Hashable, step: Step, is_good_end: Callable[[Any], bool] = lambda _state: True
) -> bool:
    """Return whether some order explains it: one in which nothing comes before what had returned before it began."""
    tried: set[tuple[int, Hashable]] = set()
    everything = (1 << len(history)) - 1

    def go_on(done: int, state: Hashable) -> bool:
        if done == everything:
            return is_good_end(state)
        if (done, state) in tried:
            return False
        tried.add((done, state))
        open_ones = [index for index in range(len(history)) if not done >> index & 1]
        first_return = min(history[index].returned for index in open_ones)
        for index in open_ones:
            operation = history[index]
            if operation.began > first_return:
                continue
            if operation.part and any(
                history[other].began == operation.began and history[other].part < operation.part for other in open_ones
            ):
                continue
            after = step(state, operation)
            if after is not None and go_on(done | 1 << index, after):
                return True
        return False

    return go_on(0, start)


Call = tuple[str, tuple[Any, ...], Callable[[], Any]]
"""What to do: a name and arguments for the history, and how."""


def record(programs: Sequence[Sequence[Call]], random: Random) -> list[Operation]:
    """Run each program on a thread of its own, all at once, and write down what happened.

    Left alone, calls that take a microsecond hardly ever meet. So threads let others go first in the middle of the
    runtime's code, between any two of its instructions: where is drawn at random.
    """
    order = itertools.count()  # `next` of it is atomic: the stamps are in the order of real time
    barrier = threading.Barrier(len(programs))
    history: list[Operation] = []

    def let_others_go_first(frame: FrameType, event: str, _arg: Any) -> Any:
        if "/relay_actors/runtime/" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and random.random() < 0.05:
            threading.Event().wait(1e-6)
        return let_others_go_first

    def run(program: Sequence[Call]) -> None:
        barrier.wait(DEADLINE_S)
        sys.settrace(let_others_go_first)  # of this thread only
        for name, args, call in program:
            began = next(order)
            result = call()
            history.append(Operation(name, args, result, began, next(order)))

    threads = [threading.Thread(target=run, args=(program,)) for program in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), "it hangs"
    assert len(history) == sum(map(len, programs)), "one of them has failed"
    return history
