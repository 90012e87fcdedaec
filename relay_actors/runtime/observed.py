"""What is done for those who follow each message: traces, durations, spans. Layer: pillar.

Whoever follows messages pays for it, and nobody else: while a system has an observer, its cells and mailboxes have
another class, whose methods tell the observers what they do. When the last observer goes, they have their own class
again, and run the same code as if there had never been one (SEMANTICS O4).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, ClassVar, Protocol, TypeVar

from relay_actors.runtime.cell import Cell
from relay_actors.runtime.context import here
from relay_actors.runtime.dispatcher_pinned import PinnedDispatcher
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.loop_flow import Over
from relay_actors.runtime.mailbox import Envelope, Mailbox, WaitUntil
from relay_actors.runtime.reasons import ExitReason, StreamEvent
from relay_actors.runtime.signals import Internal

__all__ = ["Observation", "ObservedCell", "Observer"]

Each = TypeVar("Each")

_log = logging.getLogger("relay_actors.runtime")


class Observer(Protocol):
    """Who is told of each message. All of it is called inline, on any thread, and must be quick.

    What it raises detaches it, is logged, and fails no turn (SEMANTICS O1).
    """

    def on_sent(self, cell: Cell, message: object) -> None:
        """A message is about to be put into a mailbox; in the sender's turn, if that is an actor."""

    def capture(self) -> object:
        """Return what is to travel with a message that is being sent, in the sender's turn; None if nothing is."""

    def on_handling(self, cell: Cell, envelope: Envelope) -> Any:
        """A message is about to be handled, in the actor's turn; what this returns, `on_handled` is given.

        One that was sent before anybody observed has neither `seen_at` nor `carried`.
        """

    def on_handled(
        self, cell: Cell, envelope: Envelope, begun: Any, took_s: float, error: BaseException | None
    ) -> None:
        """A message has been handled, in the same turn; with what came out of it, if that was an error."""

    def on_ended(self, cell: Cell, reason: ExitReason) -> None:
        """An actor has ended for good."""


class ObservedCell(Cell):
    """A cell that tells the observers of its system what it does.

    A cell changes to this class and back while it lives, on any thread: so no ``super()``, which would look for this
    class in a cell that has just gone back.
    """

    __slots__ = ()

    def tell_user(self, message: object, *args: Any, **kwargs: Any) -> bool:
        """Put a user's message."""
        self.system.observation.tell("on_sent", self, message)
        return Cell.tell_user(self, message, *args, **kwargs)

    def offer(self, envelope: Envelope) -> bool | None:
        """Put a user's message that has waited for this actor, or an event, which nobody has sent."""
        if not isinstance(envelope.message, StreamEvent):
            turn, here.turn = here.turn, envelope.sender  # it was sent then
            try:
                self.system.observation.tell("on_sent", self, envelope.message)
            finally:
                here.turn = turn
        return Cell.offer(self, envelope)

    def tell_control(self, message: object) -> bool:
        """Put a message ahead of the user's."""
        if isinstance(message, _Following):  # it was told in no turn of this actor
            message = message.message
        self.system.observation.tell("on_sent", self, message)
        return Cell.tell_control(self, message)

    def tell_next(self, message: Internal) -> None:
        """Have something done right after what is being handled: told of by itself, and caused by that."""
        Cell.tell_next(self, _Following(self, message))

    def put_first(self, message: object) -> None:
        """Put a message for who is still to be started."""
        self.system.observation.tell("on_sent", self, message)
        Cell.put_first(self, message)

    def _start(self) -> None:
        context = self.system.observation.begun_in.pop(self.serial, None)
        if context is None:
            Cell._start(self)
            return
        before = context.copy()
        context.run(Cell._start, self)
        if isinstance(self.dispatcher, PinnedDispatcher):  # what it has set there is meant for its thread
            _set_again(before, context)

    def _handle(self, envelope: Envelope) -> None:
        self.system.observation.around(self, envelope, Cell._handle)

    def _handle_control(self, envelope: Envelope) -> None:
        if isinstance(envelope.message, Internal):
            self.system.observation.around(self, envelope, Cell._handle_control)
        else:
            Cell._handle_control(self, envelope)

    def fail(self, reason: ExitReason, message: object) -> None:
        """Fail, and remember with what: who observes the handling is told."""
        failures = self.system.observation.failures
        if reason.cause is not None and self.serial in failures:
            failures[self.serial] = reason.cause
        Cell.fail(self, reason, message)

    def _end(self, reason: ExitReason) -> None:
        Cell._end(self, reason)
        self.system.observation.begun_in.pop(self.serial, None)
        self.system.observation.tell("on_ended", self, reason)


def _set_again(before: Context, after: Context) -> None:
    """Set in the present context what was set in another one since then."""
    for variable, value in after.items():
        if variable not in before or before[variable] is not value:
            variable.set(value)


class _Following(Internal):
    """What is done right after a message, as if it were in an envelope: such as a flow that goes on by it.

    Args:
        cell: who does it.
        message: what is done.
    """

    __slots__ = ("_cell", "carried", "message", "sender")

    reply_to: ClassVar[None] = None

    def __init__(self, cell: Cell, message: Internal) -> None:
        self._cell = cell
        self.message = message
        self.sender = here.turn
        self.carried = cell.system.observation.capture()

    def deliver(self) -> None:
        """Do it, in the actor's turn."""
        envelope: Any = self
        self._cell.system.observation.around(self._cell, envelope, _do)

    def loss(self) -> object:
        """Return what nobody will handle."""
        return self.message.loss()


