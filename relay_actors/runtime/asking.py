"""Questions: how long they may take, what becomes of late ones, and answers that are given later. Layer: pillar.

A question is an envelope with the future of its answer, an `Ask`, which carries the deadline. Who settles it first has
the say: the handler, the end of the actor, or the deadline. Whatever comes second changes nothing but a counter.

Source: SEMANTICS A1-A9, A13.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeVar, final

from pykka.messages import ProxyCall, ProxyGetAttr, ProxySetAttr

from relay_actors.errors import ActorError, ConfigError, MailboxFull
from relay_actors.runtime import wait_graph
from relay_actors.runtime.base import Runnable
from relay_actors.runtime.context import here
from relay_actors.runtime.failures import ActorIsDead, AskTimeout
from relay_actors.runtime.future import Future, WaitTimeout, of_code
from relay_actors.runtime.reasons import note_on

__all__ = [
    "FOREVER",
    "Ask",
    "NoReplyYet",
    "ReplyToken",
    "add_origin",
    "answer",
    "ask",
    "ask_through",
    "checked_seconds",
    "defer",
    "fail_ask",
    "forget",
    "not_answered",
    "skip_expired",
    "taken_out_of",
]

T = TypeVar("T")

FOREVER: Final = math.inf
"""``ref.ask(message, timeout=FOREVER)`` waits until there is an answer, or the actor has ended."""

_ASK_TIMEOUT_S: Final = 5.0
"""How long whoever is not known yet is waited for (SEMANTICS A1)."""

_log = logging.getLogger("relay_actors.runtime")

_PROXY_MESSAGES: Final = frozenset({ProxyCall, ProxyGetAttr, ProxySetAttr})

# Guards the making of correlation ids, so that a question has one only. Re-entrant, because a finaliser may run in the
# middle.
_naming = threading.RLock()


@final
class _NoReplyYet:
    def __repr__(self) -> str:
        return "NoReplyYet"


NoReplyYet: Final = _NoReplyYet()
"""What a handler may return that has called ``self.reply_later()``, for people who read it: the answer comes later."""


class Ask(Future[Any]):
    """The answer to a question.

    Args:
        receiver: the cell of who is asked.
        kind: the class of what is asked.
        asker: whose turn it is; None outside of all turns.
        deadline: when it is too late, on the clock of the receiver's system.
        timeout_s: how many seconds that leaves.
    """

    instead_of_waiting = (
        "Use tell, and take the answer as one more message; or self.pipe_to_self(ref.ask(…, block=False)); "
        "or await ref.ask(…, block=False) in `async def run`"
    )

    is_waited_for = False
    """Whether the asker's turn stands still until it is there."""
    _correlation_id = ""

    def __init__(
        self, receiver: Any, kind: type, asker: Runnable | None, deadline: float = FOREVER, timeout_s: float = FOREVER
    ) -> None:
        super().__init__(receiver.system.dispatcher)
        self.deadline = deadline
        self._receiver = receiver  # whom the asker knows; `settled_by` is who is made to answer
        self._kind = kind
        self._asker = asker
        self._timeout_s = timeout_s

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have ``callback(self)`` called once when settled; see `Future.add_done_callback`."""
        super().add_done_callback(of_code(callback))

    @property
    def what_is_awaited(self) -> str:
        """The name of the class of what is asked."""
        return self._kind.__name__

    @property
    def asker(self) -> str:
        """Who asked; empty for code outside of all actors."""
        return "" if self._asker is None else repr(self._asker)

    @property
    def is_given_up(self) -> bool:
        """Whether who asked has ended."""
        return self._asker is not None and bool(getattr(self._asker, "has_ended", False))

    @property
    def correlation_id(self) -> str:
        """Names this question on both sides; made at the first use. Any thread."""
        with _naming:
            if not self._correlation_id:
                self._correlation_id = self._receiver.system.new_id()
            return self._correlation_id

    def outcome(self) -> Any:
        """Wait until the deadline, and return the answer or raise the error: an `AskTimeout` when there is none."""
        if not self.is_settled and not self._block(self._seconds_left()):
            self.expire()
        return self.get(timeout=0)

    def expire(self) -> None:
        """Fail because the time is over, unless there is an answer. Any thread."""
        if not self.is_settled:
            self.try_fail(self._too_late(self._timeout_s))

    def fail_at_deadline(self) -> None:
        """Have it fail by itself when the deadline passes, for who does not wait. Before it is sent."""
        if self.deadline == FOREVER:
            return
        timer = self._receiver.system.dispatcher.call_at(self.deadline, self.expire)
        Future.add_done_callback(self, lambda _reply: timer.cancel())

    def _seconds_left(self) -> float | None:
        if self.deadline == FOREVER:
            return None
        now: float = self._receiver.system.clock.now()
        return max(0.0, self.deadline - now)

    def _too_late(self, timeout: float | None) -> WaitTimeout:
        return AskTimeout(
            asker=self.asker,
            receiver=repr(self._receiver),
            message_type=self._kind.__name__,
            timeout_s=self._timeout_s if timeout is None else timeout,
            correlation_id=self.correlation_id,
        )


# -- asking ----------------------------------------------------------------------------------------------------------


def ask(receiver: Any, message: object, *, block: bool, timeout: float | None) -> Any:
    """Ask an actor, by its cell; see `ActorRef.ask`."""
    turn, kind = here.turn, type(message)
    if timeout is None and kind in _PROXY_MESSAGES:
        reply = Ask(receiver, kind, turn)  # pykka's meaning: who waits for it says how long
    else:
        reply = _new_ask(receiver, kind, receiver.actor_class.ask_timeout_s if timeout is None else timeout)
    if not block or here.wait_by is not None:
        if block and here.never_blocks and here.wait_by is not None:
            here.wait_by(reply, None)  # which says why not, before anything is sent
        reply.fail_at_deadline()
        _send(receiver, message, reply)
        return reply.get() if block else reply  # in `def run` such a wait lets other messages be handled
    if turn is None:
        _send(receiver, message, reply)
        return reply.outcome()
    # Here, because few programs run on one; and who waits in an actor has time for it.
    from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher

    reply.settled_by = receiver
    reply.is_waited_for = True
    before = wait_graph.enter(turn, reply)  # before it is sent: a question that is refused has had no effect
    try:
        if isinstance(receiver.system.dispatcher, DeterministicDispatcher):
            reply.fail_at_deadline()  # this wait can end only after those inside it: so the wait itself may be late
        _send(receiver, message, reply)
        return reply.outcome()
    finally:
        wait_graph.leave(turn, before)


def ask_through(
    system: Any, who: str, message: object, send: Callable[[Ask], object], *, block: bool, timeout: float | None
) -> Any:
    """Ask somebody who is not known yet, such as whoever will own a key; otherwise as `ask`.

    Args:
        system: whose clock counts.
        who: what is asked, for people.
        message: what to ask.
        send: is given the answer's future, to be sent with the message now or later.
        block: whether to wait.
        timeout: seconds; None is five.
    """
    reply = _new_ask(_Somebody(system, who), type(message), _ASK_TIMEOUT_S if timeout is None else timeout)
    reply.is_waited_for = block and here.turn is not None and here.wait_by is None
    reply.fail_at_deadline()
    send(reply)
    return reply.get() if block else reply


class _Somebody:
    """Who is asked, as far as the answer's future has to know."""

    __slots__ = ("_who", "system")

    def __init__(self, system: Any, who: str) -> None:
        self.system = system
        self._who = who

    def __repr__(self) -> str:
        return self._who


