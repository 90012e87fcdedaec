"""Entries as bytes: msgpack with a schema version and a checksum. The only import of `msgpack`. Layer: pillar; pure.

A record is ``crc32 (4 bytes, big-endian) + msgpack([schema version, kind, fields])``. SQLite has no checksum of its own
for its pages, and a torn or flipped record must be noticed, not believed.

To change what an entry looks like: raise `SCHEMA_VERSION`, add the step from the version before to `UPCASTERS`, and add
records of the new version to the fixtures in ``tests/data/``, of which none is ever removed (SEMANTICS J9).
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast
from zlib import crc32

import msgpack  # type: ignore[import-untyped]  # it ships no types

from relay_actors.errors import DamagedJournalError, JournalError
from relay_actors.journal.entries import (
    CallStarted,
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Noted,
    Outcome,
    Session,
    Snapshot,
    SubjectEnded,
)

__all__ = [
    "SCHEMA_VERSION",
    "UPCASTERS",
    "Upcaster",
    "decode",
    "decode_all",
    "decode_session",
    "encode",
    "encode_fields",
    "encode_session",
    "labels",
    "labels_of_all",
    "packer",
    "upcast",
]

Fields: TypeAlias = dict[str, object]
Upcaster: TypeAlias = Callable[[str, Fields], tuple[str, Fields]]
"""Takes kind and fields of one version and gives those of the next."""

SCHEMA_VERSION: Final = 2


def _from_1(kind: str, fields: Fields) -> tuple[str, Fields]:
    """Version 1 did not say which command of its call an intent was, nor who wanted it."""
    unknown: Fields = {"number": 0, "after": -1, "by": "other"}
    if kind == "intent":
        return kind, fields | unknown
    if kind == "snapshot" and isinstance(pending := fields.get("pending"), list):
        return kind, fields | {"pending": [one | unknown if isinstance(one, dict) else one for one in pending]}
    return kind, fields


UPCASTERS: Final[Mapping[int, Upcaster]] = MappingProxyType({1: _from_1})
"""Version n to the step that makes n + 1 of it."""

_SESSION: Final = "session"
_BIG_INT: Final = 1
"""The extension type of a whole number that does not fit into 64 bits: its decimal digits."""

_BASE: Final[Mapping[str, tuple[type, ...]]] = {
    "subject": (str,),
    "at": (int, float),
    "epoch": (int,),
    "sequence": (int,),
}
_KINDS: Final[Mapping[str, tuple[type[Entry], Mapping[str, tuple[type, ...]]]]] = {
    "event": (EventReceived, {"frame_id": (str, int, float, type(None)), "payload": (dict,)}),
    "intent": (
        CommandIntended,
        {"request_id": (str,), "method": (str,), "params": (dict,), "number": (int,), "after": (int,), "by": (str,)},
    ),
    "started": (CallStarted, {"actor": (str,), "direction": (str,), "data": (dict,), "settings": (dict,)}),
    "noted": (Noted, {"what": (str,), "values": (dict,), "after": (int,)}),
    "settled": (CommandSettled, {"request_id": (str,), "outcome": (str,), "code": (int,), "result": (dict,)}),
    "ended": (SubjectEnded, {"reason": (str,)}),
    "snapshot": (Snapshot, {"state": (dict,), "pending": (list,)}),
}
_EXPECTED: Final = MappingProxyType({kind: {**_BASE, **own} for kind, (_cls, own) in _KINDS.items()})
_OUTCOMES: Final[Mapping[object, Outcome]] = {outcome.value: outcome for outcome in Outcome}
_UNREADABLE: Final = (ValueError, TypeError, RecursionError, msgpack.UnpackException)
"""What msgpack raises, and who it calls."""
_SOUND_SHAPES: Final[set[tuple[object, ...]]] = set()
"""Kind, names and types of fields that were found to fit."""
_OF_THIS_VERSION: Final = bytes([0x93, SCHEMA_VERSION])
"""How a list of three begins, of which this is the first."""
_LONGEST_BEGINNING: Final = 24
"""Bytes before the first field, and its name: version and kind are short."""
_SIZES_OF_INTS: Final = {b"\xcc": 2, b"\xcd": 3, b"\xce": 5, b"\xcf": 9}
"""By their first byte, as msgpack writes them; smaller ones have no other."""
_OF_THEIR_FIELDS: Final[Mapping[str, Callable[..., Entry]]] = {
    kind: cls for kind, (cls, _own) in _KINDS.items() if cls not in (CommandSettled, Snapshot)
}
"""Kinds whose entries are made of just what their fields are, once those are of the right types."""
_FIELDS_OF: Final[Mapping[type[Entry], tuple[str, tuple[str, ...], Callable[[Entry], tuple[object, ...]]]]] = {
    cls: (kind, (*_BASE, *own), attrgetter(*_BASE, *own)) for kind, (cls, own) in _KINDS.items()
}
"""Kind, names of the fields, and what reads all of them from an entry at once."""


def encode(
    entry: Entry, changes: Mapping[str, object] | None = None, pack: Callable[[object], bytes] | None = None
) -> bytes:
    """Return one record.

    Args:
        entry: what it is to say.
        changes: fields of it that are to be stored with other values, by name.
        pack: of `packer`, if there is one for many.

    The values are to be plain data, as `relay_actors.journal.redact.Redactor` makes them; a tuple comes back as a list.

    Raises:
        JournalError: a value cannot be packed.
    """
    known = _FIELDS_OF.get(type(entry))
    if known is None:
        raise JournalError(f"cannot store a {type(entry).__name__}: it is not one of the kinds of entry")
    kind, names, values = known
    fields: Fields = dict(zip(names, values(entry), strict=False))  # as many as there are names
    if changes:
        fields.update(changes)
    if kind == "snapshot":
        fields["pending"] = [_intent(one) for one in cast("Snapshot", entry).pending]
    return _pack(kind, fields, pack or packer())


def encode_fields(kind: type[Entry], fields: Fields, pack: Callable[[object], bytes]) -> bytes:
    """Return one record, as `encode` does of an entry, without the entry having been made.

    Args:
        kind: of the entry; none that holds other entries.
        fields: all of them, in the order in which the class has them.
        pack: of `packer`.

    Raises:
        JournalError: a value cannot be packed, or the fields are not those of its kind.
    """
    name, names, _values = _FIELDS_OF[kind]
    if (*fields,) != names:
        raise JournalError(f"cannot store an entry of kind {name!r}: its fields are {', '.join(names)}")
    return _pack(name, fields, pack)


def decode(data: bytes) -> Entry:
    """Return the entry of one record, of this schema version or an older one.

    Raises:
        DamagedJournalError: the bytes are damaged.
        JournalError: they were written by a newer release.
    """
    version, kind, fields = _unpack(data)
    if version != SCHEMA_VERSION:
        kind, fields = upcast(version, kind, fields)
    return _entry(kind, fields)


def decode_all(records: Sequence[bytes], *, are_whole: bool = False) -> list[Entry]:
    """Return the entries of some records, as `decode` does of each, in less time.

    Args:
        records: which.
        are_whole: whether their checksums need not be looked at: each was made here, or `labels_of_all` has read it.

    Raises:
        DamagedJournalError: the bytes of one are damaged.
        JournalError: one was written by a newer release.
    """
    bodies = [data[4:] for data in records] if are_whole else _whole(records)
    found = None if bodies is None else _unpack_at_once(bodies)
    if found is None:
        return list(map(decode, records))
    return [
        cls(**fields) if (cls := _OF_THEIR_FIELDS.get(kind)) is not None else _made(kind, fields)
        for _version, kind, fields in found
    ]


def labels_of_all(records: Sequence[bytes]) -> list[tuple[str, int, int]]:
    """Return subject, sequence and epoch of some records, as `labels` does of each, in less time.

    Raises:
        DamagedJournalError: the bytes of one are damaged.
        JournalError: one was written by a newer release.
    """
    bodies = _whole(records)
    if bodies is not None and all(heads := list(map(_head, bodies))):
        with contextlib.suppress(*_UNREADABLE, KeyError):  # what is odd is judged with care
            said = [(fields["subject"], fields["sequence"], fields["epoch"]) for fields in _read_together(heads)]
            subjects, *numbers = zip(*said, strict=True)
            if {*map(type, subjects)} == {str} and {*map(type, chain(*numbers))} == {int}:
                return said
    return list(map(labels, records))


def labels(data: bytes) -> tuple[str, int, int]:
    """Return subject, sequence and epoch of one record, which takes less time than to make its entry.

    Raises:
        DamagedJournalError: the bytes are damaged.
        JournalError: they were written by a newer release.
    """
    version, kind, fields = _unpack(data)
    if version > SCHEMA_VERSION:
        upcast(version, kind, fields)  # says so
    subject, sequence, epoch = fields.get("subject"), fields.get("sequence"), fields.get("epoch")
    if type(subject) is str and type(sequence) is int and type(epoch) is int:
        return subject, sequence, epoch
    raise DamagedJournalError("a journal record is damaged: it does not say whose it is, or which")


def encode_session(session: Session) -> bytes:
    """Return a record of what a resume needs. It holds a secret, so it goes to a place of its own."""
    fields: Fields = {"protocol": session.protocol, "authorization_state": session.authorization_state}
    return _pack(_SESSION, fields, packer())


def decode_session(data: bytes) -> Session:
    """Return what `encode_session` was given.

    Raises:
        DamagedJournalError: the bytes are damaged.
        JournalError: they were written by a newer release.
    """
    kind, fields = upcast(*_unpack(data))
    if kind != _SESSION:
        raise DamagedJournalError(f"a journal record is damaged: a session was expected, and it is of kind {kind!r}")
    _check_fields(kind, fields, {"protocol": (str,), "authorization_state": (str,)})
    return Session(**cast("Mapping[str, str]", fields))


def upcast(
    version: int,
    kind: str,
    fields: Fields,
    *,
    table: Mapping[int, Upcaster] = UPCASTERS,
    current: int = SCHEMA_VERSION,
) -> tuple[str, Fields]:
    """Return kind and fields as the ``current`` version has them, step by step through ``table``.

    Raises:
        DamagedJournalError: there is no step from the record's version.
        JournalError: the record is newer than ``current``.
    """
    if version > current:
        raise JournalError(
            f"a journal record has schema version {version}, and this release reads up to {current}: "
            "it was written by a newer relay_actors; upgrade, or give this release a journal of its own"
        )
    for step in range(version, current):
        if step not in table:
            raise DamagedJournalError(
                f"a journal record has schema version {version}, which no release has written: damaged"
            )
        kind, fields = table[step](kind, fields)
    return kind, fields


def packer() -> Callable[[object], bytes]:
    """Return what packs one record after the other; for one thread at a time.

    It refuses a text with half a surrogate pair: with ``unicode_errors`` each text would be encoded by way of Python's
    codecs, which takes twice as long. `_pack` packs such a record by itself.
    """
    pack: Callable[[object], bytes] = msgpack.Packer(default=_pack_other).pack
    return pack


def _intent(entry: Entry) -> Fields:
    _kind, names, values = _FIELDS_OF[CommandIntended]
    return dict(zip(names, values(entry), strict=True))


def _entry(kind: str, fields: dict[str, Any]) -> Entry:
    _check(kind, fields)
    return _made(kind, fields)


def _made(kind: str, fields: dict[str, Any]) -> Entry:
    cls: Callable[..., Entry] = _KINDS[kind][0]
    if cls is CommandSettled:
        outcome = _OUTCOMES.get(fields["outcome"])
        if outcome is None:
            raise DamagedJournalError(f"a journal record is damaged: {fields['outcome']!r} is not an outcome")
        fields["outcome"] = outcome
    elif cls is Snapshot:
        fields["pending"] = tuple(map(_pending, fields["pending"]))
    return cls(**fields)


def _pending(item: object) -> Entry:
    if not isinstance(item, dict):
        raise DamagedJournalError(f"a journal record is damaged: a pending command is a {type(item).__name__}")
    return _entry("intent", item)


def _check(kind: str, fields: Fields) -> None:
    shape = (kind, *fields, *map(type, fields.values()))
    if shape in _SOUND_SHAPES:
        return
    expected = _EXPECTED.get(kind)
    if expected is None:
        raise DamagedJournalError(f"a journal record is damaged: {kind!r} is not a kind of entry")
    _check_fields(kind, fields, expected)
    if tuple(fields) == tuple(expected):  # as they are written here, so that there are few
        _SOUND_SHAPES.add(shape)


def _check_fields(kind: str, fields: Fields, expected: Mapping[str, tuple[type, ...]]) -> None:
    if len(fields) != len(expected) or fields.keys() != expected.keys():
        odd = ", ".join(sorted(map(repr, fields.keys() ^ expected.keys())))
        raise DamagedJournalError(f"a journal record is damaged: the fields of {kind!r} do not fit: {odd}")
    for name, types in expected.items():
        value = fields[name]
        # Just these classes: msgpack makes no others, and a bool, which is an int to Python, is never one to us.
        if type(value) not in types:
            raise DamagedJournalError(f"a journal record is damaged: {name} of {kind!r} is a {type(value).__name__}")


def _pack(kind: str, fields: Fields, pack: Callable[[object], bytes]) -> bytes:
    record = (SCHEMA_VERSION, kind, fields)
    try:
        try:
            body = pack(record)
        except UnicodeEncodeError:
            # JSON texts may hold half a surrogate pair, and an event that came must be storable.
            body = msgpack.packb(record, default=_pack_other, unicode_errors="surrogatepass")
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise JournalError(f"cannot store an entry of kind {kind!r}: {error}") from error
    return crc32(body).to_bytes(4, "big") + body


def _pack_other(value: object) -> msgpack.ExtType:
    if isinstance(value, int):
        return msgpack.ExtType(_BIG_INT, b"%d" % value)
    raise TypeError(f"{type(value).__name__} is not plain data")


def _unpack_other(code: int, data: bytes) -> object:
    if code == _BIG_INT:
        return int(data)
    raise ValueError(f"unknown extension type {code}")


def _whole(records: Sequence[bytes]) -> list[bytes] | None:
    """Return what the checksums of records are of; None if any does not fit."""
    if not {*map(type, records)} <= {bytes}:
        return None
    bodies = [data[4:] for data in records]
    sums = struct.pack(f">{len(bodies)}I", *map(crc32, bodies))
    return bodies if sums == b"".join([data[:4] for data in records]) else None


def _head(body: bytes) -> bytes:
    """Return the first fields of an entry as a table of their own, for msgpack to read; nothing if it is unusual.

    They are those of `_BASE`, and most of the bytes are in those that follow.
    """
    start = body.find(b"\xa7subject", 0, _LONGEST_BEGINNING)
    end = body.find(b"\xa8sequence", start) + 9
    if start < 0 or end < 9 or not body.startswith(_OF_THIS_VERSION):
        return b""
    return b"\x84" + body[start : end + _SIZES_OF_INTS.get(body[end : end + 1], 1)]


def _unpack_at_once(bodies: Sequence[bytes]) -> list[tuple[int, str, dict[str, Any]]] | None:
    """Return version, kind and fields of all records, which msgpack reads as one list.

    None if any is of an older version, of a kind and fields that have not been seen yet, or not as it has to be.
    """
    try:
        found = _read_together(bodies)
        for version, kind, fields in found:
            if type(version) is not int or version != SCHEMA_VERSION:
                return None
            if (kind, *fields, *map(type, fields.values())) not in _SOUND_SHAPES:
                return None
    except (*_UNREADABLE, AttributeError):  # also of a record that has not the shape of one
        return None
    return found


def _read_together(bodies: Sequence[bytes]) -> list[Any]:
    found: list[Any] = _read(b"".join([b"\xdd", len(bodies).to_bytes(4, "big"), *bodies]))
    return found


def _read(body: bytes) -> Any:
    return msgpack.unpackb(
        body, ext_hook=_unpack_other, strict_map_key=False, unicode_errors="surrogatepass", timestamp=0
    )


def _unpack(data: bytes) -> tuple[int, str, Fields]:
    # A store may hand over whatever a damaged row holds.
    if not isinstance(data, bytes) or len(data) < 5:
        raise DamagedJournalError(f"a journal record is damaged: {data!r:.20} is too little")
    body = data[4:]
    if crc32(body) != int.from_bytes(data[:4], "big"):
        raise DamagedJournalError(f"a journal record of {len(data)} bytes is damaged: its checksum does not fit")
    try:
        record = _read(body)
    except _UNREADABLE as error:
        raise DamagedJournalError(f"a journal record of {len(data)} bytes is damaged: {error}") from error
    if type(record) is list and len(record) == 3:
        version, kind, fields = record
        # Those of the present version are compared with what they have to be; older ones go through an upcaster first.
        if type(version) is int and version >= 1 and type(kind) is str and type(fields) is dict and (
            version == SCHEMA_VERSION or all(type(name) is str for name in fields)
        ):  # fmt: skip
            return version, kind, fields
    raise DamagedJournalError(f"a journal record of {len(data)} bytes is damaged: it has not the shape of one")
