"""What stays while an actor is restarted: ref, mailbox, children, keys; and the turns and the life. Layer: pillar.

An actor is two things. The *cell* is made once, and is what the ref, the dispatcher and the parent know. The *actor*
is the user's object; a restart replaces it inside the cell, so that refs stay valid and messages stay queued
(SEMANTICS L4, S10).

Life: ``NEW → RUNNING ⇄ FAILED → STOPPING → DEAD``. FAILED waits for the parent's decision, and STOPPING for the
children. All moves happen in the cell's turns, but for `kill`, which may come from anywhere: who takes the one element
of ``_end_token`` ends the cell, so it is ended once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from enum import Enum, auto
from typing import Any

from relay_actors.errors import MailboxFull, ParentStopping
from relay_actors.runtime.actor_timers import ActorTimers
from relay_actors.runtime.anatomy import AnyActor, AnySystem
from relay_actors.runtime.base import Dispatcher, TimerHandle
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.children import Children
from relay_actors.runtime.context import here
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import Envelope, Mailbox
from relay_actors.runtime.reasons import NORMAL, DeadLetter, Down, ExitReason
from relay_actors.runtime.restart_policy import is_restarted
from relay_actors.runtime.signals import (
    ChildEnded,
    ChildFailedSignal,
    ChildStarted,
    Internal,
    Signal,
    Start,
    Stop,
    Unwatch,
    Watch,
)

__all__ = ["STOP", "Cell", "CellState"]

_log = logging.getLogger("relay_actors.runtime")

_KEPT_WHILE_RESTARTING = 1000


class CellState(Enum):
    """Where in its life a cell is."""

    NEW = auto()
    RUNNING = auto()
    FAILED = auto()
    STOPPING = auto()
    DEAD = auto()


class _StopMessage:
    """The user lane's own stop: behind everything that was sent before (SEMANTICS M3)."""

    def __repr__(self) -> str:
        return "stop"


STOP = _StopMessage()


