"""Actors that are written as states, in the manner of OTP's gen_statem. Layer: pillar. Source: SEMANTICS P3-P6."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import Any, ClassVar, Final, Self

from relay_actors.errors import ConfigError, IllegalEvent, StateError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.clock import is_time
from relay_actors.runtime.state_rules import StateTable, diagram_of, word_of

__all__ = ["EventTimeout", "NamedTimeout", "StateMachine", "StateTimeout", "Transition"]

_log = logging.getLogger("relay_actors.runtime")

_REMEMBERED: Final = 32
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class StateTimeout:
    """The machine has been in this state for as long as `StateMachine.set_state_timeout` said. Source: SEMANTICS P4."""

    state: Any = None


@dataclass(frozen=True, slots=True)
class EventTimeout:
    """No event has come for as long as `StateMachine.set_event_timeout` said. Source: SEMANTICS P4."""


@dataclass(frozen=True, slots=True)
class NamedTimeout:
    """The time of `StateMachine.set_named_timeout` is over, whatever has happened meanwhile. Source: SEMANTICS P4."""

    name: Any = None


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state.

    Attributes:
        at: when, in monotonic seconds.
        source: the state that was left.
        target: the state that was entered.
        event: the class of the message that was being handled; empty outside of handlers, ``restart`` for a restart.
    """

    at: float
    source: Any
    target: Any
    event: str = ""


@dataclass(frozen=True, slots=True)
class _Timer:
    """The key of one of the machine's own timers: no other key is equal to it.

    Attributes:
        kind: which of its time-outs.
        name: of a named one.
    """

    kind: str
    name: Any = None

    def __repr__(self) -> str:
        return self.kind if self.name is None else f"{self.kind} {self.name!r}"


_OF_STATE: Final = _Timer("the time-out of the state")
_OF_EVENTS: Final = _Timer("the time-out of events")


class _Memory:
    """What a machine remembers over restarts, and what it is doing now."""

    __slots__ = (
        "event", "history", "illegal", "is_entering", "is_handling", "is_started", "owner", "previous", "state",
        "timeout", "wanted",
    )  # fmt: skip

    def __init__(self, owner: type, state: Hashable) -> None:
        self.owner = owner
        self.state = state
        self.previous: Hashable = None
        self.history: deque[Transition] = deque(maxlen=_REMEMBERED)
        self.illegal: Counter[tuple[str, str]] = Counter()
        self.begin_incarnation()

    def begin_incarnation(self) -> None:
        self.is_started = False
        self.is_handling = False
        self.is_entering = False
        self.event = ""
        self.forget_wishes()

    def forget_wishes(self) -> None:
        """Forget what a handler has asked to be done after it."""
        self.wanted: Any = _ABSENT
        self.timeout: tuple[float | None, object] | None = None


