"""What the runtime itself tells an actor's cell, on the system lane. Layer: pillar.

A signal is handled in the cell's turn, or, when the cell has ended, refused: each says what that means, so that
nothing is ever left waiting for an answer (SEMANTICS M5).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ClassVar, Protocol, Self

from relay_actors.errors import ParentStopping
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.future import Future
from relay_actors.runtime.reasons import ExitReason

__all__ = [
    "Adopt",
    "ChildEnded",
    "ChildFailedSignal",
    "ChildLeft",
    "ChildStarted",
    "Due",
    "EndForGood",
    "Internal",
    "Leave",
    "Restarted",
    "Resumed",
    "Signal",
    "Stop",
    "Unwrapped",
]


class Signal(Protocol):
    """One signal."""

    def handle(self, cell: AnyCell) -> None:
        """Do it, in the cell's turn."""

    def refuse(self, cell: AnyCell) -> None:
        """The cell has ended: settle what waits for it. In any thread."""


class Internal:
    """A message of the runtime on the control lane, handled by itself and never shown to the user.

    Not an abstract base class: whether a message is one is asked for each message, and those answer slowly.
    """

    __slots__ = ()

    interleaves: ClassVar[bool] = True
    """Whether it may be delivered while a handler of the actor awaits; not, if it brings the user a message (A14)."""

    def deliver(self) -> None:
        """Do it, in the actor's turn. What it raises fails the actor, as a handler would."""
        raise TypeError(f"{type(self).__name__} does not say how it is delivered")

    def loss(self) -> object:
        """Return what nobody will handle because the actor has ended, for the dead letters; None: nothing is lost."""
        return None


class Unwrapped(Internal):
    """A message of the runtime that needs no envelope: it is looked at as if it were in one.

    It may be in a mailbox several times, and then it does not matter which of them is taken.
    """

    __slots__ = ("carried", "seen_at", "sender")

    # As an envelope has them; there, too, the first two may be empty.
    carried: Any
    seen_at: float
    sender: Any
    reply_to: ClassVar[None] = None

    @property
    def message(self) -> Self:
        """What it brings: itself."""
        return self


@dataclass(eq=False, slots=True)
class Stop:
    """Stop now, ahead of all messages."""

    reason: ExitReason
    reply: Future[bool] | None = None
    by_parent: bool = False

    def handle(self, cell: AnyCell) -> None:
        cell.begin_stop(self.reason, self.reply, by_parent=self.by_parent)

    def refuse(self, cell: AnyCell) -> None:
        if self.reply is not None:
            self.reply.try_set(False)


@dataclass(eq=False, slots=True)
class EndForGood:
    """The parent has decided not to mend the failure."""

    reason: ExitReason

    def handle(self, cell: AnyCell) -> None:
        cell.begin_stop(self.reason, by_parent=True)

    def refuse(self, cell: AnyCell) -> None:
        """Ended already: nothing is owed."""


@dataclass(eq=False, slots=True)
class Restarted:
    """The parent has decided: be born again in place, as the same class or as its successor."""

    reason: ExitReason
    successor: type | None = None

    def handle(self, cell: AnyCell) -> None:
        cell.on_restart_signal(self.reason, self.successor)

    def refuse(self, cell: AnyCell) -> None:
        """Ended meanwhile, by its own decision or the parent's: nothing is owed."""


@dataclass(eq=False, slots=True)
class Resumed:
    """The parent has decided: go on with the same object."""

    def handle(self, cell: AnyCell) -> None:
        cell.resume()

    def refuse(self, cell: AnyCell) -> None:
        """Ended meanwhile: nothing is owed."""


@dataclass(eq=False, slots=True)
class Leave:
    """A sibling is restarted, and this child with it: end this incarnation, say so, and wait."""

    reason: ExitReason

    def handle(self, cell: AnyCell) -> None:
        cell.leave(self.reason)

    def refuse(self, cell: AnyCell) -> None:
        """Ended meanwhile: the parent is told of that."""


@dataclass(eq=False, slots=True)
class Due:
    """The time has come for something that is done in the cell's turn."""

    call: Callable[[], None]

    def handle(self, cell: AnyCell) -> None:
        self.call()

    def refuse(self, cell: AnyCell) -> None:
        """The cell has ended: it is not done."""


@dataclass(eq=False, slots=True)
class Adopt:
    """Take this new cell as a child and start it."""

    child: AnyCell
    spec: ChildSpec

    def handle(self, cell: AnyCell) -> None:
        cell.make_children().adopt(self.child, self.spec)

    def refuse(self, cell: AnyCell) -> None:
        self.child.abandon(ParentStopping(f"{cell} has ended and takes no children"))


@dataclass(eq=False, slots=True)
class ChildStarted:
    """A child has finished ``on_start``."""

    child: AnyCell

    def handle(self, cell: AnyCell) -> None:
        if cell.children is not None:
            cell.children.on_started(self.child)

    def refuse(self, cell: AnyCell) -> None:
        """The parent is gone: nobody counts."""


@dataclass(eq=False, slots=True)
class ChildFailedSignal:
    """A child waits for the decision about it."""

    child: AnyCell
    reason: ExitReason
    message: object

    def handle(self, cell: AnyCell) -> None:
        if cell.children is not None:
            cell.children.on_failed(self.child, self.reason, self.message)

    def refuse(self, cell: AnyCell) -> None:
        self.child.end_for_good(self.reason)


@dataclass(eq=False, slots=True)
class ChildLeft:
    """A child has ended its incarnation, as it was asked by `Leave`."""

    child: AnyCell

    def handle(self, cell: AnyCell) -> None:
        if cell.children is not None:
            cell.children.on_left(self.child)

    def refuse(self, cell: AnyCell) -> None:
        """The parent is gone, and its children with it."""


@dataclass(eq=False, slots=True)
class ChildEnded:
    """A child has ended for good; ``keys`` are the names that a killed one had."""

    child: AnyCell
    reason: ExitReason
    keys: tuple[Hashable, ...] = ()

    def handle(self, cell: AnyCell) -> None:
        if cell.children is not None:
            cell.children.on_ended(self.child, self.reason, self.keys)

    def refuse(self, cell: AnyCell) -> None:
        """The parent is gone: nobody counts."""
