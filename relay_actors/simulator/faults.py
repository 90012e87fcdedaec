"""What is to go wrong next: bookkeeping only; whoever sends or answers asks here first. Layer: simulator, no I/O."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

from relay_actors.simulator.damages import Damage

__all__ = [
    "ALL_METHODS",
    "ANYTHING",
    "Crossing",
    "Cut",
    "Delay",
    "Direction",
    "Faults",
    "Rejection",
    "Slowness",
    "Twist",
    "WhichWay",
]

ANYTHING: Final = "*"
"""Every method, or every event type."""

ALL_METHODS: Final = ANYTHING

Direction: TypeAlias = Literal["in", "out"]
"""As the simulator sees it: ``in`` is what clients send."""

WhichWay: TypeAlias = Literal["in", "out", "both"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refusal that stands in for the answer: a result code such as ``"409"``, or a JSON-RPC error code."""

    code: str | int
    message: str


@dataclass(frozen=True, slots=True)
class Crossing:
    """A frame that is about to cross, as far as a `Cut` looks at it.

    Attributes:
        number: how many have come to cross before it.
        name: the method or event type, of an answer that of what it answers; empty if nobody knows.
        is_answer: whether it is one; the acknowledgement of an event is.
        states: what the fields of an event say that are called ``state``, or end so.
    """

    number: int
    direction: Direction
    name: str = ""
    is_answer: bool = False
    states: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class Cut:
    """Where a connection is to be cut, once.

    Attributes:
        name: the method or event type; empty: any frame.
        state: of the event; empty: any.
        number: of the frame; None: any.
        skip: how many frames that would do still cross.
        answer: not the frame of this name, but its answer.
        after: the frame itself still crosses, and nothing that it brings about.
        clean: with a goodbye.
    """

    name: str = ""
    state: str = ""
    number: int | None = None
    skip: int = 0
    answer: bool = False
    direction: WhichWay = "both"
    after: bool = False
    clean: bool = False

    def is_for(self, crossing: Crossing) -> bool:
        """Whether this is such a frame."""
        return (
            self.direction in ("both", crossing.direction)
            and self.number in (None, crossing.number)
            and self.name in ("", crossing.name)
            and (self.answer == crossing.is_answer or not (self.answer or self.name))
            and (not self.state or self.state in crossing.states)
        )


@dataclass(frozen=True, slots=True)
class Delay:
    """How an event is held back.

    Attributes:
        seconds: of the clock.
        keeps_order: later events wait behind it if they belong to the same call or operation.
        until_overtaken: it is let go as soon as another event has gone before it.
    """

    seconds: float
    keeps_order: bool = False
    until_overtaken: bool = False


@dataclass(frozen=True, slots=True)
class Twist:
    """What happens to one event before anything else: it is not sent, sent once more, or has more in it than is known.

    Attributes:
        state: of the repetition, which has a frame of its own; empty: that of the event itself.
    """

    what: Literal["left out", "repeated", "enriched"]
    state: str = ""


@dataclass(eq=False, slots=True)
class Slowness:
    """A time in which all that crosses, or every answer, takes so many seconds of the clock longer."""

    what: Literal["frames", "answers"]
    direction: WhichWay
    seconds: float


