"""`TestProbe`: an actor whose mailbox a test reads. Layer: door. Source: SEMANTICS V1; Akka's TestProbe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Self

from relay_actors.app import RelayApp
from relay_actors.errors import ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.asking import ReplyToken
from relay_actors.runtime.reasons import Down, ExitKind
from relay_actors.runtime.system import System, default_system
from relay_actors.testing.expecting import Expecting, Inbox, shown

__all__ = ["TestProbe"]


@dataclass(frozen=True, slots=True)
class _WatchFor:
    """The test wants to know when somebody ends."""

    ref: ActorRef[Any]


@dataclass(frozen=True, slots=True)
class _AnswerWith:
    """The test has decided on the answer to a question."""

    token: ReplyToken
    value: object
    error: BaseException | None


class _ProbeActor(Actor):
    """Puts what it receives where the test finds it."""

    def __init__(self, probe: TestProbe) -> None:
        super().__init__()
        self._probe = probe

    def label(self) -> str:
        """Return what it is."""
        return "TestProbe"

    def on_receive(self, message: object) -> Any:
        """Hand on one message; a question is answered by what the test has said, or later."""
        probe = self._probe
        match message:
            case _WatchFor(ref=ref):
                self.watch(ref)
            case _AnswerWith(token=token, value=value, error=None):
                self.reply_to(token, value)
            case _AnswerWith(token=token, error=BaseException() as error):
                self.fail_reply(token, error)
            case Down():
                probe.take_down(message)
            case _ if self._cell.answering is None:
                probe.take(message, None)
            case _ if probe.answers is None:
                probe.take(message, self.reply_later())
            case _:
                probe.take(message, None)
                return probe.answers(message)
        return None


class TestProbe(Expecting):
    """An actor that does nothing, and whose mailbox a test reads: hand out `ref`, and `expect` what comes.

    Works on threads and, in virtual time, on a deterministic dispatcher, where waiting makes things happen. Used by the
    thread of the test, not inside an actor. It lives until `stop`; ``with TestProbe(system) as probe`` stops it.

    Args:
        system: where the actors are with which it talks: a `System`, or a running application; by default the
            process's own, in which ``MyActor.start()`` starts.
        factor: by what all its times are multiplied; by default the environment variable ``RELAY_TEST_TIME_FACTOR``,
            or 1. In virtual time, which no load slows down, the variable does not count.

    Attributes:
        ref: by which others tell and ask it.
        answers: how it answers questions by itself; see `replies_with`.

    Raises:
        ConfigError: ``factor`` is no number above 0, or the application is not running.
    """

    __test__: ClassVar[bool] = False
    """pytest is not to take it for a class of tests."""

    def __init__(self, system: System | RelayApp | None = None, *, factor: float | None = None) -> None:
        if system is None:
            system = default_system()
        elif isinstance(system, RelayApp):
            system = system.system
        elif not isinstance(system, System):
            raise ConfigError(f"TestProbe({system!r}): give a System, a running application, or nothing")
        super().__init__(system.dispatcher, factor=factor)
        self.answers: Callable[[Any], Any] | None = None
        self._downs: Inbox[Down] = Inbox(system.dispatcher)
        self._question: ReplyToken | None = None
        self.ref: ActorRef[Any] = system.start(_ProbeActor, self)

    def __repr__(self) -> str:
        return f"<TestProbe {self.ref} {len(self.waiting)} waiting>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the actor; questions that it has not answered fail with `ActorDead`. Idempotent."""
        self.ref.stop()

    # -- messages ----------------------------------------------------------------------------------------------------

    def expect_no_message(self, for_s: float | None = None) -> None:
        """Wait ``for_s`` seconds, 0.1 by default, in which no message comes. The end of who is watched is none.

        Raises:
            AssertionError: one comes, or waits already.
        """
        __tracebackhide__ = True
        self._expect_nothing(for_s)

    # -- questions ---------------------------------------------------------------------------------------------------

    def replies_with(self, answer: Callable[[Any], Any] | None) -> None:
        """Have every question from now on answered at once; the messages are there to be expected all the same.

        Args:
            answer: is given the message; what it returns is the answer, and what it raises is raised at the asker. Runs
                in the probe's turn. None ends it: then questions wait for `reply`.
        """
        self.answers = answer

    def reply(self, value: object = None) -> None:
        """Answer the question that was looked at last, by `expect` or `fish`.

        Raises:
            ConfigError: it was none, was answered, or nobody waits any more.
        """
        self._answer(value, None)

    def fail_reply(self, error: BaseException) -> None:
        """Have ``error`` raised at who has asked the question that was looked at last; otherwise as `reply`."""
        self._answer(None, error)

    # -- ends --------------------------------------------------------------------------------------------------------

    def watch(self, ref: ActorRef[Any]) -> None:
        """Be told when an actor ends for good; in force when this returns. See `expect_down`."""
        self.ref.ask(_WatchFor(ref))

    def expect_down(self, ref: ActorRef[Any], *, reason: ExitKind | None = None, within: float | None = None) -> Down:
        """Wait until a watched actor has ended, and return what is told of it.

        Ends are told in no order with messages (SEMANTICS W5), so they stand apart: messages that came meanwhile wait.

        Args:
            ref: whom.
            reason: the kind of reason that it must have: ``normal``, ``shutdown``, ``error``, ``killed``, …
            within: seconds, as for `expect`.

        Raises:
            AssertionError: it does not end, or for another reason.
        """
        __tracebackhide__ = True
        down = self._downs.take(self._deadline(within), lambda down: down.ref == ref)
        if down is None:
            others = "".join(f"\n  {shown(other)}" for other in self._downs.waiting) or " nobody"
            alive = "it lives" if ref.is_alive() else "it has ended, but nobody has called watch() before"
            raise AssertionError(f"expected the end of {ref}, but {alive}; who has ended:{others}")
        if reason is not None and down.reason.kind != reason:
            raise AssertionError(f"expected {ref} to end with {reason!r}, but it has with: {down.reason}")
        return down

    # -- for its actor -----------------------------------------------------------------------------------------------

    def take(self, message: object, question: ReplyToken | None) -> None:
        """Take a message in. For the actor."""
        self._inbox.put((message, question))

    def take_down(self, down: Down) -> None:
        """Take the end of somebody in. For the actor."""
        self._downs.put(down)

    def _on_taken(self, note: Any) -> None:
        self._question = note

    def _answer(self, value: object, error: BaseException | None) -> None:
        question = self._question
        if question is None or not question.is_awaited:
            raise ConfigError(
                "there is nothing to answer: the message that was looked at last was told and not asked, is answered, "
                "or nobody waits for it any more"
            )
        self._question = None
        self.ref.tell(_AnswerWith(question, value, error))
