"""What the methods that users write take. Layer: pillar."""

from __future__ import annotations

import inspect
from collections.abc import Callable

__all__ = ["has_parameter", "takes_reason"]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def takes_reason(on_stop: Callable[..., object]) -> bool:
    """Return whether ``on_stop``, as it is found in a class, wants to know why; pykka's does not (SEMANTICS L7)."""
    positional = [one for one in _parameters(on_stop) if one.kind in _POSITIONAL]
    return len(positional) > 1 and (positional[1].name == "reason" or positional[1].default is inspect.Parameter.empty)


def has_parameter(function: Callable[..., object], name: str) -> bool:
    """Return whether ``function`` has a parameter of this very name: ``**kwargs`` does not count."""
    return any(one.name == name and one.kind is not inspect.Parameter.VAR_KEYWORD for one in _parameters(function))


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # something in C, or that hides what it takes
        return []
