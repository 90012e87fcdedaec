"""Many records in one row, as they were committed, and which of them still count. Layer: pillar; pure.

A row of a database costs a hundred times its bytes: pages, an index, and the same again when it is removed. Most calls
are short, and nobody will ever ask for their entries. So what is committed together stands in one row, a *round*, and
is found again only if its call outlives the round: then it gets rows of its own.

A round is ``number of parts + length of each (4 bytes, big-endian, all of them) + the parts``. A part is a record
(`relay_actors.journal.codec`); or ``crc32 (4 bytes) + 0xC1 + subject``: all that was said of that subject before is
forgotten. No record has that byte there: msgpack does not use it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from relay_actors.errors import DamagedJournalError
from relay_actors.journal.codec import labels
from relay_actors.journal.ledger import Record

__all__ = ["Forgotten", "in_force", "pack_round", "parts_of", "record_of"]

T = TypeVar("T")

_FORGOTTEN: Final = 0xC1
_MARK: Final = bytes([_FORGOTTEN])


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


def pack_round(bodies: Sequence[bytes]) -> bytes:
    """Return the body of one row, which has these parts."""
    return struct.pack(f">{len(bodies) + 1}I", len(bodies), *map(len, bodies)) + b"".join(bodies)


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
        yield _forgotten(content) if content[4] == _FORGOTTEN else content
        at += length
    if at != len(body):
        raise DamagedJournalError("a round of the journal is damaged: there is more in it than it says")


def record_of(part: bytes) -> Record:
    """Return the record that a part is.

    Raises:
        DamagedJournalError: it cannot be read.
        JournalError: it was written by a newer release.
    """
    return (*labels(part), part)


def in_force(bodies: Iterable[object], read: Callable[[bytes], T], subject_of: Callable[[T], str]) -> list[list[T]]:
    """Return what still counts of each round, in the order in which it was appended.

    Args:
        bodies: of all rounds, oldest first.
        read: makes of a record what is wanted of it.
        subject_of: says whose that is.

    Raises:
        DamagedJournalError: a part cannot be read.
        JournalError: a record was written by a newer release.
    """
    rounds: list[list[Any]] = [
        [part if isinstance(part, Forgotten) else read(part) for part in parts_of(body)] for body in bodies
    ]
    forgotten: set[str] = set()
    for number in range(len(rounds) - 1, -1, -1):
        kept: list[T] = []
        for part in reversed(rounds[number]):
            if isinstance(part, Forgotten):
                forgotten.add(part.subject)
            elif not forgotten or subject_of(part) not in forgotten:
                kept.append(part)
        kept.reverse()
        rounds[number] = kept
    return rounds


def _forgotten(content: bytes) -> Forgotten:
    name = content[4:]
    if zlib.crc32(name) != int.from_bytes(content[:4], "big"):
        raise DamagedJournalError("a round of the journal is damaged: the checksum of a subject does not fit")
    return Forgotten(name[1:].decode("utf-8", "surrogatepass"))
