"""The seams of `runtime/`: what another dispatcher, clock or observer implements. Layer: pillar."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

__all__ = ["Clock", "Dispatcher", "Hooks", "Outward", "Pollable", "Runnable", "TimerHandle"]


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> float:
        """Return monotonic seconds, for everything that is measured or waited for."""

    def wall(self) -> float:
        """Return seconds since the epoch, for what people and other machines read."""


class TimerHandle(Protocol):
    """A pending call of `Dispatcher.call_at`."""

    def cancel(self) -> None:
        """Forget the call, if it has not been made. Any thread; idempotent."""


class Runnable(Protocol):
    """Something with turns: an actor's cell. The dispatcher runs it, one thread at a time."""

    late: bool
    """Runs after all others of a round, so that it can write at once what the round has produced."""

    @property
    def dispatcher(self) -> Dispatcher:
        """Who runs it."""

    def run_batch(self, grant: list[None]) -> None:
        """Handle a few messages, at least one if there is any; no more once ``grant`` has become empty."""


class Outward(Protocol):
    """Looks at what one actor sends to others in its turns, and awaits of them. In its turns."""

    def withholds(self, receiver: Any, message: object, reply: Any) -> bool:
        """Return whether a message has been taken, so that it is not sent.

        Args:
            receiver: the cell to which it goes.
            message: what is sent.
            reply: the future of its answer, if it is asked.
        """

    def awaits(self, future: Any) -> int | None:
        """The actor's flow is about to wait for a future; return a number for `has_awaited`, or None."""

    def has_awaited(self, number: int, future: Any) -> None:
        """The actor's flow goes on after it has waited."""

    def calls_back(self, callback: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return what others call in place of a callback that the actor's code has given them, such as a future."""


class Pollable(Protocol):
    """A socket, as far as a dispatcher has to know it."""

    def fileno(self) -> int:
        """Return the descriptor to poll."""

    def wants_write(self) -> bool:
        """Return whether it is also to be polled for writing."""


class Dispatcher(Protocol):
    """Gives actors their turns: a thread, or a place in the order of a deterministic run."""

    @property
    def clock(self) -> Clock:
        """The clock by which timers fire; always the same."""

    def schedule(self, runnable: Runnable) -> None:
        """Let ``runnable`` have a turn soon. Any thread. The caller has made sure that it is scheduled only once."""

    def withdraw(self, runnable: Runnable) -> bool:
        """Take back a turn that is due, to run it elsewhere; False if it has begun. Any thread."""

    def is_slice_over(self) -> bool:
        """Return whether the present turn has had its time, and should handle no more messages. In a turn."""

    def call_at(self, due: float, call: Callable[[], None]) -> TimerHandle:
        """Have ``call`` made when the clock reaches ``due``, on the thread that runs actors; it must be short."""

    def watch(self, pollable: Pollable, on_ready: Callable[[], None]) -> None:
        """Have ``on_ready`` called once when ``pollable`` can be read, or written if it wants that. Any thread.

        To be called again, `rearm`. A dispatcher without sockets raises `ConfigError`.
        """

    def rearm(self, pollable: Pollable) -> None:
        """Poll ``pollable`` again, after its ``on_ready`` has been dealt with or its wish to write has changed.

        Only from the turn of the actor that owns it.
        """

    def unwatch(self, pollable: Pollable) -> None:
        """Forget ``pollable``; call it before the descriptor is closed. Any thread; idempotent."""

    def run_blocking(self, call: Callable[[], object], name: str) -> None:
        """Run ``call``, which may block, where it holds up no actor. Any thread."""

    def waiting(self) -> AbstractContextManager[None]:
        """Tell that the current thread is about to block: whatever it holds up is handed to another thread."""

    def wait_until(
        self, is_done: Callable[[], bool], block: Callable[[float | None], bool], timeout_s: float | None
    ) -> bool:
        """Wait until ``is_done()`` in the way of this dispatcher; False when the time is over first."""

    def drive(self, loop: object, since: float) -> bool:
        """Let one thing happen for who awaits it on a loop since then, and return True; False: others see to it."""

    def turns(self) -> list[tuple[Runnable, float]]:
        """Return whose turns are under way, and when by the clock each began. Any thread; holds nobody up."""

    def start(self) -> None:
        """Begin to give turns. Idempotent."""

    def stop(self, timeout_s: float) -> int:
        """Stop all threads and return how many would not end in time. Idempotent."""


class Hooks(Protocol):
    """What an observer is told. Every method must be quick, and may be called on any thread.

    An exception detaches the hooks and is logged; it never fails a turn (SEMANTICS O1).
    """

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter, for example ``actors.restarted``."""
