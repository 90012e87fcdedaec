"""Values of the application's as the journal can hold them, and back. Layer: hall; pure.

Plain data (None, bool, numbers, texts, bytes, lists, dictionaries with text keys) stays what it is, and a tuple comes
back as one; a named one as a plain one. Events of the wire, members of enums, and dataclasses whose fields are of all
these are packed by name: whoever reads them needs a class of that name, which must have been imported. Nothing else can
be kept. Of what is read, only the constructors of dataclasses are run, and nothing at all of errors.
"""

from __future__ import annotations

import builtins
import contextlib
import dataclasses
import sys
from collections.abc import Hashable, Iterator, Mapping
from enum import Enum, EnumType, Flag
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final, cast

from relay_actors.journal.redact import MAX_DEPTH
from relay_actors.protocol.events import RelayEvent, parse_event

__all__ = [
    "NotKept",
    "found_by",
    "hashable",
    "name_of",
    "pack",
    "pack_data",
    "pack_error",
    "packed_or_lost",
    "unpack",
    "unpack_data",
    "unpack_error",
]

_MARK: Final = "$relay_actors"
"""The key by which a packed object is told from a dictionary of the application's."""

_DEEPEST: Final = MAX_DEPTH - 10
"""How many values may be inside one another, of those that the journal keeps: the others are for what is put around.

What is packed as a dictionary in another one counts twice.
"""
_MOST_BITS: Final = 8192
"""Of a whole number: Python writes no more than 4300 digits of one, and the journal writes digits."""

_MEMBERS: Final = (MemberDescriptorType, GetSetDescriptorType)
"""What Python's own classes call attributes."""


class NotKept(TypeError):  # noqa: N818  # told as a TypeError of the application's
    """A value is not of a kind that the journal can hold, or its class is not there any more."""


def pack(value: object) -> object:
    """Return plain data that `unpack` makes the value of again.

    Raises:
        NotKept: it holds something else; the text names its type.
    """
    return _pack(value, _DEEPEST)


