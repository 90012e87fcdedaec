"""What the connection journals: before what, and until when."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, StrEnum
from pathlib import Path

import pytest

from relay_actors import CallActor, ConnectionLost, MessageActor, RelayApp
from relay_actors.actors.compacting import spread_out
from relay_actors.actors.course import Note, Started
from relay_actors.actors.journaling import SESSION, Journaling
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.wire import Consult
from relay_actors.errors import (
    CommandRejectedError,
    JournalError,
    NotSentError,
    RelayActorsError,
    RequestTimeoutError,
)
from relay_actors.events import CallReceiveEvent, CallStateEvent, PlayEvent
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
)
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.journal.redact import MASK
from relay_actors.journal.sqlite import SqliteStore
from relay_actors.protocol.happenings import EventArrived
from relay_actors.runtime.clock import ManualClock
from relay_actors.runtime.future import Future
from tests.actors.world import device
from tests.support.plain_app import (
    Recorder,
    answering,
    app_for,
    handle_of,
    in_background,
    logged_in,
    started_app,
    wait_until,
)
from tests.support.plain_server import CALL, DEADLINE_S, NODE, PROTOCOL, PlainPeer, PlainServer


class Kind(Enum):
    """What JSON writes by its value, and the journal does not know."""

    PHONE = "phone"


class Tag(StrEnum):
    """A text, and more."""

    REMINDER = "reminder"


class GatedStore(MemoryStore):
    """A store that can be stopped in the middle of a commit, as a slow disk would.

    Attributes:
        reached: set while a commit is held.
        go_on: set it to let commits through.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_held: Callable[[Entry], bool] = lambda _entry: False
        self._appended: list[Entry] = []
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def hold(self, is_held: Callable[[Entry], bool]) -> None:
        """Hold the commit of such an entry."""
        self._is_held = is_held

    def append(self, entries: Iterable[Entry]) -> None:
        taken = list(entries)
        self._appended += taken
        super().append(taken)

    def commit(self) -> None:
        appended, self._appended = self._appended, []
        if any(map(self._is_held, appended)):
            self.reached.set()
            assert self.go_on.wait(DEADLINE_S)
        super().commit()


