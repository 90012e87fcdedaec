"""Handlers that await, and what an actor does not do meanwhile. Layer: pillar. Source: SEMANTICS A14, A15.

While a handler awaits, its actor takes no other message: what was begun is finished first. It goes on to handle
signals, and those messages of the runtime that let something go on; and messages that the class has marked, by
`Actor.interleaves` or `interleave`, which then run between two awaits of the handler.

An actor that stops cancels what awaits, gives it ``grace_s`` seconds to clean up, and only then ends.

All of this lives in a `Hold`. It is made when a handler suspends, or an end begins that something has to be waited
for, and dropped when nothing is held any more: an actor whose handlers do not await has none. Used in the actor's
turns only, so nothing here needs a lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pykka.messages import ProxyCall

from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.signals import Internal

if TYPE_CHECKING:
    from relay_actors.runtime.flow import Running
    from relay_actors.runtime.mailbox import Envelope, Mailbox

__all__ = ["Hold", "interleave", "may_interleave"]

_log = logging.getLogger("relay_actors.runtime")

F = TypeVar("F", bound=Callable[..., Any])

_UNKNOWN: Final[tuple[Envelope | None, Envelope | None]] = (None, None)


def interleave(method: F) -> F:
    """Mark a method, called through a proxy, that may run while a handler of its actor awaits (SEMANTICS A14).

    For methods that only look, or change what no handler relies on over an await.
    """
    method.__interleaves__ = True  # type: ignore[attr-defined]  # a function takes any attribute
    return method


def may_interleave(actor: Any, message: object) -> bool:
    """Return whether a message of the user's may be handled while a handler of this actor awaits."""
    if isinstance(message, ProxyCall):
        method = getattr(type(actor), message.attr_path[0], None) if len(message.attr_path) == 1 else None
        return bool(getattr(method, "__interleaves__", False))
    return isinstance(message, actor.interleaves)


