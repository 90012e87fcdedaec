"""The monitor: takes the baton away from a turn that takes long, and has it reported. Layer: pillar.

Source: DESIGN section 2a; SEMANTICS D5, A16, O5.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Final, Generic, Protocol, TypeVar

from relay_actors.runtime.base import Clock
from relay_actors.runtime.long_turns import LongTurns

__all__ = ["Holder", "Monitor", "Monitored"]

_IDLE_LOOKS_BEFORE_SLEEP: Final = 20


class Holder(Protocol):
    """Who has the baton."""

    grant: list[None]
    """Has one element while its holder is in a turn, or makes a call that is due."""


H = TypeVar("H", bound=Holder)


class Monitored(Protocol[H]):
    """A dispatcher, as its monitor sees it."""

    @property
    def holder(self) -> H | None:
        """Who has the baton."""

    @property
    def turn_count(self) -> int:
        """How many turns, and calls that were due, have begun."""

    @property
    def asleep(self) -> bool:
        """Whether the holder sleeps, or is about to look whether it may."""

    def take_from(self, holder: H, *, turn_s: float) -> None:
        """Take the baton from a holder that is in a turn, since about ``turn_s`` seconds."""


class Monitor(Generic[H]):
    """Looks every few milliseconds whether the same turn is still running. Sleeps while nothing is.

    Args:
        dispatcher: whose turns.
        clock: by which turns that have lost the baton are reported.
        long_turns: those turns.
        handover_after_s: a turn longer than about this loses the baton.
        name: of the thread.
        daemon: whether the thread lets the process exit.
    """

    def __init__(
        self,
        dispatcher: Monitored[H],
        *,
        clock: Clock,
        long_turns: LongTurns,
        handover_after_s: float,
        name: str,
        daemon: bool,
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._long_turns = long_turns
        self._handover_after_s = handover_after_s
        self._stopping = False
        # Held while nobody wakes it. A bare lock, as an event takes several times as long, two hundred times a second.
        self._alarm = threading.Lock()
        self._alarm.acquire()
        self.rests = False
        self.thread = threading.Thread(target=self._run, name=name, daemon=daemon)

    def start(self) -> None:
        """Start its thread."""
        self.thread.start()

    def stop(self) -> None:
        """Have its thread end soon. Idempotent."""
        self._stopping = True
        self._ring()

    def wake(self) -> None:
        """Have it look again: a turn begins, or a wait inside a turn has ended. Any thread; cheap while it looks."""
        if self.rests:
            self._ring()

    def _ring(self) -> None:
        with contextlib.suppress(RuntimeError):  # it has been woken already
            self._alarm.release()

    def _run(self) -> None:
        dispatcher, long_turns, pause_s = self._dispatcher, self._long_turns, self._handover_after_s / 2
        seen, looks, idle = -1, 0, 0
        while not self._stopping:
            if idle >= _IDLE_LOOKS_BEFORE_SLEEP:
                # First say that it rests, then look. The holder says that it is awake, and who ends a wait that it has
                # ended, and then they look whether somebody rests. Whichever is second sees the other.
                self.rests = True
                if dispatcher.asleep:
                    look_in_s = long_turns.next_look_in(self._clock.now()) if long_turns else None
                    self._alarm.acquire(timeout=-1 if look_in_s is None else max(0.0, look_in_s))
                self.rests = False
                idle = 0
            else:
                self._alarm.acquire(timeout=pause_s)
            if long_turns:
                long_turns.look(self._clock.now())
            holder, turns = dispatcher.holder, dispatcher.turn_count
            if holder is None or not holder.grant:
                idle = idle + 1 if dispatcher.asleep else 0
                looks = 0
            elif turns != seen:
                seen, looks, idle = turns, 0, 0
            else:
                looks, idle = looks + 1, 0
                if looks >= 2:
                    looks = 0
                    dispatcher.take_from(holder, turn_s=self._handover_after_s)