class Cell:
    """One actor, over all its incarnations.

    Args:
        system: to which it belongs.
        actor_class: what to construct.
        args: positional arguments of the constructor, kept for restarts.
        kwargs: keyword arguments of the constructor, kept for restarts.
        parent: who supervises it; None for an actor without a supervisor, which ends when it fails, as pykka's do.
        keep: anything that is to survive restarts beside the arguments.
    """

    __slots__ = (
        "__weakref__",
        "_answering",
        "_children",
        "_end_token",
        "_failed_message",
        "_flag",
        "_in_restart",
        "_replies",
        "_timers",
        "_tokens",
        "_watched",
        "_watchers",
        "actor",
        "actor_class",
        "args",
        "dispatcher",
        "exit_reason",
        "flow",
        "incarnation",
        "keep",
        "kwargs",
        "late",
        "mailbox",
        "parent",
        "ref",
        "serial",
        "state",
        "stopped",
        "system",
        "throughput",
    )

    def __init__(
        self,
        system: AnySystem,
        actor_class: type[Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        parent: Cell | None = None,
        keep: Any = None,
    ) -> None:
        self.system = system
        self.actor_class = actor_class
        self.args = args
        self.kwargs = kwargs
        self.parent = parent
        self.keep = keep
        self.serial = system.next_serial()
        self.mailbox = Mailbox(actor_class.mailbox_capacity, actor_class.mailbox_overflow, actor_class.mailbox_block_s)
        self.throughput = actor_class.throughput
        self.late = actor_class.runs_late
        self.dispatcher: Dispatcher = system.dispatcher_for(actor_class, self.serial)
        self.state = CellState.NEW
        self.stopped = False
        self.incarnation = 0
        self.exit_reason: ExitReason = NORMAL
        self.actor: AnyActor | None = None
        self.flow: Flow | None = None
        # The scheduled flag: held from the moment the dispatcher is told until the end of the turn. It guards
        # everything that only turns touch, and orders one turn before the next (SEMANTICS D1).
        self._flag = threading.Lock()
        self._end_token: list[None] = [None]
        self._children: Children | None = None
        self._timers: ActorTimers | None = None
        self._watchers: set[tuple[Cell, int]] | None = None
        self._watched: dict[int, Cell] | None = None
        self._tokens = 0
        self._answering: Future[Any] | None = None
        self._replies: list[Future[bool]] | None = None
        self._failed_message: object = None
        self._in_restart: tuple[ExitReason, type[Any] | None] | None = None
        self.ref: Any = actor_class.make_ref(self)

    def __repr__(self) -> str:
        return f"{self.actor_class.__name__}#{self.serial}"

    # -- from any thread ---------------------------------------------------------------------------------------------

    @property
    def is_stopped(self) -> bool:
        """Whether it takes no more messages."""
        return self.stopped

    @property
    def urn(self) -> str:
        """A name of this actor, unique in this process."""
        return f"urn:relay-actors:{self.system.name}:{self.serial}"

    def wake(self) -> None:
        """Have the cell scheduled, unless it is already."""
        if self._flag.acquire(blocking=False):
            self.dispatcher.schedule(self)

    def signal(self, signal: Signal) -> None:
        """Put a signal in the system lane; if the cell has ended, the signal is refused here and now."""
        if self.mailbox.put_system(signal):
            self.wake()
        else:
            signal.refuse(self)

    def tell_control(self, message: object) -> bool:
        """Put a message ahead of the user's; return False if the cell has ended (then it is a dead letter, M7)."""
        if self.mailbox.put_control(Envelope(message)):
            self.wake()
            return True
        self._dead_letter(message, "dead")
        return False

    def tell_user(self, message: object, reply_to: Future[Any] | None = None) -> bool:
        """Put a user's message; return False if the cell has ended: nothing was sent then.

        Raises:
            MailboxFull: the mailbox is bounded, full, and set to say so.
        """
        if self.stopped:
            return False
        if self.state is CellState.FAILED and self.mailbox.lengths()[2] >= _KEPT_WHILE_RESTARTING:
            self._refuse(Envelope(message, reply_to), "restart_overflow")
            return True
        try:
            taken, dropped = self.mailbox.put_user(Envelope(message, reply_to))
        except MailboxFull:
            self._dead_letter(message, "overflow")
            raise
        if dropped is not None:
            self._refuse(dropped, "overflow")
        if taken:
            self.wake()
        return taken

    def deliver_now(self, message: object) -> None:
        """Have a child of the present turn handle ``message`` inside this turn.

        For actors that are part of what their parent does, such as the actions of a call: what they find out is
        there when the parent goes on. If the child is just running elsewhere, the message waits in its mailbox.
        """
        if not self.mailbox.put_control(Envelope(message)):
            self._dead_letter(message, "dead")
        elif self._flag.acquire(blocking=False):
            self.run_batch([None])

    def start_now(self) -> None:
        """Run the start of a child of the present turn inside this turn."""
        self.mailbox.put_system(Start())
        if self._flag.acquire(blocking=False):
            self.run_batch([None])

    def kill(self, detail: str) -> None:
        """End it at once, whatever it is doing: its handler's later return has no effect. Any thread.

        Source: SEMANTICS H4.
        """
        if self._claim_end():
            _log.error("killed actor=%s: %s", self, detail)
            self.system.hooks.count("actors.killed")
            self._end(ExitReason("killed", detail))

    # -- turns -------------------------------------------------------------------------------------------------------

    def run_batch(self, grant: list[None]) -> None:
        """Handle up to ``throughput`` messages, signals first. Called by the dispatcher."""
        outer, here.turn = here.turn, self
        outer_flow, here.in_flow = here.in_flow, False
        mailbox = self.mailbox
        try:
            for _ in range(self.throughput):
                signal = mailbox.take_system()
                if signal is not None:
                    signal.handle(self)
                elif self.state is CellState.RUNNING:
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
                if not grant:
                    break
            if self.state is CellState.RUNNING and self.actor is not None:
                self._guarded(self.actor.after_batch)
        finally:
            here.turn = outer
            here.in_flow = outer_flow
            self._flag.release()
            if mailbox.has_signals() or (mailbox.has_messages() and self.state is CellState.RUNNING):
                self.wake()

    def handle_user(self, message: object) -> None:
        """Hand ``message`` to the actor, in its turn. What it raises fails the actor."""
        actor = self.actor
        if actor is not None:
            actor.receive(message)

    def _handle(self, envelope: Envelope) -> None:
        reply, message = envelope.reply_to, envelope.message
        if message is STOP:
            self.begin_stop(NORMAL, reply)
            return
        actor = self.actor
        if actor is None:
            return
        self._answering = reply
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
                reply.try_fail(ActorIsDead(f"{self} failed with {error!r}"))
            self._fail(ExitReason("error", cause=error), message)
        else:
            if reply is not None:
                reply.try_set(response)
        self._answering = None

    def _handle_control(self, envelope: Envelope) -> None:
        message = envelope.message
        if isinstance(message, Internal):
            self._guarded(message.deliver)
        else:
            self._handle(envelope)

    def _guarded(self, call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:
            self._fail(ExitReason("error", cause=error), None)

    # -- start and restart -------------------------------------------------------------------------------------------

    def construct(self) -> None:
        """Make the actor. What its constructor raises, this raises."""
        self.actor = self.actor_class.construct(self)

    def on_start_signal(self) -> None:
        """Construct, unless that was done in the caller's thread, and start."""
        if self.state is not CellState.NEW:
            return
        self._start()

    def on_restart_signal(self, reason: ExitReason, successor: type[Any] | None) -> None:
        """Be born again, once the children are gone if they are not to be kept."""
        if self.state is not CellState.FAILED or self._in_restart is not None:
            return
        self._in_restart = (reason, successor)
        if self._children is not None and not self._keeps_children() and self._children.stop_all():
            return  # on_child_ended goes on
        self._reincarnate()

    def _reincarnate(self) -> None:
        if self._in_restart is None:
            return
        reason, successor = self._in_restart
        self._in_restart = None
        if self._children is not None and not self._keeps_children():
            self._children.reopen()
        message, self._failed_message = self._failed_message, None
        if self.actor is not None:
            self._hook("pre_restart", self.actor.pre_restart, reason, message)
        self._drop_incarnation()
        if successor is not None:
            self.actor_class = successor
            self.args, self.kwargs = (), {}
        self.incarnation += 1
        self._start()

    def _start(self) -> None:
        try:
            if self.actor is None:
                self.construct()
            self.state = CellState.RUNNING
            if self.actor is not None:
                self.actor.begin()
        except BaseException as error:
            self._fail(ExitReason("start_failed", cause=error), None)
        else:
            if self.parent is not None:
                self.parent.signal(ChildStarted(self))

    def _drop_incarnation(self) -> None:
        if self._timers is not None:
            self._timers.cancel_all()
        flow, self.flow = self.flow, None
        if flow is not None:
            self._hook("flow", flow.cancel)
        self.actor = None

    def _keeps_children(self) -> bool:
        siblings = self.parent.children if self.parent is not None else None
        spec = siblings.spec_of(self) if siblings is not None else None
        return spec is not None and spec.keep_children

    # -- failure and end ---------------------------------------------------------------------------------------------

    def _fail(self, reason: ExitReason, message: object) -> None:
        if self.state in (CellState.STOPPING, CellState.DEAD):
            _log.error("failed while ending actor=%s reason=%s", self, reason, exc_info=reason.cause)
            return
        self.state = CellState.FAILED
        self._failed_message = message
        _log.error(
            "failed actor=%s incarnation=%d reason=%s message=%s",
            self, self.incarnation, reason, type(message).__name__, exc_info=reason.cause,
        )  # fmt: skip
        actor, cause = self.actor, reason.cause
        if actor is not None and cause is not None:
            self._hook("on_failure", actor.on_failure, type(cause), cause, cause.__traceback__)
        if self.parent is None:
            self.end_without_parent(reason)
        else:
            self.parent.signal(ChildFailedSignal(self, reason, message))

    def begin_stop(self, reason: ExitReason, reply: Future[bool] | None = None, *, by_parent: bool = False) -> None:
        """Stop: children first, then the actor. In its turn.

        A child that its parent restarts after such an exit is restarted, unless the parent itself asked.
        """
        if reply is not None:
            if self._replies is None:
                self._replies = []
            self._replies.append(reply)
        if self.state in (CellState.STOPPING, CellState.DEAD):
            return
        siblings = self.parent.children if self.parent is not None and not by_parent else None
        spec = siblings.spec_of(self) if siblings is not None else None
        if spec is not None and is_restarted(spec.restart, reason) and self.parent is not None:
            self.state = CellState.FAILED
            self._failed_message = None
            if self.actor is not None:
                self._hook("on_stop", self.actor.finish)
            self._drop_incarnation()
            self._answer_stops()
            self.parent.signal(ChildFailedSignal(self, reason, None))
            return
        self._stop_for_good(reason)

    def end_without_parent(self, reason: ExitReason) -> None:
        """End after a failure that nobody mends. Any thread; the rest happens in the cell's turn."""
        if here.turn is self:
            self._stop_for_good(reason)
        else:
            self.signal(Stop(reason, by_parent=True))

    def _stop_for_good(self, reason: ExitReason) -> None:
        if self.state in (CellState.STOPPING, CellState.DEAD):
            return
        self.state = CellState.STOPPING
        self.stopped = True
        self.exit_reason = reason
        flow, self.flow = self.flow, None
        if flow is not None:
            self._hook("flow", flow.cancel)
        if self._children is not None and self._children.stop_all():
            return  # on_child_ended goes on
        self._finish()

    def _finish(self) -> None:
        if self._claim_end():
            # pykka's contract: on_stop is for an orderly end; after a failure on_failure was the last hook.
            if self.actor is not None and not self.exit_reason.is_abnormal:
                self._hook("on_stop", self.actor.finish)
            self._end(self.exit_reason)

    def _claim_end(self) -> bool:
        try:
            self._end_token.pop()
        except IndexError:
            return False
        return True

    def _end(self, reason: ExitReason) -> None:
        """Leave nothing behind. The order matters: names are free before anybody hears of the end (W4)."""
        self.stopped = True
        self.exit_reason = reason
        self.state = CellState.DEAD
        signals, envelopes = self.mailbox.close()
        self._drop_incarnation()
        self.system.on_cell_ended(self)
        for watcher, token in sorted(self._watchers or (), key=lambda pair: (pair[0].serial, pair[1])):
            self.tell_down(watcher, token, already_dead=False)
        self._watchers = None
        if self.parent is not None:
            self.parent.signal(ChildEnded(self, reason))
        answering = self._answering
        if answering is not None:  # killed in the middle of an ask: whatever its handler still returns is too late
            answering.try_fail(ActorIsDead(f"{self.ref} was killed while handling the message"))
        for envelope in envelopes:
            self._refuse(envelope, "dead")
        for signal in signals:
            signal.refuse(self)
        self._answer_stops()
        self.system.release_dispatcher(self.dispatcher)

    def _answer_stops(self) -> None:
        replies, self._replies = self._replies, None
        for reply in replies or ():
            reply.try_set(True)

    def refuse_start(self) -> None:
        """The parent is gone before it took this child: there must be no orphan (L9)."""
        if self._claim_end():
            self._end(
                ExitReason("start_failed", "parent stopping", ParentStopping(f"the parent of {self} is stopping"))
            )

    # -- children ----------------------------------------------------------------------------------------------------

    @property
    def children(self) -> Children | None:
        """The children, or None if it never had any."""
        return self._children

    def make_children(self, **settings: Any) -> Children:
        """Return the children, made with these settings at the first call."""
        if self._children is None:
            self._children = Children(self, **settings)
        return self._children

    def add_child(self, child: Cell, spec: ChildSpec) -> None:
        """Take a child, in this cell's turn.

        Raises:
            ParentStopping: it is stopping, or stopped.
        """
        if self.state in (CellState.STOPPING, CellState.DEAD):
            raise ParentStopping(f"{self} is stopping and takes no children")
        child.parent = self
        self.make_children().add(child, spec)

    def on_adopt(self, child: Any, spec: ChildSpec) -> None:
        """Take a child that was made elsewhere, and start it."""
        try:
            self.add_child(child, spec)
        except ParentStopping:
            child.refuse_start()
        else:
            child.signal(Start())

    def on_child_started(self, child: Any) -> None:
        """Note it, and tell the actor: a static supervisor starts the next one."""
        if self._children is not None:
            self._children.on_started(child)
        if self.actor is not None:
            self._guarded(lambda: self.actor.on_child_started(child.ref) if self.actor is not None else None)

    def on_child_failed(self, child: Any, reason: ExitReason, message: object) -> None:
        """Decide about a child."""
        if self._children is None:
            child.end_without_parent(reason)
        else:
            self._children.on_failed(child, reason, message)

    def on_child_ended(self, child: Any, reason: ExitReason) -> None:
        """Forget a child; go on with what waited for it."""
        children = self._children
        if children is None:
            return
        children.on_ended(child)
        if self.actor is not None and self.state is CellState.RUNNING:
            self._guarded(lambda: self.actor.on_child_ended(child.ref, reason) if self.actor is not None else None)
        if len(children) == 0:
            if self.state is CellState.STOPPING:
                self._finish()
            elif self._in_restart is not None:
                self._reincarnate()

    # -- watching ----------------------------------------------------------------------------------------------------

    def watch(self, target: Cell) -> int:
        """Have `Down` told when ``target`` ends; return a token for `unwatch`. In this cell's turn."""
        self._tokens += 1
        if self._watched is None:
            self._watched = {}
        self._watched[self._tokens] = target
        target.signal(Watch(self, self._tokens))
        return self._tokens

    def unwatch(self, token: int) -> None:
        """End a watch; its Down is not handled any more, even if it waits already (W3). In this cell's turn."""
        target = self._watched.pop(token, None) if self._watched is not None else None
        if target is not None:
            target.signal(Unwatch(self, token))

    def on_watch(self, watcher: Any, token: int) -> None:
        """Note who watches."""
        if self._watchers is None:
            self._watchers = set()
        self._watchers.add((watcher, token))

    def on_unwatch(self, watcher: Any, token: int) -> None:
        """Forget who watches."""
        if self._watchers is not None:
            self._watchers.discard((watcher, token))

    def tell_down(self, watcher: Any, token: int, *, already_dead: bool) -> None:
        """Tell one watcher."""
        down = Down(self.ref, self.incarnation, self.exit_reason, already_dead)
        watcher.tell_control(_DownNotice(watcher, token, down))

    def take_watch(self, token: int) -> bool:
        """Return whether the watch is still wanted, and end it."""
        return self._watched is not None and self._watched.pop(token, None) is not None

    # -- timers and keys ---------------------------------------------------------------------------------------------

    @property
    def timers(self) -> ActorTimers:
        """Its timers, made at the first use."""
        if self._timers is None:
            self._timers = ActorTimers(self)
        return self._timers

    def call_later(self, delay_s: float, call: Callable[[], None]) -> TimerHandle:
        """Have ``call`` made after ``delay_s`` seconds, on the dispatcher's thread and not in a turn."""
        return self.system.dispatcher.call_at(self.system.clock.now() + delay_s, call)

    def register(self, key: Hashable) -> Cell:
        """Claim a key; return its owner, which may be another cell."""
        owner: Cell = self.system.registry.register(key, self)
        return owner

    # -- small things ------------------------------------------------------------------------------------------------

    def _hook(self, name: str, hook: Callable[..., object], *args: object) -> None:
        """Call a hook that must not be able to stop what is going on."""
        try:
            hook(*args)
        except BaseException:
            _log.exception("hook raised actor=%s hook=%s", self, name)

    def _refuse(self, envelope: Envelope, why: Any) -> None:
        reply = envelope.reply_to
        if reply is None:
            self._dead_letter(envelope.message, why)
        elif envelope.message is STOP:
            reply.try_set(True)
        else:
            reply.try_fail(ActorIsDead(f"{self.ref} stopped before handling the message"))

    def _dead_letter(self, message: object, why: Any) -> None:
        if message is not STOP and not isinstance(message, Internal):
            self.system.dead_letters.publish(DeadLetter(message, repr(self), why))


class _DownNotice(Internal):
    """A `Down` on its way; dropped when the watch was ended meanwhile."""

    __slots__ = ("_down", "_token", "_watcher")

    def __init__(self, watcher: Cell, token: int, down: Down) -> None:
        self._watcher = watcher
        self._token = token
        self._down = down

    def deliver(self) -> None:
        """Hand it to the actor, in its turn."""
        if self._watcher.take_watch(self._token):
            self._watcher.handle_user(self._down)
