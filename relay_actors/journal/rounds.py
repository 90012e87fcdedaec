"""Many records in one row, as they were committed, and which of them still count. Layer: pillar; pure.

A row of a database costs a hundred times its bytes: pages, an index, and the same again when it is removed. Most calls
are short, and nobody will ever ask for their entries. So what is committed together stands in one row, a *round*, and
is found again only if its call outlives the round: then it gets rows of its own.

A round is ``number of parts + length of each (4 bytes, big-endian, all of them) + the parts``. A part is a record
(`relay_actors.journal.codec`); or ``crc32 (4 bytes) + 0xC1 + subject``: all that was said of that subject before is
forgotten. No record has that byte there: msgpack does not use it. The first part is ``crc32 + 0xC1 + 0xFF + number``
(8 bytes), which no UTF-8 begins with: which round it is, as its row says as well, for what counts depends on it. Rounds
of before have no such part.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from relay_actors.errors import DamagedJournalError
from relay_actors.journal.codec import decode_all, labels_of_all
from relay_actors.journal.entries import Entry
from relay_actors.journal.ledger import Record

__all__ = [
    "Forgotten",
    "ReadRound",
    "SeenRounds",
    "entries_in",
    "in_force",
    "number_of",
    "pack_round",
    "parts_of",
    "records_in",
    "size_of_round",
    "sound_records_in",
]

T = TypeVar("T")

_FORGOTTEN: Final = 0xC1
_MARK: Final = bytes([_FORGOTTEN])
_NUMBER: Final = _MARK + b"\xff"
_NUMBER_BYTES: Final = 8
_SIZE_OF_NUMBER: Final = 4 + len(_NUMBER) + _NUMBER_BYTES


class Forgotten:
    """Says that nothing counts of what was said of a subject before.

    Args:
        subject: whose.

    Attributes:
        subject: whose.
        body: it as a part.
    """

    __slots__ = ("body", "subject")

    def __init__(self, subject: str) -> None:
        self.subject = subject
        name = _MARK + subject.encode("utf-8", "surrogatepass")
        self.body = zlib.crc32(name).to_bytes(4, "big") + name


ReadRound: TypeAlias = Callable[[object], list[Record | Forgotten]]
"""Returns what is in one row."""


class SeenRounds:
    """Rounds that were looked at: who meets the same bytes again need not look at them again."""

    def __init__(self) -> None:
        self._found: dict[int | None, list[Record | Forgotten]] = {}

    def look_at(self, body: object) -> list[Record | Forgotten]:
        """Return what is in one row, as `records_in` does, and keep it."""
        found = records_in(body)
        if isinstance(body, bytes):
            self._found[number_of(body)] = found  # the bytes would be kept beside their parts
        return found

    def records_in(self, body: object) -> list[Record | Forgotten]:
        """Return what is in one row, as `records_in` does."""
        if isinstance(body, bytes):
            number = number_of(body)
            found = self._found.get(number)
            if found is not None and body == _packed(number, found):
                return found
        return records_in(body)


def pack_round(number: int | None, bodies: Sequence[bytes]) -> bytes:
    """Return the body of one row, which has these parts. ``number``: of the round; None: it does not say, as before."""
    if number is not None:
        said = _NUMBER + number.to_bytes(_NUMBER_BYTES, "big")
        bodies = [zlib.crc32(said).to_bytes(4, "big") + said, *bodies]
    return struct.pack(f">{len(bodies) + 1}I", len(bodies), *map(len, bodies)) + b"".join(bodies)


def size_of_round(records: Sequence[Record]) -> int:
    """Return how many bytes `pack_round` makes of the bodies of these records."""
    return 4 * (len(records) + 2) + _SIZE_OF_NUMBER + sum([len(record[3]) for record in records])


def number_of(body: bytes) -> int | None:
    """Return which round it says to be; None: it does not say.

    Raises:
        DamagedJournalError: that is damaged.
    """
    at, length = 4 * (int.from_bytes(body[:4], "big") + 1), int.from_bytes(body[4:8], "big")
    content = body[at : at + length]
    if not content.startswith(_NUMBER, 4):
        return None
    if len(content) != _SIZE_OF_NUMBER or zlib.crc32(content[4:]) != int.from_bytes(content[:4], "big"):
        raise DamagedJournalError("a round of the journal is damaged: the checksum of its number does not fit")
    return int.from_bytes(content[-_NUMBER_BYTES:], "big")


def parts_of(body: object) -> Iterator[bytes | Forgotten]:
    """Give the records of one row, not decoded, and what is forgotten, in order.

    Raises:
        DamagedJournalError: it is no round, or what would be next is no part of one.
    """
    # A store may hand over whatever a damaged row holds.
    if not isinstance(body, bytes) or len(body) < 4:
        raise DamagedJournalError(f"a round of the journal is damaged: {body!r:.20} is too little")
    count = int.from_bytes(body[:4], "big")
    at = 4 * (count + 1)
    if at > len(body):
        raise DamagedJournalError(f"a round of the journal is damaged: it says to have {count} parts")
    lengths = struct.unpack_from(f">{count}I", body, 4)
    for number, length in enumerate(lengths):
        content = body[at : at + length]
        if len(content) != length or length < 6:
            raise DamagedJournalError(f"a round of the journal is damaged: part {number} is cut off")
        if content[4] != _FORGOTTEN:
            yield content
        elif number or number_of(body) is None:
            yield _forgotten(content)
        at += length
    if at != len(body):
        raise DamagedJournalError("a round of the journal is damaged: there is more in it than it says")


def entries_in(body: object) -> list[Entry | Forgotten]:
    """Return the entries of one row, and what is forgotten, in order.

    Raises:
        DamagedJournalError: it is no round, or a record cannot be read.
        JournalError: a record was written by a newer release.
    """
    return _read(body, decode_all)


def records_in(body: object) -> list[Record | Forgotten]:
    """Return the records of one row, and what is forgotten, in order. It is not looked what else they say.

    Raises:
        DamagedJournalError: it is no round, or a record cannot be read.
        JournalError: a record was written by a newer release.
    """
    return _read(body, _records)


def sound_records_in(body: object) -> list[Record | Forgotten]:
    """Return what is in one row, as `records_in` does; an entry can be made of each record.

    Raises:
        DamagedJournalError: it is no round, or a record cannot be read.
        JournalError: a record was written by a newer release.
    """
    return _read(body, _sound_records)


def in_force(
    bodies: Iterable[object], read: Callable[[object], Sequence[T | Forgotten]], subject_of: Callable[[T], str]
) -> list[list[T]]:
    """Return what still counts of each round, in the order in which it was appended.

    Args:
        bodies: of all rounds, oldest first.
        read: returns what is in one.
        subject_of: says whose that is.

    Raises:
        DamagedJournalError: a part cannot be read.
        JournalError: a record was written by a newer release.
    """
    rounds: list[Any] = [read(body) for body in bodies]
    forgotten: set[str] = set()
    for number in range(len(rounds) - 1, -1, -1):
        if not forgotten and Forgotten not in map(type, rounds[number]):
            continue  # all of it counts
        kept: list[T] = []
        for part in reversed(rounds[number]):
            if isinstance(part, Forgotten):
                forgotten.add(part.subject)
            elif not forgotten or subject_of(part) not in forgotten:
                kept.append(part)
        kept.reverse()
        rounds[number] = kept
    return rounds


def _read(body: object, read: Callable[[Sequence[bytes]], Sequence[T]]) -> list[T | Forgotten]:
    """Return what ``read`` makes of the records of one row, all at once, and what is forgotten."""
    parts: list[Any] = []
    places: list[int] = []
    try:
        for part in parts_of(body):
            if not isinstance(part, Forgotten):
                places.append(len(parts))
            parts.append(part)
    finally:  # also those before one that is cut off: if they are of a newer release, that is what is to be said
        for place, found in zip(places, read([parts[place] for place in places]), strict=True):
            parts[place] = found
    return parts


def _packed(number: int | None, parts: Iterable[Record | Forgotten]) -> bytes:
    return pack_round(number, [part.body if isinstance(part, Forgotten) else part[3] for part in parts])


def _records(bodies: Sequence[bytes]) -> list[Record]:
    return [(*said, body) for said, body in zip(labels_of_all(bodies), bodies, strict=True)]


def _sound_records(bodies: Sequence[bytes]) -> list[Record]:
    made = zip(decode_all(bodies), bodies, strict=True)
    return [(entry.subject, entry.sequence, entry.epoch, body) for entry, body in made]


def _forgotten(content: bytes) -> Forgotten:
    name = content[4:]
    if zlib.crc32(name) != int.from_bytes(content[:4], "big"):
        raise DamagedJournalError("a round of the journal is damaged: the checksum of a subject does not fit")
    return Forgotten(name[1:].decode("utf-8", "surrogatepass"))