class ForgetfulStore(MemoryStore):
    """A store that fails once, by an error of its own making."""

    def __init__(self, fails: Callable[[str, object], BaseException | None]) -> None:
        super().__init__()
        self._fails = fails

    def append(self, entries: Iterable[Entry]) -> None:
        taken = list(entries)
        for entry in taken:
            error = self._fails("append", entry)
            if error is not None:
                raise error
        super().append(taken)

    def commit(self) -> None:
        error = self._fails("commit", None)
        if error is not None:
            raise error
        super().commit()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each kind of store."""
    store: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "journal.db")
    yield store
    store.close()


def up(peer: PlainPeer, call_id: str = CALL) -> None:
    """Have a call offered, and answered by an application that does so."""
    peer.call(call_id)
    peer.ok(peer.expect("calling.answer", call_id=call_id))
    peer.settle()
    peer.state("answered", call_id)


def texts(from_number: str, to_number: str) -> dict[str, str]:
    return {"from_number": from_number, "to_number": to_number, "body": "hi"}


def kinds(entries: Iterable[Entry]) -> list[tuple[str, str]]:
    """Sum entries up: an event by its type, a command by its method, an outcome by its name."""
    told = []
    for entry in entries:
        match entry:
            case EventReceived(payload=payload):
                told.append(("event", str(payload["event_type"])))
            case CommandIntended(method=method):
                told.append(("intent", method))
            case CommandSettled(outcome=outcome):
                told.append(("settled", outcome.value))
    return told


# -- order -----------------------------------------------------------------------------------------------------------


def test_an_event_is_durable_before_it_is_acknowledged_and_acknowledged_before_it_is_delivered(
    server: PlainServer,
) -> None:
    """A crash at any point loses no acknowledged event. SEMANTICS J1."""
    store, recorder = GatedStore(), Recorder(answering)
    store.hold(lambda entry: isinstance(entry, EventReceived))
    with logged_in(server, recorder, journal=store) as (_app, peer):
        event_id = peer.call()
        assert store.reached.wait(DEADLINE_S)
        peer.expect_nothing()
        assert peer.acks_of(event_id) == []
        assert recorder.so_far() == []
        store.go_on.set()
        peer.expect("calling.answer")
        ack, answer = peer.acks_of(event_id)[0], next(f for f in peer.frames if f.get("method") == "calling.answer")
        assert peer.frames.index(ack) < peer.frames.index(answer)
        assert recorder.next(CallReceiveEvent).call_id == CALL
        peer.state("ended")


def test_a_command_is_durable_before_it_leaves(server: PlainServer) -> None:
    """A command that nobody remembers may be given twice. SEMANTICS J2."""
    store = GatedStore()
    store.hold(lambda entry: isinstance(entry, CommandIntended))
    with logged_in(server, Recorder(answering), journal=store) as (_app, peer):
        event_id = peer.call()
        assert store.reached.wait(DEADLINE_S)
        peer.expect_ack(event_id)
        peer.expect_nothing()
        store.go_on.set()
        peer.ok(peer.expect("calling.answer"))
        peer.state("ended")


def test_what_happens_to_a_call_can_be_read_again(server: PlainServer, store: Store) -> None:
    """In order, with what was asked and what became of it. SEMANTICS J4, J5."""
    with logged_in(server, Recorder(answering), journal=store) as (app, peer):
        up(peer)
        handle = handle_of(app, CALL)
        handle.wait_for_answered().get(timeout=DEADLINE_S)
        refused = handle.send_digits("1")
        peer.answer(peer.expect("calling.send_digits", digits="1"), {"code": "500", "message": "no"})
        with pytest.raises(RelayActorsError):
            refused.get(timeout=DEADLINE_S)
        lost = handle.send_digits("2")
        peer.expect("calling.send_digits", digits="2")
        peer.vanish()
        peer = server.accept_login()
        with pytest.raises(RelayActorsError):
            lost.get(timeout=DEADLINE_S)
        peer.settle()
        assert kinds(store.load(subject=CALL)) == [
            ("event", "calling.call.receive"),
            ("intent", "calling.answer"),
            ("settled", "ok"),
            ("event", "calling.call.state"),
            ("intent", "calling.send_digits"),
            ("settled", "rejected"),
            ("intent", "calling.send_digits"),
            ("settled", "unknown"),
        ]
        events = [entry for entry in store.load(subject=CALL) if isinstance(entry, EventReceived)]
        assert all(isinstance(entry.frame_id, str) for entry in events)
        peer.state("ended")


# -- until when ------------------------------------------------------------------------------------------------------


def subjects(app: RelayApp, store: Store) -> set[str]:
    """Who has entries. Asked in the connection's turn: nobody else may touch a journal that is in use."""
    known: Future[list[str]] = Future()
    app._running().office.tell_connection(Consult(lambda _wire: store.subjects(), known))
    return set(known.get(timeout=DEADLINE_S))


