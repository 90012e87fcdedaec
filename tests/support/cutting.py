"""A connection that is cut at one frame, just before or just after it has crossed; any transport may be inside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from relay_actors.errors import TransportError
from relay_actors.transport.base import Connector, Transport

__all__ = ["Cut", "CuttingConnector"]


class Cut:
    """Where the connection is cut, once; frames of both directions are counted together, over all connections.

    Args:
        at: the number of the frame, from 0, or the words that it begins with; None counts only.
        after: whether the frame itself still crosses: it does, and nothing that it brings about comes back.
        again: where it is cut a second time, so many frames later, and whether after that frame; None: only once.

    Attributes:
        frames: what has crossed, or was about to, in words.
        is_done: whether it has been cut.
        length: how many frames the story has had.
    """

    def __init__(
        self, at: int | str | None = None, *, after: bool = False, again: tuple[int, bool] | None = None
    ) -> None:
        self.at = at
        self.after = after
        self._again = again
        self._where: list[str] = []
        self._is_over = False
        self.frames: list[str] = []
        self.is_done = False
        self.length = 0

    def story_ends(self) -> None:
        """Note that what comes now is no part of the story."""
        self.length = len(self.frames)

    def __str__(self) -> str:
        return ", then ".join(self._where) or "not cut"

    def passes(self, direction: str, texts: Sequence[bytes]) -> tuple[list[bytes], bool]:
        """Return which of these texts still cross, and whether the connection breaks then."""
        for place, text in enumerate(texts):
            number = len(self.frames)
            self.frames.append(f"{direction} {_in_words(text)}")
            if not self._is_over and (number == self.at or _begins(self.frames[number], self.at)):
                self._where.append(f"cut {'after' if self.after else 'before'} frame {number}: {self.frames[number]}")
                crossing = list(texts[: place + self.after])
                self.is_done = self._is_over = True
                if self._again is not None:
                    self._is_over = False
                    (later, self.after), self._again = self._again, None
                    self.at = number + later
                return crossing, True
        return list(texts), False


class CuttingConnector:
    """Opens connections through another connector, and cuts the one on which the frame is.

    Args:
        inner: opens them.
        cut: where.
    """

    def __init__(self, inner: Connector, cut: Cut) -> None:
        self._inner = inner
        self._cut = cut

    def connect(self) -> Transport:
        """Return an open transport."""
        return _Cutting(self._inner.connect(), self._cut)

    def cancel(self) -> None:
        """Do what the inner one does."""
        self._inner.cancel()


class _Cutting:
    """One connection, which nothing crosses any more once it is cut. Both sides find that out as ever."""

    def __init__(self, inner: Transport, cut: Cut) -> None:
        self._inner = inner
        self._cut = cut
        self._is_cut = False
        self._wake: Callable[[], None] | None = None

    def fileno(self) -> int:
        return self._inner.fileno()

    def set_waker(self, wake: Callable[[], None] | None) -> None:
        self._wake = wake
        self._inner.set_waker(wake)

    def wants_write(self) -> bool:
        return not self._is_cut and self._inner.wants_write()

    def flush(self) -> None:
        self._check()
        self._inner.flush()

    def receive(self) -> list[bytes]:
        self._check()
        texts, self._is_cut = self._cut.passes("<-", self._inner.receive())
        if self._is_cut:
            self._come_to_notice()
        return texts

    def send(self, texts: Iterable[bytes]) -> None:
        self._check()
        crossing, self._is_cut = self._cut.passes("->", list(texts))
        self._inner.send(crossing)
        if self._is_cut:
            self._come_to_notice()

    def close(self) -> None:
        self._inner.close()

    def abort(self) -> None:
        if self._is_cut and self._inner.fileno() >= 0:
            self._inner.close()  # a reset would take back what has crossed
        else:
            self._inner.abort()

    def _come_to_notice(self) -> None:
        if self._wake is not None:
            self._wake()

    def _check(self) -> None:
        if self._is_cut:
            raise TransportError(str(self._cut))


def _begins(words: str, wanted: int | str | None) -> bool:
    return isinstance(wanted, str) and words.startswith(wanted)


def _in_words(text: bytes) -> str:
    frame = json.loads(text)
    params = frame.get("params")
    if not isinstance(params, dict):
        return "answer"
    inner = params.get("params")
    details = inner if isinstance(inner, dict) else params
    states = [
        str(value) for key, value in details.items() if key in ("state", "message_state") or key.endswith("_state")
    ]
    return " ".join([str(params.get("event_type") or frame.get("method")), *states])
