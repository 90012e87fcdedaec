"""Every leg there is: made here, found here by its ids, and remembered for a while after its end. Layer: simulator."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from relay_actors.simulator.calls import Call
from relay_actors.simulator.post import Post
from relay_actors.simulator.sessions import Session
from relay_actors.simulator.world import World

__all__ = ["Exchange"]

ENDED_BOUND: Final = 10_000
"""How many ended legs can still be looked at."""


class Exchange:
    """The telephone exchange.

    Args:
        world: time, and the maker of ids.
        post: where the events of legs go.
    """

    def __init__(self, world: World, post: Post) -> None:
        self._world = world
        self._post = post
        self._nodes = (f"{world.new_id()}@us-east", f"{world.new_id()}@us-west")
        self._calls: dict[str, Call] = {}
        self._ended: OrderedDict[str, Call] = OrderedDict()
        self.reach: Callable[[Call], bool] = lambda _call: False
        """Rings at the device of a leg; False when there is none. The people put themselves here."""

    @property
    def node_id(self) -> str:
        """The node that inbound and dialled legs live on."""
        return self._nodes[0]

    def new_call(
        self,
        *,
        session: Session | None,
        direction: str,
        device: dict[str, object],
        created_by: str,
        context: str = "",
        tag: str = "",
        segment_id: str = "",
        origin: Call | None = None,
    ) -> Call:
        """Make a leg; nothing is sent yet. A leg made by ``connect`` lives on another node than its origin."""
        call_id = self._world.new_id()
        call = Call(
            self._world,
            self._post,
            session=session,
            call_id=call_id,
            node_id=self._nodes[0] if origin is None else self._nodes[1],
            segment_id=segment_id or call_id,
            direction=direction,
            device=device,
            created_by=created_by,
            context=context,
            tag=tag,
        )
        call.origin = origin
        call.at_end.append(self.retire)
        self._calls[call_id] = call
        return call

    def find(self, call_id: str, node_id: str, session: Session) -> Call | None:
        """Return the living leg that these ids name, if it belongs to ``session``. Source: PROTOCOL 19.1."""
        call = self._calls.get(call_id)
        is_theirs = call is not None and call.node_id == node_id and call.session is session and not call.is_over
        return call if is_theirs else None

    def look_up(self, call_id: str) -> Call | None:
        """Return a leg that lives, or has ended not too long ago."""
        return self._calls.get(call_id) or self._ended.get(call_id)

    def all(self) -> list[Call]:
        """Return every leg that is remembered, oldest first."""
        return [*self._ended.values(), *self._calls.values()]

    def up(self) -> list[Call]:
        """Return every leg that has not ended, oldest first."""
        return list(self._calls.values())

    def clear(self) -> None:
        """Forget every leg, with no event for anybody."""
        for call in self._calls.values():
            call.let_go()
        self._calls.clear()
        self._ended.clear()

    def retire(self, call: Call) -> None:
        """Remember a leg as ended: commands do not find it any more. Idempotent."""
        if self._calls.pop(call.call_id, None) is None:
            return
        self._ended[call.call_id] = call
        while len(self._ended) > ENDED_BOUND:
            self._ended.popitem(last=False)
