"""How an actor's messages are handled: a few per turn, signals first, and what is raised. Layer: pillar."""

from __future__ import annotations

import abc
import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from types import CoroutineType
from typing import Any, Final

from relay_actors.errors import Poisoned
from relay_actors.runtime.anatomy import AnyActor
from relay_actors.runtime.asking import FOREVER, NoReplyYet, fail_ask, not_answered, skip_expired
from relay_actors.runtime.async_handler import Hold
from relay_actors.runtime.context import here
from relay_actors.runtime.extras import STASHED, Extras
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.flow import Running
from relay_actors.runtime.future import Future
from relay_actors.runtime.loop_flow import start_flow
from relay_actors.runtime.mailbox import FOR_PYKKA, SHORT, STOP, Envelope
from relay_actors.runtime.post import Post
from relay_actors.runtime.reasons import NORMAL, ExitReason
from relay_actors.runtime.signals import Internal, Signal, Unwrapped
from relay_actors.runtime.thread_flow import TakesTurn

__all__ = ["HANDLES_ONE", "RUNS_A_TURN", "CellState", "Turns", "let_the_user_interrupt"]

_log = logging.getLogger("relay_actors.runtime")

# After how many messages of a turn, less one, the clock is read: the more, the later a turn of slow ones ends, and the
# less a turn of quick ones costs. Most turns have one message, and never read it.
_LOOKS_AT_THE_TIME: Final = frozenset({1, *range(3, 10_000, 4)})

# Guards who counts as a zombie, of all actors. Re-entrant, because a finaliser may run in the middle.
_zombies = threading.RLock()


class CellState(Enum):
    """Where in its life a cell is."""

    NEW = auto()
    RUNNING = auto()
    FAILED = auto()
    STOPPING = auto()
    DEAD = auto()


_NEW, _RUNNING, _FAILED, _STOPPING, _DEAD = CellState  # looked up for every message


