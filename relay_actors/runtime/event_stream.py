"""What happens in a system, told to actors that asked for it. Layer: pillar. Source: SEMANTICS DL1, DL4."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pykka

from relay_actors.errors import ConfigError
from relay_actors.runtime.actor_ref import cell_of
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.reasons import ActorFailed, ExitReason

__all__ = ["EventStream"]

_log = logging.getLogger("relay_actors.events")


class EventStream:
    """The events of one system: `DeadLetter`, `ActorStarted`, `ActorFailed`, `ActorRestarted`, `ActorEnded`, or yours.

    Each subscriber is an actor, and handles events in its own turns, as messages like all others (DL4). Publishing
    never waits and never fails: what does not fit into a bounded mailbox is counted (``events.dropped``), and an event
    of the runtime that gets lost is no dead letter. A subscriber that fails is detached, whatever it was handling, so
    that an event that it cannot bear does not come again and again; who subscribes in ``on_start`` is back with the
    next incarnation.

    Args:
        count: adds to a counter.

    Attributes:
        is_used: whether anybody has subscribed: nobody makes an event for nobody.
    """

    def __init__(self, count: Callable[[str], None]) -> None:
        self._count = count
        self.is_used = False
        # By who subscribed, in that order. Never changed, but replaced: publishing reads it without the lock.
        self._subscribers: dict[AnyCell, tuple[type[Any], ...]] = {}
        # Guards the replacing. Re-entrant, because a finaliser may run in the middle, and publish.
        self._lock = threading.RLock()

    def subscribe(self, ref: pykka.ActorRef[Any], *event_types: type[Any]) -> None:
        """Have each event of these types told to ``ref``, once, from now on; of all types if none is given. Any thread.

        What was asked for before stays. An actor subscribes itself by ``self.system.events.subscribe(self.actor_ref)``.

        Raises:
            ActorError: ``ref`` is no actor of this framework.
            ConfigError: one of ``event_types`` is no type.
        """
        for event_type in event_types:
            if not isinstance(event_type, type):
                raise ConfigError(f"events.subscribe(ref, {event_type!r}): give types of events, such as DeadLetter")
        cell = cell_of(ref)
        with self._lock:
            known = self._subscribers.get(cell, ())
            self._replace({**self._subscribers, cell: tuple(dict.fromkeys([*known, *(event_types or (object,))]))})
        if cell.has_ended:  # first set, then look: who ends it begins the end first, and then comes to `forget`
            self.forget(cell)

    def unsubscribe(self, ref: pykka.ActorRef[Any], *event_types: type[Any]) -> None:
        """End it for these types, or for all if none is given. What waits already is still handled. Any thread.

        A subscription to all types is not ended for one of them.
        """
        cell = cell_of(ref)
        with self._lock:
            rest = tuple(kept for kept in self._subscribers.get(cell, ()) if event_types and kept not in event_types)
            others = {known: types for known, types in self._subscribers.items() if known is not cell}
            self._replace({**others, cell: rest} if rest else others)

    def publish(self, event: object) -> None:
        """Tell an event to those who subscribed to its type. Any thread; never waits, never raises."""
        for cell, event_types in self._subscribers.items():
            if isinstance(event, event_types) and not self._offer(cell, event):
                self.forget(cell)

    def forget(self, cell: AnyCell) -> bool:
        """Detach an actor; return whether it had subscribed. Any thread."""
        if cell not in self._subscribers:
            return False
        self.unsubscribe(cell.ref)
        return True

    def on_failed(self, cell: AnyCell, reason: ExitReason) -> None:
        """An incarnation has failed: detach it if it had subscribed, and tell the others. For cells."""
        if self.forget(cell):
            _log.error("a subscriber of events failed and is detached actor=%s reason=%s", cell, reason)
        self.publish(ActorFailed(cell.ref, cell.incarnation, reason))

    def _replace(self, subscribers: dict[AnyCell, tuple[type[Any], ...]]) -> None:
        self._subscribers = subscribers
        self.is_used = bool(subscribers)

    def _offer(self, cell: Any, event: object) -> bool:
        """Put an event into a mailbox if it fits, and push nobody's message out; False if it never will."""
        is_taken: bool | None = False
        try:
            is_taken = cell.ref.offer(Envelope(event))
        except Exception:  # noqa: BLE001  # of a pool's key function, which is called here, in anybody's turn
            _log.exception("a subscriber of events failed and is detached actor=%s", cell)
        if is_taken is None:
            self._count("events.dropped")
        return is_taken is not False
