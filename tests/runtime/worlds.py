"""What the tests of the runtime share: a deterministic system, and a few actors."""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.hooks import Counters
from relay_actors.runtime.reasons import DeadLetter
from relay_actors.runtime.system import System

DEADLINE_S = 5.0
"""How long a test waits before it gives up; nothing takes this long."""


class World:
    """A system that runs on this thread, in virtual time, from one seed."""

    def __init__(self, seed: int) -> None:
        self.dispatcher = DeterministicDispatcher(Random(seed))
        self.counters = Counters()
        self.system = System(
            dispatcher=self.dispatcher, random=Random(seed + 1), hooks=self.counters, name=f"seed-{seed}"
        )
        self.letters: list[DeadLetter] = []
        self.system.dead_letters.subscribe(self.letters.append)

    @property
    def now(self) -> float:
        return self.dispatcher.clock.now()

    def start(self, actor_class: type[Actor], *args: Any, **kwargs: Any) -> ActorRef[Any]:
        """Start an actor and let it settle."""
        ref = self.system.start(actor_class, *args, **kwargs)
        self.settle()
        return ref

    def settle(self) -> None:
        self.dispatcher.settle()

    def advance(self, seconds: float) -> None:
        self.dispatcher.advance(seconds)

    def dead(self) -> list[tuple[object, str]]:
        """The dead letters so far: message and reason."""
        return [(letter.message, letter.reason) for letter in self.letters]

    def end(self) -> None:
        """Stop everything, and see that nothing is left."""
        assert self.system.stop(60.0), f"left over: {self.system.living}"
        self.settle()
        assert self.system.actor_count == 0
        assert self.dispatcher.pending_timers == 0
        assert len(self.system.registry) == 0


class Recorder(Actor):
    """Writes down what happens to it, and does what functions say that it is sent."""

    def __init__(self, log: list[Any] | None = None) -> None:
        super().__init__()
        self.log_of = log if log is not None else []

    def on_start(self) -> None:
        self.log_of.append("start")

    def on_stop(self) -> None:
        self.log_of.append("stop")

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self.log_of.append(("failure", str(exception_value)))

    def pre_restart(self, reason: Any, message: object) -> None:
        self.log_of.append(("pre_restart", reason.kind))

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        self.log_of.append(message)
        return message


class Echo(Actor):
    """Gives back what it is asked."""

    def on_receive(self, message: Any) -> Any:
        return message


class Parent(Recorder):
    """A `Recorder` with children; it also writes down what they report."""

    def on_child_ended(self, ref: Any, reason: Any) -> None:
        self.log_of.append(("ended", ref, reason.kind))


class WordlessError(Exception):
    """An error that raises when it is asked what it says."""

    def __str__(self) -> str:
        raise AttributeError("code")

    __repr__ = __str__


def fail(error: BaseException) -> Callable[[Any], Any]:
    """A message for a `Recorder`: raise this."""

    def do(_actor: Any) -> Any:
        raise error

    return do


def crash(text: str = "crash") -> Callable[[Any], Any]:
    """A message for a `Recorder`: raise a `ValueError`."""
    return fail(ValueError(text))


def spawn(
    parent: ActorRef[Any], actor_class: type[Actor], *args: Any, spec: ChildSpec | None = None, **kwargs: Any
) -> ActorRef[Any]:
    """Have a `Recorder` start a child, and return the child's ref."""
    child: ActorRef[Any] = parent.ask(
        lambda actor: actor.spawn(actor_class, *args, spec=spec, **kwargs), timeout=DEADLINE_S
    )
    return child


class _Garbage:
    """A circle that only the collector finds."""

    def __init__(self, finaliser: Callable[[], object]) -> None:
        self.finaliser = finaliser
        self.circle = self

    def __del__(self) -> None:
        self.finaliser()


@contextmanager
def collected_after(number: int, finaliser: Callable[[], object]) -> Iterator[None]:
    """Have a finaliser run once so many objects have been made here; or at the end, if they are less."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.disable()
    _Garbage(finaliser)
    lists: list[list[None]] = [[] for _ in range(100)]  # none is left that CPython keeps, to be used anew unseen
    gc.set_threshold(gc.get_count()[0] + number, 1000, 1000)
    gc.enable()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        del lists
        gc.collect()


class Blocker(Actor):
    """Blocks its thread, as a careless handler does, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked = threading.Event()
        self.let_go = threading.Event()

    def on_receive(self, message: Any) -> Any:
        if message == "events":
            return self.blocked, self.let_go
        self.blocked.set()
        assert self.let_go.wait(DEADLINE_S), "nobody has let it go"
        return message


def block(ref: ActorRef[Any]) -> tuple[Any, threading.Event]:
    """Have a `Blocker` block; return the future of its answer, and how to let it go."""
    blocked, let_go = ref.ask("events", timeout=DEADLINE_S)
    future = ref.ask("blocked", block=False)
    assert blocked.wait(DEADLINE_S)
    return future, let_go


def until(condition: Callable[[], bool], *, within_s: float = DEADLINE_S) -> None:
    """Wait for what other threads bring about; fail when it takes too long."""
    pause, clock = threading.Event(), SystemClock()
    deadline = clock.now() + within_s
    while not condition():
        assert clock.now() < deadline, "it never came about"
        pause.wait(0.001)
