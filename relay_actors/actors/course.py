"""How far one call has come: what it was told, what it has asked for, and what it waits for by itself. Layer: hall.

All of it is counted, so that the journal can say in which order things happened (`history`), and so that what is asked
for again, when a call is rebuilt from its journal (`replaying`), can be told from what is new. Kept in the `Leg`, and
touched in the turns of the call's actor only.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from relay_actors.actors.history import is_told, kept_apart
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.frozen import NOTHING
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.future import Future
from relay_actors.runtime.signals import Unwrapped

if TYPE_CHECKING:
    from relay_actors.actors.history import Item, Kept

__all__ = ["Course", "CourseTimer", "Elsewhere", "Note", "Pipe", "Started"]


@dataclass(frozen=True, slots=True)
class Started:
    """Told to the connection: an actor has been given a call, or begins to dial.

    Attributes:
        subject: under which all of it stands in the journal.
        actor: its class, by name.
        direction: ``inbound`` or ``outbound``.
        data: what its ``data`` begins with, as plain data.
        settings: what else has to be known to start it again.
    """

    subject: str
    actor: str
    direction: str
    data: Mapping[str, object]
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Note:
    """Told to the connection, which writes it into the journal before any command that is given after it.

    Attributes:
        subject: whose.
        what: of which kind; see `relay_actors.actors.history.Learnt`.
        values: plain data.
        after: how many things the call had been told by the wire.
    """

    subject: str
    what: str
    values: Mapping[str, object]
    after: int


class CourseTimer(Unwrapped):
    """Something that is due at a time, and that the journal is told of when it comes.

    It is called when it is time, and is then what the call's actor is told. It needs no functions of its own: most
    calls have some of these as long as they live, and the garbage collector looks at each thing that there is.

    Args:
        cell: of the call's actor.
        course: to which it belongs.
        key: which one it is: a name for the framework's own, a number for those of the class's code.
        due: when, in wall-clock seconds.
        do: what is due; is given the incarnation that is there then. None once it has been done or taken back.
    """

    __slots__ = ("_cell", "_course", "do", "due", "handle", "key")

    def __init__(self, cell: Any, course: Course, key: Hashable, due: float, do: Callable[[Any], object]) -> None:
        self._cell = cell
        self._course = course
        self.key = key
        self.due = due
        self.do: Callable[[Any], object] | None = do
        self.handle: TimerHandle | None = None

    def __call__(self) -> None:
        """It is time: have the call's actor do it in its turn. Any thread."""
        self._cell.tell_control(self)

    def deliver(self) -> None:
        """Do what is due, by whichever incarnation is there."""
        self._course.on_due(self._cell.actor, self)

    def cancel(self) -> None:
        """It is not due any more. Idempotent."""
        if self.do is not None:
            self.take()
            if self.handle is not None:
                self.handle.cancel()

    def take(self) -> Callable[[Any], object] | None:
        """Return what is due, once: nobody else will do it."""
        do, self.do = self.do, None
        timers = self._course.timers
        if timers and timers.get(self.key) is self:
            del timers[self.key]
        return do


@dataclass(slots=True)
class Elsewhere:
    """Something that is found out outside of the call's turns, and that its code waits for.

    Attributes:
        wait: what its code waits for.
        start: begins to find it out; gives a future of it.
        drop: called instead, when the journal knows the outcome already.
        found: what ``start`` has given.
    """

    wait: Future[Any]
    start: Callable[[], Future[Any]]
    drop: Callable[[], object] | None = None
    found: Future[Any] | None = None


@dataclass(frozen=True, slots=True)
class Pipe:
    """Something of which one message is to come to a handler.

    Attributes:
        err: what makes the message of an error, by name; "" for the default.
        survives: whether it also comes to a later incarnation.
        is_lost: whether the process has ended that would have brought it.
    """

    err: str
    survives: bool
    is_lost: bool = False


_NONE_YET: Final[Mapping[str, int]] = MappingProxyType(
    {"timers": 0, "results": 0, "awaits": 0, "sent": 0, "pipes": 0, "looks": 0, "children": 0}
)


