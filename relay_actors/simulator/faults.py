"""What is to go wrong next: bookkeeping only; whoever sends or answers asks here first. Layer: simulator, no I/O."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final, TypeVar

__all__ = ["ALL_METHODS", "Faults", "Rejection"]

ALL_METHODS: Final = "*"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refusal that stands in for the answer: a result code such as ``"409"``, or a JSON-RPC error code."""

    code: str | int
    message: str

    @property
    def is_error(self) -> bool:
        """Whether it is sent as a JSON-RPC error; a code given as text is a result code."""
        return isinstance(self.code, int)


class Faults:
    """Faults that were ordered and have not happened yet. The simulator's lock guards it.

    Source: PROTOCOL 19.3, SEMANTICS V4.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Let everything go well again."""
        self.refuses_sockets = False
        self._silent: dict[str, bool] = {}
        self._rejections: dict[str, deque[Rejection]] = {}
        self._late_answers: dict[str, deque[float]] = {}
        self._double_answers: Counter[str] = Counter()
        self._duplicates: Counter[str] = Counter()
        self._delays: dict[str, deque[float]] = {}

    def stop_answering(self, method: str, *, but_do_it: bool) -> None:
        """Leave requests of ``method`` (or `ALL_METHODS`) unanswered.

        Args:
            method: the wire method.
            but_do_it: carry them out all the same.
        """
        self._silent[method] = but_do_it

    def resume_answering(self, method: str) -> None:
        """Answer again; `ALL_METHODS` takes back every `stop_answering`."""
        if method == ALL_METHODS:
            self._silent.clear()
        self._silent.pop(method, None)

    def is_silent(self, method: str) -> bool:
        """Whether a request of ``method`` gets no answer."""
        return method in self._silent or ALL_METHODS in self._silent

    def is_done_in_silence(self, method: str) -> bool:
        """Whether an unanswered request of ``method`` is carried out."""
        return self._silent.get(method, self._silent.get(ALL_METHODS, False))

    def reject(self, method: str, rejection: Rejection, times: int) -> None:
        """Refuse the next ``times`` requests of ``method`` (or `ALL_METHODS`)."""
        self._rejections.setdefault(method, deque()).extend([rejection] * times)

    def take_rejection(self, method: str) -> Rejection | None:
        """Return the refusal for this request, once."""
        return _take(self._rejections, method) or _take(self._rejections, ALL_METHODS)

    def answer_late(self, method: str, seconds: float, times: int) -> None:
        """Hold back the next ``times`` answers to ``method``."""
        self._late_answers.setdefault(method, deque()).extend([seconds] * times)

    def take_lateness(self, method: str) -> float | None:
        """Return how late this answer is to be, once."""
        return _take(self._late_answers, method)

    def answer_twice(self, method: str) -> None:
        """Send the next answer to ``method`` twice."""
        self._double_answers[method] += 1

    def take_double_answer(self, method: str) -> bool:
        """Return whether this answer is to be sent twice, once."""
        return _count_down(self._double_answers, method)

    def duplicate(self, event_type: str) -> None:
        """Send the next event of ``event_type`` twice, under one frame id."""
        self._duplicates[event_type] += 1

    def take_duplicate(self, event_type: str) -> bool:
        """Return whether this event is to be sent twice, once."""
        return _count_down(self._duplicates, event_type)

    def delay(self, event_type: str, seconds: float) -> None:
        """Hold back the next event of ``event_type``; later ones overtake it."""
        self._delays.setdefault(event_type, deque()).append(seconds)

    def take_delay(self, event_type: str) -> float | None:
        """Return how long this event is to be held back, once."""
        return _take(self._delays, event_type)


def _take(waiting: dict[str, deque[T]], key: str) -> T | None:
    queue = waiting.get(key)
    return queue.popleft() if queue else None


def _count_down(counts: Counter[str], key: str) -> bool:
    if not counts[key]:
        return False
    counts[key] -= 1
    return True
