"""A command of a call between its sending and its certain outcome. Layer: hall; pure."""

from __future__ import annotations

from relay_actors.errors import RelayActorsError
from relay_actors.runtime.base import TimerHandle

__all__ = ["UnderWay"]


class UnderWay:
    """What is known of a command that was sent: kept in the `Leg`, by what was asked for.

    Attributes:
        number: which of the call's commands it was last; 0 as long as it has none.
        since: when it was sent, on the monotonic clock; moved on by a gap in the connection.
        repeats: how often it was sent again.
        is_shown: whether an event has shown that the server has carried it out.
        is_stalled: whether the call was told that it takes long.
        is_given_up: whether nobody wants it any more: it is not sent again.
        error: what it will fail with if nothing becomes known: it is in doubt. None as long as its answer may come.
        is_holding: whether what the call asks for after it is held back until this is certain.
        clock: runs while it is in doubt and something could be heard of it.
    """

    __slots__ = ("clock", "error", "is_given_up", "is_holding", "is_shown", "is_stalled", "number", "repeats", "since")

    def __init__(self, since: float) -> None:
        self.number = 0
        self.since = since
        self.repeats = 0
        self.is_shown = False
        self.is_stalled = False
        self.is_given_up = False
        self.error: RelayActorsError | None = None
        self.is_holding = False
        self.clock: TimerHandle | None = None

    def sent_again(self, now: float) -> None:
        """Note that it is sent once more, and no longer in doubt."""
        self.stop_clock()
        self.since = now
        self.repeats += 1
        self.is_stalled = False
        self.error = None

    def stop_clock(self) -> None:
        """Let nothing be due. Idempotent."""
        clock, self.clock = self.clock, None
        if clock is not None:
            clock.cancel()
