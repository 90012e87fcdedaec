"""What the two kits share: the application around, its end, and what is left of it."""

from __future__ import annotations

import os
from typing import Any

import pytest

from relay_actors import Actor, CallActor, RelayApp, Timing
from relay_actors.commands import Play
from relay_actors.events import CallReceiveEvent
from relay_actors.testing import CallKit, TestProbe


class Directory(Actor):
    """A service of the application."""

    def on_receive(self, message: Any) -> str:
        return f"Number of {message}"


class Asks(CallActor):
    """Asks the service, and says what it is told."""

    async def run(self) -> None:
        await self.answer()
        directory = self.app.lookup("directory")
        assert directory is not None
        self.play_tts(await directory.ask("Ann", block=False))
        await self.wait_for_ended()


def test_services_are_given_before_the_actor_begins():
    """The kit's own application is one like any other."""
    with CallKit(Asks) as kit:
        kit.app.service(Directory, name="directory")
        kit.arrives()
        assert "Number of Ann" in str(kit.fish(Play).media)


class TellsOthers(CallActor):
    """Tells somebody else when a call comes."""

    def on_receive(self, message: Any) -> None:
        match message:
            case ("tell", ref):
                ref.tell(self.call_id)


def test_a_probe_stands_beside_the_actor():
    """In the same virtual time."""
    with CallKit(TellsOthers) as kit, TestProbe(kit.system) as probe:
        kit.arrives()
        kit.tells(("tell", probe.ref))
        probe.expect(kit.call.call_id)


class Clings(CallActor):
    """Has something done later, whatever becomes of it."""

    def on_receive(self, message: object) -> None:
        if isinstance(message, CallReceiveEvent):
            self.system.dispatcher.call_at(1e6, lambda: None)


def test_what_is_left_over_is_told_at_the_end():
    """A timer that nobody cancels."""
    kit = CallKit(Clings)
    kit.arrives()

    with pytest.raises(AssertionError, match=r"^of Clings something was left over:\na timer that is pending$"):
        kit.close()


def test_an_actor_that_does_not_end_with_its_call_is_told():
    """By its name; a minute of virtual time is more than any needs."""
    kit = CallKit(TellsOthers, timing=Timing(linger_s=100.0))
    kit.arrives()

    with pytest.raises(AssertionError, match=r"has not ended within 60 s"):
        kit.close()


def test_an_error_of_the_test_counts_before_what_is_left_over():
    """The first reason is the right one."""

    def looks_for_what_is_not_there() -> None:
        with CallKit(Clings) as kit:
            kit.arrives()
            raise KeyError

    with pytest.raises(KeyError):
        looks_for_what_is_not_there()


def test_it_needs_no_environment_and_no_place_among_the_connections(monkeypatch: pytest.MonkeyPatch):
    """Also where a developer's shell has everything."""
    monkeypatch.setenv("SIGNALWIRE_JWT_TOKEN", "x" * 20)
    monkeypatch.setenv("RELAY_MAX_CONNECTIONS", "1")

    with CallKit(TellsOthers) as kit, CallKit(TellsOthers) as other:
        kit.arrives()
        other.arrives()
    assert os.environ["RELAY_MAX_CONNECTIONS"] == "1"
    assert isinstance(kit.app, RelayApp)
    assert not kit.app.is_running
