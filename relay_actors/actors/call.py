"""`CallActor`: what a phone application is written with. Layer: hall. Source: DESIGN section 4."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, TypeVar

from relay_actors.actors.beginnings import plain_data
from relay_actors.actors.flow_leg import FlowLegActor
from relay_actors.actors.for_others import is_on_record, run_for_others
from relay_actors.actors.give_up import DEFAULTS, GiveUp, HangUp, OnGiveUp, TransferTo, policies
from relay_actors.actors.given_up_call import GivenUpCall
from relay_actors.actors.kept_beside import beside_again, plain_beside, plain_messages, plain_timers
from relay_actors.actors.kept_pipes import fail_lost_pipes, keep_pipe
from relay_actors.actors.notices import (
    ActionCompleted,
    CallStalled,
    CommandFailed,
    ConnectionLost,
    ConnectionRestored,
    DialFailed,
)
from relay_actors.actors.outwards import Silenced
from relay_actors.actors.stalls import OnStall
from relay_actors.errors import FlowChanged
from relay_actors.protocol import checks
from relay_actors.protocol.base import Command
from relay_actors.protocol.events import RelayEvent
from relay_actors.runtime.abilities.supervising import C
from relay_actors.runtime.actor_ref import ActorRef, cell_of
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.context import here
from relay_actors.runtime.restart_policy import Restart

if TYPE_CHECKING:
    from relay_actors.actors.office import App, Office
    from relay_actors.runtime.future import Future

__all__ = ["CallActor"]

T = TypeVar("T")

_HANDLERS: Final = ("on_receive", "on_start", "receive")
"""What a class can write a call in, beside ``run``."""

_ENGINE: Final = frozenset(
    f"relay_actors.actors.{name}"
    for name in ("flow_leg", "leg_actor", "leg_life", "outbound_leg", "reconcile", "stalls", "verbs.base")
)
"""Modules whose methods call one another by name."""

_NOTICES: Final = (
    RelayEvent,
    ActionCompleted,
    CallStalled,
    CommandFailed,
    ConnectionLost,
    ConnectionRestored,
    DialFailed,
)


_TOO_LONG: Final = "its past was too long to be kept"


class CallActor(FlowLegActor):
    """One phone call. Subclass it, and either handle `on_receive`, or write the call top to bottom in `run`.

    ``on_receive(message)`` is given everything that happens to this call, one thing at a time: its typed events,
    `ActionCompleted`, `CommandFailed`, `CallStalled`, `ConnectionLost` and `ConnectionRestored`, timers, and whatever
    other actors tell; as ``async def`` it may await, and is told the next thing when it has returned. The same call as
    a flow is ``async def run(self)``: its awaits suspend the flow, not the actor; ``def run(self)`` is that flow in
    blocking Python.

    When the handler or the flow crashes, the actor is restarted in place: the call stays up, running operations go on,
    `data` is kept, and a flow begins anew. When it crashes more than ``max_restarts`` times within ``within_s``
    seconds, the call is given up, as ``on_give_up`` says: by default it is hung up, once, and a bridged call is left
    to those who talk.
    """

    max_restarts: ClassVar[int] = 3
    within_s: ClassVar[float] = 60.0
    on_give_up: ClassVar[OnGiveUp] = DEFAULTS
    """What becomes of the call when the restarts are used up: `HangUp`, `Apologise`, `TransferTo` or `HandTo`, for
    calls that are not bridged; or a dictionary with the keys ``before_answer``, ``answered`` and ``bridged``, where
    `LeaveUp` is possible, too. Where nothing is said the default holds: decline, hang up, and leave up."""

    on_flow_changed: ClassVar[Literal["restart", "give_up"]] = "restart"
    """What becomes of a flow that a new process cannot bring to where it was, because its code has changed, or because
    it was so long that its past was not kept (``limits.recorded_per_call``): it begins anew, with its `data` and with
    `flow_changed` saying why; or the call is given up, as ``on_give_up`` says."""

    on_stall: ClassVar[OnStall] = None
    """What becomes of the call when a command is outstanding for longer than ``timing.stall_after_s``: `HangUp` or
    `TransferTo`; None: it is told `CallStalled`, which is so in any case, and goes on waiting for the answer."""

    _by_phase: ClassVar[Mapping[str, GiveUp]] = DEFAULTS

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._keeps_untaken = cls.run is not None and cls.on_receive is CallActor.on_receive
        _check_names(cls)
        _check_restarts(cls)
        if not isinstance(cls.on_stall, HangUp | TransferTo | None):
            raise TypeError(f"{cls.__name__}.on_stall must be HangUp(), TransferTo(…) or None; it is {cls.on_stall!r}")
        if hasattr(cls, "given_up_to"):
            raise TypeError(f"{cls.__name__}.given_up_to is now on_give_up = HandTo(TheClass)")
        try:
            cls._by_phase = policies(cls.on_give_up, CallActor)
        except ValueError as error:
            raise TypeError(f"{cls.__name__}.on_give_up must be {error}; it is {cls.on_give_up!r}") from error

    # -- what it knows -----------------------------------------------------------------------------------------------

    @property
    def app(self) -> App:
        """The application: ``self.app.dial(…)``, ``self.app.send_message(…)``, ``self.app.lookup(name)``."""
        return self.office.app

    # -- what happens ------------------------------------------------------------------------------------------------

    def on_receive(self, message: object) -> Any:
        """Handle one message. Override it; for what you do not know, call ``super().on_receive(message)``."""
        match message:
            case CommandFailed(command=command, error=error):
                self.log.warning("command failed method=%s: %s", command.method, error)
            case CallStalled():
                pass  # its line is in the log
            case DialFailed(error=error):
                self.log.info("dial failed: %s", error)
            case RelayEvent() | ActionCompleted() | ConnectionLost() | ConnectionRestored():
                if self._logger.isEnabledFor(logging.DEBUG):  # nearly never: spare it the rest
                    self.log.debug("not handled: %s", message)
            case _:
                super().on_receive(message)

    @staticmethod
    def is_notice(message: object) -> bool:
        """Return whether a message is one that every call is told."""
        return isinstance(message, _NOTICES)

    @classmethod
    def says_what_to_do(cls) -> bool:
        """Whether the class has anything of its own that is run when a call comes in."""
        return cls.run is not None or any(getattr(cls, name) is not getattr(CallActor, name) for name in _HANDLERS)

    # -- machinery ---------------------------------------------------------------------------------------------------

    @classmethod
    def construct(cls, cell: Any) -> Self:
        """Make the object of one incarnation. For the cell."""
        cell.keep.on_give_up = cls._by_phase  # before any code of the user's, which may fail at once
        return super().construct(cell)

    @classmethod
    def child_spec(cls, office: Office) -> ChildSpec:
        """How its supervisor treats a call of this class."""
        return ChildSpec(
            restart=Restart.TRANSIENT,
            max_restarts=cls.max_restarts,
            within_s=cls.within_s,
            successor=GivenUpCall,
            gives_up_on=(FlowChanged,) if cls.on_flow_changed == "give_up" else (),
            keep_children=True,
            revive_killed=False,  # nobody knows how far it was: its supervisor hangs the call up
            shutdown_s=office.timing.stop_timeout_s,
        )

    def begin_work(self) -> None:
        """Begin with what an incarnation begins with, beside `on_start`."""
        if not self.leg.course.is_kept and type(self).after_batch is CallActor.after_batch:
            self._cell.hears_of_batches = False  # there is no journal that it would tell of them
        if self.leg.backlog:
            self.later(lambda actor: actor.hand_out())
        if not (self.leg.is_ended or self.leg.is_handed_on):
            self.begin_dial()
            self.start_flow()

    def after_batch(self) -> None:
        """Have the journal know how far a handler has come, with its data and its timers; of a flow its data.

        A flow that is run again makes its data again. One that begins anew since its code has changed is given them.
        """
        course = self.leg.course
        if not course.is_kept or course.replay is not None or self._cell.is_held:
            return
        if self.run is None and (self.leg.backlog or (course.asides and self._is_in_the_middle())):
            return  # what it has been told is not handled yet
        # Most calls have no data, and this is done after each of their turns.
        data = plain_data(self.leg, type(self), self.office) if self.leg.has_data else {}
        values: dict[str, object] = {}
        if data != course.saved:
            course.saved = values["data"] = data
        if self.run is not None:
            if values:
                self.keep_note("data", values)
            if course.entries - course.began_at >= self.office.limits.recorded_per_call:
                self._on_too_long()
            return
        has_timers = self._cell._timers is not None  # noqa: SLF001  # the framework's own; most calls have none
        timers = self.kept_timers() if has_timers else []
        which = tuple((timer.key, timer.due) for timer in timers)
        if which != course.saved_timers:
            course.saved_timers = which
            values["timers"] = plain_timers(self, timers)
        beside = self.kept_beside()
        if beside != course.saved_beside:
            course.saved_beside = beside
            values |= beside
        values |= self.what_is_open()
        if values or course.told != course.saved_at:
            course.saved_at = course.told
            if any(course.counts.values()):
                values["counts"] = dict(course.counts)
            self.keep_note("saved", values)

    def _is_in_the_middle(self) -> bool:
        """Return whether a coroutine of a listener or callback still runs: with what has led to it it is run again.

        One that runs for as long as the call is not waited for for ever, or the call's past could never be summed up.
        """
        course = self.leg.course
        course.asides = {aside: is_own for aside, is_own in course.asides.items() if not aside.is_over}
        is_long = course.entries - course.summed_up_at >= self.office.limits.recorded_per_call
        return any(course.asides.values()) and not is_long

    def _prepare_incarnation(self) -> None:
        super()._prepare_incarnation()
        if isinstance(self._cell.outward, Silenced):  # the former one has been closed
            self._cell.outward = None

    def call_crash_hook(self, hook: Callable[..., object], *args: object) -> None:
        """Call a hook about a crash: that is not run again with the code that has crashed."""
        run_for_others(self._cell, super().call_crash_hook, hook, *args)

    def leave_unanswered(self) -> None:
        """Let go of this incarnation. If its code is run again, what it does while it is closed is not done."""
        super().leave_unanswered()
        cell = self._cell
        is_followed = here.turn is cell and cell.is_between and cell.actor_class is type(self)
        has_put_aside = self.stash_capacity is not None and cell.extras.stash.was_used  # then it begins anew
        if is_followed and not has_put_aside and self.restart_flow == "where_it_was" and self.leg.course.record:
            cell.outward = Silenced(self)

    def _on_too_long(self) -> None:
        """Give up the past of a flow that has become too long to be run again."""
        course = self.leg.course
        if not self.is_flow_running:
            return
        known = self.what_is_open()
        if not course.past_is_lost:
            self.log.warning("in a new process the flow would begin anew: %s", _TOO_LONG)
            course.past_is_lost = True
        elif not known:
            return
        self.note_restart({"past_is_lost": _TOO_LONG, **known})

    def pipe_to_self(
        self,
        future: Future[T],
        ok: Callable[[T], object] | None = None,
        err: Callable[[BaseException], object] | None = None,
        *,
        survive_restart: bool = False,
    ) -> None:
        """Have exactly one message come to `on_receive` when ``future`` is settled; see `Actor.pipe_to_self`.

        With a journal one comes also if the process ends before: in the next one, the message of an `ActorDead`. An
        ``err`` has to be a class or a function of a module then; instead of another one, `PipeFailed` comes.
        """
        pipe = partial(super().pipe_to_self, future, survive_restart=survive_restart)
        are_functions = all(make is None or callable(make) for make in (ok, err))
        if self.run is None and self.leg.course.is_kept and are_functions:
            keep_pipe(self, ok, err, pipe, survives=survive_restart)
        else:
            pipe(ok, err)

    def spawn(
        self, actor_class: type[C], *args: Any, spec: ChildSpec | None = None, keep: Any = None, **kwargs: Any
    ) -> ActorRef[C]:
        """Start a child; see `Actor.spawn`. A flow that goes on where it was has those that it had."""
        start = partial(super().spawn, actor_class, *args, spec=spec, keep=keep, **kwargs)
        return self._child(actor_class, (*args, *kwargs.values()), start)

    def spawn_started(
        self,
        actor_class: type[C],
        *args: Any,
        spec: ChildSpec | None = None,
        keep: Any = None,
        within_s: float | None = None,
        **kwargs: Any,
    ) -> ActorRef[C]:
        """Start a child and return when it has started; see `Actor.spawn_started`, and `spawn`."""
        start = partial(super().spawn_started, actor_class, *args, spec=spec, keep=keep, within_s=within_s, **kwargs)
        return self._child(actor_class, (*args, *kwargs.values()), start)

    def _child(self, actor_class: type[C], given: tuple[object, ...], start: Callable[[], ActorRef[C]]) -> ActorRef[C]:
        course = self.leg.course
        if course.record is None or isinstance(self._cell.outward, Silenced) or not is_on_record(self):
            return start()
        child: ActorRef[C] = course.child(actor_class, given, start)
        return child

    def watch(self, ref: Any, *, on_restart: bool = False, death_pact: bool = False) -> int:
        """Have one `Down` told to this call when ``ref`` ends for good; see `Actor.watch`.

        With a journal also in the next process, if ``ref`` is a call or a service, or registered under a name that is
        plain data: whoever is not there any more has ended.
        """
        if self.leg.course.replay is None:
            return super().watch(ref, on_restart=on_restart, death_pact=death_pact)
        watching = self._cell.watching
        return watching.watch(cell_of(ref).watching, on_restart=on_restart, death_pact=death_pact, later=True)

    def forget_watches(self) -> None:
        """Watch nobody any more: all of its past is run again, and its code watches as it did then."""
        if self._cell._watching is not None:  # noqa: SLF001  # as below
            self._cell.watching.take_again(0)

    def watches_go_on(self) -> None:
        """Let it be told of the ends of those whom its code has watched in its past: that is over."""
        if self._cell._watching is not None:  # noqa: SLF001  # the framework's own; most have none
            self._cell.watching.begin_all()

    def fail_lost_pipes(self) -> None:
        """Let come, as failed, what was piped in a process that has ended."""
        fail_lost_pipes(self)

    def kept_beside(self) -> Mapping[str, object]:
        """Return what a handler has beside its data and timers; see `relay_actors.actors.kept_beside`."""
        return plain_beside(self)

    def plain_backlog(self) -> list[object]:
        """Return what a crash has left of what was to be handed out, as plain data: for the next incarnation."""
        return plain_messages(self, self.leg.backlog, "that had come when it crashed")

    def take_kept(self, values: Mapping[str, Any], *, is_restart: bool) -> None:
        """Have again what was noted last of a handler's timers, and beside; see `relay_actors.actors.kept_beside`."""
        beside_again(self, values, is_restart=is_restart)

    def on_recovered(self, pending: Sequence[Command]) -> None:
        """The call was taken up from the journal by a new process: its state, `data`, operations and timers are there.

        Called once, before anything that has come meanwhile is handled (SEMANTICS J4). Override it. A flow has come to
        where it was; one that begins anew, because its code has changed, has `flow_changed` in place of this call. When
        the process ends once more, this is a part of what is run again before it is called anew.

        Args:
            pending: commands that were given and whose outcome is not known yet; it will be found out.
        """


