"""What stays while an actor is restarted: ref, mailbox, children, keys; and the turns and the life. Layer: pillar.

An actor is two things. The *cell* is made once, and is what the ref, the dispatcher and the parent know. The *actor*
is the user's object; a restart replaces it inside the cell, so that refs stay valid and messages stay queued
(SEMANTICS L4, S10).

Life: ``NEW → RUNNING ⇄ FAILED → STOPPING → DEAD``. FAILED waits for the parent's decision, and STOPPING for the
children. All moves happen in the cell's turns, but for `kill`, which may come from anywhere, also in the middle of a
turn: who gets True of `begin_end` ends the cell, so it is ended once, and who comes second only sees to it that it
is down already; and whatever a turn sets, it sets first and then looks whether the cell has been ended meanwhile, so
that nothing is set behind the end.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Any, Final, get_args

from relay_actors.runtime.actor_timers import ActorTimers
from relay_actors.runtime.anatomy import AnySystem
from relay_actors.runtime.async_handler import Hold
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.children import Children
from relay_actors.runtime.context import here
from relay_actors.runtime.extras import Extras
from relay_actors.runtime.failures import ActorIsDead, start_failed
from relay_actors.runtime.future import Future
from relay_actors.runtime.inspection import label_of
from relay_actors.runtime.mailbox import Mailbox
from relay_actors.runtime.reasons import NORMAL, ActorEnded, ActorRestarted, ActorStarted, ExitKind, ExitReason
from relay_actors.runtime.restart_policy import Restart, is_restarted
from relay_actors.runtime.signals import ChildEnded, ChildFailedSignal, ChildLeft, ChildStarted, EndForGood
from relay_actors.runtime.turns import CellState, Turns, let_the_user_interrupt
from relay_actors.runtime.watching import Watching

__all__ = ["Cell"]

_log = logging.getLogger("relay_actors.runtime")

_NOTHING: Final[dict[str, Any]] = {}
"""The keyword arguments of who has none, or will not be started again. Nobody writes into it."""

_KEPT_WHILE_RESTARTING = 1000

# Guards the making of what an actor may never need, of all cells. Re-entrant: a finaliser may run in the middle.
_rare = threading.RLock()

_NEW, _RUNNING, _FAILED, _STOPPING, _DEAD = CellState  # looked up once, and so is this
_TEMPORARY: Final = Restart.TEMPORARY
_ENDED: Final[Mapping[ExitKind, str]] = {kind: f"actors.ended.{kind}" for kind in get_args(ExitKind)}


class Cell(Turns):
    """One actor, over all its incarnations.

    Args:
        system: to which it belongs.
        actor_class: what to construct.
        args: positional arguments of the constructor, kept for restarts.
        kwargs: keyword arguments of the constructor, kept for restarts.
        keep: anything that is to survive restarts beside the arguments.
        is_run: whether it will have turns; if not, no thread is made for it.

    Attributes:
        children: None if it never had any.
        parent: who supervises it; None for an actor without a supervisor, which ends when it fails, as pykka's do.
        incarnation: 0 for the first, and 1 more for each restart.
        flow: the coroutine, or code on its own thread, that it is in the middle of, if any; ends with the incarnation.
        started: settled when the first incarnation has started or failed to; None if nobody wants to know.
    """

    __slots__ = (
        "__weakref__", "_failed_message", "_is_over", "_stop_replies", "_timers", "_watching", "args", "children",
        "exit_reason", "incarnation", "keep", "keys", "kwargs", "parent", "serial", "started", "tells_of_end",
    )  # fmt: skip

    def __init__(
        self,
        system: AnySystem,
        actor_class: type[Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        keep: Any = None,
        is_run: bool = True,
    ) -> None:
        self.serial = system.next_serial()
        self.system = system
        self.actor_class = actor_class
        self.args = args
        self.kwargs = kwargs or _NOTHING
        self.keep = keep
        is_pooled = not is_run or actor_class.dispatcher == "pooled"
        self.dispatcher = system.dispatcher if is_pooled else system.dispatcher_for(actor_class, self.serial)
        capacity = actor_class.mailbox_capacity
        self.mailbox = (
            Mailbox() if capacity is None
            else Mailbox(capacity, actor_class.mailbox_overflow, actor_class.mailbox_block_s)
        )  # fmt: skip
        self.is_resting = self._lives = True
        self.late = actor_class.runs_late
        self.hears_of_batches = actor_class.hears_of_batches
        self.receives_plainly = actor_class.receives_plainly
        self.state = _NEW
        self.exit_reason: ExitReason = NORMAL
        self.keys: tuple[Hashable, ...] | dict[Hashable, None] = ()
        self.incarnation = 0
        # Nothing yet, for most of them for ever.
        self.stopped = self.has_ended = self.in_flow = self.is_running = self._start_wanted = False
        self._is_over = self._is_zombie = self.tells_of_end = False
        self._rest = self.inside = self.kept_limit = self.outward = self.passes_to = self.takes_in = None
        self._next = ()
        self._extras = self._ref = self.actor = self.flow = self.handling = self.hold = None
        self._failed_message: object = None
        self.parent: Cell | None = None
        self.started: Future[bool] | None = None
        self.children: Children | None = None
        self._timers: ActorTimers | None = None
        self._watching: Watching | None = None
        self._stop_replies: list[Future[bool]] | None = None

    def __repr__(self) -> str:
        return f"{self.actor_class.__name__}#{self.serial}"

    @property
    def ref(self) -> Any:
        """What others hold of it; made when it is asked for, and then the same as long as it lives."""
        ref = self._ref
        if ref is None:
            fresh = self.actor_class.make_ref(self)
            with _rare:  # who starts it and its first turn may both come; a pool's ref has a state of its own
                ref = self._ref
                if ref is None:
                    ref = fresh
                    if not self._is_over:  # then it is not kept: see `_untie`
                        self._ref = ref
        return ref

    @property
    def is_between(self) -> bool:
        """Whether no incarnation is running, and one is to come."""
        return self.state in (_NEW, _FAILED)

    @property
    def urn(self) -> str:
        """A name of this actor that no other has."""
        return self.system.urn_of(self)

    @property
    def path(self) -> str:
        """Its place in the tree, for people: the names of all above it, and its own."""
        return repr(self) if self.parent is None else f"{self.parent.path}/{self!r}"

    # -- start and restart -------------------------------------------------------------------------------------------

    def construct(self) -> None:
        """Make the actor. What its constructor raises, this raises."""
        if self.actor_class.stash_capacity is not None:
            self.make_extras()
        try:
            self.actor = self.actor_class.construct(self)
        except BaseException:
            self.actor = None
            raise

    def _start(self) -> None:
        self._start_wanted = False
        try:
            if self.actor is None:
                self.construct()
            if self.args or self.kwargs:
                spec = None if self.parent is None else self._spec()
                if spec is None or spec.restart is _TEMPORARY:
                    self.args, self.kwargs = (), _NOTHING  # they may hold much, and nobody will need them again
            if not self._enter(_RUNNING) or self.actor is None:
                return
            self.actor.begin()
        except BaseException as error:
            self._tell_starter(error)
            self.fail(ExitReason("start_failed", cause=error), None)
            let_the_user_interrupt(error)
            return
        if self.has_ended:  # killed in the middle: that has been told, so nobody is to hear of a start
            return
        if self.started is not None:
            self._tell_starter(None)
        parent = self.parent
        siblings = None if parent is None else parent.children  # read once: a parent that has ended drops them
        if parent is not None and siblings is not None and siblings.hears_of_start(self):
            parent.signal(ChildStarted(self))
        if self.incarnation == 0 and self.system.events.is_used:
            self.system.events.publish(ActorStarted(self.ref))
        if self.children is not None:
            self.children.adopt_held()

    def when_started(self, started: Future[bool]) -> None:
        """Have ``started`` settled when the first incarnation has started, or will not. Before its `start`."""
        self.started = started
        # First set, then look: a kill from another thread tells whom it finds, and may have been before.
        if self.has_ended:
            self._tell_starter(self._end_error())

    def _tell_starter(self, error: BaseException | None) -> None:
        started, self.started = self.started, None
        if started is not None and error is None:
            started.try_set(True)
        elif started is not None and error is not None:
            started.try_fail(start_failed(self, error))

    def on_restart_signal(self, reason: ExitReason, successor: type[Any] | None) -> None:
        """Be born again, once the children are gone if they are not to be kept."""
        if self.state is _FAILED:
            self._once_childless(partial(self._reincarnate, reason, successor), keep=self._keeps_children())

    def _reincarnate(self, reason: ExitReason, successor: type[Any] | None) -> None:
        message, self._failed_message = self._failed_message, None
        if self.actor is not None:
            self._hook("pre_restart", self.actor.call_crash_hook, self.actor.pre_restart, reason, message)
        if successor is not None:
            self.actor_class = successor  # first: who is dropped may have to know who follows
        self._drop_incarnation()
        self._answer_stops()
        if self.children is not None and not self._keeps_children():
            self.children.reopen()
        if successor is not None:
            self.args, self.kwargs = (), {}
            self.hears_of_batches = successor.hears_of_batches
            self.receives_plainly = successor.receives_plainly
            if self._timers is not None:
                self._timers.cancel_all()  # durable ones too: they are messages that this class does not know
        self.incarnation += 1
        self.kept_limit = None
        self.exit_reason = NORMAL
        if self._extras is not None:
            self._extras.stash.release()  # in front of the mailbox (SEMANTICS P1)
        if self._enter(_NEW):
            self._start()
            if self.state is _RUNNING:
                self._tell_restarted(reason)

    def _tell_restarted(self, reason: ExitReason) -> None:
        if self._watching is not None:
            self._watching.tell_restarted(reason)
        if self.system.events.is_used:
            self.system.events.publish(ActorRestarted(self.ref, self.incarnation, reason))

    def resume(self) -> None:
        """Go on after a failure with the same object; the message at which it happened is gone (S12)."""
        if self.state is _FAILED and self.actor is not None and not self._waits_for_children():
            self._failed_message = None
            self.kept_limit = None
            if self._enter(_RUNNING) and self.hold is not None:
                self.hold.look_again()
            if self._stop_replies:
                self.begin_stop(NORMAL)

    def leave(self, reason: ExitReason) -> None:
        """End this incarnation, tell the parent, and wait for the next one: a sibling is restarted (S4)."""
        if self.state is _NEW:
            self._start_wanted = False
            self.actor = None  # it has not begun, so it has nothing to end
            self._wait_for_parent(None)
        elif self.state is _RUNNING:
            self._wait_for_parent(None)
        if self.state is _FAILED:  # otherwise it is ending, and the parent will be told of that
            leave = partial(self._leave, reason, ChildLeft(self))
            self._end_work(partial(self._once_childless, leave, keep=self._keeps_children()), for_restart=True)

    def _drop_incarnation(self) -> None:
        if self.actor is not None:
            self.actor.leave_unanswered()
        if self._timers is not None or self._extras is not None or self.hold is not None or self.flow is not None:
            self._end_work(for_restart=not self.has_ended)
        self.actor = None

    def _untie(self) -> None:
        # Each of these knows the cell, and only the garbage collector undoes a circle, which it takes its time for. Not
        # after a kill, which may still be about it.
        if self._is_over:
            self._ref = self._timers = self._watching = self.outward = None
            if self.children is not None and self.children.history is None:  # which may be asked for (S18)
                self.children = None

    def _end_work(self, then: Callable[[], None] | None = None, *, for_restart: bool = False) -> None:
        """End timers and coroutines; ``then`` is done when those have cleaned up, and without it they may not await."""
        if self._timers is not None:
            self._timers.cancel_all(keep_durable=for_restart)
        if self._extras is not None:
            self._extras.silence = None
        flow, self.flow = self.flow, None
        if self.hold is not None or (flow is not None and not flow.is_over):
            hold = self.hold if self.hold is not None else Hold(self)
            hold.end(flow, then, self.actor_class.grace_s)
            if then is None and self._timers is not None:  # those that were started while they were closed
                self._timers.cancel_all(keep_durable=for_restart)
        elif then is not None:
            then()

    def _spec(self) -> ChildSpec | None:
        siblings = self.parent.children if self.parent is not None else None
        return siblings.spec_of(self) if siblings is not None else None

    def _waits_for_children(self) -> bool:
        return self.children is not None and self.children.is_awaited

    def _keeps_children(self) -> bool:
        if self.children is not None and self.children.is_stopping:
            return False  # by a start that has failed: they are gone, or will be (S2)
        return (spec := self._spec()) is not None and spec.keep_children

    # -- failure -----------------------------------------------------------------------------------------------------

    def fail(self, reason: ExitReason, message: object) -> None:
        """Fail as if this actor had raised it. In its turn."""
        if self.state not in (_NEW, _RUNNING):
            _log.error("failed while ending actor=%s reason=%s", self, reason, exc_info=reason.cause)
            return
        _log.error(
            "failed actor=%s label=%s incarnation=%d reason=%s message=%s",
            self, label_of(self), self.incarnation, reason, type(message).__name__, exc_info=reason.cause,
        )  # fmt: skip
        self.system.hooks.count("actors.failed")
        if self.system.events.is_used:
            self.system.events.on_failed(self, reason)
        if not self._wait_for_parent(message):
            return
        if self.parent is None:
            self.stopped = True  # nobody will mend it: who hears of the failure, as pykka's do, finds it dead
        actor, cause = self.actor, reason.cause
        if actor is not None and cause is not None:
            self._hook("on_failure", actor.call_crash_hook, actor.on_failure, type(cause), cause, cause.__traceback__)
        if self.parent is None:
            self._stop_for_good(reason)
        else:
            self.parent.signal(ChildFailedSignal(self, reason, message))

    def _wait_for_parent(self, message: object) -> bool:
        self._failed_message = message
        self.kept_limit = self.mailbox.user_length + _KEPT_WHILE_RESTARTING
        return self._enter(_FAILED)

    def end_for_good(self, reason: ExitReason) -> None:
        """End after a failure that nobody mends. Any thread; it happens in the cell's turn."""
        self.signal(EndForGood(reason))

    # -- stop --------------------------------------------------------------------------------------------------------

    def begin_stop(self, reason: ExitReason, reply: Future[bool] | None = None, *, by_parent: bool = False) -> None:
        """Stop: children first, then the actor. In its turn.

        A child that its parent restarts after such an exit is restarted, unless the parent itself asked.
        """
        if reply is not None:
            self._stop_replies = [*(self._stop_replies or ()), reply]
            if self.has_ended:
                self._answer_stops()
        spec = None if by_parent else self._spec()
        if spec is None or spec.restart is _TEMPORARY or not is_restarted(spec.restart, reason):
            self._stop_for_good(reason)
        elif self.state is _RUNNING:
            if self._wait_for_parent(None):
                leave = partial(self._leave, reason, ChildFailedSignal(self, reason, None))
                self._end_work(partial(self._once_childless, leave, keep=spec.keep_children), for_restart=True)
        elif self.is_between and not self._waits_for_children() and self.hold is None:
            self._answer_stops()  # between two incarnations: one has ended, and the next one has been decided upon

    def _leave(self, reason: ExitReason, left: ChildFailedSignal | ChildLeft) -> None:
        """End one incarnation in order; the parent restarts it."""
        if self.actor is not None:
            self.exit_reason = reason
            self._hook("on_stop", self.actor.finish)
        self._drop_incarnation()
        self._answer_stops()
        if self.parent is not None:
            self.parent.signal(left)

    def _stop_for_good(self, reason: ExitReason) -> None:
        if self.state in (_STOPPING, _DEAD):
            return
        has_begun = self.state is not _NEW
        self.stopped = True
        self.exit_reason = reason
        if not self._enter(_STOPPING):
            return
        if self.children is not None:
            self.children.refuse_held()
        elif self._timers is None and self._extras is None and self.hold is None and self.flow is None:
            self._finish(reason, has_begun)  # nothing has to be ended or waited for
            return
        self._end_work(partial(self._once_childless, partial(self._finish, reason, has_begun)))

    def _finish(self, reason: ExitReason, has_begun: bool) -> None:
        # Also after a failure that nobody mends: each incarnation has a last hook (L7). pykka calls only on_failure.
        if has_begun and self.actor is not None:
            self._hook("on_stop", self.actor.finish)
        if self.begin_end():  # not before the hook: one that hangs can be killed
            self._end(reason)

    # -- end ---------------------------------------------------------------------------------------------------------

    def kill(self, detail: str) -> None:
        """End it at once with all its children, whatever it is doing. Any thread.

        A handler that is running cannot be interrupted: its thread is counted as a zombie until it comes back, and
        nothing that it then returns, raises, sends to itself or starts has an effect. Source: SEMANTICS H4, L6.
        """
        if not self.begin_end():
            # Somebody else ends it, and may have come only this far. Who kills the parent must not tell of that before
            # this one is down, with all below it (L6); it is not begun anew then, so it needs its names no more.
            self._go_down(detail)
            if self.parent is not None and self.parent.has_ended:
                self.system.on_cell_ended(self)
            return
        # Of a child its parent reports it, with all the others that ended for the same reason (H2).
        _log.log(logging.ERROR if self.parent is None else logging.INFO, "killed actor=%s: %s", self, detail)
        self.system.hooks.count("actors.killed")
        if here.turn is not self:
            self.count_zombie(+1)
        self._end(ExitReason("killed", detail))

    def abandon(self, error: BaseException) -> None:
        """End before it began: it could not be made, or its parent does not take it. Any thread."""
        if self.begin_end():
            self._end(ExitReason("start_failed", cause=error))

    def end_unborn(self) -> None:
        """End in order, before it began: it stands for one that has ended. Any thread."""
        if self.begin_end():
            self._end(NORMAL)

    def _go_down(self, detail: str) -> None:
        """Be dead, with all below it. Any thread, several at once, and any number of times."""
        self.stopped = True
        self.state = _DEAD
        children = self.children
        if children is not None:
            children.kill_all(detail or "its parent has ended")

    def _end(self, reason: ExitReason) -> None:
        """Leave nothing behind. Only for who has got True of `begin_end`.

        The order matters: names are free before anybody can hear of the end (W4), and nobody is told before every
        child is gone (L6).
        """
        system, parent, is_in_turn = self.system, self.parent, here.turn is self
        self.exit_reason = reason
        self._go_down(reason.detail)
        # Who is begun anew after a kill is given its names back, as far as they are free then.
        keys = system.registry.keys_of(self) if reason.kind == "killed" and parent is not None else ()
        system.on_cell_ended(self)
        system.hooks.count(_ENDED[reason.kind])
        signals, envelopes = self.mailbox.close(in_turn=is_in_turn)
        if self._timers is not None:
            self._timers.cancel_all()
        if self.children is not None:
            self.children.refuse_held()
        # First set, then look: who makes the watches at this moment sets them first, and then looks here.
        self.tells_of_end = True
        if self._watching is not None:
            self._watching.end(reason)
        if (when_over := self.actor_class.when_over) is not None:
            when_over(self)
        if system.events.is_used:
            system.events.publish(ActorEnded(self.ref, self.incarnation, reason))
        if parent is not None:
            siblings = parent.children if is_in_turn and self.inside is parent else None
            if siblings is None or not siblings.forget_quietly(self, reason):
                parent.signal(ChildEnded(self, reason, keys))
        if not is_in_turn and (answering := self.answering) is not None:
            # Killed in the middle of an ask: whatever its handler still returns is too late.
            answering.try_fail(ActorIsDead(f"{self.ref} was killed while handling the message"))
        actor = self.actor
        if actor is not None:
            actor.leave_suspended()
            actor.leave_unanswered()
        for envelope in envelopes:
            self.refuse(envelope, "dead")
        if self._extras is not None:
            for envelope in self._extras.stash.close():
                self.refuse(envelope, "stash")
        for signal in signals:
            signal.refuse(self)
        if self._stop_replies is not None:
            self._answer_stops()
        if self.started is not None:
            self._tell_starter(self._end_error())
        self.args, self.kwargs = (), _NOTHING
        if self.actor is not None and not is_in_turn:
            self.wake()  # what is left of the incarnation is dropped in a turn: its flow may have something to say
        if self.dispatcher is not system.dispatcher:
            system.release_dispatcher(self.dispatcher)
        self._is_over = is_in_turn

    def _end_error(self) -> ActorIsDead:
        return ActorIsDead(f"{self.ref} has ended ({self.exit_reason})")

    def _answer_stops(self) -> None:
        replies, self._stop_replies = self._stop_replies, None
        for reply in replies or ():
            reply.try_set(True)

    def _enter(self, state: CellState) -> bool:
        """Move on, unless killed meanwhile; return whether it lives."""
        self.state = state
        if self.has_ended:
            self.state = _DEAD
            return False
        return True

    # -- children ----------------------------------------------------------------------------------------------------

    def make_children(self) -> Children:
        """Return the children, made at the first call by the numbers of the class."""
        if self.children is None:
            of = self.actor_class
            self.children = Children(
                self, max_restarts=of.max_restarts, within_s=of.within_s, in_order=of.stops_in_order,
                max_children=of.max_children,
            )  # fmt: skip
        return self.children

    def _once_childless(self, then: Callable[[], None], *, keep: bool = False) -> None:
        """Do ``then`` at once, or when the last child has ended; instead of what was to be done before."""
        if self.children is None or keep:
            then()
        else:
            self.children.stop_all(then)

    # -- watches, timers, extras, keys ---------------------------------------------------------------------------------

    @property
    def watching(self) -> Watching:
        """Its watches, made at the first use. Any thread."""
        watching = self._watching
        if watching is None:
            fresh = Watching(self)
            with _rare:
                watching = self._watching  # read once: the turn that ends it drops them without the lock
                if watching is None:
                    watching = self._watching = fresh
            if self.tells_of_end:
                watching.end(self.exit_reason)
        return watching

    def watch(self, target: Cell, *, on_restart: bool = False, death_pact: bool = False) -> int:
        """Have one `Down` told to this actor when ``target`` ends for good; return a token. Any thread."""
        return self.watching.watch(target.watching, on_restart=on_restart, death_pact=death_pact)

    def on_ignored(self, message: object) -> None:
        """Note that the framework's own ``on_receive`` got a message, so that nobody has handled it. In its turn."""
        if self._watching is not None:
            self._watching.on_ignored(message)

    def unwatch(self, token: int) -> None:
        """End a watch: its `Down` is not handled any more. In its turn."""
        self.watching.unwatch(token)

    @property
    def timers(self) -> ActorTimers:
        """Its timers, made at the first use. In its turn."""
        if self._timers is None:
            self._timers = ActorTimers(self)
        return self._timers

    @property
    def extras(self) -> Extras:
        """Its extras, made at the first use. In its turn."""
        return self._extras if self._extras is not None else self.make_extras()

    def make_extras(self) -> Extras:
        """Make the extras, unless there are some. In its turn, or before its first."""
        if self._extras is None:
            self._extras = Extras()
            # First set, then look: a kill from another thread closes the stash that it finds.
            if self.has_ended:
                self._extras.stash.close()
        return self._extras

    def heard(self) -> None:
        """Note that somebody has spoken to it. In its turn."""
        if self._extras is not None:
            self._extras.heard()

    def call_later(self, delay_s: float, call: Callable[[], None]) -> TimerHandle:
        """Have ``call`` made after ``delay_s`` seconds, on the dispatcher's thread and not in a turn."""
        return self.system.dispatcher.call_at(self.system.clock.now() + delay_s, call)

    def register(self, *keys: Hashable) -> Cell:
        """Claim keys, all or none; return this cell, or another one that owns one of them."""
        owner: Cell = self.system.registry.register_all(keys, self)
        if owner is self and self.has_ended:
            self.system.registry.release(self)
        return owner
