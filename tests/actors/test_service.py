"""`ServiceActor`: services that dial, text and look others up, and what else has the application around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from relay_actors import (
    ActorRef,
    CallActor,
    Child,
    DialFailed,
    MessageActor,
    Pool,
    RelayApp,
    ServiceActor,
    StateMachine,
    Supervisor,
    in_state,
)
from relay_actors.commands import Dial
from relay_actors.errors import ActorError
from relay_actors.events import CallReceiveEvent
from relay_actors.params import phone
from relay_actors.testing import CallKit, TestProbe
from tests.actors.world import CALLER, CONTEXT, OURS, World, over_seeds
from tests.support.plain_world import PlainWorld

CUSTOMERS = {"17": "+15550000017", "18": "+15550000018", "19": "+15550000019"}
"""Who has ordered what."""


class Announcement(CallActor):
    """Tells one customer that an order has come; and whoever sent it, what came of that."""

    async def run(self) -> None:
        await self.play_tts(f"Order {self.data['order']} has come.").wait()
        self.tell_dialer("told")

    def on_receive(self, message: object) -> None:
        match message:
            case DialFailed():
                self.tell_dialer(self.end_reason)
            case _:
                super().on_receive(message)

    def tell_dialer(self, what: str) -> None:
        dialer = self.app.lookup("dialer")
        assert dialer is not None
        dialer.tell((self.data["order"], what))


def look_up(order: str) -> str:
    if order == "the crash":
        raise ConnectionError("the database is away")
    return CUSTOMERS[order]


class Dialer(ServiceActor):
    """Asks a database, which blocks, who has ordered what, and dials; `shown` is what has come of it, of all tests."""

    shown: dict[str, str]

    def __init__(self, ours: str) -> None:
        super().__init__()
        self.ours = ours

    async def on_receive(self, message: Any) -> None:
        match message:
            case str(order):
                number = await self.blocking(look_up, order)
                self.app.dial(Announcement, phone(to=number, from_=self.ours), order=order)
            case (str(order), str(outcome)):
                self.shown[order] = outcome


def shown(world: World) -> dict[str, str]:
    """Have orders announced by a dialer, which crashes on one of them, and return what has come of each."""
    Dialer.shown = {}
    world.app.service(Dialer, OURS, name="dialer")
    world.start()
    world.sim.phone(CUSTOMERS["17"]).answers_after(1)
    world.sim.phone(CUSTOMERS["18"]).is_busy()
    world.sim.phone(CUSTOMERS["19"]).answers_after(1)
    for order in ("17", "18", "the crash", "19"):
        dialer = world.app.lookup("dialer")
        assert dialer is not None
        dialer.tell(order)
    world.run(60)
    assert dialer.incarnation == 1
    return Dialer.shown


@over_seeds(10)
def test_a_dialer_asks_a_database_and_dials_and_goes_on_after_a_crash(world: World) -> None:
    """A16, S10: what its blocking code raises fails it; the restarted one has the application as the first one had."""
    assert shown(world) == {"17": "told", "18": "busy", "19": "told"}
    assert len(world.sent("calling.dial")) == 3


def asked_for_app(world: World, *path: str) -> Any:
    """Ask whoever is known by a name for its application."""
    ref = world.app.lookup(path[0])
    assert ref is not None
    return ref.ask("app", timeout=5.0)


class Asked(ServiceActor):
    """Knows its application by the time at which it has it first, and spawns others."""

    def __init__(self, *, is_child: bool = False) -> None:
        super().__init__()
        self.known = None if is_child else self.app

    def on_start(self) -> None:
        self.known = self.app

    def on_receive(self, message: Any) -> Any:
        match message:
            case "app":
                return self.known
            case "crash":
                raise LookupError(message)
            case "child":
                return self.spawn(Asked, is_child=True).ask("app", block=False).get(timeout=5.0)
        return None


class Shop(ServiceActor, Supervisor):
    """A supervisor that needs it; its child, too."""

    def __init__(self) -> None:
        super().__init__([Child(id="till", actor_class=Asked, kwargs={"is_child": True})])

    def on_receive(self, message: object) -> Any:
        if message != "app":
            return super().on_receive(message)
        child: ActorRef[Any] = self.child("till")
        return (self.app, child.ask("app", block=False).get(timeout=5.0))


def test_a_service_has_the_application_from_its_constructor_on_and_after_a_crash_and_a_kill(world: World) -> None:
    """L4: of all three incarnations it is the same."""
    world.app.service(Asked, name="desk")
    world.start()
    assert asked_for_app(world, "desk") is world.app
    ref = world.app.lookup("desk")
    assert ref is not None
    ref.tell("crash")
    world.run(1)
    assert ref.incarnation == 1
    assert asked_for_app(world, "desk") is world.app
    ref.kill()
    world.run(1)
    assert world.app.lookup("desk") not in (ref, None)
    assert asked_for_app(world, "desk") is world.app


def test_who_is_below_a_service_has_the_application() -> None:
    """Its children, those of a supervisor, and the workers of a pool."""
    with PlainWorld() as world:
        world.app.service(Asked, name="desk")
        world.app.service(Shop, name="shop")
        world.app.service(Pool, Asked, is_child=True, size=2, name="pool")
        world.start()
        desk, shop, pool = (world.app.lookup(name) for name in ("desk", "shop", "pool"))
        assert desk is not None
        assert shop is not None
        assert pool is not None
        assert desk.ask("child", timeout=5.0) is world.app
        assert shop.ask("app", timeout=5.0) == (world.app, world.app)
        assert pool.ask("app", timeout=5.0) is world.app


@dataclass
class Branch:
    """What a child keeps over its restarts."""

    office: str


def test_what_a_child_keeps_is_not_taken_for_the_frameworks(world: World) -> None:
    """It may have an office, too."""
    found: list[Any] = []

    class Opens(ServiceActor):
        def on_start(self) -> None:
            self.spawn(Shown, keep=Branch("Berlin"))

    class Shown(ServiceActor):
        def on_start(self) -> None:
            found.append(self.app)

    world.app.service(Opens, name="opens")
    world.start()
    world.run(1)
    assert found == [world.app]
    world.app.stop()


def test_who_is_below_a_call_or_a_text_has_the_application(world: World) -> None:
    found: list[Any] = []

    class Call(CallActor):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                found.append(self.spawn(Asked, is_child=True).ask("app", block=False).get(timeout=5.0))

    class Text(MessageActor):
        def on_receive(self, message: object) -> None:
            found.append(self.spawn(Asked, is_child=True).ask("app", block=False).get(timeout=5.0))

    world.app.messages(CONTEXT)(Text)
    world.inbound(Call)
    world.sim.phone(CALLER).texts("Hello", context=CONTEXT)
    world.until(lambda: len(found) == 2)
    assert found == [world.app, world.app]


def test_a_service_may_be_a_state_machine(world: World) -> None:
    """Its bases go together."""

    class Door(StateMachine, ServiceActor):
        initial_state = "closed"

        @in_state("closed")
        def closed(self, message: object) -> None:
            self.app.send_message(to_number=CALLER, from_number=OURS, body="Somebody is at the door.")

    world.app.service(Door, name="door")
    world.start()
    door = world.app.lookup("door")
    assert door is not None
    door.tell("ring")
    world.settle()
    assert [text["body"] for text in world.sent("messaging.send")] == ["Somebody is at the door."]


def test_without_an_application_around_it_it_says_how_to_have_one() -> None:
    """One that a test starts by itself, for example; what else it does is tested so all the same."""
    with pytest.raises(ActorError, match=r"start it by app\.service\(Asked, name=…\)"):
        Asked()
    with pytest.raises(ActorError, match="has no application around it"):
        Asked(is_child=True).app  # noqa: B018  # the look is what raises


def test_in_the_constructor_of_a_child_it_says_that_it_comes_later(world: World) -> None:
    class Hasty(ServiceActor):
        def on_receive(self, message: Any) -> Any:
            return self.spawn(Asked)

    world.app.service(Hasty, name="hasty")
    world.start()
    hasty = world.app.lookup("hasty")
    assert hasty is not None
    with pytest.raises(ActorError, match="has it in on_start, and not yet in its constructor"):
        hasty.ask("child", timeout=5.0)


def test_a_proxy_of_a_service_may_be_asked_for_its_application(world: World) -> None:
    """pykka's proxies look through all attributes of an actor."""
    world.app.service(Asked, name="desk")
    world.start()
    desk = world.app.lookup("desk")
    assert desk is not None
    assert desk.proxy().app.get(timeout=5.0) is world.app
    alone = world.system.start(Asked, is_child=True)
    with pytest.raises(ActorError):
        alone.proxy().app.get(timeout=5.0)