class Hold:
    """Why an actor does not take its next message: a handler awaits, or an end is waited for.

    Args:
        cell: the actor's cell.
    """

    __slots__ = (
        "_afterwards", "_cell", "_is_ending", "_looked_at", "_main", "_message", "_newest", "_others", "_then",
        "_timer",
    )  # fmt: skip

    def __init__(self, cell: Any) -> None:
        self._cell = cell
        self._main: Running | None = None
        self._message: object = None
        self._afterwards: list[Callable[[], None]] = []
        self._others: list[Running] = []  # interleaved handlers; and at the end, whatever else runs
        self._looked_at = [0, 0]  # how much of the control and of the user lane may not run, and need not be looked at
        self._newest = _UNKNOWN  # what had come last in both when they were last looked through in vain
        self._is_ending = False
        self._then: Callable[[], None] | None = None
        self._timer: TimerHandle | None = None

    @property
    def holds(self) -> bool:
        """Whether other messages have to wait."""
        return self._is_ending or (self._main is not None and not self._main.is_over)

    @property
    def is_ending(self) -> bool:
        """Whether it is the end of an incarnation that is waited for."""
        return self._is_ending

    @property
    def awaits(self) -> bool:
        """Whether a handler awaits. Any thread: what is over by now may still be told."""
        return self._main is not None and not self._main.is_over

    @property
    def message(self) -> object:
        """The message whose handler awaits; None if none does. Any thread, as `awaits`."""
        return self._message if self.awaits else None

    def add(self, running: Running, message: object) -> None:
        """Note a handler that has suspended, and what it handles."""
        if self.holds:
            self._others.append(running)
        else:
            self._main, self._message = running, message
            self.look_again()

    def afterwards(self, call: Callable[[], None]) -> None:
        """Have ``call`` made when the handler that is awaited for is over, in whichever way."""
        self._afterwards.append(call)

    def look_again(self) -> None:
        """What may run has changed: look at all that waits."""
        self._looked_at = [0, 0]
        self._newest = _UNKNOWN

    # -- what may run ------------------------------------------------------------------------------------------------

    def take(self) -> Envelope | None:
        """Return and remove the next envelope that may be handled now, or None."""
        if (envelope := self._take_first()) is not None:
            return envelope
        self.settle()
        if not self._is_in_force():  # over: whatever comes next is taken in the usual way
            return None
        mailbox: Mailbox = self._cell.mailbox
        if not self.holds:
            if not self._cell.takes_messages:  # it has failed: what waits is kept for when it is born again
                return None
            return self._cell.take_stashed() or mailbox.take_control() or mailbox.take_user()
        if not (mailbox.control or mailbox.user or mailbox.older is not None):
            return None
        newest = mailbox.newest()
        while (envelope := self._find()) is not None:
            if mailbox.withdraw(envelope):
                self._newest = _UNKNOWN  # there may be more
                return envelope
        self._newest = newest
        return None

    def _take_first(self) -> Envelope | None:
        """Return and remove what a handler that awaits nearly always goes on by: the first of the control lane."""
        main, mailbox = self._main, self._cell.mailbox
        control = mailbox.control
        if (
            not control or main is None or main.is_over or self._others or self._is_ending or self._looked_at[0]
            or mailbox.older is not None or not self._cell.takes_messages
        ):  # fmt: skip
            return None
        try:
            first: Envelope = control[0]
        except IndexError:  # it is being closed
            return None
        message = first.message
        return first if isinstance(message, Internal) and message.interleaves and mailbox.withdraw(first) else None

    def has_work(self) -> bool:
        """Return whether there may be an envelope that can be handled now: one that has not been looked at yet.

        The turn has been given back, and another one may be under way. If so, what this says does not matter, for that
        turn will look, too; but it must change nothing, and call none of the user's code.
        """
        mailbox: Mailbox = self._cell.mailbox
        if not (self._cell.takes_messages or self._is_ending):
            return False
        if not self.holds:
            return mailbox.has_messages() or bool(self._cell.has_stashed)
        if not mailbox.has_messages():
            return False
        return mailbox.newest() != self._newest

    def _is_in_force(self) -> bool:
        return self._cell.hold is self

    def _find(self) -> Envelope | None:
        if not (self._cell.takes_messages or self._is_ending):  # it has failed: nothing runs until it is born again
            return None
        mailbox: Mailbox = self._cell.mailbox
        found, self._looked_at[0] = mailbox.look_for(0, self._looked_at[0], self._may_run)
        if found is None:
            found, self._looked_at[1] = mailbox.look_for(1, self._looked_at[1], self._may_interleave)
        return found

    def _may_run(self, envelope: Envelope) -> bool:
        message = envelope.message
        return message.interleaves if isinstance(message, Internal) else self._may_interleave(envelope)

    def _may_interleave(self, envelope: Envelope) -> bool:
        actor = self._cell.actor
        if actor is None:
            return False
        hook = actor.is_machinery if self._is_ending else actor.may_interleave
        return bool(hook(envelope.message))

    # -- the end -----------------------------------------------------------------------------------------------------

    def end(self, flow: Running | None, then: Callable[[], None] | None, grace_s: float) -> None:
        """Cancel all that runs, and do ``then`` when it is over, at the latest after ``grace_s``.

        Called again, it does the new ``then`` in place of the old one; without one everything is closed at once.
        """
        if flow is not None:
            self._others.append(flow)
        self._then = then
        if then is None:
            self._is_ending = True
            self._close()
            return
        if not self._is_ending:
            self._is_ending = True
            self._cell.hold = self
            self.look_again()
            self._timer = self._cell.call_later(grace_s, self._on_time)
            for running in self._all():
                self._cell.run_hook("cancelled coroutine", running.cancel)
        self.settle()

    def settle(self) -> None:
        """Forget what is over; when nothing is left, hold nothing any more, and do what was to be done then."""
        if self._main is not None and self._main.is_over:
            self._main = None
            self.look_again()
            self._call_afterwards()
            self._cell.tell_actor(_tell_that_it_is_over)
        if self._others:
            self._others = [running for running in self._others if not running.is_over]
        if self._main is not None or self._others or not self._is_in_force():
            return
        self._cell.hold = None
        if self._timer is not None:
            self._timer.cancel()
        then, self._then = self._then, None
        if then is not None and not self._cell.has_ended:
            self._cell.run_hook("end", then)

    def give_up(self) -> None:
        """The grace is over: report what still runs, and close it."""
        for running in self._all():
            _log.error(
                "abandoned actor=%s: it was cancelled, and has not ended in time at %s", self._cell, running.place
            )
            self._cell.run_hook("abandoned coroutine", running.close)
        self.settle()

    def _close(self) -> None:
        self._cell.hold = None
        if self._timer is not None:
            self._timer.cancel()
        for running in self._all():
            self._cell.run_hook("closed coroutine", running.close)
        self._call_afterwards()

    def _call_afterwards(self) -> None:
        calls, self._afterwards = self._afterwards, []
        for call in calls:
            call()

    def _all(self) -> list[Running]:
        main = () if self._main is None else (self._main,)
        return [running for running in (*main, *self._others) if not running.is_over]

    def _on_time(self) -> None:
        self._cell.tell_control(_GraceOver(self))


class _GraceOver(Internal):
    """What was cancelled has had its time."""

    __slots__ = ("_hold",)

    def __init__(self, hold: Hold) -> None:
        self._hold = hold

    def deliver(self) -> None:
        """Abandon it."""
        self._hold.give_up()


def _tell_that_it_is_over(actor: Any) -> None:
    actor.after_handler()
