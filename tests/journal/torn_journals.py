"""Journals that are cut or overwritten somewhere, and what may be left of them then.

A real journal is made in a file, one step at a time, and beside it what each subject's history was after each step. Of
a file that was damaged afterwards, every subject that is left has to be one of those.
"""

import contextlib
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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
    SubjectEnded,
)
from relay_actors.journal.opening import open_sqlite
from relay_actors.journal.replay import History, replay
from relay_actors.journal.sqlite import SqliteStore

__all__ = ["TornJournal", "fast_directory", "histories", "make_journal", "opened", "whole_file"]

Past = dict[str, History]
"""Every subject with its history, without the numbers of entries and writers: salvage gives new ones."""


@dataclasses.dataclass(frozen=True)
class TornJournal:
    """A journal's bytes, and what it was at each moment.

    Attributes:
        database: the file.
        wal: the WAL beside it.
        commits: the whole of it after each commit.
        steps: each subject's histories after each step.
        sessions: the sessions that it has had.
    """

    database: bytes
    wal: bytes
    commits: Sequence[Past]
    steps: dict[str, list[History]]
    sessions: Sequence[Session]

    def put(self, path: Path, *, database: bytes | None = None, wal: bytes | None = None) -> Path:
        """Write it to ``path``, with either part replaced, and nothing else of that name beside it."""
        _clear(path)
        _write(path, self.database if database is None else database)
        if wal := self.wal if wal is None else wal:
            _write(Path(f"{path}-wal"), wal)
        return path

    def judge(self, store: Store) -> Past:
        """Make sure that what the store holds once was so, subject by subject, and return it."""
        past = histories(store)
        for subject, history in past.items():
            assert history in self.steps.get(subject, []), f"{subject} never was like this: {history}"
        assert store.get_session() in (*self.sessions, Session())
        return past


@contextlib.contextmanager
def fast_directory() -> Iterator[Path]:
    """Give a directory in memory where the system has one: a thousand journals, each synced to a disk, take minutes."""
    place = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=place if os.access(place, os.W_OK) else None) as directory:
        yield Path(directory)


def histories(store: Store) -> Past:
    """Return the history of every subject, without what differs after a salvage."""
    return {subject: _bare(replay(store.load(subject=subject))) for subject in store.subjects()}


def make_journal(
    path: Path, *, calls: int = 3, checkpointed: int = 0, restarts: bool = True, leaves_ended: bool = True
) -> TornJournal:
    """Let ``calls`` calls take place, their steps interleaved, and one more that is over and forgotten.

    Args:
        path: where to make it; nothing is left there.
        calls: how many.
        checkpointed: after how many commits the WAL is moved into the file; 0: never.
        restarts: whether the WAL begins anew then.
        leaves_ended: whether those that are over stay in it.
    """
    _clear(path)
    commits: list[Past] = [{}]
    steps: dict[str, list[History]] = {}
    sessions: list[Session] = []
    with contextlib.closing(SqliteStore(path)) as store:
        for number, step in enumerate(_script(calls, leaves_ended), start=1):
            for change in step:
                match change:
                    case Entry(subject=subject):
                        store.append([change])
                    case Session():
                        store.put_session(change)
                        sessions.append(change)
                        continue
                    case ("snapshot", str(subject), dict(state)):
                        store.snapshot(subject, state, at=float(number))
                    case ("forget", str(subject)):
                        store.forget(subject)
                        continue
                steps.setdefault(subject, []).append(_bare(replay(store.load(subject=subject))))
            store.commit()
            commits.append(histories(store))
            if number == checkpointed:
                store._db.execute(f"PRAGMA wal_checkpoint({'RESTART' if restarts else 'PASSIVE'})").fetchall()
        made = Path(f"{path}.copy")
        for name, copy in ((path, made), (Path(f"{path}-wal"), Path(f"{made}-wal"))):
            shutil.copyfile(name, copy)
    journal = TornJournal(made.read_bytes(), Path(f"{made}-wal").read_bytes(), commits, steps, sessions)
    _clear(path)
    return journal


def whole_file(journal: TornJournal, path: Path) -> TornJournal:
    """Return the same journal after its last writer has closed it: all in one file."""
    with contextlib.closing(SqliteStore(journal.put(path))):
        pass
    return dataclasses.replace(journal, database=path.read_bytes(), wal=b"")


def opened(path: Path) -> contextlib.closing[SqliteStore]:
    """Open it as an application does."""
    return contextlib.closing(open_sqlite(path))


def _write(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)


def _clear(path: Path) -> None:
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()


def _script(calls: int, leaves_ended: bool) -> Iterator[list[Any]]:
    names = [f"call-{number}" for number in range(1, calls + 1)]
    yield [Session(protocol="p-1", authorization_state="first state")]
    for number, name in enumerate(names):
        yield [
            _event(name, 1, event_type="calling.call.receive", params={"call_state": "created"}),
            CallStarted(subject=name, at=1.5, actor="shop:Clerk", direction="inbound", settings={"seed": number}),
        ]
    yield [_event("over", 2), _event("over", 3)]
    for name in names:
        yield [
            CommandIntended(
                subject=name, at=2.0, request_id=f"{name}-r1", method="calling.answer", params={}, number=1, after=1
            )
        ]
    for name in names:
        yield [
            CommandSettled(subject=name, at=3.0, request_id=f"{name}-r1", outcome=Outcome.OK, result={"code": "200"}),
            _event(name, 3, params={"call_state": "answered", "pad": "." * 200}),
            Noted(subject=name, at=3.5, what="data", values={"language": "en"}, after=2),
        ]
    yield [("forget", "over"), Session(protocol="p-1", authorization_state="second state")]
    yield [
        CommandIntended(subject=names[0], at=4.0, request_id="open", method="calling.play", params={"n": 1}, number=2),
        ("snapshot", names[0], {"step": "menu"}),
        _event(names[0], 5, params={"digits": "2"}),
    ]
    for name in names[1:]:
        yield [_event(name, number, pad="." * 700) for number in range(5, 9)]
    if leaves_ended:
        yield [SubjectEnded(subject=names[-1], at=9.0, reason="hangup")]


def _event(subject: str, at: float, **payload: Any) -> EventReceived:
    return EventReceived(subject=subject, at=at, frame_id=f"{subject}-{at}", payload=payload)


def _bare(history: History) -> History:
    def bare(entry: Any) -> Any:
        return dataclasses.replace(entry, epoch=0, sequence=0)

    return dataclasses.replace(
        history,
        entries=tuple(map(bare, history.entries)),
        pending=tuple(map(bare, history.pending)),
        sequence=0,
    )
