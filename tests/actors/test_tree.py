"""The tree of an application: who survives what, and how it is taken down."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
from typing import Any

import pytest

from relay_actors import Actor, CallActor, RelayApp
from relay_actors.actors.calls_supervisor import CallsSupervisor
from relay_actors.actors.connection import ConnectionActor
from relay_actors.errors import ActorDead, ConnectionLostError
from relay_actors.events import CallReceiveEvent, CallStateEvent
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.runtime.future import Future
from tests.actors.world import Witness, World, device
from tests.support.plain_app import Recorder, answering, app_for, handle_of, logged_in, started_app, wait_until
from tests.support.plain_server import CALL, DEADLINE_S, PlainServer
from tests.support.plain_world import PlainWorld


class BugError(Exception):
    """Something that nobody has foreseen."""


LOSES_ITS_CONNECTION = """
import sys

from relay_actors import CallActor, RelayApp
from relay_actors.protocol.scrub import _key_pattern
from relay_actors.testing.lab import Lab

app = RelayApp()
at_work = set()


@app.calls("shop")
class Waits(CallActor):
    async def run(self):
        await self.answer()
        await self.wait_for_ended()


def note(frame, event, _arg):
    at_work.add(frame.f_globals.get("__name__"))


with Lab() as lab:
    lab.start(app)
    lab.phone("+15550001111").dials(context="shop")
    lab.advance(5)
    made = _key_pattern.cache_info().misses
    sys.setprofile(note)
    lab.sim.drop_sockets()
    lab.advance(5)
    sys.setprofile(None)
    assert "relay_actors.actors.connection" in at_work
    assert "dataclasses" not in at_work
    assert _key_pattern.cache_info().misses == made, "the pattern was made only now"
    assert _key_pattern.cache_info().hits > 0
"""


# -- who survives what -----------------------------------------------------------------------------------------------


def test_the_tree_is_the_one_that_is_drawn() -> None:
    """DESIGN 3."""
    with PlainWorld() as world:
        world.app.service(Actor, name="queue")
        world.start()
        parents = {type(cell.actor).__name__: cell.parent for cell in world.system.living if cell.parent is not None}
        root = next(cell for cell in world.system.living if cell.parent is None)
        assert {name for name, parent in parents.items() if parent is root} == {
            "ServicesSupervisor",
            "CallsSupervisor",
            "MessagesSupervisor",
            "DeskActor",
            "ConnectionActor",
        }
        assert parents["Actor"] is not root


def test_calls_survive_a_crash_of_their_supervisor(server: PlainServer) -> None:
    """They have not failed. SEMANTICS X8."""

    class Bomb:
        def handle(self, cell: Any) -> None:
            raise BugError

        def refuse(self, cell: Any) -> None:
            raise AssertionError("the supervisor lives")

    recorder = Recorder(answering)
    with logged_in(server, recorder) as (app, peer):
        peer.call()
        peer.ok(peer.expect("calling.answer"))
        recorder.next(CallReceiveEvent)
        [supervisor] = [cell for cell in app.system.living if isinstance(cell.actor, CallsSupervisor)]
        supervisor.signal(Bomb())
        wait_until(lambda: supervisor.incarnation == 1)
        peer.state("answered")
        assert recorder.next(CallStateEvent).call_state == "answered"
        assert handle_of(app, CALL).ref.incarnation == 0
        peer.call("second")
        peer.ok(peer.expect("calling.answer", call_id="second"))
        for call_id in (CALL, "second"):
            peer.state("ended", call_id)


def test_a_tree_that_ends_by_itself_tells_everybody_who_waits(
    server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many restarts end the application, and that must not look like quiet. SEMANTICS S8."""
    with logged_in(server) as (app, peer):
        pending = app.execute("calling.x", {})
        peer.expect("calling.x")
        ended = app._running().wire.ended

        def stumbles(self: ConnectionActor) -> None:
            raise BugError

        monkeypatch.setattr(ConnectionActor, "after_batch", stumbles)
        app.execute("calling.y", {})
        with pytest.raises(Exception, match=r"."):
            pending.get(timeout=DEADLINE_S)
        assert isinstance(ended.get(timeout=DEADLINE_S), ActorDead)
        with pytest.raises(Exception, match="not running"):
            app.execute("calling.z", {}).get(timeout=DEADLINE_S)
        assert app.stop() is True


# -- services --------------------------------------------------------------------------------------------------------


def test_a_service_that_fails_is_restarted_with_its_arguments_after_a_pause() -> None:
    """For ever, and ever slower. DESIGN 5; SEMANTICS B1, B4."""
    begun: list[tuple[float, int]] = []

    with PlainWorld() as world:

        class Service(Actor):
            def __init__(self, number: int) -> None:
                super().__init__()
                begun.append((world.clock.now(), number))

            def on_receive(self, message: object) -> None:
                raise BugError

        world.app.service(Service, 7, name="queue")
        world.start()
        ref = world.app.lookup("queue")
        assert ref is not None
        for _ in range(8):
            ref.tell("fail")
            world.run(31.0)
        assert world.app.lookup("queue") == ref
        assert [number for _at, number in begun] == [7] * 9
        for _ in range(20):
            ref.tell("fail")
        world.run(5.0)
        pauses = [round(after - before, 2) for (before, _), (after, _) in itertools.pairwise(begun[9:])]
        assert len(pauses) >= 3
        assert pauses == sorted(pauses)


def test_a_service_that_stops_is_started_again() -> None:
    """It is there for as long as the application is."""

    class Service(Actor):
        def on_receive(self, message: object) -> None:
            self.stop()

    with PlainWorld() as world:
        world.app.service(Service, name="queue")
        world.start()
        ref = world.app.lookup("queue")
        assert ref is not None
        ref.tell("stop")
        world.run(1.0)
        assert ref.incarnation == 1
        assert world.app.lookup("queue") == ref


