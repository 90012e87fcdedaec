"""How messages reach one actor, from any thread, and bring it a turn. Layer: pillar."""

from __future__ import annotations

import abc
import threading
from typing import Any, cast

from relay_actors.errors import MailboxFull
from relay_actors.runtime.anatomy import AnyCell, AnySystem
from relay_actors.runtime.base import Dispatcher, Outward, Runnable
from relay_actors.runtime.context import here, name_of_sender
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.mailbox import STOP, Envelope, Mailbox
from relay_actors.runtime.reasons import DeadLetter, StreamEvent, Undelivered
from relay_actors.runtime.signals import Internal, Signal
from relay_actors.runtime.wait_graph import inside

__all__ = ["Post"]


class Post(abc.ABC):
    """Everything about an actor that any thread may use: mailbox, scheduling, and what is refused.

    Two locks order the turns (SEMANTICS D1); both are only tried, never waited for:

    * ``_scheduled`` is held from the moment the dispatcher is told until the end of the turn. It guards everything
      that only turns touch, and so carries what one turn has written to the next, on whichever thread.
    * ``_taken`` is free while a turn is due and nobody has begun it: who takes it runs it. That is the dispatcher,
      or `run_now`, which takes a turn that is due out of the dispatcher's hands.

    Args:
        system: to which it belongs.
        dispatcher: who gives it turns.
        mailbox: where its messages wait.
        late: whether it runs after all others of a round.

    Attributes:
        outward: who looks at what this actor sends to others in its turns, and awaits of them; None: nobody. For
            frameworks on top.
    """

    __slots__ = ("_scheduled", "_taken", "dispatcher", "kept_limit", "late", "mailbox", "outward", "stopped",
                 "system")  # fmt: skip

    def __init__(self, system: AnySystem, dispatcher: Dispatcher, mailbox: Mailbox, *, late: bool) -> None:
        self.system = system
        self.dispatcher = dispatcher
        self.mailbox = mailbox
        self.late = late
        self.stopped = False
        self.outward: Outward | None = None
        self.kept_limit: int | None = None  # between two incarnations: how long the user lane may become (S10)
        self._scheduled = threading.Lock()
        self._taken = threading.Lock()
        self._taken.acquire()

    @property
    def is_stopped(self) -> bool:
        """Whether it takes no more messages."""
        return self.stopped

    @property
    @abc.abstractmethod
    def ref(self) -> Any:
        """What others hold of it."""

    # -- sending -----------------------------------------------------------------------------------------------------

    def tell_user(self, message: object, reply_to: Future[Any] | None = None) -> bool:
        """Put a user's message; return False if the actor has ended: nothing was sent then.

        Raises:
            MailboxFull: the mailbox is bounded, full, and set to say so.
        """
        if reply_to is not None:
            reply_to.settled_by = self
        turn = cast("Post | None", here.turn)
        if turn is not None and turn.outward is not None and turn.outward.withholds(self, message, reply_to):
            return True
        if self.stopped:
            return False
        envelope = Envelope(message, reply_to)
        limit = self.kept_limit
        if limit is not None and message is not STOP and self.mailbox.user_length >= limit:
            self.refuse(envelope, "restart_overflow")
            return True
        is_taken = self.mailbox.offer(envelope)
        if is_taken is None:
            is_taken = self._put_beyond_bound(envelope)
        if is_taken:
            self.wake()
        return is_taken

    def _put_beyond_bound(self, envelope: Envelope) -> bool:
        try:
            is_taken, dropped = self.mailbox.put_user(envelope, self.dispatcher.wait_until)
        except MailboxFull:
            self.dead_letter(envelope.message, "overflow")
            raise
        if dropped is not None:
            self.refuse(dropped, "overflow")
        return is_taken

    def tell_control(self, message: object) -> bool:
        """Put a message ahead of the user's; return False if the actor has ended (then it is a dead letter, M7)."""
        if self.mailbox.put_control(Envelope(message)):
            self.wake()
            return True
        self.dead_letter(message, "dead")
        return False

    def signal(self, signal: Signal) -> None:
        """Put a signal in the system lane; if the actor has ended, the signal is refused here and now."""
        if self.mailbox.put_system(signal):
            self.wake()
        else:
            signal.refuse(cast("AnyCell", self))

    def deliver_now(self, message: object) -> None:
        """Have a child of the present turn handle ``message`` inside this turn.

        For actors that are part of what their parent does, such as the actions of a call: what they find out is
        there when the parent goes on. If the child is just running on another thread, the message waits.
        """
        if self.mailbox.put_control(Envelope(message)):
            self.run_now()
        else:
            self.dead_letter(message, "dead")

    # -- turns -------------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Have a turn scheduled, unless one is due or under way already."""
        if self._scheduled.acquire(blocking=False):
            self._taken.release()
            self.dispatcher.schedule(self)

    def run_batch(self, grant: list[None]) -> None:
        """Run a turn that is due. Called by the dispatcher, and for nothing if `run_now` was quicker."""
        if self._taken.acquire(blocking=False):
            self._run(grant)

    def run_now(self) -> None:
        """Run a turn on this thread, unless one is under way elsewhere; a pinned actor's turn waits for its thread."""
        if self.dispatcher is not self.system.dispatcher:
            self.wake()
        elif self._scheduled.acquire(blocking=False) or self._taken.acquire(blocking=False):
            with inside(here.turn, self):
                self._run([None, None])  # two: inside another turn, whose time is not this one's

    @abc.abstractmethod
    def _run(self, grant: list[None]) -> None:
        """Run one turn, and then give `_scheduled` back. Whoever calls has taken it."""

    # -- what is not handled -----------------------------------------------------------------------------------------

    def refuse(self, envelope: Envelope, why: Undelivered) -> None:
        """Settle an envelope that had been accepted, and will not be handled. Any thread."""
        reply, message = envelope.reply_to, envelope.message
        if message is STOP:
            if reply is not None:
                reply.try_set(True)
            return
        self._publish(message, why, envelope.sender)  # first: whoever is told that it was refused finds the letter
        if reply is not None:
            reply.try_fail(self._refusal_error(why))

    def dead_letter(self, message: object, why: Undelivered) -> None:
        """Publish a message of the present turn that nobody will handle; for one that had been put, use `refuse`."""
        self._publish(message, why, here.turn)

    def _publish(self, message: object, why: Undelivered, sender: Runnable | None) -> None:
        if isinstance(message, Internal):
            message = message.loss()  # of the runtime's own, what they were bringing
            if message is None:
                return
        if message is not STOP and not isinstance(message, StreamEvent):
            self.system.dead_letters.publish(DeadLetter(message, repr(self), why, name_of_sender(sender)))

    def _refusal_error(self, why: Undelivered) -> Exception:
        if why == "expired":
            return WaitTimeout(f"{self.ref} came to the message when nobody waited for the answer any more")
        if why not in ("overflow", "restart_overflow"):
            return ActorIsDead(f"{self.ref} stopped before handling the message")
        return MailboxFull(f"the mailbox of {self.ref} is full ({why}): the message was dropped")
