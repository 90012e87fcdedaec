"""What the connection does while it leaves its calls to the next process. Layer: hall. Source: SEMANTICS C4, J1 to J5.

::

    Leave ----> nothing more of what calls ask for leaves, and nothing that comes is delivered: it is written down,
                and acknowledged. Answers to what has left before are waited for, for `SETTLES_S` at most
           ---> all is committed, the journal is given up, the socket closed: the journal is somebody else's now
    Release --> whoever waits is told so; what is still asked for fails at once

So each call stands in the journal as it was at the first of these moments, with every command's outcome beside it, and
its code here runs on nothing that the next process will not run on. Nobody is told an error before its flow was
cancelled: one that is told may do something about it.
"""

from __future__ import annotations

from typing import Final

from relay_actors.actors.outgoing import Outgoing
from relay_actors.errors import NotSentError, RelayError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.future import Future

__all__ = ["SETTLES_S", "Leave", "LeaveForNext", "Leaving", "Release"]

SETTLES_S: Final = 1.0
"""How long answers to what has left are waited for. What is not known then, the next process has to find out (J5)."""


@dataclass(frozen=True, slots=True)
class LeaveForNext:
    """Leave the calls to the next process of the same application, which finds them in the journal and goes on.

    The connection is closed without a word to the server, nobody is hung up, and the journal keeps everything. Callers
    hear nothing until that process is there: start it at once, and see that the server still knows the session then.
    """


@dataclass(frozen=True, slots=True, eq=False)
class Leave:
    """Leave all calls to the next process.

    Attributes:
        done: settled when the journal is free and the socket closed: whether all that is needed is in the journal.
    """

    done: Future[bool]


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """Those who ask for something are told ``error``, now and from now on."""

    error: RelayError


class Leaving:
    """That the connection is leaving, or has left.

    Args:
        due: when answers are waited for no longer, on the monotonic clock.

    Attributes:
        has_left: whether nothing of the journal and of the socket is this process's any more.
        not_delivered: how many events were written down for the next process.
        causes: ids of the inbound texts whose handlers have begun something that is not written down.
    """

    def __init__(self, due: float) -> None:
        self.due = due
        self.has_left = False
        self.not_delivered = 0
        self.causes: set[str] = set()
        self._error: RelayError | None = None
        self._held: list[Outgoing] = []
        self._waiting: list[Future[bool]] = []

    def wait(self, done: Future[bool]) -> None:
        """Have ``done`` settled when it has left, with whether it has."""
        if self.has_left:
            done.try_set(True)
        else:
            self._waiting.append(done)

    def hold(self, outgoing: Outgoing) -> None:
        """Leave who asked without an answer until the release; after it, tell them the error."""
        if self._error is None:
            self._held.append(outgoing)
        else:
            outgoing.on_answer(None, NotSentError(f"{outgoing.method} was not sent: {self._error.message}"))

    def release(self, error: RelayError) -> None:
        """Tell all who wait for an answer; and whoever asks from now on. Idempotent."""
        if self._error is None:
            self._error = error
        held, self._held = self._held, []
        for outgoing in held:
            outgoing.on_answer(None, self._error)

    def settle(self, *, is_clean: bool) -> None:
        """It has left: tell those who wait for it whether all that the next process needs is in the journal."""
        self.has_left = True
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.try_set(is_clean)