def _pack(value: object, deeper: int) -> object:
    # Not at Python's own limit, where whatever else happens to be done, such as a finaliser, fails, too.
    if deeper <= 0:
        raise NotKept(f"what holds itself, or {_DEEPEST} others inside one another, cannot be kept in the journal")
    deeper -= 1
    if isinstance(value, Enum):
        if isinstance(value, str | int | float | bytes):
            return value.value  # which is equal to it
        by = {"flags": value.value} if isinstance(value, Flag) else {"member": value.name}
        return {_MARK: _found_by_name(type(value)), **by}
    if value is None or isinstance(value, str | float | bytes):
        return value
    if isinstance(value, int):
        if value.bit_length() > _MOST_BITS:
            raise NotKept(f"a whole number of more than {_MOST_BITS} bits cannot be kept in the journal")
        return value
    if isinstance(value, RelayEvent):
        return {_MARK: "event", "payload": _payload(value, deeper)}
    if isinstance(value, list):
        return [_pack(item, deeper) for item in value]
    if isinstance(value, tuple):
        return {_MARK: "tuple", "items": [_pack(item, deeper - 1) for item in value]}
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value) or _MARK in value:
            raise NotKept(f"a {type(value).__name__} with keys that are no texts cannot be kept in the journal")
        return {key: _pack(item, deeper) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        name = _found_by_name(type(value))
        fields = [field.name for field in dataclasses.fields(value) if field.init]
        return {_MARK: name, "fields": {field: _pack(getattr(value, field), deeper - 1) for field in fields}}
    raise NotKept(
        f"a {type(value).__name__} cannot be kept in the journal: plain data, events, enums and dataclasses "
        "of these can"
    )


def _found_by_name(cls: type[Any]) -> str:
    """Return the name of a class by which `_find` finds it.

    Raises:
        NotKept: it does not.
    """
    name = name_of(cls)
    if _find(name) is not cls:
        raise NotKept(f"a {cls.__name__} cannot be kept in the journal: its class is not found by its name")
    return name


def packed_or_lost(value: object) -> dict[str, object]:
    """Return ``{"value": …}`` with what `pack` makes of it; ``{"lost": the name of its type}`` if it cannot be kept."""
    try:
        return {"value": pack(value)}
    except NotKept:
        return {"lost": type(value).__name__}


def unpack(value: object) -> Any:
    """Return what was packed.

    Raises:
        NotKept: its class is not there any more, or takes no such fields.
    """
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(_MARK)
    if kind is None:
        return {key: unpack(item) for key, item in value.items()}
    if kind == "event" and isinstance(value.get("payload"), dict):
        return parse_event(unpack(value["payload"]))
    if kind == "tuple" and isinstance(value.get("items"), list):
        return tuple([unpack(item) for item in value["items"]])
    cls = _find(str(kind))
    if "member" in value or "flags" in value:
        return _member(cls, value)
    if cls is None or not dataclasses.is_dataclass(cls):
        raise NotKept(f"the journal holds a {kind}, and there is no dataclass of that name any more")
    try:
        return cls(**unpack(value["fields"]))
    except NotKept:
        raise
    except Exception as error:  # whatever its constructor raises
        raise NotKept(f"the journal holds a {kind} that its class does not take any more: {error}") from error


def _member(cls: type[Any] | None, packed: Mapping[str, Any]) -> Enum:
    """Return a member of an enum.

    Raises:
        NotKept: it is not there any more.
    """
    if isinstance(cls, EnumType):
        with contextlib.suppress(KeyError, ValueError):
            found: Enum = cls(packed["flags"]) if "flags" in packed else cls.__members__[packed["member"]]
            return found
    what = packed.get("member", packed.get("flags"))
    raise NotKept(f"the journal holds the member {what} of {packed[_MARK]}, and there is none any more")


def pack_data(data: Mapping[Any, object]) -> tuple[dict[str, object], dict[Hashable, str]]:
    """Return ``self.data`` as far as they can be packed, and why the others cannot, by their keys."""
    packed: dict[str, object] = {}
    problems: dict[Hashable, str] = {}
    for key, value in tuple(data.items()):
        try:
            if not isinstance(key, str):
                raise NotKept("a key that is no text cannot be kept")
            packed[key] = pack(value)
        except NotKept as error:
            problems[key] = str(error)
    return packed, problems


def unpack_data(packed: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
    """Return ``self.data`` as far as they can be unpacked, and what is to be said of the others."""
    data: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in packed.items():
        try:
            data[key] = unpack(value)
        except NotKept as error:
            problems.append(f"self.data[{key!r}] is lost: {error}")
    return data, problems


def hashable(key: Any) -> Hashable:
    """Return a key as it was before it was packed: with tuples where there are lists now."""
    return tuple(map(hashable, key)) if isinstance(key, list) else cast("Hashable", key)


def pack_error(error: BaseException) -> dict[str, object]:
    """Return plain data that tells which error it was."""
    text = _text_of(error)
    packed: dict[str, object] = {"type": name_of(type(error)), "text": text}
    if isinstance(error, BaseExceptionGroup):
        packed["message"], packed["errors"] = error.message, [pack_error(one) for one in error.exceptions]
    try:
        packed["arguments"] = pack(error.args)
    except NotKept:
        packed["arguments"] = [text]
    attributes = {}
    for key, value in [*_members_of(error), *vars(error).items()]:
        with contextlib.suppress(NotKept):
            attributes[key] = pack(value)
    packed["attributes"] = attributes
    return packed


def unpack_error(packed: Mapping[str, Any]) -> BaseException:
    """Return the error that was packed; a RuntimeError that names it, when its class cannot be made again."""
    name = str(packed.get("type", ""))
    lost = RuntimeError(f"{name}: {packed.get('text', '')}")
    cls = _find(name)
    if cls is None or not issubclass(cls, BaseException):
        return lost
    try:
        return _error_again(cls, packed)
    except Exception:  # noqa: BLE001  # whatever it raises: the text is still there
        return lost


def _error_again(cls: type[BaseException], packed: Mapping[str, Any]) -> BaseException:
    """Make an error without its constructor, which takes whatever it likes."""
    made: BaseException
    native = _native(cls)
    if "errors" in packed:
        made = native.__new__(cls, packed["message"], [unpack_error(one) for one in packed["errors"]])
    else:
        arguments = unpack(packed.get("arguments", []))
        made = native.__new__(cls, *arguments)
        made.args = tuple(arguments)
    for key, value in unpack(packed.get("attributes", {})).items():
        if isinstance(getattr(native, key, None), _MEMBERS):
            with contextlib.suppress(AttributeError, TypeError):  # it cannot be written
                setattr(made, key, value)
        else:
            vars(made)[key] = value
    return made


def _native(cls: type[Any]) -> Any:
    """Return of the classes of an error the first that is Python's own: what it is made by runs nobody's code."""
    return next(base for base in cls.__mro__ if base.__module__ == "builtins")


def _members_of(error: BaseException) -> Iterator[tuple[str, object]]:
    """Give what Python's own errors hold beside their arguments, such as the name of a file; never a whole object."""
    for base in _native(type(error)).__mro__:
        for name, member in vars(base).items():
            if isinstance(member, _MEMBERS) and not name.startswith("_") and name not in ("args", "exceptions", "obj"):
                value = getattr(error, name, None)
                if value is not None:
                    yield name, value


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # whatever the user's own does
        return type(error).__name__


def name_of(cls: Any) -> str:
    """Return how a class, or a function, is named in the journal: ``module:qualified name``."""
    return f"{cls.__module__}:{cls.__qualname__}"


def _find(name: str) -> type[Any] | None:
    found = found_by(name)
    return found if isinstance(found, type) else None


def found_by(name: str) -> Any:
    """Return what `name_of` has named, of a module that has been imported; nothing is imported for it, no code run."""
    module_name, _colon, path = name.partition(":")
    found: Any = builtins if module_name == "builtins" else sys.modules.get(module_name)
    for part in path.split("."):
        found = getattr(found, "__dict__", {}).get(part)
    return found


def _payload(event: RelayEvent, deeper: int) -> dict[str, object]:
    # What the server has sent is plain, but an application makes events, too.
    return {"event_type": event.event_type, "timestamp": event.timestamp, "params": _pack(event.params, deeper - 1)}
