"""How events leave: wrapped, held back until the response is out, delayed, doubled, or queued for who is away.

Layer: simulator. Source: PROTOCOL 2.7, 7.1, 19.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from relay_actors.protocol.server import SentEvent, make_event
from relay_actors.simulator.faults import Delay, Faults
from relay_actors.simulator.links import BinaryText
from relay_actors.simulator.sessions import Session
from relay_actors.simulator.world import World

__all__ = ["Post"]

NEWS: Final[Mapping[str, object]] = {"x_since": 2030, "x_more": {"of": ["what", None], "comes": True}}
"""Fields that no client of today knows. Source: PROTOCOL 16.4, 17."""

SUBJECTS: Final = ("call_id", "tag", "message_id", "conference_id")
"""The fields, however deep inside, by which events belong to each other."""


@dataclass(frozen=True, slots=True, eq=False)
class _Letter:
    """An event on its way to a session."""

    session: Session
    event: SentEvent
    params: Mapping[str, object]
    outer: Mapping[str, object]

    def may_change_places_with(self, other: _Letter) -> bool:
        """Whether both orders are right: they are of different calls or operations. Source: PROTOCOL 2.7."""
        if self.session is not other.session or not set(_subjects(self.params)) & set(_subjects(other.params)):
            return True
        mine, others = self.params.get("control_id"), other.params.get("control_id")
        return bool(mine and others and mine != others)


@dataclass(slots=True, eq=False)
class _Waiting:
    """An event that is held back, or has to stay behind one that is (then ``how`` is None)."""

    letter: _Letter
    how: Delay | None
    is_due: bool

    def keeps_back(self, later: _Letter) -> bool:
        """Whether a later event may not overtake it."""
        keeps_order = self.how is None or self.how.keeps_order
        return keeps_order and not self.letter.may_change_places_with(later)

    def note_overtaken(self, by: _Letter) -> None:
        """Learn that a later event has gone."""
        if self.how is not None and self.how.until_overtaken and by.session is self.letter.session:
            self.is_due = True


class Post:
    """Sends events to sessions.

    Args:
        world: its clock stamps the events.
        faults: asked before each event.
    """

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._held: list[_Letter] | None = None
        self._waiting: list[_Waiting] = []
        self.observers: list[Callable[[str, Mapping[str, object]], None]] = []
        """Called with the type and the params of each event that is about to be sent, before anything befalls it."""

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
        letter = _Letter(session, event, params, outer)
        if self._held is None:
            self._set_out(letter)
        else:
            self._held.append(letter)

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
        for letter in held:
            self._set_out(letter)

    def clear(self) -> None:
        """Forget what is held back."""
        self._waiting.clear()

    def release_all(self) -> None:
        """Send what is held back now."""
        for waiting in self._waiting:
            waiting.is_due = True
        self._let_go()

    def _set_out(self, letter: _Letter) -> None:
        """Hand an event over: not at all, as it is, or once more than it came to be."""
        event = letter.event
        for observe in self.observers:
            observe(event.event_type, letter.params)
        twist = self._faults.take_twist(event.event_type)
        if twist is None:
            self._hand_over(letter)
        elif twist.what == "enriched":
            params = {**letter.params, **NEWS}
            event = make_event(event.frame_id, event.event_type, params, {**letter.outer, **NEWS})
            self._hand_over(replace(letter, event=event, params=params))
        elif twist.what == "repeated":
            self._hand_over(letter)
            states = {name: twist.state for name in letter.params if name == "state" or name.endswith("_state")}
            params = {**letter.params, **(states if twist.state else {})}
            event = make_event(self._world.new_id(), event.event_type, params, letter.outer)
            self._hand_over(replace(letter, event=event, params=params))

    def _hand_over(self, letter: _Letter) -> None:
        if any(earlier.keeps_back(letter) for earlier in self._waiting):
            self._waiting.append(_Waiting(letter, None, is_due=True))
            return
        how = self._faults.take_delay(letter.event.event_type)
        if how is None:
            self._deliver(letter, overtakes=self._waiting)
            self._let_go()
            return
        waiting = _Waiting(letter, how, is_due=False)
        self._waiting.append(waiting)

        def end() -> None:
            waiting.is_due = True
            self._let_go()

        self._world.after_real(how.seconds, end)

    def _let_go(self) -> None:
        """Send, in the order in which they arose, all that are due and may go."""
        place = 0
        while place < len(self._waiting):
            waiting, earlier = self._waiting[place], self._waiting[:place]
            if waiting.is_due and not any(other.keeps_back(waiting.letter) for other in earlier):
                del self._waiting[place]
                self._deliver(waiting.letter, overtakes=earlier)
                place = 0
            else:
                place += 1

    def _deliver(self, letter: _Letter, *, overtakes: Iterable[_Waiting]) -> None:
        session, event = letter.session, letter.event
        damage = self._faults.take_damage(event.event_type, letter.params, letter.outer)
        if damage is not None and damage.copy:
            frame_id = self._world.new_id()
            session.deliver(SentEvent(frame_id, event.event_type, damage.applied(event.text, frame_id=frame_id)))
        elif damage is not None:
            event = SentEvent(event.frame_id, event.event_type, damage.applied(event.text))
        if self._faults.take_binary(event.event_type):
            event = SentEvent(event.frame_id, event.event_type, BinaryText(event.text))
        session.deliver(event)
        if self._faults.take_duplicate(event.event_type):
            session.deliver(event)
        for waiting in overtakes:
            waiting.note_overtaken(letter)


def _subjects(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in SUBJECTS and isinstance(inner, str) and inner:
                yield inner
            else:
                yield from _subjects(inner)