def _do(cell: Any, following: Any) -> None:
    try:
        following.message.deliver()
    except BaseException as error:
        cell.system.observation.failures[cell.serial] = error
        raise


class Observation:
    """The observers of one system.

    Args:
        system: whose cells they observe.

    Attributes:
        observers: in the order in which they came.
        failures: what failed an actor in the middle of a message, by its serial, until that message is accounted for;
            each entry is touched only in the actor's turn. There is one, None at first, for each message that is being
            handled: what fails an actor between two of them is no message's, and nobody would take it out again.
        begun_in: of each actor that has yet to start for the first time, by its serial, the context of who has begun
            it: what it sends while it starts is caused by that.
    """

    def __init__(self, system: Any) -> None:
        self._system = system
        self.observers: tuple[Observer, ...] = ()
        self.failures: dict[int, BaseException | None] = {}
        self.begun_in: dict[int, Context] = {}
        # Guards who observes, and which class the cells have. Re-entrant, because a finaliser may run in the middle.
        self.lock = threading.RLock()
        self._mailbox_class: type[Mailbox] | None = None

    def add(self, observer: Observer) -> None:
        """Have every message from now on told to ``observer``. Any thread."""
        with self.lock:
            self.observers = (*self.observers, observer)
            # First set, then look: who makes a cell meanwhile counts it among the living first, and then looks here.
            for cell in self._system.living:
                self.dress(cell)

    def remove(self, observer: Observer) -> None:
        """End that. Any thread; idempotent."""
        with self.lock:
            self.observers = tuple(other for other in self.observers if other is not observer)
            if self.observers:
                return
            self.begun_in.clear()
            for cell in self._system.living:
                cell.__class__ = Cell
                if type(cell.mailbox) is self._mailbox_class:
                    cell.mailbox.__class__ = Mailbox

    def dress_new(self, cell: Cell) -> None:
        """Have a cell that was just made tell what it does, and belong to the trace of who has made it. Any thread."""
        with self.lock:
            if self.observers:
                self.begun_in[cell.serial] = copy_context()
                self.dress(cell)

    def of_kind(self, kind: type[Each]) -> list[Each]:
        """Return the observers of a class."""
        return [observer for observer in self.observers if isinstance(observer, kind)]

    def dress(self, cell: Cell) -> None:
        """Have a cell tell what it does, if anybody wants to know. Any thread."""
        with self.lock:
            if not self.observers:
                return
            if self._mailbox_class is None:
                self._mailbox_class = _carrying(self.capture, self._system.clock.now)
            cell.__class__ = ObservedCell
            if type(cell.mailbox) is Mailbox:
                cell.mailbox.__class__ = self._mailbox_class

    # -- for observed cells ------------------------------------------------------------------------------------------

    def tell(self, what: str, *args: object) -> None:
        """Call a method of every observer."""
        for observer in self.observers:
            self._call(observer, what, *args)

    def around(self, cell: Cell, envelope: Envelope, handle: Callable[[Any, Envelope], None]) -> None:
        """Handle a message, and tell the observers before and after."""
        observers = self.observers
        begun = [self._call(observer, "on_handling", cell, envelope) for observer in observers]
        now, failures, serial = self._system.clock.now, self.failures, cell.serial
        outer = (failures[serial],) if serial in failures else ()  # of a message inside whose handling this is
        failures[serial] = None
        began = now()
        try:
            handle(cell, envelope)
        finally:
            took_s = now() - began
            error = failures.pop(serial, None) or _answered(envelope)
            if outer:
                failures[serial] = outer[0]
            for observer, given in zip(reversed(observers), reversed(begun), strict=True):
                self._call(observer, "on_handled", cell, envelope, given, took_s, error)

    def capture(self) -> object:
        """Return what is to travel with what is being sent: of the first observer that has something."""
        for observer in self.observers:
            carried = self._call(observer, "capture")
            if carried is not None:
                return carried
        return None

    def _call(self, observer: Observer, what: str, *args: object) -> Any:
        try:
            return getattr(observer, what)(*args)
        except Exception:
            _log.exception("an observer raised and is detached observer=%r", observer)
            self.remove(observer)
            return None


def _answered(envelope: Envelope) -> BaseException | None:
    """Return the error that who has asked was given; also by a handler that goes on after an await."""
    message = envelope.message
    handled: Any = message.envelope if isinstance(message, Flow | Over) else envelope
    return getattr(getattr(handled, "reply_to", None), "error", None)


def _carrying(capture: Callable[[], object], now: Callable[[], float]) -> type[Mailbox]:
    """Return a class of mailboxes that note when each message came, and what it carries.

    Made for each system: a mailbox knows neither its actor nor its system, and there is no room in it to remember.
    """

    class CarryingMailbox(Mailbox):
        __slots__ = ()

        carries = True

        def offer(self, envelope: Envelope) -> bool | None:
            envelope.seen_at, envelope.carried = now(), capture()
            return Mailbox.offer(self, envelope)

        def put_user(self, envelope: Envelope, wait_until: WaitUntil) -> tuple[bool, Envelope | None]:
            envelope.seen_at, envelope.carried = now(), capture()
            return Mailbox.put_user(self, envelope, wait_until)

        def put_control(self, envelope: Envelope) -> bool:
            envelope.seen_at, envelope.carried = now(), capture()
            return Mailbox.put_control(self, envelope)

    return CarryingMailbox
