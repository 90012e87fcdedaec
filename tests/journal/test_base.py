"""The contract of every store. A new back-end is one more function in `PLACES`."""

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from relay_actors.errors import JournalError
from relay_actors.journal.base import Store
from relay_actors.journal.entries import (
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Noted,
    Outcome,
    Session,
    Snapshot,
    SubjectEnded,
)
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.journal.redact import PASSING_SECRETS
from relay_actors.journal.replay import check, replay
from relay_actors.journal.sqlite import SqliteStore
from tests.journal.strategies import entries

Open = Callable[..., Store]
"""Opens the journal at one place; opening it again is what the next process does."""


def in_memory(_: Path) -> Open:
    medium = MemoryMedium()
    return lambda **options: MemoryStore(medium, **options)


def in_sqlite(directory: Path) -> Open:
    return lambda **options: SqliteStore(directory / "journal.db", **options)


PLACES = [in_memory, in_sqlite]
SECRET = "PT0123456789abcdef"


@pytest.fixture(params=PLACES, ids=lambda place: place.__name__)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    opened: list[Store] = []
    open_one = request.param(tmp_path)

    def open_and_remember(**options: object) -> Store:
        opened.append(open_one(**options))
        return opened[-1]

    yield open_and_remember
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Open) -> Store:
    return open_store()


def event(n: int, subject: str = "c-1", **payload: object) -> EventReceived:
    return EventReceived(subject=subject, at=float(n), frame_id=f"f-{n}", payload={"n": n, **payload})


def intent(request_id: str, subject: str = "c-1") -> CommandIntended:
    return CommandIntended(subject=subject, at=1.0, request_id=request_id, method="calling.play", params={})


def numbers(store: Store, subject: str | None = None) -> list[object]:
    """The ``n`` of every event, as loaded."""
    return [entry.payload["n"] for entry in store.load(subject=subject) if isinstance(entry, EventReceived)]


def reopened(store: Store, open_store: Open) -> Store:
    store.close()
    return open_store()


def test_what_was_committed_is_there_after_a_restart(store: Store, open_store: Open):
    """That is what a journal is for: no acknowledged event is lost (SEMANTICS J1)."""
    entries: list[Entry] = [
        event(1),
        intent("r-1"),
        CommandSettled(subject="c-1", at=2.0, request_id="r-1", outcome=Outcome.OK, code=200, result={"code": "200"}),
        SubjectEnded(subject="c-1", at=3.0, reason="hangup"),
    ]
    store.append(entries)
    store.commit()

    loaded = list(reopened(store, open_store).load(subject="c-1"))

    assert [type(entry) for entry in loaded] == [type(entry) for entry in entries]
    assert loaded[0] == EventReceived(subject="c-1", at=1.0, epoch=1, sequence=1, frame_id="f-1", payload={"n": 1})
    assert loaded[2].outcome is Outcome.OK
    assert [(entry.epoch, entry.sequence) for entry in loaded] == [(1, 1), (1, 2), (1, 3), (1, 4)]


def test_what_was_not_committed_is_not_there_after_a_restart(store: Store, open_store: Open):
    """Nobody was promised it: it was neither acknowledged nor sent (SEMANTICS J1, J2)."""
    store.append([event(1)])
    store.put_session(Session(protocol="old"))
    store.commit()
    store.append([event(2)])
    store.forget("c-1")
    store.put_session(Session(protocol="new"))

    again = reopened(store, open_store)

    assert numbers(again) == [1]
    assert again.get_session() == Session(protocol="old")


def test_the_writer_sees_what_it_has_not_committed_yet(store: Store):
    """Else a call that is looked up within the round in which it began would not be found."""
    store.append([event(1), event(2, "c-2")])

    assert store.subjects() == ["c-1", "c-2"]
    assert numbers(store) == [1, 2]
    store.append([event(3)])
    store.forget("c-2")
    assert numbers(store) == [1, 3]


def test_committing_nothing_is_allowed(store: Store, open_store: Open):
    """The connection commits once a round, whether anything came or not."""
    store.commit()
    store.append([])
    store.commit()

    assert reopened(store, open_store).subjects() == []


