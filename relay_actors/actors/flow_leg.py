"""What a flow of a call can wait for, and how it is run. Layer: hall. Source: DESIGN section 4."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeAlias, TypeVar, cast, overload

from relay_actors.actors.attempts import attempt
from relay_actors.actors.blocking import AioWait, BlockingWait, FoundWait, untold_of
from relay_actors.actors.course import Elsewhere
from relay_actors.actors.flow_checks import check_restart_flow, check_run
from relay_actors.actors.for_others import is_on_record
from relay_actors.actors.in_turn import tell_in_turn
from relay_actors.actors.kept_as_text import may_be, message_of
from relay_actors.actors.kept_messages import message_or_lost
from relay_actors.actors.notices import ActionCompleted, ConnectionLost, ConnectionRestored
from relay_actors.actors.outbound_leg import OutboundLegActor
from relay_actors.actors.outwards import Silenced
from relay_actors.actors.packing import pack, pack_error, packed_or_lost
from relay_actors.actors.waits import OwnWait, Wait, check_timeout
from relay_actors.errors import CallEnded, FlowChanged
from relay_actors.protocol import checks
from relay_actors.protocol.events import EVENT_CLASS_MAP, RelayEvent
from relay_actors.runtime.abilities.awaiting import check_coroutine
from relay_actors.runtime.actor_log import logger_of
from relay_actors.runtime.blocking import abandon_after_handler, name_of_blocking
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import Envelope

if TYPE_CHECKING:
    from relay_actors.runtime.clock import Random

__all__ = ["FlowLegActor"]

T = TypeVar("T")
U = TypeVar("U")

_Types: TypeAlias = type[Any] | tuple[type[Any], ...]


class _Expected(Generic[T]):
    """A flow waits for a message."""

    __slots__ = ("_types", "_where", "wait")

    def __init__(self, types: tuple[type[Any], ...], where: Callable[[T], bool] | None, wait: Wait[T]) -> None:
        self._types = types
        self._where = where
        self.wait = wait

    def matches(self, message: object) -> bool:
        """Return whether it is what the flow waits for. What ``where`` raises, this raises."""
        return isinstance(message, self._types) and (self._where is None or self._where(cast("T", message)))

    def may_take(self, message: object) -> bool:
        """Return whether `take` would do something with it."""
        try:
            return not self.wait.is_settled and self.matches(message)
        except Exception:
            return True  # and then it is told where the flow waits

    def take(self, message: object) -> bool:
        """Take a message, if the flow still waits, and for such a one; return whether it did.

        What ``where`` raises is raised where the flow waits; the message is then somebody else's.
        """
        try:
            return not self.wait.is_settled and self.matches(message) and self.wait.try_set(message)
        except Exception as error:
            self.wait.try_fail(error)
            return False


_OF_THE_FLOW: Final = (RelayEvent, ActionCompleted, ConnectionLost, ConnectionRestored)
"""What is told by the thousand, and is no news to a class whose flow waits for what it wants to know."""


class FlowLegActor(OutboundLegActor):
    """Adds the flow, ``async def run(self)`` or ``def run(self)``, to the engine of a call."""

    run: ClassVar[Any] = None
    """Define ``async def run(self)`` to write the call as a flow; or ``def run(self)``, which has a thread of its own,
    and waits with ``.get()`` for what the other awaits."""

    _logger: ClassVar[logging.Logger]
    """Where this actor logs: to ask whether anybody reads it, before something is written."""
    _keeps_untaken: ClassVar[bool] = False
    """Whether what comes when the flow does not wait for it is kept for it. For `call` to say."""
    _run_is_async: ClassVar[bool] = False
    _nexts: Sequence[_Expected[Any]]
    _random: Random | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_run(cls)
        check_restart_flow(cls)
        cls._logger = logger_of(cls.__name__)
        cls._run_is_async = inspect.iscoroutinefunction(cls.run)

    def _prepare_incarnation(self) -> None:
        super()._prepare_incarnation()
        self._nexts = ()

    # -- what a flow can await ---------------------------------------------------------------------------------------

    def sleep(self, seconds: float) -> Wait[None]:
        """Wait ``seconds``; other messages are handled meanwhile.

        Raises:
            TypeError: ``seconds`` is no number.
        """
        if not checks.is_number(seconds):
            raise TypeError(f"sleep({seconds!r}): give a number of seconds")
        wait: OwnWait[None] = OwnWait(self.runs_on, self.runs_as)
        timer = self.call_in_turn_later(seconds, lambda: _settle(wait))
        Future.add_done_callback(wait, lambda _wait: timer.cancel())
        self.leg.pause(wait)
        return wait

    @overload
    def next(
        self, message_type: type[T], /, *, where: Callable[[T], bool] | None = None, timeout: float | None = None
    ) -> Wait[T]: ...

    @overload
    def next(
        self, message_type: type[T], second: type[U], /, *, where: Callable[[T | U], bool] | None = None,
        timeout: float | None = None,
    ) -> Wait[T | U]: ...  # fmt: skip

    # Not `*message_types` alone: a type checker that finds two ways to read a call with a lambda gives Any.
    @overload
    def next(
        self, first: type[Any], second: type[Any], third: _Types, /, *others: _Types,
        where: Callable[[Any], bool] | None = None, timeout: float | None = None,
    ) -> Wait[Any]: ...  # fmt: skip

    @overload
    def next(
        self, first: type[Any], second: tuple[type[Any], ...], /, *others: _Types,
        where: Callable[[Any], bool] | None = None, timeout: float | None = None,
    ) -> Wait[Any]: ...  # fmt: skip

    @overload
    def next(
        self, types: tuple[type[Any], ...], /, *others: _Types, where: Callable[[Any], bool] | None = None,
        timeout: float | None = None,
    ) -> Wait[Any]: ...  # fmt: skip

    def next(
        self,
        *message_types: type[Any] | tuple[type[Any], ...],
        where: Callable[[Any], bool] | None = None,
        timeout: float | None = None,
    ) -> Wait[Any]:
        """Wait for a message of a type, for which ``where`` is true: the oldest that this flow has not taken yet.

        Of several types, ``next(HoldEvent, ConnectEvent)``, whichever comes first.

        What comes while the flow waits for it goes to the flow, and not to `on_receive`. A class without an
        `on_receive` of its own keeps what nobody has taken, up to 64 messages, so that an event which comes before
        the flow asks for it is not missed: ``await self.connect(…)`` and then ``await self.next(ConnectEvent, …)``.

        Raises:
            TypeError: what it is to wait for is no class, or no tuple of classes.
            TimeoutError: in the wait, after ``timeout`` seconds.
        """
        types = _flat(message_types)
        check_timeout(timeout)
        wait: OwnWait[Any] = OwnWait(self.runs_on, self.runs_as)
        expected = _Expected(types, where, wait)
        untaken = self.leg.untaken
        for place, kept in enumerate(untaken):
            if may_be(kept, types) and expected.matches(message := message_of(kept)):
                self.leg.untaken = (*untaken[:place], *untaken[place + 1 :])
                wait.try_set(message)
                return wait
        self._nexts = (*self._nexts, expected)
        self.leg.pause(wait)
        if self._cell.hold is not None:
            # A handler awaits it, perhaps: it may be among what has to wait for the handler.
            self._cell.hold.look_again()
            self.later(lambda actor: actor.hand_out())
        return self.give_up_after(wait, timeout, f"message {' or '.join(kind.__name__ for kind in types)}")

    def blocking(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Wait[T]:
        """Run blocking code on the blocking pool, where it holds up no call; gives what it returns.

        What it raises is raised where it is awaited. If it never is, it is logged, at the latest when the call is over.
        With a journal, what comes of it is kept as that of `side_effect` is; but what is no plain data cannot be kept,
        and then a flow that is run again begins anew.

        Raises:
            TypeError: ``function`` cannot be called, or is a coroutine function.
        """
        name = name_of_blocking(function)
        return self._elsewhere(functools.partial(self._begin_blocking, name, function, *args, **kwargs))

    def _begin_blocking(self, name: str, function: Callable[..., T], *args: Any, **kwargs: Any) -> BlockingWait[T]:
        wait: BlockingWait[T] = BlockingWait(name, self.log, self.runs_on, self.runs_as)
        if self.run is None:
            abandon_after_handler(self._cell, wait)
        else:
            self.leg.note_blocking(wait)
        wait.begin(self._cell, function, *args, **kwargs)
        return wait

    def aio(self, coroutine: Coroutine[Any, Any, T]) -> Wait[T]:
        """Run asyncio code on the application's one asyncio loop: ``await self.aio(session.get(url))``.

        It runs on the loop's thread, not in this call's turns: it must not touch the call; what it returns is given
        here, what it raises is raised here, or logged if nobody awaits it. It begins at once. It is cancelled when who
        awaits it is, and when the call ends. With a journal, what comes of it is kept, as with `blocking`.

        Raises:
            TypeError: it is no coroutine.
        """
        check_coroutine(coroutine)
        return self._elsewhere(lambda: self._begin_aio(coroutine), drop=coroutine.close)

    def _begin_aio(self, coroutine: Coroutine[Any, Any, T]) -> Wait[T]:
        wait: AioWait[T] = AioWait(coroutine, self.log, self.runs_on, self.runs_as)
        from relay_actors.runtime.dispatcher_loop import run_on_loop  # with asyncio

        run_on_loop(self.system.loop_host, coroutine, wait)
        self.leg.pause(wait)
        return wait

    # -- what is on record -------------------------------------------------------------------------------------------

    @property
    def flow_changed(self) -> FlowChanged | None:
        """Why this flow has begun anew, instead of going on where it was; else None. See `on_flow_changed`."""
        return self.leg.flow_changed

    def now(self) -> float:
        """Return the time, in seconds since the epoch; a flow that is run again is given the time of then.

        In a flow use this, and not ``time.time()``, for whatever decides what it does.
        """
        replay = self.leg.course.replay
        if replay is not None:
            return float(replay.now_then(self))
        value = self.office.clock.wall()
        if self.run is not None and is_on_record(self):
            self.keep_note("now", {"value": value})
        return value

    @property
    def random(self) -> Random:
        """Random numbers of this call's own, seeded for it; a flow that is run again draws the same ones in turn."""
        if self._random is None:
            from relay_actors.runtime.clock import Random

            course = self.leg.course
            course.seed = course.seed or self.system.new_id()  # none yet where no journal has had to know it
            self._random = Random(f"{course.seed}/{course.beginnings}")
        return self._random

    def side_effect(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Wait[T]:
        """Do something once that has an effect on the world, or that may come out differently each time.

        What it returns or raises is kept in the journal: a flow that is run again after the end of the process is given
        it, and ``function`` is not called again. Only when the process has ended between the call and the moment at
        which its outcome was written down is it called a second time: give it a key of its own, such as ``call_id``.
        Side effects are known by their number; another function in the same place is given what was returned then.

        What a flow tells and asks other actors, commands other calls, dials, and texts is done once by itself.

        Args:
            function: a plain function; it runs on the blocking pool.
            args: for it.
            kwargs: for it.

        Raises:
            TypeError: ``function`` cannot be called; or, in the wait, what it has returned cannot be kept: plain data,
                tuples, dictionaries with text keys, members of enums, events, and dataclasses of these can.
        """
        if not callable(function) or inspect.iscoroutinefunction(function):
            raise TypeError(f"side_effect({function!r}, …): give a plain function and its arguments")

        @functools.wraps(function)
        def checked() -> T:
            value = function(*args, **kwargs)
            pack(value)
            return value

        return self.blocking(checked)

    def _elsewhere(self, start: Callable[[], Future[T]], drop: Callable[[], object] | None = None) -> Wait[T]:
        """Find something out elsewhere, and have the journal know what it was before anybody goes on with it."""
        if isinstance(outward := self._cell.outward, Silenced):
            return outward.finds_nothing(drop)
        if not is_on_record(self):
            return cast("Wait[T]", start())
        course = self.leg.course
        number = course.next("results")
        wait: FoundWait[T] = FoundWait(self.runs_on, self.runs_as)
        course.results = {**course.results, number: Elsewhere(wait, start, drop)}
        self.leg.pause(wait)
        if course.replay is None:
            self.begin_elsewhere(number)
        return wait

    def begin_elsewhere(self, number: int) -> None:
        """Begin to find out what the code waits for. In the turn."""
        course, cell = self.leg.course, self._cell
        if self.office.begins_no_effects:
            return
        elsewhere: Elsewhere = course.results[number]
        found: Future[Any] = elsewhere.start()
        elsewhere.found = found
        if isinstance(elsewhere.wait, FoundWait):
            elsewhere.wait.source = found

        def go_on(actor: object) -> None:
            if isinstance(actor, FlowLegActor):  # whoever has taken over a call that was given up wants nothing of it
                actor.on_found_out(number, elsewhere, found)

        def come(_found: object) -> None:
            tell_in_turn(cell, go_on)

        def let_go(_wait: object) -> None:
            if not (found.is_settled or isinstance(cell.outward, Silenced)):  # who is run again waits for the same
                found.let_go()

        Future.add_done_callback(found, come)
        Future.add_done_callback(elsewhere.wait, let_go)

    def on_found_out(self, number: int, elsewhere: Elsewhere, found: Future[Any]) -> None:
        """What the code waits for is there: write it down, and let the code go on."""
        course = self.leg.course
        if course.results.get(number) is not elsewhere:
            return  # nobody waits for it any more
        del course.results[number]
        error = untold_of(found)
        values = {"error": pack_error(error)} if error is not None else packed_or_lost(found.get(timeout=0))
        self.office.doubts.look_at_lost(type(self).__name__, values)
        self.keep_note("result", {"number": number, **values})
        if error is not None:
            elsewhere.wait.try_fail(error)
        else:
            elsewhere.wait.try_set(found.get(timeout=0))

    def tell_message_again(self, message: object, *, was_asked: bool) -> None:
        """Tell the code of the class what others had told it then. What an asker was told of is no failure again."""
        cell = self._cell
        reply: Future[Any] | None = Future(self.runs_on) if was_asked else None
        before, cell.handling = cell.handling, Envelope(message, reply)
        handle = self._handle_receive
        try:
            given = handle(message) if self.stash_capacity is None else cell.extras.hand(cell.handling, handle)
        except Exception:
            if reply is None or self.escalate_ask_errors:
                raise
        else:
            if inspect.iscoroutine(given):
                cell.drive(given, message, reply)
        finally:
            cell.handling = before

    def run_aside(self, coroutine: Coroutine[Any, Any, Any], what: str, *, is_own: bool) -> None:
        """Run a coroutine beside the flow, in this actor's turns; what it raises is logged and harms nothing."""
        super().run_aside(self.watched(coroutine) if is_own else coroutine, what, is_own=is_own)

    def drop_flow(self) -> None:
        """End the flow where it is; what it still asks for is not asked."""
        flow, self._cell.flow = self._cell.flow, None
        if flow is not None:
            flow.close()

    # -- how it is run -----------------------------------------------------------------------------------------------

    @property
    def is_flow_running(self) -> bool:
        """Whether ``run()`` has begun and not returned."""
        flow = self._cell.flow
        return flow is not None and not flow.is_over

    def start_flow(self) -> None:
        """Start ``run()``, if there is one and it is its time: an inbound call is offered, an outbound one answered."""
        if self.run is None or not self.leg.call_id or self.leg.flow_is_over:
            return
        if (replay := self.leg.course.replay) is not None:
            replay.flow_is_due()
        else:
            # In a turn of its own, so that what it raises is no failure to start; and for this incarnation only.
            tell_in_turn(self._cell, lambda actor: actor is self and self.run_flow())

    def run_flow(self) -> None:
        """Begin ``run()``. In the turn."""
        if self.leg.is_ended or self._cell.is_stopped:
            return
        self.keep_note("began", {})
        if self._run_is_async:
            coroutine = self.watched(self.run(), self._after_step if self.dispatcher == "loop" else None)
            self._cell.flow = _new_flow_of()(self, self._cell, coroutine)
        else:
            from relay_actors.runtime.thread_flow import ThreadFlow

            self._cell.flow = ThreadFlow(self._cell, self._run_in_thread, self.flow_returned)
        self._cell.flow.begin()

    def _after_step(self) -> None:
        # It was no turn, and the journal is to know in one what it has left.
        tell_in_turn(self._cell, lambda _actor: None)

    def _run_in_thread(self) -> None:
        try:
            given = self.run()
            if inspect.iscoroutine(given):
                given.close()
                raise TypeError(
                    f"{type(self).__name__}.run gave a coroutine: let what decorates it be `async def`, too"
                )
        except CallEnded as ended:
            if ended.call_id != self.leg.call_id:  # of another call: that is an error of this one
                raise
            self.log.debug("flow ended with its call")

    def flow_raised(self, error: BaseException) -> None:
        """``run()`` has raised, or was cancelled or closed."""
        from asyncio import CancelledError  # loaded by the flow; a call without one need not load it

        is_ended = self._cell.flow is None  # by who has cancelled or closed it
        if isinstance(error, CallEnded) and error.call_id == self.leg.call_id:  # of another call it is an error of this
            self.log.debug("flow ended with its call")
            self.flow_returned(None)
        elif not (is_ended and isinstance(error, CancelledError)):
            from relay_actors.actors.flow_hints import add_hint  # for the error only

            add_hint(error)
            raise error

    def flow_returned(self, _result: object) -> None:
        """``run()`` has returned, or ended with the call."""
        if self._cell.flow is None:  # it was cancelled, and has come to its end all the same
            return
        self.leg.flow_is_over = True
        self.leg.untaken = ()
        self._cell.flow = None
        self.leave("hangup")
        self.stop_if_over()

    def on_won(self) -> None:
        """The dial was answered: the flow begins."""
        self.start_flow()

    def on_leg_ended(self) -> None:
        """The call has ended: whatever the flow waits for will not come."""
        if self.is_flow_running or self.leg.pauses:
            error = self.leg.ended_error()
            if self._cell.flow is not None:
                self._cell.flow.end_with(error)
            self.leg.end_pauses(error)
        super().on_leg_ended()

    # -- what it takes -----------------------------------------------------------------------------------------------

    def hand_to_user(self, message: object) -> None:
        """Hand a message to the flow, if it waits for one like it, or else to the handler."""
        if self._nexts and self._give_flow(message):
            return
        if self._keeps_untaken:
            self.leg.keep_untaken([message])
        given = attempt(self, message) if self.retries else self.on_receive(message)
        if given is not None and inspect.iscoroutine(given):
            self._cell.drive(self.watched(given), message)

    def is_no_failure(self, error: BaseException) -> bool:
        """Return whether a handler has just ended with its call: of another call it is an error of this one."""
        is_so = isinstance(error, CallEnded) and error.call_id == self.leg.call_id
        if is_so:
            self.log.debug("handler ended with its call")
        return is_so

    def after_handler(self) -> None:
        """Hand the user what has gathered while a handler awaited."""
        self.hand_out()

    def hand_out(self) -> None:
        """Hand the user what has gathered, as far as no handler awaits; then only what may come in between."""
        leg, cell = self.leg, self._cell
        backlog = leg.backlog
        if leg.course.replay is not None and self._is_silent:
            backlog.clear()
        while backlog:
            place: int | None = 0
            if cell.hold is None and cell.takes_messages:  # as nearly always
                if self._keeps_untaken and not self._nexts and not self._logger.isEnabledFor(logging.DEBUG):
                    leg.keep_untaken(backlog, _OF_THE_FLOW)  # there is no handler, and nobody reads what it would say
                    if not backlog:
                        return
                cell.hand(backlog.pop(0), self.hand_to_user)
                continue
            if cell.is_held:
                place = next((at for at, message in enumerate(backlog) if self._may_come_between(message)), None)
            if place is None or not (cell.takes_messages or cell.is_held):  # failed: it is for the next incarnation
                return
            message = backlog[place]
            del backlog[place]
            cell.hand(message, self.hand_to_user)

    def may_interleave(self, message: object) -> bool:
        """Return whether a message may be handled while a handler awaits: also what it waits for by `next`."""
        return self.is_machinery(message) or super().may_interleave(message) or self._may_come_between(message)

    def _may_come_between(self, message: object) -> bool:
        if any(expected.may_take(message) for expected in self._nexts):
            return True
        return self._cell.takes_messages and isinstance(message, self.interleaves)  # at the end only what is awaited

    @staticmethod
    def is_machinery(message: object) -> bool:
        """Return whether it is the engine's: it takes no longer than that, and gives the user's part to `hand_out`."""
        return isinstance(message, RelayEvent | ConnectionLost | ConnectionRestored)

    def _give_flow(self, message: object) -> bool:
        is_taken = any(expected.take(message) for expected in self._nexts)
        # Looked at anew: who is given a message by a callback may ask for the next one there.
        self._nexts = tuple(expected for expected in self._nexts if not expected.wait.is_settled)
        return is_taken

    def is_received_twice(self, message: object) -> bool:
        """Return whether a message is one of pykka's: of all others only the handler's part is done twice."""
        return self.is_for_pykka(message)

    def _handle_receive(self, message: Any) -> Any:
        # What other actors tell goes the same way as events, so that a flow can wait for it.
        if not self.is_for_pykka(message):
            if self.leg.course.is_recorded:
                cell, course = self._cell, self.leg.course
                values: dict[str, object] = {
                    **message_or_lost(message, self),
                    "timers": packed_or_lost(cell.timers.ticking),
                }
                if cell.flow is not None:  # what a handler is told is soon past
                    self.office.doubts.look_at_lost(type(self).__name__, values)
                if self.stash_capacity is not None and cell.extras.is_brought_back:
                    values["again"] = True
                if course.piping:
                    values["piped"], course.piping = course.piping, ""
                self.keep_note("told", values if cell.answering is None else {**values, "asked": True})
            if self._give_flow(message):
                return None
            if self._keeps_untaken:
                self.leg.keep_untaken([message])
                return None
            given = attempt(self, message) if self.retries else super()._handle_receive(message)
            return self.watched(given) if inspect.iscoroutine(given) else given
        return super()._handle_receive(message)


@functools.cache  # an import in a function takes as long as ten calls
def _new_flow_of() -> Any:
    from relay_actors.runtime.loop_flow import new_flow_of  # with asyncio, which by now is there

    return new_flow_of


def _settle(wait: Wait[None]) -> None:
    wait.try_set(None)


def _flat(given: tuple[Any, ...]) -> tuple[type[Any], ...]:
    """Return the classes of ``next(A, B)`` and of ``next((A, B))``.

    Raises:
        TypeError: there is none, or something else among them.
    """
    types = tuple(kind for one in given for kind in (one if isinstance(one, tuple) else (one,)))
    if not types:
        raise TypeError("next(): give the class of the message, for example next(PlayEvent)")
    for kind in types:
        if not isinstance(kind, type):
            raise TypeError(_needs_class(kind))
    return types


def _needs_class(given: object) -> str:
    text = f"next({given!r}): give the class of the message"
    known = EVENT_CLASS_MAP.get(given) if isinstance(given, str) else None
    if known is not None:
        return f"{text}, next({known.__name__}); what takes the type of an event as text is wait_for({given!r})"
    return f"{text}, for example next(PlayEvent)"
