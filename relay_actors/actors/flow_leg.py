"""What a flow of a call can wait for, and how it is run. Layer: hall. Source: DESIGN section 4."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

from relay_actors.actors.blocking import BlockingWait
from relay_actors.actors.outbound_leg import OutboundLegActor
from relay_actors.actors.waits import Wait, give_up_after
from relay_actors.errors import CallEnded
from relay_actors.protocol import checks
from relay_actors.protocol.events import EVENT_CLASS_MAP
from relay_actors.runtime.flow import Flow

__all__ = ["FlowLegActor"]

T = TypeVar("T")


class _Expected(Generic[T]):
    """A flow waits for a message."""

    __slots__ = ("_message_type", "_where", "wait")

    def __init__(self, message_type: type[T], where: Callable[[T], bool] | None, wait: Wait[T]) -> None:
        self._message_type = message_type
        self._where = where
        self.wait = wait

    def matches(self, message: object) -> bool:
        """Return whether it is what the flow waits for. What ``where`` raises, this raises."""
        return isinstance(message, self._message_type) and (self._where is None or self._where(message))

    def take(self, message: object) -> bool:
        """Take a message, if the flow still waits, and for such a one; return whether it did.

        What ``where`` raises is raised where the flow waits; the message is then somebody else's.
        """
        try:
            return not self.wait.is_settled and self.matches(message) and self.wait.try_set(message)
        except Exception as error:
            self.wait.try_fail(error)
            return False


class FlowLegActor(OutboundLegActor):
    """Adds the flow, ``async def run(self)``, to the engine of a call."""

    run: ClassVar[Any] = None
    """Define ``async def run(self)`` to write the call as a flow."""

    _nexts: list[_Expected[Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.run is not None and not inspect.iscoroutinefunction(cls.run):
            raise TypeError(f"{cls.__name__}.run must be `async def`")

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make one incarnation, before any code of the user's, who need not call ``super().__init__``."""
        self = super().__new__(cls, *args, **kwargs)
        self._nexts = []
        return self

    # -- what a flow can await ---------------------------------------------------------------------------------------

    def sleep(self, seconds: float) -> Wait[None]:
        """Wait ``seconds``; other messages are handled meanwhile.

        Raises:
            TypeError: ``seconds`` is no number.
        """
        if not checks.is_number(seconds):
            raise TypeError(f"sleep({seconds!r}): give a number of seconds")
        wait: Wait[None] = Wait(self.runs_on, self.runs_as)
        timer = self._cell.call_later(seconds, lambda: _settle(wait))
        wait.add_done_callback(lambda _wait: timer.cancel())
        self.leg.pause(wait)
        return wait

    def next(
        self, message_type: type[T], *, where: Callable[[T], bool] | None = None, timeout: float | None = None
    ) -> Wait[T]:
        """Wait for a message of a type, for which ``where`` is true: the oldest that this flow has not taken yet.

        What comes while the flow waits for it goes to the flow, and not to `on_receive`. A class without an
        `on_receive` of its own keeps what nobody has taken, up to 64 messages, so that an event which comes before
        the flow asks for it is not missed: ``await self.connect(…)`` and then ``await self.next(ConnectEvent, …)``.

        Raises:
            TypeError: ``message_type`` is no class.
            TimeoutError: in the wait, after ``timeout`` seconds.
        """
        if not isinstance(message_type, type):
            raise TypeError(_needs_class(message_type))
        checks.given(checks.seconds, timeout=timeout)
        wait: Wait[T] = Wait(self.runs_on, self.runs_as)
        expected = _Expected(message_type, where, wait)
        untaken = self.leg.untaken
        for message in untaken:
            if expected.matches(message):
                untaken.remove(message)
                wait.try_set(message)
                return wait
        self._nexts.append(expected)
        self.leg.pause(wait)
        return give_up_after(wait, timeout, self.runs_on, f"message {message_type.__name__}")

    def blocking(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Wait[T]:
        """Run blocking code on the blocking pool, where it holds up no call; gives what it returns.

        What it raises is raised where it is awaited. If it never is, it is logged, at the latest when the call is over.

        Raises:
            TypeError: ``function`` cannot be called, or is a coroutine function.
        """
        if not callable(function) or inspect.iscoroutinefunction(function):
            raise TypeError(
                f"blocking({function!r}, …): give a plain function and its arguments, blocking(f, x) and not "
                "blocking(f(x)); asyncio code is run by blocking(asyncio.run, f(x))"
            )
        # Never its repr: that of a partial has the arguments, which may be anybody's card number.
        inner = getattr(function, "func", function)
        name = getattr(inner, "__qualname__", type(function).__name__)
        wait: BlockingWait[T] = BlockingWait(name, self.log, self.runs_on, self.runs_as)
        if self.run is None:
            self.later(lambda _actor: wait.abandon())  # a handler asks at once, by a callback, or never
        else:
            self.leg.note_blocking(wait)
        self.runs_on.run_blocking(wait.does(function, *args, **kwargs), name)
        return wait

    # -- how it is run -----------------------------------------------------------------------------------------------

    @property
    def is_flow_running(self) -> bool:
        """Whether ``run()`` has begun and not returned."""
        flow = self._cell.flow
        return flow is not None and not flow.is_over

    def start_flow(self) -> None:
        """Start ``run()``, if there is one and it is its time: an inbound call is offered, an outbound one answered."""
        if self.run is not None and self.leg.call_id and not self.leg.flow_is_over:
            # In a turn of its own, so that what it raises is no failure to start; and for this incarnation only.
            self.later(lambda actor: actor is self and self._run_flow())

    def _run_flow(self) -> None:
        if not self.leg.is_ended:
            self._cell.flow = Flow(self._cell, self._run(), self._on_flow_done)
            self._cell.flow.begin()

    async def _run(self) -> None:
        try:
            await self.run()
        except CallEnded as ended:
            if ended.call_id != self.leg.call_id:  # of another call: that is an error of this one
                raise
            self.log.debug("flow ended with its call")
        except RuntimeError as error:
            if str(error) == "no running event loop":
                error.add_note("asyncio does not run in a flow: use self.sleep(…), or self.blocking(…)")
            raise

    def _on_flow_done(self, _result: object) -> None:
        self.leg.flow_is_over = True
        self.leave("hangup")
        self.stop_if_over()

    def on_won(self) -> None:
        """The dial was answered: the flow begins."""
        self.start_flow()

    def on_leg_ended(self) -> None:
        """The call has ended: whatever the flow waits for will not come."""
        error = self.leg.ended_error()
        if self._cell.flow is not None:
            self._cell.flow.end_with(error)
        self.leg.end_pauses(error)
        super().on_leg_ended()

    # -- what it takes -----------------------------------------------------------------------------------------------

    def hand_to_user(self, message: object) -> None:
        """Hand a message to the flow, if it waits for one like it, or else to the handler."""
        if self._give_flow(message):
            return
        if self._keeps_untaken:
            self.leg.untaken.append(message)
        self.on_receive(message)

    def _give_flow(self, message: object) -> bool:
        nexts, self._nexts = self._nexts, []
        for place, expected in enumerate(nexts):
            if expected.take(message):
                self._nexts = [*nexts[:place], *nexts[place + 1 :]]
                return True
        self._nexts = [expected for expected in nexts if not expected.wait.is_settled]
        return False

    @property
    def _keeps_untaken(self) -> bool:
        """Whether what comes when the flow does not wait for it is kept for it. For `call` to extend."""
        return False

    def _handle_receive(self, message: Any) -> Any:
        # What other actors tell goes the same way as events, so that a flow can wait for it.
        if not self.is_for_pykka(message):
            if self._give_flow(message):
                return None
            if self._keeps_untaken:
                self.leg.untaken.append(message)
                return None
        return super()._handle_receive(message)


def _settle(wait: Wait[None]) -> None:
    wait.try_set(None)


def _needs_class(given: object) -> str:
    text = f"next({given!r}): give the class of the message"
    known = EVENT_CLASS_MAP.get(given) if isinstance(given, str) else None
    if known is not None:
        return f"{text}, next({known.__name__}); what takes the type of an event as text is wait_for({given!r})"
    return f"{text}, for example next(PlayEvent)"
