"""Actors and refs: pykka's contract, as its documentation states it, and what is added to it."""

import asyncio
import threading
from typing import Any

import pykka
import pytest
from pykka.messages import ProxyCall, _ActorStop

from relay_actors.actors.call import CallActor
from relay_actors.errors import ActorError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.future import Future
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Echo, Parent, Recorder, World, crash, spawn


class Speaker:
    """Something that an actor owns and lets others use."""

    def __init__(self) -> None:
        self.volume = 3

    def say(self, text: str, *, times: int = 1) -> str:
        return text * times


class Machine(Actor):
    """Has attributes and methods, for proxies."""

    speaker = pykka.traversable(Speaker())

    def __init__(self, name: str = "machine", *, level: int = 0) -> None:
        super().__init__()
        self.name = name
        self.level = level
        self.calls: list[Any] = []
        self._private = "private"
        self.started_in: int | None = None

    def on_start(self) -> None:
        self.started_in = threading.get_ident()
        self._later = self.actor_ref.proxy()

    def raise_level(self, by: int = 1) -> int:
        self.level += by
        return self.level

    def fail(self) -> None:
        raise OSError("machine is broken")

    def defer_two(self) -> None:
        self._later.note("later")
        self.note("now")

    def note(self, text: str) -> None:
        self.calls.append(text)

    def thread(self) -> int:
        return threading.get_ident()


@pytest.fixture
def machine(world: World) -> ActorRef[Any]:
    return world.start(Machine, "m", level=7)


# -- refs


def test_start_passes_the_arguments_and_returns_a_ref(machine: ActorRef[Any]):
    """pykka: positional and named; the ref knows class and urn."""
    proxy = machine.proxy()
    assert (proxy.name.get(timeout=0), proxy.level.get(timeout=0)) == ("m", 7)
    assert machine.actor_class is Machine
    assert isinstance(machine, pykka.ActorRef)
    assert machine.actor_urn in str(machine)
    assert "Machine" in repr(machine)
    assert machine.is_alive()
    assert machine.actor_stopped.is_set() is False


def test_a_parameter_of_a_constructor_may_have_any_name():
    """Also one by which the runtime calls something of its own."""

    class Named(Actor):
        def __init__(self, actor_class: str) -> None:
            super().__init__()
            self.name = actor_class

        def on_receive(self, message: Any) -> Any:
            return self.name

    ref = Named.start(actor_class="a name")
    assert ref.ask("a name?", timeout=DEADLINE_S) == "a name"
    ref.stop()


def test_urns_are_unique_and_an_actor_knows_its_own(world: World):
    """pykka: over classes; and the ref inside is the ref outside."""
    refs = [world.start(Recorder) for _ in range(3)]
    assert len({ref.actor_urn for ref in refs}) == 3
    ref = refs[0]
    urn, own = ref.ask(lambda actor: (actor.actor_urn, actor.actor_ref), timeout=0)
    assert (urn, own) == (ref.actor_urn, ref)


def test_an_actor_that_is_made_by_hand_never_runs_and_leaves_nothing(world: World):
    """pykka: its methods can be tried one by one. What it is sent lies there, and goes with it."""
    by_hand = Echo()
    assert by_hand.on_receive("heard") == "heard"
    assert by_hand.actor_urn in str(by_hand.actor_ref)
    assert "Echo" in repr(by_hand)
    ref = world.start(Recorder)
    inside = ref.ask(lambda _actor: Echo(), timeout=0)
    inside.actor_ref.tell("never handled")
    world.settle()
    assert inside.system is world.system
    assert inside.actor_inbox.lengths() == (0, 0, 1)
    assert [cell.ref for cell in world.system.living] == [ref]


def test_what_works_for_a_call_cannot_be_made_by_hand():
    """It would have no call; the text says who makes it."""
    with pytest.raises(ActorError, match="the application starts it"):
        CallActor()