class Course:
    """How far one call has come.

    Attributes:
        seed: of the random numbers that the code of the call draws.
        is_kept: whether a journal is told of it.
        told: how many things the call was told by the wire.
        commands: how many commands it has given.
        children: refs of those that the code of its class has spawned, and what they are like, by number; only while
            there is a record.
        entries: how many entries the journal has been given of it since the process began, and those before.
        summed_up_at: how many of them there were when it was last offered to have them summed up.
        began_at: how many of them there were when the code of its class began that runs now.
        past_is_lost: whether the flow has become too long, so that it will not be run again to where it was.
        asked: the orders that gave the commands which are not answered, by their number; of a dial, the dial.
        timers: what is due, by key; of the framework's own, which have names, only what is recorded.
        results: what is being found out elsewhere, by number.
        pipes: what is to come to a handler by `pipe_to_self`, by a name of its own.
        piping: the name of what has just come so; "" when its message has been noted.
        asides: coroutines of listeners and callbacks that may still run, and whether they are of this incarnation's own
            code, which is run again with it.
        counts: how many timers, results and pipes there were, futures of others that were awaited, messages that were
            sent to others, and looks at them, in this incarnation.
        beginnings: how many incarnations there were.
        saved: the application's data, as they were noted last.
        saved_timers: key and time of its timers, as they were noted last; None: to be noted anew.
        saved_beside: how far it has come beside that, and what it has put aside, as they were noted last.
        saved_at: how many things it had been told when they were.
        recovered_at: how many things it had been told when a new process took it up, as long as the journal has not
            been told of that; else None.
        replay: how the call is being rebuilt; None once it is live.
        others: the orders of others of which the journal knew when the call was rebuilt, by their names; None: it did
            not know all of them.
        questions: what the code of the call has asked other actors, and has not awaited yet, by the number of what it
            has sent; only while there is a record.
        seen: what the code of the call has seen last of others by their handles, by their names.
        over: what became of those that it has dialled, and that are over, by their tags.
        record: all that has happened, oldest first, if a crash of the flow is to be followed by a flow that goes on
            where it was; else None.
        began_with: the application's data at the beginning of the record.
    """

    __slots__ = (
        "asides", "asked", "began_at", "began_with", "beginnings", "children", "commands", "counts", "entries",
        "is_kept", "others", "over", "past_is_lost", "pipes", "piping", "questions", "record", "recovered_at",
        "replay", "results", "saved", "saved_at", "saved_beside", "saved_timers", "seed", "seen", "summed_up_at",
        "timers", "told",
    )  # fmt: skip

    def __init__(self) -> None:
        self.seed = ""
        self.is_kept = False
        self.told = 0
        self.commands = 0
        self.entries = 0
        self.summed_up_at = 0
        self.began_at = 0
        self.past_is_lost = False
        # Each of these is the one empty table of all, until something comes.
        self.asked: dict[int, Any] = NOTHING
        self.timers: dict[Hashable, CourseTimer] = NOTHING
        self.results: dict[int, Elsewhere] = NOTHING
        self.pipes: Mapping[str, Pipe] = NOTHING
        self.others: Mapping[str, Any] | None = NOTHING
        self.questions: dict[int, Any] = NOTHING
        self.children: dict[int, tuple[Any, object]] = NOTHING
        self.seen: Mapping[str, Mapping[str, Any]] = NOTHING
        self.over: Mapping[str, Mapping[str, Any]] = NOTHING
        self.piping = ""
        self.asides: Mapping[Any, bool] = NOTHING
        self.counts: Mapping[str, int] = _NONE_YET
        self.beginnings = 0
        self.saved: object = NOTHING
        self.saved_timers: Sequence[tuple[Hashable, float]] | None = ()
        self.saved_beside: Mapping[str, object] = NOTHING
        self.saved_at = 0
        self.recovered_at: int | None = None
        self.replay: Any = None
        self.record: list[Kept] | None = None
        self.began_with: Mapping[str, Any] = NOTHING

    @property
    def is_recorded(self) -> bool:
        """Whether anybody is to know in which order things have happened."""
        return self.is_kept or self.record is not None

    def write(self, item: Item, most: int, after: int | None = None) -> None:
        """Add to the record; one that would become longer than ``most``, or cannot hold what has come, is given up.

        Args:
            item: what has happened.
            most: how long the record may be.
            after: how many things the call had been told by the wire then; by default, as many as now.
        """
        if self.record is not None:
            if len(self.record) >= most:
                self._give_up_record()
            else:
                place = len(self.record) if after is None or after == self.told else self._place_after(after)
                try:
                    self.record.insert(place, kept_apart(item))
                except RecursionError:  # nested too deeply to be copied, and none the less to be handled
                    self._give_up_record()

    def _give_up_record(self) -> None:
        self.record = None
        self.questions = self.children = NOTHING  # the code begins anew after a crash, and asks and spawns again

    def _place_after(self, after: int) -> int:
        """Return where in the record something belongs that was asked for after so many things had been told."""
        record = self.record or []
        told = [place for place, item in enumerate(record) if is_told(item)]
        since = self.told - after  # from the end: what was told is counted on, also if some of it is not there any more
        return told[-since] if 0 < since <= len(told) else len(record)

    def next(self, what: str) -> int:
        """Return the number of the next timer, result or awaited future of this incarnation."""
        self.counts = {**self.counts, what: self.counts[what] + 1}
        return self.counts[what]

    def has_asked(self, number: int, sent: Any) -> None:
        """Remember a question: its answer is for whoever asks the same again, when the code is run again in place.

        Args:
            number: of what was sent.
            sent: the question, a `Withheld`.
        """
        if sent.reply is not None and self.record is not None:
            if not self.questions:
                self.questions = {}
            self.questions[number] = sent

    def child(self, actor_class: type[Any], given: Iterable[object], spawn: Callable[[], Any]) -> Any:
        """Return the ref of a child: of the one that was spawned then, if the code is run again in place.

        Code that was left by an error may have spawned another one: of another class, or with other texts and numbers.

        Args:
            actor_class: its class.
            given: the arguments of its constructor.
            spawn: starts it.
        """
        number = self.next("children")
        like = actor_class, [one for one in given if isinstance(one, str | int)]
        known, then = self.children.get(number, (None, None))
        if known is None or then != like:
            known = spawn()
            if self.children is NOTHING:
                self.children = {}
            self.children[number] = known, like
        return known

    def begin_anew(self) -> None:
        """A new incarnation begins: what the former one waited for by itself is nobody's any more."""
        self.counts = _NONE_YET
        self.beginnings += 1
        self.began_at = self.entries
        self.past_is_lost = False
        self.results = NOTHING
        self.questions = self.children = NOTHING
        if self.asides:
            self.asides = {aside: False for aside in self.asides if not aside.is_over}
        if self.pipes:
            self.pipes = {name: pipe for name, pipe in self.pipes.items() if pipe.survives}
        if self.timers:
            for key in [key for key in self.timers if isinstance(key, int)]:
                self.timers[key].cancel()

    def go_on_from(self, told: int, commands: int) -> None:
        """Count on from here: what is left of the past is less than there was."""
        self.told = told
        self.commands = max(self.commands, commands)

    def set_timer(self, actor: Any, key: Hashable, delay_s: float, do: Callable[[Any], object]) -> CourseTimer:
        """Have ``do`` done after a while, in a turn of the call's actor, in place of what was due under that key.

        Where nothing is recorded, who sets one of the framework's own again takes the former one back.
        """
        if (former := self.timers.get(key)) is not None:
            former.cancel()
        clock = actor.office.clock
        now = clock.wall() if self.replay is None else self.replay.now
        timer = CourseTimer(actor._cell, self, key, now + delay_s, do)  # noqa: SLF001  # the framework's own
        if self.is_kept or self.record is not None or self.replay is not None or not isinstance(key, str):
            self.timers = {**self.timers, key: timer}
        if self.replay is None:
            self._arm(actor, timer, delay_s)
        return timer

    def arm_all(self, actor: Any, at_least: float = 0.0) -> None:
        """Let all timers run: the call is live. What is overdue is due at once.

        Args:
            actor: the call's.
            at_least: how late it is in any case, in wall-clock seconds. The clock may have been put back since.
        """
        now = max(at_least, actor.office.clock.wall())
        for timer in sorted(self.timers.values(), key=lambda timer: timer.due):
            if timer.handle is None:
                self._arm(actor, timer, max(0.0, timer.due - now))

    def _arm(self, actor: Any, timer: CourseTimer, delay_s: float) -> None:
        office = actor.office
        timer.handle = office.dispatcher.call_at(office.clock.now() + delay_s, timer)

    def on_due(self, actor: Any, timer: CourseTimer) -> None:
        """Do what is due, unless it has been taken back. In the turn."""
        if timer.do is not None:
            if timer.key != "stall":  # whom it finds too slow is noted, not that it has looked
                actor.keep_note("timer", {"key": timer.key})
            _do(actor, timer)

    def fire(self, actor: Any, key: Hashable) -> bool:
        """Do what is due under a key; return whether there was something."""
        timer = self.timers.get(key)
        if timer is None:
            return False
        _do(actor, timer)
        return True


def _do(actor: Any, timer: CourseTimer) -> None:
    do = timer.take()
    if do is not None:
        do(actor)
