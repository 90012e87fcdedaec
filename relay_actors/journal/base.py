"""The seam of `journal/`: what another store implements. Layer: pillar.

The order in which the connection actor uses it is the promise of SEMANTICS J1 and J2::

    store.append(entries of this round)      # events that came, commands about to leave
    store.commit()                           # durable when it returns: one transaction a round
    acknowledge the events; deliver them; let the commands out
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from relay_actors.journal.entries import CommandIntended, Entry, Session

__all__ = ["Store"]


class Store(Protocol):
    """Keeps entries, in order, so that they survive this process.

    One writer: the connection actor. It may change threads between its turns, so a store must not care which thread
    calls it; two threads never call at once, and a store need not lock against that.

    `append`, `snapshot`, `forget` and `put_session` take effect in the order in which they are called, and are
    durable, all or none, when the next `commit` returns. `load`, `subjects` and `get_session` see them at once.

    Whenever a write fails, the store is done for: it raises the same `JournalError` from then on, and must be opened
    anew. A writer that went on would promise what it cannot keep (SEMANTICS J6). Only `snapshot` may fail and leave
    all as it was, and only because its state cannot be stored.
    """

    @property
    def epoch(self) -> int:
        """Return the number of this writer: higher than that of every writer before it. Source: SEMANTICS J7."""

    def append(self, entries: Iterable[Entry]) -> None:
        """Take entries in, stamped with this writer's epoch and the next sequence number of their subject.

        All of them or, when one cannot be stored, none. Secrets and card data are replaced first (SEMANTICS J10), so
        what `load` gives may differ from what was appended in just that.

        Raises:
            JournalError: an entry holds a value that is not plain data, or the store is closed, failed or no longer
                the writer.
        """

    def keep(self, kind: type[Entry], fields: dict[str, object]) -> None:
        """Take one entry in, as ``append([kind(**fields)])`` does, perhaps without making it.

        Args:
            kind: its class, but no `Snapshot`.
            fields: of that class, all of them, in its order. The store's from now on.

        Raises:
            JournalError: as for `append`.
        """

    def snapshot(
        self, subject: str, state: Mapping[str, object], *, at: float, pending: Iterable[CommandIntended] | None = None
    ) -> None:
        """Replace all entries of ``subject`` by one `Snapshot` with this state and the commands still pending.

        Args:
            subject: whose entries are summed up.
            state: plain data (JSON values and bytes) from which the subject can go on.
            at: wall-clock seconds.
            pending: the commands still pending, if who sums up has just read all of it, and knows
                (`relay_actors.journal.replay.pending_of`); None: the store finds them.

        Raises:
            JournalError: the state is not plain data (nothing has changed then), or as for `append`.
        """

    def forget(self, subject: str) -> None:
        """Remove every entry of ``subject``: its call has ended, or a person wants to be forgotten. Unknown: no effect.

        Raises:
            JournalError: as for `append`.
        """

    def put_session(self, session: Session) -> None:
        """Replace what a resume needs; ``Session()`` removes it. Its secret joins those that are kept out of entries.

        Raises:
            JournalError: as for `append`.
        """

    def commit(self) -> None:
        """Make everything since the last commit durable, and return when it is. With nothing to do it costs nothing.

        Raises:
            JournalError: it could not be written (none of it was), or another writer has taken over.
        """

    def load(self, *, subject: str | None = None) -> Iterator[Entry]:
        """Give the entries of one subject, or of all, in the order in which they were appended.

        Read it to the end, or drop it, before the next write.

        Raises:
            JournalError: an entry cannot be read; those before it were given.
        """

    def subjects(self) -> list[str]:
        """Return the subjects that have entries, the one with the oldest entry first.

        Raises:
            JournalError: the store is closed or cannot be read.
        """

    def get_session(self) -> Session:
        """Return what was put last, or an empty `Session`.

        Raises:
            JournalError: the store is closed, or what is there cannot be read.
        """

    def close(self) -> None:
        """Free everything. What was not committed is not kept: nobody was promised it. Idempotent."""
