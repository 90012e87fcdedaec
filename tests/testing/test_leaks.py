"""What a block leaves behind is told, and what only takes a moment to go is not."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from relay_actors import CallActor, RelayApp
from relay_actors.errors import ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.clock import Random
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.system import System, default_system
from relay_actors.testing.lab import Lab
from relay_actors.testing.leaks import no_leaks, threads_left
from relay_actors.testing.probe import TestProbe
from tests.actors.world import World

DEADLINE_S = 5.0
HAS_DESCRIPTORS = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this machine does not tell")


class Idle(Actor):
    """Does what functions say that it is sent."""

    def on_receive(self, message: Any) -> Any:
        return message(self)


def virtual() -> System:
    return System(dispatcher=DeterministicDispatcher(Random(1)), random=Random(2))


def told(error: pytest.ExceptionInfo[BaseException]) -> list[str]:
    first, *lines = str(error.value).splitlines()
    assert first == "something was left over:"
    return lines


def test_nothing_is_left_of_a_system_that_has_stopped():
    """SEMANTICS H9: on threads, with actors, timers and questions in it before."""
    with no_leaks():
        system = System(name="leaving")
        with no_leaks(system):
            ref = system.start(Idle)
            ref.tell(lambda actor: actor.start_timer("key", "message", 60.0))
            assert ref.ask(lambda actor: 7) == 7
            assert system.stop(DEADLINE_S)


def test_an_actor_that_goes_on_is_told():
    """By its name, and by what it is doing."""
    system = virtual()
    before = system.start(Idle)

    with pytest.raises(AssertionError) as error, no_leaks(system, grace_s=0.0):
        system.start(Idle)

    assert told(error) == ["actor Idle#2 running"]
    with no_leaks(system):
        before.tell(lambda actor: None)
    system.stop()


def test_a_timer_that_is_pending_is_told():
    """SEMANTICS H9: nobody else knows of it."""
    system = virtual()
    ref = system.start(Idle)
    ref.ask(lambda actor: actor.start_timer("old", "message", 1e6))

    with pytest.raises(AssertionError) as error, no_leaks(system):
        ref.ask(lambda actor: actor.start_timer("new", "message", 60.0))

    assert told(error) == ["a timer that is pending"]
    system.stop()


def test_a_question_that_is_never_answered_is_told():
    """Somebody waits for it."""
    system = virtual()
    ref = system.start(Idle)

    with pytest.raises(AssertionError) as error, no_leaks(system):
        ref.ask(lambda actor: actor.reply_later() and None, block=False, timeout=None)

    assert "a question that Idle#1 has not answered" in told(error)
    system.stop()


def test_what_ends_a_moment_later_is_no_leak():
    """In virtual time the moment costs nothing."""
    system = virtual()
    ref = system.start(Idle)

    with no_leaks(system):
        ref.ask(lambda actor: actor.start_timer("key", lambda actor: None, 1.5))
        system.start(Idle).stop(block=False)
    system.stop()


def test_a_thread_that_goes_on_is_told_with_where_it_is():
    """The line leads to what it waits for."""
    go = threading.Event()
    thread = threading.Thread(target=go.wait, name="left-behind")

    with pytest.raises(AssertionError) as error, no_leaks(grace_s=0.01):
        thread.start()
    go.set()
    thread.join(DEADLINE_S)

    assert told(error)[0] == "thread left-behind still runs:"
    assert any("wait" in line for line in told(error)[1:])


def test_a_thread_that_is_on_its_way_out_is_waited_for():
    """It ends because the block has said so, but not in the same instant."""
    go = threading.Event()
    thread = threading.Thread(target=go.wait)

    with no_leaks():
        thread.start()
        go.set()
    assert not thread.is_alive()
    assert threads_left([thread], 0.0) == []


@HAS_DESCRIPTORS
def test_a_descriptor_that_stays_open_is_told(tmp_path: Path):
    """A server runs out of them after a day, and not in a test."""
    with pytest.raises(AssertionError) as error, no_leaks(grace_s=0.01):
        reader, writer = os.pipe()
    os.close(writer)

    assert [line.split(":")[:2] for line in told(error)] == [
        [f"descriptor {number} is open", " pipe"] for number in sorted((reader, writer), reverse=True)
    ]
    # Another one of the same kind in its place is none too many.
    with no_leaks():
        os.close(reader)
        replacement, other = os.pipe()
        os.close(other)
    os.close(replacement)


@HAS_DESCRIPTORS
def test_what_nobody_holds_any_more_is_no_leak(tmp_path: Path):
    """Such as a file in a circle of objects."""
    with no_leaks():
        circle: list[Any] = []
        circle.append(circle)
        circle.append(_Closes(tmp_path))
        del circle


class _Closes:
    """Holds a descriptor for as long as it is held itself."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        os.close(self.number)


