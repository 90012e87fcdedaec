"""What every store does to an entry before keeping it: redact, number, encode. Layer: pillar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from relay_actors.errors import JournalError
from relay_actors.journal.codec import encode, encode_fields, packer
from relay_actors.journal.entries import Entry
from relay_actors.journal.redact import Redactor

__all__ = ["Ledger", "Record"]


Record: TypeAlias = tuple[str, int, int, bytes]
"""An entry as it is stored: subject, sequence and epoch, which its body says too, so that a store can look it up."""


class Ledger:
    """Numbers the entries of one writer.

    Args:
        epoch: this writer's.
        sequences: the newest sequence number of each subject that has entries.
        redactor: takes the secrets out.
    """

    def __init__(self, *, epoch: int, sequences: Mapping[str, int], redactor: Redactor) -> None:
        self.epoch = epoch
        self.redactor = redactor
        self._sequences = dict(sequences)
        self._pack = packer()

    def records(self, entries: Iterable[Entry]) -> list[Record]:
        """Return the entries as records, numbered on. When one of them is refused, no number has been given away.

        Raises:
            JournalError: an entry cannot be stored.
        """
        known, epoch, changes_of = self._sequences, self.epoch, self.redactor.changes
        sequences: dict[str, int] = {}
        made: list[Record] = []
        for entry in entries:
            if not isinstance(entry, Entry) or not isinstance(entry.subject, str) or not entry.subject:
                raise JournalError(f"cannot store {entry!r:.100}: it is not an entry with a subject")
            subject = entry.subject
            number = (sequences.get(subject) or known.get(subject, 0)) + 1
            changes = changes_of(entry)
            changes["epoch"], changes["sequence"] = epoch, number
            made.append((subject, number, epoch, encode(entry, changes, self._pack)))
            sequences[subject] = number
        known.update(sequences)
        return made

    def body(self, kind: type[Entry], fields: dict[str, object]) -> bytes:
        """Return the body of one entry, numbered on, without the entry having been made: see `Store.keep`.

        Raises:
            JournalError: it cannot be stored; no number has been given away.
        """
        subject = fields["subject"]
        if not subject or type(subject) is not str:
            raise JournalError(f"cannot store an entry of {subject!r:.100}: that is not a subject")
        redactor = self.redactor
        if not redactor.is_harmless(kind, fields):
            redactor.redact(kind, fields)
        number = self._sequences.get(subject, 0) + 1
        fields["epoch"], fields["sequence"] = self.epoch, number
        body = encode_fields(kind, fields, self._pack)
        self._sequences[subject] = number
        return body

    def forget(self, subject: str) -> None:
        """Begin at 1 again for ``subject``, of which nothing is left."""
        self._sequences.pop(subject, None)
