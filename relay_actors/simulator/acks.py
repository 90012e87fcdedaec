"""Who has acknowledged what, and what was acknowledged wrongly. Layer: simulator, no I/O.

Each request of the server (an event, a ping, the announcement of a disconnect) is answered once on the connection that
it was sent on. Source: PROTOCOL 7.2, 19.1.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final, Literal

from relay_actors.protocol import json_codec

__all__ = ["ACKNOWLEDGED_WITHIN_S", "AckBook", "Acks", "WrongAck"]

ACKNOWLEDGED_WITHIN_S: Final = 10.0
"""An event that was sent so many seconds of the clock ago, over a connection that is up, is missing its answer."""

WRONG_BOUND: Final = 1000
"""How many wrong acknowledgements are remembered."""

SEEN_BOUND: Final = 10_000
"""Of how many frames it is remembered that they were sent."""


@dataclass(frozen=True, slots=True)
class WrongAck:
    """An acknowledgement that breaks PROTOCOL 7.2, or is missing.

    Attributes:
        problem: ``never sent``: no frame of this id was; ``twice``: more often than the frame was sent; ``elsewhere``:
            not on the connection that the frame was sent on; ``never``: an event got none within 10 s.
        frame_id: of the frame, as text.
        name: its event type or method; empty for one that was never sent.
    """

    problem: Literal["never sent", "twice", "elsewhere", "never"]
    frame_id: str
    name: str = ""


@dataclass(slots=True)
class _Awaited:
    name: str
    is_event: bool
    sent_at: float
    times: int = 0


class AckBook:
    """What is known of all connections together."""

    def __init__(self) -> None:
        self.wrong: deque[WrongAck] = deque(maxlen=WRONG_BOUND)
        self._seen: OrderedDict[str, tuple[str, bool]] = OrderedDict()

    def clear(self) -> None:
        """Forget all of it."""
        self.wrong.clear()
        self._seen.clear()

    def note_sent(self, frame_id: str, name: str) -> None:
        """Remember a frame, when it is sent for the first time; once more changes nothing."""
        if frame_id not in self._seen:
            self._seen[frame_id] = (name, False)
            if len(self._seen) > SEEN_BOUND:
                self._seen.popitem(last=False)

    def note_acknowledged(self, frame_id: str, name: str) -> None:
        """Remember that a frame was acknowledged."""
        if frame_id in self._seen:
            self._seen[frame_id] = (name, True)

    def note_stray(self, frame_id: str) -> None:
        """Remember an acknowledgement that nothing waits for."""
        seen = self._seen.get(frame_id)
        if seen is None:
            self.wrong.append(WrongAck("never sent", frame_id))
        else:
            name, was_acknowledged = seen
            self.wrong.append(WrongAck("twice" if was_acknowledged else "elsewhere", frame_id, name))


class Acks:
    """What one connection still has to acknowledge.

    Args:
        book: of all connections.

    Attributes:
        is_promised: whether the client has said that it acknowledges events; of one that has not, none is missed.
    """

    def __init__(self, book: AckBook) -> None:
        self.is_promised = True
        self._book = book
        self._awaited: dict[str, _Awaited] = {}

    def expect(self, frame_id: object, name: str, *, now: float, is_event: bool = True) -> None:
        """Note that a frame goes out, once more or for the first time."""
        key = _key(frame_id)
        self._book.note_sent(key, name)
        if self.is_promised or not is_event:
            awaited = self._awaited.setdefault(key, _Awaited(name, is_event, now))
            awaited.times += 1

    def came(self, frame_id: object) -> None:
        """Note an acknowledgement."""
        key = _key(frame_id)
        awaited = self._awaited.get(key)
        if awaited is None:
            if self.is_promised:
                self._book.note_stray(key)
            return
        self._book.note_acknowledged(key, awaited.name)
        awaited.times -= 1
        if not awaited.times:
            del self._awaited[key]

    def name_of(self, frame_id: object) -> str:
        """Return the event type or method of a frame that is not acknowledged; empty if there is none."""
        awaited = self._awaited.get(_key(frame_id))
        return awaited.name if awaited is not None else ""

    def overdue(self, now: float, *, undisturbed_since: float) -> list[WrongAck]:
        """Return what should have been acknowledged long ago.

        Args:
            now: monotonic seconds.
            undisturbed_since: since when nothing keeps frames from crossing.
        """
        return [
            WrongAck("never", key, awaited.name)
            for key, awaited in self._awaited.items()
            if awaited.is_event and now - max(awaited.sent_at, undisturbed_since) >= ACKNOWLEDGED_WITHIN_S
        ]


def _key(frame_id: object) -> str:
    # Ids of any JSON type may be pushed; those that are made here are text.
    return frame_id if isinstance(frame_id, str) else json_codec.dumps(frame_id).decode()
