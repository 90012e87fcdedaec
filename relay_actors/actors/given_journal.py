"""The journal as an application was given it: nothing, a path, or a store of the user's own. Layer: hall."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from relay_actors.errors import ConfigError, JournalError

if TYPE_CHECKING:
    from relay_actors.journal.base import Store
    from relay_actors.journal.sqlite import Durability
    from relay_actors.journal.writer_lock import WriterLock

__all__ = ["GivenJournal"]

_DURABILITIES: Final = ("process", "power")


class GivenJournal:
    """Opens the journal for each run of an application, and closes it after it, unless it is the user's own.

    Args:
        given: path of the journal's file, a `Store`, or None.
        durability: of a file: ``process`` or ``power``, see `relay_actors.journal.sqlite`.

    Attributes:
        store: what is open; None if nothing is.

    Raises:
        ConfigError: there is no such durability, or it is not for this to say.
    """

    def __init__(self, given: str | os.PathLike[str] | Store | None, durability: Durability = "process") -> None:
        if not (given is None or isinstance(given, str | os.PathLike) or hasattr(given, "append")):
            raise ConfigError(f"journal={given!r}: must be the path of a file, a Store or None")
        if durability not in _DURABILITIES:
            raise ConfigError(f"durability={durability!r}: must be 'process' or 'power'")
        if durability != "process" and not isinstance(given, str | os.PathLike):
            raise ConfigError(
                f"durability={durability!r} is for a journal that is given by its path: journal='calls.db'"
            )
        self._given = given
        self._durability = durability
        self.store: Store | None = None
        self._lock: WriterLock | None = None
        self._is_own = False

    @property
    def path(self) -> str | None:
        """Where the file is, resolved; None if there is none, or if it is a store of the user's."""
        return os.path.realpath(self._given) if isinstance(self._given, str | os.PathLike) else None

    @property
    def is_there(self) -> bool:
        """Whether anything is kept at all."""
        return self._given is not None or self.store is not None

    def open(self, secrets: Iterable[str], *, hands_over: bool, instead: Store | None = None) -> Store | None:
        """Open it, and return it.

        Args:
            secrets: values to keep out of it.
            hands_over: whether this process hands it over when another one asks for it.
            instead: what to take in its place for this run.

        Raises:
            JournalError: it cannot be opened; `JournalError.at_start` says so.
        """
        self._is_own = instead is None and isinstance(self._given, str | os.PathLike)
        if instead is not None:
            self.store = instead
        elif isinstance(self._given, str | os.PathLike):
            # Here, because it brings SQLite, which an application without a journal never needs.
            from relay_actors.journal.opening import open_sqlite

            try:
                self.store = opened = open_sqlite(
                    self._given, durability=self._durability, secrets=secrets, hands_over=hands_over
                )
            except JournalError as error:
                error.at_start = True
                raise
            self._lock = opened.lock
        else:
            self.store = self._given
        return self.store

    def close(self) -> None:
        """Let another process have it. Idempotent."""
        store, self.store = self.store, None
        if store is not None and self._is_own:
            store.close()

    def leaves_to_next(self) -> bool:
        """Return whether another process waits until it may have it; then it has to be closed soon. Any thread.

        Raises:
            JournalError: it cannot be told.
        """
        return self._lock is not None and self._lock.leaves_to_next()
