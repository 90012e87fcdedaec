"""What each verb puts on the wire, and the signatures that it must have: shared by the tests of all verbs."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.verbs import AllVerbs
from tests.actors.world import Witness, World

__all__ = [
    "Case",
    "case",
    "defined_in",
    "documented",
    "parameters_in",
    "parameters_of",
    "parameters_of_function",
    "sent_by",
    "without_ids",
]

METHODS = json.loads((Path(__file__).parents[2] / "data" / "methods.json").read_text("utf-8"))
CALL_METHODS = {entry["name"]: entry for entry in METHODS["call_methods"]}


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


def documented(name: str) -> list[tuple[str, str, str]]:
    """Return name, kind and default of each parameter of a verb, as the table of the wire has them."""
    return parameters_in(CALL_METHODS[name]["python_signature"])


def parameters_in(text: str) -> list[tuple[str, str, str]]:
    """Return the same of a signature as the tables write it: ``play(media, *, volume=None, **kwargs)``."""
    function = ast.parse(f"def {text}: ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    arguments = function.args
    plain = [None] * (len(arguments.args) - len(arguments.defaults)) + list(arguments.defaults)
    found = [
        (argument.arg, "POSITIONAL_OR_KEYWORD", "required" if default is None else repr(ast.literal_eval(default)))
        for argument, default in zip(arguments.args, plain, strict=True)
    ]
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append((argument.arg, "KEYWORD_ONLY", "required" if default is None else repr(ast.literal_eval(default))))
    if arguments.kwarg is not None:
        found.append((arguments.kwarg.arg, "VAR_KEYWORD", "required"))
    return found


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
