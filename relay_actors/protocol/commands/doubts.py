"""Params that nobody knows, and what was probably meant by them. Layer: protocol, pure.

Every key is sent as it is given, for a server may know more than any table. But a misspelt one changes nothing, and
says nothing: so whoever sends a command looks here whether there is something to say about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.commands.command import RelayCommand
from relay_actors.protocol.inputs import PARTS
from relay_actors.protocol.near_miss import fuller_name, near_miss
from relay_actors.protocol.schema import Param, params_of

__all__ = ["Doubt", "can_be_doubtful", "doubts"]

_IDS: Final = frozenset({"call_id", "node_id"})
"""Put in by the call itself: known, and never what somebody has meant."""

_TYPED: Final = frozenset({"type", "params"})
"""What an object holds whose keys depend on its type."""

Place = tuple[str, ...]
"""The keys that lead to an object in the params; none of them for the params themselves."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A key that neither the command nor the wire's schema knows.

    Attributes:
        key: where it stands: ``mute``, ``collect.initial_timout``.
        meant: what was probably meant, or where that belongs: ``muted``, ``collect.initial_timeout``; "" if unclear.
    """

    key: str
    meant: str


class _Known(NamedTuple):
    """What is known of one command.

    Attributes:
        keys: of the params.
        inside: the keys of each object whose keys the schema lists, by the param in which it is.
        shown: how people name each place: by the argument, where that has another name than the param.
        names: what can be meant, by place; arguments under their own names.
    """

    keys: frozenset[str]
    inside: dict[str, list[tuple[Place, frozenset[str]]]]
    shown: dict[Place, str]
    names: dict[Place, list[str]]


def can_be_doubtful(command: RelayCommand) -> bool:
    """Return whether `doubts` could find anything: quickly, for it is asked of everything that is sent."""
    return bool(command.extra) or _has_objects(command.method)


def doubts(
    command: RelayCommand, params: Mapping[str, object], is_news: Callable[[str], bool] = lambda _key: True
) -> list[Doubt]:
    """Return what is doubtful about a command's params; empty for nearly every command.

    Args:
        command: whose ``extra`` is looked at.
        params: as they are sent, for the objects in them whose keys are known.
        is_news: asked of each unknown key, by the place where it stands: what was meant is looked up only then.
    """
    kind: Any = type(command)
    known = _known(kind, command.method)
    found: list[Doubt] = []
    if command.extra and not command.takes_anything:
        found += [
            _doubt(known, (), key)
            for key, value in command.extra.items()
            if value is not None and key not in known.keys and is_news(key)
        ]
    for param, places in known.inside.items():
        if param not in params:
            continue
        top = params[param]
        for place, keys in places:
            if len(place) > 1 and type(top) is dict and place[1] not in top:
                continue  # as most that could be there
            for inside in _at(params, place):
                if not keys.issuperset(inside):
                    found += [
                        _doubt(known, place, key)
                        for key in inside
                        if isinstance(key, str) and key not in keys and is_news(_path(known, place, key))
                    ]
    return found


@cache
def _has_objects(method: str) -> bool:
    """Return whether a command has an object whose keys are known. Not asked of all of them, which takes a while."""
    return any(_objects((), params_of(method) or {}))


@cache
def _known(cls: Any, method: str) -> _Known:
    wire = params_of(method) or {}
    arguments = cls.wire_names()
    by_key = {key: argument for argument, key in arguments.items()}
    inside = dict(_objects((), wire))
    shown: dict[Place, str] = {(): ""}
    for place in inside:
        first, *rest = place
        argument = by_key.get(first, first)
        # `audio`, which is sent as {"record": {"audio": …}}, is what stands innermost.
        shown[place] = ".".join(rest if rest[:1] == [argument] else [argument, *rest])
    top = [*arguments, *(key for key in wire if key not in by_key and key not in _IDS)]
    return _Known(
        keys=frozenset(wire) | frozenset(arguments) | _IDS,
        inside={
            param: places
            for param in wire
            if (places := [(place, keys) for place, keys in inside.items() if place[0] == param])
        },
        shown=shown,
        names={(): top, **{place: list(keys) for place, keys in inside.items()}},
    )


def _objects(above: Place, params: Mapping[str, Param]) -> Iterator[tuple[Place, frozenset[str]]]:
    """Yield every object whose keys are known, and these keys."""
    for key, param in params.items():
        place = (*above, key)
        keys = frozenset(param.fields) or (PARTS.get(key, frozenset()) if param.json_type == "object" else frozenset())
        if keys and keys != _TYPED:
            yield place, keys
        if not param.depth:
            yield from _objects(place, param.fields)


def _at(params: Mapping[str, object], place: Place) -> Iterable[Mapping[object, object]]:
    """Return the objects at a place: none, one, or those of a list."""
    value: object = params
    for key in place:
        if type(value) is not dict and not isinstance(value, Mapping):
            return ()
        value = value.get(key)
    if type(value) is dict or isinstance(value, Mapping):
        return (value,)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else ()


def _doubt(known: _Known, place: Place, key: str) -> Doubt:
    # The nearest first: the object in which the key stands, and of the others the outer ones.
    places = sorted(known.names, key=lambda other: (other != place, len(other)))
    for other in places:
        if key in known.names[other]:
            return Doubt(_path(known, place, key), _path(known, other, key))
    for likeness in (near_miss, fuller_name):
        for other in places:
            name = likeness(key, known.names[other])
            if name is not None:
                return Doubt(_path(known, place, key), _path(known, other, name))
    return Doubt(_path(known, place, key), "")


def _path(known: _Known, place: Place, key: str) -> str:
    return f"{known.shown[place]}.{key}" if place else key
