"""Handles of running operations: what `play`, `record`, `collect` and the others give back. Layer: hall."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, Self, TypeVar

from relay_actors.actors.commands_again import ActionCommandAgain
from relay_actors.actors.waits import CallFuture, Reply, Wait, check_timeout, follow
from relay_actors.errors import CallEnded, CommandRejectedError
from relay_actors.protocol.commands import (
    ActionCommand,
    Pause,
    Resume,
    SetVolume,
    StartInputTimers,
    Stop,
    SubCommand,
)
from relay_actors.protocol.completion import COMPLETION_RULES, action_state, goes_on
from relay_actors.protocol.events import (
    CollectEvent,
    DetectEvent,
    FaxEvent,
    PayEvent,
    PlayEvent,
    RecordEvent,
    RelayEvent,
    StreamEvent,
    TapEvent,
    TranscribeEvent,
)
from relay_actors.protocol.states import ACTION_MOVES, ActionState, is_final
from relay_actors.runtime.base import Dispatcher, Runnable
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future

__all__ = [
    "AIAction",
    "Action",
    "ActionOwner",
    "CollectAction",
    "DetectAction",
    "FaxAction",
    "OnAction",
    "PayAction",
    "PlayAction",
    "RecordAction",
    "StandaloneCollectAction",
    "StreamAction",
    "TapAction",
    "TranscribeAction",
]

_log = logging.getLogger("relay_actors.actions")

_OUTSIDE, _INSIDE = 0, 1  # of the call's own turns
_NOBODY_WAITS: Final[list[Any]] = [None, None]
"""Of an operation for whose end nobody waits. Nobody writes into it."""

# Guards the making of what is settled with the end of an operation, of all operations. Re-entrant, because a finaliser
# may run in the middle, and ask for one.
_making = threading.RLock()

# Looked up once: a member of an enum costs as much as two calls.
_NEW: Final = ActionState.NEW
_REQUESTED: Final = ActionState.REQUESTED
_CALL_ENDED: Final = ActionState.CALL_ENDED
_LAST: Final = frozenset(state for state in ActionState if is_final(state, ACTION_MOVES))

E = TypeVar("E", bound=RelayEvent)
T = TypeVar("T")


class ActionOwner(Protocol):
    """The call on which an operation runs, as its handle knows it."""

    @property
    def runs_on(self) -> Dispatcher:
        """Who runs the call's actor."""

    @property
    def runs_as(self) -> Runnable:
        """The cell of the call's actor."""

    @property
    def call_id(self) -> str:
        """The leg's id."""

    @property
    def end_reason(self) -> str:
        """Why the call ended, or ""."""

    def control_action(self, action: Action, command: SubCommand) -> Reply:
        """Send a command on a running operation."""

    def follow_action(self, action: Action) -> None:
        """Follow an operation that somebody else has started."""

    def give_up_after(self, wait: Wait[T], timeout_s: float | None, what: str) -> Wait[T]:
        """Let a wait of this call fail after a while."""


class OnAction(Protocol):
    """A command on a running operation, and the reply to it.

    Attributes:
        is_others: whether it is not the call's own code that wants it.
    """

    is_others: bool

    @property
    def command(self) -> SubCommand:
        """What is to be sent."""

    @property
    def reply(self) -> Reply:
        """Settled with what becomes of it."""