def test_nothing_is_left_when_all_is_over(server: PlainServer, store: Store) -> None:
    """Else the journal would grow for ever: calls that ended, were turned away, dialled in vain; texts; and noise."""

    class Dialled(CallActor):
        pass

    class Inbox(MessageActor):
        def on_receive(self, message: object) -> None:
            self.reply("thanks")

    app = app_for(server, journal=store)
    app.calls("support")(Recorder(answering).actor_class)
    app.messages("support")(Inbox)
    with started_app(app, server) as peer:
        up(peer)
        peer.state("ended", end_reason="hangup")
        peer.state("ended", end_reason="late")
        peer.call("turned-away", context="nobody's")
        peer.ok(peer.expect("calling.end", call_id="turned-away"))
        peer.state("ended", "turned-away")
        peer.event("calling.call.play", {"call_id": "a-peer", "state": "playing"})
        peer.state("created", "a-peer-leg", created_by="connect")
        peer.event("calling.conference", {"conference_id": "c", "status": "conference-end"})
        peer.event("messaging.receive", {"message_id": "in", "context": "support", **texts("+1", "+2")})
        send = peer.expect("messaging.send")
        peer.ok(send, message_id="out")
        peer.event("messaging.state", {"message_id": "out", "message_state": "delivered"})
        peer.event("messaging.state", {"message_id": "out", "message_state": "delivered"})
        peer.event("messaging.state", {"message_id": "unknown", "message_state": "delivered"})
        dial = app.dial(Dialled, [[{"type": "phone", "params": {"to_number": "+1"}}]], tag="in-vain")
        peer.ok(peer.expect("calling.dial"))
        peer.state("created", "leg-1", tag="in-vain", created_by="dial")
        peer.event("calling.call.dial", {"tag": "in-vain", "dial_state": "failed", "node_id": NODE})
        peer.state("ended", "leg-1", tag="in-vain", created_by="dial")
        with pytest.raises(RelayActorsError):
            dial.wait_for_answered().get(timeout=DEADLINE_S)
        won = app.dial(Dialled, [[{"type": "phone", "params": {"to_number": "+1"}}]], tag="won")
        peer.ok(peer.expect("calling.dial"))
        for leg in ("winner", "loser"):
            peer.state("created", leg, tag="won", created_by="dial")
        peer.event(
            "calling.call.dial",
            {"tag": "won", "dial_state": "answered", "call": {"call_id": "winner", "node_id": NODE, "tag": "won"}},
        )
        peer.state("ended", "loser", tag="won", created_by="dial")
        won.wait_for_answered().get(timeout=DEADLINE_S)
        peer.state("ended", "winner", tag="won", created_by="dial")
        won.wait_for_ended().get(timeout=DEADLINE_S)
        wait_until(lambda: app.system.actor_count == PILLARS)
        # These may still find an owner. The connection hears of an end, and forgets, after the actor is counted out.
        wait_until(lambda: subjects(app, store) <= {"a-peer", "unknown"}, "the journal has forgotten what is over")
        wait_until(lambda: not subjects(app, store), "the journal is empty")


def test_a_session_is_kept_as_long_as_it_can_be_resumed(server: PlainServer, store: Store) -> None:
    """And not a moment longer. PROTOCOL 3.5, 6.1."""
    with logged_in(server, journal=store) as (_app, peer):
        peer.event("signalwire.authorization.state", {"authorization_state": "cipher:vector"})
        peer.settle()
        assert store.get_session() == Session(protocol=PROTOCOL, authorization_state="cipher:vector")
        peer.send_request("signalwire.disconnect", {"restart": True})
        peer.settle()
        assert store.get_session() == Session()


def test_a_journal_given_by_its_path_is_made_kept_and_closed(server: PlainServer, tmp_path: Path) -> None:
    """Without the credentials in it. SEMANTICS J10."""
    path = tmp_path / "calls.db"
    for journal in (str(path), path):
        with logged_in(server, Recorder(answering), journal=journal) as (app, peer):
            up(peer)
            handle_of(app, CALL).play_tts("a-secret-token")
            peer.ok(peer.expect("calling.play"))
            peer.settle()
            peer.vanish()
            peer = server.accept_login({"protocol": "signalwire_other"})
            peer.settle()
    store = SqliteStore(path)
    store.close()
    assert b"a-secret-token" not in path.read_bytes()


# -- when it fails ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["append", "commit"])
def test_the_connection_comes_back_when_keeping_an_event_has_raised_something_odd(
    server: PlainServer, place: str
) -> None:
    """It is not acknowledged before it is safe, nor lost: the next incarnation goes on with it. SEMANTICS J1, K1."""
    is_armed = [False]

    def fails(where: str, entry: object) -> BaseException | None:
        if where == place and is_armed and is_armed[0]:
            is_armed.clear()
            return RuntimeError("a bug in the store")
        return None

    recorder = Recorder(answering)
    store = ForgetfulStore(fails)
    with logged_in(server, recorder, journal=store) as (app, peer):
        up(peer)
        recorder.next(CallStateEvent)
        is_armed[0] = True
        peer.event("calling.call.play", {"call_id": CALL, "state": "playing"}, id="unlucky")
        assert peer.expect_end() == "broken"
        peer = server.accept()
        assert peer.let_in()["params"]["protocol"] == PROTOCOL
        assert recorder.next(PlayEvent).state == "playing"
        assert recorder.next(ConnectionLost) is not None
        peer.event("calling.call.play", {"call_id": CALL, "state": "playing"}, id="unlucky")  # the server repeats it
        peer.settle()
        assert len(peer.acks_of("unlucky")) == 1
        assert not [message for _call, message in recorder.so_far() if isinstance(message, PlayEvent)]
        told = [entry.frame_id for entry in store.load(subject=CALL) if isinstance(entry, EventReceived)]
        assert told.count("unlucky") == 1  # or the call would be told twice when it is taken up
        peer.state("ended")
        handle_of(app, CALL).wait_for_ended().get(timeout=DEADLINE_S)