def _new_ask(receiver: Any, kind: type, timeout: float) -> Ask:
    """Make the future of an answer, with a deadline that is not behind that of what is being answered (A9)."""
    turn, timeout_s, latest = here.turn, checked_seconds(timeout), FOREVER
    if turn is not None:
        answering = getattr(turn, "answering", None)
        latest = FOREVER if answering is None else answering.deadline
    if timeout_s == FOREVER == latest:
        return Ask(receiver, kind, turn)
    now = receiver.system.clock.now()
    deadline = min(now + timeout_s, latest)
    return Ask(receiver, kind, turn, deadline, max(0.0, deadline - now))


def checked_seconds(timeout_s: float) -> float:
    """Return how long to wait.

    Raises:
        ConfigError: it is no number of seconds. What is below 0 is over already, and is none.
    """
    if isinstance(timeout_s, int | float) and timeout_s == timeout_s:  # not a NaN
        return timeout_s
    raise ConfigError(f"timeout={timeout_s!r}: give a number of seconds, or FOREVER; ask_timeout_s of a class likewise")


def _send(receiver: Any, message: object, reply: Ask) -> None:
    try:
        is_sent = receiver.tell_user(message, reply)
    except MailboxFull as error:
        reply.try_fail(error)  # and with it goes its timer
        raise
    if not is_sent:
        receiver.dead_letter(message, "dead")
        reply.try_fail(ActorIsDead(f"{receiver.ref} not found"))


# -- answering: in the turns of who was asked ------------------------------------------------------------------------


def skip_expired(cell: Any, envelope: Any) -> bool:
    """Return whether a question has come too late to be handled; then it is settled, counted and published.

    A class of messages that must be handled none the less says ``expires = False``. Source: SEMANTICS A2.
    """
    reply, message = envelope.reply_to, envelope.message
    # At the very deadline the asker decides: with `timeout=0` an answer may be there at once, in virtual time.
    if reply.deadline >= cell.system.clock.now() and not isinstance(reply.error, AskTimeout):
        return False
    if getattr(type(message), "expires", True) is False:
        return False
    reply.expire()
    cell.system.hooks.count("ask.expired")
    _log.info("a question had expired, and is skipped actor=%s correlation_id=%s", cell, reply.correlation_id)
    cell.refuse(envelope, "expired")
    return True