def test_entries_of_many_subjects_come_in_the_order_of_appending(store: Store):
    """A whole journal replays as it happened; one subject's part of it is in the same order (SEMANTICS J4, V7)."""
    for n in range(1, 8):
        store.append([event(n, f"c-{n % 3}")])
        store.commit()

    assert numbers(store) == [1, 2, 3, 4, 5, 6, 7]
    assert numbers(store, "c-1") == [1, 4, 7]
    assert numbers(store, "c-9") == []
    assert store.subjects() == ["c-1", "c-2", "c-0"]


def test_a_long_journal_is_loaded_whole(store: Store):
    """Stores read in batches; an off-by-one at the edge of one would lose or double an entry (SEMANTICS J8)."""
    store.append(event(n, f"c-{n % 2}") for n in range(1, 1502))
    store.commit()

    assert numbers(store) == list(range(1, 1502))
    assert numbers(store, "c-1") == list(range(1, 1502, 2))


def test_each_opening_is_a_new_writer(store: Store, open_store: Open):
    """Entries tell which incarnation of the process wrote them (SEMANTICS J7)."""
    store.append([event(1)])
    store.commit()

    again = reopened(store, open_store)
    again.append([event(2)])
    again.commit()

    assert (store.epoch, again.epoch) == (1, 2)
    assert [(entry.epoch, entry.sequence) for entry in again.load(subject="c-1")] == [(1, 1), (2, 2)]
    assert len(check(again.load(subject="c-1")).entries) == 2


def test_a_refused_entry_leaves_nothing_of_its_batch(store: Store):
    """All or none, and no gap in the numbers (SEMANTICS J7)."""
    store.append([event(1)])

    with pytest.raises(JournalError, match="not plain data"):
        store.append([event(2), event(3, odd=object())])

    store.append([event(4)])
    store.commit()
    assert numbers(store) == [1, 4]
    assert replay(store.load(subject="c-1")).sequence == 2


def test_secrets_are_not_stored(open_store: Open):
    """Those given, those learned with a session, and those known by their key (SEMANTICS J10)."""
    store = open_store(secrets=[SECRET])
    store.put_session(Session(protocol="p", authorization_state="state-secret"))
    store.append([event(1, a=f"x {SECRET}", b="state-secret", jwt_token="eyJ.whatever")])
    store.commit()

    again = reopened(store, open_store)
    again.append([event(2, b="state-secret")])

    payloads = [entry.payload for entry in again.load()]
    assert payloads == [{"n": 1, "a": "x ***", "b": "***", "jwt_token": "***"}, {"n": 2, "b": "***"}]


def test_of_many_sessions_the_newest_secrets_are_kept_out(open_store: Open):
    """Each log in brings one. An application that runs for weeks must not search each text for all of them (J10)."""
    store = open_store(secrets=[SECRET])
    for n in range(100):
        store.put_session(Session(protocol="p", authorization_state=f"the state {n:04}"))
    store.append([event(1, a=SECRET, newest="the state 0099", before="the state 0090")])

    [entry] = store.load()
    assert isinstance(entry, EventReceived)
    assert entry.payload == {"n": 1, "a": "***", "newest": "***", "before": "***"}
    assert repr(store._ledger.redactor) == f"<Redactor of {1 + PASSING_SECRETS} secrets>"  # type: ignore[attr-defined]


def test_a_snapshot_replaces_what_was_before_it(store: Store, open_store: Open):
    """Recovery of a long call must not read hours of events (SEMANTICS J4)."""
    store.append([event(1), event(2), event(9, "c-2")])
    store.commit()

    store.snapshot("c-1", {"step": 2}, at=3.0)
    store.append([event(3)])
    store.commit()

    history = replay(reopened(store, open_store).load(subject="c-1"))
    assert history.state == {"step": 2}
    assert [entry.payload["n"] for entry in history.entries] == [3]
    assert history.sequence == 4


