"""What the connection writes into the journal. Layer: hall. Source: SEMANTICS J1, J2, J6.

Nothing here commits by itself: `commit` is called before anything leaves the process that relies on what was written.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Mapping
from typing import Final

from relay_actors.actors.compacting import compact
from relay_actors.actors.course import Note, Started
from relay_actors.actors.history import History, history_of
from relay_actors.actors.likeness import as_kept
from relay_actors.actors.outgoing import Outgoing
from relay_actors.errors import CommandRejectedError, JournalError, NotSentError, RelayActorsError
from relay_actors.journal.base import Store
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
)
from relay_actors.journal.replay import check, pending_of
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.happenings import EventArrived
from relay_actors.runtime.base import Clock

__all__ = ["SESSION", "Journaling"]

_log = logging.getLogger("relay_actors.journal")

SESSION = "(the session)"
"""The subject of events that are about nothing that has a name of its own. Such as nobody chooses for a tag."""
_OK: Final = Outcome.OK.value


class Journaling:
    """The journal, as the connection uses it. Without a store every method does nothing.

    What it is told of a subject is forgotten when the subject is over: `forget`.

    Args:
        store: where entries are kept, or None.
        clock: for the times of entries.

    Attributes:
        is_kept: whether there is a store.

    Raises:
        JournalError: by every method, when the store has failed. It is done for then: see `give_up`.
    """

    def __init__(self, store: Store | None, clock: Clock) -> None:
        self._store = store
        self.is_kept = store is not None
        self._wall = clock.wall
        self._session = ("", "")
        self._is_dirty = False
        self._enough: dict[str, int] = {}
        """How many entries there must be of a subject that was summed up before it is worth while again."""

    def event(self, subject: str, arrived: EventArrived) -> None:
        """Keep an event. It is safe when `commit` returns."""
        if self._store is not None:
            frame_id = arrived.frame_id
            frame_id = frame_id if type(frame_id) is str else _scalar(frame_id)  # a text, as nearly all are
            self._keep(EventReceived, subject or SESSION, {"frame_id": frame_id, "payload": arrived.payload})

    def intended(self, request_id: str, outgoing: Outgoing) -> None:
        """Keep a request that is about to leave."""
        if self._store is None or not outgoing.subject:
            return
        own: dict[str, object] = {
            "request_id": request_id,
            "method": outgoing.method,
            "params": outgoing.params,
            "number": outgoing.number,
            "after": outgoing.after,
            "by": outgoing.by,
        }
        try:
            self._keep(CommandIntended, outgoing.subject, own)
        except JournalError:
            # JSON has been more generous than the journal: an enum or a UUID among the params. What is sent is what
            # JSON made of it. Or it could make nothing of it either, and the command is not sent. If it was the store
            # that failed, it fails again.
            self._keep(CommandIntended, outgoing.subject, {**own, "params": as_kept(outgoing.params)})

    def settled(
        self, request_id: str, outgoing: Outgoing, result: JsonObject | None, error: RelayActorsError | None
    ) -> None:
        """Keep how a request has ended."""
        if self._store is None or not outgoing.subject:
            return
        own: dict[str, object] = {
            "request_id": request_id,
            "outcome": _OK if error is None else _outcome(error).value,
            "code": 0 if error is None else getattr(error, "code", 0),
            "result": result if result is not None else _told(error),
        }
        self._keep(CommandSettled, outgoing.subject, own)

    def subjects(self) -> list[str]:
        """Return all that the journal knows something of, oldest first."""
        return [] if self._store is None else self._store.subjects()

    def history(self, subject: str) -> History:
        """Return what the journal knows of one subject.

        Raises:
            JournalError: it is damaged.
        """
        return history_of(subject, self.entries(subject))

    def entries(self, subject: str) -> tuple[Entry, ...]:
        """Return the entries of one subject, without those of a writer that was deposed.

        Raises:
            JournalError: one is damaged, or missing.
        """
        assert self._store is not None
        return check(self._store.load(subject=subject), old_writer="drop_old_writer").entries

    def fragment(self, subject: str) -> History:
        """Return what can be read of a subject whose entries are damaged: whom it was about, no more."""
        assert self._store is not None
        entries: list[Entry] = []
        with contextlib.suppress(JournalError):
            entries.extend(self._store.load(subject=subject))
        try:
            return history_of(subject, entries)
        except JournalError:  # what stands for its past is damaged, or of a release to come
            return history_of(subject, [entry for entry in entries if not isinstance(entry, Snapshot)])

    def kept_session(self) -> Session:
        """Return what is needed to resume the session of a former process."""
        return Session() if self._store is None else self._store.get_session()

    def started(self, started: Started) -> None:
        """Keep who has a call. What of its data cannot be kept is left out, and told of."""
        if self._store is not None:
            own: dict[str, object] = {
                "actor": started.actor,
                "direction": started.direction,
                "data": started.data,
                "settings": started.settings,
            }
            try:
                self._keep(CallStarted, started.subject, own)
            except JournalError:
                dial = started.settings.get("dial")
                if not isinstance(dial, Mapping):
                    raise
                settings = {**started.settings, "dial": as_kept(dial)}  # see `intended`
                self._keep(CallStarted, started.subject, {**own, "settings": settings})

    def noted(self, note: Note) -> None:
        """Keep what a call has learnt; if it says what of it is open, sum up what was before."""
        if self._store is not None:
            self._keep(Noted, note.subject, {"what": note.what, "values": note.values, "after": note.after})
            if "open" in note.values:
                self._sum_up(self._store, note.subject)

    def _sum_up(self, store: Store, subject: str) -> None:
        """Replace the past of a call by what still matters of it. If that fails all stays as it was (SEMANTICS J6)."""
        entries: tuple[Entry, ...] = ()
        try:
            entries = self.entries(subject)
            if len(entries) < self._enough.get(subject, 0):
                return  # little would go, and all would be written again
            compacted = compact(entries)
            if compacted is None:
                return
            store.snapshot(subject, compacted.state, at=self._wall(), pending=pending_of(entries))
        except Exception:  # noqa: BLE001  # nothing has changed; if it was the store that failed, the next write says so
            _log.exception("the past of a call could not be summed up subject=%s", subject)
            self._enough[subject] = 2 * len(entries)
            return
        store.append(compacted.rest)
        _log.debug("summed up subject=%s entries=%d kept=%d", subject, len(entries), compacted.count)
        # As many new ones as are left of the old ones, beside the snapshot and what has followed it.
        self._enough[subject] = compacted.count + 1 + len(compacted.rest)

    def forget(self, subject: str) -> None:
        """Remove everything about a subject: it is over."""
        if self._store is not None:
            self._store.forget(subject or SESSION)
            self._enough.pop(subject or SESSION, None)
            self._is_dirty = True

    def keep_only(self, subjects: Collection[str]) -> None:
        """Remove everything about all others, and, if nothing is left, what a resume needs."""
        if self._store is None:
            return
        try:
            for subject in self._store.subjects():
                if subject not in subjects:
                    self.forget(subject)
            if not subjects:
                self.session("", "")
            self.commit()
        except JournalError as error:
            _log.error("the journal could not be tidied up: %s", error)

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
        self._store, self.is_kept = None, False

    def _keep(self, kind: type[Entry], subject: str, own: dict[str, object]) -> None:
        """Keep one entry, which the store numbers. ``own`` has the fields of its kind, in order (`Store.keep`)."""
        assert self._store is not None
        self._is_dirty = True
        self._store.keep(kind, {"subject": subject, "at": self._wall(), "epoch": 0, "sequence": 0, **own})


def _told(error: RelayActorsError | None) -> JsonObject:
    return {"message": getattr(error, "message", str(error)), "error": type(error).__name__}


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
