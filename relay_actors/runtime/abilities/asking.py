"""What an actor can do with questions, its own and others'. Layer: pillar."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from relay_actors.errors import ConfigError
from relay_actors.runtime.asking import ReplyToken, answer, checked_seconds, defer, forget, taken_out_of
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.future import Future
from relay_actors.runtime.piping import pipe

if TYPE_CHECKING:
    from relay_actors.runtime.cell import Cell

__all__ = ["Asking"]

T = TypeVar("T")


class Asking:
    """Answers questions, now or later, and takes the answers to its own as messages. In the actor's turns only."""

    ask_timeout_s: ClassVar[float] = 5.0
    """Seconds that others wait for an answer of this actor, unless they say otherwise; `FOREVER` for no end
    (SEMANTICS A1)."""
    escalate_ask_errors: ClassVar[bool] = False
    """Whether an exception in the handler of a question fails the actor as well, after the asker has been told (A7)."""
    retries: ClassVar[int] = 0
    """1: a message on which the handler raises is handled once more, at once; 0: it is not (M6)."""

    _cell: Cell
    _owed: dict[Any, ReplyToken] | None = None
    _suspended: dict[Any, None] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("retries", 0) not in (0, 1):
            raise ConfigError(f"{cls.__name__}.retries is {cls.retries!r}: 0 or 1")
        if "ask_timeout_s" in cls.__dict__:
            checked_seconds(cls.ask_timeout_s)

    # -- its answers -------------------------------------------------------------------------------------------------

    def reply_later(self) -> ReplyToken:
        """Say in a handler that the answer comes later, and return what to answer by; what it returns is ignored.

        The token belongs to this incarnation: if the actor ends or is restarted before it has answered, the asker gets
        `ActorDead`. The asker's deadline goes on to hold. A message that was told, and not asked, gives a token for
        which nobody waits, so a handler need not know the difference. Called twice it gives the same token.

        Source: SEMANTICS A13; OTP's ``{noreply, State}``.
        """
        if self._owed is None:
            self._owed = {}
        return defer(self._cell, self._owed)

    def reply_to(self, token: ReplyToken, value: object = None) -> bool:
        """Give the answer for which ``token`` stands; in any later turn, or in the same one.

        Returns:
            Whether the asker has got this answer. A second answer, or one that comes too late, is ignored and counted:
            ``ask.repeated``, ``ask.late``.

        Raises:
            ActorError: the token was taken by another actor.
        """
        return answer(token, self._cell, value, None)

    def fail_reply(self, token: ReplyToken, error: BaseException) -> bool:
        """Have ``error`` raised at who waits for the answer; otherwise as `reply_to`."""
        if not isinstance(error, BaseException):
            raise ConfigError(f"fail_reply() needs an exception, not {error!r}: use reply_to() for a value")
        return answer(token, self._cell, None, error)

    @property
    def unanswered_questions(self) -> int:
        """How many questions wait for an answer for which it has taken a token. Any thread."""
        return len(self._owed) if self._owed is not None else 0

    def leave_unanswered(self) -> None:
        """Tell those who wait for an answer that this incarnation gives none any more. For the cell; any thread."""
        for _reply, token in taken_out_of(self._owed):
            token.leave_unanswered()

    def note_suspended(self, reply: Future[Any]) -> None:
        """Note the answer of a handler that awaits, until it is given. For the cell, in its turn.

        So a kill from another thread finds it, though no turn may come any more in which the handler is closed. As with
        what is owed, a turn first notes it here, and then answers no more (see `defer`).
        """
        if self._suspended is None:
            self._suspended = {}
        self._suspended[reply] = None
        Future.add_done_callback(reply, partial(forget, self._suspended))

    def leave_suspended(self) -> None:
        """Tell those who asked what awaits that it will not be answered. For the end of the cell; any thread."""
        for reply, _none in taken_out_of(self._suspended):
            reply.try_fail(ActorIsDead(f"{self._cell.ref} was killed while handling the message"))

    # -- its questions -----------------------------------------------------------------------------------------------

    def pipe_to_self(
        self,
        future: Future[T],
        ok: Callable[[T], object] | None = None,
        err: Callable[[BaseException], object] | None = None,
        *,
        survive_restart: bool = False,
    ) -> None:
        """Have exactly one message come to `on_receive` when ``future`` is settled, ahead of what users have sent.

        Args:
            future: for example of ``ref.ask(…, block=False)``; it may be settled already.
            ok: makes the message of the value, in this actor's turn; by default the value is the message.
            err: makes the message of the error; by default it is ``PipeFailed(error)``.
            survive_restart: whether a later incarnation takes it. Otherwise it is dropped after a restart, and counted
                as ``pipe.dropped``, because the new one did not ask for it.

        Raises:
            ConfigError: it is no future of this framework, or ``ok`` or ``err`` is no function.

        Source: SEMANTICS A12; Akka's ``pipeTo(self)``.
        """
        pipe(self._cell, future, ok, err, survive_restart=survive_restart)