def test_a_snapshot_keeps_the_commands_that_are_pending(store: Store):
    """Compaction must not turn "unknown" into "never sent" (SEMANTICS J5)."""
    store.append([intent("r-1"), intent("r-2")])
    store.append([CommandSettled(subject="c-1", at=2.0, request_id="r-1", outcome=Outcome.OK)])
    store.snapshot("c-1", {}, at=3.0)
    store.snapshot("c-1", {}, at=4.0)
    store.commit()

    [snapshot] = store.load(subject="c-1")
    assert isinstance(snapshot, Snapshot)
    assert [command.request_id for command in snapshot.pending] == ["r-2"]
    store.append([CommandSettled(subject="c-1", at=5.0, request_id="r-2", outcome=Outcome.REJECTED, code=404)])
    assert replay(store.load(subject="c-1")).pending == ()


def test_a_snapshot_that_cannot_be_stored_changes_nothing(store: Store):
    """It is an optimisation: failing must cost neither the call nor its journal (SEMANTICS J6)."""
    store.append([event(1)])

    with pytest.raises(JournalError, match="state: it holds set at basket"):
        store.snapshot("c-1", {"basket": {"tea"}}, at=2.0)

    store.append([event(2)])
    store.commit()
    assert numbers(store) == [1, 2]


def test_a_subject_can_begin_with_a_snapshot(store: Store):
    """State may exist before the first event does."""
    store.snapshot("c-1", {"x": 1}, at=1.0)
    store.append([event(1)])
    store.commit()

    assert replay(store.load(subject="c-1")).state == {"x": 1}


def test_a_forgotten_subject_is_gone(store: Store, open_store: Open):
    """A call that ended needs no journal, and a caller may ask to be forgotten (SEMANTICS J10)."""
    store.append([event(1), event(2, "c-2")])
    store.commit()
    store.forget("c-1")
    store.forget("unknown")
    store.commit()

    again = reopened(store, open_store)
    assert again.subjects() == ["c-2"]
    again.append([event(3)])
    assert replay(again.load(subject="c-1")).sequence == 1


def test_the_session_is_one_value_that_is_replaced(store: Store, open_store: Open):
    """A resume needs the newest, and a restart ordered by the server needs none (PROTOCOL 3.5, 6.1)."""
    assert store.get_session() == Session()
    store.put_session(Session(protocol="p-1", authorization_state="a-1"))
    store.put_session(Session(protocol="p-2", authorization_state="a-2"))
    assert store.get_session() == Session(protocol="p-2", authorization_state="a-2")
    store.commit()

    again = reopened(store, open_store)
    assert again.get_session() == Session(protocol="p-2", authorization_state="a-2")
    again.put_session(Session())
    again.commit()
    assert reopened(again, open_store).get_session() == Session()
    assert store.epoch == 1


def test_a_closed_store_refuses_everything(store: Store):
    """Whoever still holds it must not believe that it writes."""
    store.close()
    store.close()

    for use in (
        lambda: store.append([event(1)]),
        lambda: store.snapshot("c-1", {}, at=1.0),
        lambda: store.forget("c-1"),
        lambda: store.put_session(Session()),
        store.commit,
        store.load,
        store.subjects,
        store.get_session,
    ):
        with pytest.raises(JournalError, match="closed"):
            use()


def test_it_may_be_used_from_changing_threads(store: Store):
    """The connection actor's turns move from thread to thread, one at a time (SEMANTICS D1)."""
    failures: list[BaseException] = []

    def turn(n: int) -> None:
        try:
            store.append([event(n)])
            store.commit()
        except BaseException as error:  # noqa: BLE001  # shown by the assertion below
            failures.append(error)

    for n in range(1, 5):
        thread = threading.Thread(target=turn, args=(n,))
        thread.start()
        thread.join(5.0)

    assert failures == []
    assert numbers(store) == [1, 2, 3, 4]


