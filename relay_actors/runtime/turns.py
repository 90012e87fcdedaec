"""How an actor's messages are handled: a few per turn, signals first, and what is raised. Layer: pillar."""

from __future__ import annotations

import abc
import logging
import threading
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import Any, Final, cast

from relay_actors.runtime.anatomy import AnyActor, AnyCell, AnySystem
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.context import here
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import STOP, Envelope, Mailbox
from relay_actors.runtime.post import Post
from relay_actors.runtime.reasons import NORMAL, ExitReason
from relay_actors.runtime.signals import Internal, Signal

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
        throughput: how many messages it may handle in one turn.
    """

    __slots__ = ("_answering", "_ending", "_is_running", "_is_zombie", "_start_wanted", "actor", "state", "throughput")

    def __init__(
        self, system: AnySystem, dispatcher: Dispatcher, mailbox: Mailbox, *, late: bool, throughput: int
    ) -> None:
        super().__init__(system, dispatcher, mailbox, late=late)
        self.throughput = throughput
        self.state = _NEW
        self.actor: AnyActor | None = None
        self._ending = threading.Lock()  # tried, never waited for: who takes it ends the actor
        self._start_wanted = False
        self._is_running = False
        self._is_zombie = False
        self._answering: Future[Any] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether an end has begun that cannot be taken back."""
        return self._ending.locked()

    def start(self) -> None:
        """Have it started, in a turn of its own. Any thread."""
        self._start_wanted = True
        self.wake()

    def start_now(self) -> None:
        """Start a child of the present turn inside this turn."""
        self._start_wanted = True
        self.run_now()

    def handle_user(self, message: object) -> None:
        """Hand ``message`` to the actor, in its turn. What it raises fails the actor."""
        actor = self.actor
        if actor is not None:
            actor.receive(message)

    def tell_actor(self, call: Callable[[AnyActor], object]) -> None:
        """Call a hook of the actor while it is running, in its turn. What it raises fails the actor."""
        if self.state is _RUNNING and self.actor is not None:
            self._guarded(partial(call, self.actor))

    # -- what the life of the actor makes of it ----------------------------------------------------------------------

    @abc.abstractmethod
    def begin_stop(self, reason: ExitReason, reply: Future[bool] | None = None, *, by_parent: bool = False) -> None:
        """Stop, in this turn or when the children have ended."""

    @abc.abstractmethod
    def _start(self) -> None:
        """Construct if need be, and start."""

    @abc.abstractmethod
    def _fail(self, reason: ExitReason, message: object) -> None:
        """Something was raised: this incarnation handles no more messages."""

    @abc.abstractmethod
    def _drop_incarnation(self) -> None:
        """Let go of the actor and of everything that belongs to it."""

    # -- one turn ----------------------------------------------------------------------------------------------------

    def _run(self, grant: list[None]) -> None:
        outer, here.turn = here.turn, self
        outer_flow, here.in_flow = here.in_flow, False
        self._is_running = True
        try:
            self._handle_some(grant)
        finally:
            here.turn = outer
            here.in_flow = outer_flow
            self._is_running = False
            if self.has_ended:
                self.count_zombie(-1)
            # First give the turn back, then look. A sender puts first and then tries to have a turn scheduled, and
            # `kill` ends first and then does so: whichever comes second sees the other.
            self._scheduled.release()
            if self._has_work():
                self.wake()

    def _handle_some(self, grant: list[None]) -> None:
        mailbox = self.mailbox
        if self._start_wanted and self.state is _NEW:
            self._start()
        for number in range(self.throughput):
            signal = mailbox.take_system()
            if signal is not None:
                self._handle_signal(signal)
            elif self.state is _RUNNING:
                envelope = mailbox.take_control()
                if envelope is not None:
                    self._handle_control(envelope)
                else:
                    envelope = mailbox.take_user()
                    if envelope is None:
                        break
                    self._handle(envelope)
            else:
                break
            if not grant or (number in _LOOKS_AT_THE_TIME and len(grant) == 1 and self.dispatcher.is_slice_over()):
                break
        if self.state is _RUNNING and self.actor is not None:
            self._guarded(self.actor.after_batch)
        if self.has_ended:
            self._drop_incarnation()

    def _has_work(self) -> bool:
        if self.mailbox.has_signals():
            return True
        if self.has_ended:
            return self.actor is not None
        if self.state is _RUNNING:
            return self.mailbox.has_messages()
        return self.state is _NEW and self._start_wanted

    def _handle_signal(self, signal: Signal) -> None:
        if self.state is _DEAD:  # killed, and the mailbox closed: the sender leaves the signal to who took it
            signal.refuse(cast("AnyCell", self))
        else:
            self._guarded(partial(signal.handle, cast("AnyCell", self)))

    def _handle_control(self, envelope: Envelope) -> None:
        message = envelope.message
        if isinstance(message, Internal):
            self._guarded(message.deliver)
        else:
            self._handle(envelope)

    def _handle(self, envelope: Envelope) -> None:
        reply, message = envelope.reply_to, envelope.message
        if message is STOP:
            self.begin_stop(NORMAL, reply)
            return
        # First note what is being answered, then look: a kill ends first and then fails what is being answered.
        self._answering = reply
        actor = self.actor
        if actor is None or self.state is not _RUNNING:
            self.refuse(envelope, "dead")
            return
        try:
            response = actor.receive(message)
        except Exception as error:
            if reply is None:
                self._fail(ExitReason("error", cause=error), message)
            else:
                _log.info("exception returned to the asker actor=%s", self, exc_info=True)
                reply.try_fail(error)
        except BaseException as error:  # a SystemExit in one actor must not stop the others (SEMANTICS L8)
            if reply is not None:
                reply.try_fail(ActorIsDead(f"{self.ref} failed with {error!r} while handling the message"))
            self._fail(ExitReason("error", cause=error), message)
            let_the_user_interrupt(error)
        else:
            if reply is not None:
                reply.try_set(response)
        self._answering = None

    def _guarded(self, call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:
            self._fail(ExitReason("error", cause=error), None)
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
            if self._is_running if change > 0 else self._is_zombie:
                self._is_zombie = change > 0
                self.system.hooks.count("zombie_threads", change)


# By these, who sees a thread's stack finds whose turn it runs (``self``), and what is being handled (``message``).
RUNS_A_TURN: Final = Turns._run.__code__  # noqa: SLF001  # this module's own
HANDLES_ONE: Final = (Turns._handle.__code__, Turns._handle_control.__code__)  # noqa: SLF001  # this module's own


def let_the_user_interrupt(error: BaseException) -> None:
    """Raise Ctrl-C again on the main thread, where only a deterministic dispatcher runs actors."""
    if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
        raise error