class Faults:
    """Faults that were ordered and have not happened yet, or have not ended. The simulator's lock guards it.

    Source: PROTOCOL 19.3, SEMANTICS V4.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Let everything go well again."""
        self.downs: list[object] = []
        """Why no connection is taken; one for each time that sockets are down."""
        self.refused_resumes = 0
        self.slow: list[Slowness] = []
        self.cuts: list[Cut] = []
        self._damages: list[tuple[str, Damage]] = []
        self._silent: dict[str, bool] = {}
        self._lost_answers: dict[str, deque[bool]] = {}
        self._rejections: dict[str, deque[Rejection]] = {}
        self._late_answers: dict[str, deque[float]] = {}
        self._double_answers: Counter[str] = Counter()
        self._duplicates: Counter[str] = Counter()
        self._binaries: Counter[str] = Counter()
        self._delays: dict[str, deque[Delay]] = {}
        self._twists: dict[str, deque[Twist]] = {}

    @property
    def refuses_sockets(self) -> bool:
        """Whether no connection is taken now."""
        return bool(self.downs)

    def mend_lines(self) -> None:
        """End what lasts, and keep what is ordered for single frames."""
        self.downs.clear()
        self.slow.clear()
        self.resume_answering(ALL_METHODS)

    def end_down(self, down: object) -> None:
        """Take connections again, unless there is another reason not to. Idempotent."""
        self.downs = [other for other in self.downs if other is not down]

    # Answers.

    def stop_answering(self, method: str, *, but_do_it: bool, times: int | None = None) -> None:
        """Leave requests of ``method`` (or `ALL_METHODS`) unanswered.

        Args:
            method: the wire method.
            but_do_it: carry them out all the same.
            times: how many of them; None: all, until `resume_answering`.
        """
        if times is None:
            self._silent[method] = but_do_it
        else:
            self._lost_answers.setdefault(method, deque()).extend([but_do_it] * times)

    def resume_answering(self, method: str) -> None:
        """Answer again; `ALL_METHODS` takes back every `stop_answering`."""
        for silent in (self._silent, self._lost_answers):
            if method == ALL_METHODS:
                silent.clear()
            silent.pop(method, None)

    def take_silence(self, method: str) -> Literal["not done", "done"] | None:
        """Return whether this request gets no answer, and is carried out or not."""
        is_done = _take(self._lost_answers, method)
        if is_done is None:
            is_done = self._silent.get(method, self._silent.get(ALL_METHODS))
        return None if is_done is None else "done" if is_done else "not done"

    def reject(self, method: str, rejection: Rejection, times: int) -> None:
        """Refuse the next ``times`` requests of ``method`` (or `ALL_METHODS`)."""
        self._rejections.setdefault(method, deque()).extend([rejection] * times)

    def take_rejection(self, method: str) -> Rejection | None:
        """Return the refusal for this request, once."""
        return _take(self._rejections, method)

    def answer_late(self, method: str, seconds: float, times: int) -> None:
        """Hold back the next ``times`` answers to ``method`` (or `ALL_METHODS`)."""
        self._late_answers.setdefault(method, deque()).extend([seconds] * times)

    def take_lateness(self, method: str) -> float | None:
        """Return how late this answer is to be, once, or as long as all of them are."""
        late_s = _take(self._late_answers, method)
        return late_s if late_s is not None else self.slowness("answers", "out") or None

    def answer_twice(self, method: str) -> None:
        """Send the next answer to ``method`` (or `ALL_METHODS`) twice."""
        self._double_answers[method] += 1

    def take_double_answer(self, method: str) -> bool:
        """Return whether this answer is to be sent twice, once."""
        return _count_down(self._double_answers, method)

    def take_refused_resume(self) -> bool:
        """Return whether this resume is to be refused, once."""
        if not self.refused_resumes:
            return False
        self.refused_resumes -= 1
        return True

    # Events.

    def duplicate(self, event_type: str) -> None:
        """Send the next event of ``event_type`` (or `ANYTHING`) twice, under one frame id."""
        self._duplicates[event_type] += 1

    def take_duplicate(self, event_type: str) -> bool:
        """Return whether this event is to be sent twice, once."""
        return _count_down(self._duplicates, event_type)

    def delay(self, event_type: str, delay: Delay) -> None:
        """Hold back the next event of ``event_type`` (or `ANYTHING`)."""
        self._delays.setdefault(event_type, deque()).append(delay)

    def take_delay(self, event_type: str) -> Delay | None:
        """Return how this event is to be held back, once."""
        return _take(self._delays, event_type)

    def twist(self, event_type: str, twist: Twist) -> None:
        """Leave out, repeat or enrich the next event of ``event_type`` (or `ANYTHING`)."""
        self._twists.setdefault(event_type, deque()).append(twist)

    def take_twist(self, event_type: str) -> Twist | None:
        """Return what happens to this event before anything else, once."""
        return _take(self._twists, event_type)

    def send_binary(self, event_type: str) -> None:
        """Send the next event of ``event_type`` (or `ANYTHING`) as a binary message."""
        self._binaries[event_type] += 1

    def take_binary(self, event_type: str) -> bool:
        """Return whether this event is to be a binary message, once."""
        return _count_down(self._binaries, event_type)

    def damage(self, event_type: str, damage: Damage) -> None:
        """Damage the next event of ``event_type`` (or `ANYTHING`) that has the field."""
        self._damages.append((event_type, damage))

    def take_damage(self, event_type: str, params: Mapping[str, object], outer: Mapping[str, object]) -> Damage | None:
        """Return how this event is to be damaged, once; one without the field is spared."""
        for place, (wanted, damage) in enumerate(self._damages):
            if wanted in (ANYTHING, event_type) and damage.fits(params, outer):
                del self._damages[place]
                return damage
        return None

    # What crosses.

    def slowness(self, what: Literal["frames", "answers"], direction: Direction) -> float:
        """Return how many seconds such a thing takes longer now."""
        if not self.slow:
            return 0.0
        return sum(slow.seconds for slow in self.slow if slow.what == what and slow.direction in ("both", direction))

    def end_slowness(self, slow: Slowness) -> None:
        """Let things take no longer than before. Idempotent."""
        if slow in self.slow:
            self.slow.remove(slow)

    def take_cut(self, crossing: Crossing) -> Cut | None:
        """Return the cut that is to be made at this frame, once."""
        for place, cut in enumerate(self.cuts):
            if cut.is_for(crossing):
                if not cut.skip:
                    del self.cuts[place]
                    return cut
                cut.skip -= 1
        return None


def _take(waiting: dict[str, deque[T]], key: str) -> T | None:
    if not waiting:  # nearly always: this is asked at each frame
        return None
    for name in (key, ANYTHING):
        if queue := waiting.get(name):
            return queue.popleft()
    return None


def _count_down(counts: Counter[str], key: str) -> bool:
    if not counts:
        return False
    for name in (key, ANYTHING):
        if counts[name]:
            counts[name] -= 1
            return True
    return False
