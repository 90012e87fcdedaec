"""What the connection writes into the journal. Layer: hall. Source: SEMANTICS J1, J2, J6.

Nothing here commits by itself: `commit` is called before anything leaves the process that relies on what was written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from relay_actors.actors.outgoing import Outgoing
from relay_actors.errors import CommandRejectedError, JournalError, NotSentError, RelayActorsError
from relay_actors.journal.base import Store
from relay_actors.journal.entries import CommandIntended, CommandSettled, Entry, EventReceived, Outcome, Session
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.happenings import EventArrived
from relay_actors.protocol.json_codec import dumps, loads
from relay_actors.runtime.base import Clock

__all__ = ["SESSION", "Journaling"]

SESSION = "session"
"""The subject of events that are about nothing that has a name of its own."""


class Journaling:
    """The journal, as the connection uses it. Without a store every method does nothing.

    What it is told of a subject is forgotten when the subject is over: `forget`.

    Args:
        store: where entries are kept, or None.
        clock: for the times of entries.

    Raises:
        JournalError: by every method, when the store has failed. It is done for then: see `give_up`.
    """

    def __init__(self, store: Store | None, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._session = ("", "")
        self._is_dirty = False

    def events(self, arrived: Iterable[tuple[str, EventArrived]]) -> None:
        """Keep events, each with its subject. They are safe when `commit` returns."""
        if self._store is None:
            return
        at = self._clock.wall()
        self._append(
            EventReceived(subject=subject or SESSION, at=at, frame_id=_scalar(one.frame_id), payload=one.payload)
            for subject, one in arrived
        )

    def intended(self, request_id: str, outgoing: Outgoing) -> None:
        """Keep a request that is about to leave."""
        if self._store is None or not outgoing.subject:
            return
        entry = CommandIntended(
            subject=outgoing.subject,
            at=self._clock.wall(),
            request_id=request_id,
            method=outgoing.method,
            params=outgoing.params,
        )
        try:
            self._append([entry])
        except JournalError:
            # JSON has been more generous than the journal: an enum or a UUID among the params. What is sent is what
            # JSON made of it. If it was the store that failed, it fails again.
            plain = loads(dumps(outgoing.params))
            assert isinstance(plain, dict)
            self._append([dataclasses.replace(entry, params=plain)])

    def settled(
        self, request_id: str, outgoing: Outgoing, result: JsonObject | None, error: RelayActorsError | None
    ) -> None:
        """Keep how a request has ended."""
        if self._store is None or not outgoing.subject:
            return
        self._append(
            [
                CommandSettled(
                    subject=outgoing.subject,
                    at=self._clock.wall(),
                    request_id=request_id,
                    outcome=_outcome(error),
                    code=getattr(error, "code", 0),
                    result=result if result is not None else {"message": str(error)},
                )
            ]
        )

    def forget(self, subject: str) -> None:
        """Remove everything about a subject: it is over."""
        if self._store is not None:
            self._store.forget(subject or SESSION)
            self._is_dirty = True

    def session(self, protocol: str, authorization_state: str) -> None:
        """Keep what a resume needs, if it has changed."""
        if self._store is None:
            return
        if (protocol, authorization_state) != self._session:
            self._store.put_session(Session(protocol=protocol, authorization_state=authorization_state))
            self._session = (protocol, authorization_state)
            self._is_dirty = True

    def commit(self) -> None:
        """Make all of it durable; it is when this returns. Costs nothing when nothing was written."""
        if self._store is not None and self._is_dirty:
            self._store.commit()
            self._is_dirty = False

    def give_up(self) -> None:
        """The store has failed: write nothing more, and claim nothing more (SEMANTICS J6)."""
        self._store = None

    def _append(self, entries: Iterable[Entry]) -> None:
        assert self._store is not None
        self._store.append(entries)
        self._is_dirty = True


def _scalar(frame_id: object) -> str | int | float | None:
    """Return an id that the journal can hold; ids of other types are legal JSON, and nobody's."""
    return frame_id if isinstance(frame_id, str | int | float) and not isinstance(frame_id, bool) else None


def _outcome(error: RelayActorsError | None) -> Outcome:
    match error:
        case None:
            return Outcome.OK
        case CommandRejectedError():
            return Outcome.REJECTED
        case NotSentError():
            return Outcome.NOT_SENT
        case _:
            return Outcome.UNKNOWN