def test_a_command_that_could_not_be_kept_is_not_sent(server: PlainServer) -> None:
    """Its asker is told; the connection comes back for the others. SEMANTICS J2."""

    def fails(where: str, entry: object) -> BaseException | None:
        if isinstance(entry, CommandIntended) and entry.method == "calling.send_digits":
            return RuntimeError("a bug in the store")
        return None

    with logged_in(server, Recorder(answering), journal=ForgetfulStore(fails)) as (app, peer):
        up(peer)
        with pytest.raises(NotSentError, match="a bug in the store"):
            handle_of(app, CALL).send_digits("1").get(timeout=DEADLINE_S)
        peer.expect_end()
        assert [frame for frame in peer.frames if frame.get("method") == "calling.send_digits"] == []
        peer = server.accept_login()
        peer.state("ended")
        peer.expect_nothing()


@pytest.mark.parametrize("unfit", [object(), {1, 2}, {1: 2}, 1 << 64, float("nan"), "\ud800"])
def test_a_command_that_json_cannot_write_is_refused_and_the_connection_does_not_suffer(
    server: PlainServer, unfit: object
) -> None:
    """It stands in the journal as one that was not sent; another has its turn. SEMANTICS J2, K6."""
    store = MemoryStore()
    with logged_in(server, Recorder(answering), journal=store) as (app, peer):
        up(peer)
        with pytest.raises(NotSentError, match="cannot be written as JSON"):
            handle_of(app, CALL).user_event(event="order", extra={"x": unfit}).get(timeout=DEADLINE_S)
        peer.settle()
        [settled] = [
            entry for entry in store.load() if isinstance(entry, CommandSettled) and entry.outcome != Outcome.OK
        ]
        assert settled.outcome == Outcome.NOT_SENT
        peer.state("ended")
        peer.expect_nothing()


def test_a_journal_that_fails_ends_the_connection_and_is_not_tried_again(server: PlainServer) -> None:
    """Nothing can be promised any more, so nothing is: the process has to begin anew. SEMANTICS J6."""
    medium = MemoryMedium()
    recorder = Recorder(answering)
    app = app_for(server, journal=MemoryStore(medium))
    app.calls("support")(recorder.actor_class)

    def play() -> None:
        peer = server.accept_login()
        up(peer)
        recorder.next(CallStateEvent)
        medium.full = True
        peer.event("calling.call.play", {"call_id": CALL, "state": "playing"}, id="unsafe")
        assert peer.expect_end() == "broken"
        assert peer.acks_of("unsafe") == []
        recorder.next(ConnectionLost)

    with in_background(play), pytest.raises(JournalError, match="its medium is full"):
        app.run()
    assert server.accepted == 1
    assert not [message for _call, message in recorder.so_far() if isinstance(message, PlayEvent)]
    assert not app.is_running


def test_after_the_journal_has_failed_nobody_waits_for_anything(server: PlainServer) -> None:
    """What is asked is answered at once, with the reason. SEMANTICS J6, K6."""
    medium = MemoryMedium()
    with logged_in(server, Recorder(answering), journal=MemoryStore(medium)) as (app, peer):
        up(peer)
        pending = app.execute("calling.pending", {})
        peer.expect("calling.pending")
        medium.full = True
        peer.state("ended")
        with pytest.raises(RelayActorsError):
            pending.get(timeout=DEADLINE_S)
        for asked in (app.execute("calling.x", {}), app.receive(["more"])):
            with pytest.raises(NotSentError):
                asked.get(timeout=DEADLINE_S)


