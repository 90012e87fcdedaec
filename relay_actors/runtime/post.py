"""How messages reach one actor, from any thread, and bring it a turn. Layer: pillar."""

from __future__ import annotations

import abc
from typing import Any, Final, cast

from relay_actors.errors import MailboxFull
from relay_actors.runtime.anatomy import AnyCell, AnySystem
from relay_actors.runtime.base import Dispatcher, Outward, Runnable
from relay_actors.runtime.context import here, name_of_sender
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.mailbox import NO_LANE, STOP, Envelope, Fresh, Mailbox, withdraw_from
from relay_actors.runtime.reasons import DeadLetter, StreamEvent, Undelivered
from relay_actors.runtime.signals import Internal, Signal, Unwrapped

__all__ = ["UNHURRIED", "Post"]

UNHURRIED: Final[list[None]] = [None, None]
"""The grant of a turn inside another one, whose time is not its own: two elements, and nobody takes one away."""


class Post(abc.ABC):
    """Everything about an actor that any thread may use: mailbox, scheduling, and what is refused.

    Turns come one at a time (SEMANTICS D1) because of ``_rest``, an attribute that is there while no turn is due or
    under way. Who deletes it, which is atomic, has taken the actor out of its rest: he says so in ``is_resting``, and
    gives it to the dispatcher, or runs the turn himself (`run_now`). At the end of the turn, who has run it puts the
    attribute back, and says that, too. So ``_rest`` guards everything that only turns touch, and carries what one turn
    has written to the next, on whichever thread.

    A turn that is due lies in the dispatcher's queue, and who takes it out of there, which is atomic as well, runs it:
    the dispatcher, or `run_now` by `Dispatcher.withdraw`.

    Attributes:
        system: to which it belongs.
        dispatcher: who gives it turns.
        mailbox: where its messages wait.
        late: whether it runs after all others of a round.
        stopped: whether it takes no more messages.
        kept_limit: between two incarnations, how long the user lane may become (S10); otherwise None.
        outward: who looks at what this actor sends to others in its turns, and awaits of them; None: nobody. For
            frameworks on top.
        inside: in whose turn its own turn runs; None otherwise.
        is_resting: whether no turn of it is due or under way. Any thread; one may be right after.
        takes_in: whose turn runs inside its own, and has to end before its own can go on; None otherwise.
    """

    __slots__ = ("_rest", "_start_wanted", "dispatcher", "inside", "is_resting", "kept_limit", "late", "mailbox",
                 "outward", "stopped", "system", "takes_in")  # fmt: skip

    # All of it is set by `Cell`, in one go: a constructor for each of its parts costs more than what they set.
    _rest: None
    _start_wanted: bool
    dispatcher: Dispatcher
    inside: Any
    is_resting: bool
    kept_limit: int | None
    late: bool
    mailbox: Mailbox
    outward: Outward | None
    stopped: bool
    system: AnySystem
    takes_in: Runnable | None
    actor_class: type[Any]  # also set by `Cell`

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
        turn: Any = here.turn
        if turn is not None and turn.outward is not None and turn.outward.withholds(self, message, reply_to):
            return True
        if self.stopped:
            return False
        envelope = Fresh()
        envelope.message = message
        envelope.reply_to = reply_to
        envelope.sender = turn
        mailbox = self.mailbox
        if self.kept_limit is None and mailbox.room is None and not mailbox.carries:
            lane = mailbox.user  # as `Mailbox.offer` does it
            if lane is NO_LANE:
                lane = mailbox.open_user()
            lane.append(envelope)
            if mailbox.is_closed and mailbox.take_back(envelope):
                return False
        elif not self._put_with_care(envelope):
            return False
        if self.is_resting:  # as `wake` does it
            try:
                del self._rest
            except AttributeError:
                return True
            self.is_resting = False
            self.dispatcher.schedule(self)
        return True

    def _put_with_care(self, envelope: Envelope) -> bool:
        """Put a user's message where there is a bound, or somebody looks; return False if the actor has ended."""
        limit = self.kept_limit
        if limit is not None and envelope.message is not STOP and self.mailbox.user_length >= limit:
            self.refuse(envelope, "restart_overflow")
            return True
        is_taken = self.mailbox.offer(envelope)
        return is_taken if is_taken is not None else self._put_beyond_bound(envelope)

    def _put_beyond_bound(self, envelope: Envelope) -> bool:
        try:
            is_taken, dropped = self.mailbox.put_user(envelope, self.dispatcher.wait_until)
        except MailboxFull:
            self.dead_letter(envelope.message, "overflow")
            raise
        if dropped is not None:
            self.refuse(dropped, "overflow")
        return is_taken

    def offer(self, envelope: Envelope) -> bool | None:
        """Put a user's message if that is possible at once; False if the actor has ended, None if there is no room."""
        limit = self.kept_limit
        if limit is not None and self.mailbox.user_length >= limit:
            return None
        is_taken = self.mailbox.offer(envelope)
        if is_taken:
            self.wake()
        return is_taken

    def tell_control(self, message: object) -> bool:
        """Put a message ahead of the user's; return False if the actor has ended (then it is a dead letter, M7)."""
        envelope: Any = message
        if not isinstance(message, Unwrapped):
            envelope = Fresh()
            envelope.message = message
            envelope.reply_to = None
        envelope.sender = here.turn
        mailbox = self.mailbox
        if mailbox.carries:
            is_taken = mailbox.put_control(envelope)
        else:  # as `Mailbox.put_control` does it
            lane = mailbox.control
            if lane is None:
                lane = mailbox.open_control()
            lane.append(envelope)
            is_taken = not mailbox.is_closed or not withdraw_from(lane, envelope)
        if not is_taken:
            self.dead_letter(message, "dead")
            return False
        if self.is_resting:  # as `wake` does it
            try:
                del self._rest
            except AttributeError:
                return True
            self.is_resting = False
            self.dispatcher.schedule(self)
        return True

    def put_first(self, message: object) -> None:
        """Put a message ahead of the user's for who is still to be started, without a turn: starting brings one."""
        if not self.mailbox.put_control(Envelope(message)):
            self.dead_letter(message, "dead")

    def signal(self, signal: Signal) -> None:
        """Put a signal in the system lane; if the actor has ended, the signal is refused here and now."""
        if self.mailbox.put_system(signal):
            self.wake()
        else:
            signal.refuse(cast("AnyCell", self))

    # -- turns -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Have it started, in a turn of its own. Any thread."""
        self._start_wanted = True
        if self.is_resting and self._take_out_of_rest():
            self.dispatcher.schedule(self)

    def start_now(self) -> None:
        """Start a child of the present turn inside this turn."""
        self._start_wanted = True
        self.run_now()

    def wake(self) -> None:
        """Have a turn scheduled, unless one is due or under way already."""
        if self.is_resting and self._take_out_of_rest():
            self.dispatcher.schedule(self)

    def run_now(self) -> None:
        """Run a turn on this thread, unless one is under way elsewhere; a pinned actor's turn waits for its thread."""
        dispatcher = self.dispatcher
        if dispatcher is not self.system.dispatcher:
            self.wake()
        elif self._take_out_of_rest() or dispatcher.withdraw(self):
            outer: Any = here.turn
            if outer is None:
                self.run_batch(UNHURRIED)
                return
            before, outer.takes_in = outer.takes_in, self
            try:
                self.run_batch(UNHURRIED)
            finally:
                outer.takes_in = before

    def _take_out_of_rest(self) -> bool:
        """Return whether it has rested, and this has ended that: then a turn is to be run, or scheduled."""
        if not self.is_resting:  # a look first, because to delete nothing costs ten times as much
            return False
        try:
            del self._rest
        except AttributeError:  # somebody else, in this moment
            return False
        self.is_resting = False
        return True

    @abc.abstractmethod
    def run_batch(self, grant: list[None]) -> None:
        """Run a turn that was due, and put the actor to rest again. For who has taken it out of its rest."""

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
        if (on_refused := self.actor_class.on_refused) is not None:
            on_refused(message)

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
