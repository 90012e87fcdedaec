"""What a class of state machines says about its states: which method handles what, and which is run on entering.

The rules of a class are a table, made when the class is: mistakes are told at its line. Layer: pillar.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, TypeVar, overload

__all__ = ["StateTable", "diagram_of", "in_any_state", "in_state", "on_enter", "word_of"]

E = TypeVar("E")
F = TypeVar("F", bound=Callable[..., Any])
M = TypeVar("M")
R = TypeVar("R")

_ANY: Final = object()
_RULES: Final = "__relay_state_rules__"


class _Rule:
    """One decorator of one method: an event of these types is handled by it, or the state is entered."""

    __slots__ = ("is_enter", "state", "types", "where")

    def __init__(
        self, state: Hashable, types: tuple[type, ...], where: Callable[[Any], object] | None, *, is_enter: bool
    ) -> None:
        self.state = state
        self.types = types
        self.where = where
        self.is_enter = is_enter

    def takes(self, event: object) -> bool:
        """Return whether it is for this event. What ``where`` raises, this raises."""
        return (not self.types or isinstance(event, self.types)) and (self.where is None or bool(self.where(event)))


@overload
def in_state(
    state: Hashable, event_type: type[E], /, *, where: Callable[[E], object] | None = None
) -> Callable[[Callable[[M, E], R]], Callable[[M, E], R]]: ...


@overload
def in_state(state: Hashable, /, *, where: Callable[[Any], object] | None = None) -> Callable[[F], F]: ...


@overload
def in_state(
    state: Hashable,
    event_type: type[Any],
    other_type: type[Any],
    /,
    *event_types: type[Any],
    where: Callable[[Any], object] | None = None,
) -> Callable[[F], F]: ...


def in_state(state: Hashable, /, *event_types: Any, where: Any = None) -> Any:
    """Say that a method of a `StateMachine` handles events of these types in this state.

    Several decorators may stand on one method. Among those that fit an event the more special one handles it: one
    that names types before one for all events, then one that names the state before one for any.

    Args:
        state: its value, a member of an `Enum` or a text.
        event_types: classes of messages; none stands for all.
        where: is given the event, and says whether this is for it.

    Raises:
        TypeError: one of the types is no class.
    """
    if isinstance(state, type):
        raise TypeError(f"in_state({state.__name__}, …): the state comes first, then the classes of events")
    return _rule(state, event_types, where)


@overload
def in_any_state(
    event_type: type[E], /, *, where: Callable[[E], object] | None = None
) -> Callable[[Callable[[M, E], R]], Callable[[M, E], R]]: ...


@overload
def in_any_state(*, where: Callable[[Any], object] | None = None) -> Callable[[F], F]: ...


@overload
def in_any_state(
    event_type: type[Any],
    other_type: type[Any],
    /,
    *event_types: type[Any],
    where: Callable[[Any], object] | None = None,
) -> Callable[[F], F]: ...


def in_any_state(*event_types: Any, where: Any = None) -> Any:
    """Say that a method handles events of these types in whichever state; `in_state` of a state comes before it."""
    return _rule(_ANY, event_types, where)


def on_enter(state: Hashable, /) -> Callable[[F], F]:
    """Say that a method is run when this state is entered: at the start, on a change, and by `repeat_state`.

    It may do what a handler may, and start time-outs, but neither change the state nor postpone (SEMANTICS P5).
    """

    def mark(method: F) -> F:
        return _mark(method, _Rule(state, (), None, is_enter=True))

    return mark


def _rule(state: Hashable, types: tuple[Any, ...], where: Any) -> Callable[[F], F]:
    for each in types:
        if not isinstance(each, type):
            raise TypeError(
                f"{each!r} is no class of events: give the class, and where=lambda event: event == {each!r}"
            )
    if where is not None and not callable(where):
        raise TypeError(f"where={where!r} is no function of the event")

    def mark(method: F) -> F:
        return _mark(method, _Rule(state, types, where, is_enter=False))

    return mark


def _mark(method: F, rule: _Rule) -> F:
    if not inspect.isfunction(method) or inspect.iscoroutinefunction(method):
        raise TypeError(f"{method!r} must be a method, and `def`: what awaits belongs in a flow (`async def run`)")
    vars(method).setdefault(_RULES, []).append(rule)
    return method


class StateTable:
    """The rules of one class, those of its bases included. A method that is overridden brings its own rules, if any.

    Args:
        cls: the class.
        declared: states that need no rule to be known.

    Raises:
        TypeError: two methods are to be run on entering the same state.
    """

    def __init__(self, cls: type, declared: Iterator[Hashable]) -> None:
        self._rules: dict[Hashable, list[tuple[_Rule, str]]] = {}
        self._enters: dict[Hashable, str] = {}
        known = list(declared)
        for name, rule in _rules_of(cls):
            if rule.is_enter:
                other = self._enters.setdefault(rule.state, name)
                if other != name:
                    raise TypeError(f"{cls.__name__}: {other} and {name} are both run on entering {rule.state!r}")
            else:
                self._rules.setdefault(rule.state, []).append((rule, name))
            if rule.state is not _ANY:
                known.append(rule.state)
        # A member of an enumeration vouches for all of them.
        members = [member for state in known if isinstance(state, Enum) for member in type(state)]
        self.known: dict[Hashable, None] = dict.fromkeys([*known, *members])

    def handler(self, state: Hashable, event: object) -> str | None:
        """Return the name of the method that handles an event in a state, or None."""
        anyhow: str | None = None
        for key in (state, _ANY):
            for rule, name in self._rules.get(key, ()):
                if (rule.types or anyhow is None) and rule.takes(event):
                    if rule.types:
                        return name
                    anyhow = name
        return anyhow

    def enter(self, state: Hashable) -> str | None:
        """Return the name of the method that is run on entering a state, or None."""
        return self._enters.get(state)


def _rules_of(cls: type) -> Iterator[tuple[str, _Rule]]:
    """Give the rules of a class, then of its bases, each by the name of its method, in the order of the text."""
    seen: dict[str, list[_Rule] | None] = {}
    for base in cls.__mro__:
        for name, member in vars(base).items():
            rules = getattr(member, _RULES, None) if inspect.isfunction(member) else None
            if seen.get(name) is None:  # also when it is overridden without a decorator: then the base's rules hold
                seen[name] = rules
    for name, rules in seen.items():
        for rule in reversed(rules or ()):  # decorators are applied from the last one up
            yield name, rule


def word_of(state: Hashable) -> str:
    """Return what people call a state."""
    if isinstance(state, Enum):
        return state.value if isinstance(state.value, str) else state.name.lower()
    return str(state)


def diagram_of(initial: Hashable, moves: Mapping[Any, Any]) -> str:
    """Return a table of moves as the text of a Mermaid diagram."""
    states = list(
        dict.fromkeys([initial, *(state for source, targets in moves.items() for state in (source, *targets))])
    )
    names = {state: f"s{number}" for number, state in enumerate(states)}
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{word_of(state)}" as {name}' for state, name in names.items()]
    lines.append(f"    [*] --> {names[initial]}")
    lines += [f"    {names[source]} --> {names[target]}" for source, targets in moves.items() for target in targets]
    lines += [f"    {name} --> [*]" for state, name in names.items() if not moves.get(state)]
    return "\n".join(lines) + "\n"