class Action(CallFuture["Action"]):
    """The handle of one running operation on a call.

    Awaiting the handle waits for the server's *acceptance* and gives the handle; awaiting `wait` waits for its
    *completion* and gives the event that completed it. Handles may be used from any thread.

    Attributes:
        call: on which it runs.
        command: what was asked.
        control_id: how its events are told apart.
        result: the event that completed it, or None.
        is_gone: whether it never began, because the call was over or unknown to the server; it counts as completed then
            (PROTOCOL 10.4).
        is_followed: whether its call has taken it up.
        is_others: whether somebody else has begun it, and not the call's own code.
        on_completed: called once with the event that completes it, and then forgotten; or None.

    Verbs make them. Make one yourself to follow an operation of a call that somebody else has started, by its id: with
    ``execute("calling.play", …)``, for example. This class is for operations that the others do not know.

    Args:
        call: on which it runs.
        control_id: its own.
        terminal_event: the type of the events that tell of it, such as ``calling.call.play``.
        terminal_states: their ``state`` with which it is over.

    Source: PROTOCOL 10, 20.
    """

    def __init__(
        self, call: ActionOwner, control_id: str, terminal_event: str, terminal_states: Sequence[str] = ()
    ) -> None:
        method = terminal_event.replace("calling.call.", "calling.")
        self._set_up(call, ActionCommandAgain(name=method, control_id=control_id), None)
        self._terminal_event = terminal_event
        self._terminal_states = tuple(terminal_states)
        call.follow_action(self)

    @classmethod
    def begun(cls, call: ActionOwner, command: ActionCommand, on_completed: Callable[[Any], Any] | None) -> Self:
        """Return the handle of an operation that is about to be begun."""
        action = cls.__new__(cls)
        action._set_up(call, command, on_completed)  # noqa: SLF001  # its own
        return action

    def _set_up(self, call: ActionOwner, command: ActionCommand, on_completed: Callable[[Any], Any] | None) -> None:
        runs_on = call.runs_on
        super().__init__(runs_on, call.runs_as)
        if on_completed is not None and not callable(on_completed):
            raise TypeError(f"on_completed must be a function of the completing event, not {on_completed!r}")
        self.call = call
        self.command = command
        self.control_id = command.control_id or ""
        self.on_completed = on_completed
        self._waits: list[Wait[Any] | None] = _NOBODY_WAITS
        self._state: ActionState = _NEW
        self.result: RelayEvent | None = None
        self.is_gone = self.is_wanted = self.is_followed = self.is_others = self._is_told = False
        self.is_over = False  # `is_done`, for the call's actor, which asks often

    _first: Action | None = None  # whose other handle it is, as long as that runs
    _refusal: BaseException | None = None
    _deferred_stop: OnAction | None = None
    _aside: Any = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.control_id} {self.state}>"

    _where_the_event_is: ClassVar[str] = "Wait for it: `event = await action.wait()`"

    def __await__(self) -> Generator[Any, Any, Self]:
        self.is_wanted = True
        yield from super().__await__()
        return self

    def get(self, *, timeout: float | None = None) -> Self:
        """Wait in a thread for the server's acceptance, and return the handle."""
        self.is_wanted = True
        super().get(timeout=timeout)
        return self

    @property
    def state(self) -> ActionState:
        """The last known state."""
        return self._state if self._first is None else self._foremost().state

    @property
    def is_done(self) -> bool:
        """Whether it is over: completed, refused, or cut off."""
        return self.is_over

    @property
    def completed(self) -> bool:
        """Whether an event completed it, or the call was gone."""
        return self.result is not None

    def wait(self, timeout: float | None = None) -> Wait[Any]:
        """Wait for the completion; gives the event that completed it: its own last one, or the end of the call.

        The last one is of the kind's own class, as a `PlayEvent`, and that is what type checkers are told of. It is
        the `CallStateEvent` only for who waits elsewhere than in the call's flow, which is over with its call, or in a
        ``finally`` of that: `state` is ``call_ended`` then.

        Args:
            timeout: seconds; None waits as long as the call lives. A time-out does not harm the operation.

        Raises:
            TimeoutError: in the wait, when the time is over.
            RelayError: in the wait, when the server refused to begin.
            CallEnded: in the wait of a flow, when its call was over before this began; others are given an empty
                `RelayEvent` (PROTOCOL 10.4).
        """
        call = self.call
        check_timeout(timeout)
        self.is_wanted = True
        over = self._over(_INSIDE if here.turn is call.runs_as else _OUTSIDE)
        if timeout is None:
            return over
        wait: Wait[Any] = Wait(call.runs_on, call.runs_as)
        follow(wait, over)
        return call.give_up_after(wait, timeout, f"completion of {self.command.method}")

    def on_done(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called once when it is over, however it ended."""
        self._over(_OUTSIDE).add_done_callback(lambda _over: callback())

    def _over(self, where: int) -> Wait[Any]:
        """Return what is settled with the end, made when somebody first waits for it; one for all in the same place."""
        wait = self._waits[where]
        if wait is None:
            with _making:
                if self._waits is _NOBODY_WAITS:
                    self._waits = [None, None]
                wait = self._waits[where]
                if wait is None:
                    wait = self._waits[where] = Wait(self.call.runs_on, self.call.runs_as)
            # First made, then looked: who ends it first says so, and then looks who waits.
            if self._is_told:
                self._tell(where, wait)
        return wait

    def _tell_all(self) -> None:
        """Let go on who waits for the end, which stands fast."""
        self._is_told = True
        for where, wait in enumerate(self._waits):
            if wait is not None:
                self._tell(where, wait)

    def _tell(self, where: int, wait: Wait[Any]) -> None:
        if self._refusal is not None:
            wait.try_fail(self._refusal)
        elif where == _INSIDE and self.is_gone:
            # A flow that goes on after its call would take the empty event for what it has asked for.
            wait.try_fail(CallEnded(self.call.call_id, self.call.end_reason))
        else:
            wait.try_set(self.result)

    def stop(self) -> Reply:
        """Ask the server to stop it; its last event then completes it. Nothing is sent once it is over."""
        return self._control(Stop)

    def _control(self, kind: type[SubCommand], **arguments: Any) -> Reply:
        command = kind(action_method=self.command.method, control_id=self.control_id, **arguments)
        return self.call.control_action(self, command)

    # -- for the call's actor ----------------------------------------------------------------------------------------
    #
    # ``new → requested → executing ⇄ paused →`` one end, of which the first wins (SEMANTICS X5). It is a part of its
    # call, told by the call's actor in its turns; and because it stands in the leg, it survives a restart of the
    # call's handler: it did not fail, and goes on at the server. What is raised in it fails only it (X6).

    def judge(self, event: RelayEvent) -> ActionState | None:
        """Return the state that an event tells of it, or None."""
        is_last = event.event_type == self._terminal_event and event.params.get("state") in self._terminal_states
        return ActionState.FINISHED if is_last else None

    def begin(self) -> None:
        """Its command is on its way; or the call is rebuilt, and it runs already. A stop that waits goes on waiting."""
        self.is_followed = True
        self._state = _REQUESTED

    def on_event(self, event: RelayEvent) -> OnAction | None:
        """Take one of its events; return what is to be sent now."""
        state = self.judge(event)
        if state is None or self.is_over:
            return None
        if state in _LAST:
            self.complete(state, event)
            return None
        if state in ACTION_MOVES[self._state]:
            self._state = state
        return self.take_deferred() if self._deferred_stop is not None else None

    def on_begin_answered(self, error: BaseException | None) -> OnAction | None:
        """The server has answered the command that begins it; None: accepted. Return what is to be sent now."""
        if error is None:
            self.try_set(None)  # of whom it is the handle: it gives itself, and keeps no circle for that
            return self.take_deferred() if self._deferred_stop is not None else None
        if isinstance(error, CommandRejectedError) and error.call_is_gone:
            self.complete(_CALL_ENDED, RelayEvent("", {}))
        else:
            self.refuse(error)
        return None

    def on_order(self, order: OnAction) -> OnAction | None:
        """Take a command on it; return what is to be sent now.

        A stop waits until the operation runs: before, there is nothing that the server could stop.
        """
        if self._first is not None:
            first = self._foremost()
            if first.is_over:  # this one is told a moment later
                order.reply.try_set({})
                return None
            return first.on_order(order)
        if isinstance(order.command, Stop) and self._state is _REQUESTED and not self.is_settled:
            self._drop_deferred()
            self._deferred_stop = order
            return None
        return order

    def complete(self, state: ActionState, event: RelayEvent) -> bool:
        """Complete it, unless it is over; the first completion wins (SEMANTICS X5). In the call's turn.

        Whoever looks sees it; whoever waits is told by `release`.
        """
        if self.is_over:
            return False
        self._state = state
        self.is_gone = state is _CALL_ENDED and not event.event_type
        self.result = event
        self.is_over = True
        if self._deferred_stop is not None:
            self._drop_deferred()
        return True

    def release(self) -> None:
        """Let go on who waits for the completion: last of all, when callbacks and listeners have been told."""
        if self.result is not None:
            self._tell_all()
            if not self.is_settled:
                self.try_set(None)

    def refuse(self, error: BaseException) -> bool:
        """Fail it, unless it is over. In the call's turn."""
        if self.is_over:
            return False
        self._state = _CALL_ENDED if isinstance(error, CallEnded) else ActionState.REJECTED
        self.is_over = True
        self._refusal = error
        self._tell_all()
        self.try_fail(error)
        self._drop_deferred()
        return True

    def follow(self, other: Action, call_back: Callable[[Action], None] | None = None) -> None:
        """Be another handle of the same operation: in its state, over when that is over, and stopped through its call.

        Args:
            other: its first handle.
            call_back: calls this one's ``on_completed`` in a turn of the call; None: nobody does.
        """
        self.is_followed = True
        self._first = other

        def take_over(_over: object) -> None:
            self._state, self.result, self.is_gone, self.is_over = other.state, other.result, other.is_gone, True
            self._refusal, self._first = other._refusal, None
            if call_back is not None and self.on_completed is not None and self.result is not None:
                call_back(self)
            self._tell_all()

        follow(self, other)
        Future.add_done_callback(other._over(_OUTSIDE), take_over)

    def _foremost(self) -> Action:
        """Return the handle that its call drives: with each rebuilding of the call there may be another one."""
        action = self
        while (first := action._first) is not None:
            action = first
        return action

    def become_others(self) -> None:
        """The code that has begun it has crashed: what is still to be done is none of what the next one asks for."""
        self.is_others = True
        if self._deferred_stop is not None:
            self._deferred_stop.is_others = True

    def take_deferred(self) -> OnAction | None:
        """Return the stop that waits, or None, and forget it."""
        order, self._deferred_stop = self._deferred_stop, None
        return order

    def _drop_deferred(self) -> None:
        """Let nobody wait for a stop of what is over."""
        if (order := self.take_deferred()) is not None:
            order.reply.try_set({})

    def call_back(self) -> None:
        """Call ``on_completed``, once. What it raises is logged; a coroutine is for who takes it."""
        callback, self.on_completed = self.on_completed, None
        if callback is None or self.result is None:
            return
        try:
            given = callback(self.result)
        except BaseException:  # also a SystemExit: what is due to the others comes before it
            _log.exception("on_completed raised action=%s", self)
        else:
            self._aside = given if inspect.iscoroutine(given) else None

    def take_callback(self) -> Any:
        """Call ``on_completed``, unless it has been; return the coroutine that it gave, or None. To be run by one."""
        self.call_back()
        coroutine, self._aside = self._aside, None
        return coroutine


class _KnownAction(Action, Generic[E]):
    """A running operation of a kind that the protocol knows, and the events of that kind.

    Args:
        call: on which it runs.
        control_id: its own.
    """

    _begun_by: ClassVar[str] = ""

    if TYPE_CHECKING:
        # Any beside it, for it may be the end of the call: attributes are checked, and so may be what class it is of.
        def wait(self, timeout: float | None = None) -> Wait[E | Any]:
            """Wait for the completion."""

    def __init__(self, call: ActionOwner, control_id: str) -> None:
        self._set_up(call, ActionCommandAgain(name=self._begun_by, control_id=control_id), None)
        call.follow_action(self)

    def judge(self, event: RelayEvent) -> ActionState | None:
        """Return the state that an event tells of it, or None."""
        rule = COMPLETION_RULES[self.command.method]  # as `action_state` does it
        return rule.judge(event, False) if event.event_type in rule.event_types else None


class PlayAction(_KnownAction[PlayEvent]):
    """A playing list of media. Source: PROTOCOL 11.1."""

    _begun_by = "calling.play"

    def pause(self) -> Reply:
        """Pause it."""
        return self._control(Pause)

    def resume(self) -> Reply:
        """Go on after a pause."""
        return self._control(Resume)

    def volume(self, volume: float) -> Reply:
        """Change the volume, in dB from -40 to 40."""
        return self._control(SetVolume, volume=volume)


class RecordAction(_KnownAction[RecordEvent]):
    """A running recording. Source: PROTOCOL 11.2."""

    _begun_by = "calling.record"

    def pause(self, behavior: str | None = None) -> Reply:
        """Pause it; ``behavior`` is ``skip`` (the gap is cut, the server's default) or ``silence``."""
        return self._control(Pause, behavior=behavior)

    def resume(self) -> Reply:
        """Go on after a pause."""
        return self._control(Resume)


class DetectAction(_KnownAction[DetectEvent]):
    """A running detector; its first finding completes it. Source: PROTOCOL 11.5."""

    _begun_by = "calling.detect"


class StandaloneCollectAction(_KnownAction[CollectEvent]):
    """A running collection of keys or speech. Source: PROTOCOL 11.3."""

    _begun_by = "calling.collect"
    _was_begun_elsewhere = False

    def __init__(self, call: ActionOwner, control_id: str) -> None:
        self._was_begun_elsewhere = True  # nobody here knows what was asked: only one that goes on says "collecting"
        super().__init__(call, control_id)

    def judge(self, event: RelayEvent) -> ActionState | None:
        """Return the state that an event tells of it, or None; one that goes on after each result is not over by it."""
        # Only such an event leaves open whether it goes on: of all others nobody need look what was asked.
        is_open = isinstance(event, CollectEvent) and event.state == "collecting"
        if is_open and (self._was_begun_elsewhere or goes_on(self.command)):
            return action_state(self.command.method, event, continuous=True)
        return super().judge(event)

    def start_input_timers(self) -> Reply:
        """Start the clock of ``initial_timeout``, if it was begun with ``start_input_timers=False``."""
        return self._control(StartInputTimers)


class CollectAction(StandaloneCollectAction):
    """A prompt with the collection of what is answered; only the collection completes it. Source: PROTOCOL 11.4."""

    _begun_by = "calling.play_and_collect"

    def volume(self, volume: float) -> Reply:
        """Change the volume of the prompt, in dB from -40 to 40."""
        return self._control(SetVolume, volume=volume)

    def pause(self) -> Reply:
        """Pause the prompt. Not in the wire schema: expect the server to refuse it (PROTOCOL D30)."""
        return self._control(Pause)

    def resume(self) -> Reply:
        """Go on after a pause. Not in the wire schema: expect the server to refuse it (PROTOCOL D30)."""
        return self._control(Resume)


class FaxAction(_KnownAction[FaxEvent]):
    """A fax that is sent or received; each page is told by a `FaxEvent`, the last one completes it.

    A fax that did not get through is ``finished``, too: look at ``success``. Source: PROTOCOL 11.6.
    """

    def __init__(self, call: ActionOwner, control_id: str, method_prefix: str) -> None:
        """Follow a fax that somebody else has started; ``method_prefix`` is ``send_fax`` or ``receive_fax``."""
        self._begun_by = f"calling.{method_prefix}"  # type: ignore[misc]  # of two kinds, unlike the others
        super().__init__(call, control_id)


class TapAction(_KnownAction[TapEvent]):
    """A running copy of the media to another device. Source: PROTOCOL 11.7."""

    _begun_by = "calling.tap"


class StreamAction(_KnownAction[StreamEvent]):
    """A running stream of the media to a WebSocket. Source: PROTOCOL 11.8."""

    _begun_by = "calling.stream"


class TranscribeAction(_KnownAction[TranscribeEvent]):
    """A running transcription; the completing `TranscribeEvent` has the ``url`` of the text. Source: PROTOCOL 11.9."""

    _begun_by = "calling.transcribe"


class PayAction(_KnownAction[PayEvent]):
    """A running payment; the completing `PayEvent` says in ``result`` how it came out. Source: PROTOCOL 11.10."""

    _begun_by = "calling.pay"


class AIAction(_KnownAction[RelayEvent]):
    """A running agent. Most servers say nothing at its end: it is over with the call. Source: PROTOCOL 11.11."""

    _begun_by = "calling.ai"
