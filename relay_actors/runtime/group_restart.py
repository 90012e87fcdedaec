"""The restart of several children as one: they stop last first, and start first first. Layer: pillar.

Source: SEMANTICS S4, S5; OTP ``rest_for_one`` and ``one_for_all``. It runs in the parent's turns, one step at a time,
so that a stop of the parent comes in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from relay_actors.runtime.child_record import ChildRecord

__all__ = ["GroupRestart"]


class GroupRestart:
    """One such restart.

    Args:
        members: who takes part, in the order in which they are started.
        failed: the one because of which it happens; it has stopped already.
        leave: asks a child to leave; returns whether it is still there, and will answer.
        bring_back: starts a child.
        pause: called when all have left; it calls `go_on` when they may come back.
    """

    __slots__ = ("_awaited", "_bring_back", "_is_starting", "_leave", "_pause", "_to_start", "_to_stop")

    def __init__(
        self,
        members: Sequence[ChildRecord],
        failed: ChildRecord,
        *,
        leave: Callable[[ChildRecord], bool],
        bring_back: Callable[[ChildRecord], None],
        pause: Callable[[Callable[[], None]], None],
    ) -> None:
        self._to_stop = [member for member in members if member is not failed]
        self._to_start = list(members)
        self._leave = leave
        self._bring_back = bring_back
        self._pause = pause
        self._awaited: ChildRecord | None = None
        self._is_starting = False

    @property
    def is_over(self) -> bool:
        """Whether all are back."""
        return self._awaited is None and not self._to_stop and not self._to_start

    def go_on(self) -> None:
        """Ask the next one to leave, or start the next one."""
        self._awaited = None
        while self._to_stop:
            member = self._to_stop.pop()
            if self._leave(member):
                self._awaited = member
                return
        if not self._is_starting:
            self._is_starting = True
            self._pause(self.go_on)
        elif self._to_start:
            self._awaited = self._to_start.pop(0)
            self._bring_back(self._awaited)

    def on_left(self, child: ChildRecord) -> None:
        """A child has left, and can be started again."""
        if child is self._awaited and not self._is_starting:
            self.go_on()

    def on_started(self, child: ChildRecord) -> None:
        """A child has started."""
        if child is self._awaited and self._is_starting:
            self.go_on()

    def on_removed(self, child: ChildRecord) -> None:
        """A child has ended for good."""
        for members in (self._to_stop, self._to_start):
            if child in members:
                members.remove(child)
        if child is self._awaited:
            self.go_on()