_OWN_USE: Final = "aio blocking flow_changed next now on_recovered on_stall random side_effect sleep"
_FACTS: Final = "call_context call_id data device direction end_reason from_number node_id state tag to_number"
_OF_EVERY_CLASS: Final = (
    "_abc_impl _keeps_untaken _on_stop_takes_reason _variants hears_of_batches hears_of_ends hears_of_starts "
    "_logger _run_is_async label log log_fields parts receive receives_plainly restart_flow run"
)
_MAY_BE_DEFINED: Final = frozenset(f"{_OWN_USE} {_FACTS} {_OF_EVERY_CLASS}".split())
"""What classes of the engine define, and a user's class may, too; and what every class is given."""


def _check_names(cls: type[CallActor]) -> None:
    """See that a class takes no name away from the engine, which would go wrong somewhere else, and later.

    Raises:
        TypeError: it does.
    """
    engine = {name: base for base in reversed(FlowLegActor.__mro__) for name in vars(base)}
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] in ("relay_actors", "pykka"):
            continue
        for name in vars(base):
            owner = engine.get(name)
            if owner is None or name in _MAY_BE_DEFINED or owner.__module__ not in _ENGINE or name.startswith("__"):
                continue
            raise TypeError(f"{base.__name__}.{name} takes the place of a part of the engine: choose another name")


def _check_restarts(cls: type[CallActor]) -> None:
    """Check how often a class is restarted.

    Raises:
        TypeError: one of the class's attributes is not what it has to be.
    """
    within_s = cls.within_s
    is_time = isinstance(within_s, int | float) and not isinstance(within_s, bool) and within_s > 0
    must_be = {
        "max_restarts": checks.whole_number(cls.max_restarts),
        "within_s": None if is_time else "a number of seconds, above 0",
    }
    for name, problem in must_be.items():
        if problem is not None:
            raise TypeError(f"{cls.__name__}.{name} must be {problem}, not {getattr(cls, name)!r}")