class StateMachine(Actor):
    """An actor that is in one of several states, each of which handles events in its own way.

    Say which method handles what by `in_state`, `in_any_state` and `on_enter`; go to another state by `go`. An event is
    whatever message the actor is sent, a timer's included; what a handler returns is the reply to who has asked.
    With a class of the framework, that one stands behind: ``class Menu(StateMachine, CallActor)``. What the framework
    tells such an actor anyhow, as it tells a call each of its events, and no state takes, goes on to `on_receive` of
    that class; all other events that no rule takes are illegal: counted, or raised if the machine is ``strict``.

    Source: OTP's ``gen_statem``; SEMANTICS P3-P6.
    """

    initial_state: ClassVar[Any] = _ABSENT
    """In which it begins: a member of an `Enum`, a text, or anything else that can be a key."""
    states: ClassVar[Collection[Any]] = ()
    """States that no rule names. Those with a rule, and all members of an `Enum` that is used, are known without."""
    moves: ClassVar[Mapping[Any, Collection[Any]] | None] = None
    """From each state those to which it may go; None allows every change. `diagram` draws it."""
    strict: ClassVar[bool] = False
    """Whether an illegal event raises `IllegalEvent`, as anything that a handler raises (SEMANTICS P6)."""
    keeps_state: ClassVar[bool] = False
    """Whether a restart enters the state again in which it was, instead of ``initial_state``."""
    stash_capacity: ClassVar[int | None] = 100
    """How many events may be postponed."""

    _table: ClassVar[StateTable]
    _memory: _Memory

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(cls.states, str) or any(isinstance(targets, str) for targets in (cls.moves or {}).values()):
            raise TypeError(f"{cls.__name__}: states, and the targets of moves, are collections, not one text: ('…',)")
        cls._table = StateTable(cls, _declared(cls))
        if cls.initial_state is not _ABSENT and not cls.states:
            named = StateTable(cls, iter(cls.moves or {}))
            if named.known and cls.initial_state not in named.known:
                raise TypeError(f"{cls.__name__}.initial_state: {_unknown(cls.initial_state, named)}")
        for source, targets in (cls.moves or {}).items():
            for state in (source, *targets):
                if state not in cls._table.known:
                    raise TypeError(f"{cls.__name__}.moves: {_unknown(state, cls._table)}")

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make one incarnation, before any code of the user's, who need not call ``super().__init__``."""
        if cls.initial_state is _ABSENT:
            raise ConfigError(f"{cls.__name__} does not say in which state it begins: initial_state = …")
        self = super().__new__(cls, *args, **kwargs)
        extras = self._cell.extras
        memory: _Memory | None = extras.machine
        if memory is None or memory.owner is not cls:
            memory = extras.machine = _Memory(cls, cls.initial_state)
        elif not cls.keeps_state and memory.state != cls.initial_state:
            self._note(memory, cls.initial_state, "restart")
        memory.begin_incarnation()
        self._memory = memory
        return self

    # -- looking -----------------------------------------------------------------------------------------------------

    @property
    def current_state(self) -> Any:
        """The state in which it is. While a handler runs, that in which its event was handled."""
        return self._memory.state

    @property
    def previous_state(self) -> Any:
        """The state in which it was before; None at first."""
        return self._memory.previous

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """The last changes of state, 32 at most, oldest first; over restarts."""
        return tuple(self._memory.history)

    @property
    def illegal_events(self) -> dict[tuple[str, str], int]:
        """How often which class of event came in which state that does not allow it; over restarts."""
        return dict(self._memory.illegal)

    @classmethod
    def diagram(cls) -> str:
        """Return ``moves`` as the text of a Mermaid diagram.

        Raises:
            ConfigError: the class does not say its moves.
        """
        if cls.moves is None:
            raise ConfigError(f"{cls.__name__} does not say from which state it may go to which: moves = {{…}}")
        return diagram_of(cls.initial_state, cls.moves)

    # -- moving ------------------------------------------------------------------------------------------------------

    def go(self, state: Hashable) -> None:
        """Go to a state: after the handler that says it, or at once outside of handlers.

        The last one counts that a handler says; one that raises does not go. To go where it is changes nothing, and
        enters nothing: that is `repeat_state`. A change ends the time-out of the state (P4), brings back what was
        postponed (P3), and runs the method that is marked by `on_enter`. In `on_start` it says where to begin.

        Raises:
            StateError: there is no such state, ``moves`` does not allow it, or a state is being entered.
        """
        memory = self._memory
        self._must_not_enter("go to another state")
        if state not in self._table.known:
            raise StateError(f"{type(self).__name__} cannot go there: {_unknown(state, self._table)}")
        if not memory.is_started:
            memory.state = state
            return
        allowed = None if self.moves is None or state == memory.state else self.moves.get(memory.state, ())
        if allowed is not None and state not in allowed:
            here, there = word_of(memory.state), word_of(state)
            raise StateError(f"{type(self).__name__} may not go from {here} to {there}: moves does not allow it")
        if memory.is_handling:
            memory.wanted = (state, False)
        else:
            self._move(state)

    def repeat_state(self) -> None:
        """Enter the present state again, after the handler that says it. Postponed events stay where they are.

        Raises:
            StateError: a state is being entered.
        """
        memory = self._memory
        self._must_not_enter("enter a state again")
        if memory.is_handling:
            memory.wanted = (memory.state, True)
        else:
            self._enter()

    def postpone(self) -> None:
        """Put the event that is being handled aside until the state changes; then it comes before new ones.

        Who has asked goes on waiting. It is put into the same place as by `stash`, which is bounded by
        ``stash_capacity``.

        Raises:
            StashFull: as many are put aside as may be.
            StateError: a state is being entered.

        Source: SEMANTICS P3.
        """
        self.stash()

    def stash(self) -> None:
        """Put the event aside, as `postpone` does: a change of state brings it back."""
        self._must_not_enter("postpone")
        super().stash()

    # -- time-outs ---------------------------------------------------------------------------------------------------

    def set_state_timeout(self, seconds: float | None, event: object = None) -> None:
        """Have an event come when the machine is in its state for so long; a change of state ends it.

        In a handler that goes to another state, it is for that one. None ends it.

        Args:
            seconds: from now on.
            event: what comes; a `StateTimeout` by default.

        Raises:
            ConfigError: no number of seconds.

        Source: SEMANTICS P4.
        """
        _check_seconds("set_state_timeout", seconds)
        if self._memory.is_handling:
            self._memory.timeout = (seconds, event)
        else:
            self._start_state_timeout(seconds, event)

    def set_event_timeout(self, seconds: float | None, event: object = None) -> None:
        """Have an event come, an `EventTimeout` by default, when no other has come for so long; None ends it.

        Any event ends it, also an illegal one, and one that is retried. What the framework tells a call anyhow, and no
        state takes, is none of the machine's events.

        Source: SEMANTICS P4.
        """
        _check_seconds("set_event_timeout", seconds)
        self._set(_OF_EVENTS, seconds, EventTimeout() if event is None else event)

    def set_named_timeout(self, name: Hashable, seconds: float | None, event: object = None) -> None:
        """Have an event come, a `NamedTimeout` by default, after so long, whatever happens meanwhile.

        One of the same name is replaced; None ends it.

        Source: SEMANTICS P4.
        """
        _check_seconds("set_named_timeout", seconds)
        self._set(_Timer("the time-out named", name), seconds, NamedTimeout(name) if event is None else event)

    def _set(self, key: _Timer, seconds: float | None, event: object) -> None:
        if seconds is None:
            self._cell.timers.cancel(key)
        else:
            self._cell.timers.start(key, event, seconds, ago_s=self._was_ago_s)

    def _start_state_timeout(self, seconds: float | None, event: object) -> None:
        self._set(_OF_STATE, seconds, StateTimeout(self._memory.state) if event is None else event)

    # -- handling ----------------------------------------------------------------------------------------------------

    def begin_code(self) -> None:
        """Start an incarnation: enter the state in which it begins."""
        super().begin_code()
        self._memory.is_started = True
        self._enter()

    def progress_to_keep(self) -> Mapping[str, object]:
        """Return the state in which it is, and the one before. For frameworks that take actors up again."""
        memory = self._memory
        return {"state": memory.state, "previous": memory.previous}

    def take_kept_progress(self, progress: Mapping[str, Any]) -> None:
        """Be in the state in which it was in another process: that is not entered again.

        Raises:
            StateError: there is no such state any more.
        """
        if progress["state"] not in self._table.known:
            raise StateError(f"{type(self).__name__} was in it, and now {_unknown(progress['state'], self._table)}")
        self._memory.previous, self._memory.state = progress["previous"], progress["state"]

    def on_receive(self, message: object) -> Any:
        """Handle one event by the rule for it. Not for overriding: say rules."""
        memory = self._memory
        name = self._table.handler(memory.state, message)
        if name is None and self.is_notice(message):
            return super().on_receive(message)
        self._cell.timers.cancel(_OF_EVENTS)
        memory.event = type(message).__name__
        try:
            response = self._handle(name, message)
            self._do_what_it_wants()
        finally:
            memory.event = ""
        return response

    def _handle(self, name: str | None, event: object) -> Any:
        memory = self._memory
        memory.is_handling = True
        try:
            if name is not None:
                return getattr(self, name)(event)
            self._cell.on_ignored(event)  # first: the end of whom it cannot do without is more than an illegal event
            self.illegal_event()
        except BaseException:
            memory.forget_wishes()
            raise
        finally:
            memory.is_handling = False
        return None

    def illegal_event(self) -> None:
        """Say, in a handler for all events, that the present one is illegal: count it.

        Raises:
            IllegalEvent: the machine is ``strict``.
            StateError: no event is being handled.

        Source: SEMANTICS P6.
        """
        memory = self._memory
        if not memory.is_handling:
            raise StateError("illegal_event() is about the event that is being handled, and none is")
        key = (word_of(memory.state), memory.event)
        memory.illegal[key] += 1
        self.system.hooks.count("machines.illegal_events")
        if self.strict:
            raise IllegalEvent(f"{type(self).__name__} allows no {memory.event} in the state {key[0]}")
        if memory.illegal[key] == 1:
            _log.warning("illegal event actor=%s state=%s event=%s", self, *key)

    def _do_what_it_wants(self) -> None:
        memory = self._memory
        wanted, timeout = memory.wanted, memory.timeout
        memory.forget_wishes()
        state, is_repeat = (memory.state, False) if wanted is _ABSENT else wanted
        has_changed = state != memory.state
        if has_changed:
            self._leave_for(state)
        if timeout is not None:
            self._start_state_timeout(*timeout)
        if has_changed or is_repeat:
            self._enter()

    def _move(self, state: Hashable) -> None:
        if state != self._memory.state:
            self._leave_for(state)
            self._enter()

    def _leave_for(self, state: Hashable) -> None:
        self._cell.timers.cancel(_OF_STATE)
        self._note(self._memory, state, self._memory.event)
        self.unstash_all()

    def _note(self, memory: _Memory, state: Hashable, event: str) -> None:
        memory.history.append(Transition(self.system.clock.now(), memory.state, state, event))
        memory.previous, memory.state = memory.state, state

    def _enter(self) -> None:
        memory = self._memory
        name = self._table.enter(memory.state)
        if name is None:
            return
        memory.is_entering = True
        try:
            getattr(self, name)()
        finally:
            memory.is_entering = False

    def _must_not_enter(self, what: str) -> None:
        if self._memory.is_entering:
            here = word_of(self._memory.state)
            raise StateError(
                f"{type(self).__name__} is entering {here}, and cannot {what} before it is there: do it in a handler, "
                "for example of the event that set_state_timeout(0) brings"
            )


def _declared(cls: type[StateMachine]) -> Iterator[Hashable]:
    if cls.initial_state is not _ABSENT:
        yield cls.initial_state
    yield from cls.states


def _unknown(state: Hashable, table: StateTable) -> str:
    known = ", ".join(map(repr, table.known))
    return f"there is no state {state!r}, but {known}; one that no rule names is declared by states = (…)"


def _check_seconds(what: str, seconds: object) -> None:
    if seconds is not None and not is_time(seconds):
        raise ConfigError(f"{what}({seconds!r}): give a number of seconds, or None to end it")