def test_a_service_that_is_killed_is_begun_anew_under_its_name() -> None:
    """S3, H4: its ref is dead, and whoever looks it up finds the next one."""

    class Service(Actor):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

        def on_receive(self, message: object) -> int:
            return self.number

    with PlainWorld() as world:
        world.app.service(Service, 7, name="queue")
        world.start()
        old = world.app.lookup("queue")
        assert old is not None
        old.kill("it hangs")
        world.run(31.0)
        fresh = world.app.lookup("queue")

        assert fresh is not None
        assert fresh != old
        assert fresh.ask("?", timeout=0) == 7


def test_what_a_service_sends_while_it_starts_waits_for_the_log_in() -> None:
    """It is started before there is a connection, and must not be refused for it."""
    with PlainWorld() as world:
        replies: list[Future[Any]] = []

        class Service(Actor):
            def on_start(self) -> None:
                replies.append(world.app.execute("calling.early", {}))

        world.app.service(Service, name="queue")
        world.start()
        world.settle()
        assert world.requests("calling.early") == [{}]
        assert replies[0].get(timeout=1.0) == {"code": "200", "message": "OK"}


# -- taking it down --------------------------------------------------------------------------------------------------


def test_calls_that_are_up_are_hung_up_before_the_connection_closes(server: PlainServer) -> None:
    """Nobody is left in silence. DESIGN, priority 1."""
    recorder = Recorder(answering)
    app = app_for(server)
    app.calls("support")(recorder.actor_class)
    with started_app(app, server) as peer:
        for call_id in ("a", "b"):
            peer.call(call_id)
            peer.ok(peer.expect("calling.answer", call_id=call_id))
            recorder.next(CallReceiveEvent)
        stopped: list[bool] = []
        stopping = threading.Thread(target=lambda: stopped.append(app.stop()))
        stopping.start()
        for call_id in ("a", "b"):
            peer.ok(peer.expect("calling.end", call_id=call_id, reason="hangup"))
            peer.state("ended", call_id, end_reason="hangup")
        assert peer.expect_end() == "goodbye"
        stopping.join(DEADLINE_S)
        assert stopped == [True]


def test_waits_for_a_call_that_cannot_be_hung_up_end_with_the_application(
    server: PlainServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The server is gone; whoever waits is told, and the log says what was left."""
    recorder = Recorder(answering)
    app = app_for(server)
    app.calls("support")(recorder.actor_class)
    with started_app(app, server) as peer:
        peer.call()
        peer.ok(peer.expect("calling.answer"))
        recorder.next(CallReceiveEvent)
        handle = handle_of(app, CALL)
        waiting, playing = handle.wait_for_ended(), handle.play_tts("Hello").wait()
        server.close()
        wait_until(lambda: not app._running().wire.protocol.is_ready)
        assert app.stop() is True
        for wait in (waiting, playing):
            assert wait.is_settled
    assert "calls are hung up only if it is back in time calls=1" in caplog.text


# -- the connection --------------------------------------------------------------------------------------------------


def test_a_lost_connection_finds_ready_what_it_needs() -> None:
    """Patterns and classes that are made when they are first used would be made while no call can do anything."""
    subprocess.run([sys.executable, "-c", LOSES_ITS_CONNECTION], check=True, timeout=60.0)


def test_who_waits_for_a_call_that_ends_first_is_told_nothing() -> None:
    """C4: it is the next process that waits on. What a flow does about an error here would be done there once more."""
    steps: list[str] = []

    class Waits(CallActor):
        async def run(self) -> None:
            await self.answer()
            dialled = self.app.dial(Witness, device("+15550100101"))
            try:
                await dialled.wait_for_ended()
            except asyncio.CancelledError:
                steps.append("cancelled")
                raise
            except Exception as error:
                steps.append(f"told {error}")
                raise

    with World(1) as world:
        world.app = RelayApp("project", "token", host="relay.example.com", journal=MemoryStore(MemoryMedium()))
        world.inbound(Waits)
        world.until(lambda: len(world.tree.handles()) == 2)
        world.run(1)
        [dialled] = [handle for handle in world.tree.handles() if handle.direction == "outbound"]
        office = world.tree.office
        assert world.tree.leave_for_next().get(timeout=5) is True
        # The thread that tells all to end may be made to rest between any two of them.
        office.left = ConnectionLostError("the application has left")
        dialled.ref.stop(block=False, now=True)
        world.settle()
        assert steps == []
        assert world.app.hand_over() is True
        assert steps == ["cancelled"]
        office.close(dialled.leg)  # as of all who had not ended before


def test_a_flow_that_is_told_to_end_first_cleans_up_as_all_do() -> None:
    """A15, C4: it has a moment for that, also if it has begun before all others are told."""
    steps: list[str] = []

    class CleansUp(CallActor):
        async def run(self) -> None:
            await self.answer()
            try:
                await self.sleep(3600)
            finally:
                steps.append("begins")
                await self.sleep(0.2)
                steps.append("is through")

    with World(1) as world:
        world.app = RelayApp("project", "token", host="relay.example.com", journal=MemoryStore(MemoryMedium()))
        _line, handle = world.inbound(CleansUp)
        world.run(1)
        assert world.tree.leave_for_next().get(timeout=5) is True
        # As in the test above.
        world.tree.office.left = ConnectionLostError("the application has left")
        handle.ref.stop(block=False, now=True)
        world.settle()
        assert steps == ["begins"]
        world.tree.let_go()
        assert world.app.hand_over() is True
        assert steps == ["begins", "is through"]