def test_a_constructor_may_take_a_proxy_of_its_own_actor(world: World):
    """pykka's way to do something later: keep a proxy of oneself."""

    class Later(Actor):
        def __init__(self) -> None:
            super().__init__()
            self.me = self.actor_ref.proxy()
            self.heard: list[str] = []

        def hear(self, text: str) -> None:
            self.heard.append(text)

        def on_start(self) -> None:
            self.me.hear.defer("later")
            self.hear("now")

    ref = world.start(Later)
    assert ref.proxy().heard.get(timeout=0) == ["now", "later"]


def test_a_coroutine_as_a_hook_is_refused():
    """It would never run, and nobody would notice."""
    with pytest.raises(TypeError, match="on_start must be `def`"):

        class Wrong(Actor):
            async def on_start(self) -> None:
                """Never run."""


def test_tell_returns_nothing_and_ask_the_answer(world: World):
    """pykka."""
    ref = world.start(Echo)
    ref.tell("a")
    assert ref.ask("a", timeout=0) == "a"
    future = ref.ask("b", block=False)
    assert isinstance(future, pykka.Future)
    assert future.get(timeout=0) == "b"


def test_pykkas_own_stop_message_stops(world: World):
    """Told by code that knows only pykka, for example `pykka.ActorRef.stop` of an older version."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    ref.tell("a")
    ref.tell(_ActorStop())
    ref.tell("b")
    world.settle()

    assert log == ["start", "a", "stop"]
    assert not ref.is_alive()
    assert world.start(Recorder).ask(_ActorStop(), timeout=0) is None


def test_an_unexpected_message_is_logged(world: World, caplog: pytest.LogCaptureFixture):
    """pykka: an actor without on_receive goes on."""
    ref = world.start(Machine)
    ref.tell("what is this")
    assert ref.proxy().raise_level().get(timeout=0) == 1
    assert "Unexpected message" in caplog.text


# -- hooks


def test_the_hooks_run_in_order_and_in_turns(world: World):
    """pykka: on_start before the first message, on_stop after the last, on_failure in place of on_stop."""
    log: list[Any] = []
    ref = world.system.start(Recorder, log)
    ref.tell("a")
    ref.stop(timeout=0)
    assert log == ["start", "a", "stop"]

    log.clear()
    world.start(Recorder, log).tell(crash("on_failure is told this"))
    world.settle()
    assert log == ["start", ("failure", "on_failure is told this"), "stop"]


def test_on_failure_is_told_what_sys_exc_info_would_tell(world: World):
    """pykka: type, value and traceback."""
    told: list[Any] = []

    class Told(Recorder):
        def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
            told.append((exception_type, str(exception_value), traceback.tb_frame.f_code.co_name != ""))

    world.start(Told).tell(crash("why"))
    world.settle()
    assert told == [(ValueError, "why", True)]


def test_who_fails_alone_is_dead_when_it_is_told_and_who_has_a_supervisor_is_not(world: World):
    """pykka: on_failure of an actor that nobody will mend finds it dead already."""
    seen: list[bool] = []

    class Looks(Recorder):
        def on_failure(self, *_about: Any) -> None:
            seen.append(self.actor_ref.is_alive())

    alone = world.start(Looks)
    supervised = spawn(world.start(Parent), Looks, spec=ChildSpec(restart=Restart.PERMANENT))
    for ref in (alone, supervised):
        ref.tell(crash())
        world.settle()
    assert seen == [False, True]


def test_on_stop_that_raises_does_not_keep_the_actor_alive(world: World):
    """pykka: it is logged, and the actor stops."""

    class Ill(Recorder):
        def on_stop(self) -> None:
            raise OSError("no")

    ref = world.start(Ill)
    assert ref.stop(timeout=0) is True
    assert not ref.is_alive()


# -- proxies


def test_a_proxy_reads_and_writes_attributes(machine: ActorRef[Any]):
    """pykka: reading gives a future; writing waits, and raises what went wrong."""
    proxy = machine.proxy()
    assert proxy.level.get(timeout=0) == 7
    proxy.level = 8
    assert proxy.level.get(timeout=0) == 8
    with pytest.raises(AttributeError):
        proxy.nothing  # noqa: B018  # reading it is the point
    with pytest.raises(AttributeError):
        proxy._private  # noqa: B018  # reading it is the point
    assert {"level", "raise_level", "speaker"} <= set(dir(proxy))


def test_a_proxy_calls_methods(machine: ActorRef[Any]):
    """pykka: the call gives a future of the result, or of the error; the actor survives the error."""
    proxy = machine.proxy()
    assert proxy.raise_level(by=3).get(timeout=0) == 10
    failed = proxy.fail()
    with pytest.raises(OSError, match="broken"):
        failed.get(timeout=0)
    assert machine.is_alive()


def test_a_deferred_call_has_no_answer(world: World, machine: ActorRef[Any]):
    """pykka: tell semantics; an error fails the actor, for nobody else would see it."""
    proxy = machine.proxy()
    assert proxy.note.defer("deferred") is None
    world.settle()
    assert proxy.calls.get(timeout=0) == ["deferred"]
    proxy.fail.defer()
    world.settle()
    assert not machine.is_alive()


def test_a_traversable_attribute_can_be_reached_into(machine: ActorRef[Any]):
    """pykka: in the context of the actor."""
    proxy = machine.proxy()
    assert proxy.speaker.say("ha", times=2).get(timeout=0) == "haha"
    assert proxy.speaker.volume.get(timeout=0) == 3
    proxy.speaker.volume = 4
    assert proxy.speaker.volume.get(timeout=0) == 4


def test_a_proxy_to_itself_defers_work(machine: ActorRef[Any]):
    """pykka: what is called through it comes after what waits already."""
    proxy = machine.proxy()
    proxy.defer_two().get(timeout=0)
    assert proxy.calls.get(timeout=0) == ["now", "later"]


def test_proxies_of_one_actor_are_equal(world: World, machine: ActorRef[Any]):
    """pykka."""
    assert machine.proxy() == machine.proxy()
    assert hash(machine.proxy()) == hash(machine.proxy())
    assert machine.proxy() != world.start(Machine).proxy()


def test_a_proxy_outlives_a_restart(world: World):
    """L4: it goes through the ref, and reaches the present incarnation."""
    child = spawn(world.start(Parent), Machine, spec=ChildSpec(restart=Restart.TRANSIENT))
    world.settle()
    proxy = child.proxy()
    proxy.raise_level().get(timeout=0)
    proxy.fail.defer()
    world.settle()

    assert child.incarnation == 1
    assert proxy.level.get(timeout=0) == 0
    assert child.proxy().raise_level().get(timeout=0) == 1


def test_proxy_messages_may_be_sent_by_hand(machine: ActorRef[Any]):
    """pykka: they are public."""
    assert machine.ask(ProxyCall(attr_path=("raise_level",), args=(2,), kwargs={}), timeout=0) == 9


def test_a_proxy_call_can_be_awaited(system: System):
    """pykka: in asyncio."""
    proxy = system.start(Machine).proxy()

    async def main() -> Any:
        return await proxy.raise_level(), await proxy.level

    assert asyncio.run(asyncio.wait_for(main(), DEADLINE_S)) == (1, 1)


def test_futures_made_inside_an_actor_wait_in_its_way(world: World):
    """pykka's hook for making futures: on a deterministic dispatcher waiting drives the world."""
    echo = world.start(Echo)

    def relay(actor: Any) -> Any:
        future = actor._create_future()
        assert isinstance(future, Future)
        echo.ask("inner", block=False).add_done_callback(lambda done: future.try_set(done.get(timeout=0)))
        return future.get(timeout=1)

    assert world.start(Recorder).ask(relay, timeout=1) == "inner"


# -- added


def test_a_log_line_says_who_speaks(world: World, caplog: pytest.LogCaptureFixture):
    """O6."""
    world.start(Recorder).ask(lambda actor: actor.log.warning("hello"), timeout=0)
    [record] = [record for record in caplog.records if record.message == "[Recorder#1] hello"]
    assert record.name == "relay_actors.Recorder"
    assert record.actor == "Recorder#1"  # type: ignore[attr-defined]