class StoresAgree(RuleBasedStateMachine):
    """Whatever is done in whatever order, a store holds what a plain dictionary would."""

    place: Open

    def __init__(self) -> None:
        super().__init__()
        self.store = self.open_place()
        self.model: dict[str, list[object]] = {}
        self.committed: dict[str, list[object]] = {}
        self.count = 0

    def open_place(self) -> Store:
        raise AssertionError("a subclass says where")

    @rule(subject=st.sampled_from(["a", "b", "c"]), many=st.integers(0, 3))
    def append(self, subject: str, many: int) -> None:
        entries = []
        for _ in range(many):
            self.count += 1
            entries.append(event(self.count, subject))
            self.model.setdefault(subject, []).append(self.count)
        self.store.append(entries)

    @rule(subject=st.sampled_from(["a", "b", "c"]))
    def snapshot(self, subject: str) -> None:
        self.count += 1
        self.store.snapshot(subject, {"n": self.count}, at=1.0)
        self.model[subject] = [("snapshot", self.count)]

    @rule(subject=st.sampled_from(["a", "b", "c"]))
    def forget(self, subject: str) -> None:
        self.store.forget(subject)
        self.model.pop(subject, None)

    @rule()
    def commit(self) -> None:
        self.store.commit()
        self.committed = {subject: list(of_one) for subject, of_one in self.model.items()}

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = self.open_place()
        self.model = {subject: list(of_one) for subject, of_one in self.committed.items()}

    @invariant()
    def it_holds_what_the_model_holds(self) -> None:
        found: dict[str, list[object]] = {}
        for entry in self.store.load():
            what = ("snapshot", entry.state["n"]) if isinstance(entry, Snapshot) else entry.payload["n"]
            found.setdefault(entry.subject, []).append(what)
        assert found == self.model
        assert sorted(self.store.subjects()) == sorted(self.model)
        for subject in self.model:
            replay(self.store.load(subject=subject))  # raises on a gap, a duplicate or a second writer

    def teardown(self) -> None:
        self.store.close()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_any_history_of_writes_and_restarts_is_kept(place: Callable[[Path], Open], tmp_path: Path):
    """The contract as one law, against a model that is too simple to be wrong (SEMANTICS J4, J7)."""
    runs = iter(range(10_000))

    class Here(StoresAgree):
        def __init__(self) -> None:
            directory = tmp_path / str(next(runs))
            directory.mkdir()
            self.open_place = place(directory)
            super().__init__()

    run_state_machine_as_test(Here, settings=settings(max_examples=25, stateful_step_count=15, deadline=None))


@given(st.lists(entries.filter(lambda entry: not isinstance(entry, Snapshot)), max_size=6))
@settings(deadline=None)
def test_an_entry_that_is_kept_by_its_fields_is_the_one_that_is_appended(
    tmp_path_factory: pytest.TempPathFactory, many: list[Entry]
):
    """The writer does not make entries only to have them taken apart again."""
    first, second = MemoryStore(), SqliteStore(tmp_path_factory.mktemp("kept") / "j.db")
    try:
        for entry in many:
            fields = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
            first.append([entry])
            second.keep(type(entry), fields)
        second.commit()
        assert list(second.load()) == list(first.load())
    finally:
        second.close()


COMMON: dict[str, object] = {"subject": "c-1", "at": 1.0, "epoch": 0, "sequence": 0}
"""What every kind of entry has."""


@pytest.mark.parametrize(
    ("subject", "own"),
    [
        ("", {"what": "began", "values": {}, "after": 1}),
        ("c-1", {"what": "began", "values": {"a": object()}, "after": 1}),
        ("c-1", {"what": "began", "values": [], "after": 1}),
    ],
)
def test_what_cannot_be_kept_gives_no_number_away(store: Store, subject: str, own: dict[str, object]):
    """As what cannot be appended: the next reader would see a gap (SEMANTICS J7)."""
    with pytest.raises(JournalError, match="cannot store"):
        store.keep(Noted, COMMON | {"subject": subject} | own)

    store.keep(Noted, COMMON | {"what": "began", "values": {}, "after": 1})
    [entry] = store.load(subject="c-1")
    assert entry.sequence == 1


def test_fields_of_another_kind_are_refused(tmp_path: Path):
    """Nobody could read them any more."""
    with contextlib.closing(SqliteStore(tmp_path / "j.db")) as store:
        for own in ({"what": "began", "values": {}}, {"values": {}, "what": "began", "after": 1}):
            with pytest.raises(JournalError, match="its fields are subject, at, epoch, sequence, what, values, after"):
                store.keep(Noted, COMMON | own)
