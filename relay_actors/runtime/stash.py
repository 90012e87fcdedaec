"""Messages that an actor has put aside, to handle them later in the order in which they came. Layer: pillar.

Source: SEMANTICS P1, P2; Akka's stash; postponed events of OTP's gen_statem.
"""

from __future__ import annotations

import threading
from bisect import bisect
from collections import deque
from collections.abc import Iterable

from relay_actors.errors import StashFull
from relay_actors.runtime.mailbox import Envelope

__all__ = ["Stash"]

# Guards the lists of all stashes, so that putting aside, bringing back and closing are each one step: a stash is used
# in its actor's turns, but for `close`, which a kill calls from anywhere. Re-entrant, because a finaliser may run in
# the middle.
_moving = threading.RLock()


class Stash:
    """What one actor has put aside (*waiting*), and what of it is to be handled now (*ready*), oldest first each.

    Each message keeps the number that it got when it was first put aside. So one that is put aside again stays older
    than those that came after it, whatever is brought back in which portions.
    """

    __slots__ = ("_is_closed", "_last", "_ready", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[tuple[int, Envelope]] = []
        self._ready: deque[tuple[int, Envelope]] | None = None  # an empty one is large, and most are never needed
        self._last = 0
        self._is_closed = False

    def __len__(self) -> int:
        """Return how many are put aside, those included that have been brought back and not been handled yet."""
        return len(self._waiting) + len(self._ready or ())

    @property
    def was_used(self) -> bool:
        """Whether anything has ever been put aside."""
        return self._last > 0

    @property
    def has_ready(self) -> bool:
        """Whether something is to be handled before what the mailbox has."""
        return bool(self._ready)

    def put(self, envelope: Envelope, number: int | None, capacity: int) -> bool:
        """Put a message aside; return False if the actor has ended meanwhile: then it was not.

        Args:
            envelope: the message, with the future of its reply.
            number: the one that it got when it was put aside before; None for the first time.
            capacity: how many there may be.

        Raises:
            StashFull: there are as many as there may be.
        """
        with _moving:
            if len(self) >= capacity:
                kind = type(envelope.message).__name__
                raise StashFull(
                    f"{capacity} messages are put aside, which is the bound; {kind} was not. "
                    "Bring them back sooner, or raise stash_capacity"
                )
            if number is None:
                self._last += 1
                number = self._last
            entry = (number, envelope)
            place = bisect(self._waiting, number, key=_number)
            if self._is_closed:  # looked at last: a finaliser may have run above; none does from here on
                return False
            self._waiting.insert(place, entry)
        return True

    def release(self, count: int | None = None) -> int:
        """Bring the ``count`` oldest back, all by default, to be handled before what waits; return how many."""
        with _moving:
            waiting = self._waiting
            count = len(waiting) if count is None else min(count, len(waiting))
            if not count:
                return 0
            ready, rest = deque(sorted([*(self._ready or ()), *waiting[:count]], key=_number)), waiting[count:]
            if self._is_closed:  # as in `put`
                return 0
            self._ready, self._waiting = ready, rest
        return count

    def messages(self) -> list[tuple[object, bool]]:
        """Return what is put aside, oldest first, and of each whether it has been brought back. In the actor's turn."""
        with _moving:
            known = [(number, envelope, False) for number, envelope in self._waiting]
            known += [(number, envelope, True) for number, envelope in self._ready or ()]
        return [(envelope.message, is_ready) for _number, envelope, is_ready in sorted(known, key=lambda one: one[0])]

    def refill(self, messages: Iterable[tuple[object, bool]]) -> None:
        """Have just these, as `messages` has returned them, put aside: who had asked for one is not there any more."""
        with _moving:
            numbered = [(number, Envelope(message), ready) for number, (message, ready) in enumerate(messages, start=1)]
            self._waiting = [(number, envelope) for number, envelope, is_ready in numbered if not is_ready]
            self._ready = deque((number, envelope) for number, envelope, is_ready in numbered if is_ready) or None
            self._last = len(numbered)

    def take_ready(self) -> tuple[int, Envelope] | None:
        """Return and remove the next one to handle, or None."""
        if not self._ready:  # nearly always, without the lock; only the actor's own turn makes some ready
            return None
        with _moving:
            return self._ready.popleft() if self._ready else None

    def forget(self, envelope: Envelope) -> None:
        """Take a message out again, whose handler has put it aside and then raised."""
        with _moving:
            self._waiting = [entry for entry in self._waiting if entry[1] is not envelope]
            self._ready = deque(entry for entry in self._ready or () if entry[1] is not envelope)

    def close(self) -> list[Envelope]:
        """Take nothing more, and return what there was, oldest first. Any thread."""
        with _moving:
            self._is_closed = True
            left = sorted([*(self._ready or ()), *self._waiting], key=_number)
            self._ready, self._waiting = None, []
        return [envelope for _number, envelope in left]


def _number(entry: tuple[int, Envelope]) -> int:
    return entry[0]
