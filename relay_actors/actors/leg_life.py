"""The life of a call's actor: what it owns, whom it tells, and how it comes to its end. Layer: hall.

Everything here keeps its state in the `Leg`, which survives when the user's part crashes. Source: SEMANTICS X2, X3, X7.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

from relay_actors.actors.actions import Action
from relay_actors.actors.arranged import hand_down
from relay_actors.actors.aside import run_aside
from relay_actors.actors.beginnings import begun, plain_data
from relay_actors.actors.call_ref import CallRef, Kept
from relay_actors.actors.course import Note
from relay_actors.actors.due_queue import DueQueue
from relay_actors.actors.for_others import ForOthers, run_for_others
from relay_actors.actors.history import Learnt, data_apart
from relay_actors.actors.in_turn import InTurn
from relay_actors.actors.leg import Leg
from relay_actors.actors.looks import tell_dialler
from relay_actors.actors.notices import ActionCompleted
from relay_actors.actors.office import tell_over
from relay_actors.actors.outgoing import last_word
from relay_actors.actors.outwards import Outwards, Silenced
from relay_actors.actors.packing import name_of
from relay_actors.actors.verbs import AllVerbs
from relay_actors.actors.waits import Wait, give_up_after
from relay_actors.actors.watched import Watched
from relay_actors.errors import ActorDead, CallEnded
from relay_actors.protocol.base import Command, JsonObject
from relay_actors.protocol.commands import Hangup
from relay_actors.protocol.events import CallStateEvent, RelayEvent
from relay_actors.protocol.frozen import NOTHING
from relay_actors.protocol.states import ActionState, CallState
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_log import ActorLog
from relay_actors.runtime.base import Dispatcher, Runnable, TimerHandle
from relay_actors.runtime.context import here
from relay_actors.runtime.reasons import NORMAL
from relay_actors.runtime.signals import Stop

if TYPE_CHECKING:
    from relay_actors.actors.office import Office

__all__ = ["LegLife", "count", "say"]

_log = logging.getLogger("relay_actors.calls")

T = TypeVar("T")


def say(call: Any, level: int, text: str, *args: object) -> None:
    """Log a line of the engine's about a call, unless it was logged then, before its past was run again."""
    if call.leg.course.replay is None:
        _log.log(level, text, *args)


def count(call: Any, name: str) -> None:
    """Count something of a call, unless it was counted then."""
    if call.leg.course.replay is None:
        call.system.hooks.count(name)


class _PresentLog(ActorLog):
    """Tells of what happens, and not again of what has happened.

    Args:
        name: as for every actor.
        who: as for every actor.
        fields: as for every actor.
        leg: gives what is known of the call.
    """

    def __init__(self, name: str, who: str, fields: Mapping[str, object], leg: Callable[[], Leg]) -> None:
        super().__init__(name, who, fields)
        self._leg = leg

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # logging's name
        """Return whether a line of that level is written."""
        return self._leg().course.replay is None and super().isEnabledFor(level)