class Turns(Post):
    """The turns of one actor. What a message means for its life is said by the subclass.

    Attributes:
        actor: the user's object; None before it is made, and after its end.
        state: where in its life it is.
        hears_of_batches: whether the class of the present incarnation has an `after_batch` of its own.
        hold: why it does not take its next message, if a handler awaits or an end is waited for; None otherwise.
        passes_to: a flow on a thread of its own, which goes on with this turn there; None otherwise.
        in_flow: whether a flow of its is being driven, so that an await belongs to the actor and not to asyncio.
        handling: what the turn that is under way is about; None between messages. Read by any thread, and by a kill.
        has_ended: whether its end has begun that cannot be taken back. Set once, by `begin_end`.
        is_running: whether one of its turns is under way. Any thread; it may be over right after.
        receives_plainly: whether that class hands a message to `on_receive` and does nothing else with it.
    """

    __slots__ = (
        "_extras", "_is_zombie", "_lives", "_next", "_ref", "actor", "actor_class", "flow", "handling", "has_ended",
        "hears_of_batches", "hold", "in_flow", "is_running", "passes_to", "receives_plainly", "state",
    )  # fmt: skip

    # All of it is set by `Cell`.
    _extras: Extras | None
    _is_zombie: bool  # guarded by the lock, but for a look at it
    _lives: bool  # there until its end begins
    _next: tuple[Internal, ...]  # rarely more than one, and mostly none; touched in its turns only
    _ref: Any
    actor: AnyActor | None
    actor_class: type[Any]
    flow: Running | None
    handling: Envelope | Unwrapped | None
    has_ended: bool
    hears_of_batches: bool
    hold: Hold | None
    in_flow: bool
    is_running: bool
    passes_to: TakesTurn | None
    receives_plainly: bool
    state: CellState

    @property
    def was_begun(self) -> bool:
        """Whether anybody has had it started."""
        return self._start_wanted or self.state is not _NEW

    def take_stashed(self) -> Envelope | None:
        """Return the next message that was put aside and is to be handled now, or None. In its turn."""
        return None if self._extras is None else self._extras.take_ready()

    @property
    def has_stashed(self) -> bool:
        """Whether a message that was put aside is to be handled now."""
        return self._extras is not None and self._extras.stash.has_ready

    def begin_end(self) -> bool:
        """Begin its end, which cannot be taken back; False if that has begun already. Any thread: one gets True."""
        try:
            del self._lives  # in one step, for all threads: who comes second gets an error
        except AttributeError:
            is_first = False
        else:
            is_first = True
        self.has_ended = True  # by whoever comes: each can rely on it from here on
        return is_first

    @property
    def answering(self) -> Future[Any] | None:
        """The answer to what is being handled, if that was asked."""
        handling = self.handling
        return None if handling is None else handling.reply_to

    def handle_user(self, message: object) -> None:
        """Hand ``message`` to the actor, in its turn. What it raises fails the actor."""
        actor = self.actor
        if actor is not None:
            given = self.hand(message, actor.receive)
            if type(given) is CoroutineType:
                self.drive(given, message)

    def hand(self, message: object, handler: Callable[[Any], object]) -> object:
        """Have ``handler`` handle a message that did not come in an envelope of its own; it may put it aside."""
        return handler(message) if self._extras is None else self._extras.hand(Envelope(message), handler)

    def tell_next(self, message: Internal) -> None:
        """Have something done right after what is being handled, before any other message. In its turn.

        So what follows from a message is done in the state that this message has left, whatever waits behind it. From
        elsewhere it takes its place in the control lane.
        """
        turn: Any = here.turn
        while turn is not None and turn is not self:  # or in that of a child, which runs inside its own
            turn = turn.inside
        if turn is None:
            self.tell_control(message)
            return
        # To allocate may collect garbage, and a finaliser that settles something comes here as well: so nothing is
        # allocated or called between the look that finds what there is unchanged, and the write.
        added = (message,)
        while self._next:
            before = self._next
            after = before + added
            if self._next is before:
                self._next = after
                return
        self._next = added

    def run_next(self) -> None:
        """Do now what is to be done next. In its turn; what it raises, this raises.

        A flow on a thread of its own that may go on by it does so first, when the turn is passed on.
        """
        while self._next and self.passes_to is None and self._may_go_on():
            waiting = self._next
            rest = waiting[1:]
            if self._next is waiting:  # otherwise a finaliser has added to it: see `tell_next`
                self._next = rest
                waiting[0].deliver()

    def goes_on_with(self, message: Unwrapped) -> bool:
        """Do what is to be done next; return whether nothing else waits then ahead of the user's messages but this one.

        So who has told it himself that there is more to do can do that at once, and save the way through the mailbox.
        In its turn, and not if that has had its time. What is raised by what is done, this raises.
        """
        if self._next:
            self.run_next()
        mailbox = self.mailbox
        return (
            self.state is _RUNNING and self.hold is None and self._extras is None and self.passes_to is None
            and not (self._next or mailbox.system) and mailbox.older is None
            and mailbox.control == [message] and not self.dispatcher.is_slice_over()
        )  # fmt: skip

    def drive(
        self,
        coroutine: Coroutine[Any, Any, Any],
        message: object,
        reply: Future[Any] | None = None,
        *,
        tries_left: int = 0,
    ) -> None:
        """Run what an ``async def`` handler has given; other messages wait until it is over (SEMANTICS A14).

        Args:
            coroutine: what to run.
            message: what it handles.
            reply: settled with what it returns, or raises.
            tries_left: how often the message is handled again if it raises (M6).
        """

        def done(result: object) -> None:
            if reply is not None:
                self._reply(reply, result)

        envelope = Envelope(message, reply)

        def failed(error: BaseException) -> None:
            if isinstance(error, asyncio.CancelledError) and (self.state is not _RUNNING or self.has_ended):
                if reply is not None:
                    reply.try_fail(ActorIsDead(f"{self.ref} stopped while handling the message"))
            elif self.actor is not None and (reply is not None or not self.actor.is_no_failure(error)):
                self._on_error(self.actor, envelope, error, tries_left=tries_left)

        running = start_flow(self, coroutine, done, failed, envelope)
        if running.is_over:
            return
        if reply is not None and self.actor is not None:
            self.actor.note_suspended(reply)
        if self.state is _RUNNING or self.has_ended:  # in an actor that was killed it is closed with all the rest
            if self.hold is None:
                self.hold = Hold(self)
            self.hold.add(running, message)
        else:
            running.close()

    @property
    def takes_messages(self) -> bool:
        """Whether an incarnation is running that is not about to end."""
        return self.state is _RUNNING

    @property
    def is_held(self) -> bool:
        """Whether other messages have to wait, because a handler awaits or an end is waited for."""
        return self.hold is not None and self.hold.holds

    def run_hook(self, name: str, hook: Callable[..., object], *args: object) -> None:
        """Call something that must not be able to stop what is going on; what it raises is logged. In its turn."""
        self._hook(name, hook, *args)

    def tell_actor(self, call: Callable[[AnyActor], object]) -> None:
        """Call a hook of the actor while it is running, in its turn. What it raises fails the actor."""
        actor = self.actor
        if self.state is _RUNNING and actor is not None:
            try:
                call(actor)
            except BaseException as error:
                self._fail_by(error)

    # -- what the life of the actor makes of it ----------------------------------------------------------------------

    @abc.abstractmethod
    def begin_stop(self, reason: ExitReason, reply: Future[bool] | None = None, *, by_parent: bool = False) -> None:
        """Stop, in this turn or when the children have ended."""

    @abc.abstractmethod
    def _start(self) -> None:
        """Construct if need be, and start."""

    @abc.abstractmethod
    def fail(self, reason: ExitReason, message: object) -> None:
        """Something was raised: this incarnation handles no more messages."""

    @abc.abstractmethod
    def _drop_incarnation(self) -> None:
        """Let go of the actor and of everything that belongs to it."""

    @abc.abstractmethod
    def _untie(self) -> None:
        """Let go of what is only good while it lives."""

    # -- one turn ----------------------------------------------------------------------------------------------------

    def run_batch(self, grant: list[None]) -> None:
        """Run a turn that was due. For who has taken it: the dispatcher, or `run_now`."""
        outer = here.turn
        if outer is not self:  # otherwise the dispatcher has noted it, which costs it less
            here.turn = self
            self.inside = outer
        self.is_running = True
        mailbox = self.mailbox
        user = mailbox.user
        lane = mailbox.control or user
        try:
            if (
                len(lane) == 1 and self.state is _RUNNING and self.hold is None and self._extras is None
                and not (self._next or mailbox.system or mailbox.is_closed)
                and mailbox.older is None and mailbox.room is None
            ):  # fmt: skip
                # One message, and nothing else to be done: so it is in most turns of most actors.
                try:
                    envelope: Any = lane.pop(0)
                except IndexError:  # it is being closed
                    return
                if lane is user:
                    self._handle(envelope)
                else:
                    self._handle_control(envelope)
                if (
                    (mailbox.user or mailbox.control or mailbox.system or self._next)
                    and grant
                    and self.passes_to is None
                ):
                    self._handle_more(grant, 1)
            else:
                if self._start_wanted and self.state is _NEW:
                    self._start()
                if (
                    mailbox.user or mailbox.control or mailbox.system or mailbox.older is not None
                    or self._next or self.hold is not None or self._extras is not None
                ):  # fmt: skip
                    self._handle_more(grant, 0)
            if self.hears_of_batches or self.hold is not None or self.has_ended:
                self._round_off()
        finally:
            if outer is not self:
                here.turn = outer
                self.inside = None
            if self.passes_to is None:
                self.end_turn()
            else:
                self._pass_on()

    def _pass_on(self) -> None:
        passes_to, self.passes_to = self.passes_to, None
        if passes_to is not None:
            passes_to.take_turn()

    def end_turn(self) -> None:
        """Give the turn back. For who has it: the thread that runs it, or the flow to which it was passed on."""
        self.is_running = False
        if self._is_zombie:
            self.count_zombie(-1)
        # First give the turn back, then look. A sender puts first and then tries to have a turn scheduled, and
        # `kill` ends first and then does so: whichever comes second sees the other.
        self._rest = None
        self.is_resting = True
        mailbox = self.mailbox
        if (
            mailbox.user or mailbox.control or mailbox.system or mailbox.older is not None
            or self._next or self.hold is not None or self._extras is not None
            or (self.state is not _RUNNING and not (self.has_ended and self.actor is None))
        ) and self._has_work():  # fmt: skip
            self.wake()

    def look_for_work(self) -> None:
        """Have a turn scheduled if there is anything to do. For who has acted as if in a turn, and was in none."""
        if self.is_resting and self._has_work():
            self.wake()

    def _handle_more(self, grant: list[None], handled: int) -> None:
        """Handle what waits, as far as the turn goes; so many messages of it have been ``handled``."""
        mailbox = self.mailbox
        user, control, room = mailbox.user, mailbox.control, mailbox.room
        if (
            (user and len(user) > SHORT) or (control and len(control) > SHORT)
            or mailbox.older is not None or (mailbox.system and len(mailbox.system) > SHORT)
        ):  # fmt: skip
            mailbox.settle()
        older = mailbox.older
        for number in range(handled, self.actor_class.throughput):
            if mailbox.system or (older is not None and older.system):
                signal = mailbox.take_system()
                if signal is not None:
                    self._handle_signal(signal)
            elif self._next and (self.state is _RUNNING or self._may_go_on()):
                waiting = self._next
                rest = waiting[1:]
                if self._next is not waiting:  # as in `run_next`
                    continue
                self._next = rest
                try:
                    waiting[0].deliver()
                except BaseException as error:
                    self._fail_by(error)
            elif self.hold is not None:
                envelope = self.hold.take()
                older = mailbox.older  # it may have moved what waits there, as it was too much
                if envelope is not None:
                    self._handle_control(envelope)
                elif self.hold is not None:
                    break
            elif self.state is not _RUNNING:
                break
            elif self._extras is not None and (ready := self._extras.take_ready()) is not None:
                self._handle(ready)
            elif older is not None and older.control:
                if (envelope := mailbox.take_control()) is not None:
                    self._handle_control(envelope)
            elif mailbox.control:  # from here on as `Mailbox.take_control` and `take_user` do it
                if mailbox.is_closed:
                    break
                try:
                    envelope = mailbox.control.pop(0)
                except IndexError:  # it is being closed
                    break
                if isinstance(envelope, Unwrapped) or isinstance(envelope.message, Internal):
                    self._handle_control(envelope)
                else:
                    self._handle(envelope)
            elif older is not None and older.user:
                try:
                    envelope = older.user.popleft()
                except IndexError:
                    break
                self._handle(envelope)
            elif not (user or (user := mailbox.user)) or mailbox.is_closed:  # it may have been made in this turn
                break
            elif room is None:
                try:
                    envelope = user.pop(0)
                except IndexError:
                    break
                self._handle(envelope)
            elif (envelope := mailbox.take_user()) is not None:
                self._handle(envelope)
            if self.passes_to is not None:  # a flow on a thread of its own goes on, before anything else is handled
                break
            if not grant:
                break
            if (
                number in _LOOKS_AT_THE_TIME and (user or mailbox.control or older is not None)
                and len(grant) == 1 and self.dispatcher.is_slice_over()
            ):  # fmt: skip
                break

    def _round_off(self) -> None:
        """See to what comes after the messages of a turn."""
        if self.hold is not None:  # first: what has gathered while a handler awaited is handled now, and noted then
            self._guarded(self.hold.settle)
        actor = self.actor
        if self.hears_of_batches and actor is not None and self.state is _RUNNING:
            try:
                actor.after_batch()
            except BaseException as error:
                self._fail_by(error)
        if self.has_ended:
            self._drop_incarnation()
            self._untie()

    def _may_go_on(self) -> bool:
        hold = self.hold  # read once: when this is asked after a turn, another one may drop it
        return self.state is _RUNNING or (hold is not None and hold.is_ending)

    def _has_work(self) -> bool:
        if self.mailbox.has_signals():
            return True
        if self.has_ended:
            return self.actor is not None
        if self._next and self._may_go_on():
            return True
        hold = self.hold  # read once: the turn has been given back, and another one may drop it
        if hold is not None:
            return hold.has_work()
        if self.state is _RUNNING:
            return self.mailbox.has_messages() or self.has_stashed
        return self.state is _NEW and self._start_wanted

    def _handle_signal(self, signal: Signal) -> None:
        cell: Any = self
        if self.state is _DEAD:  # killed, and the mailbox closed: the sender leaves the signal to who took it
            signal.refuse(cell)
            return
        try:
            signal.handle(cell)
        except BaseException as error:
            self._fail_by(error)

    def _handle_control(self, envelope: Any) -> None:
        message: Internal
        if isinstance(envelope, Unwrapped):
            message = envelope
        elif isinstance(envelope.message, Internal):
            message = envelope.message
        else:
            self._handle(envelope)
            return
        self.handling = envelope
        try:
            message.deliver()
        except BaseException as error:
            self._fail_by(error)
        self.handling = None

    def _handle(self, envelope: Envelope) -> None:
        reply, message = envelope.reply_to, envelope.message
        if message is STOP:
            self.begin_stop(NORMAL, reply)
            return
        if reply is not None and reply.deadline != FOREVER and skip_expired(self, envelope):
            return
        # First note what is being answered, then look: a kill ends first and then fails what is being answered.
        self.handling = envelope
        actor, extras = self.actor, self._extras
        if actor is None or self.state is not _RUNNING:
            self.handling = None
            was_aside = extras is not None and extras.was_aside(envelope)
            self.refuse(envelope, "stash" if was_aside else "dead")
            return
        try:
            if extras is not None:
                response = extras.receive(actor, envelope)
            elif self.receives_plainly and type(message) not in FOR_PYKKA:  # as `Actor.receive` does it
                response = actor.on_receive(message)
            else:
                response = actor.receive(message)
        except BaseException as error:
            self._on_error(actor, envelope, error, tries_left=type(actor).retries)
        else:
            if response is not None and type(response) is CoroutineType:
                self.drive(response, message, reply, tries_left=type(actor).retries)
            elif reply is not None and response is not STASHED:
                self._reply(reply, response)
        self.handling = None

    def _reply(self, reply: Future[Any], response: object) -> None:
        if response is NoReplyYet or reply.is_deferred or not reply.try_set(response):
            not_answered(self, reply, response)

    def _on_error(self, actor: AnyActor, envelope: Envelope, error: BaseException, *, tries_left: int) -> None:
        reply, message = envelope.reply_to, envelope.message
        if not isinstance(error, Exception):  # a SystemExit in one actor must not stop the others (SEMANTICS L8)
            reason = ExitReason("error", cause=error)
            if reply is not None:
                dead = ActorIsDead(f"{self.ref} failed with {reason} while handling the message")
                dead.__cause__ = error
                reply.try_fail(dead)
            self.fail(reason, message)
            let_the_user_interrupt(error)
        elif tries_left and self.state is _RUNNING and not self.has_ended and actor.is_received_twice(message):
            self._try_again(actor, envelope, error)
        elif reply is None:
            self.fail(ExitReason("error", cause=error), message)
        else:
            fail_ask(self, reply, Poisoned(message, error) if type(actor).retries else error, message)
            if type(actor).escalate_ask_errors:
                self.fail(ExitReason("error", cause=error), message)

    def _try_again(self, actor: AnyActor, envelope: Envelope, error: BaseException) -> None:
        reply, message = envelope.reply_to, envelope.message
        self.system.hooks.count("messages.retried")
        _log.warning("handling %s once more actor=%s", type(message).__name__, self, exc_info=error)
        if reply is not None:
            reply.is_deferred = False  # a token that the first attempt has taken is good for nothing
        before, self.handling = self.handling, envelope
        try:
            response = actor.receive(message) if self._extras is None else self._extras.receive(actor, envelope)
        except BaseException as again:
            self._on_error(actor, envelope, again, tries_left=0)
        else:
            if type(response) is CoroutineType:
                self.drive(response, message, reply)
            elif reply is not None and response is not STASHED:
                self._reply(reply, response)
        finally:
            self.handling = before

    def _guarded(self, call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:
            self._fail_by(error)

    def _fail_by(self, error: BaseException) -> None:
        self.fail(ExitReason("error", cause=error), None)
        let_the_user_interrupt(error)

    def _hook(self, name: str, hook: Callable[..., object], *args: object) -> None:
        """Call a hook that must not be able to stop what is going on."""
        try:
            hook(*args)
        except BaseException as error:
            _log.exception("hook raised actor=%s hook=%s", self, name)
            let_the_user_interrupt(error)

    def count_zombie(self, change: int) -> None:
        """Note that it has been killed in the middle of a turn, +1, or that such a turn has come back, -1."""
        with _zombies:
            # First set, then look: a turn first says that it is over, and then looks here, without the lock.
            was_zombie, self._is_zombie = self._is_zombie, change > 0
            if change > 0 and not self.is_running:
                self._is_zombie = False
            elif change > 0 or was_zombie:
                self.system.hooks.count("zombie_threads", change)


# By these, who sees a thread's stack finds whose turn it runs (``self``), and what is being handled (``message``).
RUNS_A_TURN: Final = (Turns.run_batch.__code__,)
HANDLES_ONE: Final = (Turns._handle.__code__, Turns._handle_control.__code__)  # noqa: SLF001  # this module's own


def let_the_user_interrupt(error: BaseException) -> None:
    """Raise Ctrl-C again on the main thread, where only a deterministic dispatcher runs actors."""
    if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
        raise error