# -- by itself -------------------------------------------------------------------------------------------------------

PILLARS = 6


def journaling(store: Store | None) -> Journaling:
    return Journaling(store, ManualClock())


def nobody(_result: object, _error: object) -> None:
    """Nobody waits for the answer."""


def test_without_a_store_everything_is_done_by_doing_nothing() -> None:
    """A journal is a choice."""
    keeps = journaling(None)
    keeps.event("x", EventArrived("id", {}))
    keeps.intended("id", Outgoing("calling.x", {}, nobody, "x"))
    keeps.settled("id", Outgoing("calling.x", {}, nobody, "x"), {}, None)
    keeps.forget("x")
    keeps.session("protocol", "state")
    keeps.commit()


def test_events_about_nothing_are_kept_under_a_name_of_their_own() -> None:
    """A store has no place for an entry without a subject."""
    store = MemoryStore()
    keeps = journaling(store)
    keeps.event("", EventArrived("id", {"event_type": "x"}))
    assert store.subjects() == [SESSION]
    keeps.forget("")
    assert store.subjects() == []


@pytest.mark.parametrize("frame_id", [True, [1], {"a": 1}, None])
def test_ids_that_are_no_scalars_are_not_kept(frame_id: object) -> None:
    """They are legal JSON, and would make the journal unreadable."""
    store = MemoryStore()
    journaling(store).event("x", EventArrived(frame_id, {"event_type": "x"}))
    [entry] = store.load()
    assert isinstance(entry, EventReceived)
    assert entry.frame_id is None


def test_params_that_only_json_understands_are_kept_as_json_wrote_them() -> None:
    """An application may hand a UUID on: that must not end its journal."""
    store = MemoryStore()
    tag = uuid.UUID(int=5)
    journaling(store).intended("id", Outgoing("calling.x", {"tag": tag}, nobody, "x"))
    [entry] = store.load()
    assert isinstance(entry, CommandIntended)
    assert entry.params == {"tag": str(tag)}


def test_a_dial_that_only_json_understands_is_kept_as_json_wrote_it() -> None:
    """The same, of what is noted before the dial itself."""
    store = MemoryStore()
    dial = {"tag": "t", "devices": [[{"type": Kind.PHONE, "params": {"id": uuid.UUID(int=5)}}]], "odd": {1, 2}}
    journaling(store).started(Started("t", "module:Class", "outbound", {}, {"seed": "s", "dial": dial}))
    [entry] = store.load()
    assert isinstance(entry, CallStarted)
    devices = [[{"type": "phone", "params": {"id": str(uuid.UUID(int=5))}}]]
    assert entry.settings == {"seed": "s", "dial": {"tag": "t", "devices": devices, "odd": MASK}}


def test_a_dial_under_a_tag_that_is_more_than_a_text_does_not_end_the_application(
    server: PlainServer, tmp_path: Path
) -> None:
    """Such as a member of an enumeration: it is told to the journal as the text that it is."""
    with logged_in(server, journal=tmp_path / "calls.db") as (app, peer):
        app.dial(CallActor, [[device("+15550001111")]], tag=Tag.REMINDER)
        assert peer.expect("calling.dial")["params"]["tag"] == "reminder"
        peer.settle()
        assert app._running().wire.broken is None


def test_what_else_of_a_beginning_is_not_plain_is_refused() -> None:
    """That is not the application's, but a fault of the framework's."""
    store = MemoryStore()
    for settings in ({"seed": {1}}, {"seed": {1}, "dial": {"tag": "t"}}):
        with pytest.raises(JournalError, match="cannot store settings"):
            journaling(store).started(Started("t", "module:Class", "outbound", {}, settings))
    assert list(store.load()) == []


