"""`RelayApp`: what it promises to those who start, run and stop it."""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from relay_actors import Actor, CallActor, MessageActor, RelayApp, RelayError
from relay_actors.actors.ending import Ending
from relay_actors.actors.given_journal import GivenJournal
from relay_actors.actors.leg import Leg
from relay_actors.actors.shutdown import Shutdown
from relay_actors.actors.tree import Tree
from relay_actors.errors import (
    ArgumentError,
    ConfigError,
    ConnectionLimitError,
    ConnectionLostError,
    JournalError,
    WouldDeadlock,
)
from relay_actors.events import CallReceiveEvent, CallStateEvent
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.journal.opening import open_sqlite
from tests.actors.verbs.on_the_wire import parameters_of_function
from tests.actors.verbs.uses import parameters_in
from tests.support.plain_app import (
    Recorder,
    answering,
    app_for,
    handle_of,
    in_background,
    logged_in,
    started,
    started_app,
    wait_until,
)
from tests.support.plain_server import CALL, DEADLINE_S, NODE, PlainPeer, PlainServer
from tests.support.ports import reserved_port
from tests.support.thorough import some_of
from tests.support.tls import ThrowawayAuthority

VARIABLES = (
    "SIGNALWIRE_PROJECT_ID",
    "SIGNALWIRE_API_TOKEN",
    "SIGNALWIRE_JWT_TOKEN",
    "SIGNALWIRE_SPACE",
    "SIGNALWIRE_RELAY_HOST",
    "SIGNALWIRE_RELAY_SCHEME",
    "SIGNALWIRE_RELAY_CA_FILE",
    "SIGNALWIRE_LOG_LEVEL",
    "RELAY_MAX_ACTIVE_CALLS",
    "RELAY_MAX_CONNECTIONS",
)
DEVICES = [[{"type": "phone", "params": {"from_number": "+14045550199", "to_number": "+14045550201"}}]]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def server() -> Iterator[PlainServer]:
    with PlainServer() as server:
        yield server


# -- the methods of the seed -----------------------------------------------------------------------------------------

SEED_METHODS = {
    row["name"]: row["python_signature"]
    for row in json.loads((Path(__file__).parent / "data" / "methods.json").read_text("utf-8"))["client_methods"]
}
OTHERWISE = {
    "connect": "start",
    "disconnect": "stop",
    "on_call": "calls",
    "on_message": "messages",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
}
"""What needs an asyncio loop, or one handler for all calls, and what does the same here (DESIGN 5)."""


@pytest.mark.parametrize("name", SEED_METHODS)
def test_what_the_official_client_can_do_an_application_can(name: str) -> None:
    """Under the same name with the same arguments, unless that would be asyncio's (methods.json, client_methods)."""
    if name in OTHERWISE:
        assert callable(getattr(RelayApp, OTHERWISE[name]))
        return
    further = {"dial": {"actor_class", "data"}, "run": {"drain_s"}}.get(name, set())
    ours = parameters_of_function(getattr(RelayApp, name))
    assert [one for one in ours if one[0] not in further] == parameters_in(SEED_METHODS[name])
    assert further <= {one[0] for one in ours}