def test_two_applications_in_one_process_are_not_taken_for_one_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L10."""
    monkeypatch.setenv("RELAY_MAX_CONNECTIONS", "2")
    with World(2) as other:
        for one in (world, other):
            one.app.service(Asked, name="desk")
            one.start()
        assert asked_for_app(world, "desk") is world.app
        assert asked_for_app(other, "desk") is other.app


def test_a_service_around_one_call_under_test_has_the_kits_application() -> None:
    """So what it dials, and what its blocking code gives, is seen there, in virtual time."""

    class Caller(CallActor):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                dialer = self.app.lookup("dialer")
                assert dialer is not None
                dialer.tell("17")

    with CallKit(Caller) as kit:
        kit.app.service(Dialer, OURS, name="dialer")
        kit.arrives()
        dialled = kit.expect(Dial)
        assert CUSTOMERS["17"] in str(dialled.devices)


def test_a_service_alone_is_tested_with_a_probe_in_a_running_application(world: World) -> None:
    """Also one that was added when the application ran already."""

    class Tells(ServiceActor):
        async def on_receive(self, message: Any) -> None:
            message.tell(await self.blocking(look_up, "18"))

    app: RelayApp = world.app
    world.start()
    app.service(Tells, name="tells")
    tells = app.lookup("tells")
    assert tells is not None
    probe = TestProbe(app)
    tells.tell(probe.ref)
    assert probe.expect(str) == CUSTOMERS["18"]
    probe.ref.stop()