def not_answered(cell: Any, reply: Future[Any], response: object) -> None:
    """Deal with an answer that did not go to the asker when its handler returned: deferred, late, or not given."""
    if reply.is_deferred:
        return
    if response is not NoReplyYet:
        _count_late(cell, reply)
        return
    error = ActorError(
        f"{cell} returned NoReplyYet without having called self.reply_later(), so nobody could ever answer"
    )
    if reply.try_fail(error):
        _log.error("%s", error)


def _count_late(cell: Any, reply: Future[Any]) -> None:
    """Count an answer that changes nothing, because the asker has given up (SEMANTICS A4)."""
    if isinstance(reply.error, AskTimeout):
        cell.system.hooks.count("ask.late")
        _log.info("an answer came too late actor=%s correlation_id=%s", cell, reply.error.correlation_id)


def fail_ask(cell: Any, reply: Future[Any], error: BaseException, message: object) -> None:
    """Give the asker what the handler raised, with its traceback and with where it came from (SEMANTICS A7)."""
    add_origin(error, cell, f"while it handled {type(message).__name__}")
    if reply.try_fail(error):
        _log.info("Exception returned from %s to caller:", cell.ref, exc_info=error)
        return
    _count_late(cell, reply)
    _log.warning("exception that no asker hears any more actor=%s", cell, exc_info=error)


def add_origin(error: BaseException, cell: Any, when: str) -> None:
    """Note in which actor an error was raised; it goes on to others, who have not seen that actor."""
    note_on(error, f"raised in {cell}, incarnation {cell.incarnation}, {when}")


# -- answers that are given later ------------------------------------------------------------------------------------


class ReplyToken:
    """An answer that an actor still owes; see `Asking.reply_later`. Good for one answer, by the actor that took it."""

    __slots__ = ("_cell", "_is_used", "_reply")

    def __init__(self, cell: Any, reply: Future[Any] | None) -> None:
        self._cell = cell
        self._reply = reply
        self._is_used = False

    def __repr__(self) -> str:
        return f"<ReplyToken of {self._cell}, {'waited for' if self.is_awaited else 'nobody waits'}>"

    @property
    def is_awaited(self) -> bool:
        """Whether somebody still waits for the answer. An actor that has ended does not."""
        reply = self._reply
        return reply is not None and not reply.is_settled and not getattr(reply, "is_given_up", False)

    def use(self, cell: Any, settle: Callable[[Future[Any]], bool]) -> bool:
        """Settle it by ``settle``, once; return whether the asker has got this answer, or there is no asker.

        Raises:
            ActorError: another actor took it.
        """
        if self._cell is not cell:
            raise ActorError(f"{self} cannot be used by {cell}: tell {self._cell} what to answer")
        if self._is_used:
            cell.system.hooks.count("ask.repeated")
            return False
        self._is_used = True
        if self._reply is None or settle(self._reply):
            return True
        _count_late(cell, self._reply)
        return False

    def leave_unanswered(self) -> None:
        """Tell the asker that nobody will answer any more. Any thread."""
        if self._reply is not None:
            how = "was restarted" if not self._cell.has_ended else "ended"
            self._reply.try_fail(ActorIsDead(f"{self._cell.ref} {how} before it answered"))


def defer(cell: Any, owed: dict[Any, ReplyToken]) -> ReplyToken:
    """Take a token for the answer to what is being handled, and enter it into what is owed. In the actor's turn.

    A kill from another thread first fails what is being answered, and then what is owed; a turn first owes it, and then
    answers no more: so whenever the kill comes, it finds it in one of the two places.
    """
    reply: Future[Any] | None = cell.answering
    if reply is None:
        return ReplyToken(cell, None)
    token = owed.get(reply)
    if token is None:
        token = owed[reply] = ReplyToken(cell, reply)
        reply.is_deferred = True
        Future.add_done_callback(reply, partial(forget, owed))
    return token


def forget(noted: dict[Any, Any], reply: Future[Any]) -> None:
    """Note no more that an answer is to be given: it is."""
    noted.pop(reply, None)


def taken_out_of(noted: dict[Any, T] | None) -> Iterator[tuple[Any, T]]:
    """Take out all answers that are to be given, one by one. Any thread: each is taken by one, who tells of it."""
    while noted:
        try:
            yield noted.popitem()
        except KeyError:  # somebody else has taken the last one
            return


def answer(token: ReplyToken, cell: Any, value: object, error: BaseException | None) -> bool:
    """Answer by a token; see `Asking.reply_to`."""
    if not isinstance(token, ReplyToken):
        raise ActorError(f"{token!r} is no token: take one by token = self.reply_later() in the handler of a question")
    if error is None:
        return token.use(cell, lambda reply: reply.try_set(value))
    add_origin(error, cell, "in answering later")
    return token.use(cell, lambda reply: reply.try_fail(error))
