"""Which events came, which of them await their acknowledgement, and which came twice. Layer: ``protocol``, pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from relay_actors.protocol.json_codec import dumps, raw_dumps

__all__ = ["EventLedger"]

_ANY: Final = None
"""In place of a fingerprint: whatever it says."""


class EventLedger:
    """Keeps the promise "durable first, acknowledged exactly once, given once". Source: PROTOCOL 7.2, SEMANTICS J1, K3.

    Args:
        limit: how many acknowledged events are remembered.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Events that were given and are not durable yet, oldest first per id. Nearly always there is one of an id, and
        # one acknowledgement is due for it: then its fingerprint alone stands here.
        self._owed: dict[str | bytes, int | deque[_Owed]] = {}
        self._settled: dict[str | bytes, int | None] = {}
        # Its keys, each once, the oldest first: with a queue beside it a dictionary takes half of what an ordered one
        # does, and it is done for every event.
        self._order: deque[str | bytes] = deque()

    def arrived(self, frame_id: object, event_type: str = "", params: object = None) -> tuple[bool, int]:
        """Note an event; return whether it is new, and how many acknowledgements are due at once (0 or 1).

        One that came before and is durable is acknowledged again at once: the server has missed the first. One that
        is not durable yet has to wait, like its first copy.

        Args:
            frame_id: the id of its frame. It alone would not do: it is opaque, a server may begin anew with its ids on
                each connection, and an event must not be lost by that.
            event_type: what it says, whatever its envelope does.
            params: the rest of that.
        """
        if frame_id is None:
            return True, 0
        key = frame_id if type(frame_id) is str else _key(frame_id)
        try:
            fingerprint = hash((event_type, raw_dumps(params)))
        except TypeError:  # nested deeper than can be written: then the id has to do
            fingerprint = hash(event_type)
        if key in self._settled and self._settled[key] in (fingerprint, _ANY):
            return False, 1
        if key not in self._owed:
            self._owed[key] = fingerprint
            return True, 0
        owed = self._each_owed(key)
        for one in owed:
            if one.fingerprint == fingerprint:
                one.due += 1
                return False, 0
        owed.append(_Owed(fingerprint))
        return True, 0

    def remember(self, frame_ids: Iterable[object]) -> None:
        """Note events that a former process has made durable; what they said is not known exactly any more."""
        settled, order = self._settled, self._order
        for frame_id in frame_ids:
            if frame_id is not None:
                key = frame_id if type(frame_id) is str else _key(frame_id)
                if key in settled:
                    order.remove(key)
                settled[key] = _ANY
                order.append(key)
        self._forget_oldest()

    def settle(self, frame_ids: Iterable[object]) -> list[object]:
        """Note that events are durable; return their ids, each as often as this connection is to acknowledge it."""
        due: list[object] = []
        settled, order = self._settled, self._order
        for frame_id in frame_ids:
            if frame_id is None:
                continue
            key = frame_id if type(frame_id) is str else _key(frame_id)
            owed = self._owed.pop(key, None)
            if owed is None:
                continue
            if isinstance(owed, int):
                due.append(frame_id)
            else:
                first = self._first_of_many(key, owed)
                due += [frame_id] * first.due
                owed = first.fingerprint
            if key in settled:  # seldom: the id of something else that was said before
                order.remove(key)
            settled[key] = owed
            order.append(key)
        self._forget_oldest()
        return due

    def _forget_oldest(self) -> None:
        settled, order, limit = self._settled, self._order, self._limit
        while len(order) > limit:
            del settled[order.popleft()]

    def connection_lost(self) -> None:
        """No acknowledgement may cross over to the next connection; there the server may send the event again."""
        for key in self._owed:
            for one in self._each_owed(key):
                one.due = 0

    def new_session(self) -> None:
        """A new session sends nothing again, and may well count its ids from one."""
        self._settled.clear()
        self._order.clear()

    def _each_owed(self, key: str | bytes) -> deque[_Owed]:
        """Return the events of an id one by one, to be changed."""
        owed = self._owed[key]
        if isinstance(owed, int):
            owed = self._owed[key] = deque([_Owed(owed)])
        return owed

    def _first_of_many(self, key: str | bytes, owed: deque[_Owed]) -> _Owed:
        first = owed.popleft()
        if owed:
            self._owed[key] = owed
        return first


class _Owed:
    """One event that is not durable yet.

    Attributes:
        fingerprint: of what it says.
        due: how many acknowledgements the present connection gets for it.
    """

    __slots__ = ("due", "fingerprint")

    def __init__(self, fingerprint: int) -> None:
        self.fingerprint = fingerprint
        self.due = 1


def _key(frame_id: object) -> str | bytes:
    # Ids of any JSON type are allowed, so also lists, which have no hash, and 1 beside "1" and true.
    return frame_id if isinstance(frame_id, str) else dumps(frame_id)