# -- what is refused early -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"project": 5}, "project"),
        ({"token": b"bytes"}, "token"),
        ({"jwt_token": []}, "jwt_token"),
        ({"host": "https://example.signalwire.com"}, "Invalid host"),
        ({"host": "example.com/path"}, "SIGNALWIRE_SPACE"),
        ({"host": "example.com:0"}, "port"),
        ({"host": 5}, "host"),
        ({"scheme": "http"}, "scheme"),
        ({"scheme": "ws", "host": "example.com"}, "loopback"),
        ({"ca_file": 5}, "ca_file"),
        ({"contexts": "support"}, r"contexts=\['support'\]"),
        ({"contexts": [""]}, "contexts"),
        ({"contexts": 5}, "contexts"),
        ({"max_active_calls": 0}, "max_active_calls"),
        ({"max_active_calls": "many"}, "max_active_calls"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named_when_the_application_is_made(
    arguments: dict[str, Any], named: str
) -> None:
    """Not at the first call in the night. DESIGN 5."""
    with pytest.raises(ConfigError, match=named) as caught:
        RelayApp(**arguments)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, r"^project is required.*SIGNALWIRE_PROJECT_ID"),
        ({"SIGNALWIRE_PROJECT_ID": "p"}, r"^token is required.*SIGNALWIRE_API_TOKEN"),
        ({"SIGNALWIRE_JWT_TOKEN": "j", "SIGNALWIRE_SPACE": "http://x"}, r"^Invalid host"),
        ({"SIGNALWIRE_JWT_TOKEN": "j", "SIGNALWIRE_RELAY_SCHEME": "ftp"}, "SIGNALWIRE_RELAY_SCHEME"),
        ({"SIGNALWIRE_JWT_TOKEN": "j", "SIGNALWIRE_RELAY_SCHEME": "ws"}, "loopback"),
        ({"SIGNALWIRE_JWT_TOKEN": "j", "SIGNALWIRE_RELAY_CA_FILE": "/not/here"}, "SIGNALWIRE_RELAY_CA_FILE"),
        ({"SIGNALWIRE_JWT_TOKEN": "j", "RELAY_MAX_ACTIVE_CALLS": "many"}, "RELAY_MAX_ACTIVE_CALLS"),
        ({"SIGNALWIRE_JWT_TOKEN": "j", "RELAY_MAX_CONNECTIONS": "0"}, "RELAY_MAX_CONNECTIONS"),
        ({"SIGNALWIRE_JWT_TOKEN": "j", "SIGNALWIRE_LOG_LEVEL": "LOUD"}, "SIGNALWIRE_LOG_LEVEL"),
    ],
)
def test_a_variable_that_is_missing_or_cannot_be_used_is_named_before_any_network_activity(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    """PROTOCOL 15, 16.2, 16.3. No socket is opened, no thread started, no slot kept."""

    def opened(*_args: object, **_kwargs: object) -> socket.socket:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", opened)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    app, threads = RelayApp(), threading.active_count()
    for start in (app.start, app.run):
        with pytest.raises(ConfigError, match=named):
            start()
    assert not app.is_running
    assert threading.active_count() == threads


def test_settings_come_from_the_environment_and_arguments_win(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROTOCOL 15, 16.3; an empty argument counts as missing."""
    monkeypatch.setenv("SIGNALWIRE_PROJECT_ID", "of-the-environment")
    monkeypatch.setenv("SIGNALWIRE_API_TOKEN", "token-of-the-environment")
    monkeypatch.setenv("SIGNALWIRE_SPACE", server.host)
    monkeypatch.setenv("SIGNALWIRE_RELAY_SCHEME", "ws")
    app = RelayApp(project="of-the-argument", token="")
    with started_app(app, server) as peer:
        authentication = {"project": "of-the-argument", "token": "token-of-the-environment"}
        assert peer.frames[0]["params"]["authentication"] == authentication


def test_what_is_made_without_credentials_can_be_given_them_at_the_start(server: PlainServer) -> None:
    """An application is a module; whoever starts it may know better: a test, a command line."""
    app = RelayApp()
    with in_background(lambda: server.accept_login()):
        app.start(host=server.host, scheme="ws", jwt_token="jwt")
    app.stop()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda app: app.calls("support")(MessageActor),
        lambda app: app.calls(CallActor)(CallActor),  # ``@app.calls`` without parentheses
        lambda app: app.calls("")(CallActor),
        lambda app: app.messages("support")(CallActor),
        lambda app: app.messages()(print),
        lambda app: app.service(object, name="queue"),
        lambda app: app.service(Actor, name=""),
        lambda app: [app.service(Actor, name="twice") for _ in range(2)],
    ],
)
def test_a_class_of_the_wrong_kind_is_refused_where_it_is_named(wrong: Callable[[RelayApp], Any]) -> None:
    """Otherwise it would be found at the first call."""
    app = RelayApp()
    with pytest.raises(ConfigError):
        wrong(app)


def test_an_application_knows_whether_it_has_anything_to_do() -> None:
    """One that only dials may do so in a service, or when it ends; one without all of that is not what was meant."""

    class Waits(CallActor):
        async def run(self) -> None:
            await self.wait_for_ended()

    has: list[Callable[[RelayApp], object]] = [
        lambda app: app.calls()(Waits),
        lambda app: app.messages("office")(MessageActor),
        lambda app: app.service(Actor, name="dialer"),
        lambda app: app.on_shutdown("stop_intake", print),
    ]
    assert not RelayApp().has_something_to_do
    assert RelayApp(contexts=["office"]).has_something_to_do
    for give in has:
        app = RelayApp()
        give(app)
        assert app.has_something_to_do


def test_a_decorator_returns_its_class_unchanged() -> None:
    """PROTOCOL 8.3."""
    app = RelayApp(contexts=["b", "c"])

    class Call(CallActor):
        """A call."""

        def on_start(self) -> None:
            """Nothing is to be done."""

    class Text(MessageActor):
        """A text."""

    assert app.calls("a")(Call) is Call
    assert app.calls()(Call) is Call
    assert app.messages("b")(Text) is Text
    assert app.contexts == ("b", "c", "a")


def test_a_decorator_without_its_parentheses_says_so() -> None:
    """It would be given the class for a context, and the class would be replaced by a function."""
    for verb in ("calls", "messages"):
        with pytest.raises(ConfigError, match=re.escape(f'write @app.{verb}("support") for the context')):
            getattr(RelayApp(), verb)(CallActor)


def test_a_class_that_would_let_callers_ring_for_ever_is_refused() -> None:
    """Nobody would hear of a misspelt handler but the caller, who hears nothing at all."""

    class Office(CallActor):
        async def runs(self) -> None:
            await self.answer()

    with pytest.raises(ConfigError, match=r"Office would let callers ring for ever: .*; runs probably means run$"):
        RelayApp().calls("support")(Office)
    with pytest.raises(ConfigError, match=r"CallActor would let callers ring for ever: [^;]*$"):
        RelayApp().calls()(CallActor)


@pytest.mark.parametrize(
    "use",
    [
        lambda app: app.lookup("queue"),
        lambda app: app.call(CALL),
        lambda app: app.execute("calling.x", {}),
        lambda app: app.receive(["support"]),
        lambda app: app.dial(CallActor, DEVICES),
        lambda app: app.send_message(to_number="+1", from_number="+2", body="hi"),
        lambda app: app.relay_protocol,
        lambda app: app.system,
    ],
)
def test_an_application_that_does_not_run_says_so(use: Callable[[RelayApp], object]) -> None:
    """And what to do."""
    with pytest.raises(ConfigError, match=r"not running: call app\.start\(\)"):
        use(RelayApp())


# -- start and stop --------------------------------------------------------------------------------------------------


@contextmanager
def nothing_left() -> Iterator[None]:
    """See that no thread and no descriptor is left. SEMANTICS H9."""
    gc.collect()
    threads, descriptors = set(threading.enumerate()), descriptors_now()
    yield
    gc.collect()
    wait_until(lambda: not set(threading.enumerate()) - threads, "the end of all threads")
    wait_until(lambda: descriptors_now() <= descriptors, "the end of all descriptors")


def descriptors_now() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_an_application_can_be_started_and_stopped_again_and_again(server: PlainServer, tmp_path: Path) -> None:
    """Each time as if for the first time, and each time nothing is left. SEMANTICS H8, H9, L10."""
    recorder = Recorder(answering)
    app = app_for(server, journal=tmp_path / "calls.db")
    app.calls("support")(recorder.actor_class)
    app.service(Actor, name="queue")
    with nothing_left():
        for _ in range(3):
            peer = started(app, server)
            app.start()  # does nothing more
            assert app.is_running
            assert repr(app) == "<RelayApp relay running contexts=['support']>"
            peer.call()
            peer.ok(peer.expect("calling.answer"))
            recorder.next(CallReceiveEvent)
            peer.state("ended")
            handle_of(app, CALL).wait_for_ended().get(timeout=DEADLINE_S)
            assert app.lookup("queue") is not None
            assert app.lookup("nobody") is None
            system = app.system
            assert app.stop() is True
            assert app.stop() is True
            assert peer.expect_end() == "goodbye"
            assert not app.is_running
            assert system.actor_count == 0
            assert len(system.registry) == 0
            assert system.dispatcher.pending_timers == 0  # type: ignore[attr-defined]  # of the pooled dispatcher
    assert server.accepted == 3


def test_with_an_application_is_start_and_stop(server: PlainServer) -> None:
    """Also when what is inside raises."""
    app = app_for(server)

    def inside() -> None:
        with app as entered:
            assert entered is app
            assert app.is_running
            raise RuntimeError("inside")

    with in_background(lambda: server.accept_login()), pytest.raises(RuntimeError, match="inside"):
        inside()
    assert not app.is_running


@pytest.mark.parametrize("when", ["connecting", "logging in", "logged in"])
def test_a_stop_right_after_the_start_warns_of_nothing(
    server: PlainServer, caplog: pytest.LogCaptureFixture, when: str
) -> None:
    """And leaves nothing, wherever the connection has got to."""
    with nothing_left():
        app = app_for(server, contexts=["support"])
        app.start(wait_s=None)
        if when != "connecting":
            peer = server.accept()
            peer.expect("signalwire.connect") if when == "logging in" else peer.let_in()
        if when == "logged in":
            wait_until(lambda: app._running().wire.protocol.is_ready)
        assert app.stop() is True
        if when != "connecting":
            assert peer.expect_end() == "goodbye"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_second_stop_waits_for_the_first(server: PlainServer) -> None:
    """Who has stopped may rely on it. SEMANTICS H8."""
    recorder = Recorder(answering)
    app = app_for(server)
    app.calls("support")(recorder.actor_class)
    with started_app(app, server) as peer:
        peer.call()
        peer.ok(peer.expect("calling.answer"))
        recorder.next(CallReceiveEvent)
        results: list[bool] = []
        stopping = [threading.Thread(target=lambda: results.append(app.stop())) for _ in range(3)]
        for thread in stopping:
            thread.start()
        end = peer.expect("calling.end")
        assert results == []
        peer.ok(end)
        peer.state("ended")
        for thread in stopping:
            thread.join(DEADLINE_S)
        assert results == [True] * 3


def test_a_stop_inside_an_actor_is_refused(server: PlainServer) -> None:
    """It would wait for its own end."""
    raised: list[BaseException] = []
    app = app_for(server)

    class Service(Actor):
        def on_receive(self, message: object) -> None:
            try:
                app.stop()
            except WouldDeadlock as error:
                raised.append(error)

    app.service(Service, name="service")
    with started_app(app, server):
        service = app.lookup("service")
        assert service is not None
        service.ask("stop", timeout=DEADLINE_S)
        assert len(raised) == 1
        assert app.is_running


def test_a_stop_may_wait_for_the_calls_that_are_up(server: PlainServer) -> None:
    """SEMANTICS H5, H6."""
    recorder = Recorder(answering)
    app = app_for(server)
    app.calls("support")(recorder.actor_class)
    with started_app(app, server) as peer:
        peer.call()
        peer.ok(peer.expect("calling.answer"))
        recorder.next(CallReceiveEvent)
        stopping = threading.Thread(target=app.stop, kwargs={"drain_s": 60.0})
        stopping.start()
        peer.ok(peer.expect("signalwire.unreceive", contexts=["support"]))
        peer.call("late")
        peer.ok(peer.expect("calling.end", call_id="late", reason="decline"))
        peer.state("ended")
        stopping.join(DEADLINE_S)
        assert not stopping.is_alive()
        assert [frame for frame in peer.frames if frame.get("params", {}).get("reason") == "hangup"] == []


def test_a_start_that_finds_nobody_says_where_and_leaves_nothing() -> None:
    """A time-out is no riddle: host, cause, and what to do. The slot is free again."""
    with reserved_port() as port, nothing_left():
        app = RelayApp("project", "token", host=f"127.0.0.1:{port}", scheme="ws")
        for _ in range(2):
            with pytest.raises(
                TimeoutError, match=rf"127\.0\.0\.1:{port} within 0.2 s: .*tcp failed.*SIGNALWIRE_SPACE"
            ):
                app.start(wait_s=0.2)
            assert not app.is_running


def test_a_start_that_is_never_answered_says_so(server: PlainServer) -> None:
    """The socket opens, and that is all."""
    app = app_for(server)
    with pytest.raises(TimeoutError, match="it does not answer"):
        app.start(wait_s=0.1)


def test_a_second_start_waits_for_nothing_and_ends_nothing(server: PlainServer) -> None:
    """It runs already, for whoever has started it, though nobody has answered yet."""
    app = app_for(server)
    app.start(wait_s=None)
    app.start(wait_s=0.0)
    assert app.is_running
    app.stop()


@pytest.mark.parametrize("begin", ["start", "run"])
def test_no_garbage_is_looked_for_while_calls_are_taken_up(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch, begin: str
) -> None:
    """All that is made of thousands of calls stays; afterwards it is as before, however it was begun."""
    app = app_for(server)
    looks: list[bool] = []
    monkeypatch.setattr(Tree, "recover", lambda _tree: looks.append(gc.isenabled()))

    def stop() -> None:
        server.accept_login()
        if begin == "run":
            app.stop()

    with in_background(stop):
        getattr(app, begin)()
    app.stop()
    assert looks == [False]
    assert gc.isenabled()


def test_a_leave_sends_nothing_and_ends_what_is_under_way(
    server: PlainServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Calls go on at the server, and whoever waits here is told why not any more (PROTOCOL 6.2)."""

    class LeftError(Exception):
        pass

    recorder = Recorder(answering)
    with logged_in(server, recorder) as (app, peer), caplog.at_level(logging.WARNING):
        peer.call()
        peer.ok(peer.expect("calling.answer"))
        peer.state("answered")
        call = handle_of(app, CALL)
        call.wait_for_answered().get(timeout=DEADLINE_S)
        action = call.play_tts("Hello")
        peer.ok(peer.expect("calling.play"))
        dial = app.dial(CallActor, DEVICES)
        peer.expect("calling.dial")
        text = app.send_message(to_number="+1", from_number="+2", body="Hello")
        peer.expect("messaging.send")
        pending = [
            app.execute("calling.x", {}),
            call.hold(),
            action.wait(),
            call.wait_for_ended(),
            dial.wait_for_answered(),
            text.sent,
            text.wait(),
        ]
        for method in ("calling.x", "calling.hold"):
            peer.expect(method)
        assert app.leave(LeftError("gone")) is True
        for future in pending:
            with pytest.raises(LeftError):
                future.get(timeout=0)
        assert not app.is_running
        assert app.leave(LeftError("again")) is True
        assert peer.expect_end() == "goodbye"
        methods = [frame.get("method") for frame in peer.frames]
        assert "signalwire.unreceive" not in methods
        assert "calling.end" not in methods
    assert caplog.text == ""


def test_a_call_can_be_attached_to_by_its_ids(server: PlainServer) -> None:
    """What was told of it before is kept for who comes; who is there already stays."""
    recorder = Recorder()
    with logged_in(server) as (app, peer):
        peer.state("answered", "begun")
        leg = Leg(direction="outbound")
        leg.call_id, leg.node_id = "begun", NODE
        call = app.attach(recorder.actor_class, leg)
        assert recorder.next(CallStateEvent).call_state == "answered"
        assert app.attach(CallActor, leg).ref == call.ref
        call.hangup()
        sent = peer.expect("calling.end", call_id="begun")
        assert sent["params"]["node_id"] == NODE
        peer.ok(sent)
        peer.state("ended", "begun")
        call.wait_for_ended().get(timeout=DEADLINE_S)


def test_contexts_can_be_given_for_one_run(server: PlainServer) -> None:
    """As the other arguments can."""
    app = app_for(server, contexts=["support"])
    app.start(wait_s=None, contexts=["sales"])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(app.wait_for_log_in, DEADLINE_S)
        peer = server.accept()
        login = peer.expect("signalwire.connect", contexts=["sales"])
        with pytest.raises(TimeoutError, match=f"no log in at {server.host} within 0 s"):
            app.wait_for_log_in(0.0)
        peer.error(login, -32002, "401 Unauthorized")
        with pytest.raises(RelayError, match="401"):
            waiting.result(DEADLINE_S)
    assert app.is_running
    app.stop()


def test_a_start_fails_when_the_application_is_stopped_meanwhile(server: PlainServer) -> None:
    """It does not wait for what will not come."""
    app = app_for(server)

    def stop() -> None:
        server.accept()
        app.stop()

    with in_background(stop), pytest.raises(ConnectionLostError):
        app.start(wait_s=DEADLINE_S)
    assert not app.is_running


def test_a_journal_that_cannot_be_opened_leaves_nothing(server: PlainServer, tmp_path: Path) -> None:
    """The slot is free again, and nothing was connected."""
    with nothing_left():
        app = app_for(server, journal=tmp_path / "nowhere" / "calls.db")
        for _ in range(2):
            with pytest.raises(JournalError):
                app.start()
    assert server.accepted == 0


def test_a_damaged_journal_is_moved_aside_and_does_not_keep_the_application_down(
    server: PlainServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What can still be read of it is there, and what is lost is said (SEMANTICS J7)."""
    path = tmp_path / "calls.db"
    with logged_in(server, journal=path):
        pass
    damaged = bytearray(path.read_bytes())
    damaged[:4096] = bytes(4096)
    path.write_bytes(damaged)

    with logged_in(server, journal=path):
        pass

    assert Path(f"{path}.damaged-1").read_bytes() == damaged
    assert "journal was damaged, went on with what could be read of it" in caplog.text
    with closing(open_sqlite(path)) as store:
        assert store.epoch == 4  # two that ran, and the one that has brought it back


def test_a_journal_that_cannot_be_closed_does_not_keep_the_application_from_starting_again(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stops it is told; nobody else waits for that stop, and its place is free. SEMANTICS H8."""

    def fails(_journal: GivenJournal) -> None:
        raise JournalError("the disk is gone")

    app = app_for(server)
    with in_background(server.accept_login):
        app.start(wait_s=DEADLINE_S)
    with monkeypatch.context() as patch:
        patch.setattr(GivenJournal, "close", fails)
        with pytest.raises(JournalError):
            app.stop()
    assert app._stopping is not None
    assert app._stopping.is_settled
    with in_background(server.accept_login):
        app.start(wait_s=DEADLINE_S)
    assert app.stop() is True


def test_a_store_that_was_given_stays_open(server: PlainServer) -> None:
    """It belongs to who made it."""
    store = MemoryStore(MemoryMedium())
    with logged_in(server, journal=store):
        pass
    assert store.subjects() == []


# -- how many --------------------------------------------------------------------------------------------------------


def test_one_process_has_one_connection_unless_it_is_allowed_more(server: PlainServer) -> None:
    """PROTOCOL 6.8: a RuntimeError before any network activity; a stop makes room."""
    with logged_in(server) as (_app, peer):
        other = app_for(server)
        with pytest.raises(ConnectionLimitError, match="RELAY_MAX_CONNECTIONS") as caught:
            other.start()
        assert isinstance(caught.value, RuntimeError)
        peer.vanish()
        server.accept_login()  # a reconnect does not count
        assert server.accepted == 2
    with logged_in(server):
        pass


def test_two_applications_in_one_process_share_nothing(server: PlainServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same call id in both, and each has its own. SEMANTICS L10."""
    monkeypatch.setenv("RELAY_MAX_CONNECTIONS", "2")
    first, second = Recorder(answering), Recorder()
    with PlainServer() as elsewhere, logged_in(server, first) as (one, peer_one):
        with logged_in(elsewhere, second, project="other") as (two, peer_two):
            for peer in (peer_one, peer_two):
                peer.call()
            peer_one.ok(peer_one.expect("calling.answer"))
            first.next(CallReceiveEvent)
            second.next(CallReceiveEvent)
            peer_two.expect_nothing()
            handles = handle_of(one, CALL), handle_of(two, CALL)
            assert handles[0].ref != handles[1].ref
            assert one.system.registry is not two.system.registry
            peer_two.state("ended")
            handles[1].wait_for_ended().get(timeout=DEADLINE_S)
            assert handles[0].state == "created"
        peer_one.state("answered")
        handles[0].wait_for_answered().get(timeout=DEADLINE_S)
        peer_one.state("ended")


# -- contexts, requests, dials ---------------------------------------------------------------------------------------


def test_contexts_can_be_changed_while_it_runs(server: PlainServer) -> None:
    """PROTOCOL 4: nothing is sent for none; a refusal is raised."""
    with logged_in(server) as (app, peer):
        for change in (app.receive, app.unreceive):
            assert change([]).get(timeout=DEADLINE_S) == {}
            with pytest.raises(ConfigError):
                change("support")
        peer.expect_nothing()
        refused = app.receive(["premium", "premium"])
        peer.answer(
            peer.expect("signalwire.receive", contexts=["premium"]), {"code": "402", "message": "Payment required"}
        )
        with pytest.raises(RelayError) as caught:
            refused.get(timeout=DEADLINE_S)
        assert caught.value.code == 402
        peer.vanish()
        assert "contexts" not in server.accept().let_in()["params"]


@pytest.mark.parametrize(("method", "params"), [("", {}), (5, {}), ("calling.x", None), ("calling.x", [])])
def test_a_request_needs_a_method_and_params(server: PlainServer, method: Any, params: Any) -> None:
    """Said at once."""
    with logged_in(server) as (app, _peer), pytest.raises(ConfigError, match="execute"):
        app.execute(method, params)


def test_a_dial_that_cannot_be_made_is_refused_where_it_is_asked_for(server: PlainServer) -> None:
    """PROTOCOL 9.1: also a tag that is in use."""

    class Call(CallActor):
        """A call."""

    with logged_in(server) as (app, peer):
        with pytest.raises(ConfigError, match="subclass of CallActor"):
            app.dial(MessageActor, DEVICES)  # type: ignore[arg-type]  # that is what is wrong with it
        for timeout in (0, -1, float("nan"), "5"):
            with pytest.raises(ConfigError, match="dial_timeout"):
                app.dial(Call, DEVICES, dial_timeout=timeout)  # type: ignore[arg-type]  # a text is what is wrong
        with pytest.raises(ArgumentError):
            app.dial(Call, "+14045550201")  # type: ignore[arg-type]  # that is what is wrong with it
        handle = app.dial(Call, DEVICES, tag="t", note="kept")
        assert handle.data == {"note": "kept"}
        with pytest.raises(ConfigError, match="tag='t' is in use"):
            app.dial(Call, DEVICES, tag="t")
        request = peer.expect("calling.dial")
        assert request["params"] == {"tag": "t", "devices": DEVICES}
        peer.expect_nothing()
        peer.answer(request, {"code": "-32001", "message": "Permission Denied."})
        with pytest.raises(RelayError) as caught:
            handle.wait_for_answered().get(timeout=DEADLINE_S)
        assert caught.value.code == -32001


def test_a_dialled_call_is_answered_and_found_by_its_id(server: PlainServer) -> None:
    """PROTOCOL 9; the tag is chosen for whoever has none."""

    class Call(CallActor):
        def on_receive(self, message: object) -> None:
            """Nothing is to be done."""

    with logged_in(server) as (app, peer):
        handle = app.dial(Call, DEVICES)
        request = peer.expect("calling.dial")
        tag = request["params"]["tag"]
        assert len(tag) == 36
        peer.ok(request)
        peer.event(
            "calling.call.dial",
            {"tag": tag, "node_id": NODE, "dial_state": "answered", "call": {"call_id": "leg", "node_id": NODE}},
        )
        handle.wait_for_answered().get(timeout=DEADLINE_S)
        assert (handle.call_id, handle.state, handle.direction) == ("leg", "answered", "outbound")
        found = app.call("leg")
        assert found is not None
        assert found.ref == handle.ref
        peer.state("ended", "leg")


def test_a_service_can_be_added_while_it_runs(server: PlainServer) -> None:
    """And is there again at the next start."""

    class Echo(Actor):
        def on_receive(self, message: object) -> object:
            return message

    app = app_for(server)
    with started_app(app, server):
        app.service(Echo, name="echo")
        for _ in range(2):
            echo = app.lookup("echo")
            assert echo is not None
            assert echo.ask("hi", timeout=DEADLINE_S) == "hi"
            app.stop()
            started(app, server)


def test_it_speaks_tls_and_trusts_the_given_authority(tmp_path: Path) -> None:
    """``wss`` with a bundle of one's own. PROTOCOL 1, 16.3."""
    authority = ThrowawayAuthority(tmp_path)
    with PlainServer(tls=authority.server_context("127.0.0.1")) as server:
        with logged_in(server, scheme="wss", ca_file=str(authority.ca_file)) as (app, peer):
            reply = app.execute("calling.x", {"padding": "x" * 100_000})
            peer.ok(peer.expect("calling.x"), padding="y" * 100_000)
            assert len(str(reply.get(timeout=DEADLINE_S)["padding"])) == 100_000
        stranger = app_for(server, scheme="wss")
        with pytest.raises(TimeoutError, match="tls failed"):
            stranger.start(wait_s=0.5)


# -- run -------------------------------------------------------------------------------------------------------------

PROGRAM = """
    import sys
    from relay_actors import CallActor, RelayApp, Timing
    from relay_actors.events import CallReceiveEvent, CallStateEvent

    timing = Timing(linger_s=0.05, stop_timeout_s=3.0, reconnect_min_s=0.02, reconnect_max_s=0.1)
    app = RelayApp("project", "token", timing=timing, contexts=["more"])

    @app.calls("support")
    class Call(CallActor):
        def on_receive(self, message):
            if isinstance(message, CallReceiveEvent):
                self.answer()

    app.run(drain_s=60.0)
    print("run has returned")
"""


class Program:
    """An application in a process of its own."""

    def __init__(self, server: PlainServer, directory: Path, text: str = PROGRAM) -> None:
        file = directory / "program.py"
        file.write_text(textwrap.dedent(text))
        environment = {**os.environ, "SIGNALWIRE_SPACE": server.host, "SIGNALWIRE_RELAY_SCHEME": "ws"}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[1],
        )

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; return exit status, output and errors."""
        out, errors = self._process.communicate(timeout=2 * DEADLINE_S)
        return self._process.returncode, out, errors

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def program(server: PlainServer, tmp_path: Path) -> Iterator[Program]:
    program = Program(server, tmp_path)
    yield program
    program.kill()


def with_a_call(server: PlainServer) -> PlainPeer:
    peer = server.accept_login()
    peer.call()
    peer.ok(peer.expect("calling.answer"))
    peer.state("answered")
    peer.settle()
    return peer


def test_sigterm_drains_and_the_process_ends_well(server: PlainServer, program: Program) -> None:
    """New calls are declined, the running one finishes, exit status 0. SEMANTICS H6, H7, X11."""
    peer = with_a_call(server)
    program.signal(signal.SIGTERM)
    peer.ok(peer.expect("signalwire.unreceive", contexts=["more", "support"]))
    peer.call("late")
    peer.ok(peer.expect("calling.end", call_id="late", reason="decline"))
    peer.expect_nothing()  # the running call is left alone
    peer.state("ended", end_reason="hangup")
    assert peer.expect_end() == "goodbye"
    assert program.end() == (0, "run has returned\n", "")


def test_a_second_sigterm_takes_nothing_new_and_a_third_hangs_up(server: PlainServer, program: Program) -> None:
    """SEMANTICS H7: who rings is declined, who is up goes on, until the third."""
    peer = with_a_call(server)
    peer.call("rings")
    peer.expect("calling.answer", call_id="rings")  # and gets no answer itself: it rings on
    program.signal(signal.SIGTERM)
    peer.ok(peer.expect("signalwire.unreceive"))
    program.signal(signal.SIGTERM)
    peer.ok(peer.expect("calling.end", call_id="rings", reason="decline"))
    peer.state("ended", "rings", end_reason="decline")
    peer.expect_nothing()
    program.signal(signal.SIGTERM)
    peer.ok(peer.expect("calling.end", call_id=CALL, reason="hangup"))
    peer.state("ended", end_reason="hangup")
    status, out, _errors = program.end()
    assert (status, out) == (0, "run has returned\n")


def test_a_fourth_sigterm_ends_the_process_at_once(server: PlainServer, program: Program) -> None:
    """Also while it waits for the hang-ups, which this server never confirms. SEMANTICS H7."""
    peer = with_a_call(server)
    peer.call("rings")
    peer.expect("calling.answer", call_id="rings")  # no answer: by its end one sees that the second is heard
    program.signal(signal.SIGTERM)
    peer.ok(peer.expect("signalwire.unreceive"))
    program.signal(signal.SIGTERM)
    peer.ok(peer.expect("calling.end", call_id="rings", reason="decline"))
    peer.state("ended", "rings", end_reason="decline")
    program.signal(signal.SIGTERM)
    peer.expect("calling.end", call_id=CALL)
    program.signal(signal.SIGTERM)
    status, out, errors = program.end()
    assert (status, out) == (1, "")
    assert "Traceback" not in errors


DEAF = """
    import sys, threading
    from relay_actors import CallActor, RelayApp

    app = RelayApp("project", "token")

    @app.calls("support")
    class Call(CallActor):
        def on_receive(self, message):
            pass

    print("before")
    app.on_shutdown("stop_intake", threading.Event().wait, timeout_s=3600)
    while True:
        try:
            app.run()
        except BaseException:
            pass
"""


def test_a_fourth_sigterm_needs_nobody_who_listens(server: PlainServer, tmp_path: Path) -> None:
    """What catches everything, and a task that never ends, do not keep the process; what it printed is there. H7."""
    program = Program(server, tmp_path, DEAF)
    try:
        peer = server.accept_login()
        for number in range(4):
            program.signal(signal.SIGTERM)
            if number == 0:
                peer.ok(peer.expect("signalwire.unreceive"))
            elif number < 3:
                peer.expect_nothing()  # two signals in one moment are one
        assert program.end()[:2] == (1, "before\n")
    finally:
        program.kill()


def test_ctrl_c_ends_it_without_a_traceback(server: PlainServer, program: Program) -> None:
    """PROTOCOL 6.7."""
    peer = server.accept_login()
    program.signal(signal.SIGINT)
    assert peer.expect_end() == "goodbye"
    assert program.end() == (0, "run has returned\n", "")


def test_ctrl_c_ends_it_also_while_nobody_answers(server: PlainServer, program: Program) -> None:
    """From the first moment on."""
    server.accept().expect("signalwire.connect")
    program.signal(signal.SIGINT)
    assert program.end() == (0, "run has returned\n", "")


def test_three_refusals_end_the_process_with_the_servers_error(server: PlainServer, program: Program) -> None:
    """PROTOCOL 6.6; the appendix: wrong credentials under run()."""
    for _ in range(3):
        peer = server.accept(within_s=10.0)
        peer.error(peer.expect("signalwire.connect"), -32002, "401 Unauthorized")
    status, out, errors = program.end()
    assert (status, out) == (1, "")
    assert errors.rstrip().endswith("(the server refused signalwire.connect)")
    assert "CommandRejectedError: RELAY error -32002: " in errors


def test_run_is_for_the_main_thread(server: PlainServer) -> None:
    """Only there signals can be handled; and nothing is started before that is known."""
    app = app_for(server)
    raised: list[BaseException] = []

    def run() -> None:
        try:
            app.run()
        except ConfigError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(DEADLINE_S)
    assert "main thread" in str(raised[0])
    assert not app.is_running


def test_run_returns_when_the_application_is_stopped_elsewhere(server: PlainServer) -> None:
    """And only when the stop is complete; the signals are what they were."""
    app = app_for(server)
    before = signal.getsignal(signal.SIGTERM)

    def stop() -> None:
        peer = server.accept_login()
        app.stop()
        assert peer.expect_end() == "goodbye"

    with nothing_left(), in_background(stop):
        app.run()
        assert not app.is_running
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("relay-")]
    assert signal.getsignal(signal.SIGTERM) is before


class StoppedAtOnce(RelayApp):
    """Another thread's stop is complete before the first word is waited for."""

    def launch(self, **given: Any) -> Shutdown:
        run = super().launch(**given)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(self.stop).result(DEADLINE_S)
        return run


def test_run_returns_when_a_stop_elsewhere_is_complete_before_it_waits_for_anything(server: PlainServer) -> None:
    """It is the end of this run, and no application that was never started."""
    app = app_for(server, kind=StoppedAtOnce)
    with nothing_left():
        app.run()
    assert not app.is_running


class LeaveError(Exception):
    """A signal handler of the program's, which wants to end it."""


def leave(_number: int, _frame: object) -> None:
    raise LeaveError


@pytest.fixture
def leaves() -> Iterator[None]:
    """SIGUSR2 is such a signal."""
    before = signal.signal(signal.SIGUSR2, leave)
    yield
    signal.signal(signal.SIGUSR2, before)


class SaysThatItWaits(RelayApp):
    """From here on the main thread runs nothing that could swallow what a signal handler raises, as finalisers do."""

    waits: threading.Event

    def ending(self, *args: Any, **given: Any) -> Ending:
        found = super().ending(*args, **given)
        self.waits.set()
        return found


@pytest.mark.usefixtures("leaves")
def test_an_application_is_stopped_when_a_signal_handler_of_the_programs_raises(server: PlainServer) -> None:
    """Otherwise its threads would go on, and its calls be up, in a program that believes that it is over."""
    app = app_for(server, kind=SaysThatItWaits)
    app.waits = threading.Event()

    def interrupt() -> None:
        peer = server.accept_login()
        assert app.waits.wait(DEADLINE_S)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR2)
        assert peer.expect_end() == "goodbye"

    with nothing_left(), in_background(interrupt), pytest.raises(LeaveError):
        app.run()
    assert not app.is_running


class LeftWhenItHasJustStarted(RelayApp):
    """The signal comes when the main thread has come back from so many functions since it was launched."""

    after = 0

    def launch(self, **given: Any) -> Shutdown:
        run = super().launch(**given)
        returns = count(1)

        def look(_frame: FrameType, event: str, _arg: object) -> None:
            if event in ("return", "c_return") and next(returns) == self.after:
                sys.setprofile(None)
                signal.raise_signal(signal.SIGUSR2)

        sys.setprofile(look)
        return run


@pytest.fixture
def no_callback_of_the_collector() -> Iterator[None]:
    """As in a program without Hypothesis, which has one: what a signal handler raises in there, CPython swallows."""
    callbacks = gc.callbacks[:]
    gc.callbacks.clear()
    yield
    gc.callbacks[:] = callbacks


@pytest.mark.usefixtures("leaves", "no_callback_of_the_collector")
@pytest.mark.parametrize("after", some_of(range(2, 30), 7))
def test_such_a_signal_may_come_before_it_waits_for_one(server: PlainServer, after: int) -> None:
    """Wherever: when garbage is looked for, or between the start and all that ends it."""
    app = app_for(server, kind=LeftWhenItHasJustStarted)
    app.after = after
    with nothing_left(), pytest.raises(LeaveError):
        app.run()
    assert not app.is_running


@pytest.mark.parametrize("drain_s", [-1, "soon", float("nan"), True])
def test_a_drain_that_is_no_time_is_refused_before_anything_is_done(server: PlainServer, drain_s: Any) -> None:
    """For ever is one."""
    app = app_for(server)
    with pytest.raises(ConfigError, match=r"drain_s=.*: must be a number of seconds, 0 or more, or math\.inf"):
        app.run(drain_s=drain_s)
    with logged_in(server) as (running, _peer):
        with pytest.raises(ConfigError, match="drain_s="):
            running.stop(drain_s=drain_s)
        assert running.is_running
        assert running.stop(drain_s=float("inf")) is True


def test_nothing_is_warned_of_when_an_application_is_made_and_dropped() -> None:
    """It owns nothing before it is started."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RelayApp("project", "token", journal="never-made.db")
        gc.collect()
    assert not Path("never-made.db").exists()
