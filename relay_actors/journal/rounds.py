"""Many records in one row, as they were committed, and which of them still count. Layer: pillar; pure.

A row of a database costs a hundred times its bytes: pages, an index, and the same again when it is removed. Most calls
are short, and nobody will ever ask for their entries. So what is committed together stands in one row, a *round*, and
is found again only if its call outlives the round: then it gets rows of its own.

A round is a sequence of parts, each ``length (4 bytes, big-endian) + content``. The content is a record
(`relay_actors.journal.codec`); or, if the highest bit of the length is set, ``crc32 (4 bytes) + subject``: all that
was said of that subject before is forgotten.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from relay_actors.errors import DamagedJournalError
from relay_actors.journal.codec import decode
from relay_actors.journal.entries import Entry
from relay_actors.journal.ledger import Record

__all__ = ["ROUNDS", "Forgotten", "in_force", "pack_round", "parts_of", "read_round"]

ROUNDS: Final = ""
"""The subject of rows that hold rounds. No call, text or dial has an empty name."""

_IS_FORGOTTEN: Final = 1 << 31


class Forgotten:
    """Says that nothing counts of what was said of a subject before.

    Args:
        subject: whose.
    """

    __slots__ = ("subject",)

    def __init__(self, subject: str) -> None:
        self.subject = subject


def pack_round(parts: Iterable[Record | Forgotten]) -> bytes:
    """Return the body of one row."""
    pieces: list[bytes] = []
    for part in parts:
        if isinstance(part, Forgotten):
            name = part.subject.encode("utf-8", "surrogatepass")
            pieces += (
                (len(name) + 4 | _IS_FORGOTTEN).to_bytes(4, "big"),
                zlib.crc32(name).to_bytes(4, "big"),
                name,
            )
        else:
            body = part.body
            pieces += (len(body).to_bytes(4, "big"), body)
    return b"".join(pieces)


def parts_of(body: object) -> Iterator[bytes | Forgotten]:
    """Give the records of one row, not decoded, and what is forgotten, in order.

    Raises:
        DamagedJournalError: it is no round, from the part on that would be next.
    """
    # A store may hand over whatever a damaged row holds.
    if not isinstance(body, bytes):
        raise DamagedJournalError(f"a round of the journal is damaged: it is a {type(body).__name__}")
    at = 0
    while at < len(body):
        length = int.from_bytes(body[at : at + 4], "big")
        begin, end = at + 4, at + 4 + (length & ~_IS_FORGOTTEN)
        if end > len(body) or begin > len(body):
            raise DamagedJournalError(f"a round of the journal is damaged: its part at byte {at} is cut off")
        content = body[begin:end]
        yield _forgotten(content) if length & _IS_FORGOTTEN else content
        at = end


def read_round(body: object) -> Iterator[tuple[Entry, bytes] | Forgotten]:
    """Give the entries of one row, each with its record, and what is forgotten, in order.

    Raises:
        DamagedJournalError: a part cannot be read; those before it were given.
        JournalError: a record was written by a newer release.
    """
    for part in parts_of(body):
        yield part if isinstance(part, Forgotten) else (decode(part), part)


def in_force(bodies: Iterable[object]) -> list[tuple[Entry, bytes]]:
    """Return the entries that still count, with their records, in the order in which they were appended.

    Args:
        bodies: of all rounds, oldest first.

    Raises:
        DamagedJournalError: a part cannot be read.
        JournalError: a record was written by a newer release.
    """
    found: list[tuple[Entry, bytes] | Forgotten] = [part for body in bodies for part in read_round(body)]
    forgotten: set[str] = set()
    kept: list[tuple[Entry, bytes]] = []
    for part in reversed(found):
        if isinstance(part, Forgotten):
            forgotten.add(part.subject)
        elif part[0].subject not in forgotten:
            kept.append(part)
    kept.reverse()
    return kept


def _forgotten(content: bytes) -> Forgotten:
    name = content[4:]
    if len(content) < 5 or zlib.crc32(name) != int.from_bytes(content[:4], "big"):
        raise DamagedJournalError("a round of the journal is damaged: the checksum of a subject does not fit")
    return Forgotten(name.decode("utf-8", "surrogatepass"))
