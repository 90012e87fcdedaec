"""What is told to the connection about its socket reaches the incarnation that is there when its turn comes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from relay_actors.actors.socket_news import Due, Opened, OpenFailed, Opening, Readable, tell
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.clock import ManualClock, Random
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.system import System
from relay_actors.transport.memory import memory_pair

noted: list[tuple[Any, ...]] = []


class Told(Actor):
    def on_opened(self, attempt: int) -> None:
        noted.append(("opened", attempt))

    def on_open_failed(self, attempt: int, why: str) -> None:
        noted.append(("failed", attempt, why))

    def on_readable(self, transport: object) -> None:
        noted.append(("readable", transport))

    def on_due(self) -> None:
        noted.append(("due",))


def test_an_attempt_is_wanted_as_long_as_its_connection_is_there() -> None:
    """One that waits for a thread when the application stops is no loss."""
    dispatcher = DeterministicDispatcher(Random(1), ManualClock())
    ref = System(dispatcher=dispatcher, random=Random(2)).start(Told)
    opening = Opening(ref._cell, None, 1)
    assert opening.is_wanted
    ref.stop(block=False)
    dispatcher.settle()
    assert not opening.is_wanted


def test_news_come_in_order_and_in_turns_and_to_nobody_after_the_end() -> None:
    """Whoever tells is told whether anybody hears it: an open socket must not be left lying. K1."""
    noted.clear()
    dispatcher = DeterministicDispatcher(Random(1), ManualClock())
    system = System(dispatcher=dispatcher, random=Random(2))
    ref = system.start(Told)
    cell, (near, _far) = ref._cell, memory_pair()
    assert all(
        tell(cell, news) for news in (Opened(cell, 3), OpenFailed(cell, 4, "no"), Readable(cell, near), Due(cell))
    )
    assert noted == []
    dispatcher.settle()
    assert noted == [("opened", 3), ("failed", 4, "no"), ("readable", near), ("due",)]
    system.stop(5.0)
    assert tell(cell, Due(cell)) is False


def test_whatever_a_connector_raises_is_told_as_a_failed_attempt() -> None:
    """Otherwise the connection would wait for ever, and never try again. K2."""
    noted.clear()
    dispatcher = DeterministicDispatcher(Random(1), ManualClock())
    system = System(dispatcher=dispatcher, random=Random(2))
    cell = system.start(Told)._cell

    class Broken:
        def connect(self) -> None:
            raise OSError("Too many open files")

    Opening(cell, SimpleNamespace(connector=Broken()), 5)()
    dispatcher.settle()
    assert noted == [("failed", 5, "Too many open files")]
    system.stop(5.0)