class LegLife(Actor, AllVerbs):
    """One leg of a call, as an actor that is told nothing yet."""

    stands_alone: ClassVar[bool] = False
    when_over: ClassVar[Callable[[Any], object] | None] = staticmethod(tell_over)

    restart_flow: ClassVar[Literal["from_the_beginning", "where_it_was"]] = "from_the_beginning"
    """Where a flow goes on when it has crashed: at the top of ``run``, with `data` to say how far it was; or at the
    line that has raised, with all that it was told before, and without sending anything twice. The second is for
    ``async def run`` only. It needs no journal."""

    # Plain attributes, and no properties: they are looked at some hundred times in a short call.
    leg: Leg = cast("Leg", None)
    """What is known of the call."""
    office: Office = cast("Office", None)
    """Where everything else is."""
    runs_on: Dispatcher = cast("Dispatcher", None)
    """Who runs it."""
    runs_as: Runnable = cast("Runnable", None)
    """Its cell."""

    def _prepare_incarnation(self) -> None:
        # Before any code of the user's, who need not call ``super().__init__``.
        cell = self._cell
        kept: Kept = cell.keep
        self.leg, self.office = kept.leg, kept.office
        self.runs_on, self.runs_as = cell.dispatcher, cell

    @classmethod
    def make_ref(cls, cell: Any) -> Any:
        """Make the ref of a call. For the cell."""
        return CallRef(cell)

    # -- what it is --------------------------------------------------------------------------------------------------

    def label(self) -> str:
        """Return its call id, or the tag of its dial as long as it has none."""
        return self.leg.name

    def parts(self) -> Iterable[tuple[str, str]]:
        """Return its running operations: what each does, and by which id."""
        for action in tuple(self.leg.actions.values()):
            what = action.command.method.rpartition(".")[2]
            yield type(action).__name__, f"{what} {action.control_id}"

    def log_fields(self) -> dict[str, object]:
        """Return whose line it is: the call, and for a dial its tag, by which it is correlated before it has an id."""
        fields = super().log_fields() | {"call_id": self.leg.name}
        return fields | {"correlation_id": self.leg.tag} if self.leg.tag else fields

    def _new_id(self) -> str:
        replay = self.leg.course.replay
        then = None if replay is None else replay.next_id()
        return then if then is not None else self.office.system.new_id()

    def begin(self) -> None:
        """Start an incarnation; what a former one waited for is nobody's any more."""
        leg = self.leg
        course = leg.course
        if self._cell.incarnation and self.stash_capacity is not None and self._cell.extras.stash.was_used:
            course.record = None  # what was put aside has been kept for this incarnation, and is not put aside again
        if self.restart_flow == "where_it_was" and self._cell.incarnation and course.record and course.replay is None:
            from relay_actors.actors.rebuilding import rebuild  # with all that runs the past again

            self.later(rebuild)
            return
        course.begin_anew()  # first: who is told then that it waits no more is not brought again by this incarnation
        if leg.pauses:
            leg.end_pauses(ActorDead(f"{self._cell} has crashed: what waited here belonged to its former incarnation"))
        leg.abandon_blockings()
        hand_down(self)
        if self.restart_flow == "where_it_was" and not self._cell.incarnation and leg.course.replay is None:
            course.record = []
            course.began_with = data_apart(leg.data)
        self._cell.outward = Outwards(self) if course.is_recorded else None
        self._note_beginning()
        replay = course.replay
        if replay is None or not replay.comes_to_on_start:
            super().begin()
        if replay is None:
            self.begin_work()
        else:
            replay.begin(self)

    def later(self, do: Callable[[Any], object]) -> None:
        """Have ``do(actor)`` done right after what is being handled, by whichever incarnation is there then."""
        self._cell.tell_next(InTurn(self._cell, do))

    # -- what people are told ----------------------------------------------------------------------------------------

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger as every actor has one; it says nothing while the call's past is run again."""
        fields = self.log_fields()
        return _PresentLog(type(self).__name__, str(fields.get("call_id") or repr(self)), fields, lambda: self.leg)

    # -- what the journal is told ------------------------------------------------------------------------------------

    def _note_beginning(self) -> None:
        """Have the journal know who has the call, and from where on its code runs."""
        leg = self.leg
        course = leg.course
        if course.replay is not None:
            return
        if self._cell.incarnation:
            self.note_restart(self.what_is_open())
        elif course.is_kept and leg.dialling is None:  # of a dial it is told before anybody is called
            self.office.tell_connection(begun(leg, type(self), self.office))

    def note_restart(self, more: Mapping[str, object] = MappingProxyType({})) -> None:
        """Have the journal know that the code of the class begins anew here, and with what; or would have to.

        Args:
            more: what else is to be known of it, as plain data.
        """
        leg, course = self.leg, self.leg.course
        course.saved = data = plain_data(leg, type(self), self.office)
        course.saved_beside = beside = self.kept_beside()
        values: JsonObject = {"data": data, "flow_is_over": leg.flow_is_over, "actor": name_of(type(self)), **beside}
        if leg.flow_changed is not None:
            values["flow_changed"] = str(leg.flow_changed)
        if leg.backlog:
            values["untold"] = self.plain_backlog()
        self.keep_note("restarted", {**values, "beginnings": course.beginnings, **more})

    def what_is_open(self) -> dict[str, object]:
        """Return what a checkpoint says if what was before it is to be summed up now; otherwise nothing."""
        course = self.leg.course
        if not course.is_kept or course.entries - course.summed_up_at < self.office.limits.journal_entries_per_call:
            return {}
        from relay_actors.actors.compacting import still_open  # with the journal's codec; here a call is long already

        known = still_open(self.leg)
        if known is None:
            return {}
        course.summed_up_at = course.entries
        return {"open": known}

    def keep_note(self, what: str, values: Mapping[str, object], after: int | None = None) -> None:
        """Have the journal know what was learnt, before any command that is given from now on. In the turn.

        Args:
            what: of which kind.
            values: plain data.
            after: how many things the call had been told by the wire at that time; by default, as many as now.
        """
        course = self.leg.course
        if course.replay is not None or not course.is_recorded or isinstance(self._cell.outward, Silenced):
            return
        course.entries += 1
        if course.record is not None:
            course.write(Learnt(what, values, self.office.clock.wall()), self.office.limits.recorded_per_call, after)
        if course.is_kept:
            if course.recovered_at is not None:
                self.note_recovery()
            self.tell_connection(Note(self.leg.subject, what, values, course.told if after is None else after))

    def on_taken_up(self) -> None:
        """A new process has taken the call up. The journal is told before it is told anything else of the call.

        Not now: a process may take up ten thousand calls, and none is to wait until that has been written of all.
        """
        course = self.leg.course
        recovered = Learnt("recovered", {"commands": course.commands}, self.office.clock.wall())
        course.write(recovered, self.office.limits.recorded_per_call)
        course.recovered_at = course.told

    def note_recovery(self) -> None:
        """Tell the journal now that a new process has taken the call up, of which it has not been told."""
        course = self.leg.course
        assert course.recovered_at is not None
        note = Note(self.leg.subject, "recovered", {"commands": course.commands}, course.recovered_at)
        course.recovered_at = None
        course.entries += 1
        self.tell_connection(note)

    def tell_connection(self, message: object) -> None:
        """Tell the connection something; while the call is rebuilt, when that is over."""
        replay = self.leg.course.replay
        if replay is None:
            self.office.tell_connection(message)
        else:
            replay.tell_connection(message)

    def send_last_word(self, ids: JsonObject, reason: str) -> None:
        """End a leg about which nobody will be told any more."""
        outgoing, replay = last_word(ids, reason), self.leg.course.replay
        if replay is None:
            self.office.send(outgoing)
        else:
            replay.send_last_word(outgoing)

    def call_in_turn_later(self, delay_s: float, call: Callable[[], None]) -> TimerHandle:
        """Have ``call`` made after a while, in a turn of this call, for what its code waits for. In the turn.

        For code of others, whose timers the journal is not to know, it is made on the dispatcher's thread.
        """
        if self._cell.outward is None and self.leg.course.is_recorded:
            return super().call_in_turn_later(delay_s, call)
        return self.call_in(self.leg.course.next("timers"), delay_s, lambda _actor: call())

    def give_up_after(self, wait: Wait[T], timeout_s: float | None, what: str) -> Wait[T]:
        """Let a wait fail after a while; see `relay_actors.actors.waits.give_up_after`."""
        later = self.call_in_turn_later if here.turn is self._cell else None
        return give_up_after(wait, timeout_s, self.runs_on, what, later=later)

    @property
    def _is_silent(self) -> bool:
        """Whether the code of the class is told nothing, because what happens now has happened before."""
        replay = self.leg.course.replay
        return False if replay is None else bool(replay.is_silent)

    @property
    def _was_ago_s(self) -> float | None:
        """How long ago what happens now has happened first, while the call's past is run again; otherwise None."""
        replay = self.leg.course.replay
        if replay is None or replay.is_silent:
            return None
        return max(0.0, float(self.office.clock.wall() - replay.now))

    def call_in(self, key: Hashable, delay_s: float, do: Callable[[Any], object]) -> TimerHandle:
        """Have ``do(actor)`` done after so many seconds, by whichever incarnation is there then, in its turn.

        Not one of the actor's own timers: those end with a restart, and this concerns the call.

        Args:
            key: by which the journal knows it; what was due under that key before is not due any more.
            delay_s: seconds.
            do: what is due.
        """
        return self.leg.course.set_timer(self, key, delay_s, do)

    def _wait_in(self, key: str, queue: DueQueue) -> TimerHandle:
        """Have done what is due for all calls alike; by a timer of its own, where the journal has to know of it."""
        course = self.leg.course
        if course.is_kept or course.record is not None or course.replay is not None:
            return self.call_in(key, queue.after_s, queue.do)
        return queue.add(self._cell)

    # -- whom it tells -----------------------------------------------------------------------------------------------

    def hand_out(self) -> None:
        """Hand the user what has gathered, oldest first; what a crash leaves is handed to the next incarnation."""
        backlog = self.leg.backlog
        if self._is_silent:
            backlog.clear()
        while backlog:
            self._cell.hand(backlog.pop(0), self.hand_to_user)

    def receive_again(self, message: object) -> Any:
        """Hand the user what they had put aside: what the framework does with it was done the first time."""
        replay = self.leg.course.replay
        if replay is not None and not replay.comes_back(self):
            Actor.stash(self)  # a restart in the middle of the past has brought it back: it comes when the call is live
            return None
        return Actor.receive(self, message)

    def hand_to_user(self, message: object) -> None:
        """Hand the user one message; here there is no user yet. For subclasses to extend."""

    def _report(self, action: Action) -> None:
        """Tell of an operation that is over."""
        if action.is_over:
            leg = self.leg
            leg.actions.pop(action.control_id, None)
            if not leg.actions:
                leg.actions = NOTHING
            if action.result is not None:
                leg.backlog.append(ActionCompleted(action, action.result))
                if action.on_completed is not None:
                    self._call_back(action)

    def _call_back(self, action: Action) -> None:
        if self._is_silent:
            action.on_completed = None  # what it did then is known
            return
        # A method of its own is its own code, whoever has named it: see `arranged`.
        is_own = not action.is_others or getattr(action.on_completed, "__self__", None) is self
        coroutine = self.run_code(is_own, action.take_callback)
        if coroutine is not None:
            self.run_aside(coroutine, "on_completed", is_own=is_own)

    def _tell_listeners(self, event: RelayEvent) -> None:
        """Call who listens; what one raises is logged, and harms nothing (SEMANTICS X13)."""
        for is_own, listener in self.leg.listeners(event.event_type, self._cell.incarnation):
            try:
                given = self.run_code(is_own, listener, event)
            except BaseException:  # also a SystemExit: what is due to the others comes before it
                _log.exception("listener raised call_id=%s event=%s", self.leg.call_id, event.event_type)
            else:
                if inspect.iscoroutine(given):
                    self.run_aside(given, "listener", is_own=is_own)

    def run_code(self, is_own: bool, function: Callable[..., T], *args: Any) -> T:
        """Call what is the call's own code, or else that of others: what that sends is not noted as the call's."""
        return function(*args) if is_own else run_for_others(self._cell, function, *args)

    def watched(
        self, coroutine: Coroutine[Any, Any, Any], on_waits: Callable[[], object] | None = None
    ) -> Coroutine[Any, Any, Any]:
        """Have the journal know what others give to a coroutine that the call's code has made.

        Args:
            coroutine: what it runs.
            on_waits: called before each of its waits that the journal is to know of, if given.
        """
        return _watch(self, coroutine, on_waits) if self.leg.course.is_recorded else coroutine

    def run_aside(self, coroutine: Coroutine[Any, Any, Any], what: str, *, is_own: bool) -> None:
        """Run a coroutine beside the flow, in this actor's turns; what it raises is logged and harms nothing.

        Args:
            coroutine: what to run.
            what: what it is, for the log.
            is_own: whether it is of the call's own code, or else of others.
        """
        if not is_own:
            coroutine = _for_others(self._cell, coroutine)
        course, whose = self.leg.course, f"call_id={self.leg.call_id}"
        aside = run_aside(self._cell, coroutine, what, whose, expected=CallEnded, on_over=self._on_aside_over)
        running = {known: own for known, own in course.asides.items() if not known.is_over}
        course.asides = running if aside.is_over else {**running, aside: is_own}

    # -- the end -----------------------------------------------------------------------------------------------------

    def leave(self, reason: str) -> None:
        """Nobody attends to the call any more: hang it up, unless it is, or may yet become, somebody else's."""
        self.leg.left_because = reason
        if self.leg.hand_on is None and not self.leg.is_being_hung_up:
            self.perform(Hangup(reason=reason))

    def expect_end(self, reason: str) -> None:
        """If no end event comes within ``timing.end_timeout_s``, end without (SEMANTICS X3)."""
        leg = self.leg
        leg.expected_end = reason
        if leg.lingers:
            return
        if leg.end_watch is not None:
            leg.end_watch.cancel()
        if not leg.is_cut_off:  # as long as nothing can be heard, it says nothing that nothing is heard
            leg.end_watch = self._wait_in("end", self.office.ends)

    def _seems_alive(self) -> None:
        """Whatever a refusal has said, the call is there: something was heard of it."""
        leg = self.leg
        if leg.expected_end and leg.hang_up is None:
            leg.expected_end = ""
            if leg.end_watch is not None:
                leg.end_watch.cancel()

    def on_end_overdue(self) -> None:
        """No end event has come in time."""
        self.end_without_event(self.leg.expected_end)

    def end_without_event(self, reason: str) -> None:
        """End the call as far as we are concerned, and on the wire too if it may still be up there."""
        leg = self.leg
        if leg.is_ended or leg.is_handed_on:
            return
        say(self, logging.WARNING, "ending without an end event call_id=%s reason=%s", leg.call_id, reason)
        if reason == "lost":
            count(self, "calls.lost")
        if leg.needs_hang_up or (leg.hang_up is not None and not leg.hang_up.is_settled):  # it may never have left
            self.send_last_word(leg.ids, "error")
        params: JsonObject = {**leg.ids, "call_state": CallState.ENDED.value, "end_reason": reason, "tag": leg.tag}
        event = CallStateEvent.from_payload({"event_type": "calling.call.state", "params": params})
        leg.moved(event)
        self.end_leg(event)
        self.hand_out()

    def end_leg(self, event: CallStateEvent) -> None:
        """The call has ended: everything that waits for it ends, in this turn (SEMANTICS X2)."""
        leg = self.leg
        leg.ended_event = event
        if leg.has_listeners:
            self._tell_listeners(event)
        if leg.waits:
            leg.settle_waits(event)
        self.on_leg_ended()
        for action in tuple(leg.actions.values()):
            action.complete(ActionState.CALL_ENDED, event)
            self._report(action)
            action.release()
        if leg.under_way or leg.waits or leg.replies:
            leg.fail_waits(leg.ended_error())
        leg.backlog.append(event)

    # -- for who rebuilds the call; for subclasses to extend ---------------------------------------------------------

    def rebuilds(self, leg: Leg | None) -> None:
        """Know the call as ``leg`` from now on, beside what others know of it; None: as they do."""
        kept: Kept = self._cell.keep
        self.leg = leg if leg is not None else kept.leg

    def timers_go_on(self) -> None:
        """Let those tick that the code of the class has started in its past: that is over."""
        if self._cell._timers is not None:  # noqa: SLF001  # the framework's own; most have none, and need none for this
            self._cell.timers.go_on()

    def watches_go_on(self) -> None:
        """Let it be told of the ends of those whom its code has watched in its past: that is over."""

    def begin_on_start(self) -> None:
        """Have the code of the class do what it does when an incarnation starts."""
        self._cell.outward = Outwards(self)
        super().begin()

    def begin_work(self) -> None:
        """Begin with what an incarnation begins with, beside `on_start`."""

    def start_flow(self) -> None:
        """Start the flow, if there is one and it is its time."""

    def run_flow(self) -> None:
        """Begin the flow."""

    def drop_flow(self) -> None:
        """End the flow where it is."""

    def tell_message_again(self, message: object, *, was_asked: bool) -> None:
        """Tell the code of the class what others had told it then."""

    def begin_elsewhere(self, number: int) -> None:
        """Begin to find out what the code of the class waits for."""

    def kept_beside(self) -> Mapping[str, object]:
        """Return what has to be known of a handler beside its data and timers, as plain data."""
        return NOTHING

    def plain_backlog(self) -> list[object]:
        """Return what has still to be handed out, as plain data."""
        return []

    def fail_lost_pipes(self) -> None:
        """Let come, as failed, what was piped in a process that has ended."""

    def take_kept(self, values: Mapping[str, Any], *, is_restart: bool) -> None:
        """Have again what was noted last of a handler's timers, and beside."""

    def on_recovered(self, pending: Sequence[Command]) -> None:
        """The call was taken up from the journal."""

    def finish(self) -> None:
        """End in order: nobody is left waiting."""
        try:
            super().finish()
        finally:
            self.office.close(self.leg)
            for aside in self.leg.course.asides:
                aside.close()

    def on_leg_ended(self) -> None:
        """The call has ended; who waits for just that is settled, the others not yet. For subclasses to extend."""
        self.linger()

    def linger(self) -> None:
        """Stop after ``timing.linger_s``, when all that runs is over, too; at the latest after ``timing.wrap_up_s``."""
        leg = self.leg
        if leg.lingers:
            return
        leg.lingers = True
        leg.end_stall_watch()
        if leg.end_watch is not None:  # it is not waited for any more
            leg.end_watch.cancel()
            leg.end_watch = None
        leg.end_timer = self._wait_in("linger", self.office.lingering)
        if leg.cause:
            self.later(tell_dialler)  # when its own code has been told, and may have left word in its data

    def on_lingered(self, *, is_last: bool) -> None:
        """Nothing late will come now."""
        leg = self.leg
        leg.has_lingered = True
        leg.end_timer = None
        self.system.registry.unregister_all(self._cell)
        if is_last:
            if self.is_flow_running:
                self.log.warning("flow still runs after its call, stopping it call_id=%s", leg.call_id)
            elif self._runs_aside:
                self.log.warning("a listener still runs after its call, closing it call_id=%s", leg.call_id)
            self._cell.signal(Stop(NORMAL))  # ahead of all messages: a handler may await what will never come
            return
        self.stop_if_over()
        if self.is_flow_running or self._runs_aside or self._cell.is_held:  # it may come to its own end
            wrap_up_s = self.office.timing.wrap_up_s
            leg.end_timer = self.call_in("wrap up", wrap_up_s, lambda actor: actor.on_lingered(is_last=True))

    def stop_if_over(self) -> None:
        """Stop, if only what runs was still waited for, the flow or what listens, and all of it is over."""
        if self.leg.has_lingered and not (self.is_flow_running or self._runs_aside):
            self.stop()

    def _on_aside_over(self) -> None:
        if self._cell.actor is not None:  # whichever incarnation is there now
            cast("LegLife", self._cell.actor).stop_if_over()

    @property
    def _runs_aside(self) -> bool:
        """Whether a coroutine of a listener or callback still runs."""
        return any(not aside.is_over for aside in self.leg.course.asides)

    @property
    def is_flow_running(self) -> bool:
        """Whether a flow runs. For subclasses to extend."""
        return False


async def _for_others(cell: Any, coroutine: Coroutine[Any, Any, Any]) -> Any:
    return await ForOthers(cell, coroutine)


async def _watch(call: LegLife, coroutine: Coroutine[Any, Any, Any], on_waits: Callable[[], object] | None) -> Any:
    return await Watched(call, coroutine, on_waits)