@pytest.mark.parametrize(
    ("value", "sent_as"), [(Kind.PHONE, "phone"), (uuid.UUID(int=5), str(uuid.UUID(int=5))), ({1}, None)]
)
def test_a_dial_with_something_odd_in_it_does_not_end_the_application(
    server: PlainServer, tmp_path: Path, value: object, sent_as: str | None
) -> None:
    """As without a journal: it is sent if JSON can write it, and otherwise it fails alone."""
    with logged_in(server, journal=tmp_path / "calls.db") as (app, peer):
        params = {"from_number": "+15550001111", "to_number": "+15550002222", "odd": value}
        handle = app.dial(CallActor, [[{"type": "phone", "params": params}]], tag="t")
        if sent_as is not None:
            [[device]] = peer.expect("calling.dial")["params"]["devices"]
            assert device["params"]["odd"] == sent_as
        else:
            with pytest.raises(NotSentError, match="cannot be written as JSON"):
                handle.wait_for_answered().get(timeout=DEADLINE_S)
        peer.settle()
        assert app._running().wire.broken is None


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, Outcome.OK),
        (CommandRejectedError("calling.x", 500, "no"), Outcome.REJECTED),
        (NotSentError("no"), Outcome.NOT_SENT),
        (RequestTimeoutError("calling.x"), Outcome.UNKNOWN),
    ],
)
def test_the_outcome_says_whether_it_may_be_tried_again(error: RelayActorsError | None, outcome: Outcome) -> None:
    """SEMANTICS K6."""
    store = MemoryStore()
    journaling(store).settled("id", Outgoing("calling.x", {}, nobody, "x"), None if error else {"code": "200"}, error)
    [entry] = store.load()
    assert isinstance(entry, CommandSettled)
    assert entry.outcome is outcome


def test_a_session_that_has_not_changed_is_not_written_again() -> None:
    """It is looked at in every round."""
    store = GatedStore()
    keeps = journaling(store)
    keeps.session("p", "s")
    keeps.commit()
    store.close()
    keeps.session("p", "s")
    keeps.commit()  # a closed store would say so
    with pytest.raises(JournalError):
        keeps.session("p", "t")


def checkpoint(number: int) -> Note:
    """A call notes how far it has come, and that nothing is open."""
    return Note(CALL, "saved", {"data": {"n": number}, "open": {"from": 0, "actions": []}}, number)


def counted(store: Store) -> int:
    return sum(1 for _entry in store.load(subject=CALL))


def test_a_past_is_summed_up_when_there_is_more_of_it_than_was_left(store: Store) -> None:
    """What is left is written again each time; so each entry is written again about once, however long the call."""
    journal = journaling(store)
    journal.started(Started(CALL, "a:B", "inbound", {}, {}))
    journal.event(CALL, EventArrived("f", {"event_type": "calling.call.receive", "params": {"call_id": CALL}}))
    for number in range(10):
        journal.noted(Note(CALL, "told", {"n": number}, 1))
    journal.noted(checkpoint(1))
    journal.commit()
    assert counted(store) == 1, "a snapshot"
    assert journal.history(CALL).summed_up == 2
    journal.noted(checkpoint(1))
    assert counted(store) == 2, "there are three entries in it, and one more is not worth it"
    journal.noted(checkpoint(1))
    journal.noted(checkpoint(1))
    assert counted(store) == 1
    assert [entry.what for entry in spread_out(journal.entries(CALL)) if isinstance(entry, Noted)] == ["saved"]


def test_what_cannot_be_summed_up_stays_and_is_tried_again_at_twice_the_length(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """The store refuses, and is well otherwise: nobody is stopped. J6."""
    journal = journaling(store)
    refused: list[str] = []

    def refuse(subject: str, _state: object, *, at: float, pending: object) -> None:
        refused.append(subject)
        raise JournalError(f"not at {at}, with {pending} pending")

    store.snapshot = refuse  # type: ignore[method-assign]
    for number in range(1, 17):
        journal.noted(checkpoint(number))
    journal.commit()
    assert counted(store) == 16
    assert len(refused) == 5, "after 1, 2, 4, 8 and 16"
    assert "could not be summed up" in caplog.text
    journal.forget(CALL)
    journal.noted(checkpoint(1))
    assert len(refused) == 6, "it is another call then"
