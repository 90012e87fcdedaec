"""How events leave: wrapped, held back until the response is out, delayed, doubled, or queued for who is away.

Layer: simulator. Source: PROTOCOL 2.7, 7.1, 19.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from relay_actors.protocol.server import SentEvent, make_event
from relay_actors.simulator.faults import Faults
from relay_actors.simulator.sessions import Session
from relay_actors.simulator.world import World

__all__ = ["Post"]


class Post:
    """Sends events to sessions.

    Args:
        world: its clock stamps the events.
        faults: asked before each event.
    """

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._held: list[tuple[Session, SentEvent]] | None = None

    def send(
        self,
        session: Session | None,
        event_type: str,
        params: Mapping[str, object],
        *,
        context: str | None = None,
        is_bare: bool = False,
    ) -> None:
        """Send an event; nobody to send it to (None) is not an error: the call has been handed on.

        Args:
            session: who gets it; it waits for the next socket if the client is away.
            event_type: for example ``calling.call.play``.
            params: the inner params.
            context: the outer ``context``, on inbound calls and messages.
            is_bare: leave out the rest of the envelope, as ``signalwire.authorization.state`` does.
        """
        if session is None:
            return
        outer: dict[str, object] = {}
        if not is_bare:
            outer = {
                "event_channel": session.name,
                "timestamp": self._world.clock.wall(),
                "project_id": session.project,
                "space_id": session.session_id,
            }
        if context is not None:
            outer["context"] = context
        event = make_event(self._world.new_id(), event_type, params, outer)
        if self._held is None:
            self._hand_over(session, event)
        else:
            self._held.append((session, event))

    @contextmanager
    def holding(self) -> Iterator[Callable[[], None]]:
        """Hold events back inside the block, until the given function is called, or else to its end."""
        if self._held is not None:
            yield self._release
            return
        self._held = []
        try:
            yield self._release
        finally:
            self._release()
            self._held = None

    def _release(self) -> None:
        held, self._held = self._held or [], []
        for session, event in held:
            self._hand_over(session, event)

    def _hand_over(self, session: Session, event: SentEvent) -> None:
        delay_s = self._faults.take_delay(event.event_type)
        if delay_s is not None:
            self._world.after_real(delay_s, lambda: session.deliver(event))
            return
        session.deliver(event)
        if self._faults.take_duplicate(event.event_type):
            session.deliver(event)