def test_a_block_that_raises_fails_for_its_own_reason():
    """What it leaves behind is what follows from that."""
    system = virtual()

    @no_leaks(system, grace_s=0.0)
    def fails() -> None:
        system.start(Idle)
        raise KeyError

    with pytest.raises(KeyError):
        fails()
    system.stop()


def test_a_function_can_be_decorated_and_called_again():
    """Each call is looked at by itself, also one inside another."""
    system = virtual()

    @no_leaks(system, grace_s=0.0)
    def leaves(count: int, inner: int = 0) -> str:
        """Leave so many actors behind."""
        if inner:
            with pytest.raises(AssertionError):
                leaves(inner)
        for _ in range(count):
            system.start(Idle)
        return "done"

    assert leaves(0) == "done"
    with pytest.raises(AssertionError):
        leaves(1)
    assert leaves(0) == "done"
    with pytest.raises(AssertionError) as error:
        leaves(0, inner=2)
    assert len(told(error)) == 2
    assert leaves.__name__ == "leaves"
    system.stop()


def test_the_threads_of_who_goes_on_are_no_leak():
    """A system makes them when it needs them, and keeps a few."""
    system = System(name="staying")
    try:
        with no_leaks(system), TestProbe(system) as probe:
            probe.ref.tell(1)
            probe.expect(1)
        other = System(name="not-staying")
        with pytest.raises(AssertionError), no_leaks(grace_s=0.01):
            other.start(Idle)
        assert other.stop(DEADLINE_S)
    finally:
        assert system.stop(DEADLINE_S)


def test_the_process_has_a_system_of_its_own_for_good():
    """What it needs for its first actor is no leak of the test that starts it; the actor is one."""
    with no_leaks():
        ref = Idle.start()
        ref.ask(lambda actor: None)

    with pytest.raises(AssertionError) as error, no_leaks(default_system(), grace_s=0.01):
        other = Idle.start()
    assert len(told(error)) == 1
    ref.stop()
    other.stop()


class Taking(CallActor):
    """Takes a call and does nothing with it."""

    def on_receive(self, message: object) -> None:
        """Nothing."""


def test_an_application_is_looked_at_while_it_runs():
    """SEMANTICS X18: of a call that is over nothing is left, of one that is up everything is."""
    with World() as world:
        world.takes_calls(Taking)
        world.settle()
        with no_leaks(world.app, grace_s=60.0):
            line, _handle = world.inbound()
            line.hangs_up()
        with pytest.raises(AssertionError) as error, no_leaks(world.app):
            world.inbound()
        assert any(line.startswith("actor Taking#") for line in told(error))
        assert any(line.startswith("the connection knows ") for line in told(error))


class Asks(CallActor):
    """Asks for a key."""

    async def run(self) -> None:
        await self.answer()
        await self.prompt_tts("Press a key.", {"digits": {"max": 1}})
        await self.wait_for_ended()


def test_what_the_server_of_a_lab_has_in_mind_is_no_leak_of_an_application():
    """It is in the same virtual time; that of the application is still told."""
    app = RelayApp()
    app.calls("office")(Asks)
    app.service(Idle, name="idle")
    with Lab() as lab:
        lab.start(app)
        with no_leaks(app):
            lab.phone("+15550001111").dials(context="office").hears("press a key").hangs_up()
            assert lab.sim.next_deadline() is not None
            lab.at(lab.clock.now() + 100.0, list)
        idle = app.lookup("idle")
        assert idle is not None
        with pytest.raises(AssertionError) as error, no_leaks(app):
            idle.ask(lambda actor: actor.start_timer("key", "message", 60.0))
        assert told(error) == ["a timer that is pending"]


def test_what_is_under_way_at_the_connection_is_told():
    """Requests without an answer, and events for nobody."""
    with World() as world:
        world.takes_calls(Taking)
        world.sim.stop_answering("calling.play")

        @no_leaks(world.app, grace_s=0.5)
        def leaves_much_under_way() -> None:
            world.app.execute("calling.play", {"call_id": "nobody"})
            world.tells("calling.call.play", {"call_id": "stranger", "control_id": "x", "state": "playing"})

        with pytest.raises(AssertionError) as error:
            leaves_much_under_way()
        lines = "\n".join(told(error))
        assert "request calling.play (" in lines
        assert "a request of the application's own that waits for its answer" in lines
        assert "events that are parked for 'stranger'" in lines


def test_an_application_that_does_not_run_has_nothing_but_its_process():
    """It may be started and stopped in the block, or not at all."""
    world = World()
    with no_leaks(world.app, world.system, grace_s=0.0):
        world.takes_calls(Taking)
        world.settle()
        world.close()


@pytest.mark.parametrize("wrong", [None, "app", lambda: None, RelayApp])
def test_only_applications_and_systems_can_be_looked_at(wrong: Any):
    """A function, when the parentheses were forgotten."""
    with pytest.raises(ConfigError, match="give applications and systems, or nothing; and call it"):
        no_leaks(wrong)
