"""Which events came, which of them await their acknowledgement, and which came twice. Layer: ``protocol``, pure."""

from __future__ import annotations

from collections import OrderedDict

from relay_actors.protocol.json_codec import dumps

__all__ = ["EventLedger"]


class EventLedger:
    """Keeps the promise "durable first, acknowledged exactly once, given once". Source: PROTOCOL 7.2, SEMANTICS J1, K3.

    Args:
        limit: how many acknowledged events are remembered.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Events that were given and are not durable yet, with how many acknowledgements the present connection gets.
        self._owed: dict[str | bytes, int] = {}
        self._settled: OrderedDict[str | bytes, None] = OrderedDict()
        self.duplicates = 0

    def arrived(self, frame_id: object) -> tuple[bool, int]:
        """Note an event; return whether it is new, and how many acknowledgements are due at once (0 or 1).

        One that came before and is durable is acknowledged again at once: the server has missed the first. One that
        is not durable yet has to wait, like its first copy.
        """
        if frame_id is None:
            return True, 0
        key = _key(frame_id)
        if key in self._settled:
            self.duplicates += 1
            return False, 1
        if key in self._owed:
            self.duplicates += 1
            self._owed[key] += 1
            return False, 0
        self._owed[key] = 1
        return True, 0

    def settle(self, frame_id: object) -> int:
        """Note that an event is durable; return how many acknowledgements this connection gets for it."""
        if frame_id is None:
            return 0
        key = _key(frame_id)
        due = self._owed.pop(key, None)
        if due is None:
            return 0
        self._settled[key] = None
        if len(self._settled) > self._limit:
            self._settled.popitem(last=False)
        return due

    def connection_lost(self) -> None:
        """No acknowledgement may cross over to the next connection; there the server may send the event again."""
        for key in self._owed:
            self._owed[key] = 0

    def new_session(self) -> None:
        """A new session sends nothing again, and may well count its ids from one."""
        self._settled.clear()


def _key(frame_id: object) -> str | bytes:
    # Ids of any JSON type are allowed, so also lists, which have no hash, and 1 beside "1" and true.
    return frame_id if isinstance(frame_id, str) else dumps(frame_id)
