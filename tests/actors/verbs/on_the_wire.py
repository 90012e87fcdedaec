"""What each verb puts on the wire, and the signatures that it must have: shared by the tests of all verbs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.verbs import AllVerbs
from relay_actors.errors import ArgumentError
from tests.actors.world import Witness, World

__all__ = [
    "Case",
    "case",
    "defined_in",
    "is_refused",
    "parameters_of",
    "parameters_of_function",
    "sent_by",
    "without_ids",
]


@dataclass(frozen=True)
class Case:
    """One use of one verb."""

    verb: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    method: str
    params: dict[str, Any] = field(repr=False)


def case(verb: str, method: str, params: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """Return a param for pytest: ``verb(*args, **kwargs)`` sends ``method`` with exactly ``params`` beside the ids."""
    name = f"{verb}-{'with ' + ' '.join(kwargs) if kwargs else 'plain'}"
    return pytest.param(Case(verb, args, kwargs, method, params), id=name)


def sent_by(world: World, one: Case) -> tuple[CallHandle, dict[str, Any]]:
    """Use a verb on a call, and return the call with the params of the one request that reached the server."""
    _line, handle = world.inbound(Witness)
    world.sim.reject_next(one.method, code="200", message="taken, and nothing done")
    getattr(handle, one.verb)(*one.args, **one.kwargs)
    assert world.methods() == [one.method]
    return handle, world.sent(one.method)[0]


def is_refused(world: World, names: str, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Use a verb in a wrong way, and see that the error names what is wrong, and that nothing was sent."""
    _line, handle = world.inbound(Witness)
    with pytest.raises(ArgumentError, match=names):
        getattr(handle, verb)(*args, **kwargs)
    assert world.methods() == []


def without_ids(handle: CallHandle, params: dict[str, Any], *, control_id: bool) -> dict[str, Any]:
    """Return the params without the ids, which must be there: those of the call, and a fresh one if it has its own."""
    rest = dict(params)
    assert rest.pop("call_id") == handle.call_id
    assert rest.pop("node_id") == handle.leg.node_id != ""
    if control_id:
        assert UUID(rest.pop("control_id")).version == 4
    assert "control_id" not in rest
    return rest


def defined_in(verbs: type) -> list[str]:
    """Return the public verbs that a class defines."""
    return [name for name, value in vars(verbs).items() if inspect.isfunction(value) and not name.startswith("_")]


def parameters_of(name: str) -> list[tuple[str, str, str]]:
    """Return the same of the verb as it is."""
    return parameters_of_function(getattr(AllVerbs, name))


def parameters_of_function(method: Callable[..., Any]) -> list[tuple[str, str, str]]:
    """Return the same of any method."""
    parameters = list(inspect.signature(method).parameters.values())[1:]
    return [
        (one.name, one.kind.name, "required" if one.default is inspect.Parameter.empty else repr(one.default))
        for one in parameters
    ]
