"""A journal in memory: for tests, and for applications that need not survive their process. Layer: pillar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from relay_actors.errors import JournalError
from relay_actors.journal.codec import decode, decode_session, encode_session
from relay_actors.journal.entries import CommandIntended, Entry, Session, Snapshot
from relay_actors.journal.ledger import Ledger
from relay_actors.journal.redact import Redactor
from relay_actors.journal.replay import pending_of

__all__ = ["Kept", "MemoryMedium", "MemoryStore"]


class Kept(NamedTuple):
    """One entry of a medium: where it stands among all, and its bytes."""

    position: int
    sequence: int
    body: bytes


class MemoryMedium:
    """The disk of memory stores: what was committed to it outlives the store, as a file outlives a process.

    Attributes:
        full: set it, and every commit fails as on a full disk.
        epoch: the number of the writer that opened it last.
        session: what `encode_session` made; empty when there is none.
        entries: of each subject.
    """

    def __init__(self) -> None:
        self.full = False
        self.epoch = 0
        self.session = b""
        self.entries: dict[str, list[Kept]] = {}


class MemoryStore:
    """A `Store` that keeps its entries in a `MemoryMedium`, encoded and redacted as every other store does.

    Opening a second store on a medium deposes the first one, whose next commit then fails.

    Args:
        medium: where to keep them; a fresh one by default.
        secrets: values to keep out of the entries.

    Raises:
        JournalError: what the medium holds cannot be read.
    """

    def __init__(self, medium: MemoryMedium | None = None, *, secrets: Iterable[str] = ()) -> None:
        self._medium = MemoryMedium() if medium is None else medium
        self._medium.epoch += 1
        self._session = self._medium.session
        self._position = max((kept[-1].position for kept in self._medium.entries.values()), default=0)
        self._changed: dict[str, list[Kept]] = {}
        """What the subjects touched since the last commit will have; an empty list: nothing, forgotten."""
        self._error: JournalError | None = None
        self._ledger = Ledger(
            epoch=self._medium.epoch,
            sequences={subject: kept[-1].sequence for subject, kept in self._medium.entries.items()},
            redactor=Redactor(secrets),
        )
        self._ledger.redactor.learn(self.get_session().authorization_state, is_passing=True)

    @property
    def epoch(self) -> int:
        """Return the number of this writer. See `Store.epoch`."""
        return self._ledger.epoch

    def append(self, entries: Iterable[Entry]) -> None:
        """Take entries in. See `Store.append`."""
        self._check_usable()
        for subject, sequence, _epoch, body in self._ledger.records(entries):
            self._position += 1
            self._change(subject).append(Kept(self._position, sequence, body))

    def keep(self, kind: type[Entry], fields: dict[str, object]) -> None:
        """Take one entry in. See `Store.keep`."""
        make: Callable[..., Entry] = kind
        self.append((make(**fields),))

    def snapshot(
        self, subject: str, state: Mapping[str, object], *, at: float, pending: Iterable[CommandIntended] | None = None
    ) -> None:
        """Sum a subject up. See `Store.snapshot`."""
        self._check_usable()
        known = tuple(pending_of(self.load(subject=subject)) if pending is None else pending)
        [(*_, sequence, _epoch, body)] = self._ledger.records(
            [Snapshot(subject=subject, at=at, state=state, pending=known)]
        )
        self._position += 1
        self._changed[subject] = [Kept(self._position, sequence, body)]

    def forget(self, subject: str) -> None:
        """Remove a subject. See `Store.forget`."""
        self._check_usable()
        self._ledger.forget(subject)
        self._changed[subject] = []

    def put_session(self, session: Session) -> None:
        """Replace what a resume needs. See `Store.put_session`."""
        self._check_usable()
        self._ledger.redactor.learn(session.authorization_state, is_passing=True)
        self._session = encode_session(session)

    def commit(self) -> None:
        """Move what has changed to the medium. See `Store.commit`."""
        self._check_usable()
        if self._medium.epoch != self.epoch:
            self._error = JournalError(
                f"writer {self._medium.epoch} has taken over this journal from writer {self.epoch}, which may not "
                "write to it any more. Stop this one: the other goes on with its calls"
            )
        elif self._medium.full:
            self._error = JournalError("the journal could not be written: its medium is full")
        self._check_usable()
        for subject, kept in self._changed.items():
            if kept:
                self._medium.entries[subject] = kept
            else:
                self._medium.entries.pop(subject, None)
        self._changed = {}
        self._medium.session = self._session

    def load(self, *, subject: str | None = None) -> Iterator[Entry]:
        """Give entries. See `Store.load`."""
        self._check_usable()
        kept = [one for name, ones in self._now().items() if subject in (None, name) for one in ones]
        return map(decode, [one.body for one in sorted(kept)])

    def subjects(self) -> list[str]:
        """Return who has entries. See `Store.subjects`."""
        self._check_usable()
        of_all = self._now()
        return sorted(of_all, key=lambda subject: of_all[subject][0].position)

    def get_session(self) -> Session:
        """Return what a resume needs. See `Store.get_session`."""
        self._check_usable()
        return decode_session(self._session) if self._session else Session()

    def close(self) -> None:
        """Refuse everything from now on. See `Store.close`."""
        self._error = JournalError("the journal is closed")

    def _change(self, subject: str) -> list[Kept]:
        if subject not in self._changed:
            self._changed[subject] = list(self._medium.entries.get(subject, ()))
        return self._changed[subject]

    def _now(self) -> dict[str, list[Kept]]:
        """Return the entries as this writer sees them: committed or not."""
        return {subject: kept for subject, kept in (self._medium.entries | self._changed).items() if kept}

    def _check_usable(self) -> None:
        if self._error is not None:
            raise self._error
