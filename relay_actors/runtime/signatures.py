"""What the methods that users write take. Layer: pillar."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, MappingProxyType
from typing import Any, Final

__all__ = ["has_parameter", "names_of", "takes", "takes_reason", "wrong_arguments", "wrong_parameters"]

_GIVEN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"on_receive": ("self, message",), "on_start": ("self",), "on_stop": ("self", "self, reason")}
)
"""What the methods are given that users write, and in which they may choose."""

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def takes_reason(on_stop: Callable[..., object]) -> bool:
    """Return whether ``on_stop``, as it is found in a class, wants to know why; pykka's does not (SEMANTICS L7)."""
    positional = [one for one in _parameters(on_stop) if one.kind in _POSITIONAL]
    return len(positional) > 1 and (positional[1].name == "reason" or positional[1].default is inspect.Parameter.empty)


def has_parameter(function: Callable[..., object], name: str) -> bool:
    """Return whether ``function`` has a parameter of this very name: ``**kwargs`` does not count."""
    return any(one.name == name and one.kind is not inspect.Parameter.VAR_KEYWORD for one in _parameters(function))


def takes(function: Callable[..., object], count: int) -> bool:
    """Return whether ``function`` can be called with ``count`` arguments; of one that is decorated, what it is now."""
    try:
        inspect.signature(function, follow_wrapped=False).bind(*range(count))
    except TypeError:
        return False
    return True


def names_of(function: Callable[..., object]) -> str:
    """Return the names of what ``function`` takes, for people."""
    return ", ".join(inspect.signature(function, follow_wrapped=False).parameters)


def wrong_parameters(cls: type) -> str | None:
    """Return what is wrong with what the methods of an actor's class take, or None; those inherited are not looked at.

    Each would fail whenever it is called.
    """
    for name, ways in _GIVEN.items():
        method = vars(cls).get(name)
        if inspect.isfunction(method) and not any(takes(method, way.count(",") + 1) for way in ways):
            is_written = f"{cls.__name__}.{name}({names_of(method)})"
            return f"{is_written} cannot be called: write {' or '.join(f'{name}({way})' for way in ways)}"
    return None


def wrong_arguments(cls: type[Any], args: Sequence[object], kwargs: Mapping[str, object]) -> str | None:
    """Return what is wrong with these arguments of the constructor of ``cls``; None: nothing, or it cannot be told."""
    init = cls.__init__
    if type(init) is not FunctionType or type(cls).__call__ is not type.__call__:
        return None  # something in C, or that wraps it: who knows what it passes on
    try:
        signature = inspect.signature(init, follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(None, *args, **kwargs)
    except TypeError as error:
        return str(error)
    return None


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # something in C, or that hides what it takes
        return []
