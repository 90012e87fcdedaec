"""Actors against stock pykka's threads, in one run: what a tell, a reply, a start and an idle actor cost."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pykka

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.system import System

__all__ = ["measure"]


class _Ours(Actor):
    def on_receive(self, message: Any) -> Any:
        return message


class _Theirs(pykka.ThreadingActor):
    use_daemon_thread = True

    def on_receive(self, message: Any) -> Any:
        return message


class _OursPing(Actor):
    def __init__(self, left: int, done: threading.Event) -> None:
        super().__init__()
        self._left, self._done = left, done

    def on_receive(self, other: Any) -> None:
        self._left -= 1
        if self._left <= 0:
            self._done.set()
        else:
            other.tell(self.actor_ref)


class _TheirsPing(pykka.ThreadingActor):
    use_daemon_thread = True

    def __init__(self, left: int, done: threading.Event) -> None:
        super().__init__()
        self._left, self._done = left, done

    def on_receive(self, other: Any) -> None:
        self._left -= 1
        if self._left <= 0:
            self._done.set()
        else:
            other.tell(self.actor_ref)


def _tell(start: Callable[[Any], Any], actor: Any, number: int) -> float:
    ref = start(actor)
    began = time.perf_counter()
    for message in range(number):
        ref.tell(message)
    ref.ask("the last")
    seconds = time.perf_counter() - began
    ref.stop()
    return seconds / number


def _ping(start: Callable[..., Any], actor: Any, number: int) -> float:
    done = threading.Event()
    first, second = start(actor, number, done), start(actor, number, done)
    began = time.perf_counter()
    first.tell(second)
    done.wait(60)
    seconds = time.perf_counter() - began
    first.stop()
    second.stop()
    return seconds / (2 * number)


def _spawn(start: Callable[[Any], Any], actor: Any, number: int) -> float:
    began = time.perf_counter()
    refs = [start(actor) for _ in range(number)]
    seconds = time.perf_counter() - began
    for ref in refs:
        ref.stop(block=False)
    refs[-1].stop()
    return seconds / number


def _bytes(start: Callable[[Any], Any], actor: Any, number: int) -> float:
    gc.collect()
    tracemalloc.start()
    refs = [start(actor) for _ in range(number)]
    refs[-1].ask("started")
    gc.collect()
    used, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for ref in refs:
        ref.stop(block=False)
    return used / number


def measure(rounds: int = 5) -> list[tuple[str, float, float]]:
    """Return, per figure, its name and the best of interleaved rounds: pykka's and ours, in seconds or bytes."""
    system = System(name="bench")
    figures: list[tuple[str, Callable[[], float], Callable[[], float]]] = [
        (
            "tell, one message",
            lambda: _tell(lambda actor: actor.start(), _Theirs, 20_000),
            lambda: _tell(system.start, _Ours, 20_000),
        ),
        (
            "ping-pong, one message",
            lambda: _ping(lambda actor, *args: actor.start(*args), _TheirsPing, 2_000),
            lambda: _ping(system.start, _OursPing, 2_000),
        ),
        (
            "start of one actor",
            lambda: _spawn(lambda actor: actor.start(), _Theirs, 500),
            lambda: _spawn(system.start, _Ours, 500),
        ),
        (
            "bytes of one idle actor",
            lambda: _bytes(lambda actor: actor.start(), _Theirs, 300),
            lambda: _bytes(system.start, _Ours, 3_000),
        ),
    ]
    results = []
    for name, theirs, ours in figures:
        pairs = [(theirs(), ours()) for _ in range(rounds)]
        results.append((name, min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)))
    system.stop()
    return results
